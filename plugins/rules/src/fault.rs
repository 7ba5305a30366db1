//! What is wrong with a configuration, and where: by the path in front, the host finds the line.

use meterhost_sdk::Error;

/// What is wrong with a rule, or with one of its settings.
#[derive(Debug)]
pub(crate) struct Fault {
    /// As it is written below the rule.
    setting: Option<String>,
    reason: String,
}

impl Fault {
    pub(crate) fn rule(reason: impl Into<String>) -> Self {
        Fault { setting: None, reason: reason.into() }
    }

    pub(crate) fn setting(setting: &str, reason: impl Into<String>) -> Self {
        Fault { setting: Some(setting.to_owned()), reason: reason.into() }
    }

    /// In a setting, if it is one that says what is wrong, else in the rule.
    pub(crate) fn maybe(setting: Option<&str>, reason: impl Into<String>) -> Self {
        Fault { setting: setting.map(str::to_owned), reason: reason.into() }
    }

    /// For a person, with the rule's place below `config` in front.
    pub(crate) fn at(self, rule: &str) -> Error {
        let Fault { setting, reason } = self;
        let setting = setting.map(|setting| format!(".{setting}")).unwrap_or_default();
        Error::Config(format!("{rule}{setting}: {reason}"))
    }
}

/// The place of a part of a table below `config`: `dimensions."a b"`.
pub(crate) fn path(table: &str, name: &str) -> String {
    format!("{table}.{}", key(name))
}

/// A key as the pipeline file writes it: in quotes where it has to be.
pub(crate) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}

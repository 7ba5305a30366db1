//! The connection's address.

use crate::config::Stream;

/// Where a connection takes months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: String,
}

impl Target {
    /// The address, or what is wrong with the configuration, for a person.
    pub(crate) fn of(stream: &Stream) -> Result<Target, String> {
        let Stream { connection, url } = stream;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if connection.is_empty() || !connection.chars().all(is_plain) {
            let shown = connection.escape_debug();
            return Err(format!("stream.connection: \"{shown}\" is no id of a connection: letters, digits, - and _"));
        }
        let wrong = |what: &str| Err(format!("stream.url: \"{}\": {what}", url.escape_debug()));
        let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
            return wrong("it has to begin with https:// (or http://)");
        };
        if rest.split('/').next().is_none_or(str::is_empty) {
            return wrong("it names no host");
        }
        if rest.contains('@') {
            return wrong("user and password do not belong there; `grant.secrets` has `api_key`");
        }
        if rest.contains(|odd: char| odd.is_whitespace() || odd.is_control() || matches!(odd, '?' | '#')) {
            return wrong("it is the origin of CloudZero's API, such as https://api.cloudzero.com");
        }
        let base = url.trim_end_matches('/');
        Ok(Target { url: format!("{base}/v2/connections/billing/anycost/{connection}/billing_drops") })
    }
}

//! Columns as they are configured.

use std::collections::BTreeMap;

use drops::Template;
use meterhost_sdk::Decimal;
use sheets::setting;

use crate::columns::{self, Column, Kind, OWN};
use crate::config::Config;
use crate::forms;

/// Columns that are configured, and not left out.
#[derive(Default)]
pub(crate) struct Told {
    /// Of FOCUS.
    pub(crate) columns: BTreeMap<&'static str, Template>,
    /// The seller's own.
    pub(crate) own: BTreeMap<String, Template>,
}

/// What is configured.
///
/// # Errors
/// A column cannot be written so. The text begins with the path of the setting.
pub(crate) fn columns(config: &Config) -> Result<Told, String> {
    let mut all = Told::default();
    for (name, text) in &config.columns {
        let setting = setting(name);
        let wrong = |why: String| format!("{setting}: {why}");
        let template = Template::parse(&setting, text)?;
        if template.literals().any(|text| text.contains('\0')) {
            return Err(wrong("it has a NUL character".into()));
        }
        if name.starts_with(OWN) {
            if let Some(why) = columns::odd(name) {
                return Err(wrong(why));
            }
            if let Some(other) = all.own.keys().find(|other| other.eq_ignore_ascii_case(name)) {
                return Err(wrong(format!("{other} is the same to readers that do not tell cases apart")));
            }
            if !text.is_empty() {
                all.own.insert(name.clone(), template);
            }
            continue;
        }
        let Some(column) = columns::find(name) else { return Err(wrong(columns::unknown(name))) };
        if column.kind == Kind::Time {
            return Err(wrong("it follows from the charge's window and its month, and is not configured".into()));
        }
        if text.is_empty() {
            if column.is_mandatory() {
                return Err(wrong("FOCUS has this column in every set; without this line it has its default".into()));
            }
            continue;
        }
        check(column, &template).map_err(wrong)?;
        all.columns.insert(column.name, template);
    }
    Ok(all)
}

/// What can be told of a column before there is a charge.
fn check(column: &Column, template: &Template) -> Result<(), String> {
    let Some(text) = template.constant() else { return Ok(()) };
    if column.is_number() {
        return Decimal::parse(text).map(drop).map_err(|why| format!("\"{}\": {why}", text.escape_debug()));
    }
    forms::objection(column, text).map_or(Ok(()), Err)
}

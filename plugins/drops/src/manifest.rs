//! Which drop is current: `{"version":"1.3.0","current_drop_id":"20220317T171218Z"}`.
//!
//! A change of the manifest makes readers take the drop that it names, and nothing else does. It is written with the version that was read
//! as a condition, so that two who publish at once cannot undo each other unseen.

use meterhost_sdk::objects::{self, Precondition};
use meterhost_sdk::{Error, warn};
use serde_json::Value;

/// The manifest's file.
pub(crate) const NAME: &str = "manifest.json";

/// The longest manifest that is read. One of ours has some 70 bytes.
const LONGEST: usize = 64 << 10;

/// The longest name of a drop, in bytes, that the host can write down.
const LONGEST_ID: usize = 200;

/// The manifest of a month as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The current drop; nothing where nothing was ever published.
    pub(crate) current: Option<String>,
    etag: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a month's folder. One that is missing was never written.
    pub(crate) fn read(folder: &str) -> Result<Manifest, Error> {
        let key = format!("{folder}/{NAME}");
        let mut body = match objects::get(&key, None) {
            Err(objects::Error::NotFound(_)) => return Ok(Manifest::default()),
            body => body?,
        };
        let etag = body.object().etag;
        let mut bytes = Vec::new();
        loop {
            let more = body.read(LONGEST as u32)?;
            if more.is_empty() {
                break;
            }
            bytes.extend_from_slice(&more);
            if bytes.len() > LONGEST {
                return Err(unreadable(&key, "it is larger than any manifest"));
            }
        }
        let current = parse(&bytes).map_err(|why| unreadable(&key, &why))?;
        Ok(Manifest { current: Some(current), etag: Some(etag) })
    }

    /// Makes another drop current, if the manifest is still the one that was read.
    pub(crate) fn write(&self, folder: &str, id: &str) -> Result<(), objects::Error> {
        let precondition = self.etag.clone().map_or(Precondition::Absent, Precondition::Match);
        let key = format!("{folder}/{NAME}");
        objects::put(&key, text(id).as_bytes(), "application/json", &precondition).map(drop)
    }
}

/// Exactly what CloudZero's specification shows, without spaces. A plain folder's name has nothing that JSON escapes but quotes.
fn text(id: &str) -> String {
    format!(r#"{{"version":"1.3.0","current_drop_id":{}}}"#, Value::from(id))
}

fn parse(bytes: &[u8]) -> Result<String, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let Value::Object(fields) = value else { return Err("it is no JSON object".into()) };
    match fields.get("current_drop_id") {
        Some(Value::String(id)) if is_plain(id) => Ok(id.clone()),
        Some(Value::String(id)) => {
            Err(format!("its `current_drop_id` is \"{}\", which is no folder's name", id.escape_debug()))
        }
        Some(_) => Err("its `current_drop_id` is no text".into()),
        None => Err("it has no `current_drop_id`".into()),
    }
}

fn unreadable(key: &str, why: &str) -> Error {
    Error::Unavailable(format!(
        "{key} cannot be read: {why}. Which drop readers are shown is not guessed: put in what the manifest was, {}, with the id of one of \
         the folders beside it; or, if nothing of this month was ever published, delete it",
        text("ID")
    ))
}

/// Whether this can be the name of a drop's folder, and leads nowhere else.
pub(crate) fn is_plain(id: &str) -> bool {
    let is_odd = |odd: char| odd.is_control() || matches!(odd, '/' | '\\');
    !matches!(id, "" | "." | "..") && id.len() <= LONGEST_ID && !id.contains(is_odd)
}

/// Says that a folder's name cannot be a drop's; whoever lists the drops goes on without it.
pub(crate) fn passed_over(folder: &str, name: &str) {
    warn(&format!("{folder} has a folder \"{}\", which is no drop's name; it is left alone", name.escape_debug()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_written_to_the_letter_and_read_in_any_form() {
        assert_eq!(text("20220317T171218Z"), r#"{"version":"1.3.0","current_drop_id":"20220317T171218Z"}"#);
        assert_eq!(parse(text("a \"b\"").as_bytes()).unwrap(), "a \"b\"");
        let others = "\n{ \"version\": \"1.0.0\",\n  \"current_drop_id\": \"drop-day-12\", \"more\": 1 }\n";
        assert_eq!(parse(others.as_bytes()).unwrap(), "drop-day-12");
    }

    #[test]
    fn a_manifest_that_says_nothing_sure_is_an_error() {
        for (text, why) in [
            ("", "no JSON"),
            ("{", "no JSON"),
            ("[]", "no JSON object"),
            ("{}", "no `current_drop_id`"),
            (r#"{"current_drop_id":7}"#, "no text"),
            (r#"{"current_drop_id":""}"#, "no folder's name"),
            (r#"{"current_drop_id":"../x"}"#, "no folder's name"),
            (r#"{"current_drop_id":".."}"#, "no folder's name"),
            (r#"{"current_drop_id":"a\u0000"}"#, "no folder's name"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

//! Secrets: a plugin handles marks, the host puts the values in their place.
//!
//! A mark is random and new in each session. It is replaced in header values and in the body, after every other check, and only
//! on the way to the origin that the secret is bound to. Marks of another session are text like any other.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::utf8_percent_encode;

use super::errors::HttpError;
use super::grant::SecretGrant;
use super::held;
use super::origin::Origin;
use super::redact::{self, Redactor};
use crate::config::SecretSource;

/// Looks an environment variable up.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How a secret is written into the place of its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is: a header's value.
    Raw,
    /// With the escapes that it needs inside a JSON string, without the quotes.
    Json,
    /// Percent-encoded, for a form or a query.
    Form,
    /// Base64, for one side of `Basic`: the secret is the whole `user:password`.
    Basic,
    /// One that this version does not know.
    Other,
}

/// How every mark begins; 32 hexadecimal digits follow. It needs no escape in JSON, a form or a URL.
const LEAD: &str = "mh-secret-";

/// The marks that one session handed out, and the values behind them.
#[derive(Default)]
pub(super) struct Marks {
    marks: Mutex<Vec<Mark>>,
    values: Mutex<BTreeMap<String, Arc<str>>>,
}

#[derive(Clone)]
struct Mark {
    text: String,
    name: String,
    encoding: Encoding,
    to: Origin,
    /// What it is replaced with. Nothing in a dry run, where nothing is sent.
    value: Option<Arc<str>>,
}

/// A mark on its way to an origin that its secret is not bound to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misdirected {
    pub(super) name: String,
    pub(super) to: Origin,
}

/// Why marks are not replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    Misdirected(Misdirected),
    /// The result would have at least so many bytes.
    TooLong(usize),
}

/// Where a secret's value is read from.
pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    pub(super) redactor: &'a Redactor,
    /// The plugin's place in the pipeline file, for messages.
    pub(super) plugin: &'a str,
}

impl Marks {
    /// A mark for a granted secret: always the same one for the same name and encoding. Without a reader, as in a dry run, the
    /// value is not read.
    pub(super) fn mark(
        &self,
        name: &str,
        grant: &SecretGrant,
        encoding: Encoding,
        reader: Option<&Reader<'_>>,
    ) -> Result<String, HttpError> {
        let mut marks = held(&self.marks);
        if let Some(mark) = marks.iter().find(|mark| mark.name == name && mark.encoding == encoding) {
            return Ok(mark.text.clone());
        }
        let value = match reader {
            None => None,
            Some(reader) => Some(Arc::from(encoded(&self.value(name, grant, reader)?, encoding, reader.redactor)?)),
        };
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            HttpError::Other(format!("the system has no random numbers for a secret's mark: {error}"))
        })?;
        let text = format!("{LEAD}{:032x}", u128::from_ne_bytes(random));
        marks.push(Mark { text: text.clone(), name: name.to_owned(), encoding, to: grant.to.clone(), value });
        Ok(text)
    }

    /// Whether one of this session's marks stands in a text where none is replaced.
    pub(super) fn stands_in(&self, text: &str) -> bool {
        text.contains(LEAD) && held(&self.marks).iter().any(|mark| text.contains(&mark.text))
    }

    /// Readies the replacement for one request, if it holds marks at all.
    pub(super) fn towards(&self, origin: &Origin) -> Filling {
        let marks = held(&self.marks).clone();
        // Fails only with more patterns than memory holds.
        let finder = AhoCorasick::new(marks.iter().map(|mark| &mark.text)).ok().filter(|_| !marks.is_empty());
        Filling { marks, finder, origin: origin.clone() }
    }

    fn value(&self, name: &str, grant: &SecretGrant, reader: &Reader<'_>) -> Result<Arc<str>, HttpError> {
        let mut values = held(&self.values);
        if let Some(value) = values.get(name) {
            return Ok(Arc::clone(value));
        }
        let value: Arc<str> = read(name, &grant.from, reader).map_err(HttpError::Other)?.into();
        reader.redactor.add_secret(name, &value);
        values.insert(name.to_owned(), Arc::clone(&value));
        Ok(value)
    }
}

/// Replaces marks in one request.
pub(super) struct Filling {
    marks: Vec<Mark>,
    finder: Option<AhoCorasick>,
    origin: Origin,
}

impl Filling {
    /// The bytes with every mark replaced, at most so many, or nothing if no mark stands in them.
    pub(super) fn fill(&self, bytes: &[u8], most: u64) -> Result<Option<Vec<u8>>, Unfilled> {
        let Some(finder) = self.finder.as_ref().filter(|finder| finder.is_match(bytes)) else {
            return Ok(None);
        };
        let mut out = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for found in finder.find_iter(bytes) {
            let Some(mark) = self.marks.get(found.pattern().as_usize()) else {
                continue;
            };
            if mark.to != self.origin {
                return Err(Unfilled::Misdirected(Misdirected { name: mark.name.clone(), to: self.origin.clone() }));
            }
            // Many marks in a small text make a large one.
            if out.len() as u64 > most {
                return Err(Unfilled::TooLong(out.len()));
            }
            out.extend_from_slice(bytes.get(copied..found.start()).unwrap_or_default());
            out.extend_from_slice(mark.value.as_deref().unwrap_or_default().as_bytes());
            copied = found.end();
        }
        out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        match out.len() as u64 > most {
            true => Err(Unfilled::TooLong(out.len())),
            false => Ok(Some(out)),
        }
    }
}

/// Why a secret cannot be had from where it should come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}, {fault}; {help}")]
pub struct NoSecret {
    /// `the environment variable KEY`.
    pub place: String,
    /// What is wrong with it, which follows a comma: `which is not set`.
    pub fault: String,
    /// What to do about it.
    pub help: &'static str,
}

/// Whether a secret is where it should come from. A file is read for that, and forgotten.
///
/// # Errors
/// Why it cannot be had.
pub fn try_secret(from: &SecretSource, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), NoSecret> {
    value(from, environment).map(|_| ())
}

/// Reads a secret; the error is for the person who wrote the pipeline file.
fn read(name: &str, from: &SecretSource, reader: &Reader<'_>) -> Result<String, String> {
    value(from, &**reader.environment)
        .map_err(|error| format!("`grant.secrets.{name}` below [{}] is {error}", reader.plugin))
}

fn value(from: &SecretSource, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, NoSecret> {
    let (place, value) = match from {
        SecretSource::Env(variable) => {
            let value = environment(variable).ok_or(("which is not set".to_owned(), "set it, or name another"));
            (format!("the environment variable {variable}"), value)
        }
        SecretSource::File(path) => (format!("the file {}", path.display()), in_file(path)),
    };
    let value = value.and_then(|value| match value.is_empty() {
        true => Err(("which is empty".to_owned(), "put the secret there, or name another")),
        false => Ok(value),
    });
    value.map_err(|(fault, help)| NoSecret { place, fault, help })
}

/// What is wrong with a place, and what to do.
type Fault = (String, &'static str);

const ANOTHER: &str = "name the file that holds the secret";

/// The text of a file without its last newline.
fn in_file(path: &Path) -> Result<String, Fault> {
    let found = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if found.is_dir() {
        return Err(("which is a folder".to_owned(), ANOTHER));
    }
    // A pipe would make us wait for its other end, and what it says could be read only once.
    if !found.is_file() {
        return Err(("which is a pipe, socket or device".to_owned(), ANOTHER));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn unreadable(error: &std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::NotFound => ("which does not exist".to_owned(), "put the secret there, or name another file"),
        ErrorKind::PermissionDenied => (
            "which this user may not read (permission denied)".to_owned(),
            "let this user read it, or name another file",
        ),
        ErrorKind::InvalidData => ("which is not text in UTF-8".to_owned(), ANOTHER),
        _ => (format!("which cannot be read: {error}"), ANOTHER),
    }
}

/// A value as it is written in the place of its mark.
fn encoded(value: &str, encoding: Encoding, redactor: &Redactor) -> Result<String, HttpError> {
    Ok(match encoding {
        Encoding::Raw => value.to_owned(),
        Encoding::Json => redact::json(value),
        Encoding::Form => utf8_percent_encode(value, redact::FORM).to_string(),
        Encoding::Basic => {
            // A service that refuses a password may repeat it without the user.
            if let Some((_, password)) = value.split_once(':').filter(|(_, password)| password.len() >= 4) {
                redactor.add_secret("password", password);
            }
            STANDARD.encode(value)
        }
        Encoding::Other => {
            return Err(HttpError::Other(
                "this version of meterhost does not know the encoding that a secret was asked for in".to_owned(),
            ));
        }
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn grant(from: SecretSource) -> SecretGrant {
        SecretGrant { from, to: Origin::read("https://a.example").unwrap().1 }
    }

    fn variable() -> SecretGrant {
        grant(SecretSource::Env("KEY".to_owned()))
    }

    fn ask(grant: &SecretGrant, value: Option<&'static str>) -> Result<String, HttpError> {
        let environment: Environment = Arc::new(move |name| value.filter(|_| name == "KEY").map(str::to_owned));
        let reader = Reader { environment: &environment, redactor: &Redactor::default(), plugin: "sink.clazar" };
        let marks = Marks::default();
        let mark = marks.mark("key", grant, Encoding::Raw, Some(&reader))?;
        let filled = marks.towards(&grant.to).fill(mark.as_bytes(), 1000).unwrap().unwrap();
        Ok(String::from_utf8(filled).unwrap())
    }

    fn fill(encoding: Encoding, value: &'static str) -> String {
        let environment: Environment = Arc::new(move |_| Some(value.to_owned()));
        let reader = Reader { environment: &environment, redactor: &Redactor::default(), plugin: "sink.clazar" };
        let marks = Marks::default();
        let mark = marks.mark("key", &variable(), encoding, Some(&reader)).unwrap();
        let text = format!("<{mark}|{mark}>");
        String::from_utf8(marks.towards(&variable().to).fill(text.as_bytes(), 1000).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn each_encoding_writes_the_secret_as_its_place_needs_it() {
        assert_eq!(fill(Encoding::Raw, "a\"b"), "<a\"b|a\"b>");
        assert_eq!(fill(Encoding::Json, "a\"b\\\n"), r#"<a\"b\\\n|a\"b\\\n>"#);
        assert_eq!(fill(Encoding::Form, "a b&c=é~"), "<a%20b%26c%3D%C3%A9~|a%20b%26c%3D%C3%A9~>");
        assert_eq!(fill(Encoding::Basic, "user:pass"), "<dXNlcjpwYXNz|dXNlcjpwYXNz>");
    }

    #[test]
    fn an_unknown_encoding_is_refused() {
        let marks = Marks::default();
        let environment: Environment = Arc::new(|_| Some("value".to_owned()));
        let reader = Reader { environment: &environment, redactor: &Redactor::default(), plugin: "source" };
        assert!(matches!(
            marks.mark("key", &variable(), Encoding::Other, Some(&reader)),
            Err(HttpError::Other(text)) if text.contains("does not know the encoding")
        ));
    }

    #[test]
    fn a_mark_is_random_and_new_in_each_session_and_the_same_within_one() {
        let (one, other) = (Marks::default(), Marks::default());
        let mark = one.mark("key", &variable(), Encoding::Raw, None).unwrap();
        assert_eq!(mark.len(), LEAD.len() + 32);
        assert_eq!(one.mark("key", &variable(), Encoding::Raw, None).unwrap(), mark);
        assert_ne!(one.mark("key", &variable(), Encoding::Json, None).unwrap(), mark);
        assert_ne!(other.mark("key", &variable(), Encoding::Raw, None).unwrap(), mark);
    }

    #[test]
    fn only_own_marks_are_replaced() {
        let (one, other) = (Marks::default(), Marks::default());
        let mark = one.mark("key", &variable(), Encoding::Raw, None).unwrap();
        other.mark("key", &variable(), Encoding::Raw, None).unwrap();
        let made_up = format!("{LEAD}{}", "0".repeat(32));
        assert_eq!(other.towards(&variable().to).fill(mark.as_bytes(), 1000), Ok(None));
        assert_eq!(one.towards(&variable().to).fill(made_up.as_bytes(), 1000), Ok(None));
        assert!(one.stands_in(&format!("https://a.example/?key={mark}")));
        assert!(!other.stands_in(&mark));
    }

    #[test]
    fn a_mark_towards_another_origin_is_not_replaced() {
        let marks = Marks::default();
        let mark = marks.mark("key", &variable(), Encoding::Raw, None).unwrap();
        let evil = Origin::read("https://evil.example").unwrap().1;
        let found = marks.towards(&evil).fill(mark.as_bytes(), 1000);
        assert_eq!(found, Err(Unfilled::Misdirected(Misdirected { name: "key".to_owned(), to: evil })));
    }

    #[test]
    fn many_marks_do_not_make_a_text_longer_than_the_cap() {
        let environment: Environment = Arc::new(|_| Some("v".repeat(1000)));
        let reader = Reader { environment: &environment, redactor: &Redactor::default(), plugin: "source" };
        let marks = Marks::default();
        let mark = marks.mark("key", &variable(), Encoding::Raw, Some(&reader)).unwrap();
        let filled = |times: usize| marks.towards(&variable().to).fill(mark.repeat(times).as_bytes(), 5000);
        assert_eq!(filled(5), Ok(Some(vec![b'v'; 5000])));
        assert_eq!(filled(6), Err(Unfilled::TooLong(6000)));
        assert_eq!(filled(1000), Err(Unfilled::TooLong(6000)));
    }

    #[test]
    fn a_missing_or_empty_secret_names_its_place_and_its_source() {
        let place = "`grant.secrets.key` below [sink.clazar] is the";
        for (grant, value, rest) in [
            (variable(), None, "environment variable KEY, which is not set; set it, or name another"),
            (variable(), Some(""), "environment variable KEY, which is empty; put the secret there, or name another"),
            (
                grant(SecretSource::File(PathBuf::from("/nowhere/key"))),
                None,
                "file /nowhere/key, which does not exist; put the secret there, or name another file",
            ),
            (
                grant(SecretSource::File(PathBuf::from("/dev"))),
                None,
                "file /dev, which is a folder; name the file that holds the secret",
            ),
            (
                grant(SecretSource::File(PathBuf::from("/dev/null"))),
                None,
                "file /dev/null, which is a pipe, socket or device; name the file that holds the secret",
            ),
        ] {
            assert_eq!(ask(&grant, value), Err(HttpError::Other(format!("{place} {rest}"))));
        }
    }

    #[test]
    fn a_file_that_this_user_may_not_read_is_told_so() {
        let (fault, help) = unreadable(&ErrorKind::PermissionDenied.into());
        assert_eq!(fault, "which this user may not read (permission denied)");
        assert_eq!(help, "let this user read it, or name another file");
    }

    #[test]
    fn the_last_newline_of_a_file_is_not_part_of_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (text, secret) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret"), ("a\nb\n\n", "a\nb\n")]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(ask(&grant(SecretSource::File(path.clone())), None).unwrap(), secret);
        }
    }

    #[test]
    fn a_dry_run_hands_out_a_mark_and_reads_nothing() {
        let missing = grant(SecretSource::File(PathBuf::from("/nowhere/key")));
        assert!(Marks::default().mark("key", &missing, Encoding::Raw, None).is_ok());
    }
}

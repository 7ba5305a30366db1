//! What a result says of its record.
//!
//! | the result has | it says |
//! |---|---|
//! | "already exists", or "same contract_id" and "same hour", in its words | duplicate |
//! | status `success`, no errors | accepted |
//! | errors, and no status `success` | refused |
//! | status `fail` or a word like it | refused, even with an id |
//! | status `success` and errors | unclear; the errors are the refusal if the record is not in the books |
//! | another status, or none and no errors | unclear |

use serde_json::Value;

use crate::record::{Field, Record};

/// The statuses that say that a record was not billed. `fail` is the real service's; the others are words for the same.
const FAILURES: [&str; 6] = ["fail", "failed", "failure", "error", "rejected", "invalid"];

/// What a result says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Recorded.
    Accepted,
    /// There is a record for it already; the service's words.
    Duplicate(String),
    /// Not recorded; the service's words.
    Refused(String),
    /// Nothing sure.
    Unclear {
        /// What it says instead, for a person.
        words: String,
        /// What the record is refused with if it is not in the books.
        refusal: Option<String>,
    },
}

impl Verdict {
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let words = words(record);
        if let Some(words) = words.as_ref().filter(|words| says_duplicate(words)) {
            return Verdict::Duplicate(words.clone());
        }
        let refused = is_truthy(&record.errors);
        let success = record.status.text().is_some_and(|status| status.eq_ignore_ascii_case("success"));
        match &record.status {
            Field::Text(_) if success && refused => {
                let words = words.unwrap_or_else(|| "errors that say nothing".into());
                Verdict::Unclear { words: format!("status \"success\", and yet: {words}"), refusal: Some(words) }
            }
            Field::Text(_) if success => Verdict::Accepted,
            Field::Text(status) if refused || is_failure(status) => {
                Verdict::Refused(words.unwrap_or_else(|| format!("status \"{status}\"")))
            }
            _ if refused => Verdict::Refused(words.unwrap_or_else(|| "errors that say nothing".into())),
            status => {
                let stated = match status {
                    Field::Text(status) => format!("status \"{status}\""),
                    Field::Missing => "neither a status nor errors".into(),
                    Field::Odd => "a status that is no text".into(),
                };
                let words = words.map_or_else(|| stated.clone(), |words| format!("{stated}: {words}"));
                Verdict::Unclear { words, refusal: None }
            }
        }
    }

    /// The service's words, for a person.
    pub(crate) fn words(&self) -> &str {
        match self {
            Verdict::Accepted => "status \"success\"",
            Verdict::Duplicate(words) | Verdict::Refused(words) | Verdict::Unclear { words, .. } => words,
        }
    }

    /// What a charge is refused with if the verdict is its own and it is not in the books.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Verdict::Refused(words) => Some(words),
            Verdict::Unclear { refusal, .. } => refusal.as_deref(),
            Verdict::Accepted | Verdict::Duplicate(_) => None,
        }
    }

    /// Whether both say the same thing surely, in whatever words.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Verdict::Accepted, Verdict::Accepted)
                | (Verdict::Duplicate(_), Verdict::Duplicate(_))
                | (Verdict::Refused(_), Verdict::Refused(_))
        )
    }
}

/// Whether a status says that the record was not billed.
pub(crate) fn is_failure(status: &str) -> bool {
    FAILURES.iter().any(|failure| status.eq_ignore_ascii_case(failure))
}

/// The two wordings of a duplicate that are known.
pub(crate) fn says_duplicate(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("already exists") || (words.contains("same contract_id") && words.contains("same hour"))
}

/// A result's own words, `message: errors (code ...)`, as far as they are there; nothing is said twice.
fn words(record: &Record<'_>) -> Option<String> {
    let mut said: Vec<String> = record.message.text().map(str::to_owned).into_iter().collect();
    for error in texts(&record.errors) {
        if !said.contains(&error) {
            said.push(error);
        }
    }
    let texts = match said.split_first() {
        Some((first, rest)) if !rest.is_empty() => format!("{first}: {}", rest.join("; ")),
        Some((first, _)) => first.clone(),
        None => String::new(),
    };
    match record.code.text() {
        Some(code) if texts.is_empty() => Some(format!("code {code}")),
        Some(code) => Some(format!("{texts} (code {code})")),
        None => (!texts.is_empty()).then_some(texts),
    }
}

/// The texts of `errors`: a list of texts or of objects with a `message`, or one of these alone.
pub(crate) fn texts(errors: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    if is_truthy(errors) {
        collect(errors, &mut texts);
    }
    texts
}

fn collect(errors: &Value, texts: &mut Vec<String>) {
    match errors {
        Value::Array(list) => list.iter().for_each(|error| collect(error, texts)),
        Value::Object(fields) => match fields.get("message") {
            Some(message) => collect(message, texts),
            None => texts.push(errors.to_string()),
        },
        Value::String(text) => texts.push(text.clone()),
        Value::Null => {}
        other => texts.push(other.to_string()),
    }
}

/// As Python counts it, which the service is spoken to from.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

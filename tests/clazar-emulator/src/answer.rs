//! An answer on its way out, and the manner in which it leaves.

use emulator_http::Manner;
use serde_json::{Value, json};

/// What the client is told.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Manner,
    /// The ids of the records that the request added to the books.
    pub(crate) stored: Vec<String>,
    /// How many of the request's records were offered for a slot that was billed already.
    pub(crate) resent: usize,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body.to_string())
    }

    /// An error as the service words it: `{"detail": ...}` (a guess).
    pub(crate) fn error(status: u16, detail: impl Into<String>) -> Self {
        Self::json(status, &json!({ "detail": detail.into() }))
    }

    /// An answer that is not JSON.
    pub(crate) fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, "text/html", body)
    }

    /// No answer.
    pub(crate) fn dropped() -> Self {
        Self { manner: Manner::Dropped, ..Self::html(0, "") }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same, remembering which records were stored.
    pub(crate) fn storing(self, stored: Vec<String>) -> Self {
        Self { stored, ..self }
    }

    /// The same after a change to its `results`, if it has any.
    pub(crate) fn edit(mut self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        if let Ok(mut body) = serde_json::from_slice::<Value>(&self.body)
            && let Some(results) = body.get_mut("results").and_then(Value::as_array_mut)
        {
            change(results);
            self.body = body.to_string().into_bytes();
        }
        self
    }

    /// Whether the client gets nothing.
    pub(crate) fn is_dropped(&self) -> bool {
        self.manner == Manner::Dropped
    }

    fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), manner: Manner::Whole, stored: Vec::new(), resent: 0 }
    }
}

impl From<Answer> for emulator_http::Answer {
    fn from(answer: Answer) -> Self {
        let Answer { status, headers, body, manner, .. } = answer;
        Self { status, headers, body, manner }
    }
}

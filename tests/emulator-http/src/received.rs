//! A request as it came in.

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use jiff::Timestamp;

/// One request, with what was read of its body.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it had arrived as far as it was read, in real time, UTC.
    pub at: Timestamp,
    /// Such as `POST`.
    pub method: String,
    /// The path alone.
    pub path: String,
    /// The query without its `?`; empty when there is none.
    pub query: String,
    /// Lower-case names with values, in order; bytes beyond UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// What was read of a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// It is larger than any emulator reads: 16 MiB.
    TooLarge,
    /// Nothing yet: this is the head alone.
    Unread,
}

impl Received {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body, empty unless it was read whole.
    pub fn bytes(&self) -> Bytes {
        match &self.body {
            Body::Whole(bytes) => bytes.clone(),
            Body::TooLarge | Body::Unread => Bytes::new(),
        }
    }

    pub(crate) fn head(head: &Parts) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            at: Timestamp::now(),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: Body::Unread,
        }
    }
}

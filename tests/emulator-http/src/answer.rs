//! An answer on its way out, and the manner in which it leaves.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::payload::{Gone, Payload};

/// What the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 100 to 999; anything else ends the connection.
    pub status: u16,
    /// Names with values; one that HTTP cannot carry ends the connection.
    pub headers: Vec<(String, String)>,
    /// The whole body, even if only half of it leaves.
    pub body: Vec<u8>,
    /// How it leaves.
    pub manner: Manner,
}

/// How an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All of it.
    Whole,
    /// With half of its body, though the length of all of it is announced.
    Half,
    /// Not at all: the connection ends.
    Dropped,
}

impl Answer {
    /// An answer with a body of this type.
    pub fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), manner: Manner::Whole }
    }

    /// No answer.
    pub fn dropped() -> Self {
        Self { status: 0, headers: Vec::new(), body: Vec::new(), manner: Manner::Dropped }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Whether the client gets nothing.
    pub fn is_dropped(&self) -> bool {
        self.manner == Manner::Dropped
    }

    pub(crate) fn respond(self) -> Result<Response<Payload>, Gone> {
        if self.is_dropped() {
            return Err(Gone);
        }
        let (length, body) = (self.body.len(), Bytes::from(self.body));
        let half = self.manner == Manner::Half;
        let payload = if half { Payload::half(&body) } else { Payload::whole(body) };
        let mut response = Response::new(payload);
        // A script can hold anything; what HTTP cannot carry ends the connection.
        *response.status_mut() = StatusCode::from_u16(self.status).map_err(|_| Gone)?;
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).map_err(|_| Gone)?;
            response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| Gone)?);
        }
        if half {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(response)
    }
}

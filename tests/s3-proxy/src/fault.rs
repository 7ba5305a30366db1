//! What goes wrong, and with which request.

use std::time::Duration;

use crate::request::{Kind, Seen};

/// A fault that waits for its request. Of several that fit, the oldest strikes.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: Kind,
    prefix: Option<String>,
    key: Option<String>,
    skip: usize,
    times: usize,
    pub(crate) act: Act,
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// The server never sees it; this is the answer.
    Answer {
        /// 100 to 599.
        status: u16,
        /// More headers.
        headers: Vec<(String, String)>,
        /// The whole body.
        body: String,
    },
    /// The server never sees it, and the connection is closed without an answer.
    Drop,
    /// The server does what is asked, and the connection is closed without an answer.
    DropAnswer,
    /// The answer announces its whole body, and the connection is closed after so many bytes of it.
    Cut(usize),
    /// The answer announces its whole body, and after so many bytes of it nothing comes for so long.
    Stall(usize, Duration),
    /// The answer's body ends after so many bytes, and its length says so.
    Short(usize),
    /// One bit of the answer's body is another than it was.
    Corrupt,
    /// Headers of the answer are replaced or added.
    Headers(Vec<(String, String)>),
    /// A header of the request is left out before it goes on.
    Without(&'static str),
    /// The request waits before it goes on.
    Delay(Duration),
    /// The object is overwritten with these bytes before the request goes on.
    Overwrite(Vec<u8>),
    /// The object is overwritten with these bytes after the server has answered, before the answer goes on.
    OverwriteAfter(Vec<u8>),
    /// A listing's page holds at most so many keys.
    MaxKeys(usize),
}

impl Act {
    /// An error as S3 words it.
    pub fn error(status: u16, code: &str, message: &str) -> Act {
        Act::error_with(status, code, message, &[])
    }

    /// The same with more headers, each also an element of the body.
    pub fn error_with(status: u16, code: &str, message: &str, more: &[(&str, &str, &str)]) -> Act {
        let mut elements = String::new();
        let mut headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
        for (header, element, value) in more {
            headers.push(((*header).to_owned(), (*value).to_owned()));
            elements += &format!("<{element}>{value}</{element}>");
        }
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{elements}<RequestId>4442587FB7D0A2F9</RequestId></Error>"
        );
        Act::Answer { status, headers, body }
    }

    /// 403: the credentials' policy does not hold it.
    pub fn access_denied() -> Act {
        Act::error(403, "AccessDenied", "Access Denied")
    }

    /// 503: too many requests.
    pub fn slow_down() -> Act {
        Act::error(503, "SlowDown", "Please reduce your request rate.")
    }

    /// 500: what became of the request is not known.
    pub fn internal_error() -> Act {
        Act::error(500, "InternalError", "We encountered an internal error. Please try again.")
    }
}

impl Fault {
    /// Strikes the next request of this kind, once.
    pub fn on(kind: Kind, act: Act) -> Fault {
        Fault { kind, prefix: None, key: None, skip: 0, times: 1, act }
    }

    /// Only lists of keys that begin so.
    pub fn prefix(mut self, prefix: &str) -> Fault {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Only requests for this key.
    pub fn key(mut self, key: &str) -> Fault {
        self.key = Some(key.to_owned());
        self
    }

    /// Lets so many requests that fit pass first.
    pub fn after(mut self, requests: usize) -> Fault {
        self.skip = requests;
        self
    }

    /// Strikes so many times.
    pub fn times(mut self, times: usize) -> Fault {
        self.times = times;
        self
    }

    /// Strikes as long as the proxy stands.
    pub fn always(self) -> Fault {
        self.times(usize::MAX)
    }

    /// Whether it strikes this request; counts it.
    pub(crate) fn strikes(&mut self, seen: &Seen) -> bool {
        let is_under = |prefix: &String| seen.parameter("prefix").is_some_and(|found| found.starts_with(prefix));
        let fits = self.kind == seen.kind
            && self.key.as_ref().is_none_or(|key| *key == seen.key)
            && self.prefix.as_ref().is_none_or(is_under);
        if !fits || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.saturating_sub(if self.times == usize::MAX { 0 } else { 1 });
        true
    }
}

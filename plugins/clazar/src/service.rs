//! Requests, and what an answer means that is none to single charges.
//!
//! | the answer | means |
//! |---|---|
//! | 2xx | read it |
//! | 401 | the credentials are not accepted; nothing was recorded |
//! | 429 | too many requests; nothing was recorded |
//! | 400, 403, 409, 413, 422 to a call, without results | the call is refused as a whole |
//! | anything else, and no answer | not known: 5xx and a lost connection surely, a redirect, 404 and 405 because a proxy in between may have sent them |

use meterhost_sdk::Failure;
use meterhost_sdk::http::{self, Request, Response};
use serde_json::Value;

use crate::traits::DEADLINE;
use crate::verdict;

/// How many bytes of an answer that makes no sense are shown.
const SHOWN: usize = 200;

/// How many bytes of an error's own words are shown.
const SAID: usize = 1000;

/// Why a request has no answer that can be read.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is an answer, and it means this.
    Answered(Failure),
    /// The call was refused, and yet there are results: it was looked at record by record.
    Results(String, Vec<u8>),
    /// There is none, or not all of it came.
    Unanswered(String),
    /// The pipeline does not grant the request.
    Denied(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Answered(failure) => failure,
            Trouble::Unanswered(text) | Trouble::Denied(text) | Trouble::Results(text, _) => Failure::Other(text),
        }
    }
}

impl Trouble {
    /// Whether any other request would meet the same: the token, too many requests, or what the pipeline does not grant.
    pub(crate) fn is_everybodys(&self) -> bool {
        matches!(self, Trouble::Answered(Failure::Auth(_) | Failure::Throttled(_)) | Trouble::Denied(_))
    }

    /// In words for a person.
    pub(crate) fn why(&self) -> &str {
        match self {
            Trouble::Answered(Failure::Other(why) | Failure::Refused(why) | Failure::Auth(why))
            | Trouble::Unanswered(why)
            | Trouble::Denied(why)
            | Trouble::Results(why, _) => why,
            Trouble::Answered(Failure::Throttled(_)) => "Clazar wants fewer requests",
        }
    }
}

/// Sends a request. Only an answer with a status of 2xx comes back; `token` is the access token, or its absence.
pub(crate) fn send(method: &str, url: &str, token: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    if !body.is_empty() {
        headers.push(("content-type".into(), "application/json".into()));
    }
    if let Some(token) = token {
        headers.push(("authorization".into(), format!("Bearer {token}")));
    }
    let request = Request { method: method.into(), url: url.into(), headers, body, timeout: Some(DEADLINE) };
    let what = format!("{method} {}", url.split('?').next().unwrap_or(url));
    let response = http::send(&request).map_err(|error| {
        let text = format!("{what}: {}", http::message(&error));
        match error {
            http::Error::Denied(_) => Trouble::Denied(text),
            http::Error::TooLarge(_) => Trouble::Answered(Failure::Other(text)),
            http::Error::NotSent(_) | http::Error::Unanswered(_) | http::Error::Other(_) => Trouble::Unanswered(text),
        }
    })?;
    match response.status {
        200..=299 => Ok(response.body),
        status @ (400 | 403 | 409 | 413 | 422) if method == "POST" && has_results(&response.body) => {
            Err(Trouble::Results(format!("{what}: Clazar answered {status}"), response.body))
        }
        status => Err(Trouble::Answered(failure(method, &what, status, &response))),
    }
}

fn failure(method: &str, what: &str, status: u16, response: &Response) -> Failure {
    let said = format!("{what}: Clazar answered {status}: {}", words(&response.body));
    match status {
        401 => Failure::Auth(said),
        429 => Failure::Throttled(retry_after(response)),
        // A 403 can be about one contract of many, and a new session would not open it.
        400 | 403 | 409 | 413 | 422 if method == "POST" => Failure::Refused(said),
        300..=399 => {
            let to = header(response, "location").unwrap_or("nowhere");
            Failure::Other(format!(
                "{what}: Clazar answered {status}, a redirect to {to}; `url` has to be the final address"
            ))
        }
        404 | 405 => Failure::Other(format!("{said}; is `url` the address of the metering resource?")),
        _ => Failure::Other(said),
    }
}

/// In milliseconds. A date instead of seconds is passed over: the plugin has no clock to hold it against. So is 0, which
/// says no more than a missing header: how long to wait is then the host's choice.
fn retry_after(response: &Response) -> Option<u32> {
    let seconds: u32 = header(response, "retry-after")?.trim().parse().ok()?;
    (seconds > 0).then(|| seconds.saturating_mul(1000))
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn has_results(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("results").is_some())
}

/// What an error's body says: its `detail`, `message` or `error` and its `errors`, else its beginning.
pub(crate) fn words(body: &[u8]) -> String {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let named = ["detail", "message", "error", "error_description"].map(|name| json.get(name));
    let named = named.into_iter().flatten().find_map(Value::as_str).filter(|text| !text.is_empty());
    let errors = json.get("errors").map(verdict::texts).unwrap_or_default();
    let said: Vec<&str> = named.into_iter().chain(errors.iter().map(String::as_str)).collect();
    match said.as_slice() {
        [] if body.is_empty() => "without a word".into(),
        [] => excerpt(&String::from_utf8_lossy(body), SHOWN),
        said => excerpt(&said.join(": "), SAID),
    }
}

/// At most so many bytes of a text, cut between characters.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// A value as it stands in a query.
pub(crate) fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

//! One request, and what its answer means.
//!
//! | the answer | means |
//! |---|---|
//! | 200 with as many rows as were sent | taken |
//! | 200 with another count, or none | nobody knows what was taken: an error |
//! | 429 | later, when `Retry-After` says |
//! | 5xx, or none | later: replacing once more does no harm |
//! | anything else | refused, with the service's words |

use meterhost_sdk::http::{self, Encoding, Request, Response};
use meterhost_sdk::{Error, PublishFailure};
use serde_json::Value;

use super::Target;
use crate::traits::DEADLINE;

/// How many bytes of an answer are shown.
const SHOWN: usize = 500;

/// Sends a body of so many rows.
pub(super) fn send(target: &Target, body: String, rows: usize) -> Result<(), PublishFailure> {
    // CloudZero's documentation: the key alone, without `Bearer`.
    let key = http::secret("api_key", Encoding::Raw).map_err(|error| refused(&error, "secret api_key"))?;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        header("authorization", &key),
        header("content-type", "application/json"),
        header("accept", "application/json"),
    ];
    let (method, url) = ("POST".to_owned(), target.url.clone());
    let request = Request { method, url, headers, body: body.into_bytes(), timeout: Some(DEADLINE) };
    let what = format!("POST {}", target.url);
    match http::send(&request) {
        Ok(response) => judged(&what, &response, rows),
        Err(http::Error::NotSent(text) | http::Error::Unanswered(text)) => {
            Err(PublishFailure::Later((format!("{what}: {text}"), None)))
        }
        Err(error) => Err(refused(&error, &what).into()),
    }
}

fn refused(error: &http::Error, what: &str) -> Error {
    let text = format!("{what}: {}", http::message(error));
    match error {
        http::Error::Denied(_) => Error::Denied(text),
        http::Error::NotSent(_) | http::Error::Unanswered(_) | http::Error::TooLarge(_) => Error::Unavailable(text),
        http::Error::Other(_) => Error::Other(text),
    }
}

fn judged(what: &str, response: &Response, rows: usize) -> Result<(), PublishFailure> {
    let said = || format!("{what}: CloudZero answered {}: {}", response.status, words(&response.body));
    match response.status {
        200 => match row_count(&response.body) {
            Some(count) if count == rows as u64 => Ok(()),
            Some(count) => {
                Err(Error::Unavailable(format!("{what}: of {rows} rows, CloudZero says to have taken {count}")).into())
            }
            None => {
                Err(Error::Unavailable(format!("{}; it does not say how many of {rows} rows were taken", said()))
                    .into())
            }
        },
        429 => Err(PublishFailure::Later((said(), retry_after(response)))),
        500..=599 => Err(PublishFailure::Later((said(), None))),
        401 | 403 => {
            let key = "is `api_key` a key of this organisation, with the scope connections:create_billing_anycost_billing_drop?";
            Err(Error::Unavailable(format!("{}; {key}", said())).into())
        }
        404 => Err(Error::Unavailable(format!("{}; is `stream.connection` the connection's id?", said())).into()),
        _ => Err(Error::Unavailable(said()).into()),
    }
}

/// The count that an answer echoes.
fn row_count(body: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let count = answer.get("connection")?.get("row_count")?;
    count.as_u64().or_else(|| count.as_str()?.parse().ok())
}

/// In milliseconds. A date instead of seconds is passed over: the plugin has no clock to hold it against.
fn retry_after(response: &Response) -> Option<u32> {
    let (_, value) = response.headers.iter().find(|(name, _)| name == "retry-after")?;
    let seconds: u32 = value.trim().parse().ok()?;
    (seconds > 0).then(|| seconds.saturating_mul(1000))
}

/// What an answer says: its error's message, else its beginning.
fn words(body: &[u8]) -> String {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let error = json.get("error");
    let named = [error.and_then(|error| error.get("message")), json.get("message"), error];
    let text = match named.into_iter().flatten().find_map(Value::as_str).filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None if body.is_empty() => return "without a word".into(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    if text.len() <= SHOWN {
        return text;
    }
    let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

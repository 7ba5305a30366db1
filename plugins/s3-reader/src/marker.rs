//! The marker that says how far the data is complete.
//!
//! Whoever exports the data rewrites it after each step: `{"last_processed_to": "2025-06-30T23:59:59Z"}`. A doubt about it
//! is an error: nobody knows then whether a window is complete, and what is billed of a window too early is all that is
//! ever billed of it.

use meterhost_sdk::json::shown;
use meterhost_sdk::{Error, objects};
use serde_json::Value;

use crate::config::{Marker, Unit};
use crate::contents::{Contents, Failed};
use crate::duration;
use crate::moment;

/// The largest marker, in bytes.
const LARGEST: usize = 1 << 20;
/// In milliseconds.
const HOUR: i64 = 3_600_000;

/// A marker's settings, checked.
pub(crate) struct Wanted<'a> {
    marker: &'a Marker,
    /// Where the time is.
    pointer: String,
    /// In milliseconds.
    resolution: i64,
}

/// Up to which instant the data is complete, and not including it, in milliseconds, UTC; at most `now`.
///
/// # Errors
/// The marker is missing, or cannot be read, or holds no time at its pointer.
pub(crate) fn read(marker: &Marker, now: i64) -> Result<i64, Error> {
    let wanted = Wanted::new(marker)?;
    let bytes = bytes(&marker.object)?;
    let time = wanted.time(&bytes).map_err(|reason| Error::Other(unclear(&marker.object, &reason)))?;
    // It may say more than there can be; a window that has not ended is never complete.
    Ok(wanted.end(time).min(now))
}

impl<'a> Wanted<'a> {
    /// Checks what a pipeline says of its marker. The error begins with the key at fault.
    pub(crate) fn new(marker: &'a Marker) -> Result<Self, Error> {
        let wrong = |text: String| Err(Error::Config(format!("complete_until.{text}")));
        let object = &marker.object;
        if object.is_empty() || object.starts_with('/') || object.ends_with('/') {
            return wrong(format!("object: `{object}` is no key: it is relative to the granted bucket or folder"));
        }
        if object.contains(['{', '}', '*']) {
            return wrong(format!("object: `{object}` has to be one key, without captures and `*`"));
        }
        let pointer = match (&marker.pointer, marker.keys.as_slice()) {
            (Some(pointer), []) => pointer.clone(),
            (None, keys @ [_, ..]) => keys.iter().map(|key| format!("/{}", escaped(key))).collect(),
            (Some(_), _) => return wrong("keys: it stands in place of `pointer`: write one of them".to_owned()),
            (None, []) => {
                return wrong("pointer: it is missing: a JSON pointer to the time, or `keys` in its place".to_owned());
            }
        };
        let badly_escaped = pointer.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
        if !pointer.starts_with('/') || badly_escaped {
            return wrong(format!(
                "pointer: `{pointer}` is no JSON pointer: it begins with `/`, and `~` is written `~0` in it, and `/` in a key `~1`"
            ));
        }
        let resolution = marker.resolution.as_deref().map_or(Some(1000), duration::millis);
        match resolution.filter(|&millis| millis == 0 || HOUR % millis == 0) {
            Some(resolution) => Ok(Wanted { marker, pointer, resolution }),
            None => wrong(format!(
                "resolution: `{}` does not divide an hour; write \"0s\", \"1ms\", \"1s\", \"1m\", \"15m\" or \"1h\"",
                marker.resolution.as_deref().unwrap_or_default()
            )),
        }
    }

    /// The time that a marker holds, in milliseconds, UTC.
    fn time(&self, bytes: &[u8]) -> Result<i64, String> {
        let document: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not valid JSON: {error}"))?;
        let pointer = &self.pointer;
        let Some(value) = document.pointer(pointer) else { return Err(format!("there is nothing at {pointer}")) };
        let time = match (value, self.marker.unit) {
            (Value::String(text), None) => moment::text(text),
            (Value::String(text), Some(unit)) => moment::epoch(text, unit),
            (Value::Number(number), Some(unit)) => moment::epoch(&number.to_string(), unit),
            _ => None,
        };
        time.ok_or_else(|| {
            let expected = match (value, self.marker.unit) {
                (_, Some(unit)) => format!("a number of {} since 1970", name(unit)),
                (Value::Number(_), None) => {
                    "a text; of a number, the configuration says what it counts: unit = \"ms\"".to_owned()
                }
                (_, None) => "a time such as 2025-06-30T23:59:59Z".to_owned(),
            };
            format!("{pointer} is {}, which is not {expected}", shown(&value.to_string()))
        })
    }

    /// The end of what a time stands for.
    fn end(&self, time: i64) -> i64 {
        match self.resolution {
            0 => time,
            step => (time.div_euclid(step) + 1).saturating_mul(step),
        }
    }
}

/// A key as a part of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::S => "seconds",
        Unit::Ms => "milliseconds",
        Unit::Us => "microseconds",
        Unit::Ns => "nanoseconds",
    }
}

fn bytes(key: &str) -> Result<Vec<u8>, Error> {
    let mut contents = objects::get(key, None)
        .map_err(Failed::Store)
        .and_then(|body| Contents::of(body, key))
        .map_err(|failed| unreadable(key, failed))?;
    let mut bytes = Vec::new();
    loop {
        let piece = contents.read().map_err(|failed| unreadable(key, failed))?;
        if piece.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(piece);
        if bytes.len() > LARGEST {
            return Err(Error::Other(unclear(key, "it is larger than 1 MiB, and so is no marker")));
        }
    }
}

fn unreadable(key: &str, failed: Failed) -> Error {
    match failed {
        Failed::Unusable(reason) => Error::Other(unclear(key, &reason)),
        Failed::Store(error) => {
            let text = unclear(key, objects::message(&error));
            match error {
                objects::Error::Denied(_) => Error::Denied(text),
                objects::Error::Other(_) => Error::Other(text),
                _ => Error::Unavailable(text),
            }
        }
    }
}

fn unclear(key: &str, reason: &str) -> String {
    format!("the marker `{key}` does not say how far the data is complete: {reason}")
}

#[cfg(test)]
mod tests;

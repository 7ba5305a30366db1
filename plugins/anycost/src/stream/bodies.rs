//! How a month is cut into requests.

use std::ops::Range;

use drops::time;
use meterhost_sdk::{Error, Window};

use super::rows::{Hour, Rows};

/// What a body has to stay below (CloudZero: 5 MB, else 413).
const LONGEST: usize = 5_000_000;

/// A request's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    operation: &'static str,
    /// Positions of its hours.
    hours: Range<usize>,
    pub(super) rows: usize,
}

/// The bodies that say a month, in the order of time.
pub(super) fn plan(rows: &mut Rows, period: Window, now: i64) -> Result<Vec<Body>, Error> {
    let whole = Body { operation: "replace_drop", hours: 0..rows.hours().len(), rows: count(rows.hours()) };
    if size(&whole, rows, period) < LONGEST {
        return Ok(vec![whole]);
    }
    // Hours that are still to come have nothing that could be replaced.
    let come = std::iter::successors(Some(period.start), |hour| hour.checked_add(time::HOUR));
    for hour in come.take_while(|hour| *hour < period.end.min(now)) {
        rows.push_zero(hour);
    }
    rows.check()?;
    let mut bodies: Vec<Body> = Vec::new();
    for (position, hour) in rows.hours().iter().enumerate() {
        if let Some(last) = bodies.last_mut() {
            let longer =
                Body { operation: last.operation, hours: last.hours.start..position + 1, rows: last.rows + hour.rows };
            if size(&longer, rows, period) < LONGEST {
                *last = longer;
                continue;
            }
        }
        let body = Body { operation: "replace_hourly", hours: position..position + 1, rows: hour.rows };
        let size = size(&body, rows, period);
        if size >= LONGEST {
            let start = time::iso(hour.start);
            return Err(Error::Other(format!(
                "the hour from {start} has {} rows of {size} bytes together, and CloudZero takes less than {LONGEST} at once of a Stream, where \
                 an hour is replaced whole: nothing was sent; file drops (`root`) have no such limit",
                hour.rows
            )));
        }
        bodies.push(body);
    }
    Ok(bodies)
}

fn count(hours: &[Hour]) -> usize {
    hours.iter().map(|hour| hour.rows).sum()
}

/// How long the text of a body is.
fn size(body: &Body, rows: &Rows, period: Window) -> usize {
    let hours = rows.hours().get(body.hours.clone()).unwrap_or_default();
    let texts: usize = hours.iter().map(|hour| hour.text.len()).sum();
    body.frame(period).len() + texts + hours.len().saturating_sub(1) + 2
}

impl Body {
    pub(super) fn text(&self, rows: &Rows, period: Window) -> String {
        let hours = rows.hours().get(self.hours.clone()).unwrap_or_default();
        let mut text = self.frame(period);
        text.reserve(hours.iter().map(|hour| hour.text.len() + 1).sum::<usize>() + 2);
        for (position, hour) in hours.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            text.push_str(rows.text(hour));
        }
        text + "]}"
    }

    /// What stands before the rows.
    fn frame(&self, period: Window) -> String {
        let month = time::iso(period.start);
        let month = month.get(..7).unwrap_or_default();
        format!(r#"{{"month":"{month}","operation":"{}","data":["#, self.operation)
    }
}

//! AnyCost Stream: a month is sent to CloudZero's API ("AnyCost Stream API", `billing_drops`).
//!
//! A month that fits one request replaces the month. A larger one is cut between hours, and each request replaces its hours: sent twice, it
//! says the same, which cannot be said of `sum`. An hour that has come and has no charges is sent as one row of nothing to pay, whether
//! anything is known of it or not: whoever published the month before may have left rows there. The set is kept in memory until it is whole (70 MB are the most that CloudZero takes), so
//! that nothing leaves before all of it is known to fit.
//!
//! | module | subject |
//! |---|---|
//! | `target` | the connection's address |
//! | `rows` | rows as JSON, by hour |
//! | `bodies` | how a month is cut into requests |
//! | `send` | one request, and what its answer means |

mod bodies;
mod rows;
mod send;
mod target;

pub(crate) use target::Target;

use drops::{Cells, next_id};
use meterhost_sdk::{ChargeBatch, Error, Outline, PublishFailure, Window};

use bodies::Body;
use rows::Rows;

/// A set that is sent once it is whole.
pub(crate) struct StreamedSet {
    target: Target,
    id: String,
    period: Window,
    /// What time it is.
    now: i64,
    rows: Rows,
    /// Planned once the set is whole; the first `requests` of them were sent.
    bodies: Option<Vec<Body>>,
    requests: u32,
    bytes: u64,
}

impl StreamedSet {
    pub(crate) fn begin(target: Target, outline: &Outline, header: Vec<String>) -> Self {
        StreamedSet {
            target,
            id: next_id(outline.now, outline.last.as_deref()),
            period: outline.period,
            now: outline.now,
            rows: Rows::of(header),
            bodies: None,
            requests: 0,
            bytes: 0,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Takes the next rows.
    pub(crate) fn write<'c>(&mut self, columns: &[&'c Cells<'c>], charges: &ChargeBatch) -> Result<(), Error> {
        self.rows.push(columns, charges.starts())
    }

    /// Sends what was not sent yet; answers how many requests it took, and their bytes.
    pub(crate) fn send(&mut self) -> Result<(u32, u64), PublishFailure> {
        if self.bodies.is_none() {
            self.bodies = Some(bodies::plan(&mut self.rows, self.period, self.now)?);
        }
        let bodies = self.bodies.as_deref().unwrap_or_default();
        // What was sent is not sent again.
        for body in bodies.iter().skip(self.requests as usize) {
            let text = body.text(&self.rows, self.period);
            let bytes = text.len() as u64;
            send::send(&self.target, text, body.rows)?;
            self.requests += 1;
            self.bytes += bytes;
        }
        Ok((self.requests, self.bytes))
    }
}

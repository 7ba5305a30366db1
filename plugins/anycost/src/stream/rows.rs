//! Rows as JSON objects whose values are texts, by hour. A blank cell is left out: CloudZero takes an empty text for a value.

use drops::{Cells, time};
use meterhost_sdk::Error;
use serde_json::Value;

/// The most rows and bytes that a month may have (CloudZero, "AnyCost Stream limits").
const MOST_ROWS: usize = 1_000_000;
const MOST_BYTES: usize = 70_000_000;

/// The rows of a month.
#[derive(Debug)]
pub(super) struct Rows {
    /// The columns as keys of JSON, with the colon.
    names: Vec<String>,
    text: String,
    hours: Vec<Hour>,
    rows: usize,
}

/// The rows of an hour, with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) start: i64,
    pub(super) text: std::ops::Range<usize>,
    pub(super) rows: usize,
}

impl Rows {
    pub(super) fn of(header: Vec<String>) -> Self {
        let names = header.into_iter().map(|name| format!("{}:", Value::from(name))).collect();
        Rows { names, text: String::new(), hours: Vec::new(), rows: 0 }
    }

    /// Adds rows, in the order of time.
    pub(super) fn push<'c>(&mut self, columns: &[&'c Cells<'c>], starts: &[i64]) -> Result<(), Error> {
        let fields: Vec<Cells<'c>> = self
            .names
            .iter()
            .zip(columns)
            .map(|(name, cells)| {
                cells.respelled(
                    |text| if text.is_empty() { String::new() } else { format!("{name}{}", Value::from(text)) },
                )
            })
            .collect();
        for (row, start) in starts.iter().enumerate() {
            let start = start.div_euclid(time::HOUR) * time::HOUR;
            self.begin_row(start)?;
            self.text.push('{');
            for (position, field) in
                fields.iter().map(|field| field.get(row)).filter(|field| !field.is_empty()).enumerate()
            {
                if position > 0 {
                    self.text.push(',');
                }
                self.text.push_str(field);
            }
            self.text.push('}');
            self.end_row()?;
        }
        Ok(())
    }

    fn begin_row(&mut self, start: i64) -> Result<(), Error> {
        let place = self.text.len();
        match self.hours.last().map(|hour| hour.start) {
            Some(last) if last == start => self.text.push(','),
            Some(last) if last > start => {
                let (start, last) = (time::iso(start), time::iso(last));
                return Err(Error::Other(format!("a charge of {start} came behind one of {last}")));
            }
            _ => self.hours.push(Hour { start, text: place..place, rows: 0 }),
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Error> {
        self.rows += 1;
        if let Some(hour) = self.hours.last_mut() {
            hour.rows += 1;
            hour.text.end = self.text.len();
        }
        self.check()
    }

    /// That CloudZero takes so much.
    pub(super) fn check(&self) -> Result<(), Error> {
        let what = match (self.rows > MOST_ROWS, self.text.len() > MOST_BYTES) {
            (true, _) => format!("more than {MOST_ROWS} rows"),
            (_, true) => format!("more than {MOST_BYTES} bytes"),
            _ => return Ok(()),
        };
        Err(Error::Other(format!(
            "the month has {what}, and CloudZero takes no more of a Stream: nothing of it was sent; file drops (`root`) have no such limit"
        )))
    }

    /// Adds an hour in which nothing was used, among the others, if it is none of them: what CloudZero has of it gives way.
    pub(super) fn push_zero(&mut self, start: i64) {
        let Err(place) = self.hours.binary_search_by_key(&start, |hour| hour.start) else { return };
        let from = self.text.len();
        self.text.push_str(&format!(
            r#"{{"lineitem/type":"Usage","time/usage_start":"{}","cost/cost":"0","cost/discounted_cost":"0","cost/amortized_cost":"0","cost/discounted_amortized_cost":"0"}}"#,
            time::iso(start)
        ));
        self.hours.insert(place, Hour { start, text: from..self.text.len(), rows: 1 });
        self.rows += 1;
    }

    /// In the order of time.
    pub(super) fn hours(&self) -> &[Hour] {
        &self.hours
    }

    pub(super) fn text(&self, hour: &Hour) -> &str {
        self.text.get(hour.text.clone()).unwrap_or_default()
    }
}

//! The answer to a call that is served: every record as it was sent, with what became of it.

use emulator_http::random::Seeded;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Members;
use crate::judge::Outcome;
use crate::rules::Usage;
use crate::settings::EchoTime;

/// `BatchMeterUsageResult`
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Echo {
    results: Vec<Entry>,
    unprocessed_records: Vec<Members>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    usage_record: Members,
    #[serde(skip_serializing_if = "Option::is_none")]
    metering_record_id: Option<String>,
    status: &'static str,
}

impl Echo {
    /// Adds what became of a record.
    pub(crate) fn add(&mut self, record: &Usage, time: EchoTime, outcome: Outcome, id: Option<String>) {
        let usage_record = as_sent(record, time);
        if outcome == Outcome::Unprocessed {
            self.unprocessed_records.push(usage_record);
            return;
        }
        self.results.push(Entry { usage_record, metering_record_id: id, status: outcome.name() });
    }

    /// Brings both lists into another order.
    pub(crate) fn shuffle(&mut self, numbers: &mut Seeded) {
        numbers.shuffle(&mut self.results);
        numbers.shuffle(&mut self.unprocessed_records);
    }
}

fn as_sent(record: &Usage, time: EchoTime) -> Members {
    let mut members = record.members.clone();
    for (name, raw) in &mut members.0 {
        if name == "Timestamp"
            && let Ok(number) = RawValue::from_string(seconds(record.timestamp, time))
        {
            *raw = number;
        }
    }
    members
}

/// Seconds since 1970 as a JSON number.
fn seconds(moment: Timestamp, time: EchoTime) -> String {
    let seconds = moment.as_millisecond() as f64 / 1000.0;
    match time {
        EchoTime::Plain => format!("{seconds}"),
        EchoTime::Fraction => format!("{seconds:?}"),
        EchoTime::Exponent => {
            let text = format!("{seconds:E}");
            // Java, in which services of AWS are written, always prints a digit after the point.
            if text.contains('.') { text } else { text.replace('E', ".0E") }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_three_ways() {
        let written = |milliseconds: i64, time| seconds(Timestamp::from_millisecond(milliseconds).unwrap(), time);
        assert_eq!(written(1_795_198_715_000, EchoTime::Plain), "1795198715");
        assert_eq!(written(1_795_198_715_876, EchoTime::Plain), "1795198715.876");
        assert_eq!(written(1_795_198_715_000, EchoTime::Fraction), "1795198715.0");
        assert_eq!(written(1_795_198_715_000, EchoTime::Exponent), "1.795198715E9");
        assert_eq!(written(2_000_000_000_000, EchoTime::Exponent), "2.0E9");
    }
}

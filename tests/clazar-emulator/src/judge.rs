//! The verdict on each record of a call that is well-formed as a whole.
//!
//! | the record                              | its result                                                | booked    |
//! |-----------------------------------------|-----------------------------------------------------------|-----------|
//! | is for a contract that does not exist   | `errors`, `code`, `message`                               | no        |
//! | is for a slot that is taken             | `errors` with "same contract_id" and "same hour", `code`, `message` with "already exists" | no |
//! | is for a dimension that nobody registered | no `errors`; `status` "fail" and an id                  | as failed |
//! | is fine                                 | `status` "success" and an id                              | as billed |
//!
//! The shapes are those that the exporter's README and integration tests show; the codes are made up, as no list of them
//! is public.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::record::Status;
use crate::service::Service;
use crate::submission::Submission;

impl Service {
    /// Judges and books the records of a call. Those at the positions `failing` fail.
    pub(crate) fn submit(&mut self, records: &[Submission], failing: &[usize]) -> Answer {
        let mark = self.books.records().len();
        let results: Vec<Value> = records
            .iter()
            .enumerate()
            .map(|(position, record)| self.judge(record, failing.contains(&position)))
            .collect();
        self.keep(mark, Answer::json(200, &json!({ "results": results })))
    }

    /// Makes the bookings after `mark` lasting, else answers 500 in place of `answer`.
    pub(crate) fn keep(&mut self, mark: usize, answer: Answer) -> Answer {
        match self.books.keep(mark) {
            Ok(stored) => answer.storing(stored),
            Err(error) => Answer::error(500, format!("the books cannot be written: {error}")),
        }
    }

    fn judge(&mut self, record: &Submission, failing: bool) -> Value {
        if !self.settings.known_contracts.as_ref().is_none_or(|known| known.contains(&record.contract_id)) {
            let message = format!("Contract {} does not exist.", record.contract_id);
            return refusal(record, "invalid_contract_id", "Invalid contract id.", &message);
        }
        if self.books.holds(&record.slot()) {
            let message = "Another record has the same contract_id and dimension in the same hour.";
            return refusal(record, "duplicate_record", "This metering record already exists.", message);
        }
        let known = self.settings.known_dimensions.as_ref().is_none_or(|known| known.contains(&record.dimension));
        let status = if known && !failing { Status::Success } else { Status::Fail };
        let record = record.record(None, status);
        let result = record.result();
        self.books.add(record);
        result
    }
}

/// A result that refuses its record. That it echoes these fields is a guess.
fn refusal(record: &Submission, code: &str, message: &str, error: &str) -> Value {
    json!({
        "cloud": record.cloud,
        "contract_id": record.contract_id,
        "dimension": record.dimension,
        "start_time": record.start_time,
        "end_time": record.end_time,
        "errors": [{ "message": error }],
        "code": code,
        "message": message,
    })
}

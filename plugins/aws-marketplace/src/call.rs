//! Which records stand in a call: as many of those that are offered as the service takes, whatever the host puts together.

use meterhost_sdk::Charge;

use crate::Config;
use crate::record::{END, Record, records};
use crate::traits::{BODY, MOST_RECORDS};

/// A call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// As JSON.
    pub(crate) body: String,
    /// The records in it, all of one product.
    pub(crate) records: Vec<Record<'a>>,
    /// Those that are not in it, each with the reason.
    pub(crate) left_out: Vec<(Record<'a>, String)>,
}

impl<'a> Call<'a> {
    pub(crate) fn of(config: &'a Config, charges: &'a [Charge]) -> Self {
        let mut call = Call { body: String::new(), records: Vec::new(), left_out: Vec::new() };
        for record in records(config, charges) {
            match call.refusal(config, &record) {
                Ok(written) => {
                    let before =
                        if call.records.is_empty() { Record::envelope(config, record.product) } else { ",".into() };
                    call.body.push_str(&before);
                    call.body.push_str(&written);
                    call.records.push(record);
                }
                Err(reason) => call.left_out.push((record, reason)),
            }
        }
        call.body.push_str(END);
        call
    }

    /// The record as it is written, or why this call cannot hold it.
    fn refusal(&self, config: &Config, record: &Record<'_>) -> Result<String, String> {
        let not_sent = |why: String| Err(format!("not sent: {why}"));
        if let Some(objection) = record.objection(config) {
            return not_sent(objection);
        }
        let Some(written) = record.written(config) else {
            return not_sent("its quantity cannot be written as configured".into());
        };
        match self.records.first() {
            Some(first) if first.product != record.product => not_sent("a call is for one product".into()),
            Some(_) if self.records.len() >= MOST_RECORDS => not_sent(format!("a call takes {MOST_RECORDS} records")),
            Some(_) if self.body.len() + ",".len() + written.len() + END.len() >= BODY => {
                not_sent(format!("a call takes less than {BODY} bytes"))
            }
            _ => Ok(written),
        }
    }
}

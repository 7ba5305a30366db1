//! One call, and what came of it.

use meterhost_sdk::{Answer, Charge, Failure, Finding, Outcome, Session, Status, aws};

use crate::call::Call;
use crate::record::Record;
use crate::{Config, answers, refusal};

/// The service's name, for signing and for the grant.
pub(crate) const SERVICE: &str = "aws-marketplace";
/// The only action that is called.
pub(crate) const ACTION: &str = "BatchMeterUsage";

/// There is nothing to authenticate: the host signs each call.
#[derive(Debug)]
pub struct MarketplaceSession {
    config: Config,
}

impl MarketplaceSession {
    pub(crate) fn new(config: Config) -> Self {
        MarketplaceSession { config }
    }
}

impl Session for MarketplaceSession {
    fn submit(&mut self, charges: &[Charge], _now: i64) -> Result<Vec<Outcome>, Failure> {
        if charges.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call::of(&self.config, charges);
        if call.records.is_empty() {
            let reasons: Vec<&str> = call.left_out.iter().map(|(_, reason)| reason.as_str()).collect();
            return Err(Failure::Other(reasons.join("; ")));
        }
        let mut outcomes = match aws::call(SERVICE, ACTION, &call.body) {
            Ok(answer) => answers::read(&self.config, &call.records, &answer).map_err(Failure::Other)?,
            Err(error) => match (refusal::failure(&error), call.records.as_slice()) {
                // Halved, a record of several charges would be sent in parts, of which the service takes the first alone.
                (Failure::Refused(text), [record]) if charges.len() > 1 => {
                    let raw = raw(&error);
                    of_each(record, Status::Rejected, true, &text, raw).collect()
                }
                (failure, _) => return Err(failure),
            },
        };
        for (record, reason) in &call.left_out {
            outcomes.extend(of_each(record, Status::Unprocessed, false, reason, ""));
        }
        Ok(outcomes)
    }

    fn look_up(&mut self, charges: &[Charge]) -> Result<Vec<Answer>, Failure> {
        let why = "AWS Marketplace cannot be asked what it has recorded; CloudTrail shows the calls, and the seller's reports what was billed";
        let answer = |charge: &Charge| Answer { id: charge.id.clone(), finding: Finding::CannotTell(why.into()) };
        Ok(charges.iter().map(answer).collect())
    }
}

/// The same outcome for each charge of a record.
fn of_each<'r>(
    record: &'r Record<'_>,
    status: Status,
    retryable: bool,
    message: &'r str,
    raw: &'r str,
) -> impl Iterator<Item = Outcome> + 'r {
    record.charges.iter().map(move |charge| Outcome {
        id: charge.id.clone(),
        status,
        retryable,
        refusal_if_absent: None,
        reference: None,
        message: Some(message.to_owned()),
        raw: raw.to_owned(),
    })
}

/// An error's answer, as it came.
fn raw(error: &aws::Error) -> &str {
    match error {
        aws::Error::Service(answer) => &answer.body,
        _ => "",
    }
}

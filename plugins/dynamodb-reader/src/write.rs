//! Conditional writes, many in one call where they can be, each group of them in one step.
//!
//! | what comes back | what follows |
//! |---|---|
//! | done | |
//! | a condition failed | that group is not written, and what stands there instead is handed back; the others are written |
//! | somebody else writes the same item | the same again, a few times; then each group by itself |
//! | the request makes no sense | each group by itself, to find the one at fault |
//!
//! TransactWriteItems takes at most 100 actions, no two of them on one item (API reference, TransactWriteItems).

use std::collections::{HashSet, VecDeque};

use meterhost_sdk::Error;
use meterhost_sdk::aws;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::expression::Update;
use crate::service::{self, Failed};

/// The most actions of a transaction.
const ACTIONS: usize = 100;
/// The most bytes of its request. All its items may have 4 MB, which nobody knows here; what is too large goes by itself.
const BYTES: usize = 1 << 20;
/// So often writes that met others are repeated together, and then alone.
const TOGETHER: u32 = 3;
const ALONE: u32 = 20;

/// What became of a group.
#[derive(Debug)]
pub(crate) enum Verdict {
    Done,
    /// Conditions failed, and nothing of the group was written.
    Refused(Vec<Refusal>),
    /// DynamoDB cannot do it: an item would become too large, a number is none.
    Invalid(String),
    /// Others wrote the same items each time.
    Contended(String),
}

/// A condition that failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The position of its update in the group.
    pub(crate) update: usize,
    /// The item as it is; `None` if there is none.
    pub(crate) item: Option<String>,
}

/// Writes groups of updates, each of them wholly or not at all; answers what became of each. `on` names the tables, for a person.
///
/// # Errors
///
/// If DynamoDB cannot be reached or refuses all of it. Some groups may be written then.
pub(crate) fn write(groups: &[Vec<Update>], on: &str) -> Result<Vec<Verdict>, Error> {
    let mut writes = Writes { groups, on, verdicts: groups.iter().map(|_| Verdict::Done).collect() };
    let mut waiting: VecDeque<usize> = (0..groups.len()).collect();
    while !waiting.is_empty() {
        let together = writes.pack(&mut waiting);
        writes.offer(together)?;
    }
    Ok(writes.verdicts)
}

struct Writes<'g> {
    groups: &'g [Vec<Update>],
    on: &'g str,
    verdicts: Vec<Verdict>,
}

/// What DynamoDB says of some groups.
enum Answer {
    Done,
    /// What it says of each action: nothing where that one was not at fault.
    Cancelled(Vec<Reason>),
    Invalid(String),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    item: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cancelled {
    cancellation_reasons: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConditionFailed {
    #[serde(default)]
    item: Option<Box<RawValue>>,
}

impl Writes<'_> {
    fn group(&self, group: usize) -> &[Update] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    /// Takes as many groups out of those that wait as fit one transaction.
    fn pack(&self, waiting: &mut VecDeque<usize>) -> Vec<usize> {
        let (mut together, mut later) = (Vec::new(), VecDeque::new());
        let (mut actions, mut bytes, mut targets) = (0, 0, HashSet::new());
        while let Some(group) = waiting.pop_front() {
            let updates = self.group(group);
            let size: usize = updates.iter().map(|update| update.body.len()).sum();
            let first = together.is_empty();
            if !first && (actions + updates.len() > ACTIONS || bytes + size > BYTES) {
                later.push_back(group);
                break;
            }
            if updates.iter().any(|update| targets.contains(update.target.as_str())) {
                later.push_back(group);
                continue;
            }
            targets.extend(updates.iter().map(|update| update.target.as_str()));
            together.push(group);
            (actions, bytes) = (actions + updates.len(), bytes + size);
        }
        later.append(waiting);
        *waiting = later;
        together
    }

    /// Writes groups until each has a verdict.
    fn offer(&mut self, mut together: Vec<usize>) -> Result<(), Error> {
        let mut met = 0;
        while !together.is_empty() {
            let (alone, before) = (together.len() == 1, together.len());
            let trouble = match self.ask(&together)? {
                Answer::Done => return Ok(()),
                Answer::Invalid(text) if alone => {
                    self.all(&together, || Verdict::Invalid(text.clone()));
                    return Ok(());
                }
                Answer::Invalid(_) => return self.each(together),
                Answer::Cancelled(reasons) => {
                    let (trouble, invalid) = self.read(&mut together, reasons)?;
                    // Together they may be more than a transaction takes.
                    match alone {
                        true => self.all(&invalid, || Verdict::Invalid(trouble.clone())),
                        false => self.each(invalid)?,
                    }
                    trouble
                }
            };
            if together.len() < before {
                continue;
            }
            met += 1;
            if alone && met >= ALONE {
                self.all(&together, || Verdict::Contended(trouble.clone()));
                return Ok(());
            }
            if !alone && met >= TOGETHER {
                return self.each(together);
            }
        }
        Ok(())
    }

    fn each(&mut self, groups: Vec<usize>) -> Result<(), Error> {
        groups.into_iter().try_for_each(|group| self.offer(vec![group]))
    }

    fn all(&mut self, groups: &[usize], verdict: impl Fn() -> Verdict) {
        groups.iter().for_each(|&group| self.judge(group, verdict()));
    }

    fn judge(&mut self, group: usize, verdict: Verdict) {
        if let Some(place) = self.verdicts.get_mut(group) {
            *place = verdict;
        }
    }

    /// Takes out the groups that were at fault. Answers what kept the others, in DynamoDB's word, and which groups make no sense to it.
    fn read(&mut self, together: &mut Vec<usize>, reasons: Vec<Reason>) -> Result<(String, Vec<usize>), Error> {
        let mut reasons = reasons.into_iter();
        let mut trouble = String::new();
        let (mut left, mut invalid) = (Vec::new(), Vec::new());
        for &group in together.iter() {
            let (mut refusals, mut is_invalid) = (Vec::new(), false);
            for (update, reason) in reasons.by_ref().take(self.group(group).len()).enumerate() {
                match reason.code.as_str() {
                    "" | "None" => {}
                    "ConditionalCheckFailed" => refusals.push(Refusal { update, item: item(reason.item) }),
                    "ValidationError" | "ItemCollectionSizeLimitExceeded" => {
                        is_invalid = true;
                        trouble = reason.message.unwrap_or(reason.code);
                    }
                    "TransactionConflict" | "ProvisionedThroughputExceeded" | "ThrottlingError" => {
                        trouble = reason.code;
                    }
                    _ => {
                        let what = format!("{}: {}", reason.code, reason.message.unwrap_or_default());
                        let on = self.on;
                        return Err(Error::Unavailable(format!("dynamodb:TransactWriteItems on {on}: {what}")));
                    }
                }
            }
            match (refusals.is_empty(), is_invalid) {
                (false, _) => self.judge(group, Verdict::Refused(refusals)),
                (true, true) => invalid.push(group),
                (true, false) => left.push(group),
            }
        }
        *together = left;
        Ok((trouble, invalid))
    }

    /// Offers groups once: one update by itself, several as a transaction.
    fn ask(&self, together: &[usize]) -> Result<Answer, Error> {
        let updates: Vec<&Update> = together.iter().flat_map(|&group| self.group(group)).collect();
        let (action, body) = match updates.as_slice() {
            [] => return Ok(Answer::Done),
            [only] => ("UpdateItem", only.body.clone()),
            several => ("TransactWriteItems", transaction(several)),
        };
        let error = match service::call(action, self.on, &body) {
            Ok(_) => return Ok(Answer::Done),
            Err(Failed::Over(error)) => return Err(error),
            Err(Failed::Service(error)) => error,
        };
        match error.code.as_str() {
            "ConditionalCheckFailedException" if action == "UpdateItem" => {
                let failed: ConditionFailed =
                    serde_json::from_str(&error.body).map_err(|wrong| service::unreadable(action, self.on, &wrong))?;
                let code = "ConditionalCheckFailed".to_owned();
                Ok(Answer::Cancelled(vec![Reason { code, message: None, item: failed.item }]))
            }
            "TransactionCanceledException" => {
                let cancelled: Cancelled =
                    serde_json::from_str(&error.body).map_err(|wrong| service::unreadable(action, self.on, &wrong))?;
                match cancelled.cancellation_reasons.len() == updates.len() {
                    true => Ok(Answer::Cancelled(cancelled.cancellation_reasons)),
                    false => Err(service::refused(action, self.on, error)),
                }
            }
            "TransactionConflictException" | "TransactionInProgressException" | "ReplicatedWriteConflictException" => {
                Ok(Answer::Cancelled(updates.iter().map(|_| conflict()).collect()))
            }
            "ValidationException" | "ItemCollectionSizeLimitExceededException" => {
                Ok(Answer::Invalid(aws::message(&aws::Error::Service(error))))
            }
            _ => Err(service::refused(action, self.on, error)),
        }
    }
}

fn conflict() -> Reason {
    Reason { code: "TransactionConflict".to_owned(), ..Reason::default() }
}

/// An item that is there has attributes.
fn item(item: Option<Box<RawValue>>) -> Option<String> {
    item.map(|item| item.get().to_owned()).filter(|item| item.len() > "{}".len())
}

fn transaction(updates: &[&Update]) -> String {
    let updates: Vec<String> = updates.iter().map(|update| format!("{{\"Update\":{}}}", update.body)).collect();
    format!("{{\"TransactItems\":[{}]}}", updates.join(","))
}

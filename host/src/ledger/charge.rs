//! A frozen charge, and what has become of it.

use meterhost_decimal::Decimal;

use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};

/// A charge that the ledger holds. Only the ledger makes one, so that nothing can be sent which is not written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    id: ChargeId,
    frozen: Proposal,
}

impl Charge {
    pub(super) fn new(id: ChargeId, frozen: Proposal) -> Self {
        Charge { id, frozen }
    }

    /// The same for ever.
    pub fn id(&self) -> ChargeId {
        self.id
    }

    /// What makes it this one.
    pub fn key(&self) -> &Key {
        &self.frozen.key
    }

    /// As the aggregator computed it.
    pub fn exact(&self) -> Decimal {
        self.frozen.exact
    }

    /// What is sent.
    pub fn quantity(&self) -> Decimal {
        self.frozen.quantity
    }

    /// The usage's time as it is told to the service: milliseconds, UTC.
    pub fn time(&self) -> i64 {
        self.frozen.time
    }

    /// The input's dimensions that it is made from, and how many records of each.
    pub fn origins(&self) -> &[(String, u64)] {
        &self.frozen.origins
    }

    /// Not part of its identity.
    pub fn attributes(&self) -> &[(String, String)] {
        &self.frozen.attributes
    }
}

/// What has become of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// To be offered: never was, or surely came to nothing.
    Pending {
        /// Why the last offer came to nothing, if there was one.
        reason: Option<String>,
    },
    /// A call with it left, or may have, and nothing was written down after that.
    InFlight {
        /// The call.
        attempt: u64,
    },
    /// A call got no clear answer.
    Unknown {
        /// What is known of it.
        reason: String,
        /// The refusal that it takes if a look-up shows it absent.
        refusal_if_absent: Option<String>,
    },
    /// The service says that it has a record, on the first attempt: somebody's, perhaps ours.
    Unconfirmed {
        /// The service's words.
        reason: String,
    },
    /// The service refused it.
    Rejected {
        /// The service's words.
        reason: String,
        /// Whether offering it again, in a later run, makes sense.
        retryable: bool,
    },
    /// There is a record in its place with another quantity. A person has to look.
    Held {
        /// What was found.
        reason: String,
    },
    /// Recorded by the service.
    Accepted {
        /// The service's own name for the record.
        reference: Option<String>,
        /// The run in which it became so.
        run: String,
    },
}

/// A charge and its standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeState {
    charge: Charge,
    pub(super) standing: Standing,
    /// Whether an earlier attempt of this very charge may have been recorded, though nothing said so.
    pub(super) unanswered: bool,
    /// When the last attempt began, and the longest that it may take: milliseconds.
    pub(super) last_attempt: Option<(i64, u64)>,
}

impl ChargeState {
    pub(super) fn new(charge: Charge) -> Self {
        ChargeState { charge, standing: Standing::Pending { reason: None }, unanswered: false, last_attempt: None }
    }

    /// The charge.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// What has become of it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(&self) -> bool {
        matches!(self.standing, Standing::Accepted { .. })
    }

    /// Whether a look-up, a replay or a person has to say what became of it.
    pub fn is_unresolved(&self) -> bool {
        matches!(
            self.standing,
            Standing::InFlight { .. } | Standing::Unknown { .. } | Standing::Unconfirmed { .. }
        )
    }

    /// When its last attempt is surely over: milliseconds, UTC.
    pub fn last_over(&self) -> Option<i64> {
        self.last_attempt.map(|(begun, deadline)| begun.saturating_add_unsigned(deadline))
    }

    pub(super) fn attempted(&mut self, attempt: u64, at: i64, deadline: u64) {
        self.unanswered |= self.is_unresolved();
        self.last_attempt = Some((at, deadline));
        self.standing = Standing::InFlight { attempt };
    }

    /// Surely nothing of the attempt left.
    pub(super) fn unsent(&mut self, reason: Option<String>) {
        self.standing = match self.unanswered {
            true => Standing::Unknown {
                reason: reason.unwrap_or_else(|| "an earlier attempt was never answered".to_owned()),
                refusal_if_absent: None,
            },
            false => Standing::Pending { reason },
        };
    }

    /// An answer to the attempt that is in flight. It answers that attempt only: what an earlier one left open stays open.
    pub(super) fn answered(&mut self, outcome: &Outcome, run: &str) {
        let said = |otherwise: &str| outcome.message.clone().unwrap_or_else(|| otherwise.to_owned());
        self.standing = match outcome.status {
            Status::Accepted => self.accepted(outcome.reference.clone(), run),
            // The first attempt of this charge that was recorded is ours, if one went unanswered.
            Status::Duplicate if self.unanswered => self.accepted(outcome.reference.clone(), run),
            Status::Duplicate => {
                Standing::Unconfirmed { reason: said("the service says that it has a record already") }
            }
            Status::Rejected | Status::Unprocessed if self.unanswered => Standing::Unknown {
                reason: format!("{}; an earlier attempt was never answered", said("this attempt was refused")),
                refusal_if_absent: (outcome.status == Status::Rejected).then(|| said("refused")),
            },
            Status::Rejected => {
                Standing::Rejected { reason: said("refused, without a reason"), retryable: outcome.retryable }
            }
            Status::Unprocessed => Standing::Pending { reason: Some(said("the service did not look at it")) },
            Status::Unknown => Standing::Unknown {
                reason: said("the answer does not say what became of it"),
                refusal_if_absent: outcome.refusal_if_absent.clone(),
            },
        };
        if matches!(outcome.status, Status::Unknown) {
            self.unanswered = true;
        }
    }

    /// The call was answered, and nothing in the answer speaks of this charge.
    pub(super) fn unmentioned(&mut self) {
        self.unanswered = true;
        self.standing = Standing::Unknown {
            reason: "the answer does not speak of it".to_owned(),
            refusal_if_absent: None,
        };
    }

    pub(super) fn looked_up(&mut self, finding: &Finding, run: &str) {
        let record = |record: &HeldRecord| {
            let quantity = record.quantity.map_or_else(|| "another quantity".to_owned(), |quantity| quantity.to_string());
            let reference = record.reference.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("{quantity}{reference}")
        };
        let confirming = matches!(self.standing, Standing::Unconfirmed { .. });
        let sent = self.charge.quantity();
        self.standing = match (finding, &self.standing) {
            (Finding::Found(found), _) => self.accepted(found.reference.clone(), run),
            (Finding::Different(found), _) if confirming => Standing::Rejected {
                reason: format!("somebody else holds its place, with {} where it has {sent}", record(found)),
                retryable: true,
            },
            (Finding::Different(found), _) => Standing::Held {
                reason: format!("the service has a record in its place with {} where it has {sent}", record(found)),
            },
            (Finding::Absent, Standing::Unconfirmed { reason }) => Standing::Rejected {
                reason: format!("the service says `{reason}`, and its books do not show such a record"),
                retryable: true,
            },
            (Finding::Absent, Standing::Unknown { refusal_if_absent: Some(refusal), .. }) => {
                self.unanswered = false;
                Standing::Rejected { reason: refusal.clone(), retryable: true }
            }
            (Finding::Absent, standing) => {
                self.unanswered = false;
                let reason = match standing {
                    Standing::Unknown { reason, .. } => format!("{reason}; a look-up showed it absent"),
                    _ => "a look-up showed it absent".to_owned(),
                };
                Standing::Pending { reason: Some(reason) }
            }
            (Finding::CannotTell(why), Standing::Unconfirmed { reason }) => {
                Standing::Unconfirmed { reason: format!("{reason}; a look-up could not tell: {why}") }
            }
            (Finding::CannotTell(why), _) => Standing::Unknown {
                reason: format!("a look-up could not tell: {why}"),
                refusal_if_absent: match &self.standing {
                    Standing::Unknown { refusal_if_absent, .. } => refusal_if_absent.clone(),
                    _ => None,
                },
            },
        };
        if matches!(self.standing, Standing::Unknown { .. }) && !confirming {
            self.unanswered = true;
        }
    }

    fn accepted(&self, reference: Option<String>, run: &str) -> Standing {
        Standing::Accepted { reference, run: run.to_owned() }
    }
}

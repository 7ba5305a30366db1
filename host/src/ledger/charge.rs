//! A frozen charge, and what has become of it.
//!
//! | standing | an attempt makes it | of an answer to that | a look-up makes it |
//! |---|---|---|---|
//! | pending | in flight | accepted, rejected, unconfirmed (a duplicate), unknown, or what it was | found: accepted, different: held |
//! | unknown | in flight | accepted (a duplicate too), else still unknown | accepted, held, absent: pending or rejected |
//! | rejected | in flight, if that makes sense | as for pending | found: accepted |
//! | unconfirmed | refused | | accepted, else rejected |
//! | held | refused | | accepted, absent: pending |
//! | accepted, taken over, by hand, waived, nothing | refused | | nothing changes it |
//!
//! What is unknown, unconfirmed or held a person can resolve: it is by hand then, or pending again. What is not final a person can waive.
//!
//! What is owed for a window that was over when the ledger was new may have been sent by one that was lost: while it is pending, it is
//! looked up before it is sent. What a look-up shows ends that, and so does an attempt. Where a person went on with a ledger that has lost
//! its end, what is open is unknown, and so is what is frozen later of windows that were over by then. If such a charge carries late usage,
//! it is held, and its absence tells nothing: what it carries may stand in the record of another window.
//!
//! A pending or rejected charge becomes unknown besides, where another hand may have offered it, or this one before the ledger was
//! there; and a pending one taken over, where another exporter had billed it.

use std::sync::Arc;

use meterhost_decimal::Decimal;

use super::entry::{PluginDigest, Verdict};
use super::fold_error::FoldError;
use super::frozen::Charge;
use super::standing::{Standing, person};
use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::window::Window;

/// No call takes longer, of those that stood in entries that are lost: milliseconds. How long they may take, those entries said.
const LOST_CALL: u64 = 10 * 60 * 1000;

/// Entries that a ledger has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// When a person saw that: milliseconds, UTC.
    pub(super) at: i64,
    /// Charges of windows that were over by then may have been frozen and sent: milliseconds, UTC.
    pub(super) until: i64,
}

impl Lost {
    /// Whether charges of this window may have been frozen and sent.
    pub(super) fn covers(&self, window: &Window) -> bool {
        window.end().as_millisecond() <= self.until
    }

    /// Whether they may have billed late usage of the one window with yet another than the other: there is one that was over.
    pub(super) fn may_have_carried(&self, from: &Window, to: &Window) -> bool {
        let first = from.next();
        let another = if first == Some(*to) { to.next() } else { first };
        another.is_some_and(|another| self.covers(&another))
    }
}

/// A charge and its standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeState {
    charge: Charge,
    /// How often it was made anew after a refusal, from 1.
    revision: u32,
    /// Records of a queue that it is made of as it is now; and of those, how many are usage again, since it was refused.
    records: (u64, u64),
    /// Records that it was made of before it was made anew, and that stay refused.
    left: u64,
    /// What a queue is to be told of it: the service's last answer, as it came.
    answer: Option<String>,
    /// How many runs had begun when it was frozen.
    frozen_in: u64,
    /// What that run was made of.
    made_by: Arc<Vec<PluginDigest>>,
    standing: Standing,
    /// Whether it was about to leave from here, ever.
    offered: bool,
    /// The AWS region that it was last offered in.
    region: Option<Arc<str>>,
    /// When the last attempt that may still take effect began, and the longest that it may take: milliseconds.
    last_attempt: Option<(i64, u64)>,
    /// Whether the run that began that attempt was superseded, and may wake up in the middle of it.
    may_wake: bool,
    /// What may have sent it, though nothing here says so.
    suspicion: Suspicion,
    /// Whether a ledger that is not here any more may have sent it, as things stood when it was frozen, or lost since.
    was_suspected: bool,
    /// Whether the service had it before this ledger sent it.
    was_there: bool,
    /// Whether what it carries may have been billed with another window, by a run whose entries are lost.
    may_be_elsewhere: bool,
    /// While it is in flight: what it was before.
    before: Option<Box<Before>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Before {
    standing: Standing,
    last_attempt: Option<(i64, u64)>,
    suspicion: Suspicion,
}

/// Why the service may have a charge that is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    /// It has not.
    None,
    /// A ledger that is not here any more may have sent it, and nothing has said since that it did not.
    Lost,
    /// A call with it went unanswered, and a person says that it came to nothing.
    Denied,
}

impl ChargeState {
    pub(super) fn new(charge: Charge, frozen_in: u64, made_by: &Arc<Vec<PluginDigest>>, may_be_sent: bool) -> Self {
        let suspicion = if may_be_sent { Suspicion::Lost } else { Suspicion::None };
        let standing = if charge.frozen.unsent { Standing::Nothing } else { Standing::Pending { reason: None } };
        ChargeState {
            charge,
            revision: 1,
            records: (0, 0),
            left: 0,
            answer: None,
            frozen_in,
            made_by: Arc::clone(made_by),
            standing,
            offered: false,
            region: None,
            last_attempt: None,
            may_wake: false,
            suspicion,
            was_suspected: may_be_sent,
            was_there: false,
            may_be_elsewhere: false,
            before: None,
        }
    }

    /// The charge.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// How often it was made anew after a refusal, from 1.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// What the service answered last, as it came, where a queue is to be told.
    pub fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// Whether records of it are usage again, since it was refused: it is not offered again as it is.
    pub fn is_withdrawn(&self) -> bool {
        self.records.1 > 0
    }

    /// What would be left over on its lane, of so much now, if it had never been frozen.
    pub fn gives_back(&self, now: Decimal) -> Option<Decimal> {
        self.charge.frozen.gives_back(now)
    }

    /// How many records that it was made of before stay refused, since it was made anew without them.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// How many records it is made of that are not usage again.
    pub fn records(&self) -> u64 {
        self.records.0.saturating_sub(self.records.1)
    }

    /// Whether the service refused it as it is, and nothing of it is billed.
    pub fn is_refused(&self) -> bool {
        matches!(self.standing, Standing::Rejected { .. }) || self.is_withdrawn()
    }

    /// Whether it stands in its slot's record, or may: others of the slot come too late for that.
    pub fn takes_slot(&self) -> bool {
        self.standing != Standing::Nothing
    }

    /// It is made of so many more records of a queue.
    pub(super) fn made_of(&mut self, records: u64) {
        self.records.0 += records;
    }

    /// It was refused, and is made anew.
    pub(super) fn revise(&mut self, frozen: Box<Proposal>) -> Result<Box<Proposal>, FoldError> {
        let Standing::Rejected { .. } = self.standing else { return Err(FoldError::NotRefused(self.charge.id)) };
        self.standing = if frozen.unsent { Standing::Nothing } else { Standing::Pending { reason: None } };
        (self.revision, self.records, self.answer) = (self.revision.saturating_add(1), (0, 0), None);
        (self.last_attempt, self.before, self.suspicion, self.was_there) = (None, None, Suspicion::None, false);
        self.offered = false;
        Ok(std::mem::replace(&mut self.charge.frozen, frozen))
    }

    /// So many records stay refused that it was made of before.
    pub(super) fn leave(&mut self, records: u64) {
        self.left = records;
    }

    /// It was refused, and records of it are usage again.
    pub(super) fn withdraw(&mut self, records: u64) -> Result<(), FoldError> {
        let Standing::Rejected { retryable, .. } = &mut self.standing else {
            return Err(FoldError::NotRefused(self.charge.id));
        };
        *retryable = false;
        self.records.1 += records;
        if self.records.1 >= self.records.0 {
            self.standing = Standing::Nothing;
        }
        Ok(())
    }

    /// Changes names in its key; answers the id that follows from it then.
    pub(super) fn rename(&mut self, rename: impl Fn(&mut Key)) -> ChargeId {
        let key = &mut self.charge.frozen.key;
        rename(key);
        key.id()
    }

    /// In which of the pipeline's runs it was frozen: more for a later one.
    pub fn frozen_in(&self) -> u64 {
        self.frozen_in
    }

    /// What the run was made of in which it was frozen.
    pub fn made_by(&self) -> &[PluginDigest] {
        &self.made_by
    }

    /// What has become of it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether it may have been sent, though no call with it is open: by a ledger that is not here any more, or by a call of which a person
    /// said that it came to nothing. It is to be looked up before it is sent.
    pub fn may_be_sent_before(&self) -> bool {
        self.suspicion != Suspicion::None
    }

    /// Whether a person said that the service does not have it, and no look-up since.
    pub fn is_denied(&self) -> bool {
        self.suspicion == Suspicion::Denied
    }

    /// Whether the service had it before this ledger sent it: an earlier one did.
    pub fn was_there(&self) -> bool {
        self.was_there
    }

    /// Whether a person said that it is not to be billed.
    pub fn is_waived(&self) -> bool {
        matches!(self.standing, Standing::Waived { .. })
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(&self) -> bool {
        self.standing.is_final()
    }

    /// Whether it surely was not billed, as far as this ledger goes: nothing that left from here is in anybody's books.
    pub fn is_surely_not_billed(&self) -> bool {
        matches!(self.standing, Standing::Pending { .. } | Standing::Rejected { .. })
    }

    /// Whether this pipeline lists its customer in a state document: something left, or may have.
    pub fn is_listed(&self) -> bool {
        !self.is_surely_not_billed() && !matches!(self.standing, Standing::TakenOver | Standing::Nothing)
    }

    /// The AWS region that it was last offered in, where its service is one of AWS's and that is known.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Whether a look-up, a replay or a person has to say what became of it.
    pub fn is_unresolved(&self) -> bool {
        matches!(self.standing, Standing::InFlight { .. } | Standing::Unknown { .. } | Standing::Unconfirmed { .. })
    }

    /// When its last attempt is surely over, unless it was answered: milliseconds, UTC.
    pub fn last_over(&self) -> Option<i64> {
        self.last_attempt.map(|(begun, deadline)| begun.saturating_add_unsigned(deadline))
    }

    /// Until when a call of a run that was superseded may leave yet: milliseconds, UTC.
    pub fn may_leave_until(&self) -> Option<i64> {
        self.last_over().filter(|_| self.may_wake)
    }

    /// The run that may have a call with it under way was superseded: from here on counts what that call may take.
    pub(super) fn superseded(&mut self, at: i64) {
        if let Some((begun, _)) = &mut self.last_attempt {
            *begun = at.max(*begun);
            self.may_wake = true;
        }
    }

    /// A call with it is about to leave.
    pub(super) fn attempted(
        &mut self,
        attempt: u64,
        at: i64,
        deadline: u64,
        region: Option<&Arc<str>>,
    ) -> Result<(), FoldError> {
        match self.standing {
            Standing::Pending { .. } | Standing::Unknown { .. } | Standing::Rejected { retryable: true, .. } => {}
            Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing => {
                return Err(FoldError::Final(self.charge.id));
            }
            Standing::InFlight { .. }
            | Standing::Unconfirmed { .. }
            | Standing::Held { .. }
            | Standing::Rejected { retryable: false, .. } => return Err(FoldError::NotToBeSent(self.charge.id)),
        }
        self.offered = true;
        self.region = region.cloned();
        let standing = std::mem::replace(&mut self.standing, Standing::InFlight { attempt });
        let last_attempt = self.last_attempt.replace((at, deadline));
        let suspicion = std::mem::replace(&mut self.suspicion, Suspicion::None);
        self.before = Some(Box::new(Before { standing, last_attempt, suspicion }));
        Ok(())
    }

    /// Another exporter had billed it.
    pub(super) fn taken_over(&mut self) -> Result<(), FoldError> {
        match self.standing {
            Standing::Pending { reason: None } => self.standing = Standing::TakenOver,
            Standing::Unknown { .. } if !self.offered => self.standing = Standing::TakenOver,
            _ => return Err(FoldError::NotNew(self.charge.id)),
        }
        Ok(())
    }

    /// It may have been offered, at this time or before, though nothing here says so.
    pub(super) fn doubted(&mut self, reason: String, at: i64, deadline: u64) -> Result<(), FoldError> {
        let (refusal_if_absent, retryable) = match &self.standing {
            Standing::Pending { .. } => (None, true),
            Standing::Rejected { reason, retryable } => (Some(reason.clone()), *retryable),
            Standing::Unknown { refusal_if_absent, retryable, .. } if !self.offered => {
                (refusal_if_absent.clone(), *retryable)
            }
            _ => return Err(FoldError::NotNew(self.charge.id)),
        };
        self.last_attempt = Some((at, deadline));
        self.before = None;
        self.standing = Standing::Unknown { reason, refusal_if_absent, retryable };
        Ok(())
    }

    /// Whether a call with it is under way, and no other before can have been recorded, from wherever it came.
    pub fn is_first_attempt(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            let is_refused_or_new = matches!(before.standing, Standing::Pending { .. } | Standing::Rejected { .. });
            is_refused_or_new && before.last_attempt.is_none() && !self.was_suspected
        })
    }

    /// Whether an attempt before the one that is in flight may have been recorded, though nothing said so.
    fn was_unknown(&self) -> bool {
        self.before.as_ref().is_some_and(|before| matches!(before.standing, Standing::Unknown { .. }))
    }

    /// The attempt surely came to nothing: it is as if it had not been, but for the reason.
    pub(super) fn came_to_nothing(&mut self, why: Option<String>) {
        let Some(before) = self.before.take() else { return };
        self.last_attempt = before.last_attempt;
        self.suspicion = before.suspicion;
        self.standing = match before.standing {
            Standing::Pending { reason } => Standing::Pending { reason: why.or(reason) },
            other => other,
        };
    }

    /// Nothing clear was said of the attempt.
    pub(super) fn went_unanswered(&mut self, reason: String, refusal_if_absent: Option<String>) {
        self.before = None;
        self.standing = Standing::Unknown { reason, refusal_if_absent, retryable: true };
    }

    /// An answer to the attempt that is in flight. It answers that attempt only: what an earlier one left open stays open.
    pub(super) fn answered(&mut self, outcome: &Outcome, run: &str) {
        if self.records.0 > 0 {
            self.answer = Some(outcome.raw.clone()).filter(|raw| !raw.is_empty());
        }
        let said = |otherwise: &str| outcome.message.clone().unwrap_or_else(|| otherwise.to_owned());
        let was_unknown = self.was_unknown();
        match outcome.status {
            Status::Accepted => self.accept(outcome.reference.clone(), run),
            // The record is ours: an earlier attempt went unanswered.
            Status::Duplicate if was_unknown => self.accept(outcome.reference.clone(), run),
            Status::Duplicate => {
                self.turn(Standing::Unconfirmed { reason: said("the service says that it has a record already") });
            }
            Status::Rejected if was_unknown => {
                let refusal = said("refused, without a reason");
                self.turn(Standing::Unknown {
                    reason: format!(
                        "{refusal}; that answers the last attempt only, and an earlier one was never answered"
                    ),
                    refusal_if_absent: Some(refusal),
                    retryable: outcome.retryable,
                });
            }
            Status::Rejected => self
                .turn(Standing::Rejected { reason: said("refused, without a reason"), retryable: outcome.retryable }),
            Status::Unprocessed => self.came_to_nothing(Some(said("the service did not look at it"))),
            Status::Unknown => self
                .went_unanswered(said("the answer does not say what became of it"), outcome.refusal_if_absent.clone()),
        }
    }

    /// What the service's books say.
    pub(super) fn looked_up(&mut self, finding: &Finding, run: &str) -> Result<(), FoldError> {
        let found = |record: &HeldRecord| {
            let quantity =
                record.quantity.map_or_else(|| "another quantity".to_owned(), |quantity| quantity.to_string());
            let reference = record.reference.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("{quantity}{reference} where it has {}", self.charge.quantity())
        };
        let is_clear = !matches!(finding, Finding::CannotTell(_));
        let was_lost = self.suspicion == Suspicion::Lost;
        if is_clear {
            self.suspicion = Suspicion::None;
        }
        let next = match (finding, &self.standing) {
            (Finding::Found(_) | Finding::CannotTell(_), Standing::Accepted { .. }) => return Ok(()),
            (
                _,
                Standing::Accepted { .. }
                | Standing::TakenOver
                | Standing::ByHand { .. }
                | Standing::Waived { .. }
                | Standing::Nothing,
            ) => {
                return Err(FoldError::Final(self.charge.id));
            }
            (_, Standing::InFlight { .. }) => return Err(FoldError::UnderWay(self.charge.id)),
            (Finding::Found(record), standing) => {
                self.was_there = was_lost || matches!(standing, Standing::Unconfirmed { .. });
                self.accept(record.reference.clone(), run);
                return Ok(());
            }
            (Finding::Different(record), Standing::Unconfirmed { .. }) => Standing::Rejected {
                reason: format!("somebody else holds its place, with {}", found(record)),
                retryable: true,
            },
            // Its own refusal is clear; whose record that is does not change it.
            (Finding::Different(_), Standing::Rejected { .. }) => return Ok(()),
            (Finding::Different(record), _) => {
                Standing::Held { reason: format!("the service has a record in its place with {}", found(record)) }
            }
            (Finding::Absent, _) if self.may_be_elsewhere => return Ok(()),
            (Finding::Absent, Standing::Unconfirmed { reason }) => Standing::Rejected {
                reason: format!("the service says `{reason}`, and its books do not show such a record"),
                retryable: true,
            },
            (Finding::Absent, Standing::Unknown { refusal_if_absent: Some(refusal), retryable, .. }) => {
                Standing::Rejected { reason: refusal.clone(), retryable: *retryable }
            }
            (Finding::Absent, Standing::Unknown { reason, .. } | Standing::Held { reason }) => {
                Standing::Pending { reason: Some(format!("{reason}; a look-up showed it absent")) }
            }
            (Finding::Absent, Standing::Pending { .. } | Standing::Rejected { .. }) => return Ok(()),
            (Finding::CannotTell(why), Standing::Unknown { refusal_if_absent, retryable, .. }) => Standing::Unknown {
                reason: format!("a look-up could not tell: {why}"),
                refusal_if_absent: refusal_if_absent.clone(),
                retryable: *retryable,
            },
            (Finding::CannotTell(why), Standing::Pending { .. }) if was_lost => Standing::Pending {
                reason: Some(format!(
                    "a ledger that is not here any more may have sent it, and a look-up could not tell: {why}"
                )),
            },
            (Finding::CannotTell(_), _) => return Ok(()),
        };
        self.standing = next;
        Ok(())
    }

    /// Entries were lost that stood behind this place, and with them perhaps calls with it: until then at the latest.
    pub(super) fn lost(&mut self, lost: &Lost) {
        let (refusal_if_absent, retryable) = match &self.standing {
            Standing::Pending { .. } | Standing::InFlight { .. } => (None, true),
            Standing::Rejected { reason, retryable: true } => (Some(reason.clone()), true),
            Standing::Unknown { refusal_if_absent, retryable, .. } => (refusal_if_absent.clone(), *retryable),
            _ => return,
        };
        let known = self.standing.reason().map_or_else(String::new, |known| format!("{known}; "));
        self.standing = Standing::Unknown {
            reason: format!("{known}a run of which the ledger has lost the entries may have offered it"),
            refusal_if_absent,
            retryable,
        };
        (self.last_attempt, self.before, self.suspicion) = (Some((lost.at, LOST_CALL)), None, Suspicion::None);
        self.was_suspected = true;
    }

    /// Entries were lost that may have carried what it carries to another window: where it is not found as it is, a person has to say.
    pub(super) fn lost_elsewhere(&mut self, lost: &Lost) {
        self.lost(lost);
        self.may_be_elsewhere = true;
        self.standing = Standing::Held {
            reason: "a run of which the ledger has lost the entries may have offered it, or billed what it carries of earlier windows with \
                     another window than this"
                .to_owned(),
        };
    }

    /// What a person says became of it. Where they say that it is not billed, a look-up is to say so too, as far as it can.
    pub(super) fn resolved(
        &mut self,
        verdict: Verdict,
        quantity: Decimal,
        reason: String,
        by: Option<String>,
    ) -> Result<(), FoldError> {
        let id = self.charge.id;
        if self.is_final() && self.left > 0 && verdict == Verdict::Waived && self.charge.quantity() == quantity {
            self.left = 0;
            return Ok(());
        }
        let is_new = !self.offered && matches!(self.standing, Standing::Pending { reason: None });
        let known = match &self.standing {
            Standing::Unknown { reason, .. } | Standing::Unconfirmed { reason } | Standing::Held { reason } => reason,
            // A ledger that was lost may have sent it, and nobody's books tell.
            Standing::Pending { .. } if self.suspicion == Suspicion::Lost => {
                &self.standing.reason().unwrap_or_default()
            }
            // Billed by other means before it was frozen, or not to be billed at all.
            Standing::Pending { .. } if verdict == Verdict::Waived || verdict == Verdict::Billed && is_new => "",
            Standing::Rejected { .. } if verdict == Verdict::Waived => "",
            Standing::Rejected { reason, .. } if verdict == Verdict::Again && !self.is_withdrawn() => reason,
            Standing::InFlight { .. } => return Err(FoldError::UnderWay(id)),
            standing if standing.is_final() => return Err(FoldError::Final(id)),
            _ => return Err(FoldError::Resolved(id)),
        };
        if verdict == Verdict::Again && !matches!(self.standing, Standing::Rejected { .. }) {
            return Err(FoldError::Resolved(id));
        }
        if self.charge.quantity() != quantity {
            return Err(FoldError::OtherQuantity(id));
        }
        self.standing = match verdict {
            Verdict::Billed => Standing::ByHand { reason, by },
            Verdict::Waived => Standing::Waived { reason, by },
            Verdict::Again => Standing::Rejected { reason: known.to_owned(), retryable: true },
            Verdict::NotBilled => {
                let known = if known.is_empty() { String::new() } else { format!("{known}; ") };
                let reason = format!("{known}not billed, as said by {}: {reason}", person(by.as_deref()));
                Standing::Pending { reason: Some(reason) }
            }
        };
        if verdict == Verdict::Waived {
            self.left = 0;
        }
        let suspicion = if verdict == Verdict::NotBilled { Suspicion::Denied } else { Suspicion::None };
        (self.suspicion, self.last_attempt, self.may_be_elsewhere) = (suspicion, None, false);
        Ok(())
    }

    fn accept(&mut self, reference: Option<String>, run: &str) {
        self.turn(Standing::Accepted { reference, run: run.to_owned() });
        self.last_attempt = None;
    }

    /// A clear answer: the attempt cannot take effect any more.
    fn turn(&mut self, standing: Standing) {
        if let Some(before) = self.before.take() {
            self.last_attempt = before.last_attempt;
        }
        self.standing = standing;
    }
}

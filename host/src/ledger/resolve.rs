//! What a person says became of a charge, where neither a replay nor a look-up can tell.

use jiff::Timestamp;

use super::book::Ledger;
use super::charge::ChargeState;
use super::claim::Claim;
use super::entry::{Entry, Verdict};
use super::error::LedgerError;
use super::identity::Identity;
use super::place::Place;
use super::standing::Standing;
use crate::clock;
use crate::config::Pipeline;
use crate::model::charge::ChargeId;
use crate::shell;

/// Why a person cannot say what became of a charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotToResolve {
    /// Nothing changes it any more.
    #[error("it is final: {0}")]
    Final(String),
    /// It is not billed, and it is known that it is not.
    #[error("it is pending, and nothing is unknown of it: a run offers it")]
    Pending,
    /// The same, and the service said so.
    #[error("the service refused it, so it is not billed: {}", if *.0 { "a run offers it again" } else { "it is not offered again" })]
    Rejected(bool),
    /// Records of it are usage again, in other charges.
    #[error(
        "the service refused it, and some of its records were billed since with other charges: it cannot be offered as it is"
    )]
    Withdrawn,
    /// Only what was refused can be offered again.
    #[error("the service did not refuse it: say billed or not-billed")]
    NotRefused,
    /// A run has it in its hands.
    #[error("a call with it is under way, or was when a run ended: run again first")]
    UnderWay,
    /// A call with it may still arrive.
    #[error("a call with it may still arrive, until {0}: whether it is not billed shows after that")]
    TooEarly(Timestamp),
}

impl ChargeState {
    /// Whether a person can say this of it at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_resolved(&self, verdict: Verdict, now: Timestamp) -> Result<(), NotToResolve> {
        match self.standing() {
            // What was left behind when it was made anew is given up.
            _ if self.is_final() && self.left() > 0 && verdict == Verdict::Waived => return Ok(()),
            Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing => {
                let standing = self.standing();
                let more = standing.reason().map_or_else(String::new, |reason| format!(", {reason}"));
                return Err(NotToResolve::Final(format!("{}{more}", standing.word())));
            }
            // A ledger that was lost may have sent it.
            Standing::Pending { .. } if self.may_be_sent_before() && !self.is_denied() && verdict != Verdict::Again => {
            }
            Standing::Pending { .. } | Standing::Rejected { .. } if verdict == Verdict::Waived => {}
            // Nobody can stop what is on its way.
            Standing::InFlight { .. } if verdict == Verdict::Waived => return Err(NotToResolve::UnderWay),
            Standing::Pending { .. } => return Err(NotToResolve::Pending),
            Standing::Rejected { .. } if self.is_withdrawn() => return Err(NotToResolve::Withdrawn),
            Standing::Rejected { retryable: false, .. } if verdict == Verdict::Again => return Ok(()),
            Standing::Rejected { retryable, .. } => return Err(NotToResolve::Rejected(*retryable)),
            _ if verdict == Verdict::Again => return Err(NotToResolve::NotRefused),
            Standing::InFlight { .. }
            | Standing::Unknown { .. }
            | Standing::Unconfirmed { .. }
            | Standing::Held { .. } => {}
        }
        // Offered again before that, it could be billed twice.
        match self.last_over().and_then(|over| Timestamp::from_millisecond(over).ok()).filter(|over| *over > now) {
            Some(over) if verdict == Verdict::NotBilled => Err(NotToResolve::TooEarly(over)),
            _ => Ok(()),
        }
    }
}

/// What a person says.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Of which charge, as it was shown to them.
    pub of: ChargeState,
    /// What became of it.
    pub verdict: Verdict,
    /// How they know.
    pub reason: String,
    /// Who, as the system calls them.
    pub by: Option<String>,
}

impl Statement {
    /// Writes it down, if it can be said of the charge as it stands by now.
    ///
    /// # Errors
    /// The ledger cannot be opened or written; nothing is written then.
    pub fn write(
        self,
        place: &Place,
        identity: &Identity,
        claim: &Claim<'_>,
    ) -> Result<Result<(), NotToResolve>, LedgerError> {
        let mut ledger = Ledger::open(place, identity, claim)?;
        let Statement { of, verdict, reason, by } = self;
        let charge = of.charge();
        // A run may have been at it since it was shown; and one that was superseded by this may send it yet.
        let state = ledger.state().charge(&charge.id());
        let can_be = state.map_or(Ok(()), |state| state.can_be_resolved(verdict, clock::now()));
        if can_be.is_ok() {
            let (id, quantity) = (charge.id(), charge.quantity());
            ledger.append(vec![Entry::Resolved { charge: id, verdict, quantity, reason, by }])?;
        }
        ledger.close()?;
        Ok(can_be)
    }
}

/// What a person types to say what became of a charge.
pub fn command(pipeline: &Pipeline, charge: &ChargeState) -> String {
    let words = match charge.is_refused() {
        true => "release|waive",
        false if charge.is_final() && charge.left() > 0 => "waive",
        false => "billed|not-billed",
    };
    let id: ChargeId = charge.charge().id();
    shell::command(pipeline, "ledger resolve", &format!("{id} {words} --reason \"...\""))
}

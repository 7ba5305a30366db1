//! What is to be done with a charge: offered, looked up, or left alone. That follows from what the service is like, how the charge stands,
//! what happened in this run, and what time it is; nothing is touched here.

use std::collections::HashSet;

use crate::ledger::{ChargeState, Standing};
use crate::model::charge::ChargeId;
use crate::model::service::{Resolution, ServiceTraits};

/// What happened in this run.
#[derive(Debug, Default)]
pub(super) struct Happened {
    /// Charges that the service has answered for: one that is rejected is offered once a run.
    pub(super) answered: HashSet<ChargeId>,
    /// Charges that were looked up: of those that are held or to be offered, once is enough.
    pub(super) looked_at: HashSet<ChargeId>,
    /// Charges of which the service's books were asked, whatever came of it.
    pub(super) asked: HashSet<ChargeId>,
    /// The retry budget is spent, and with it the time in which books that cannot be read might be read yet.
    pub(super) is_patience_over: bool,
    /// Charges that are not to be offered, or that the plugin failed to offer, or to look up: it would fail again.
    pub(super) not_offered: HashSet<ChargeId>,
    pub(super) not_looked_up: HashSet<ChargeId>,
}

/// What is known when it is decided.
pub(super) struct Decide<'a> {
    pub(super) traits: &'a ServiceTraits,
    pub(super) happened: &'a Happened,
    /// Milliseconds, UTC.
    pub(super) now: i64,
}

impl Decide<'_> {
    /// Whether it is to be offered.
    pub(super) fn is_ready(&self, state: &ChargeState) -> bool {
        let id = state.charge().id();
        let stands = match state.standing() {
            Standing::Pending { .. } => {
                (self.traits.refuses_second || self.is_over(state)) && !self.is_to_be_asked_first(state)
            }
            Standing::Rejected { retryable, .. } => *retryable && !self.happened.answered.contains(&id),
            Standing::InFlight { .. } | Standing::Unknown { .. } => self.traits.resolution == Resolution::Replay,
            Standing::Unconfirmed { .. }
            | Standing::Held { .. }
            | Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing => false,
        };
        stands && !self.happened.not_offered.contains(&id) && !self.may_leave_yet(state)
    }

    /// Whether the service's books are to be asked of it.
    pub(super) fn is_to_be_looked_up(&self, state: &ChargeState) -> bool {
        let id = state.charge().id();
        let by_look_up = self.traits.resolution == Resolution::LookUp;
        let stands = match state.standing() {
            Standing::Unconfirmed { .. } => self.can_be_asked_of(&id),
            // Where a second record is not refused, an earlier call may still take effect after its absence was seen.
            Standing::InFlight { .. } | Standing::Unknown { .. } => {
                by_look_up && (self.traits.refuses_second || self.is_over(state))
            }
            // The doubt may be gone: books that showed another record may have been set right.
            Standing::Held { .. } => by_look_up && !self.happened.looked_at.contains(&id),
            // It was seen absent after a call without a clear answer: by now that may have brought it there, though it was refused since.
            Standing::Pending { .. } | Standing::Rejected { .. } => self.is_to_be_asked_first(state),
            Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing => false,
        };
        stands && !self.happened.not_looked_up.contains(&id) && !self.may_leave_yet(state)
    }

    /// Whether another round could change something about it.
    pub(super) fn can_change(&self, state: &ChargeState) -> bool {
        let id = state.charge().id();
        let offered = !self.happened.not_offered.contains(&id);
        let looked_up = !self.happened.not_looked_up.contains(&id);
        match state.standing() {
            Standing::Pending { .. } => offered && (looked_up || !self.is_to_be_asked_first(state)),
            Standing::Rejected { retryable, .. } => *retryable && offered && !self.happened.answered.contains(&id),
            Standing::InFlight { .. } | Standing::Unknown { .. } => match self.traits.resolution {
                Resolution::Replay => offered,
                Resolution::LookUp => looked_up,
                Resolution::Ask => false,
            },
            Standing::Unconfirmed { .. } => looked_up && self.can_be_asked_of(&id),
            Standing::Held { .. }
            | Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing => false,
        }
    }

    /// Whether asking the service's books of a duplicate may help: where look-ups are not how the sink resolves, they tell at once or never.
    fn can_be_asked_of(&self, id: &ChargeId) -> bool {
        self.traits.resolution == Resolution::LookUp || !self.happened.asked.contains(id)
    }

    /// Whether a charge that may be offered was offered before, here without a clear answer or perhaps by a ledger that was lost, and was
    /// not looked for since this run began.
    fn is_to_be_asked_first(&self, state: &ChargeState) -> bool {
        let by_look_up = self.traits.resolution == Resolution::LookUp;
        let was_sent = state.last_over().is_some();
        by_look_up
            && !self.happened.looked_at.contains(&state.charge().id())
            && (was_sent || state.may_be_sent_before() && !self.is_tried(state))
    }

    /// Whether a look-up in this run came to nothing, and offering the charge does no harm: a service that refuses a second record tells if
    /// it has one, and a person may have said that it has none. Else one whose books cannot be read would never be sent anything.
    fn is_tried(&self, state: &ChargeState) -> bool {
        let id = state.charge().id();
        let came_to_nothing = self.happened.is_patience_over && self.happened.asked.contains(&id)
            || self.happened.not_looked_up.contains(&id);
        (self.traits.refuses_second || state.is_denied()) && came_to_nothing
    }

    /// Whether no earlier call with this charge can still take effect.
    fn is_over(&self, state: &ChargeState) -> bool {
        state.last_over().is_none_or(|over| over <= self.now)
    }

    /// Whether a run that was superseded may yet send what it was about to: until then nothing that is found out about the charge holds.
    fn may_leave_yet(&self, state: &ChargeState) -> bool {
        state.may_leave_until().is_some_and(|until| until > self.now)
    }
}

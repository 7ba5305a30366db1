//! What goes wrong on the way to the service, in it, and in the plugin.

use proptest::prelude::*;

use crate::model::outcome::Status;

/// What goes wrong in a call.
#[derive(Debug, Clone)]
pub(in crate::pipeline) enum Fault {
    None,
    NothingLeft(Claim),
    Unanswered(Arrival, Claim),
    /// It goes out as two requests, and the second is not answered.
    HalfAnswered(Arrival, Claim),
    Refused,
    Throttled,
    Unauthorised,
    /// Answered charge by charge: one of these for each, in turn.
    Spoiled {
        each: Vec<Spoilt>,
        reversed: bool,
        of_another: bool,
    },
}

/// When a request arrives that is not answered.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) enum Arrival {
    Never,
    AtOnce,
    /// After so many percent of the time that a call may take.
    Late(u8),
}

/// What a plugin makes of a request without an answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) enum Claim {
    Trap,
    Failed,
    Refused,
    Throttled,
    Unauthorised,
    All(Status),
    Nothing,
}

/// What becomes of one charge in a call that is answered.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) enum Spoilt {
    Not,
    Refused { retryable: bool },
    NotLookedAt,
    LeftOut { recorded: bool },
    Doubled { recorded: bool },
    Unclear { recorded: bool, refusal: bool },
}

/// What goes wrong in a look-up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blind {
    Not,
    CannotTell,
    Failed,
    Trap,
    Throttled,
    Unauthorised,
    LeftOut,
    Doubled,
    /// Another record is called found.
    Misnamed,
}

fn fault() -> impl Strategy<Value = Fault> {
    let arrival = || {
        prop_oneof![
            2 => Just(Arrival::Never),
            2 => Just(Arrival::AtOnce),
            5 => (0..=100u8).prop_map(Arrival::Late),
        ]
    };
    let status = prop::sample::select(vec![Status::Accepted, Status::Duplicate, Status::Rejected, Status::Unprocessed]);
    let claim = || {
        let plain = vec![
            Claim::Trap,
            Claim::Failed,
            Claim::Failed,
            Claim::Refused,
            Claim::Throttled,
            Claim::Unauthorised,
            Claim::Nothing,
        ];
        prop_oneof![2 => prop::sample::select(plain), 1 => status.clone().prop_map(Claim::All)]
    };
    let spoilt = prop_oneof![
        2 => Just(Spoilt::Not),
        4 => any::<bool>().prop_map(|retryable| Spoilt::Refused { retryable }),
        1 => Just(Spoilt::NotLookedAt),
        1 => any::<bool>().prop_map(|recorded| Spoilt::LeftOut { recorded }),
        1 => any::<bool>().prop_map(|recorded| Spoilt::Doubled { recorded }),
        1 => any::<(bool, bool)>().prop_map(|(recorded, refusal)| Spoilt::Unclear { recorded, refusal }),
    ];
    prop_oneof![
        1 => Just(Fault::None),
        1 => claim().prop_map(Fault::NothingLeft),
        5 => (arrival(), claim()).prop_map(|(arrival, claim)| Fault::Unanswered(arrival, claim)),
        2 => (arrival(), claim()).prop_map(|(arrival, claim)| Fault::HalfAnswered(arrival, claim)),
        1 => Just(Fault::Refused),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Unauthorised),
        5 => (prop::collection::vec(spoilt, 1..3), any::<bool>(), any::<bool>())
            .prop_map(|(each, reversed, of_another)| Fault::Spoiled { each, reversed, of_another }),
    ]
}

/// What goes wrong in the calls of a run.
pub(in crate::pipeline) fn faults() -> impl Strategy<Value = Vec<Fault>> {
    // Chance alone seldom brings a call that is late and a refusal of the next one with the same charge.
    let late = (0..=100u8, any::<bool>()).prop_map(|(percent, retryable)| {
        let refused = Fault::Spoiled { each: vec![Spoilt::Refused { retryable }], reversed: false, of_another: false };
        vec![Fault::Unanswered(Arrival::Late(percent), Claim::Failed), refused]
    });
    prop_oneof![4 => prop::collection::vec(fault(), 0..6), 1 => late]
}

pub(super) fn blind() -> impl Strategy<Value = Blind> {
    use Blind::*;
    prop::sample::select(vec![
        Not,
        Not,
        Not,
        CannotTell,
        CannotTell,
        Failed,
        Trap,
        Throttled,
        Unauthorised,
        LeftOut,
        Doubled,
        Misnamed,
    ])
}

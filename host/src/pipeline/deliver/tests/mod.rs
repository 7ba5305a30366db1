//! Properties of every history: usage, faults of the service and of the plugin, crashes, restarts, look-ups, a person's word, ledgers that
//! are lost or lose their end. The ledger is the real one, the delivery too; the service is simulated, and knows the truth.
//!
//! | file | subject |
//! |---|---|
//! | `world` | what a history happens in, and what is checked after each move |
//! | `model` | what the ledger has to know, said once more |
//! | `service` | the service and its books |
//! | `faults` | what goes wrong |
//! | `found` | histories that went wrong once |
//! | `slots` | charges that make one record together |

pub(in crate::pipeline) mod faults;
mod found;
pub(in crate::pipeline) mod model;
pub(in crate::pipeline) mod service;
mod slots;
mod world;

use proptest::prelude::*;

use self::faults::{Blind, Fault, blind, faults};
use self::world::World;
use crate::model::service::Resolution;

/// What a history is about.
#[derive(Debug, Clone)]
struct Story {
    refuses_second: bool,
    /// Whether what differs by the dimension alone makes one record.
    joins_tags: bool,
    /// Whether the books can be asked of a duplicate, where that is not how an unknown outcome is resolved.
    tells: bool,
    charges_per_call: usize,
    /// By day, customer and dimension.
    owed: Vec<(u8, u8, u8)>,
    moves: Vec<Move>,
}

#[derive(Debug, Clone)]
enum Move {
    Run(Run),
    /// A person says what became of each charge that they can speak of.
    Say,
    /// Somebody else's record comes into a charge's place, or goes.
    Displace(u8),
    /// The ledger is put back as it was before so many runs, and a person goes on with it.
    LoseEnd(u8),
    LoseLedger,
}

#[derive(Debug, Clone)]
struct Run {
    /// How many minutes after the last move.
    after: u16,
    faults: Vec<Fault>,
    blind: Vec<Blind>,
    /// After how many failpoints it crashes.
    crash: Option<u16>,
    /// It does not die in the crash, but sleeps, and sends what it was about to after so many percent of the time that it may.
    wakes: Option<u8>,
    is_patient: bool,
}

fn story() -> impl Strategy<Value = Story> {
    let run = (
        prop_oneof![Just(0u16), 0..3000u16],
        faults(),
        prop::collection::vec(blind(), 0..3),
        prop_oneof![Just(None), (0..40u16).prop_map(Some)],
        prop::option::of(0..=100u8),
        any::<bool>(),
    );
    let run = run.prop_map(|(after, faults, blind, crash, wakes, is_patient)| {
        Move::Run(Run { after, faults, blind, crash, wakes, is_patient })
    });
    let one = prop_oneof![
        12 => run,
        2 => Just(Move::Say),
        2 => (0..6u8).prop_map(Move::Displace),
        2 => (0..4u8).prop_map(Move::LoseEnd),
        1 => Just(Move::LoseLedger),
    ];
    let owed = prop::collection::btree_set((0..3u8, 0..2u8, 0..2u8), 1..5);
    (any::<bool>(), any::<bool>(), 1..4usize, owed, prop::collection::vec(one, 2..9)).prop_map(
        |(refuses_second, tells, charges_per_call, owed, moves)| Story {
            refuses_second,
            joins_tags: false,
            tells,
            charges_per_call,
            owed: owed.into_iter().collect(),
            moves,
        },
    )
}

fn holds(story: &Story, resolution: Resolution) {
    let mut world = World::new(story, resolution);
    for step in &story.moves {
        world.makes(step);
    }
    world.ends();
}

/// So many, and ten times as many with `METERHOST_LONG`. A case that failed is mended, and told plainly in `found`.
pub(in crate::pipeline) fn histories(cases: u32) -> ProptestConfig {
    let times = if std::env::var_os("METERHOST_LONG").is_some() { 10 } else { 1 };
    println!("counted: {} generated histories", cases * times);
    ProptestConfig { cases: cases * times, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(histories(1_000))]

    #[test]
    fn whatever_happens_a_service_that_can_be_asked_is_sent_each_charge_once(story in story()) {
        holds(&story, Resolution::LookUp);
    }
}

proptest! {
    #![proptest_config(histories(500))]

    #[test]
    fn whatever_happens_a_service_that_knows_a_charge_again_is_sent_each_charge_once(story in story()) {
        holds(&story, Resolution::Replay);
    }

    #[test]
    fn whatever_happens_a_service_that_tells_nothing_is_sent_each_charge_once(story in story()) {
        holds(&story, Resolution::Ask);
    }
}

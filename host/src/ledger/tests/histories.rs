//! Properties of every history: random answers, look-ups and restarts, as a deliverer could meet them.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::ledger::entry::{Named, Record};
use crate::model::outcome::Finding;

/// One move; numbers pick among what is there.
#[derive(Debug, Clone)]
enum Move {
    Freeze(u8),
    Attempt(Vec<u8>),
    /// For each charge of the call a digit; 9 says that nothing left.
    Answer(Vec<u8>),
    LookUp(u8, u8),
    Say(u8, bool),
    Settle,
    Restart,
    /// The sink gets the other one of two names.
    Rename,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        2 => (0u8..6).prop_map(Move::Freeze),
        4 => prop::collection::vec(0u8..6, 1..4).prop_map(Move::Attempt),
        4 => prop::collection::vec(0u8..10, 4).prop_map(Move::Answer),
        3 => (0u8..6, 0u8..4).prop_map(|(charge, finding)| Move::LookUp(charge, finding)),
        1 => (0u8..6, any::<bool>()).prop_map(|(charge, billed)| Move::Say(charge, billed)),
        1 => Just(Move::Settle),
        1 => Just(Move::Restart),
        1 => Just(Move::Rename),
    ];
    prop::collection::vec(one, 1..60)
}

/// A charge under the name that its sink has now.
fn charge(state: &State, number: u8) -> Proposal {
    let proposal = proposal(if number < 3 { june() } else { july() }, &format!("c{number}"));
    Proposal { key: Key { sink: sink(state).to_owned(), ..proposal.key }, ..proposal }
}

/// The id that it has, or would have if it were frozen now.
fn id(state: &State, number: u8) -> ChargeId {
    state.known_as(charge(state, number).key.id())
}

fn sink(state: &State) -> &'static str {
    if state.knows_sink("t") { "t" } else { "s" }
}

fn restart(state: &State) -> Entry {
    match intent(&[june(), july()]) {
        Entry::Run { now, config, plugins, windows, .. } => {
            Entry::Run { now, config, plugins, windows, sinks: vec![sink(state).to_owned()] }
        }
        other => other,
    }
}

/// The entry that a move stands for, whether it can follow or not.
fn entry(step: &Move, state: &State) -> Entry {
    match step {
        Move::Freeze(number) => Entry::freeze(charge(state, *number)),
        Move::Attempt(numbers) => Entry::Attempt {
            region: None,
            attempt: state.last_attempt() + 1,
            sink: sink(state).to_owned(),
            charges: numbers.iter().map(|number| id(state, *number)).collect(),
            deadline: 1,
        },
        Move::Answer(digits) => {
            let attempt = state.last_attempt();
            let mut offered: Vec<ChargeId> = state.offered(attempt).into_iter().collect();
            offered.sort();
            let statuses =
                [Status::Accepted, Status::Duplicate, Status::Rejected, Status::Unprocessed, Status::Unknown];
            let outcomes = offered
                .into_iter()
                .zip(digits)
                .filter_map(|(id, digit)| Some(outcome(id, *statuses.get(usize::from(*digit))?)))
                .collect();
            Entry::Outcomes { attempt, unsent: digits.first() == Some(&9), outcomes }
        }
        Move::LookUp(number, finding) => {
            let finding = match finding {
                0 => Finding::Found(record("2")),
                1 => Finding::Absent,
                2 => Finding::Different(record("5")),
                _ => Finding::CannotTell("busy".to_owned()),
            };
            Entry::LookedUp { sink: sink(state).to_owned(), findings: vec![(id(state, *number), finding)] }
        }
        Move::Settle => Entry::Settled { sink: sink(state).to_owned(), window: june() },
        Move::Restart => restart(state),
        Move::Rename => {
            let (from, to) = if sink(state) == "s" { ("s", "t") } else { ("t", "s") };
            Entry::Renamed { what: Named::Sink, from: from.to_owned(), to: to.to_owned() }
        }
        Move::Say(number, billed) => Entry::Resolved {
            charge: id(state, *number),
            verdict: if *billed { Verdict::Billed } else { Verdict::NotBilled },
            quantity: charge(state, *number).quantity,
            reason: "seen".to_owned(),
            by: None,
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold(moves in moves()) {
        let mut state = State::default();
        let mut number = 0;
        let mut run = 0;
        let mut next = |entry, run: u32| {
            number += 1;
            Record { number, pipeline: "p".to_owned(), run: format!("r{run}"), at: number as i64, entry }
        };
        let opened = Entry::Opened {
            format: 1, window: WindowKind::Month, first: None, sinks: Vec::new(), aggregates: Vec::new(), now: Some(june().end().as_millisecond()),
            host: String::new(),
        };
        state.apply(next(opened, 0)).unwrap();
        state.apply(next(intent(&[june(), july()]), 0)).unwrap();
        // A separate, small memory of what the rules say.
        let mut accepted: HashMap<ChargeId, Standing> = HashMap::new();
        let mut left: HashSet<ChargeId> = HashSet::new();
        for step in &moves {
            run += u32::from(matches!(step, Move::Restart));
            let record = next(entry(step, &state), run);
            let before = state.clone();
            let possible = state.check(std::slice::from_ref(&record));
            let applied = state.apply(record.clone());
            // What is checked before it is written is what the fold says afterwards.
            prop_assert_eq!(&possible, &applied);
            if applied.is_err() {
                state = before;
                continue;
            }
            if let Entry::Attempt { charges, .. } = &record.entry {
                for id in charges {
                    prop_assert!(!accepted.contains_key(id), "an accepted charge was sent again");
                    left.insert(*id);
                }
            }
            for (id, standing) in &accepted {
                prop_assert_eq!(state.charge(id).unwrap().standing(), standing);
            }
            for number in 0..6 {
                let id = id(&state, number);
                let Some(found) = state.charge(&id) else { continue };
                prop_assert_eq!(found.charge().quantity(), charge(&state, number).quantity);
                if found.is_final() {
                    accepted.entry(id).or_insert_with(|| found.standing().clone());
                }
                if matches!(found.standing(), Standing::InFlight { .. } | Standing::Rejected { .. }) {
                    prop_assert!(left.contains(&id), "what never left is under way or refused");
                }
                // Only a clear answer, a look-up or a person ends what is unknown.
                let was = before.charge(&id).map(|charge| charge.standing().clone());
                if let Some(Standing::Unknown { .. }) = was {
                    let ended = matches!(found.standing(), Standing::Pending { .. } | Standing::Rejected { .. });
                    prop_assert!(!ended || matches!(step, Move::LookUp(_, 1) | Move::Say(_, false)), "an unknown one was given up");
                }
            }
            prop_assert!(state.charges.len() <= 6, "one charge has two ids");
            for (id, charge) in &before.charges {
                let kept = state.charge(id).map(|charge| charge.charge().id());
                prop_assert_eq!(kept, Some(charge.charge().id()), "an id changed");
            }
            let open = state.open_charges(sink(&state)).len();
            prop_assert_eq!(open, (0..6).filter_map(|number| state.charge(&id(&state, number))).filter(|charge| !charge.is_final()).count());
            if state.is_settled(sink(&state), &june()) {
                prop_assert!(state.charges_of(sink(&state), &june()).iter().all(|charge| charge.is_final()));
            }
        }
    }

    #[test]
    fn keys_that_differ_have_ids_that_differ(fields in prop::collection::vec("[ab|:]{0,3}", 14)) {
        let key = |fields: &[String]| Key {
            pipeline: fields[0].clone(),
            sink: fields[1].clone(),
            window: june(),
            product: fields[2].clone(),
            customer: fields[3].clone(),
            dimension: fields[4].clone(),
            tags: fields[5..].chunks_exact(2).filter(|tag| !tag[0].is_empty()).map(|tag| (tag[0].clone(), tag[1].clone())).collect(),
        };
        let (left, right) = (key(&fields[..7]), key(&fields[7..]));
        prop_assert_eq!(left == right, left.id() == right.id());
        let shifted = Key { customer: format!("{}{}", left.customer, left.dimension), dimension: String::new(), ..left.clone() };
        prop_assert_eq!(left == shifted, left.id() == shifted.id());
    }
}

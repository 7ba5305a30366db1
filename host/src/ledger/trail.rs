//! The trail of a charge: back to the inputs that it was made from, and forward to every answer. It comes from the ledger alone.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use meterhost_decimal::Decimal;
use serde::Serialize;

use super::book::Ledger;
use super::charge::ChargeState;
use super::entry::{Decision, Entry, InputSeen, Named, PluginDigest, Record, Verdict};
use super::error::LedgerError;
use super::find::{NoSuchCharge, Sought};
use super::hold::{Hold, Scope};
use super::identity::Identity;
use super::place::Place;
use super::standing::person;
use super::state::State;
use super::takings::Told;
use crate::model::charge::{Carried, ChargeId, Key};
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::window::Window;

/// What the ledger knows of one charge.
#[derive(Debug, Clone)]
pub struct Trail {
    /// As it stands.
    pub charge: ChargeState,
    /// How it came to be.
    pub frozen: Frozen,
    /// What its window was made of then; nothing where that was not written down.
    pub inputs: Option<Inputs>,
    /// The records of a queue that it is made of as it is now, by name.
    pub records: Vec<String>,
    /// What happened to it since, in order.
    pub steps: Vec<Step>,
    /// What is kept back of its window that concerns it, by the latest reading.
    pub holds: Vec<Hold>,
}

/// When a charge was frozen, by which run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// When, by the real clock.
    pub at: Timestamp,
    /// The run.
    pub run: String,
    /// What time it was for that run's windows and plugins.
    pub now: Option<Timestamp>,
    /// SHA-256 of its configuration.
    pub config: Option<String>,
    /// What it ran.
    pub plugins: Vec<PluginDigest>,
}

/// What a window was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// When that was written down, by the real clock.
    pub at: Timestamp,
    /// By which run.
    pub run: String,
    /// By key.
    pub inputs: Vec<InputSeen>,
}

/// Something that happened to a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, by the real clock.
    pub at: Timestamp,
    /// The run that it happened in; of a call without an answer, the one that made it.
    pub run: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What can happen to a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A call with it was about to leave.
    Attempt {
        /// Which call.
        attempt: u64,
        /// How many charges it offered.
        charges: usize,
        /// When it is surely over.
        over: Timestamp,
    },
    /// What came of the call.
    Answer {
        /// Which call.
        attempt: u64,
        /// Whether surely nothing left.
        unsent: bool,
        /// What the answer says of the charge; nothing where it does not speak of it.
        outcome: Option<Outcome>,
    },
    /// The run of the call ended before an answer was written down: this is when that showed.
    Unanswered {
        /// Which call.
        attempt: u64,
    },
    /// It was looked up in the service's books.
    LookUp {
        /// What they said.
        finding: Finding,
    },
    /// It may have been offered by another hand.
    Doubted {
        /// Why.
        reason: String,
    },
    /// Late usage of it was frozen with a later window.
    Carried {
        /// How much, before rounding.
        quantity: Decimal,
        /// The later window.
        window: Window,
        /// That window's charge.
        charge: ChargeId,
    },
    /// It was surely refused, and made anew from what was pending then.
    Revised {
        /// How often it was made anew by now, and once before.
        revision: u32,
        /// What it comes to from here on.
        quantity: Decimal,
    },
    /// Records of it went into other charges, since it was refused.
    Withdrawn {
        /// How many.
        records: u64,
    },
    /// It was made anew without some of its records.
    Left {
        /// How many stay refused, of all times that it was made.
        records: u64,
    },
    /// The source was told what became of its records.
    Told {
        /// What it was told.
        told: Told,
    },
    /// It counts as billed by another exporter.
    TakenOver,
    /// A run that may wake up yet was superseded.
    Superseded {
        /// That run, in words.
        holder: String,
    },
    /// A person went on with a ledger that has lost entries behind this place.
    Lost,
    /// Something in its key has another name from here on; its id stays.
    Renamed {
        /// What.
        what: Named,
        /// Its name before.
        from: String,
        /// Its name from here on.
        to: String,
    },
    /// A person decided what is to become of it while it was held.
    Decided {
        /// What.
        decision: Decision,
        /// What it came to then, before rounding.
        exact: Decimal,
        /// Why.
        reason: String,
        /// Who, where that is known.
        by: Option<String>,
    },
    /// Its window was to be computed once more.
    Reopened {
        /// Why.
        reason: String,
        /// Who, where that is known.
        by: Option<String>,
    },
    /// A person said what became of it.
    Resolved {
        /// What became of it.
        verdict: Verdict,
        /// How they know.
        reason: String,
        /// Who, where that is known.
        by: Option<String>,
    },
}

impl Trail {
    /// Follows the charge that is sought.
    ///
    /// # Errors
    /// The ledger cannot be read. Within: there is no such charge, or there are several.
    pub fn of(place: &Place, identity: &Identity, sought: &Sought) -> Result<Result<Trail, NoSuchCharge>, LedgerError> {
        let (state, followed) = Ledger::follow(place, identity, Followed::default, |followed, state, record| {
            followed.see(sought, state, record);
        })?;
        let charge = match state.find(sought) {
            Ok(charge) => charge,
            Err(none) => return Ok(Err(none)),
        };
        let mut courses = followed.courses;
        let Course { frozen, inputs, steps } = courses.remove(&charge.charge().id()).unwrap_or_default();
        let records = state.records_of(charge, &place.shelf())?;
        Ok(Ok(Trail { holds: holds(&state, charge), charge: charge.clone(), frozen, inputs, records, steps }))
    }
}

/// What was gathered while the ledger was read.
#[derive(Default)]
struct Followed {
    /// What the run that writes said of itself.
    intent: Frozen,
    /// When the inputs of a window were written down last, and by whom.
    inputs: HashMap<Window, (Timestamp, String)>,
    courses: BTreeMap<ChargeId, Course>,
    /// What was decided of those that are not frozen yet.
    decided: BTreeMap<ChargeId, Vec<Step>>,
    /// Calls that are not answered yet, the run of each, and those of the charges sought that it offers.
    under_way: BTreeMap<u64, (String, Vec<ChargeId>)>,
}

#[derive(Default)]
struct Course {
    frozen: Frozen,
    inputs: Option<Inputs>,
    steps: Vec<Step>,
}

impl Followed {
    /// Takes from an entry what it says of the charges that are sought. More than one may be, until it is known how many there are.
    fn see(&mut self, sought: &Sought, state: &State, record: &Record) {
        let at = instant(record.at);
        // What a run leaves open ends with it.
        let is_left = |(run, _): &(String, Vec<ChargeId>)| *run != record.run;
        for (attempt, (run, charges)) in self.under_way.extract_if(.., |_, call| is_left(call)) {
            for id in charges {
                let step = Step { at, run: run.clone(), event: Event::Unanswered { attempt } };
                self.courses.entry(id).or_default().steps.push(step);
            }
        }
        let run = || record.run.clone();
        let mut add = |id: &ChargeId, event| {
            if let Some(course) = self.courses.get_mut(id) {
                course.steps.push(Step { at, run: run(), event });
            }
        };
        match &record.entry {
            Entry::Run { now, config, plugins, .. } => {
                let (now, config) = (Some(instant(*now)), Some(config.clone()));
                self.intent = Frozen { at, run: run(), now, config, plugins: plugins.clone() };
            }
            Entry::Inputs { window, .. } => {
                self.inputs.insert(*window, (at, run()));
            }
            Entry::Freeze { id, charge } => {
                let window = charge.key.window;
                for Carried { window: of, quantity } in &charge.carried {
                    let of = state.known_as(Key { window: *of, ..charge.key.clone() }.id());
                    add(&of, Event::Carried { quantity: *quantity, window, charge: *id });
                }
                if !sought.fits(id) {
                    return;
                }
                let inputs = state.inputs(&window).zip(self.inputs.get(&window));
                let inputs =
                    inputs.map(|(inputs, (at, run))| Inputs { at: *at, run: run.clone(), inputs: inputs.to_vec() });
                let frozen = match self.intent.run == record.run {
                    true => Frozen { at, ..self.intent.clone() },
                    false => Frozen { at, run: run(), ..Frozen::default() },
                };
                let steps = self.decided.remove(id).unwrap_or_default();
                self.courses.insert(*id, Course { frozen, inputs, steps });
            }
            Entry::Attempt { attempt, charges, deadline, .. } => {
                let over = instant(record.at.saturating_add_unsigned(*deadline));
                let offered: Vec<ChargeId> = charges.iter().filter(|id| sought.fits(id)).copied().collect();
                for id in &offered {
                    add(id, Event::Attempt { attempt: *attempt, charges: charges.len(), over });
                }
                if !offered.is_empty() {
                    self.under_way.insert(*attempt, (run(), offered));
                }
            }
            Entry::Outcomes { attempt, unsent, outcomes } => {
                for id in self.under_way.remove(attempt).into_iter().flat_map(|(_, offered)| offered) {
                    let outcome = outcomes.iter().find(|outcome| outcome.id == id).cloned();
                    add(&id, Event::Answer { attempt: *attempt, unsent: *unsent, outcome });
                }
            }
            Entry::LookedUp { findings, .. } => {
                for (id, finding) in findings {
                    add(id, Event::LookUp { finding: finding.clone() });
                }
            }
            Entry::TakenOver { charges } => charges.iter().for_each(|id| add(id, Event::TakenOver)),
            Entry::Doubted { charges, reason, .. } => {
                charges.iter().for_each(|id| add(id, Event::Doubted { reason: reason.clone() }));
            }
            Entry::Revise { id, charge } => {
                let revision = state.charge(id).map_or(1, ChargeState::revision);
                add(id, Event::Revised { revision, quantity: charge.quantity });
            }
            Entry::Withdrawn { charge, records } => add(charge, Event::Withdrawn { records: *records }),
            Entry::Left { charge, records } => add(charge, Event::Left { records: *records }),
            Entry::Told { taking, groups } => {
                let taking = usize::try_from(*taking).ok().and_then(|taking| state.takings().all().get(taking));
                let told =
                    groups.iter().filter_map(|(group, told)| Some((taking?.groups.get(*group as usize)?, *told)));
                let mut events: Vec<(ChargeId, Told)> = told
                    .flat_map(|(group, told)| group.charges.iter().map(move |(id, _)| (*id, told)))
                    .filter(|(id, _)| sought.fits(id))
                    .collect();
                events.sort_unstable();
                events.dedup();
                events.into_iter().for_each(|(id, told)| add(&id, Event::Told { told }));
            }
            Entry::Resolved { charge, verdict, reason, by, .. } => {
                add(charge, Event::Resolved { verdict: *verdict, reason: reason.clone(), by: by.clone() });
            }
            Entry::Decided { decision, charges, reason, by, .. } => {
                for kept in charges.iter().filter(|kept| sought.fits(&kept.id)) {
                    let (reason, by) = (reason.clone(), by.clone());
                    let event = Event::Decided { decision: *decision, exact: kept.exact, reason, by };
                    let step = Step { at, run: record.run.clone(), event };
                    match self.courses.get_mut(&kept.id) {
                        Some(course) => course.steps.push(step),
                        None => self.decided.entry(kept.id).or_default().push(step),
                    }
                }
            }
            Entry::Reopened { sinks, window, reason, by } => {
                let event = Event::Reopened { reason: reason.clone(), by: by.clone() };
                self.add_to(at, record, event, |id| {
                    let key = state.charge(id).map(|charge| charge.charge().key());
                    key.is_some_and(|key| key.window == *window && sinks.contains(&key.sink))
                });
            }
            Entry::Superseded { holder } => {
                self.add_to(at, record, Event::Superseded { holder: holder.clone() }, |id| is_open(state, id));
            }
            Entry::Restored { .. } => self.add_to(at, record, Event::Lost, |id| is_open(state, id)),
            Entry::Renamed { what, from, to } => {
                let event = Event::Renamed { what: *what, from: from.clone(), to: to.clone() };
                self.add_to(at, record, event, |id| {
                    *what == Named::Pipeline
                        || *what == Named::Sink
                            && state.charge(id).is_some_and(|charge| charge.charge().key().sink == *to)
                });
            }
            _ => {}
        }
    }

    /// Something that happened to each charge that it is about.
    fn add_to(&mut self, at: Timestamp, record: &Record, event: Event, is_about: impl Fn(&ChargeId) -> bool) {
        for (_, course) in self.courses.iter_mut().filter(|(id, _)| is_about(id)) {
            course.steps.push(Step { at, run: record.run.clone(), event: event.clone() });
        }
    }
}

fn is_open(state: &State, id: &ChargeId) -> bool {
    state.charge(id).is_some_and(|charge| !charge.is_final())
}

/// What is kept back of a charge's window that concerns it.
fn holds(state: &State, charge: &ChargeState) -> Vec<Hold> {
    let (key, origins) = (charge.charge().key(), charge.charge().origins());
    let shares: Vec<&str> = charge.charge().shares().map(|share| share.customer).collect();
    let concerns = |hold: &&Hold| match &hold.scope {
        Scope::Window => true,
        Scope::Customer { customer } => shares.contains(&customer.as_str()),
        Scope::Dimension { customer, dimension } => {
            shares.contains(&customer.as_str()) && origins.iter().any(|(origin, _)| origin == dimension)
        }
        Scope::Charge { product, customer, dimension, tags } => {
            (product, customer, dimension, tags) == (&key.product, &key.customer, &key.dimension, &key.tags)
        }
        Scope::Record => false,
    };
    let known = state.window(&key.sink, &key.window);
    known.into_iter().flat_map(|known| &known.holds).filter(concerns).cloned().collect()
}

/// Milliseconds, UTC; what no calendar holds is as good as never.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    let limit = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(milliseconds).unwrap_or(limit)
}

impl Step {
    /// For a person, on one line. What an answer holds besides stands in [`raw`](Self::raw).
    pub fn words(&self) -> String {
        match &self.event {
            Event::Attempt { attempt, charges: 1, over } => {
                format!("call {attempt} was about to leave, with this charge alone; over at {over:.0}")
            }
            Event::Attempt { attempt, charges, over } => {
                format!("call {attempt} was about to leave, with {charges} charges; over at {over:.0}")
            }
            Event::Answer { attempt, unsent: true, outcome } => {
                let why = outcome.as_ref().and_then(|outcome| outcome.message.as_ref());
                format!("call {attempt}: surely nothing left{}", after(": ", why))
            }
            Event::Answer { attempt, outcome: None, .. } => {
                format!("call {attempt} was answered, and the answer does not speak of it: unknown")
            }
            Event::Answer { attempt, outcome: Some(outcome), .. } => {
                format!("call {attempt} was answered: {}", answer(outcome))
            }
            Event::Unanswered { attempt } => {
                format!("the run {} had ended before an answer to call {attempt} was written down: unknown", self.run)
            }
            Event::LookUp { finding } => match finding {
                Finding::Found(record) => format!("a look-up found it{}", held(record)),
                Finding::Absent => "a look-up showed it absent".to_owned(),
                Finding::Different(record) => format!("a look-up found another record in its place{}", held(record)),
                Finding::CannotTell(why) => format!("a look-up could not tell: {why}"),
            },
            Event::Doubted { reason } => format!("in doubt: {reason}"),
            Event::Carried { quantity, window, charge } => {
                format!("{quantity} more of its usage, found late, was frozen with {window}: the charge {charge}")
            }
            Event::Revised { revision, quantity } => {
                format!("it was refused, and made anew from what was pending then: {quantity}, the {revision}. time")
            }
            Event::Withdrawn { records: 1 } => {
                "a record of it went into another charge, since it was refused".to_owned()
            }
            Event::Withdrawn { records } => {
                format!("{records} records of it went into other charges, since it was refused")
            }
            Event::Left { records: 0 } => "no record of it stays refused any more".to_owned(),
            Event::Left { records: 1 } => "a record that it was made of before stays refused".to_owned(),
            Event::Left { records } => format!("{records} records that it was made of before stay refused"),
            Event::Told { told } => format!("the source was told of its records: {}", told.words()),
            Event::TakenOver => "taken over: it counts as billed by the exporter before".to_owned(),
            Event::Superseded { holder } => format!("the ledger was taken over from {holder}, which may send yet"),
            Event::Lost => "the ledger has lost entries that stood behind this place".to_owned(),
            Event::Renamed { what, from, to } => format!("the {} {from} is called {to} from here on", what.word()),
            Event::Decided { decision, exact, reason, by } => {
                format!(
                    "while it was held, at {exact}, it was {} by {}: {reason}",
                    decision.past(),
                    person(by.as_deref())
                )
            }
            Event::Reopened { reason, by } => format!("its window was reopened by {}: {reason}", person(by.as_deref())),
            Event::Resolved { verdict, reason, by } => {
                let by = by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
                match verdict {
                    Verdict::Again => format!("a person{by} wants it offered once more: {reason}"),
                    _ => format!("a person{by} said that it is {}: {reason}", verdict.as_str().replace('-', " ")),
                }
            }
        }
    }

    /// The part of the service's answer that speaks of the charge, as it came; empty where there is none.
    pub fn raw(&self) -> &str {
        match &self.event {
            Event::Answer { outcome: Some(outcome), .. } => &outcome.raw,
            Event::LookUp { finding: Finding::Found(record) | Finding::Different(record) } => &record.raw,
            _ => "",
        }
    }
}

/// `rejected, to be offered again: no such dimension`
fn answer(outcome: &Outcome) -> String {
    let Outcome { status, retryable, refusal_if_absent, reference, message, .. } = outcome;
    let again = match (status, retryable) {
        (Status::Rejected, true) => ", to be offered again",
        (Status::Rejected, false) => ", for good",
        _ => "",
    };
    let refusal = after("; refused, if a look-up shows it absent: ", refusal_if_absent.as_ref());
    format!(
        "{}{again}{}{}{refusal}",
        status.as_str(),
        after(", as ", reference.as_ref()),
        after(": ", message.as_ref())
    )
}

/// `, with 5, as r-1`
fn held(record: &HeldRecord) -> String {
    let quantity = record.quantity.map(|quantity| quantity.to_string());
    format!("{}{}", after(", with ", quantity.as_ref()), after(", as ", record.reference.as_ref()))
}

fn after(before: &str, text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| format!("{before}{text}"))
}

//! From the lines of a reading to the charges of one sink: what is new, what is held and why, and where each item went.

use std::collections::{BTreeMap, HashMap, HashSet};

use meterhost_decimal::Decimal;

use super::doubts::Doubts;
use super::gathered::Reading;
use super::moved::{Moved, is_refused};
use super::setup::{Setup, SinkSection};
use super::tally::Pair;
use crate::config::SinkSpec;
use crate::ledger::{ChargeState, Hold, Scope, State, rounded};
use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// What one sink gets out of a reading of one window.
#[derive(Debug, Default)]
pub(super) struct Assessment {
    /// Charges that can be frozen.
    pub(super) proposals: Vec<Proposal>,
    /// Charges that another exporter billed, as they come to now.
    pub(super) taken_over: Vec<Proposal>,
    /// What is kept back.
    pub(super) holds: Vec<Hold>,
    /// Every line of this sink, for the report, and which held one stands for it.
    pub(super) lines: Vec<Assessed>,
    /// Items by pair that were read.
    pub(super) tally: HashMap<Pair, u64>,
    /// Items by pair that a rule left out.
    pub(super) excluded: HashMap<Pair, u64>,
    /// What each rule left out of each dimension: how many items, and what they add up to, if that has no more digits than a decimal.
    pub(super) left_out: BTreeMap<(String, String), (u64, Option<Decimal>)>,
    /// Records in quarantine.
    pub(super) quarantined: u64,
}

/// A line of this sink.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) key: Key,
    pub(super) id: ChargeId,
    pub(super) exact: Decimal,
    /// Rounded, if it can be.
    pub(super) quantity: Decimal,
    pub(super) origins: Vec<(String, u64)>,
    /// Why it is held, if it is.
    pub(super) held: Option<String>,
    /// What was frozen for its key before, where that differs.
    pub(super) frozen: Option<Decimal>,
    /// Whether another exporter billed it before this pipeline was there.
    pub(super) taken_over: bool,
}

impl Assessed {
    /// A frozen charge of which no reading speaks.
    pub(super) fn of(state: &ChargeState) -> Self {
        let charge = state.charge();
        Assessed {
            key: charge.key().clone(),
            id: charge.id(),
            exact: charge.exact(),
            quantity: charge.quantity(),
            origins: charge.origins().to_vec(),
            held: None,
            frozen: None,
            taken_over: false,
        }
    }
}

/// Judges the lines of one window for one sink.
pub(super) fn assess(
    setup: &Setup,
    sink: &SinkSection,
    spec: &SinkSpec,
    window: &Window,
    reading: &Reading,
    state: &State,
) -> Assessment {
    let name = &spec.plugin.name;
    // What no sink takes is held by the first one, so that somebody reads of it.
    let first = setup.pipeline.sinks.first().is_some_and(|first| first.plugin.name == *name);
    let takers = |dimension: &str| setup.pipeline.sinks_of(dimension);
    let takes = |dimension: &str| match takers(dimension) {
        takers if takers.is_empty() => first,
        takers => takers.iter().any(|taker| taker.plugin.name == *name),
    };
    let mut assessment = Assessment {
        quarantined: reading.quarantined.iter().map(|record| record.records).sum(),
        ..Assessment::default()
    };
    let doubts = Doubts::of(reading);
    let moved = Moved::of(setup, window, reading, &doubts, state);
    assessment.holds = doubts.holds(&reading.lines, &takes);
    assessment.tally = reading.tally.clone();
    for excluded in &reading.excluded {
        let pair = Pair {
            product: excluded.product.clone(),
            customer: excluded.customer.clone(),
            dimension: excluded.dimension.clone(),
        };
        *assessment.excluded.entry(pair).or_default() += excluded.records;
        let place = (excluded.rule.clone(), excluded.dimension.clone());
        let (records, sum) = assessment.left_out.entry(place).or_insert((0, Some(Decimal::ZERO)));
        *records += excluded.records;
        *sum = sum.and_then(|sum| sum.checked_add(excluded.quantity));
    }
    let mut seen: HashSet<ChargeId> = HashSet::new();
    for (aggregate, line) in reading.lines.iter().filter(|(_, line)| takes(&line.dimension)) {
        let key = key(setup, name, window, line);
        let id = key.id();
        seen.insert(id);
        let before = state.charge(&id);
        let imported = before.is_none() && state.imported().is_billed(name, window, &key.customer);
        let judged = match takers(&line.dimension).is_empty() {
            true => Err(("untaken", "no [sink] takes this dimension: name it in `takes`".to_owned())),
            // How it was rounded, and whether it could be sent, was the other exporter's to judge.
            false if imported => clear(line, &doubts),
            false => judge(sink, spec, line, &doubts),
        };
        let (quantity, mut held) = match judged {
            Ok(quantity) => (quantity, None),
            Err((code, reason)) => (line.quantity, Some((code, reason))),
        };
        let (mut frozen, mut taken_over) = (None, false);
        if let Some(charge) = before {
            // One charge a key, for ever: what usage says now is compared with it, never sent beside it. While a part of the usage
            // cannot be read, there is nothing to compare.
            held = match &line.doubt {
                // Refused, and replaced by another since, which the rules no longer make.
                _ if let Some(other) = replaced(charge, moved.before(line, name, id)) => {
                    frozen = Some(charge.charge().quantity());
                    Some(billed_as(other, true))
                }
                _ if doubts.about(&line.customer, &line.origins).is_some() => None,
                Some(doubt) => Some(("aggregate", doubt.clone())),
                None if charge.charge().exact() == line.quantity => None,
                None => {
                    frozen = Some(charge.charge().quantity());
                    Some(late(charge.charge().exact(), Some(line.quantity)))
                }
            };
        } else if let Some((other, surely)) = moved.before(line, name, id).filter(|_| held.is_none()) {
            held = Some(billed_as(other, surely));
        } else if held.is_none() {
            let proposal = Proposal {
                exact: line.quantity,
                quantity,
                time: window.start().as_millisecond(),
                origins: line.origins.clone(),
                attributes: line.attributes.clone(),
                aggregator: setup.aggregates.get(*aggregate).map(|section| section.name.clone()).unwrap_or_default(),
                key: key.clone(),
            };
            taken_over = imported;
            match imported {
                true => assessment.taken_over.push(proposal),
                false => assessment.proposals.push(proposal),
            }
        }
        if let Some((code, reason)) = &held {
            // What a doubt about a record or an object holds is in `holds` already, once for all its lines.
            if *code != "doubt" {
                assessment.holds.push(hold(&key, code, reason.clone(), Some(line.quantity)));
            }
        }
        let held = held.map(|(_, reason)| reason);
        assessment.lines.push(Assessed {
            key,
            id,
            exact: line.quantity,
            quantity,
            origins: line.origins.clone(),
            held,
            frozen,
            taken_over,
        });
    }
    for charge in state.charges_of(name, window).into_iter().filter(|charge| !seen.contains(&charge.charge().id())) {
        gone(&mut assessment, charge, &doubts, &moved);
    }
    assessment
}

/// The charge that was frozen later than this refused one, from its records.
fn replaced<'a>(state: &ChargeState, before: Option<(&'a ChargeState, bool)>) -> Option<&'a ChargeState> {
    let (other, surely) = before?;
    (surely && is_refused(state) && other.frozen_in() > state.frozen_in()).then_some(other)
}

/// Records that stand behind another charge already, or may.
fn billed_as(state: &ChargeState, surely: bool) -> (&'static str, String) {
    let (charge, key) = (state.charge(), state.charge().key());
    let other = format!("the charge of {} for {} to sink {}", charge.quantity(), key.dimension, key.sink);
    let stands = if state.is_final() { "which is billed" } else { "which is open" };
    let reason = match surely {
        true => {
            format!("its records went into {other}, {stands}; the rules, the sinks or the usage were changed since")
        }
        false => format!("it may be the usage of {other}, {stands}, under another name: of that no record is left"),
    };
    ("moved", reason)
}

/// A charge whose usage is no longer there.
fn gone(assessment: &mut Assessment, state: &ChargeState, doubts: &Doubts, moved: &Moved<'_>) {
    let charge = state.charge();
    // Usage that cannot be read at the moment is not gone.
    if doubts.about(&charge.key().customer, charge.origins()).is_some() {
        return;
    }
    let (code, reason) = match moved.after(state) {
        None => late(charge.exact(), None),
        Some(line) if is_refused(state) => {
            let text = format!("it was refused, and is not offered again: its records make {} now", line.dimension);
            ("moved", text)
        }
        Some(line) => {
            let text = format!("it was changed what is made of its records: they would make {} now", line.dimension);
            ("moved", text)
        }
    };
    assessment.holds.push(hold(charge.key(), code, reason.clone(), None));
    assessment.lines.push(Assessed {
        key: charge.key().clone(),
        id: charge.id(),
        exact: Decimal::ZERO,
        quantity: Decimal::ZERO,
        origins: Vec::new(),
        held: Some(reason),
        frozen: Some(charge.quantity()),
        taken_over: false,
    });
}

fn late(frozen: Decimal, now: Option<Decimal>) -> (&'static str, String) {
    let reason = match now {
        Some(now) => {
            let difference = now.checked_sub(frozen).map_or_else(String::new, |difference| {
                let sign = if difference.is_negative() { "" } else { "+" };
                format!(", a difference of {sign}{difference}")
            });
            format!("what it comes to changed after the charge was frozen: {frozen} then, {now} now{difference}")
        }
        None => format!("its usage was there when the charge of {frozen} was frozen, and is gone now"),
    };
    ("late", reason)
}

pub(super) fn hold(key: &Key, code: &'static str, reason: String, quantity: Option<Decimal>) -> Hold {
    Hold {
        scope: Scope::Charge {
            product: key.product.clone(),
            customer: key.customer.clone(),
            dimension: key.dimension.clone(),
            tags: key.tags.clone(),
        },
        code: code.to_owned(),
        place: None,
        reason,
        quantity,
    }
}

pub(super) fn key(setup: &Setup, sink: &str, window: &Window, line: &ChargeLine) -> Key {
    Key {
        pipeline: setup.pipeline.name.clone(),
        sink: sink.to_owned(),
        product: line.product.clone(),
        customer: line.customer.clone(),
        dimension: line.dimension.clone(),
        tags: line.tags.clone(),
        window: *window,
    }
}

/// What a line comes to, or a code and a reason for not knowing it.
fn clear(line: &ChargeLine, doubts: &Doubts) -> Result<Decimal, (&'static str, String)> {
    if let Some(reason) = doubts.about(&line.customer, &line.origins) {
        return Err(("doubt", reason));
    }
    match &line.doubt {
        Some(doubt) => Err(("aggregate", doubt.clone())),
        None => Ok(line.quantity.max(Decimal::ZERO)),
    }
}

/// The quantity to be frozen, or a code and a reason for keeping the line back.
fn judge(
    sink: &SinkSection,
    spec: &SinkSpec,
    line: &ChargeLine,
    doubts: &Doubts,
) -> Result<Decimal, (&'static str, String)> {
    clear(line, doubts)?;
    if line.quantity.is_negative() {
        return Err(("negative", format!("the total is negative: {}", line.quantity)));
    }
    let traits = &sink.traits;
    if line.quantity.is_zero() && traits.zero == crate::model::service::Zero::Refused {
        return Err(("zero", "the service refuses a quantity of zero".to_owned()));
    }
    let quantity = rounded(line.quantity, traits.scale, spec.round).map_err(|reason| ("rounding", reason))?;
    if quantity < traits.minimum || quantity > traits.maximum {
        let (least, most) = (traits.minimum, traits.maximum);
        return Err(("range", format!("{quantity} is outside of what the service accepts, {least} to {most}")));
    }
    Ok(quantity)
}

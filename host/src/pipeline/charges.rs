//! From the lines of a reading to the charges of one sink: what is new, what is held and why, and where each item went.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use meterhost_decimal::Decimal;

use super::bills::{Bill, SinkDoubts, bills, key};
use super::closed;
use super::doubts::Doubts;
use super::entries::inputs;
use super::gathered::Reading;
use super::guard::Guarded;
use super::moved::{Moved, is_refused};
use super::setup::{Setup, SinkSection};
use super::tally::Pair;
use crate::config::{SinkSpec, Zeros};
use crate::ledger::{ChargeState, Hold, InputSeen, Scope, Standing, State, rounded};
use crate::model::charge::{ChargeId, Key, Part, Proposal, Share};
use crate::model::lines::ChargeLine;

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
    /// Records that were dropped, since one like them was there.
    pub(super) duplicates: u64,
}

/// What is, or would be, one charge of this sink.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) key: Key,
    /// None where nobody knows whom to bill: then the key names the customer as the usage does.
    pub(super) id: Option<ChargeId>,
    pub(super) exact: Decimal,
    /// Rounded, if it can be.
    pub(super) quantity: Decimal,
    pub(super) origins: Vec<(String, u64)>,
    /// Whose usage it is, where a table says whom to bill.
    pub(super) parts: Vec<Part>,
    /// Why it is held, if it is.
    pub(super) held: Option<String>,
    /// Whether nothing is to be sent of it, since it comes to zero.
    pub(super) zero: bool,
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
            id: Some(charge.id()),
            exact: charge.exact(),
            quantity: charge.quantity(),
            origins: charge.origins().to_vec(),
            parts: charge.parts().to_vec(),
            held: None,
            zero: false,
            frozen: None,
            taken_over: false,
        }
    }

    /// Whose records go into it.
    pub(super) fn shares(&self) -> impl Iterator<Item = Share<'_>> {
        Share::all(&self.key, &self.origins, &self.parts)
    }
}

/// Judges the lines of one window for one sink. What no sink takes is held by the first one, so that somebody reads of it.
pub(super) fn assess(
    setup: &Setup,
    sink: &SinkSection,
    guarded: &Guarded<'_>,
    reading: &Reading,
    first: bool,
    state: &State,
) -> Assessment {
    let Guarded { spec, window, .. } = *guarded;
    let name = &spec.plugin.name;
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
    assessment.duplicates = reading.duplicates;
    let in_doubt = SinkDoubts::of(spec, &doubts);
    let given_up: HashSet<&str> = state.imported().failed(name, window).collect();
    let given_up = |customer: &str| given_up.contains(customer) && !state.imported().is_open(name, window, customer);
    assessment.holds.extend(state.imported().failed(name, window).filter(|who| given_up(who)).map(closed::given_up));
    let mut seen: HashSet<ChargeId> = HashSet::new();
    let mut unknown: BTreeSet<&str> = BTreeSet::new();
    // What the other exporter read is what was there when its word was taken. Most customers were taken over together.
    let mut compared: HashMap<*const InputSeen, bool> = HashMap::new();
    let mut as_it_was = |customer: &str| {
        // Where nobody could look then, it is what is there at the first look.
        let Some(before) = state.billed_from(name, window, customer) else { return true };
        *compared.entry(before.as_ptr()).or_insert_with(|| are_same(before, &inputs(reading)))
    };
    for mut bill in bills(setup, spec, window, reading.lines.iter().filter(|(_, line)| takes(&line.dimension))) {
        // Frozen under another name, it has the id of that one.
        bill.id = bill.id.map(|id| state.known_as(id));
        seen.extend(bill.id);
        let before = bill.id.and_then(|id| state.charge(&id));
        let imported = before.is_none() && state.imported().is_billed(name, window, &bill.key.customer);
        // Under a table the names differ, and the other exporter knew of no table.
        let is_billed = |who: &str| state.imported().is_billed(name, window, who);
        let renamed = spec.customers.is_some()
            && before.is_none()
            && (imported || bill.lines.iter().any(|line| is_billed(&line.customer)));
        let judged = match takers(&bill.key.dimension).is_empty() {
            _ if imported && given_up(&bill.key.customer) => Err(("doubt", closed::GIVEN_UP.to_owned())),
            _ if renamed => Err(("taken-over", UNDER_A_TABLE.to_owned())),
            true => Err(("untaken", "no [sink] takes this dimension: name it in `takes`".to_owned())),
            // How it was rounded, and whether it could be sent, was the other exporter's to judge.
            false if imported => billed_elsewhere(sink, &bill, &in_doubt, as_it_was(&bill.key.customer)),
            false => judge(sink, spec, &bill, &in_doubt),
        };
        let (quantity, mut zero, mut held) = match judged {
            Ok(Judged::Owed(quantity)) => (quantity, false, None),
            Ok(Judged::Zero(quantity)) => (quantity, true, None),
            Err((code, reason)) => (bill.exact, false, Some((code, reason))),
        };
        let (mut frozen, mut taken_over) = (None, false);
        if let Some(charge) = before {
            zero = false;
            // One charge a key, for ever: what usage says now is compared with it, never sent beside it. While a part of the usage
            // cannot be read, there is nothing to compare.
            held = match &bill.doubt {
                // Refused, and replaced by another since, which the rules no longer make.
                _ if let Some(other) = replaced(charge, moved.before(&bill)) => {
                    frozen = Some(charge.charge().quantity());
                    Some(billed_as(other, true))
                }
                _ if bill.doubted(&in_doubt).is_some() => None,
                Some(doubt) => Some(("aggregate", doubt.clone())),
                None if charge.charge().exact() == bill.exact => None,
                // A person has taken it over once more, as it stands now.
                None if *charge.standing() == Standing::TakenOver && as_it_was(&bill.key.customer) => None,
                None => {
                    frozen = Some(charge.charge().quantity());
                    Some(late(charge.charge().exact(), Some(bill.exact)))
                }
            };
        } else if let Some((other, surely)) = moved.before(&bill).filter(|_| held.is_none() && !zero) {
            held = Some(billed_as(other, surely));
        } else if held.is_none()
            && !imported
            && let Some(found) = guarded.about(&bill, zero)
        {
            (held, zero) = (Some(found), false);
        } else if held.is_none() && !zero {
            let proposal = Proposal {
                exact: bill.exact,
                quantity,
                time: window.start().as_millisecond(),
                origins: bill.origins.clone(),
                parts: bill.parts.clone(),
                attributes: bill.attributes,
                aggregator: setup
                    .aggregates
                    .get(bill.aggregate)
                    .map(|section| section.name.clone())
                    .unwrap_or_default(),
                key: bill.key.clone(),
            };
            taken_over = imported;
            match imported {
                true => assessment.taken_over.push(proposal),
                false => assessment.proposals.push(proposal),
            }
        }
        match &held {
            // What a doubt about a record or an object holds is in `holds` already, once for all its lines.
            Some(("doubt", _)) | None => {}
            // Of a customer without a row everything is held, and once.
            Some((UNKNOWN, _)) => unknown.extend(bill.lines.iter().map(|line| line.customer.as_str())),
            Some((code, reason)) => {
                assessment.holds.push(hold(&bill.key, code, reason.clone(), Some(bill.exact)));
            }
        }
        assessment.lines.push(Assessed {
            key: bill.key,
            id: bill.id,
            exact: bill.exact,
            quantity,
            origins: bill.origins,
            parts: bill.parts,
            held: held.map(|(_, reason)| reason),
            zero,
            frozen,
            taken_over,
        });
    }
    assessment.holds.extend(unknown.into_iter().map(|customer| Hold {
        scope: Scope::Customer { customer: customer.to_owned() },
        code: UNKNOWN.to_owned(),
        place: None,
        reason: no_row(spec, ""),
        quantity: None,
    }));
    for charge in state.charges_of(name, window).into_iter().filter(|charge| !seen.contains(&charge.charge().id())) {
        if *charge.standing() == Standing::TakenOver && as_it_was(&charge.charge().key().customer) {
            continue;
        }
        gone(&mut assessment, charge, &doubts, moved.after(charge).map(|line| now_makes(setup, spec, charge, line)));
    }
    let nothing = guarded.about_nothing(&assessment, reading, &in_doubt, state);
    assessment.holds.extend(nothing);
    assessment
}

/// Whether these are the same inputs, in the same versions.
fn are_same(left: &[InputSeen], right: &[InputSeen]) -> bool {
    let known: HashMap<&str, &InputSeen> = left.iter().map(|input| (input.key.as_str(), input)).collect();
    left.len() == right.len()
        && right.iter().all(|input| known.get(input.key.as_str()).is_some_and(|seen| seen.is_as(input)))
}

/// That a table of customers came after what another exporter billed without one.
const UNDER_A_TABLE: &str = "another exporter billed this window under the names in the usage, and the table of customers bills it under others";

/// As the code of a hold: the sink's table does not say whom to bill.
const UNKNOWN: &str = "customer";

/// That the sink's table has no row.
fn no_row(spec: &SinkSpec, more: &str) -> String {
    let file = spec.customers.as_ref().map_or("", |table| table.file_name());
    format!("the table of customers {file} has no row for it{more}")
}

/// What becomes now of the records of a charge that nothing makes any more.
fn now_makes(setup: &Setup, spec: &SinkSpec, state: &ChargeState, line: &ChargeLine) -> String {
    let charge = state.charge();
    match key(setup, spec, &charge.key().window, line) {
        None => format!("the table of customers has no row for {} any more", line.customer),
        Some(now) if now.customer != charge.key().customer && now.dimension == charge.key().dimension => {
            format!("its records are those of {}, and would be billed to {} now", line.customer, now.customer)
        }
        Some(now) if is_refused(state) => format!("its records make {} now", now.dimension),
        Some(now) => format!("it was changed what is made of its records: they would make {} now", now.dimension),
    }
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

/// A charge whose usage is no longer there. `now` is what became of its records, if that is known.
fn gone(assessment: &mut Assessment, state: &ChargeState, doubts: &Doubts, now: Option<String>) {
    let charge = state.charge();
    // Usage that cannot be read at the moment is not gone.
    if charge.shares().any(|share| doubts.about(share.customer, share.origins).is_some()) {
        return;
    }
    let (code, reason) = match now {
        None => late(charge.exact(), None),
        Some(now) if is_refused(state) => ("moved", format!("it was refused, and is not offered again: {now}")),
        Some(now) => ("moved", now),
    };
    assessment.holds.push(hold(charge.key(), code, reason.clone(), None));
    assessment.lines.push(Assessed {
        key: charge.key().clone(),
        id: Some(charge.id()),
        exact: Decimal::ZERO,
        quantity: Decimal::ZERO,
        origins: Vec::new(),
        parts: Vec::new(),
        held: Some(reason),
        zero: false,
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

/// What is to become of what would be a charge.
enum Judged {
    /// To be frozen with this quantity.
    Owed(Decimal),
    /// Nothing is to be sent of it: it comes to zero.
    Zero(Decimal),
}

/// What is to become of something that another exporter billed: it is not sent, and what was not there then is held.
fn billed_elsewhere(
    sink: &SinkSection,
    bill: &Bill<'_>,
    doubts: &SinkDoubts<'_>,
    as_it_was: bool,
) -> Result<Judged, (&'static str, String)> {
    if let Some(reason) = bill.doubted(doubts) {
        return Err(("doubt", reason));
    }
    if let Some(doubt) = &bill.doubt {
        return Err(("aggregate", doubt.clone()));
    }
    if !as_it_was {
        let reason = "this customer was taken over as billed, and the objects of the window are not as they were then"
            .to_owned();
        return Err(("taken-over", reason));
    }
    match bill.exact.is_zero() && sink.zeros == Zeros::Skip {
        true => Ok(Judged::Zero(bill.exact)),
        false => Ok(Judged::Owed(bill.exact.max(Decimal::ZERO))),
    }
}

/// What is to become of it, or a code and a reason for keeping it back.
fn judge(
    sink: &SinkSection,
    spec: &SinkSpec,
    bill: &Bill<'_>,
    doubts: &SinkDoubts<'_>,
) -> Result<Judged, (&'static str, String)> {
    let skips = sink.zeros == Zeros::Skip;
    // Of nothing nobody has to know who owes it.
    let is_nothing = || skips && bill.exact.is_zero() && bill.doubt.is_none() && bill.doubted(doubts).is_none();
    if bill.id.is_none() && !is_nothing() {
        return Err((UNKNOWN, no_row(spec, ": add one")));
    }
    if let Some(reason) = bill.doubted(doubts) {
        return Err(("doubt", reason));
    }
    if let Some(doubt) = &bill.doubt {
        return Err(("aggregate", doubt.clone()));
    }
    if let Some(line) = bill.negative() {
        let whose =
            if bill.parts.len() > 1 { format!("the total of {}", line.customer) } else { "the total".to_owned() };
        return Err(("negative", format!("{whose} is negative: {}", line.quantity)));
    }
    let traits = &sink.traits;
    let quantity = rounded(bill.exact, traits.scale, spec.round).map_err(|reason| ("rounding", reason))?;
    // What is rounded to zero is nothing to send either. Not frozen it loses nothing: with usage that comes later it is a first charge
    // of all of it, where a frozen zero would leave a difference.
    if quantity.is_zero() && skips {
        return Ok(Judged::Zero(quantity));
    }
    if quantity < traits.minimum || quantity > traits.maximum {
        let (least, most) = (traits.minimum, traits.maximum);
        return Err(("range", format!("{quantity} is outside of what the service accepts, {least} to {most}")));
    }
    Ok(Judged::Owed(quantity))
}

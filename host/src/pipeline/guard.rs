//! What a guard holds: a quantity that is far from that of the window before, a customer who came or is gone, a window without usage.
//! None of it is in doubt, and any of it may be a mistake; a person looks at it before money moves.
//!
//! | rule | holds | is silent |
//! |---|---|---|
//! | `max_increase` | a charge above what it was then by more than this | where it was 0 or was not: nothing is no measure |
//! | `max_decrease` | a charge below what it was then by more than this; the window, where a customer who has others has none | where the customer has none at all: see `missing_customers` |
//! | `max_quantity` | a charge above this | never |
//! | `new_customers` | every charge of a customer who had none then | |
//! | `missing_customers` | the window, where a customer who had some above zero has none | |
//! | `empty_window` | the window, where nothing at all was read; of its customers nothing is said besides | |
//!
//! Quantities are compared before rounding, and exactly. All but `max_quantity` and `empty_window` are silent where there is no window to
//! compare with. A window that was settled once is not held open again for what is missing in it.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use meterhost_decimal::Decimal;

use super::baseline::{Baseline, Place, place};
use super::bills::{Bill, SinkDoubts};
use super::charges::Assessment;
use super::gathered::Reading;
use super::percent::change;
use crate::config::{Guard, Percent, SinkSpec};
use crate::ledger::{Hold, Scope, State};
use crate::model::window::Window;

const INCREASE: &str = "guard-increase";
const DECREASE: &str = "guard-decrease";
const QUANTITY: &str = "guard-quantity";
const NEW: &str = "guard-new";
const MISSING: &str = "guard-missing";
const EMPTY: &str = "guard-empty";

/// Of what a missing customer owed, so many dimensions are named.
const MOST_NAMED: usize = 3;

/// One window of one sink, and what it is compared with.
pub(super) struct Guarded<'a> {
    pub(super) spec: &'a SinkSpec,
    pub(super) window: &'a Window,
    /// None where no window before it is settled.
    pub(super) baseline: Option<Rc<Baseline<'a>>>,
}

impl Guarded<'_> {
    /// Why a charge that would be frozen is held until a person releases it, with its code; nothing where it may go. Of one that comes to
    /// nothing and is not to be sent, only a decrease is told.
    pub(super) fn about(&self, bill: &Bill<'_>, is_nothing: bool) -> Option<(&'static str, String)> {
        // Where nobody knows whom to bill, there is no charge.
        bill.id?;
        let mut found = charge(&self.spec.guard, self.baseline.as_deref(), &place(&bill.key), bill.exact);
        if is_nothing {
            found.retain(|(code, _)| *code == DECREASE);
        }
        // Who releases it has to know everything that speaks against it.
        let code = found.first()?.0;
        let reasons: Vec<String> = found.into_iter().map(|(_, reason)| reason).collect();
        Some((code, reasons.join("; ")))
    }

    /// What is held open for what is not there: customers, dimensions of theirs, all usage. Where a doubt about usage may be the reason, that
    /// doubt holds the window already.
    pub(super) fn about_nothing(
        &self,
        assessment: &Assessment,
        reading: &Reading,
        doubts: &SinkDoubts<'_>,
        state: &State,
    ) -> Vec<Hold> {
        let (guard, sink) = (&self.spec.guard, &self.spec.plugin.name);
        if *guard == Guard::default() || state.was_settled(sink, self.window) || doubts.all.about_everybody() {
            return Vec::new();
        }
        let frozen = state.charges_of(sink, self.window);
        if guard.empty_window.holds() && frozen.is_empty() && assessment.lines.is_empty() && is_empty(reading) {
            let reason = "no usage was read, and the guard holds a window without any".to_owned();
            return vec![Hold { scope: Scope::Window, code: EMPTY.to_owned(), place: None, reason, quantity: None }];
        }
        let Some(baseline) = &self.baseline else { return Vec::new() };
        let present: HashSet<Place<'_>> = present(assessment, state, sink, self.window);
        let doubted = doubts.customers();
        absent(guard, baseline, &present, &doubted)
    }
}

/// Whether nothing was read, of whichever dimension, and nothing is in doubt.
fn is_empty(reading: &Reading) -> bool {
    reading.tally.is_empty()
        && reading.quarantined.is_empty()
        && reading.unreadable.is_empty()
        && reading.duplicates == 0
}

/// What there is of a window: what was read, and what is frozen.
pub(super) fn present<'a>(
    assessment: &'a Assessment,
    state: &'a State,
    sink: &str,
    window: &Window,
) -> HashSet<Place<'a>> {
    let frozen = state.charges_of(sink, window).into_iter().map(|charge| place(charge.charge().key()));
    assessment.lines.iter().map(|line| place(&line.key)).chain(frozen).collect()
}

/// What speaks against a charge.
fn charge(
    guard: &Guard,
    baseline: Option<&Baseline<'_>>,
    place: &Place<'_>,
    now: Decimal,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let (_, customer, dimension, _) = place;
    if let Some(baseline) = baseline {
        let label = baseline.window().label();
        if let Some(before) = baseline.owed(place).filter(|before| *before > Decimal::ZERO) {
            let reason =
                |how: String, most| format!("{now} is {how} the {before} of {label}, and the guard allows {most}");
            if let Some(most) = guard.max_increase.filter(|most| now.cmp_product(before, most.more()).is_gt()) {
                found.push((INCREASE, reason(by(before, now, most, "more than"), most)));
            }
            if let Some(most) = guard.max_decrease.filter(|most| now.cmp_product(before, most.less()).is_lt()) {
                found.push((DECREASE, reason(by(before, now, most, "less than"), most)));
            }
        }
        if guard.new_customers.holds() && !baseline.knows(customer) {
            found.push((NEW, format!("{customer} had no charge in {label}, and the guard holds new customers")));
        }
    }
    if let Some(most) = guard.max_quantity.of(dimension).filter(|most| now > *most) {
        found.push((QUANTITY, format!("{now} is more than the {most} that the guard allows")));
    }
    found
}

/// `340.0 % more than`. Rounded, a change may look as if it were allowed.
fn by(before: Decimal, now: Decimal, most: Percent, than: &str) -> String {
    let shown = change(before, now).map(|change| change.trim_start_matches(['+', '-']).to_owned());
    let exceeds = |shown: &str| Percent::parse(&format!("{shown}%")).is_some_and(|shown| shown.more() > most.more());
    match shown.filter(|shown| exceeds(shown)) {
        Some(shown) => format!("{shown} % {than}"),
        None => format!("over {most} {than}"),
    }
}

/// What is held open for what was owed and is not there. Of customers about whom something is in doubt nothing is said.
fn absent(guard: &Guard, baseline: &Baseline<'_>, present: &HashSet<Place<'_>>, doubted: &HashSet<&str>) -> Vec<Hold> {
    let here: HashSet<&str> = present.iter().map(|(_, customer, ..)| *customer).collect();
    let label = baseline.window().label();
    let mut holds = Vec::new();
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((product, customer, dimension, tags), before) in baseline.without(present) {
        if doubted.contains(customer) {
            continue;
        }
        if !here.contains(customer) {
            missing.entry(customer).or_default().push(format!("{before} of {dimension}"));
            continue;
        }
        let Some(most) = guard.max_decrease.filter(|most| !most.less().is_zero()) else { continue };
        let scope = Scope::Charge {
            product: product.to_owned(),
            customer: customer.to_owned(),
            dimension: dimension.to_owned(),
            tags: tags.to_vec(),
        };
        let reason =
            format!("there is nothing now, 100 % less than the {before} of {label}, and the guard allows {most}");
        let quantity = Some(Decimal::ZERO);
        holds.push(Hold { scope, code: DECREASE.to_owned(), place: None, reason, quantity });
    }
    if guard.missing_customers.holds() {
        holds.extend(missing.into_iter().map(|(customer, owed)| {
            let more = owed.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let owed: Vec<String> = owed.into_iter().take(MOST_NAMED).collect();
            let owed = owed.join(", ");
            let reason =
                format!("there is nothing now, and the guard holds missing customers: in {label} it owed {owed}{more}");
            let scope = Scope::Customer { customer: customer.to_owned() };
            Hold { scope, code: MISSING.to_owned(), place: None, reason, quantity: None }
        }));
    }
    holds
}

/// What a person does about what a guard holds, and the code of the problem; nothing where no guard holds it.
pub(super) fn action(code: &str) -> Option<(&'static str, &'static str)> {
    const CHARGE: &str = "see whether it is right. If not, mend the usage or the rules. If so, release it with `meterhost ledger resolve FILE CHARGE release --reason \"...\"`, and a run bills it";
    const NOTHING: &str = "see whether it is right. If not, mend the usage, and a run bills it. If so, release it with `meterhost ledger resolve FILE CHARGE release --reason \"...\"`, and a run settles the window";
    Some(match code {
        INCREASE => (INCREASE, CHARGE),
        DECREASE => (DECREASE, CHARGE),
        QUANTITY => (QUANTITY, CHARGE),
        NEW => (NEW, CHARGE),
        MISSING => (MISSING, NOTHING),
        EMPTY => (EMPTY, NOTHING),
        _ => return None,
    })
}

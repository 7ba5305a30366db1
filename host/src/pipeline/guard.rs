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
use crate::model::charge::Key;
use crate::model::window::Window;

const INCREASE: &str = "guard-increase";
const DECREASE: &str = "guard-decrease";
const QUANTITY: &str = "guard-quantity";
const NEW: &str = "guard-new";
/// A customer of whom there is nothing to keep back.
pub(super) const MISSING: &str = "guard-missing";
const EMPTY: &str = "guard-empty";

/// Of what a missing customer owed, so many dimensions are named.
const MOST_NAMED: usize = 3;

/// One window of one sink, and what it is compared with.
pub(super) struct Guarded<'a> {
    pub(super) spec: &'a SinkSpec,
    pub(super) window: &'a Window,
    /// Whether it was settled before: what is not there was not missed then.
    pub(super) was_settled: bool,
    /// None where no window before it is settled.
    pub(super) baseline: Option<Rc<Baseline<'a>>>,
}

impl Guarded<'_> {
    /// Why a charge that would be frozen is held until a person releases it, with its code; nothing where it may go. Of one that comes to
    /// nothing and is not to be sent, only a decrease is told.
    pub(super) fn about(&self, bill: &Bill<'_>, is_nothing: bool) -> Option<(&'static str, String)> {
        // Where nobody knows whom to bill, there is no charge.
        bill.id?;
        if is_nothing && self.was_settled {
            return None;
        }
        let mut found = charge(&self.spec.guard, self.baseline.as_deref(), &place(&bill.key), bill.exact);
        if is_nothing {
            found.retain(|(code, _)| *code == DECREASE);
        }
        // Who releases it has to know everything that speaks against it.
        let code = found.first()?.0;
        let reasons: Vec<String> = found.into_iter().map(|(_, reason)| reason).collect();
        Some((code, reasons.join("; ")))
    }

    /// Why a charge that would take late usage is more than the guard allows, if it is.
    pub(super) fn about_more(&self, key: &Key, exact: Decimal) -> Option<String> {
        let found = charge(&self.spec.guard, self.baseline.as_deref(), &place(key), exact).into_iter();
        let more = found.filter(|(code, _)| [INCREASE, QUANTITY].contains(code));
        more.map(|(_, reason)| reason).next()
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
        if *guard == Guard::default() || self.was_settled || doubts.all.about_everybody() {
            return Vec::new();
        }
        let frozen = state.charges_of(sink, self.window);
        if guard.empty_window.holds() && frozen.is_empty() && assessment.lines.is_empty() && is_empty(reading) {
            let reason = "no usage was read, and the guard holds a window without any".to_owned();
            return vec![Hold::new(Scope::Window, EMPTY, reason)];
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
        holds.push(Hold { quantity: Some(Decimal::ZERO), ..Hold::new(scope, DECREASE, reason) });
    }
    if guard.missing_customers.holds() {
        holds.extend(missing.into_iter().map(|(customer, owed)| {
            let more = owed.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let owed: Vec<String> = owed.into_iter().take(MOST_NAMED).collect();
            let owed = owed.join(", ");
            let reason =
                format!("it owed {owed}{more} in {label} and owes nothing now, and the guard holds missing customers");
            let scope = Scope::Customer { customer: customer.to_owned() };
            Hold::new(scope, MISSING, reason)
        }));
    }
    holds
}

/// What a person does about what a guard holds, and the code of the problem; nothing where no guard holds it.
pub(super) fn action(code: &str) -> Option<(&'static str, &'static str)> {
    const CHARGE: &str = "see whether it is right; if not, mend the usage or the rules, and a run bills it";
    const NOTHING: &str = "see whether it is right; if not, mend the usage, and a run bills it";
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Answer, MostQuantity};
    use crate::model::window::WindowKind;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn percent(text: &str) -> Option<Percent> {
        Some(Percent::parse(text).unwrap())
    }

    fn cpu(customer: &str) -> Place<'_> {
        ("", customer, "cpu", &[])
    }

    fn may<'a>(charges: &[(&'a str, &'a str, &str)]) -> Baseline<'a> {
        let charges = charges.iter().map(|&(customer, dimension, owed)| {
            let place: Place<'_> = ("", customer, dimension, &[]);
            (place, decimal(owed))
        });
        Baseline::new(Window::parse(WindowKind::Month, "2025-05").unwrap(), charges)
    }

    /// The codes of what speaks against so much cpu, where it was so much before.
    fn codes(guard: &Guard, before: &str, now: &str) -> Vec<&'static str> {
        let found = charge(guard, Some(&may(&[("a", "cpu", before)])), &cpu("a"), decimal(now));
        found.into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn an_increase_exactly_at_the_limit_passes_and_the_least_bit_more_is_held() {
        for (most, before, at, above) in [
            ("100%", "3", "6", "6.0000000001"),
            ("12.5%", "8", "9.00", "9.00000000000000000000000000000000001"),
            ("0%", "0.1", "0.1", "0.10000000000000000000000000000000000001"),
            ("200%", "33333333333333333333333333333333333333", "99999999999999999999999999999999999999", ""),
            // 38 digits times 1.125 are 41.
            ("12.5%", "0.33333333333333333333333333333333333333", "0.37499999999999999999999999999999999999", "0.375"),
        ] {
            let guard = Guard { max_increase: percent(most), ..Guard::default() };
            assert_eq!(codes(&guard, before, at), [""; 0], "{most} of {before}");
            if !above.is_empty() {
                assert_eq!(codes(&guard, before, above), [INCREASE], "{most} of {before}");
            }
        }
    }

    #[test]
    fn a_decrease_exactly_at_the_limit_passes_and_the_least_bit_more_is_held() {
        for (most, before, at, below) in [
            ("50%", "3", "1.5", "1.4999999999"),
            ("33.3%", "1", "0.667", "0.66699999999999999999999999999999999999"),
            ("0%", "7", "7", "6.9999999999999999999999999999999999999"),
            ("100%", "7", "0", ""),
        ] {
            let guard = Guard { max_decrease: percent(most), ..Guard::default() };
            assert_eq!(codes(&guard, before, at), [""; 0], "{most} of {before}");
            if !below.is_empty() {
                assert_eq!(codes(&guard, before, below), [DECREASE], "{most} of {before}");
            }
        }
    }

    #[test]
    fn nothing_is_no_measure_of_an_increase_and_the_most_of_a_charge_needs_none() {
        let most = MostQuantity { named: [("cpu".to_owned(), decimal("10"))].into(), others: Some(decimal("1")) };
        let guard = Guard { max_increase: percent("1%"), max_quantity: most, ..Guard::default() };
        let found = |baseline: Option<&Baseline<'_>>, dimension: &str, now: &str| {
            charge(&guard, baseline, &("", "a", dimension, &[]), decimal(now)).len()
        };
        let baseline = may(&[("a", "cpu", "0"), ("b", "memory", "1")]);
        for baseline in [Some(&baseline), None] {
            assert_eq!([found(baseline, "cpu", "10"), found(baseline, "cpu", "10.01")], [0, 1]);
            assert_eq!([found(baseline, "memory", "1"), found(baseline, "memory", "1.01")], [0, 1]);
        }
    }

    #[test]
    fn a_customer_is_new_who_had_no_charge_of_any_dimension() {
        let guard = Guard { new_customers: Answer::Hold, ..Guard::default() };
        let baseline = may(&[("a", "memory", "0")]);
        let found = |customer| charge(&guard, Some(&baseline), &cpu(customer), Decimal::ONE);
        assert_eq!(found("a"), []);
        let reason = "b had no charge in 2025-05, and the guard holds new customers".to_owned();
        assert_eq!(found("b"), [(NEW, reason)]);
        assert_eq!(charge(&guard, None, &cpu("b"), Decimal::ONE), []);
    }

    #[test]
    fn a_reason_says_the_numbers_and_never_that_what_is_held_is_allowed() {
        let guard = Guard { max_increase: percent("200%"), max_decrease: percent("50%"), ..Guard::default() };
        for (before, now, expected) in [
            ("272.7", "1200", "1200 is 340.0 % more than the 272.7 of 2025-05, and the guard allows 200 %"),
            ("4", "1", "1 is 75.0 % less than the 4 of 2025-05, and the guard allows 50 %"),
            ("1", "3.0001", "3.0001 is over 200 % more than the 1 of 2025-05, and the guard allows 200 %"),
            ("3", "1.4999", "1.4999 is over 50 % less than the 3 of 2025-05, and the guard allows 50 %"),
        ] {
            let found = charge(&guard, Some(&may(&[("a", "cpu", before)])), &cpu("a"), decimal(now));
            assert_eq!(found.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>(), [expected]);
        }
    }

    /// What is held open, in short, where there is only this now.
    fn open(guard: &Guard, present: &[Place<'_>], doubted: &[&str]) -> Vec<(String, String)> {
        let baseline = may(&[
            ("a", "cpu", "5"),
            ("a", "memory", "2"),
            ("a", "disk", "0"),
            ("b", "cpu", "1"),
            ("b", "disk", "2"),
            ("b", "memory", "3"),
            ("b", "traffic", "4"),
            ("c", "cpu", "0"),
        ]);
        let present = present.iter().copied().collect();
        let holds = absent(guard, &baseline, &present, &doubted.iter().copied().collect());
        let short = |hold: Hold| (format!("{} {}", hold.code, hold.scope.customer().unwrap_or_default()), hold.reason);
        holds.into_iter().map(short).collect()
    }

    #[test]
    fn a_dimension_that_a_customer_has_no_more_is_a_decrease_to_nothing() {
        let held = [(
            "guard-decrease a".to_owned(),
            "there is nothing now, 100 % less than the 2 of 2025-05, and the guard allows 99.9 %".to_owned(),
        )];
        let guard = |most| Guard { max_decrease: percent(most), ..Guard::default() };
        assert_eq!(open(&guard("99.9%"), &[cpu("a")], &[]), held);
        assert_eq!(open(&guard("100%"), &[cpu("a")], &[]), []);
        // A doubt about a customer may be why, and holds the window by itself.
        assert_eq!(open(&guard("99.9%"), &[cpu("a")], &["a"]), []);
    }

    #[test]
    fn a_customer_is_missing_who_owed_something_and_owes_nothing() {
        let guard = Guard { missing_customers: Answer::Hold, ..Guard::default() };
        let reason = "it owed 1 of cpu, 2 of disk, 3 of memory and 1 more in 2025-05 and owes nothing now, and the guard holds missing customers";
        let held = [("guard-missing b".to_owned(), reason.to_owned())];
        assert_eq!(open(&guard, &[cpu("a"), cpu("z")], &[]), held);
        assert_eq!(open(&guard, &[cpu("a")], &["b"]), []);
        assert_eq!(open(&Guard::default(), &[], &[]), []);
    }
}

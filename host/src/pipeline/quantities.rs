//! The closing sum in quantities: what the aggregators made of a window's usage, where that went, and what was sent of it. Before rounding,
//! with what rounding made of it beside.

use std::collections::{BTreeMap, HashMap};

use meterhost_decimal::{Decimal, DecimalSum};

use super::account::{Column, Stand};
use super::charges::{Assessment, Place};
use super::works::Work;
use crate::model::charge::{Carried, ChargeId, Proposal, Remainder};
use crate::report::{LineState, Quantities};

/// As a person reads of it: the sum that does not close.
pub(super) type Open = String;

/// Checks, before anything is frozen, that what is to become of a run's usage is all that its aggregators made of it, and no more; and that
/// what is carried arrives once.
///
/// # Errors
/// The first sum that does not close.
pub(super) fn verify(works: &[Work]) -> Result<(), Open> {
    for work in works.iter().filter(|work| work.is_read) {
        let Work { assessment, window, .. } = work;
        let mut found: BTreeMap<&str, DecimalSum> = BTreeMap::new();
        for line in assessment.lines.iter().filter(|line| line.is_known) {
            found.entry(&line.key.dimension).or_default().add(line.own);
        }
        let dimensions = assessment.made.keys().map(String::as_str).chain(found.keys().copied());
        for dimension in dimensions.collect::<std::collections::BTreeSet<_>>() {
            let made = assessment.made.get(dimension).map_or(Some(Decimal::ZERO), DecimalSum::finish);
            let accounted = found.get(dimension).map_or(Some(Decimal::ZERO), DecimalSum::finish);
            if made != accounted {
                let words =
                    |sum: Option<Decimal>| sum.map_or_else(|| "too many digits".to_owned(), |sum| sum.to_string());
                let (window, made, accounted) = (window.label(), words(made), words(accounted));
                return Err(format!(
                    "{window}: the usage of {dimension} comes to {made}, and {accounted} is accounted for"
                ));
            }
        }
    }
    for proposal in works.iter().flat_map(|work| &work.assessment.proposals) {
        let follows = match proposal.remainder {
            Some(_) => proposal.adds_up(),
            None => proposal.own().is_some_and(|own| !own.is_negative()),
        };
        if !follows {
            let key = &proposal.key;
            let charge = format!("{}: {} of {}", key.window.label(), key.dimension, key.customer);
            return Err(format!("{charge}: {} does not follow from {}", proposal.quantity, proposal.exact));
        }
    }
    for work in works {
        let charges: HashMap<ChargeId, &Proposal> =
            work.assessment.proposals.iter().map(|proposal| (proposal.key.id(), proposal)).collect();
        for line in &work.assessment.lines {
            let place = || format!("{}: {} of {}", work.window.label(), line.key.dimension, line.key.customer);
            if line.differs() && line.held.is_none() {
                return Err(format!("{} differs from what was frozen, and that is neither held nor carried", place()));
            }
            let Some(charge) = charges.get(&line.key.id()) else { continue };
            if charge.own() != Some(line.own) {
                return Err(format!("{} is to be billed with another quantity than its own usage comes to", place()));
            }
        }
    }
    carried_once(works)
}

/// Late usage that is said to be carried is part of exactly one charge, and no charge carries anything else that was read in this run.
fn carried_once(works: &[Work]) -> Result<(), Open> {
    let mut taken: HashMap<(usize, ChargeId), Decimal> = HashMap::new();
    for work in works {
        for proposal in &work.assessment.proposals {
            for Carried { window, quantity } in &proposal.carried {
                let origin = crate::model::charge::Key { window: *window, ..proposal.key.clone() }.id();
                if taken.insert((work.sink, origin), *quantity).is_some() {
                    return Err(format!(
                        "{}: {} of {} is carried twice",
                        window.label(),
                        proposal.key.dimension,
                        proposal.key.customer
                    ));
                }
            }
        }
    }
    for work in works {
        for line in &work.assessment.lines {
            let Some(difference) = &line.difference else { continue };
            let origin = (work.sink, line.key.id());
            let is_carried = matches!(difference.place, Place::Carried(_));
            let found = taken.get(&origin).copied();
            if is_carried && found != difference.quantity || !is_carried && found.is_some() {
                let (window, key) = (work.window.label(), &line.key);
                return Err(format!(
                    "{window}: the late usage of {} for {} is not carried as it is said to be",
                    key.customer, key.dimension
                ));
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Sums {
    used: DecimalSum,
    columns: BTreeMap<Column, DecimalSum>,
    carried_in: DecimalSum,
    rounding: DecimalSum,
    left_over: DecimalSum,
    sent: DecimalSum,
}

/// What became of the quantities of one sink's window, by dimension of its charges, ascending; without those whose sums have too many digits.
pub(super) fn quantities(assessment: &Assessment, stands: &[Stand<'_>]) -> Vec<Quantities> {
    let proposals: HashMap<ChargeId, &Proposal> =
        assessment.proposals.iter().map(|proposal| (proposal.key.id(), proposal)).collect();
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for stand in stands.iter().filter(|stand| stand.line.is_known) {
        let line = stand.line;
        let sums = sums.entry(&line.key.dimension).or_default();
        sums.used.add(line.own);
        let state = Column::from(stand.state);
        let frozen = stand.charge.map(|charge| charge.charge());
        if line.is_late && frozen.is_none() {
            sums.late(stand, line.own);
            sums.sent.add(line.more_by_hand);
            continue;
        }
        let Some(charge) = frozen else {
            sums.columns.entry(state).or_default().add(line.own);
            if line.by_hand.is_some() {
                sums.charge(line.own, line.quantity, &[], None);
            }
            if matches!(stand.state, LineState::WouldBill | LineState::Zero) || line.published.is_some() {
                let proposal = line.id.and_then(|id| proposals.get(&id));
                proposal.into_iter().for_each(|proposal| {
                    sums.charge(proposal.exact, proposal.quantity, &proposal.carried, proposal.remainder)
                });
            }
            continue;
        };
        let own = charge.own().unwrap_or(Decimal::ZERO);
        sums.columns.entry(state).or_default().add(own);
        sums.late(stand, line.own.checked_sub(own).unwrap_or(Decimal::ZERO));
        if state != Column::Waived {
            sums.charge(charge.exact(), charge.quantity(), charge.carried(), charge.remainder());
        }
        sums.sent.add(line.more_by_hand);
    }
    sums.into_iter().filter_map(|(dimension, sums)| sums.finish(dimension)).collect()
}

impl Sums {
    /// Takes in what of a line's usage is not part of a charge of its own.
    fn late(&mut self, stand: &Stand<'_>, all: Decimal) {
        let line = stand.line;
        self.columns.entry(Column::Carried).or_default().add(line.carried_before);
        self.columns.entry(Column::BilledBefore).or_default().add(line.more_by_hand);
        let rest = [line.carried_before, line.more_by_hand].into_iter().try_fold(all, Decimal::checked_sub);
        if let Some(rest) = rest.filter(|rest| !rest.is_zero()) {
            // What differs while something cannot be used is in doubt, and so held with that.
            let column = line.difference.as_ref().and_then(|_| stand.late()).unwrap_or(Column::Held);
            self.columns.entry(column).or_default().add(rest);
        }
    }

    /// Takes in what is sent of a charge.
    fn charge(&mut self, exact: Decimal, quantity: Decimal, carried: &[Carried], remainder: Option<Remainder>) {
        carried.iter().for_each(|carried| self.carried_in.add(carried.quantity));
        match remainder {
            Some(Remainder { before, after }) => {
                after.checked_sub(before).into_iter().for_each(|more| self.left_over.add(more));
            }
            None => quantity.checked_sub(exact).into_iter().for_each(|more| self.rounding.add(more)),
        }
        self.sent.add(quantity);
    }

    fn finish(self, dimension: &str) -> Option<Quantities> {
        let of = |column: Column| self.columns.get(&column).map_or(Some(Decimal::ZERO), DecimalSum::finish);
        Some(Quantities {
            dimension: dimension.to_owned(),
            used: self.used.finish()?,
            billed: of(Column::Billed)?,
            billed_before: of(Column::BilledBefore)?,
            carried: of(Column::Carried)?,
            open: of(Column::Open)?,
            held: of(Column::Held)?,
            waived: of(Column::Waived)?,
            zero: of(Column::Zero)?,
            carried_in: self.carried_in.finish()?,
            rounding: self.rounding.finish()?,
            left_over: self.left_over.finish()?,
            sent: self.sent.finish()?,
        })
    }
}

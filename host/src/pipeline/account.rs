//! The closing sum: where every item of a window went, and the proof that none is missing.

use std::collections::HashMap;

use super::charges::{Assessed, Assessment, Place};
use super::gathered::{Reading, key};
use super::tally::Pair;
use crate::ledger::ChargeState;
use crate::model::lines::{ChargeLine, Excluded};
use crate::report::{Items, LineState};

/// What does not add up, in words for a person.
pub(super) struct Flaw {
    /// The position of the aggregator that answered it, if it is known.
    pub(super) aggregate: Option<usize>,
    pub(super) text: String,
}

/// Checks what the aggregators answered against what they were given. `given_to` says which of them is given a dimension.
///
/// # Errors
/// The first flaw.
pub(super) fn verify(reading: &Reading, given_to: &dyn Fn(&str) -> Option<usize>) -> Result<(), Flaw> {
    let mut used: HashMap<&Pair, u64> = reading.tally.iter().map(|(pair, records)| (pair, *records)).collect();
    for excluded in &reading.excluded {
        let pair = pair(&excluded.product, &excluded.customer, &excluded.dimension);
        let left = used.get_mut(&pair).and_then(|used| {
            *used = used.checked_sub(excluded.records)?;
            Some(())
        });
        if left.is_none() {
            let Excluded { rule, records, dimension, customer, .. } = excluded;
            let records = counted(*records);
            let text = format!(
                "it says that the rule `{rule}` left out {records} of {dimension} for {customer}, which is more than it was given"
            );
            return Err(Flaw { aggregate: given_to(dimension), text });
        }
    }
    let mut stands_for: HashMap<Pair, u64> = HashMap::new();
    for (aggregate, line) in &reading.lines {
        let flaw = |text| Flaw { aggregate: Some(*aggregate), text };
        well_formed(line).map_err(flaw)?;
        for (dimension, records) in &line.origins {
            let pair = pair(&line.product, &line.customer, dimension);
            let most = used.get(&pair).copied().unwrap_or_default();
            if *records > most {
                return Err(flaw(format!(
                    "it made {} of {} from {} of {dimension}, and was given {most}",
                    line.dimension,
                    line.customer,
                    counted(*records)
                )));
            }
            *stands_for.entry(pair).or_default() += records;
        }
    }
    let stands = |pair: &Pair| stands_for.get(pair).copied().unwrap_or_default();
    if let Some((pair, used)) = used.into_iter().filter(|(pair, used)| stands(pair) < *used).min() {
        let text = format!(
            "it was given {} of {} for {}, and its charges and rules account for {}",
            counted(used),
            pair.dimension,
            pair.customer,
            stands(pair)
        );
        return Err(Flaw { aggregate: given_to(&pair.dimension), text });
    }
    for lines in reading.lines.windows(2) {
        if let [(aggregate, left), (_, right)] = lines
            && key(left) == key(right)
        {
            let text = format!("the charge of {} for {} comes twice", left.customer, left.dimension);
            return Err(Flaw { aggregate: Some(*aggregate), text });
        }
    }
    Ok(())
}

/// What a charge needs to be one that a doubt about its usage can find, and that the ledger can take.
fn well_formed(line: &ChargeLine) -> Result<(), String> {
    let whose = format!("its charge of {} for {}", line.customer, line.dimension);
    if line.customer.is_empty() || line.dimension.is_empty() {
        return Err("a charge of it has no customer or no dimension".to_owned());
    }
    if line.origins.iter().all(|(_, records)| *records == 0) {
        return Err(format!("{whose} is made from no record"));
    }
    if !line.tags.is_sorted_by(|(left, _), (right, _)| left < right) {
        return Err(format!("{whose} has tags that are not sorted by name, or a name twice"));
    }
    Ok(())
}

/// `1 record`, `2 records`.
pub(super) fn counted(records: u64) -> String {
    format!("{records} record{}", if records == 1 { "" } else { "s" })
}

fn pair(product: &str, customer: &str, dimension: &str) -> Pair {
    Pair { product: product.to_owned(), customer: customer.to_owned(), dimension: dimension.to_owned() }
}

/// A line, and how what is frozen of it stands.
pub(super) struct Stand<'a> {
    pub(super) line: &'a Assessed,
    /// The charge that it is, if it is frozen.
    pub(super) charge: Option<&'a ChargeState>,
    /// Of the charge; of what is not frozen, of that.
    pub(super) state: LineState,
}

/// Where a part of a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Zero,
    Waived,
    BilledBefore,
    Billed,
    Carried,
    Open,
    Held,
}

impl From<LineState> for Column {
    fn from(state: LineState) -> Self {
        match state {
            LineState::Zero => Column::Zero,
            LineState::Waived => Column::Waived,
            LineState::BilledBefore => Column::BilledBefore,
            LineState::Billed | LineState::WouldBill => Column::Billed,
            LineState::Pending | LineState::Rejected | LineState::Unknown => Column::Open,
            LineState::Held => Column::Held,
        }
    }
}

impl Stand<'_> {
    /// Where what came after its charge was frozen goes, if something did.
    pub(super) fn late(&self) -> Option<Column> {
        let place = self.line.difference.as_ref().map(|difference| match difference.place {
            Place::Held => Column::Held,
            Place::Carried(_) | Place::Waits(_) => Column::Carried,
            Place::Settled(_) => Column::Waived,
            Place::ByHand(_) => Column::BilledBefore,
        });
        // Of what has no charge of its own, a doubt holds all.
        let held = (self.line.is_late && self.line.held.is_some()).then_some(Column::Held);
        place
            .or(held)
            .or_else(|| (!self.line.carried_before.is_zero()).then_some(Column::Carried))
            .or_else(|| (!self.line.more_by_hand.is_zero()).then_some(Column::BilledBefore))
    }

    /// How many records of a dimension of an owner its charge was frozen from.
    fn frozen_from(&self, owner: (&str, &str), dimension: &str) -> u64 {
        // Of a queue, what was frozen before is not read again.
        let charge = self.charge.filter(|_| !self.line.is_new_alone);
        let shares = charge.into_iter().flat_map(|charge| charge.charge().shares());
        let origins = shares.filter(|share| share.owner() == owner).flat_map(|share| share.origins);
        origins.filter(|(name, _)| name == dimension).map(|(_, records)| *records).sum()
    }
}

/// Counts the items of one sink's window by what became of the charges they went into. An item behind several charges counts where
/// the worst of them is; those that came after their charge was frozen, where that difference is.
pub(super) fn items(assessment: &Assessment, stands: &[Stand<'_>]) -> Items {
    /// Where the items of a pair are: those that were frozen, or would be; and how many came later, and where they are.
    struct Worst {
        column: Option<Column>,
        late: Option<(Column, u64)>,
    }
    let mut worst: HashMap<Pair, Worst> = HashMap::new();
    for stand in stands {
        let late = stand.late();
        for share in stand.line.shares() {
            for (dimension, records) in share.origins.iter().filter(|(_, records)| *records > 0) {
                let entry = worst.entry(pair(share.product, share.customer, dimension));
                let entry = entry.or_insert(Worst { column: None, late: None });
                let Some(late) = late else {
                    entry.column = entry.column.max(Some(stand.state.into()));
                    continue;
                };
                let frozen = stand.frozen_from(share.owner(), dimension);
                if frozen > 0 {
                    entry.column = entry.column.max(Some(stand.state.into()));
                }
                if let Some(more) = records.checked_sub(frozen).filter(|more| *more > 0) {
                    let (column, most) = entry.late.unwrap_or((late, more));
                    entry.late = Some((column.max(late), most.max(more)));
                }
            }
        }
    }
    let Assessment { quarantined, waived, duplicates: duplicate, .. } = *assessment;
    let read = quarantined + waived + duplicate;
    let mut items = Items { quarantined, waived, duplicate, read, ..Items::default() };
    let mut place = |column: Option<Column>, records: u64| {
        let place = match column {
            Some(Column::Held) => &mut items.held,
            Some(Column::Open) => &mut items.open,
            Some(Column::Carried) => &mut items.carried,
            Some(Column::Billed) => &mut items.billed,
            Some(Column::BilledBefore) => &mut items.billed_before,
            Some(Column::Waived) => &mut items.waived,
            Some(Column::Zero) => &mut items.zero,
            None => &mut items.elsewhere,
        };
        *place += records;
    };
    let mut excluded_in_all = 0;
    let mut read_in_all = 0;
    for (pair, &records) in &assessment.tally {
        let excluded = assessment.excluded.get(pair).copied().unwrap_or_default().min(records);
        (read_in_all, excluded_in_all) = (read_in_all + records, excluded_in_all + excluded);
        let used = records - excluded;
        match worst.get(pair) {
            None => place(None, used),
            Some(Worst { column, late: None }) => place(*column, used),
            Some(Worst { column, late: Some((late, more)) }) => {
                let more = (*more).min(used);
                // All of it came later, where nothing was frozen from this pair.
                let more = if column.is_none() { used } else { more };
                place(Some(*late), more);
                place(*column, used - more);
            }
        }
    }
    items.read += read_in_all;
    items.excluded += excluded_in_all;
    items
}

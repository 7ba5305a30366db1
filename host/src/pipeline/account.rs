//! The closing sum: where every item of a window went, and the proof that none is missing.

use std::collections::HashMap;

use super::charges::Assessment;
use super::gathered::{Reading, key};
use super::tally::Pair;
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

/// Counts the items of one sink's window by what became of the charges they went into. An item behind several charges counts where
/// the worst of them is. `states` has one state a line of the assessment.
pub(super) fn items(assessment: &Assessment, states: &[LineState]) -> Items {
    let mut worst: HashMap<Pair, LineState> = HashMap::new();
    for (line, state) in assessment.lines.iter().zip(states) {
        for share in line.shares() {
            for (dimension, _) in share.origins.iter().filter(|(_, records)| *records > 0) {
                let entry = worst.entry(pair(share.product, share.customer, dimension)).or_insert(*state);
                if weight(*state) > weight(*entry) {
                    *entry = *state;
                }
            }
        }
    }
    let Assessment { quarantined, waived, duplicates: duplicate, .. } = *assessment;
    let read = quarantined + waived + duplicate;
    let mut items = Items { quarantined, waived, duplicate, read, ..Items::default() };
    for (pair, &records) in &assessment.tally {
        let excluded = assessment.excluded.get(pair).copied().unwrap_or_default().min(records);
        items.read += records;
        items.excluded += excluded;
        let used = records - excluded;
        let place = match worst.get(pair) {
            Some(LineState::Held) => &mut items.held,
            Some(LineState::Pending | LineState::Rejected | LineState::Unknown) => &mut items.open,
            Some(LineState::Billed | LineState::WouldBill) => &mut items.billed,
            Some(LineState::BilledBefore) => &mut items.billed_before,
            Some(LineState::Waived) => &mut items.waived,
            Some(LineState::Zero) => &mut items.zero,
            None => &mut items.elsewhere,
        };
        *place += used;
    }
    items
}

fn weight(state: LineState) -> u8 {
    match state {
        LineState::Zero => 0,
        LineState::Waived => 1,
        LineState::BilledBefore => 2,
        LineState::Billed | LineState::WouldBill => 3,
        LineState::Pending => 4,
        LineState::Rejected => 5,
        LineState::Unknown => 6,
        LineState::Held => 7,
    }
}

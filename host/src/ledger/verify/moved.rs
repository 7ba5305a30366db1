//! Of rows that do not follow what stands before them: which stand in each other's place, which are not what was written, and which are,
//! behind something that is not.

use std::collections::{BTreeSet, HashSet};

use super::finding::{Finding, Spot};
use crate::ledger::row::{Hash, Head, Row};

/// Of so many rows it is tried which entry they are. More have another cause than a few that changed places.
const MOST: usize = 24;

/// A row that does not follow.
pub(super) struct Suspect {
    pub(super) row: Row,
    /// What stands before it.
    pub(super) before: Head,
    /// Whether entries are missing before it: then nobody can say whether it would follow them.
    pub(super) is_behind_a_gap: bool,
}

/// Numbers without a row.
pub(super) struct Gap {
    pub(super) first: u64,
    pub(super) last: u64,
    /// What stands before it.
    pub(super) before: Head,
}

/// What became of a suspect.
enum Is {
    /// What was written under its number.
    Itself,
    /// What was written under this number.
    Another(u64),
    Unknown,
}

/// What is to be said of these rows, and where the ledger ends without those that stand in a wrong place.
pub(super) fn sort_out(suspects: Vec<Suspect>, gaps: Vec<Gap>, mut end: Head) -> (Head, Vec<Finding>) {
    let numbers = numbers(&suspects, &gaps);
    let hashes = hashes(&suspects, &gaps);
    let mut findings = Vec::new();
    let mut missing: Vec<(u64, u64)> = gaps.iter().map(|gap| (gap.first, gap.last)).collect();
    let mut found = BTreeSet::new();
    let mut displaced = Vec::new();
    for (index, suspect) in suspects.iter().enumerate() {
        let number = suspect.row.number;
        let spot = Spot::Entries(number, number);
        let is = if index < MOST { recognised(suspect, &numbers, &hashes) } else { Is::Unknown };
        match is {
            Is::Itself => {}
            Is::Another(other) => {
                found.insert(other);
                missing.push((number, number));
                displaced.push(suspect);
                findings.push(Finding { spot, fault: format!("what stands there was written as entry {other}") });
            }
            Is::Unknown if suspect.is_behind_a_gap => {}
            Is::Unknown if number == 0 || i64::try_from(number).is_err() || number <= suspect.before.number => {
                let fault = format!("no entry of this number can stand there, behind entry {}", suspect.before.number);
                findings.push(Finding { spot, fault });
            }
            Is::Unknown => findings.push(changed(number)),
        }
    }
    if findings.is_empty() && gaps.is_empty() {
        // Each follows something, and not what stands before it.
        findings.extend(suspects.iter().map(|suspect| changed(suspect.row.number)));
    }
    // What stands at the end under a number that is not its own says nothing of how far the ledger goes.
    for suspect in displaced.iter().rev() {
        if suspect.row.number == end.number {
            end = suspect.before;
        }
    }
    for (first, last) in without(joined(missing), &found) {
        if first <= end.number {
            let fault = if first == last { "it is missing" } else { "they are missing" };
            findings.push(Finding { spot: Spot::Entries(first, last.min(end.number)), fault: fault.to_owned() });
        }
    }
    (end, findings)
}

/// Whoever changes an entry and makes its hash anew leaves the next one as the first that does not follow.
fn changed(number: u64) -> Finding {
    let fault = match number {
        1 => "it is not what was written",
        _ => "it is not what was written, unless the one before it was replaced together with its hash",
    };
    Finding { spot: Spot::Entries(number, number), fault: fault.to_owned() }
}

/// Under which number it was written: one under which it follows from a hash that is there.
fn recognised(suspect: &Suspect, numbers: &BTreeSet<u64>, hashes: &[Hash]) -> Is {
    let mut row = suspect.row.clone();
    let is = |row: &Row| hashes.iter().any(|hash| row.hash_after(hash) == row.hash);
    if is(&row) {
        return Is::Itself;
    }
    let own = suspect.row.number;
    let beside = [own.wrapping_sub(1), own.wrapping_add(1)];
    for number in numbers.iter().copied().chain(beside) {
        row.number = number;
        if is(&row) {
            return Is::Another(number);
        }
    }
    Is::Unknown
}

/// The numbers that a row may have had.
fn numbers(suspects: &[Suspect], gaps: &[Gap]) -> BTreeSet<u64> {
    let of_gaps = gaps.iter().flat_map(|gap| gap.first..=gap.last).take(MOST);
    suspects.iter().take(MOST).map(|suspect| suspect.row.number).chain(of_gaps).collect()
}

/// The hashes that may have stood before a row.
fn hashes(suspects: &[Suspect], gaps: &[Gap]) -> Vec<Hash> {
    let of_suspects = suspects.iter().take(MOST).flat_map(|suspect| [suspect.before.hash, suspect.row.hash]);
    let of_gaps = gaps.iter().take(MOST).map(|gap| gap.before.hash);
    let mut seen = HashSet::new();
    std::iter::once(Hash::default()).chain(of_suspects).chain(of_gaps).filter(|hash| seen.insert(*hash)).collect()
}

/// Ranges, ascending, those that touch as one.
fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Ranges without these numbers.
fn without(ranges: Vec<(u64, u64)>, taken: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut left = Vec::new();
    for (mut first, last) in ranges {
        for &number in taken.range(first..=last) {
            if number > first {
                left.push((first, number - 1));
            }
            first = number + 1;
        }
        if first <= last {
            left.push((first, last));
        }
    }
    left
}

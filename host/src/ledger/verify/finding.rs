//! Something that is not as it was written, and where.

use std::fmt;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub spot: Spot,
    /// What is wrong there, in words for a person.
    pub fault: String,
}

/// A part of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The file as a whole.
    File,
    /// The entries with the numbers from the first to the second.
    Entries(u64, u64),
    /// An object, by its key below the ledger's prefix.
    Object(String),
    /// What is kept apart of the ledger's end.
    Head,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spot::File => f.write_str("the file"),
            // SQLite has numbers below 0 too.
            Spot::Entries(first, last) if first == last => write!(f, "entry {}", first.cast_signed()),
            Spot::Entries(first, last) => write!(f, "entries {} to {}", first.cast_signed(), last.cast_signed()),
            Spot::Object(key) => f.write_str(key),
            Spot::Head => f.write_str("the head"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.spot, self.fault)
    }
}

/// In the order of their places; entries one behind the other of which the same is to be said are one.
pub(super) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| left.spot.cmp(&right.spot));
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        if let (Some(Finding { spot: Spot::Entries(_, end), fault }), Spot::Entries(first, last)) =
            (merged.last_mut(), &finding.spot)
            && *fault == finding.fault
            && end.checked_add(1) == Some(*first)
        {
            *end = *last;
            continue;
        }
        merged.push(finding);
    }
    merged
}

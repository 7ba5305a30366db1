//! Where a ledger ends, against the head that is kept apart.

use super::Kept;
use crate::ledger::row::Head;

/// How a ledger does not fit its head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no head, where a ledger of this length has one.
    #[error("it is not there")]
    Absent,
    /// The head says nothing that makes sense.
    #[error("{0}")]
    Unreadable(String),
    /// The head speaks of entries that are not there.
    #[error("it says that entry {} was written, and the ledger ends with entry {}", kept.number, end.number)]
    Shorter {
        /// What the head says.
        kept: Head,
        /// Where the ledger ends.
        end: Head,
    },
    /// The head speaks of an entry that another stands in the place of.
    #[error("it speaks of another entry {} than the one that the ledger has", .0.number)]
    Another(Head),
    /// The ledger goes on behind what the head says, further than a crash leaves it.
    #[error(
        "it says that the ledger ends with entry {}, and the ledger ends with entry {}: further than a crash can leave it",
        kept.number,
        end.number
    )]
    Older {
        /// What the head says.
        kept: Head,
        /// Where the ledger ends.
        end: Head,
    },
    /// There is a head, and no ledger.
    #[error("the ledger itself is gone{}", last(.0))]
    Gone(Option<Head>),
}

fn last(head: &Option<Head>) -> String {
    head.map(|head| format!("; it ended with entry {}", head.number)).unwrap_or_default()
}

impl Unfit {
    /// What the head says, if it says something.
    pub fn kept(&self) -> Option<Head> {
        match self {
            Unfit::Absent | Unfit::Unreadable(_) => None,
            Unfit::Shorter { kept, .. } | Unfit::Another(kept) | Unfit::Older { kept, .. } => Some(*kept),
            Unfit::Gone(kept) => *kept,
        }
    }

    /// Whether entries may have been written that the ledger does not have.
    pub fn may_have_lost(&self) -> bool {
        !matches!(self, Unfit::Older { .. })
    }
}

/// How a ledger that ends so does not fit its head: `kept` is what was kept when it was read, `now` what is kept since.
/// `meets_head` says that what was kept is one of its entries, `is_cut_off` that something behind its end cannot be read.
pub(super) fn unfit(kept: Kept, now: Kept, end: &Head, meets_head: bool, is_cut_off: bool) -> Option<Unfit> {
    match (kept, now) {
        (Err(fault), _) => Some(Unfit::Unreadable(fault)),
        // Before the first step was kept, there is none.
        (Ok(None), _) => (end.step > 1).then_some(Unfit::Absent),
        // What cannot be read is named already.
        // Where nothing is left, there is no end to go on from.
        (Ok(Some(kept)), _) if end.number == 0 && kept.number > 0 && !is_cut_off => Some(Unfit::Gone(Some(kept))),
        (Ok(Some(kept)), _) if !meets_head && kept.number > end.number => {
            (!is_cut_off).then_some(Unfit::Shorter { kept, end: *end })
        }
        (Ok(Some(kept)), _) if !meets_head => Some(Unfit::Another(kept)),
        (_, Ok(Some(now))) if end.step > now.step + 1 => Some(Unfit::Older { kept: now, end: *end }),
        _ => None,
    }
}

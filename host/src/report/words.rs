//! What a report calls what becomes of charges: a sink bills them, or publishes them in complete sets; in a dry run, it would.

use super::{Report, WindowReport};

/// Which words are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) dry_run: bool,
    publishes: Publishes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Publishes {
    Nothing,
    Everything,
    /// Of several windows, some are billed and some are published.
    Some,
}

impl Words {
    /// Of one window.
    pub(super) fn of(window: &WindowReport, dry_run: bool) -> Words {
        Words { dry_run, publishes: if window.publishes { Publishes::Everything } else { Publishes::Nothing } }
    }

    /// Of all windows together.
    pub(super) fn of_all(report: &Report) -> Words {
        let published = report.windows.iter().filter(|window| window.publishes).count();
        let publishes = match published {
            0 => Publishes::Nothing,
            all if all == report.windows.len() => Publishes::Everything,
            _ => Publishes::Some,
        };
        Words { dry_run: report.dry_run, publishes }
    }

    /// What a run makes of them, or would.
    pub(super) fn done(self) -> &'static str {
        match (self.publishes, self.dry_run) {
            (Publishes::Nothing, false) => "billed",
            (Publishes::Nothing, true) => "would be billed",
            (Publishes::Everything, false) => "published",
            (Publishes::Everything, true) => "would be published",
            (Publishes::Some, false) => "billed or published",
            (Publishes::Some, true) => "would be billed or published",
        }
    }

    /// What was so before it.
    pub(super) fn before(self) -> &'static str {
        match self.publishes {
            Publishes::Nothing => "billed before",
            Publishes::Everything => "published before",
            Publishes::Some => "billed or published before",
        }
    }

    /// The same words of what is not in question any more.
    pub(super) fn of_a_run(self) -> Words {
        Words { dry_run: false, ..self }
    }

    /// What there is to do.
    pub(super) fn to_do(self) -> &'static str {
        match self.publishes {
            Publishes::Nothing => "bill",
            Publishes::Everything => "publish",
            Publishes::Some => "bill or publish",
        }
    }

    /// Whether sets are published, and nothing else.
    pub(super) fn publishes(self) -> bool {
        self.publishes == Publishes::Everything
    }
}

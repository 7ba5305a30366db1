//! What a run says at its end: one document, read by a person (`text`, or `html` for a page to be passed on) or by a program
//! (`json`); and how it goes until then (`progress`).

mod html;
mod json;
pub mod progress;
mod text;
mod words;

use meterhost_decimal::Decimal;
use serde::Serialize;

use crate::ledger::{Head, Place};

pub use json::{document, tags as pairs};
pub use text::{Style, write_trail};

/// How a run ended. The numbers are the process's exit codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "u8")]
pub enum Exit {
    /// Everything that was due is final.
    #[default]
    Final,
    /// Something that was due is open.
    Open,
    /// The configuration is wrong; nothing was touched.
    Configuration,
    /// A plugin trapped, ran over a limit or asked for what its grants do not hold.
    Plugin,
    /// The ledger or a state document cannot be read or written.
    Ledger,
    /// Another run holds the ledger.
    Held,
    /// Interrupted; the ledger is consistent.
    Interrupted,
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> u8 {
        match exit {
            Exit::Final => 0,
            Exit::Open => 1,
            Exit::Configuration => 2,
            Exit::Plugin => 3,
            Exit::Ledger => 4,
            Exit::Held => 5,
            Exit::Interrupted => 130,
        }
    }
}

impl Exit {
    /// The exit of two things that both hold: 4 before 130 before 3 before 1; the others stand alone.
    pub fn and(self, other: Exit) -> Exit {
        let weight = |exit: Exit| match exit {
            Exit::Final => 0,
            Exit::Open => 1,
            Exit::Plugin => 2,
            Exit::Interrupted => 3,
            Exit::Ledger => 4,
            Exit::Configuration => 5,
            Exit::Held => 6,
        };
        if weight(self) >= weight(other) { self } else { other }
    }
}

/// The whole document.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run's id; none in a dry run.
    pub run: Option<String>,
    /// Whether nothing was to change.
    pub dry_run: bool,
    /// How it ended.
    pub exit: Exit,
    /// The earliest moment at which something that is not due yet will be, in UTC, as RFC 3339.
    pub next_due: Option<String>,
    /// Windows that are over and are not taken up, because their data is not complete yet, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// Each window that was taken up, by sink, oldest first.
    pub windows: Vec<WindowReport>,
    /// Each month of a sink that publishes complete sets, as far as the run looked at it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publications: Vec<PublicationReport>,
    /// What stands in the way of exit 0, and what to do about it.
    pub problems: Vec<Problem>,
    /// Worth knowing, and no problem.
    pub notes: Vec<String>,
    /// Where the ledger ends; none where there is no ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerEnd>,
}

/// A month of a sink that publishes complete sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicationReport {
    /// The sink's name.
    pub sink: String,
    /// The month, by its label: `2025-06`.
    pub period: String,
    /// What became of it.
    pub state: PublicationState,
    /// Charges that it has by now.
    pub charges: u64,
    /// The first window that is due and was never read, if the month waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// The set that readers are shown: the plugin's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Objects or requests that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u32>,
    /// How large they are together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What its columns add up to that are amounts, by name: decimals.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "json::tags")]
    pub totals: Vec<(String, String)>,
    /// Why it stays, where a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
}

/// What became of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicationState {
    /// A dry run would publish it.
    WouldPublish,
    /// Readers are shown a new set.
    Published,
    /// Readers are shown the same set as before.
    Unchanged,
    /// Readers are shown what a person said, until that is released.
    Pinned,
    /// Windows of it that are due were never read.
    Waits,
    /// Nothing was ever published of it, and it has no charges.
    Nothing,
    /// It could not be published; the problems say why.
    Failed,
}

/// Where a ledger ends. Kept somewhere else, it tells later whether the ledger still is what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerEnd {
    /// The ledger, as somebody names it who has the pipeline's file before them.
    pub place: String,
    /// How many entries there are, of all pipelines that share it.
    pub entries: u64,
    /// The last one's hash, which follows from all of them: 64 hexadecimal digits.
    pub hash: String,
}

impl LedgerEnd {
    /// Of the ledger at this place, which ends so; nothing where nothing was written.
    pub fn of(place: &Place, head: Head) -> Option<LedgerEnd> {
        let Head { number: entries, hash, .. } = head;
        (entries > 0).then(|| LedgerEnd { place: place.short_name(), entries, hash: hash.to_string() })
    }
}

/// A window that waits for its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// Its label: `2025-06`.
    pub window: String,
    /// The instant that the data reaches to, in UTC, as RFC 3339; none if the source failed to say it.
    pub complete_until: Option<String>,
    /// Whether it waits for longer than `complete_by`, which is a problem.
    pub overdue: bool,
}

/// One window of one sink.
#[derive(Debug, Clone, Serialize)]
pub struct WindowReport {
    /// Its label: `2025-06`.
    pub window: String,
    /// The sink's name.
    pub sink: String,
    /// Whether the sink publishes its charges in complete sets: what is billed below is published then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub publishes: bool,
    /// Whether all its charges are final and nothing is held; in a dry run, whether that would be so.
    pub settled: bool,
    /// What became of the items (records times dimensions) that were read for it.
    pub records: Items,
    /// What became of the quantities, by dimension of the charges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantities: Vec<Quantities>,
    /// What became of its charges.
    pub charges: Charges,
    /// The charges one by one, ascending by customer and dimension.
    pub lines: Vec<Line>,
    /// What was left out, by rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<LeftOut>,
    /// The window that it is compared with, by its label: the last settled one before it; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// What was billed in that window, and has no line in this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// What was billed in the window that is compared with, and of which there is nothing now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The product, if there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The customer.
    pub customer: String,
    /// The dimension.
    pub dimension: String,
    /// Sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "json::tags")]
    pub tags: Vec<(String, String)>,
    /// What it came to then, before rounding: a decimal.
    pub before: String,
}

/// What a rule left out of one dimension, of all customers together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The rule's name, as the aggregator gives it.
    pub rule: String,
    /// As in the usage.
    pub dimension: String,
    /// How many records.
    pub records: u64,
    /// What they add up to: a decimal; none where that has too many digits.
    pub quantity: Option<String>,
}

/// Where the items of a window went. `read` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Items {
    /// Items read.
    pub read: u64,
    /// In charges that this run made final (in a dry run: would make).
    pub billed: u64,
    /// In charges that were final before this run.
    pub billed_before: u64,
    /// In a charge of a later window, since their own was frozen before they were found; or to be.
    pub carried: u64,
    /// In charges that are open.
    pub open: u64,
    /// Held: in lines that are kept back.
    pub held: u64,
    /// Unusable records.
    pub quarantined: u64,
    /// Not to be billed, as a person said.
    pub waived: u64,
    /// Read more than once: the same id and the same contents as another, with `dedupe`.
    pub duplicate: u64,
    /// Left out by a named rule.
    pub excluded: u64,
    /// In charges of which nothing is to be sent: they come to zero.
    pub zero: u64,
    /// In dimensions that another sink takes.
    pub elsewhere: u64,
}

impl Items {
    /// What is accounted for: the sum of everything but `read`.
    pub fn total(&self) -> u128 {
        let Items {
            read: _,
            billed,
            billed_before,
            carried,
            open,
            held,
            quarantined,
            waived,
            duplicate,
            excluded,
            zero,
            elsewhere,
        } = *self;
        let places =
            [billed, billed_before, carried, open, held, quarantined, waived, duplicate, excluded, zero, elsewhere];
        places.into_iter().map(u128::from).sum()
    }

    /// Whether everything that was read is accounted for. A run for which this is false has failed.
    pub fn closes(&self) -> bool {
        u128::from(self.read) == self.total()
    }
}

/// Where the quantities of a window went, for one dimension of its charges. Before rounding, `used` is the sum of what stands between it
/// and `zero`; and what is `sent` is what was frozen of that, with what is carried in, rounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quantities {
    /// The dimension, as the sink knows it.
    pub dimension: String,
    /// What the aggregators made of the usage.
    pub used: Decimal,
    /// In charges that this run made final (in a dry run: would make).
    pub billed: Decimal,
    /// In charges that were final before this run.
    pub billed_before: Decimal,
    /// Found after its charge was frozen, and billed with a later window; or to be.
    pub carried: Decimal,
    /// In charges that are open.
    pub open: Decimal,
    /// Kept back; below zero where less is there now than was frozen.
    pub held: Decimal,
    /// Not to be billed, as a person said.
    pub waived: Decimal,
    /// In what comes to zero once it is rounded, and is not sent.
    pub zero: Decimal,
    /// Late usage of earlier windows that this one's charges bill besides.
    pub carried_in: Decimal,
    /// What rounding added to the charges, or took away.
    pub rounding: Decimal,
    /// What rounding left over for later charges; below zero where they took more than they left.
    pub left_over: Decimal,
    /// What is sent, of charges that were or are to be.
    pub sent: Decimal,
}

impl Quantities {
    /// Whether all that was used is accounted for.
    pub fn closes(&self) -> bool {
        let parts = [self.billed, self.billed_before, self.carried, self.open, self.held, self.waived, self.zero];
        parts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add) == Some(self.used)
    }

    /// Whether there is more to say of it than that everything was sent as it was used.
    pub fn is_plain(&self) -> bool {
        let others = [
            self.carried,
            self.open,
            self.held,
            self.waived,
            self.zero,
            self.carried_in,
            self.rounding,
            self.left_over,
        ];
        others.into_iter().all(Decimal::is_zero)
    }
}

/// How many charges of a window are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Charges {
    /// Made final by this run (in a dry run: would be).
    pub billed: u64,
    /// Final before this run.
    pub billed_before: u64,
    /// Frozen, not yet offered or not yet looked at by the sink.
    pub pending: u64,
    /// Refused by the sink.
    pub rejected: u64,
    /// Offered without a clear answer.
    pub unknown: u64,
    /// Kept back.
    pub held: u64,
    /// Not to be billed, as a person said.
    pub waived: u64,
    /// Not to be sent, since they come to zero.
    pub zero: u64,
}

/// One charge, or a quantity that would be one if it were not held.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The charge's id; none if it is not frozen.
    pub id: Option<String>,
    /// Of what is held and not frozen: the id that it would have, by which a person speaks of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_be: Option<String>,
    /// The product, if there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The customer.
    pub customer: String,
    /// The dimension.
    pub dimension: String,
    /// Sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "json::tags")]
    pub tags: Vec<(String, String)>,
    /// As it is or would be sent: a decimal.
    pub quantity: String,
    /// Before rounding, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// What was frozen of this window before, in its charge and in those that took late usage of it, where usage now says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// What the same customer was billed for the same dimension in the window that is compared with, before rounding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The change since then in percent, rounded to one digit: `+12.5`; none where there was nothing to compare with, or nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Records behind it.
    pub records: u64,
    /// Whose usage stands behind it, where a table of customers says whom to bill.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LinePart>,
    /// Late usage of earlier windows that is part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<LineCarried>,
    /// Until when the sink accepts it, where it is open and the sink says so, in UTC, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_until: Option<String>,
    /// What became of it.
    pub state: LineState,
    /// Why, where it is not final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The service's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The usage of one customer behind a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinePart {
    /// The product, as in the usage, if there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The customer, as in the usage.
    pub customer: String,
    /// Before rounding: a decimal.
    pub quantity: String,
    /// Records behind it.
    pub records: u64,
}

/// Late usage of an earlier window in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineCarried {
    /// The window that it was used in, by its label.
    pub window: String,
    /// Before rounding: a decimal.
    pub quantity: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineState {
    /// A dry run would offer it.
    WouldBill,
    /// Made final by this run.
    Billed,
    /// Final before this run.
    BilledBefore,
    /// Frozen and not offered, or surely not looked at.
    Pending,
    /// Refused.
    Rejected,
    /// No clear answer.
    Unknown,
    /// Kept back.
    Held,
    /// Not to be billed, as a person said.
    Waived,
    /// It comes to zero, and the sink is not sent such charges. Not frozen; later usage makes it a first charge.
    Zero,
}

/// What stands in the way of exit 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A short stable name: `held`, `rejected`, `unknown`, `unreadable`, `quarantined`, `plugin-trapped`, `denied`.
    pub code: &'static str,
    /// The plugin, with its version: `sink.clazar (clazar 0.1.0)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The step: `reading`, `aggregating`, `delivering`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The input or charge: `2025/06/01/00/sub-a.json, record 3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// What happened, in plain words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The chain of causes, shown with `-v`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Problem {
    /// A problem that is nobody's fault in particular.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Problem {
            code,
            plugin: None,
            step: None,
            input: None,
            message: message.into(),
            action: None,
            causes: Vec::new(),
        }
    }

    /// Whether what one input holds may have led to it, so that others can be read without that one.
    pub fn may_be_one_inputs(&self) -> bool {
        !matches!(self.code, "denied" | "configuration")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts lines, and the records in them, by what became of them.
    pub(in crate::report) fn counts(lines: &[Line]) -> (Charges, Items) {
        let (mut charges, mut records) = (Charges::default(), Items::default());
        for line in lines {
            let (charge, item) = match line.state {
                LineState::WouldBill | LineState::Billed => (&mut charges.billed, &mut records.billed),
                LineState::BilledBefore => (&mut charges.billed_before, &mut records.billed_before),
                LineState::Pending => (&mut charges.pending, &mut records.open),
                LineState::Rejected => (&mut charges.rejected, &mut records.open),
                LineState::Unknown => (&mut charges.unknown, &mut records.open),
                LineState::Held => (&mut charges.held, &mut records.held),
                LineState::Waived => (&mut charges.waived, &mut records.waived),
                LineState::Zero => (&mut charges.zero, &mut records.zero),
            };
            *charge += 1;
            *item += line.records;
            records.read += line.records;
        }
        (charges, records)
    }

    #[test]
    fn a_sum_closes_when_every_item_has_a_place() {
        let items = Items {
            read: 66,
            billed: 1,
            billed_before: 2,
            open: 3,
            held: 4,
            quarantined: 5,
            duplicate: 6,
            excluded: 7,
            zero: 8,
            elsewhere: 9,
            carried: 10,
            waived: 11,
        };
        assert_eq!(items.total(), 66);
        assert!(items.closes());
        assert!(!Items { read: 67, ..items }.closes());
        assert!(!Items { read: 0, billed: u64::MAX, open: 1, ..Items::default() }.closes());
        assert!(Items::default().closes());
    }
}

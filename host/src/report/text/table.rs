//! The charges of a window, one a line: what needs a person's eye first, the rest by customer and dimension. Beside the window before, what
//! rose or fell steeply comes before what is like it otherwise.
//!
//! In a dry run each line begins with a mark:
//!
//! | mark | meaning |
//! |---|---|
//! | `+` | would be billed |
//! | `=` | billed before |
//! | `~` | differs from what was frozen, which is shown as well |
//! | `!` | held, or open for another reason |
//! | `0` | comes to zero, and would not be sent |
//! | `x` | not to be billed, as a person said |
//! | `-` | was there in the window that is compared with, and is not in this one; below the table |

use std::io;

use meterhost_decimal::Decimal;
use unicode_width::UnicodeWidthStr;

use super::change;
use super::style::{Paint, Style, count, padded};
use crate::report::words::Words;
use crate::report::{Line, LineCarried, LinePart, LineState};

/// So many lines are shown, unless everything is.
const MOST_LINES: usize = 20;
/// Of those that need an eye, so many.
const MOST_URGENT: usize = 100;
/// Of the customers behind one charge, so many are shown, unless everything is.
const MOST_PARTS: usize = 3;
/// A name is not cut to less than this.
const SHORTEST_NAME: usize = 12;
/// With less room than this beside the state, or than its longest word needs, what there is to say stands on lines of its own.
const NARROWEST_DETAIL: usize = 30;

/// Writes the lines; beside the window `before`, where that is named.
pub(super) fn write(
    out: &mut dyn io::Write,
    lines: &[Line],
    before: Option<&str>,
    words: Words,
    style: Style,
) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut ordered: Vec<&Line> = lines.iter().collect();
    ordered.sort_by_key(|line| (urgency(line), before.is_some() && !change::is_steep(line)));
    let urgent = lines.iter().filter(|line| urgency(line) <= Urgency::Differs).count();
    let shown = if style.everything() { lines.len() } else { urgent.clamp(MOST_LINES, MOST_URGENT).min(lines.len()) };
    let (shown, left_out) = ordered.split_at_checked(shown).unwrap_or((&ordered, &[]));

    let rows: Vec<Row> = shown.iter().map(|line| Row::of(line, words, style)).collect();
    let head = before.map(|before| format!("vs {}", style.escaped(before)));
    let columns = Columns::fitting(&rows, head, words.dry_run, style);
    columns.write_head(out, style)?;
    for row in &rows {
        columns.write_row(out, row, style)?;
    }
    if !left_out.is_empty() {
        let open = left_out.iter().filter(|line| urgency(line) == Urgency::Open).count() as u64;
        let open = if open > 0 { format!(", {} of them open", count(open)) } else { String::new() };
        let is_listed = !words.dry_run && !words.publishes();
        let place = if is_listed { "`meterhost ledger show`" } else { "shown with `-v`" };
        writeln!(out, "  {} and {} more{open}: {place}", style.ellipsis(), count(left_out.len() as u64))?;
    }
    Ok(())
}

/// What a person has to see first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Urgency {
    Open,
    Differs,
    New,
    Zero,
    Old,
}

pub(in crate::report) fn urgency(line: &Line) -> Urgency {
    match line.state {
        LineState::Pending | LineState::Rejected | LineState::Unknown | LineState::Held => Urgency::Open,
        _ if line.frozen.is_some() => Urgency::Differs,
        LineState::WouldBill | LineState::Billed => Urgency::New,
        LineState::Zero | LineState::Waived => Urgency::Zero,
        LineState::BilledBefore => Urgency::Old,
    }
}

/// A line, escaped.
struct Row {
    mark: &'static str,
    /// Product, customer, dimension with its tags.
    names: [String; 3],
    /// The quantity up to its decimal point, and what follows.
    whole: String,
    fraction: String,
    change: (String, Paint),
    records: String,
    state: &'static str,
    paint: Paint,
    detail: String,
}

impl Row {
    fn of(line: &Line, words: Words, style: Style) -> Row {
        let urgency = urgency(line);
        let (mark, paint) = match urgency {
            Urgency::Open if matches!(line.state, LineState::Rejected | LineState::Unknown) => ("!", Paint::Bad),
            Urgency::Open => ("!", Paint::Doubtful),
            Urgency::Differs => ("~", Paint::Doubtful),
            Urgency::New => ("+", Paint::Good),
            Urgency::Zero if line.state == LineState::Waived => ("x", Paint::Dim),
            Urgency::Zero => ("0", Paint::Dim),
            Urgency::Old => ("=", Paint::Dim),
        };
        let product = if line.product.is_empty() { String::new() } else { style.name(&line.product) };
        let quantity = style.escaped(&line.quantity);
        let (whole, fraction) = match quantity.split_once('.') {
            Some((whole, fraction)) => (whole, format!(".{fraction}")),
            None => (quantity.as_str(), String::new()),
        };
        let whole = match &line.frozen {
            Some(frozen) => format!("{} {} {whole}", style.escaped(frozen), style.arrow()),
            None => whole.to_owned(),
        };
        Row {
            mark,
            names: [product, style.name(&line.customer), dimension(&line.dimension, &line.tags, style)],
            whole,
            fraction,
            change: change::cell(line),
            records: count(line.records),
            state: state(line.state, words),
            paint,
            detail: detail(line, style),
        }
    }
}

/// `cpu{region=eu,tier=gold}`
pub(super) fn dimension(name: &str, tags: &[(String, String)], style: Style) -> String {
    let name = style.name(name);
    if tags.is_empty() {
        return name;
    }
    let tag = |(name, value): &(String, String)| format!("{}={}", style.name(name), style.name(value));
    let tags: Vec<String> = tags.iter().map(tag).collect();
    format!("{name}{{{}}}", tags.join(","))
}

pub(in crate::report) fn state(state: LineState, words: Words) -> &'static str {
    match state {
        LineState::WouldBill | LineState::Billed => words.done(),
        LineState::BilledBefore => words.before(),
        LineState::Pending => "pending",
        LineState::Rejected => "rejected",
        LineState::Unknown => "unknown",
        LineState::Held => "held",
        LineState::Waived => "waived",
        LineState::Zero => "zero",
    }
}

/// What else there is to say.
fn detail(line: &Line, style: Style) -> String {
    let differs = line.frozen.as_ref().and_then(|frozen| difference(frozen, &line.quantity));
    let differs = differs.map(|difference| format!("differs by {difference}"));
    let rounded = line.exact.as_ref().map(|exact| format!("rounded from {}", style.escaped(exact)));
    let reason = line.reason.as_ref().map(|reason| style.sentence(reason));
    let reference = line.reference.as_ref().map(|reference| style.name(reference));
    let until = line.accepted_until.as_ref().map(|until| format!("accepted until {}", style.escaped(until)));
    [differs, rounded, carried(line, style), parts(line, style), reason, until, reference]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// `with 3 of 2025-05`
fn carried(line: &Line, style: Style) -> Option<String> {
    let part = |part: &LineCarried| format!("{} of {}", style.escaped(&part.quantity), style.escaped(&part.window));
    let parts: Vec<String> = line.carried.iter().map(part).collect();
    (!parts.is_empty()).then(|| format!("with {}", parts.join(" and ")))
}

/// `of user-1 3 + user-2 5`
fn parts(line: &Line, style: Style) -> Option<String> {
    let shown = if style.everything() { line.parts.len() } else { MOST_PARTS };
    let part = |part: &LinePart| format!("{} {}", style.name(&part.customer), style.escaped(&part.quantity));
    let mut parts: Vec<String> = line.parts.iter().take(shown).map(part).collect();
    match line.parts.len().saturating_sub(shown) {
        0 => {}
        more => parts.push(format!("{} more", count(more as u64))),
    }
    (!parts.is_empty()).then(|| format!("of {}", parts.join(" + ")))
}

/// Exact and with its sign; nothing where 38 digits do not hold it.
pub(in crate::report) fn difference(frozen: &str, now: &str) -> Option<String> {
    let difference = Decimal::parse(now).ok()?.checked_sub(Decimal::parse(frozen).ok()?)?.normalised().to_string();
    Some(if difference.starts_with('-') { difference } else { format!("+{difference}") })
}

/// The widths of the columns, and whether those are there that not every table has.
struct Columns {
    marks: bool,
    product: bool,
    names: [usize; 3],
    whole: usize,
    fraction: usize,
    /// The head of the column of changes, and its width; none where nothing is compared.
    change: Option<(String, usize)>,
    records: usize,
    state: usize,
}

const GAP: usize = 2;
const HEADS: [&str; 3] = ["product", "customer", "dimension"];

impl Columns {
    fn fitting(rows: &[Row], change: Option<String>, marks: bool, style: Style) -> Columns {
        let widest = |head: &str, of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0).max(head.width());
        let [product, customer, dimension] = HEADS;
        let fraction = widest("", &|row| row.fraction.width());
        let mut columns = Columns {
            marks,
            product: rows.iter().any(|row| !matches!(&row.names, [product, ..] if product.is_empty())),
            names: [
                widest(product, &|row| row.names.first().map_or(0, |name| name.width())),
                widest(customer, &|row| row.names.get(1).map_or(0, |name| name.width())),
                widest(dimension, &|row| row.names.get(2).map_or(0, |name| name.width())),
            ],
            whole: widest("", &|row| row.whole.width()).max("quantity".width().saturating_sub(fraction)),
            fraction,
            change: change.map(|head| {
                let width = widest(&head, &|row| row.change.0.width());
                (head, width)
            }),
            records: widest("records", &|row| row.records.width()),
            state: widest("state", &|row| row.state.width()),
        };
        if !columns.product {
            columns.names = match columns.names {
                [_, customer, dimension] => [0, customer, dimension],
            };
        }
        // Even where everything is to be shown: a terminal would go on at the left edge, with words that somebody chose.
        while columns.state_at() + columns.state > style.width {
            match columns.names.iter_mut().max() {
                Some(widest) if *widest > SHORTEST_NAME => *widest -= 1,
                _ => break,
            }
        }
        columns
    }

    /// In which column of the page the state begins.
    fn state_at(&self) -> usize {
        let marks = if self.marks { 2 } else { 0 };
        let names: usize = self.names.iter().filter(|width| **width > 0).map(|width| width + GAP).sum();
        let change = self.change.as_ref().map_or(0, |(_, width)| width + GAP);
        2 + marks + names + self.whole + self.fraction + GAP + change + self.records + GAP
    }

    fn write_head(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        let marks = if self.marks { "  " } else { "" };
        let quantity = self.whole + self.fraction;
        let names = self.padded_names(&HEADS.map(str::to_owned), style);
        let change = self.change.as_ref().map(|(head, width)| format!("{head:>width$}  ")).unwrap_or_default();
        let records = self.records;
        let head = format!("{marks}{names}{:>quantity$}  {change}{:>records$}  state", "quantity", "records");
        writeln!(out, "  {}", style.paint(Paint::Dim, &head))
    }

    fn write_row(&self, out: &mut dyn io::Write, row: &Row, style: Style) -> io::Result<()> {
        let marks = if self.marks { format!("{} ", style.paint(row.paint, row.mark)) } else { String::new() };
        let names = self.padded_names(&row.names, style);
        // Only the arrow is not ASCII, and it is one column wide.
        let whole = format!("{:>width$}", row.whole, width = self.whole);
        let fraction = padded(&row.fraction, self.fraction);
        let (change, paint) = &row.change;
        let change = self.change.as_ref().map(|(_, width)| {
            let blank = " ".repeat(width.saturating_sub(change.width()));
            format!("{blank}{}  ", style.paint(*paint, change))
        });
        let change = change.unwrap_or_default();
        let records = format!("{:>width$}", row.records, width = self.records);
        let state = style.paint(row.paint, row.state);
        write!(out, "  {marks}{names}{whole}{fraction}  {change}{records}  {state}")?;
        if row.detail.is_empty() {
            return writeln!(out);
        }
        let at = self.state_at() + self.state + GAP;
        let longest = row.detail.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
        if style.width.saturating_sub(at) >= NARROWEST_DETAIL.max(longest).min(row.detail.width()) {
            let gap = " ".repeat(self.state - row.state.width() + GAP);
            writeln!(out, "{gap}{}", style.wrapped(&row.detail, at, at))
        } else {
            writeln!(out, "\n      {}", style.wrapped(&row.detail, 6, 8))
        }
    }

    fn padded_names(&self, names: &[String; 3], style: Style) -> String {
        let columns = names.iter().zip(self.names).filter(|(_, width)| *width > 0);
        columns.map(|(name, width)| padded(&style.shortened(name, width), width + GAP)).collect()
    }
}

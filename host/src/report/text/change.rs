//! What the charges of a window are beside those of the window before: a column of the table, and what is not there any more.
//!
//! A plan shows it, so that somebody sees a mistake before money moves. A run is read when something is wrong, and shows it where a guard
//! holds something back.

use std::io;

use meterhost_decimal::Decimal;

use super::style::{Paint, Style, count};
use super::table::dimension;
use crate::report::{Line, LineState, Missing, Report, WindowReport};

/// So many charges that are missing are shown, unless everything is.
const MOST_MISSING: usize = 8;
/// From so many percent on, a rise is one that nobody overlooks.
const STEEP_RISE: i64 = 100;
/// And a fall, which ends at 100.
const STEEP_FALL: i64 = -50;
/// What changes by less than this, one way or the other, changes as usage does.
const USUAL: i64 = 20;

/// The window to compare with, if the change is to be shown.
pub(super) fn shown<'a>(report: &Report, window: &'a WindowReport) -> Option<&'a str> {
    let guarded = || {
        let sink = format!("sink.{} ", window.sink);
        report.problems.iter().any(|problem| {
            problem.code.starts_with("guard-")
                && problem.input.as_ref() == Some(&window.window)
                && problem.plugin.as_ref().is_none_or(|plugin| plugin.starts_with(&sink))
        })
    };
    window.compared_with.as_deref().filter(|_| report.dry_run || guarded())
}

/// The change of a line, `+12.5 %`, and how it is painted.
pub(super) fn cell(line: &Line) -> (String, Paint) {
    match (&line.before, &line.change) {
        // Nothing, as before.
        (None, _) if line.state == LineState::Zero => (String::new(), Paint::Plain),
        (Some(before), None) if !is_zero(before) => (String::new(), Paint::Plain),
        (_, None) => ("new".to_owned(), Paint::Good),
        (_, Some(change)) if is_zero(change) => ("=".to_owned(), Paint::Dim),
        (_, Some(change)) => (format!("{change} %"), paint(change)),
    }
}

/// Whether it is a rise or a fall that nobody is to overlook.
pub(super) fn is_steep(line: &Line) -> bool {
    line.change.as_deref().is_some_and(|change| paint(change) == Paint::Bad)
}

fn is_zero(text: &str) -> bool {
    number(text).is_some_and(Decimal::is_zero)
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::parse(text.strip_prefix('+').unwrap_or(text)).ok()
}

fn paint(change: &str) -> Paint {
    let Some(change) = number(change) else { return Paint::Plain };
    let [rise, fall, usual] = [STEEP_RISE, STEEP_FALL, USUAL].map(Decimal::from);
    match change {
        change if change >= rise || change <= fall => Paint::Bad,
        change if change.checked_abs().is_some_and(|change| change >= usual) => Paint::Doubtful,
        _ => Paint::Plain,
    }
}

/// `- acme cpu 5 in 2025-05, nothing now`
pub(super) fn write_missing(
    out: &mut dyn io::Write,
    missing: &[Missing],
    before: &str,
    style: Style,
) -> io::Result<()> {
    let shown = if style.everything() { missing.len() } else { MOST_MISSING };
    let mark = style.paint(Paint::Bad, "-");
    for Missing { product, customer, dimension: name, tags, before: owed } in missing.iter().take(shown) {
        let product = if product.is_empty() { String::new() } else { format!("{} ", style.name(product)) };
        let (customer, name) = (style.name(customer), dimension(name, tags, style));
        let (owed, before) = (style.escaped(owed), style.escaped(before));
        let text = format!("{product}{customer} {name} {owed} in {before}, nothing now");
        writeln!(out, "  {mark} {}", style.wrapped(&text, 4, 6))?;
    }
    match missing.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  {mark} {} and {} more, shown with `-v`", style.ellipsis(), count(more as u64)),
    }
}

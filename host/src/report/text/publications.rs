//! The months of sinks that publish complete sets: what became of each, and what readers are shown.

use std::io;

use super::style::{Paint, Style, count, counted};
use crate::report::{PublicationReport, PublicationState, Report};

/// So many months that nothing became of are shown, unless everything is.
const MOST_QUIET: usize = 6;

pub(super) fn write(out: &mut dyn io::Write, report: &Report, style: Style) -> io::Result<()> {
    let is_quiet =
        |month: &&PublicationReport| matches!(month.state, PublicationState::Unchanged | PublicationState::Nothing);
    let (quiet, loud): (Vec<_>, Vec<_>) = report.publications.iter().partition(is_quiet);
    let shown = if style.everything() { quiet.len() } else { quiet.len().min(MOST_QUIET) };
    let more = quiet.len() - shown;
    let mut months: Vec<&PublicationReport> = loud;
    months.extend(quiet.into_iter().skip(more));
    months.sort_by(|left, right| (&left.sink, &left.period).cmp(&(&right.sink, &right.period)));
    for month in &months {
        let (place, words) = words(month, style);
        let place = style.paint(Paint::Bold, &place);
        let (state, paint) = state(month.state);
        writeln!(out, "{place} {}{}", style.paint(paint, state), style.wrapped(&words, 2, 4))?;
    }
    if more > 0 {
        writeln!(
            out,
            "{} and {} more months that did not change, shown with `-v`",
            style.ellipsis(),
            count(more as u64)
        )?;
    }
    if months.is_empty() { Ok(()) } else { writeln!(out) }
}

fn words(month: &PublicationReport, style: Style) -> (String, String) {
    let place = format!("{} {} {}:", style.escaped(&month.period), style.arrow(), style.name(&month.sink));
    let mut words = String::new();
    if month.state == PublicationState::Nothing {
        return (place, words);
    }
    if let Some(window) = &month.waits_for {
        words += &format!(", {} was never read", style.escaped(window));
    }
    words += &format!("; {}", counted(month.charges, "charge"));
    if let Some(id) = &month.id {
        words += &format!("; readers are shown {}", style.name(id));
    }
    for (name, total) in month.totals.iter().take(1) {
        words += &format!(", {} {}", style.name(name), style.escaped(total));
    }
    if let Some(reason) = &month.pinned {
        words += &format!(", and keep being, because: {}", style.sentence(reason));
    }
    (place, words)
}

pub(in crate::report) fn state(state: PublicationState) -> (&'static str, Paint) {
    match state {
        PublicationState::WouldPublish => ("would be published", Paint::Good),
        PublicationState::Published => ("published", Paint::Good),
        PublicationState::Unchanged => ("unchanged", Paint::Dim),
        PublicationState::Pinned => ("pinned", Paint::Doubtful),
        PublicationState::Waits => ("waits", Paint::Doubtful),
        PublicationState::Nothing => ("nothing to publish", Paint::Dim),
        PublicationState::Failed => ("not published", Paint::Bad),
    }
}

//! The report for a person: a terminal at the end of a run, or a mail from cron.
//!
//! | part | subject |
//! |---|---|
//! | `window` | a window of a sink: its state, its charges, where its items went |
//! | `table` | the charges, one a line |
//! | `change` | what they are beside those of the window before |
//! | `publications` | the months of sinks that publish complete sets |
//! | `problems` | what stands in the way, and what to do |
//! | `trail` | one charge, back to its inputs and forward to every answer |
//! | `style` | what the page can show, and what is escaped |

mod change;
mod problems;
mod publications;
mod style;
mod table;
#[cfg(test)]
mod tests;
mod trail;
mod window;

use std::io;

use self::style::Paint;
use super::{Exit, LedgerEnd, Report};

pub(super) use self::problems::by_code;
pub use self::style::Style;
pub(super) use self::style::{count, counted};
pub(super) use self::table::{Urgency, difference, state, urgency};
pub use self::trail::write_trail;
pub(super) use self::window::{add, charges, items, quantities};

/// Above so many, notes are counted, unless everything is to be shown.
const MOST_NOTES: usize = 20;

impl Report {
    /// Writes the report as a person reads it: what it was, each window and its charges, problems, notes, and how it ended.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn render_text(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        writeln!(out, "{}\n", style.paint(Paint::Bold, &self.headline(style)))?;
        if self.windows.is_empty() && self.problems.is_empty() && self.exit == Exit::Final {
            publications::write(out, self, style)?;
            let due = if self.dry_run { "nothing is due" } else { "nothing was due" };
            writeln!(out, "{due}{}\n", self.next("; the next window is due at ", style))?;
        } else {
            window::write(out, self, style)?;
            publications::write(out, self, style)?;
            problems::write(out, &self.problems, style)?;
            if self.next_due.is_some() {
                writeln!(out, "{}\n", self.next("the next window is due at ", style))?;
            }
        }
        self.write_notes(out, style)?;
        let paint = match self.exit {
            Exit::Final => Paint::Good,
            Exit::Open | Exit::Held | Exit::Interrupted => Paint::Doubtful,
            Exit::Configuration | Exit::Plugin | Exit::Ledger => Paint::Bad,
        };
        let ending = format!("exit {}: {}", u8::from(self.exit), ending(self.exit, self.dry_run));
        writeln!(out, "{}", style.paint(paint, &style.wrapped(&ending, 0, 2)))?;
        self.write_ledger(out, style)
    }

    /// Writes the problems alone: of what ended before there was anything else to say.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn render_problems(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        problems::write(out, &self.problems, style)
    }

    /// The hash in full: it is of use to whoever copies it.
    fn write_ledger(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        let Some(LedgerEnd { place, entries, hash }) = &self.ledger else { return Ok(()) };
        let place = style.name(place);
        let entries = if *entries == 1 { "1 entry".to_owned() } else { format!("{} entries", count(*entries)) };
        let text = format!("ledger {place}: {entries}, the last is {hash}");
        writeln!(out, "{}", style.paint(Paint::Dim, &style.wrapped(&text, 0, 2)))
    }

    fn headline(&self, style: Style) -> String {
        let pipeline = style.name(&self.pipeline);
        match &self.run {
            _ if self.dry_run => format!("{pipeline}: dry run, nothing was changed"),
            Some(run) => format!("{pipeline}: run {}", style.name(run)),
            None => pipeline,
        }
    }

    fn next(&self, words: &str, style: Style) -> String {
        self.next_due.as_ref().map(|moment| format!("{words}{}", style.escaped(moment))).unwrap_or_default()
    }

    fn write_notes(&self, out: &mut dyn io::Write, style: Style) -> io::Result<()> {
        let shown = if style.everything() { self.notes.len() } else { MOST_NOTES };
        for note in self.notes.iter().take(shown) {
            writeln!(out, "note: {}", style.wrapped(&style.sentence(note), 6, 6))?;
        }
        let more = self.notes.len().saturating_sub(shown);
        if more > 0 {
            writeln!(out, "{} and {} more notes: shown with `-v`", style.ellipsis(), count(more as u64))?;
        }
        if self.notes.is_empty() { Ok(()) } else { writeln!(out) }
    }
}

/// What an exit code means, and whether to run it again.
pub(super) fn ending(exit: Exit, dry_run: bool) -> &'static str {
    match exit {
        Exit::Final if dry_run => "everything that is due would be final",
        Exit::Final => "everything that was due is final; run it again at the next schedule",
        Exit::Open if dry_run => "something that is due would stay open; the report says what to do",
        Exit::Open => "something that was due is open; run it again after mending",
        Exit::Configuration => "the configuration is wrong; nothing was touched; run it again after mending it",
        Exit::Plugin => {
            "a plugin trapped, ran over a limit or asked for what its grants do not hold; run it again after mending it"
        }
        Exit::Ledger => "the ledger or a state document cannot be read or written; run it again after mending it",
        Exit::Held => "another run holds the ledger; running it again does no harm",
        Exit::Interrupted => "interrupted; the ledger is consistent; run it again and it goes on",
    }
}

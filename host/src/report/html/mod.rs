//! The report as one page of HTML, for whoever has to agree before money moves: it opens from a disk or a mail, and asks nobody for
//! anything.
//!
//! | part | subject |
//! |---|---|
//! | `frame` | the head: what the page may load (nothing) and run (its own few lines) |
//! | `headline` | what would happen, in one sentence and a few numbers |
//! | `overview` | all windows, one a line, and those that wait for their data |
//! | `publications` | the months of sinks that publish complete sets |
//! | `problems` | what stands in the way, and what to do |
//! | `window` | a window of a sink, made of the four below |
//! | `totals` | what each dimension comes to, now and before |
//! | `movers` | the charges that move those totals most, as a chart |
//! | `charges` | the charges, one a row |
//! | `missing` | what was billed before, and is not there now |
//! | `amount` | how a number is written, and how long a bar is |
//! | `markup` | what is put into the page: everything that comes from data is escaped on its way |
//!
//! A page has an end, however long the report is: what is left out is counted, and said.

mod amount;
mod charges;
mod frame;
mod headline;
mod markup;
mod missing;
mod movers;
mod overview;
mod problems;
mod publications;
#[cfg(test)]
mod tests;
mod totals;
mod window;

use self::markup::Html;
use super::text::counted;
use super::{LedgerEnd, Report};

/// So many notes are shown; the others are folded away, up to `MOST_NOTES`.
const FIRST_NOTES: usize = 10;
const MOST_NOTES: usize = 200;

impl Report {
    /// The report as a page of HTML that needs nothing beside it. The same report gives the same bytes.
    pub fn render_html(&self) -> String {
        let mut page = Html::new();
        frame::begin(&mut page, &headline::title(self));
        headline::write(&mut page, self);
        page.raw("<main>\n");
        overview::write(&mut page, self);
        publications::write(&mut page, self);
        problems::write(&mut page, &self.problems);
        window::write(&mut page, self);
        notes(&mut page, &self.notes);
        page.raw("</main>\n");
        footer(&mut page, self);
        frame::end(&mut page);
        page.finish()
    }
}

fn notes(page: &mut Html, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    let (first, rest) = notes.split_at_checked(FIRST_NOTES).unwrap_or((notes, &[]));
    let list = |page: &mut Html, notes: &[String]| {
        page.raw("<ul>\n");
        for note in notes {
            page.raw("<li>").sentence(note).raw("</li>\n");
        }
        page.raw("</ul>\n");
    };
    page.raw("<section aria-labelledby=\"notes\">\n<h2 id=\"notes\">Notes</h2>\n");
    list(page, first);
    if !rest.is_empty() {
        let shown = rest.get(..MOST_NOTES).unwrap_or(rest);
        page.raw("<details><summary>").text(&counted(rest.len() as u64, "more note")).raw("</summary>\n");
        list(page, shown);
        left_out(page, rest.len() - shown.len());
        page.raw("</details>\n");
    }
    page.raw("</section>\n");
}

/// Says that so many things are not on the page, and where they are.
fn left_out(page: &mut Html, number: usize) {
    if number > 0 {
        page.raw("<p class=\"more\">").count(number as u64);
        page.raw(" more are not on this page; <code>--json</code> has them all.</p>\n");
    }
}

fn footer(page: &mut Html, report: &Report) {
    page.raw(
        "<footer>\n<p>Quantities are exact. Changes in percent are rounded to one digit. All times are UTC.</p>\n",
    );
    if let Some(LedgerEnd { place, entries, hash }) = &report.ledger {
        page.raw("<p>The ledger, ").name(place).raw(", ends with entry ").count(*entries);
        page.raw(", hash <code>").text(hash).raw("</code>.</p>\n");
    }
    page.raw("</footer>\n");
}

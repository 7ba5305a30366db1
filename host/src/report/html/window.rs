//! A window of a sink: how it stands, what it comes to, what changed, its charges, and where its items went.

use std::collections::BTreeSet;

use super::markup::Html;
use super::totals::Totals;
use super::{charges, left_out, missing, movers, totals};
use crate::report::text::{charges as charges_in_words, counted, items, quantities};
use crate::report::words::Words;
use crate::report::{LeftOut, Report, WindowReport};

/// So many settled windows, and as many others, are shown whole; all have a line in the overview.
const MOST_WINDOWS: usize = 12;
/// So many exclusions of a window are shown.
const MOST_EXCLUDED: usize = 50;
/// So many dimensions are shown of which not everything was sent as it was used.
const MOST_QUANTITIES: usize = 20;
/// So many rows the tables of all windows have together: a page that a browser opens at once and a mail can carry.
const MOST_ROWS: usize = 6_000;

/// Whether nothing of it needs a look.
fn is_quiet(window: &WindowReport) -> bool {
    window.settled && window.lines.iter().all(|line| line.frozen.is_none())
}

/// Which windows are shown whole, by their places in the report.
pub(super) fn chosen(report: &Report) -> BTreeSet<usize> {
    let of = |quiet: bool| {
        let windows = report.windows.iter().enumerate().filter(move |(_, window)| is_quiet(window) == quiet);
        windows.map(|(number, _)| number).take(MOST_WINDOWS)
    };
    of(false).chain(of(true)).collect()
}

pub(super) fn write(page: &mut Html, report: &Report) {
    let chosen = chosen(report);
    let mut room = MOST_ROWS;
    // What is old stands last, though it was first.
    for old in [false, true] {
        for (number, window) in report.windows.iter().enumerate().filter(|(number, _)| chosen.contains(number)) {
            if old == (is_quiet(window) && window.charges.billed == 0) {
                one(page, number, window, report.dry_run, &mut room);
            }
        }
    }
    let folded = report.windows.len() - chosen.len();
    if folded > 0 {
        page.raw("<p class=\"more\">").text(&counted(folded as u64, "more window"));
        page.raw(" of the overview: <code>--window</code> shows one whole, <code>--json</code> all of them.</p>\n");
    }
}

/// Whether the window is settled, or would be.
pub(super) fn badge(page: &mut Html, window: &WindowReport, dry_run: bool) {
    // What is settled already would not be settled by a run.
    let would = dry_run && window.charges.billed > 0;
    page.raw(match (window.settled, would) {
        (true, true) => "<span class=\"badge good\">✓ would be settled</span>",
        (true, false) => "<span class=\"badge good\">✓ settled</span>",
        (false, true) => "<span class=\"badge look\">! would be open</span>",
        (false, false) => "<span class=\"badge look\">! open</span>",
    });
}

fn one(page: &mut Html, number: usize, window: &WindowReport, dry_run: bool, room: &mut usize) {
    let (number, words) = (number as u64, Words::of(window, dry_run));
    page.raw("<section class=\"window\" aria-labelledby=\"w").digits(number).raw("\">\n<h2 id=\"w").digits(number);
    page.raw("\">").text(&window.window).raw(" <span aria-hidden=\"true\">→</span><span class=\"unseen\">to</span> ");
    page.name(&window.sink).raw(" ");
    badge(page, window, dry_run);
    page.raw("</h2>\n<p class=\"facts\">");
    page.text(&charges_in_words(window.charges, words)).raw(". ");
    match &window.compared_with {
        Some(before) => {
            page.raw("Compared with <b>").text(before).raw("</b>, the last settled window before it.");
        }
        // Of sets, only what was published before is compared.
        None if window.lines.is_empty() || window.publishes => {}
        None => {
            page.raw("There is no settled window before it to compare with.");
        }
    }
    page.raw("</p>\n");
    let totals = Totals::of(window);
    totals::write(page, number, window, &totals, words);
    movers::write(page, number, window, &totals);
    charges::write(page, number, window, words, room);
    missing::write(page, number, window, room);
    records(page, number, window, words);
    page.raw("</section>\n");
}

/// Where the items went.
fn records(page: &mut Html, number: u64, window: &WindowReport, words: Words) {
    let closes = window.records.closes();
    page.raw("<h3 id=\"r").digits(number).raw("\">Where the records went</h3>\n<p class=\"");
    page.raw(if closes { "sum\">" } else { "sum verdict bad\"><span aria-hidden=\"true\">✗</span> " });
    page.text(&items(window.records, words)).raw("</p>\n");
    for sums in window.quantities.iter().filter(|sums| !sums.is_plain() || !sums.closes()).take(MOST_QUANTITIES) {
        page.raw("<p class=\"sum\">").sentence(&quantities(sums, &sums.dimension, words)).raw("</p>\n");
    }
    if window.excluded.is_empty() {
        return;
    }
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"r").digits(number);
    page.raw("\"><table class=\"cards excluded\">\n<caption>Left out by a rule</caption>\n<thead><tr><th scope=\"col\">Dimension</th>");
    page.raw("<th scope=\"col\">Rule</th><th scope=\"col\" class=\"n\">Records</th><th scope=\"col\" class=\"n\">Quantity</th></tr></thead>\n<tbody>\n");
    for LeftOut { rule, dimension, records, quantity } in window.excluded.iter().take(MOST_EXCLUDED) {
        page.raw("<tr><th scope=\"row\">").name(dimension).raw("</th><td class=\"rule\">").sentence(rule);
        page.raw("</td><td class=\"n r\">").count(*records).raw("</td><td class=\"n q\">");
        match quantity {
            Some(quantity) => page.quantity(quantity, 0),
            None => page.raw("too many digits"),
        };
        page.raw("</td></tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    left_out(page, window.excluded.len().saturating_sub(MOST_EXCLUDED));
}

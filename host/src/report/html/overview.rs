//! All windows, one a line, where there are several; and those that wait for their data.

use super::headline::{capitalised, moment};
use super::markup::Html;
use super::{left_out, window};
use crate::report::words::Words;
use crate::report::{Incomplete, Report, WindowReport};

/// So many windows have a line.
const MOST_LINES: usize = 400;
/// So many of those that wait are named.
const MOST_WAITING: usize = 50;

pub(super) fn write(page: &mut Html, report: &Report) {
    waiting(page, &report.incomplete);
    if report.windows.len() < 2 {
        return;
    }
    page.raw("<section aria-labelledby=\"windows\">\n<h2 id=\"windows\">Windows</h2>\n");
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"windows\"><table class=\"cards overview\">\n");
    page.raw("<caption class=\"unseen\">Each window and sink, and its charges</caption>\n<thead><tr>");
    page.raw("<th scope=\"col\">Window</th><th scope=\"col\">Sink</th><th scope=\"col\">State</th><th scope=\"col\" class=\"n\">");
    let words = Words::of_all(report);
    page.text(&capitalised(words.done()));
    page.raw("</th><th scope=\"col\" class=\"n\">Held or open</th><th scope=\"col\" class=\"n\">");
    page.text(&capitalised(words.before())).raw("</th>");
    page.raw("<th scope=\"col\" class=\"n\">Gone</th><th scope=\"col\">Compared with</th></tr></thead>\n<tbody>\n");
    let has_section = window::chosen(report);
    for (number, report_of) in report.windows.iter().enumerate().take(MOST_LINES) {
        row(page, number, report_of, has_section.contains(&number), report.dry_run);
    }
    page.raw("</tbody></table></div>\n");
    left_out(page, report.windows.len().saturating_sub(MOST_LINES));
    page.raw("</section>\n");
}

fn row(page: &mut Html, number: usize, window: &WindowReport, has_section: bool, dry_run: bool) {
    page.raw("<tr><th scope=\"row\">");
    if has_section {
        page.raw("<a href=\"#w").digits(number as u64).raw("\">").text(&window.window).raw("</a>");
    } else {
        page.text(&window.window);
    }
    page.raw("</th><td class=\"sink\">").name(&window.sink).raw("</td><td class=\"st\">");
    window::badge(page, window, dry_run);
    page.raw("</td>");
    let charges = window.charges;
    let numbers = [
        ("<td class=\"n wb\">", charges.billed),
        ("<td class=\"n ho\">", charges.open()),
        ("<td class=\"n bb\">", charges.billed_before),
        ("<td class=\"n gone\">", window.missing.len() as u64),
    ];
    for (cell, number) in numbers {
        page.raw(cell).count(number).raw("</td>");
    }
    page.raw("<td class=\"cw\">");
    match &window.compared_with {
        Some(before) => page.text(before),
        None => page.raw("—"),
    };
    page.raw("</td></tr>\n");
}

fn waiting(page: &mut Html, incomplete: &[Incomplete]) {
    if incomplete.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"waiting\">\n<h2 id=\"waiting\">Waiting for data</h2>\n<ul>\n");
    for Incomplete { window, complete_until, overdue } in incomplete.iter().take(MOST_WAITING) {
        page.raw("<li><b>").text(window).raw("</b>: ");
        match complete_until {
            Some(until) => {
                page.raw("the data is complete until ");
                moment(page, until);
            }
            None => {
                page.raw("the source did not say how far its data is complete");
            }
        }
        page.raw(if *overdue { "; <b>this is overdue</b></li>\n" } else { "</li>\n" });
    }
    page.raw("</ul>\n");
    left_out(page, incomplete.len().saturating_sub(MOST_WAITING));
    page.raw("</section>\n");
}

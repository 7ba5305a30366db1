//! The months of sinks that publish complete sets.

use super::left_out;
use super::markup::Html;
use crate::report::text::publication_word;
use crate::report::{PublicationReport, Report};

/// So many months have a line.
const MOST_LINES: usize = 100;

pub(super) fn write(page: &mut Html, report: &Report) {
    if report.publications.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"months\">\n<h2 id=\"months\">Published months</h2>\n");
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"months\"><table class=\"cards overview\">\n");
    page.raw("<caption class=\"unseen\">Each month that is published as a complete set</caption>\n<thead><tr>");
    page.raw("<th scope=\"col\">Month</th><th scope=\"col\">Sink</th><th scope=\"col\">State</th>");
    page.raw(
        "<th scope=\"col\" class=\"n\">Charges</th><th scope=\"col\">Readers are shown</th></tr></thead>\n<tbody>\n",
    );
    for month in report.publications.iter().take(MOST_LINES) {
        row(page, month);
    }
    page.raw("</tbody></table></div>\n");
    left_out(page, report.publications.len().saturating_sub(MOST_LINES));
    page.raw("</section>\n");
}

fn row(page: &mut Html, month: &PublicationReport) {
    page.raw("<tr><th scope=\"row\">").text(&month.period).raw("</th><td class=\"sink\">").name(&month.sink);
    page.raw("</td><td class=\"st\">").text(publication_word(month.state));
    if let Some(reason) = &month.pinned {
        page.raw(": ").sentence(reason);
    }
    page.raw("</td><td class=\"n\">").count(month.charges).raw("</td><td>");
    match &month.id {
        Some(id) => page.name(id),
        None => page.raw("—"),
    };
    page.raw("</td></tr>\n");
}

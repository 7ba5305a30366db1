//! What was billed in the window before, and is not there now: a customer who left, or usage that did not arrive.

use super::amount::fraction_of;
use super::charges::tags;
use super::left_out;
use super::markup::Html;
use crate::report::{Missing, WindowReport};

/// So many rows are shown at once, and so many more when they are unfolded.
const FIRST_ROWS: usize = 50;
const MOST_FOLDED: usize = 500;

pub(super) fn write(page: &mut Html, number: u64, window: &WindowReport, room: &mut usize) {
    let Some(before) = window.compared_with.as_ref().filter(|_| !window.missing.is_empty()) else { return };
    let (first, rest) = window.missing.split_at_checked(FIRST_ROWS.min(*room)).unwrap_or((&window.missing, &[]));
    *room -= first.len();
    let (folded, gone) = rest.split_at_checked(MOST_FOLDED.min(*room)).unwrap_or((rest, &[]));
    *room -= folded.len();
    page.raw("<h3 id=\"g").digits(number).raw("\">Billed in ").text(before).raw(", nothing now: ");
    page.count(window.missing.len() as u64)
        .raw("</h3>\n<p class=\"facts\">Has the customer left, or did usage not arrive?</p>\n");
    table(page, number, first, &window.missing);
    if !folded.is_empty() {
        page.raw("<details><summary>").count(folded.len() as u64).raw(" more</summary>\n");
        table(page, number, folded, &window.missing);
        page.raw("</details>\n");
    }
    left_out(page, gone.len());
}

fn table(page: &mut Html, number: u64, rows: &[Missing], all: &[Missing]) {
    let products = all.iter().any(|missing| !missing.product.is_empty());
    let fraction = all.iter().map(|missing| fraction_of(&missing.before)).max().unwrap_or(0);
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"g").digits(number);
    page.raw("\"><table class=\"cards gone\">\n<caption class=\"unseen\">Billed before, and nothing now</caption>\n<thead><tr>");
    if products {
        page.raw("<th scope=\"col\">Product</th>");
    }
    page.raw("<th scope=\"col\">Customer</th><th scope=\"col\">Dimension</th><th scope=\"col\" class=\"n\">Before</th></tr></thead>\n<tbody>\n");
    for missing in rows {
        page.raw("<tr>");
        if products {
            page.raw("<td class=\"p\">").name(&missing.product).raw("</td>");
        }
        page.raw("<th scope=\"row\" class=\"who\">").name(&missing.customer).raw("</th><td class=\"d\">");
        page.name(&missing.dimension);
        tags(page, &missing.tags);
        page.raw("</td><td class=\"n b\">").quantity(&missing.before, fraction).raw("</td></tr>\n");
    }
    page.raw("</tbody></table></div>\n");
}

//! The charges, one a row: what needs a person's eye first, the rest by customer and dimension.

use super::amount::{exact, fraction_of, grouped, in_percent};
use super::markup::Html;
use crate::report::text::{Urgency, count, counted, difference, state, urgency};
use crate::report::words::Words;
use crate::report::{Line, LineCarried, LinePart, LineState, WindowReport};

/// So many rows of a window are shown at once, more where more need a look, and so many more when they are unfolded.
const FIRST_ROWS: usize = 60;
const MOST_URGENT: usize = 300;
const MOST_FOLDED: usize = 1_000;
/// So many tags of a charge, and so many of the customers behind it.
const MOST_TAGS: usize = 8;
const MOST_PARTS: usize = 3;

pub(super) fn write(page: &mut Html, number: u64, window: &WindowReport, words: Words, room: &mut usize) {
    let mut ordered: Vec<&Line> = window.lines.iter().collect();
    ordered.sort_by_key(|line| urgency(line));
    let Some(worst) = ordered.first().map(|line| urgency(line)) else { return };
    let urgent = ordered.iter().filter(|line| urgency(line) <= Urgency::Differs).count();
    let first = match worst {
        // There is no news.
        Urgency::Old | Urgency::Zero => 0,
        _ => urgent.clamp(FIRST_ROWS, MOST_URGENT),
    };
    let (first, rest) = ordered.split_at_checked(first.min(*room)).unwrap_or((&ordered, &[]));
    *room -= first.len();
    let (folded, gone) = rest.split_at_checked(MOST_FOLDED.min(*room)).unwrap_or((rest, &[]));
    *room -= folded.len();
    let columns = Columns::of(window, &ordered, words);

    page.raw("<div class=\"charges\">\n<h3 id=\"c").digits(number).raw("\">Charges</h3>\n");
    // Nothing of this works without the script, which brings it to light.
    page.raw("<p class=\"tools\" hidden><label>Find <input type=\"search\" placeholder=\"customer, dimension, reason\"></label> ");
    page.raw("<label class=\"only\"><input type=\"checkbox\"> only what needs a look</label> <output></output></p>\n");
    if !first.is_empty() {
        columns.table(page, number, first);
    }
    if !folded.is_empty() {
        let more = if first.is_empty() { "charge" } else { "more charge" };
        page.raw("<details class=\"rest\"><summary>").text(&counted(folded.len() as u64, more)).raw("</summary>\n");
        columns.table(page, number, folded);
        page.raw("</details>\n");
    }
    if !gone.is_empty() {
        page.raw("<p class=\"more\">").count(gone.len() as u64).raw(" more charges are not on this page (");
        page.text(&summed_up(gone, words)).raw("); <code>--json</code> has them all.</p>\n");
    }
    page.raw("</div>\n");
}

/// `48,000 would be billed, 12 billed before`
fn summed_up(lines: &[&Line], words: Words) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for line in lines {
        let state = state(line.state, words);
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, number)) => *number += 1,
            None => counts.push((state, 1)),
        }
    }
    let parts: Vec<String> = counts.into_iter().map(|(state, number)| format!("{} {state}", count(number))).collect();
    parts.join(", ")
}

/// Which columns there are, the same in both tables of a window.
struct Columns {
    product: bool,
    compared: bool,
    notes: bool,
    words: Words,
    /// Digits behind the point, of the quantities now and before.
    fractions: [usize; 2],
}

impl Columns {
    fn of(window: &WindowReport, lines: &[&Line], words: Words) -> Self {
        let fraction = |of: fn(&Line) -> Option<&String>| {
            lines.iter().filter_map(|line| of(line)).map(|quantity| fraction_of(quantity)).max().unwrap_or(0)
        };
        let noted = |line: &&Line| {
            let Line { exact, frozen, parts, carried, accepted_until, reason, reference, .. } = line;
            let is_told = [exact, frozen, accepted_until, reason, reference].into_iter().any(Option::is_some);
            is_told || !parts.is_empty() || !carried.is_empty()
        };
        Columns {
            product: lines.iter().any(|line| !line.product.is_empty()),
            compared: window.compared_with.is_some(),
            notes: lines.iter().any(noted),
            words,
            fractions: [fraction(|line| Some(&line.quantity)), fraction(|line| line.before.as_ref())],
        }
    }

    fn table(&self, page: &mut Html, number: u64, lines: &[&Line]) {
        page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"c").digits(number);
        page.raw("\"><table class=\"cards rows\">\n<caption class=\"unseen\">Charges; those that need a look come first</caption>\n<thead><tr>");
        page.raw("<th scope=\"col\" class=\"s\">State</th>");
        if self.product {
            page.raw("<th scope=\"col\" class=\"p\">Product</th>");
        }
        page.raw("<th scope=\"col\" class=\"who\">Customer</th><th scope=\"col\" class=\"d\">Dimension</th>");
        page.raw("<th scope=\"col\" class=\"n q\">Quantity</th>");
        if self.compared {
            page.raw("<th scope=\"col\" class=\"n b\">Before</th><th scope=\"col\" class=\"n c\">Change</th>");
        }
        page.raw("<th scope=\"col\" class=\"n r\">Records</th>");
        if self.notes {
            page.raw("<th scope=\"col\" class=\"why\">Remarks</th>");
        }
        page.raw("</tr></thead>\n<tbody>\n");
        for line in lines {
            self.row(page, line);
        }
        page.raw("</tbody></table></div>\n");
    }

    fn row(&self, page: &mut Html, line: &Line) {
        page.raw(match (urgency(line), line.state) {
            (Urgency::Open, LineState::Rejected | LineState::Unknown) => {
                "<tr class=\"look bad\"><td class=\"s\"><b>!</b> "
            }
            (Urgency::Open, _) => "<tr class=\"look\"><td class=\"s\"><b>!</b> ",
            (Urgency::Differs, _) => "<tr class=\"look\"><td class=\"s\"><b>~</b> ",
            (Urgency::New, _) => "<tr><td class=\"s\"><b>+</b> ",
            (Urgency::Zero, LineState::Waived) => "<tr class=\"old\"><td class=\"s\"><b>x</b> ",
            (Urgency::Zero, _) => "<tr class=\"old\"><td class=\"s\"><b>0</b> ",
            (Urgency::Old, _) => "<tr class=\"old\"><td class=\"s\"><b>=</b> ",
        });
        page.raw(state(line.state, self.words)).raw("</td>");
        if self.product {
            page.raw("<td class=\"p\">").name(&line.product).raw("</td>");
        }
        page.raw("<th scope=\"row\" class=\"who\">")
            .name(&line.customer)
            .raw("</th><td class=\"d\">")
            .name(&line.dimension);
        tags(page, &line.tags);
        let [now, before] = self.fractions;
        page.raw("</td><td class=\"n q\">").quantity(&line.quantity, now).raw("</td>");
        if self.compared {
            page.raw("<td class=\"n b\">");
            match &line.before {
                Some(quantity) => page.quantity(quantity, before),
                None => page.raw("—"),
            };
            page.raw("</td><td class=\"n c\">");
            match (&line.change, &line.before) {
                (Some(change), _) => {
                    page.text(&in_percent(change));
                }
                (None, None) if !is_zero(line) => {
                    page.raw("new");
                }
                _ => {}
            }
            page.raw("</td>");
        }
        page.raw("<td class=\"n r\">").count(line.records).raw("</td>");
        if self.notes {
            page.raw("<td class=\"why\">");
            remarks(page, line);
            page.raw("</td>");
        }
        page.raw("</tr>\n");
    }
}

fn is_zero(line: &Line) -> bool {
    exact(line).bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// What else there is to say.
fn remarks(page: &mut Html, line: &Line) {
    if let Some(frozen) = &line.frozen {
        page.raw("<p><b>").text(&grouped(frozen)).raw(" was frozen");
        if let Some(difference) = difference(frozen, &line.quantity) {
            page.raw(", a difference of ").text(&grouped(&difference));
        }
        page.raw("</b></p>");
    }
    if let Some(reason) = &line.reason {
        page.raw("<p>").sentence(reason).raw("</p>");
    }
    if let Some(exact) = &line.exact {
        page.raw("<p>rounded from ").text(&grouped(exact)).raw("</p>");
    }
    for (index, LineCarried { window, quantity }) in line.carried.iter().enumerate() {
        page.raw(if index == 0 { "<p>with " } else { " and " }).text(&grouped(quantity)).raw(" of ").text(window);
    }
    if !line.carried.is_empty() {
        page.raw("</p>");
    }
    if let Some(until) = &line.accepted_until {
        page.raw("<p>accepted until ").text(until).raw("</p>");
    }
    if !line.parts.is_empty() {
        page.raw("<p>of ");
        for (index, LinePart { customer, quantity, .. }) in line.parts.iter().take(MOST_PARTS).enumerate() {
            page.raw(if index > 0 { " + " } else { "" }).name(customer).raw(" ").text(&grouped(quantity));
        }
        if line.parts.len() > MOST_PARTS {
            page.raw(" + ").count((line.parts.len() - MOST_PARTS) as u64).raw(" more");
        }
        page.raw("</p>");
    }
    if let Some(reference) = &line.reference {
        page.raw("<p>reference ").name(reference).raw("</p>");
    }
}

/// Behind a dimension.
pub(super) fn tags(page: &mut Html, tags: &[(String, String)]) {
    for (name, value) in tags.iter().take(MOST_TAGS) {
        page.raw(" <span class=\"tag\">").name(name).raw("=").name(value).raw("</span>");
    }
    if tags.len() > MOST_TAGS {
        page.raw(" <span class=\"tag\">").count((tags.len() - MOST_TAGS) as u64).raw(" more tags</span>");
    }
}

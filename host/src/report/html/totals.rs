//! What each dimension comes to, now and before.

use std::collections::BTreeMap;

use meterhost_decimal::Decimal;

use super::amount::{Sum, exact, fraction_of, grouped, in_percent, length, percent};
use super::left_out;
use super::markup::Html;
use crate::report::words::Words;
use crate::report::{Line, LineState, WindowReport};

/// So many dimensions are shown.
const MOST_DIMENSIONS: usize = 100;
/// How long the longest bar is.
const FULL: u64 = 1_000;

/// One dimension of one product, over all customers and tags.
#[derive(Default)]
pub(super) struct Total {
    /// As it is or would be sent by this run.
    this_run: Sum,
    /// As it was sent by earlier runs.
    earlier: Sum,
    /// What is held or open.
    open: Sum,
    /// All of it, before rounding.
    now: Sum,
    /// What it was in the window before, before rounding, with what is missing now.
    before: Sum,
    /// The sums of `now` and `before`, all signs taken away.
    sizes: [Sum; 2],
}

/// All dimensions of a window.
pub(super) struct Totals<'a> {
    of: BTreeMap<(&'a str, &'a str), Total>,
    /// Whether something was rounded, so that what is sent and what it came to differ.
    rounded: bool,
}

impl<'a> Totals<'a> {
    pub(super) fn of(window: &'a WindowReport) -> Self {
        let mut totals = Totals { of: BTreeMap::new(), rounded: false };
        for line in &window.lines {
            let total = totals.of.entry((line.product.as_str(), line.dimension.as_str())).or_default();
            total.add(line);
            totals.rounded |= line.exact.is_some();
        }
        for missing in &window.missing {
            let total = totals.of.entry((missing.product.as_str(), missing.dimension.as_str())).or_default();
            total.add_before(&missing.before);
        }
        totals
    }

    /// What the changes in a dimension are measured by: the larger of what it is and was.
    pub(super) fn size(&self, product: &str, dimension: &str) -> Option<Decimal> {
        let [now, before] = &self.of.get(&(product, dimension))?.sizes;
        Some(now.value()?.max(before.value()?))
    }
}

impl Total {
    fn add(&mut self, line: &Line) {
        match (line.state, &line.frozen) {
            // What was frozen was sent as it was; the difference is what is held.
            (_, Some(frozen)) => {
                self.earlier.add(frozen);
                let difference =
                    |frozen| Decimal::parse(&line.quantity).ok()?.checked_sub(Decimal::parse(frozen).ok()?);
                match difference(frozen) {
                    Some(difference) => self.open.add_decimal(difference),
                    None => self.open.add(""),
                }
            }
            (LineState::WouldBill | LineState::Billed | LineState::Zero, None) => self.this_run.add(&line.quantity),
            (LineState::Waived, None) => {}
            (LineState::BilledBefore, None) => self.earlier.add(&line.quantity),
            (LineState::Pending | LineState::Rejected | LineState::Unknown | LineState::Held, None) => {
                self.open.add(&line.quantity);
            }
        }
        self.now.add(exact(line));
        add_size(&mut self.sizes, 0, exact(line));
        if let Some(before) = &line.before {
            self.add_before(before);
        }
    }

    fn add_before(&mut self, before: &str) {
        self.before.add(before);
        add_size(&mut self.sizes, 1, before);
    }
}

fn add_size(sizes: &mut [Sum; 2], which: usize, quantity: &str) {
    if let Some(sum) = sizes.get_mut(which) {
        sum.add(quantity.trim_start_matches('-'));
    }
}

/// A column of sums: its words, its class, and which sum it shows.
type Column = (&'static str, &'static str, fn(&Total) -> &Sum);

pub(super) fn write(page: &mut Html, number: u64, window: &WindowReport, totals: &Totals<'_>, words: Words) {
    if totals.of.is_empty() {
        return;
    }
    let any = |of: fn(&Total) -> &Sum| totals.of.values().any(|total| !of(total).is_empty());
    let this_run = match (words.dry_run, words.publishes()) {
        (true, false) => "Would be billed",
        (false, false) => "Billed by this run",
        (true, true) => "Would be published",
        (false, true) => "Published by this run",
    };
    let mut columns: Vec<Column> = vec![
        (this_run, "<td class=\"n t\">", |total| &total.this_run),
        ("Earlier runs", "<td class=\"n e\">", |total| &total.earlier),
        ("Held or open", "<td class=\"n o\">", |total| &total.open),
    ];
    columns.retain(|(_, _, of)| any(*of));
    let compared = window.compared_with.is_some();
    if columns.len() != 1 || totals.rounded {
        columns.push(("In all", "<td class=\"n all\">", |total| &total.now));
    }
    let products = totals.of.keys().any(|(product, _)| !product.is_empty());

    page.raw("<div>\n<h3 id=\"t")
        .digits(number)
        .raw("\">By dimension</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"t");
    page.digits(number).raw("\"><table class=\"cards totals\">\n<caption>");
    page.raw(if totals.rounded {
        "What is sent is rounded; “in all” and “before” are not."
    } else {
        "Sums over all customers."
    });
    page.raw("</caption>\n<thead><tr>");
    if products {
        page.raw("<th scope=\"col\">Product</th>");
    }
    page.raw("<th scope=\"col\">Dimension</th>");
    for (words, ..) in &columns {
        page.raw("<th scope=\"col\" class=\"n\">").raw(words).raw("</th>");
    }
    if compared {
        page.raw("<th scope=\"col\" class=\"n\">Before</th><th scope=\"col\" class=\"n\">Change</th><th scope=\"col\" class=\"bars\">");
        page.raw("<span class=\"key now\"></span>now <span class=\"key was\"></span>before</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    let sums = totals.of.values().flat_map(|total| columns.iter().map(|(.., of)| of(total)).chain([&total.before]));
    let fraction = sums.map(fraction).max().unwrap_or(0);
    for ((product, dimension), total) in totals.of.iter().take(MOST_DIMENSIONS) {
        page.raw("<tr>");
        if products {
            page.raw("<td class=\"p\">").name(product).raw("</td>");
        }
        page.raw("<th scope=\"row\">").name(dimension).raw("</th>");
        for (_, cell, of) in &columns {
            page.raw(cell);
            sum(page, of(total), fraction);
            page.raw("</td>");
        }
        if compared {
            compare(page, total, fraction);
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    left_out(page, totals.of.len().saturating_sub(MOST_DIMENSIONS));
    page.raw("</div>\n");
}

fn fraction(sum: &Sum) -> usize {
    sum.value().map_or(0, |value| fraction_of(&value.to_string()))
}

fn sum(page: &mut Html, sum: &Sum, fraction: usize) {
    match sum.value() {
        _ if sum.is_empty() => page.raw("—"),
        Some(value) => page.quantity(&value.to_string(), fraction),
        None => page.raw("too many digits"),
    };
}

/// Before, the change, and both as bars on a scale of their own: dimensions have different units.
fn compare(page: &mut Html, total: &Total, fraction: usize) {
    page.raw("<td class=\"n b\">");
    sum(page, &total.before, fraction);
    page.raw("</td><td class=\"n c\">");
    let (Some(now), Some(before)) = (total.now.value(), total.before.value()) else {
        page.raw("</td><td class=\"bars\"></td>");
        return;
    };
    match percent(now, before) {
        Some(change) => {
            page.text(&in_percent(&change));
        }
        None if total.before.is_empty() => {
            page.raw("new");
        }
        None => {}
    }
    let largest = now.max(before);
    page.raw("</td><td class=\"bars\"><svg viewBox=\"0 0 1000 22\" preserveAspectRatio=\"none\" role=\"img\"><title>");
    page.text(&format!("now {}, before {}", grouped(&now.to_string()), grouped(&before.to_string())));
    page.raw("</title><rect class=\"now\" y=\"1\" height=\"9\" width=\"").digits(length(now, largest, FULL));
    page.raw("\"/><rect class=\"was\" y=\"12\" height=\"9\" width=\"").digits(length(before, largest, FULL));
    page.raw("\"/></svg></td>");
}

//! The charges that move the totals most, as a chart of bars to the left and to the right. What was billed before and is gone moves them
//! as well as what is new.
//!
//! Dimensions have different units, so that the changes themselves cannot stand on one scale. Each is measured as a share of all
//! usage of its dimension: that is how much of the bill it moves.

use std::cmp::Reverse;

use meterhost_decimal::{Decimal, Rounding};

use super::amount::{exact, fraction_of, in_percent, length, percent, share, signed};
use super::charges::tags;
use super::markup::Html;
use super::totals::Totals;
use crate::report::{Line, Missing, WindowReport};

/// So many are shown.
const MOST_MOVERS: usize = 10;
/// How long the longest bar is, on either side.
const HALF: u64 = 500;

/// A charge, and how much of its dimension it moves.
struct Mover<'a> {
    product: &'a str,
    customer: &'a str,
    dimension: &'a str,
    tags: &'a [(String, String)],
    now: Option<Decimal>,
    before: Option<Decimal>,
    change: Decimal,
    share: Decimal,
}

impl<'a> Mover<'a> {
    fn of_line(line: &'a Line, totals: &Totals<'_>) -> Option<Self> {
        let now = Decimal::parse(exact(line)).ok()?;
        let before = match &line.before {
            Some(before) => Some(Decimal::parse(before).ok()?),
            None => None,
        };
        let change = now.checked_sub(before.unwrap_or(Decimal::ZERO))?;
        let share = share(change, totals.size(&line.product, &line.dimension)?)?;
        let Line { product, customer, dimension, tags, .. } = line;
        Some(Mover { product, customer, dimension, tags, now: Some(now), before, change, share })
    }

    fn of_missing(missing: &'a Missing, totals: &Totals<'_>) -> Option<Self> {
        let before = Decimal::parse(&missing.before).ok()?;
        let change = before.checked_neg()?;
        let share = share(change, totals.size(&missing.product, &missing.dimension)?)?;
        let Missing { product, customer, dimension, tags, .. } = missing;
        Some(Mover { product, customer, dimension, tags, now: None, before: Some(before), change, share })
    }
}

/// The largest first; where they are alike, in the order of the report.
fn movers<'a>(window: &'a WindowReport, totals: &Totals<'_>) -> Vec<Mover<'a>> {
    let lines = window.lines.iter().filter_map(|line| Mover::of_line(line, totals));
    let missing = window.missing.iter().filter_map(|missing| Mover::of_missing(missing, totals));
    let mut movers: Vec<Mover<'_>> = lines.chain(missing).filter(|mover| !mover.change.is_zero()).collect();
    movers.sort_by_key(|mover| Reverse(mover.share));
    movers.truncate(MOST_MOVERS);
    movers
}

pub(super) fn write(page: &mut Html, number: u64, window: &WindowReport, totals: &Totals<'_>) {
    let movers = movers(window, totals);
    let Some(largest) = movers.first().map(|mover| mover.share) else { return };
    let compared = window.compared_with.is_some();
    page.raw("<figure class=\"movers\" aria-labelledby=\"m")
        .digits(number)
        .raw("\">\n<figcaption><h3 id=\"m")
        .digits(number)
        .raw("\">");
    page.raw(if compared { "What changed most" } else { "The largest charges" }).raw("</h3>\n");
    page.raw(match compared {
        true => {
            "The bars show how much of all usage of its dimension each change is: less to the left, more to the right."
        }
        false => "The bars show how much of all usage of its dimension each charge is.",
    });
    page.raw("</figcaption>\n<ol>\n");
    let fractions = movers.iter().map(|mover| fraction_of(&mover.change.normalised().to_string()));
    let fraction = fractions.max().unwrap_or(0);
    for mover in &movers {
        page.raw("<li><span class=\"who\">");
        if !mover.product.is_empty() {
            page.name(mover.product).raw(" / ");
        }
        page.name(mover.customer).raw("</span><span class=\"what\">").name(mover.dimension);
        tags(page, mover.tags);
        page.raw("</span><span class=\"delta\">");
        let change = if compared { signed(mover.change) } else { mover.change.normalised().to_string() };
        page.quantity(&change, fraction).raw("</span><span class=\"by\">");
        match (mover.now, mover.before) {
            (None, _) => page.raw("gone"),
            (_, None) if compared => page.raw("new"),
            (Some(now), Some(before)) => {
                page.text(&percent(now, before).map(|percent| in_percent(&percent)).unwrap_or_default())
            }
            _ => page,
        };
        page.raw("</span>");
        bar(page, mover, largest, compared);
        page.raw("</li>\n");
    }
    page.raw("</ol>\n</figure>\n");
}

fn bar(page: &mut Html, mover: &Mover<'_>, largest: Decimal, compared: bool) {
    let less = mover.change.is_negative();
    page.raw("<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\"><title>");
    // The share has nine digits at most: a ten-millionth of a percent.
    let percent = mover.share.checked_mul(Decimal::from(100_u64)).unwrap_or(mover.share);
    let percent = percent.round(2, Rounding::HalfEven).normalised();
    let words = if !compared {
        "is"
    } else if less {
        "falls by"
    } else {
        "grows by"
    };
    page.text(&format!("{words} {percent}% of all usage of this dimension")).raw("</title>");
    if compared {
        let length = length(mover.share, largest, HALF);
        page.raw("<path class=\"zero\" d=\"M500 0V10\"/><rect class=\"").raw(if less { "less" } else { "more" });
        page.raw("\" y=\"1\" height=\"8\" x=\"").digits(if less { HALF - length } else { HALF });
        page.raw("\" width=\"").digits(length).raw("\"/></svg>");
    } else {
        page.raw("<rect class=\"now\" y=\"1\" height=\"8\" width=\"").digits(length(mover.share, largest, 2 * HALF));
        page.raw("\"/></svg>");
    }
}

//! How quantities and changes are written, and how long their bars are. All of it is exact or whole numbers: nothing is a float.

use meterhost_decimal::{Decimal, DecimalSum, Rounding};

use super::markup::Html;
use crate::report::Line;

/// With more digits behind the point than this, numbers in a column are not lined up by their points: it would be all zeros.
const MOST_PADDING: usize = 6;

/// A number that is longer than this may be broken at its commas, where there is no room for it.
const LONGEST_UNBROKEN: usize = 24;

impl Html {
    /// A quantity, with commas; never cut. In a column whose numbers have up to `fraction` digits behind the point, what is missing of
    /// them is there and not seen, so that the points stand below each other.
    pub(super) fn quantity(&mut self, quantity: &str, fraction: usize) -> &mut Self {
        let grouped = grouped(quantity);
        if grouped.len() <= LONGEST_UNBROKEN {
            self.text(&grouped);
        } else {
            for part in grouped.split_inclusive([',', '.']) {
                self.text(part).raw("<wbr>");
            }
        }
        let digits = fraction_of(quantity);
        if fraction > MOST_PADDING || digits >= fraction {
            return self;
        }
        let zeros = "0".repeat(fraction - digits);
        let point = if digits == 0 { "." } else { "" };
        self.raw("<i>").text(point).text(&zeros).raw("</i>")
    }
}

/// How many digits stand behind the point.
pub(super) fn fraction_of(quantity: &str) -> usize {
    quantity.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// A number with commas; what is none stays as it is.
pub(super) fn grouped(number: &str) -> String {
    let unsigned = number.trim_start_matches(['-', '+']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return number.to_owned();
    }
    let (sign, _) = number.split_at_checked(number.len() - unsigned.len()).unwrap_or(("", ""));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A sum of quantities, of which there may be none.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    sum: DecimalSum,
    terms: u64,
    /// A term is no decimal, so that there is no sum.
    broken: bool,
}

impl Sum {
    pub(super) fn add(&mut self, quantity: &str) {
        match Decimal::parse(quantity) {
            Ok(quantity) => self.add_decimal(quantity),
            Err(_) => self.broken = true,
        }
    }

    pub(super) fn add_decimal(&mut self, quantity: Decimal) {
        self.sum.add(quantity);
        self.terms += 1;
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.terms == 0 && !self.broken
    }

    /// None where it has too many digits.
    pub(super) fn value(&self) -> Option<Decimal> {
        self.sum.finish().filter(|_| !self.broken).map(Decimal::normalised)
    }
}

/// What a line comes to before rounding, which is what earlier windows are compared by.
pub(super) fn exact(line: &Line) -> &str {
    line.exact.as_ref().unwrap_or(&line.quantity)
}

/// A decimal with its sign: `+12`, `-0.5`, `0`.
pub(super) fn signed(number: Decimal) -> String {
    let text = number.normalised().to_string();
    if number.is_zero() || number.is_negative() { text } else { format!("+{text}") }
}

/// The change in percent, rounded to one digit: `+12.5`, `0`; none where there is nothing to compare with.
pub(super) fn percent(now: Decimal, before: Decimal) -> Option<String> {
    if before.is_zero() || before.is_negative() {
        return None;
    }
    let change = now.checked_sub(before)?.checked_mul(Decimal::from(100_u64))?.checked_div(before)?;
    Some(signed(change.value.round(1, Rounding::HalfEven)))
}

/// A change in percent as it stands in a column: with its one digit, be it zero.
pub(super) fn in_percent(change: &str) -> String {
    format!("{}{}%", grouped(change), if change.contains('.') { "" } else { ".0" })
}

/// `part` of `whole`, without a sign, cut to nine digits: what bars are measured by. None where there is no whole.
pub(super) fn share(part: Decimal, whole: Decimal) -> Option<Decimal> {
    let share = part.checked_abs()?.checked_div(whole.checked_abs()?)?;
    Some(share.value.round(9, Rounding::Down))
}

/// How long the bar of `part` is where that of `largest` is `full` long. What is not zero can be seen.
pub(super) fn length(part: Decimal, largest: Decimal, full: u64) -> u64 {
    if part.is_zero() || part.is_negative() || largest.is_zero() || largest.is_negative() {
        return 0;
    }
    let length = part.checked_div(largest).and_then(|share| {
        // Nine digits of the share are enough for any bar, and leave room for the product.
        let length = share.value.round(9, Rounding::Down).checked_mul(Decimal::from(full))?;
        u64::try_from(length.round(0, Rounding::Down).coefficient()).ok()
    });
    length.map_or(full, |length| length.clamp(full.div_ceil(200), full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_have_commas_and_keep_every_digit() {
        let huge = "-12345678901234567890123456789012345.678";
        let cases = [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234567.50", "-1,234,567.50"),
            ("+1000.0", "+1,000.0"),
            (huge, "-12,345,678,901,234,567,890,123,456,789,012,345.678"),
            ("many", "many"),
            ("1e9", "1e9"),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(grouped(text), shown);
        }
    }

    #[test]
    fn points_stand_below_each_other_and_what_is_not_seen_changes_no_number() {
        let shown = |quantity: &str, fraction| {
            let mut page = Html::new();
            page.quantity(quantity, fraction);
            page.finish()
        };
        assert_eq!(shown("1234", 2), "1,234<i>.00</i>");
        assert_eq!(shown("1.5", 2), "1.5<i>0</i>");
        assert_eq!(shown("1.25", 2), "1.25");
        assert_eq!(shown("1", 0), "1");
        assert_eq!(shown("1", 30), "1");
        let huge = "12345678901234567890123456.5";
        assert_eq!(shown(huge, 1).replace("<wbr>", ""), "12,345,678,901,234,567,890,123,456.5");
    }

    #[test]
    fn a_change_is_told_in_percent_of_what_was() {
        let change = |now, before| percent(number(now), number(before));
        assert_eq!(change("112.5", "100").as_deref(), Some("+12.5"));
        assert_eq!(change("0", "3").as_deref(), Some("-100"));
        assert_eq!(change("3", "3").as_deref(), Some("0"));
        assert_eq!(change("2", "3").as_deref(), Some("-33.3"));
        assert_eq!(change("5678", "1").as_deref().map(in_percent).as_deref(), Some("+567,700.0%"));
        assert_eq!(in_percent("-12.5"), "-12.5%");
        assert_eq!(change("1", "0"), None);
        assert_eq!(change("1", "-2"), None);
        assert_eq!(change("99999999999999999999999999999999999999", "0.00000000000000000000001"), None);
    }

    #[test]
    fn bars_are_as_long_as_their_numbers_and_never_longer_than_there_is_room() {
        let of = |part, largest| length(number(part), number(largest), 1_000);
        assert_eq!(of("1", "1"), 1_000);
        assert_eq!(of("1", "4"), 250);
        assert_eq!(of("0", "4"), 0);
        assert_eq!(of("-1", "4"), 0);
        assert_eq!(of("1", "0"), 0);
        assert_eq!(of("0.0000001", "99999999999999999999999999999999999999"), 5, "it can be seen");
        assert_eq!(of("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"), 1_000);
        assert_eq!(of("99999999999999999999999999999999999999", "0.00000000000000000000000001"), 1_000);
        assert_eq!(share(number("-1"), number("3")), Some(number("0.333333333")));
        assert_eq!(share(number("1"), Decimal::ZERO), None);
    }

    #[test]
    fn a_sum_that_is_none_is_not_made_up() {
        let mut sum = Sum::default();
        assert!(sum.is_empty());
        sum.add("1.5");
        sum.add("2.50");
        assert_eq!(sum.value(), Some(number("4")));
        sum.add("99999999999999999999999999999999999999");
        assert_eq!(sum.value(), None);
        let mut broken = Sum::default();
        broken.add("many");
        assert_eq!((broken.is_empty(), broken.value()), (false, None));
    }
}

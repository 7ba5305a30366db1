//! An exact quantity: up to ten digits before the point and six after it.
//!
//! The model's `UsageQuantityAsDecimalString` is `^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$` with at most 17 characters, so that
//! millionths hold every quantity. "17, 17.0, and 17.00 are the same quantity" (the model, `QuantityAsDecimal`).

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MILLION: u128 = 1_000_000;

/// A quantity by its value. Its text has no superfluous digit: `17`, `17.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(u128);

/// The text is not a quantity as the service takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoQuantity;

impl fmt::Display for NoQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r"not a quantity: ^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$")
    }
}

impl std::error::Error for NoQuantity {}

impl FromStr for Quantity {
    type Err = NoQuantity;

    fn from_str(text: &str) -> Result<Self, NoQuantity> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(NoQuantity),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leads = whole.len() > 1 && whole.starts_with('0');
        if leads || !(1..=10).contains(&whole.len()) || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
            return Err(NoQuantity);
        }
        format!("{whole}{fraction:0<6}").parse().map(Self).map_err(|_| NoQuantity)
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self(u128::from(whole) * MILLION)
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        // 10^16 millionths at most each: no number of them that fits into memory overflows this.
        Self(quantities.map(|quantity| quantity.0).sum())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / MILLION, self.0 % MILLION);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{fraction:06}").trim_end_matches('0'))
    }
}

impl TryFrom<String> for Quantity {
    type Error = NoQuantity;

    fn try_from(text: String) -> Result<Self, NoQuantity> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_value() {
        let read = |text: &str| text.parse::<Quantity>().unwrap();
        assert_eq!(read("17"), read("17.0"));
        assert_eq!(read("17.000000"), Quantity::from(17));
        assert_eq!((read("0.100000").to_string(), read("17.42").to_string()), ("0.1".into(), "17.42".into()));
        assert_eq!([read("0.1"), read("0.2")].into_iter().sum::<Quantity>(), read("0.3"));
        assert_eq!(read("9999999999.999999").to_string(), "9999999999.999999");
    }

    #[test]
    fn what_the_pattern_refuses_is_no_quantity() {
        for text in [
            "",
            "-1",
            "+1",
            "01",
            "00",
            "1e3",
            ".5",
            "1.",
            "1,5",
            " 1",
            "1 ",
            "1.0000000",
            "10000000000",
            "١",
            "1.2.3",
            "NaN",
        ] {
            assert_eq!(text.parse::<Quantity>(), Err(NoQuantity), "{text:?}");
        }
    }
}

//! Text to decimal: what JSON calls a number, read exactly.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use crate::{DIGITS, Decimal, power_of_ten};

/// Why a text is not a decimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ParseDecimalError {
    /// The text is not a number as JSON writes them.
    NotANumber,
    /// The number is exact with more than 38 digits only, or more than 38 behind the point.
    TooManyDigits,
}

impl Display for ParseDecimalError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a number: write it like 12, -12.50 or 1.5e3",
            Self::TooManyDigits => "too many digits: a decimal has at most 38",
        })
    }
}

impl std::error::Error for ParseDecimalError {}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        Self::parse(text)
    }
}

impl Decimal {
    /// Reads a number in the syntax of JSON (RFC 8259, section 6): `-12.50`, `1.5e3`, `2E-7`. Nothing else is accepted: no `+` in
    /// front, no spaces, no `007`, `1.` or `.5`.
    ///
    /// The scale is that of the text as far as 38 digits allow; zeros at the end beyond them are dropped.
    ///
    /// # Errors
    ///
    /// If the text is not such a number, or if 38 digits do not hold it exactly.
    pub fn parse(text: &str) -> Result<Self, ParseDecimalError> {
        Self::parse_bytes(text.as_bytes())
    }

    /// [`Decimal::parse`] for text that is not known to be UTF-8. Numbers of up to 18 digits without exponent are fastest.
    ///
    /// # Errors
    ///
    /// As for [`Decimal::parse`].
    #[inline]
    pub fn parse_bytes(text: &[u8]) -> Result<Self, ParseDecimalError> {
        match parse_short(text) {
            Some(decimal) => Ok(decimal),
            None => parse_any(text),
        }
    }
}

/// Reads a number that is short and plain; `None` for everything else, right or wrong.
#[inline]
fn parse_short(text: &[u8]) -> Option<Decimal> {
    let (negative, number) = match text {
        [b'-', number @ ..] => (true, number),
        number => (false, number),
    };
    // 19 digits fit 64 bits, so 18 and a point surely do.
    if number.len() > 19 || matches!(number, [] | [b'0', b'0'..=b'9', ..] | [b'.', ..] | [.., b'.']) {
        return None;
    }
    let mut magnitude = 0_u64;
    let mut fraction = None;
    for byte in number {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            magnitude = magnitude * 10 + u64::from(digit);
            fraction = fraction.map(|digits| digits + 1);
        } else if *byte == b'.' && fraction.is_none() {
            fraction = Some(0);
        } else {
            return None;
        }
    }
    let magnitude = i128::from(magnitude);
    Some(Decimal { coefficient: if negative { -magnitude } else { magnitude }, scale: fraction.unwrap_or(0) })
}

/// Reads any number.
#[inline(never)]
fn parse_any(text: &[u8]) -> Result<Decimal, ParseDecimalError> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (integer, rest) = split_digits(rest);
    if matches!(integer, [] | [b'0', _, ..]) {
        return Err(ParseDecimalError::NotANumber);
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => match split_digits(rest) {
            ([], _) => return Err(ParseDecimalError::NotANumber),
            split => split,
        },
        rest => (&[][..], rest),
    };
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
        _ => return Err(ParseDecimalError::NotANumber),
    };
    let magnitude = scaled(integer, fraction, exponent).ok_or(ParseDecimalError::TooManyDigits)?;
    Ok(Decimal {
        coefficient: if negative { -magnitude.coefficient } else { magnitude.coefficient },
        scale: magnitude.scale,
    })
}

/// The digits at the beginning, and what follows them.
fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(digits)
}

/// An exponent without its `e`. One beyond 64 bits is as good as the largest: no text is long enough to make up for it.
fn parse_exponent(text: &[u8]) -> Result<i64, ParseDecimalError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ParseDecimalError::NotANumber);
    }
    let exponent = digits
        .iter()
        .fold(0_i64, |exponent, digit| exponent.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Ok(if negative { -exponent } else { exponent })
}

/// `integer.fraction × 10^exponent`, from digits; `None` if 38 digits do not hold it.
fn scaled(integer: &[u8], fraction: &[u8], exponent: i64) -> Option<Decimal> {
    let digits = || integer.iter().chain(fraction);
    let is_zero = |digit: &&u8| **digit == b'0';
    let leading = digits().take_while(is_zero).count();
    let all = integer.len() + fraction.len();
    if leading == all {
        return Some(Decimal::ZERO);
    }
    let trailing = digits().rev().take_while(is_zero).count();

    // The number is `coefficient × 10^power`, where the coefficient ends in a digit other than 0.
    let significant = u8::try_from(all - leading - trailing).ok()?;
    if significant > DIGITS {
        return None;
    }
    let coefficient = digits()
        .skip(leading)
        .take(usize::from(significant))
        .fold(0, |coefficient, digit| coefficient * 10 + i128::from(digit - b'0'));
    let written = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?);
    let power = written.saturating_add(i64::try_from(trailing).ok()?);

    // Zeros that have to stand at the end of the integer, and zeros that were written at the end of the fraction and have room.
    let needed = u8::try_from(power.max(0)).ok()?;
    let scale = u8::try_from(power.min(0).unsigned_abs()).ok()?;
    let room = DIGITS.checked_sub(significant.checked_add(needed)?)?;
    let written_scale = u8::try_from(written.min(0).unsigned_abs()).unwrap_or(DIGITS);
    let kept = written_scale.min(DIGITS).saturating_sub(scale).min(room);
    Decimal::new(coefficient.checked_mul(power_of_ten(needed + kept))?, scale + kept)
}

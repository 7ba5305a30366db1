//! Times as they are written, in milliseconds since 1970-01-01T00:00:00Z.

use jiff::Timestamp;
use meterhost_sdk::{Decimal, Rounding};

use crate::config::Unit;

/// A text as in RFC 3339; what is finer than a millisecond is cut.
pub(crate) fn text(text: &str) -> Option<i64> {
    plain(text.as_bytes()).or_else(|| {
        let moment: Timestamp = text.parse().ok()?;
        // Cut towards the past, before 1970 too, so that a time never moves into a later window.
        i64::try_from(moment.as_nanosecond().div_euclid(1_000_000)).ok()
    })
}

/// `2025-06-01T00:59:59Z`, with or without a fraction, and nothing else, without the detour over a parser for everything.
#[inline]
fn plain(text: &[u8]) -> Option<i64> {
    let (seconds, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *seconds else {
        return None;
    };
    let millis = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            let three = digits.iter().chain(b"00").take(3);
            three.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
        }
        _ => return None,
    };
    // What is no digit becomes too large for every bound below.
    let two = |tens: u8, ones: u8| match (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0')) {
        (tens @ 0..=9, ones @ 0..=9) => i64::from(tens) * 10 + i64::from(ones),
        _ => 1000,
    };
    let (century, of_century, month, day) = (two(y0, y1), two(y2, y3), two(m0, m1), two(d0, d1));
    let (hour, minute, second) = (two(h0, h1), two(n0, n1), two(s0, s1));
    if century > 99 || of_century > 99 {
        return None;
    }
    let year = century * 100 + of_century;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    // A leap second is left to the parser for everything.
    if day < 1 || day > longest || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970 of a proleptic Gregorian date, with years that begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

/// A number of units; what is finer than a millisecond is cut.
pub(crate) fn epoch(number: &str, unit: Unit) -> Option<i64> {
    if let Some(whole) = whole(number.as_bytes()) {
        return match unit {
            Unit::S => whole.checked_mul(1000).filter(|&millis| exists(millis)),
            Unit::Ms => Some(whole).filter(|&millis| exists(millis)),
            Unit::Us => Some(whole / 1000),
            Unit::Ns => Some(whole / 1_000_000),
        };
    }
    let number = Decimal::parse(number).ok()?;
    let factor = |coefficient, scale| Decimal::new(coefficient, scale);
    let millis = number.checked_mul(match unit {
        Unit::S => factor(1000, 0)?,
        Unit::Ms => factor(1, 0)?,
        Unit::Us => factor(1, 3)?,
        Unit::Ns => factor(1, 6)?,
    })?;
    let cut = match millis.is_negative() {
        true => millis.round(0, Rounding::Up),
        false => millis.round(0, Rounding::Down),
    };
    let millis = i64::try_from(cut.rescale(0)?.coefficient()).ok()?;
    exists(millis).then_some(millis)
}

/// A whole number of few digits, from 0.
#[inline]
fn whole(number: &[u8]) -> Option<i64> {
    match number {
        [] | [b'0', _, ..] => return None,
        digits if digits.len() > 17 => return None,
        _ => {}
    }
    number.iter().try_fold(0, |whole, digit| digit.is_ascii_digit().then(|| whole * 10 + i64::from(digit - b'0')))
}

/// Whether a moment lies in the years that have four digits.
fn exists(millis: i64) -> bool {
    Timestamp::from_millisecond(millis).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for day in -100_000..100_000_i64 {
            let seconds = day * 863_999;
            let moment = Timestamp::from_second(seconds).unwrap();
            if (0..10_000).contains(&moment.to_zoned(jiff::tz::TimeZone::UTC).year()) {
                assert_eq!(plain(moment.to_string().as_bytes()), Some(seconds * 1000), "{moment}");
            }
        }
    }

    #[test]
    fn a_fraction_is_read_the_short_way_as_the_long_one() {
        for fraction in ["1", "12", "123", "1239", "000000001", "999999999"] {
            let written = format!("2025-06-01T12:34:56.{fraction}Z");
            let long: Timestamp = written.parse().unwrap();
            assert_eq!(plain(written.as_bytes()), Some(long.as_millisecond()), "{written}");
        }
        let odd = [
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "20x5-01-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
        ];
        for odd in odd {
            assert_eq!(text(odd), None, "{odd}");
        }
        assert_eq!(plain(b"2025-06-01T12:34:56.Z"), None);
    }

    #[test]
    fn whole_numbers_are_read_the_short_way_as_the_long_one() {
        for number in [0_i64, 1, 999, 1000, 1_763_634_471, 1_763_634_471_636, 99_999_999_999_999_999] {
            for unit in [Unit::S, Unit::Ms, Unit::Us, Unit::Ns] {
                // A point makes it go the long way.
                assert_eq!(epoch(&number.to_string(), unit), epoch(&format!("{number}.0"), unit), "{number} {unit:?}");
            }
        }
    }

    #[test]
    fn offsets_and_fractions_are_read_exactly() {
        assert_eq!(text("2025-06-01T02:00:00.123456+02:00"), text("2025-06-01T00:00:00Z").map(|millis| millis + 123));
        assert_eq!(text("1969-12-31T23:59:59.9999Z"), Some(-1));
        assert_eq!(text("2025-02-30T00:00:00Z"), None);
        assert_eq!(text("2025-06-01"), None);
        assert_eq!(text("yesterday"), None);
    }

    #[test]
    fn numbers_are_counted_in_their_unit() {
        assert_eq!(epoch("1763634471", Unit::S), Some(1_763_634_471_000));
        assert_eq!(epoch("1763634471.6369", Unit::S), Some(1_763_634_471_636));
        assert_eq!(epoch("1763634471636", Unit::Ms), Some(1_763_634_471_636));
        assert_eq!(epoch("1763634471636562", Unit::Us), Some(1_763_634_471_636));
        assert_eq!(epoch("1763634471636562122", Unit::Ns), Some(1_763_634_471_636));
        assert_eq!(epoch("-1", Unit::Ns), Some(-1));
        assert_eq!(epoch("99999999999999999999", Unit::S), None);
        assert_eq!(epoch("soon", Unit::S), None);
    }
}

//! Times as they are written, in milliseconds since 1970-01-01T00:00:00Z.

mod usual;

use jiff::Timestamp;
use meterhost_sdk::{Decimal, Rounding};

use crate::config::Unit;

/// A text as in RFC 3339, section 5.6: a date, `T` (or a space), a time of day, any number of digits of a fraction, and
/// `Z` or an offset of hours and minutes. What is finer than a millisecond is cut, towards the past before 1970 too, so
/// that a time never moves into a later window.
#[inline]
pub(crate) fn text(text: &str) -> Option<i64> {
    usual::millis(text.as_bytes()).or_else(|| any(text))
}

/// The same for every way to write it.
#[inline(never)]
fn any(text: &str) -> Option<i64> {
    let (seconds, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T' | b't' | b' ', h0, h1, b':', n0, n1, b':', s0, s1] = *seconds
    else {
        return None;
    };
    let (millis, zone) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        zone => (0, zone),
    };
    let offset = match zone {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', n0, n1] => {
            let (hours, minutes) = (two(*h0, *h1), two(*n0, *n1));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
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
    if day < 1 || day > longest || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970 of a proleptic Gregorian date, with years that begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let minutes = (days * 24 + hour) * 60 + minute - offset;
    // A leap second ends a day of UTC; here it is the second before it once more.
    if second == 60 && minutes.rem_euclid(24 * 60) != 24 * 60 - 1 {
        return None;
    }
    let time = (minutes * 60 + second.min(59)) * 1000 + millis;
    exists(time).then_some(time)
}

/// Two digits; what is none becomes too large for every bound.
#[inline]
fn two(tens: u8, ones: u8) -> i64 {
    match (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0')) {
        (tens @ 0..=9, ones @ 0..=9) => i64::from(tens) * 10 + i64::from(ones),
        _ => 1000,
    }
}

/// The milliseconds of a fraction of a second, and what stands behind its digits, of which there is at least one.
#[inline]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(length).filter(|(digits, _)| !digits.is_empty())?;
    let three = digits.iter().chain(b"00").take(3);
    Some((three.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')), rest))
}

/// A time as a person reads it.
pub(crate) fn shown(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(|_| format!("{millis} ms"), |moment| moment.to_string())
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
    fn the_usual_way_agrees_with_all_ways() {
        let usual = |text: &str| usual::millis(text.as_bytes());
        for year in (0..10_000).step_by(7).chain([1900, 1970, 2000, 2024, 9998, 9999]) {
            for month in 0..=13 {
                for day in [0, 1, 28, 29, 30, 31, 32] {
                    let written = format!("{year:04}-{month:02}-{day:02}T23:59:58Z");
                    let found = any(&written);
                    assert_eq!(usual(&written), found.filter(|_| year > 0 && year < 9999), "{written}");
                }
            }
        }
        for written in ["2025-06-01T10:20:30Z", "2024-12-31T00:59:59.678Z"] {
            assert_eq!(usual(written), any(written));
            assert!(usual(written).is_some());
            for at in 0..written.len() {
                for byte in 0..=127_u8 {
                    let mut bytes = written.as_bytes().to_vec();
                    bytes[at] = byte;
                    let other = String::from_utf8(bytes).unwrap();
                    assert!(usual(&other).is_none_or(|millis| Some(millis) == any(&other)), "{other}");
                }
            }
        }
        // What has bytes beyond ASCII.
        assert_eq!(usual("2025-06-01T10:20:3\u{e9}Z"), None);
        assert_eq!(usual("2025\u{2d0}06-01T10:20:3Z"), None);
    }

    #[test]
    fn every_day_is_read_as_the_calendar_says() {
        for day in -100_000..100_000_i64 {
            let seconds = day * 863_999;
            let moment = Timestamp::from_second(seconds).unwrap();
            if (0..10_000).contains(&moment.to_zoned(jiff::tz::TimeZone::UTC).year()) {
                assert_eq!(text(&moment.to_string()), Some(seconds * 1000), "{moment}");
            }
        }
    }

    #[test]
    fn a_fraction_is_cut_to_milliseconds_however_long_it_is() {
        for fraction in ["1", "12", "123", "1239", "000000001", "999999999"] {
            let written = format!("2025-06-01T12:34:56.{fraction}Z");
            let long: Timestamp = written.parse().unwrap();
            assert_eq!(text(&written), Some(long.as_millisecond()), "{written}");
        }
        let long = format!("2025-06-01T12:34:56.1239{}", "9".repeat(40));
        assert_eq!(text(&format!("{long}Z")), text("2025-06-01T12:34:56.123Z"));
        assert_eq!(text(&format!("{long}+01:00")), text("2025-06-01T11:34:56.123Z"));
        let odd = [
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "20x5-01-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-06-01T12:34:56.Z",
            "2025-06-01T12:34:56,5Z",
            "2025-06-01T12:60:56Z",
            "2025-06-01T12:34:61Z",
        ];
        for odd in odd {
            assert_eq!(text(odd), None, "{odd}");
        }
    }

    #[test]
    fn nothing_but_rfc_3339_is_a_time() {
        let odd = [
            "2025-06-01 00:00:00+02",
            "2025-06-01T00:00:00+02",
            "2025-06-01T00:00:00+0200",
            "2025-06-01T00:00:00+02:00[Europe/Berlin]",
            "2025-06-01T00:00:00Z[UTC]",
            "2025-06-01T00:00:00Z[u-ca=iso8601]",
            "2025-06-01T00:00:00+02:00:00",
            "2025-06-01T00:00:00+24:00",
            "2025-06-01T00:00:00+00:60",
            "2025-06-01T00:00Z",
            "20250601T000000Z",
            "+002025-06-01T00:00:00Z",
            "-000001-06-01T00:00:00Z",
            "2025-06-01T00:00:00",
            "2025-06-01T00:00:00Z ",
            " 2025-06-01T00:00:00Z",
            "2025-06-01T00:00:60Z",
            "9999-12-31T23:59:59Z",
            "",
        ];
        for odd in odd {
            assert_eq!(text(odd), None, "{odd}");
        }
        let same =
            ["2025-06-01t00:00:00z", "2025-06-01 00:00:00Z", "2025-05-31T22:30:00-01:30", "2025-06-01T00:00:00-00:00"];
        for same in same {
            assert_eq!(text(same), Some(1_748_736_000_000), "{same}");
        }
    }

    #[test]
    fn a_leap_second_stays_in_its_day() {
        let before = text("2016-12-31T23:59:59.5Z");
        assert_eq!(text("2016-12-31T23:59:60.5Z"), before);
        assert_eq!(text("2017-01-01T01:59:60.5+02:00"), before);
        assert_eq!(text("2017-01-01T01:59:60.5Z"), None);
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

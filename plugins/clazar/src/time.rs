//! The service's way of writing times: `2025-06-30T23:59:59Z`.

const SECOND: i64 = 1000;
const DAY: i64 = 86_400;

/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
const WRITABLE: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// Whether [`write`] writes this time with a year of four digits.
pub(crate) fn is_writable(time: i64) -> bool {
    WRITABLE.contains(&time.div_euclid(SECOND))
}

/// A time in milliseconds since 1970-01-01T00:00:00Z as the service writes it; milliseconds are cut off.
pub(crate) fn write(time: i64) -> String {
    let seconds = time.div_euclid(SECOND);
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads RFC 3339 to milliseconds, with `Z`, an offset or no zone at all (which is taken for UTC, as all times that are sent are
/// UTC). `None` for anything else. A fraction below the millisecond counts as one, so that it never equals a whole second.
pub(crate) fn read(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let days = match split(day, '-', 4)? {
        [year, month, day] if (1..=12).contains(&month) && (1..=31).contains(&day) => {
            let days = days(year, month, day);
            (date(days) == (year, month, day)).then_some(days)?
        }
        _ => return None,
    };
    let (clock, rest) = clock.split_at_checked(8)?;
    let seconds = match split(clock, ':', 2)? {
        [hour, minute, second] if hour < 24 && minute < 60 && second < 60 => hour * 3600 + minute * 60 + second,
        _ => return None,
    };
    let (fraction, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|odd: char| !odd.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, zone) = rest.split_at_checked(end)?;
            (milliseconds(digits)?, zone)
        }
    };
    Some((days * DAY + seconds - offset(zone)?) * SECOND + fraction)
}

/// Three numbers, the first of `width` digits, the others of two.
fn split(text: &str, separator: char, width: usize) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut number = |width: usize| {
        let part = parts.next().filter(|part| part.len() == width)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten()
    };
    let three = [number(width)?, number(2)?, number(2)?];
    parts.next().is_none().then_some(three)
}

fn milliseconds(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let (first, rest) = digits.split_at_checked(3).unwrap_or((digits, ""));
    let padded: i64 = format!("{first:0<3}").parse().ok()?;
    Some(padded + i64::from(rest.bytes().any(|digit| digit != b'0')))
}

/// In seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, clock) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(clock), _) => (1, clock),
        (_, Some(clock)) => (-1, clock),
        _ => return None,
    };
    match split(&format!("{clock}:00"), ':', 2)? {
        [hour, minute, _] if hour < 24 && minute < 60 => Some(sign * (hour * 3600 + minute * 60)),
        _ => None,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of so many days since 1970-01-01: year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_over_all_writable_years() {
        let mut time = WRITABLE.start() * SECOND;
        while is_writable(time) {
            let text = write(time);
            assert_eq!((text.len(), read(&text)), (20, Some(time)), "{text}");
            // A prime number of seconds near eleven days.
            time += 950_009 * SECOND;
        }
        assert_eq!(write(WRITABLE.start() * SECOND), "0000-01-01T00:00:00Z");
        assert_eq!(write(WRITABLE.end() * SECOND), "9999-12-31T23:59:59Z");
        assert!(!is_writable((WRITABLE.end() + 1) * SECOND) && !is_writable(WRITABLE.start() * SECOND - 1));
    }

    #[test]
    fn all_usual_ways_of_writing_a_time_are_read() {
        let noon = 1_709_208_000_000;
        for text in [
            "2024-02-29T12:00:00Z",
            "2024-02-29T12:00:00",
            "2024-02-29 12:00:00z",
            "2024-02-29T12:00:00.000000Z",
            "2024-02-29T12:00:00+00:00",
            "2024-02-29T17:30:00+05:30",
            "2024-02-29T07:00:00-05:00",
        ] {
            assert_eq!(read(text), Some(noon), "{text}");
        }
        assert_eq!(read("2024-02-29T12:00:00.25Z"), Some(noon + 250));
        assert_eq!(read("2024-02-29T12:00:00.0000001Z"), Some(noon + 1), "never equal to the whole second");
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "2024",
            "2024-02-29",
            "2023-02-29T12:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z",
            "2024-02-29T12:00:60Z",
            "2024-02-29T12:00Z",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00+5:30",
            "2024-02-29T12:00:00+0530",
            "2024-02-29T12:00:00 Z",
            "2024-02-29T12:00:00ZZ",
            "20é4-02-29T12:00:00Z",
            "2024-2-029T12:00:00Z",
            "-024-02-29T12:00:00Z",
            "+024-02-29T12:00:00Z",
            "2024-02-29T12:00:00+24:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

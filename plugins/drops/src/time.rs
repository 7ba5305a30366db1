//! Times as text: always UTC, of the Gregorian calendar.

use std::fmt::Write as _;

/// An hour in milliseconds.
pub const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Writes `2022-03-17T17:12:18Z`; milliseconds are cut off.
pub fn push_iso(out: &mut String, time: i64) {
    let ((year, month, day), (hour, minute, second)) = (date(time.div_euclid(DAY)), clock(time));
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
}

/// `2022-03-17T17:12:18Z`; milliseconds are cut off.
pub fn iso(time: i64) -> String {
    let mut text = String::new();
    push_iso(&mut text, time);
    text
}

/// `20220317T171218Z`; milliseconds are cut off.
pub fn compact(time: i64) -> String {
    let (hour, minute, second) = clock(time);
    format!("{}T{hour:02}{minute:02}{second:02}Z", compact_day(time))
}

/// Reads what [`compact`] writes; nothing if it is anything else.
pub fn read_compact(text: &str) -> Option<i64> {
    let (day, clock) = text.split_once('T')?;
    let clock = clock.strip_suffix('Z').filter(|clock| clock.len() == 6)?;
    let pair = |from: usize| digits(clock.get(from..from + 2)?);
    let (hour, minute, second) = (pair(0)?, pair(2)?, pair(4)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then_some(read_compact_day(day)? + ((hour * 60 + minute) * 60 + second) * 1000)
}

/// `20220317`.
pub(crate) fn compact_day(time: i64) -> String {
    let (year, month, day) = date(time.div_euclid(DAY));
    format!("{year:04}{month:02}{day:02}")
}

/// Reads what [`compact_day`] writes; nothing if it is anything else.
pub(crate) fn read_compact_day(text: &str) -> Option<i64> {
    if text.len() != 8 {
        return None;
    }
    let (year, month, day) = (digits(text.get(..4)?)?, digits(text.get(4..6)?)?, digits(text.get(6..)?)?);
    day_of(year, month, day)
}

/// Whether this is a date and a time of day as ISO 8601 writes them, with seconds and perhaps a fraction; with `Z`, an offset, or no zone,
/// which stands for UTC.
pub fn is_datetime(text: &str) -> bool {
    let Some((day, rest)) = text.split_at_checked(10) else { return false };
    let (Some(clock), Some(rest)) = (rest.get(..9), rest.get(9..)) else { return false };
    let is_day = day.len() == 10
        && {
            let mut parts = day.splitn(3, '-');
            let mut part = |width| parts.next().filter(|part| part.len() == width).and_then(digits);
            matches!((part(4), part(2), part(2)), (Some(year), Some(month), Some(day)) if day_of(year, month, day).is_some())
        };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
    };
    is_day && clock.strip_prefix('T').is_some_and(|clock| is_clock(clock, &[24, 60, 60])) && is_zone(zone)
}

fn is_zone(zone: &str) -> bool {
    matches!(zone, "" | "Z") || zone.strip_prefix(['+', '-']).is_some_and(|clock| is_clock(clock, &[24, 60]))
}

/// Two digits each, below these, between colons.
fn is_clock(text: &str, below: &[i64]) -> bool {
    let mut parts = text.split(':');
    let fit = below.iter().all(|below| {
        let part = parts.next().filter(|part| part.len() == 2).and_then(digits);
        part.is_some_and(|part| part < *below)
    });
    fit && parts.next().is_none()
}

/// The first instant of the month of a time, and of the next.
pub fn month(time: i64) -> (i64, i64) {
    let (year, month, _) = date(time.div_euclid(DAY));
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (days(year, month, 1) * DAY, days(next.0, next.1, 1) * DAY)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn clock(time: i64) -> (i64, i64, i64) {
    let second = time.rem_euclid(DAY) / 1000;
    (second / 3600, second / 60 % 60, second % 60)
}

/// The first instant of a date, if there is one.
fn day_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days(year, month, day);
    (date(days) == (year, month, day)).then_some(days * DAY)
}

/// Days since 1970-01-01 of a date. Years are counted from March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of so many days since 1970-01-01: year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        for (time, text) in [
            (1_647_537_138_000, "2022-03-17T17:12:18Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(iso(time), text);
            let compacted = text.replace(['-', ':'], "");
            assert_eq!((compact(time), read_compact(&compacted)), (compacted, Some(time.div_euclid(1000) * 1000)));
        }
        for odd in
            ["", "20220317T171218", "20220317171218Z", "20220230T000000Z", "20220317T246018Z", "2022031éT171218Z"]
        {
            assert_eq!(read_compact(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_month_ends_where_the_next_begins_over_twenty_years() {
        let (mut start, mut months) = (1_577_836_800_000, 0);
        while start < 2_208_988_800_000 {
            let (first, next) = month(start + HOUR);
            assert_eq!((first, iso(next).get(8..)), (start, Some("01T00:00:00Z")));
            (start, months) = (next, months + 1);
        }
        assert_eq!(months, 240);
    }

    #[test]
    fn what_is_no_datetime_is_seen() {
        let good =
            ["2022-03-17T17:12:18Z", "2022-03-17T17:12:18", "2022-03-17T17:12:18.5+05:30", "2024-02-29T00:00:00-00:00"];
        let bad = [
            "",
            "2022-03-17",
            "2022-03-17 17:12:18Z",
            "2022-02-30T00:00:00Z",
            "2022-03-17T24:00:00Z",
            "2022-03-17T17:12Z",
            "2022-03-17T17:12:18.Z",
            "2022-03-17T17:12:18 Z",
            "2022-03-17T17:12:18+0530",
            "2022-03-17T17:12:18é",
            "now",
        ];
        assert!(good.iter().all(|text| is_datetime(text)), "{good:?}");
        assert_eq!(bad.iter().find(|text| is_datetime(text)), None);
    }
}

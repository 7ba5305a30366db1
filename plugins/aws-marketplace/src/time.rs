//! Until when usage is accepted, and times as people and the service write them. All are UTC.

use jiff::civil::{Date, DateTime, time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use meterhost_sdk::Decimal;

/// In milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

/// When usage of this time is no longer accepted, both in milliseconds: "Usage records aren't accepted 24 hours or more after an event",
/// and those of a month until 06:00 on the first day of the next one (API reference, BatchMeterUsage). Nothing if that is in no calendar.
pub(crate) fn accepted_until(usage: i64) -> Option<i64> {
    let day_after = usage.checked_add(24 * HOUR)?;
    let next_month = date(usage)?.first_of_month().checked_add(1.month()).ok()?;
    let month_closed = Offset::UTC.to_timestamp(next_month.to_datetime(time(6, 0, 0, 0))).ok()?.as_millisecond();
    Some(day_after.min(month_closed))
}

/// Whether two times, in milliseconds, lie in one month, which is billed together.
pub(crate) fn is_same_month(left: i64, right: i64) -> bool {
    let month = |time| date(time).map(Date::first_of_month);
    month(left).is_some_and(|of_left| month(right) == Some(of_left))
}

/// A time in milliseconds for a person.
pub(crate) fn shown(time: i64) -> String {
    Timestamp::from_millisecond(time).map_or_else(|_| format!("{time} ms"), |time| time.to_string())
}

/// Whether a text is this time in seconds, however it is written: as a number, or as RFC 3339, in UTC where it names no zone.
pub(crate) fn is_moment(text: &str, seconds: i64) -> bool {
    if let Ok(number) = Decimal::parse(text) {
        return number == Decimal::from(seconds);
    }
    let without_zone = || {
        // A date alone names no hour.
        let civil: DateTime = text.contains(':').then(|| text.parse().ok()).flatten()?;
        Offset::UTC.to_timestamp(civil).ok()
    };
    let moment = text.parse::<Timestamp>().ok().or_else(without_zone);
    moment.is_some_and(|moment| Timestamp::from_second(seconds).is_ok_and(|time| time == moment))
}

fn date(time: i64) -> Option<Date> {
    Some(Offset::UTC.to_datetime(Timestamp::from_millisecond(time).ok()?).date())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn usage_is_accepted_for_a_day_and_no_longer_than_its_month_is_open() {
        for (usage, until) in [
            ("2026-03-10T14:00:00Z", "2026-03-11T14:00:00Z"),
            ("2026-03-31T05:00:00Z", "2026-04-01T05:00:00Z"),
            ("2026-03-31T06:00:00Z", "2026-04-01T06:00:00Z"),
            ("2026-03-31T07:00:00Z", "2026-04-01T06:00:00Z"),
            ("2026-03-31T23:30:00Z", "2026-04-01T06:00:00Z"),
            ("2026-03-31T23:59:59.999Z", "2026-04-01T06:00:00Z"),
            ("2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"),
            ("2024-02-28T12:00:00Z", "2024-02-29T12:00:00Z"),
            ("2024-02-29T12:00:00Z", "2024-03-01T06:00:00Z"),
            ("2026-02-28T12:00:00Z", "2026-03-01T06:00:00Z"),
            ("2100-02-28T12:00:00Z", "2100-03-01T06:00:00Z"),
            ("2026-12-31T23:00:00Z", "2027-01-01T06:00:00Z"),
            ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ] {
            assert_eq!(accepted_until(ms(usage)), Some(ms(until)), "{usage}");
        }
        assert_eq!((accepted_until(i64::MAX), accepted_until(i64::MIN)), (None, None));
    }

    #[test]
    fn a_month_is_one_of_one_year() {
        assert!(is_same_month(ms("2026-03-01T00:00:00Z"), ms("2026-03-31T23:59:59Z")));
        assert!(!is_same_month(ms("2026-03-31T23:59:59Z"), ms("2026-04-01T00:00:00Z")));
        assert!(!is_same_month(ms("2025-03-10T00:00:00Z"), ms("2026-03-10T00:00:00Z")));
        assert!(!is_same_month(i64::MAX, i64::MAX));
    }

    #[test]
    fn a_moment_is_recognised_in_any_notation_and_no_other_one_is() {
        let seconds = 1_795_198_715;
        for text in [
            "1795198715",
            "1795198715.0",
            "1795198715.000",
            "1.795198715E9",
            "1.795198715e+9",
            "17951987150e-1",
            "2026-11-20T18:18:35Z",
            "2026-11-20T18:18:35.000Z",
            "2026-11-20T19:18:35+01:00",
            "2026-11-20 18:18:35Z",
            "2026-11-20T18:18:35",
        ] {
            assert!(is_moment(text, seconds), "{text}");
        }
        for text in [
            "1795198715000",
            "1795198715.876",
            "1795198716",
            "1.79519872E9",
            "2026-11-20T18:18:35.876Z",
            "2026-11-20T18:18:35+01:00",
            "2026-11-20",
            "soon",
            "",
        ] {
            assert!(!is_moment(text, seconds), "{text}");
        }
        assert!(!is_moment("2026-11-20", 1_795_132_800), "a date alone");
    }
}

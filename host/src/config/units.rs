//! Lengths of time, sizes and rates, as a pipeline file writes them.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Span;

pub(super) const DURATION: &str = "a length of time such as \"90s\", \"30m\" or \"1h 30m\"";
pub(super) const SIZE: &str = "a size such as \"256 MiB\"";
pub(super) const PERCENT: &str = "a percentage such as \"200%\" or \"12.5%\"";
pub(super) const PERCENT_LESS: &str = "a percentage of at most 100% such as \"50%\"";
pub(super) const QUANTITY: &str = "a quantity such as \"1000000\"";
pub(super) const RATE: &str = "a rate such as \"120/min\" (per `s`, `min` or `h`)";

/// How often a sink may be called, at most: `"120/min"`, `"10/s"`, `"5000/h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSpec {
    /// Calls in the time below. As many may come in one burst.
    pub calls: NonZeroU32,
    /// A second, a minute or an hour.
    pub per: Duration,
}

/// `"90s"`, `"1h 30m"`, `"2 days"`; a day is 24 hours. Months have no fixed length.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    if span.is_negative() || span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let hours = i64::from(span.get_weeks()) * 7 * 24 + i64::from(span.get_days()) * 24 + i64::from(span.get_hours());
    let seconds =
        hours.checked_mul(60)?.checked_add(span.get_minutes())?.checked_mul(60)?.checked_add(span.get_seconds())?;
    let whole = Duration::from_secs(u64::try_from(seconds).ok()?);
    let parts = [
        Duration::from_millis(u64::try_from(span.get_milliseconds()).ok()?),
        Duration::from_micros(u64::try_from(span.get_microseconds()).ok()?),
        Duration::from_nanos(u64::try_from(span.get_nanoseconds()).ok()?),
    ];
    parts.into_iter().try_fold(whole, Duration::checked_add)
}

/// A length of time as an argument of a command.
pub(crate) fn argument(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| format!("it is {DURATION}"))
}

/// `"256 MiB"`, `"64KiB"`, `"1 GB"`: bytes, at least one.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim_start() {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

pub(super) fn rate(text: &str) -> Option<RateSpec> {
    let (calls, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hour" => 60 * 60,
        _ => return None,
    };
    let calls = calls.trim().parse().ok()?;
    Some(RateSpec { calls, per: Duration::from_secs(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("1d", 86_400),
            ("1h 30m", 5400),
            ("0s", 0),
            ("2 days", 172_800),
            ("1w", 604_800),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for text in ["", "30", "-30m", "1 month", "2 years", "soon", "1h later"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        for (text, bytes) in
            [("256 MiB", 256 << 20), ("1MiB", 1 << 20), ("64 KiB", 64 << 10), ("2 GB", 2_000_000_000), ("512 B", 512)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "256", "MiB", "0 MiB", "1.5 GiB", "-1 MiB", "1 mib", "99999999999999 GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn rates_are_calls_in_a_time() {
        let read = |text: &str| rate(text).map(|rate| (rate.calls.get(), rate.per.as_secs()));
        for (text, expected) in [("120/min", (120, 60)), ("10/s", (10, 1)), ("5000 / h", (5000, 3600))] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["", "120", "0/s", "-1/s", "1.5/s", "10/day"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

//! The time in which usage is taken.
//!
//! "Usage records aren't accepted 24 hours or more after an event. [...] We accept usage records for the previous billing
//! month until 06:00 UTC on the first day of the next month. [...] After 06:00 UTC on April 1, March records are rejected
//! regardless of the normal 24-hour submission window." (the model, `BatchMeterUsage`). That a future moment is refused is
//! said by the aws-marketplace-metering skill of aws/agent-toolkit-for-aws alone. Whether the service counts from the
//! start of an hour is not known: here every moment counts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const GRACE_HOUR: i8 = 6;

/// Why usage of this moment is not taken at `now`, if it is not.
pub(crate) fn refusal(moment: Timestamp, now: Timestamp) -> Option<String> {
    if moment > now {
        return Some(format!("{moment} is in the future: it is {now}"));
    }
    if now.duration_since(moment) >= DAY {
        return Some(format!("{moment} is 24 hours or more before {now}"));
    }
    let month = |date: Date| (date.year(), date.month());
    let today = now.to_zoned(TimeZone::UTC);
    let in_grace = today.day() == 1 && today.hour() < GRACE_HOUR;
    if !in_grace && month(moment.to_zoned(TimeZone::UTC).date()) != month(today.date()) {
        return Some(format!("the month of {moment} ended to usage at 06:00 UTC on the 1st, and it is {now}"));
    }
    None
}

/// The UTC hour of a moment.
pub(crate) fn hour(moment: Timestamp) -> Timestamp {
    let seconds = moment.as_second();
    let below = i64::from(moment.subsec_nanosecond() < 0);
    let start = (seconds - below).div_euclid(3600) * 3600;
    Timestamp::from_second(start).unwrap_or(moment)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn is_taken(moment: &str, now: &str) -> bool {
        refusal(moment.parse().unwrap(), now.parse().unwrap()).is_none()
    }

    #[test]
    fn usage_is_taken_for_less_than_a_day_and_not_before_it_happens() {
        let now = "2026-11-20T18:00:00Z";
        assert!(is_taken(now, now));
        assert!(is_taken("2026-11-19T18:00:00.001Z", now));
        assert!(!is_taken("2026-11-19T18:00:00Z", now));
        assert!(!is_taken("2026-11-20T18:00:00.001Z", now));
        assert!(!is_taken("9999-01-01T00:00:00Z", now) && !is_taken("-009999-01-02T01:59:59Z", now));
    }

    #[test]
    fn a_month_ends_six_hours_into_the_next() {
        for march in ["2026-03-31T23:59:59Z", "2026-03-31T08:00:00Z"] {
            assert!(is_taken(march, "2026-04-01T00:00:00Z"));
            assert!(is_taken(march, "2026-04-01T05:59:59.999Z"));
            assert!(!is_taken(march, "2026-04-01T06:00:00Z"));
            assert!(!is_taken(march, "2026-04-01T07:00:00Z"));
        }
        assert!(!is_taken("2026-03-31T05:00:00Z", "2026-04-01T05:00:00Z"), "the day is over, grace or not");
        assert!(is_taken("2026-04-01T00:00:00Z", "2026-04-01T06:00:00Z"));
        assert!(is_taken("2026-12-31T23:00:00Z", "2027-01-01T05:00:00Z"));
        assert!(!is_taken("2026-12-31T23:00:00Z", "2027-01-01T06:00:00Z"));
    }

    #[test]
    fn an_hour_begins_at_its_start() {
        let hour = |text: &str| hour(text.parse().unwrap()).to_string();
        assert_eq!(hour("2026-11-20T18:59:59.999Z"), "2026-11-20T18:00:00Z");
        assert_eq!(hour("2026-11-20T18:00:00Z"), "2026-11-20T18:00:00Z");
        assert_eq!(hour("1969-12-31T23:59:59.5Z"), "1969-12-31T23:00:00Z");
    }
}

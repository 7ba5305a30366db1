//! Lengths of time, as the host's own keys write them.

use jiff::Span;

/// `"90s"`, `"30m"`, `"1h 30m"`, `"2d"`, in milliseconds; a day is 24 hours. Months have no fixed length.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    if span.is_negative() || span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    if span.get_microseconds() != 0 || span.get_nanoseconds() != 0 {
        return None;
    }
    let hours = i64::from(span.get_weeks()) * 7 * 24 + i64::from(span.get_days()) * 24 + i64::from(span.get_hours());
    let minutes = hours.checked_mul(60)?.checked_add(span.get_minutes())?;
    let seconds = minutes.checked_mul(60)?.checked_add(span.get_seconds())?;
    seconds.checked_mul(1000)?.checked_add(span.get_milliseconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_the_host_reads_them() {
        let read = [
            ("90s", 90_000),
            ("30m", 1_800_000),
            ("1h", 3_600_000),
            ("1h 30m", 5_400_000),
            ("2d", 172_800_000),
            ("2 days", 172_800_000),
            ("1w", 604_800_000),
            ("250ms", 250),
            ("0s", 0),
        ];
        for (text, expected) in read {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in ["", "30", "-30m", "1 month", "2 years", "soon", "1us"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}

//! A month as the name of its folder: `20220301-20220401`.

use meterhost_sdk::{Error, Window};

use crate::time::{compact_day, iso, month, read_compact_day};

/// The folder of a month.
pub(crate) fn folder(period: Window) -> Result<String, Error> {
    if month(period.start) != (period.start, period.end) {
        let (start, end) = (iso(period.start), iso(period.end));
        return Err(Error::Other(format!("a drop is of one calendar month, and {start} to {end} is none")));
    }
    Ok(format!("{}-{}", compact_day(period.start), compact_day(period.end)))
}

/// The month of a folder; nothing if its name is another's.
pub(crate) fn parse(name: &str) -> Option<Window> {
    let (start, end) = name.split_once('-')?;
    let (start, end) = (read_compact_day(start)?, read_compact_day(end)?);
    (month(start) == (start, end)).then_some(Window { start, end })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn months_have_folders_across_years_and_leap_days() {
        for name in ["20220301-20220401", "20241201-20250101", "20240201-20240301", "20230201-20230301"] {
            assert_eq!(folder(parse(name).unwrap()).unwrap(), name);
        }
        for odd in ["20220501-2022601", "20220301-20220501", "20220302-20220402", "20220301", "20220301-20220401-x", ""]
        {
            assert_eq!(parse(odd), None, "{odd}");
        }
        let day = Window { start: 0, end: 86_400_000 };
        assert!(matches!(folder(day), Err(Error::Other(text)) if text.contains("1970-01-02T00:00:00Z")));
    }
}

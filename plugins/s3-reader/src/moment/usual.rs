//! Times as most are written, `2025-06-01T00:59:59Z` with or without milliseconds, eight bytes at a time.

/// The zeros of what is not a digit, and a text of zeros.
const DATE: u64 = u64::from_le_bytes(*b"0000-00-");
const DAY: u64 = u64::from_le_bytes(*b"00T\0\0\0\0\0");
const CLOCK: u64 = u64::from_le_bytes(*b"00:00:00");
const NO_DIGITS_OF_DATE: u64 = u64::from_le_bytes(*b"\0\0\0\0\xff\0\0\xff");
const NO_DIGITS_OF_DAY: u64 = u64::from_le_bytes(*b"\0\0\xff\0\0\0\0\0");
const NO_DIGITS_OF_CLOCK: u64 = u64::from_le_bytes(*b"\0\0\xff\0\0\xff\0\0");
const ONES: u64 = u64::MAX / 255;

/// The milliseconds since 1970; nothing if the text is written in another way, or is no time.
#[inline]
pub(super) fn millis(text: &[u8]) -> Option<i64> {
    let (seconds, zone) = text.split_first_chunk::<19>()?;
    let millis = match *zone {
        [b'Z'] => 0,
        [b'.', hundreds @ b'0'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', b'Z'] => {
            i64::from(hundreds - b'0') * 100 + i64::from(tens - b'0') * 10 + i64::from(ones - b'0')
        }
        _ => return None,
    };
    let (date, rest) = seconds.split_first_chunk::<8>()?;
    let date = u64::from_le_bytes(*date) ^ DATE;
    let day = (u64::from_le_bytes(*rest.first_chunk()?) & 0xff_ffff) ^ DAY;
    let clock = u64::from_le_bytes(*seconds.last_chunk()?) ^ CLOCK;
    // What is a digit is 0 to 9 by now; of what is more, the highest bit is set.
    let more = |values: u64| values.wrapping_add(ONES * (0x80 - 10)) | values;
    let odd = (more(date) | more(day) | more(clock)) & (ONES * 0x80);
    let others = date & NO_DIGITS_OF_DATE | day & NO_DIGITS_OF_DAY | clock & NO_DIGITS_OF_CLOCK;
    if odd | others != 0 {
        return None;
    }
    // Each byte and the next as a number of two digits.
    let pairs = |values: u64| values * 10 + (values >> 8);
    let pair = |pairs: u64, at: u32| (pairs >> (at * 8)) as u32 & 0xff;
    let (date, day, clock) = (pairs(date), pair(pairs(day), 0), pairs(clock));
    let (year, month) = (pair(date, 0) * 100 + pair(date, 2), pair(date, 5));
    let (hour, minute, second) = (pair(clock, 0), pair(clock, 3), pair(clock, 6));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = if month == 2 { 28 + u32::from(leap) } else { 30 | ((month ^ (month >> 3)) & 1) };
    // The first and the last year reach beyond what there is, and a leap second is rare.
    let usual = (1..9999).contains(&year) && (1..=12).contains(&month) && (1..=longest).contains(&day);
    if !usual || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970 of a proleptic Gregorian date, with years that begin in March.
    let shifted = year - u32::from(month <= 2);
    let era = shifted / 400;
    let of_era = shifted - era * 400;
    let of_year = (153 * if month > 2 { month - 3 } else { month + 9 } + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(((i64::from(days) - 719_468) * 86_400 + i64::from(seconds)) * 1000 + millis)
}

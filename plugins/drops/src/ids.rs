//! Names of drops: `20220317T171218Z`, and `20220317T171218Z-002` where that name, or a later one, was given before.
//!
//! A name is given once, and each is greater in byte order than all before it: also within one second, and when the clock went back.
//! Names of another form, which other programs gave, are left alone.

use crate::time::{compact, read_compact};

/// The last number that three digits hold.
const LAST: u32 = 999;

/// The next name at this time, after these.
pub fn next<'a>(now: i64, known: impl IntoIterator<Item = &'a str>) -> String {
    let fresh = Name { second: now.div_euclid(1000), number: 1 };
    let greatest = known.into_iter().filter_map(Name::parse).max();
    match greatest {
        Some(greatest) if greatest >= fresh => greatest.next().text(),
        _ => fresh.text(),
    }
}

/// When the name was given, in milliseconds; nothing if its form is another.
pub(crate) fn given_at(id: &str) -> Option<i64> {
    Name::parse(id).map(|name| name.second * 1000)
}

/// A name, in the order of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    /// Since 1970.
    second: i64,
    /// The first has no number behind it.
    number: u32,
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        let (time, number) = match text.split_once('-') {
            None => (text, 1),
            Some((time, number)) => {
                let is_number = number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit());
                (time, number.parse().ok().filter(|number| is_number && *number > 1)?)
            }
        };
        Some(Name { second: read_compact(time)?.div_euclid(1000), number })
    }

    /// With a number of four digits the order of bytes would end, so that the next second lends its name.
    fn next(self) -> Name {
        match self.number {
            LAST.. => Name { second: self.second + 1, number: 1 },
            number => Name { number: number + 1, ..self },
        }
    }

    fn text(self) -> String {
        let time = compact(self.second * 1000);
        if self.number == 1 { time } else { format!("{time}-{:03}", self.number) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_647_537_138_999;

    #[test]
    fn a_name_is_the_time_unless_it_would_not_ascend() {
        for (known, name) in [
            (vec![], "20220317T171218Z"),
            (vec!["20220317T171217Z-999"], "20220317T171218Z"),
            (vec!["20220317T171218Z"], "20220317T171218Z-002"),
            (vec!["20220317T171218Z-002", "20220317T171218Z"], "20220317T171218Z-003"),
            (vec!["20220317T171218Z-999"], "20220317T171219Z"),
            // The clock went back.
            (vec!["20991231T235959Z"], "20991231T235959Z-002"),
            (vec!["20991231T235959Z-999"], "21000101T000000Z"),
            // Another program's.
            (
                vec![
                    "drop-day-12",
                    "20220317T171218",
                    "20220317T171218Z-2",
                    "20229999T999999Z",
                    "20220317T171218Z-001",
                ],
                "20220317T171218Z",
            ),
        ] {
            assert_eq!(next(NOW, known.iter().copied()), name, "{known:?}");
        }
    }

    #[test]
    fn many_names_within_one_second_ascend_in_byte_order_and_none_comes_twice() {
        let mut names: Vec<String> = Vec::new();
        for _ in 0..2_500 {
            names.push(next(NOW, names.last().map(String::as_str)));
        }
        assert!(names.is_sorted_by(|left, right| left < right));
    }
}

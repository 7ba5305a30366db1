//! Units as FOCUS spells them (FOCUS 1.2, "Unit Format"): `Requests`, `GB-Hours`, `GB/Hour`. What counts things is a capitalized noun, so
//! that a dimension `cpu_core_hours` is counted in `Cpu Core Hours`.

use drops::{Cells, Spelling, Template, Texts};
use meterhost_sdk::ChargeBatch;

/// Units of time that others are multiplied by.
const BY: [&str; 6] = ["Years", "Months", "Days", "Hours", "Minutes", "Seconds"];
/// Units of time that others are counted per.
const PER: [&str; 6] = ["Year", "Month", "Day", "Hour", "Minute", "Second"];

/// What is counted where a dimension's name says nothing of it.
const ANY: &str = "Units";

/// What each charge's quantity is counted in, where there is one: what it says itself, as it is; else its dimension, as a unit.
pub(crate) fn cells<'a>(told: &'a Template, batch: &'a ChargeBatch, counts: impl Fn(usize) -> bool) -> Cells<'a> {
    let told = told.cells(batch, Spelling::AsTheyAre);
    let spelled = Cells::from(batch.dimensions()).respelled(of);
    let mut rows = 0..batch.len();
    if told.is_blank() && rows.all(&counts) {
        return spelled;
    }
    let text = |row: usize| match (counts(row), told.get(row)) {
        (false, _) => "",
        (true, "") => spelled.get(row),
        (true, told) => told,
    };
    Cells::each((0..batch.len()).map(text).collect::<Texts>())
}

/// The unit that a dimension is counted in.
fn of(dimension: &str) -> String {
    let is_with_time = |separator: char, times: &[&str]| {
        dimension
            .split_once(separator)
            .is_some_and(|(unit, time)| unit.split(' ').all(is_word) && times.contains(&time))
    };
    if is_with_time('-', &BY) || is_with_time('/', &PER) {
        return dimension.to_owned();
    }
    let words: Vec<&str> = dimension.split(|letter: char| letter.is_ascii_punctuation() || letter == ' ').collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() || !words.iter().copied().all(is_word) {
        return ANY.to_owned();
    }
    words.into_iter().map(capitalized).collect::<Vec<_>>().join(" ")
}

fn is_word(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && word.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// What has capitals has them where they belong: `vCPU`.
fn capitalized(word: &str) -> String {
    match word.split_at_checked(1) {
        Some((first, rest)) if !word.contains(|letter: char| letter.is_ascii_uppercase()) => {
            format!("{}{rest}", first.to_ascii_uppercase())
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_is_spelled_as_a_unit() {
        for (dimension, unit) in [
            ("requests", "Requests"),
            ("cpu_core_hours", "Cpu Core Hours"),
            ("storage.gb-hours", "Storage Gb Hours"),
            ("GB-Hours", "GB-Hours"),
            ("API Requests/Second", "API Requests/Second"),
            ("GB-hours", "GB Hours"),
            ("vCPU", "vCPU"),
            ("  api  calls ", "Api Calls"),
            ("1000 calls", "Units"),
            ("größe", "Units"),
            ("a\u{a0}b", "Units"),
            ("__", "Units"),
        ] {
            assert_eq!(of(dimension), unit, "{dimension}");
        }
    }
}

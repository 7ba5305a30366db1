//! Units as FOCUS 1.2 writes them (attribute "Unit Format"): `Hours`, `GB`, `GB-Hours`, `Request/Day`, `1000 Requests`, `Requests/3 Months`.

use std::collections::BTreeMap;

/// What every unit is called that FOCUS writes in another way, and that is not named.
const OTHERS: &str = "*";

/// What a unit is called: as it is named; else, if FOCUS does not write units so, as the others are.
pub(crate) fn called<'u>(unit: &'u str, named: &'u BTreeMap<String, String>) -> &'u str {
    let others = || named.get(OTHERS).filter(|_| !unit.is_empty() && !is_unit(unit));
    named.get(unit).or_else(others).map_or(unit, String::as_str)
}

/// Lengths of time, one and many.
const ONE: [&str; 6] = ["Year", "Month", "Day", "Hour", "Minute", "Second"];
const MANY: [&str; 6] = ["Years", "Months", "Days", "Hours", "Minutes", "Seconds"];

/// What is wrong with a unit.
pub(crate) fn objection(text: &str) -> Option<String> {
    (!is_unit(text)).then(|| {
        let shown = text.escape_debug();
        format!(
            "\"{shown}\" is no unit as FOCUS writes them: Hours, GB-Hours, Request/Day or 1000 Requests are; `units` says what it is called"
        )
    })
}

fn is_unit(text: &str) -> bool {
    if let Some((unit, time)) = text.split_once('/') {
        let several = time.split_once(' ').is_some_and(|(number, times)| is_number(number) && MANY.contains(&times));
        return is_name(unit) && (ONE.contains(&time) || several);
    }
    if let Some((unit, times)) = text.rsplit_once('-') {
        return is_name(unit) && MANY.contains(&times);
    }
    match text.split_once(' ') {
        Some((number, unit)) if is_number(number) => is_name(unit),
        _ => is_name(text),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words of letters and digits that begin with a letter: `API Requests`, `vCPU`, `GiB`.
fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.split(' ').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_not_named_is_called_as_the_others_only_where_focus_writes_it_in_another_way() {
        let named = [("GB", "GiB"), ("cpu_hours", "Core-Hours"), ("*", "Units")];
        let named: BTreeMap<String, String> = named.map(|(from, to)| (from.to_owned(), to.to_owned())).into();
        for (unit, name) in [
            ("GB", "GiB"),
            ("cpu_hours", "Core-Hours"),
            ("GB-Hours", "GB-Hours"),
            ("1000 Requests", "1000 Requests"),
            ("storage_bytes", "Units"),
            ("GB-Hour", "Units"),
            ("*", "Units"),
            ("", ""),
        ] {
            assert_eq!(called(unit, &named), name, "{unit}");
        }
        assert_eq!(called("storage_bytes", &BTreeMap::new()), "storage_bytes");
    }

    #[test]
    fn units_are_written_as_focus_has_them() {
        for unit in
            ["Hours", "GB", "GiB-Hours", "vCPU-Hours", "Request/Day", "1000 Requests", "API Requests/3 Months", "Units"]
        {
            assert_eq!(objection(unit), None, "{unit}");
        }
        for wrong in
            ["cpu_core_hours", "", "GB-Hour", "Requests/Days", "/Day", "1000", "Requests/x Months", "3D", "GB  Hours"]
        {
            assert!(objection(wrong).is_some_and(|why| why.contains("is no unit as FOCUS writes them")), "{wrong}");
        }
    }
}

//! Placeholders for what no two runs have alike, and for ids, which nobody can read.

use std::collections::BTreeMap;

use serde_json::Value;

/// What ids stand for.
#[derive(Debug, Default, Clone)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Learns the names of the charges in a report.
    pub(super) fn learn(&mut self, report: &Value) {
        for window in report["windows"].as_array().into_iter().flatten() {
            for line in window["lines"].as_array().into_iter().flatten() {
                let id = line["id"].as_str().or_else(|| line["would_be"].as_str());
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let name = [&window["window"], &line["customer"], &line["dimension"]].map(text).join(" ");
                self.0.extend(id.map(|id| (id.to_owned(), format!("{{{name}}}"))));
            }
        }
    }

    /// A word of a command, with the id in the place of its name.
    pub(super) fn meant(&self, word: &str) -> Result<String, String> {
        if !word.starts_with('{') {
            return Ok(word.to_owned());
        }
        let found = self.0.iter().find(|(_, name)| *name == word).map(|(id, _)| id.clone());
        found.ok_or_else(|| format!("no report so far has the id of {word}"))
    }

    /// A text without what is another in each run. How often a service was asked in vain is no matter of the story: lines that are alike
    /// stand once, and how many entries the ledger has is left out.
    pub(super) fn placed(&self, text: &str, origin: &str) -> String {
        let placed = self.named(&timeless(&text.replace(origin, "SERVICE")));
        let mut lines: Vec<&str> = placed.lines().collect();
        lines.dedup();
        lines.retain(|line| !line.starts_with("ledger shop.ledger.db: "));
        lines.join("\n") + "\n"
    }

    fn named(&self, text: &str) -> String {
        let mut placed = String::new();
        let mut word = String::new();
        for letter in text.chars() {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                word.push(letter);
                continue;
            }
            placed.push_str(self.word(&word));
            word.clear();
            placed.push(letter);
        }
        placed + self.word(&word)
    }

    fn word<'a>(&'a self, word: &'a str) -> &'a str {
        let is_hex = |part: &str| part.chars().all(|letter| letter.is_ascii_hexdigit());
        let lengths: Vec<usize> = word.split('-').filter(|part| is_hex(part)).map(str::len).collect();
        match lengths.as_slice() {
            [32] => self.0.get(word).map_or("ID", String::as_str),
            [64] => "HASH",
            [8, 4, 4, 4, 12] => "REFERENCE",
            // Of a run, which begins with its time.
            [8] if word.len() == 25 => "RUN",
            _ => word,
        }
    }
}

/// Without the time that it is: a story has times of its own.
fn timeless(text: &str) -> String {
    const LENGTH: usize = "2025-07-01T02:00:00Z".len();
    let now = jiff::Timestamp::now().as_second();
    let is_now = |time: &str| time.parse::<jiff::Timestamp>().is_ok_and(|time| (time.as_second() - now).abs() < 86_400);
    let (mut timeless, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        match rest.get(..LENGTH).filter(|time| time.ends_with('Z') && is_now(time)) {
            Some(time) => {
                timeless.push_str("TIME");
                rest = rest.strip_prefix(time).unwrap_or_default();
            }
            None => {
                timeless.push(letter);
                rest = rest.strip_prefix(letter).unwrap_or_default();
            }
        }
    }
    timeless
}

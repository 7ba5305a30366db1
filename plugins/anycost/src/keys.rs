//! Which of the charges' tags are written, and under which keys.
//!
//! A key of CloudZero has letters, digits and `_.:/=+-@` ("Tags": no spaces, tabs or returns), and its case matters.

use std::collections::{BTreeMap, BTreeSet};

use drops::Cells;
use meterhost_sdk::{ChargeBatch, TextColumn};
use sheets::{Agreed, Objections, Picked, Tags, place, torn};

use crate::config::TagKeys;

/// Which tags are written.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    picked: Picked,
    rule: TagKeys,
    /// Keys that columns are configured for.
    configured: BTreeSet<String>,
}

impl Keys {
    /// What is configured; an error in a person's words.
    pub(crate) fn of(tags: &Tags, rule: TagKeys, configured: BTreeSet<String>) -> Result<Keys, String> {
        let keys = Keys { picked: Picked::of(tags), rule, configured };
        if let Some(why) = keys.picked.names().find_map(|name| keys.key(name).err()) {
            return Err(format!("tags: {why}"));
        }
        let shared = keys.of_set(keys.picked.names()).into_iter().find(|(_, names)| names.len() > 1);
        match shared.as_ref().map(|(key, names)| (key, names.as_slice())) {
            Some((key, [name, other, ..])) => Err(format!("tags: {}", same(name, other, key))),
            _ => Ok(keys),
        }
    }

    /// The keys of charges that have tags of these names, and the names that each is written for: of a set in which all is well, one.
    pub(crate) fn of_set<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeMap<String, Vec<String>> {
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names.filter(|name| self.picked.has(name)) {
            if let Ok(key) = self.key(name) {
                keys.entry(key).or_default().push(name.to_owned());
            }
        }
        keys
    }

    /// The tags of a batch that have a key, by name.
    pub(crate) fn written<'a>(&self, batch: &'a ChargeBatch) -> impl Iterator<Item = (&'a str, TextColumn<'a>)> {
        self.picked.columns(batch).filter(|(name, _)| self.key(name).is_ok())
    }

    /// Objects to charges with a tag that has no key, and to charges with two tags of one key. Answers the keys that are written for several
    /// tags of the batch.
    pub(crate) fn check(&self, batch: &ChargeBatch, wrong: &mut Objections) -> BTreeMap<String, Vec<String>> {
        for (name, column) in self.picked.columns(batch) {
            if let Err(why) = self.key(name) {
                let held = (0..batch.len()).filter(|row| column.get(*row).is_some());
                held.for_each(|row| wrong.add(row, "tags", why.clone()));
            }
        }
        let mut keys = self.of_set(batch.tags().map(|(name, _)| name));
        keys.retain(|_, names| names.len() > 1);
        for (key, names) in &keys {
            for row in 0..batch.len() {
                let mut had = names.iter().filter(|name| has(batch, name, row));
                if let (Some(name), Some(other)) = (had.next(), had.next()) {
                    wrong.add(row, "tags", same(name, other, key));
                }
            }
        }
        keys
    }

    /// Objects to the charges of a batch of which one has a tag, and another a tag of the same key, unless something else is wrong with them.
    pub(crate) fn check_alone(&self, batch: &ChargeBatch, wrong: &mut Objections) {
        for (key, names) in self.check(batch, wrong) {
            for (row, other) in torn(batch.len(), |row| says(batch, &key, &names, row).filter(|_| !wrong.has(row))) {
                let name = |row| says(batch, &key, &names, row).map_or("", |(_, name)| name);
                wrong.add(row, "tags", shared(name(row), name(other), &key, &place(batch, other)));
            }
        }
    }

    /// Takes the next charges of a set, whose keys are these, and objects to one with another tag of a key than a charge before.
    pub(crate) fn check_set(
        &self,
        keys: &BTreeMap<String, Vec<String>>,
        agreed: &mut Agreed,
        batch: &ChargeBatch,
        wrong: &mut Objections,
    ) {
        self.check(batch, wrong);
        for (key, names) in keys.iter().filter(|(_, names)| names.len() > 1) {
            if let Some((row, before)) = agreed.take(batch, |row| says(batch, key, names, row)) {
                let name = says(batch, key, names, row).map_or("", |(_, name)| name);
                wrong.add(row, "tags", shared(name, &before.value, key, &before.place));
            }
        }
    }

    /// The key of a tag, or why it has none.
    pub(crate) fn key(&self, name: &str) -> Result<String, String> {
        let shown = name.escape_debug();
        let key = match (odd(name), self.rule) {
            (None, _) => name.to_owned(),
            (Some(why), _) if name.is_empty() => return Err(why),
            (Some(_), TagKeys::Clean) => {
                name.chars().map(|letter| if is_legal(letter) { letter } else { '-' }).collect()
            }
            (Some(why), TagKeys::Refuse) => {
                return Err(format!("tag \"{shown}\": {why}; tag_keys = \"clean\" would write - instead"));
            }
        };
        if self.configured.contains(&key) {
            let column = format!("resource/tag:{key}");
            return Err(format!(
                "tag \"{shown}\" would be written as {column}, which `columns` gives too: leave it out there, or list in `tags` the \
                 ones to be written"
            ));
        }
        Ok(key)
    }
}

/// What is written of these tags: no charge has two of them.
pub(crate) fn cells<'a>(names: &[String], batch: &'a ChargeBatch) -> Cells<'a> {
    let columns = names.iter().filter_map(|name| batch.tag(name)).map(Cells::from);
    columns.into_iter().find(|cells| !cells.is_blank()).unwrap_or_else(|| Cells::same(""))
}

fn has(batch: &ChargeBatch, name: &str, row: usize) -> bool {
    batch.tag(name).is_some_and(|column| column.get(row).is_some())
}

/// The key and the tag of these that a charge has.
fn says<'n>(batch: &ChargeBatch, key: &'n str, names: &'n [String], row: usize) -> Option<(&'n str, &'n str)> {
    names.iter().find(|name| has(batch, name, row)).map(|name| (key, name.as_str()))
}

/// That a charge's tag would be written as another charge's.
fn shared(name: &str, other: &str, key: &str, place: &str) -> String {
    let (name, other) = (name.escape_debug(), other.escape_debug());
    format!(
        "tag \"{name}\" would be written as resource/tag:{key}, as would be \"{other}\" of the charge of {place}: list in `tags` the one to be \
         written"
    )
}

/// That two tags of a charge would be written as one.
fn same(name: &str, other: &str, key: &str) -> String {
    let (name, other) = (name.escape_debug(), other.escape_debug());
    format!(
        "tags \"{name}\" and \"{other}\" would both be written as resource/tag:{key}: list in `tags` the one to be written"
    )
}

/// Why this is no key of CloudZero; nothing if it is one.
pub(crate) fn odd(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("a tag without a name cannot be written".into());
    }
    let odd = key.chars().find(|letter| !is_legal(*letter))?;
    let shown = if odd == ' ' { "space".to_owned() } else { format!("\"{}\"", odd.escape_debug()) };
    Some(format!("CloudZero takes letters and digits of ASCII and _.:/=+-@ in a tag's name, and no {shown}"))
}

fn is_legal(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.:/=+-@".contains(letter)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use sheets::AllTags;

    fn keys(rule: TagKeys) -> Keys {
        Keys::of(&Tags::All(AllTags::All), rule, BTreeSet::from(["env".to_owned()])).unwrap()
    }

    #[test]
    fn a_key_that_cloudzero_does_not_take_is_named() {
        for good in ["team", "Product-Type", "a_.:/=+-@9"] {
            assert_eq!(keys(TagKeys::Refuse).key(good).unwrap(), good);
        }
        for (bad, why) in
            [("Team Name", "no space"), ("Product&Dev", "no \"&\""), ("größe", "no \"ö\""), ("env", "`columns` gives")]
        {
            let error = keys(TagKeys::Refuse).key(bad).unwrap_err();
            assert!(error.contains(why) && error.contains(&format!("\"{bad}\"")), "{error}");
        }
    }

    #[test]
    fn cleaned_keys_never_become_one_unseen() {
        let cleaned = keys(TagKeys::Clean).of_set(["Product&Dev", "Team Name", "team"].into_iter());
        assert_eq!(cleaned.keys().collect::<Vec<_>>(), ["Product-Dev", "Team-Name", "team"]);
        for names in [["a b", "a-b"], ["a b", "a&b"]] {
            assert_eq!(keys(TagKeys::Clean).of_set(names.into_iter())["a-b"], names);
            let named = Tags::Named(names.map(str::to_owned).to_vec());
            let error = Keys::of(&named, TagKeys::Clean, BTreeSet::new()).unwrap_err();
            assert!(error.contains("both be written as resource/tag:a-b"), "{error}");
        }
        for rule in [TagKeys::Refuse, TagKeys::Clean] {
            assert_eq!(keys(rule).key("").unwrap_err(), "a tag without a name cannot be written");
        }
    }

    #[test]
    fn tags_that_are_not_picked_are_not_looked_at() {
        let named = Keys::of(&Tags::Named(vec!["team".into()]), TagKeys::Refuse, BTreeSet::new()).unwrap();
        let set = named.of_set(["Team Name", "team"].into_iter());
        assert_eq!(set.into_iter().collect::<Vec<_>>(), [("team".to_owned(), vec!["team".to_owned()])]);
        assert!(Keys::of(&Tags::Named(vec!["a b".into()]), TagKeys::Refuse, BTreeSet::new()).is_err());
    }
}

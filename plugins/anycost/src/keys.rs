//! Which of the charges' tags are written, and under which keys.
//!
//! A key of CloudZero has letters, digits and `_.:/=+-@` ("Tags": no spaces, tabs or returns), and its case matters.

use std::collections::{BTreeMap, BTreeSet};

use sheets::{Picked, Tags};

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
        keys.of_set(keys.picked.names()).map_err(|why| format!("tags: {why}"))?;
        Ok(keys)
    }

    /// The keys of a set whose charges have tags of these names, with the name of each.
    pub(crate) fn of_set<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<BTreeMap<String, String>, String> {
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        for name in names.filter(|name| self.is_picked(name)) {
            let key = self.key(name)?;
            if let Some(other) = keys.insert(key.clone(), name.to_owned()) {
                return Err(same(&other, name, &key));
            }
        }
        Ok(keys)
    }

    /// Whether a tag of this name is written.
    pub(crate) fn is_picked(&self, name: &str) -> bool {
        self.picked.has(name)
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

/// That two tags would be written as one.
pub(crate) fn same(name: &str, other: &str, key: &str) -> String {
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
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
        let cleaned = keys(TagKeys::Clean).of_set(["Product&Dev", "Team Name", "team"].into_iter()).unwrap();
        assert_eq!(cleaned.keys().collect::<Vec<_>>(), ["Product-Dev", "Team-Name", "team"]);
        for names in [["a b", "a-b"], ["a b", "a&b"]] {
            let error = keys(TagKeys::Clean).of_set(names.into_iter()).unwrap_err();
            assert!(error.contains("both be written as resource/tag:a-b"), "{error}");
        }
        for rule in [TagKeys::Refuse, TagKeys::Clean] {
            assert_eq!(keys(rule).key("").unwrap_err(), "a tag without a name cannot be written");
        }
    }

    #[test]
    fn tags_that_are_not_picked_are_not_looked_at() {
        let named = Keys::of(&Tags::Named(vec!["team".into()]), TagKeys::Refuse, BTreeSet::new()).unwrap();
        let set = named.of_set(["Team Name", "team"].into_iter()).unwrap();
        assert_eq!(set.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "team".to_owned())]);
        assert!(Keys::of(&Tags::Named(vec!["a b".into()]), TagKeys::Refuse, BTreeSet::new()).is_err());
    }
}

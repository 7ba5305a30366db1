//! Where in the file each value stands, by its JSON pointer: `/sink/clazar/config/url`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tree::{Entry, Node, Table, Value};

/// Where a key and its value stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bytes of the key. An item of a list has none; there it is the item's own place.
    pub key: Range<usize>,
    /// The bytes of the value as written. A table that has a header of its own, or dotted keys, has only its name.
    pub value: Range<usize>,
    /// Whether the value is a table: errors about a table are shown at its key.
    pub table: bool,
    /// Whether a part of the value was replaced by the process environment; such a value is not repeated in messages.
    pub from_process: bool,
}

impl Place {
    /// The bytes that an error about the value points at.
    pub fn span(&self) -> Range<usize> {
        if self.table { self.key.clone() } else { self.value.clone() }
    }
}

/// The places of all values of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    by_pointer: BTreeMap<String, Place>,
}

impl Places {
    pub(super) fn of(document: &Table) -> Self {
        let mut places = Self::default();
        places.table("", document);
        places
    }

    /// The place of exactly this value.
    pub fn get(&self, pointer: &str) -> Option<&Place> {
        self.by_pointer.get(pointer)
    }

    /// The bytes to point at for a value that may not be there: its own, else those of the nearest table around it, else the
    /// beginning of the file.
    pub fn span(&self, pointer: &str) -> Range<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.get(pointer) {
                return place.span();
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => return 0..0,
            }
        }
    }

    /// The bytes to point at for an error of a plugin about its own settings, which begin at `pointer`: where it begins with the path
    /// of a setting (`fields.customer: ...`), those of that setting or of the nearest one around it.
    pub fn span_of_setting(&self, pointer: &str, error: &str) -> Range<usize> {
        let keys = path(error).unwrap_or_default();
        // Some name the table itself too.
        let keys = match keys.as_slice() {
            [first, rest @ ..] if first == "config" && self.get(&join(pointer, first)).is_none() => rest,
            keys => keys,
        };
        self.span(&keys.iter().fold(pointer.to_owned(), |pointer, key| join(&pointer, key)))
    }

    fn table(&mut self, pointer: &str, table: &Table) {
        for (key, Entry { key: span, node }) in table {
            self.node(join(pointer, key), span.clone(), node);
        }
    }

    fn node(&mut self, pointer: String, key: Range<usize>, node: &Node) {
        match &node.value {
            Value::Table(table) => self.table(&pointer, table),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.node(format!("{pointer}/{index}"), item.span.clone(), item);
                }
            }
            Value::Text { .. } | Value::Integer(_) | Value::Boolean(_) | Value::Wrong => {}
        }
        let place = Place {
            key,
            value: node.span.clone(),
            table: matches!(node.value, Value::Table(_)),
            from_process: matches!(node.value, Value::Text { from_process: true, .. }),
        };
        self.by_pointer.insert(pointer, place);
    }
}

/// A JSON pointer one key deeper.
pub fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The keys of the path that a text begins with, written as in TOML: `fields.customer`, `dimensions."a b".from[0]`.
fn path(text: &str) -> Option<Vec<String>> {
    let (first, mut rest) = key(text)?;
    let mut keys = vec![first];
    loop {
        let (next, after) = if let Some(after) = rest.strip_prefix('.') {
            key(after)?
        } else if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            (index.parse::<usize>().ok()?.to_string(), after)
        } else {
            break;
        };
        keys.push(next);
        rest = after;
    }
    (rest.is_empty() || rest.starts_with([':', ' '])).then_some(keys)
}

/// The key that a text begins with, and what follows it.
fn key(text: &str) -> Option<(String, &str)> {
    if text.starts_with(['"', '\'']) {
        return quoted_key(text);
    }
    let bare = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let end = text.find(|letter| !bare(letter)).unwrap_or(text.len());
    let (key, rest) = text.split_at_checked(end)?;
    (!key.is_empty()).then(|| (key.to_owned(), rest))
}

/// In double quotes a backslash makes the next character stand for itself; in single quotes there is no such thing.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut letters = text.chars();
    let quote = letters.next()?;
    let mut key = String::new();
    loop {
        match letters.next()? {
            letter if letter == quote => return Some((key, letters.as_str())),
            '\\' if quote == '"' => key.push(letters.next()?),
            letter => key.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_toml_writes_it() {
        for (text, keys) in [
            ("fields.customer: org is neither", &["fields", "customer"][..]),
            ("layout: {dd} names a time", &["layout"]),
            ("layout", &["layout"]),
            (r#"dimensions."a b.c".divide: no"#, &["dimensions", "a b.c", "divide"]),
            (r#"dimensions."say \"a\" \\".use: no"#, &["dimensions", r#"say "a" \"#, "use"]),
            (r#"dimensions.'a\b': no"#, &["dimensions", r#"a\b"#]),
            ("dimensions.cpu.from[12]: no", &["dimensions", "cpu", "from", "12"]),
            ("list[0][1].x: no", &["list", "0", "1", "x"]),
        ] {
            let expected: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(path(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_begins_like_a_path_is_none() {
        for text in
            ["", ": no", "fields.", "fields..a: no", "a[x]: no", "a[0: no", "\"a: no", "a/b: no", "`a`: no", "ä: no"]
        {
            assert_eq!(path(text), None, "{text}");
        }
    }
}

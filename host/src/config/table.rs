//! Reading a table strictly: unknown keys, missing keys and wrong types are reported, and reading goes on.

use std::collections::BTreeSet;
use std::ops::Range;

use super::errors::{ConfigError, ConfigErrors};
use super::grant_spec::Located;
use super::keys;
use super::tree::{Entry, Node, Table, Value};
use super::wording::{key_path, quoted, string};

/// A table under its path, whose unknown keys were reported.
pub(super) struct TableReader<'a> {
    /// As messages name it, `sink.clazar`; empty at the top.
    pub path: String,
    /// Where a missing key is reported.
    pub span: Range<usize>,
    table: &'a Table,
}

impl<'a> TableReader<'a> {
    pub fn new(path: String, span: Range<usize>, table: &'a Table, known: &[&str], errors: &mut ConfigErrors) -> Self {
        for (key, entry) in table {
            if !known.contains(&key.as_str()) {
                keys::report_unknown(key, &entry.key, &path, known, errors);
            }
        }
        Self { path, span, table }
    }

    pub fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.table.get(key)
    }

    pub fn path_of(&self, key: &str) -> String {
        key_path(&self.path, key)
    }

    /// A key that cannot be left out. `sample` shows how it is written.
    pub fn required(&self, key: &str, sample: &str, errors: &mut ConfigErrors) -> Option<&'a Entry> {
        let entry = self.entry(key);
        if entry.is_none() {
            let message = if self.path.is_empty() {
                format!("`{key}` is missing")
            } else {
                format!("`{key}` is missing in `{}`", self.path)
            };
            errors.add(self.span.clone(), message).help(format!("write {sample}"));
        }
        entry
    }

    /// A string. `expected` completes "must be ...".
    pub fn text(&self, key: &str, expected: &str, errors: &mut ConfigErrors) -> Option<Located<String>> {
        text(&self.entry(key)?.node, &self.path_of(key), expected, errors)
    }

    /// A string that is read further.
    pub fn parsed<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        errors: &mut ConfigErrors,
    ) -> Option<T> {
        let node = &self.entry(key)?.node;
        let text = text(node, &self.path_of(key), expected, errors)?;
        let parsed = parse(&text.value);
        if parsed.is_none() {
            mismatch(node, &self.path_of(key), expected, errors);
        }
        parsed
    }

    /// A list of strings, at least one, none empty, none twice.
    pub fn names(&self, key: &str, what: &str, errors: &mut ConfigErrors) -> Option<Vec<Located<String>>> {
        let node = &self.entry(key)?.node;
        let path = self.path_of(key);
        let expected = format!("a list of {what}");
        let Value::List(items) = &node.value else {
            mismatch(node, &path, &expected, errors);
            return None;
        };
        if items.is_empty() {
            errors.add(node.span.clone(), format!("`{path}` is empty")).help("name at least one, or leave the key out");
        }
        let mut seen = BTreeSet::new();
        let mut names = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(name) = text(item, &format!("{path}[{index}]"), "a string", errors) else {
                continue;
            };
            if name.value.is_empty() {
                errors.add(name.span.clone(), format!("`{path}[{index}]` is empty"));
            } else if !seen.insert(name.value.clone()) {
                errors.add(name.span.clone(), format!("{} stands twice in `{path}`", quoted(&name.value)));
            }
            names.push(name);
        }
        Some(names)
    }
}

/// The table that a node holds.
pub(super) fn table<'a>(node: &'a Node, path: &str, expected: &str, errors: &mut ConfigErrors) -> Option<&'a Table> {
    match &node.value {
        Value::Table(table) => Some(table),
        _ => {
            mismatch(node, path, expected, errors);
            None
        }
    }
}

/// The string that a node holds.
pub(super) fn text(node: &Node, path: &str, expected: &str, errors: &mut ConfigErrors) -> Option<Located<String>> {
    match &node.value {
        Value::Text { text, .. } => Some(Located { value: text.clone(), span: node.span.clone() }),
        _ => {
            mismatch(node, path, expected, errors);
            None
        }
    }
}

/// Reports a value that is not what its key takes, unless it was reported already.
pub(super) fn mismatch<'e>(
    node: &Node,
    path: &str,
    expected: &str,
    errors: &'e mut ConfigErrors,
) -> Option<&'e mut ConfigError> {
    let got = match &node.value {
        Value::Wrong => return None,
        // What the environment holds may be a secret in the wrong place.
        Value::Text { text, from_process: true } => {
            let written = quoted(unquoted(errors.source().slice(&node.span)));
            if text.is_empty() {
                format!("{written}, which is empty in the environment")
            } else {
                format!("what the environment holds for {written}")
            }
        }
        Value::Text { text, .. } if text.is_empty() => "an empty string".to_owned(),
        Value::Text { text, .. } => string(text),
        Value::Integer(number) => format!("the number {number}"),
        Value::Boolean(truth) => format!("the boolean {truth}"),
        Value::List(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    };
    Some(errors.add(node.span.clone(), format!("`{path}` must be {expected}, not {got}")))
}

pub(super) fn unquoted(written: &str) -> &str {
    written.trim_matches(['"', '\''])
}

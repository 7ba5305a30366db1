//! A fingerprint of the effective configuration: what the file says once its variables are replaced.

use std::fmt::Write as _;

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::tree::{Table, table_json};

/// SHA-256, in hex, of the document as canonical JSON. `env` is left out: what it does shows in what it is replaced by. Secrets are
/// in the file by the names of their variables only, so none goes in.
pub(super) fn digest(document: &Table) -> String {
    let mut effective = table_json(document);
    effective.remove("env");
    let mut text = String::new();
    canonical(&Json::Object(effective), &mut text);
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Keys in byte order and no white space, whatever order the map type of `serde_json` keeps.
fn canonical(value: &Json, out: &mut String) {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_bytes());
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                separate(index, out);
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                canonical(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

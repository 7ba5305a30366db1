//! A fingerprint of the effective configuration: what the file says once its variables are replaced.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::pipeline::SinkSpec;
use super::tree::{Table, table_json};

/// SHA-256, in hex, of the document as canonical JSON, with the digests of the tables that it names. `env` is left out: what it does
/// shows in what it is replaced by. Secrets are in the file by the names of their variables only, so none goes in.
pub(super) fn digest(document: &Table, sinks: &[SinkSpec]) -> String {
    let mut effective = table_json(document);
    effective.remove("env");
    for sink in sinks {
        // A file that names none has the digest that it always had.
        if let Some(customers) = &sink.customers
            && let Some(named) =
                effective.get_mut("sink").and_then(|sinks| sinks.get_mut(&sink.plugin.name)?.get_mut("customers"))
        {
            *named = json!({ "file": named.take(), "sha256": customers.digest });
        }
    }
    fingerprint(&Json::Object(effective))
}

/// SHA-256, in hex, of a document as canonical JSON.
pub fn fingerprint(document: &Json) -> String {
    let mut text = String::new();
    canonical(document, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// Bytes in lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
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

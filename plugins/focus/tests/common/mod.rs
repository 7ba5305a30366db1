//! What the tests have in common: a folder as the bucket, sets of charges.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use focus::{Config, Focus};
use meterhost_sdk::testing::{self, Charged, charges};
use meterhost_sdk::{
    ChargeBatch, Error, Outline, Publication, PublishFailure, SnapshotSink, Window, WindowKind, Written,
};
use serde_json::{Value, json};

pub const HOUR: i64 = 3_600_000;

/// The instant of `20220317T171218Z`.
pub fn at(text: &str) -> i64 {
    drops::time::read_compact(text).unwrap()
}

/// The month of an instant.
pub fn month(text: &str) -> Window {
    let (start, end) = drops::time::month(at(text));
    Window { start, end }
}

/// A configuration, from its JSON.
pub fn config(json: Value) -> Config {
    serde_json::from_value(json).unwrap()
}

/// A configuration with what is given besides; costs are told by an attribute.
pub fn told(more: Value) -> Value {
    let mut whole = json!({
        "root": "costs", "provider": "Example", "service_category": "Databases",
        "columns": { "BilledCost": "{attribute.cost}" },
    });
    for (key, value) in more.as_object().unwrap() {
        match (key.as_str(), value.as_object()) {
            ("columns", Some(columns)) => {
                for (column, text) in columns {
                    whole["columns"][column] = text.clone();
                }
            }
            _ => whole[key] = value.clone(),
        }
    }
    whole
}

/// The same with a unit price of 1 for what has no other.
pub fn priced(more: Value) -> Value {
    let mut whole = json!({ "root": "costs", "provider": "Example", "service_category": "Databases" });
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    if whole.get("prices").is_none() {
        whole["prices"] = json!({ "*": "1" });
    }
    whole
}

/// An empty folder that is the bucket.
pub fn stage() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    testing::folder(folder.path());
    folder
}

/// What a charge is where a test does not say otherwise: an hour of 2022-03-16, of 1 cpu.
pub fn charge() -> Charged<'static> {
    let start = at("20220316T130000Z");
    Charged { start, end: start + HOUR, id: 1, customer: "acme", dimension: "cpu", quantity: "1", ..Charged::default() }
}

/// Charges with ids that count up.
pub fn numbered<'a>(all: impl IntoIterator<Item = Charged<'a>>) -> Vec<Charged<'a>> {
    all.into_iter().zip(1..).map(|(charge, id)| Charged { id, ..charge }).collect()
}

/// What the host says of a set of these charges.
pub fn outline(now: &str, period: Window, all: &[Charged<'_>]) -> Outline {
    let names = |of: fn(&Charged<'_>) -> Vec<String>| {
        let mut names: Vec<String> = all.iter().flat_map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    Outline {
        period,
        now: at(now),
        fingerprint: String::new(),
        rows: all.len() as u64,
        tags: names(|charge| charge.tags.iter().map(|(name, _)| (*name).to_owned()).collect()),
        attributes: names(|charge| charge.attributes.iter().map(|(name, _)| (*name).to_owned()).collect()),
        closed: false,
        last: None,
        emptied: Vec::new(),
    }
}

/// Publishes as the host does: in pieces of a hundred, surveyed first where that is asked for. Answers the id too.
pub fn published(config: &Value, outline: Outline, all: &[Charged<'_>]) -> Result<(String, Written), PublishFailure> {
    let mut publication = written(config, outline, all)?;
    let written = publication.finish()?;
    publication.commit()?;
    Ok((publication.id(), written))
}

/// The same, up to the point where the host would have the set ended.
pub fn written(
    json: &Value,
    outline: Outline,
    all: &[Charged<'_>],
) -> Result<<Focus as SnapshotSink>::Publication, PublishFailure> {
    let traits = Focus::traits(config(json.clone()), WindowKind::Hour)?;
    let mut publication = Focus::begin(config(json.clone()), outline)?;
    if traits.surveys {
        all.chunks(100).try_for_each(|piece| publication.survey(&charges(piece)))?;
    }
    all.chunks(100).try_for_each(|piece| publication.write(&charges(piece)))?;
    Ok(publication)
}

/// What the plugin objects to, by row.
pub fn objections(json: &Value, batch: &ChargeBatch) -> Vec<(u32, String)> {
    let found = Focus::check(config(json.clone()), batch).unwrap();
    found.into_iter().map(|objection| (objection.row, objection.reason)).collect()
}

/// The words of an error that ends a publication.
pub fn words(failure: PublishFailure) -> String {
    match failure {
        PublishFailure::Failed(error) => plain(error),
        PublishFailure::Later((text, _)) | PublishFailure::Other(text) => text,
    }
}

/// The words of an error.
pub fn plain(error: Error) -> String {
    match error {
        Error::Config(text) | Error::Denied(text) | Error::Unavailable(text) | Error::Other(text) => text,
    }
}

/// The rows of a data file by column.
pub fn rows(path: impl AsRef<Path>) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// The data files of a drop, ascending.
pub fn files(drop: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(drop).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The rows of a set of these charges, in March 2022.
pub fn published_rows(config: &Value, all: &[Charged<'_>]) -> Vec<BTreeMap<String, String>> {
    let folder = stage();
    let all = numbered(all.iter().copied());
    let (id, _) = published(config, march(&all), &all).unwrap();
    rows(&files(folder.path().join("costs/20220301-20220401").join(id))[0])
}

/// What the host says of a set of March 2022.
pub fn march(all: &[Charged<'_>]) -> Outline {
    outline("20220317T171218Z", month("20220316T000000Z"), all)
}

//! The plugins' own code, natively, on one thread: what the sandbox is compared with.

use std::error::Error;
use std::path::Path;

use meterhost_sdk::{Aggregator, Batch, Cursor, Request, Shard, Source, Window, testing};
use rules::RulesAggregator;
use s3_reader::S3Reader;

use crate::data::SOURCE;

/// June 2025.
pub const JUNE: Window = Window { start: 1_748_736_000_000, end: 1_751_328_000_000 };

/// Reads everything; answers how many records there are.
pub fn records(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut records = 0;
    read(folder, |batch| {
        records += batch.len() as u64;
        Ok(())
    })?;
    Ok(records)
}

/// Reads and sums everything; answers how many charges that makes.
pub fn charges(folder: &Path) -> Result<usize, Box<dyn Error>> {
    let failed = |error: meterhost_sdk::Error| format!("{error:?}");
    let mut rules = aggregator()?;
    read(folder, |batch| Ok(rules.push(batch).map_err(failed)?))?;
    rules.finish().map_err(failed)?;
    let mut charges = 0;
    while let Some(lines) = rules.next().map_err(failed)? {
        charges += lines.len();
    }
    Ok(charges)
}

fn read(folder: &Path, mut each: impl FnMut(&Batch) -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    testing::folder(folder.join("bucket"));
    let request =
        Request { windows: vec![JUNE], now: 0, shard: Shard { index: 0, count: 1 }, claim: None, dry_run: true };
    let failed = |error: meterhost_sdk::Error| format!("{error:?}");
    let mut cursor = S3Reader::open(serde_json::from_str(SOURCE)?, request).map_err(failed)?;
    while let Some(page) = cursor.next().map_err(failed)? {
        each(&page.batch)?;
    }
    Ok(())
}

/// A sum of every dimension.
pub fn aggregator() -> Result<RulesAggregator, Box<dyn Error>> {
    let config = serde_json::from_str(r#"{ "dimensions": { "*": "sum" } }"#)?;
    Ok(RulesAggregator::open(config, JUNE).map_err(|error| format!("{error:?}"))?)
}

//! How fast records are read natively: five JSON pointers, one of them an attribute; lines of 170 and of 600 bytes, and
//! one document of each.
//!
//! `cargo run --release --example speed`

use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use meterhost_sdk::{Cursor as _, Request, Shard, Source as _, Window, testing};
use s3_reader::S3Reader;

/// So many that a document of them is just within its bound.
const RECORDS: usize = 90_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    testing::folder(folder.path());
    for bytes in [170, 600] {
        let mut lines = String::new();
        for number in 0..RECORDS {
            record(&mut lines, number, bytes)?;
        }
        std::fs::write(folder.path().join("usage.ndjson"), &lines)?;
        measure(&format!("lines of {bytes} bytes"), "ndjson", lines.len())?;
        std::fs::write(
            folder.path().join("usage.json"),
            format!("[{}]", lines.trim_end().replace('\n', ",")).get(..).unwrap_or_default(),
        )?;
        measure(&format!("records of {bytes} bytes in a document"), "json", lines.len())?;
    }
    Ok(())
}

fn record(lines: &mut String, number: usize, bytes: usize) -> std::fmt::Result {
    let start = lines.len();
    let (customer, dimension, instance) = (number * 7 % 500, number % 3, number * 31 % 1000);
    let (minute, second, value) = (number / 60 % 60, number % 60, number % 100_000);
    write!(
        lines,
        r#"{{"timestamp":"2025-06-01T00:{minute:02}:{second:02}Z","externalPayerId":"customer-{customer:04}","dimension":"dimension_{dimension}","value":{value}.25,"instanceId":"instance-{instance:03}","podName":""#
    )?;
    let mut field = 0;
    while lines.len() - start + 60 < bytes {
        write!(lines, r#"pod-{number:012}-replica","instanceType{field}":""#)?;
        field += 1;
    }
    let rest = bytes.saturating_sub(lines.len() - start + 3);
    writeln!(lines, r#"{:x<rest$}"}}"#, "")
}

fn measure(what: &str, ending: &str, bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut best = f64::MAX;
    let mut rows = 0;
    for _ in 0..5 {
        let config = serde_json::from_value(serde_json::json!({
            "layout": format!("usage.{ending}"),
            "fields": { "time": "/timestamp", "customer": "/externalPayerId", "dimension": "/dimension", "quantity": "/value" },
            "attributes": { "instance": "/instanceId" },
        }))?;
        let request = Request {
            windows: vec![Window { start: 1_748_736_000_000, end: 1_748_739_600_000 }],
            now: 0,
            shard: Shard { index: 0, count: 1 },
            claim: None,
            dry_run: false,
        };
        let started = Instant::now();
        rows = 0;
        let mut cursor = S3Reader::open(config, request).map_err(|error| format!("{error:?}"))?;
        while let Some(page) = cursor.next().map_err(|error| format!("{error:?}"))? {
            rows += page.batch.len();
        }
        best = best.min(started.elapsed().as_secs_f64());
    }
    let (millions, megabytes) = (rows as f64 / best / 1e6, bytes as f64 / best / 1e6);
    println!("{what}: {millions:.2} million records a second, {megabytes:.0} MB/s");
    Ok(())
}

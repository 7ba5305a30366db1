//! `cargo xtask bench [NAME...]`: measures meterhost, each figure beside something run in the same minute.
//!
//! | name | what |
//! |---|---|
//! | `ndjson` | lines of JSON to batches and to charges, at 170 and at 600 bytes a record, on one core and on two, beside the same code natively, beside DuckDB, and beside two runs at once: two cores that share a core's parts gain no more |
//! | `csv`, `gzip` | the same of CSV, and of lines of JSON in gzip |
//! | `s3` | a month of 7,440 objects over S3 to charges, beside a bare loop and a plain script; the script reads a tenth of them, and all with `METERHOST_LONG` |
//! | `push` | batches into `rules`, beside the same code natively |
//! | `idle` | start to exit of a run with nothing due |
//! | `small` | 100,000 small objects |
//! | `ledger` | a month that ends in 50,000 charges, billed to an emulator, with a ledger of each kind |
//! | `ids` | `dedupe = "id"` over 20 million ids, and a month of 100,000 records after them, beside the same runs without |
//! | `queue` | 100,000 records of a DynamoDB table, billed to AWS Marketplace and marked, beside a plain script; 400 of them on moto |
//! | `snapshots` | 2,500,000 charges with 40 tags, published from the ledger as AnyCost file drops, beside a native program that writes the same files |
//! | `memory` | the most memory at 1 and at 10 million records |

mod data;
mod decode;
mod duck;
mod ids;
mod ledger;
mod measure;
mod native;
mod push;
mod queue;
mod s3;
mod snapshots;
mod table;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use data::{Shape, pipeline};
use measure::{Cores, Plan};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let names: Vec<String> = std::env::args().skip(1).collect();
    // What is measured as a process of its own.
    match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--decode", folder] => {
            println!("{}", serde_json::to_string(&decode::here(Path::new(folder))?)?);
            return Ok(());
        }
        ["--publish", folder] => return snapshots::publish(Path::new(folder)),
        ["--fetch", store, at_once] => {
            let (objects, bytes) = s3::bare::fetch(store, at_once.parse()?)?;
            println!("{objects} {bytes}");
            return Ok(());
        }
        _ => {}
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        println!("the machine's load before this: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    }
    // Data of several gigabytes belongs beside the build, not into a folder that may be memory.
    let folder = tempfile::tempdir_in(measure::target()?)?;
    if wanted("idle") {
        idle(folder.path())?;
    }
    if wanted("push") {
        push::push()?;
    }
    for (name, shape) in
        [("ndjson", Shape::Small), ("ndjson", Shape::Large), ("csv", Shape::Csv), ("gzip", Shape::Gzip)]
    {
        if wanted(name) {
            table::table(folder.path(), shape)?;
        }
    }
    if wanted("s3") {
        s3::s3(folder.path())?;
    }
    if wanted("small") {
        small(folder.path())?;
    }
    if wanted("ledger") {
        ledger::ledger(&folder.path().join("ledger"))?;
    }
    if wanted("ids") {
        ids::ids(&folder.path().join("ids"))?;
    }
    if wanted("queue") {
        queue::queue(folder.path())?;
    }
    if wanted("snapshots") {
        snapshots::snapshots(&folder.path().join("snapshots"))?;
    }
    if wanted("memory") {
        memory(folder.path())?;
    }
    Ok(())
}

/// How many records the large measurements have; `METERHOST_BENCH_RECORDS` makes them shorter.
fn records() -> u64 {
    std::env::var("METERHOST_BENCH_RECORDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000_000)
}

/// The quickest of several runs: what the machine can do when nothing else happens on it.
struct Best(f64);

impl Best {
    fn new() -> Self {
        Best(f64::INFINITY)
    }

    fn take(&mut self, seconds: f64) {
        self.0 = self.0.min(seconds);
    }
}

fn idle(folder: &Path) -> Outcome {
    let pipeline = pipeline(folder, "idle")?;
    Plan::of_june().run(&pipeline, Cores::Two)?;
    let mut times = Vec::new();
    for _ in 0..30 {
        times.push(measure::idle(&pipeline)?);
    }
    times.sort_by(f64::total_cmp);
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("\nstart to exit, nothing due, warm cache: {:.1} ms (median of {})", middle * 1e3, times.len());
    Ok(())
}

fn small(folder: &Path) -> Outcome {
    data::small(folder, 100_000)?;
    let pipeline = pipeline(folder, "small")?;
    let begun = Instant::now();
    let read = data::read_all(folder)?;
    let bare = begun.elapsed().as_secs_f64();
    let ran = Plan::of_june().run(&pipeline, Cores::Two)?;
    println!(
        "\n100,000 small objects: {:.2} s, {:.1} MiB at most; reading the {read} files alone: {bare:.2} s",
        ran.seconds, ran.memory
    );
    data::clear(folder)
}

fn memory(folder: &Path) -> Outcome {
    for records in [1_000_000, 10_000_000] {
        data::records(folder, Shape::Small, records)?;
        let ran = Plan::of_june().run(&pipeline(folder, "memory")?, Cores::Two)?;
        println!("\nmost memory at {records} records: {:.1} MiB", ran.memory);
        data::clear(folder)?;
    }
    Ok(())
}

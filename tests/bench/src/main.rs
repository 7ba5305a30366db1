//! `cargo xtask bench [NAME...]`: measures meterhost, each figure beside something run in the same minute.
//!
//! | name | what |
//! |---|---|
//! | `ndjson` | files of lines of JSON to charges, at 170 and at 600 bytes a record, on one core and on two, beside the same code natively, and beside two runs at once: two cores that share a core's parts gain no more |
//! | `push` | batches into `rules`, beside the same code natively |
//! | `idle` | start to exit of a run with nothing due |
//! | `small` | 100,000 small objects |
//! | `memory` | the most memory at 1 and at 10 million records |

mod data;
mod measure;
mod native;
mod push;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use data::{Shape, pipeline};
use measure::{Cores, run};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    // Data of several gigabytes belongs beside the build, not into a folder that may be memory.
    let folder = tempfile::tempdir_in(measure::target()?)?;
    if wanted("idle") {
        idle(folder.path())?;
    }
    if wanted("push") {
        push::push()?;
    }
    if wanted("ndjson") {
        ndjson(folder.path())?;
    }
    if wanted("small") {
        small(folder.path())?;
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

fn ndjson(folder: &Path) -> Outcome {
    println!("\n| NDJSON to charges | records/s | MB/s | of native |\n|---|---|---|---|");
    for shape in [Shape::Small, Shape::Large] {
        let bytes = data::lines(folder, shape, records())?;
        let rate = |what: &str, seconds: f64, native: f64| {
            let per_second = records() as f64 / seconds;
            let megabytes = bytes as f64 / seconds / 1e6;
            println!(
                "| {} bytes, {what} | {per_second:.0} | {megabytes:.0} | {:.2} |",
                shape.bytes(),
                native / seconds
            );
        };
        let pipeline = pipeline(folder, "lines")?;
        let (mut native, mut one, mut two, mut twins) = (Best::new(), Best::new(), Best::new(), Best::new());
        let mut charges = 0;
        // In turns, so that what else the machine does falls on all of them.
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            charges = native::charges(folder)?;
            native.take(begun.elapsed().as_secs_f64());
            one.take(run(&pipeline, Cores::One)?.seconds);
            two.take(run(&pipeline, Cores::Two)?.seconds);
            twins.take(measure::twins(&pipeline)?);
        }
        rate("native code, one thread", native.0, native.0);
        rate("one core", one.0, native.0);
        rate("two cores", two.0, native.0);
        println!(
            "| two cores over one: {:.2}; two runs at once, a core each, over one: {:.2}; {charges} charges | | | |",
            one.0 / two.0,
            2.0 * one.0 / twins.0
        );
        data::clear(folder)?;
    }
    Ok(())
}

/// How often each is run.
const ROUNDS: usize = 3;

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
    run(&pipeline, Cores::Two)?;
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
    let ran = run(&pipeline, Cores::Two)?;
    println!(
        "\n100,000 small objects: {:.2} s, {:.1} MiB at most; reading the {read} files alone: {bare:.2} s",
        ran.seconds, ran.memory
    );
    data::clear(folder)
}

fn memory(folder: &Path) -> Outcome {
    for records in [1_000_000, 10_000_000] {
        data::lines(folder, Shape::Small, records)?;
        let ran = run(&pipeline(folder, "memory")?, Cores::Two)?;
        println!("\nmost memory at {records} records: {:.1} MiB", ran.memory);
        data::clear(folder)?;
    }
    Ok(())
}

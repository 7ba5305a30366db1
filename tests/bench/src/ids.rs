//! `dedupe = "id"` over a month of 20 million ids, beside the same run without; and the month after it, of 100,000 records, which are
//! compared with all ids that were billed.
//!
//! `METERHOST_BENCH_IDS` makes the first month smaller. The sink is one of the tests, which takes any answer for a yes. Temporary files lie
//! where `TMPDIR` says; what they come to is not shown by the program's own memory.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use clazar_emulator::{Emulator, Settings};

use crate::measure;

const LATER: u64 = 100_000;
const FILES: u64 = 720;
const CUSTOMERS: u64 = 500;
const DIMENSIONS: [&str; 3] = ["cpu_core_hours", "memory_byte_hours", "storage_hours"];

pub fn ids(folder: &Path) -> Result<(), Box<dyn Error>> {
    let ids = std::env::var("METERHOST_BENCH_IDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000_000);
    let bytes = write(folder, 6, 0..ids)?;
    println!("\n{ids} records with ids in one month, {:.1} GB; then {LATER} in the next", bytes as f64 / 1e9);
    println!("| run | without | with `dedupe = \"id\"` | time | processor time | more memory | ids in the ledger |");
    println!("|---|---|---|---|---|---|---|");
    let shown = |what: &str, without: &Ran, with: &Ran, stored: u64| {
        println!(
            "| {what} | {without} | {with} | {:.2} times | {:.2} times | {:.0} MiB | {:.0} MB |",
            with.seconds / without.seconds,
            with.processor / without.processor,
            with.memory - without.memory,
            stored as f64 / 1e6
        );
    };
    let plain = pipeline(folder, "plain", "")?;
    let by_id = pipeline(folder, "by-id", "dedupe = \"id\"")?;
    let july = "2025-07-01T02:00:00Z";
    let plan = (run("plan", &plain, july)?, run("plan", &by_id, july)?);
    shown("plan of the month", &plan.0, &plan.1, 0);
    let month = (run("run", &plain, july)?, run("run", &by_id, july)?);
    let stored = || size(&folder.join("by-id.ledger.db.ids"));
    shown("the month", &month.0, &month.1, stored()?);
    write(folder, 7, ids..ids + LATER)?;
    let august = "2025-08-01T02:00:00Z";
    let next = (run("run", &plain, august)?, run("run", &by_id, august)?);
    shown("the next month", &next.0, &next.1, stored()?);
    fs::remove_dir_all(folder)?;
    Ok(())
}

struct Ran {
    seconds: f64,
    /// The processor time, in seconds: what it takes itself, however long it waits for what it delivers to.
    processor: f64,
    /// The most memory, in MiB.
    memory: f64,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s, {:.1} s of processors, {:.0} MiB", self.seconds, self.processor, self.memory)
    }
}

fn run(what: &str, pipeline: &Path, now: &str) -> Result<Ran, Box<dyn Error>> {
    let mut command = Command::new(measure::target()?.join("release/meterhost"));
    let service = Emulator::start(Settings::default())?;
    command.arg(what).arg(pipeline).args(["--now", now, "--json"]);
    command.env("SINK", measure::target()?.join("test-components/failing.wasm")).env("SERVICE", service.url());
    let report = pipeline.with_extension("json");
    let before = measure::of_children()?;
    let begun = Instant::now();
    let mut child = command.stdout(File::create(&report)?).spawn()?;
    let memory = measure::watched(&mut child)?;
    let seconds = begun.elapsed().as_secs_f64();
    let processor = measure::of_children()? - before;
    let charges = CUSTOMERS as usize * DIMENSIONS.len();
    let state = if what == "plan" { r#""state": "would-bill""# } else { r#""state": "billed""# };
    let billed = fs::read_to_string(&report)?.matches(state).count();
    match billed == charges {
        true => Ok(Ran { seconds, processor, memory }),
        false => Err(format!("{billed} charges of {charges} were billed").into()),
    }
}

/// Of all files in a folder, in bytes.
fn size(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}

/// Writes the records of these numbers into a month; answers how many bytes they are.
fn write(folder: &Path, month: u8, numbers: std::ops::Range<u64>) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for file in 0..FILES {
        let day = folder.join(format!("bucket/usage/2025/{month:02}/{:02}", file % 30 + 1));
        fs::create_dir_all(&day)?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(day.join(format!("{file}.ndjson")))?);
        for number in (numbers.start + file..numbers.end).step_by(FILES as usize) {
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let line = format!(
                "{{\"timestamp\":\"2025-{month:02}-{:02}T12:{:02}:00Z\",\"id\":\"{:08x}-{:04x}-4abc-8def-{number:012x}\",\"externalPayerId\":\"customer-{:04}\",\"dimension\":\"{}\",\"value\":{}}}\n",
                file % 30 + 1,
                number % 60,
                mixed >> 32,
                mixed & 0xffff,
                mixed % CUSTOMERS,
                DIMENSIONS.get((number % 3) as usize).unwrap_or(&""),
                1 + number % 1000
            );
            bytes += line.len() as u64;
            out.write_all(line.as_bytes())?;
        }
        out.flush()?;
        // What the system has yet to write would be in the way of what is measured.
        out.get_ref().sync_all()?;
    }
    Ok(bytes)
}

fn pipeline(folder: &Path, name: &str, dedupe: &str) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let path = folder.join(format!("{name}.toml"));
    let text = format!(
        r#"
name   = "{name}"
window = "month"
start  = "2025-06"

[source]
plugin = "s3-reader"
grant  = {{ read = "file://./bucket" }}
{dedupe}
config.layout = "usage/{{yyyy}}/{{mm}}/{{dd}}/*"
config.fields = {{ time = "/timestamp", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value", id = "/id" }}

[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}

[sink.main]
plugin = "${{SINK}}"
config = {{ way = "proper", url = "${{SERVICE}}" }}
grant  = {{ http = ["${{SERVICE}}"] }}
"#
    );
    fs::write(&path, text)?;
    Ok(path)
}

//! A month that ends in 50,000 charges, billed in one run, with a ledger of each kind: what of it the ledger takes.
//!
//! The sink is one of the tests: it takes any answer for a yes, and has no limit to keep. S3 is moto, behind a proxy that adds a latency to
//! each request. The same month is run at a tenth of its records too: memory must not grow with them.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clazar_emulator::{Emulator, Settings};
use s3_proxy::{Kind, Moto, Proxy};

use crate::measure;

const CUSTOMERS: u64 = 10_000;
const DIMENSIONS: u64 = 5;
const FILES: u64 = 100;
/// Of each request to S3.
const LATENCY: Duration = Duration::from_millis(10);
const NOW: &str = "2025-07-01T02:00:00Z";

pub fn ledger(folder: &Path) -> Result<(), Box<dyn Error>> {
    let many = crate::records() * 2;
    for records in [many / 10, many] {
        write(folder, records)?;
        println!("\n{records} records, {} charges", CUSTOMERS * DIMENSIONS);
        println!(
            "| ledger on | run | of it the ledger | size | requests to S3 | most memory |\n|---|---|---|---|---|---|"
        );
        let sqlite = run(folder, &format!("sqlite:{}", folder.join("bench.ledger.db").display()), None)?;
        let size = fs::metadata(folder.join("bench.ledger.db"))?.len() as usize;
        println!(
            "| SQLite | {:.1} s | {:.2} s | {:.1} MB | | {:.0} MiB |",
            sqlite.seconds,
            sqlite.ledger,
            mb(size),
            sqlite.memory
        );
        let store = Moto::shared();
        let (bucket, proxy) = (store.bucket(), Proxy::start(store));
        proxy.set_latency(LATENCY);
        let s3 = run(folder, &format!("s3://{bucket}/ledger"), Some(&proxy))?;
        let count = |kind| proxy.count(kind);
        let sizes = store.keys(&bucket).into_iter().filter_map(|key| store.get(&bucket, &key)).map(|bytes| bytes.len());
        println!(
            "| S3, {} ms a request | {:.1} s | {:.2} s | {:.1} MB | {} PUT, {} GET, {} LIST | {:.0} MiB |",
            LATENCY.as_millis(),
            s3.seconds,
            s3.ledger,
            mb(sizes.sum()),
            count(Kind::Put),
            count(Kind::Get),
            count(Kind::List),
            s3.memory
        );
        fs::remove_dir_all(folder)?;
        fs::create_dir(folder)?;
    }
    Ok(())
}

fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// What a run took.
struct Ran {
    seconds: f64,
    /// What of them the ledger took, as the run itself says.
    ledger: f64,
    /// The most memory, in MiB.
    memory: f64,
}

fn run(folder: &Path, ledger: &str, s3: Option<&Proxy>) -> Result<Ran, Box<dyn Error>> {
    let mut command = Command::new(measure::target()?.join("release/meterhost"));
    command.arg("run").arg(folder.join("pipeline.toml")).args(["--now", NOW, "--json", "-v", "--ledger", ledger]);
    let service = Emulator::start(Settings::default())?;
    command.env("SINK", measure::target()?.join("test-components/failing.wasm")).env("SERVICE", service.url());
    if let Some(proxy) = s3 {
        command.env("AWS_ENDPOINT_URL_S3", proxy.url()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    }
    let (log, report) = (folder.join("log.txt"), folder.join("report.json"));
    let begun = Instant::now();
    let mut child = command.stdout(File::create(&report)?).stderr(File::create(&log)?).spawn()?;
    let memory = measure::watched(&mut child)?;
    let seconds = begun.elapsed().as_secs_f64();
    let said = fs::read_to_string(&log)?;
    let ledger = said.split("the ledger took ").nth(1).and_then(|rest| rest.split(' ').next());
    let ledger = ledger.ok_or_else(|| format!("the run does not say what its ledger took:\n{said}"))?.parse()?;
    let billed = fs::read_to_string(&report)?.matches(r#""state": "billed""#).count() as u64;
    if billed != CUSTOMERS * DIMENSIONS {
        return Err(format!("{billed} charges were billed").into());
    }
    Ok(Ran { seconds, ledger, memory })
}

fn write(folder: &Path, records: u64) -> Result<(), Box<dyn Error>> {
    for file in 0..FILES {
        let day = folder.join(format!("bucket/usage/2025/06/{:02}", file % 30 + 1));
        fs::create_dir_all(&day)?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(day.join(format!("{file}.ndjson")))?);
        for number in (file..records).step_by(FILES as usize) {
            let charge = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (CUSTOMERS * DIMENSIONS);
            let (customer, dimension) = (charge / DIMENSIONS, charge % DIMENSIONS);
            writeln!(
                out,
                r#"{{"timestamp":"2025-06-{:02}T12:00:00Z","externalPayerId":"{customer:08}-aaaa-bbbb-cccc-dddddddddddd","dimension":"dimension_{dimension}","value":{}}}"#,
                file % 30 + 1,
                1 + number % 1000
            )?;
        }
        out.flush()?;
    }
    let pipeline = r#"
name   = "bench"
window = "month"
start  = "2025-06"

[source]
plugin = "s3-reader"
grant  = { read = "file://./bucket" }
config.layout = "usage/{yyyy}/{mm}/{dd}/*"
config.fields = { time = "/timestamp", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value" }

[aggregate.rules]
config.dimensions = { "*" = "sum" }

[sink.main]
plugin = "${SINK}"
config = { way = "proper", url = "${SERVICE}" }
grant  = { http = ["${SERVICE}"] }
"#;
    fs::write(folder.join("pipeline.toml"), pipeline)?;
    Ok(())
}

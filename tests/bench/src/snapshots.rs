//! A month of 2,500,000 charges with 40 tags, published from the ledger as AnyCost file drops; beside a native program that reads the same
//! ledger and writes the same files in one run.
//!
//! `METERHOST_BENCH_CHARGES` makes the month smaller. What both wrote is compared, byte by byte as it was before it was compressed.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use meterhost::config::{self, Pipeline};
use meterhost::ledger::{Claim, Entry, Identity, Ledger, PartsDraft, Place, SetPart, encode};
use meterhost::model::charge::ChargeId;
use meterhost::model::charged::{Charged, instants};
use meterhost::model::window::{Window, WindowKind};
use meterhost_sdk::Decimal;

use crate::measure;

/// How many tags a charge has.
const TAGS: u64 = 40;
/// As many as a file of AnyCost may have.
const ROWS_PER_FILE: u64 = 1_000_000;
/// The price of a unit: a cent.
const PRICE: &str = "0.01";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Publishes the month with both.
pub fn snapshots(folder: &Path) -> Outcome<()> {
    let charges = std::env::var("METERHOST_BENCH_CHARGES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_500_000);
    let pipeline = pipeline(folder)?;
    let begun = Instant::now();
    seed(&pipeline, charges)?;
    let segments = size(&folder.join("costs.ledger.db.ids"))?;
    println!(
        "\n{charges} charges with {TAGS} tags in one month, {:.2} GB in the ledger, written in {:.0} s",
        segments as f64 / 1e9,
        begun.elapsed().as_secs_f64()
    );
    let ours = ours(&pipeline)?;
    let native = native(&pipeline)?;
    let (files, bytes) = same(&folder.join("drops"), &folder.join("native"))?;
    println!("| | time | charges a second | most memory | files |");
    println!("|---|---|---|---|---|");
    let line = |what: &str, ran: &measure::Ran| {
        println!(
            "| {what} | {:.1} s | {:.0} | {:.0} MiB | {files} |",
            ran.seconds,
            charges as f64 / ran.seconds,
            ran.memory
        );
    };
    line("meterhost run", &ours);
    line("a native program", &native);
    println!(
        "meterhost reads each file back besides; it has {:.2} of the native program's speed; {:.2} GB of CSV, the same from both",
        native.seconds / ours.seconds,
        bytes as f64 / 1e9
    );
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn pipeline(folder: &Path) -> Outcome<Pipeline> {
    fs::create_dir_all(folder.join("usage"))?;
    let path = folder.join("pipeline.toml");
    fs::write(
        &path,
        r#"
name   = "costs"
window = "hour"
start  = "2025-06"

[source]
plugin    = "s3-reader"
look_back = "1 hour"
grant     = { read = "file://./usage" }
config.layout = "{yyyy}/{mm}/{dd}/{hh}/*.json"
config.fields = { time = "path", customer = "/customer", dimension = "/dimension", quantity = "/value" }

[aggregate.rules]
config.dimensions = { "*" = "sum" }

[sink.anycost]
grant  = { read = "file://./drops", write = "file://./drops" }
limits = { wall = "30m" }
config.root    = "costs"
config.prices  = { "*" = "0.01" }
config.columns = { "resource/id" = "{customer}", "resource/service" = "{product}" }
"#,
    )?;
    Ok(config::load(&path, &|_| None).map_err(|errors| format!("{errors:?}"))?)
}

/// The charge of this number in its window. Quantities and tags differ as they do in a bill: some often, some seldom.
fn charge(window: &Window, number: u64) -> Charged {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number >> 7);
    let tag = |tag: u64| {
        let values = 3 + tag * tag;
        (format!("tag-{tag:02}"), format!("value-{}-{}", tag, mixed.rotate_left(tag as u32) % values))
    };
    Charged {
        id: ChargeId::of_halves(mixed, number),
        window: instants(window),
        product: format!("service-{}", mixed % 12),
        customer: format!("customer-{:05}", number % 5_000),
        dimension: format!("dimension-{}", mixed % 7),
        tags: (0..TAGS).map(tag).collect(),
        quantity: Decimal::new(i128::from(mixed % 1_000_000), 3).unwrap_or_default(),
        attributes: Vec::new(),
        records: 1,
        sources: vec![(format!("customer-{:05}", number % 5_000), vec!["usage".to_owned()])],
    }
}

/// Makes a ledger that holds the month, as runs would have left it.
fn seed(pipeline: &Pipeline, charges: u64) -> Outcome<()> {
    let place = Place::sqlite(&pipeline.base.join("costs.ledger.db"));
    let month = Window::parse(WindowKind::Month, "2025-06").map_err(|error| error.to_string())?;
    let first = Window::containing(WindowKind::Hour, month.start());
    let windows: Vec<Window> =
        std::iter::successors(Some(first), Window::next).take_while(|window| window.start() < month.end()).collect();
    let identity = Identity::of(pipeline, Some(first));
    let mut ledger = Ledger::open(&place, &identity, &Claim::at_once("seed"))?;
    let sinks = vec!["anycost".to_owned()];
    let run = Entry::Run {
        now: month.end().as_millisecond(),
        config: String::new(),
        plugins: Vec::new(),
        windows: windows.clone(),
        sinks,
    };
    ledger.append(vec![run])?;
    let shelf = place.shelf();
    let mut draft = PartsDraft::begin(&shelf, "");
    let count = windows.len() as u64;
    for (at, window) in windows.iter().enumerate() {
        let (from, to) = (charges * at as u64 / count, charges * (at as u64 + 1) / count);
        let mut own: Vec<Charged> = (from..to).map(|number| charge(window, number)).collect();
        own.sort_by(|left, right| left.order().cmp(&right.order()));
        draft.add(*window, &encode(&own))?;
    }
    let parts = draft.publish()?.ok_or("the month has no charges")?;
    let mut entries = vec![Entry::Charged { sink: "anycost".to_owned(), parts }];
    for window in windows {
        entries.push(Entry::Inputs { window, inputs: Vec::new() });
        entries.push(Entry::Settled { sink: "anycost".to_owned(), window });
    }
    ledger.append(entries)?;
    Ok(ledger.close()?)
}

fn ours(pipeline: &Pipeline) -> Outcome<measure::Ran> {
    let mut command = Command::new(measure::target()?.join("release/meterhost"));
    command.arg("run").arg(pipeline.base.join("pipeline.toml")).args(["--now", "2025-07-01T02:00:00Z"]);
    timed(command)
}

fn timed(mut command: Command) -> Outcome<measure::Ran> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let memory = measure::watched(&mut child)?;
    Ok(measure::Ran { seconds: begun.elapsed().as_secs_f64(), memory })
}

/// The same files by this program, as a process of its own.
fn native(pipeline: &Pipeline) -> Outcome<measure::Ran> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--publish").arg(&pipeline.base);
    timed(command)
}

/// What the native program does: one pass over the ledger, row by row.
pub fn publish(folder: &Path) -> Outcome<()> {
    let pipeline = config::load(&folder.join("pipeline.toml"), &|_| None).map_err(|errors| format!("{errors:?}"))?;
    let place = Place::sqlite(&folder.join("costs.ledger.db"));
    let state = Ledger::state_of(&place, &Identity::of(&pipeline, None))?;
    let month = Window::parse(WindowKind::Month, "2025-06").map_err(|error| error.to_string())?;
    let parts: Vec<SetPart> = state.sets().parts_of("anycost", &month).into_iter().map(|(_, part)| part).collect();
    let price = Decimal::parse(PRICE)?;
    fs::create_dir_all(folder.join("native"))?;
    let mut files = Files { folder: folder.join("native"), number: 0, rows: 0, out: None };
    place.shelf().each_block(&parts, &mut |columns| {
        for charge in columns.charges() {
            files.row(&charge, price)?;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    files.close()
}

struct Files {
    folder: PathBuf,
    number: u32,
    rows: u64,
    out: Option<BufWriter<GzEncoder<File>>>,
}

impl Files {
    fn row(&mut self, charge: &Charged, price: Decimal) -> Outcome<()> {
        if self.rows == ROWS_PER_FILE {
            self.close()?;
        }
        if self.out.is_none() {
            self.number += 1;
            let file = File::create(self.folder.join(format!("{:04}.csv.gz", self.number)))?;
            let mut out = BufWriter::with_capacity(64 << 10, GzEncoder::new(file, Compression::new(6)));
            write!(
                out,
                "lineitem/id,lineitem/type,time/usage_start,resource/id,resource/service,usage/amount,cost/cost,"
            )?;
            write!(out, "cost/discounted_cost,cost/amortized_cost,cost/discounted_amortized_cost")?;
            for tag in 0..TAGS {
                write!(out, ",resource/tag:tag-{tag:02}")?;
            }
            out.write_all(b"\n")?;
            self.out = Some(out);
        }
        let out = self.out.as_mut().ok_or("there is no file")?;
        let cost = charge.quantity.checked_mul(price).ok_or("a cost has too many digits")?.normalised();
        let hours = charge.window.0.rem_euclid(86_400_000) / 3_600_000;
        // June begins 20240 days after 1970.
        let day = charge.window.0.div_euclid(86_400_000) - 20_240 + 1;
        write!(
            out,
            "{},Usage,2025-06-{day:02}T{hours:02}:00:00Z,{},{},{},{cost},{cost},{cost},{cost}",
            charge.id,
            charge.customer,
            charge.product,
            charge.quantity.normalised()
        )?;
        for (_, value) in &charge.tags {
            write!(out, ",{value}")?;
        }
        out.write_all(b"\n")?;
        self.rows += 1;
        Ok(())
    }

    fn close(&mut self) -> Outcome<()> {
        if let Some(out) = self.out.take() {
            out.into_inner()?.finish()?.sync_all()?;
            self.rows = 0;
        }
        Ok(())
    }
}

/// Compares what the two wrote; answers how many files there are, and how many bytes of CSV.
fn same(drops: &Path, native: &Path) -> Outcome<(usize, u64)> {
    let month = drops.join("costs/20250601-20250701");
    let drop = fs::read_dir(&month)?.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_dir());
    let (ours, theirs) = (sorted(&drop.ok_or("there is no drop")?)?, sorted(native)?);
    if ours.len() != theirs.len() {
        return Err(format!("{} files, and {} of the native program", ours.len(), theirs.len()).into());
    }
    let mut bytes = 0;
    for (our, their) in ours.iter().zip(&theirs) {
        let (mut left, mut right) = (GzDecoder::new(File::open(our)?), GzDecoder::new(File::open(their)?));
        let (mut one, mut other) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        loop {
            let read = full(&mut left, &mut one)?;
            if read != full(&mut right, &mut other)? || one.get(..read) != other.get(..read) {
                return Err(format!("{} is not what the native program wrote", our.display()).into());
            }
            bytes += read as u64;
            if read == 0 {
                break;
            }
        }
    }
    Ok((ours.len(), bytes))
}

/// Reads until the buffer is full, or the file is at its end.
fn full(file: &mut impl std::io::Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut all = 0;
    while let Some(rest) = buffer.get_mut(all..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => all += read,
        }
    }
    Ok(all)
}

fn sorted(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries: Result<Vec<PathBuf>, _> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = entries?;
    paths.sort();
    Ok(paths)
}

/// Of all files in a folder, in bytes.
fn size(folder: &Path) -> Outcome<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}

//! What is read: usage made by a rule, the same in each run.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How usage is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lines of JSON, as short as records are.
    Small,
    /// Lines of JSON with many fields that nobody asks for.
    Large,
    Csv,
    /// Lines of JSON, compressed.
    Gzip,
}

impl Shape {
    /// Of a record, before it is compressed.
    pub fn bytes(self) -> u64 {
        match self {
            Shape::Small | Shape::Csv | Shape::Gzip => 170,
            Shape::Large => 600,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Shape::Small | Shape::Large => "NDJSON",
            Shape::Csv => "CSV",
            Shape::Gzip => "NDJSON in gzip",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Shape::Small | Shape::Large => "ndjson",
            Shape::Csv => "csv",
            Shape::Gzip => "ndjson.gz",
        }
    }
}

/// What was written.
pub struct Written {
    /// Before it was compressed.
    pub bytes: u64,
    pub stored: u64,
    /// What all quantities add up to.
    pub total: u64,
}

/// The columns of a CSV: those that are asked for, and what its records are filled up with.
pub const COLUMNS: [&str; 8] =
    ["timestamp", "externalPayerId", "dimension", "value", "instanceId", "field00", "field01", "field02"];

/// The configuration of the source: five pointers.
pub const SOURCE: &str = r#"{
    "layout": "usage/{yyyy}/{mm}/{dd}/*",
    "fields": { "time": "/timestamp", "customer": "/externalPayerId", "dimension": "/dimension", "quantity": "/value" },
    "attributes": { "instance": "/instanceId" }
}"#;

/// As many as an exporter writes in a month that writes one an hour. Which reader has which is chance, so that of a few large files
/// one core may get more than the other.
const FILES: u64 = 720;
const DAYS: u64 = 30;

fn bucket(folder: &Path) -> PathBuf {
    folder.join("bucket")
}

/// Writes so many records.
pub fn records(folder: &Path, shape: Shape, records: u64) -> Result<Written, Box<dyn Error>> {
    let mut written = Written { bytes: 0, stored: 0, total: (0..records).map(value).sum() };
    for file in 0..FILES {
        let name = format!("usage/2025/06/{:02}/{file}.{}", file % DAYS + 1, shape.ending());
        let path = bucket(folder).join(name);
        fs::create_dir_all(path.parent().ok_or("a path without a parent")?)?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        if shape == Shape::Gzip {
            let mut gzip = GzEncoder::new(out, Compression::default());
            written.bytes += one_file(&mut gzip, shape, file, records)?;
            gzip.finish()?.flush()?;
        } else {
            written.bytes += one_file(&mut out, shape, file, records)?;
            out.flush()?;
        }
        written.stored += fs::metadata(&path)?.len();
    }
    Ok(written)
}

fn one_file(out: &mut impl Write, shape: Shape, file: u64, records: u64) -> Result<u64, Box<dyn Error>> {
    let mut written = 0;
    let mut line = if shape == Shape::Csv { COLUMNS.join(",") + "\n" } else { String::new() };
    for number in (file..records).step_by(FILES as usize) {
        record(&mut line, shape, file % DAYS, number)?;
        written += line.len() as u64;
        out.write_all(line.as_bytes())?;
        line.clear();
    }
    Ok(written)
}

fn value(number: u64) -> u64 {
    number % 1000
}

fn record(line: &mut String, shape: Shape, day: u64, number: u64) -> Result<(), Box<dyn Error>> {
    use std::fmt::Write;

    let begun = line.len();
    let customer = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 500;
    let dimension = ["cpu_core_hours", "memory_byte_hours", "storage_hours"].get((number % 3) as usize).unwrap_or(&"");
    let (day, minute, value, instance) = (day + 1, number % 60, value(number), number % 100);
    if shape == Shape::Csv {
        write!(
            line,
            "2025-06-{day:02}T12:{minute:02}:00Z,customer-{customer:04},{dimension},{value},instance-{instance:03}"
        )?;
    } else {
        write!(
            line,
            "{{\"timestamp\":\"2025-06-{day:02}T12:{minute:02}:00Z\",\"externalPayerId\":\"customer-{customer:04}\",\"dimension\":\"{dimension}\",\
             \"value\":{value},\"instanceId\":\"instance-{instance:03}\""
        )?;
    }
    // Fields that nobody asks for, until the line has its length to the byte.
    let (empty, end) = if shape == Shape::Csv { (",".len(), "\n") } else { (r#","field00":"""#.len(), "}\n") };
    let mut field = 0;
    loop {
        let left = (shape.bytes() as usize).saturating_sub(line.len() - begun + end.len());
        let Some(room) = left.checked_sub(empty) else { break };
        let text = filler(field, number);
        let text = text.get(..if room < FILLER + empty { room } else { FILLER }).unwrap_or(&text);
        match shape {
            Shape::Csv => write!(line, ",{text}")?,
            _ => write!(line, ",\"field{field:02}\":\"{text}\"")?,
        }
        field += 1;
    }
    line.push_str(end);
    Ok(())
}

/// How long a field is that nobody asks for.
const FILLER: usize = 40;

/// What stands in it: in some fields always the same, in others never, as names and ids do. It matters to what compresses them. The
/// last one of a record may be longer.
fn filler(field: u64, number: u64) -> String {
    if !field.is_multiple_of(2) {
        return "ip-172-0-63-226.us-east-2.compute.internal/postgres-0/t4g.small".to_owned();
    }
    let mut state = (number << 8 | field).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut part = || {
        state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state
    };
    format!("{:016x}{:016x}{:016x}{:016x}", part(), part(), part(), part())
}

/// Writes so many small objects.
pub fn small(folder: &Path, objects: u64) -> Result<(), Box<dyn Error>> {
    for number in 0..objects {
        let path = bucket(folder).join(format!("usage/2025/06/{:02}/{number}.json", number % DAYS + 1));
        if number < DAYS {
            fs::create_dir_all(path.parent().ok_or("a path without a parent")?)?;
        }
        let mut line = String::new();
        record(&mut line, Shape::Small, number % DAYS, number)?;
        fs::write(path, format!("[{}]", line.trim_end()))?;
    }
    Ok(())
}

/// Opens and reads every object, and does nothing with it; answers how many there are.
pub fn read_all(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut files = 0;
    let mut bytes = Vec::new();
    for day in 1..=DAYS {
        for entry in fs::read_dir(bucket(folder).join(format!("usage/2025/06/{day:02}")))? {
            bytes.clear();
            File::open(entry?.path())?.read_to_end(&mut bytes)?;
            files += 1;
        }
    }
    Ok(files)
}

/// Removes what was written.
pub fn clear(folder: &Path) -> Result<(), Box<dyn Error>> {
    Ok(fs::remove_dir_all(bucket(folder))?)
}

/// Writes a pipeline that sums everything up; its sink is never reached, because a plan sends nothing.
pub fn pipeline(folder: &Path, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    fs::create_dir_all(bucket(folder))?;
    let path = folder.join(format!("{name}.toml"));
    fs::write(
        &path,
        format!(
            r#"
name = "{name}"
window = "month"
start = "2025-06"
[source]
plugin = "s3-reader"
grant.read = "file://./bucket"
config.layout = "usage/{{yyyy}}/{{mm}}/{{dd}}/*"
config.fields = {{ time = "/timestamp", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value" }}
config.attributes = {{ instance = "/instanceId" }}
[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}
[sink.clazar]
config.url = "http://127.0.0.1:9/metering/"
grant = {{ http = "http://127.0.0.1:9", secrets = {{ client_id = {{ env = "X" }}, client_secret = {{ env = "Y" }} }} }}
"#
        ),
    )?;
    Ok(path)
}

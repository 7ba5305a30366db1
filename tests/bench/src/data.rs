//! What is read: usage made by a rule, the same in each run.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// How large a record is.
#[derive(Clone, Copy)]
pub enum Shape {
    Small,
    Large,
}

impl Shape {
    pub fn bytes(self) -> u64 {
        match self {
            Shape::Small => 170,
            Shape::Large => 600,
        }
    }
}

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

/// Writes so many lines; answers their bytes.
pub fn lines(folder: &Path, shape: Shape, records: u64) -> Result<u64, Box<dyn Error>> {
    let mut written = 0;
    for file in 0..FILES {
        let path = bucket(folder).join(format!("usage/2025/06/{:02}/{file}.ndjson", file % DAYS + 1));
        fs::create_dir_all(path.parent().ok_or("a path without a parent")?)?;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut line = String::new();
        for number in (file..records).step_by(FILES as usize) {
            line.clear();
            record(&mut line, shape, file % DAYS, number)?;
            written += line.len() as u64;
            out.write_all(line.as_bytes())?;
        }
        out.flush()?;
    }
    Ok(written)
}

fn record(line: &mut String, shape: Shape, day: u64, number: u64) -> Result<(), Box<dyn Error>> {
    use std::fmt::Write;

    let customer = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 500;
    let dimension = ["cpu_core_hours", "memory_byte_hours", "storage_hours"].get((number % 3) as usize).unwrap_or(&"");
    let minute = number % 60;
    write!(
        line,
        "{{\"timestamp\":\"2025-06-{:02}T12:{minute:02}:00Z\",\"externalPayerId\":\"customer-{customer:04}\",\"dimension\":\"{dimension}\",\
         \"value\":{},\"instanceId\":\"instance-{:03}\"",
        day + 1,
        number % 1000,
        number % 100
    )?;
    // Fields that nobody asks for, until the line has its length to the byte.
    const EMPTY: usize = r#","field00":"""#.len();
    let mut field = 0;
    loop {
        let left = (shape.bytes() as usize).saturating_sub(line.len() + "}\n".len());
        let Some(room) = left.checked_sub(EMPTY) else { break };
        let text = if room < 40 + EMPTY { room } else { 40 };
        write!(line, ",\"field{field:02}\":\"{}\"", "x".repeat(text))?;
        field += 1;
    }
    line.push_str("}\n");
    Ok(())
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

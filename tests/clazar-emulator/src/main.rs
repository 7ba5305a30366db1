//! The emulator as a program: it listens, prints its address to stdout and one line a request to stderr, and ends by itself.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Parser;
use clazar_emulator::{Emulator, Rule, Settings};
use jiff::Timestamp;

/// A strict emulator of the Clazar metering API
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1 (0: a free one)
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The client that may authenticate
    #[arg(long, default_value = "cid")]
    client_id: String,
    /// Its secret
    #[arg(long, default_value = "sec")]
    client_secret: String,
    /// Where the clock stands, such as 2025-07-01T02:00:00Z (default: the real time)
    #[arg(long)]
    now: Option<Timestamp>,
    /// Path of the metering resource
    #[arg(long, default_value = "/metering/", value_parser = metering_path)]
    metering_path: String,
    /// JSON file that keeps the books over restarts
    #[arg(long, value_name = "FILE")]
    books: Option<PathBuf>,
    /// A fault, such as {"on":"submit","times":2,"kind":"status","status":503,"commit":true}; repeatable, in order
    #[arg(long = "fault", value_name = "JSON")]
    faults: Vec<Rule>,
    /// Requests a minute (default: no limit)
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// The contracts that exist, separated by commas (default: all)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    known_contracts: Option<Vec<String>>,
    /// The registered dimensions, separated by commas (default: all)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    known_dimensions: Option<Vec<String>>,
    /// Records a call, beyond which it is refused whole (default: no limit)
    #[arg(long, value_name = "N")]
    max_records: Option<usize>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 600)]
    lifetime: u64,
}

impl Arguments {
    fn settings(self) -> Settings {
        Settings {
            port: self.port,
            client_id: self.client_id,
            client_secret: self.client_secret,
            metering_path: self.metering_path,
            now: self.now,
            known_contracts: self.known_contracts.map(|names| names.into_iter().collect()),
            known_dimensions: self.known_dimensions.map(|names| names.into_iter().collect()),
            max_records: self.max_records,
            rate_limit: self.rate_limit,
            books: self.books,
            faults: self.faults,
            print: true,
            ..Settings::default()
        }
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let lifetime = Duration::from_secs(arguments.lifetime);
    let clazar = Emulator::start(arguments.settings())?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", clazar.url())?;
    stdout.flush()?;
    thread::sleep(lifetime);
    Ok(())
}

fn metering_path(text: &str) -> Result<String, String> {
    if text.len() > 1 && text.starts_with('/') && text.ends_with('/') {
        return Ok(text.to_owned());
    }
    Err("a path has a slash at both ends, such as /metering/".into())
}

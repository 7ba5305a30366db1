//! The emulator as a program: it listens, prints its address to stdout and one line a request to stderr, and ends by itself.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod arguments;

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use clap::Parser;
use metering_emulator::Emulator;

use arguments::Arguments;

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let lifetime = Duration::from_secs(arguments.lifetime);
    let service = Emulator::start(arguments.settings())?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", service.url())?;
    stdout.flush()?;
    thread::sleep(lifetime);
    Ok(())
}

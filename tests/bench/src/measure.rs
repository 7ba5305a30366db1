//! Running the program, and what that took.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many cores the program may use.
#[derive(Clone, Copy)]
pub enum Cores {
    One,
    Two,
}

/// What a run took.
pub struct Ran {
    pub seconds: f64,
    /// The most memory, in MiB.
    pub memory: f64,
}

/// The folder of what was built.
pub fn target() -> Result<PathBuf, Box<dyn Error>> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").canonicalize()?)
}

fn program(cores: Cores, core: u32) -> Result<Command, Box<dyn Error>> {
    let program = target()?.join("release/meterhost");
    Ok(match cores {
        Cores::Two => Command::new(program),
        Cores::One => {
            let mut command = Command::new("taskset");
            command.arg("-c").arg(core.to_string()).arg(program);
            command
        }
    })
}

/// Plans June 2025, which reads and aggregates everything and sends nothing.
pub fn run(pipeline: &Path, cores: Cores) -> Result<Ran, Box<dyn Error>> {
    let mut command = program(cores, 0)?;
    command.arg("plan").arg(pipeline).args(["--now", "2025-07-01T02:00:00Z", "--json"]);
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory: f64 = 0.0;
    let ended = loop {
        // The kernel's own high-water mark; the last look is at most a moment old.
        if let Some(found) = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)) {
            memory = memory.max(found);
        }
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    if !ended.success() {
        return Err(format!("meterhost plan ended with {ended}").into());
    }
    Ok(Ran { seconds: begun.elapsed().as_secs_f64(), memory })
}

/// Two such runs at the same time, each on a core of its own, in seconds: what two cores give when nothing is shared between them.
pub fn twins(pipeline: &Path) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    let mut children = Vec::new();
    for core in 0..2 {
        let mut command = program(Cores::One, core)?;
        command.arg("plan").arg(pipeline).args(["--now", "2025-07-01T02:00:00Z", "--json"]);
        children.push(command.stdout(Stdio::null()).spawn()?);
    }
    for mut child in children {
        let ended = child.wait()?;
        if !ended.success() {
            return Err(format!("meterhost plan ended with {ended}").into());
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// A run with nothing due, in seconds.
pub fn idle(pipeline: &Path) -> Result<f64, Box<dyn Error>> {
    let mut command = program(Cores::Two, 0)?;
    command
        .arg("run")
        .arg(pipeline)
        .args(["--now", "2025-06-15T02:00:00Z"])
        .env("X", "client-of-none")
        .env("Y", "secret-of-none")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Instant::now();
    let ended = command.status()?;
    match ended.success() {
        true => Ok(begun.elapsed().as_secs_f64()),
        false => Err(format!("meterhost run ended with {ended}").into()),
    }
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

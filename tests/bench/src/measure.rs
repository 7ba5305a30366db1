//! Running the program, and what that took.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// How many cores a program may use.
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

/// A program on so many cores; on one, it is this one.
pub fn on_cores(program: &Path, cores: Cores, core: u32) -> Command {
    match cores {
        Cores::Two => Command::new(program),
        Cores::One => {
            let mut command = Command::new("taskset");
            command.arg("-c").arg(core.to_string()).arg(program);
            command
        }
    }
}

fn program(cores: Cores, core: u32) -> Result<Command, Box<dyn Error>> {
    Ok(on_cores(&target()?.join("release/meterhost"), cores, core))
}

/// A script beside this program's own source, by the Python that `cargo xtask bench` set up.
pub fn python(script: &str) -> Result<Command, Box<dyn Error>> {
    python_on(script, Cores::Two)
}

/// The same on so many cores.
pub fn python_on(script: &str, cores: Cores) -> Result<Command, Box<dyn Error>> {
    let python = target()?.join("bench-venv/bin/python");
    if !python.exists() {
        return Err(
            "target/bench-venv is missing; start the benchmarks with `cargo xtask bench`, which sets it up".into()
        );
    }
    let mut command = on_cores(&python, cores, 0);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(script));
    Ok(command)
}

/// Runs something to its end, which has to be a good one, and takes what it prints.
pub fn output(command: &mut Command) -> Result<Vec<u8>, Box<dyn Error>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!("{command:?} ended with {}", output.status).into()),
    }
}

/// A plan, which reads and aggregates everything and sends nothing.
pub struct Plan {
    /// A time at which the month is due.
    pub now: &'static str,
    pub variables: Vec<(&'static str, String)>,
}

impl Plan {
    /// Of June 2025.
    pub fn of_june() -> Plan {
        Plan { now: "2025-07-01T02:00:00Z", variables: Vec::new() }
    }

    /// Runs it; [`charges`] reads what it came to.
    pub fn run(&self, pipeline: &Path, cores: Cores) -> Result<Ran, Box<dyn Error>> {
        let mut command = program(cores, 0)?;
        command.arg("plan").arg(pipeline).args(["--now", self.now, "--json"]);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let report = File::create(report(pipeline))?;
        let begun = Instant::now();
        let mut child = command.stdout(report).stderr(Stdio::inherit()).spawn()?;
        let memory = watched(&mut child)?;
        Ok(Ran { seconds: begun.elapsed().as_secs_f64(), memory })
    }
}

fn report(pipeline: &Path) -> PathBuf {
    pipeline.with_extension("json")
}

/// What a plan says it would bill, as far as this needs it.
#[derive(Deserialize)]
struct Report {
    windows: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    customer: String,
    dimension: String,
    quantity: String,
}

/// What the last plan of this pipeline came to: whole quantities by customer and dimension.
pub fn charges(pipeline: &Path) -> Result<BTreeMap<(String, String), u64>, Box<dyn Error>> {
    let report: Report = serde_json::from_slice(&fs::read(report(pipeline))?)?;
    let lines = report.windows.into_iter().flat_map(|window| window.lines);
    lines.map(|line| Ok(((line.customer, line.dimension), line.quantity.parse()?))).collect()
}

/// Two such runs at the same time, each on a core of its own, in seconds: what two cores give when nothing is shared between them.
pub fn twins(pipeline: &Path) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    let mut children = Vec::new();
    for core in 0..2 {
        let mut command = program(Cores::One, core)?;
        command.arg("plan").arg(pipeline).args(["--now", Plan::of_june().now, "--json"]);
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

/// Waits for a run's end, which has to be a good one; answers the most memory that it had, in MiB.
pub fn watched(child: &mut Child) -> Result<f64, Box<dyn Error>> {
    let status = format!("/proc/{}/status", child.id());
    let mut memory: f64 = 0.0;
    loop {
        // The kernel's own high-water mark; the last look is at most a moment old.
        if let Some(found) = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)) {
            memory = memory.max(found);
        }
        match child.try_wait()? {
            None => std::thread::sleep(Duration::from_millis(2)),
            Some(ended) if ended.success() => return Ok(memory),
            Some(ended) => return Err(format!("meterhost ended with {ended}").into()),
        }
    }
}

/// The processor time of all children that have ended and were waited for, the kernel's part of it too, in seconds.
pub fn of_children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold anything. Behind it, the fields `cutime` and `cstime` are the 14th and the 15th (proc_pid_stat(5)).
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<u64> = fields.skip(13).take(2).map(str::parse).collect::<Result<_, _>>()?;
    // Linux tells programs of a hundred ticks a second, whatever it has itself.
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

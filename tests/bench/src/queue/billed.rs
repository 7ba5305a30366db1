//! A run of the program, and its phases, as the services see them.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::tables::{Counts, Tables};
use super::usage::Usage;
use super::{NOW, adds_up, metering, variables};
use crate::measure;

/// What a run took; times in seconds.
pub struct Billed {
    /// From start to exit.
    pub seconds: f64,
    /// Up to the last call of a table before the first of the metering service.
    pub intake: f64,
    /// From there to the first call of the metering service; nothing where the tables do not say when they were called.
    pub freeze: Option<f64>,
    /// From the first to the last call of the metering service.
    pub deliver: f64,
    /// From there to the exit.
    pub tell: f64,
    /// Of the processors, the kernel's part included.
    pub processor: f64,
    /// The most memory, in MiB.
    pub memory: f64,
    counts: Counts,
    metering: usize,
    busiest: usize,
}

impl Billed {
    /// What was called, in words.
    pub fn calls(&self) -> String {
        let said = self.counts.iter().map(|(action, (calls, actions))| match calls == actions {
            true => format!("{calls} {action}, "),
            false => format!("{calls} {action} of {actions} updates, "),
        });
        format!(
            "{}{} BatchMeterUsage, {} of them in the busiest second",
            said.collect::<String>(),
            self.metering,
            self.busiest
        )
    }
}

/// Runs the example's pipeline over these tables, which have to hold this usage, and checks what comes of it.
pub fn run(folder: &Path, name: &str, usage: &Usage, tables: &impl Tables) -> Result<Billed, Box<dyn Error>> {
    let folder = folder.join(format!("queue-{name}"));
    fs::create_dir(&folder)?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/aws-marketplace/pipeline.toml");
    let pipeline = folder.join("pipeline.toml");
    fs::copy(example, &pipeline)?;
    let service = metering()?;
    let mut command = Command::new(measure::target()?.join("release/meterhost"));
    command.arg("run").arg(&pipeline).args(["--now", NOW, "--json"]).envs(variables(tables, &service));
    let before = measure::of_children()?;
    let (begun, at) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    let mut child = command.stdout(File::create(folder.join("report.json"))?).spawn()?;
    let memory = measure::watched(&mut child).map_err(|error| {
        let report = fs::read_to_string(folder.join("report.json")).unwrap_or_default();
        format!("{error}: {}", report.get(..report.floor_char_boundary(3000)).unwrap_or_default())
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let processor = measure::of_children()? - before;
    tables.understood()?;
    adds_up(usage, tables, &service)?;

    let requests = service.requests();
    let moment = |place: Option<&metering_emulator::Request>| {
        let millis = place.map(|request| request.at.as_millisecond()).unwrap_or_default();
        Duration::from_millis(u64::try_from(millis).unwrap_or_default()).saturating_sub(at).as_secs_f64()
    };
    let (first, last) = (moment(requests.first()), moment(requests.last()));
    let taken = tables.moments().map(|moments| {
        let moments = moments.into_iter().map(|moment| moment.duration_since(begun).as_secs_f64());
        moments.filter(|moment| *moment < first).fold(0.0, f64::max)
    });
    let billed = Billed {
        seconds,
        intake: taken.unwrap_or(first),
        freeze: taken.map(|taken| first - taken),
        deliver: last - first,
        tell: seconds - last,
        processor,
        memory,
        counts: tables.counts(),
        metering: requests.len(),
        busiest: service.audit().busiest_second,
    };
    fs::remove_dir_all(folder)?;
    Ok(billed)
}

//! A month of small objects over S3 to charges, beside a bare loop that fetches them and beside a plain script.
//!
//! | file | subject |
//! |---|---|
//! | `month` | the objects, and what they add up to |
//! | `store` | the server, with a latency |
//! | `bare` | the bare loop |
//! | `boto3_loop.py` | the plain script: object by object, with boto3 |
//!
//! The pipeline is the example that bills such a month, without its state document. The server runs in this program, on one thread;
//! what is measured are processes of their own, from their start to their exit.

pub mod bare;
mod month;
mod store;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meterhost::broker::BucketLimits;
use serde::Deserialize;

use crate::Best;
use crate::measure::{self, Cores, Plan};
use month::Sums;
use store::{Asked, Store};

const BUCKET: &str = "usage-export";
/// Of each request.
const LATENCY: Duration = Duration::from_millis(10);
/// How often each is run.
const ROUNDS: usize = 5;

pub fn s3(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (objects, sums) = month::objects()?;
    let count = objects.len() as u64;
    let bytes = objects.iter().map(store::Stored::size).sum::<usize>() as u64;
    let at_once = BucketLimits::default().prefetch_requests;
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let store = server.block_on(Store::start(BUCKET, objects, LATENCY))?;
    let pipeline = pipeline(folder)?;
    let plan = Plan { now: "2025-08-01T02:00:00Z", variables: variables(&store) };

    let (mut bare, mut ours) = (Best::new(), Best::new());
    let mut memory: f64 = 0.0;
    let mut asked = Asked { lists: 0, gets: 0 };
    // In turns, so that what else the machine does falls on both.
    for _ in 0..ROUNDS {
        bare.take(bare_loop(&store, at_once, (count, bytes))?);
        fetched_once(store.asked(), count)?;
        let ran = plan.run(&pipeline, Cores::Two)?;
        ours.take(ran.seconds);
        memory = memory.max(ran.memory);
        asked = store.asked();
        fetched_once(asked, count)?;
        adds_up(&pipeline, &sums)?;
    }
    let whole = std::env::var_os("METERHOST_LONG").is_some();
    let script = script(&store, if whole { count } else { count / 10 }, &sums)?;
    let python = script.seconds * count as f64 / script.objects as f64;

    println!(
        "\n| {count} objects over S3, {} MB, {LATENCY:?} a request, {at_once} at once | s | objects/s |\n|---|---|---|",
        bytes / 1_000_000
    );
    let row = |what: &str, seconds: f64| println!("| {what} | {seconds:.2} | {:.0} |", count as f64 / seconds);
    row("bare loop that throws everything away", bare.0);
    row("to charges (`meterhost plan`)", ours.0);
    let part = if whole { String::new() } else { format!(", from its first {} objects", script.objects) };
    row(&format!("boto3 in Python, object by object{part}"), python);
    println!(
        "| {:.2} times the bare loop (aim: at most 1.15); {:.1} times as fast as the script (aim: 50); {} lists; {memory:.1} MiB at most | | |",
        ours.0 / bare.0,
        python / ours.0,
        asked.lists
    );
    Ok(())
}

/// The example's pipeline without its state document, which would be read and written beside the usage.
fn pipeline(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let example =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/clazar/pipeline.toml"))?;
    let lines: Vec<_> = example.lines().filter(|line| !line.starts_with("mirror ")).collect();
    let path = folder.join("s3.toml");
    fs::write(&path, lines.join("\n"))?;
    Ok(path)
}

/// The way to the server, for the program and for boto3 alike.
fn variables(store: &Store) -> Vec<(&'static str, String)> {
    vec![
        ("S3_BUCKET_NAME", BUCKET.to_owned()),
        ("AWS_ENDPOINT_URL", store.url.clone()),
        ("AWS_ACCESS_KEY_ID", "of-nobody".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "of-nobody".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
    ]
}

/// Runs the bare loop as a process of its own, in seconds.
fn bare_loop(store: &Store, at_once: usize, expected: (u64, u64)) -> Result<f64, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--fetch", &store.url, &at_once.to_string()]).stderr(Stdio::inherit());
    let begun = Instant::now();
    let output = command.output()?;
    let seconds = begun.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (objects, bytes) = expected;
    if !output.status.success() || said != format!("{objects} {bytes}") {
        return Err(format!("the bare loop ended with {}, and fetched `{said}`", output.status).into());
    }
    Ok(seconds)
}

fn fetched_once(asked: Asked, count: u64) -> Result<(), Box<dyn Error>> {
    match asked.gets == count {
        true => Ok(()),
        false => Err(format!("of {count} objects, {} were fetched", asked.gets).into()),
    }
}

/// Whether a plan came to what the objects hold.
fn adds_up(pipeline: &Path, sums: &Sums) -> Result<(), Box<dyn Error>> {
    let charges = measure::charges(pipeline)?;
    match charges == *sums {
        true => Ok(()),
        false => Err(format!("the plan came to {charges:?}, and the objects hold {sums:?}").into()),
    }
}

/// What the script says.
#[derive(Deserialize)]
struct Script {
    objects: u64,
    /// Without starting Python and loading boto3.
    seconds: f64,
    charges: Vec<(String, String, u64)>,
}

/// Runs the script over this many objects.
fn script(store: &Store, most: u64, sums: &Sums) -> Result<Script, Box<dyn Error>> {
    let mut command = measure::python("s3/boto3_loop.py")?;
    command.args([BUCKET, month::PREFIX, &most.to_string()]).envs(variables(store));
    let script: Script = serde_json::from_slice(&measure::output(&mut command)?)?;
    fetched_once(store.asked(), script.objects)?;
    let is_whole = script.charges.iter().map(|(customer, dimension, sum)| ((customer, dimension), sum));
    let is_whole = is_whole.eq(sums.iter().map(|((customer, dimension), sum)| ((customer, dimension), sum)));
    if script.objects != most || (std::env::var_os("METERHOST_LONG").is_some() && !is_whole) {
        return Err(
            format!("the script read {} of {most} objects, and came to {:?}", script.objects, script.charges).into()
        );
    }
    Ok(script)
}

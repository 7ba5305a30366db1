//! Every test, unit to end to end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::guests;
use crate::steps::{Failed, Step, cargo, root, step};
use crate::summary::Counts;

/// Runs every test; with `long`, those too that take longer than a quick check may.
pub fn test(long: bool) -> Result<(), Failed> {
    let begun = Instant::now();
    guests::plugins()?;
    guests::test_components()?;
    guests::example()?;
    println!("components built after {} s", begun.elapsed().as_secs());
    let plugins = root().join("target/plugins-test");
    let native = step("rustc").args(["--print", "host-tuple"]).output()?;
    let mut example = cargo().args(["test", "--target", native.trim(), "--target-dir"]).args([&plugins]);
    example.0.current_dir(root().join(guests::EXAMPLE));
    let runs = [
        example,
        cargo().args(["test", "--locked", "--manifest-path", "plugins/Cargo.toml", "--target-dir"]).args([&plugins]),
        cargo().args(["test", "--locked", "--workspace"]),
    ];
    let mut counts = Counts::default();
    let mut failed = Vec::new();
    for run in runs {
        let run = run.args(["--no-fail-fast", "--", "--show-output"]);
        let run = if long { run.env("METERHOST_LONG", "1") } else { run };
        let line = run.line();
        if !watched(run, &mut counts)? {
            failed.push(line);
        }
        println!("`{}` ended after {} s", failed.last().map_or("tests", String::as_str), begun.elapsed().as_secs());
    }
    let Counts { passed, failed: broken, skipped } = counts;
    println!("{passed} passed, {broken} failed, {skipped} skipped");
    match failed.as_slice() {
        [] if broken == 0 => Ok(()),
        [] => Err(Failed::new(format!("{broken} tests failed"))),
        lines => Err(Failed::new(format!("`{}` failed", lines.join("` and `")))),
    }
}

/// Runs a step, shows what it prints, and counts its tests. Whether it succeeded.
fn watched(mut step: Step, counts: &mut Counts) -> Result<bool, Failed> {
    let line = step.line();
    let cannot = |error: std::io::Error| Failed::new(format!("`{line}` cannot be run: {error}"));
    let mut child = step.0.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(cannot)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(cannot)?;
            counts.line(&line);
            // Passing tests one by one are of no interest in a log of hundreds.
            if !line.ends_with("... ok") && !line.is_empty() {
                println!("{line}");
            }
        }
    }
    Ok(child.wait().map_err(cannot)?.success())
}

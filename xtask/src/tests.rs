//! Every test: unit, documentation, integration, end to end.

use std::time::Instant;

use crate::browser;
use crate::focus;
use crate::guests;
use crate::moto;
use crate::steps::{Failed, Step, cargo, step};
use crate::summary::{Run, Summary};

/// Where the plugins are built as they are on this machine, to be tested; another folder than the one for WebAssembly.
const NATIVE_PLUGINS: &str = "target/plugins-test";

/// Runs every test; with `long`, those too that take longer than a quick check may. Whether all was well. The last line it prints is
/// the summary.
///
/// A test that lacks something it needs prints a line that begins with `skipped: `, and returns; it is counted, and named at the end. So is
/// what a test prints on a line that begins with `counted: `.
pub fn test(long: bool) -> Result<bool, Failed> {
    let begun = Instant::now();
    moto::moto()?;
    browser::browser();
    let validator = focus::validator();
    guests::plugins()?;
    guests::test_components()?;
    guests::example()?;
    println!("--- the components are built after {} s", begun.elapsed().as_secs());

    let (mut sum, mut skips, mut failures) = (Summary::default(), Vec::new(), Vec::new());
    let mut counts = Vec::new();
    for step in runs()? {
        let mut step = if long { step.env("METERHOST_LONG", "1") } else { step };
        if let Some(validator) = &validator {
            step = step.env("METERHOST_FOCUS_VALIDATOR", validator);
        }
        println!("--- {}", step.line());
        let mut run = Run::default();
        let status = step.lines(|line| {
            if run.line(line) {
                println!("{line}");
            }
        })?;
        sum += run.summary(status.success());
        skips.extend_from_slice(run.skips());
        counts.extend_from_slice(run.counts());
        if !status.success() {
            failures.push(step.failed(status));
        }
        println!("--- ended after {} s", begun.elapsed().as_secs());
    }

    for count in &counts {
        println!("counted: {count}");
    }
    for skip in &skips {
        println!("skipped: {skip}");
    }
    for failed in &failures {
        println!("{failed}");
    }
    println!("{sum}");
    Ok(failures.is_empty() && sum.failed == 0)
}

/// The test runs, in order. What passing tests print is asked for because of those that say that they were skipped.
fn runs() -> Result<[Step; 3], Failed> {
    // The example's own settings name another target.
    let machine = step("asking for this machine's target", "rustc").args(["--print", "host-tuple"]).output()?;
    let test = |what| cargo(what).args(["test", "--locked", "--no-fail-fast"]);
    let shown = ["--", "--show-output"];
    Ok([
        test("the example's own tests")
            .within(guests::EXAMPLE)
            .args(["--target", machine.trim(), "--target-dir"])
            .under(NATIVE_PLUGINS)
            .args(shown),
        test("the plugins' own tests")
            .args(["--manifest-path", "plugins/Cargo.toml", "--target-dir"])
            .under(NATIVE_PLUGINS)
            .args(shown),
        // The benchmarks have no tests, and a hundred crates of their own.
        test("the tests of everything else").args(["--workspace", "--exclude", "meterhost-bench"]).args(shown),
    ])
}

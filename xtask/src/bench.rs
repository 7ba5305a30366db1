//! The benchmarks, and what meterhost is compared with in them.

use crate::steps::{Failed, root, step};
use crate::{guests, moto, python};

/// What some of the measurements run beside.
const PACKAGES: [&str; 2] = ["boto3==1.44.8", "duckdb==2.0.1"];
/// Where it is installed; `tests/bench` looks for it there.
const FOLDER: &str = "target/bench-venv";
/// The measurements that do without.
const ALONE: [&str; 7] = ["push", "idle", "small", "memory", "ledger", "ids", "snapshots"];

/// Builds everything as it is shipped, and runs the measurements of these names, or all.
pub fn bench(names: &[&str]) -> Result<(), Failed> {
    if names.is_empty() || names.iter().any(|name| !ALONE.contains(name)) {
        python::environment("what meterhost is compared with", FOLDER, &PACKAGES)?;
    }
    if names.is_empty() || names.iter().any(|name| ["ledger", "queue"].contains(name)) {
        moto::moto()?;
    }
    if names.is_empty() || names.iter().any(|name| ["ledger", "ids"].contains(name)) {
        guests::test_components()?;
    }
    // All at once: built one by one, the libraries that they share would be built twice, for each with what it asks of them.
    crate::build(&["--release", "--package", "meterhost-bench"])?;
    step("running the benchmarks", root().join("target/release/meterhost-bench")).args(names).run()
}

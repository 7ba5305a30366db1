//! The benchmarks, and what meterhost is compared with in them.

use crate::python;
use crate::steps::{Failed, cargo};

/// What some of the measurements run beside.
const PACKAGES: [&str; 2] = ["boto3==1.44.8", "duckdb==2.0.1"];
/// Where it is installed; `tests/bench` looks for it there.
const FOLDER: &str = "target/bench-venv";
/// The measurements that do without.
const ALONE: [&str; 4] = ["push", "idle", "small", "memory"];

/// Builds everything as it is shipped, and runs the measurements of these names, or all.
pub fn bench(names: &[&str]) -> Result<(), Failed> {
    if names.is_empty() || names.iter().any(|name| !ALONE.contains(name)) {
        python::environment("what meterhost is compared with", FOLDER, &PACKAGES)?;
    }
    crate::build(&["--release"])?;
    cargo("running the benchmarks")
        .args(["run", "--locked", "--release", "--package", "meterhost-bench", "--"])
        .args(names)
        .run()
}

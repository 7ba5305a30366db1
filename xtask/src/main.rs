//! Builds, demonstrates and tests this project, and sets up what that needs on a machine that has rustup and python3.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask build [--release]` | the plugins into `target/plugins`, and the program |
//! | `cargo xtask plugins` | the plugins alone |
//! | `cargo xtask demo` | bills a sample month to an emulator, twice |
//! | `cargo xtask test [--long]` | every test, with a summary |
//! | `cargo xtask bench [NAME...]` | the benchmarks |

mod demo;
mod guests;
mod sample;
mod steps;
mod summary;
mod tests;

use std::process::ExitCode;

use steps::{Failed, cargo};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["build"] => build(&[]),
        ["build", "--release"] => build(&["--release"]),
        ["plugins"] => guests::plugins(),
        ["demo"] => demo::demo(),
        ["test"] => tests::test(false),
        ["test", "--long"] => tests::test(true),
        ["bench", names @ ..] => bench(names),
        _ => {
            Err(Failed::new("usage: cargo xtask build [--release] | plugins | demo | test [--long] | bench [NAME...]"))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("xtask: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn build(profile: &[&str]) -> Result<(), Failed> {
    guests::plugins()?;
    cargo().args(["build", "--package", "meterhost"]).args(profile).run()
}

fn bench(names: &[&str]) -> Result<(), Failed> {
    guests::plugins()?;
    cargo().args(["build", "--release", "--package", "meterhost"]).run()?;
    cargo().args(["run", "--release", "--package", "meterhost-bench", "--"]).args(names).run()
}

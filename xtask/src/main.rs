//! Builds, demonstrates and tests this project, and sets up what that needs on a machine that has rustup.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask build [--release]` | the plugins into `target/plugins`, the program, and the emulator of Clazar |
//! | `cargo xtask plugins` | the plugins alone |
//! | `cargo xtask demo` | bills a sample month to an emulator, once, and shows that it was once |
//! | `cargo xtask test [--long]` | every test, with a summary |
//! | `cargo xtask moto` | the S3 server and the client of AWS that tests need, if they are missing; `test` does this by itself |
//! | `cargo xtask bench [NAME...]` | the benchmarks, all or those of these names, and what they are compared with |
//!
//! Everything lands in `target`, wherever `CARGO_TARGET_DIR` points: the program finds its plugins from where it stands itself.

mod bench;
mod browser;
mod demo;
mod emulator;
mod focus;
mod guests;
mod moto;
mod python;
mod sample;
mod steps;
mod summary;
mod tests;

use std::process::ExitCode;

use steps::{Failed, cargo};

const USAGE: &str = "usage: cargo xtask build [--release] | plugins | demo | test [--long] | moto | bench [NAME...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["build"] => build(&[]),
        ["build", "--release"] => build(&["--release"]),
        ["plugins"] => guests::plugins(),
        ["demo"] => demo::demo(),
        ["test"] => return ended(tests::test(false)),
        ["test", "--long"] => return ended(tests::test(true)),
        ["moto"] => moto::moto(),
        ["bench", names @ ..] => bench::bench(names),
        _ => Err(Failed::new(USAGE)),
    };
    ended(outcome.map(|()| true))
}

/// Says what failed, unless the command has done so.
fn ended(outcome: Result<bool, Failed>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failed) => {
            eprintln!("xtask: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn build(profile: &[&str]) -> Result<(), Failed> {
    guests::plugins()?;
    cargo("building the program and the emulator")
        .args(["build", "--locked", "--package", "meterhost", "--package", "clazar-emulator"])
        .args(profile)
        .run()
}

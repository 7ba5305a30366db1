//! The program `meterhost`: parse, dispatch, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(u8::from(meterhost::cli::main()))
}

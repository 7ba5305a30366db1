//! Running other programs, and saying in one sentence what failed.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What failed, in words for a person.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    pub fn new(what: impl Into<String>) -> Self {
        Failed(what.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a step does to files, in words.
pub fn on<T>(path: &Path, result: std::io::Result<T>) -> Result<T, Failed> {
    result.map_err(|error| Failed::new(format!("{}: {error}", path.display())))
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// A command in the project's folder.
pub struct Step(pub Command);

/// Any program.
pub fn step(program: impl AsRef<OsStr>) -> Step {
    let mut command = Command::new(program);
    command.current_dir(root());
    // What cargo set for this program is not for those that it starts: flags would leak into builds for another target.
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR", "CARGO_MANIFEST_DIR"]
    {
        command.env_remove(name);
    }
    Step(command)
}

/// Cargo.
pub fn cargo() -> Step {
    step("cargo")
}

impl Step {
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.0.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// The command line, to be repeated by hand.
    pub fn line(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Result<(), Failed> {
        let line = self.line();
        match self.0.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failed::new(format!("`{line}` failed ({status})"))),
            Err(error) => Err(Failed::new(format!("`{line}` cannot be started: {error}"))),
        }
    }

    /// Runs it to its end, and takes what it prints.
    pub fn output(mut self) -> Result<String, Failed> {
        let line = self.line();
        match self.0.output() {
            Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Ok(output) => {
                Err(Failed::new(format!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
            }
            Err(error) => Err(Failed::new(format!("`{line}` cannot be started: {error}"))),
        }
    }
}

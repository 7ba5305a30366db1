//! Running other programs, and saying in one sentence what failed and how to repeat it.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

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

/// What became of a file, in words.
pub fn on<T>(path: &Path, result: io::Result<T>) -> Result<T, Failed> {
    result.map_err(|error| Failed::new(format!("{}: {error}", shown(path))))
}

/// The project's folder. Cargo tells where it is; a program that was built in one place and started in a copy of it by hand would
/// work on the original.
pub fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// A path as it is written in the project's folder.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// A program that is run in the project's folder, and what for, such as "building the plugins".
pub struct Step {
    what: String,
    command: Command,
}

/// Any program.
pub fn step(what: impl Into<String>, program: impl AsRef<OsStr>) -> Step {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null()).env("CARGO_TARGET_DIR", root().join("target"));
    // With these, what is built would lie elsewhere, and other plugins might be found than those that were built.
    for name in ["CARGO_BUILD_TARGET", "CARGO_MANIFEST_DIR", "METERHOST_PLUGIN_DIR"] {
        command.env_remove(name);
    }
    Step { what: what.into(), command }
}

/// Cargo.
pub fn cargo(what: impl Into<String>) -> Step {
    step(what, "cargo")
}

impl Step {
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    /// One more argument: a path below the project's folder, wherever the program runs.
    pub fn under(self, path: impl AsRef<Path>) -> Self {
        self.args([root().join(path)])
    }

    /// Runs it in a folder of the project.
    pub fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(root().join(folder));
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// The command line with its variables, to be repeated in the project's folder.
    pub fn line(&self) -> String {
        let variables = self.command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?)));
        let variables = variables
            .filter(|(name, _)| *name != "CARGO_TARGET_DIR")
            .map(|(name, value)| format!("{name}={}", quoted(value)));
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args()).map(quoted);
        let line = variables.chain(words).collect::<Vec<_>>().join(" ");
        match self.command.get_current_dir() {
            Some(folder) if folder != root() => format!("(cd {} && {line})", quoted(folder.as_os_str())),
            _ => line,
        }
    }

    /// Starts it.
    pub fn start(&mut self) -> Result<Child, Failed> {
        self.command.spawn().map_err(|error| self.not_started(&error))
    }

    /// Runs it to its end, which has to be a good one.
    pub fn run(mut self) -> Result<(), Failed> {
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    /// Runs it to its end, which has to be a good one, and takes what it prints.
    pub fn output(mut self) -> Result<String, Failed> {
        let output = self.command.stderr(Stdio::inherit()).output().map_err(|error| self.not_started(&error))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.failed(output.status))
        }
    }

    /// Runs it to its end, and takes each line of what it prints and reports, in the order in which it does. How it ended.
    pub fn lines(&mut self, mut each: impl FnMut(&str)) -> Result<ExitStatus, Failed> {
        let unreadable = |error: io::Error| Failed::new(format!("{} cannot be followed: {error}", self.what));
        let (from, to) = io::pipe().map_err(unreadable)?;
        self.command.stdout(to.try_clone().map_err(unreadable)?).stderr(to);
        let started = self.command.spawn();
        // The command holds the pipe's other end: unless that is closed, the lines have no end.
        self.command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let mut child = started.map_err(|error| self.not_started(&error))?;
        // Not all programs print UTF-8.
        for line in BufReader::new(from).split(b'\n') {
            each(&String::from_utf8_lossy(&line.map_err(unreadable)?));
        }
        child.wait().map_err(unreadable)
    }

    /// That it ended as it should not have.
    pub fn failed(&self, status: ExitStatus) -> Failed {
        Failed::new(format!("{} failed ({status}); to repeat it: {}", self.what, self.line()))
    }

    fn not_started(&self, error: &io::Error) -> Failed {
        let program = self.command.get_program().to_string_lossy();
        Failed::new(format!(
            "{} failed: `{program}` cannot be started: {error}; to repeat it: {}",
            self.what,
            self.line()
        ))
    }
}

/// A word of a command line, as a shell reads it back.
fn quoted(word: &OsStr) -> String {
    let word = shown(Path::new(word));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::{cargo, root, step};

    #[test]
    fn a_command_line_can_be_repeated_in_the_projects_folder() {
        let flags = "-C target-feature=+simd128";
        let step = cargo("building").args(["build", "it's"]).args([root().join("target/x")]).env("RUSTFLAGS", flags);
        assert_eq!(step.line(), r"RUSTFLAGS='-C target-feature=+simd128' cargo build 'it'\''s' target/x");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let Err(failed) = step("counting sheep", "no-such-program").args(["--all"]).run() else {
            return assert!(std::hint::black_box(false), "it was started");
        };
        assert_eq!(
            failed.to_string(),
            "counting sheep failed: `no-such-program` cannot be started: No such file or directory (os error 2); \
             to repeat it: no-such-program --all"
        );
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_command_line() {
        let failed = step("asking", "false").run().err().map(|failed| failed.to_string());
        assert_eq!(failed.as_deref(), Some("asking failed (exit status: 1); to repeat it: false"));
    }
}

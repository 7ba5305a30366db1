//! `step.toml`: what happens at a step of a story.
//!
//! ```toml
//! now    = "2025-07-01T02:00:00Z"     # when
//! delete = ["2025-06-03T10.csv"]      # objects that are gone from here on
//! faults = [{ kind = "drop", commit = true }]     # what goes wrong at the service, call by call
//!
//! [[do]]
//! command = ["ledger", "resolve", "{2025-06 acme cpu}", "release", "--reason", "seen", "--yes"]
//! exit    = 0
//! says    = ["the next run bills each"]
//!
//! [[do]]
//! exit = 0                            # without a command: run
//! ```
//!
//! `{2025-06 acme cpu}` stands for the id of that charge.

use std::path::Path;

use clazar_emulator::Rule;
use serde::Deserialize;

/// A step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// When it happens, for the program and for the service.
    pub(super) now: String,
    /// The keys of objects that are gone from here on.
    #[serde(default)]
    pub(super) delete: Vec<String>,
    /// What goes wrong at the service.
    #[serde(default)]
    pub(super) faults: Vec<Rule>,
    /// What is typed, one after the other.
    #[serde(rename = "do")]
    pub(super) acts: Vec<Act>,
}

/// A command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    /// Without the pipeline's file, which stands where it belongs.
    #[serde(default = "run")]
    pub(super) command: Vec<String>,
    /// How it ends.
    pub(super) exit: i32,
    /// What it says, whatever the lines are broken at.
    #[serde(default)]
    pub(super) says: Vec<String>,
}

fn run() -> Vec<String> {
    vec!["run".to_owned()]
}

impl Step {
    pub(super) fn read(file: &Path) -> Result<Step, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let step: Step = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        match step.acts.is_empty() {
            true => Err(format!("{}: nothing is done", file.display())),
            false => Ok(step),
        }
    }
}

impl Act {
    /// Whether it bills.
    pub(super) fn is_run(&self) -> bool {
        self.command.first().is_some_and(|word| word == "run")
    }

    /// As it is typed: the command's words, the file, the rest.
    pub(super) fn typed(&self) -> Vec<String> {
        let words = if self.command.first().is_some_and(|word| word == "ledger") { 2 } else { 1 };
        let (command, rest) = self.command.split_at(words);
        [command, &["pipeline.toml".to_owned()], rest].concat()
    }
}

//! The public validator of FOCUS, where a Python can be had that it runs on: the tests of the plugin `focus` hold what it writes against it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::python;
use crate::steps::root;

/// What is installed, and how: the newest pyarrow needs another numpy than the validator does, and two of its parts come as sources only.
const PACKAGES: [&str; 5] = [
    "--only-binary=:all:",
    "--no-binary",
    "focus-validator,pandasql,pandera",
    "focus-validator==2.2.1",
    "pyarrow==22.0.0",
];
/// Where.
const FOLDER: &str = "target/focus-venv";

/// Installs the validator; answers its folder, and nothing where that cannot be done.
pub fn validator() -> Option<PathBuf> {
    let python = candidates().into_iter().find(|python| is_fit(python))?;
    match python::environment_of(&python, "the validator of FOCUS", FOLDER, &PACKAGES) {
        Ok(()) => Some(root().join(FOLDER)),
        Err(failed) => {
            println!("{failed}");
            None
        }
    }
}

/// Programs that may be the Python that it runs on.
fn candidates() -> Vec<String> {
    let mut candidates = vec!["python3.12".to_owned(), "python3".to_owned()];
    let versions = std::env::home_dir().map(|home| home.join(".pyenv/versions"));
    let installed = versions.and_then(|versions| std::fs::read_dir(versions).ok()).into_iter().flatten();
    let installed = installed.filter_map(|entry| entry.ok()).map(|entry| entry.path().join("bin/python3.12"));
    candidates.extend(installed.map(|python| python.display().to_string()));
    candidates
}

/// It needs 3.12, and a part of it has no build for later ones.
fn is_fit(python: &str) -> bool {
    let program = "import sys, venv; sys.exit(sys.version_info[:2] != (3, 12))";
    let mut command = Command::new(python);
    command.args(["-c", program]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

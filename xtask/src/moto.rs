//! The S3 server of the tests, in a virtual environment of its own below `target`.

use std::fs;

use crate::steps::{Failed, on, root, shown, step};

/// What is installed. The tests know what this version checks and what it does not.
const PACKAGE: &str = "moto[server,s3,dynamodb]==5.2.5";
/// Where it is installed; `tests/s3-proxy` looks for it there.
const FOLDER: &str = "target/moto";

/// Installs moto, unless this version of it is there already.
pub fn moto() -> Result<(), Failed> {
    let folder = root().join(FOLDER);
    // Written last, so that an installation that broke off is begun anew.
    let installed = folder.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|there| there == PACKAGE) {
        return Ok(());
    }
    println!("--- installing {PACKAGE} into {}", shown(&folder));
    step("making a virtual environment (Python 3.9 or later with its module `venv` is needed)", "python3")
        .args(["-m", "venv", "--clear"])
        .under(FOLDER)
        .run()?;
    step("installing the S3 server of the tests", folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE])
        .run()?;
    on(&installed, fs::write(&installed, PACKAGE))
}

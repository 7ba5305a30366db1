//! Virtual environments below `target`: packages of Python at exactly the versions that are named.

use std::fs;

use crate::steps::{Failed, on, root, shown, step};

/// Installs these packages into a folder, unless just these are there already. `what` they are, such as "the S3 server of the tests".
pub fn environment(what: &str, folder: &str, packages: &[&str]) -> Result<(), Failed> {
    environment_of("python3", what, folder, packages)
}

/// The same by another Python. What begins with `-` among the packages is an option of pip.
pub fn environment_of(python: &str, what: &str, folder: &str, packages: &[&str]) -> Result<(), Failed> {
    let wanted = packages.join(" ");
    let place = root().join(folder);
    // Written last, so that an installation that broke off is begun anew.
    let installed = place.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    println!("--- installing {wanted} into {}", shown(&place));
    step("making a virtual environment (Python 3.9 or later with its module `venv` is needed)", python)
        .args(["-m", "venv", "--clear"])
        .under(folder)
        .run()?;
    step(format!("installing {what}"), place.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages)
        .run()?;
    on(&installed, fs::write(&installed, wanted))
}

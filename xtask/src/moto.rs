//! The S3 server of the tests, in a virtual environment of its own below `target`.

use crate::python;
use crate::steps::Failed;

/// What is installed. The tests know what this version checks and what it does not.
const PACKAGE: &str = "moto[server,s3,dynamodb]==5.2.5";
/// Where it is installed; `tests/s3-proxy` looks for it there.
const FOLDER: &str = "target/moto";

/// Installs moto, unless this version of it is there already.
pub fn moto() -> Result<(), Failed> {
    python::environment("the S3 server of the tests", FOLDER, &[PACKAGE])
}

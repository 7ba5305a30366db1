//! What tests need of Python, in a virtual environment of its own below `target`: an S3 server, and a second client of AWS.

use crate::python;
use crate::steps::Failed;

/// What is installed. The tests know what this version of the server checks and what it does not, and hold requests
/// against the models of the services that this version of the client brings.
const PACKAGES: [&str; 3] = ["moto[server,s3,dynamodb]==5.2.5", "boto3==1.44.8", "botocore==1.44.8"];
/// Where it is installed; `tests/s3-proxy` looks for it there.
const FOLDER: &str = "target/moto";

/// Installs moto and boto3, unless these versions of them are there already.
pub fn moto() -> Result<(), Failed> {
    python::environment("the S3 server of the tests and a client of AWS", FOLDER, &PACKAGES)
}

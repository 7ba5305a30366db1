//! `grant` of one plugin, as the pipeline file has it: the environment is replaced, nothing is judged yet.
//! `broker::grant` turns it into the type that answers "may I?".

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// A value and the bytes of the pipeline file that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The bytes of the pipeline file.
    pub span: Range<usize>,
}

/// What a pipeline allows one plugin to reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantSpec {
    /// A URL of a bucket or folder that may be read: `s3://bucket/prefix`, `file://./folder`.
    pub read: Option<Located<String>>,
    /// The same for writing and deleting.
    pub write: Option<Located<String>>,
    /// Actions of AWS services, and what they may be done on.
    pub aws: Vec<AwsGrantSpec>,
    /// The ARN of an AWS role that is assumed for buckets and services: `arn:aws:iam::123456789012:role/metering`.
    pub role: Option<Located<String>>,
    /// The profile of the AWS configuration files whose credentials are used.
    pub profile: Option<Located<String>>,
    /// The AWS region that buckets and tables lie in: `eu-west-1`.
    pub region: Option<Located<String>>,
    /// Origins that requests may go to.
    pub http: Vec<Located<HttpGrantSpec>>,
    /// Secrets by the name under which the plugin asks for them.
    pub secrets: BTreeMap<String, Located<SecretSpec>>,
}

/// One granted action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsGrantSpec {
    /// By IAM's name: `dynamodb:Query`.
    pub action: Located<String>,
    /// Tables, indexes or products, as they are written.
    pub resources: Vec<Located<String>>,
}

/// One granted origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpGrantSpec {
    /// Grants its whole origin; its path is ignored.
    pub url: String,
    /// Methods that are allowed, in capitals; none named means all.
    pub methods: Option<Vec<String>>,
    /// Paths that are allowed: exact, or a prefix that ends in `*`; none named means all.
    pub paths: Option<Vec<String>>,
}

/// Where a secret's value comes from, and where it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// Tried by `check` and before a run begins, read when it is first needed; neither in a dry run.
    pub from: SecretSource,
    /// The origin it is bound to. May be left out where exactly one origin is granted.
    pub to: Option<String>,
}

/// The place that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of this name.
    Env(String),
    /// A file; a last newline is not part of the secret.
    File(PathBuf),
}

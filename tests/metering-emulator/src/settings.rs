//! How strict the emulator is, whom and what it knows, and where it listens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::chance::Chances;
use crate::clock::Clock;
use crate::refusal::ErrorStyle;
use crate::rule::Rule;

/// What an emulator is started with. The defaults know every customer, product, dimension and licence.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1; 0 (the default) takes a free one.
    pub port: u16,
    /// The seller's keys (`AKIDEXAMPLE`, `secret`, no token).
    pub credentials: Credentials,
    /// The region that signatures have to be for (`us-east-1`).
    pub region: String,
    /// Seconds by which a signature's date may differ from the real time, either way (300: DynamoDB and others say
    /// "- 5 min." in their answers, some services 15).
    pub clock_skew: u32,
    /// The clock by which usage is too old or in the future.
    pub clock: Clock,
    /// The customers that exist, by account or identifier. `None` (the default) knows all.
    pub known_customers: Option<BTreeSet<String>>,
    /// What is answered to usage of a customer that does not exist.
    pub unknown_customer: UnknownCustomer,
    /// Customers whose subscription has ended or whose account is suspended, by account or identifier.
    pub unsubscribed: BTreeSet<String>,
    /// `CustomerIdentifier` to the `CustomerAWSAccountId` of the same buyer, for the audit alone.
    pub aliases: BTreeMap<String, String>,
    /// Product codes with their dimensions; a product without any takes all. `None` (the default) knows all products.
    pub products: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Licences by ARN. `None` (the default) knows all, each as one of a product of its own.
    pub licenses: Option<BTreeMap<String, License>>,
    /// Whether every call is refused with `DisabledApiException`, as in a region without this API.
    pub disabled: bool,
    /// Requests a second (10: AWS Marketplace, metering service quotas). The audit reports what is above it.
    pub rate_limit: usize,
    /// Whether a request above the rate is throttled (true), or only counted.
    pub enforce_rate: bool,
    /// Bytes that a body may not reach ("less than 1 MB"; 1,000,000, the stricter reading).
    pub body_limit: usize,
    /// Whether a record that is billed already, just like this, is answered with `DuplicateRecord`, as the
    /// aws-marketplace-metering skill of aws/agent-toolkit-for-aws says, and not with `Success` and its id again, as the
    /// model's "identical requests are idempotent" says (false).
    pub identical_is_duplicate: bool,
    /// How timestamps are written in answers.
    pub echo_time: EchoTime,
    /// The seed by which results come in another order than the records; `None` (the default) keeps it.
    pub shuffle: Option<u64>,
    /// How errors are written.
    pub error_style: ErrorStyle,
    /// The faults that are queued at the start.
    pub faults: Vec<Rule>,
    /// Faults that come by chance, where none is queued.
    pub chances: Option<Chances>,
    /// A JSON file that holds the books: read at the start if it exists, replaced whole after each commit.
    pub books: Option<PathBuf>,
    /// A file to which the body of every request to the API is added, a line of JSON each; one that is not JSON as a
    /// string.
    pub requests: Option<PathBuf>,
    /// Where to write one line a request. No line holds a secret.
    pub log: Log,
}

/// Keys of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token that has to come with them.
    pub session_token: Option<String>,
}

/// A licence that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct License {
    /// The code of its product: a call may hold licences of one product.
    pub product: String,
    /// The account of its buyer; `None` takes any.
    pub customer: Option<String>,
}

/// What is answered to usage of a customer that does not exist. The model has both: `CustomerNotSubscribed` names "the
/// customer identifier is invalid" among its causes, and `InvalidCustomerIdentifierException` is "for a
/// `CustomerIdentifier` that does not exist".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownCustomer {
    /// Its records are `CustomerNotSubscribed`.
    #[default]
    NotSubscribed,
    /// The whole call is refused with `InvalidCustomerIdentifierException`.
    Invalid,
}

/// How timestamps are written in answers, always as seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoTime {
    /// `1795198715`, with a fraction only if there is one.
    #[default]
    Plain,
    /// `1795198715.0`
    Fraction,
    /// `1.795198715E9`
    Exponent,
}

/// Where to write one line a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Log {
    /// Nowhere.
    #[default]
    None,
    /// To stderr.
    Stderr,
    /// To the end of a file.
    File(PathBuf),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            credentials: Credentials::default(),
            region: "us-east-1".into(),
            clock_skew: 300,
            clock: Clock::Real,
            known_customers: None,
            unknown_customer: UnknownCustomer::default(),
            unsubscribed: BTreeSet::new(),
            aliases: BTreeMap::new(),
            products: None,
            licenses: None,
            disabled: false,
            rate_limit: 10,
            enforce_rate: true,
            body_limit: 1_000_000,
            identical_is_duplicate: false,
            echo_time: EchoTime::default(),
            shuffle: None,
            error_style: ErrorStyle::default(),
            faults: Vec::new(),
            chances: None,
            books: None,
            requests: None,
            log: Log::None,
        }
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self { access_key_id: "AKIDEXAMPLE".into(), secret_access_key: "secret".into(), session_token: None }
    }
}

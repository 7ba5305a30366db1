//! The program's command line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use metering_emulator::{
    Chances, Clock, Credentials, EchoTime, ErrorStyle, License, Log, Rule, Settings, UnknownCustomer,
};

/// A strict emulator of AWS Marketplace's BatchMeterUsage
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1 (0: a free one)
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The seller's access key id
    #[arg(long, default_value = "AKIDEXAMPLE")]
    access_key_id: String,
    /// Its secret
    #[arg(long, default_value = "secret")]
    secret_access_key: String,
    /// The session token that has to come with them
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    /// The region that signatures have to be for
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Seconds by which a signature's date may differ from the real time
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    clock_skew: u32,
    /// Where the clock stands still, such as 2026-11-20T18:00:00Z (default: the real time)
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Where the clock starts to run
    #[arg(long, value_name = "TIME", conflicts_with = "now")]
    clock_from: Option<Timestamp>,
    /// The customers that exist, separated by commas (default: all)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    known_customers: Option<Vec<String>>,
    /// Refuse a call for a customer that does not exist, rather than answer CustomerNotSubscribed
    #[arg(long)]
    unknown_customer_is_invalid: bool,
    /// Customers who are not subscribed, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    unsubscribed: Vec<String>,
    /// A CustomerIdentifier and the CustomerAWSAccountId of the same buyer; repeatable
    #[arg(long = "alias", value_name = "IDENTIFIER=ACCOUNT", value_parser = pair)]
    aliases: Vec<(String, String)>,
    /// A product that exists, and its dimensions (default: all); repeatable
    #[arg(long = "product", value_name = "CODE[=DIMENSION,...]", value_parser = product)]
    products: Vec<(String, BTreeSet<String>)>,
    /// A licence that exists, its product and its buyer (default: all); repeatable
    #[arg(long = "license", value_name = "ARN=PRODUCT[,ACCOUNT]", value_parser = license)]
    licenses: Vec<(String, License)>,
    /// Refuse every call with DisabledApiException
    #[arg(long)]
    disabled: bool,
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate_limit: usize,
    /// Do not throttle what is above the rate: only count it
    #[arg(long)]
    only_count_rate: bool,
    /// Answer DuplicateRecord to a record that is billed already, just like this
    #[arg(long)]
    identical_is_duplicate: bool,
    /// How timestamps are written in answers
    #[arg(long, value_name = "HOW", value_enum, default_value = "plain")]
    echo_time: Time,
    /// The seed by which results come in another order than the records
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Write errors in the other form that services of AWS are known for
    #[arg(long)]
    namespaced_errors: bool,
    /// A fault, such as {"at":3,"kind":"drop","when":"after_commit"}; repeatable, in order
    #[arg(long = "fault", value_name = "JSON")]
    faults: Vec<Rule>,
    /// Faults by chance: a seed, and the share of requests that meet one
    #[arg(long, value_name = "SEED:SHARE", value_parser = chances)]
    chances: Option<Chances>,
    /// JSON file that keeps the books over restarts
    #[arg(long, value_name = "FILE")]
    books: Option<PathBuf>,
    /// File to which the body of every request is added, a line of JSON each
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// File to which a line is added for every request (default: stderr)
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 600)]
    pub(crate) lifetime: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Time {
    /// 1795198715
    Plain,
    /// 1795198715.0
    Fraction,
    /// 1.795198715E9
    Exponent,
}

impl Arguments {
    pub(crate) fn settings(self) -> Settings {
        let clock = match (self.now, self.clock_from) {
            (Some(now), _) => Clock::Fixed(now),
            (None, Some(from)) => Clock::Running(from),
            (None, None) => Clock::Real,
        };
        let echo_time = match self.echo_time {
            Time::Plain => EchoTime::Plain,
            Time::Fraction => EchoTime::Fraction,
            Time::Exponent => EchoTime::Exponent,
        };
        Settings {
            port: self.port,
            credentials: Credentials {
                access_key_id: self.access_key_id,
                secret_access_key: self.secret_access_key,
                session_token: self.session_token,
            },
            region: self.region,
            clock_skew: self.clock_skew,
            clock,
            known_customers: self.known_customers.map(|names| names.into_iter().collect()),
            unknown_customer: if self.unknown_customer_is_invalid {
                UnknownCustomer::Invalid
            } else {
                UnknownCustomer::NotSubscribed
            },
            unsubscribed: self.unsubscribed.into_iter().collect(),
            aliases: self.aliases.into_iter().collect(),
            products: some(self.products),
            licenses: some(self.licenses),
            disabled: self.disabled,
            rate_limit: self.rate_limit,
            enforce_rate: !self.only_count_rate,
            identical_is_duplicate: self.identical_is_duplicate,
            echo_time,
            shuffle: self.shuffle,
            error_style: if self.namespaced_errors { ErrorStyle::Namespaced } else { ErrorStyle::Plain },
            faults: self.faults,
            chances: self.chances,
            books: self.books,
            requests: self.requests,
            log: self.log.map_or(Log::Stderr, Log::File),
            ..Settings::default()
        }
    }
}

/// None where nothing was named: then all exist.
fn some<V>(pairs: Vec<(String, V)>) -> Option<BTreeMap<String, V>> {
    if pairs.is_empty() { None } else { Some(pairs.into_iter().collect()) }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (one, other) = text.split_once('=').ok_or("there is no = in it")?;
    Ok((one.to_owned(), other.to_owned()))
}

fn product(text: &str) -> Result<(String, BTreeSet<String>), String> {
    let Ok((code, dimensions)) = pair(text) else {
        return Ok((text.to_owned(), BTreeSet::new()));
    };
    Ok((code, dimensions.split(',').map(str::to_owned).collect()))
}

fn license(text: &str) -> Result<(String, License), String> {
    // An ARN may hold equals signs and commas; a product's code may hold the former.
    let (arn, rest) = text.rsplit_once('=').ok_or("there is no = in it")?;
    let (product, customer) = match rest.split_once(',') {
        Some((product, customer)) => (product, Some(customer.to_owned())),
        None => (rest, None),
    };
    Ok((arn.to_owned(), License { product: product.to_owned(), customer }))
}

fn chances(text: &str) -> Result<Chances, String> {
    let (seed, share) = text.split_once(':').ok_or("there is no : in it")?;
    let seed = seed.parse().map_err(|error| format!("the seed: {error}"))?;
    match share.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(Chances::new(seed, share)),
        _ => Err("the share is not a number from 0 to 1".into()),
    }
}

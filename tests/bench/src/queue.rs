//! Records of a DynamoDB table, billed to AWS Marketplace hour by hour, and marked: the example's pipeline against moto, and against a
//! stand-in that has room for more; beside a plain script that does what the Lambda functions of AWS's guide do.
//!
//! | file | subject |
//! |---|---|
//! | `usage` | the records, and what they add up to |
//! | `tables` | the tables on either server, and what the records became |
//! | `billed` | a run of the program, and its phases |
//! | `lambdas` | the script, which is `lambdas.py` |
//!
//! The metering service lets ten calls through in a second, of 25 charges each, and throttles what is above; that nothing was is checked.
//! So what is delivered takes its time whatever the program does, and the other phases are shown by themselves. Each call of the stand-in
//! takes at least [`LATENCY`]. moto copies the tables of each transaction, which is what takes its time, and puts the copies back where one
//! fails, whatever others wrote meanwhile: so the rows of its subscribers have their maps already, and none fails. `METERHOST_BENCH_QUEUE` is
//! another number of records for the stand-in, in as many groups; `METERHOST_LONG` lets the script have all of them.
#![expect(clippy::indexing_slicing, reason = "what a JSON value does not hold is null")]

mod billed;
mod lambdas;
mod tables;
mod usage;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use metering_emulator::{Clock, Credentials, Emulator, Settings};

use billed::Billed;
use tables::{Moto, StandIn, Tables};
use usage::Usage;

/// Of each call of a table, about what DynamoDB takes from within its region: "single-digit millisecond".
const LATENCY: Duration = Duration::from_millis(5);
/// When all hours of the records are due, and still accepted.
const NOW: &str = "2026-02-15T16:05:00Z";
/// The key that the service lets in.
const KEY: [&str; 2] = ["AKIATESTTESTTESTTEST", "secret-of-the-test-key"];
/// The most calls of the metering service in any second.
const RATE: usize = 10;

pub fn queue(folder: &Path) -> Result<(), Box<dyn Error>> {
    println!(
        "\n| records in groups | tables | all | intake | freeze | deliver | tell | records/s | without delivering | processors | most memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let records = std::env::var("METERHOST_BENCH_QUEUE").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let large = Usage::new(200, 20, records);
    let stand_in = StandIn::start(&large, LATENCY)?;
    let of_stand_in = billed::run(folder, "stand-in", &large, &stand_in)?;
    show(&format!("stand-in, {LATENCY:?} a call"), &large, &of_stand_in);
    drop(stand_in);
    let small = Usage::new(200, 2, 10_000);
    let moto = Moto::start(&small)?;
    let of_moto = billed::run(folder, "moto", &small, &moto)?;
    show("moto", &small, &of_moto);
    drop(moto);
    println!("calls, moto: {}", of_moto.calls());
    println!("calls, stand-in: {}", of_stand_in.calls());
    lambdas::lambdas(&large, &of_stand_in)
}

fn show(tables: &str, usage: &Usage, billed: &Billed) {
    let Billed { seconds, intake, freeze, deliver, tell, .. } = billed;
    println!(
        "| {} in {} | {tables} | {seconds:.1} s | {intake:.1} s | {} | {deliver:.1} s | {tell:.1} s | {:.0} | {:.0} | {:.1} s | {:.0} MiB |",
        usage.records(),
        usage.groups(),
        freeze.map_or("(intake)".to_owned(), |freeze| format!("{freeze:.1} s")),
        usage.records() as f64 / seconds,
        usage.records() as f64 / (seconds - deliver),
        billed.processor,
        billed.memory,
    );
}

/// A metering service that throttles.
fn metering() -> Result<Emulator, Box<dyn Error>> {
    let [id, secret] = KEY.map(str::to_owned);
    let credentials = Credentials { access_key_id: id, secret_access_key: secret, session_token: None };
    let clock = Clock::Fixed(NOW.parse()?);
    Ok(Emulator::start(Settings { clock, credentials, rate_limit: RATE, enforce_rate: true, ..Settings::default() })?)
}

/// The way to both services, for the program and for boto3 alike.
fn variables(tables: &impl Tables, service: &Emulator) -> Vec<(&'static str, String)> {
    let [id, secret] = KEY.map(str::to_owned);
    vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", tables.url()),
        ("AWS_ENDPOINT_URL_MARKETPLACE_METERING", service.url().to_owned()),
        ("METERING_RECORDS_TABLE", tables::RECORDS.to_owned()),
        ("SUBSCRIBERS_TABLE", tables::SUBSCRIBERS.to_owned()),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
    ]
}

/// Whether what was billed is what the records hold, within the rate, and each record says so.
fn adds_up(usage: &Usage, tables: &impl Tables, service: &Emulator) -> Result<(), Box<dyn Error>> {
    let audit = service.audit();
    if !audit.is_clean() || audit.busiest_second > RATE {
        return Err(format!("{} calls in the busiest second, and {:?}", audit.busiest_second, audit.findings).into());
    }
    let books = service.books().into_iter().map(|booked| {
        let metering_emulator::Customer::Account(customer) = booked.customer else { return Err("no account") };
        let hour = booked.hour.as_millisecond();
        Ok(((customer, booked.dimension, hour), booked.quantity.to_string()))
    });
    let books: usage::Sums = books.collect::<Result<_, _>>()?;
    if books != usage.sums() {
        return Err(format!("{} groups are billed, and not the {} of the records", books.len(), usage.groups()).into());
    }
    let items = tables.records();
    let marked = items.iter().filter(|item| {
        let says = |text: &serde_json::Value| text["S"].as_str().is_some_and(|text| text.contains("\"Success\""));
        item["metering_pending"]["S"] == "false"
            && item["metering_failed"]["BOOL"] == false
            && says(&item["metering_response"])
    });
    let marked = marked.count() as u64;
    if marked != usage.records() {
        return Err(format!("of {} records, {marked} are marked", usage.records()).into());
    }
    match tables.totals() == usage.totals() {
        true => Ok(()),
        false => Err("the customers' totals are not the sums of their records".into()),
    }
}

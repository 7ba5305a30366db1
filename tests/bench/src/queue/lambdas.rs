//! The script, beside the program: the same records, or the first customers' of them, on a stand-in and a metering service of their own.

use std::error::Error;

use serde::Deserialize;

use super::billed::Billed;
use super::tables::{StandIn, Tables as _};
use super::usage::Usage;
use super::{LATENCY, adds_up, metering, variables};
use crate::measure;

/// What the script says; times in seconds, without starting Python and loading boto3.
#[derive(Deserialize)]
struct Said {
    records: u64,
    calls: u64,
    query: f64,
    meter: f64,
    mark: f64,
}

/// Runs the script in both ways, and shows how much quicker the program was.
pub fn lambdas(usage: &Usage, billed: &Billed) -> Result<(), Box<dyn Error>> {
    let is_whole = std::env::var_os("METERHOST_LONG").is_some();
    println!("\n| plain script with boto3 | of it ran | query | meter | mark | all records would take | the program |");
    println!("|---|---|---|---|---|---|---|");
    for (what, charges, customers) in [("a call a group, as the guide has it", 1, 4), ("25 groups a call", 25, 20)] {
        let part = if is_whole { *usage } else { usage.of(customers) };
        let said = script(&part, charges)?;
        let all = (said.query + said.meter + said.mark) * usage.records() as f64 / said.records as f64;
        println!(
            "| {what} | {} records, {} calls | {:.1} s | {:.1} s | {:.1} s | {all:.0} s | {:.1} times as fast |",
            said.records,
            said.calls,
            said.query,
            said.meter,
            said.mark,
            all / billed.seconds
        );
    }
    Ok(())
}

fn script(usage: &Usage, charges: usize) -> Result<Said, Box<dyn Error>> {
    let tables = StandIn::start(usage, LATENCY)?;
    let service = metering()?;
    let mut command = measure::python("queue/lambdas.py")?;
    command.arg(charges.to_string()).envs(variables(&tables, &service));
    let said: Said = serde_json::from_slice(&measure::output(&mut command)?)?;
    adds_up(usage, &tables, &service)?;
    tables.understood()?;
    Ok(said)
}

//! Batches into `rules`: from the host's memory into the guest's, and summed up there.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use meterhost::broker::{Broker, BrokerSettings, Grants};
use meterhost::config::LimitsSpec;
use meterhost::model::reading::Span;
use meterhost::model::usage::{Batch, TextColumn};
use meterhost::plugin::{AggregatorInstance, Engine, Limits, Plugin, Settings};
use meterhost_sdk::{Aggregator, BatchBuilder, Decimal, Record};

use crate::{measure, native};

const ROWS: u32 = 8192;
const BATCHES: u32 = 5000;

pub fn push() -> Result<(), Box<dyn Error>> {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let broker = Broker::new(BrokerSettings::new(io.handle().clone()))?;
    let (engine, _) = Engine::new(io.handle().clone(), None)?;
    let plugin = Plugin::load(&engine, &measure::target()?.join("plugins/rules.wasm"), &broker)?;
    let settings = Settings {
        name: "aggregate.rules".to_owned(),
        limits: Limits::new(&LimitsSpec::default()),
        session: broker.session("aggregate.rules", Arc::new(Grants::none()), true),
        now: 0,
    };
    let window = Span { start: 0, end: i64::MAX };
    let config = r#"{ "dimensions": { "*": "sum" } }"#;
    let batch = batch();
    let mut sandboxed = AggregatorInstance::open(&plugin, settings, config, window)?;
    let begun = Instant::now();
    for _ in 0..BATCHES {
        sandboxed.push(batch.clone())?;
    }
    sandboxed.finish()?;
    let guest = begun.elapsed().as_secs_f64();

    let same = same()?;
    let mut direct = native::aggregator()?;
    let begun = Instant::now();
    for _ in 0..BATCHES {
        direct.push(&same).map_err(|error| format!("{error:?}"))?;
    }
    let native = begun.elapsed().as_secs_f64();
    let records = f64::from(ROWS) * f64::from(BATCHES);
    println!(
        "\npushes into rules: {:.1} million records/s, native {:.1} million/s ({:.2} of native)",
        records / guest / 1e6,
        records / native / 1e6,
        native / guest
    );
    Ok(())
}

fn customer(row: u32) -> u32 {
    row.wrapping_mul(2_654_435_769) % 500
}

fn batch() -> Batch {
    let text = |values: Vec<String>, index: &dyn Fn(u32) -> u32| TextColumn {
        values,
        indices: (0..ROWS).map(index).collect(),
    };
    Batch {
        time: vec![0; ROWS as usize],
        customer: text((0..500).map(|number| format!("customer-{number:04}")).collect(), &customer),
        dimension: text((0..3).map(|number| format!("dimension-{number}")).collect(), &|row| row % 3),
        lo: (0..u64::from(ROWS)).collect(),
        ..Batch::default()
    }
}

/// The same records, as the SDK has them.
fn same() -> Result<meterhost_sdk::Batch, Box<dyn Error>> {
    let mut builder = BatchBuilder::new(Vec::<String>::new()).with_rows(ROWS as usize);
    for row in 0..ROWS {
        let record = Record {
            time: 0,
            customer: &format!("customer-{:04}", customer(row)),
            product: "",
            dimension: &format!("dimension-{}", row % 3),
            quantity: Decimal::from(row),
            id: None,
            attributes: &[],
        };
        builder.push(&record).map_err(|_| "the batch is full")?;
    }
    Ok(builder.finish())
}

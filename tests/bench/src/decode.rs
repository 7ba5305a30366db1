//! s3-reader alone: from files to batches, which are dropped. In the sandbox, with epochs and all limits, as a process of its own.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use meterhost::broker::{Account, Broker, BrokerSettings, Grants};
use meterhost::config::LimitsSpec;
use meterhost::model::reading::{Request, Span};
use meterhost::plugin::{Engine, Limits, Plugin, Settings, SourceInstance};
use serde::{Deserialize, Serialize};

use crate::data::SOURCE;
use crate::measure::{self, Cores};
use crate::native;

/// What reading came to.
#[derive(Serialize, Deserialize)]
pub struct Read {
    pub records: u64,
    /// From the opening to the last page: loading the plugin is not counted.
    pub seconds: f64,
}

/// Reads all files of a folder on one core.
pub fn alone(folder: &Path) -> Result<Read, Box<dyn Error>> {
    let mut command = measure::on_cores(&std::env::current_exe()?, Cores::One, 0);
    Ok(serde_json::from_slice(&measure::output(command.arg("--decode").arg(folder))?)?)
}

/// What that process does.
pub fn here(folder: &Path) -> Result<Read, Box<dyn Error>> {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let broker = Broker::new(BrokerSettings::new(io.handle().clone()))?;
    let (engine, _) = Engine::new(io.handle().clone(), None)?;
    let plugin = Plugin::load(&engine, &measure::target()?.join("plugins/s3-reader.wasm"), &broker)?;
    let grants = Grants::of_store("file://./bucket", folder, &Account::default())?;
    let settings = Settings {
        name: "source".to_owned(),
        limits: Limits::new(&LimitsSpec::default()),
        session: broker.session("source", Arc::new(grants), true),
        now: 0,
    };
    let june = Span { start: native::JUNE.start, end: native::JUNE.end };
    let mut source = SourceInstance::start(&plugin, settings)?;
    let begun = Instant::now();
    let cursor =
        source.open(SOURCE, &Request { windows: vec![june], now: 0, shard: (0, 1), claim: None, dry_run: true })?;
    let mut records = 0;
    while let Some(page) = source.next(&cursor)? {
        records += page.batch.time.len() as u64;
    }
    Ok(Read { records, seconds: begun.elapsed().as_secs_f64() })
}

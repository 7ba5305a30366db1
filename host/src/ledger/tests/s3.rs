//! Ledgers on S3, and a place to open them in.

mod accept;
mod verify;

use std::collections::HashMap;
use std::sync::Arc;

use s3_proxy::{Moto, Store};
use tokio::runtime::Runtime;

use super::*;
use crate::broker::{Broker, BrokerSettings};
use crate::config::LedgerLocation;

/// A bucket with a ledger in it, without a proxy in between.
pub(super) struct Bucket {
    pub(super) place: crate::ledger::Place,
    store: Store,
    name: String,
    _io: Runtime,
}

impl Bucket {
    pub(super) fn new() -> Bucket {
        let store: Store = **Moto::shared();
        let name = store.bucket();
        let io = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut settings = BrokerSettings::new(io.handle().clone());
        let env: HashMap<String, String> = [
            ("AWS_ENDPOINT_URL", store.url().as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        settings.env = Arc::new(move |name| env.get(name).cloned());
        let location = LedgerLocation::parse(&format!("s3://{name}/l?lease=30s"), Path::new("")).unwrap();
        let place = crate::ledger::Place::of(&location, &Broker::new(settings).unwrap()).unwrap();
        Bucket { place, store, name, _io: io }
    }

    pub(super) fn open(&self, run: &str) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.place, &identity(), &Claim::at_once(run))
    }

    /// With so many steps of one entry each behind the first.
    pub(super) fn filled(&self, steps: usize) {
        let mut ledger = self.open("r1").unwrap();
        ledger.append(vec![intent(&[june()])]).unwrap();
        for number in 1..steps {
            ledger.freeze(Vec::new(), vec![proposal(june(), &format!("c{number}"))]).unwrap();
        }
        ledger.close().unwrap();
    }

    pub(super) fn get(&self, key: &str) -> Vec<u8> {
        self.store.get(&self.name, &format!("l/{key}")).unwrap()
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) {
        self.store.put(&self.name, &format!("l/{key}"), bytes);
    }

    pub(super) fn delete(&self, key: &str) {
        self.store.delete(&self.name, &format!("l/{key}"));
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let keys = self.store.keys(&self.name).into_iter();
        keys.filter_map(|key| key.strip_prefix("l/").map(str::to_owned)).collect()
    }
}

pub(super) fn segment(number: usize) -> String {
    format!("segments/{number:012}")
}

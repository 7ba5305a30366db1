//! What buckets promise, over a real server and a proxy that fails on demand.

mod credentials;
mod grants;
mod listing;
mod messages;
mod prefetching;
mod reading;
mod uploading;
mod writing;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use s3_proxy::{Act, Fault, Kind, Moto, Proxy};
use tokio::runtime::Handle;

use crate::broker::{Account, Body, Broker, BrokerSettings, Grants, ObjectError, Precondition, Session};

/// A bucket behind a proxy, and what leads there.
struct Stage {
    proxy: Proxy,
    bucket: String,
    env: HashMap<String, String>,
    account: Account,
    settings: BrokerSettings,
}

impl Stage {
    fn new() -> Self {
        let moto = Moto::shared();
        let proxy = Proxy::start(moto);
        let mut settings = BrokerSettings::new(Handle::current());
        settings.deadline = Duration::from_secs(2);
        settings.buckets.backoff = Duration::from_millis(5);
        let env = [
            ("AWS_ENDPOINT_URL", proxy.url().as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Stage { bucket: moto.bucket(), proxy, env: env.into(), account: Account::default(), settings }
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.insert(name.to_owned(), value.into());
    }

    /// A broker that sees the stage's variables and no others.
    fn broker(self) -> (Proxy, String, Account, Broker) {
        let Stage { proxy, bucket, env, account, mut settings } = self;
        settings.env = Arc::new(move |name| env.get(name).cloned());
        (proxy, bucket, account, Broker::new(settings).unwrap())
    }

    /// A session that is granted everything below a prefix of the bucket.
    fn open(self, prefix: &str) -> Open {
        let (proxy, bucket, account, broker) = self.broker();
        let url = format!("s3://{bucket}/{prefix}");
        let grants = Grants::of_store(&url, Path::new("/"), &account).unwrap();
        let session = broker.session("source", Arc::new(grants), false);
        Open { proxy, bucket, session, broker }
    }
}

/// A session, and what stands behind it.
struct Open {
    proxy: Proxy,
    bucket: String,
    session: Session,
    broker: Broker,
}

impl Open {
    fn put(&self, key: &str, bytes: &[u8]) -> String {
        Moto::shared().put(&self.bucket, key, bytes).trim_matches('"').to_owned()
    }

    fn there(&self, key: &str) -> Option<Vec<u8>> {
        Moto::shared().get(&self.bucket, key)
    }

    fn fault(&self, fault: Fault) {
        self.proxy.push_fault(fault);
    }

    async fn read(&self, key: &str) -> Result<Vec<u8>, ObjectError> {
        read(&mut self.session.get(key, None).await?).await
    }

    async fn keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, ObjectError> {
        let mut listing = self.session.list(prefix, after).await?;
        let mut keys = Vec::new();
        while let Some(page) = listing.next().await? {
            assert!(!page.is_empty());
            keys.extend(page.into_iter().map(|object| object.key));
        }
        Ok(keys)
    }
}

fn open() -> Open {
    Stage::new().open("")
}

async fn read(body: &mut Body) -> Result<Vec<u8>, ObjectError> {
    let mut all = Vec::new();
    loop {
        let piece = body.read(100_000).await?;
        if piece.is_empty() {
            return Ok(all);
        }
        assert!(piece.len() <= 100_000);
        all.extend(piece);
    }
}

/// Bytes of which no two stretches are alike.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn unavailable<T>(result: Result<T, ObjectError>) -> String {
    match result.err() {
        Some(ObjectError::Unavailable(text)) => text,
        other => panic!("unavailable was expected, not {other:?}"),
    }
}

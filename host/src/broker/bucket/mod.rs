//! Objects in a bucket of S3, or of a store that speaks as S3 does.
//!
//! | file | subject |
//! |---|---|
//! | `connect` | a client of S3 for an account |
//! | `keys`, `etag` | what may be asked for, and how versions are named |
//! | `list` | pages of keys, in order |
//! | `fetch`, `prefetch` | an object on its way into memory, mended where it breaks off; objects fetched before they are asked for |
//! | `write`, `upload` | writing and deleting, with preconditions, at once or in parts |
//! | `faults` | what went wrong, in words that say what to do |
//!
//! Everything is done on the broker's own runtime: its connections are shared, and outlive the plugin's thread. Bucket, endpoint and
//! headers come from the grant and the environment; a plugin names keys below the prefix, and nothing else.

mod connect;
mod etag;
mod faults;
mod fetch;
mod keys;
mod list;
mod part;
mod prefetch;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests;
mod upload;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::Client;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};

use super::account::Account;
use super::errors::ObjectError;
use super::exchange::Exchanges;
use super::held;
use super::redact::Redactor;
use super::root::BucketRoot;
use super::secrets::Environment;
use super::task::AbortOnDrop;
pub(super) use fetch::BucketBody;
pub(super) use list::BucketListing;
use prefetch::Prefetch;
pub(super) use upload::BucketUpload;

/// How much is read ahead and written at once, and how often it is tried.
#[derive(Debug, Clone, Copy)]
pub struct BucketLimits {
    /// Bytes that a session holds of objects which were announced and not yet asked for.
    pub prefetch_bytes: usize,
    /// Objects that are fetched beforehand at the same time, by all sessions together.
    pub prefetch_requests: usize,
    /// Bytes of a part of a large object; S3 wants at least 5 MiB.
    pub part_bytes: usize,
    /// How often a request is tried, the first time included.
    pub attempts: u32,
    /// Until the second try; each further one waits about twice as long.
    pub backoff: Duration,
}

impl Default for BucketLimits {
    /// 64 MiB, 64 objects, parts of 8 MiB, 6 tries within about 8 s.
    fn default() -> Self {
        BucketLimits {
            prefetch_bytes: 64 * 1024 * 1024,
            // Of 10 ms each, 32 would be read at a rate that leaves most of two cores idle.
            prefetch_requests: 64,
            part_bytes: 8 * 1024 * 1024,
            attempts: 6,
            backoff: Duration::from_millis(250),
        }
    }
}

/// The ways to S3 of a run, one an account.
pub(super) struct Buckets {
    io: Handle,
    env: Environment,
    exchanges: Arc<Exchanges>,
    redactor: Redactor,
    limits: BucketLimits,
    clients: Mutex<HashMap<Account, Arc<OnceCell<Client>>>>,
    /// One for each object that may be fetched beforehand.
    prefetches: Arc<Semaphore>,
}

impl Buckets {
    /// Nothing is set up yet.
    pub(super) fn new(
        io: Handle,
        env: Environment,
        exchanges: Arc<Exchanges>,
        redactor: Redactor,
        limits: BucketLimits,
    ) -> Self {
        let prefetches = Arc::new(Semaphore::new(limits.prefetch_requests.max(1)));
        Buckets { io, env, exchanges, redactor, limits, clients: Mutex::default(), prefetches }
    }
}

/// A granted part of a bucket, for one session.
pub(super) struct Bucket {
    reach: Arc<Reach>,
    prefetch: Prefetch,
}

/// What it takes to ask for something there.
struct Reach {
    buckets: Arc<Buckets>,
    account: Account,
    root: BucketRoot,
}

impl Bucket {
    /// Nothing is asked for yet.
    pub(super) fn new(buckets: &Arc<Buckets>, account: &Account, root: &BucketRoot) -> Self {
        let reach = Arc::new(Reach { buckets: Arc::clone(buckets), account: account.clone(), root: root.clone() });
        Bucket { prefetch: Prefetch::new(&reach), reach }
    }

    /// These objects will be asked for soon, in this order.
    pub(super) fn announce(&self, keys: Vec<String>) {
        self.prefetch.announce(keys);
    }

    /// Forgets what was announced: it may be another version by now.
    pub(super) fn forget_announced(&self) {
        self.prefetch.clear();
    }
}

impl Reach {
    /// The client, which all sessions of the same account share.
    async fn client(&self) -> Result<Client, ObjectError> {
        let cell = Arc::clone(held(&self.buckets.clients).entry(self.account.clone()).or_default());
        cell.get_or_try_init(|| connect::connect(&self.account, &self.buckets)).await.cloned()
    }

    /// A key as the store knows it.
    fn whole(&self, key: &str) -> String {
        format!("{}{key}", self.root.prefix)
    }

    /// Does something on the broker's runtime.
    async fn on_io<T, F>(&self, work: F) -> Result<T, ObjectError>
    where
        F: Future<Output = Result<T, ObjectError>> + Send + 'static,
        T: Send + 'static,
    {
        match AbortOnDrop(self.buckets.io.spawn(work)).await {
            Ok(result) => result,
            Err(error) => Err(ObjectError::Unavailable(format!("the request was broken off: {error}"))),
        }
    }
}

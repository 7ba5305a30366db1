//! What a plugin may reach: the one place for every check, below every version of the contract.
//!
//! | file | subject |
//! |---|---|
//! | `grant`, `root`, `account`, `origin`, `paths` | what the pipeline file grants, as types that answer "may I?" |
//! | `session` | one plugin instance's way to the outside: checked, done, recorded |
//! | `request`, `exchange`, `resolver`, `address`, `rate`, `gate` | a request: its form, its sending, where it may end up, how fast, and whether still |
//! | `secrets`, `redact` | marks instead of secrets, and secrets blotted out |
//! | `objects`, `store`, `upload` | objects, wherever they lie |
//! | `folder`, `folder_list`, `folder_write` | folders that hold them |
//! | `bucket` | buckets that hold them |
//! | `identity` | who asks AWS, and where |
//! | `aws` | calls of AWS services: what they reach, signed and sent |
//! | `call`, `denial`, `errors` | what is known afterwards: what left, what was refused, what went wrong |
//!
//! Nothing here knows of wasm: the engine's host functions call a [`Session`], and so do the tests.

mod account;
mod address;
mod aws;
mod bucket;
mod call;
mod denial;
mod errors;
mod exchange;
mod folder;
mod folder_list;
mod folder_write;
mod gate;
mod grant;
mod identity;
mod objects;
mod origin;
mod paths;
mod rate;
mod redact;
mod request;
mod resolver;
mod root;
mod secrets;
mod session;
mod store;
mod task;
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

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use url::Url;

pub use account::Account;
pub use aws::Policy;
pub use bucket::BucketLimits;
pub use call::CallRecord;
pub use denial::{Denial, advice};
pub use errors::{AwsError, HttpError, ObjectError, ServiceError};
pub use gate::Gate;
pub use grant::{GrantError, Grants};
pub use objects::{Body, Listing, Object, Precondition};
pub use rate::Rate;
pub use redact::Redactor;
pub use request::{Request, Response};
pub use resolver::{Lookup, Resolver, SystemResolver};
pub use secrets::{Encoding, Environment, NoSecret, try_secret};
pub use session::{DESCRIBING, Session};
pub use upload::Upload;

use aws::Callers;
use bucket::Buckets;
use denial::Denials;
use exchange::{Exchanges, Limits};
use rate::Limiter;

/// How a broker reaches the outside.
pub struct BrokerSettings {
    /// Runs the exchanges. Must outlive them, and have its time and I/O drivers enabled.
    pub io: Handle,
    /// The largest body of an answer, in bytes.
    pub max_body: u64,
    /// The largest body of a request, in bytes.
    pub max_request_body: u64,
    /// The longest that making a connection may take.
    pub connect_timeout: Duration,
    /// The longest that an exchange may take, waiting for a rate limit excluded. A plugin may ask for less.
    pub deadline: Duration,
    /// Where all requests go through. The system's own setting is not heeded. Behind a proxy it is the proxy that looks names up, so
    /// that private addresses are its affair.
    pub proxy: Option<Url>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolver>,
    /// Looks up the variables that secrets come from, and those that lead to AWS.
    pub env: Environment,
    /// How much is read ahead from buckets, and written to them at once.
    pub buckets: BucketLimits,
    /// How long a call is repeated that an AWS service did not do because there was too much to do.
    pub patience: Duration,
}

impl BrokerSettings {
    /// Bodies of up to 64 MiB, 10 s to connect, 60 s in all, no proxy, the system's resolver and this process's environment, 30 s of
    /// patience.
    pub fn new(io: Handle) -> Self {
        BrokerSettings {
            io,
            max_body: 64 * 1024 * 1024,
            max_request_body: 64 * 1024 * 1024,
            connect_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(60),
            proxy: None,
            resolver: Arc::new(SystemResolver),
            env: Arc::new(|name| std::env::var(name).ok()),
            buckets: BucketLimits::default(),
            patience: Duration::from_secs(30),
        }
    }
}

/// Why there is no broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The proxy's URL is not one that requests can go through.
    #[error("the proxy `{0}` cannot be used: write its URL with `http` or `https` and a host")]
    Proxy(String),
}

/// Everything that the plugins of a run reach the outside through. A clone is the same broker.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    io: Handle,
    max_request_body: u64,
    env: Environment,
    exchanges: Arc<Exchanges>,
    buckets: Arc<Buckets>,
    callers: Callers,
    patience: Duration,
    redactor: Redactor,
    /// By the plugin's place in the pipeline file.
    limiters: Mutex<HashMap<String, Arc<Limiter>>>,
    denials: Denials,
}

impl Broker {
    /// Opens nothing yet.
    pub fn new(settings: BrokerSettings) -> Result<Broker, BrokerError> {
        let BrokerSettings {
            io,
            max_body,
            max_request_body,
            connect_timeout,
            deadline,
            proxy,
            resolver,
            env,
            buckets,
            patience,
        } = settings;
        if let Some(proxy) = &proxy
            && (!matches!(proxy.scheme(), "http" | "https") || proxy.host().is_none())
        {
            let mut shown = proxy.clone();
            // Fails only where there can be no password.
            let _ = shown.set_password(None);
            return Err(BrokerError::Proxy(shown.to_string()));
        }
        let limits = Limits { most_body: max_body, connect: connect_timeout.min(deadline), deadline };
        let exchanges = Arc::new(Exchanges::new(limits, proxy, resolver));
        let redactor = Redactor::default();
        let buckets = Buckets::new(io.clone(), Arc::clone(&env), Arc::clone(&exchanges), redactor.clone(), buckets);
        let callers = Callers::new(Arc::clone(&env), Arc::clone(&exchanges), redactor.clone());
        Ok(Broker(Arc::new(Inner {
            io,
            max_request_body,
            env,
            exchanges,
            buckets: Arc::new(buckets),
            callers,
            patience,
            redactor,
            limiters: Mutex::default(),
            denials: Denials::default(),
        })))
    }

    /// A way to the outside for one instance of the plugin at this place in the pipeline file, such as `sink.clazar`.
    pub fn session(&self, plugin: &str, grants: Arc<Grants>, dry_run: bool) -> Session {
        Session::new(self.clone(), plugin, grants, dry_run)
    }

    /// Knows every secret that any session used.
    pub fn redactor(&self) -> Redactor {
        self.0.redactor.clone()
    }

    /// What all sessions asked for and were not granted, each once.
    pub fn denials(&self) -> Vec<Denial> {
        self.0.denials.list()
    }

    /// The least that IAM has to allow for what plugins are granted, and for what the host keeps at these places.
    pub fn policy<'a>(
        &self,
        plugins: impl IntoIterator<Item = &'a Grants>,
        stores: impl IntoIterator<Item = &'a Grants>,
    ) -> Policy {
        let mut policy = Policy::default();
        plugins.into_iter().for_each(|grants| policy.add(grants, &self.0.env));
        stores.into_iter().for_each(|grants| policy.add_store(grants, &self.0.env));
        policy
    }

    /// The AWS region that a plugin calls services in, where it may call any, and the grant or the environment names one.
    pub fn region(&self, grants: &Grants) -> Option<String> {
        if grants.aws.is_empty() { None } else { identity::named_region(&grants.account, self.environment()) }
    }

    /// Waits for something that a session does, on a thread that is not the broker's own.
    pub fn wait<T>(&self, doing: impl Future<Output = T>) -> T {
        self.0.io.block_on(doing)
    }

    fn io(&self) -> &Handle {
        &self.0.io
    }

    fn environment(&self) -> &Environment {
        &self.0.env
    }

    fn exchanges(&self) -> &Exchanges {
        &self.0.exchanges
    }

    fn buckets(&self) -> &Arc<Buckets> {
        &self.0.buckets
    }

    fn callers(&self) -> &Callers {
        &self.0.callers
    }

    fn patience(&self) -> Duration {
        self.0.patience
    }

    fn most_request_body(&self) -> u64 {
        self.0.max_request_body
    }

    fn limiter(&self, plugin: &str, rate: Rate) -> Arc<Limiter> {
        let mut limiters = held(&self.0.limiters);
        let limiter = limiters.entry(plugin.to_owned()).or_insert_with(|| Arc::new(Limiter::new(rate)));
        limiter.change(rate);
        Arc::clone(limiter)
    }
}

/// Locks. Whoever panicked while holding one left whole values behind: each is changed in one step.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text of a plugin's making, short enough for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

//! The same over HTTP, with a log, and a latency if asked for.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use emulator_http::{Answer, Received, Server};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::tables::Tables;

const TARGET: &str = "DynamoDB_20120810.";
const MEDIA_TYPE: &str = "application/x-amz-json-1.0";

/// How a stand-in answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Port on 127.0.0.1; 0 (the default) takes a free one.
    pub port: u16,
    /// How long each call takes at least. As long as that, what a transaction writes is busy: whoever else writes it meets a conflict.
    pub latency: Duration,
}

/// A call in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it had arrived.
    pub at: Instant,
    /// Such as `Query`.
    pub action: String,
    /// How many updates it is; one for what is none.
    pub actions: usize,
    /// The name of the error that it was answered.
    pub error: Option<String>,
}

/// A server on a thread of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    shared: Shared,
    server: Server,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tables: Mutex<Tables>,
    log: Mutex<Log>,
    /// What transactions under way write.
    busy: Mutex<HashSet<String>>,
    latency: Duration,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<Call>,
    mistakes: Vec<String>,
    conflicts: usize,
}

impl StandIn {
    /// Serves these tables.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(tables: Tables, settings: Settings) -> io::Result<Self> {
        let Settings { port, latency } = settings;
        let (tables, log, busy) = (Mutex::new(tables), Mutex::default(), Mutex::default());
        let shared = Shared(Arc::new(Inner { tables, log, busy, latency }));
        Ok(StandIn { server: Server::start("dynamodb-stand-in", port, shared.clone())?, shared })
    }

    /// The endpoint, such as `http://127.0.0.1:4711`, without a slash at its end.
    pub fn url(&self) -> &str {
        self.server.origin()
    }

    /// The tables. No call is answered while they are held.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        held(&self.shared.0.tables)
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        held(&self.shared.0.log).calls.clone()
    }

    /// How many calls there were of each kind, and of how many updates.
    pub fn counts(&self) -> BTreeMap<String, (usize, usize)> {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for call in self.calls() {
            let (calls, actions) = counts.entry(call.action).or_default();
            (*calls, *actions) = (*calls + 1, *actions + call.actions);
        }
        counts
    }

    /// How many writes met a transaction that was under way.
    pub fn conflicts(&self) -> usize {
        held(&self.shared.0.log).conflicts
    }

    /// What was asked for and not understood.
    pub fn mistakes(&self) -> Vec<String> {
        held(&self.shared.0.log).mistakes.clone()
    }
}

impl emulator_http::Service for Shared {
    async fn answer(&self, request: Received) -> Answer {
        let at = Instant::now();
        let action = request.header("x-amz-target").and_then(|target| target.strip_prefix(TARGET)).unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.bytes()).unwrap_or_default();
        let targets = Tables::targets(&body);
        let answer = self.call(at, action, &body, &targets);
        if let Some(left) = self.0.latency.checked_sub(at.elapsed()) {
            let is_transaction = action == "TransactWriteItems" && answer.is_ok();
            if is_transaction {
                held(&self.0.busy).extend(targets.iter().cloned());
            }
            tokio::time::sleep(left).await;
            if is_transaction {
                let mut busy = held(&self.0.busy);
                for target in &targets {
                    busy.remove(target);
                }
            }
        }
        match answer {
            Ok(body) => Answer::of(200, MEDIA_TYPE, body),
            Err(refusal) => Answer::of(refusal.status(), MEDIA_TYPE, refusal.body.to_string()),
        }
    }
}

impl Shared {
    fn call(&self, at: Instant, action: &str, body: &Value, targets: &[String]) -> Result<String, Refusal> {
        let meets = {
            let busy = held(&self.0.busy);
            targets.iter().map(|target| busy.contains(target)).collect::<Vec<bool>>()
        };
        // What panics is not understood, and has changed nothing.
        let answer = catch_unwind(AssertUnwindSafe(|| match meets.contains(&true) {
            true => Err(Refusal::conflict(action, &meets)),
            false => held(&self.0.tables).call(action, body),
        }));
        let mut log = held(&self.0.log);
        let answer = answer.unwrap_or_else(|what| {
            let said = what.downcast_ref::<String>().cloned();
            let said = said.or_else(|| what.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            let said = format!("{action}: {}", said.unwrap_or_default());
            log.mistakes.push(said.clone());
            Err(Refusal::new("ValidationException", &said, json!({})))
        });
        let error = answer.as_ref().err().map(|refusal| refusal.code.clone());
        log.conflicts += usize::from(meets.contains(&true));
        log.calls.push(Call { at, action: action.to_owned(), actions: Tables::actions(body), error });
        answer
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

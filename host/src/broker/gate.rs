//! Asking, right before a request leaves, whether it still may: a process that slept through the end of its lease wakes up in the
//! middle of whatever it was doing.
//!
//! | asked | for |
//! |---|---|
//! | before the request goes to the HTTP client | the one that gets a connection out of the pool at once |
//! | before every step of a request that waits for a connection | the one that gets a connection which another request has given back |
//! | when its own connection is there, TLS handshake included | the one that gets that |
//!
//! What follows the last question until the first byte waits for nothing outside this process. The connection of a request that is
//! kept back is closed. A connection that nobody waits for any more is finished in the background and goes into the pool unasked:
//! there is no request yet, and the one that takes it asks for itself.
//!
//! Through a proxy, an `https` request is asked about when its tunnel and the handshake inside are there; the `CONNECT` that opened
//! the tunnel left before, and holds nothing of the request. A plain `http` request is asked about when the connection to the proxy
//! is there. How long the proxy keeps it before it passes it on is not known here, as little as how long a server does.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// Asked right before a request leaves or an object is written, after every wait, with the longest that it may still take. An error,
/// which says why in words for a person, keeps it back. It is asked several times while a connection is made, on a thread that
/// others need too: it answers at once.
pub type Gate = Arc<dyn Fn(Duration) -> Result<(), String> + Send + Sync>;

/// The gate kept it back. Nothing left.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

/// One exchange's way through the gate.
pub(super) struct Passage {
    gate: Gate,
    /// When the exchange is broken off.
    until: Instant,
    /// Whether the exchange was still without a connection after its last step.
    waits: AtomicBool,
}

tokio::task_local! {
    /// That of the exchange which the current task takes a step of. The HTTP client, which all sessions share, makes a request's
    /// connection within that request's own steps; what it does in the background has none.
    static PASSAGE: Arc<Passage>;
}

impl Passage {
    pub(super) fn new(gate: Gate, until: Instant) -> Self {
        Passage { gate, until, waits: AtomicBool::new(true) }
    }

    /// Does the exchange, as long as the gate is open while it waits for its connection.
    pub(super) async fn lead<T>(self, exchange: impl Future<Output = T>) -> Result<T, Refused> {
        let passage = Arc::new(self);
        let mut exchange = pin!(PASSAGE.scope(Arc::clone(&passage), exchange));
        poll_fn(|context| {
            // A step that still waits for its connection says so anew. After one that does not, the request may have left, and
            // a refusal would be a lie.
            if passage.waits.swap(false, Relaxed)
                && let Err(refused) = passage.ask()
            {
                return Poll::Ready(Err(refused));
            }
            exchange.as_mut().poll(context).map(Ok)
        })
        .await
    }

    fn ask(&self) -> Result<(), Refused> {
        (self.gate)(self.until.saturating_duration_since(Instant::now())).map_err(Refused)
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

/// Asks when a connection has been made, for the request that it was made for.
#[derive(Clone)]
pub(super) struct AfterConnecting;

impl<S> Layer<S> for AfterConnecting {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector(inner)
    }
}

#[derive(Clone)]
pub(super) struct Connector<S>(S);

impl<S, Target> Service<Target> for Connector<S>
where
    S: Service<Target, Error = BoxError>,
    S::Future: Unpin,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Connecting<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        Connecting(self.0.call(target))
    }
}

pub(super) struct Connecting<F>(F);

impl<F, C> Future for Connecting<F>
where
    F: Future<Output = Result<C, BoxError>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let step = Pin::new(&mut self.0).poll(context);
        let Ok(passage) = PASSAGE.try_with(Arc::clone) else {
            return step;
        };
        passage.waits.store(step.is_pending(), Relaxed);
        step.map(|made| {
            let connection = made?;
            passage.ask()?;
            Ok(connection)
        })
    }
}

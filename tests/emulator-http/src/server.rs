//! A server on a thread of its own, and what it asks its service.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::payload::{Gone, Payload};
use crate::received::{Body, Received};

/// The largest request body that is read, in bytes.
const LARGEST_BODY: usize = 16 << 20;

/// What answers the requests.
pub trait Service: Clone + Send + Sync + 'static {
    /// Whether the body of the request with this head is read. If not, the connection ends.
    fn reads(&self, _head: &Received) -> bool {
        true
    }

    /// Serves a request, on a task of its own: what was read whole takes effect even if the client leaves meanwhile.
    fn answer(&self, request: Received) -> impl Future<Output = Answer> + Send;
}

/// A server on a thread of its own. It stops when this is dropped; open connections end at once.
#[derive(Debug)]
pub struct Server {
    origin: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to listen on this port of 127.0.0.1, or on a free one for 0. Requests are answered from the moment on at
    /// which this returns. `name` is that of the thread.
    ///
    /// # Errors
    /// The port is taken, or the system gives no thread.
    pub fn start(name: &str, port: u16, service: impl Service) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let origin = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(run(listener, service, stopped)))?;
        Ok(Self { origin, stop: Some(stop), thread: Some(thread) })
    }

    /// Such as `http://127.0.0.1:4711`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has failed the test's requests already.
            let _ = thread.join();
        }
    }
}

/// Answers until `stop` fires or its sender is gone.
async fn run(listener: tokio::net::TcpListener, service: impl Service, mut stop: oneshot::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, most likely: let some be closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let service = service.clone();
        let answer = service_fn(move |request| detached(service.clone(), request));
        // An error here is a client that left or a connection that a fault ended; the log tells.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn detached(service: impl Service, request: hyper::Request<Incoming>) -> Result<Response<Payload>, Gone> {
    let (head, body) = request.into_parts();
    let head = Received::head(&head);
    if !service.reads(&head) {
        return Err(Gone);
    }
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Body::Whole(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Body::TooLarge,
        Err(_) => return Err(Gone),
    };
    let request = Received { at: Timestamp::now(), body, ..head };
    let answer = tokio::spawn(async move { service.answer(request).await }).await.map_err(|_| Gone)?;
    answer.respond()
}

//! The third step of a request: HTTP/1.1 in and out, whole, halved or not at all.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::answer::{Answer, Manner};
use crate::fault::Fault;
use crate::request::Request;
use crate::service::Shared;

/// The largest request body that is read, in bytes.
const LARGEST_BODY: usize = 16 << 20;

/// Answers until `stop` fires or its sender is gone.
pub(crate) async fn run(listener: TcpListener, service: Shared, mut stop: oneshot::Receiver<()>) {
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

/// Serves a request on a task of its own: what was read whole takes effect even if the client leaves meanwhile.
async fn detached(service: Shared, request: hyper::Request<Incoming>) -> Result<Response<Payload>, Gone> {
    let (head, body) = request.into_parts();
    let (raw_body, complete) = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => (body.to_bytes(), true),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => (Bytes::new(), false),
        Err(_) => return Err(Gone),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        at: Timestamp::now(),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: serde_json::from_slice(&raw_body).ok(),
        raw_body,
        status: None,
        stored: Vec::new(),
        resent: 0,
    };
    let answer = if complete {
        tokio::spawn(answer(service, request)).await.map_err(|_| Gone)?
    } else {
        let answer = Answer::error(413, "The body is too large.");
        let mut service = service.lock();
        let place = service.arrived(request);
        service.answered(place, &answer);
        answer
    };
    respond(answer)
}

/// The three steps, with the waits of a slow answer around the second. The memory is never locked during a wait.
async fn answer(service: Shared, request: Request) -> Answer {
    let (place, admitted) = {
        let mut service = service.lock();
        let place = service.arrived(request.clone());
        (place, service.admit(&request))
    };
    let (before, after) = match admitted {
        Ok((_, Fault::Slow { before_ms, after_ms })) => (before_ms, after_ms),
        _ => (0, 0),
    };
    wait(before).await;
    let answer = {
        // Books and log change at once, so that they can be held against each other at any moment.
        let mut service = service.lock();
        let answer = match admitted {
            Err(refusal) => refusal,
            Ok((call, fault)) => service.settle(&request, &call, fault),
        };
        service.answered(place, &answer);
        answer
    };
    wait(after).await;
    answer
}

async fn wait(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

fn respond(answer: Answer) -> Result<Response<Payload>, Gone> {
    if answer.is_dropped() {
        return Err(Gone);
    }
    let (length, body) = (answer.body.len(), Bytes::from(answer.body));
    let half = answer.manner == Manner::Half;
    let payload = if half { Payload::half(&body) } else { Payload::whole(body) };
    let mut response = Response::new(payload);
    // A script can hold anything; what HTTP cannot carry ends the connection.
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| Gone)?;
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).map_err(|_| Gone)?;
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| Gone)?);
    }
    if half {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

/// The reason for which hyper ends a connection at once.
#[derive(Debug)]
struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends here")
    }
}

impl std::error::Error for Gone {}

/// A body that may break off.
struct Payload {
    rest: Bytes,
    breaks: bool,
    flushed: bool,
}

impl Payload {
    fn whole(rest: Bytes) -> Self {
        Self { rest, breaks: false, flushed: false }
    }

    fn half(body: &Bytes) -> Self {
        Self { rest: body.slice(..body.len() / 2), breaks: true, flushed: false }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Gone;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.rest)))));
        }
        if !this.breaks {
            return Poll::Ready(None);
        }
        if !this.flushed {
            // hyper writes out what it holds only when the body makes it wait; an error would throw that away.
            this.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Gone)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        if self.breaks { SizeHint::default() } else { SizeHint::with_exact(self.rest.len() as u64) }
    }
}

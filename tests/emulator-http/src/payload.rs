//! A body that may break off.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The reason for which hyper ends a connection at once.
#[derive(Debug)]
pub(crate) struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends here")
    }
}

impl std::error::Error for Gone {}

/// A body that may break off.
pub(crate) struct Payload {
    rest: Bytes,
    breaks: bool,
    flushed: bool,
}

impl Payload {
    pub(crate) fn whole(rest: Bytes) -> Self {
        Self { rest, breaks: false, flushed: false }
    }

    pub(crate) fn half(body: &Bytes) -> Self {
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

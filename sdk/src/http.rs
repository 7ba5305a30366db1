//! Requests to the origins that the pipeline grants. The host follows no redirect and retries nothing.
//!
//! Outside a component these functions reach what [`testing`](crate::testing) put on the stage.

pub use crate::bindings::imports::http::{Encoding, Error, Request, Response};

#[cfg(target_arch = "wasm32")]
use crate::bindings::imports::http as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::http as host;

/// Sends a request and waits for its whole answer.
pub fn send(request: &Request) -> Result<Response, Error> {
    host::send(request)
}

/// A mark that stands for a granted secret: put it where the secret belongs, in a header's value or the body.
pub fn secret(name: &str, encoding: Encoding) -> Result<String, Error> {
    host::secret(name, encoding)
}

/// Declares a value that was received, such as an access token, to be secret: it is blotted out of logs and reports.
pub fn conceal(value: &str) {
    host::conceal(value);
}

/// The error's text, without its kind.
pub fn message(error: &Error) -> &str {
    match error {
        Error::Denied(text)
        | Error::NotSent(text)
        | Error::Unanswered(text)
        | Error::TooLarge(text)
        | Error::Other(text) => text,
    }
}

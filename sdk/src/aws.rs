//! Calls to AWS services, by name. The host checks each against the grant and signs it; credentials never come in here.
//!
//! Outside a component this function reaches what [`testing::aws`](crate::testing::aws) put on the stage.

pub use crate::bindings::imports::aws::{Error, ServiceError};

#[cfg(target_arch = "wasm32")]
use crate::bindings::imports::aws as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::aws_calls as host;

/// Calls `action` (`Query`) of `service` (`dynamodb`) with a JSON body, and answers the JSON body that came back.
pub fn call(service: &str, action: &str, body: &str) -> Result<String, Error> {
    host::call(service, action, body)
}

/// The error's text, without its kind.
pub fn message(error: &Error) -> String {
    match error {
        Error::Denied(text) | Error::NotSent(text) | Error::Unanswered(text) | Error::Other(text) => text.clone(),
        Error::Service(error) if error.message.is_empty() => format!("{} (status {})", error.code, error.status),
        Error::Service(error) => format!("{}: {}", error.code, error.message),
    }
}

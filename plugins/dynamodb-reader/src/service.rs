//! Calls to DynamoDB, and what their errors mean.

use meterhost_sdk::Error;
use meterhost_sdk::aws::{self, ServiceError};

/// So often a call is made that brings no clear answer. Every call of this plugin has the same effect however often it arrives.
const TRIES: u32 = 5;

/// Why a call brought nothing.
#[derive(Debug)]
pub(crate) enum Failed {
    /// DynamoDB said so.
    Service(ServiceError),
    /// It ends what is under way.
    Over(Error),
}

/// Calls an action. `on` names the table, for a person.
///
/// Throttling is retried by the host.
pub(crate) fn call(action: &str, on: &str, body: &str) -> Result<String, Failed> {
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match aws::call("dynamodb", action, body) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error {
            aws::Error::Denied(text) => return Err(Failed::Over(Error::Denied(text))),
            aws::Error::Other(text) => return Err(Failed::Over(Error::Other(said(action, on, &text)))),
            aws::Error::Service(error) if error.status < 500 => return Err(Failed::Service(error)),
            unclear if tries >= TRIES => {
                let text = said(action, on, &format!("{} ({tries} times)", aws::message(&unclear)));
                return Err(Failed::Over(Error::Unavailable(text)));
            }
            aws::Error::NotSent(_) | aws::Error::Unanswered(_) | aws::Error::Service(_) => {}
        }
    }
}

/// A refusal that nobody has a way out of.
pub(crate) fn refused(action: &str, on: &str, error: ServiceError) -> Error {
    let way_out = way_out(&error.code);
    Error::Unavailable(said(action, on, &format!("{}{way_out}", aws::message(&aws::Error::Service(error)))))
}

/// What a person can do about an error (developer guide, "Error handling with DynamoDB").
fn way_out(code: &str) -> &'static str {
    match code {
        "AccessDeniedException" => {
            " (see to the policy of these credentials: `meterhost check --explain --iam` prints the least that does)"
        }
        "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => " (see to the credentials)",
        "ResourceNotFoundException" => {
            " (see to the name of the table, and to the region and account that it is looked for in)"
        }
        _ => "",
    }
}

/// An answer that makes no sense.
pub(crate) fn unreadable(action: &str, on: &str, error: &serde_json::Error) -> Error {
    Error::Unavailable(said(action, on, &format!("the answer cannot be read: {error}")))
}

fn said(action: &str, on: &str, what: &str) -> String {
    format!("dynamodb:{action} on {on}: {what}")
}

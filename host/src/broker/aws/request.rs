//! A plugin's call, and whether it is one that the host would send: everything that can be judged without grant and network.

use super::super::errors::AwsError;
use super::super::request::too_long;
use super::super::shortened;
use super::body;
use super::operation::{self, Operation, Service};
use super::reach::{self, Reach};

/// The largest body, in bytes: BatchWriteItem takes 16 MB and no operation more.
const MOST_BODY: u64 = 16 * 1024 * 1024;

/// A call in the form in which it is judged and sent.
#[derive(Debug)]
pub(in super::super) struct AwsRequest {
    pub(super) operation: &'static Operation,
    pub(super) body: String,
    /// All that it reaches, each once.
    pub(in super::super) reaches: Vec<Reach>,
}

/// Why a call is not one that the host would send.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Unfit {
    /// Nobody can grant this: what was asked (following "asked"), and the text for the plugin.
    Forbidden { asked: String, text: String },
    /// Its body is not what it has to be.
    Malformed(String),
}

impl From<Unfit> for AwsError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Forbidden { text, .. } => AwsError::Denied(text),
            Unfit::Malformed(text) => AwsError::Other(text),
        }
    }
}

impl AwsRequest {
    /// Judges a call by its form. `most_body` is in bytes.
    pub(in super::super) fn new(service: &str, name: &str, body: &str, most_body: u64) -> Result<AwsRequest, Unfit> {
        let operation = Operation::named(service, name).ok_or_else(|| unknown(service, name))?;
        let most_body = most_body.min(MOST_BODY);
        // Judged twice: what is written anew has no spaces, and may have other escapes.
        let fits = |length: usize| match length as u64 > most_body {
            true => Err(Unfit::Malformed(too_long(length, most_body))),
            false => Ok(()),
        };
        fits(body.len())?;
        let malformed =
            |why: &dyn std::fmt::Display| Unfit::Malformed(format!("{service}:{name} was not called: the body {why}"));
        let body = body::rewritten(body).map_err(|fault| malformed(&fault))?;
        fits(body.len())?;
        let reaches = reach::of(operation, &body).map_err(|why| malformed(&why))?;
        Ok(AwsRequest { operation, body, reaches })
    }

    pub(in super::super) fn service(&self) -> Service {
        self.operation.service
    }

    /// Whether it changes anything.
    pub(in super::super) fn writes(&self) -> bool {
        self.operation.writes
    }

    /// Service and operation, as messages name them: `dynamodb:Query`.
    pub(in super::super) fn name(&self) -> String {
        format!("{}:{}", self.operation.service.name(), self.operation.name)
    }
}

fn unknown(service: &str, name: &str) -> Unfit {
    let asked = format!("to call {:?}", format!("{service}:{name}"));
    let shown = shortened(&format!("{service}:{name}").escape_debug().to_string());
    let text = match Service::ALL.into_iter().find(|known| known.name() == service) {
        None => {
            let known = Service::ALL.map(|service| format!("`{}`", service.name())).join(" and ");
            format!("`{shown}` cannot be called: the host calls only {known}")
        }
        Some(Service::DynamoDb) if operation::is_partiql(name) => {
            format!("`{shown}` cannot be called: the host does not read which tables a PartiQL statement reaches")
        }
        Some(known) => format!(
            "`{shown}` cannot be called: the host knows what these reach, and no others: {}",
            operation::names(known).join(", ")
        ),
    };
    Unfit::Forbidden { asked, text }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "request_tests.rs"]
mod tests;

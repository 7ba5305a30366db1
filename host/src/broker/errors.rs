//! What a plugin is told when something outside did not work. The variants are those of the contract (`wit/http.wit`,
//! `wit/objects.wit`, `wit/aws.wit`); the text is for a person.

use std::time::Duration;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The grant does not hold this origin, method or path, or the address behind the name is a private one.
    #[error("{0}")]
    Denied(String),
    /// Nothing left: no connection came about, or the session's gate was shut. Asking again is safe.
    #[error("{0}")]
    NotSent(String),
    /// Bytes may have left and no whole answer came. Whether it took effect is not known.
    #[error("{0}")]
    Unanswered(String),
    /// An answer came, but its body is larger than the host's cap. Whether it took effect is not known.
    #[error("{0}")]
    TooLarge(String),
    /// Anything else, such as a request that is not well-formed. Nothing left, except with a compressed answer.
    #[error("{0}")]
    Other(String),
}

/// Why an object was not listed, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The grant does not hold it.
    #[error("{0}")]
    Denied(String),
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// A precondition did not hold: the object exists, is missing, or is another version.
    #[error("{0}")]
    Precondition(String),
    /// The store refused, failed, or broke off in the middle. What was read so far counts for nothing. Or the session's gate was
    /// shut, and nothing was written.
    #[error("{0}")]
    Unavailable(String),
    /// A write may have happened, and no clear answer came. Whoever has to know reads the object again.
    #[error("{0}")]
    Unknown(String),
    /// Anything else, such as a key that cannot be one.
    #[error("{0}")]
    Other(String),
}

/// Why a call of an AWS service brought no success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The grant does not hold this action, or not on a resource that the body names; or the host does not know what it reaches.
    #[error("{0}")]
    Denied(String),
    /// Nothing left: there are no credentials, no connection came about, or the session's gate was shut. Asking again is safe.
    #[error("{0}")]
    NotSent(String),
    /// Bytes may have left and no whole answer came. Whether it took effect is not known.
    #[error("{0}")]
    Unanswered(String),
    /// The service answered with an error.
    #[error("{0}")]
    Service(Box<ServiceError>),
    /// Anything else, such as a body that is not what it has to be. Nothing left.
    #[error("{0}")]
    Other(String),
}

/// What a service says went wrong, with secrets blotted out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} (status {status}): {message}")]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error's name, without its namespace: `ConditionalCheckFailedException`.
    pub code: String,
    /// The service's own words; empty if it has none.
    pub message: String,
    /// The answer's body.
    pub body: String,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

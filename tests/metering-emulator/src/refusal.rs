//! An error as the service words it.
//!
//! The modelled errors are those of `BatchMeterUsage` in the published model; the others come from the framework beneath
//! it, which all JSON services of AWS share. Their names, words, order and status (400) are those recorded from DynamoDB
//! in the source of mhart/dynalite (`index.js`), and from others in what was reported to aws/aws-sdk-js (254) and
//! aws/aws-sdk-php (1780). The live metering service was not seen.

use emulator_http::{Answer, random};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The media type of requests and answers.
pub(crate) const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// The ten errors that the model gives to `BatchMeterUsage`.
pub(crate) const MODELLED: [&str; 10] = [
    INTERNAL,
    "InvalidProductCodeException",
    "InvalidUsageDimensionException",
    "InvalidTagException",
    "InvalidUsageAllocationsException",
    "InvalidCustomerIdentifierException",
    "TimestampOutOfBoundsException",
    THROTTLING,
    "DisabledApiException",
    "InvalidLicenseException",
];
/// "An internal error has occurred. Retry your request."
pub(crate) const INTERNAL: &str = "InternalServiceErrorException";
/// "The calls to the API are throttled."
pub(crate) const THROTTLING: &str = "ThrottlingException";

/// How errors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStyle {
    /// `{"__type":"ThrottlingException","message":"..."}`, the name alone in `x-amzn-ErrorType`.
    #[default]
    Plain,
    /// The other forms that services of AWS are known for: a namespace before the name, an address after it in the
    /// header, and `Message` with a capital where the framework speaks.
    Namespaced,
}

/// An error on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Refusal {
    /// 400, or 500 for an internal error.
    pub(crate) fn new(name: &str, message: impl Into<String>) -> Self {
        let status = if name == INTERNAL { 500 } else { 400 };
        Self { name: name.to_owned(), message: message.into(), status }
    }

    /// A body that cannot be read into the request's shape.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", message)
    }

    /// A request that does not keep to the model's constraints.
    pub(crate) fn validation(place: &str, message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        Self::new("ValidationException", format!("1 validation error detected: Value at '{place}' {message}"))
    }

    /// The same with another status.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn answer(&self, style: ErrorStyle) -> Answer {
        let Self { name, message, status } = self;
        let modelled = MODELLED.contains(&name.as_str());
        let (kind, header, member) = match style {
            ErrorStyle::Plain => (name.clone(), name.clone(), "message"),
            ErrorStyle::Namespaced => {
                let space = if modelled { "com.amazonaws.marketplace.metering" } else { "com.amazon.coral.service" };
                let address = "http://internal.amazon.com/coral/com.amazon.coral.service/";
                let member = if modelled { "message" } else { "Message" };
                (format!("{space}#{name}"), format!("{name}:{address}"), member)
            }
        };
        // `__type` stands first in every recorded answer.
        let body = format!("{{\"__type\":{},\"{member}\":{}}}", json!(kind), json!(message));
        answer(*status, body).with("x-amzn-errortype", header)
    }
}

/// An answer as every one leaves: with its type and a request's id.
pub(crate) fn answer(status: u16, body: String) -> Answer {
    Answer::of(status, MEDIA_TYPE, body).with("x-amzn-requestid", random::uuid())
}

//! What came back: the body of a success, or the service's error.
//!
//! Of an error, the name stands in the body's `__type`, behind a `#` if it has a namespace, or in the header `x-amzn-errortype`, before
//! a `:` (AWS JSON 1.0 and 1.1 protocols, "Operation error serialization", smithy.io).

use std::time::Duration;

use serde_json::Value;

use super::super::errors::{AwsError, ServiceError};
use super::super::redact::Redactor;
use super::super::request::Response;
use super::super::shortened;
use super::operation::Service;

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Heard {
    /// It was done; the body.
    Done(String),
    /// Nothing was done, because there was too much to do, or others wrote at the same time. Asking again is safe.
    Throttled(ServiceError),
    /// The service does not take the credentials.
    Unknown(ServiceError),
    Refused(ServiceError),
    /// It is not what the service said.
    Damaged(String),
}

/// Reads an answer, and blots secrets out of it. `name` is that of the operation, for messages.
pub(in super::super) fn heard(service: Service, name: &str, response: Response, redactor: &Redactor) -> Heard {
    let Response { status, headers, body } = response;
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim());
    if let Some(expected) = header("x-amz-crc32") {
        let found = crc32fast::hash(&body);
        if expected.parse() != Ok(found) {
            return Heard::Damaged(format!(
                "the answer to {name} came damaged: its checksum is {found}, and should be {}",
                shortened(expected)
            ));
        }
    }
    let Ok(body) = String::from_utf8(redactor.scrub(body)) else {
        return Heard::Damaged(format!("the answer to {name} is not text"));
    };
    if status == 200 {
        return Heard::Done(body);
    }
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |key: &str| said.get(key).and_then(Value::as_str);
    let code = text("__type").or_else(|| header("x-amzn-errortype")).map(plain).filter(|code| !code.is_empty());
    let message = text("message").or_else(|| text("Message")).map(str::to_owned);
    // What stands between here and the service answers in a language of its own.
    let message = message.unwrap_or_else(|| if said.is_null() { shortened(&body) } else { String::new() });
    let error = ServiceError {
        status,
        code: redactor.redact(code.unwrap_or("UnknownError")).into_owned(),
        message,
        retry_after: header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs),
        body,
    };
    match error.code.as_str() {
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded"
            if service == Service::DynamoDb && [400, 503].contains(&status) =>
        {
            Heard::Throttled(error)
        }
        "TransactionConflictException" if service == Service::DynamoDb && status == 400 => Heard::Throttled(error),
        "TransactionCanceledException"
            if service == Service::DynamoDb && status == 400 && is_only_in_the_way(&said) =>
        {
            Heard::Throttled(error)
        }
        "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch" => Heard::Unknown(error),
        _ => Heard::Refused(error),
    }
}

/// Whether a transaction was cancelled for no other reason than that there was too much to do, or that others wrote at the same time (API
/// reference, TransactWriteItems, "Errors").
fn is_only_in_the_way(said: &Value) -> bool {
    let reasons = said.get("CancellationReasons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let codes = || reasons.iter().filter_map(|reason| reason.get("Code")?.as_str()).filter(|code| *code != "None");
    let is_in_the_way =
        |code: &str| matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded");
    codes().next().is_some() && codes().all(is_in_the_way)
}

/// A name without its namespace, and without what stands behind it.
fn plain(code: &str) -> &str {
    let code = code.split_once('#').map_or(code, |(_, code)| code);
    code.split_once(':').map_or(code, |(code, _)| code).trim()
}

impl From<Heard> for Result<String, AwsError> {
    fn from(heard: Heard) -> Self {
        match heard {
            Heard::Done(body) => Ok(body),
            Heard::Throttled(error) | Heard::Unknown(error) | Heard::Refused(error) => {
                Err(AwsError::Service(Box::new(error)))
            }
            Heard::Damaged(text) => Err(AwsError::Unanswered(text)),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Heard {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status, headers, body: body.as_bytes().to_vec() };
        heard(Service::DynamoDb, "dynamodb:Query", response, &Redactor::default())
    }

    fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> ServiceError {
        match answer(status, headers, body) {
            Heard::Refused(error) | Heard::Throttled(error) | Heard::Unknown(error) => error,
            other => panic!("an error was expected, not {other:?}"),
        }
    }

    #[test]
    fn an_errors_name_has_no_namespace_wherever_it_stands() {
        let header = "x-amzn-errortype";
        for (headers, body, code, message) in [
            (
                &[][..],
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}"#,
                "ConditionalCheckFailedException",
                "The conditional request failed",
            ),
            (&[], r#"{"__type":"ValidationException","Message":"no"}"#, "ValidationException", "no"),
            (
                &[(header, "AccessDeniedException:http://internal/")],
                r#"{"Message":"no"}"#,
                "AccessDeniedException",
                "no",
            ),
            (&[(header, "a.b#AccessDeniedException:http://x/#y")], "{}", "AccessDeniedException", ""),
            (&[(header, "Other")], r#"{"__type":"a#First:x"}"#, "First", ""),
            (&[], r#"{"__type":3,"message":["x"]}"#, "UnknownError", ""),
            (&[], "<html>502</html>", "UnknownError", "<html>502</html>"),
            (&[], "", "UnknownError", ""),
        ] {
            let error = refused(400, headers, body);
            assert_eq!((error.code.as_str(), error.message.as_str(), error.body.as_str()), (code, message, body));
        }
        let error = refused(503, &[("retry-after", "7")], "{}");
        assert_eq!((error.status, error.retry_after), (503, Some(Duration::from_secs(7))));
        assert_eq!(refused(503, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], "{}").retry_after, None);
    }

    #[test]
    fn throttling_is_told_from_other_errors_and_never_assumed_of_metering() {
        for code in ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"] {
            let body = format!("{{\"__type\":\"x#{code}\"}}");
            assert!(matches!(answer(400, &[], &body), Heard::Throttled(_)));
            assert!(matches!(answer(503, &[], &body), Heard::Throttled(_)));
            assert!(matches!(answer(500, &[], &body), Heard::Refused(_)), "what did it do?");
            let response = Response { status: 400, headers: Vec::new(), body: body.into_bytes() };
            let of_metering = heard(Service::Marketplace, "x", response, &Redactor::default());
            assert!(matches!(of_metering, Heard::Refused(_)));
        }
        for code in ["TransactionCanceledException", "InternalServerError", "ConditionalCheckFailedException"] {
            assert!(matches!(answer(400, &[], &format!("{{\"__type\":\"{code}\"}}")), Heard::Refused(_)));
        }
        assert!(matches!(answer(400, &[], r#"{"__type":"TransactionConflictException"}"#), Heard::Throttled(_)));
        for (codes, is_throttled) in [
            (&["None", "ThrottlingError"][..], true),
            (&["ProvisionedThroughputExceeded", "TransactionConflict"], true),
            (&["ConditionalCheckFailed", "ThrottlingError"], false),
            (&["ValidationError"], false),
            (&["None"], false),
        ] {
            let reasons: Vec<String> = codes.iter().map(|code| format!("{{\"Code\":\"{code}\"}}")).collect();
            let body = format!(
                "{{\"__type\":\"x#TransactionCanceledException\",\"CancellationReasons\":[{}]}}",
                reasons.join(",")
            );
            assert_eq!(matches!(answer(400, &[], &body), Heard::Throttled(_)), is_throttled, "{codes:?}");
        }
        for code in ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"] {
            assert!(matches!(answer(400, &[], &format!("{{\"__type\":\"{code}\"}}")), Heard::Unknown(_)));
        }
    }

    #[test]
    fn a_damaged_answer_is_none() {
        let body = r#"{"Count":0}"#;
        let sum = crc32fast::hash(body.as_bytes()).to_string();
        assert_eq!(answer(200, &[("x-amz-crc32", &sum)], body), Heard::Done(body.to_owned()));
        assert_eq!(answer(200, &[], body), Heard::Done(body.to_owned()));
        for (status, sum) in [(200, "1"), (400, "1"), (200, "x"), (200, "")] {
            assert!(matches!(answer(status, &[("x-amz-crc32", sum)], body), Heard::Damaged(_)), "{sum}");
        }
        let response = Response { status: 200, headers: Vec::new(), body: vec![0xff] };
        assert!(matches!(heard(Service::DynamoDb, "x", response, &Redactor::default()), Heard::Damaged(_)));
    }

    #[test]
    fn secrets_are_blotted_out_of_whatever_came_back() {
        let redactor = Redactor::default();
        redactor.add_secret("token", "FwoGZXIvYXdzEBYaDtoken");
        let body = r#"{"__type":"InvalidSignatureException","message":"x-amz-security-token:FwoGZXIvYXdzEBYaDtoken"}"#;
        let response = Response { status: 403, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let Heard::Unknown(error) = heard(Service::DynamoDb, "x", response, &redactor) else {
            panic!("another answer")
        };
        assert_eq!(error.message, "x-amz-security-token:[redacted]");
        assert!(!error.body.contains("FwoG"));
    }
}

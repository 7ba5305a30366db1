//! What an error means for the whole call.
//!
//! | the error | means |
//! |---|---|
//! | nothing left, or no whole answer came | not known; the host has its own record of what left |
//! | 5xx, and what says that the service gave up: `InternalServiceErrorException`, `RequestTimeoutException`... | not known: the identical records are sent again |
//! | 429, and `ThrottlingException` or a name like it | too many calls; nothing was recorded |
//! | the names of [`ACCESS`], and 401, 403 or 407 without a name | the credentials, or what they allow; nothing was recorded |
//! | any other 4xx: `TimestampOutOfBoundsException`, `InvalidUsageDimensionException`... | the call is refused as a whole |
//! | any other status | not known: no answer of the service's |

use meterhost_sdk::{Failure, aws};

/// Errors about the caller, not about what is in the call: of the API reference's "Common Errors", of signing (SigV4 and STS), and that the
/// account or the region has no such service.
const ACCESS: [&str; 22] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "DisabledApiException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// The names by which botocore's retries know that a service wants fewer calls (`botocore/retries/standard.py`).
const THROTTLED: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Errors that do not say that nothing was recorded, whatever their status.
const UNCLEAR: [&str; 10] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InternalServiceErrorException",
    "RequestAbortedException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// Why a call came to nothing.
pub(crate) fn failure(error: &aws::Error) -> Failure {
    let said = aws::message(error);
    let aws::Error::Service(answer) = error else {
        return Failure::Other(said);
    };
    let name = name(&answer.code);
    let is = |names: &[&str]| names.contains(&name);
    let status = answer.status;
    if !(400..500).contains(&status) || status == 408 || is(&UNCLEAR) {
        return Failure::Other(format!("AWS Marketplace answered {status}: {said}"));
    }
    if status == 429 || is(&THROTTLED) {
        return Failure::Throttled(answer.retry_after);
    }
    // What the host calls an error without a name.
    let is_nameless = matches!(name, "" | "UnknownError");
    if is(&ACCESS) || (is_nameless && matches!(status, 401 | 403 | 407)) {
        return Failure::Auth(said);
    }
    Failure::Refused(said)
}

/// An error's name without what may stand around it: `com.amazonaws...#NAME:http://...`.
fn name(code: &str) -> &str {
    let behind = code.rsplit_once('#').map_or(code, |(_, name)| name);
    behind.split_once(':').map_or(behind, |(name, _)| name).trim()
}

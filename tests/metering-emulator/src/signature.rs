//! AWS Signature Version 4, verified ("Signing AWS API requests", IAM user guide).
//!
//! The checks come in the order that mhart/dynalite recorded from DynamoDB (`index.js`): the header's parts, the date,
//! what has to be signed, the algorithm, the scope, the key, the signature, the session token.

use emulator_http::Received;
use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::authorization::{ALGORITHM, Authorization, Scope, incomplete};
use crate::refusal::Refusal;
use crate::settings::Credentials;

/// `signingName` in the published model.
const SERVICE: &str = "aws-marketplace";
const TERMINATOR: &str = "aws4_request";
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Keys that were or are an account's.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) credentials: Credentials,
    /// Their session has ended.
    pub(crate) expired: bool,
}

/// What a signature is held against.
#[derive(Debug)]
pub(crate) struct Verifier<'a> {
    pub(crate) keys: &'a [Key],
    pub(crate) region: &'a str,
    /// Either way.
    pub(crate) skew: SignedDuration,
    /// The real time.
    pub(crate) now: Timestamp,
}

impl Verifier<'_> {
    /// # Errors
    /// The refusal, if the request is not signed as it has to be.
    pub(crate) fn verify(&self, request: &Received) -> Result<(), Refusal> {
        let authorization = Authorization::parse(request.header("authorization"))?;
        let date = request.header("x-amz-date").ok_or_else(|| {
            incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })?;
        self.check_date(date)?;
        check_signed_headers(request, &authorization)?;
        if authorization.algorithm != ALGORITHM {
            let algorithm = authorization.algorithm;
            return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now).")));
        }
        let scope = authorization.scope()?;
        self.check_scope(&scope, date)?;
        let unknown =
            || Refusal::new("UnrecognizedClientException", "The security token included in the request is invalid.");
        let known = |key: &&Key| key.credentials.access_key_id == scope.key;
        let key = self.keys.iter().rev().find(known).ok_or_else(unknown)?;
        check_signature(request, &authorization, &scope, date, &key.credentials.secret_access_key)?;
        if request.header("x-amz-security-token") != key.credentials.session_token.as_deref() {
            return Err(unknown());
        }
        if key.expired {
            let message = "The security token included in the request is expired";
            return Err(Refusal::new("ExpiredTokenException", message));
        }
        Ok(())
    }

    fn check_date(&self, date: &str) -> Result<(), Refusal> {
        let form = || incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'."));
        let parsed = DateTime::strptime(DATE_FORMAT, date).map_err(|_| form())?;
        let signed = parsed.to_zoned(TimeZone::UTC).map_err(|_| form())?.timestamp();
        let basic = |moment: Timestamp| moment.strftime(DATE_FORMAT).to_string();
        let minutes = self.skew.as_mins();
        let (now, earliest) = (basic(self.now), self.now.saturating_sub(self.skew).unwrap_or(Timestamp::MIN));
        let latest = self.now.saturating_add(self.skew).unwrap_or(Timestamp::MAX);
        if signed < earliest {
            let earliest = basic(earliest);
            let message = format!("Signature expired: {date} is now earlier than {earliest} ({now} - {minutes} min.)");
            return Err(invalid(message));
        }
        if signed > latest {
            let latest = basic(latest);
            return Err(invalid(format!(
                "Signature not yet current: {date} is still later than {latest} ({now} + {minutes} min.)"
            )));
        }
        Ok(())
    }

    fn check_scope(&self, scope: &Scope<'_>, date: &str) -> Result<(), Refusal> {
        let mut wrong = String::new();
        if scope.region != self.region {
            wrong += &format!("Credential should be scoped to a valid region, not '{}'. ", scope.region);
        }
        if scope.service != SERVICE {
            wrong += &format!("Credential should be scoped to correct service: '{SERVICE}'. ");
        }
        if scope.terminator != TERMINATOR {
            wrong += &format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'. ");
        }
        if !date.starts_with(scope.date) || scope.date.len() != 8 {
            wrong += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP. ";
        }
        if wrong.is_empty() { Ok(()) } else { Err(invalid(wrong)) }
    }
}

/// "Host", "Content-Type" and every "x-amz-*" header of the request have to be signed (IAM user guide, "Create a canonical
/// request"); their names are lower-case and sorted.
fn check_signed_headers(request: &Received, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    let signed = &authorization.signed_headers;
    if !signed.contains(&"host") {
        return Err(invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    }
    for (name, _) in &request.headers {
        if (name.starts_with("x-amz-") || name == "content-type") && !signed.contains(&name.as_str()) {
            return Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
        }
    }
    if let Some(name) = signed.iter().find(|name| request.header(name).is_none()) {
        return Err(invalid(format!("the signed header '{name}' is not in the request")));
    }
    if !signed.is_sorted() {
        return Err(invalid("the signed headers are not sorted"));
    }
    Ok(())
}

fn check_signature(
    request: &Received,
    authorization: &Authorization<'_>,
    scope: &Scope<'_>,
    date: &str,
    secret: &str,
) -> Result<(), Refusal> {
    let canonical = canonical_request(request, &authorization.signed_headers);
    let Scope { date: day, region, service, terminator, .. } = scope;
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{terminator}\n{hash}");
    let first = hmac(format!("AWS4{secret}").as_bytes(), day);
    let key = [*region, *service, *terminator].iter().fold(first, |key, part| hmac(&key, part));
    if hex(&hmac(&key, &to_sign)) == authorization.signature {
        return Ok(());
    }
    Err(invalid(format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request \
         should have been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
    )))
}

/// The path is `/` and there is no query: others are refused before.
fn canonical_request(request: &Received, signed_headers: &[&str]) -> String {
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
    for name in signed_headers {
        let values = request.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<String> = values.map(|(_, value)| in_one_line(value)).collect();
        canonical += &format!("{name}:{}\n", values.join(","));
    }
    let hash = hex(&Sha256::digest(request.bytes()));
    format!("{canonical}\n{}\n{hash}", signed_headers.join(";"))
}

/// Without spaces at the ends, and with one where there are several.
fn in_one_line(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes a key of any length; the error is one that it cannot have.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidSignatureException", message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use emulator_http::Body;

    use super::*;

    /// `post-vanilla` and `post-x-www-form-urlencoded` of the suite of test vectors that AWS published for its signers.
    const VECTORS: [(&str, &str, &str); 2] = [
        ("", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "application/x-www-form-urlencoded",
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];

    #[test]
    fn the_published_vectors_are_verified() {
        for (content_type, body, signature) in VECTORS {
            let mut headers = vec![
                ("host".to_owned(), "example.amazonaws.com".to_owned()),
                ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()),
            ];
            if !content_type.is_empty() {
                headers.push(("content-type".to_owned(), content_type.to_owned()));
            }
            let request = Received {
                at: Timestamp::UNIX_EPOCH,
                method: "POST".into(),
                path: "/".into(),
                query: String::new(),
                headers,
                body: Body::Whole(Bytes::from_static(body.as_bytes())),
            };
            let names = if content_type.is_empty() { "host;x-amz-date" } else { "content-type;host;x-amz-date" };
            let credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
            let authorization = Authorization {
                algorithm: ALGORITHM,
                credential,
                signed_headers: names.split(';').collect(),
                signature,
            };
            let scope = Scope {
                key: "AKIDEXAMPLE",
                date: "20150830",
                region: "us-east-1",
                service: "service",
                terminator: TERMINATOR,
            };
            let verdict = |secret: &str| check_signature(&request, &authorization, &scope, "20150830T123600Z", secret);
            assert_eq!(verdict("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Ok(()));
            assert!(verdict("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX").is_err());
        }
    }

    #[test]
    fn header_values_are_written_in_one_line() {
        assert_eq!(in_one_line("  a   b c  "), "a b c");
    }
}

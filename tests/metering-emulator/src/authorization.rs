//! The `Authorization` header of a signed request.

use crate::refusal::Refusal;

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(crate) algorithm: &'a str,
    pub(crate) credential: &'a str,
    pub(crate) signed_headers: Vec<&'a str>,
    pub(crate) signature: &'a str,
}

/// What a signature is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    pub(crate) key: &'a str,
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) terminator: &'a str,
}

impl<'a> Authorization<'a> {
    /// # Errors
    /// `MissingAuthenticationTokenException` if there is none of this kind, `IncompleteSignatureException` if it lacks
    /// a part.
    pub(crate) fn parse(header: Option<&'a str>) -> Result<Self, Refusal> {
        let missing = || Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token");
        let header = header.filter(|header| header.starts_with("AWS4-")).ok_or_else(missing)?;
        let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
        let part = |wanted: &str| {
            let pairs = rest.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found: Vec<&str> = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect();
            match found.as_slice() {
                [value] if !value.is_empty() => Ok(*value),
                _ => Err(incomplete(format!("Authorization header requires '{wanted}' parameter."))),
            }
        };
        Ok(Self {
            algorithm,
            credential: part("Credential")?,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }

    /// # Errors
    /// `IncompleteSignatureException` if it has not five parts.
    pub(crate) fn scope(&self) -> Result<Scope<'a>, Refusal> {
        let parts: Vec<&str> = self.credential.split('/').collect();
        let [key, date, region, service, terminator] = *parts.as_slice() else {
            let form = "keyid/date/region/service/term";
            return Err(incomplete(format!("Credential must have exactly 5 slash-delimited elements, e.g. {form}")));
        };
        Ok(Scope { key, date, region, service, terminator })
    }
}

/// A signature that lacks something.
pub(crate) fn incomplete(message: impl Into<String>) -> Refusal {
    Refusal::new("IncompleteSignatureException", message)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_parts_may_come_in_any_order_and_without_spaces() {
        let header = "AWS4-HMAC-SHA256 Signature=ff,SignedHeaders=a;b,  Credential=k/20261120/r/s/aws4_request";
        let parsed = Authorization::parse(Some(header)).unwrap();
        assert_eq!((parsed.signed_headers.as_slice(), parsed.signature), (&["a", "b"][..], "ff"));
        let scope = parsed.scope().unwrap();
        assert_eq!((scope.key, scope.date, scope.region, scope.service), ("k", "20261120", "r", "s"));
    }

    #[test]
    fn what_is_missing_has_a_name() {
        let name = |header: Option<&str>| {
            let parsed = Authorization::parse(header);
            parsed.and_then(|parsed| parsed.scope().map(|_| ())).unwrap_err().name
        };
        assert_eq!(name(None), "MissingAuthenticationTokenException");
        assert_eq!(name(Some("Bearer abc")), "MissingAuthenticationTokenException");
        for header in [
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=1, Signature=2",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=1",
        ] {
            assert_eq!(name(Some(header)), "IncompleteSignatureException", "{header}");
        }
    }
}

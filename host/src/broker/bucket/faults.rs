//! What went wrong with a request to S3, in words that say what to do.
//!
//! A refusal by AWS is no denial: the pipeline granted it, and the credentials lack it.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::identity::{NotConnected, causes, no_credentials};
use super::super::shortened;
use super::Reach;

/// What was asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    List,
    Read,
    Write,
    Delete,
    Abort,
}

impl Action {
    /// Follows "to".
    fn verb(self) -> &'static str {
        match self {
            Action::List => "list",
            Action::Read => "read",
            Action::Write => "write",
            Action::Delete => "delete",
            Action::Abort => "break off the upload of",
        }
    }

    fn permission(self) -> &'static str {
        match self {
            Action::List => "s3:ListBucket",
            Action::Read => "s3:GetObject",
            Action::Write => "s3:PutObject",
            Action::Delete => "s3:DeleteObject",
            Action::Abort => "s3:AbortMultipartUpload",
        }
    }
}

/// How much is known of a write that brought an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It surely did not happen, and asking again may help.
    NotYet,
    /// It surely did not happen.
    No,
    /// It may have happened.
    Unknown,
}

/// What a store says of an error: its code and its own words.
struct Said {
    status: u16,
    code: String,
    message: String,
}

type Failed<E> = SdkError<E, HttpResponse>;

impl Reach {
    /// An error of the store, for a person. `key` is the whole key, or what the keys of a listing begin with.
    pub(super) fn failed<E>(&self, action: Action, key: &str, error: &Failed<E>) -> ObjectError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let bucket = &self.root.bucket;
        let what = match action {
            Action::List => format!("the bucket `{bucket}`"),
            _ => format!("{} in the bucket `{bucket}`", shown(key)),
        };
        let Some(said) = said(error) else {
            return ObjectError::Unavailable(self.unanswered(action, &what, error));
        };
        let verb = action.verb();
        let Said { status, code, message } = &said;
        let own = if message.is_empty() { code.clone() } else { format!("{code}: {}", shortened(message)) };
        let text = match (*status, code.as_str()) {
            (404, "NoSuchBucket") => {
                format!("the bucket `{bucket}` does not exist: mend the grant, or the endpoint if one is set")
            }
            (404, "NoSuchUpload") => {
                format!("the upload of {what} is no longer known to the store: begin it anew")
            }
            (404, _) if action != Action::List => {
                return ObjectError::NotFound(format!("{} does not exist", shown(key)));
            }
            (412, _) => {
                return ObjectError::Precondition(format!(
                    "{} is another version by now, or is there already",
                    shown(key)
                ));
            }
            (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired") => {
                format!("the AWS credentials are no longer valid ({own}): sign in again, or renew them")
            }
            (_, "InvalidAccessKeyId" | "InvalidToken" | "SignatureDoesNotMatch" | "InvalidClientTokenId") => {
                format!("the store does not know the AWS credentials ({own}): check the access key and its secret")
            }
            (_, "RequestTimeTooSkewed") => {
                format!("this machine's clock differs too much from the store's ({own}): set it right")
            }
            (301 | 302 | 307 | 308, _)
            | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                self.elsewhere(error, &own)
            }
            (403, _) => {
                let resource = match action {
                    Action::List => format!("arn:aws:s3:::{bucket}"),
                    _ => format!("arn:aws:s3:::{bucket}/{key}"),
                };
                let or_missing = match action {
                    Action::Read => "; an object that does not exist is refused too, where they lack s3:ListBucket",
                    _ => "",
                };
                format!(
                    "AWS refused to {verb} {what} ({own}): the credentials lack {} on {}{or_missing}",
                    action.permission(),
                    shortened(&resource)
                )
            }
            (503, _) | (_, "SlowDown" | "RequestLimitExceeded" | "Throttling" | "ThrottlingException") => format!(
                "the store was asked too often ({own}) and did not let us {verb} {what}, however often it was tried: run again later"
            ),
            (500.., _) => {
                format!(
                    "the store failed to {verb} {what} ({status}, {own}), however often it was tried: run again later"
                )
            }
            _ => format!("the store refused to {verb} {what} ({status}, {own})"),
        };
        ObjectError::Unavailable(text)
    }

    fn elsewhere<E>(&self, error: &Failed<E>, own: &str) -> String
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let bucket = &self.root.bucket;
        let raw = error.raw_response();
        let of_header = raw.and_then(|raw| raw.headers().get("x-amz-bucket-region")).map(str::to_owned);
        let of_body = || {
            let body = raw.and_then(|raw| raw.body().bytes()).map(String::from_utf8_lossy)?;
            let (_, rest) = body.split_once("<Region>")?;
            rest.split_once("</Region>").map(|(region, _)| region.to_owned())
        };
        match of_header.or_else(of_body) {
            Some(region) => format!(
                "the bucket `{bucket}` lies in the region {region}: write `region = \"{}\"` into the grant",
                shortened(&region)
            ),
            None => format!(
                "the bucket `{bucket}` lies in another region, or answers elsewhere ({own}): write its `region` into the grant"
            ),
        }
    }

    fn unanswered<E>(&self, action: Action, what: &str, error: &Failed<E>) -> String
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let verb = action.verb();
        if let Some(found) = cause::<CredentialsError>(error) {
            return no_credentials(&self.account, &format!("to {verb} {what}"), found);
        }
        let causes = causes(error);
        match error {
            SdkError::ConstructionFailure(_) => format!("no request can be written to {verb} {what}: {causes}"),
            _ => format!("the store gave no whole answer when asked to {verb} {what}: {causes}"),
        }
    }
}

/// Whether a write that brought this error can have happened.
pub(super) fn taken<E>(error: &Failed<E>) -> Taken
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if cause::<CredentialsError>(error).is_some() || matches!(error, SdkError::ConstructionFailure(_)) {
        return Taken::No;
    }
    if cause::<NotConnected>(error).is_some() {
        return Taken::NotYet;
    }
    match said(error) {
        // It is refused before anything is done ("Error responses", S3 API reference).
        Some(Said { code, .. })
            if ["SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException"].contains(&code.as_str()) =>
        {
            Taken::NotYet
        }
        // Somebody else's write was under way: AWS says to try again.
        Some(Said { status: 409, code, .. }) if code == "ConditionalRequestConflict" || code == "OperationAborted" => {
            Taken::NotYet
        }
        // The body did not come in whole in time.
        Some(Said { code, .. }) if code == "RequestTimeout" => Taken::NotYet,
        Some(Said { status: 300..=499, .. }) => Taken::No,
        _ => Taken::Unknown,
    }
}

/// Status and code, if the store answered in its own words.
pub(super) fn answered<E>(error: &Failed<E>) -> Option<(u16, String)>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    said(error).map(|said| (said.status, said.code))
}

fn said<E>(error: &Failed<E>) -> Option<Said>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response()?.status().as_u16();
    let meta = match error {
        SdkError::ServiceError(error) => error.err().meta(),
        // A success that cannot be read is no answer; an error need not be readable to be one.
        SdkError::ResponseError(_) if status >= 300 => {
            return Some(Said { status, code: format!("status {status}"), message: String::new() });
        }
        _ => return None,
    };
    let code = meta.code().map_or_else(|| format!("status {status}"), str::to_owned);
    Some(Said { status, code: shortened(&code), message: meta.message().unwrap_or_default().to_owned() })
}

fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        cause = current.source();
    }
    None
}

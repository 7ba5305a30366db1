//! Writing and deleting objects, with preconditions.
//!
//! A write is tried again here and not by the SDK, because what may be tried again depends on what is known of the last try:
//!
//! | the last try | with a precondition | without |
//! |---|---|---|
//! | did not leave, was too much for the store, met another's write (409) | tried again | tried again |
//! | was refused | the error | the error |
//! | may have been done | `Unknown`: tried again, it could fail for having been done | tried again, since it would write the same |
//!
//! A write of which no try was answered clearly is `Unknown`, whatever the last one met.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::objects::Precondition;
use super::super::shortened;
use super::faults::{self, Action, Taken};
use super::{Bucket, Reach, etag, keys};

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A precondition as the request's headers have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    pub(super) if_match: Option<String>,
    pub(super) if_none_match: Option<String>,
}

impl Condition {
    pub(super) fn of(key: &str, precondition: &Precondition) -> Result<Condition, ObjectError> {
        match precondition {
            Precondition::None => Ok(Condition::default()),
            Precondition::Absent => Ok(Condition { if_none_match: Some("*".to_owned()), ..Condition::default() }),
            Precondition::Match(wanted) => match etag::header(wanted) {
                Some(header) => Ok(Condition { if_match: Some(header), ..Condition::default() }),
                None => Err(ObjectError::Precondition(format!(
                    "{} is another version: {:?} is no ETag that a store gives",
                    shown(key),
                    shortened(wanted)
                ))),
            },
            Precondition::Other(text) => Err(ObjectError::Other(format!(
                "this version of meterhost does not know the precondition `{}`",
                shortened(text)
            ))),
        }
    }

    fn is_none(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }
}

/// One try: the SDK's own are turned off.
pub(super) fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

impl Bucket {
    /// Writes an object at once; answers its ETag.
    pub(in super::super) async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        content_type: &str,
        precondition: &Precondition,
    ) -> Result<String, ObjectError> {
        keys::check(key)?;
        let condition = Condition::of(key, precondition)?;
        let (reach, key) = (Arc::clone(&self.reach), key.to_owned());
        let (bytes, content_type) = (Bytes::copy_from_slice(bytes), content_type.to_owned());
        self.reach.on_io(async move { reach.put(&key, bytes, &content_type, &condition).await }).await
    }

    /// Deletes an object. One that is not there is no error, unless a version of it is expected.
    pub(in super::super) async fn delete(&self, key: &str, precondition: &Precondition) -> Result<(), ObjectError> {
        keys::check(key)?;
        let condition = Condition::of(key, precondition)?;
        let (reach, key) = (Arc::clone(&self.reach), key.to_owned());
        let must_be_absent = *precondition == Precondition::Absent;
        self.reach
            .on_io(async move {
                if must_be_absent { reach.absent(&key).await } else { reach.delete(&key, &condition).await }
            })
            .await
    }
}

impl Reach {
    pub(super) async fn put(
        &self,
        key: &str,
        bytes: Bytes,
        content_type: &str,
        condition: &Condition,
    ) -> Result<String, ObjectError> {
        let client = self.client().await?;
        let answer = self
            .write(Action::Write, key, condition, || {
                client
                    .put_object()
                    .bucket(&self.root.bucket)
                    .key(self.whole(key))
                    .set_content_type(Some(content_type.to_owned()).filter(|text| !text.is_empty()))
                    .set_if_match(condition.if_match.clone())
                    .set_if_none_match(condition.if_none_match.clone())
                    .body(ByteStream::from(bytes.clone()))
                    .customize()
                    .config_override(once())
                    .send()
            })
            .await?;
        version(key, answer.e_tag())
    }

    async fn delete(&self, key: &str, condition: &Condition) -> Result<(), ObjectError> {
        let client = self.client().await?;
        let result = self
            .write(Action::Delete, key, condition, || {
                client
                    .delete_object()
                    .bucket(&self.root.bucket)
                    .key(self.whole(key))
                    .set_if_match(condition.if_match.clone())
                    .customize()
                    .config_override(once())
                    .send()
            })
            .await;
        match result {
            // Some stores say so.
            Err(ObjectError::NotFound(_)) if condition.is_none() => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// Whether there is no such object: deleting it would change nothing.
    async fn absent(&self, key: &str) -> Result<(), ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        match client.head_object().bucket(&self.root.bucket).key(&whole).send().await {
            Ok(_) => Err(ObjectError::Precondition(format!("{} exists already", shown(key)))),
            Err(error) => match self.failed(Action::Read, &whole, &error) {
                ObjectError::NotFound(_) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Tries a write until what became of it is known, or it has been tried often enough.
    pub(super) async fn write<T, E, F>(
        &self,
        action: Action,
        key: &str,
        condition: &Condition,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, ObjectError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let limits = &self.buckets.limits;
        let mut pause = limits.backoff;
        let mut doubt = false;
        let mut tries = 1;
        loop {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let taken = faults::taken(&error);
            doubt |= taken == Taken::Unknown;
            let again = match taken {
                Taken::No => false,
                Taken::NotYet => true,
                Taken::Unknown => condition.is_none(),
            };
            if !again || tries >= limits.attempts {
                return Err(self.unwritten(action, key, condition, &error, doubt));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }

    fn unwritten<E>(
        &self,
        action: Action,
        key: &str,
        condition: &Condition,
        error: &SdkError<E, HttpResponse>,
        doubt: bool,
    ) -> ObjectError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let whole = self.whole(key);
        let (status, code) = faults::answered(error).unwrap_or_default();
        let failed = match (status, code.as_str()) {
            (412, _) if condition.if_none_match.is_some() => {
                ObjectError::Precondition(format!("{} exists already", shown(key)))
            }
            (412, _) => ObjectError::Precondition(format!("{} is another version by now", shown(key))),
            (409, "ConditionalRequestConflict") => {
                ObjectError::Precondition(format!("{} is being written by somebody else at the same time", shown(key)))
            }
            // Nothing is there whose version could match.
            (404, "NoSuchKey") if condition.if_match.is_some() => {
                ObjectError::Precondition(format!("{} does not exist, but a version of it was expected", shown(key)))
            }
            _ => self.failed(action, &whole, error),
        };
        match failed {
            error @ (ObjectError::Precondition(_) | ObjectError::Unavailable(_) | ObjectError::NotFound(_))
                if doubt =>
            {
                ObjectError::Unknown(format!("it is not known whether {} was written or deleted: {error}", shown(key)))
            }
            error => error,
        }
    }
}

/// The version that was written.
pub(super) fn version(key: &str, answered: Option<&str>) -> Result<String, ObjectError> {
    answered.map(etag::read).ok_or_else(|| {
        ObjectError::Unknown(format!("the store wrote {} and does not say which version it is (ETag)", shown(key)))
    })
}

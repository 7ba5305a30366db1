//! The imports that lead outside: each is handed to the broker, which decides.

use std::time::Duration;

use wasmtime::component::Resource;

use super::bindings::imports::{about, aws, http, objects, types};
use super::guest::Guest;
use crate::broker::{self, AwsError, HttpError, ObjectError};
use crate::failpoint::failpoint;

impl types::Host for Guest {}
impl about::Host for Guest {}

/// A table that holds no more handles is the guest's affair: it is told, and goes on.
fn full(error: wasmtime::component::ResourceTableError) -> objects::Error {
    objects::Error::Other(format!("too many objects are open at once: {error}"))
}

/// A handle that is not in the table cannot come from a well-behaved guest.
fn gone<T>(error: T) -> objects::Error
where
    T: std::fmt::Display,
{
    objects::Error::Other(format!("there is no such handle: {error}"))
}

impl objects::Host for Guest {
    async fn list(
        &mut self,
        prefix: String,
        start_after: Option<String>,
    ) -> Result<Resource<broker::Listing>, objects::Error> {
        let listing = self.session.list(&prefix, start_after.as_deref()).await?;
        self.table.push(listing).map_err(full)
    }

    async fn get(&mut self, key: String, etag: Option<String>) -> Result<Resource<broker::Body>, objects::Error> {
        let body = self.session.get(&key, etag.as_deref()).await?;
        self.table.push(body).map_err(full)
    }

    async fn prefetch(&mut self, keys: Vec<String>) {
        self.session.prefetch(keys);
    }

    async fn put(
        &mut self,
        key: String,
        bytes: Vec<u8>,
        content_type: String,
        precondition: objects::Precondition,
    ) -> Result<String, objects::Error> {
        failpoint("putting-object");
        let etag = self.session.put(&key, &bytes, &content_type, &precondition.into()).await?;
        failpoint("put-object");
        Ok(etag)
    }

    async fn begin_upload(
        &mut self,
        key: String,
        content_type: String,
    ) -> Result<Resource<broker::Upload>, objects::Error> {
        failpoint("beginning-object");
        let upload = self.session.upload(&key, &content_type).await?;
        self.table.push(upload).map_err(full)
    }

    async fn delete(&mut self, key: String, precondition: objects::Precondition) -> Result<(), objects::Error> {
        Ok(self.session.delete(&key, &precondition.into()).await?)
    }
}

impl objects::HostListing for Guest {
    async fn next(
        &mut self,
        listing: Resource<broker::Listing>,
    ) -> Result<Option<Vec<objects::Object>>, objects::Error> {
        let listing = self.table.get_mut(&listing).map_err(gone)?;
        Ok(listing.next().await?.map(|objects| objects.into_iter().map(Into::into).collect()))
    }

    async fn drop(&mut self, listing: Resource<broker::Listing>) -> wasmtime::Result<()> {
        self.table.delete(listing)?;
        Ok(())
    }
}

impl objects::HostBody for Guest {
    async fn object(&mut self, body: Resource<broker::Body>) -> objects::Object {
        match self.table.get(&body) {
            Ok(body) => body.object().clone().into(),
            Err(_) => objects::Object { key: String::new(), etag: String::new(), size: 0, modified: None },
        }
    }

    async fn read(&mut self, body: Resource<broker::Body>, max: u32) -> Result<Vec<u8>, objects::Error> {
        Ok(self.table.get_mut(&body).map_err(gone)?.read(max).await?)
    }

    async fn drop(&mut self, body: Resource<broker::Body>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl objects::HostUpload for Guest {
    async fn write(&mut self, upload: Resource<broker::Upload>, bytes: Vec<u8>) -> Result<(), objects::Error> {
        failpoint("writing-object");
        Ok(self.table.get_mut(&upload).map_err(gone)?.write(&bytes).await?)
    }

    async fn commit(
        &mut self,
        upload: Resource<broker::Upload>,
        precondition: objects::Precondition,
    ) -> Result<String, objects::Error> {
        failpoint("ending-object");
        let etag = self.table.get_mut(&upload).map_err(gone)?.commit(&precondition.into()).await?;
        failpoint("ended-object");
        Ok(etag)
    }

    async fn drop(&mut self, upload: Resource<broker::Upload>) -> wasmtime::Result<()> {
        self.table.delete(upload)?;
        Ok(())
    }
}

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Result<http::Response, http::Error> {
        let http::Request { method, url, headers, body, timeout } = request;
        let timeout = timeout.map(|millis| Duration::from_millis(millis.into()));
        let response = self.session.send(broker::Request { method, url, headers, body, timeout }).await?;
        let broker::Response { status, headers, body } = response;
        Ok(http::Response { status, headers, body })
    }

    async fn secret(&mut self, name: String, encoding: http::Encoding) -> Result<String, http::Error> {
        Ok(self.session.secret(&name, encoding.into())?)
    }

    async fn conceal(&mut self, value: String) {
        self.session.conceal(&value);
    }
}

impl aws::Host for Guest {
    async fn call(&mut self, service: String, action: String, body: String) -> Result<String, aws::Error> {
        Ok(self.session.call(&service, &action, &body).await?)
    }
}

impl From<ObjectError> for objects::Error {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Denied(text) => objects::Error::Denied(text),
            ObjectError::NotFound(text) => objects::Error::NotFound(text),
            ObjectError::Precondition(text) => objects::Error::Precondition(text),
            ObjectError::Unavailable(text) | ObjectError::Unknown(text) => objects::Error::Unavailable(text),
            ObjectError::Other(text) => objects::Error::Other(text),
        }
    }
}

impl From<HttpError> for http::Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(text) => http::Error::Denied(text),
            HttpError::NotSent(text) => http::Error::NotSent(text),
            HttpError::Unanswered(text) => http::Error::Unanswered(text),
            HttpError::TooLarge(text) => http::Error::TooLarge(text),
            HttpError::Other(text) => http::Error::Other(text),
        }
    }
}

impl From<AwsError> for aws::Error {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Denied(text) => aws::Error::Denied(text),
            AwsError::NotSent(text) => aws::Error::NotSent(text),
            AwsError::Unanswered(text) => aws::Error::Unanswered(text),
            AwsError::Service(error) => {
                let broker::ServiceError { status, code, message, body, retry_after } = *error;
                // Nobody waits for 49 days.
                let retry_after = retry_after.map(|wait| wait.as_millis().try_into().unwrap_or(u32::MAX));
                aws::Error::Service(aws::ServiceError { status, code, message, body, retry_after })
            }
            AwsError::Other(text) => aws::Error::Other(text),
        }
    }
}

impl From<broker::Object> for objects::Object {
    fn from(object: broker::Object) -> Self {
        let broker::Object { key, etag, size, modified } = object;
        objects::Object { key, etag, size, modified }
    }
}

impl From<objects::Precondition> for broker::Precondition {
    fn from(precondition: objects::Precondition) -> Self {
        match precondition {
            objects::Precondition::None => broker::Precondition::None,
            objects::Precondition::Absent => broker::Precondition::Absent,
            objects::Precondition::Match(etag) => broker::Precondition::Match(etag),
            objects::Precondition::Other(text) => broker::Precondition::Other(text),
        }
    }
}

impl From<http::Encoding> for broker::Encoding {
    fn from(encoding: http::Encoding) -> Self {
        match encoding {
            http::Encoding::Raw => broker::Encoding::Raw,
            http::Encoding::Json => broker::Encoding::Json,
            http::Encoding::Form => broker::Encoding::Form,
            http::Encoding::Basic => broker::Encoding::Basic,
            http::Encoding::Other => broker::Encoding::Other,
        }
    }
}

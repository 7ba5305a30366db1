//! Objects in a bucket or a folder, under the prefixes that the pipeline grants. Keys are relative to the granted URL.
//!
//! Outside a component these functions reach what [`testing`](crate::testing) put on the stage.

pub use crate::bindings::imports::objects::{Error, Object, Precondition};

#[cfg(target_arch = "wasm32")]
use crate::bindings::imports::objects as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::objects as host;

/// A listing under way.
pub struct Listing(host::Listing);

/// An object's contents, read in pieces.
pub struct Body(host::Body);

/// A large object that is being written. Dropped before [`commit`](Upload::commit), it leaves nothing behind.
pub struct Upload(host::Upload);

/// Lists the objects whose keys begin with `prefix` and stand after `start_after`, in ascending byte order of their
/// keys.
pub fn list(prefix: &str, start_after: Option<&str>) -> Result<Listing, Error> {
    host::list(prefix, start_after).map(Listing)
}

/// Opens an object; with `etag`, only that version of it.
pub fn get(key: &str, etag: Option<&str>) -> Result<Body, Error> {
    host::get(key, etag).map(Body)
}

/// Says that these objects will be asked for soon, in this order.
pub fn prefetch(keys: &[String]) {
    host::prefetch(keys);
}

/// Writes an object at once; answers its ETag.
pub fn put(key: &str, bytes: &[u8], content_type: &str, precondition: &Precondition) -> Result<String, Error> {
    host::put(key, bytes, content_type, precondition)
}

/// Begins an object that is written in pieces.
pub fn upload(key: &str, content_type: &str) -> Result<Upload, Error> {
    host::begin_upload(key, content_type).map(Upload)
}

/// Deletes an object. One that is not there is no error.
pub fn delete(key: &str, precondition: &Precondition) -> Result<(), Error> {
    host::delete(key, precondition)
}

impl Listing {
    /// The next objects; `None` at the end.
    #[expect(clippy::should_implement_trait, reason = "it fails, and ends with an error as well as with nothing")]
    pub fn next(&mut self) -> Result<Option<Vec<Object>>, Error> {
        self.0.next()
    }
}

impl Body {
    /// What is being read.
    pub fn object(&self) -> Object {
        self.0.object()
    }

    /// The next bytes, at most `max`, at least one; empty at the end.
    pub fn read(&mut self, max: u32) -> Result<Vec<u8>, Error> {
        self.0.read(max)
    }
}

impl Upload {
    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write(bytes)
    }

    /// Makes the object visible, whole; answers its ETag.
    pub fn commit(self, precondition: &Precondition) -> Result<String, Error> {
        self.0.commit(precondition)
    }
}

/// The error's text, without its kind.
pub fn message(error: &Error) -> &str {
    match error {
        Error::Denied(text)
        | Error::NotFound(text)
        | Error::Precondition(text)
        | Error::Unavailable(text)
        | Error::Other(text) => text,
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(text) => crate::Error::Denied(text),
            Error::Other(text) => crate::Error::Other(text),
            Error::NotFound(text) | Error::Precondition(text) | Error::Unavailable(text) => {
                crate::Error::Unavailable(text)
            }
        }
    }
}

//! Objects as plugins see them, wherever they lie: in a folder or in a bucket.

use super::bucket::{BucketBody, BucketListing, BucketUpload};
use super::errors::ObjectError;
use super::folder::FolderBody;
use super::folder_list::FolderListing;
use super::folder_write::FolderUpload;

/// One object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Relative to the granted URL, with `/` between its parts.
    pub key: String,
    /// Changes whenever the contents do. Opaque.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// When it was last written, in milliseconds since 1970-01-01T00:00:00Z, where the store says so.
    pub modified: Option<i64>,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: the last writer wins.
    None,
    /// There is no object of this key.
    Absent,
    /// The object is there, and this is its ETag.
    Match(String),
    /// One that this version does not know; it never holds.
    Other(String),
}

/// A listing under way.
pub struct Listing(pub(super) AnyListing);

pub(super) enum AnyListing {
    Folder(FolderListing),
    Bucket(BucketListing),
}

impl Listing {
    /// The next objects, in ascending byte order of their keys, at least one; nothing at the end.
    ///
    /// A store that cannot be read, a name that cannot be a key, and a link that leads out of the grant are errors, never
    /// left out: what is missing from a listing would be missing from a bill.
    pub async fn next(&mut self) -> Result<Option<Vec<Object>>, ObjectError> {
        match &mut self.0 {
            AnyListing::Folder(listing) => listing.next(),
            AnyListing::Bucket(listing) => listing.next().await,
        }
    }
}

/// An object's contents, read in pieces.
pub struct Body(pub(super) AnyBody);

pub(super) enum AnyBody {
    Folder(FolderBody),
    Bucket(BucketBody),
}

impl Body {
    /// The version that the bytes belong to.
    pub fn object(&self) -> &Object {
        match &self.0 {
            AnyBody::Folder(body) => body.object(),
            AnyBody::Bucket(body) => body.object(),
        }
    }

    /// The next bytes, at most `max` and at least one; empty at the end. An object that changed or broke off on the way is
    /// `Unavailable`, before the piece that would be its last.
    pub async fn read(&mut self, max: u32) -> Result<Vec<u8>, ObjectError> {
        match &mut self.0 {
            AnyBody::Folder(body) => body.read(max),
            AnyBody::Bucket(body) => body.read(max).await,
        }
    }
}

/// An object that is written in pieces.
pub(super) enum AnyUpload {
    Folder(FolderUpload),
    Bucket(BucketUpload),
}

impl AnyUpload {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        match self {
            AnyUpload::Folder(upload) => upload.write(bytes),
            AnyUpload::Bucket(upload) => upload.write(bytes).await,
        }
    }

    pub(super) async fn commit(&mut self, precondition: &Precondition) -> Result<String, ObjectError> {
        match self {
            AnyUpload::Folder(upload) => upload.commit(precondition),
            AnyUpload::Bucket(upload) => upload.commit(precondition).await,
        }
    }
}

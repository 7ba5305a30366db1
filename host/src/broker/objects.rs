//! Objects as plugins see them, wherever they lie. For now they lie in folders.

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
pub struct Listing(pub(super) FolderListing);

impl Listing {
    /// The next objects, in ascending byte order of their keys, at least one; nothing at the end.
    ///
    /// A folder that cannot be read, a name that cannot be a key, and a link that leads out of the grant are errors, never
    /// left out: what is missing from a listing would be missing from a bill.
    pub async fn next(&mut self) -> Result<Option<Vec<Object>>, ObjectError> {
        self.0.next()
    }
}

/// An object's contents, read in pieces.
pub struct Body(pub(super) FolderBody);

impl Body {
    /// The version that the bytes belong to.
    pub fn object(&self) -> &Object {
        self.0.object()
    }

    /// The next bytes, at most `max` and at least one; empty at the end. An object that changed or broke off on the way is
    /// `Unavailable`, before the piece that would be its last.
    pub async fn read(&mut self, max: u32) -> Result<Vec<u8>, ObjectError> {
        self.0.read(max)
    }
}

/// A large object that is being written. Dropped without `commit`, it leaves nothing behind.
pub struct Upload(pub(super) FolderUpload);

impl Upload {
    /// Appends bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.0.write(bytes)
    }

    /// Makes the object visible, whole or not at all, and durable; answers its ETag. An upload commits once.
    pub async fn commit(&mut self, precondition: &Precondition) -> Result<String, ObjectError> {
        self.0.commit(precondition)
    }
}

//! A large object that a session writes in pieces.

use super::errors::ObjectError;
use super::objects::{AnyUpload, Precondition};
use super::session::Session;

/// A large object that is being written. Dropped without `commit`, it leaves nothing behind.
pub struct Upload {
    session: Session,
    pieces: AnyUpload,
}

impl Upload {
    pub(super) fn new(session: Session, pieces: AnyUpload) -> Self {
        Upload { session, pieces }
    }

    /// Appends bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        // Not asked about: no object comes of the pieces alone.
        self.pieces.write(bytes).await
    }

    /// Makes the object visible, whole or not at all, and durable; answers its ETag. An upload commits once, but for a commit that
    /// the session's gate kept back, which can be tried again.
    pub async fn commit(&mut self, precondition: &Precondition) -> Result<String, ObjectError> {
        self.session.begin_write()?;
        self.pieces.commit(precondition).await
    }
}

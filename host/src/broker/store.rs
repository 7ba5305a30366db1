//! A granted place, whichever kind it is of.

use std::sync::Arc;

use super::account::Account;
use super::bucket::{Bucket, Buckets};
use super::errors::ObjectError;
use super::folder::Folder;
use super::objects::{AnyBody, AnyListing, AnyUpload, Body, Listing, Precondition};
use super::root::Root;

/// A folder or a bucket, for one session.
pub(super) enum Store {
    Folder(Folder),
    Bucket(Bucket),
}

impl Store {
    /// Nothing is opened yet.
    pub(super) fn new(root: &Root, account: &Account, buckets: &Arc<Buckets>) -> Self {
        match root {
            Root::Folder(folder) => Store::Folder(Folder::new(folder.clone())),
            Root::Bucket(root) => Store::Bucket(Bucket::new(buckets, account, root)),
        }
    }

    /// Whether it is a folder that is not there.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Store::Folder(folder) => folder.is_missing(),
            Store::Bucket(_) => false,
        }
    }

    /// Makes a folder that is missing.
    pub(super) fn made(&self) -> Result<(), ObjectError> {
        match self {
            Store::Folder(folder) => folder.dir_for_writing().map(drop),
            Store::Bucket(_) => Ok(()),
        }
    }

    pub(super) fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, ObjectError> {
        match self {
            Store::Folder(folder) => folder.list(prefix, after).map(AnyListing::Folder),
            Store::Bucket(bucket) => Ok(AnyListing::Bucket(bucket.list(prefix, after))),
        }
        .map(Listing)
    }

    pub(super) async fn get(&self, key: &str, etag: Option<&str>) -> Result<Body, ObjectError> {
        match self {
            Store::Folder(folder) => folder.get(key, etag).map(AnyBody::Folder),
            Store::Bucket(bucket) => bucket.get(key, etag).await.map(AnyBody::Bucket),
        }
        .map(Body)
    }

    pub(super) async fn part(&self, key: &str, from: u64, length: usize) -> Result<Vec<u8>, ObjectError> {
        match self {
            Store::Folder(folder) => folder.part(key, from, length),
            Store::Bucket(bucket) => bucket.part(key, from, length).await,
        }
    }

    pub(super) fn prefetch(&self, keys: Vec<String>) {
        if let Store::Bucket(bucket) = self {
            bucket.announce(keys);
        }
    }

    pub(super) fn forget_prefetched(&self) {
        if let Store::Bucket(bucket) = self {
            bucket.forget_announced();
        }
    }

    pub(super) async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        content_type: &str,
        precondition: &Precondition,
    ) -> Result<String, ObjectError> {
        match self {
            Store::Folder(folder) => folder.put(key, bytes, precondition),
            Store::Bucket(bucket) => bucket.put(key, bytes, content_type, precondition).await,
        }
    }

    pub(super) fn upload(&self, key: &str, content_type: &str) -> Result<AnyUpload, ObjectError> {
        match self {
            Store::Folder(folder) => folder.upload(key).map(AnyUpload::Folder),
            Store::Bucket(bucket) => bucket.upload(key, content_type).map(AnyUpload::Bucket),
        }
    }

    pub(super) async fn delete(&self, key: &str, precondition: &Precondition) -> Result<(), ObjectError> {
        match self {
            Store::Folder(folder) => folder.delete(key, precondition),
            Store::Bucket(bucket) => bucket.delete(key, precondition).await,
        }
    }
}

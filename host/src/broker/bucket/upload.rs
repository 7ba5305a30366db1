//! Large objects, written in parts.
//!
//! Nothing is sent before a part is full, so that a small object is written at once, with one request and under the same rules as
//! every other. The parts are no object until the upload is completed; one that is dropped is broken off, as far as that can still be
//! done. What a lost machine leaves behind costs money until it is removed: a lifecycle rule of the bucket
//! (`AbortIncompleteMultipartUpload`) does that.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::objects::Precondition;
use super::faults::Action;
use super::write::{Condition, once, version};
use super::{Bucket, Reach, keys};

/// A part is at least this share of what was written before it, so that 10,000 of them, which is all that S3 takes, suffice for the
/// largest object.
const SHARE: usize = 1000;

/// An object that is being written.
pub(in super::super) struct BucketUpload {
    reach: Arc<Reach>,
    key: String,
    content_type: String,
    /// What no part holds yet.
    rest: Vec<u8>,
    /// In bytes.
    written: usize,
    parts: Vec<CompletedPart>,
    /// Once the first part is there.
    id: Option<String>,
    is_over: bool,
}

impl Bucket {
    /// Begins an object that is written in pieces.
    pub(in super::super) fn upload(&self, key: &str, content_type: &str) -> Result<BucketUpload, ObjectError> {
        keys::check(key)?;
        Ok(BucketUpload {
            reach: Arc::clone(&self.reach),
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            rest: Vec::new(),
            written: 0,
            parts: Vec::new(),
            id: None,
            is_over: false,
        })
    }
}

impl BucketUpload {
    pub(in super::super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.check_open()?;
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let size = self.reach.buckets.limits.part_bytes.max(self.written / SHARE).max(1);
            let (now, later) = bytes.split_at(bytes.len().min(size.saturating_sub(self.rest.len())));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() >= size {
                let sent = self.send_part().await;
                // A part that is missing would leave a hole.
                self.is_over = sent.is_err();
                sent?;
            }
        }
        Ok(())
    }

    pub(in super::super) async fn commit(&mut self, precondition: &Precondition) -> Result<String, ObjectError> {
        self.check_open()?;
        let condition = Condition::of(&self.key, precondition)?;
        self.is_over = true;
        let rest = Bytes::from(std::mem::take(&mut self.rest));
        let Some(id) = self.id.clone() else {
            let (reach, key, content_type) = (Arc::clone(&self.reach), self.key.clone(), self.content_type.clone());
            return self.reach.on_io(async move { reach.put(&key, rest, &content_type, &condition).await }).await;
        };
        if !rest.is_empty() {
            self.rest = rest.into();
            self.send_part().await?;
        }
        let (reach, key, parts) = (Arc::clone(&self.reach), self.key.clone(), std::mem::take(&mut self.parts));
        let completing = id.clone();
        let result = self.reach.on_io(async move { reach.complete(&key, &completing, parts, &condition).await }).await;
        // Where it is not known whether it was completed, breaking it off would do nothing, or undo nothing.
        if result.is_ok() {
            self.id = None;
        }
        result
    }

    async fn send_part(&mut self) -> Result<(), ObjectError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let bytes = Bytes::from(std::mem::take(&mut self.rest));
        let length = bytes.len();
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let (reach, key, content_type) = (Arc::clone(&self.reach), self.key.clone(), self.content_type.clone());
                let id = self.reach.on_io(async move { reach.create(&key, &content_type).await }).await?;
                self.id.insert(id).clone()
            }
        };
        let (reach, key) = (Arc::clone(&self.reach), self.key.clone());
        let part = self.reach.on_io(async move { reach.part(&key, &id, number, bytes).await }).await?;
        self.parts.push(part);
        self.written += length;
        Ok(())
    }

    fn check_open(&self) -> Result<(), ObjectError> {
        if self.is_over {
            return Err(ObjectError::Other(format!(
                "the upload of {} is over: it was committed or failed to",
                shown(&self.key)
            )));
        }
        Ok(())
    }
}

impl Drop for BucketUpload {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let (reach, key) = (Arc::clone(&self.reach), self.key.clone());
            // Nobody waits for it, and nobody could do more if it failed.
            drop(self.reach.buckets.io.spawn(async move {
                if let Err(error) = reach.abort(&key, &id).await {
                    tracing::debug!(key, %error, "an upload could not be broken off");
                }
            }));
        }
    }
}

impl Reach {
    async fn create(&self, key: &str, content_type: &str) -> Result<String, ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        let answer = client
            .create_multipart_upload()
            .bucket(&self.root.bucket)
            .key(&whole)
            .set_content_type(Some(content_type.to_owned()).filter(|text| !text.is_empty()))
            .send()
            .await
            .map_err(|error| self.failed(Action::Write, &whole, &error))?;
        answer.upload_id().map(str::to_owned).ok_or_else(|| {
            ObjectError::Unavailable(format!("the store began no upload of {}: it gave no id", shown(key)))
        })
    }

    async fn part(&self, key: &str, id: &str, number: i32, bytes: Bytes) -> Result<CompletedPart, ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        let answer = client
            .upload_part()
            .bucket(&self.root.bucket)
            .key(&whole)
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| self.failed(Action::Write, &whole, &error))?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag)
            .set_checksum_crc32(answer.checksum_crc32)
            .set_checksum_crc32_c(answer.checksum_crc32_c)
            .set_checksum_crc64_nvme(answer.checksum_crc64_nvme)
            .set_checksum_sha1(answer.checksum_sha1)
            .set_checksum_sha256(answer.checksum_sha256);
        Ok(part.build())
    }

    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: Vec<CompletedPart>,
        condition: &Condition,
    ) -> Result<String, ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let answer = self
            .write(Action::Write, key, condition, || {
                client
                    .complete_multipart_upload()
                    .bucket(&self.root.bucket)
                    .key(&whole)
                    .upload_id(id)
                    .multipart_upload(parts.clone())
                    .set_if_match(condition.if_match.clone())
                    .set_if_none_match(condition.if_none_match.clone())
                    .customize()
                    .config_override(once())
                    .send()
            })
            .await?;
        version(key, answer.e_tag())
    }

    async fn abort(&self, key: &str, id: &str) -> Result<(), ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        let answer = client.abort_multipart_upload().bucket(&self.root.bucket).key(&whole).upload_id(id).send().await;
        answer.map(|_| ()).map_err(|error| self.failed(Action::Abort, &whole, &error))
    }
}

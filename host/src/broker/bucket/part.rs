//! A part of an object, by a range: for whoever knows where in it stands what they need.

use std::sync::Arc;

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::identity::causes;
use super::faults::{self, Action};
use super::{Bucket, Reach, keys};

/// How often a part that breaks off on its way is asked for.
const TRIES: u32 = 4;
/// What a store answers when an object ends before the part begins.
const ENDS_BEFORE: u16 = 416;

impl Bucket {
    /// At most so many bytes from this one on; fewer where the object ends before.
    pub(in super::super) async fn part(&self, key: &str, from: u64, length: usize) -> Result<Vec<u8>, ObjectError> {
        keys::check(key)?;
        if length == 0 {
            return Ok(Vec::new());
        }
        let (reach, key) = (Arc::clone(&self.reach), key.to_owned());
        self.reach.on_io(async move { reach.range(&key, from, from.saturating_add(length as u64) - 1).await }).await
    }
}

impl Reach {
    async fn range(&self, key: &str, first: u64, last: u64) -> Result<Vec<u8>, ObjectError> {
        let whole = self.whole(key);
        let client = self.client().await?;
        let mut tries = 1;
        loop {
            let request = client.get_object().bucket(&self.root.bucket).key(&whole);
            let answer = match request.range(format!("bytes={first}-{last}")).send().await {
                Ok(answer) => answer,
                Err(error) => match faults::answered(&error) {
                    Some((ENDS_BEFORE, _)) => return Ok(Vec::new()),
                    _ => return Err(self.failed(Action::Read, &whole, &error)),
                },
            };
            if !answer.content_range().is_some_and(|range| range.starts_with(&format!("bytes {first}-"))) {
                let text = format!("the store did not send the part of {} that was asked for", shown(key));
                return Err(ObjectError::Unavailable(text));
            }
            let patience = self.buckets.exchanges.deadline(None);
            let why = match tokio::time::timeout(patience, answer.body.collect()).await {
                Ok(Ok(bytes)) => return Ok(bytes.to_vec()),
                Ok(Err(error)) => causes(&error),
                Err(_) => format!("it did not come within {} s", patience.as_secs_f64()),
            };
            if tries >= TRIES {
                let text = format!("a part of {} broke off on its way, {tries} times: {why}", shown(key));
                return Err(ObjectError::Unavailable(text));
            }
            tries += 1;
        }
    }
}

//! Listing a bucket: pages of keys, the next one on its way while the plugin works on the last.

use std::sync::Arc;

use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use percent_encoding::percent_decode_str;

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::objects::Object;
use super::super::task::AbortOnDrop;
use super::faults::Action;
use super::{Bucket, Reach, etag};

/// Pages that hold nothing, and promise more, one after the other. A store that goes on so would be listed for ever.
const MOST_EMPTY: u32 = 1000;

/// A listing under way.
pub(in super::super) struct BucketListing {
    asked: Arc<Asked>,
    /// The next page, on its way.
    coming: Option<AbortOnDrop<Result<Page, ObjectError>>>,
    /// The token that it was asked for with.
    token: Option<String>,
    /// The last key so far.
    last: Option<String>,
    empty: u32,
    /// Once it failed, it stays so.
    broken: Option<ObjectError>,
}

struct Asked {
    reach: Arc<Reach>,
    prefix: String,
    after: Option<String>,
}

struct Page {
    objects: Vec<Object>,
    /// With which the page after it is asked for.
    next: Option<String>,
}

impl Bucket {
    /// Lists the keys that begin with `prefix` and stand after `after`.
    pub(in super::super) fn list(&self, prefix: &str, after: Option<&str>) -> BucketListing {
        let reach = Arc::clone(&self.reach);
        let asked = Asked {
            prefix: reach.whole(prefix),
            after: after.filter(|after| !after.is_empty()).map(|after| reach.whole(after)),
            reach,
        };
        let mut listing =
            BucketListing { asked: Arc::new(asked), coming: None, token: None, last: None, empty: 0, broken: None };
        listing.ask(None);
        listing
    }
}

impl BucketListing {
    /// The next objects, at least one; nothing at the end.
    pub(in super::super) async fn next(&mut self) -> Result<Option<Vec<Object>>, ObjectError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let result = self.page().await;
        self.broken = result.as_ref().err().cloned();
        result
    }

    async fn page(&mut self) -> Result<Option<Vec<Object>>, ObjectError> {
        while let Some(coming) = self.coming.take() {
            let page = coming.await.unwrap_or_else(|error| {
                Err(ObjectError::Unavailable(format!("the listing was broken off: {error}")))
            })?;
            self.judge(&page)?;
            if let Some(next) = page.next {
                self.ask(Some(next));
            }
            if !page.objects.is_empty() {
                return Ok(Some(page.objects));
            }
        }
        Ok(None)
    }

    fn ask(&mut self, token: Option<String>) {
        self.token.clone_from(&token);
        let task = self.asked.reach.buckets.io.spawn(Arc::clone(&self.asked).page(token));
        self.coming = Some(AbortOnDrop(task));
    }

    /// A store that leaves the order, or goes in circles, would have keys read twice or not at all.
    fn judge(&mut self, page: &Page) -> Result<(), ObjectError> {
        let bucket = &self.asked.reach.root.bucket;
        for object in &page.objects {
            if self.last.as_ref().is_some_and(|last| *last >= object.key) {
                return Err(ObjectError::Unavailable(format!(
                    "the listing of the bucket `{bucket}` is not in ascending order ({} comes after {}), so that it cannot be trusted; \
                     directory buckets list like this, and cannot be used",
                    shown(&object.key),
                    shown(self.last.as_deref().unwrap_or_default())
                )));
            }
            self.last = Some(object.key.clone());
        }
        self.empty = if page.objects.is_empty() { self.empty + 1 } else { 0 };
        if (page.next.is_some() && page.next == self.token) || self.empty > MOST_EMPTY {
            return Err(ObjectError::Unavailable(format!(
                "the listing of the bucket `{bucket}` goes in circles: the store repeats a page"
            )));
        }
        Ok(())
    }
}

impl Asked {
    async fn page(self: Arc<Self>, token: Option<String>) -> Result<Page, ObjectError> {
        let Asked { reach, prefix, after } = &*self;
        let client = reach.client().await?;
        let answer = client
            .list_objects_v2()
            .bucket(&reach.root.bucket)
            .prefix(prefix)
            .set_start_after(after.clone())
            .set_continuation_token(token)
            // XML cannot hold every key.
            .encoding_type(EncodingType::Url)
            .customize()
            .interceptor(WholeDocument)
            .send()
            .await
            .map_err(|error| reach.failed(Action::List, prefix, &error))?;
        self.read(answer)
    }

    fn read(&self, answer: ListObjectsV2Output) -> Result<Page, ObjectError> {
        let unreadable = |what: String| {
            ObjectError::Unavailable(format!("the listing of the bucket `{}` {what}", self.reach.root.bucket))
        };
        let is_encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let mut objects = Vec::with_capacity(answer.contents().len());
        for found in answer.contents() {
            let text = found.key().ok_or_else(|| unreadable("has an entry without a key".to_owned()))?;
            let key = if is_encoded { decoded(text) } else { Some(text.to_owned()) };
            let key = key.ok_or_else(|| unreadable(format!("has the key {}, which is not UTF-8", shown(text))))?;
            let size = found.size().and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| unreadable(format!("does not say how large {} is", shown(&key))))?;
            let version = found.e_tag().map(etag::read);
            let version = version.ok_or_else(|| unreadable(format!("has no ETag for {}", shown(&key))))?;
            if !key.starts_with(&self.prefix) {
                return Err(unreadable(format!("has the key {}, which was not asked for", shown(&key))));
            }
            let relative = key.strip_prefix(&self.reach.root.prefix).unwrap_or_default();
            if relative.is_empty() {
                // The console makes such an object for a folder. It holds nothing, and has no key that a plugin could name.
                if size == 0 {
                    continue;
                }
                return Err(unreadable(format!(
                    "has an object whose key is the granted prefix itself ({}), which no plugin can name: move it, or grant more",
                    shown(&key)
                )));
            }
            let modified = found.last_modified().and_then(|time| time.to_millis().ok());
            objects.push(Object { key: relative.to_owned(), etag: version, size, modified });
        }
        let next = answer.next_continuation_token().map(str::to_owned);
        if answer.is_truncated() == Some(true) && next.is_none() {
            return Err(unreadable("breaks off: the store says that there is more, and not where".to_owned()));
        }
        Ok(Page { objects, next: next.filter(|_| answer.is_truncated() != Some(false)) })
    }
}

/// Refuses a page that ends in the middle: the SDK would take what there is of it for all of it.
#[derive(Debug)]
struct WholeDocument;

#[dyn_dispatch_hint]
impl Intercept for WholeDocument {
    fn name(&self) -> &'static str {
        "WholeDocument"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        let body = answer.body().bytes().unwrap_or_default();
        if answer.status().is_success() && !body.trim_ascii_end().ends_with(b"</ListBucketResult>") {
            return Err("the page of keys ends in the middle".into());
        }
        Ok(())
    }
}

/// A key from a listing of the encoding `url`, in which some stores write a space as `+`, and a plus as `%2B`.
fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(|key| key.into_owned())
}

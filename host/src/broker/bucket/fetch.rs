//! An object on its way into memory: begun before it is read, mended where it breaks off, and never ended early.
//!
//! A task on the broker's runtime takes the object off the store and keeps a window of it; whoever reads empties the window. The last
//! bytes are handed out only when the store has ended the body where it said that it would, and the checksum, where the store keeps
//! one of the whole object, was right. A transfer that breaks off goes on where it was, by a range of the same version.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::super::errors::ObjectError;
use super::super::folder::shown;
use super::super::identity::causes;
use super::super::objects::Object;
use super::super::task::AbortOnDrop;
use super::super::{held, shortened};
use super::faults::{self, Action};
use super::{Bucket, Reach, etag, keys};

/// How much of an object is kept ahead of its reader, in bytes. A smaller object is fetched whole.
pub(super) const WINDOW: usize = 2 * 1024 * 1024;
/// A reader that asks for more waits for no more than this, in bytes: what is there may be decoded meanwhile.
const GATHERED: usize = 256 * 1024;
/// How often a transfer may break off before so many bytes more have come.
const MOST_BREAKS: u32 = 4;
const PROGRESS: u64 = 1024 * 1024;

/// An object that is being fetched. Dropped, it is broken off.
pub(super) struct Fetch {
    shared: Arc<Shared>,
    _task: AbortOnDrop<()>,
}

/// What a fetch that nobody has asked for yet uses up.
pub(super) struct Reserved {
    /// A permit a byte.
    pub(super) bytes: OwnedSemaphorePermit,
    /// One, while the store is being read.
    pub(super) request: OwnedSemaphorePermit,
}

struct Shared {
    key: String,
    state: Mutex<State>,
    /// There is more to read.
    came: Notify,
    /// There is room in the window.
    room: Notify,
}

#[derive(Default)]
struct State {
    head: Option<Object>,
    pieces: VecDeque<Bytes>,
    /// In bytes, of all pieces.
    held: usize,
    /// Whether all of it has come, and was found to be right.
    ended: bool,
    broken: Option<ObjectError>,
    bytes: Option<OwnedSemaphorePermit>,
    request: Option<OwnedSemaphorePermit>,
}

impl Fetch {
    /// Begins to fetch an object, or this version of it.
    pub(super) fn begin(reach: &Arc<Reach>, key: &str, etag: Option<&str>, reserved: Option<Reserved>) -> Fetch {
        let mut state = State::default();
        if let Some(Reserved { bytes, request }) = reserved {
            (state.bytes, state.request) = (Some(bytes), Some(request));
        }
        let shared = Arc::new(Shared {
            key: key.to_owned(),
            state: Mutex::new(state),
            came: Notify::new(),
            room: Notify::new(),
        });
        let transfer = Transfer { reach: Arc::clone(reach), shared: Arc::clone(&shared), whole: reach.whole(key) };
        let etag = etag.map(str::to_owned);
        let task = reach.buckets.io.spawn(async move {
            let result = transfer.run(etag).await;
            transfer.shared.end(result);
        });
        Fetch { shared, _task: AbortOnDrop(task) }
    }

    /// It is asked for now: it no longer counts among those that are fetched beforehand.
    pub(super) fn adopt(&self) {
        let mut state = held(&self.shared.state);
        (state.bytes, state.request) = (None, None);
    }

    /// The version that comes, once the store has said so.
    pub(super) async fn head(&self) -> Result<Object, ObjectError> {
        loop {
            {
                let state = held(&self.shared.state);
                if let Some(head) = &state.head {
                    return Ok(head.clone());
                }
                if let Some(error) = &state.broken {
                    return Err(error.clone());
                }
            }
            self.shared.came.notified().await;
        }
    }

    /// The next bytes, at most `max`; empty at the end.
    async fn read(&self, max: usize) -> Result<Vec<u8>, ObjectError> {
        loop {
            {
                let mut state = held(&self.shared.state);
                if let Some(error) = &state.broken {
                    return Err(error.clone());
                }
                if state.ended || state.held >= max.min(GATHERED) {
                    let bytes = state.take(max);
                    self.shared.room.notify_one();
                    return Ok(bytes);
                }
            }
            self.shared.came.notified().await;
        }
    }
}

impl State {
    fn take(&mut self, max: usize) -> Vec<u8> {
        let mut taken = Vec::with_capacity(self.held.min(max));
        while taken.len() < max {
            let Some(mut piece) = self.pieces.pop_front() else { break };
            let rest = piece.split_off(piece.len().min(max - taken.len()));
            taken.extend_from_slice(&piece);
            if !rest.is_empty() {
                self.pieces.push_front(rest);
            }
        }
        self.held -= taken.len();
        taken
    }
}

impl Shared {
    fn begin(&self, head: Object) {
        let mut state = held(&self.state);
        // What a small object leaves over is for others.
        let size = usize::try_from(head.size).unwrap_or(usize::MAX);
        if let Some(bytes) = &mut state.bytes {
            drop(bytes.split(WINDOW.saturating_sub(size)));
        }
        state.head = Some(head);
        self.came.notify_one();
    }

    async fn push(&self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            {
                let mut state = held(&self.state);
                let room = WINDOW.saturating_sub(state.held);
                if room > 0 {
                    let rest = bytes.split_off(bytes.len().min(room));
                    state.held += bytes.len();
                    state.pieces.push_back(bytes);
                    bytes = rest;
                    self.came.notify_one();
                    continue;
                }
                // While it waits for its reader, another may be fetched.
                state.request = None;
            }
            self.room.notified().await;
        }
    }

    fn end(&self, result: Result<(), ObjectError>) {
        let mut state = held(&self.state);
        state.request = None;
        match result {
            Ok(()) => state.ended = true,
            Err(error) => {
                state.broken = Some(error);
                state.pieces.clear();
                state.held = 0;
                state.bytes = None;
            }
        }
        self.came.notify_one();
    }
}

/// The store's side of a fetch.
struct Transfer {
    reach: Arc<Reach>,
    shared: Arc<Shared>,
    /// The key as the store knows it.
    whole: String,
}

impl Transfer {
    async fn run(&self, wanted: Option<String>) -> Result<(), ObjectError> {
        let key = &self.shared.key;
        let answer = self.ask(wanted.as_deref(), None).await?;
        let object = self.head(&answer)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != object.etag) {
            return Err(another(key, &wanted, Some(&object.etag)));
        }
        self.shared.begin(object.clone());
        let mut body = answer.body;
        let (mut read, mut breaks, mut broke_at) = (0, 0, 0);
        loop {
            match self.piece(&mut body, read, object.size).await {
                Ok(Some(bytes)) => {
                    read += bytes.len() as u64;
                    self.shared.push(bytes).await;
                    // The end came with the last of them.
                    if read == object.size {
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(Broken::Wrong(text)) => return Err(ObjectError::Unavailable(text)),
                Err(Broken::Off(why)) => {
                    if read - broke_at >= PROGRESS {
                        breaks = 0;
                    }
                    (breaks, broke_at) = (breaks + 1, read);
                    if breaks > MOST_BREAKS {
                        return Err(ObjectError::Unavailable(format!(
                            "{} broke off after {read} of {} bytes, {breaks} times: {why}",
                            shown(key),
                            object.size
                        )));
                    }
                    tracing::debug!(key, read, why, "a transfer broke off and goes on");
                    body = self.rest(&object, read).await?;
                }
            }
        }
    }

    /// The next bytes of a body; nothing once it has ended where it should. The last bytes come only with the end.
    async fn piece(&self, body: &mut ByteStream, read: u64, size: u64) -> Result<Option<Bytes>, Broken> {
        let mut last = Vec::new();
        loop {
            let so_far = read + last.len() as u64;
            let patience = self.reach.buckets.exchanges.deadline(None);
            let next = match tokio::time::timeout(patience, body.next()).await {
                Ok(next) => next.transpose(),
                Err(_) => return Err(Broken::Off(format!("nothing came for {} s", patience.as_secs_f64()))),
            };
            match next {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) if so_far + bytes.len() as u64 > size => {
                    return Err(Broken::Wrong(format!(
                        "{} has more than the {size} bytes that the store announced",
                        shown(&self.shared.key)
                    )));
                }
                // Not the last ones, so that nothing has to be held back.
                Ok(Some(bytes)) if so_far + (bytes.len() as u64) < size => return Ok(Some(bytes)),
                Ok(Some(bytes)) => last.extend_from_slice(&bytes),
                Ok(None) if so_far == size && last.is_empty() => return Ok(None),
                Ok(None) if so_far == size => return Ok(Some(last.into())),
                Ok(None) => return Err(Broken::Off("the store ended the body early".to_owned())),
                // All has come: it is not the line that is at fault.
                Err(error) if so_far == size && size > 0 => {
                    return Err(Broken::Wrong(format!(
                        "{} did not come as the store keeps it: {}",
                        shown(&self.shared.key),
                        causes(&error)
                    )));
                }
                Err(error) => return Err(Broken::Off(causes(&error))),
            }
        }
    }

    /// What is still missing of this version.
    async fn rest(&self, object: &Object, read: u64) -> Result<ByteStream, ObjectError> {
        let key = &self.shared.key;
        let answer = self.ask(Some(&object.etag), Some(read)).await.map_err(|error| match error {
            ObjectError::Precondition(_) | ObjectError::NotFound(_) => {
                ObjectError::Unavailable(format!("{} changed while it was read", shown(key)))
            }
            error => error,
        })?;
        let expected = format!("bytes {read}-{}/{}", object.size.saturating_sub(1), object.size);
        if answer.content_range() != Some(&expected) || answer.e_tag().map(etag::read).as_ref() != Some(&object.etag) {
            return Err(ObjectError::Unavailable(format!(
                "{} broke off after {read} of {} bytes, and the store did not send the rest of the same version",
                shown(key),
                object.size
            )));
        }
        Ok(answer.body)
    }

    async fn ask(&self, wanted: Option<&str>, from: Option<u64>) -> Result<GetObjectOutput, ObjectError> {
        let key = &self.shared.key;
        let condition = match wanted {
            None => None,
            Some(wanted) => Some(etag::header(wanted).ok_or_else(|| another(key, wanted, None))?),
        };
        let client = self.reach.client().await?;
        let answer = client
            .get_object()
            .bucket(&self.reach.root.bucket)
            .key(&self.whole)
            .set_if_match(condition)
            .set_range(from.map(|from| format!("bytes={from}-")))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        answer.map_err(|error| match (faults::answered(&error), wanted) {
            (Some((412, _)), Some(wanted)) => another(key, wanted, None),
            _ => self.reach.failed(Action::Read, &self.whole, &error),
        })
    }

    fn head(&self, answer: &GetObjectOutput) -> Result<Object, ObjectError> {
        let key = &self.shared.key;
        let missing = |what: &str| ObjectError::Unavailable(format!("the store does not say {what} of {}", shown(key)));
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok());
        Ok(Object {
            key: key.clone(),
            etag: answer.e_tag().map(etag::read).ok_or_else(|| missing("the version (ETag)"))?,
            size: size.ok_or_else(|| missing("the length (Content-Length)"))?,
            modified: answer.last_modified().and_then(|time| time.to_millis().ok()),
        })
    }
}

/// Why a body did not go on.
enum Broken {
    /// The line: the rest may be asked for.
    Off(String),
    /// The bytes: asking again would not help.
    Wrong(String),
}

fn another(key: &str, wanted: &str, there: Option<&str>) -> ObjectError {
    let there = there.map(|there| format!(", {there} is there")).unwrap_or_default();
    ObjectError::Precondition(format!(
        "{} is another version by now: {} was asked for{there}",
        shown(key),
        shortened(wanted)
    ))
}

/// An object that is being read.
pub(in super::super) struct BucketBody {
    fetch: Fetch,
    object: Object,
}

impl Bucket {
    /// Opens an object, or only this version of it.
    pub(in super::super) async fn get(&self, key: &str, etag: Option<&str>) -> Result<BucketBody, ObjectError> {
        keys::check(key)?;
        if let Some(fetch) = self.prefetch.take(key) {
            fetch.adopt();
            let object = fetch.head().await?;
            if etag.is_none_or(|wanted| wanted == object.etag) {
                return Ok(BucketBody { fetch, object });
            }
            // The store decides which version there is by now.
        }
        let fetch = Fetch::begin(&self.reach, key, etag, None);
        let object = fetch.head().await?;
        Ok(BucketBody { fetch, object })
    }
}

impl BucketBody {
    pub(in super::super) fn object(&self) -> &Object {
        &self.object
    }

    pub(in super::super) async fn read(&mut self, max: u32) -> Result<Vec<u8>, ObjectError> {
        if max == 0 {
            return Err(ObjectError::Other(format!("{} was asked for no bytes at all", shown(&self.object.key))));
        }
        self.fetch.read(usize::try_from(max).unwrap_or(usize::MAX)).await
    }
}

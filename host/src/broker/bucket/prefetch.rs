//! Objects that are fetched before they are asked for.
//!
//! They are begun in the order in which they were announced, so many at a time over all sessions, and so many bytes in each. Room is
//! taken for a whole window before an object is begun, since its size is not known yet, and what it leaves over given back. Whoever asks
//! for an object takes it out: from then on it uses nothing of what is set apart for the others, so that a reader never waits for
//! objects that come after its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{Notify, Semaphore};

use super::super::held;
use super::super::task::AbortOnDrop;
use super::fetch::{Fetch, Reserved, WINDOW};
use super::{Reach, keys};

/// How many announced objects are remembered. A plugin that announces more is told of nothing: it was a hint.
const MOST: usize = 4096;
/// How far an object may be overtaken by those announced after it, before it counts as no longer wanted.
const OVERTAKEN: u64 = 16;

/// The announced objects of a session.
pub(super) struct Prefetch {
    shared: Arc<Shared>,
    driver: OnceLock<AbortOnDrop<()>>,
}

struct Shared {
    reach: Arc<Reach>,
    announced: Mutex<Announced>,
    came: Notify,
    /// A permit a byte.
    bytes: Arc<Semaphore>,
}

/// By the order of their announcement.
#[derive(Default)]
struct Announced {
    objects: BTreeMap<u64, Expected>,
    places: HashMap<String, u64>,
    next: u64,
    /// The first that may still have to be begun.
    unbegun: u64,
}

struct Expected {
    key: String,
    fetch: Option<Fetch>,
}

impl Prefetch {
    pub(super) fn new(reach: &Arc<Reach>) -> Self {
        // Less than a window would never be enough for one.
        let bytes = reach.buckets.limits.prefetch_bytes.clamp(WINDOW, Semaphore::MAX_PERMITS);
        let shared = Shared {
            reach: Arc::clone(reach),
            announced: Mutex::default(),
            came: Notify::new(),
            bytes: Arc::new(Semaphore::new(bytes)),
        };
        Prefetch { shared: Arc::new(shared), driver: OnceLock::new() }
    }

    /// These will be asked for soon, in this order.
    pub(super) fn announce(&self, keys: Vec<String>) {
        {
            let mut announced = held(&self.shared.announced);
            for key in keys {
                let is_known = announced.places.contains_key(&key);
                if !is_known && announced.objects.len() < MOST && keys::check(&key).is_ok() {
                    let place = announced.next;
                    announced.next += 1;
                    announced.places.insert(key.clone(), place);
                    announced.objects.insert(place, Expected { key, fetch: None });
                }
            }
        }
        self.shared.came.notify_one();
        self.driver.get_or_init(|| AbortOnDrop(self.shared.reach.buckets.io.spawn(Arc::clone(&self.shared).drive())));
    }

    /// The fetch of this object, if it was begun. Those that it overtook by far are dropped.
    pub(super) fn take(&self, key: &str) -> Option<Fetch> {
        let (taken, dropped) = {
            let mut announced = held(&self.shared.announced);
            let place = announced.places.remove(key)?;
            let taken = announced.objects.remove(&place)?;
            let kept = announced.objects.split_off(&place.saturating_sub(OVERTAKEN));
            let dropped = std::mem::replace(&mut announced.objects, kept);
            for expected in dropped.values() {
                announced.places.remove(&expected.key);
            }
            (taken, dropped)
        };
        // Outside the lock: what a fetch gives back may wake others.
        drop(dropped);
        taken.fetch
    }

    /// Forgets all of them: something was written, and they may be what was there before.
    pub(super) fn clear(&self) {
        let mut announced = held(&self.shared.announced);
        announced.places.clear();
        let dropped = std::mem::take(&mut announced.objects);
        drop(announced);
        drop(dropped);
    }
}

impl Shared {
    /// Begins one after the other, whenever there is room. Ends with the session.
    async fn drive(self: Arc<Self>) {
        // Larger than a u32 it is not.
        let window = u32::try_from(WINDOW).unwrap_or(u32::MAX);
        loop {
            while !held(&self.announced).has_unbegun() {
                self.came.notified().await;
            }
            let Ok(bytes) = Arc::clone(&self.bytes).acquire_many_owned(window).await else { return };
            let Ok(request) = Arc::clone(&self.reach.buckets.prefetches).acquire_owned().await else { return };
            // Only now: the first may have been asked for meanwhile.
            held(&self.announced).begin_next(&self.reach, Reserved { bytes, request });
        }
    }
}

impl Announced {
    fn has_unbegun(&self) -> bool {
        self.objects.range(self.unbegun..).next().is_some()
    }

    fn begin_next(&mut self, reach: &Arc<Reach>, reserved: Reserved) {
        if let Some((place, expected)) = self.objects.range_mut(self.unbegun..).next() {
            expected.fetch = Some(Fetch::begin(reach, &expected.key, None, Some(reserved)));
            self.unbegun = place + 1;
        }
    }
}

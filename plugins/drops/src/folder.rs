//! The drops of months as a listing shows them.

use std::collections::BTreeMap;

use meterhost_sdk::objects::{self, Object};
use meterhost_sdk::{Error, FoundSet, Window};

use crate::root::Root;
use crate::{ids, manifest, period};

/// What lies below a root, by the first instant of each month.
#[derive(Debug, Default)]
pub(crate) struct Listed(pub(crate) BTreeMap<i64, Month>);

/// What lies in a month's folder.
#[derive(Debug)]
pub(crate) struct Month {
    pub(crate) period: Window,
    /// By name.
    pub(crate) drops: BTreeMap<String, ListedDrop>,
}

/// What lies in a drop's folder.
#[derive(Debug, Default, Clone)]
pub(crate) struct ListedDrop {
    pub(crate) keys: Vec<String>,
    pub(crate) bytes: u64,
    /// When one of the objects was written last.
    modified: Option<i64>,
}

impl Listed {
    /// One listing, of a month or of all.
    pub(crate) fn read(root: &Root, only: Option<Window>) -> Result<Listed, Error> {
        let prefix = match only {
            Some(only) => format!("{root}/{}/", period::folder(only)?),
            None => format!("{root}/"),
        };
        let mut listed = Listed::default();
        let mut listing = objects::list(&prefix, None)?;
        while let Some(page) = listing.next()? {
            page.into_iter().for_each(|object| listed.take(root, object));
        }
        Ok(listed)
    }

    /// What is in no month's folder, or in no drop's, is somebody else's.
    fn take(&mut self, root: &Root, object: Object) {
        let below = object.key.strip_prefix(&format!("{root}/")).and_then(|below| below.split_once('/'));
        let Some((folder, below)) = below else { return };
        let Some(period) = period::parse(folder) else { return };
        let month = self.0.entry(period.start).or_insert_with(|| Month { period, drops: BTreeMap::new() });
        let Some((id, _)) = below.split_once('/') else { return };
        if !manifest::is_plain(id) {
            return manifest::passed_over(folder, id);
        }
        if !month.drops.contains_key(id) {
            month.drops.insert(id.to_owned(), ListedDrop::default());
        }
        if let Some(drop) = month.drops.get_mut(id) {
            drop.bytes += object.size;
            drop.modified = drop.modified.max(object.modified);
            drop.keys.push(object.key);
        }
    }
}

impl ListedDrop {
    /// The drop for whoever asks.
    pub(crate) fn found(&self, period: Window, id: &str, current: bool) -> FoundSet {
        FoundSet {
            id: id.to_owned(),
            period,
            at: self.modified.or_else(|| ids::given_at(id)),
            files: u32::try_from(self.keys.len()).unwrap_or(u32::MAX),
            bytes: self.bytes,
            current,
        }
    }
}

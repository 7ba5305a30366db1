//! Listing a folder as a bucket is listed: by the bytes of whole keys, from any prefix, after any key.
//!
//! A folder sorts as its name with the slash that follows it in keys: `a-b`, `a.json`, `a/x`, `ab`. So a walk that visits each
//! folder's names in that order meets the keys in theirs, and only the names of the folders on the way are in memory.

use std::cmp::Ordering;
use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, FileType, MetadataExt as _};

use super::errors::ObjectError;
use super::folder::{Folder, OWN, Stamp, check_parts, failed, shown};
use super::objects::Object;

/// How many objects a page holds.
const PAGE: usize = 1000;

/// A listing under way.
pub(super) struct FolderListing {
    /// Links are resolved from here: one may climb, as long as it stays below.
    root: Arc<Dir>,
    /// The folders from the top of the walk to where it stands.
    way: Vec<Level>,
    after: Option<String>,
}

/// One folder of the way, and what of it is still to come.
struct Level {
    dir: Arc<Dir>,
    /// Of all its keys: empty, or ending in `/`.
    prefix: String,
    /// The last in order first, so that the next one is popped.
    rest: Vec<Entry>,
    /// Tells a folder that was reached by a link back up.
    identity: (u64, u64),
}

struct Entry {
    /// A folder's ends in `/`.
    name: String,
    is_link: bool,
}

impl Folder {
    /// Lists the keys that begin with `prefix` and stand after `after`.
    pub(super) fn list(&self, prefix: &str, after: Option<&str>) -> Result<FolderListing, ObjectError> {
        let (folders, start) = match prefix.rfind('/') {
            Some(slash) => prefix.split_at(slash + 1),
            None => ("", prefix),
        };
        match folders.strip_suffix('/') {
            Some("") => check_parts(prefix)?,
            Some(folders) => check_parts(folders)?,
            None => {}
        }
        let root = self.dir()?;
        let mut listing = FolderListing { root: Arc::clone(&root), way: Vec::new(), after: after.map(str::to_owned) };
        let dir = if folders.is_empty() {
            root
        } else {
            match root.open_dir(folders) {
                Ok(dir) => Arc::new(dir),
                Err(error) if is_missing(&error) => return Ok(listing),
                Err(error) => return Err(failed(folders, &error)),
            }
        };
        listing.enter(dir, folders.to_owned(), start)?;
        Ok(listing)
    }
}

impl FolderListing {
    /// The next objects, at least one; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Object>>, ObjectError> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some(level) = self.way.last_mut() else {
                break;
            };
            let Some(entry) = level.rest.pop() else {
                self.way.pop();
                continue;
            };
            let key = format!("{}{}", level.prefix, entry.name);
            let dir = Arc::clone(&level.dir);
            if let Some(name) = entry.name.strip_suffix('/') {
                if self.may_hold_more(&key) {
                    let opened = if entry.is_link { self.root.open_dir(&key) } else { dir.open_dir(name) };
                    match opened {
                        Ok(below) => self.enter(Arc::new(below), key, "")?,
                        // Deleted since its name was read.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(unlisted(&key, &error)),
                    }
                }
                continue;
            }
            if self.after.as_ref().is_some_and(|after| key <= *after) {
                continue;
            }
            let found = if entry.is_link { self.root.metadata(&key) } else { dir.symlink_metadata(&entry.name) };
            match found {
                Ok(metadata) if metadata.is_file() => page.push(Stamp::listed(&metadata).object(key)),
                // Replaced by something else since its name was read; gone, as far as this listing goes.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unlisted(&key, &error)),
            }
        }
        Ok(Some(page).filter(|page| !page.is_empty()))
    }

    /// Whether a folder can hold keys that stand after `after`. `folder` ends in `/`, and every key in it begins with it.
    fn may_hold_more(&self, folder: &str) -> bool {
        self.after.as_ref().is_none_or(|after| match folder.cmp(after.as_str()) {
            Ordering::Greater => true,
            Ordering::Less | Ordering::Equal => after.starts_with(folder),
        })
    }

    /// Reads a folder's names, of those that begin with `start`, and walks it next.
    fn enter(&mut self, dir: Arc<Dir>, prefix: String, start: &str) -> Result<(), ObjectError> {
        let failed = |error: &io::Error| unlisted(&prefix, error);
        let metadata = dir.dir_metadata().map_err(|error| failed(&error))?;
        let identity = (metadata.dev(), metadata.ino());
        if self.way.iter().any(|level| level.identity == identity) {
            return Err(ObjectError::Unavailable(format!(
                "{} is a symbolic link to a folder that it lies in, so that the listing would never end",
                shown(&prefix)
            )));
        }
        let mut rest = Vec::new();
        for found in dir.entries().map_err(|error| failed(&error))? {
            let found = found.map_err(|error| failed(&error))?;
            let name = found.file_name().into_string().map_err(|name| {
                ObjectError::Unavailable(format!(
                    "the name {} in {} is not UTF-8, so that it cannot be a key",
                    name.display(),
                    shown(&prefix)
                ))
            })?;
            if name.starts_with(OWN) || !name.starts_with(start) {
                continue;
            }
            let kind = found.file_type().map_err(|error| failed(&error))?;
            rest.extend(self.entry(&prefix, name, kind)?);
        }
        rest.sort_unstable_by(|one, other| other.name.cmp(&one.name));
        self.way.push(Level { dir, prefix, rest, identity });
        Ok(())
    }

    /// A name of a folder as an entry of the walk. Pipes, sockets and devices are no objects.
    fn entry(&self, prefix: &str, mut name: String, kind: FileType) -> Result<Option<Entry>, ObjectError> {
        let is_link = kind.is_symlink();
        let (is_dir, is_file) = if is_link {
            let key = format!("{prefix}{name}");
            let target = self.root.metadata(&key).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    ObjectError::Unavailable(format!("{} is a symbolic link to nothing", shown(&key)))
                }
                _ => unlisted(&key, &error),
            })?;
            (target.is_dir(), target.is_file())
        } else {
            (kind.is_dir(), kind.is_file())
        };
        if !is_dir && !is_file {
            return Ok(None);
        }
        check_parts(&name)?;
        if is_dir {
            name.push('/');
        }
        Ok(Some(Entry { name, is_link }))
    }
}

/// What went wrong with something that the listing met. A link that leads out was not asked for by the plugin, so that it is no
/// denial; but it may stand for usage, so that it is not left out either.
fn unlisted(key: &str, error: &io::Error) -> ObjectError {
    match failed(key, error) {
        ObjectError::Denied(text) => ObjectError::Unavailable(text),
        error => error,
    }
}

/// Whether a prefix's folder is not there. A file in the place of one of its folders also means that no key lies below.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "folder_list_tests.rs"]
mod tests;

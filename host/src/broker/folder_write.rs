//! Objects in a folder: writing and deleting.
//!
//! A file is written in a hidden folder under a name of the host's own, made durable, and moved to its place at once, so that a reader sees
//! the old file or the new one. What a process that was killed left in that folder goes away with the next file that is written. `absent` moves by a hard link, which the system refuses if the name is taken. `match` has no such
//! call: the version is compared and the file moved under a lock that every meterhost respects; a program that ignores the lock can
//! still write in between.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions};

use super::errors::ObjectError;
use super::folder::{Folder, OWN, Stamp, failed, path_of, shown};
use super::objects::Precondition;
use super::shortened;

/// Held while a version is compared and acted upon.
const LOCK: &str = ".meterhost-lock";

/// Where files are until they are moved to their places.
const DRAFTS: &str = ".meterhost-drafts";

/// A file that is being written.
pub(super) struct FolderUpload {
    key: String,
    root: Arc<Dir>,
    /// The folder that the file will stand in.
    parent: Dir,
    name: String,
    /// Where it is until it is moved: in the same file system.
    drafts: Dir,
    /// What it is called until then; none left once it is.
    draft: Option<String>,
    file: File,
}

impl Folder {
    /// Writes an object at once; answers its ETag.
    pub(super) fn put(&self, key: &str, bytes: &[u8], precondition: &Precondition) -> Result<String, ObjectError> {
        let mut upload = self.upload(key)?;
        upload.write(bytes)?;
        upload.commit(precondition)
    }

    /// Begins an object that is written in pieces.
    pub(super) fn upload(&self, key: &str) -> Result<FolderUpload, ObjectError> {
        let path = path_of(key)?;
        let failed = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                ObjectError::Other(format!("{} cannot be written: one of the folders in its key is a file", shown(key)))
            }
            _ => failed(key, error),
        };
        let root = self.dir_for_writing()?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let parent = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(folders) => {
                let opened = root.open_dir(folders).or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => {
                        root.create_dir_all(folders)?;
                        root.open_dir(folders)
                    }
                    _ => Err(error),
                });
                opened.map_err(|error| failed(&error))?
            }
            None => root.try_clone().map_err(|error| failed(&error))?,
        };
        let (drafts, draft, file) = begin_draft(&root, &parent).map_err(|error| failed(&error))?;
        Ok(FolderUpload { key: key.to_owned(), root, parent, name, drafts, draft: Some(draft), file })
    }

    /// Deletes an object. One that is not there is no error.
    pub(super) fn delete(&self, key: &str, precondition: &Precondition) -> Result<(), ObjectError> {
        let path = path_of(key)?;
        let root = self.dir()?;
        let delete = || match root.remove_file(path) {
            Ok(()) => Ok(()),
            Err(error) if is_no_object(&error) => Ok(()),
            Err(error) => Err(failed(key, &error)),
        };
        match precondition {
            Precondition::None => delete(),
            Precondition::Absent => match version(&root, key, key)? {
                None => Ok(()),
                Some(_) => Err(exists(key)),
            },
            Precondition::Match(etag) => {
                let _lock = lock(&root)?;
                check(&root, key, key, etag)?;
                delete()
            }
            Precondition::Other(text) => Err(unknown(text)),
        }
    }
}

impl FolderUpload {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.draft()?;
        self.file.write_all(bytes).map_err(|error| failed(&self.key, &error))
    }

    pub(super) fn commit(&mut self, precondition: &Precondition) -> Result<String, ObjectError> {
        let draft = self.draft()?.to_owned();
        let result = self.publish(&draft, precondition);
        self.discard();
        result?;
        // The folder's entry outlasts a power cut only once the folder itself is written.
        let failed = |error: io::Error| {
            ObjectError::Unknown(format!("{} was written, but may not outlast a power cut: {error}", shown(&self.key)))
        };
        self.parent.open(".").and_then(|folder| folder.sync_all()).map_err(failed)?;
        // From the file that was written, whoever may have replaced it since.
        self.file.metadata().map(|metadata| Stamp::of(&metadata).etag()).map_err(failed)
    }

    fn publish(&self, draft: &str, precondition: &Precondition) -> Result<(), ObjectError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::IsADirectory => {
                ObjectError::Other(format!("{} cannot be written: a folder has this name", shown(&self.key)))
            }
            _ => failed(&self.key, &error),
        };
        let replace = || self.drafts.rename(draft, &self.parent, &self.name).map_err(failed);
        self.file.sync_all().map_err(failed)?;
        match precondition {
            Precondition::None => replace(),
            Precondition::Absent => match self.drafts.hard_link(draft, &self.parent, &self.name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&self.key)),
                result => result.map_err(failed),
            },
            Precondition::Match(etag) => {
                let _lock = lock(&self.root)?;
                check(&self.parent, &self.name, &self.key, etag)?;
                replace()
            }
            Precondition::Other(text) => Err(unknown(text)),
        }
    }

    fn draft(&self) -> Result<&str, ObjectError> {
        self.draft.as_deref().ok_or_else(|| {
            ObjectError::Other(format!("the upload of {} is over: it was committed or failed to", shown(&self.key)))
        })
    }

    fn discard(&mut self) {
        if let Some(draft) = self.draft.take() {
            // Moved away by now, or not worth more than a hidden file left over.
            let _ = self.drafts.remove_file(draft);
        }
    }
}

impl Drop for FolderUpload {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Begins a file that is to be moved into `parent`: its folder, its name, and the file, which stays locked as long as it is open. What is
/// not locked there belongs to nobody any more.
fn begin_draft(root: &Dir, parent: &Dir) -> io::Result<(Dir, String, File)> {
    let own = || {
        root.create_dir_all(DRAFTS)?;
        root.open_dir(DRAFTS)
    };
    // Into another file system nothing can be moved at once: there it begins beside its place.
    let drafts = match own() {
        Ok(drafts) if drafts.dir_metadata()?.dev() == parent.dir_metadata()?.dev() => drafts,
        _ => parent.try_clone()?,
    };
    let _lock = lock(root).map_err(io::Error::other)?;
    for entry in drafts.entries()?.filter_map(Result::ok) {
        let name = entry.file_name();
        let is_draft = name.to_str().is_some_and(|name| name.len() == OWN.len() + 16 && name.starts_with(OWN));
        let open = || drafts.open_with(&name, OpenOptions::new().write(true)).map(|file| file.into_std());
        if is_draft && open().is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = drafts.remove_file(&name);
        }
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| io::Error::other(format!("the system has no random numbers for a file's name: {error}")))?;
    let draft = format!("{OWN}{:016x}", u64::from_ne_bytes(random));
    let file = drafts.open_with(&draft, OpenOptions::new().write(true).create_new(true))?.into_std();
    file.try_lock().map_err(io::Error::from)?;
    Ok((drafts, draft, file))
}

/// Locks the folder against every other meterhost, until the file is dropped.
fn lock(root: &Dir) -> Result<File, ObjectError> {
    let open = || {
        let file = root.open_with(LOCK, OpenOptions::new().create(true).write(true))?.into_std();
        file.lock().map(|()| file)
    };
    open().map_err(|error| ObjectError::Unavailable(format!("the granted folder cannot be locked: {error}")))
}

/// Whether the version that is there is this one.
fn check(dir: &Dir, name: &str, key: &str, etag: &str) -> Result<(), ObjectError> {
    match version(dir, name, key)? {
        Some(there) if there == etag => Ok(()),
        Some(there) => Err(ObjectError::Precondition(format!(
            "{} is another version by now: {} was expected, {there} is there",
            shown(key),
            shortened(etag)
        ))),
        None => {
            Err(ObjectError::Precondition(format!("{} does not exist, but a version of it was expected", shown(key))))
        }
    }
}

/// The ETag of the object that is there.
fn version(dir: &Dir, name: &str, key: &str) -> Result<Option<String>, ObjectError> {
    match dir.metadata(name) {
        Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::listed(&metadata).etag())),
        Ok(_) => Ok(None),
        Err(error) if is_no_object(&error) => Ok(None),
        Err(error) => Err(failed(key, &error)),
    }
}

fn is_no_object(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

fn exists(key: &str) -> ObjectError {
    ObjectError::Precondition(format!("{} exists already", shown(key)))
}

fn unknown(precondition: &str) -> ObjectError {
    ObjectError::Other(format!(
        "this version of meterhost does not know the precondition `{}`",
        shortened(precondition)
    ))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "folder_write_tests.rs"]
mod tests;

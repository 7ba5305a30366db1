//! Objects in a folder: opening and reading.
//!
//! Every path is opened below the folder's handle by `cap-std` (on Linux by `openat2` with `RESOLVE_BENEATH`): the kernel
//! itself refuses `..` and links that lead out, even one that is swapped while it is followed. Links that stay below the folder are
//! followed, because mounted volumes are often made of them.
//!
//! **File access blocks the calling thread, on purpose.** Each plugin runs on a thread of its own, so that nobody else waits, and a
//! hop to another thread would cost more than reading a small file does.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};

use super::errors::ObjectError;
use super::objects::Object;
use super::shortened;

/// Names that begin like this are the host's own: uploads under way, locks. They are no objects.
pub(super) const OWN: &str = ".meterhost-";

/// A single `read` returns at most this much, in bytes, whatever it is asked for.
const MOST_AT_ONCE: u32 = 16 * 1024 * 1024;

/// A granted folder.
pub(super) struct Folder {
    root: PathBuf,
    dir: OnceLock<Arc<Dir>>,
}

impl Folder {
    /// Nothing is opened yet.
    pub(super) fn new(root: PathBuf) -> Self {
        Folder { root, dir: OnceLock::new() }
    }

    /// The folder's handle. A folder that is missing or closed to us is an error, never an empty one.
    pub(super) fn dir(&self) -> Result<Arc<Dir>, ObjectError> {
        if let Some(dir) = self.dir.get() {
            return Ok(Arc::clone(dir));
        }
        let open = || {
            let dir = Dir::open_ambient_dir(&self.root, ambient_authority())?;
            // Entering a folder needs less than listing it.
            dir.entries().map(|_| dir)
        };
        let dir = open().map_err(|error| {
            let folder = self.root.display();
            ObjectError::Unavailable(match error.kind() {
                io::ErrorKind::NotFound => {
                    format!("the granted folder {folder} does not exist: create it, or mend the grant")
                }
                io::ErrorKind::NotADirectory => format!("the granted folder {folder} is a file"),
                io::ErrorKind::PermissionDenied => {
                    format!("the granted folder {folder} may not be read by this user (permission denied)")
                }
                _ => format!("the granted folder {folder} cannot be opened: {error}"),
            })
        })?;
        Ok(Arc::clone(self.dir.get_or_init(|| Arc::new(dir))))
    }

    /// Whether there is surely no such folder.
    pub(super) fn is_missing(&self) -> bool {
        self.dir.get().is_none() && matches!(self.root.try_exists(), Ok(false))
    }

    /// The folder's handle for writing: the folder is made if it is missing, since the grant names it.
    pub(super) fn dir_for_writing(&self) -> Result<Arc<Dir>, ObjectError> {
        if self.dir.get().is_none() {
            let folder = &self.root;
            std::fs::create_dir_all(folder).map_err(|error| {
                ObjectError::Unavailable(format!("the granted folder {} cannot be made: {error}", folder.display()))
            })?;
        }
        self.dir()
    }

    /// Opens an object, or only this version of it.
    pub(super) fn get(&self, key: &str, etag: Option<&str>) -> Result<FolderBody, ObjectError> {
        let path = path_of(key)?;
        let dir = self.dir()?;
        // A pipe would make us wait for its other end; files know nothing of waiting.
        let not_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = dir
            .open_with(path, OpenOptions::new().read(true).custom_flags(not_waiting))
            .map_err(|error| failed(key, &error))?
            .into_std();
        let metadata = file.metadata().map_err(|error| failed(key, &error))?;
        if metadata.is_dir() {
            return Err(ObjectError::NotFound(format!("{} is a folder, not an object", shown(key))));
        }
        if !metadata.is_file() {
            return Err(ObjectError::Other(format!("{} is a pipe, socket or device, not a file", shown(key))));
        }
        let object = Stamp::of(&metadata).object(key.to_owned());
        if let Some(wanted) = etag.filter(|wanted| *wanted != object.etag) {
            return Err(ObjectError::Precondition(format!(
                "{} is another version by now: {} was asked for, {} is there",
                shown(key),
                shortened(wanted),
                object.etag
            )));
        }
        Ok(FolderBody { file, object, read: 0, broken: None })
    }
}

impl Folder {
    /// At most so many bytes from this one on; fewer where the object ends before.
    pub(super) fn part(&self, key: &str, from: u64, length: usize) -> Result<Vec<u8>, ObjectError> {
        let mut file = self.get(key, None)?.file;
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.take(length as u64).read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| failed(key, &error))
    }
}

/// A file that is being read.
pub(super) struct FolderBody {
    file: File,
    object: Object,
    /// In bytes.
    read: u64,
    /// Once it failed, it stays so.
    broken: Option<ObjectError>,
}

impl FolderBody {
    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    pub(super) fn read(&mut self, max: u32) -> Result<Vec<u8>, ObjectError> {
        if max == 0 {
            return Err(ObjectError::Other(format!("{} was asked for no bytes at all", shown(&self.object.key))));
        }
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let result = self.piece(max);
        self.broken = result.as_ref().err().cloned();
        result
    }

    fn piece(&mut self, max: u32) -> Result<Vec<u8>, ObjectError> {
        let key = &self.object.key;
        let wanted = (self.object.size - self.read).min(max.min(MOST_AT_ONCE).into());
        // At most 16 MiB, which every usize holds.
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let length = (&self.file).take(wanted).read_to_end(&mut bytes).map_err(|error| failed(key, &error))? as u64;
        self.read += length;
        if length < wanted {
            return Err(ObjectError::Unavailable(format!(
                "{} ended after {} of {} bytes: it was cut short while it was read",
                shown(key),
                self.read,
                self.object.size
            )));
        }
        if self.read == self.object.size {
            let now = Stamp::of(&self.file.metadata().map_err(|error| failed(key, &error))?).object(String::new());
            // Of the version only what writing changes: a file that is renamed or deleted keeps its bytes.
            if !now.etag.starts_with(written(&self.object.etag)) {
                return Err(ObjectError::Unavailable(format!("{} changed while it was read", shown(key))));
            }
        }
        Ok(bytes)
    }
}

/// The part of an ETag that writing to the file changes: size and time of writing.
fn written(etag: &str) -> &str {
    etag.rmatch_indices('-').nth(1).and_then(|(at, _)| etag.get(..=at)).unwrap_or(etag)
}

/// What tells one version of a file from another.
///
/// Size and time of writing miss a file that is replaced by one with the same of both (`cp -p`, `touch -r`); inode and time of
/// change do not. They also change without the contents (a new link, a restored backup); then an input counts as changed, is read
/// again and found to be the same.
///
/// What no file system call shows is a second writing in place, to the same size, within the clock tick of the first (a few
/// milliseconds).
pub(super) struct Stamp {
    size: u64,
    written: (i64, i64),
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Stamp {
            size: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn listed(metadata: &cap_std::fs::Metadata) -> Self {
        Stamp {
            size: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn etag(&self) -> String {
        let nanoseconds = |(seconds, rest): (i64, i64)| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        format!("{:x}-{:x}-{:x}-{:x}", self.size, nanoseconds(self.written), self.inode, nanoseconds(self.changed))
    }

    pub(super) fn object(&self, key: String) -> Object {
        let (seconds, nanoseconds) = self.written;
        let modified = seconds.checked_mul(1000).and_then(|millis| millis.checked_add(nanoseconds / 1_000_000));
        Object { key, etag: self.etag(), size: self.size, modified }
    }
}

/// Where a key lies below the folder.
pub(super) fn path_of(key: &str) -> Result<&Path, ObjectError> {
    check_parts(key)?;
    if key.is_empty() {
        return Err(ObjectError::Other("the empty text is not a key".to_owned()));
    }
    Ok(Path::new(key))
}

/// Judges a key, or the folders of a prefix. The empty text passes.
pub(super) fn check_parts(key: &str) -> Result<(), ObjectError> {
    if key.is_empty() {
        return Ok(());
    }
    if key.starts_with('/') {
        return Err(ObjectError::Denied(format!(
            "the key {} begins with `/`; keys are relative to the grant",
            shown(key)
        )));
    }
    for part in key.split('/') {
        match part {
            ".." => {
                return Err(ObjectError::Denied(format!(
                    "the key {} has `..`, which may lead out of the grant",
                    shown(key)
                )));
            }
            "" | "." => {
                return Err(ObjectError::Other(format!(
                    "the key {} has an empty part or `.` between its slashes",
                    shown(key)
                )));
            }
            part if part.contains(['\0', '\\']) => {
                return Err(ObjectError::Other(format!("the key {} has a backslash or NUL character", shown(key))));
            }
            part if part.starts_with(OWN) => {
                return Err(ObjectError::Other(format!(
                    "the key {} has a part that begins with `{OWN}`; such names are meterhost's own",
                    shown(key)
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What went wrong with one key.
pub(super) fn failed(key: &str, error: &io::Error) -> ObjectError {
    let key = shown(key);
    if leads_out(error) {
        return ObjectError::Denied(format!(
            "{key} is or lies behind a symbolic link that leads out of the granted folder"
        ));
    }
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            ObjectError::NotFound(format!("{key} does not exist"))
        }
        io::ErrorKind::PermissionDenied => {
            ObjectError::Unavailable(format!("{key} may not be read or written by this user (permission denied)"))
        }
        _ => ObjectError::Unavailable(format!("{key}: {error}")),
    }
}

/// Whether `cap-std` refused a path because it leads out. It says so with an error that the system did not raise.
fn leads_out(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// A key as messages show it: quoted, with odd characters escaped.
pub(super) fn shown(key: &str) -> String {
    shortened(&format!("{key:?}"))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "folder_tests.rs"]
mod tests;

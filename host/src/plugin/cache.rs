//! Compiled plugins, kept between runs in a folder that only this user can write: what lies there is run as it is.
//!
//! A file is named after the SHA-256 of the plugin's own bytes and the fingerprint of compiler and settings, and holds the SHA-256 of
//! the compiled code before the code itself, so that neither an interrupted writing nor a failing disk makes a plugin of something
//! else.

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

/// After so long a file gives way when another is written.
const KEPT: Duration = Duration::from_hours(90 * 24);
const ENDING: &str = "cwasm";

/// A folder of compiled plugins.
pub(super) struct Cache {
    folder: PathBuf,
    /// Of compiler and settings.
    fingerprint: u64,
}

impl Cache {
    /// Opens the folder, and makes it if it is missing, unless somebody else can put code into it.
    ///
    /// # Errors
    /// Why it cannot be used, for a person.
    pub(super) fn open(folder: &Path, engine: &wasmtime::Engine) -> Result<Self, String> {
        let said = |what: &dyn std::fmt::Display| {
            format!("compiled plugins are not kept, and each start compiles them anew: {}: {what}", folder.display())
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| said(&error))?;
        let folder: PathBuf = folder.canonicalize().map_err(|error| said(&error))?;
        let meta = fs::metadata(&folder).map_err(|error| said(&error))?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(said(&"the folder belongs to another user, who could put code of their own into it"));
        }
        if !own(&meta) {
            return Err(said(
                &"other users can write into the folder, and what they put there would be run; remove it, and a new one is made",
            ));
        }
        rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).map_err(|error| said(&error))?;
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Cache { folder, fingerprint: hasher.finish() })
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        self.folder.join(format!("{}-{:016x}.{ENDING}", hexadecimal(digest), self.fingerprint))
    }

    /// The compiled plugin whose file has this SHA-256, if it is there and whole.
    pub(super) fn get(&self, engine: &wasmtime::Engine, digest: &[u8; 32]) -> Option<Component> {
        let mut file = fs::File::open(self.path(digest)).ok()?;
        own(&file.metadata().ok()?).then_some(())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (sum, code) = bytes.split_at_checked(32)?;
        if Sha256::digest(code).as_slice() != sum {
            return None;
        }
        own_code(engine, code)
    }

    /// Keeps a compiled plugin. The file appears whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn put(&self, digest: &[u8; 32], component: &Component) -> Result<(), String> {
        let code = component.serialize().map_err(|error| error.to_string())?;
        let path = self.path(digest);
        self.write(&path, &code).map_err(|error| format!("{}: {error}", path.display()))?;
        self.tidy();
        Ok(())
    }

    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let written = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft).and_then(
            |mut file| {
                file.write_all(&Sha256::digest(code))?;
                file.write_all(code)
            },
        );
        let placed = written.and_then(|()| fs::rename(&draft, path));
        if placed.is_err() {
            // What is left of it would be in nobody's way.
            let _ = fs::remove_file(&draft);
        }
        placed
    }

    /// Removes what has lain here for long. A run that uses it goes on: it holds its own copy.
    fn tidy(&self) {
        let old = |path: &Path| {
            let written = fs::metadata(path).and_then(|meta| meta.modified());
            written.ok().and_then(|written| written.elapsed().ok()).is_some_and(|age| age > KEPT)
        };
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && old(&path) {
                // Another run may have been quicker.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// Whether nobody but this user can have written it.
fn own(meta: &fs::Metadata) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0
}

/// Takes compiled code as it is.
#[expect(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
fn own_code(engine: &wasmtime::Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes are what this program wrote: they lie in a folder that only this user can write, under a name that speaks of
    // the compiler and its settings, and their sum was checked. Code of another version is refused by wasmtime itself.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// In lower case.
pub(super) fn hexadecimal(digest: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(engine: &wasmtime::Engine) -> Component {
        // The smallest component: the preamble alone.
        Component::new(engine, b"\0asm\x0d\0\x01\0").unwrap()
    }

    #[test]
    fn what_was_kept_is_found_and_what_was_damaged_is_not_run() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), wasmtime::Engine::default());
        let cache = Cache::open(&folder.path().join("a/b"), &engine).unwrap();
        let digest = [7; 32];
        assert!(cache.get(&engine, &digest).is_none());
        cache.put(&digest, &component(&engine)).unwrap();
        assert!(cache.get(&engine, &digest).is_some());
        assert!(cache.get(&engine, &[8; 32]).is_none());
        let path = cache.path(&digest);
        let whole = fs::read(&path).unwrap();
        for cut in [0, 31, 32, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(cache.get(&engine, &digest).is_none(), "{cut}");
        }
        fs::write(&path, &whole).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o620)).unwrap();
        assert!(cache.get(&engine, &digest).is_none(), "others could have written it");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert!(cache.get(&engine, &digest).is_some());
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert!(cache.get(&engine, &digest).is_none());
    }

    #[test]
    fn a_folder_that_others_can_write_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, engine) = (tempfile::tempdir().unwrap(), wasmtime::Engine::default());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let warning = Cache::open(folder.path(), &engine).err().unwrap();
        assert!(warning.ends_with("would be run; remove it, and a new one is made"), "{warning}");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Cache::open(&file, &engine).is_err());
    }

    #[test]
    fn what_is_old_gives_way() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), wasmtime::Engine::default());
        let cache = Cache::open(folder.path(), &engine).unwrap();
        let old = folder.path().join("old.cwasm");
        fs::write(&old, "").unwrap();
        let long_ago = std::time::SystemTime::now() - KEPT - Duration::from_secs(60);
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        cache.put(&[1; 32], &component(&engine)).unwrap();
        assert!(!old.exists());
        assert!(cache.get(&engine, &[1; 32]).is_some());
    }
}

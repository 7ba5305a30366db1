//! From a plugin's name to its file.

use std::path::{Path, PathBuf};

use super::error::LoadError;
use crate::config::{PluginRef, nearest};

/// The folders that hold plugins by name, in the order in which they are looked through.
#[derive(Debug, Clone)]
pub struct PluginFolders(Vec<PathBuf>);

impl PluginFolders {
    /// What the command line names, then what `METERHOST_PLUGIN_DIR` names (several, as in `PATH`), a folder `plugins` beside the
    /// executable, and `../plugins` from there.
    pub fn new(given: &[PathBuf], variable: Option<&str>, executable: Option<&Path>) -> Self {
        let mut folders: Vec<PathBuf> = given.to_vec();
        folders
            .extend(variable.into_iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty()));
        if let Some(folder) = executable.and_then(Path::parent) {
            folders.push(folder.join("plugins"));
            if let Some(parent) = folder.parent() {
                folders.push(parent.join("plugins"));
            }
        }
        PluginFolders(folders)
    }

    /// The file that a section means.
    ///
    /// # Errors
    /// No folder holds a plugin of this name.
    pub fn find(&self, plugin: &PluginRef) -> Result<PathBuf, LoadError> {
        let name = match plugin {
            PluginRef::Path(path) => return Ok(path.clone()),
            PluginRef::Named(name) => name,
        };
        let file = format!("{name}.wasm");
        self.0.iter().map(|folder| folder.join(&file)).find(|path| path.is_file()).ok_or_else(|| self.not_found(name))
    }

    fn not_found(&self, name: &str) -> LoadError {
        let all = self.all();
        let near = nearest(name, all.iter().map(|(name, _)| name.as_str())).map(str::to_owned);
        LoadError::NotFound { name: name.to_owned(), looked_in: self.0.clone(), near }
    }

    /// Every plugin file in the folders, by name; the first folder that has a name wins.
    pub fn all(&self) -> Vec<(String, PathBuf)> {
        let mut found = std::collections::BTreeMap::new();
        for folder in &self.0 {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
                if path.extension().is_some_and(|extension| extension == "wasm")
                    && let Some(name) = name
                {
                    found.entry(name).or_insert(path);
                }
            }
        }
        found.into_iter().collect()
    }

    /// The folders themselves.
    pub fn folders(&self) -> &[PathBuf] {
        &self.0
    }
}

/// Reads a plugin's file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|cause| LoadError::Unreadable { path: path.to_owned(), cause })
}

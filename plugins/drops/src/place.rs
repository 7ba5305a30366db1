//! The place where drops lie: what is there, what is current, going back, deleting.

use meterhost_sdk::objects::{self, Precondition};
use meterhost_sdk::{Error, FoundSet, Outline, Shown, Window};

use crate::encode::Compression;
use crate::folder::{Listed, ListedDrop};
use crate::manifest::{self, Manifest};
use crate::root::Root;
use crate::write::{Filed, NewDrop};
use crate::{MOST_ROWS, ids, period};

/// Where drops lie, and what they are like.
#[derive(Debug, Clone)]
pub struct FileDrops {
    /// The folder of all.
    pub root: Root,
    /// What data files are called, before their number.
    pub stem: &'static str,
    /// Whether they are compressed.
    pub compression: Compression,
    /// How many rows each has at most, the header not counted: 1 to [`MOST_ROWS`].
    pub rows_per_file: u32,
}

impl FileDrops {
    /// Drops below a root, with so many rows a file at most.
    ///
    /// # Errors
    /// There can be none. The text begins with the setting at fault, `root` or `rows_per_file`.
    pub fn of(root: &str, stem: &'static str, compression: Compression, rows_per_file: u32) -> Result<Self, String> {
        if !(1..=MOST_ROWS).contains(&rows_per_file) {
            return Err(format!("rows_per_file: a file has 1 to {MOST_ROWS} rows, and not {rows_per_file}"));
        }
        Ok(FileDrops { root: Root::parse(root)?, stem, compression, rows_per_file })
    }

    /// Begins a drop with these columns, two at least.
    ///
    /// # Errors
    /// It cannot be told which drop is current, or the store fails.
    pub fn begin(&self, outline: &Outline, columns: Vec<String>) -> Result<NewDrop, Error> {
        if columns.len() < 2 {
            // A row of one empty field would be an empty line, which readers pass over.
            return Err(Error::Other("a drop has two columns at least".into()));
        }
        let folder = self.folder(outline.period)?;
        let manifest = Manifest::read(&folder)?;
        let drops = self.drops(outline.period)?;
        let known = drops.iter().map(|(id, _)| id.as_str());
        let known = known.chain(outline.last.as_deref()).chain(manifest.current.as_deref());
        let id = ids::next(outline.now, known);
        Ok(NewDrop {
            folder,
            id,
            manifest,
            columns,
            stem: self.stem,
            compression: self.compression,
            rows_per_file: self.rows_per_file.clamp(1, MOST_ROWS),
            open: None,
            filed: Filed::default(),
        })
    }

    /// Which drop of a month readers are shown.
    ///
    /// # Errors
    /// The manifest cannot be read, or the store fails.
    pub fn current(&self, period: Window) -> Result<Shown, Error> {
        let Some(current) = Manifest::read(&self.folder(period)?)?.current else { return Ok(Shown::Nothing) };
        let drop = self.drops(period)?.into_iter().find(|(id, _)| *id == current);
        let drop = drop.map(|(_, drop)| drop).unwrap_or_default();
        Ok(Shown::Set(drop.found(period, &current, true)))
    }

    /// The drops of a month or of all, ascending by month and name.
    ///
    /// # Errors
    /// A manifest cannot be read, or the store fails.
    pub fn list(&self, only: Option<Window>) -> Result<Vec<FoundSet>, Error> {
        let mut found = Vec::new();
        for month in Listed::read(&self.root, only)?.0.into_values() {
            let current = Manifest::read(&self.folder(month.period)?)?.current;
            let drops = month.drops.iter();
            found.extend(drops.map(|(id, drop)| drop.found(month.period, id, current.as_ref() == Some(id))));
        }
        Ok(found)
    }

    /// Makes a drop current that is there. Nothing but the manifest changes.
    ///
    /// # Errors
    /// There is no such drop, or it has no data file; the manifest cannot be read, or the store fails.
    pub fn revert(&self, period: Window, id: &str) -> Result<FoundSet, Error> {
        let folder = self.folder(period)?;
        let drops = self.drops(period)?;
        let suffix = self.compression.suffix();
        let has_data = |drop: &ListedDrop| drop.keys.iter().any(|key| key.ends_with(suffix) || self.is_own(key));
        let Some((_, drop)) = drops.iter().find(|(known, drop)| known == id && has_data(drop)) else {
            let known: Vec<&str> = drops.iter().filter(|(_, drop)| has_data(drop)).map(|(id, _)| id.as_str()).collect();
            let there =
                if known.is_empty() { "there is none".into() } else { format!("there are {}", known.join(", ")) };
            return Err(Error::Other(format!(
                "{folder} has no drop \"{}\" with a data file ({suffix}); {there}. Readers are shown what they were",
                id.escape_debug()
            )));
        };
        let manifest = Manifest::read(&folder)?;
        if manifest.current.as_deref() != Some(id) {
            manifest.write(&folder, id)?;
        }
        Ok(drop.found(period, id, true))
    }

    /// Deletes all objects of a drop that is not current. One that is not there is no error: what broke off can be said again.
    ///
    /// # Errors
    /// It is current; the manifest cannot be read, or the store fails.
    pub fn remove(&self, period: Window, id: &str) -> Result<(), Error> {
        let folder = self.folder(period)?;
        if !manifest::is_plain(id) {
            return Err(Error::Other(format!("\"{}\" is no drop's name", id.escape_debug())));
        }
        if Manifest::read(&folder)?.current.as_deref() == Some(id) {
            return Err(Error::Other(format!("{folder}/{id} is what readers are shown; it is not deleted")));
        }
        let drop = self.drops(period)?.into_iter().find(|(known, _)| known == id);
        for key in drop.iter().flat_map(|(_, drop)| &drop.keys) {
            objects::delete(key, &Precondition::None)?;
        }
        Ok(())
    }

    /// Whether this is a data file that was written here, though it be compressed in another way than now.
    fn is_own(&self, key: &str) -> bool {
        let name = key.rsplit('/').next().and_then(|name| name.strip_prefix(self.stem)?.strip_prefix('-'));
        name.is_some_and(|name| [Compression::Gzip, Compression::None].iter().any(|way| name.ends_with(way.suffix())))
    }

    fn folder(&self, period: Window) -> Result<String, Error> {
        Ok(format!("{}/{}", self.root, period::folder(period)?))
    }

    fn drops(&self, period: Window) -> Result<Vec<(String, ListedDrop)>, Error> {
        let months = Listed::read(&self.root, Some(period))?.0.into_values();
        Ok(months.flat_map(|month| month.drops).collect())
    }
}

//! A drop that is being written. Until [`commit`](NewDrop::commit) readers see nothing of it.

use meterhost_sdk::objects;
use meterhost_sdk::{Error, PublishFailure};

use crate::cells::Cells;
use crate::csv::{Rows, header};
use crate::encode::Compression;
use crate::file::DataFile;
use crate::manifest::Manifest;

/// A drop that is being written.
pub struct NewDrop {
    /// The month's folder.
    pub(crate) folder: String,
    pub(crate) id: String,
    /// As it was when the drop was begun.
    pub(crate) manifest: Manifest,
    pub(crate) columns: Vec<String>,
    pub(crate) stem: &'static str,
    pub(crate) compression: Compression,
    pub(crate) rows_per_file: u32,
    pub(crate) open: Option<DataFile>,
    pub(crate) filed: Filed,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filed {
    /// Rows, without headers.
    pub rows: u64,
    /// Data files.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
}

impl NewDrop {
    /// The drop's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Appends so many rows of the columns that the drop was begun with.
    ///
    /// # Errors
    /// The store fails, or a field holds NUL.
    pub fn write<'c>(&mut self, columns: &[&'c Cells<'c>], rows: usize) -> Result<(), Error> {
        if columns.len() != self.columns.len() {
            return Err(Error::Other(format!(
                "the drop has {} columns, and not {}",
                self.columns.len(),
                columns.len()
            )));
        }
        let ready = Rows::of(columns, rows).map_err(|nul| {
            let column = self.columns.get(nul.column).map_or("", String::as_str);
            Error::Other(format!("row {} of the batch: column {column} has a NUL character", nul.row))
        })?;
        let mut from = 0;
        while from < rows {
            let most = self.rows_per_file;
            let file = self.file()?;
            let to = rows.min(from + most.saturating_sub(file.rows) as usize);
            file.append(&ready, from..to)?;
            if file.rows >= most {
                self.close()?;
            }
            from = to;
        }
        Ok(())
    }

    /// Stores what is left, and reads it back. A drop without rows is one file with the header alone: what was published before has to
    /// give way to something.
    ///
    /// # Errors
    /// The store fails, or does not give back what it was given.
    pub fn finish(&mut self) -> Result<Filed, Error> {
        if self.filed.files == 0 {
            self.file()?;
        }
        self.close()?;
        Ok(self.filed)
    }

    /// Makes it current, if the manifest is still as it was when the drop was begun.
    ///
    /// # Errors
    /// Somebody else wrote the manifest meanwhile; or the store fails, which may pass.
    pub fn commit(&mut self) -> Result<(), PublishFailure> {
        match self.manifest.write(&self.folder, &self.id) {
            Ok(()) => Ok(()),
            // Its answer may have been lost: then the next try meets its own manifest.
            Err(objects::Error::Unavailable(text)) => Err(PublishFailure::Later((text, None))),
            Err(objects::Error::Precondition(text)) => match Manifest::read(&self.folder)?.current {
                Some(current) if current == self.id => Ok(()),
                current => {
                    let shown = current.unwrap_or_else(|| "nothing".into());
                    Err(Error::Unavailable(format!(
                        "{}: somebody else changed the manifest while drop {} was written ({text}); readers are shown {shown}",
                        self.folder, self.id
                    ))
                    .into())
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The file that rows go into.
    fn file(&mut self) -> Result<&mut DataFile, Error> {
        let file = match self.open.take() {
            Some(file) => file,
            None => {
                let number = self.filed.files + 1;
                let (stem, suffix) = (self.stem, self.compression.suffix());
                let key = format!("{}/{}/{stem}-{number:04}{suffix}", self.folder, self.id);
                DataFile::begin(key, self.compression, &header(&self.columns))?
            }
        };
        Ok(self.open.insert(file))
    }

    fn close(&mut self) -> Result<(), Error> {
        if let Some(file) = self.open.take() {
            self.filed.rows += u64::from(file.rows);
            self.filed.bytes += file.finish()?;
            self.filed.files += 1;
        }
        Ok(())
    }
}

//! `--html FILE`: the plan as a page, put into its place whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::shared::Refused;
use crate::report::{Exit, Report};

/// Where a page goes, tried before anything else is done: a plan may take long.
pub(super) struct Page {
    /// Where it lies in the end, with links followed.
    place: PathBuf,
    /// As it was given.
    named: PathBuf,
}

impl Page {
    /// # Errors
    /// The folder cannot be written to, or what is there is no page.
    pub(super) fn at(named: &Path) -> Result<Page, Refused> {
        let place = match fs::canonicalize(named) {
            Ok(place) => {
                is_a_page(&place).map_err(|error| refused(named, &error))?;
                place
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named.is_symlink() => named.to_owned(),
            Err(error) => return Err(refused(named, &error)),
        };
        let page = Page { place, named: named.to_owned() };
        // What is tried here is what is done in the end, and leaves nothing behind if it is never done.
        let tried = page.draft().and_then(|(draft, _)| fs::remove_file(draft));
        tried.map_err(|error| refused(named, &error))?;
        Ok(page)
    }

    /// # Errors
    /// It cannot be written after all; what was in its place is still there.
    pub(super) fn write(&self, report: &Report) -> Result<(), Refused> {
        let write = || {
            let (draft, mut file) = self.draft()?;
            let written = file.write_all(report.render_html().as_bytes()).and_then(|()| file.sync_all());
            let put = written.and_then(|()| fs::rename(&draft, &self.place));
            if put.is_err() {
                // The first error is the one to tell.
                let _ = fs::remove_file(&draft);
            }
            put
        };
        write().map_err(|error| refused(&self.named, &error))
    }

    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    /// A file of its own beside the page's place, empty.
    fn draft(&self) -> io::Result<(PathBuf, File)> {
        let name = self.place.file_name().ok_or_else(|| io::Error::other("this names no file"))?;
        // In a container, every process may have the number that one had which was killed.
        let number = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let draft = self.place.with_file_name(format!(".{}.{number:016x}.new", name.display()));
        let file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
        Ok((draft, file))
    }
}

/// A page of an earlier plan is replaced. A slip of the hand must not cost a pipeline's file, or its ledger.
fn is_a_page(place: &Path) -> io::Result<()> {
    const BEGIN: &[u8] = b"<!doctype html>";
    if !fs::metadata(place)?.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    let mut begin = Vec::new();
    File::open(place)?.take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    if begin.is_empty() || begin.eq_ignore_ascii_case(BEGIN) {
        return Ok(());
    }
    Err(io::Error::other("there is a file that is no page; it is not overwritten"))
}

fn refused(named: &Path, error: &io::Error) -> Refused {
    Refused::Other(Exit::Configuration, format!("--html {}: {error}", named.display()))
}

//! A table as files: CSV as RFC 4180 has it, and JSON, an object a line. Each file is written beside its place, and put there whole.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::{Terminator, WriterBuilder};

use super::sqlite::{beside, sync_folder};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With a line of names at its head.
    Csv,
    /// An object a line.
    Ndjson,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        }
    }
}

/// What stands in a row under one name.
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    /// Names and values, as a JSON object.
    Pairs(&'a [(String, String)]),
    Nothing,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Cell::Text(Cow::Owned(text))
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Cell::Nothing, Into::into)
    }
}

/// A table that is being written.
pub(super) struct Table {
    columns: &'static [&'static str],
    csv: Option<csv::Writer<Draft>>,
    ndjson: Option<BufWriter<Draft>>,
    rows: u64,
}

impl Table {
    /// Begins the table's files in a folder.
    pub(super) fn begin(
        folder: &Path,
        name: &str,
        columns: &'static [&'static str],
        formats: &[Format],
    ) -> io::Result<Table> {
        let draft = |format: Format| {
            let wanted = formats.contains(&format);
            wanted.then(|| Draft::begin(folder.join(format!("{name}.{}", format.ending())))).transpose()
        };
        let csv = draft(Format::Csv)?.map(|draft| WriterBuilder::new().terminator(Terminator::CRLF).from_writer(draft));
        let mut table = Table { columns, csv, ndjson: draft(Format::Ndjson)?.map(BufWriter::new), rows: 0 };
        if let Some(csv) = &mut table.csv {
            csv.write_record(columns)?;
        }
        Ok(table)
    }

    /// Adds a row: a cell for each column.
    pub(super) fn row<const COLUMNS: usize>(&mut self, cells: [Cell<'_>; COLUMNS]) -> io::Result<()> {
        self.rows += 1;
        if let Some(csv) = &mut self.csv {
            csv.write_record(cells.iter().map(|cell| text(cell).into_owned()))?;
        }
        if let Some(ndjson) = &mut self.ndjson {
            for (number, (name, cell)) in self.columns.iter().zip(&cells).enumerate() {
                let begin = if number == 0 { '{' } else { ',' };
                write!(ndjson, "{begin}\"{name}\":{}", json(cell))?;
            }
            ndjson.write_all(b"}\n")?;
        }
        Ok(())
    }

    /// Ends the files. They are whole then, and not in their places yet.
    pub(super) fn finish(self) -> io::Result<Whole> {
        let csv = self.csv.map(|csv| csv.into_inner().map_err(|error| error.into_error())).transpose()?;
        let ndjson = self.ndjson.map(|ndjson| ndjson.into_inner().map_err(|error| error.into_error())).transpose()?;
        let drafts: Vec<Draft> = csv.into_iter().chain(ndjson).collect();
        drafts.iter().try_for_each(|draft| draft.file.sync_all())?;
        Ok(Whole { drafts, rows: self.rows })
    }
}

/// A table whose files are written.
pub(super) struct Whole {
    drafts: Vec<Draft>,
    rows: u64,
}

impl Whole {
    /// Puts the files into their places. Answers how many rows there are.
    pub(super) fn put(self) -> io::Result<u64> {
        self.drafts.into_iter().try_for_each(Draft::put)?;
        Ok(self.rows)
    }
}

fn text<'a>(cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell {
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Number(number) => Cow::Owned(number.to_string()),
        Cell::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Cell::Pairs([]) | Cell::Nothing => Cow::Borrowed(""),
        Cell::Pairs(_) => Cow::Owned(json(cell).to_string()),
    }
}

fn json(cell: &Cell<'_>) -> serde_json::Value {
    match cell {
        Cell::Text(text) => text.as_ref().into(),
        Cell::Number(number) => (*number).into(),
        Cell::Flag(flag) => (*flag).into(),
        Cell::Pairs(pairs) => {
            pairs.iter().map(|(name, value)| (name.clone(), serde_json::Value::from(value.clone()))).collect()
        }
        Cell::Nothing => serde_json::Value::Null,
    }
}

/// A file that is not in its place yet. One that is given up leaves nothing behind.
struct Draft {
    file: File,
    draft: PathBuf,
    place: PathBuf,
    is_put: bool,
}

impl Draft {
    fn begin(place: PathBuf) -> io::Result<Draft> {
        let draft = beside(&place, ".new");
        Ok(Draft { file: File::create(&draft)?, draft, place, is_put: false })
    }

    fn put(mut self) -> io::Result<()> {
        fs::rename(&self.draft, &self.place)?;
        self.is_put = true;
        sync_folder(&self.place)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_put {
            // Whoever finds it sees by its name that it is not whole.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

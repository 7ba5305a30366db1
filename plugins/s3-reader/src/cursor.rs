//! Reading what there is, object by object, into pages.

use std::collections::VecDeque;

use meterhost_sdk::{Cursor, Error, Page, Request, objects};

use crate::config::{Config, Format};
use crate::decode::{self, Lines};
use crate::layout::Matched;
use crate::listing::{Found, input};
use crate::mapping::Mapping;
use crate::rows::{Object, Rows};

/// How much is taken from the host at once, in bytes.
const PIECE: u32 = 1 << 20;
/// The largest document, in bytes: it is held in memory as a whole.
const DOCUMENT: u64 = 64 << 20;
/// How many objects the host is told of beforehand.
const AHEAD: usize = 64;

/// An opening under way.
pub struct Reading {
    rows: Rows,
    format: Option<Format>,
    found: Found,
    waiting: VecDeque<(objects::Object, Matched)>,
    /// How many of those that wait were announced to the host.
    announced: usize,
    current: Option<Current>,
    ended: bool,
}

/// An object that is being read in pieces.
struct Current {
    body: objects::Body,
    matched: Matched,
    lines: Lines,
}

impl Reading {
    pub(crate) fn open(config: Config, request: &Request) -> Result<Self, Error> {
        let mapping = Mapping::new(&config)?;
        let found = Found::new(mapping.layout.clone(), request);
        Ok(Reading {
            rows: Rows::new(mapping),
            format: config.format,
            found,
            waiting: VecDeque::new(),
            announced: 0,
            current: None,
            ended: false,
        })
    }

    /// Reads one piece of an object, or one small object.
    fn step(&mut self) -> Result<(), Error> {
        if let Some(current) = self.current.take() {
            return self.piece(current);
        }
        let Some((listed, matched)) = self.waiting.pop_front() else {
            match self.found.next()? {
                Some(found) => self.waiting.extend(found),
                None => self.ended = true,
            }
            return Ok(());
        };
        self.announced = self.announced.saturating_sub(1);
        if self.announced == 0 {
            let keys: Vec<String> = self.waiting.iter().take(AHEAD).map(|(object, _)| object.key.clone()).collect();
            self.announced = keys.len();
            objects::prefetch(&keys);
        }
        let object = Object { key: &listed.key, matched: &matched };
        let Some(format) = self.format.or_else(|| format_of(&listed.key)) else {
            self.rows.unreadable(&object, "its name does not say how it is written; set `config.format`".to_owned());
            return Ok(());
        };
        let body = match open(&listed) {
            Ok(body) => body,
            Err(error) => return self.failed(&object, error),
        };
        match format {
            Format::Ndjson => self.current = Some(Current { body, matched, lines: Lines::default() }),
            Format::Json => self.document(&object, body)?,
        }
        Ok(())
    }

    fn piece(&mut self, mut current: Current) -> Result<(), Error> {
        let read = current.body.object();
        let object = Object { key: &read.key, matched: &current.matched };
        let bytes = match current.body.read(PIECE) {
            Ok(bytes) => bytes,
            Err(error) => return self.failed(&object, error),
        };
        if bytes.is_empty() {
            current.lines.finish(&mut self.rows, &object);
            self.rows.finished(input(&read, &current.matched));
        } else if let Err(reason) = current.lines.push(&mut self.rows, &object, &bytes) {
            self.rows.unreadable(&object, reason);
        } else {
            self.current = Some(current);
        }
        Ok(())
    }

    fn document(&mut self, object: &Object<'_>, mut body: objects::Body) -> Result<(), Error> {
        let read = body.object();
        if read.size > DOCUMENT {
            let reason = format!("it is larger than {} MiB; write such objects as lines of JSON", DOCUMENT >> 20);
            self.rows.unreadable(object, reason);
            return Ok(());
        }
        let mut bytes = Vec::new();
        loop {
            match body.read(PIECE) {
                Ok(piece) if piece.is_empty() => break,
                Ok(piece) if bytes.is_empty() => bytes = piece,
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => return self.failed(object, error),
            }
        }
        match decode::document(&mut self.rows, object, &bytes) {
            Ok(()) => self.rows.finished(input(&read, object.matched)),
            Err(reason) => self.rows.unreadable(object, reason),
        }
        Ok(())
    }

    /// An object that cannot be read holds its windows; what is not granted ends the opening.
    fn failed(&mut self, object: &Object<'_>, error: objects::Error) -> Result<(), Error> {
        if let objects::Error::Denied(text) = error {
            return Err(Error::Denied(text));
        }
        self.rows.unreadable(object, format!("it cannot be read: {}", objects::message(&error)));
        Ok(())
    }
}

impl Cursor for Reading {
    fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            if let Some(page) = self.rows.ready() {
                return Ok(Some(page));
            }
            if self.ended {
                return Ok(self.rows.last());
            }
            self.step()?;
        }
    }
}

/// Opens an object as it was listed; if it is another by now, as it is now.
fn open(listed: &objects::Object) -> Result<objects::Body, objects::Error> {
    match objects::get(&listed.key, Some(&listed.etag)) {
        Err(objects::Error::Precondition(_)) => objects::get(&listed.key, None),
        other => other,
    }
}

/// What the end of a key says of how the object is written.
fn format_of(key: &str) -> Option<Format> {
    let (_, ending) = key.rsplit_once('.')?;
    match ending {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" | "log" => Some(Format::Ndjson),
        _ => None,
    }
}

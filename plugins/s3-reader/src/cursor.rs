//! Reading what there is, object by object, into pages.

use std::collections::VecDeque;
use std::rc::Rc;

use meterhost_sdk::{Cursor, Error, Input, Page, Request, objects};

use crate::config::Config;
use crate::decode::{Decoder, Stopped, format_of};
use crate::layout::Matched;
use crate::listing::{Found, Wanted, input};
use crate::mapping::Mapping;
use crate::pick::Picker;
use crate::rows::{Object, Rows};

/// How much is taken from the host at once, in bytes.
const PIECE: u32 = 1 << 20;
/// How many objects the host is told of beforehand.
const AHEAD: usize = 64;

/// An opening under way.
pub struct Reading {
    mapping: Rc<Mapping>,
    picker: Picker,
    rows: Rows,
    found: Found,
    waiting: VecDeque<Wanted>,
    /// How many of those that wait were announced to the host.
    announced: usize,
    current: Option<Current>,
    ended: bool,
}

/// The object that is being read.
struct Current {
    body: objects::Body,
    /// As it is read, which may be another version than was listed.
    input: Input,
    matched: Matched,
    decoder: Decoder,
    /// Whether there are no more bytes.
    ended: bool,
}

impl Reading {
    pub(crate) fn open(config: &Config, request: &Request) -> Result<Self, Error> {
        let mapping = Rc::new(Mapping::new(config)?);
        Ok(Reading {
            picker: Picker::new(Rc::clone(&mapping)),
            rows: Rows::new(Rc::clone(&mapping)),
            found: Found::open(Rc::clone(&mapping), request)?,
            mapping,
            waiting: VecDeque::new(),
            announced: 0,
            current: None,
            ended: false,
        })
    }

    /// Goes on a little: opens an object, or reads a piece of it.
    fn step(&mut self) -> Result<(), Error> {
        if let Some(current) = self.current.take() {
            return self.read(current);
        }
        let Some(wanted) = self.waiting.pop_front() else {
            match self.found.next()? {
                Some(found) => self.waiting.extend(found),
                None => self.ended = true,
            }
            return Ok(());
        };
        self.announce();
        self.begin(wanted)
    }

    /// Tells the host which objects come next.
    fn announce(&mut self) {
        self.announced = self.announced.saturating_sub(1);
        if self.announced == 0 {
            let keys: Vec<String> = self.waiting.iter().take(AHEAD).map(|wanted| wanted.object.key.clone()).collect();
            if !keys.is_empty() {
                objects::prefetch(&keys);
            }
            self.announced = keys.len();
        }
    }

    fn begin(&mut self, wanted: Wanted) -> Result<(), Error> {
        let Wanted { object: listed, matched, unreadable } = wanted;
        let object = Object { key: &listed.key, matched: &matched };
        if let Some(reason) = unreadable {
            self.rows.unreadable(&object, reason.to_owned());
            return Ok(());
        }
        let Some(format) = self.mapping.format.or_else(|| format_of(&listed.key)) else {
            let reason = "its key does not say how it is written; add `format = \"json\"` or `format = \"ndjson\"` to the configuration";
            self.rows.unreadable(&object, reason.to_owned());
            return Ok(());
        };
        match open(&listed) {
            Ok((body, opened)) => {
                let input = input(&opened, &matched);
                let decoder = Decoder::new(format, opened.size);
                self.current = Some(Current { body, input, matched, decoder, ended: false });
                Ok(())
            }
            Err(error) => self.failed(&object, error),
        }
    }

    fn read(&mut self, mut current: Current) -> Result<(), Error> {
        let object = Object { key: &current.input.key, matched: &current.matched };
        match current.decoder.decode(&mut self.picker, &mut self.rows, &object) {
            Ok(Stopped::Done) => {}
            Ok(Stopped::PageFull) => {
                self.current = Some(current);
                return Ok(());
            }
            Err(reason) => {
                self.rows.unreadable(&object, reason);
                return Ok(());
            }
        }
        if current.ended {
            self.rows.finished(current.input);
            return Ok(());
        }
        let piece = match current.body.read(PIECE) {
            Ok(piece) => piece,
            Err(error) => return self.failed(&object, error),
        };
        current.ended = piece.is_empty();
        let taken = if current.ended { current.decoder.end() } else { current.decoder.push(piece) };
        match taken {
            Ok(()) => self.current = Some(current),
            Err(reason) => self.rows.unreadable(&object, reason),
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
fn open(listed: &objects::Object) -> Result<(objects::Body, objects::Object), objects::Error> {
    match objects::get(&listed.key, Some(&listed.etag)) {
        Err(objects::Error::Precondition(_)) => {
            let body = objects::get(&listed.key, None)?;
            let opened = body.object();
            Ok((body, opened))
        }
        // The ETag was the condition, so it is what was listed, and asking again would cost a call.
        body => Ok((body?, listed.clone())),
    }
}

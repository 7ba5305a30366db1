//! Reading what there is, object by object, into pages.

use std::rc::Rc;

use meterhost_sdk::json::Picker;
use meterhost_sdk::{Cursor, Error, Input, Page, Request, objects};

use crate::ahead::Ahead;
use crate::config::Config;
use crate::contents::{Contents, Failed};
use crate::decode::{Decoder, SAY_THE_FORMAT, Stopped, format_of};
use crate::layout::Matched;
use crate::listing::{Found, Wanted, input};
use crate::mapping::Mapping;
use crate::rows::{Object, Rows};

/// An opening under way.
pub struct Reading {
    mapping: Rc<Mapping>,
    picker: Picker,
    rows: Rows,
    found: Found,
    ahead: Ahead,
    /// Whether there is nothing more to list.
    listed: bool,
    current: Option<Current>,
    ended: bool,
}

/// The object that is being read.
struct Current {
    contents: Contents,
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
            picker: Picker::new(Rc::clone(&mapping.pointers)),
            rows: Rows::new(Rc::clone(&mapping)),
            found: Found::open(Rc::clone(&mapping), request)?,
            mapping,
            ahead: Ahead::default(),
            listed: false,
            current: None,
            ended: false,
        })
    }

    /// Goes on a little: opens an object, or reads a piece of it.
    fn step(&mut self) -> Result<(), Error> {
        if let Some(current) = self.current.take() {
            return self.read(current);
        }
        // While a page of the listing is on its way, the host fetches what was announced before.
        if self.ahead.is_short() && !self.listed {
            match self.found.next()? {
                Some(found) => self.ahead.extend(found),
                None => self.listed = true,
            }
            self.announce();
            return Ok(());
        }
        let Some(wanted) = self.ahead.pop() else {
            self.ended = true;
            return Ok(());
        };
        self.announce();
        self.begin(wanted)
    }

    /// Tells the host which objects come next.
    fn announce(&mut self) {
        let keys = self.ahead.announce();
        if !keys.is_empty() {
            objects::prefetch(&keys);
        }
    }

    fn begin(&mut self, wanted: Wanted) -> Result<(), Error> {
        let Wanted { object: listed, matched, unreadable } = wanted;
        let object = Object { key: &listed.key, etag: &listed.etag, matched: &matched };
        if let Some(reason) = unreadable {
            self.rows.unreadable(&object, reason.to_owned());
            return Ok(());
        }
        let Some(format) = self.mapping.format.or_else(|| format_of(&listed.key)) else {
            let reason = format!("its key does not say how it is written; {SAY_THE_FORMAT} to the configuration");
            self.rows.unreadable(&object, reason);
            return Ok(());
        };
        match open(&listed) {
            Ok((contents, opened)) => {
                let input = input(&opened, &matched);
                // What is stored says little of how long it is without its compression.
                let size = if contents.is_plain() { opened.size } else { 0 };
                self.rows.begin(&input.key);
                let decoder = Decoder::new(format, size, self.mapping.delimiter);
                self.current = Some(Current { contents, input, matched, decoder, ended: false });
                Ok(())
            }
            Err(failed) => self.failed(&object, failed),
        }
    }

    fn read(&mut self, mut current: Current) -> Result<(), Error> {
        let object = Object { key: &current.input.key, etag: &current.input.etag, matched: &current.matched };
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
        let piece = match current.contents.read() {
            Ok(piece) => piece,
            Err(failed) => return self.failed(&object, failed),
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
    fn failed(&mut self, object: &Object<'_>, failed: Failed) -> Result<(), Error> {
        match failed {
            Failed::Store(objects::Error::Denied(text)) => return Err(Error::Denied(text)),
            Failed::Store(error) => {
                self.rows.unreadable(object, format!("it cannot be read: {}", objects::message(&error)));
            }
            Failed::Unusable(reason) => self.rows.unreadable(object, reason),
        }
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
fn open(listed: &objects::Object) -> Result<(Contents, objects::Object), Failed> {
    let (body, opened) = match objects::get(&listed.key, Some(&listed.etag)) {
        Err(objects::Error::Precondition(_)) => {
            let body = objects::get(&listed.key, None).map_err(Failed::Store)?;
            let opened = body.object();
            (body, opened)
        }
        // The ETag was the condition, so it is what was listed, and asking again would cost a call.
        body => (body.map_err(Failed::Store)?, listed.clone()),
    };
    Ok((Contents::of(body, &listed.key)?, opened))
}

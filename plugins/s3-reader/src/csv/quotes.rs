//! Whether quotes stand where they may.
//!
//! The reader of rows takes anything: it joins what follows a closing quote to the field, and reads on to the end of the
//! file for a quote that is missing. One quote too many would make a row of several, and their usage a field's text.

use memchr::memchr;

/// Follows a CSV through its quotes.
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a field.
    Start,
    /// In a field without quotes around it. A quote in it is text.
    Plain,
    Quoted,
    /// After a quote that closed a field, or is the first of two.
    Closed,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Quotes { delimiter, state: State::Start }
    }

    /// What stands between fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Whether a quote is open.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Goes on with the next bytes; false if a quote stands where none may.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> bool {
        let inside = matches!(self.state, State::Quoted | State::Closed);
        if !inside && memchr(b'"', bytes).is_none() {
            self.state = match bytes.last() {
                None => self.state,
                Some(&last) if self.ends(last) => State::Start,
                Some(_) => State::Plain,
            };
            return true;
        }
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Start | State::Closed, b'"') => State::Quoted,
                (State::Quoted, b'"') => State::Closed,
                (State::Quoted, _) => State::Quoted,
                (_, byte) if self.ends(byte) => State::Start,
                (State::Closed, _) => return false,
                (State::Start | State::Plain, _) => State::Plain,
            };
        }
        true
    }

    fn ends(&self, byte: u8) -> bool {
        byte == self.delimiter || byte == b'\n' || byte == b'\r'
    }
}

//! All ways in which a key fits a layout.
//!
//! A `*` or a capture may end in many places, so that there may be very many ways. Two that mean the same are one, and
//! after two that mean different things no more are looked for. What is known of a place is kept: that nothing fits
//! behind it, or that all ways from it were seen.

use std::collections::BTreeMap;

use super::{Layout, Token, Unit};

/// The year, month, day and hour that a key names.
pub(super) type Times = [Option<i16>; 4];
/// What the captures hold, by position.
pub(super) type Captures<'k> = Vec<Option<&'k str>>;

/// So many steps are taken for a key. Captures that stand twice can keep ways apart that lead nowhere, more than can be
/// counted; such a key is said to be ambiguous, which holds its object back.
const STEPS: u32 = 100_000;

/// Goes through the ways in which a key fits a layout.
pub(super) struct Walk<'k, 'l> {
    key: &'k str,
    layout: &'l Layout,
    times: Times,
    captures: Captures<'k>,
    /// What the first way means.
    pub(super) found: Option<(Times, Captures<'k>)>,
    /// The times of another one that means something else.
    pub(super) other: Option<Times>,
    steps: u32,
    /// For a stretch (a `*` or a capture) and the end of the part of the key in which it lies: the first place from
    /// which nothing fits, whatever came before. What begins behind that place has fewer ends to choose from, and does
    /// not fit either.
    dead: BTreeMap<(usize, usize), usize>,
    /// The same for a `*` behind which something is named, and what was named before it: the first place from which all
    /// ways were seen.
    seen: BTreeMap<(usize, usize, Times, Captures<'k>), usize>,
}

impl<'k, 'l> Walk<'k, 'l> {
    pub(super) fn new(layout: &'l Layout, key: &'k str) -> Self {
        Walk {
            key,
            layout,
            times: [None; 4],
            captures: vec![None; layout.captures.len()],
            found: None,
            other: None,
            steps: 0,
            dead: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Goes on with a token, at a place of the key. Answers whether anything might fit from here, had other things been
    /// named before.
    pub(super) fn from(&mut self, token: usize, at: usize) -> bool {
        let layout = self.layout;
        let rest = self.key.get(at..).unwrap_or_default();
        match layout.tokens.get(token) {
            None if rest.is_empty() => {
                match &self.found {
                    None => self.found = Some((self.times, self.captures.clone())),
                    Some((times, captures)) if *times == self.times && *captures == self.captures => {}
                    Some(_) => self.other = Some(self.times),
                }
                true
            }
            None => false,
            Some(Token::Literal(text)) => rest.starts_with(text.as_str()) && self.from(token + 1, at + text.len()),
            Some(Token::Time(unit)) => self.time(token, at, *unit),
            Some(Token::Any) => self.stretch(token, at, self.part(at), None),
            Some(Token::All) => self.stretch(token, at, self.key.len(), None),
            Some(Token::Capture(position)) => self.stretch(token, at, self.part(at), Some(*position)),
        }
    }

    fn time(&mut self, token: usize, at: usize, unit: Unit) -> bool {
        let digits = self.key.get(at..).and_then(|rest| rest.get(..unit.width())).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let value = digits.parse().ok();
        let before = self.times.get(unit as usize).copied().flatten();
        // A part that stands twice says the same twice.
        if before.is_some() && before != value {
            return true;
        }
        self.set_time(unit, value);
        let fits = self.from(token + 1, at + unit.width());
        self.set_time(unit, before);
        fits
    }

    /// Where the part of the key that begins here ends.
    fn part(&self, at: usize) -> usize {
        let rest = self.key.get(at..).unwrap_or_default();
        at + rest.find('/').unwrap_or(rest.len())
    }

    /// A `*`, a `**` or a capture, which ends at `part` at the latest.
    fn stretch(&mut self, token: usize, at: usize, part: usize, capture: Option<usize>) -> bool {
        if self.dead.get(&(token, part)).is_some_and(|&dead| dead <= at) {
            return false;
        }
        let names = self.layout.names_after(token);
        if capture.is_none() && names {
            let seen = self.seen.entry((token, part, self.times, self.captures.clone())).or_insert(usize::MAX);
            if *seen <= at {
                return true;
            }
            *seen = at;
        }
        let before = capture.and_then(|position| self.captures.get(position).copied().flatten());
        let mut fits = false;
        let mut end = at;
        while let Some(next) = self.end(token, end, part) {
            end = next + self.key.get(next..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            self.steps += 1;
            if self.steps > STEPS {
                self.found.get_or_insert((self.times, self.captures.clone()));
                self.other.get_or_insert([None; 4]);
            }
            if self.other.is_some() {
                return true;
            }
            let Some(position) = capture else {
                fits |= self.from(token + 1, next);
                // What follows means the same wherever this ends, unless it names something.
                if fits && !names {
                    return true;
                }
                continue;
            };
            let text = self.key.get(at..next).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            if before.is_some_and(|before| before != text) {
                fits = true;
                continue;
            }
            self.set_capture(position, Some(text));
            fits |= self.from(token + 1, next);
            self.set_capture(position, before);
        }
        if !fits {
            self.dead.insert((token, part), at);
        }
        fits
    }

    /// The first place from `from` to `part` where a stretch may end, given the token after it.
    fn end(&self, token: usize, from: usize, part: usize) -> Option<usize> {
        if from > part {
            return None;
        }
        match self.layout.tokens.get(token + 1) {
            None => (part == self.key.len()).then_some(part).filter(|&end| end >= from),
            Some(Token::Literal(text)) => {
                let end = from + self.key.get(from..)?.find(text.as_str())?;
                (end <= part).then_some(end)
            }
            Some(_) => Some(from),
        }
    }

    fn set_time(&mut self, unit: Unit, value: Option<i16>) {
        if let Some(time) = self.times.get_mut(unit as usize) {
            *time = value;
        }
    }

    fn set_capture(&mut self, position: usize, text: Option<&'k str>) {
        if let Some(capture) = self.captures.get_mut(position) {
            *capture = text;
        }
    }
}

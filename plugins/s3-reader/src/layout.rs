//! What the parts of a key mean.

mod beyond;
mod key;
mod prefixes;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use key::{Key, Matched};

use crate::contents::Compression;

/// A parsed layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    tokens: Vec<Token>,
    /// The names of the captures, in the order of their first appearance.
    captures: Vec<String>,
    /// How far a record's own time may lie outside of the time in its key, in milliseconds.
    slack: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Time(Unit),
    /// The position of its name.
    Capture(usize),
    /// `*`: any text within a part of the key.
    Any,
    /// `**`: any text, slashes and all.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

impl Unit {
    fn width(self) -> usize {
        if self == Unit::Year { 4 } else { 2 }
    }
}

impl Layout {
    /// Reads a layout. The error is for a person.
    pub(crate) fn parse(text: &str) -> Result<Layout, String> {
        let mut layout = Layout { tokens: Vec::new(), captures: Vec::new(), slack: 0 };
        let mut rest = text;
        if text.is_empty() || text.starts_with('/') {
            return Err(
                "layout: it is relative to the granted bucket or folder, and does not begin with `/`".to_owned()
            );
        }
        while let Some(first) = rest.chars().next() {
            let token = match first {
                '*' => {
                    let (token, length) = if rest.starts_with("**") { (Token::All, 2) } else { (Token::Any, 1) };
                    rest = rest.get(length..).unwrap_or_default();
                    token
                }
                '{' => {
                    let (name, after) = rest
                        .get(1..)
                        .and_then(|rest| rest.split_once('}'))
                        .ok_or_else(|| format!("layout: the brace in `{rest}` is not closed"))?;
                    rest = after;
                    layout.named(name)?
                }
                '}' => return Err(format!("layout: the brace in `{rest}` was not opened")),
                _ => {
                    let end = rest.find(['*', '{', '}']).unwrap_or(rest.len());
                    let (literal, after) = rest.split_at(end);
                    rest = after;
                    Token::Literal(literal.to_owned())
                }
            };
            let is_open = |token: &Token| matches!(token, Token::Any | Token::All | Token::Capture(_));
            if layout.tokens.last().is_some_and(is_open) && is_open(&token) {
                return Err("layout: between two of `*`, `**` and captures there must be a text that tells them apart"
                    .to_owned());
            }
            layout.tokens.push(token);
        }
        layout.check_times()?;
        Ok(layout)
    }

    fn named(&mut self, name: &str) -> Result<Token, String> {
        Ok(match name {
            "yyyy" => Token::Time(Unit::Year),
            "mm" => Token::Time(Unit::Month),
            "dd" => Token::Time(Unit::Day),
            "hh" => Token::Time(Unit::Hour),
            "" => return Err("layout: a capture has a name: {tenant}".to_owned()),
            name if ["yyyy", "mm", "dd", "hh"].contains(&name.to_ascii_lowercase().as_str()) => {
                return Err(format!("layout: write `{{{}}}`, not `{{{name}}}`", name.to_ascii_lowercase()));
            }
            name if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                return Err(format!("layout: `{{{name}}}` is no capture: a name has letters, digits and `_`"));
            }
            name => {
                let position = self.captures.iter().position(|known| known == name).unwrap_or_else(|| {
                    self.captures.push(name.to_owned());
                    self.captures.len() - 1
                });
                Token::Capture(position)
            }
        })
    }

    /// A month without a year, or an hour without a day, names no time.
    fn check_times(&self) -> Result<(), String> {
        let has = |unit| self.tokens.contains(&Token::Time(unit));
        let names = [
            (Unit::Month, Unit::Year, "{mm}", "{yyyy}"),
            (Unit::Day, Unit::Month, "{dd}", "{mm}"),
            (Unit::Hour, Unit::Day, "{hh}", "{dd}"),
        ];
        for (unit, needs, name, needed) in names {
            if has(unit) && !has(needs) {
                return Err(format!("layout: {name} names a time only together with {needed}"));
            }
        }
        Ok(())
    }

    /// The same layout, of objects whose records may lie so many milliseconds outside of the time in their keys.
    pub(crate) fn with_slack(self, slack: i64) -> Self {
        Layout { slack, ..self }
    }

    /// How far a record's own time may lie outside of the time in its key, in milliseconds.
    pub(crate) fn slack(&self) -> i64 {
        self.slack
    }

    /// The position of a capture.
    pub(crate) fn capture(&self, name: &str) -> Option<usize> {
        self.captures.iter().position(|known| known == name)
    }

    /// Whether keys name a time.
    pub(crate) fn has_time(&self) -> bool {
        self.tokens.contains(&Token::Time(Unit::Year))
    }

    /// What the end of every key is, from its last point, or from the one before that if the last names a compression;
    /// nothing if the layout has no such end.
    pub(crate) fn ending(&self) -> Option<&str> {
        let Some(Token::Literal(text)) = self.tokens.last() else { return None };
        let name = text.rsplit('/').next().unwrap_or_default();
        let plain = Compression::of_key(name).map_or(name, |(_, plain)| plain);
        plain.rfind('.').and_then(|point| name.get(point..))
    }

    /// The least length of the time that a key names, in milliseconds, and what it is called.
    pub(crate) fn finest(&self) -> Option<(i64, &'static str)> {
        const HOUR: i64 = 3_600_000;
        let finest = self
            .tokens
            .iter()
            .filter_map(|token| if let Token::Time(unit) = token { Some(*unit) } else { None })
            .max()?;
        Some(match finest {
            Unit::Year => (365 * 24 * HOUR, "a year"),
            Unit::Month => (28 * 24 * HOUR, "a month"),
            Unit::Day => (24 * HOUR, "a day"),
            Unit::Hour => (HOUR, "an hour"),
        })
    }
}

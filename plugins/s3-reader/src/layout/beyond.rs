//! Where a listing may go on, though captures stand before the time: below each of what they hold, keys ascend by time, so that all but
//! the windows that are wanted is passed over.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use meterhost_sdk::Window;

use super::prefixes::written;
use super::{Key, Layout, Token, Unit};

/// What comes after every digit.
const BEHIND_DIGITS: char = ':';

impl Layout {
    /// The key behind which the next wanted ones of these windows stand, where a listing has come to `key`; nothing if they may be the
    /// next ones. What stands in between and does not fit the layout is passed over, too.
    pub(crate) fn beyond(&self, key: &str, windows: &[Window]) -> Option<String> {
        let (folders, times) = self.ascending()?;
        let Key::Matched(matched) = self.key(key) else { return None };
        let come_to = matched.span?.start;
        let head = key.get(..=key.match_indices('/').nth(folders.checked_sub(1)?)?.0)?;
        let left = windows.iter().map(|window| self.widened(window)).filter(|window| window.end > come_to);
        let behind = match left.map(|window| window.start).min() {
            None => format!("{head}{BEHIND_DIGITS}"),
            Some(start) => {
                let start = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(start).ok()?);
                let part = |token: &Token| match token {
                    Token::Time(unit) => written(start, *unit),
                    Token::Literal(text) => text.clone(),
                    Token::Capture(_) | Token::Any | Token::All => String::new(),
                };
                times.iter().map(part).fold(head.to_owned(), |key, part| key + &part)
            }
        };
        (behind.as_str() > key).then_some(behind)
    }

    /// How many folders the keys have before their time, and the tokens of that time; nothing if captures do not stand before it, or keys
    /// do not ascend by it.
    fn ascending(&self) -> Option<(usize, &[Token])> {
        let first = self.tokens.iter().position(|token| matches!(token, Token::Time(_)))?;
        let (head, rest) = self.tokens.split_at(first);
        let is_fixed = |token: &Token| matches!(token, Token::Time(_) | Token::Literal(_));
        let run = rest.iter().position(|token| !is_fixed(token)).unwrap_or(rest.len());
        let last = rest.iter().take(run).rposition(|token| matches!(token, Token::Time(_)))?;
        let units: Vec<Unit> =
            rest.iter().filter_map(|token| if let Token::Time(unit) = token { Some(*unit) } else { None }).collect();
        let is_open = head.iter().any(|token| matches!(token, Token::Capture(_) | Token::Any));
        let is_folders =
            matches!(head.last(), Some(Token::Literal(text)) if text.ends_with('/')) && !head.contains(&Token::All);
        // All times stand in it, the coarser first, and something comes after them.
        let ascends = units.is_sorted_by(|one, other| one < other)
            && units.len() == rest.iter().take(run).filter(|token| matches!(token, Token::Time(_))).count();
        let folders =
            head.iter().map(|token| if let Token::Literal(text) = token { text.matches('/').count() } else { 0 }).sum();
        (is_open && is_folders && ascends && last + 1 < rest.len()).then_some((folders, rest.get(..=last)?))
    }
}

//! Finding a charge by what a person types: its id, or the beginning of one.

use super::charge::ChargeState;
use super::state::State;
use crate::model::charge::ChargeId;

/// The fewest digits that name a charge.
const SHORTEST: usize = 4;
/// The digits of a whole id.
const LONGEST: usize = 32;
/// So many charges are named where one was not found, or several were.
const MOST_NAMED: usize = 5;
/// An id with more slips than this is another one.
const MOST_SLIPS: usize = 2;

/// Why a text names no charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchCharge {
    /// It cannot be the beginning of an id.
    #[error(
        "`{0}` names no charge: give its id, of {LONGEST} digits from 0 to 9 and a to f, or at least the first {SHORTEST} of them"
    )]
    NoId(String),
    /// There is none.
    #[error("there is no charge `{text}` in the ledger{}", also("; near it are ", near))]
    Unknown {
        /// What was asked for.
        text: String,
        /// The charges that it may have been meant to name.
        near: Vec<String>,
    },
    /// There are several.
    #[error("`{text}` is the beginning of {count} charges{}", also(": ", some))]
    Several {
        /// What was asked for.
        text: String,
        /// How many.
        count: usize,
        /// Some of them.
        some: Vec<String>,
    },
}

fn also(before: &str, charges: &[String]) -> String {
    if charges.is_empty() { String::new() } else { format!("{before}{}", charges.join("; ")) }
}

/// The beginning of a charge's id, or the whole of it, perhaps with a revision behind it, as records of a queue name their charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought(String);

impl std::str::FromStr for Sought {
    type Err = NoSuchCharge;

    fn from_str(text: &str) -> Result<Self, NoSuchCharge> {
        let trimmed = text.trim();
        let is_revision = |revision: &str| !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
        let id = trimmed.split_once('/').filter(|(_, revision)| is_revision(revision)).map_or(trimmed, |(id, _)| id);
        let digits = id.to_ascii_lowercase();
        let is_id = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match is_id && (SHORTEST..=LONGEST).contains(&digits.len()) {
            true => Ok(Sought(digits)),
            false => Err(NoSuchCharge::NoId(text.to_owned())),
        }
    }
}

impl Sought {
    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether a charge may be meant.
    pub fn fits(&self, id: &ChargeId) -> bool {
        id.to_string().starts_with(&self.0)
    }
}

impl NoSuchCharge {
    /// That these are meant, or may be.
    pub(super) fn several(sought: &Sought, all: Vec<String>) -> Self {
        let count = all.len();
        NoSuchCharge::Several { text: sought.0.clone(), count, some: all.into_iter().take(MOST_NAMED).collect() }
    }
}

impl State {
    /// The one charge that is sought.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find(&self, sought: &Sought) -> Result<&ChargeState, NoSuchCharge> {
        let mut found: Vec<&ChargeState> =
            self.charges.iter().filter(|(id, _)| sought.fits(id)).map(|(_, charge)| charge).collect();
        found.sort_by_key(|charge| charge.charge().id());
        let text = sought.0.clone();
        match found.as_slice() {
            [charge] => Ok(charge),
            [] => Err(NoSuchCharge::Unknown { near: self.near(&text), text }),
            several => Err(NoSuchCharge::Several { text, count: several.len(), some: named(several) }),
        }
    }

    /// Charges whose ids begin almost like this.
    fn near(&self, text: &str) -> Vec<String> {
        let slips = |id: &ChargeId| {
            let id = id.to_string();
            strsim::osa_distance(id.get(..text.len()).unwrap_or(&id), text)
        };
        let mut near: Vec<(usize, ChargeId, &ChargeState)> =
            self.charges.iter().map(|(id, charge)| (slips(id), *id, charge)).collect();
        // Of a short beginning a slip leaves next to nothing.
        let most = MOST_SLIPS.min(text.len().saturating_sub(SHORTEST - 1));
        near.retain(|(slips, ..)| *slips <= most);
        near.sort_by_key(|(slips, id, _)| (*slips, *id));
        let near: Vec<&ChargeState> = near.into_iter().map(|(.., charge)| charge).collect();
        named(&near)
    }
}

fn named(charges: &[&ChargeState]) -> Vec<String> {
    let charges = charges.iter().take(MOST_NAMED).map(|state| state.charge());
    charges.map(|charge| format!("{} ({})", charge.id(), charge.words())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        for text in ["", "8da", "8daz", "cpu of A", "8daa74a7874296b92cdac1fb570f40ea0", "8daa/", "8daa/x"] {
            let refused = text.parse::<Sought>().unwrap_err().to_string();
            assert!(refused.starts_with(&format!("`{text}` names no charge: give its id")), "{refused}");
        }
        for text in [" 8DAA ", "8daa/2"] {
            assert_eq!(text.parse::<Sought>(), Ok(Sought("8daa".to_owned())));
        }
    }
}

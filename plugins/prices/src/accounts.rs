//! Accounts by number.

use std::collections::HashMap;

use meterhost_sdk::Decimal;

/// How the charges of one product, customer and dimension are priced, by number: get it once, and keep it as long as the
/// [`Pricing`](crate::Pricing) it is from. It does not tell accounts apart: those that need no memory share one.
#[derive(Debug, Clone, Copy)]
pub struct Account(pub(crate) Kind);

impl Account {
    /// Whether what a charge costs depends on no other charge of the account.
    pub fn is_plain(&self) -> bool {
        !matches!(self.0, Kind::Kept(_))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// The dimension has no price.
    Unpriced,
    /// Each charge costs this for a unit, and nothing is remembered of the account.
    Unit(Decimal),
    /// Something is remembered of it, under this number.
    Kept(usize),
}

/// The numbers of the accounts of which something is remembered.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: HashMap<Box<str>, usize>,
    /// By the numbers of product, customer and dimension.
    accounts: HashMap<[usize; 3], usize>,
}

impl Names {
    /// The number of an account; the next one, if it is new.
    pub(crate) fn number(&mut self, names: [&str; 3]) -> usize {
        let next = self.accounts.len();
        let names = names.map(|name| self.text(name));
        *self.accounts.entry(names).or_insert(next)
    }

    /// Product, customer and dimension of a number. Slow: it is for a fault.
    pub(crate) fn of(&self, number: usize) -> Option<[&str; 3]> {
        let (names, _) = self.accounts.iter().find(|(_, found)| **found == number)?;
        let text = |number| self.texts.iter().find(|(_, found)| **found == number).map(|(text, _)| text.as_ref());
        let [product, customer, dimension] = names.map(text);
        Some([product?, customer?, dimension?])
    }

    fn text(&mut self, text: &str) -> usize {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let number = self.texts.len();
        self.texts.insert(text.into(), number);
        number
    }
}

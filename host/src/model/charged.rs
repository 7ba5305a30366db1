//! Charges on their way to a sink that publishes complete sets: rows, and the columns that pass to plugins and lie in segments.

use std::collections::{BTreeMap, HashMap};

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::charge::{ChargeId, Key, Proposal, Share};
use super::service::Offer;
use super::usage::{ABSENT, TextColumn};
use super::window::Window;

/// The most charges in a block: large enough that a call costs little, small enough that its columns stay in the processor's cache.
const ROWS: usize = 8192;
/// A block whose distinct texts have so many bytes takes no more charges: a call may carry only so much.
const TEXT: usize = 4 << 20;
/// What a quantity may have, all in all.
const DIGITS: u32 = 38;

/// A charge of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// Its id, which follows from its key.
    pub id: ChargeId,
    /// What it is owed for: the first instant, and the first that no longer belongs to it; milliseconds, UTC.
    pub window: (i64, i64),
    /// The product, empty where there is none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// The dimension.
    pub dimension: String,
    /// Sorted by name.
    pub tags: Vec<(String, String)>,
    /// Exact.
    pub quantity: Decimal,
    /// Not part of the identity; sorted by name.
    pub attributes: Vec<(String, String)>,
    /// How many records it is made from.
    pub records: u64,
    /// Whose records, and of which dimensions of the usage.
    pub sources: Vec<Source>,
}

/// A customer of the usage, and the dimensions of theirs that a charge is made from.
pub type Source = (String, Vec<String>);

impl Charged {
    /// The charge that a proposal is, in a set.
    pub fn of(proposal: &Proposal) -> Charged {
        let Key { product, customer, dimension, tags, window, .. } = proposal.key.clone();
        let mut attributes = proposal.attributes.clone();
        attributes.sort();
        Charged {
            id: proposal.key.id(),
            window: instants(&window),
            product,
            customer,
            dimension,
            tags,
            quantity: proposal.quantity.normalised(),
            attributes,
            records: proposal.origins.iter().map(|(_, records)| records).sum(),
            sources: Share::all(&proposal.key, &proposal.origins, &proposal.parts).map(source).collect(),
        }
    }

    /// The same of what a sink is asked about.
    pub fn offered(offer: &Offer) -> Charged {
        let mut attributes = offer.attributes.clone();
        attributes.sort();
        Charged {
            id: offer.id.parse().unwrap_or(ChargeId::of_halves(0, 0)),
            window: offer.window,
            product: offer.product.clone(),
            customer: offer.customer.clone(),
            dimension: offer.dimension.clone(),
            tags: offer.tags.clone(),
            quantity: offer.quantity,
            attributes,
            records: 0,
            sources: Vec::new(),
        }
    }

    /// Whose usage it is made from, of which dimensions.
    pub fn usage(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().flat_map(|(customer, from)| from.iter().map(|from| (customer.as_str(), from.as_str())))
    }

    /// Whether readers are shown the same of both.
    pub fn is_published_as(&self, other: &Charged) -> bool {
        let shown = |charge: &Charged| Charged { records: 0, sources: Vec::new(), ..charge.clone() };
        shown(self) == shown(other)
    }

    /// By which the charges of a window are ordered.
    pub fn order(&self) -> impl Ord + '_ {
        (&self.product, &self.customer, &self.dimension, &self.tags)
    }
}

fn source(share: Share<'_>) -> Source {
    (share.customer.to_owned(), share.origins.iter().map(|(dimension, _)| dimension.clone()).collect())
}

/// A window's first instant, and the first that no longer belongs to it: milliseconds, UTC.
pub fn instants(window: &Window) -> (i64, i64) {
    (window.start().as_millisecond(), window.end().as_millisecond())
}

/// Charges as columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeColumns {
    /// Milliseconds, UTC.
    pub start: Vec<i64>,
    /// The same.
    pub end: Vec<i64>,
    /// The upper halves of the ids.
    pub id_high: Vec<u64>,
    /// The lower halves.
    pub id_low: Vec<u64>,
    /// Absent where there is none.
    pub product: TextColumn,
    /// Never absent.
    pub customer: TextColumn,
    /// Never absent.
    pub dimension: TextColumn,
    /// Low halves of the quantities' coefficients.
    pub lo: Vec<u64>,
    /// High halves; none if all are zero.
    pub hi: Vec<i64>,
    /// The quantities' scale.
    pub scale: u8,
    /// How many records each is made from.
    pub records: Vec<u64>,
    /// Whose records, as JSON.
    pub sources: TextColumn,
    /// By name, ascending.
    pub tags: Vec<(String, TextColumn)>,
    /// By name, ascending.
    pub attributes: Vec<(String, TextColumn)>,
}

impl ChargeColumns {
    /// How many charges there are.
    pub fn rows(&self) -> usize {
        self.start.len()
    }

    /// The same without what no plugin is handed: charges that differ in that only are published alike.
    pub fn published(mut self) -> ChargeColumns {
        (self.records, self.sources) = (Vec::new(), TextColumn::default());
        self
    }

    /// The charges one by one.
    pub fn charges(&self) -> impl Iterator<Item = Charged> + '_ {
        (0..self.rows()).filter_map(|row| self.charge(row))
    }

    /// The charge of this row; nothing beyond the last.
    pub fn charge(&self, row: usize) -> Option<Charged> {
        let text = |column: &TextColumn| column.get(row).unwrap_or_default().to_owned();
        let named = |columns: &[(String, TextColumn)]| {
            let held = columns.iter().filter_map(|(name, column)| Some((name.clone(), column.get(row)?.to_owned())));
            held.collect()
        };
        let hi = self.hi.get(row).copied().unwrap_or_default();
        Some(Charged {
            id: ChargeId::of_halves(*self.id_high.get(row)?, *self.id_low.get(row)?),
            window: (*self.start.get(row)?, *self.end.get(row)?),
            product: text(&self.product),
            customer: text(&self.customer),
            dimension: text(&self.dimension),
            tags: named(&self.tags),
            quantity: Decimal::from_parts(*self.lo.get(row)?, hi, self.scale)?.normalised(),
            attributes: named(&self.attributes),
            records: self.records.get(row).copied().unwrap_or_default(),
            sources: self.sources.get(row).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        })
    }
}

/// Collects charges into blocks of columns. The same charges make the same blocks.
#[derive(Default)]
pub struct ChargeBlock {
    charges: Vec<Placed>,
    /// The largest scale of its quantities, and the most digits before the point.
    scale: u32,
    whole: u32,
    texts: [Texts; 4],
    tags: BTreeMap<String, Texts>,
    attributes: BTreeMap<String, Texts>,
}

/// What of a charge is no text.
struct Placed {
    window: (i64, i64),
    id: (u64, u64),
    quantity: Decimal,
    records: u64,
}

/// A column of text that is being made.
#[derive(Default)]
struct Texts {
    places: HashMap<String, u32>,
    values: Vec<String>,
    indices: Vec<u32>,
    bytes: usize,
}

impl Texts {
    /// What the row holds; those before it that said nothing hold nothing.
    fn put(&mut self, row: usize, text: &str) {
        self.indices.resize(row, ABSENT);
        let place = match self.places.get(text) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.values.len()).unwrap_or(ABSENT);
                self.places.insert(text.to_owned(), place);
                self.values.push(text.to_owned());
                self.bytes += text.len();
                place
            }
        };
        self.indices.push(place);
    }

    fn take(&mut self, rows: usize) -> TextColumn {
        let Texts { values, mut indices, .. } = std::mem::take(self);
        indices.resize(rows, ABSENT);
        // Where all rows hold the same, none has to say it.
        if values.is_empty() || (values.len() == 1 && !indices.contains(&ABSENT)) {
            indices = Vec::new();
        }
        TextColumn { values, indices }
    }
}

impl ChargeBlock {
    /// Takes a charge in; false if the block is full, and as it was. An empty one is never full.
    pub fn push(&mut self, charge: &Charged) -> bool {
        let row = self.charges.len();
        let (scale, whole) = digits(charge.quantity);
        let (scale, whole) = (self.scale.max(scale), self.whole.max(whole));
        let named = self.tags.values().chain(self.attributes.values());
        let text: usize = self.texts.iter().chain(named).map(|texts| texts.bytes).sum();
        if row > 0 && (row >= ROWS || text >= TEXT || scale + whole > DIGITS) {
            return false;
        }
        (self.scale, self.whole) = (scale, whole);
        let [product, customer, dimension, sources] = &mut self.texts;
        if !charge.product.is_empty() {
            product.put(row, &charge.product);
        }
        customer.put(row, &charge.customer);
        dimension.put(row, &charge.dimension);
        if !charge.sources.is_empty() {
            sources.put(row, &serde_json::to_string(&charge.sources).unwrap_or_default());
        }
        for (columns, named) in [(&mut self.tags, &charge.tags), (&mut self.attributes, &charge.attributes)] {
            for (name, value) in named {
                match columns.get_mut(name) {
                    Some(texts) => texts.put(row, value),
                    None => columns.entry(name.clone()).or_default().put(row, value),
                }
            }
        }
        let (window, quantity, records) = (charge.window, charge.quantity, charge.records);
        self.charges.push(Placed { window, id: charge.id.halves(), quantity, records });
        true
    }

    /// The columns so far, if there are any; the block begins anew.
    pub fn take(&mut self) -> Option<ChargeColumns> {
        let ChargeBlock {
            charges,
            scale,
            texts: [mut product, mut customer, mut dimension, mut sources],
            tags,
            attributes,
            ..
        } = std::mem::take(self);
        if charges.is_empty() {
            return None;
        }
        let rows = charges.len();
        let scale = u8::try_from(scale).unwrap_or(u8::MAX);
        let of_scale = |charge: &Placed| charge.quantity.rescale(scale).unwrap_or(charge.quantity).to_parts();
        let parts: Vec<(u64, i64, u8)> = charges.iter().map(of_scale).collect();
        let is_narrow = parts.iter().all(|(_, hi, _)| *hi == 0);
        let named = |columns: BTreeMap<String, Texts>| {
            columns.into_iter().map(|(name, mut texts)| (name, texts.take(rows))).collect()
        };
        Some(ChargeColumns {
            start: charges.iter().map(|charge| charge.window.0).collect(),
            end: charges.iter().map(|charge| charge.window.1).collect(),
            id_high: charges.iter().map(|charge| charge.id.0).collect(),
            id_low: charges.iter().map(|charge| charge.id.1).collect(),
            product: product.take(rows),
            customer: customer.take(rows),
            dimension: dimension.take(rows),
            lo: parts.iter().map(|(lo, ..)| *lo).collect(),
            hi: if is_narrow { Vec::new() } else { parts.iter().map(|(_, hi, _)| *hi).collect() },
            scale,
            records: charges.iter().map(|charge| charge.records).collect(),
            sources: sources.take(rows),
            tags: named(tags),
            attributes: named(attributes),
        })
    }
}

/// The digits of a quantity behind the point, and before it.
fn digits(quantity: Decimal) -> (u32, u32) {
    let scale = u32::from(quantity.scale());
    let all = quantity.coefficient().unsigned_abs().checked_ilog10().map_or(0, |digits| digits + 1);
    (scale, all.saturating_sub(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(customer: &str, quantity: &str, tags: &[(&str, &str)]) -> Charged {
        let owned =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Charged {
            id: ChargeId::of_halves(7, customer.len() as u64),
            window: (0, 3_600_000),
            product: String::new(),
            customer: customer.to_owned(),
            dimension: "cpu".to_owned(),
            tags: owned(tags),
            quantity: Decimal::parse(quantity).unwrap(),
            attributes: owned(&[("price", "2")]),
            records: 3,
            sources: vec![("acme".to_owned(), vec!["raw".to_owned()])],
        }
    }

    #[test]
    fn charges_come_out_of_columns_as_they_went_in() {
        let charges = [
            charge("acme", "1.5", &[]),
            charge("bolt", "-20000000000000000000", &[("team", "a"), ("zone", "")]),
            charge("acme", "0", &[("team", "b")]),
        ];
        let mut block = ChargeBlock::default();
        assert!(charges.iter().all(|charge| block.push(charge)));
        let columns = block.take().unwrap();
        let names: Vec<&str> = columns.tags.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((columns.rows(), columns.scale, names), (3, 1, vec!["team", "zone"]));
        let back: Vec<Charged> = columns.charges().collect();
        let same = |(back, charge): (&Charged, &Charged)| {
            Charged { quantity: back.quantity.normalised(), ..back.clone() } == *charge
        };
        assert!(back.iter().zip(&charges).all(same), "{back:?}");
        assert_eq!(block.take(), None, "it begins anew");
    }

    #[test]
    fn quantities_without_a_common_scale_stand_in_blocks_of_their_own() {
        let mut block = ChargeBlock::default();
        assert!(block.push(&charge("a", "10000000000000000000000000000000000000", &[])));
        assert!(!block.push(&charge("b", "0.5", &[])), "39 digits");
        assert_eq!(block.take().map(|columns| columns.rows()), Some(1));
        assert!(block.push(&charge("b", "0.5", &[])));
    }
}

//! Usage on its way through the host: columns, as they pass between plugins.

use serde::{Deserialize, Serialize};

/// One column of text, dictionary-encoded. The largest index stands for nothing; without indices, all rows hold the first value, or
/// nothing if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextColumn {
    /// The distinct values.
    pub values: Vec<String>,
    /// Which of them each row holds.
    pub indices: Vec<u32>,
}

/// The most records in a batch.
const MOST_ROWS: usize = 65_536;

/// The index of a row that holds nothing.
pub const ABSENT: u32 = u32::MAX;

impl TextColumn {
    /// Which value row `row` holds; [`ABSENT`] for nothing.
    pub fn index(&self, row: usize) -> u32 {
        match self.indices.get(row) {
            Some(&index) => index,
            None if self.indices.is_empty() && !self.values.is_empty() => 0,
            None => ABSENT,
        }
    }

    /// What row `row` holds.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.values.get(self.index(row) as usize).map(String::as_str)
    }

    /// The column of these rows, with the values that they hold.
    pub fn select(&self, rows: &[u32]) -> TextColumn {
        if self.indices.is_empty() {
            return self.clone();
        }
        let mut values = Vec::new();
        let mut places = vec![ABSENT; self.values.len()];
        let place = |row: &u32| {
            let index = self.indices.get(*row as usize).copied().unwrap_or(ABSENT);
            let Some(place) = places.get_mut(index as usize) else { return ABSENT };
            if *place == ABSENT {
                *place = u32::try_from(values.len()).unwrap_or(ABSENT);
                values.extend(self.values.get(index as usize).cloned());
            }
            *place
        };
        let indices = rows.iter().map(place).collect();
        TextColumn { values, indices }
    }

    fn bytes(&self) -> usize {
        self.indices.len() * 4 + self.values.iter().map(|value| value.len() + 24).sum::<usize>()
    }
}

/// Usage records as columns of equal length; every index leads to a value or is [`ABSENT`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Milliseconds, UTC.
    pub time: Vec<i64>,
    /// Never absent, never empty.
    pub customer: TextColumn,
    /// Absent where the usage has no product.
    pub product: TextColumn,
    /// Never absent, never empty.
    pub dimension: TextColumn,
    /// Low halves of the quantities' coefficients.
    pub lo: Vec<u64>,
    /// High halves; none if all are zero.
    pub hi: Vec<i64>,
    /// The quantities' scale.
    pub scale: u8,
    /// The records' own ids.
    pub id: TextColumn,
    /// By name.
    pub attributes: Vec<(String, TextColumn)>,
}

impl Batch {
    /// How many records it holds.
    pub fn rows(&self) -> usize {
        self.time.len()
    }

    /// Roughly what it takes in memory.
    pub fn bytes(&self) -> usize {
        let texts = [&self.customer, &self.product, &self.dimension, &self.id];
        let texts = texts.into_iter().chain(self.attributes.iter().map(|(_, column)| column));
        self.time.len() * 16 + self.hi.len() * 8 + texts.map(TextColumn::bytes).sum::<usize>()
    }

    /// These records, in this order; all of them are rows of this batch.
    pub fn select(&self, rows: &[u32]) -> Batch {
        Batch {
            time: gathered(&self.time, rows),
            customer: self.customer.select(rows),
            product: self.product.select(rows),
            dimension: self.dimension.select(rows),
            lo: gathered(&self.lo, rows),
            hi: gathered(&self.hi, rows),
            scale: self.scale,
            id: self.id.select(rows),
            attributes: self.attributes.iter().map(|(name, column)| (name.clone(), column.select(rows))).collect(),
        }
    }

    /// Checks what the type promises.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn checked(self) -> Result<Batch, String> {
        let rows = self.time.len();
        if rows > MOST_ROWS {
            return Err(format!("its batch has {rows} rows, and {MOST_ROWS} are the most"));
        }
        let length = |what: &str, found: usize| match found == rows {
            true => Ok(()),
            false => Err(format!("its batch has {rows} times and {found} of `{what}`")),
        };
        length("quantity", self.lo.len())?;
        if !self.hi.is_empty() {
            length("quantity.hi", self.hi.len())?;
        }
        // What has no high half is below 2^64 by itself.
        let halves = self.lo.iter().zip(&self.hi);
        let long = |(&lo, &hi): (&u64, &i64)| (i128::from(hi) << 64 | i128::from(lo)).unsigned_abs() >= 10_u128.pow(38);
        if halves.into_iter().any(long) {
            return Err("its batch has a quantity of more than 38 digits".to_owned());
        }
        if self.scale > 38 {
            return Err(format!("its quantities have a scale of {}, and 38 is the most", self.scale));
        }
        let named = [
            ("customer", &self.customer),
            ("product", &self.product),
            ("dimension", &self.dimension),
            ("id", &self.id),
        ];
        let attributes = self.attributes.iter().map(|(name, column)| (name.as_str(), column));
        for (name, column) in named.into_iter().chain(attributes) {
            if !column.indices.is_empty() {
                length(name, column.indices.len())?;
                // The largest index stands for nothing; one more than it wraps to zero, below every bound.
                let past = column.indices.iter().map(|index| index.wrapping_add(1)).max().unwrap_or(0) as usize;
                if past > column.values.len() {
                    return Err(format!("its column `{name}` points beyond its {} values", column.values.len()));
                }
            }
        }
        for (name, column) in [("customer", &self.customer), ("dimension", &self.dimension)] {
            let missing = match column.indices.as_slice() {
                [] => rows > 0 && column.values.is_empty(),
                indices => indices.contains(&ABSENT),
            };
            if missing || column.values.iter().any(String::is_empty) {
                return Err(format!("a record without a {name} is in its batch instead of its quarantine"));
            }
        }
        Ok(self)
    }
}

/// A column's values at these rows; none of a column that has none. Its length is known, so that it is made in one go.
fn gathered<T: Copy + Default>(column: &[T], rows: &[u32]) -> Vec<T> {
    if column.is_empty() {
        return Vec::new();
    }
    rows.iter().map(|row| column.get(*row as usize).copied().unwrap_or_default()).collect()
}

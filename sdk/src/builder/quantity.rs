//! A column of decimals that is being written.

use crate::Decimal;
use crate::bindings::imports::types;

use super::NotTaken;

/// A column of decimals that is being written. Its scale is the largest that came so far.
#[derive(Debug, Default)]
pub(crate) struct QuantityBuilder {
    lo: Vec<u64>,
    /// As long as `lo`, or empty while all are zero.
    hi: Vec<i64>,
    scale: u8,
}

impl QuantityBuilder {
    #[inline]
    pub(crate) fn push(&mut self, quantity: Decimal) -> Result<(), NotTaken> {
        let (mut lo, mut hi, scale) = quantity.to_parts();
        if scale != self.scale {
            (lo, hi) = self.scaled(quantity)?;
        }
        if hi != 0 && self.hi.is_empty() {
            self.hi = vec![0; self.lo.len()];
        }
        if hi != 0 || !self.hi.is_empty() {
            self.hi.push(hi);
        }
        self.lo.push(lo);
        Ok(())
    }

    /// The halves of a quantity in the column's scale, which may have to become larger for it.
    #[inline(never)]
    fn scaled(&mut self, quantity: Decimal) -> Result<(u64, i64), NotTaken> {
        let (lo, hi, scale) = quantity.to_parts();
        if self.lo.is_empty() {
            self.scale = scale;
        } else if let Some(same) = quantity.rescale(self.scale) {
            let (lo, hi, _) = same.to_parts();
            return Ok((lo, hi));
        } else {
            // Only a quantity with more significant digits behind the point than all before comes here.
            self.rescale(scale)?;
        }
        Ok((lo, hi))
    }

    fn rescale(&mut self, scale: u8) -> Result<(), NotTaken> {
        let rescaled = self.lo.iter().enumerate().map(|(row, &lo)| {
            let hi = self.hi.get(row).copied().unwrap_or_default();
            Some(Decimal::from_parts(lo, hi, self.scale)?.rescale(scale)?.to_parts())
        });
        let rescaled: Vec<(u64, i64, u8)> = rescaled.collect::<Option<_>>().ok_or(NotTaken::Full)?;
        self.lo = rescaled.iter().map(|&(lo, ..)| lo).collect();
        let narrow = rescaled.iter().all(|&(_, hi, _)| hi == 0);
        self.hi = if narrow { Vec::new() } else { rescaled.iter().map(|&(_, hi, _)| hi).collect() };
        self.scale = scale;
        Ok(())
    }

    pub(crate) fn take(&mut self) -> types::DecimalColumn {
        let room = self.lo.len();
        let lo = std::mem::replace(&mut self.lo, Vec::with_capacity(room));
        let (hi, scale) = (std::mem::take(&mut self.hi), std::mem::take(&mut self.scale));
        types::DecimalColumn { lo, hi, scale }
    }
}

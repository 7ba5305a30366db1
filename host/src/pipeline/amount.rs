//! What is sent of an exact quantity: rounded once, as the sink requires, with what earlier rounding left over.

use meterhost_decimal::Decimal;

use super::setup::Terms;
use crate::config::{Rounding, SinkSpec, Zeros};
use crate::ledger::rounded;
use crate::model::charge::{Proposal, Remainder};

/// A code and a reason for keeping something back.
pub(super) type Why = (&'static str, String);

/// What is sent of an exact quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) quantity: Decimal,
    pub(super) remainder: Option<Remainder>,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What becomes of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is sent.
    Sent,
    /// Nothing is sent, and nothing written down: it comes to zero.
    Zero,
    /// Nothing is sent, but what is left over is written down.
    LeftOver,
}

/// What is sent of an exact quantity, where rounding left over so much before.
///
/// # Errors
/// It cannot be sent as it is.
pub(super) fn amount(terms: &Terms<'_>, spec: &SinkSpec, exact: Decimal, before: Decimal) -> Result<Amount, Why> {
    let traits = terms.traits;
    let carries = spec.round == Rounding::Carry;
    let all = match carries {
        true => {
            exact.checked_add(before).ok_or(("rounding", "with what is left over it has too many digits".to_owned()))?
        }
        false => exact,
    };
    let quantity = rounded(all, traits.scale, spec.round).map_err(|reason| ("rounding", reason))?;
    let after = all.checked_sub(quantity).unwrap_or(Decimal::ZERO);
    let remainder = (carries && !(before.is_zero() && after.is_zero())).then_some(Remainder { before, after });
    // What is rounded to zero is nothing to send either. Not frozen it loses nothing: with usage that comes later it is a first charge
    // of all of it, where a frozen zero would leave a difference. What is left over has to be written down.
    if quantity.is_zero() && terms.zeros != Zeros::Send {
        let fate = if carries && !exact.is_zero() { Fate::LeftOver } else { Fate::Zero };
        return Ok(Amount { quantity, remainder: remainder.filter(|_| fate == Fate::LeftOver), fate });
    }
    if quantity < traits.minimum || quantity > traits.maximum {
        let (least, most) = (traits.minimum, traits.maximum);
        return Err(("range", format!("{quantity} is outside of what the service accepts, {least} to {most}")));
    }
    Ok(Amount { quantity, remainder, fate: Fate::Sent })
}

impl Amount {
    /// Puts it into a charge that is to be frozen.
    pub(super) fn put(self, proposal: &mut Proposal) {
        (proposal.quantity, proposal.remainder) = (self.quantity, self.remainder);
        proposal.unsent = self.fate == Fate::LeftOver;
    }
}

//! The one rounding: at freeze, from the exact quantity to what the sink can express.

use meterhost_decimal::{self as decimal, Decimal};

use crate::config::Rounding;

/// Rounds a quantity to `scale` digits behind the decimal point.
///
/// # Errors
/// Why it is held: it has more digits, and the pipeline rounds nothing.
pub fn rounded(exact: Decimal, scale: u8, rounding: Rounding) -> Result<Decimal, String> {
    let mode = match rounding {
        Rounding::Up => decimal::Rounding::Up,
        Rounding::Down | Rounding::Carry => decimal::Rounding::Down,
        Rounding::HalfEven => decimal::Rounding::HalfEven,
        Rounding::Refuse if exact.fits_scale(scale) => return Ok(exact.rescale(scale).unwrap_or(exact)),
        Rounding::Refuse => {
            let digits = match scale {
                0 => "whole numbers only".to_owned(),
                scale => format!("at most {scale} digits behind the point"),
            };
            return Err(format!(
                "{exact} cannot be sent exactly: the service takes {digits}, and `round` is \"refuse\""
            ));
        }
    };
    Ok(exact.round(scale, mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn what_needs_no_rounding_is_never_changed() {
        for rounding in [Rounding::Up, Rounding::Down, Rounding::HalfEven, Rounding::Refuse] {
            assert_eq!(rounded(decimal("2.00"), 0, rounding), Ok(decimal("2")));
            assert_eq!(rounded(decimal("9007199254740993"), 0, rounding), Ok(decimal("9007199254740993")));
        }
    }

    #[test]
    fn refuse_says_what_it_refuses() {
        let reason = rounded(decimal("1.5"), 0, Rounding::Refuse).unwrap_err();
        assert_eq!(
            reason,
            "1.5 cannot be sent exactly: the service takes whole numbers only, and `round` is \"refuse\""
        );
    }

    #[test]
    fn each_mode_rounds_its_own_way() {
        let modes = [(Rounding::Up, "3"), (Rounding::Down, "2"), (Rounding::HalfEven, "2")];
        for (mode, expected) in modes {
            assert_eq!(rounded(decimal("2.5"), 0, mode), Ok(decimal(expected)));
        }
    }
}

//! Fractions of two integers, and bounds on how large these become.

use meterhost_sdk::Decimal;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::exact::Trouble;

/// The most bits of a numerator or a denominator: about 1,200 digits. A step takes microseconds then, and a formula can neither hang
/// nor fill the memory.
const MOST_BITS: u64 = 4096;

/// The most digits of a decimal, before and behind the point.
const DIGITS: usize = 38;

/// A fraction of two integers, in lowest terms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fraction(BigRational);

impl Fraction {
    /// The quotient of two decimals, of which the second is not 0.
    pub(super) fn new(dividend: Decimal, divisor: Decimal) -> Self {
        let numerator = BigInt::from(dividend.coefficient()) * power_of_ten(divisor.scale().into());
        let denominator = BigInt::from(divisor.coefficient()) * power_of_ten(dividend.scale().into());
        Fraction(BigRational::new(numerator, denominator))
    }

    /// `coefficient × 10^power`.
    pub(super) fn scaled(coefficient: BigUint, power: i64) -> Result<Self, Trouble> {
        let zeros = u32::try_from(power.unsigned_abs()).ok().filter(|&zeros| u64::from(zeros) <= MOST_BITS);
        let coefficient = BigInt::from(coefficient);
        match zeros {
            _ if coefficient.is_zero() => Ok(Fraction::from(coefficient)),
            None => Err(Trouble::TooLarge),
            Some(zeros) if power < 0 => Fraction(BigRational::new(coefficient, power_of_ten(zeros))).bounded(),
            Some(zeros) => Fraction::from(coefficient * power_of_ten(zeros)).bounded(),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    pub(super) fn add(&self, other: &Self) -> Result<Self, Trouble> {
        Fraction(&self.0 + &other.0).bounded()
    }

    pub(super) fn subtract(&self, other: &Self) -> Result<Self, Trouble> {
        Fraction(&self.0 - &other.0).bounded()
    }

    pub(super) fn multiply(&self, other: &Self) -> Result<Self, Trouble> {
        Fraction(&self.0 * &other.0).bounded()
    }

    pub(super) fn divide(&self, by: &Self) -> Result<Self, Trouble> {
        if by.is_zero() { Err(Trouble::DividesByZero) } else { Fraction(&self.0 / &by.0).bounded() }
    }

    pub(super) fn floor_divide(&self, by: &Self) -> Result<Self, Trouble> {
        Ok(Fraction(self.divide(by)?.0.floor()))
    }

    pub(super) fn power(&self, exponent: &Self) -> Result<Self, Trouble> {
        if !exponent.is_whole() {
            return Err(Trouble::ExponentIsNotWhole);
        }
        let exponent = exponent.0.numer();
        if exponent.is_zero() {
            return Ok(Fraction(BigRational::one()));
        }
        if self.is_zero() {
            return if exponent.is_negative() { Err(Trouble::DividesByZero) } else { Ok(self.clone()) };
        }
        let magnitude = self.0.abs();
        if magnitude.is_one() {
            return Ok(if exponent.is_odd() { self.clone() } else { Fraction(magnitude) });
        }
        // One of the two is at least 2, so the power has at least as many bits as this says; no larger one is begun.
        let bits = magnitude.numer().bits().max(magnitude.denom().bits()) - 1;
        let times = exponent.to_i32().filter(|times| bits * u64::from(times.unsigned_abs()) <= MOST_BITS);
        Fraction(self.0.pow(times.ok_or(Trouble::TooLarge)?)).bounded()
    }

    pub(super) fn negative(&self) -> Self {
        Fraction(-&self.0)
    }

    pub(super) fn int(&self) -> Self {
        Fraction(self.0.trunc())
    }

    /// To as many digits behind the point, or, if negative, to as many zeros before it.
    pub(super) fn round(&self, digits: &Self) -> Result<Self, Trouble> {
        if !digits.is_whole() {
            return Err(Trouble::DigitsAreNotWhole);
        }
        let digits = digits.0.to_integer().to_i64().ok_or(Trouble::TooLarge)?;
        let unit = Fraction::scaled(BigUint::one(), digits.checked_neg().ok_or(Trouble::TooLarge)?)?;
        let (numerator, denominator) = self.divide(&unit)?.0.into_raw();
        let (mut whole, rest) = numerator.div_mod_floor(&denominator);
        match (rest * 2_u8).cmp(&denominator) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => whole += u8::from(whole.is_odd()),
            std::cmp::Ordering::Greater => whole += 1,
        }
        Fraction::from(whole).multiply(&unit)
    }

    /// The number with 38 digits. One that has no end is cut, and its last digit says so: see [`Decimal::checked_div`], whose rule this
    /// is.
    pub(super) fn to_decimal(&self) -> Result<Decimal, Trouble> {
        let (numerator, denominator) = (self.0.numer().abs(), self.0.denom());
        let whole = &numerator / denominator;
        let before = if whole.is_zero() { 0 } else { whole.to_string().len() };
        let scale = DIGITS.checked_sub(before).and_then(|scale| u8::try_from(scale).ok()).ok_or(Trouble::NoDecimal)?;
        let (digits, rest) = (numerator * power_of_ten(scale.into())).div_rem(denominator);
        let mut digits = digits.to_i128().ok_or(Trouble::NoDecimal)?;
        let exact = rest.is_zero();
        if !exact && scale == 0 {
            return Err(Trouble::NoFraction);
        }
        if !exact && digits % 5 == 0 {
            digits += 1;
        }
        let digits = if self.0.is_negative() { -digits } else { digits };
        Decimal::new(digits, scale).map(Decimal::normalised).ok_or(Trouble::NoDecimal)
    }

    fn bounded(self) -> Result<Self, Trouble> {
        let bits = self.0.numer().bits().max(self.0.denom().bits());
        if bits > MOST_BITS { Err(Trouble::TooLarge) } else { Ok(self) }
    }
}

impl From<BigInt> for Fraction {
    fn from(integer: BigInt) -> Self {
        Fraction(integer.into())
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10_u8).pow(exponent)
}

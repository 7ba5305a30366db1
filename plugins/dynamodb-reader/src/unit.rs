//! What a table's times count, and which of them there are.

use std::ops::Range;

use meterhost_sdk::Decimal;

use crate::config::Unit;

/// The moments that a record can have, in milliseconds, UTC: those of the calendar, from the year -9999 to the year 9999, less the last day.
pub(crate) const MOMENTS: Range<i64> = -377_705_023_200_000..253_402_207_200_000;

impl Unit {
    /// So many powers of ten more than milliseconds.
    fn above_millis(self) -> i32 {
        match self {
            Unit::S => 3,
            Unit::Ms => 0,
            Unit::Us => -3,
            Unit::Ns => -6,
        }
    }

    /// Its name in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::S => "seconds",
            Unit::Ms => "milliseconds",
            Unit::Us => "microseconds",
            Unit::Ns => "nanoseconds",
        }
    }

    /// The millisecond in which a time lies, towards the past before 1970 too, so that a time never moves into a later window. `None` if
    /// there is no such moment.
    pub(crate) fn millis(self, time: Decimal) -> Option<i64> {
        let power = self.above_millis() - i32::from(time.scale());
        let ten = 10_i128.checked_pow(power.unsigned_abs());
        let millis = match (power < 0, ten) {
            (false, ten) => time.coefficient().checked_mul(ten?)?,
            (true, Some(ten)) => time.coefficient().div_euclid(ten),
            // Less than a millisecond, whatever its digits.
            (true, None) => -i128::from(time.is_negative()),
        };
        i64::try_from(millis).ok().filter(|millis| MOMENTS.contains(millis))
    }

    /// A moment as a number of this unit, exactly: a time lies in an earlier millisecond if and only if it is less.
    pub(crate) fn number(self, millis: i64) -> String {
        let millis = i128::from(millis);
        let number = match self {
            Unit::S => Decimal::new(millis, 3),
            Unit::Ms => Decimal::new(millis, 0),
            Unit::Us => Decimal::new(millis * 1000, 0),
            Unit::Ns => Decimal::new(millis * 1_000_000, 0),
        };
        // 64 bits and six digits always fit 38.
        number.unwrap_or_default().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(unit: Unit, time: &str) -> Option<i64> {
        unit.millis(Decimal::parse(time).unwrap())
    }

    #[test]
    fn a_time_lies_in_the_millisecond_that_it_began() {
        for (unit, time, expected) in [
            (Unit::S, "1708012345", Some(1_708_012_345_000)),
            (Unit::S, "1708012345.6789", Some(1_708_012_345_678)),
            (Unit::S, "-0.0001", Some(-1)),
            (Unit::Ms, "1708012345678", Some(1_708_012_345_678)),
            (Unit::Ms, "1.708012345678E+12", Some(1_708_012_345_678)),
            (Unit::Ms, "0.99999999999999999999999999999999999999", Some(0)),
            (Unit::Us, "1708012345678999", Some(1_708_012_345_678)),
            (Unit::Us, "-1", Some(-1)),
            (Unit::Us, "-1000", Some(-1)),
            (Unit::Us, "-1001", Some(-2)),
            (Unit::Ns, "1763634471636562122", Some(1_763_634_471_636)),
            (Unit::Ns, "-0.00000000000000000000000000000000000001", Some(-1)),
            (Unit::Ns, "0.00000000000000000000000000000000000001", Some(0)),
            (Unit::Ms, "1763634471636562122", None),
            (Unit::S, "99999999999999999999999999999999999999", None),
            (Unit::Ms, "253402207200000", None),
            (Unit::Ms, "253402207199999", Some(253_402_207_199_999)),
        ] {
            assert_eq!(millis(unit, time), expected, "{time} {}", unit.name());
        }
    }

    #[test]
    fn the_last_time_before_a_moment_is_less_than_its_number_and_the_first_one_is_not() {
        let moment = 1_708_012_345_678;
        for (unit, number, before) in [
            (Unit::S, "1708012345.678", "1708012345.6779999999999999999999999999"),
            (Unit::Ms, "1708012345678", "1708012345677"),
            (Unit::Us, "1708012345678000", "1708012345677999"),
            (Unit::Ns, "1708012345678000000", "1708012345677999999"),
        ] {
            assert_eq!(unit.number(moment), number);
            assert_eq!((millis(unit, number), millis(unit, before)), (Some(moment), Some(moment - 1)));
        }
        assert_eq!(Unit::Ns.number(i64::MIN), "-9223372036854775808000000");
        assert_eq!(Unit::S.number(-1), "-0.001");
    }
}

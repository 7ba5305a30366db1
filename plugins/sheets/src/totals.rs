//! What columns add up to.

use meterhost_sdk::{Decimal, DecimalSum};

/// The totals of columns, and what there is to say of those that 38 digits do not hold: these are left out, as nobody can be told them. No row
/// is wrong because of that.
pub fn totals<'n>(sums: impl IntoIterator<Item = (&'n str, DecimalSum)>) -> (Vec<(String, Decimal)>, Option<String>) {
    let (mut totals, mut long) = (Vec::new(), Vec::new());
    for (name, sum) in sums {
        match sum.finish() {
            Some(total) => totals.push((name.to_owned(), total)),
            None => long.push(name),
        }
    }
    let told = (!long.is_empty()).then(|| format!("more than 38 digits has the total of {}", long.join(", ")));
    (totals, told)
}

/// That a month is published without some of its totals.
pub fn untold(long: &str) -> String {
    format!("{long}: the month is published, and that is not told of it")
}

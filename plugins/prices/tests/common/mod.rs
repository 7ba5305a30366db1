//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "tests; each uses a part of it")]

use meterhost_sdk::Decimal;
use prices::{Fault, PriceTable, Prices, Pricing};

pub fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A table as it is written in TOML.
pub fn table(text: &str) -> PriceTable {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The prices where the dimension `x` has this price.
pub fn prices(price: &str) -> Prices {
    Prices::new(&table(&format!("x = {price}"))).unwrap_or_else(|error| panic!("{price}: {error}"))
}

/// What each charge costs of one account, surveyed before if that is needed.
pub fn priced(prices: Prices, closed: bool, quantities: &[Decimal]) -> Result<Vec<Decimal>, Fault> {
    let surveys = prices.surveys();
    let mut pricing = Pricing::of(prices, closed);
    let account = pricing.account("product", "customer", "x");
    if surveys {
        quantities.iter().try_for_each(|quantity| pricing.survey(account, *quantity, None))?;
    }
    let costs = quantities.iter().map(|quantity| pricing.price(account, *quantity, None));
    let costs = costs.collect::<Result<Vec<_>, _>>()?;
    pricing.finish()?;
    Ok(costs)
}

/// What each charge costs, as text.
pub fn costs(price: &str, closed: bool, quantities: &[&str]) -> Vec<String> {
    let quantities: Vec<Decimal> = quantities.iter().map(|text| decimal(text)).collect();
    let costs = priced(prices(price), closed, &quantities).unwrap_or_else(|fault| panic!("{price}: {fault}"));
    costs.iter().map(Decimal::to_string).collect()
}

/// Checks what each total costs: as one charge; as a third of it, cut to two digits, and the rest; as two thirds and the rest.
pub fn check_totals(price: &str, closed: bool, expected: &[(&str, &str)]) {
    for (total, cost) in expected {
        assert_eq!(costs(price, closed, &[total]), [*cost], "{total} at {price}");
        let total = decimal(total);
        let part = total.checked_div(decimal("3")).unwrap().value.round(2, meterhost_sdk::Rounding::Down);
        for parts in [1, 2] {
            let mut quantities = vec![part; parts];
            let sum = quantities.iter().fold(Decimal::ZERO, |sum, part| sum.checked_add(*part).unwrap());
            // A charge of the quantity 0 adds nothing, wherever it is.
            quantities.insert(0, Decimal::ZERO);
            quantities.push(total.checked_sub(sum).unwrap());
            quantities.push(Decimal::ZERO);
            let costs = priced(prices(price), closed, &quantities).unwrap();
            let sum = costs.iter().fold(Decimal::ZERO, |sum, cost| sum.checked_add(*cost).unwrap());
            assert_eq!(sum, decimal(cost), "{quantities:?} at {price}");
        }
    }
}

//! What can be wrong with a price, and what it means if nothing is.

use meterhost_sdk::Decimal;

use crate::plan::{Band, Plan};
use crate::table::{Mode, Price, Terms, Tier};
use crate::tariff::{Step, Tariff};

/// What is wrong, behind the place of it below the price: `.minimum`, `.tiers[1].up_to`.
struct Wrong {
    place: String,
    reason: String,
}

/// Works out what the price of a dimension means.
pub(crate) fn plan(dimension: &str, price: &Price) -> Result<Plan, String> {
    let plan = match price {
        _ if dimension.is_empty() => Err(wrong("", "a dimension has a name")),
        Price::Unit(price) => {
            at_least_0("", "a price", *price).map(|price| Plan::of(Decimal::ZERO, Tariff::Unit(price), Decimal::ZERO))
        }
        Price::Terms(terms) => terms.plan(),
    };
    plan.map_err(|Wrong { place, reason }| format!("prices.{}{place}: {reason}", key(dimension)))
}

impl Terms {
    fn plan(&self) -> Result<Plan, Wrong> {
        let Terms { price, tiers, mode, package, included, minimum } = self;
        let included = at_least_0(".included", "what is included", included.unwrap_or_default())?;
        let minimum = at_least_0(".minimum", "a minimum", minimum.unwrap_or_default())?;
        if mode.is_some() && tiers.is_none() {
            return Err(wrong(".mode", "it says how tiers apply, and there are none"));
        }
        let tariff = match (tiers, price, package) {
            (Some(_), Some(_), _) => {
                return Err(wrong(".tiers", "each tier has its own price: keep either `tiers` or `price`"));
            }
            (Some(_), None, Some(_)) => {
                return Err(wrong(".package", "packages have one price, `price`, and no tiers: keep either of them"));
            }
            (None, None, _) => return Err(wrong("", "it says no price: write `price` or `tiers`")),
            (Some(tiers), None, None) => {
                let tiers = checked(tiers)?;
                match mode.unwrap_or(Mode::Graduated) {
                    Mode::Graduated => graduated(included, tiers),
                    Mode::Volume => return Ok(Plan { included, bands: volume(included, tiers), minimum }),
                }
            }
            (None, Some(price), Some(size)) => {
                if size.is_zero() || size.is_negative() {
                    return Err(wrong(".package", format!("a package holds more than 0 units, not {size}")));
                }
                let price = at_least_0(".price", "a price", *price)?;
                Tariff::Packages { included, size: *size, price }
            }
            (None, Some(price), None) => behind(included, at_least_0(".price", "a price", *price)?),
        };
        Ok(Plan::of(included, tariff, minimum))
    }
}

/// A tier that begins where the one before it ends.
struct Range {
    up_to: Option<Decimal>,
    width: Option<Decimal>,
    price: Decimal,
    fee: Decimal,
}

fn checked(tiers: &[Tier]) -> Result<Vec<Range>, Wrong> {
    if tiers.is_empty() {
        return Err(wrong(".tiers", "there is no tier in it"));
    }
    let mut before = Decimal::ZERO;
    let mut ranges = Vec::with_capacity(tiers.len());
    for (index, Tier { up_to, price, fee }) in tiers.iter().enumerate() {
        let (place, number) = (format!(".tiers[{index}]"), index + 1);
        let price = at_least_0(&format!("{place}.price"), &format!("the price of tier {number}"), *price)?;
        let fee = at_least_0(&format!("{place}.fee"), &format!("the fee of tier {number}"), fee.unwrap_or_default())?;
        let end = format!("{place}.up_to");
        let last = number == tiers.len();
        match up_to {
            None if !last => {
                return Err(wrong(
                    place,
                    format!("tier {number} does not say `up_to` where: only the last tier has no end"),
                ));
            }
            Some(_) if last => {
                let reason = format!("tier {number} is the last, which has no end: leave `up_to` away, or add a tier");
                return Err(wrong(end, reason));
            }
            Some(up_to) if index == 0 && *up_to <= before => {
                return Err(wrong(end, format!("tier 1 begins at 0 and ends at {up_to}: it must end behind 0")));
            }
            Some(up_to) if *up_to <= before => {
                let reason =
                    format!("tier {number} ends at {up_to}, and tier {index} at {before} already: tiers ascend");
                return Err(wrong(end, reason));
            }
            _ => {}
        }
        let width = up_to
            .map(|up_to| up_to.checked_sub(before).ok_or(up_to))
            .transpose()
            .map_err(|up_to| wrong(end, format!("from {before} to {up_to} is more than 38 digits can tell")))?;
        before = up_to.unwrap_or(before);
        ranges.push(Range { up_to: *up_to, width, price, fee });
    }
    Ok(ranges)
}

fn graduated(included: Decimal, tiers: Vec<Range>) -> Tariff {
    if let [only] = tiers.as_slice()
        && only.fee.is_zero()
    {
        return behind(included, only.price);
    }
    let steps = tiers.into_iter().map(|Range { width, price, fee, .. }| Step { width, price, fee });
    Tariff::Steps(std::iter::once(free(included)).chain(steps).collect())
}

fn volume(included: Decimal, tiers: Vec<Range>) -> Vec<Band> {
    let band = |Range { up_to, price, fee, .. }| Band { up_to, tariff: behind(included, price), fee };
    tiers.into_iter().map(band).collect()
}

/// One price for all that is not included.
fn behind(included: Decimal, price: Decimal) -> Tariff {
    if included.is_zero() {
        return Tariff::Unit(price);
    }
    Tariff::Steps(vec![free(included), Step { width: None, price, fee: Decimal::ZERO }])
}

fn free(included: Decimal) -> Step {
    Step { width: Some(included), price: Decimal::ZERO, fee: Decimal::ZERO }
}

fn at_least_0(place: &str, what: &str, number: Decimal) -> Result<Decimal, Wrong> {
    if number.is_negative() {
        return Err(wrong(place, format!("{what} is 0 or more, not {number}")));
    }
    Ok(number)
}

fn wrong(place: impl Into<String>, reason: impl Into<String>) -> Wrong {
    Wrong { place: place.into(), reason: reason.into() }
}

/// A key as the pipeline file writes it: in quotes where it has to be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}

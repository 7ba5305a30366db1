//! A configuration that was checked: what each column says, what charges cost, where rows go.

use std::collections::BTreeMap;

use drops::{Compression, FileDrops, Template};
use meterhost_sdk::ChargeBatch;
use sheets::{Cost, Picked, setting_in};

use crate::columns::ALL;
use crate::config::Config;
use crate::told::{self, Told};
use crate::{defaults, rules, units};

/// What data files are called, before their number.
const STEM: &str = "focus";

/// A configuration that was checked.
pub(crate) struct Plan {
    pub(crate) drops: FileDrops,
    /// What is written, by name, but for the four costs.
    pub(crate) columns: BTreeMap<&'static str, Says>,
    /// Columns of the seller's own.
    pub(crate) own: BTreeMap<String, Template>,
    /// What units are called, by what they are called in the usage.
    pub(crate) units: BTreeMap<String, String>,
    pub(crate) cost: Cost,
    /// The other costs, where they are configured, by name.
    pub(crate) other_costs: BTreeMap<&'static str, Template>,
}

/// What a column says.
pub(crate) enum Says {
    /// As it is configured.
    Told(Template),
    /// The charge's quantity, where FOCUS has one.
    Quantity,
    /// Its unit, where the quantity in this column is not empty.
    Unit(Template, &'static str),
    /// The first instant of the month.
    MonthStart,
    /// The first instant of the next.
    MonthEnd,
    /// The subcategory that each category has for the rest.
    Other,
    /// The tags.
    Tags(Picked),
}

pub(crate) const BILLED: &str = "BilledCost";

/// The four costs, which are always written.
pub(crate) const COSTS: [&str; 4] = [BILLED, "EffectiveCost", "ContractedCost", "ListCost"];

impl Plan {
    /// Checks a configuration.
    ///
    /// # Errors
    /// It cannot work. The text begins with the path of the setting at fault.
    pub(crate) fn of(config: &Config) -> Result<Plan, String> {
        let Told { columns: mut told, own } = told::columns(config)?;
        let compression = if config.compress { Compression::Gzip } else { Compression::None };
        let drops = FileDrops::of(&config.root, STEM, compression, config.rows_per_file)?;
        let cost = Cost::of(BILLED, told.remove(BILLED), config.prices.as_ref(), config.unit_price.as_deref())?;
        let other_costs = COSTS.into_iter().filter_map(|name| Some((name, told.remove(name)?))).collect();
        let mut columns: BTreeMap<&'static str, Says> =
            told.into_iter().map(|(name, template)| (name, Says::Told(template))).collect();
        for (name, says) in defaults::of(config)? {
            if !columns.contains_key(name) && !config.columns.contains_key(name) {
                columns.insert(name, says);
            }
        }
        // Its default goes with what it belongs to.
        if !columns.contains_key("ConsumedQuantity") && !config.columns.contains_key("ConsumedUnit") {
            columns.remove("ConsumedUnit");
        }
        rules::columns(|name| columns.contains_key(name)).map_err(|(name, why)| format!("columns.{name}: {why}"))?;
        same_service(&columns)?;
        one_price(&columns, &cost, &other_costs)?;
        let named = config.units.clone();
        if let Some((name, why)) = named.iter().find_map(|(name, unit)| Some((name, units::objection(unit)?))) {
            return Err(format!("{}: {why}", setting_in("units", name)));
        }
        Ok(Plan { drops, columns, own: defaults::with_id(own, config)?, units: named, cost, other_costs })
    }

    /// The columns in the order in which they are written.
    pub(crate) fn header(&self) -> Vec<String> {
        let of_focus = ALL.iter().map(|column| column.name).filter(|name| self.has(name)).map(str::to_owned);
        of_focus.chain(self.own.keys().cloned()).collect()
    }

    /// Whether a column is a cost that follows from prices. One that is blank is objected to already, or depends on charges that are not here.
    pub(crate) fn is_priced(&self, name: &str) -> bool {
        COSTS.contains(&name) && !self.cost.is_told() && !self.other_costs.contains_key(name)
    }

    /// What a column names that no charge of a batch has.
    pub(crate) fn absence(&self, name: &str, batch: &ChargeBatch) -> Option<String> {
        match self.columns.get(name) {
            Some(Says::Told(template)) => template.absence(batch),
            Some(_) => None,
            None if name == BILLED => self.cost.absence(batch),
            None => self.other_costs.get(name)?.absence(batch),
        }
    }

    fn has(&self, name: &str) -> bool {
        COSTS.contains(&name) || self.columns.contains_key(name)
    }
}

/// That a unit price is given beside costs that it can make. By graduated, volume, package, included and minimum prices there is none that
/// each charge of an account has, and the rule (ContractedCost-C-009-C, ListCost-C-009-C) leaves out corrections alone.
fn one_price(
    columns: &BTreeMap<&'static str, Says>,
    cost: &Cost,
    told: &BTreeMap<&'static str, Template>,
) -> Result<(), String> {
    let Some(dimension) = cost.uneven() else { return Ok(()) };
    let beside = |(price, of): &(&str, &str)| columns.contains_key(price) && !told.contains_key(of);
    let Some((price, of)) = rules::PRODUCTS.into_iter().find(beside) else { return Ok(()) };
    let dimension = setting_in("prices", dimension);
    Err(format!(
        "columns.{price}: FOCUS asks that {price} by PricingQuantity is {of}, and what a charge costs by {dimension} depends on other charges: \
         give {of} too, or leave {price} out"
    ))
}

/// That a subcategory belongs to its category, where both are told before there is a charge.
fn same_service(columns: &BTreeMap<&'static str, Says>) -> Result<(), String> {
    let constant = |name| match columns.get(name) {
        Some(Says::Told(template)) => template.constant(),
        _ => None,
    };
    let (Some(category), Some(subcategory)) = (constant("ServiceCategory"), constant("ServiceSubcategory")) else {
        return Ok(());
    };
    match rules::stranger(subcategory, category) {
        Some(why) => Err(format!("columns.ServiceSubcategory: {why}")),
        None => Ok(()),
    }
}

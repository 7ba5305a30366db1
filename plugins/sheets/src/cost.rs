//! What charges cost: as they say themselves, or by their quantities and prices.

use std::collections::HashMap;

use drops::Template;
use meterhost_sdk::{ChargeBatch, Decimal, Error};
use prices::{Account, Fault, PriceTable, Prices, Pricing};

use crate::numbers::{Form, Numbers};
use crate::objections::Objections;
use crate::setting::setting;

/// Where the cost of a charge comes from, in the column that says it.
#[derive(Debug, Clone)]
pub struct Cost {
    column: &'static str,
    source: Source,
    /// Empty where charges say themselves what they cost.
    prices: Prices,
}

#[derive(Debug, Clone)]
enum Source {
    /// The charge says it.
    Told(Template),
    /// It follows from the quantity and from what a unit costs: what the charge says, else what the prices say.
    Priced(Option<Template>),
}

/// What is known when costs are asked for.
#[derive(Debug)]
pub struct Known<'p> {
    /// What was priced of the set before.
    pub pricing: &'p mut Pricing,
    /// Whether these charges are looked at alone: then what depends on others is left open, and the cell blank.
    pub alone: bool,
}

impl Cost {
    /// What is configured: in `columns`, under the column's name, or else in `prices` and `unit_price`.
    ///
    /// # Errors
    /// It cannot work. The text begins with the path of the setting at fault.
    pub fn of(
        column: &'static str,
        told: Option<Template>,
        table: Option<&PriceTable>,
        own: Option<&str>,
    ) -> Result<Cost, String> {
        let prices = |table: Option<&PriceTable>| Prices::new(&table.cloned().unwrap_or_default());
        match (told, table, own) {
            (Some(template), None, None) => Ok(Cost { column, source: Source::Told(template), prices: prices(None)? }),
            (Some(_), _, _) => {
                let other = if table.is_some() { "prices" } else { "unit_price" };
                Err(format!("{other}: `columns` gives {column} already: keep one of them"))
            }
            (None, None, None) => Err(format!(
                "nothing says what charges cost: give prices = {{ cpu_hours = \"0.05\" }}, unit_price = \"{{tag.price}}\", or \
                 {} = \"{{tag.cost}}\"",
                setting(column)
            )),
            (None, table, own) => {
                let prices = prices(table)?;
                let own = own.map(|text| Template::parse("unit_price", text)).transpose()?;
                if let Some(text) = own.as_ref().and_then(Template::constant) {
                    let price = Decimal::parse(text).map_err(|why| format!("\"{}\": {why}", text.escape_debug()));
                    price
                        .and_then(|price| below_0(price).map_or(Ok(()), Err))
                        .map_err(|why| format!("unit_price: {why}"))?;
                }
                if own.is_none() && table.is_none_or(|table| table.0.is_empty()) {
                    return Err("prices: it prices nothing: cpu_hours = \"0.05\"".into());
                }
                Ok(Cost { column, source: Source::Priced(own), prices })
            }
        }
    }

    /// Whether charges say it themselves.
    pub fn is_told(&self) -> bool {
        matches!(self.source, Source::Told(_))
    }

    /// The first of the dimensions, if there is one, of which a charge may cost something else than its quantity by a price.
    pub fn uneven(&self) -> Option<&str> {
        self.prices.uneven()
    }

    /// Why a charge may not say what it has to, where that is plain to see.
    pub fn absence(&self, batch: &ChargeBatch) -> Option<String> {
        match &self.source {
            Source::Told(template) | Source::Priced(Some(template)) => template.absence(batch),
            Source::Priced(None) => None,
        }
    }

    /// Whether the whole set has to be seen before the first cost of it is known.
    pub fn surveys(&self) -> bool {
        self.prices.surveys()
    }

    /// Whether more is owed once the month is over.
    pub fn closes(&self) -> bool {
        self.prices.closes()
    }

    /// Begins with a month, which may be over.
    pub fn pricing(&self, closed: bool) -> Pricing {
        Pricing::of(self.prices.clone(), closed)
    }

    /// The costs of a batch. What cannot be told is objected to, and blank.
    pub fn numbers<'a>(
        &'a self,
        batch: &'a ChargeBatch,
        form: Form,
        known: Known<'_>,
        wrong: &mut Objections,
    ) -> Numbers<'a> {
        let own = match &self.source {
            Source::Told(template) => return Numbers::of(template, batch, self.column, form, wrong),
            Source::Priced(own) => own.as_ref().map(|own| own_prices(own, batch, wrong)),
        };
        let Known { pricing, alone } = known;
        let mut accounts = Accounts::default();
        let mut unpriced = None;
        let mut price = |row: usize| {
            // A price that is no number is not replaced by another.
            if wrong.has(row) {
                return None;
            }
            let (quantity, own) = (batch.quantities().get(row), own.as_ref().and_then(|own| own.get(row)));
            let account = accounts.of(pricing, batch, row);
            match pricing.price(account, quantity, own) {
                Ok(cost) => Some(cost),
                Err(fault) => {
                    let is_sure = own.is_some() || account.is_plain() || matches!(fault, Fault::Negative(_));
                    if !alone || is_sure {
                        let why = match fault {
                            Fault::Unpriced => unpriced.get_or_insert_with(|| self.unpriced(batch)).clone(),
                            fault => fault.to_string(),
                        };
                        wrong.add(row, self.column, why);
                    }
                    None
                }
            }
        };
        let costs: Vec<Option<Decimal>> = (0..batch.len()).map(&mut price).collect();
        Numbers::each(costs.into_iter(), form)
    }

    /// That a charge has no price, in the table or of its own.
    fn unpriced(&self, batch: &ChargeBatch) -> String {
        let why = Fault::Unpriced;
        match (&self.source, self.absence(batch)) {
            (Source::Priced(Some(_)), Some(absence)) => format!("{why}; and unit_price is blank: {absence}"),
            (Source::Priced(Some(_)), None) => format!("{why}; and unit_price is blank"),
            _ => why.to_string(),
        }
    }

    /// Shows a batch to prices that need to know the whole set.
    ///
    /// # Errors
    /// A charge can have no price.
    pub fn survey(&self, pricing: &mut Pricing, batch: &ChargeBatch) -> Result<(), Error> {
        let Source::Priced(own) = &self.source else { return Ok(()) };
        let mut wrong = Objections::default();
        let own = own.as_ref().map(|own| own_prices(own, batch, &mut wrong));
        let mut accounts = Accounts::default();
        for row in 0..batch.len() {
            let own = own.as_ref().and_then(|own| own.get(row));
            let account = accounts.of(pricing, batch, row);
            if let Err(fault) = pricing.survey(account, batch.quantities().get(row), own) {
                wrong.add(row, self.column, fault.to_string());
            }
        }
        wrong.none(batch)
    }
}

/// What a unit of each charge costs, where the charge says it.
fn own_prices<'a>(own: &'a Template, batch: &'a ChargeBatch, wrong: &mut Objections) -> Numbers<'a> {
    let prices = Numbers::of(own, batch, "unit_price", Form::Short, wrong);
    if prices.any(Decimal::is_negative) {
        let below = |row| prices.get(row).and_then(below_0).map(|why| (row, why));
        wrong.extend("unit_price", (0..batch.len()).filter_map(below));
    }
    prices
}

fn below_0(price: Decimal) -> Option<String> {
    price.is_negative().then(|| format!("a price is 0 or more, not {price}"))
}

/// The accounts of a batch, by the places of product, customer and dimension in it.
#[derive(Default)]
struct Accounts(HashMap<[Option<usize>; 3], Account>);

impl Accounts {
    fn of(&mut self, pricing: &mut Pricing, batch: &ChargeBatch, row: usize) -> Account {
        let columns = [batch.products(), batch.customers(), batch.dimensions()];
        *self.0.entry(columns.map(|column| column.index(row))).or_insert_with(|| {
            let [product, customer, dimension] = columns.map(|column| column.get(row).unwrap_or_default());
            pricing.account(product, customer, dimension)
        })
    }
}

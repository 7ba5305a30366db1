//! A configuration that was checked: what each column says, what charges cost, where rows go.

use std::collections::BTreeMap;

use drops::{Compression, FileDrops, MOST_ROWS, Root, Template};
use meterhost_sdk::Decimal;
use prices::{PriceTable, Prices};

use crate::columns::{self, ALL, Column, OWN};
use crate::config::{Config, Tags};
use crate::tags::Picked;
use crate::{currency, rules, values};

/// What data files are called, before their number.
const STEM: &str = "focus";

/// A configuration that was checked.
pub(crate) struct Plan {
    pub(crate) drops: FileDrops,
    /// What is written, by name, but for the four costs.
    pub(crate) columns: BTreeMap<&'static str, Says>,
    /// Columns of the seller's own.
    pub(crate) own: BTreeMap<String, Template>,
    pub(crate) cost: Cost,
    /// Empty where charges say themselves what they cost.
    pub(crate) prices: Prices,
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
    /// The tags.
    Tags(Picked),
}

/// Where `BilledCost` comes from.
pub(crate) enum Cost {
    /// The charge says it.
    Told(Template),
    /// It follows from the quantity and from what a unit costs: what the charge says, else what the prices say.
    Priced(Option<Template>),
}

/// The four costs, which are always written.
pub(crate) const COSTS: [&str; 4] = ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"];

impl Plan {
    /// Checks a configuration.
    ///
    /// # Errors
    /// It cannot work. The text begins with the path of the setting at fault.
    pub(crate) fn of(config: &Config) -> Result<Plan, String> {
        let (mut told, own) = templates(config)?;
        let drops = place(config)?;
        let (cost, prices) = cost(config, told.remove("BilledCost"))?;
        let other_costs = COSTS.into_iter().filter_map(|name| Some((name, told.remove(name)?))).collect();
        let mut columns: BTreeMap<&'static str, Says> =
            told.into_iter().map(|(name, template)| (name, Says::Told(template))).collect();
        for (name, says) in defaults(config)? {
            if !columns.contains_key(name) && !config.columns.contains_key(name) {
                columns.insert(name, says);
            }
        }
        // Its default goes with what it belongs to.
        if !columns.contains_key("ConsumedQuantity") && !config.columns.contains_key("ConsumedUnit") {
            columns.remove("ConsumedUnit");
        }
        rules::columns(|name| columns.contains_key(name)).map_err(|(name, why)| format!("columns.{name}: {why}"))?;
        Ok(Plan { drops, columns, own: with_id(own, config)?, cost, prices, other_costs })
    }

    /// The columns in the order in which they are written.
    pub(crate) fn header(&self) -> Vec<String> {
        let of_focus = ALL.iter().map(|column| column.name).filter(|name| self.has(name)).map(str::to_owned);
        of_focus.chain(self.own.keys().cloned()).collect()
    }

    fn has(&self, name: &str) -> bool {
        COSTS.contains(&name) || self.columns.contains_key(name)
    }
}

/// Columns of FOCUS that are configured and not left out, and the seller's own.
fn templates(config: &Config) -> Result<(BTreeMap<&'static str, Template>, BTreeMap<String, Template>), String> {
    let (mut told, mut own) = (BTreeMap::new(), BTreeMap::new());
    for (name, text) in &config.columns {
        let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let setting = if is_bare { format!("columns.{name}") } else { format!("columns.\"{}\"", name.escape_debug()) };
        let wrong = |why: String| format!("{setting}: {why}");
        let template = Template::parse(&setting, text)?;
        if template.literals().any(|text| text.contains('\0')) {
            return Err(wrong("it has a NUL character".into()));
        }
        if name.starts_with(OWN) {
            if let Some(why) = columns::odd(name) {
                return Err(wrong(why));
            }
            if !text.is_empty() {
                own.insert(name.clone(), template);
            }
            continue;
        }
        let Some(column) = columns::find(name) else { return Err(wrong(columns::unknown(name))) };
        if text.is_empty() {
            if column.is_mandatory() {
                return Err(wrong("FOCUS has this column in every set; without this line it has its default".into()));
            }
            continue;
        }
        check(column, &template).map_err(wrong)?;
        told.insert(column.name, template);
    }
    Ok((told, own))
}

/// What can be told of a column before there is a charge.
fn check(column: &Column, template: &Template) -> Result<(), String> {
    let Some(text) = template.constant() else { return Ok(()) };
    if column.is_number() {
        return Decimal::parse(text).map(drop).map_err(|why| format!("\"{}\": {why}", text.escape_debug()));
    }
    rules::cell(column, text).map_or(Ok(()), Err)
}

/// What columns say that are not configured. Those of which the text is empty are empty.
fn defaults(config: &Config) -> Result<Vec<(&'static str, Says)>, String> {
    let literal = |text: &str| Template::parse("", &text.replace('{', "{{").replace('}', "}}")).map(Says::Told);
    let template = |text: &str| Template::parse("", text);
    let told = |text: &str| template(text).map(Says::Told);
    if config.provider.trim().is_empty() || config.provider.contains('\0') {
        return Err("provider: it says in each row who provides what is charged for; provider = \"Example\"".into());
    }
    if let Some(why) = currency::objection(&config.currency) {
        return Err(format!("currency: {why}"));
    }
    let category = match (&config.service_category, config.columns.get("ServiceCategory")) {
        (Some(_), Some(_)) => {
            return Err("service_category: `columns` gives ServiceCategory already: keep one of them".into());
        }
        (None, Some(_)) => "",
        (Some(category), None) => match values::objection(category, values::SERVICE_CATEGORIES) {
            Some(why) => return Err(format!("service_category: {why}")),
            None => category,
        },
        (None, None) => {
            let all = values::SERVICE_CATEGORIES.join(", ");
            return Err(format!(
                "service_category: it is not given, and neither is columns.ServiceCategory; it is one of {all}"
            ));
        }
    };
    let mut defaults = vec![
        ("BillingAccountId", told("{customer}")?),
        ("BillingAccountName", told("{customer}")?),
        ("BillingCurrency", literal(&config.currency)?),
        ("BillingPeriodStart", Says::MonthStart),
        ("BillingPeriodEnd", Says::MonthEnd),
        ("ChargeCategory", told(values::USAGE)?),
        ("ChargeClass", told("")?),
        ("ChargeDescription", told("{dimension}")?),
        ("ChargeFrequency", told(values::USAGE_BASED)?),
        ("ChargePeriodStart", told("{start}")?),
        ("ChargePeriodEnd", told("{end}")?),
        ("ConsumedQuantity", Says::Quantity),
        ("ConsumedUnit", Says::Unit(template(UNIT)?, "ConsumedQuantity")),
        ("InvoiceId", told("")?),
        ("InvoiceIssuerName", literal(&config.provider)?),
        ("PricingQuantity", Says::Quantity),
        ("PricingUnit", Says::Unit(template(UNIT)?, "PricingQuantity")),
        ("ProviderName", literal(&config.provider)?),
        ("PublisherName", literal(&config.provider)?),
        ("ServiceCategory", told(category)?),
        ("ServiceName", told("{product|dimension}")?),
    ];
    match (&config.tags, config.columns.get("Tags")) {
        (Some(_), Some(text)) if !text.is_empty() => {
            return Err("tags: `columns` gives Tags already: keep one of them".into());
        }
        (Some(Tags::Named(names)), _) if names.is_empty() => {}
        (tags, _) => defaults.push(("Tags", Says::Tags(Picked::of(tags.as_ref())))),
    }
    Ok(defaults)
}

/// What a quantity is counted in.
const UNIT: &str = "{attribute.unit|dimension}";

/// The charge's id leads from a row to the usage behind it.
fn with_id(mut own: BTreeMap<String, Template>, config: &Config) -> Result<BTreeMap<String, Template>, String> {
    if !config.columns.contains_key("x_ChargeId") {
        own.insert("x_ChargeId".into(), Template::parse("", "{id}")?);
    }
    Ok(own)
}

fn place(config: &Config) -> Result<FileDrops, String> {
    if !(1..=MOST_ROWS).contains(&config.rows_per_file) {
        let rows = config.rows_per_file;
        return Err(format!("rows_per_file: a file has 1 to {MOST_ROWS} rows, and not {rows}"));
    }
    Ok(FileDrops {
        root: Root::parse(&config.root)?,
        stem: STEM,
        compression: if config.compress { Compression::Gzip } else { Compression::None },
        rows_per_file: config.rows_per_file,
    })
}

fn cost(config: &Config, told: Option<Template>) -> Result<(Cost, Prices), String> {
    let table = config.prices.as_ref();
    let own = config.unit_price.as_deref();
    match (told, table, own) {
        (Some(template), None, None) => Ok((Cost::Told(template), Prices::new(&PriceTable::default())?)),
        (Some(_), _, _) => {
            let other = if table.is_some() { "prices" } else { "unit_price" };
            Err(format!("{other}: `columns` gives BilledCost already: keep one of them"))
        }
        (None, None, None) => Err("nothing says what charges cost: give prices = { cpu_hours = \"0.05\" }, \
             unit_price = \"{attribute.price}\", or columns.BilledCost = \"{attribute.cost}\""
            .into()),
        (None, table, own) => {
            let prices = Prices::new(&table.cloned().unwrap_or_default())?;
            let own = own.map(|text| Template::parse("unit_price", text)).transpose()?;
            if let Some(text) = own.as_ref().and_then(Template::constant) {
                Decimal::parse(text).map_err(|why| format!("unit_price: \"{}\": {why}", text.escape_debug()))?;
            }
            if own.is_none() && table.is_none_or(|table| table.0.is_empty()) {
                return Err("prices: it prices nothing: cpu_hours = \"0.05\"".into());
            }
            Ok((Cost::Priced(own), prices))
        }
    }
}

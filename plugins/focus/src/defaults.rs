//! What columns say that are not configured.

use std::collections::BTreeMap;

use drops::Template;
use sheets::{Picked, Tags};

use crate::config::Config;
use crate::plan::Says;
use crate::{currency, values};

/// What each column says that has a default, configured or not.
///
/// # Errors
/// One of the settings that they follow from cannot work.
pub(crate) fn of(config: &Config) -> Result<Vec<(&'static str, Says)>, String> {
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
        ("ServiceSubcategory", Says::Other),
    ];
    match (&config.tags, config.columns.get("Tags")) {
        (Some(_), Some(text)) if !text.is_empty() => {
            return Err("tags: `columns` gives Tags already: keep one of them".into());
        }
        (Some(Tags::Named(names)), _) if names.is_empty() => {}
        (tags, _) => defaults.push(("Tags", Says::Tags(tags.as_ref().map(Picked::of).unwrap_or_default()))),
    }
    Ok(defaults)
}

/// What a quantity is counted in.
const UNIT: &str = "{attribute.unit|dimension}";

/// The charge's id leads from a row to the usage behind it.
pub(crate) fn with_id(
    mut own: BTreeMap<String, Template>,
    config: &Config,
) -> Result<BTreeMap<String, Template>, String> {
    if !config.columns.keys().any(|name| name.eq_ignore_ascii_case("x_ChargeId")) {
        own.insert("x_ChargeId".into(), Template::parse("", "{id}")?);
    }
    Ok(own)
}

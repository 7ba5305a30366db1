//! What is refused: charges, each in words that name it, and configurations.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::*;
use focus::Focus;
use meterhost_sdk::testing::{Charged, charges};
use meterhost_sdk::{Error, SnapshotSink, WindowKind};
use serde_json::{Value, json};

/// Columns that take what they say from attributes of the same names, and cost 1.
fn attributed(columns: &[&str]) -> Value {
    let mut config = priced(json!({ "prices": { "*": "1" }, "columns": {} }));
    for column in columns {
        match *column {
            "BilledCost" => config.as_object_mut().unwrap().remove("prices"),
            "ServiceCategory" => config.as_object_mut().unwrap().remove("service_category"),
            _ => None,
        };
        config["columns"][*column] = json!(format!("{{attribute.{column}}}"));
    }
    config
}

/// What is said of a charge with these attributes among good ones: by the check, and by a publication.
fn said(attributes: &[(&str, &str)], good: &[(&str, &str)]) -> (String, String) {
    let columns: Vec<&str> = attributes.iter().map(|(column, _)| *column).collect();
    let config = attributed(&columns);
    let fine = Charged { attributes: good, ..charge() };
    let odd = Charged { product: "vault", customer: "odd", dimension: "gpu", attributes, ..charge() };
    let all = numbered([fine, fine, odd, fine]);
    let found = objections(&config, &charges(&all));
    assert!(found.iter().all(|(row, _)| *row == 2), "{attributes:?}: {found:?}");
    let _folder = stage();
    let broken = published(&config, march(&all), &all).map_or_else(words, |_| String::new());
    (found.into_iter().next().map(|(_, reason)| reason).unwrap_or_default(), broken)
}

#[test]
fn a_charge_that_cannot_be_published_is_named_and_the_others_are_not() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        // Values.
        (
            &[("ChargeCategory", "usage")],
            &[("ChargeCategory", "Usage")],
            "ChargeCategory: \"usage\" is none of its values; Usage is one",
        ),
        (&[("ChargeCategory", "")], &[("ChargeCategory", "Usage")], "ChargeCategory: it is empty"),
        (&[("ChargeClass", "Correct")], &[], "ChargeClass: \"Correct\" is none of its values; Correction is one"),
        (
            &[("ChargeFrequency", "Hourly")],
            &[("ChargeFrequency", "Recurring")],
            "ChargeFrequency: \"Hourly\" is none of its values, which are",
        ),
        (&[("ChargeFrequency", "")], &[("ChargeFrequency", "Recurring")], "ChargeFrequency: it is empty"),
        (
            &[("ServiceCategory", "Database")],
            &[("ServiceCategory", "Databases")],
            "ServiceCategory: \"Database\" is none of its values; Databases is one",
        ),
        (
            &[("ServiceSubcategory", "Virtual Machines")],
            &[("ServiceSubcategory", "Caching")],
            "ServiceSubcategory: Virtual Machines belongs to Compute, and ServiceCategory is Databases",
        ),
        (&[("ServiceSubcategory", "")], &[("ServiceSubcategory", "Caching")], "ServiceSubcategory: it is empty"),
        (&[("PricingCategory", "On-Demand")], &[("PricingCategory", "Standard")], "PricingCategory: \"On-Demand\""),
        (
            &[("CommitmentDiscountId", "c"), ("CommitmentDiscountCategory", "Money")],
            &[],
            "CommitmentDiscountCategory: \"Money\" is none of its values",
        ),
        (
            &[("CommitmentDiscountId", "c"), ("CommitmentDiscountStatus", "Active")],
            &[],
            "CommitmentDiscountStatus: \"Active\" is none of its values",
        ),
        (
            &[("CapacityReservationId", "c"), ("CapacityReservationStatus", "used")],
            &[],
            "CapacityReservationStatus: \"used\" is none of its values; Used is one",
        ),
        (
            &[("BillingCurrency", "usd")],
            &[("BillingCurrency", "EUR")],
            "BillingCurrency: \"usd\" is no currency: ISO 4217 gives each three capital letters; USD is one",
        ),
        (
            &[("PricingCurrency", "credits")],
            &[("PricingCurrency", "EUR")],
            "PricingCurrency: \"credits\" is no currency",
        ),
        // Forms.
        (&[("BilledCost", "1,5")], &[("BilledCost", "1")], "BilledCost: \"1,5\""),
        (&[("BilledCost", "")], &[("BilledCost", "1")], "BilledCost: it is empty"),
        (&[("EffectiveCost", "")], &[("EffectiveCost", "1")], "EffectiveCost: it is empty"),
        (&[("ListCost", "NaN")], &[("ListCost", "1")], "ListCost: \"NaN\""),
        (&[("ContractedCost", "+1")], &[("ContractedCost", "1")], "ContractedCost: \"+1\""),
        (&[("PricingQuantity", "many")], &[("PricingQuantity", "1")], "PricingQuantity: \"many\""),
        (&[("ListUnitPrice", "-1")], &[("ListUnitPrice", "1")], "ListUnitPrice: it is -1.0, and a price is 0 or more"),
        (
            &[("SkuPriceId", "p"), ("SkuPriceDetails", "big")],
            &[("SkuPriceId", "p")],
            "SkuPriceDetails: \"big\" is no JSON object",
        ),
        (&[("Tags", "{\"a\":[]}")], &[], "Tags: the value of \"a\" is no text"),
        (&[("ChargeDescription", "a\0")], &[], "ChargeDescription: it has a NUL character"),
        // What has to be known.
        (&[("ServiceName", "")], &[("ServiceName", "Vault")], "ServiceName: it is empty"),
        (&[("ProviderName", "  ")], &[("ProviderName", "Us")], "ProviderName: it is empty"),
        (&[("BillingAccountId", "")], &[("BillingAccountId", "a")], "BillingAccountId: it is empty"),
        // One column and another.
        (
            &[("PricingQuantity", "")],
            &[("PricingQuantity", "1")],
            "PricingQuantity: it is empty, and has to be known where ChargeCategory is Usage",
        ),
        (
            &[("ChargeCategory", "Tax"), ("PricingQuantity", "1")],
            &[("ChargeCategory", "Usage"), ("PricingQuantity", "1")],
            "PricingQuantity: it is empty where ChargeCategory is Tax",
        ),
        (
            &[("ChargeCategory", "Purchase"), ("PricingQuantity", ""), ("ChargeFrequency", "Recurring")],
            &[("ChargeCategory", "Usage"), ("PricingQuantity", "1"), ("ChargeFrequency", "Recurring")],
            "PricingQuantity: it is empty, and has to be known where ChargeCategory is Purchase",
        ),
        (
            &[("ChargeCategory", "Purchase"), ("ChargeFrequency", "Usage-Based")],
            &[("ChargeCategory", "Usage"), ("ChargeFrequency", "Usage-Based")],
            "ChargeFrequency: a Purchase is One-Time or Recurring",
        ),
        (
            &[("ChargeCategory", "Credit"), ("ConsumedQuantity", "1")],
            &[("ChargeCategory", "Usage"), ("ConsumedQuantity", "1")],
            "ConsumedQuantity: it is empty where ChargeCategory is not Usage",
        ),
        (
            &[("ConsumedQuantity", "")],
            &[("ConsumedQuantity", "1")],
            "ConsumedQuantity: it is empty, and has to be known",
        ),
        (
            &[("CommitmentDiscountId", ""), ("CommitmentDiscountQuantity", "1")],
            &[],
            "CommitmentDiscountQuantity: it is empty but where",
        ),
        (
            &[("CommitmentDiscountId", "c"), ("CommitmentDiscountQuantity", "")],
            &[],
            "CommitmentDiscountQuantity: it is empty, and has to be known where CommitmentDiscountId is",
        ),
        (
            &[("CommitmentDiscountId", "c"), ("CommitmentDiscountStatus", "")],
            &[],
            "CommitmentDiscountStatus: it is empty, and has to be known where CommitmentDiscountId is",
        ),
        (
            &[("RegionId", ""), ("RegionName", "Europe")],
            &[],
            "RegionName: it says something of RegionId, which is empty",
        ),
        (
            &[("RegionId", "eu"), ("RegionName", "")],
            &[],
            "RegionName: it is empty, and has to be known where RegionId is",
        ),
        (&[("ResourceId", ""), ("ResourceName", "n")], &[], "ResourceName: it says something of ResourceId"),
        (
            &[("PricingUnit", "")],
            &[("PricingUnit", "Hours")],
            "PricingUnit: it is empty, and has to be known where PricingQuantity is",
        ),
        (&[("SkuId", "")], &[("SkuId", "s")], "SkuId: it is empty, and has to be known where ChargeCategory is Usage"),
        (
            &[
                ("ChargeCategory", "Purchase"),
                ("ChargeFrequency", "Recurring"),
                ("CommitmentDiscountId", "c"),
                ("EffectiveCost", "0.01"),
            ],
            &[("ChargeCategory", "Purchase"), ("ChargeFrequency", "Recurring"), ("EffectiveCost", "1")],
            "EffectiveCost: it is 0.01, and a Purchase with a CommitmentDiscountId has 0",
        ),
        (
            &[
                ("ChargeCategory", "Purchase"),
                ("ChargeFrequency", "Recurring"),
                ("CommitmentDiscountId", "c"),
                ("PricingCurrencyEffectiveCost", "-1"),
            ],
            &[
                ("ChargeCategory", "Usage"),
                ("ChargeFrequency", "Recurring"),
                ("CommitmentDiscountId", "c"),
                ("PricingCurrencyEffectiveCost", "1"),
            ],
            "PricingCurrencyEffectiveCost: it is -1, and a Purchase with a CommitmentDiscountId has 0",
        ),
        (
            &[("ContractedUnitPrice", "2")],
            &[("ContractedUnitPrice", "1")],
            "ContractedUnitPrice: 2 by PricingQuantity 1 is not ContractedCost 1",
        ),
    ];
    for (attributes, good, why) in cases {
        let (objection, error) = said(attributes, good);
        let place = "product vault, customer odd, dimension gpu, window from 2022-03-16T13:00:00Z: ";
        for told in [&objection, &error] {
            assert!(told.starts_with(place) && told.contains(why), "{attributes:?}: {told:?}");
        }
    }
}

#[test]
fn what_focus_allows_is_not_refused() {
    let cases: &[&[(&str, &str)]] = &[
        &[("ChargeCategory", "Tax"), ("PricingQuantity", "")],
        &[("ChargeCategory", "Credit"), ("PricingQuantity", "")],
        &[
            ("ChargeCategory", "Usage"),
            ("ChargeClass", "Correction"),
            ("PricingQuantity", ""),
            ("ConsumedQuantity", ""),
        ],
        &[("ChargeClass", "Correction"), ("ContractedUnitPrice", "2")],
        &[("BillingAccountName", "")],
        &[("ChargeDescription", "")],
        &[("InvoiceId", "")],
        &[
            ("CommitmentDiscountId", "c"),
            ("CommitmentDiscountCategory", "Spend"),
            ("CommitmentDiscountType", "t"),
            ("CommitmentDiscountStatus", "Unused"),
            ("CommitmentDiscountQuantity", "3"),
        ],
        &[("ListUnitPrice", "1.0000000001")],
        // Only the seller knows whether later charges draw on a purchase, who is paid, and which invoices are issued.
        &[("ChargeCategory", "Purchase"), ("ChargeFrequency", "One-Time"), ("EffectiveCost", "5")],
        &[
            ("ChargeCategory", "Purchase"),
            ("ChargeFrequency", "One-Time"),
            ("CommitmentDiscountId", "c"),
            ("EffectiveCost", "0.00"),
        ],
        &[("InvoiceIssuerName", "A marketplace"), ("BilledCost", "5")],
        &[("BillingAccountId", "1234567890"), ("InvoiceId", "42")],
        &[("RegionId", ""), ("RegionName", "")],
    ];
    for attributes in cases {
        assert_eq!(said(attributes, attributes), (String::new(), String::new()), "{attributes:?}");
    }
}

#[test]
fn a_tag_with_nul_is_named() {
    let odd = [Charged { tags: &[("team", "a\0b")], ..charge() }];
    let found = objections(&priced(json!({})), &charges(&odd));
    assert!(found[0].1.contains("Tags, tag team: it has a NUL"), "{found:?}");
    assert_eq!(objections(&priced(json!({ "tags": ["other"] })), &charges(&odd)), []);
    let named = [charge(), Charged { tags: &[("te\0am", "a")], ..charge() }];
    let found = objections(&priced(json!({})), &charges(&named));
    assert!(
        matches!(found.as_slice(), [(1, why)] if why.contains("Tags, tag te\\0am: its name has a NUL")),
        "{found:?}"
    );
}

#[test]
fn a_unit_that_focus_writes_in_another_way_is_held_until_it_is_called_something() {
    let odd = [Charged { dimension: "cpu_core_hours", ..charge() }];
    let found = objections(&priced(json!({})), &charges(&odd));
    assert!(found[0].1.contains("Unit: \"cpu_core_hours\" is no unit as FOCUS writes them"), "{found:?}");
    for (units, called) in [
        (json!({ "cpu_core_hours": "Core-Hours" }), "Core-Hours"),
        (json!({ "*": "Units" }), "Units"),
        (json!({ "cpu_core_hours": "Core-Hours", "*": "Units" }), "Core-Hours"),
    ] {
        let config = priced(json!({ "units": units }));
        assert_eq!(objections(&config, &charges(&odd)), []);
        let fine = Charged { attributes: &[("unit", "GB-Hours")], ..odd[0] };
        let rows = published_rows(&config, &[odd[0], fine]);
        let units: Vec<_> =
            rows.iter().map(|row| (row["PricingUnit"].as_str(), row["ConsumedUnit"].as_str())).collect();
        // What FOCUS writes so already is called something else only by its own name.
        assert_eq!(units, [(called, called), ("GB-Hours", "GB-Hours")]);
    }
    let told = Charged { attributes: &[("unit", "Hours")], ..odd[0] };
    assert_eq!(objections(&priced(json!({ "units": { "cpu_core_hours": "Core-Hours" } })), &charges(&[told])), []);
}

#[test]
fn a_charge_without_a_price_is_held_and_one_that_depends_on_others_is_not() {
    let odd = |charge: Charged<'_>, config: &Value| {
        objections(config, &charges(&[charge])).into_iter().map(|(_, reason)| reason).collect::<String>()
    };
    let own = priced(json!({ "prices": { "cpu": "1" }, "unit_price": "{tag.price}" }));
    assert_eq!(odd(charge(), &own), "");
    assert_eq!(odd(Charged { dimension: "gpu", tags: &[("price", "2")], ..charge() }, &own), "");
    assert!(odd(Charged { dimension: "gpu", ..charge() }, &own).contains("BilledCost: the dimension has no price"));
    // What was meant is not guessed, though the table has a price.
    assert!(odd(Charged { tags: &[("price", "2 EUR")], ..charge() }, &own).contains("unit_price: \"2 EUR\""));
    let tiers = json!([{ "up_to": "10", "price": "1" }, { "price": "0.5", "fee": "2" }]);
    let volume = priced(json!({ "prices": { "cpu": { "tiers": tiers, "mode": "volume" } } }));
    assert_eq!(odd(charge(), &volume), "");
    let costs: Vec<_> = published_rows(&volume, &[charge(); 16]).iter().map(|row| row["BilledCost"].clone()).collect();
    // 16 by 0.5, and a sixteenth of 2.
    assert_eq!(costs, ["0.625"; 16]);
    // But a cost that the charge says itself is no cost that prices leave open.
    let mut told = volume.clone();
    told["columns"] = json!({ "ListCost": "{attribute.list}" });
    assert!(odd(charge(), &told).contains("ListCost: it is empty"));
}

#[test]
fn a_price_below_0_is_refused_and_what_no_charge_has_is_named() {
    let first = |config: &Value, charge: Charged<'_>| objections(config, &charges(&[charge])).remove(0).1;
    let own = priced(json!({ "prices": { "gpu": "1" }, "unit_price": "{tag.price}" }));
    let below = Charged { tags: &[("price", "-3")], ..charge() };
    assert!(first(&own, below).contains("unit_price: a price is 0 or more, not -3"));
    assert!(first(&own, charge()).ends_with("and unit_price is blank: no charge here has a tag price"));
    let cost = told(json!({ "columns": { "BilledCost": "{attribute.cost}", "ListCost": "{tag.list}" } }));
    let tagged = Charged { tags: &[("cost", "1"), ("list", "2")], ..charge() };
    let said = "BilledCost: it is empty, and has to be known: no charge here has an attribute cost (but there is a tag of this name";
    assert!(first(&cost, tagged).contains(said));
    let listed = Charged { attributes: &[("cost", "1")], ..charge() };
    assert!(
        first(&cost, listed).ends_with("ListCost: it is empty, and has to be known: no charge here has a tag list")
    );
    let meter = priced(json!({ "columns": { "SkuId": "{tag.sku}" } }));
    assert!(first(&meter, charge()).ends_with("where ChargeCategory is Usage: no charge here has a tag sku"));
    let named = priced(json!({ "columns": { "ServiceName": "{tag.service}" } }));
    assert!(
        first(&named, charge())
            .ends_with("ServiceName: it is empty, and has to be known: no charge here has a tag service")
    );
}

#[test]
fn a_unit_price_stands_beside_costs_that_it_makes() {
    let tiers = json!([{ "up_to": "2", "price": "1" }, { "price": "0.5" }]);
    let traits =
        |config: &Value| Focus::traits(common::config(config.clone()), WindowKind::Hour).map(drop).map_err(plain);
    for (uneven, of) in [("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")] {
        for price in [
            json!({ "tiers": tiers }),
            json!({ "tiers": tiers, "mode": "volume" }),
            json!({ "package": "10", "price": "1" }),
            json!({ "price": "1", "included": "1" }),
            json!({ "price": "1", "minimum": "1" }),
        ] {
            let mut config = priced(json!({ "prices": { "a": "1", "g pu": price }, "columns": { uneven: "1" } }));
            let said = format!(
                "columns.{uneven}: FOCUS asks that {uneven} by PricingQuantity is {of}, and what a charge costs by prices.\"g pu\" depends on \
                 other charges: give {of} too, or leave {uneven} out"
            );
            assert_eq!(traits(&config), Err(said), "{price}");
            config["columns"][of] = "{quantity}".into();
            assert_eq!(traits(&config), Ok(()), "{price}");
        }
        let even = json!({ "a": "1", "b": { "price": "2" }, "c": { "tiers": [{ "price": "1" }] } });
        assert_eq!(traits(&priced(json!({ "prices": even, "columns": { uneven: "1" } }))), Ok(()));
    }
    // What a charge costs then is written beside what it would cost by the unit.
    let config = priced(json!({
        "prices": { "cpu": { "tiers": tiers } }, "columns": { "ListUnitPrice": "1", "ListCost": "{quantity}" },
    }));
    let rows = published_rows(&config, &[Charged { quantity: "5", ..charge() }]);
    assert_eq!((rows[0]["BilledCost"].as_str(), rows[0]["ListCost"].as_str()), ("3.5", "5.0"));
}

#[test]
fn a_total_that_no_decimal_holds_is_left_out_and_the_month_is_published() {
    let _folder = stage();
    let one = |attributes| Charged { attributes, ..charge() };
    let all =
        numbered([one(&[("cost", "12345678901234567890"), ("net", "1")]), one(&[("cost", "1e-25"), ("net", "1")])]);
    let config = told(json!({ "columns": { "EffectiveCost": "{attribute.net}" } }));
    let (_, written) = published(&config, march(&all), &all).unwrap();
    let totals: Vec<_> = written.totals.iter().map(|(column, total)| format!("{column} {total}")).collect();
    assert_eq!(totals, ["EffectiveCost 2"]);
}

#[test]
fn a_service_has_one_category_throughout_a_set() {
    let _folder = stage();
    let config = attributed(&["ServiceCategory", "ServiceName"]);
    let one = |attributes| Charged { attributes, ..charge() };
    let mut all = vec![one(&[("ServiceCategory", "Compute"), ("ServiceName", "Vault")]); 150];
    all.push(one(&[("ServiceCategory", "Storage"), ("ServiceName", "Disk")]));
    all.push(one(&[("ServiceCategory", "Databases"), ("ServiceName", "Vault")]));
    let all = numbered(all);
    let place = "customer acme, dimension cpu, window from 2022-03-16T13:00:00Z";
    let words = |now, other| {
        let said = format!(
            "ServiceName: \"Vault\" has ServiceCategory \"{now}\" here, and \"{other}\" in the charge of {place}"
        );
        format!("{place}: {said}: it has one alone")
    };
    // Together, all that speak of it are held: nobody knows which of them is right.
    let found = objections(&config, &charges(&all));
    assert_eq!(found.len(), 151);
    assert_eq!((&found[0], &found[149].0), (&(0, words("Compute", "Databases")), &149));
    assert_eq!(found[150], (151, words("Databases", "Compute")));
    // But not for one with which something else is wrong.
    let typo = one(&[("ServiceCategory", "Database"), ("ServiceName", "Vault")]);
    let found = objections(&config, &charges(&[all[0], typo]));
    assert!(matches!(found.as_slice(), [(1, why)] if why.contains("Databases is one")), "{found:?}");
    // Each alone is fine, and only the set shows it: the second batch of a hundred holds the other.
    assert_eq!(objections(&config, &charges(&all[..150])), []);
    assert_eq!(objections(&config, &charges(&all[150..])), []);
    let error = common::words(published(&config, march(&all), &all).unwrap_err());
    assert_eq!(error, words("Databases", "Compute"));
    // In another set it may have another.
    published(&config, march(&all[151..]), &all[151..]).unwrap();
    let prices = attributed(&["SkuId", "SkuPriceId"]);
    let all = numbered([one(&[("SkuId", "a"), ("SkuPriceId", "p")]), one(&[("SkuId", "b"), ("SkuPriceId", "p")])]);
    let error = common::words(published(&prices, march(&all), &all).unwrap_err());
    assert!(
        error.contains("SkuPriceId: \"p\" has SkuId \"b\" here, and \"a\" in the charge of customer acme"),
        "{error}"
    );
}

#[test]
fn a_configuration_that_cannot_work_is_told_where() {
    let without = |mut config: Value, key: &str| {
        config.as_object_mut().unwrap().remove(key);
        config
    };
    let column = |name: &str, text: &str| told(json!({ "columns": { name: text } }));
    for (config, said) in [
        (told(json!({ "root": "a/" })), "root: \"a/\""),
        (told(json!({ "rows_per_file": 0 })), "rows_per_file: a file has 1 to 1000000 rows"),
        (told(json!({ "provider": " " })), "provider: it says in each row who provides"),
        (
            told(json!({ "currency": "usd" })),
            "currency: \"usd\" is no currency: ISO 4217 gives each three capital letters; USD is one",
        ),
        (told(json!({ "currency": "US dollars" })), "such as USD or EUR"),
        (
            told(json!({ "service_category": "Database" })),
            "service_category: \"Database\" is none of its values; Databases is one",
        ),
        (
            without(told(json!({})), "service_category"),
            "service_category: it is not given, and neither is columns.ServiceCategory; it is one of AI and",
        ),
        (column("ServiceCategory", "Compute"), "service_category: `columns` gives ServiceCategory already"),
        (without(told(json!({})), "columns"), "nothing says what charges cost: give prices"),
        (told(json!({ "prices": { "a": "1" } })), "prices: `columns` gives BilledCost already"),
        (told(json!({ "unit_price": "1" })), "unit_price: `columns` gives BilledCost already"),
        (priced(json!({ "prices": {} })), "prices: it prices nothing"),
        (priced(json!({ "unit_price": "cheap" })), "unit_price: \"cheap\""),
        (priced(json!({ "unit_price": "-0.01" })), "unit_price: a price is 0 or more, not -0.01"),
        (priced(json!({ "prices": { "cpu": "-1" } })), "prices.cpu"),
        (
            column("billedcost", "1"),
            "columns.billedcost: FOCUS 1.2 has no such column; BilledCost is one, and one of your own begins with x_",
        ),
        (column("cost/cost", "1"), "columns.\"cost/cost\": FOCUS 1.2 has no such column"),
        (column("x_", "1"), "columns.x_: behind x_ stand letters"),
        (told(json!({ "columns": { "x_Plan": "a", "x_plan": "b" } })), "columns.x_plan: x_Plan is the same"),
        (
            column("ServiceName", "{custmer}"),
            "columns.ServiceName: at character 1 of \"{custmer}\": there is no {custmer}; {customer} is known",
        ),
        (column("ServiceName", "a\0"), "columns.ServiceName: it has a NUL"),
        (column("ServiceName", ""), "columns.ServiceName: FOCUS has this column in every set"),
        (column("EffectiveCost", ""), "columns.EffectiveCost: FOCUS has this column in every set"),
        (column("ChargeCategory", "usage"), "columns.ChargeCategory: \"usage\" is none of its values; Usage is one"),
        (column("PricingCurrency", "eur"), "columns.PricingCurrency: \"eur\" is no currency"),
        (column("ListCost", "free"), "columns.ListCost: \"free\""),
        (column("BillingPeriodStart", "{start}"), "columns.BillingPeriodStart: it follows from the charge"),
        (column("BillingPeriodEnd", ""), "columns.BillingPeriodEnd: it follows"),
        (column("ChargePeriodStart", "{tag.begin|start}"), "columns.ChargePeriodStart: it follows"),
        (column("ChargePeriodEnd", "{end}"), "columns.ChargePeriodEnd: it follows"),
        (column("Tags", "team"), "columns.Tags: \"team\" is no JSON object"),
        (
            column("ServiceSubcategory", "Virtual Machines"),
            "columns.ServiceSubcategory: Virtual Machines belongs to Compute, and ServiceCategory is Databases",
        ),
        (
            column("RegionName", "Europe"),
            "columns.RegionName: it says something of RegionId only, and that is not written",
        ),
        (
            told(json!({ "columns": { "ConsumedQuantity": "", "ConsumedUnit": "h" } })),
            "columns.ConsumedUnit: it says something of ConsumedQuantity only",
        ),
        (told(json!({ "units": { "cpu": "cpu_hours" } })), "units.cpu: \"cpu_hours\" is no unit as FOCUS writes them"),
        (told(json!({ "units": { "a b": "cpu_hours" } })), "units.\"a b\": \"cpu_hours\" is no unit"),
        (told(json!({ "units": { "*": "cpu_hours" } })), "units.\"*\": \"cpu_hours\" is no unit"),
        (
            told(json!({ "tags": "all", "columns": { "Tags": "{attribute.json}" } })),
            "tags: `columns` gives Tags already",
        ),
    ] {
        let error = Focus::traits(common::config(config.clone()), WindowKind::Hour).unwrap_err();
        assert!(matches!(&error, Error::Config(text) if text.contains(said)), "{config}: {error:?}");
    }
    let incomplete = [without(told(json!({})), "root"), without(told(json!({})), "provider")];
    for odd in incomplete.into_iter().chain([told(json!({ "rot": "a" })), told(json!({ "tags": "some" }))]) {
        assert!(serde_json::from_value::<focus::Config>(odd).is_err());
    }
}

#[test]
fn an_hour_or_a_day_is_published_and_a_month_is_not() {
    let traits = |config, windows| Focus::traits(common::config(config), windows);
    let plain = traits(told(json!({})), WindowKind::Day).unwrap();
    assert_eq!(
        (plain.windows, plain.rate.is_none(), plain.surveys, plain.closes),
        (vec![WindowKind::Hour, WindowKind::Day], true, false, false)
    );
    let minimum = priced(json!({ "prices": { "cpu": { "price": "1", "minimum": "5" } } }));
    let minimum = traits(minimum, WindowKind::Hour).unwrap();
    assert!(minimum.surveys && minimum.closes);
    let error = traits(told(json!({})), WindowKind::Month).unwrap_err();
    assert!(matches!(&error, Error::Config(text) if text.contains("has to be \"hour\" or \"day\"")), "{error:?}");
}

use std::collections::{BTreeMap, BTreeSet};

use metering_emulator::{Emulator, License, Outcome, Settings, UnknownCustomer};
use serde_json::{Value, json};

use crate::client::*;

const OTHER_ARN: &str = "arn:aws:license-manager::294406891311:license:l-2";

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Two products: one with a dimension, one that takes all.
fn seller() -> Settings {
    let products = BTreeMap::from([("product".into(), names(&["users"])), ("other".into(), BTreeSet::new())]);
    let of =
        |product: &str, customer: Option<&str>| License { product: product.into(), customer: customer.map(Into::into) };
    let licenses = BTreeMap::from([
        (ARN.into(), of("product", Some(ALICE))),
        (OTHER_ARN.into(), of("other", None)),
        (format!("{ARN}-b"), of("product", Some(BOB))),
    ]);
    Settings { products: Some(products), licenses: Some(licenses), ..settings() }
}

fn license_refusal(service: &Emulator, records: &[Value]) -> String {
    refusal(service, &json!({ "UsageRecords": records }))
}

#[test]
fn an_unknown_product_or_dimension_refuses_the_call() {
    let service = with(seller());
    let of = |product: &str, dimension: &str| json!({ "ProductCode": product, "UsageRecords": [record(ALICE, "users", 1), record(BOB, dimension, 1)] });
    assert_eq!(refusal(&service, &of("nobody", "users")), "InvalidProductCodeException");
    assert_eq!(refusal(&service, &of("product", "Users")), "InvalidUsageDimensionException");
    assert_eq!(post(&service, &of("other", "whatever")).unwrap().status, 200);
    assert_eq!(post(&service, &of("product", "users")).unwrap().status, 200);
    let gpu = licensed(record(ALICE, "gpu", 1), ARN);
    assert_eq!(license_refusal(&service, &[gpu]), "InvalidUsageDimensionException");
}

#[test]
fn a_licence_is_known_and_its_buyers() {
    let service = with(seller());
    let unknown = licensed(record(ALICE, "users", 1), "arn:aws:license-manager::1:license:l-9");
    assert_eq!(license_refusal(&service, &[unknown]), "InvalidLicenseException");
    assert_eq!(license_refusal(&service, &[licensed(record(BOB, "users", 1), ARN)]), "InvalidLicenseException");
}

#[test]
fn a_call_holds_licences_of_one_product() {
    let service = with(seller());
    let (alice, bob) =
        (licensed(record(ALICE, "users", 1), ARN), licensed(record(BOB, "users", 1), &format!("{ARN}-b")));
    let other = licensed(record(ALICE, "users", 1), OTHER_ARN);
    assert_eq!(license_refusal(&service, &[alice.clone(), other.clone()]), "InvalidLicenseException");
    assert_eq!(submit_licensed(&service, &[alice.clone(), bob]).unwrap().statuses(), ["Success", "Success"]);
    let ignorant = start();
    assert_eq!(license_refusal(&ignorant, &[alice, other]), "InvalidLicenseException");
}

#[test]
fn a_customer_who_is_not_subscribed_is_said_so_beside_one_who_is() {
    let service = start();
    service.unsubscribe(BOB);
    let two = [record(BOB, "users", 5), record(ALICE, "users", 5)];
    let answer = submit(&service, &two).unwrap();
    assert_eq!(answer.statuses(), ["CustomerNotSubscribed", "Success"]);
    assert_eq!(answer.results()[0].get("MeteringRecordId"), None);
    assert_eq!(outcomes(&service), [Outcome::CustomerNotSubscribed, Outcome::Success]);
    service.subscribe(BOB);
    assert_eq!(submit(&service, &two).unwrap().statuses(), ["Success", "Success"]);
    assert_eq!(billed(&service), [format!("{ALICE} users 5"), format!("{BOB} users 5")]);
}

#[test]
fn a_customer_who_does_not_exist_is_not_subscribed_or_invalid() {
    let known_customers = Some(names(&[ALICE]));
    let service = with(Settings { known_customers: known_customers.clone(), ..settings() });
    assert_eq!(submit(&service, &[record(BOB, "users", 1)]).unwrap().statuses(), ["CustomerNotSubscribed"]);
    let service = with(Settings { known_customers, unknown_customer: UnknownCustomer::Invalid, ..settings() });
    let both = call(&[record(ALICE, "users", 1), record(BOB, "users", 1)]);
    assert_eq!(refusal(&service, &both), "InvalidCustomerIdentifierException");
}

#[test]
fn a_region_can_be_without_this_api() {
    let service = with(Settings { disabled: true, ..settings() });
    assert_eq!(refusal(&service, &call(&[record(ALICE, "users", 1)])), "DisabledApiException");
    service.set_disabled(false);
    assert_eq!(submit(&service, &[record(ALICE, "users", 1)]).unwrap().status, 200);
}

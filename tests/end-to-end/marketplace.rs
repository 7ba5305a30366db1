//! Records of usage in DynamoDB, billed to AWS Marketplace: the guide's tables, its examples, and what its own code gets wrong.

use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};

/// 2024-02-15T14:05:45.678Z in the guide; here an hour of the day before now's limit of 24 hours.
const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z
const HOUR: &str = "2026-02-15T14:00:00Z";

fn guide(market: &Market) {
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1000, PRODUCT, "users", "7");
    market.item(ACME, AT + 2000, PRODUCT, "api_calls", "10");
    market.item(ACME, AT + 3000, SECOND, "users", "5");
    market.item(OTHER, AT + 4000, PRODUCT, "users", "2");
}

#[test]
fn the_guides_records_are_billed_once_and_marked_as_its_readers_expect() {
    let market = Market::new();
    guide(&market);
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().collect();
    let one = |customer: &str, product: &str, dimension: &str, quantity: &str| {
        let key = (customer.to_owned(), product.to_owned(), dimension.to_owned(), HOUR.to_owned());
        (key, quantity.to_owned())
    };
    assert_eq!(
        billed,
        [
            one(ACME, PRODUCT, "api_calls", "10"),
            one(ACME, PRODUCT, "users", "12"),
            one(ACME, SECOND, "users", "5"),
            one(OTHER, PRODUCT, "users", "2"),
        ]
    );
    for item in market.items() {
        assert_eq!(item["metering_pending"]["S"], "false", "{item:#}");
        assert_eq!(item["metering_failed"]["BOOL"], false, "{item:#}");
        let response = item["metering_response"]["S"].as_str().unwrap();
        let response: serde_json::Value = serde_json::from_str(response).unwrap();
        assert_eq!(response["Results"][0]["Status"], "Success", "{item:#}");
    }
    let first = market.get(ACME, AT).unwrap();
    let response: serde_json::Value = serde_json::from_str(first["metering_response"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(response["Results"][0]["UsageRecord"]["Quantity"], 12, "the sum of the record's hour");
    let totals = |product, customer| market.totals(product, customer).into_iter().collect::<Vec<_>>();
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, total)| ((*name).to_owned(), (*total).to_owned())).collect()
    };
    assert_eq!(totals(PRODUCT, ACME), own(&[("api_calls", "10"), ("users", "12")]));
    assert_eq!(totals(SECOND, ACME), own(&[("users", "5")]));
    assert_eq!(totals(PRODUCT, OTHER), own(&[("users", "2")]));
    let calls = market.calls();
    market.run().expect(0);
    assert_eq!(market.calls(), calls, "a second run calls nothing");
    assert_eq!(totals(PRODUCT, ACME), own(&[("api_calls", "10"), ("users", "12")]));
}

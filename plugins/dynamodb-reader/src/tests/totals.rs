//! The totals of customers.

use super::*;

const SUCCESS: &str = r#"{"Status":"Success"}"#;

/// So many records of a customer, claimed.
fn staged(records: i64) -> Stage {
    let items: Vec<Value> = (0..records).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    let stage = Stage::new(GUIDE_KEY, &items);
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), items.len());
    stage
}

fn subscriber(attributes: Value) -> Value {
    with(json!({ "productCode": { "S": "prod" }, "customerAWSAccountId": { "S": CUSTOMER } }), attributes)
}

#[test]
fn a_total_is_made_where_there_is_none_and_added_to_where_there_is_one() {
    let others = json!({ "companyName": { "S": "Acme" } });
    let map = |map: Value| json!({ "companyName": { "S": "Acme" }, "totalMeteringSent": { "M": map } });
    let number = |number: &str| json!({ "N": number });
    for (row, expected) in [
        (None, subscriber(json!({ "totalMeteringSent": { "M": { "users": { "N": "12" } } } }))),
        (Some(subscriber(others)), subscriber(map(json!({ "users": number("12") })))),
        (Some(subscriber(map(json!({})))), subscriber(map(json!({ "users": number("12") })))),
        (
            Some(subscriber(map(json!({ "calls": number("3") })))),
            subscriber(map(json!({ "calls": number("3"), "users": number("12") }))),
        ),
        (Some(subscriber(map(json!({ "users": number("0.5") })))), subscriber(map(json!({ "users": number("12.5") })))),
    ] {
        let stage = staged(1);
        if let Some(row) = &row {
            stage.get().put("Subscribers", row);
        }
        let settlements = [settlement("a", "users", Settled::Accepted, SUCCESS)];
        for _ in 0..2 {
            assert_eq!(acknowledge(GUIDE, &settlements, &[receipt(&format!("{CUSTOMER}/0"), &[0], &[0])]), Ok(vec![]));
            assert_eq!(stage.get().items("Subscribers"), std::slice::from_ref(&expected));
        }
    }
}

#[test]
fn only_accepted_charges_count_and_each_once_however_many_records_it_has() {
    let stage = staged(4);
    let settlements = [
        settlement("a", "users", Settled::Accepted, SUCCESS),
        settlement("b", "calls", Settled::Rejected, SUCCESS),
        settlement("c", "calls", Settled::Waived, ""),
        settlement("d", "calls", Settled::Accepted, SUCCESS),
    ];
    let of = |time: i64, settlements: &[u32], first: &[u32]| receipt(&format!("{CUSTOMER}/{time}"), settlements, first);
    let receipts = [of(0, &[0], &[0]), of(1, &[0], &[]), of(2, &[1, 2], &[1, 2]), of(3, &[3], &[3])];
    for _ in 0..3 {
        assert_eq!(acknowledge(GUIDE, &settlements, &receipts), Ok(vec![]));
        assert_eq!((total(&stage, "users").as_deref(), total(&stage, "calls").as_deref()), (Some("12"), Some("12")));
    }
}

#[test]
fn one_record_may_be_the_first_of_many_charges() {
    for many in [1, 39, 40, 41, 130] {
        let stage = staged(1);
        let settlements: Vec<Settlement> = (0..many)
            .map(|number| settlement(&format!("c{number}"), &format!("d{}", number % 60), Settled::Accepted, SUCCESS))
            .collect();
        let all: Vec<u32> = (0..many).collect();
        for _ in 0..2 {
            assert_eq!(acknowledge(GUIDE, &settlements, &[receipt(&format!("{CUSTOMER}/0"), &all, &all)]), Ok(vec![]));
            let row = stage.get().item("Subscribers", ["prod", CUSTOMER]).unwrap();
            let totals = row["totalMeteringSent"]["M"].as_object().unwrap().values();
            let sum: i64 = totals.map(|total| total["N"].as_str().unwrap().parse::<i64>().unwrap()).sum();
            assert_eq!(sum, 12 * i64::from(many));
        }
    }
}

#[test]
fn a_charge_of_another_revision_is_another_one() {
    let stage = staged(1);
    let first = settlement("a", "users", Settled::Accepted, SUCCESS);
    let second = Settlement { revision: 2, ..first.clone() };
    for settlement in [&first, &second, &first, &second] {
        let receipts = [receipt(&format!("{CUSTOMER}/0"), &[0], &[0])];
        assert_eq!(acknowledge(GUIDE, std::slice::from_ref(settlement), &receipts), Ok(vec![]));
    }
    assert_eq!(total(&stage, "users").as_deref(), Some("24"));
}

#[test]
fn a_total_that_cannot_be_kept_leaves_its_record_unmarked_and_says_why() {
    let nines = "9".repeat(38);
    for (row, change, reason) in [
        (
            json!({ "totalMeteringSent": { "S": "12" } }),
            "",
            "totalMeteringSent of prod, 123456789012 in Subscribers is a text (S) and no map (M) of totals",
        ),
        (
            json!({ "totalMeteringSent": { "M": { "users": { "S": "12" } } } }),
            "",
            "it cannot be written to: An operand in the update expression has an incorrect data type",
        ),
        (json!({ "totalMeteringSent": { "M": { "users": { "N": nines } } } }), "", "it cannot be written to: overflow"),
        (json!({}), "product", "charge a has no product, and its total no place in `subscribers`"),
    ] {
        let stage = staged(2);
        stage.get().put("Subscribers", &subscriber(row));
        let mut charge = settlement("a", "users", Settled::Accepted, SUCCESS);
        if change == "product" {
            charge.product.clear();
        }
        let receipts = [receipt(&format!("{CUSTOMER}/0"), &[0], &[0]), receipt(&format!("{CUSTOMER}/1"), &[0], &[])];
        let unmarked = acknowledge(GUIDE, &[charge], &receipts).unwrap();
        let said: Vec<&str> = unmarked.iter().map(|record| record.reason.as_str()).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(reason), "{said:?}");
        assert_eq!(stage.get().item("Records", [CUSTOMER, "0"]).unwrap()["metering_pending"]["S"], "true");
    }
}

#[test]
fn charges_that_name_no_product_are_counted_in_the_row_of_the_default_one() {
    let stage = Stage::new(SAMPLES_KEY, &[usage("acme", 1, &[("users", "12")])]);
    let config = |product: &str| {
        format!(
            r#"{{ "table": "Records", "format": "dimension-usage", "subscribers": {{ "table": "Subscribers"{product} }} }}"#
        )
    };
    assert_eq!(rows(&read(&config(""), request()).unwrap()).len(), 1);
    let settlements = [Settlement { product: String::new(), ..settlement("a", "users", Settled::Accepted, "{}") }];
    let receipts = [receipt("acme/1", &[0], &[0])];
    let unmarked = acknowledge(&config(""), &settlements, &receipts).unwrap();
    assert_eq!(unmarked[0].reason, "charge a has no product, and its total no place in `subscribers`");
    let config = config(r#", "default_product": "prod""#);
    assert_eq!(acknowledge(&config, &settlements, &receipts), Ok(vec![]));
    assert_eq!(total(&stage, "users").as_deref(), Some("12"));
}

//! What is handed out, and what is quarantined.

use super::*;
use crate::Unit;

#[test]
fn pending_records_before_the_cutoff_are_handed_out_with_what_they_say() {
    let stage = Stage::new(
        GUIDE_KEY,
        &[
            with(record(CUSTOMER, NOW - 1, "users", "5"), json!({ "region": { "S": "eu" }, "tier": { "N": "1.50" } })),
            record("a/b", -7, "calls", "-0.25"),
            record(CUSTOMER, NOW, "users", "9"),
            with(record(CUSTOMER, 5, "users", "7"), json!({ "metering_pending": { "S": "false" } })),
            with(record(CUSTOMER, 6, "users", "7"), json!({ "metering_pending": null })),
        ],
    );
    let config = r#"{ "table": "Records", "attributes": ["region", "tier", "productCode"] }"#;
    let pages = read(config, request()).unwrap();
    let expected =
        ["a%2Fb/-7 prod calls -0.25 -7".to_owned(), format!("{CUSTOMER}/{} prod users 5 {}", NOW - 1, NOW - 1)];
    assert_eq!(rows(&pages), expected);
    assert_eq!(quarantined(&pages), [""; 0]);
    let row = pages[0].batch.rows().nth(1).unwrap();
    assert_eq!(
        ["region", "tier", "productCode"].map(|name| row.attribute(name)),
        [Some("eu"), Some("1.50"), Some("prod")]
    );
    assert_eq!(pages[0].inputs[0].input.key, "Records/PendingMeteringRecordsIndex#1");
    let claimed = stage.get().items("Records").iter().filter(|item| item["metering_claim"]["S"] == TOKEN).count();
    assert_eq!(claimed, 2);
}

#[test]
fn several_dimensions_of_a_record_share_its_reference_and_its_fate() {
    let _stage = Stage::new(
        SAMPLES_KEY,
        &[
            usage("ifAPi5AcF3", 113_123, &[("users", "3"), ("admin_users", "1"), ("users", "2")]),
            with(usage("a", 1, &[("users", "3"), ("calls", "x")]), json!({ "productCode": { "S": "p" } })),
            usage("b", 2, &[]),
            with(usage("c", 3, &[]), json!({ "dimension_usage": { "S": "users" } })),
            with(usage("d", 4, &[]), json!({ "dimension_usage": { "L": [{ "S": "users" }] } })),
            with(usage("e", 5, &[]), json!({ "dimension_usage": null })),
            usage("f", 6, &[("big", "1E+37"), ("small", "1E-30")]),
            with(
                usage("g", 7, &[]),
                json!({ "dimension_usage": { "L": [{ "M": { "dimension": { "S": "users" }, "value": { "S": "3" } } }] } }),
            ),
        ],
    );
    let pages = read(SAMPLES, request()).unwrap();
    let of = |row: &str| format!("ifAPi5AcF3/113123  {row} 113123");
    assert_eq!(rows(&pages), [of("users 3"), of("admin_users 1"), of("users 2")]);
    let whole = "; a record is billed wholly or not at all";
    assert_eq!(
        quarantined(&pages),
        [
            format!("a/1 users: dimension_usage 2: value is \"x\", which is no number{whole}"),
            format!("a/1 calls: dimension_usage 2: value is \"x\", which is no number{whole}"),
            "b/2 -: dimension_usage names no dimension".to_owned(),
            "c/3 -: dimension_usage is a text (S) and no list (L)".to_owned(),
            "d/4 -: dimension_usage 1: it is a text (S) and no map (M); dimension_usage 1: it has no quantity"
                .to_owned(),
            "e/5 -: dimension_usage is missing".to_owned(),
            format!("f/6 big: its quantities have no more than 38 digits each and too many together{whole}"),
            format!("f/6 small: its quantities have no more than 38 digits each and too many together{whole}"),
            "g/7 users: dimension_usage 1: value is the text \"3\" (S) and no number (N); it is not taken for one"
                .to_owned(),
        ]
    );
    assert_eq!(pages.iter().flat_map(|page| &page.quarantined).next().unwrap().product.as_deref(), Some("p"));
}

#[test]
fn what_cannot_be_used_is_quarantined_with_its_place_and_all_that_is_known() {
    let text = |text: &str| json!({ "S": text });
    for (attributes, dimension, reason) in [
        (
            json!({ "quantity": text("5") }),
            "users",
            "quantity is the text \"5\" (S) and no number (N); it is not taken for one",
        ),
        (json!({ "quantity": null }), "users", "quantity is missing"),
        (
            json!({ "quantity": { "N": "1E-100" } }),
            "users",
            "quantity is \"1E-100\", which 38 digits do not hold exactly",
        ),
        (
            json!({ "quantity": { "N": "123456789012345678901234567890123456789" } }),
            "users",
            "quantity is \"123456789012345678901234567890123456789\", which 38 digits do not hold exactly",
        ),
        (json!({ "quantity": { "BOOL": true } }), "users", "quantity is a truth value (BOOL) and no number (N)"),
        (json!({ "productCode": null }), "users", "productCode is missing"),
        (json!({ "productCode": text("") }), "users", "productCode is empty"),
        (json!({ "productCode": { "NULL": true } }), "users", "productCode is nothing (NULL) and no text (S)"),
        (json!({ "dimension": null }), "-", "dimension is missing"),
        (json!({ "dimension": { "N": "7" } }), "-", "dimension is a number (N) and no text (S)"),
        (json!({ "dimension": text("") , "quantity": null }), "-", "dimension is empty; quantity is missing"),
        (json!({ "dimension": text(&"x".repeat(20_000)) }), "-", "dimension has 20000 bytes, and 16384 are the most"),
    ] {
        let stage = Stage::new(GUIDE_KEY, &[with(record(CUSTOMER, 7, "users", "5"), attributes)]);
        let pages = read(GUIDE, request()).unwrap();
        assert_eq!(quarantined(&pages), [format!("{CUSTOMER}/7 {dimension}: {reason}")]);
        let found = &pages[0].quarantined[0];
        assert_eq!((found.customer.as_deref(), found.span), (Some(CUSTOMER), Some(Window { start: 7, end: 8 })));
        assert_eq!((rows(&pages).len(), stage.get().writes()), (0, 0), "it is neither billed nor claimed");
    }
}

#[test]
fn each_unit_has_its_cutoff_and_nothing_at_it_or_after_it_is_handed_out() {
    for (unit, last, first) in [
        ("s", "1708016399", "1708016400"),
        ("s", "1708016399.999999999", "1708016400.0"),
        ("ms", "1708016399999", "1708016400000"),
        ("us", "1708016399999999", "1708016400000000"),
        ("ns", "1708016399999999999", "1708016400000000000"),
    ] {
        let time = |time: &str| with(record(CUSTOMER, 0, "users", "1"), json!({ "create_timestamp": { "N": time } }));
        let _stage = Stage::new(GUIDE_KEY, &[time(last), time(first)]);
        let pages = read(&format!(r#"{{ "table": "Records", "timestamp": "{unit}" }}"#), request()).unwrap();
        assert_eq!(references(&pages), [format!("{CUSTOMER}/{last}")], "{unit}");
        let at = pages[0].batch.times()[0];
        assert_eq!(at, if last == "1708016399" { NOW - 1000 } else { NOW - 1 });
    }
}

#[test]
fn a_time_in_another_unit_is_told_instead_of_waiting_for_ever() {
    let ns = with(record(CUSTOMER, 1_763_634_471_636_562_122, "users", "5"), json!({}));
    for sorted in [true, false] {
        let stage = Stage::new(GUIDE_KEY, std::slice::from_ref(&ns));
        stage.get().is_sorted = sorted;
        let pages = read(GUIDE, request()).unwrap();
        let reason = "create_timestamp is 1763634471636562122, which is beyond the calendar if it counts milliseconds: `timestamp` says what \
                      it counts";
        assert_eq!(quarantined(&pages), [format!("{CUSTOMER}/1763634471636562122 users: {reason}")]);
        assert_eq!(pages[0].quarantined[0].span, None);
    }
    let _stage = Stage::new(GUIDE_KEY, &[ns]);
    let late = Request { windows: vec![Window { start: i64::MIN, end: 1_763_634_471_637 }], ..request() };
    let pages = read(r#"{ "table": "Records", "timestamp": "ns" }"#, late).unwrap();
    assert_eq!(rows(&pages), [format!("{CUSTOMER}/1763634471636562122 prod users 5 1763634471636")]);
    assert_eq!(Unit::Ns.name(), "nanoseconds");
}

#[test]
fn quantities_of_38_digits_and_with_exponents_are_exact() {
    let long = "12345678901234567890123456789012345678";
    let small = "0.00000000000000000000000000000000000001";
    let written = [long, "1E+2", "1.5E-3", "-7", small, "0"];
    let items: Vec<Value> =
        (0..).zip(written).map(|(time, quantity)| record(CUSTOMER, time, "users", quantity)).collect();
    let _stage = Stage::new(GUIDE_KEY, &items);
    let pages = read(GUIDE, request()).unwrap();
    let quantities: Vec<String> =
        pages.iter().flat_map(|page| page.batch.rows()).map(|row| row.quantity.to_string()).collect();
    assert_eq!(quantities, [long, "100", "0.0015", "-7", small, "0"]);
    assert!(pages.len() > 1, "there is no common scale for all of them");
}

#[test]
fn names_are_the_pipelines_even_those_that_dynamodb_reserves() {
    let item = json!({
        "key": { "S": "acme" }, "timestamp": { "N": "7" }, "licenseArn": { "S": "arn:aws:x" }, "name": { "S": "users" },
        "value.of": { "N": "3" }, "metering_pending": { "S": "true" }, "account": { "S": "123" },
    });
    let stage = Stage::new(["key", "timestamp"], &[item]);
    let config = r#"{ "table": "Records", "key": ["key", "timestamp"], "claim": "taken.by", "fields": { "customer": "account",
        "product": "licenseArn", "dimension": "name", "quantity": "value.of", "time": "timestamp" } }"#;
    let pages = read(config, request()).unwrap();
    assert_eq!(rows(&pages), ["acme/7 arn:aws:x users 3 7"]);
    assert_eq!(pages[0].batch.rows().next().unwrap().customer, "123");
    assert_eq!(stage.get().item("Records", ["acme", "7"]).unwrap()["taken.by"]["S"], TOKEN);
}

#[test]
fn pages_are_read_to_the_end_though_some_are_empty() {
    for (sorted, page) in [(true, 1), (true, 7), (true, 250), (true, 1000), (false, 1), (false, 7)] {
        let mut items: Vec<Value> = (0..250).map(|time| record(CUSTOMER, time, "users", "1")).collect();
        items.extend((0..30).map(|time| record(CUSTOMER, NOW + time, "users", "1")));
        let stage = Stage::new(GUIDE_KEY, &items);
        (stage.get().is_sorted, stage.get().page, stage.get().empty) = (sorted, page, 3);
        let pages = read(GUIDE, request()).unwrap();
        let mut found: Vec<i64> = pages.iter().flat_map(|page| page.batch.times().iter().copied()).collect();
        found.sort_unstable();
        assert_eq!(found, (0..250).collect::<Vec<i64>>(), "sorted: {sorted}, {page} a page");
        let claimed =
            stage.get().calls.iter().filter(|(action, _)| action != "Query").map(|(_, many)| many).sum::<usize>();
        assert_eq!(claimed, 250);
        if page == 1000 {
            let writes: Vec<usize> =
                stage.get().calls.iter().filter(|(action, _)| action != "Query").map(|call| call.1).collect();
            assert_eq!(writes, [100, 100, 50], "as few calls as a transaction allows");
        }
    }
}

#[test]
fn rows_of_a_record_stand_in_one_page_and_pages_are_of_a_good_size() {
    let names: Vec<String> = (0..3000).map(|number| format!("d{number}")).collect();
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let items: Vec<Value> = (0..4).map(|time| usage("acme", time, &dimensions)).collect();
    let _stage = Stage::new(SAMPLES_KEY, &items);
    let pages = read(SAMPLES, request()).unwrap();
    let lengths: Vec<usize> = pages.iter().map(|page| page.batch.len()).collect();
    assert_eq!(lengths, [6000, 6000]);
    assert_eq!(pages.iter().map(|page| page.inputs.len()).collect::<Vec<_>>(), [0, 1], "an input ends once");
    let names: Vec<String> = (0..20_000).map(|number| format!("d{number}")).collect();
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let _stage = Stage::new(SAMPLES_KEY, &[usage("acme", 0, &dimensions), usage("acme", 1, &dimensions[..9000])]);
    let lengths: Vec<usize> = read(SAMPLES, request()).unwrap().iter().map(|page| page.batch.len()).collect();
    assert_eq!(lengths, [20_000, 9000]);
}

#[test]
fn a_record_with_much_that_is_wrong_is_told_in_few_words() {
    let names: Vec<String> = (0..9000).map(|number| format!("d{number}")).collect();
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let _stage = Stage::new(SAMPLES_KEY, &[usage("acme", 0, &dimensions)]);
    let told = quarantined(&read(SAMPLES, request()).unwrap());
    assert_eq!((told.len(), told[8999].contains("value is \"x\", which is no number; and 8996 more")), (9000, true));
    assert!(told[8999].len() < 400);
}

#[test]
fn what_the_service_refuses_names_the_service_the_table_and_the_index() {
    use super::dynamo::Fault;
    for (fault, expected) in [
        (
            "AccessDeniedException",
            "dynamodb:Query on table Records, index PendingMeteringRecordsIndex: AccessDeniedException: no (see to \
             the policy of these credentials: `meterhost check --explain --iam` prints the least that does)",
        ),
        (
            "ResourceNotFoundException",
            "dynamodb:Query on table Records, index PendingMeteringRecordsIndex: ResourceNotFoundException: no \
             (see to the name of the table, and to the region and account that it is looked for in)",
        ),
    ] {
        let stage = Stage::new(GUIDE_KEY, &[]);
        stage.get().faults = [Fault::Refused(fault)].into();
        assert_eq!(read(GUIDE, request()).unwrap_err(), Error::Unavailable(expected.to_owned()));
    }
    let stage = Stage::new(GUIDE_KEY, &[]);
    stage.get().faults = [Fault::Refused("ValidationException"), Fault::Refused("AccessDeniedException")].into();
    let Err(Error::Unavailable(text)) = read(GUIDE, request()) else { panic!("it is refused") };
    assert!(text.contains("AccessDeniedException: no"), "the second try says more: {text}");
    let error = read(r#"{ "table": "Records", "index": "Other" }"#, request()).unwrap_err();
    let expected = "dynamodb:Query on table Records, index Other: ValidationException: The table does not have the specified index; `index` \
                    is \"Other\", which has to be an index of the table with the hash key metering_pending, the range key create_timestamp or \
                    none, and a projection of all that is read";
    assert_eq!(error, Error::Unavailable(expected.to_owned()));
    meterhost_sdk::testing::aws(|_, _, _| Err(meterhost_sdk::aws::Error::Denied("not granted".to_owned())));
    assert_eq!(read(GUIDE, request()).unwrap_err(), Error::Denied("not granted".to_owned()));
    meterhost_sdk::testing::aws(|_, _, _| Ok("{".to_owned()));
    assert!(matches!(read(GUIDE, request()), Err(Error::Unavailable(_))));
}

#[test]
fn shards_claim_and_hand_out_records_of_their_own_and_together_all() {
    let items: Vec<Value> = (0..400).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    let stage = Stage::new(GUIDE_KEY, &items);
    stage.get().page = 150;
    let mut found: Vec<String> = Vec::new();
    for index in 0..4 {
        let before = found.len();
        found.extend(references(&read(GUIDE, Request { shard: Shard { index, count: 4 }, ..request() }).unwrap()));
        let claimed = stage.get().items("Records").iter().filter(|item| item["metering_claim"]["S"] == TOKEN).count();
        assert_eq!(claimed, found.len(), "what is handed out is claimed");
        assert!((50..150).contains(&(found.len() - before)), "{} of 400", found.len() - before);
    }
    found.sort();
    let mut all = references(&read(GUIDE, request()).unwrap());
    all.sort();
    assert_eq!((found.len(), found), (400, all));
}

#[test]
fn a_queue_lists_nothing() {
    let config = serde_json::from_str(GUIDE).unwrap();
    let listed = meterhost_sdk::Listing::next(&mut DynamodbReader::inputs(config, request()).unwrap());
    assert_eq!(listed.map(|page| page.is_some()), Ok(false));
}

//! What is written on records.

use super::dynamo::Fault;
use super::*;
use meterhost_sdk::Obstacle;

const SUCCESS: &str = r#"{"MeteringRecordId":"mr-1","Status":"Success"}"#;

fn staged(config: &str, items: &[Value]) -> Stage {
    let key = if config == GUIDE { GUIDE_KEY } else { SAMPLES_KEY };
    let stage = Stage::new(key, items);
    let pages = read(config, request()).unwrap();
    assert_eq!(quarantined(&pages), [""; 0]);
    stage.get().calls.clear();
    stage
}

fn texts(item: &Value, name: &str) -> Vec<String> {
    item[name]["SS"].as_array().map_or(vec![], |set| set.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
}

#[test]
fn accepted_records_look_as_their_readers_know_them() {
    let before = with(record(CUSTOMER, 1, "users", "5"), json!({ "note": { "S": "kept" } }));
    let stage = staged(GUIDE, std::slice::from_ref(&before));
    let settlements = [settlement("c0ffee", "users", Settled::Accepted, SUCCESS)];
    let receipts = [receipt(&format!("{CUSTOMER}/1"), &[0], &[0])];
    let expected = with(
        before,
        json!({
            "metering_pending": { "S": "false" },
            "metering_failed": { "BOOL": false },
            "metering_response": { "S": format!("{{\"Results\":[{SUCCESS}],\"UnprocessedRecords\":[]}}") },
            "metering_charge": { "SS": ["c0ffee/1"] },
            "metering_counted": { "SS": ["c0ffee/1"] },
            "metering_claim": { "S": TOKEN },
        }),
    );
    for _ in 0..3 {
        assert_eq!(acknowledge(GUIDE, &settlements, &receipts), Ok(vec![]));
        assert_eq!(stage.get().items("Records"), std::slice::from_ref(&expected));
        assert_eq!(total(&stage, "users").as_deref(), Some("12"));
    }
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 0);
}

#[test]
fn the_sparse_form_leaves_the_index() {
    let stage = staged(SAMPLES, &[usage("acme", 1, &[("users", "3"), ("calls", "2")])]);
    let settlements = [
        settlement("a", "users", Settled::Accepted, SUCCESS),
        settlement("b", "calls", Settled::Rejected, "{\"Status\":\"x\"}"),
    ];
    for _ in 0..2 {
        assert_eq!(acknowledge(SAMPLES, &settlements, &[receipt("acme/1", &[0, 1], &[0, 1])]), Ok(vec![]));
        let item = stage.get().item("Records", ["acme", "1"]).unwrap();
        assert_eq!((item.get("metering_pending"), &item["metering_failed"]["BOOL"]), (None, &json!(true)));
        let response = format!("{{\"Results\":[{SUCCESS},{{\"Status\":\"x\"}}],\"UnprocessedRecords\":[]}}");
        assert_eq!(item["metering_response"]["S"], response);
        assert_eq!(texts(&item, "metering_charge"), ["a/1", "b/1"]);
        assert_eq!(item.get("metering_counted"), None, "without `subscribers` nothing is counted");
    }
}

#[test]
fn a_later_outcome_takes_the_place_of_an_earlier_one() {
    let stage = staged(GUIDE, &[record(CUSTOMER, 1, "users", "5")]);
    let receipts = [receipt(&format!("{CUSTOMER}/1"), &[0], &[0])];
    let mut settlement = settlement("a", "users", Settled::Rejected, "");
    settlement.message = Some("UsageDimension is wrong".to_owned());
    assert_eq!(acknowledge(GUIDE, &[settlement.clone()], &receipts), Ok(vec![]));
    let item = stage.get().item("Records", [CUSTOMER, "1"]).unwrap();
    assert_eq!(
        (&item["metering_failed"]["BOOL"], &item["metering_response"]["S"]),
        (&json!(true), &json!("UsageDimension is wrong"))
    );
    assert_eq!((&item["metering_pending"]["S"], total(&stage, "users")), (&json!("false"), None));
    settlement = Settlement { revision: 2, outcome: Settled::Accepted, answer: SUCCESS.to_owned(), ..settlement };
    assert_eq!(acknowledge(GUIDE, &[settlement], &receipts), Ok(vec![]));
    let item = stage.get().item("Records", [CUSTOMER, "1"]).unwrap();
    assert_eq!(
        (&item["metering_failed"]["BOOL"], texts(&item, "metering_charge")),
        (&json!(false), vec!["a/2".to_owned()])
    );
    assert_eq!(total(&stage, "users").as_deref(), Some("12"));
    // Nothing is owed for it after all.
    assert_eq!(acknowledge(GUIDE, &[], &[receipt(&format!("{CUSTOMER}/1"), &[], &[])]), Ok(vec![]));
    let item = stage.get().item("Records", [CUSTOMER, "1"]).unwrap();
    assert_eq!((item.get("metering_charge"), texts(&item, "metering_counted")), (None, vec!["a/2".to_owned()]));
}

#[test]
fn what_is_not_what_was_claimed_is_named_and_left_as_it_is() {
    type Change = fn(&mut dynamo::Dynamo);
    const KEY: [&str; 2] = [CUSTOMER, "2"];
    let cases: [(Change, Obstacle, &str); 9] = [
        (|dynamo| dynamo.delete(KEY), Obstacle::Gone, "it is not in the table any more"),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_claim".into(), json!({ "S": "other" })))),
            Obstacle::Changed,
            "it is claimed by other (metering_claim) by now",
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.remove("metering_claim"))),
            Obstacle::Changed,
            "it bears no claim any more: somebody removed metering_claim, or wrote it anew",
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_pending".into(), json!({ "S": "false" })))),
            Obstacle::Changed,
            "somebody else took it out of what is pending (metering_pending), and left no metering_response",
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("quantity".into(), json!({ "N": "7" })))),
            Obstacle::Changed,
            "since it was claimed, quantity went from 5 to 7",
        ),
        (
            |dynamo| {
                dynamo.change(KEY, |item| {
                    item.remove("productCode");
                    item.insert("dimension".into(), json!({ "BOOL": true }));
                });
            },
            Obstacle::Changed,
            "since it was claimed, productCode went from prod to nothing, dimension changed",
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("dimension".into(), json!({ "NULL": true })))),
            Obstacle::Changed,
            "since it was claimed, dimension went from users to nothing",
        ),
        (
            |dynamo| {
                dynamo.change(KEY, |item| {
                    item.remove("metering_claimed_as");
                    item.insert("metering_response".into(), json!({ "S": "{}" }));
                });
            },
            Obstacle::Changed,
            "it was set to pending again, or written anew",
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_counted".into(), json!({ "N": "1" })))),
            Obstacle::Other,
            "it cannot be written to: an operand has an incorrect type",
        ),
    ];
    for (change, obstacle, reason) in cases {
        let items: Vec<Value> = (1..=3).map(|time| record(CUSTOMER, time, "users", "5")).collect();
        let stage = staged(GUIDE, &items);
        change(&mut stage.get());
        let before = stage.get().item("Records", KEY);
        let settlements = [settlement("a", "users", Settled::Accepted, SUCCESS)];
        let receipts =
            [1, 2, 3].map(|time| receipt(&format!("{CUSTOMER}/{time}"), &[0], if time == 2 { &[0] } else { &[] }));
        for _ in 0..2 {
            let unmarked = acknowledge(GUIDE, &settlements, &receipts).unwrap();
            assert_eq!(unmarked.len(), 1);
            let Unmarked { reference, obstacle: found, reason: said } = &unmarked[0];
            assert_eq!((reference.as_str(), *found), (&*format!("{CUSTOMER}/2"), obstacle));
            assert!(said.contains(reason), "{said}");
            assert_eq!(stage.get().item("Records", KEY), before);
            assert_eq!(total(&stage, "users"), None, "the total goes with the record");
            for other in ["1", "3"] {
                assert_eq!(stage.get().item("Records", [CUSTOMER, other]).unwrap()["metering_pending"]["S"], "false");
            }
        }
    }
}

#[test]
fn what_is_no_record_or_has_an_outcome_of_tomorrow_is_named() {
    let _stage = staged(GUIDE, &[record(CUSTOMER, 1, "users", "5")]);
    let settlements = [settlement("a", "users", Settled::Other, "")];
    let receipts = [receipt(&format!("{CUSTOMER}/1"), &[0], &[]), receipt("nonsense", &[], &[])];
    let unmarked = acknowledge(GUIDE, &settlements, &receipts).unwrap();
    let reasons: Vec<&str> = unmarked.iter().map(|record| record.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["charge a has an outcome that this plugin does not know", "no record of this table is called so"]
    );
    let beyond = acknowledge(GUIDE, &settlements, &[receipt("a/1", &[1], &[])]);
    assert_eq!(beyond, Err(Error::Other("the receipt of a/1 names settlement 1 of 1".to_owned())));
}

#[test]
fn many_records_take_few_calls_and_faults_change_nothing() {
    use Fault::{Conflict, InternalAfter, LostAfter, LostBefore, Nothing};
    let items: Vec<Value> = (0..250).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    let settlements = [settlement("a", "users", Settled::Accepted, SUCCESS)];
    let receipts: Vec<Receipt> =
        (0..250).map(|time| receipt(&format!("{CUSTOMER}/{time}"), &[0], if time == 7 { &[0] } else { &[] })).collect();
    for faults in [
        vec![],
        vec![LostAfter, LostBefore, InternalAfter],
        vec![Conflict, Conflict, Conflict, Nothing, LostAfter, Conflict],
        vec![Nothing, LostAfter, Conflict, LostAfter],
    ] {
        let stage = staged(GUIDE, &items);
        stage.get().faults = faults.clone().into();
        assert_eq!(acknowledge(GUIDE, &settlements, &receipts), Ok(vec![]), "{faults:?}");
        let marked =
            stage.get().items("Records").iter().filter(|item| item["metering_pending"]["S"] == "false").count();
        assert_eq!((marked, total(&stage, "users").as_deref()), (250, Some("12")), "{faults:?}");
        if faults.is_empty() {
            assert!(stage.get().writes() <= 6, "{:?}", stage.get().calls);
        }
    }
}

#[test]
fn what_is_written_beside_the_usage_does_not_keep_a_record_from_being_marked() {
    let items = [with(usage("acme", 1, &[("users", "3"), ("calls", "2")]), json!({ "region": { "NULL": true } }))];
    let config = r#"{ "table": "Records", "format": "dimension-usage", "attributes": ["region", "zone"] }"#;
    let settlements = [settlement("a", "users", Settled::Accepted, SUCCESS)];
    let receipts = [receipt("acme/1", &[0], &[])];
    type Change = fn(&mut dynamodb_stand_in::Item);
    let cases: [(Change, Option<&str>); 4] = [
        (|item| drop(item.insert("note".into(), json!({ "S": "x" }))), None),
        (|item| drop(item.remove("region")), None),
        (
            |item| drop(item.insert("zone".into(), json!({ "S": "x" }))),
            Some("since it was claimed, zone went from nothing to x"),
        ),
        (
            |item| item["dimension_usage"]["L"][1]["M"]["value"] = json!({ "N": "4" }),
            Some("since it was claimed, dimension_usage changed"),
        ),
    ];
    for (change, reason) in cases {
        let stage = staged(config, &items);
        stage.get().change(["acme", "1"], change);
        let unmarked = acknowledge(config, &settlements, &receipts).unwrap();
        let reasons: Vec<&str> = unmarked.iter().map(|record| record.reason.as_str()).collect();
        assert_eq!(reasons, reason.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn the_largest_configuration_fits_the_longest_expression() {
    let attributes: Vec<String> = (0..24).map(|number| format!("attribute-{number}")).collect();
    let config = json!({ "table": "Records", "key": ["id", "number"], "attributes": attributes });
    let item = with(record(CUSTOMER, 1, "users", "5"), json!({ "id": { "S": "a" }, "number": { "N": "1" } }));
    let stage = Stage::new(["id", "number"], std::slice::from_ref(&item));
    let config = config.to_string();
    assert_eq!(references(&read(&config, request()).unwrap()), ["a/1"]);
    let settlements: Vec<Settlement> =
        (0..100).map(|number| settlement(&format!("c{number}"), "users", Settled::Accepted, SUCCESS)).collect();
    let all: Vec<u32> = (0..100).collect();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["subscribers"] = json!("Subscribers");
    assert_eq!(acknowledge(&config.to_string(), &settlements, &[receipt("a/1", &all, &all)]), Ok(vec![]));
    assert_eq!(total(&stage, "users").as_deref(), Some("1200"));
}

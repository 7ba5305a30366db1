//! Who may bill a record.

use super::dynamo::Fault;
use super::*;

fn claimed(item: Value, token: &str) -> Value {
    let mut copy = item.clone();
    copy.as_object_mut().unwrap().retain(|name, _| ["productCode", "dimension", "quantity"].contains(&name.as_str()));
    with(item, json!({ "metering_claim": { "S": token }, "metering_claimed_as": { "M": copy } }))
}

fn foreign(token: &str) -> String {
    format!(
        "it is claimed by {token} (metering_claim), which is not this pipeline's ledger: another pipeline may be billing it, or one with a \
         ledger that was lost. If nobody is, remove the attribute metering_claim from the item"
    )
}

#[test]
fn a_record_is_claimed_once_adopted_by_the_same_ledger_and_left_to_others() {
    let items = [
        record(CUSTOMER, 1, "users", "5"),
        claimed(record(CUSTOMER, 2, "users", "6"), TOKEN),
        claimed(record(CUSTOMER, 3, "users", "7"), "other"),
        with(record(CUSTOMER, 4, "users", "8"), json!({ "metering_claim": { "N": "1" } })),
    ];
    let stage = Stage::new(GUIDE_KEY, &items);
    let pages = read(GUIDE, request()).unwrap();
    assert_eq!(references(&pages), [format!("{CUSTOMER}/2"), format!("{CUSTOMER}/1")]);
    let expected = [
        format!("{CUSTOMER}/3 users: {}", foreign("other")),
        format!("{CUSTOMER}/4 users: {}", foreign("a number (N)")),
    ];
    assert_eq!(quarantined(&pages), expected);
    let known = &pages.last().unwrap().quarantined[0];
    assert_eq!((known.customer.as_deref(), known.product.as_deref()), (Some(CUSTOMER), Some("prod")));
    assert_eq!(known.span, Some(Window { start: 3, end: 4 }));
    assert_eq!(stage.get().writes(), 1, "what is ours is not written again");
    assert_eq!(stage.get().items("Records")[2..], items[2..]);
    stage.get().calls.clear();
    assert_eq!(references(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1"), format!("{CUSTOMER}/2")]);
    assert_eq!(stage.get().writes(), 0);
}

#[test]
fn a_dry_run_writes_nothing_and_shows_what_a_run_would_hand_out() {
    let items = [record(CUSTOMER, 1, "users", "5"), claimed(record(CUSTOMER, 2, "users", "6"), TOKEN)];
    let stage = Stage::new(GUIDE_KEY, &items);
    let pages = read(GUIDE, dry_run()).unwrap();
    assert_eq!((rows(&pages).len(), quarantined(&pages).len()), (2, 0));
    let pages = read(GUIDE, Request { claim: None, ..dry_run() }).unwrap();
    assert_eq!(references(&pages), [format!("{CUSTOMER}/1")]);
    assert_eq!(quarantined(&pages), [format!("{CUSTOMER}/2 users: {}", foreign(TOKEN))]);
    assert_eq!(stage.get().writes(), 0);
    assert_eq!(stage.get().items("Records"), items);
    assert!(matches!(read(GUIDE, Request { claim: None, ..request() }), Err(Error::Other(_))));
}

type Change = fn(&mut dynamo::Dynamo);

#[test]
fn what_changed_between_query_and_claim_is_left_to_the_next_run() {
    const KEY: [&str; 2] = [CUSTOMER, "2"];
    let cases: [(&str, Change, bool); 9] = [
        (
            "the quantity",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("quantity".into(), json!({ "N": "7" })))),
            false,
        ),
        (
            "the dimension",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("dimension".into(), json!({ "S": "x" })))),
            false,
        ),
        ("the product", |dynamo| dynamo.change(KEY, |item| drop(item.remove("productCode"))), false),
        (
            "an attribute",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("region".into(), json!({ "S": "x" })))),
            false,
        ),
        (
            "it is marked",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_pending".into(), json!({ "S": "false" })))),
            false,
        ),
        ("it is marked sparsely", |dynamo| dynamo.change(KEY, |item| drop(item.remove("metering_pending"))), false),
        ("it is deleted", |dynamo| dynamo.delete(KEY), false),
        (
            "another claims it",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_claim".into(), json!({ "S": "x" })))),
            true,
        ),
        (
            "nothing of account",
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("note".into(), json!({ "S": "x" })))),
            false,
        ),
    ];
    let config = r#"{ "table": "Records", "attributes": ["region"] }"#;
    for (what, change, is_foreign) in cases {
        let items: Vec<Value> = (1..=3).map(|time| record(CUSTOMER, time, "users", "5")).collect();
        for alone in [true, false] {
            let stage = Stage::new(GUIDE_KEY, if alone { &items[1..2] } else { &items });
            stage.get().before_write = Some(Box::new(change));
            let pages = read(config, request()).unwrap();
            let mut expected: Vec<String> =
                if alone { vec![] } else { vec![format!("{CUSTOMER}/1"), format!("{CUSTOMER}/3")] };
            if what == "nothing of account" {
                expected.insert(expected.len() / 2, format!("{CUSTOMER}/2"));
            }
            assert_eq!(references(&pages), expected, "{what}");
            let told = if is_foreign { vec![format!("{CUSTOMER}/2 users: {}", foreign("x"))] } else { vec![] };
            assert_eq!(quarantined(&pages), told, "{what}");
            let left = stage.get().item("Records", KEY);
            assert!(
                left.is_none_or(|left| what == "nothing of account" || left["metering_claim"]["S"] != TOKEN),
                "{what}"
            );
        }
    }
}

#[test]
fn what_the_index_still_shows_as_pending_is_not_claimed_again() {
    let stage = Stage::new(GUIDE_KEY, &[record(CUSTOMER, 1, "users", "5")]);
    stage.get().lag(true);
    stage.get().change([CUSTOMER, "1"], |item| {
        item.insert("metering_pending".into(), json!({ "S": "false" }));
    });
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 0);
}

#[test]
fn a_list_that_was_read_is_a_part_of_what_must_not_change() {
    let stage = Stage::new(SAMPLES_KEY, &[usage("acme", 1, &[("users", "3"), ("calls", "2")])]);
    stage.get().before_write = Some(Box::new(|dynamo| {
        dynamo.change(["acme", "1"], |item| {
            item["dimension_usage"]["L"][1]["M"]["value"] = json!({ "N": "4" });
        });
    }));
    assert_eq!(rows(&read(SAMPLES, request()).unwrap()).len(), 0);
    assert_eq!(rows(&read(SAMPLES, request()).unwrap()).len(), 2);
}

#[test]
fn faults_cost_time_and_no_claim() {
    use Fault::{Conflict, Internal, InternalAfter, LostAfter, LostBefore, NotSent, Nothing};
    let items: Vec<Value> = (0..3).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    for faults in [
        vec![LostBefore],
        vec![NotSent, Internal],
        vec![Nothing, LostBefore, LostAfter, InternalAfter],
        vec![Nothing, LostAfter, LostAfter, LostAfter, LostAfter],
        vec![Nothing, Conflict],
        vec![Nothing, Conflict, Conflict, Conflict, Conflict, Nothing, LostAfter, Conflict, Nothing],
    ] {
        let stage = Stage::new(GUIDE_KEY, &items);
        stage.get().faults = faults.clone().into();
        let pages = read(GUIDE, request()).unwrap();
        assert_eq!((rows(&pages).len(), quarantined(&pages).len()), (3, 0), "{faults:?}");
        let claimed = stage.get().items("Records").iter().filter(|item| item["metering_claim"]["S"] == TOKEN).count();
        assert_eq!(claimed, 3, "{faults:?}");
    }
    let stage = Stage::new(GUIDE_KEY, &items);
    stage.get().faults = [Nothing, LostAfter, LostAfter, LostAfter, LostAfter, LostAfter].into();
    let expected = "dynamodb:TransactWriteItems on table Records: the connection was reset (5 times)";
    assert_eq!(read(GUIDE, request()).unwrap_err(), Error::Unavailable(expected.to_owned()));
    stage.get().calls.clear();
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 3, "the next run adopts the claims");
    assert_eq!(stage.get().writes(), 0);
}

#[test]
fn a_record_that_others_write_all_the_time_is_left_to_the_next_run() {
    let items: Vec<Value> = (0..2).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    let stage = Stage::new(GUIDE_KEY, &items);
    let conflicts = std::iter::repeat_n(Fault::Conflict, 3 + 20);
    stage.get().faults = std::iter::once(Fault::Nothing).chain(conflicts).collect();
    assert_eq!(references(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1")]);
}

#[test]
fn a_key_that_is_not_the_tables_is_named() {
    let _stage = Stage::new(GUIDE_KEY, &[with(record(CUSTOMER, 1, "users", "5"), json!({ "hour": { "N": "3" } }))]);
    let config = r#"{ "table": "Records", "key": ["customerAWSAccountId", "hour"] }"#;
    let Err(Error::Unavailable(text)) = read(config, request()) else { panic!("it is refused") };
    assert!(text.ends_with("`key` is [\"customerAWSAccountId\", \"hour\"], which has to be its primary key"), "{text}");
}

#[test]
fn a_record_of_ours_that_was_changed_is_claimed_anew_as_it_is() {
    let as_it_was = claimed(record(CUSTOMER, 1, "users", "5"), TOKEN);
    let changes = [
        json!({ "quantity": { "N": "7" } }),
        json!({ "productCode": { "S": "other" } }),
        json!({ "metering_claimed_as": null }),
        json!({ "metering_claimed_as": { "S": "?" } }),
    ];
    for change in changes {
        let stage = Stage::new(GUIDE_KEY, &[with(as_it_was.clone(), change.clone())]);
        assert_eq!(rows(&read(GUIDE, dry_run()).unwrap()).len(), 1, "{change}");
        assert_eq!(stage.get().writes(), 0, "{change}");
        let pages = read(GUIDE, request()).unwrap();
        assert_eq!((rows(&pages).len(), stage.get().writes()), (1, 1), "{change}");
        let item = stage.get().item("Records", [CUSTOMER, "1"]).unwrap();
        for name in ["productCode", "dimension", "quantity"] {
            assert_eq!(item["metering_claimed_as"]["M"][name], item[name], "{change}");
        }
        assert_eq!(rows(&read(GUIDE, request()).unwrap()), rows(&pages), "{change}");
        assert_eq!(stage.get().writes(), 1, "{change}: what did not change is not written again");
    }
}

#[test]
fn a_record_of_ours_that_changes_while_it_is_claimed_anew_is_left_to_the_next_run() {
    let stage = Stage::new(
        GUIDE_KEY,
        &[with(claimed(record(CUSTOMER, 1, "users", "5"), TOKEN), json!({ "quantity": { "N": "7" } }))],
    );
    stage.get().before_write = Some(Box::new(|dynamo| {
        dynamo.change([CUSTOMER, "1"], |item| drop(item.insert("quantity".into(), json!({ "N": "8" }))));
    }));
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 0);
    assert_eq!(rows(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1 prod users 8 1")]);
}

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
fn a_record_is_claimed_for_this_ledger_again_and_again_and_left_to_others() {
    let items = [
        record(CUSTOMER, 1, "users", "5"),
        claimed(record(CUSTOMER, 2, "users", "6"), TOKEN),
        claimed(record(CUSTOMER, 3, "users", "7"), "other"),
        with(record(CUSTOMER, 4, "users", "8"), json!({ "metering_claim": { "N": "1" } })),
    ];
    let stage = Stage::new(GUIDE_KEY, &items);
    let pages = read(GUIDE, request()).unwrap();
    assert_eq!(references(&pages), [format!("{CUSTOMER}/1"), format!("{CUSTOMER}/2")]);
    let expected = [
        format!("{CUSTOMER}/3 users: {}", foreign("other")),
        format!("{CUSTOMER}/4 users: {}", foreign("a number (N)")),
    ];
    assert_eq!(quarantined(&pages), expected);
    let known = &pages.last().unwrap().quarantined[0];
    assert_eq!((known.customer.as_deref(), known.product.as_deref()), (Some(CUSTOMER), Some("prod")));
    assert_eq!(known.span, Some(Window { start: 3, end: 4 }));
    assert_eq!(stage.get().writes(), 1);
    let after = stage.get().items("Records");
    assert_eq!(after[1..], items[1..]);
    assert_eq!(references(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1"), format!("{CUSTOMER}/2")]);
    assert_eq!(stage.get().items("Records"), after);
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

/// What becomes of a record that changed between query and claim.
enum Fate {
    /// It is handed out as: product, dimension, quantity.
    As(&'static str),
    Left,
    Quarantined(String),
}

#[test]
fn what_changed_between_query_and_claim_is_taken_as_it_is_now() {
    const KEY: [&str; 2] = [CUSTOMER, "2"];
    let cases: [(Change, Fate); 9] = [
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("quantity".into(), json!({ "N": "7" })))),
            Fate::As("prod users 7"),
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("dimension".into(), json!({ "S": "x" })))),
            Fate::As("prod x 5"),
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.remove("productCode"))),
            Fate::Quarantined(format!("{CUSTOMER}/2 users: productCode is missing")),
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("region".into(), json!({ "S": "x" })))),
            Fate::As("prod users 5"),
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_pending".into(), json!({ "S": "false" })))),
            Fate::Left,
        ),
        (|dynamo| dynamo.change(KEY, |item| drop(item.remove("metering_pending"))), Fate::Left),
        (|dynamo| dynamo.delete(KEY), Fate::Left),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("metering_claim".into(), json!({ "S": "x" })))),
            Fate::Quarantined(format!("{CUSTOMER}/2 users: {}", foreign("x"))),
        ),
        (
            |dynamo| dynamo.change(KEY, |item| drop(item.insert("note".into(), json!({ "S": "x" })))),
            Fate::As("prod users 5"),
        ),
    ];
    let config = r#"{ "table": "Records", "attributes": ["region"] }"#;
    for (number, (change, fate)) in cases.into_iter().enumerate() {
        let items: Vec<Value> = (1..=3).map(|time| record(CUSTOMER, time, "users", "5")).collect();
        for alone in [true, false] {
            let stage = Stage::new(GUIDE_KEY, if alone { &items[1..2] } else { &items });
            stage.get().before_write = Some(Box::new(change));
            let pages = read(config, request()).unwrap();
            let others: &[i64] = if alone { &[] } else { &[1, 3] };
            let mut expected: Vec<String> =
                others.iter().map(|time| format!("{CUSTOMER}/{time} prod users 5 {time}")).collect();
            let mut held = Vec::new();
            match &fate {
                Fate::As(what) => expected.push(format!("{CUSTOMER}/2 {what} 2")),
                Fate::Left => {}
                Fate::Quarantined(reason) => held.push(reason.clone()),
            }
            let mut found = rows(&pages);
            [&mut found, &mut expected].into_iter().for_each(|rows| rows.sort());
            assert_eq!((found, quarantined(&pages)), (expected, held), "{number}");
            let is_ours = stage.get().item("Records", KEY).is_some_and(|left| left["metering_claim"]["S"] == TOKEN);
            assert_eq!(is_ours, matches!(fate, Fate::As(_)), "{number}");
        }
    }
}

#[test]
fn a_record_that_changes_all_the_time_holds_what_its_customer_owes_for_the_dimension() {
    fn changes(dynamo: &mut dynamo::Dynamo, to: u32) {
        dynamo.change([CUSTOMER, "1"], |item| drop(item.insert("quantity".into(), json!({ "N": to.to_string() }))));
        dynamo.before_write = Some(Box::new(move |dynamo| changes(dynamo, to + 1)));
    }
    let stage = Stage::new(GUIDE_KEY, &[record(CUSTOMER, 1, "users", "5")]);
    stage.get().before_write = Some(Box::new(|dynamo| changes(dynamo, 6)));
    let pages = read(GUIDE, request()).unwrap();
    let reason = format!("{CUSTOMER}/1 users: it cannot be claimed: it changes all the time");
    assert_eq!((rows(&pages).len(), quarantined(&pages)), (0, vec![reason]));
    assert_eq!(stage.get().writes(), 4);
    stage.get().before_write = None;
    assert_eq!(rows(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1 prod users 9 1")]);
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
fn what_the_index_still_shows_as_claimed_and_pending_is_not_handed_out_once_it_is_marked() {
    let stage = Stage::new(GUIDE_KEY, &[record(CUSTOMER, 1, "users", "5")]);
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 1);
    stage.get().lag(true);
    let settlements = [settlement("a", "users", Settled::Rejected, "{}")];
    let receipts = [receipt(&format!("{CUSTOMER}/1"), &[0], &[0])];
    assert_eq!(acknowledge(GUIDE, &settlements, &receipts), Ok(vec![]));
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 0, "nobody asked for it once more");
}

#[test]
fn a_list_that_was_read_is_a_part_of_what_is_read_anew() {
    let stage = Stage::new(SAMPLES_KEY, &[usage("acme", 1, &[("users", "3"), ("calls", "2")])]);
    stage.get().before_write = Some(Box::new(|dynamo| {
        dynamo.change(["acme", "1"], |item| {
            item["dimension_usage"]["L"][1]["M"]["value"] = json!({ "N": "4" });
        });
    }));
    assert_eq!(rows(&read(SAMPLES, request()).unwrap()), ["acme/1  users 3 1", "acme/1  calls 4 1"]);
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
    assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 3, "the next run adopts the claims");
}

#[test]
fn a_record_that_others_write_all_the_time_is_held_until_the_next_run() {
    let items: Vec<Value> = (0..2).map(|time| record(CUSTOMER, time, "users", "5")).collect();
    let stage = Stage::new(GUIDE_KEY, &items);
    let conflicts = std::iter::repeat_n(Fault::Conflict, 3 + 20);
    stage.get().faults = std::iter::once(Fault::Nothing).chain(conflicts).collect();
    let pages = read(GUIDE, request()).unwrap();
    let reason =
        format!("{CUSTOMER}/0 users: it cannot be claimed: others write it at the same time (TransactionConflict)");
    assert_eq!((references(&pages), quarantined(&pages)), (vec![format!("{CUSTOMER}/1")], vec![reason]));
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
    }
}

#[test]
fn a_record_of_ours_that_changes_while_it_is_claimed_anew_is_taken_as_it_is() {
    let edited = with(claimed(record(CUSTOMER, 1, "users", "5"), TOKEN), json!({ "quantity": { "N": "7" } }));
    let stage = Stage::new(GUIDE_KEY, &[edited]);
    stage.get().before_write = Some(Box::new(|dynamo| {
        dynamo.change([CUSTOMER, "1"], |item| drop(item.insert("quantity".into(), json!({ "N": "8" }))));
    }));
    for _ in 0..2 {
        assert_eq!(rows(&read(GUIDE, request()).unwrap()), [format!("{CUSTOMER}/1 prod users 8 1")]);
    }
}

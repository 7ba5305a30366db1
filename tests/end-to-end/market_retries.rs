//! What a seller's people do to items while a pipeline bills them, and afterwards: each record is billed once, with what it said when it was
//! frozen, and nobody's edit is overwritten.

use std::collections::{BTreeMap, BTreeSet};

use metering_emulator::{Fault, Settings};
use serde_json::{Value, json};

use crate::market::{ACME, Market, OTHER, PRODUCT};
use crate::zombies::woken;

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z

/// A service that knows these dimensions of the product alone.
fn knowing(dimensions: &[&str]) -> Market {
    let dimensions: BTreeSet<String> = dimensions.iter().map(|name| (*name).to_owned()).collect();
    let products = Some(BTreeMap::from([(PRODUCT.to_owned(), dimensions)]));
    let market = Market::with(Settings { products, ..Settings::default() });
    market.begin_early();
    market
}

/// What is billed: customer, dimension and quantity.
fn bill(market: &Market) -> Vec<String> {
    let billed = market.billed().into_iter();
    billed.map(|((customer, _, dimension, _), quantity)| format!("{customer} {dimension} {quantity}")).collect()
}

/// The charges that an item says it went into.
fn charges_of(market: &Market, customer: &str, time: i64) -> Vec<String> {
    let item = market.get(customer, time).unwrap();
    item["metering_charge"]["SS"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_billed_record_that_is_set_to_pending_again_is_marked_again_and_not_billed_again() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.run().expect(0);
    let (before, calls) = (market.items(), market.calls());
    market.set_pending_again(ACME, AT);
    market.run().expect(0);
    assert_eq!((market.calls(), market.total(ACME, "users")), (calls, "12".into()));
    assert_eq!(market.items(), before, "it is marked as it was");
    // One that comes besides is late for its hour, and the other is marked all the same.
    market.set_pending_again(ACME, AT + 1);
    market.item(OTHER, AT, PRODUCT, "users", "3");
    market.run().expect(0);
    market.marked(&[(ACME, AT), (ACME, AT + 1), (OTHER, AT)], false, "\"Success\"");
    assert_eq!(bill(&market), [format!("{ACME} users 12"), format!("{OTHER} users 3")]);
    assert_eq!((market.total(ACME, "users"), market.total(OTHER, "users")), ("12".into(), "3".into()));
    market.is_at_rest(0);
}

#[test]
fn of_a_refused_group_those_that_are_set_to_pending_again_are_billed_and_the_others_stay_open() {
    let market = Market::new();
    market.begin_early();
    market.emulator.unsubscribe(ACME);
    for (number, quantity) in ["1", "2", "4"].iter().enumerate() {
        market.item(ACME, AT + number as i64, PRODUCT, "users", quantity);
    }
    market.run().expect(1);
    market.marked(&[(ACME, AT), (ACME, AT + 1), (ACME, AT + 2)], true, "CustomerNotSubscribed");
    let id = market.charge(ACME, "users")["id"].as_str().unwrap().to_owned();
    let third = market.get(ACME, AT + 2);
    market.emulator.subscribe(ACME);
    for number in [0, 1] {
        market.set_pending_again(ACME, AT + number);
    }
    let stays = "1 record that it was made of before stays refused";
    market.run().expect(1).says(stays).says(&format!("{id} waive"));
    assert_eq!(bill(&market), [format!("{ACME} users 3")]);
    market.marked(&[(ACME, AT), (ACME, AT + 1)], false, "\"Success\"");
    assert_eq!(charges_of(&market, ACME, AT), [format!("{id}/2")]);
    assert_eq!(market.charge(ACME, "users")["id"], id.as_str());
    assert_eq!(market.get(ACME, AT + 2), third, "the third is as it was");
    assert_eq!(market.total(ACME, "users"), "3");
    market.is_at_rest(1);
    let explained = market.command("explain", &[&format!("{id}/2")], &[]);
    explained.expect(0).says("a record that it was made of before stays refused");
    // Its hour is billed by now: it is late, and goes with the next one.
    market.set_pending_again(ACME, AT + 2);
    market.run().expect(0);
    assert_eq!(bill(&market), [format!("{ACME} users 3"), format!("{ACME} users 4")]);
    assert_eq!(market.total(ACME, "users"), "7");
    market.is_at_rest(0);
    let again = market.command("ledger resolve", &[&id, "waive", "--reason", "so", "--yes"], &[]);
    again.expect(2).says("is not resolved: it is final");
}

#[test]
fn what_stays_refused_of_a_charge_that_was_made_anew_is_open_until_a_person_waives_it() {
    let market = Market::new();
    market.begin_early();
    market.emulator.unsubscribe(ACME);
    for (number, quantity) in ["1", "2", "4"].iter().enumerate() {
        market.item(ACME, AT + number as i64, PRODUCT, "users", quantity);
    }
    market.run().expect(1);
    // Refused once more, and then made anew of one record of the first time and one of the second.
    market.set_pending_again(ACME, AT);
    market.set_pending_again(ACME, AT + 1);
    market.run().expect(1).says("1 record that it was made of before stays refused");
    market.emulator.subscribe(ACME);
    market.set_pending_again(ACME, AT + 1);
    market.set_pending_again(ACME, AT + 2);
    market.run().expect(1).says("1 record that it was made of before stays refused");
    assert_eq!(bill(&market), [format!("{ACME} users 6")]);
    market.is_at_rest(1);
    let id = market.charge(ACME, "users")["id"].as_str().unwrap().to_owned();
    let waived = market.command("ledger resolve", &[&id, "waive", "--reason", "a test of theirs", "--yes"], &[]);
    waived.expect(0).says("nobody bills the records that it was made of before, and that stay refused");
    market.run().expect(0);
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 6")], "6".into()));
    market.is_at_rest(0);
}

#[test]
fn what_a_rule_left_out_is_billed_once_the_rule_is_mended_and_it_is_pending_again() {
    let market = Market::new();
    market.replace(
        "config.dimensions = { \"*\" = \"sum\" }",
        "config.dimensions = { users = \"sum\", \"*\" = \"drop\" }",
    );
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1, PRODUCT, "hosts", "7");
    market.run().expect(0);
    assert_eq!(bill(&market), [format!("{ACME} users 5")]);
    market.marked(&[(ACME, AT + 1)], false, "nothing is owed");
    market.set_pending_again(ACME, AT + 1);
    market.run().expect(0);
    market.marked(&[(ACME, AT + 1)], false, "nothing is owed");
    market.replace("\"*\" = \"drop\"", "hosts = \"sum\"");
    market.set_pending_again(ACME, AT + 1);
    market.run().expect(0);
    market.marked(&[(ACME, AT), (ACME, AT + 1)], false, "\"Success\"");
    assert_eq!(bill(&market), [format!("{ACME} hosts 7"), format!("{ACME} users 5")]);
    market.is_at_rest(0);
}

#[test]
fn attributes_that_are_read_from_now_on_do_not_keep_what_was_billed_from_being_marked() {
    let market = Market::new();
    market.put(&json!({
        "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": AT.to_string() },
        "productCode": { "S": PRODUCT }, "dimension": { "S": "users" }, "quantity": { "N": "5" },
        "tier": { "S": "gold" }, "metering_pending": { "S": "true" },
    }));
    let died = market.command("run", &[], &[("METERHOST_FAILPOINT", "telling")]);
    assert_eq!((died.exit, market.billed().len()), (-1, 1), "{died:?}");
    market.replace("config = { table", "config = { attributes = [\"tier\"], table");
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 5")], "5".into()));
    market.is_at_rest(0);
}

/// A charge of 50 that the service refuses for now.
fn refused_for_now() -> Market {
    let market = Market::new();
    market.begin_early();
    market.item(ACME, AT, PRODUCT, "users", "50");
    let name = "InvalidCustomerIdentifierException";
    market.emulator.push_fault(Fault::Refuse { name: name.to_owned(), customer: ACME.to_owned() }.forever());
    market.run().expect(1).says(name);
    market.emulator.clear_faults();
    market
}

/// Sets a record to pending, with another quantity.
fn mended(market: &Market, quantity: &str) {
    let values = json!({ ":q": { "N": quantity }, ":p": { "S": "true" } });
    market.update(ACME, AT, "SET quantity = :q, metering_pending = :p", &values);
}

#[test]
fn a_refused_charge_is_not_offered_as_it_was_while_what_its_record_says_now_is_held() {
    let market = refused_for_now();
    mended(&market, "5");
    market.put(&json!({
        "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": (AT + 1).to_string() },
        "productCode": { "S": PRODUCT }, "dimension": { "S": "users" }, "quantity": { "S": "7" },
        "metering_pending": { "S": "true" },
    }));
    let calls = market.calls();
    market.run().expect(1);
    assert_eq!((market.calls(), market.billed().len()), (calls, 0));
    market.is_at_rest(1);
    market.delete(ACME, AT + 1);
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 5")], "5".into()));
    market.is_at_rest(0);
}

#[test]
fn a_person_may_say_that_what_was_refused_and_is_held_now_was_billed() {
    let market = refused_for_now();
    mended(&market, "3000000000");
    market.run().expect(1).says("is outside of what the service accepts");
    let arguments = ["billed", "--customer", ACME, "--reason", "by invoice", "--yes"];
    market.command("ledger resolve", &arguments, &[]).expect(0);
    market.run().expect(0);
    assert_eq!(market.billed().len(), 0);
    market.marked(&[(ACME, AT)], false, "by invoice");
    market.is_at_rest(0);
}

#[test]
fn what_rounding_left_over_is_as_it_was_before_a_refused_charge_once_that_is_made_anew() {
    let mut market = Market::new();
    market.begin_early();
    market.replace("late   = \"carry\"", "late   = \"carry\"\nround = \"carry\"");
    market.item(ACME, AT, PRODUCT, "users", "0.3");
    market.at("2026-02-15T15:05:00Z");
    market.run().expect(0);
    market.emulator.unsubscribe(ACME);
    market.item(ACME, AT + 3_600_000, PRODUCT, "users", "2.6");
    market.item(ACME, AT + 7_200_000, PRODUCT, "users", "0.2");
    market.at("2026-02-15T16:05:00Z");
    market.run().expect(1);
    market.emulator.subscribe(ACME);
    market.set_pending_again(ACME, AT + 3_600_000);
    market.run().expect(0);
    // 0.3 + 2.6: 2, and 0.9 is left over; with 0.2 of the next hour that is 1.
    assert_eq!(bill(&market), [format!("{ACME} users 2")]);
    market.at("2026-02-15T17:05:00Z");
    market.run().expect(0);
    assert_eq!(bill(&market), [format!("{ACME} users 2"), format!("{ACME} users 1")]);
    assert_eq!(market.total(ACME, "users"), "3");
    market.is_at_rest(0);
}

#[test]
fn records_of_which_nobody_can_say_when_they_were_are_reported_though_nothing_else_is_pending() {
    let market = Market::new();
    market.item(ACME, AT * 1_000_000, PRODUCT, "users", "5");
    for _ in 0..2 {
        market.run().expect(1).says("beyond the calendar");
    }
    assert_eq!(market.calls(), 0);
    market.delete(ACME, AT * 1_000_000);
    market.run().expect(0);
    market.is_at_rest(0);
}

#[test]
fn after_a_ledger_lost_what_it_had_told_records_are_told_of_once_more_and_then_at_rest() {
    let market = Market::new();
    let files = || ["", "-wal", "-shm"].map(|ending| market.path(&format!("aws-marketplace.ledger.db{ending}")));
    market.item(ACME, AT, PRODUCT, "users", "5");
    let died = market.command("run", &[], &[("METERHOST_FAILPOINT", "told")]);
    assert_eq!(died.exit, -1, "{died:?}");
    let before = files().map(|file| std::fs::read(file).ok());
    market.run().expect(0);
    market.run().expect(0);
    for (file, bytes) in files().iter().zip(before) {
        let _ = std::fs::remove_file(file);
        bytes.into_iter().for_each(|bytes| std::fs::write(file, bytes).unwrap());
    }
    market.run().expect(4);
    market.command("ledger accept", &["--yes"], &[]).expect(0);
    let ended = market.run();
    ended.expect(0);
    assert!(!ended.stdout.contains("changed in the source"), "{ended:?}");
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 5")], "5".into()));
    market.is_at_rest(0);
}

#[test]
fn what_cannot_be_marked_keeps_the_run_from_ending_well_until_it_can_be() {
    let market = Market::new();
    let key = json!({ "productCode": { "S": PRODUCT }, "customerAWSAccountId": { "S": ACME } });
    let mut row = key.clone();
    row["totalMeteringSent"] = json!({ "S": "12" });
    market.dynamodb("PutItem", &json!({ "TableName": market.subscribers, "Item": row }));
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(OTHER, AT, PRODUCT, "users", "3");
    for _ in 0..2 {
        market.run().expect(1).says("1 record could not be marked").says("is a text (S) and no map (M) of totals");
        assert_eq!(market.marks(ACME, AT).0, "true");
    }
    assert_eq!(bill(&market), [format!("{ACME} users 5"), format!("{OTHER} users 3")]);
    market.marked(&[(OTHER, AT)], false, "\"Success\"");
    market.dynamodb("DeleteItem", &json!({ "TableName": market.subscribers, "Key": key }));
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!(market.total(ACME, "users"), "5");
    market.is_at_rest(0);
}

#[test]
fn a_refused_record_whose_dimension_was_mended_is_billed_under_that_and_the_old_charge_is_withdrawn() {
    let market = knowing(&["users", "api_calls"]);
    market.item(ACME, AT, PRODUCT, "usres", "5");
    market.item(ACME, AT + 1, PRODUCT, "api_calls", "9");
    market.run().expect(1).says("InvalidUsageDimensionException").says("no dimension usres");
    market.marked(&[(ACME, AT)], true, "InvalidUsageDimensionException");
    market.marked(&[(ACME, AT + 1)], false, "\"Success\"");
    // Offered once a run, for somebody may have made the dimension.
    let calls = market.calls();
    market.run().expect(1).says("no dimension usres");
    assert_eq!(market.calls(), calls + 1);
    market.update(
        ACME,
        AT,
        "SET dimension = :d, metering_pending = :p, metering_failed = :f",
        &json!({ ":d": { "S": "users" }, ":p": { "S": "true" }, ":f": { "BOOL": false } }),
    );
    market.run().expect(0);
    assert_eq!(bill(&market), [format!("{ACME} api_calls 9"), format!("{ACME} users 5")]);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((market.total(ACME, "users"), market.total(ACME, "usres")), ("5".into(), String::new()));
    let old = market.charge(ACME, "usres");
    assert!(charges_of(&market, ACME, AT).iter().all(|it| !it.contains(old["id"].as_str().unwrap())), "{old}");
    market.is_at_rest(0);
}

#[test]
fn what_is_left_of_a_refused_charge_stays_open_until_it_is_billed_or_waived() {
    let market = knowing(&["users"]);
    market.item(ACME, AT, PRODUCT, "usres", "5");
    market.item(ACME, AT + 1, PRODUCT, "usres", "6");
    market.run().expect(1);
    let mend = |time| {
        market.update(
            ACME,
            time,
            "SET dimension = :d, metering_pending = :p",
            &json!({ ":d": { "S": "users" }, ":p": { "S": "true" } }),
        );
    };
    mend(AT);
    market.run().expect(1).says("went into other charges since");
    assert_eq!(bill(&market), [format!("{ACME} users 5")]);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    market.marked(&[(ACME, AT + 1)], true, "InvalidUsageDimensionException");
    market.is_at_rest(1);
    let charge = market.charge(ACME, "usres")["id"].as_str().unwrap().to_owned();
    let arguments = [charge.as_str(), "waive", "--reason", "a gift", "--yes"];
    market.command("ledger resolve", &arguments, &[]).expect(0);
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    market.marked(&[(ACME, AT + 1)], false, "a gift");
    assert_eq!(market.total(ACME, "users"), "5");
    market.is_at_rest(0);
}

#[test]
fn a_dimension_that_the_service_learns_later_is_billed_without_anybody_touching_the_table() {
    let market = Market::new();
    market.begin_early();
    market.emulator.push_fault(metering_emulator::Fault::error("InvalidUsageDimensionException").times(1));
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.run().expect(1);
    market.marked(&[(ACME, AT)], true, "InvalidUsageDimensionException");
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 5")], "5".into()));
    market.is_at_rest(0);
}

#[test]
fn what_is_set_to_pending_after_its_hour_has_run_out_is_held_and_never_told_with_another_time() {
    let mut market = Market::new();
    market.begin_early();
    market.emulator.unsubscribe(ACME);
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.run().expect(1);
    market.emulator.subscribe(ACME);
    market.at("2026-02-16T16:05:00Z");
    market.set_pending_again(ACME, AT);
    let calls = market.calls();
    market.run().expect(1).says("expired:");
    assert_eq!((market.calls(), market.billed().len()), (calls, 0));
    assert_eq!(market.marks(ACME, AT).0, "true", "it stays pending");
    market.is_at_rest(1);
    let arguments = ["waive", "--customer", ACME, "--reason", "too late", "--yes"];
    market.command("ledger resolve", &arguments, &[]).expect(0);
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "too late");
    market.is_at_rest(0);
}

/// Puts an item in the place of another, as a seller's program does that knows nothing of claims.
fn written_anew(market: &Market, time: i64, quantity: &str) {
    market.item(ACME, time, PRODUCT, "users", quantity);
}

#[test]
fn items_that_change_under_a_run_are_billed_as_frozen_and_left_as_they_are_found() {
    for place in ["written:taken", "submit", "submitted", "telling"] {
        let market = Market::new();
        for (number, quantity) in ["1", "2", "4", "8"].iter().enumerate() {
            market.item(ACME, AT + number as i64, PRODUCT, "users", quantity);
        }
        let run = market.asleep_at(place);
        market.delete(ACME, AT);
        written_anew(&market, AT + 1, "20");
        market.update(ACME, AT + 2, "SET quantity = :q", &json!({ ":q": { "N": "40" } }));
        let (anew, edited) = (market.get(ACME, AT + 1), market.get(ACME, AT + 2));
        let ended = woken(run);
        ended.expect(0).says("1 record was gone in the source").says("2 records were changed in the source");
        ended.says(&format!("{ACME}/{AT} ")).says(&format!("{ACME}/{}, {ACME}/{} ", AT + 1, AT + 2));
        assert_eq!(bill(&market), [format!("{ACME} users 15")], "{place}");
        assert_eq!(market.total(ACME, "users"), "15", "{place}: though the first record is gone");
        assert_eq!((market.get(ACME, AT), market.get(ACME, AT + 1)), (None, anew), "{place}");
        assert_eq!(market.get(ACME, AT + 2), edited, "{place}: what a person wrote stays, and is not marked");
        market.marked(&[(ACME, AT + 3)], false, "\"Success\"");
        // What says something else than what was billed is held, not billed.
        market.run().expect(1).says("it was taken before, and says something else now");
        assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 15")], "15".into()));
        market.is_at_rest(1);
        // Set back to what they were, they are marked like the others.
        market.update(ACME, AT + 1, "SET quantity = :q", &json!({ ":q": { "N": "2" } }));
        market.update(ACME, AT + 2, "SET quantity = :q", &json!({ ":q": { "N": "4" } }));
        market.run().expect(0);
        market.marked(&[(ACME, AT + 1), (ACME, AT + 2)], false, "\"Success\"");
        assert_eq!(market.total(ACME, "users"), "15", "{place}");
        market.is_at_rest(0);
    }
}

#[test]
fn the_only_record_of_a_charge_that_changes_before_it_is_marked_counts_once_it_is_set_back() {
    let edit = |market: &Market, quantity: &str| {
        market.update(ACME, AT, "SET quantity = :q", &json!({ ":q": { "N": quantity } }));
    };
    for dies in [false, true] {
        let market = Market::new();
        market.item(ACME, AT, PRODUCT, "users", "5");
        if dies {
            let died = market.command("run", &[], &[("METERHOST_FAILPOINT", "telling")]);
            assert_eq!((died.exit, market.billed().len()), (-1, 1), "{died:?}");
            edit(&market, "7");
        } else {
            let run = market.asleep_at("telling");
            edit(&market, "7");
            woken(run).expect(0).says("1 record was changed in the source").says("quantity went from 5 to 7");
        }
        for _ in 0..2 {
            market.run().expect(1).says("it was taken before, and says something else now");
            assert_eq!((market.marks(ACME, AT).0, market.total(ACME, "users")), ("true".into(), String::new()));
        }
        edit(&market, "5");
        market.run().expect(0);
        market.marked(&[(ACME, AT)], false, "\"Success\"");
        assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 5")], "5".into()));
        market.is_at_rest(0);
    }
}

#[test]
fn a_total_waits_for_the_first_record_of_its_charge_while_that_is_held_and_counts_once() {
    for marked in [false, true] {
        let market = Market::new();
        market.item(ACME, AT, PRODUCT, "users", "5");
        market.item(ACME, AT + 1, PRODUCT, "users", "7");
        // It dies before it tells of them, or after that and before it writes that down.
        let place = if marked { "told" } else { "telling" };
        assert_eq!(market.command("run", &[], &[("METERHOST_FAILPOINT", place)]).exit, -1);
        let edit = |quantity: &str| {
            let values = json!({ ":q": { "N": quantity }, ":p": { "S": "true" } });
            market.update(ACME, AT, "SET quantity = :q, metering_pending = :p", &values);
        };
        edit("50");
        for _ in 0..2 {
            market.run().expect(1).says("it was taken before, and says something else now");
            market.marked(&[(ACME, AT + 1)], false, "\"Success\"");
            assert_eq!(market.total(ACME, "users"), if marked { "12" } else { "" });
        }
        edit("5");
        market.run().expect(0);
        market.marked(&[(ACME, AT), (ACME, AT + 1)], false, "\"Success\"");
        assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 12")], "12".into()));
        market.is_at_rest(0);
    }
}

#[test]
fn a_claimed_item_that_was_not_taken_yet_is_billed_as_it_was_changed() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "-5");
    market.run().expect(1);
    assert!(market.get(ACME, AT).unwrap().get("metering_claim").is_some(), "it is held, and ours");
    market.update(ACME, AT, "SET quantity = :q", &json!({ ":q": { "N": "7" } }));
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!((bill(&market), market.total(ACME, "users")), (vec![format!("{ACME} users 7")], "7".into()));
    market.is_at_rest(0);
}

#[test]
fn an_item_that_changes_while_it_is_claimed_is_billed_as_it_is_claimed() {
    let market = Market::new();
    for number in 0..3 {
        market.item(ACME, AT + number, PRODUCT, "users", "1");
    }
    let run = market.asleep_at("claiming");
    market.update(ACME, AT, "SET quantity = :q", &json!({ ":q": { "N": "10" } }));
    market.delete(ACME, AT + 1);
    woken(run).expect(0);
    assert_eq!(bill(&market), [format!("{ACME} users 11")]);
    assert_eq!((market.items().len(), market.total(ACME, "users")), (2, "11".into()));
    market.is_at_rest(0);
}

#[test]
fn a_billed_record_that_says_something_else_when_it_is_pending_again_is_held() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.run().expect(0);
    let values = json!({ ":q": { "N": "50" }, ":p": { "S": "true" } });
    market.update(ACME, AT, "SET quantity = :q, metering_pending = :p", &values);
    market.item(OTHER, AT, PRODUCT, "users", "3");
    market.run().expect(1).says("it was taken before, and says something else now").says(&format!("{ACME}/{AT}"));
    assert_eq!(bill(&market), [format!("{ACME} users 5"), format!("{OTHER} users 3")]);
    assert_eq!(market.total(ACME, "users"), "5");
    assert_eq!(market.marks(ACME, AT).0, "true", "it stays pending");
    market.is_at_rest(1);
}

#[test]
fn an_item_that_somebody_else_has_claimed_is_held_and_the_others_are_billed() {
    let market = Market::new();
    for (customer, time) in [(ACME, AT), (ACME, AT + 1), (OTHER, AT)] {
        market.item(customer, time, PRODUCT, "users", "5");
    }
    let theirs = json!({ ":c": { "S": "another/0123456789abcdef" } });
    market.update(ACME, AT, "SET metering_claim = :c", &theirs);
    let before = market.get(ACME, AT);
    market
        .run()
        .expect(1)
        .says("it is claimed by another/0123456789abcdef")
        .says("remove the attribute metering_claim");
    // The customer's hour is whole only with it.
    assert_eq!(bill(&market), [format!("{OTHER} users 5")]);
    assert_eq!(market.get(ACME, AT), before);
    market.is_at_rest(1);
    market.dynamodb(
        "UpdateItem",
        &json!({
            "TableName": market.records, "UpdateExpression": "REMOVE metering_claim",
            "Key": { "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": AT.to_string() } },
        }),
    );
    market.run().expect(0);
    assert_eq!(bill(&market), [format!("{ACME} users 10"), format!("{OTHER} users 5")]);
    let marks: Vec<Value> = market.items().into_iter().map(|mut item| item["metering_pending"].take()).collect();
    assert_eq!(marks, vec![json!({ "S": "false" }); 3]);
    market.is_at_rest(0);
}

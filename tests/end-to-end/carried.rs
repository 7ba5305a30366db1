//! What is carried from one window to the next, found late or left over by rounding: whatever ends a run, and wherever, all usage is
//! billed once.

use std::collections::BTreeMap;

use clazar_emulator::Fault;
use meterhost_decimal::Decimal;
use serde_json::Value;

use crate::chaos::could_go_back;
use crate::crashes::{Kind, Story, is_long, side_by_side};
use crate::guard::billed;
use crate::support::{Backend, Stage, bill, settings};
use crate::trail::cut;

/// What the usage of two months and what is found late of it comes to.
const ALL: &[(&str, &str)] = &[("A", "56"), ("B", "3"), ("C", "1")];
/// With what is found later still.
const MORE: &[(&str, &str)] = &[("A", "58"), ("B", "3"), ("C", "1"), ("D", "4")];
/// When the two months are over, and when the month after them is.
const JULY: &str = "2025-07-01T02:00:00Z";
const AUGUST: &str = "2025-08-01T02:00:00Z";

/// May is billed, and what was found late of it is not read yet. Of June there is usage too, and what
/// is a fraction is none with all of that.
fn stage(ledger: Backend) -> Stage {
    begins(ledger, "mirror = \"file://./state.json\"")
}

fn begins(ledger: Backend, more: &str) -> Stage {
    let mut stage = Stage::on(ledger, settings());
    stage.replace("start  = \"2025-06\"", &format!("start  = \"2025-05\"\n{more}"));
    stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"\nround = \"carry\"");
    stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 2");
    stage.usage("2025/05/10/00", "a", &[("A", "cpu", "20.25"), ("B", "cpu", "1"), ("C", "cpu", "0.4")]);
    stage.usage("2025/06/10/00", "a", &[("A", "cpu", "5.25"), ("C", "cpu", "0.3")]);
    stage.at("2025-06-01T02:00:00Z");
    // The ledger is new before June is over: nobody can have billed that before.
    stage.command("run", &[], &[("METERHOST_CLOCK", stage.now())]).expect(0);
    stage.usage("2025/05/11/00", "late", &[("A", "cpu", "30.5"), ("B", "cpu", "2"), ("C", "cpu", "0.3")]);
    stage
}

/// The month after, whose charges take what was found late; the first call with them gets no answer, though it took effect.
fn takes(mut stage: Stage) -> Stage {
    stage.run().expect(0).says("30.5 more was found late: to be billed with 2025-06");
    stage.at(JULY);
    stage.emulator.push_fault(Fault::drop_after_commit().times(1));
    stage
}

fn gains(stage: &Stage) {
    stage.usage("2025/05/12/00", "later", &[("A", "cpu", "1.5"), ("D", "cpu", "4")]);
    stage.usage("2025/06/12/00", "later", &[("A", "cpu", "0.5")]);
}

/// Goes on with a run at each of these times: each customer is billed this in all then, and the next run bills nothing again.
fn comes_to(stage: &mut Stage, times: &[&str], owed: &[(&str, &str)], when: &str) {
    for now in times {
        if *now > stage.now() {
            stage.at(now);
        }
        let ended = stage.run();
        assert_eq!(ended.exit, 0, "{when}: {ended:?}");
        if stage.path("state.json").exists() {
            could_go_back(stage, when);
        }
    }
    assert_eq!(billed_in_all(stage), of(owed), "{when}");
    let submissions = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), submissions, "{when}");
}

fn of(owed: &[(&str, &str)]) -> BTreeMap<String, Decimal> {
    owed.iter().map(|(customer, quantity)| ((*customer).to_owned(), Decimal::parse(quantity).unwrap())).collect()
}

/// What each customer was billed in all windows together, each of which has one record of them at most.
fn billed_in_all(stage: &Stage) -> BTreeMap<String, Decimal> {
    stage.emulator.verify_books().unwrap();
    assert_eq!(stage.emulator.resent(), []);
    let mut billed: BTreeMap<String, Decimal> = BTreeMap::new();
    for record in stage.emulator.books().into_iter().filter(|record| record.status.name() == "success") {
        let sum = billed.entry(record.contract_id).or_insert(Decimal::ZERO);
        *sum = sum.checked_add(Decimal::parse(&record.quantity).unwrap()).unwrap();
    }
    billed
}

/// Late usage is found, and waits for the month that is under way.
const WAITS: Story = Story {
    before: stage,
    arguments: &[],
    after: &[
        |stage, place| comes_to(stage, &["", JULY], ALL, place),
        |stage, place| {
            gains(stage);
            comes_to(stage, &["", JULY], MORE, &format!("{place}, and more is found"));
        },
    ],
};

/// A month takes it.
const TAKES: Story = Story {
    before: |ledger| takes(stage(ledger)),
    arguments: &[],
    after: &[
        |stage, place| comes_to(stage, &[JULY], ALL, place),
        |stage, place| {
            gains(stage);
            comes_to(stage, &[JULY, AUGUST], MORE, &format!("{place}, and more is found"));
        },
    ],
};

/// The last bill of a customer takes it, before the month is over.
const LAST: Story = Story {
    before: |ledger| {
        let mut stage = stage(ledger);
        stage.at("2025-06-14T12:00:00Z");
        stage
    },
    arguments: &["--final", "A", "--until", "2025-06-14T10:00:00Z"],
    after: &[
        |stage, place| {
            stage.command("run", LAST.arguments, &[]).expect(0);
            assert_eq!(billed_in_all(stage)["A"], of(ALL)["A"], "{place}");
            comes_to(stage, &[JULY], ALL, place);
        },
        |stage, place| comes_to(stage, &[JULY], ALL, &format!("{place}, and not again")),
    ],
};

const KINDS: &[Kind] = &[|| Backend::Sqlite, Backend::s3];

#[test]
fn a_crash_anywhere_while_late_usage_is_found_bills_all_of_it_once() {
    WAITS.crash_at_all(KINDS);
}

#[test]
fn a_crash_anywhere_while_late_usage_is_billed_bills_all_of_it_once() {
    TAKES.crash_at_all(KINDS);
}

#[test]
fn a_crash_anywhere_in_a_last_bill_bills_all_of_it_once() {
    LAST.crash_at_all(KINDS);
}

/// A ledger that lost its end, though not what it billed of May, goes on: what the service has is found there, as it was carried. If more
/// was found late meanwhile, or May is lost too, a person may have to look; nobody is billed too much.
fn goes_on_without_its_end(kind: Kind, (left, steps): (usize, usize), is_whole: bool, more: bool) {
    let when = format!("{left} of {steps} steps are left, more is found: {more}");
    let mut stage = takes(begins(kind(), ""));
    stage.run().expect(0);
    (left..steps).for_each(|_| cut(&stage));
    stage.run().expect(4);
    stage.command("ledger accept", &["--yes"], &[]).expect(0);
    if is_whole && !more {
        return comes_to(&mut stage, &[JULY], ALL, &when);
    }
    if more {
        gains(&stage);
    }
    for now in [JULY, AUGUST] {
        stage.at(now);
        let ended = stage.run();
        assert!([0, 1].contains(&ended.exit), "{when}: {ended:?}");
        let (billed, owed) = (billed_in_all(&stage), of(MORE));
        assert!(billed.iter().all(|(customer, billed)| *billed <= owed[customer]), "{when}: {billed:?}");
    }
}

/// The id of a customer's charge that stands so.
fn id_of(stage: &Stage, customer: &str, standing: &str) -> String {
    let shown = stage.command("ledger show", &["--json"], &[]).expect(0).json();
    let windows = shown["windows"].as_array().unwrap();
    let mut charges = windows.iter().flat_map(|window| window["charges"].as_array().unwrap());
    let charge = charges.find(|charge| charge["customer"] == customer && charge["standing"] == standing);
    charge.unwrap()["id"].as_str().unwrap().to_owned()
}

fn steps(stage: &Stage) -> usize {
    stage.command("ledger verify", &["--json"], &[]).expect(0).json()["steps"].as_u64().unwrap() as usize
}

#[test]
fn however_much_a_ledger_lost_of_what_it_carried_nothing_is_billed_twice() {
    let stage = begins(Backend::Sqlite, "");
    let may = steps(&stage);
    let stage = takes(stage);
    stage.run().expect(0);
    let all = steps(&stage);
    let turns = |left: usize| if is_long() { 0..4 } else { left..left + 1 };
    let ways = (1..all).flat_map(|left| turns(left).map(move |turn| (left, turn)));
    side_by_side(ways.collect(), |(left, turn)| {
        goes_on_without_its_end(KINDS[turn % 2], (left, all), left >= may, turn / 2 % 2 == 1);
    });
}

#[test]
fn late_usage_that_lost_entries_may_have_carried_elsewhere_is_held() {
    let mut stage = Stage::on(Backend::Sqlite, settings());
    stage.replace("start  = \"2025-06\"", "start  = \"2025-05\"");
    stage.replace("[source]", "[source]\nlook_back = \"4 months\"");
    stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"");
    for month in ["05", "06", "07"] {
        stage.usage(&format!("2025/{month}/10/01"), "c", &[("C", "cpu", "1")]);
    }
    stage.usage("2025/05/10/00", "a", &[("A", "cpu", "20"), ("B", "cpu", "1")]);
    stage.at("2025-06-01T02:00:00Z");
    stage.run().expect(0);
    let copy = std::fs::read(stage.path("postgres-prod.ledger.db")).unwrap();
    // June has a record that cannot be used, so that July takes what is late of May.
    stage.usage("2025/05/11/00", "late", &[("A", "cpu", "30")]);
    stage.usage("2025/06/10/00", "a", &[("A", "cpu", "\"many\"")]);
    stage.usage("2025/07/10/00", "a", &[("A", "cpu", "4")]);
    stage.at(JULY);
    stage.run().expect(1);
    stage.at(AUGUST);
    stage.run().expect(1);
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "34"), ("C", "cpu", "1")]));
    // That is forgotten, the record is mended, and more is found late.
    std::fs::write(stage.path("postgres-prod.ledger.db"), copy).unwrap();
    stage.usage("2025/06/10/00", "a", &[("A", "cpu", "5")]);
    stage.usage("2025/05/12/00", "later", &[("B", "cpu", "2")]);
    stage.run().expect(4);
    stage.command("ledger accept", &["--yes"], &[("METERHOST_CLOCK", AUGUST)]).expect(0);
    for _ in 0..2 {
        stage.run().expect(1).says("or billed what it carries of earlier windows with another window than this");
        assert_eq!(
            billed(&stage, "2025-06"),
            bill(&[("C", "cpu", "1")]),
            "30 of A stand in July, and where B's 2 stand nobody knows"
        );
    }
    // Nor does it go to a month that the lost entries cannot have billed.
    stage.usage("2025/05/13/00", "later", &[("C", "cpu", "6")]);
    stage
        .run()
        .expect(1)
        .says("cannot be carried to a later window: a run of which the ledger has lost the entries may");
    // Once a person has looked, it is billed.
    let id = id_of(&stage, "B", "held");
    stage.command("ledger resolve", &[&id, "not-billed", "--reason", "their portal", "--yes"], &[]).expect(0);
    let released = ["release", "--customer", "C", "--reason", "their portal", "--yes"];
    stage.command("ledger resolve", &released, &[]).expect(0);
    stage.run().expect(1).says("6 more was found late: to be billed with 2025-08");
    assert_eq!(billed(&stage, "2025-06"), bill(&[("B", "cpu", "2"), ("C", "cpu", "1")]));
}

#[test]
fn a_last_bill_that_is_lost_is_looked_up() {
    // A bill of the whole month is another one than that of its first days.
    for (now, arguments, exit) in [("", LAST.arguments, 0), (JULY, &[], 1)] {
        let mut stage = begins(Backend::Sqlite, "");
        stage.at("2025-06-14T12:00:00Z");
        let copy = std::fs::read(stage.path("postgres-prod.ledger.db")).unwrap();
        stage.command("run", LAST.arguments, &[]).expect(0);
        std::fs::write(stage.path("postgres-prod.ledger.db"), copy).unwrap();
        stage.command("ledger accept", &["--yes"], &[("METERHOST_CLOCK", stage.now())]).expect(0);
        if now > stage.now() {
            stage.at(now);
        }
        let is_a = |record: &&Value| record["dimension"] == "cpu" && record.to_string().contains("\"A\"");
        let offered = || stage.emulator.requests().iter().flat_map(|request| request.records()).filter(is_a).count();
        let before = offered();
        stage.command("run", arguments, &[]).expect(exit);
        assert_eq!(offered(), before);
        assert_eq!(billed_in_all(&stage)["A"], of(ALL)["A"]);
    }
}

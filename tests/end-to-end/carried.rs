//! What is carried from one window to the next, found late or left over by rounding: whatever ends a run, and wherever, all usage is
//! billed once.

use std::collections::BTreeMap;

use clazar_emulator::Fault;
use meterhost_decimal::Decimal;

use crate::chaos::could_go_back;
use crate::crashes::Story;
use crate::support::{Backend, Stage, settings};

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
    let mut stage = Stage::on(ledger, settings());
    stage.replace("start  = \"2025-06\"", "start  = \"2025-05\"\nmirror = \"file://./state.json\"");
    stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"\nround = \"carry\"");
    stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 2");
    stage.usage("2025/05/10/00", "a", &[("A", "cpu", "20.25"), ("B", "cpu", "1"), ("C", "cpu", "0.4")]);
    stage.usage("2025/06/10/00", "a", &[("A", "cpu", "5.25"), ("C", "cpu", "0.3")]);
    stage.at("2025-06-01T02:00:00Z");
    stage.run().expect(0);
    stage.usage("2025/05/11/00", "late", &[("A", "cpu", "30.5"), ("B", "cpu", "2"), ("C", "cpu", "0.3")]);
    stage
}

/// The month after, whose charges take what was found late; the first call with them gets no answer, though it took effect.
fn takes(ledger: Backend) -> Stage {
    let mut stage = stage(ledger);
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
        could_go_back(stage, when);
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
    before: takes,
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

const KINDS: &[fn() -> Backend] = &[|| Backend::Sqlite, Backend::s3];

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

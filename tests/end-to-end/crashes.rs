//! A process that ends as `kill -9` ends it, at the worst moments: the next run bills each charge exactly once.

use crate::support::{Stage, bill};

fn crash_at(failpoint: &str) {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    let crashed = stage.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]);
    assert_eq!(crashed.exit, -1, "{crashed:?}");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]), "{failpoint}");
    let submissions = stage.submissions();
    assert_eq!(submissions, 1, "{failpoint}: what the service has is not sent again");
    stage.run().expect(0);
    assert_eq!(stage.submissions(), submissions);
}

#[test]
fn a_crash_before_freezing_bills_once() {
    crash_at("before-freeze");
}

#[test]
fn a_crash_between_freeze_and_submit_bills_once() {
    crash_at("after-freeze");
}

#[test]
fn a_crash_between_the_attempt_and_its_first_byte_bills_once() {
    crash_at("before-submit");
}

#[test]
fn a_crash_between_submit_and_record_bills_once() {
    crash_at("after-submit");
}

#[test]
fn a_crash_after_the_record_bills_once() {
    crash_at("after-record");
}

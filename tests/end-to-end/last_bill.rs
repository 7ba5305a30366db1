//! A customer's last bill: all that they owe is billed at once, or held and told; nobody else is billed, and nothing of theirs after it.

use crate::guard::billed;
use crate::support::{Ended, Stage, bill};

fn stage(more: &str) -> Stage {
    let mut stage = Stage::new();
    stage.replace("[sink.clazar]", &format!("[sink.clazar]\n{more}"));
    stage.replace("start  = \"2025-06\"", "start  = \"2025-05\"");
    stage.usage("2025/05/10/00", "a", &[("A", "cpu", "20"), ("B", "cpu", "1")]);
    stage.at("2025-06-01T02:00:00Z");
    stage
}

fn last(stage: &mut Stage, now: &str, until: &str) -> Ended {
    stage.at(now);
    stage.command("run", &["--final", "A", "--until", until], &[])
}

#[test]
fn late_usage_that_waits_goes_into_it() {
    let mut stage = stage("late = \"carry\"");
    stage.run().expect(0);
    stage.usage("2025/05/11/00", "b", &[("A", "cpu", "30"), ("B", "cpu", "2")]);
    stage.run().expect(0).says("30 more was found late: to be billed with 2025-06");
    stage.usage("2025/06/14/08", "c", &[("A", "cpu", "5"), ("B", "cpu", "7")]);
    last(&mut stage, "2025-06-14T12:00:00Z", "2025-06-14T10:00:00Z").expect(0);
    assert_eq!(billed(&stage, "2025-06"), bill(&[("A", "cpu", "35")]), "nobody else is billed");
    stage.at("2025-07-01T02:00:00Z");
    stage.run().expect(0);
    assert_eq!(billed(&stage, "2025-06"), bill(&[("A", "cpu", "35"), ("B", "cpu", "9")]), "what waited for B was kept");
    // What is found after it of the months before is not carried beyond it.
    stage.usage("2025/05/12/00", "d", &[("A", "cpu", "4")]);
    stage.run().expect(1).says("final").says("the customer's last bill was sent before");
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(1);
    assert_eq!(billed(&stage, "2025-08"), bill(&[]));
}

#[test]
fn what_it_finds_late_of_others_is_still_new_to_the_next_run() {
    let mut stage = stage("late = \"carry\"");
    stage.run().expect(0);
    stage.usage("2025/05/11/00", "b", &[("A", "cpu", "30"), ("B", "cpu", "2"), ("C", "cpu", "6")]);
    stage.usage("2025/06/14/08", "c", &[("A", "cpu", "5")]);
    last(&mut stage, "2025-06-14T12:00:00Z", "2025-06-14T10:00:00Z").expect(0);
    assert_eq!(billed(&stage, "2025-06"), bill(&[("A", "cpu", "35")]));
    stage.at("2025-07-01T02:00:00Z");
    stage.run().expect(0);
    assert_eq!(billed(&stage, "2025-06"), bill(&[("A", "cpu", "35"), ("B", "cpu", "2")]));
    assert_eq!(billed(&stage, "2025-05"), bill(&[("A", "cpu", "20"), ("B", "cpu", "1"), ("C", "cpu", "6")]));
}

#[test]
fn late_usage_alone_makes_a_charge_that_ends_when_it_does() {
    let mut stage = stage("late = \"carry\"");
    stage.run().expect(0);
    stage.usage("2025/05/11/00", "b", &[("A", "cpu", "30")]);
    last(&mut stage, "2025-06-14T12:00:00Z", "2025-06-14T10:00:00Z").expect(0);
    let record = stage.emulator.books().pop().unwrap();
    let times = (record.start_time.as_str(), record.end_time.as_str(), record.quantity.as_str());
    assert_eq!(times, ("2025-06-01T00:00:00Z", "2025-06-14T09:59:59Z", "30"));
}

#[test]
fn months_that_are_over_are_part_of_it_whatever_max_windows_says() {
    let mut stage = stage("");
    stage.replace("start  =", "max_windows = 1\nstart  =");
    stage.usage("2025/06/03/00", "b", &[("A", "cpu", "3")]);
    stage.usage("2025/07/03/00", "c", &[("A", "cpu", "4"), ("B", "cpu", "9")]);
    last(&mut stage, "2025-07-14T12:00:00Z", "2025-07-14T10:00:00Z").expect(0);
    for (month, quantity) in [("2025-05", "20"), ("2025-06", "3"), ("2025-07", "4")] {
        assert_eq!(billed(&stage, month), bill(&[("A", "cpu", quantity)]));
    }
}

#[test]
fn what_it_cannot_bill_is_held_and_told() {
    let mut stage = stage("late = \"hold\"");
    stage.run().expect(0);
    stage.usage("2025/05/11/00", "b", &[("A", "cpu", "30")]);
    stage.run().expect(1);
    let ended = last(&mut stage, "2025-06-14T12:00:00Z", "2025-06-14T10:00:00Z");
    ended.expect(1).says("20 then, 50 now, a difference of +30");
}

#[test]
fn a_customer_whom_nobody_knows_is_told() {
    let mut stage = stage("");
    stage.at("2025-06-14T12:00:00Z");
    let ended = stage.command("run", &["--final", "a", "--until", "2025-06-14T10:00:00Z"], &[]);
    ended.expect(1).says("there is no usage of a before 2025-06-14T10:00:00Z, and the ledger does not know them");
    stage.command("run", &["--final", "A", "--until", "2025-06-14T13:00:00Z"], &[]).expect(2).says("is still to come");
    stage.command("run", &["--final", "A"], &[]).expect(2).says("--until");
}

//! Charges of a call whose answer was lost, and a service whose books cannot be read at once: nothing is sent again before the books
//! say that it is not there.

use std::time::Instant;

use clazar_emulator::{Cloud, Endpoint, Fault, Record, Rule};

use crate::support::{Stage, bill};

const CHARGES: &[(&str, &str, &str)] = &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")];

/// A stage whose first call got no answer: it took effect, or it did not.
fn lost(took_effect: bool) -> Stage {
    let stage = Stage::new();
    stage.begin_early();
    stage.usage("2025/06/01/00", "a", CHARGES);
    stage.emulator.push_fault(if took_effect { Fault::drop_after_commit() } else { Fault::drop_before_commit() });
    stage
}

/// How often charges were offered: each once, and once more where the lost call came to nothing.
#[track_caller]
fn offered_as_needed(stage: &Stage, took_effect: bool) {
    let offered: usize = stage.emulator.requests().iter().map(|request| request.records().len()).sum();
    let needed = if took_effect { CHARGES.len() } else { 2 * CHARGES.len() };
    assert_eq!(offered, needed, "the lost call took effect: {took_effect}");
}

/// Requests for a page of the books.
fn listings(stage: &Stage) -> Vec<clazar_emulator::Request> {
    stage.emulator.requests().into_iter().filter(|request| request.method == "GET").collect()
}

/// A look-up that meets these faults in passing: each charge is billed once, within the same run. Answers the stage in which the call took
/// effect.
#[track_caller]
fn passes(faults: &[Rule]) -> Stage {
    let [stage, _] = [true, false].map(|took_effect| {
        let stage = lost(took_effect);
        for fault in faults {
            stage.emulator.push_fault(fault.clone());
        }
        stage.run().expect(0);
        assert_eq!(stage.billed(), bill(CHARGES), "{took_effect}");
        assert!(listings(&stage).len() > CHARGES.len(), "no look-up was repeated");
        stage.run().expect(0);
        offered_as_needed(&stage, took_effect);
        stage
    });
    stage
}

#[test]
fn a_look_up_whose_token_is_refused_authenticates_anew_and_is_repeated() {
    let stage = passes(&[Fault::ExpiredToken.on(Endpoint::List)]);
    assert_eq!(stage.emulator.authentications(), 2);
}

#[test]
fn a_look_up_that_is_throttled_waits_as_long_as_the_service_asks() {
    let begun = Instant::now();
    let stage = passes(&[Fault::Throttle { retry_after: Some(2) }.on(Endpoint::List)]);
    // Once for each of the two stages.
    assert!(begun.elapsed().as_secs() >= 4, "{:?}", begun.elapsed());
    let asked: Vec<_> = listings(&stage).iter().map(|request| (request.status, request.at)).collect();
    let [(Some(429), throttled), (Some(200), next), ..] = asked[..] else { panic!("{asked:?}") };
    assert!(next.duration_since(throttled).as_secs() >= 2, "{asked:?}");
}

#[test]
fn a_look_up_that_fails_some_times_is_repeated_for_what_it_could_not_tell() {
    passes(&[Fault::before_commit(500).on(Endpoint::List).times(4)]);
}

#[test]
fn a_look_up_whose_connection_drops_is_repeated() {
    passes(&[Fault::drop_before_commit().on(Endpoint::List).times(2)]);
}

#[test]
fn a_look_up_that_is_cut_off_is_repeated() {
    passes(&[Fault::Truncated { commit: true }.on(Endpoint::List)]);
}

#[test]
fn a_look_up_that_is_answered_with_something_else_than_json_is_repeated() {
    passes(&[Fault::NotJson { status: 200, commit: false }.on(Endpoint::List)]);
}

/// A look-up that always meets this fault: the charges stay unknown for this reason, and nothing is sent, in this run and the next; once
/// the fault is gone, each is billed once. `other` is what is told besides, as code and message.
#[track_caller]
fn stays(fault: Fault, reason: &str, other: &[(&str, &str)]) {
    for took_effect in [true, false] {
        let stage = lost(took_effect);
        stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
        stage.emulator.push_fault(fault.clone().on(Endpoint::List).forever());
        let unknown = CHARGES.iter().map(|(customer, dimension, quantity)| {
            serde_json::json!({
                "code": "unknown",
                "plugin": "sink.clazar (clazar 0.1.0)",
                "step": "delivering",
                "input": format!("2025-06: {dimension} of {customer}, {quantity}"),
                "message": format!("the charge may or may not be billed: {reason}"),
                "action": "run again: it is looked up before anything is sent",
            })
        });
        let unknown: Vec<_> = unknown.collect();
        for run in ["the first run", "the second"] {
            let asked = listings(&stage).len();
            let ended = stage.command("run", &["--json"], &[]);
            let mut problems = stage.problems(ended.expect(1));
            let problems = std::mem::take(problems.as_array_mut().unwrap());
            let (open, rest): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem["code"] == "unknown");
            assert_eq!(open, unknown, "{run}");
            let rest: Vec<_> = rest.iter().map(|problem| [&problem["code"], &problem["message"]]).collect();
            assert_eq!(rest, other.iter().map(|(code, message)| [code, message]).collect::<Vec<_>>(), "{run}");
            assert_eq!(stage.submissions(), 1, "{run} sent something again");
            assert!(listings(&stage).len() > asked, "{run} looked nothing up");
            let shown = stage.command("ledger show", &["--json", "--window", "2025-06"], &[]).expect(0).json();
            assert_eq!(shown["windows"][0]["settled"], false, "{run}: {shown:#}");
        }
        stage.emulator.clear_faults();
        stage.bills_once(CHARGES);
        offered_as_needed(&stage, took_effect);
    }
}

/// What is known of the lost call itself.
const LOST: &str = "POST SERVICE/metering/: SERVICE gave no whole answer: connection closed before message completed";

#[test]
fn a_look_up_that_always_fails_leaves_the_charges_unknown_and_sends_nothing_again() {
    let reason = "a look-up could not tell: GET SERVICE/metering/: Clazar answered 500: Scripted failure.";
    stays(Fault::before_commit(500), reason, &[]);
}

#[test]
fn a_look_up_whose_connection_always_drops_leaves_the_charges_unknown_and_sends_nothing_again() {
    let said = LOST.replace("POST", "GET");
    stays(Fault::drop_before_commit(), &format!("a look-up could not tell: {said}"), &[]);
}

#[test]
fn a_look_up_whose_token_is_always_refused_leaves_the_charges_unknown_and_sends_nothing_again() {
    let refused = "GET SERVICE/metering/: Clazar answered 401: Invalid or expired token.";
    stays(Fault::ExpiredToken, LOST, &[("auth", refused)]);
}

#[test]
fn a_look_up_that_is_always_throttled_leaves_the_charges_unknown_and_sends_nothing_again() {
    let text = "the service wants fewer calls, and what is unknown could not be looked up";
    stays(Fault::Throttle { retry_after: None }, LOST, &[("throttled", text)]);
}

/// A stage whose first call got no answer, and a customer with 250 records in the service's books besides: three pages.
fn paged(took_effect: bool) -> Stage {
    let stage = lost(took_effect);
    for number in 0..250 {
        let dimension = format!("d{number:03}");
        let june = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
        stage.emulator.seed(Record::billed(Cloud::Aws, "A", &dimension, "1", june)).unwrap();
    }
    stage
}

/// The pages of A's books that were asked for, and the status of each answer.
fn pages(stage: &Stage) -> Vec<(String, Option<u16>)> {
    let of_a = listings(stage).into_iter().filter(|request| request.query.contains("contract_id=A"));
    let page = |query: &str| query.split('&').find_map(|pair| pair.strip_prefix("page=")).unwrap().to_owned();
    of_a.map(|request| (page(&request.query), request.status)).collect()
}

/// The charges themselves are billed once, and the books hold nothing else that is new.
#[track_caller]
fn billed_beside_others(stage: &Stage) {
    let mut billed = stage.billed();
    billed.retain(|(_, dimension), _| dimension == "cpu");
    assert_eq!(billed, bill(CHARGES));
    assert_eq!(stage.emulator.books().len(), 250 + CHARGES.len());
}

fn page(number: &str, status: u16) -> (String, Option<u16>) {
    (number.to_owned(), Some(status))
}

#[test]
fn a_charge_on_the_last_page_of_the_books_is_found() {
    let stage = paged(true);
    stage.run().expect(0);
    billed_beside_others(&stage);
    offered_as_needed(&stage, true);
    assert_eq!(pages(&stage), [page("1", 200), page("2", 200), page("3", 200)]);
}

#[test]
fn books_whose_pages_could_not_all_be_read_do_not_show_a_charge_absent() {
    for took_effect in [true, false] {
        let stage = paged(took_effect);
        stage.emulator.push_fault(Fault::Pass.on(Endpoint::List));
        stage.emulator.push_fault(Fault::before_commit(500).on(Endpoint::List));
        stage.run().expect(0);
        billed_beside_others(&stage);
        offered_as_needed(&stage, took_effect);
        let expected = [page("1", 200), page("2", 500), page("1", 200), page("2", 200), page("3", 200)];
        assert_eq!(pages(&stage), expected);
    }
}

#[test]
fn a_look_up_whose_token_is_always_refused_keeps_nothing_else_from_being_billed() {
    let stage = lost(false);
    stage.emulator.push_fault(Fault::ExpiredToken.on(Endpoint::List).forever());
    stage.run().expect(1);
    stage.usage("2025/06/02/00", "z", &[("Z", "cpu", "9")]);
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[("Z", "cpu", "9")]));
    stage.emulator.clear_faults();
    stage.run().expect(0);
    assert_eq!(stage.billed().len(), CHARGES.len() + 1);
}

#[test]
fn what_got_no_clear_answer_is_looked_up_by_the_next_run_before_it_sends_anything() {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    stage.usage("2025/06/01/00", "a", CHARGES);
    stage.emulator.push_fault(Fault::drop_before_commit());
    stage.run().expect(1).says("a look-up showed it absent");
    // It lands after all: what was sent took its time.
    let month = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    for &(contract, dimension, quantity) in CHARGES {
        stage.emulator.seed(Record::billed(Cloud::Aws, contract, dimension, quantity, month)).unwrap();
    }
    let before = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), before, "it was found");
    assert_eq!(stage.billed(), bill(CHARGES));
}

#[test]
fn what_got_no_clear_answer_leaves_no_more_before_the_books_have_answered() {
    for fault in
        [Fault::before_commit(429), Fault::before_commit(503), Fault::drop_before_commit(), Fault::ExpiredToken]
    {
        let stage = Stage::new();
        stage.begin_early();
        stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
        stage.usage("2025/06/01/00", "a", CHARGES);
        stage.emulator.push_fault(Fault::drop_before_commit());
        stage.run().expect(1).says("a look-up showed it absent");
        let before = stage.emulator.requests().len();
        stage.emulator.push_fault(fault.on(Endpoint::List));
        stage.replace("retry_budget = \"0s\"", "retry_budget = \"30s\"");
        stage.run().expect(0);
        let requests = stage.emulator.requests().split_off(before);
        // The books of A are the first to be asked for, and do not answer.
        let is_a =
            |request: &clazar_emulator::Request| request.records().iter().any(|record| record["contract_id"] == "A");
        let first = requests.iter().position(is_a).unwrap();
        let asked = requests[..first].iter().filter(|request| request.method == "GET").count();
        assert!(asked > CHARGES.len(), "A left after {asked} pages of the books");
        assert_eq!(stage.billed(), bill(CHARGES));
    }
}

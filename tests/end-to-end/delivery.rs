//! What the service does to a delivery, and what becomes of the money.

use clazar_emulator::{Endpoint, Fault, Settings};

use crate::support::{Stage, bill, settings};

fn three_charges(stage: &Stage) {
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
}

fn all() -> std::collections::BTreeMap<(String, String), String> {
    bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")])
}

/// A fault in passing: everything is billed once within the same run.
#[track_caller]
fn passes(fault: Fault) {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(fault);
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn a_500_before_the_service_commits_is_looked_up_and_sent_again() {
    passes(Fault::before_commit(500));
}

#[test]
fn a_500_after_the_service_committed_is_looked_up_and_not_sent_again() {
    passes(Fault::after_commit(500));
}

#[test]
fn a_connection_that_drops_before_the_commit_is_looked_up_and_sent_again() {
    passes(Fault::drop_before_commit());
}

#[test]
fn a_connection_that_drops_after_the_commit_is_looked_up_and_not_sent_again() {
    passes(Fault::drop_after_commit());
}

#[test]
fn an_answer_that_is_not_json_is_looked_up() {
    passes(Fault::NotJson { status: 200, commit: true });
}

#[test]
fn a_truncated_answer_is_looked_up() {
    passes(Fault::Truncated { commit: true });
}

#[test]
fn results_that_are_missing_are_looked_up() {
    passes(Fault::Missing { count: 2 });
}

#[test]
fn results_in_another_order_are_matched_by_what_they_say() {
    passes(Fault::Reordered);
}

#[test]
fn an_expired_token_is_renewed_once() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(Fault::ExpiredToken);
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
    assert_eq!(stage.emulator.authentications(), 2);
}

#[test]
fn throttling_waits_as_long_as_the_service_asks() {
    passes(Fault::Throttle { retry_after: Some(1) });
}

#[test]
fn wrong_credentials_leave_everything_open() {
    let stage = Stage::with(Settings { client_secret: "another".to_owned(), ..Settings::default() });
    three_charges(&stage);
    let ended = stage.run();
    ended.expect(1).says("auth");
    assert_eq!(stage.submissions(), 0);
}

#[test]
fn a_service_that_stays_broken_leaves_the_charges_open_and_the_next_run_goes_on() {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    three_charges(&stage);
    stage.emulator.push_fault(Fault::before_commit(500).forever());
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[]));
    stage.emulator.clear_faults();
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn a_status_of_fail_is_no_acceptance() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(Fault::Fail { positions: vec![1] });
    let json = stage.command("run", &["--json"], &[]).expect(1).json();
    assert_eq!(json["windows"][0]["charges"]["rejected"], 1);
    assert_eq!(json["windows"][0]["charges"]["billed"], 2);
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn one_charge_that_the_service_refuses_does_not_keep_the_others_back() {
    let refuse = ["B".to_owned()].into();
    let stage = Stage::with(Settings { refuse_contracts: refuse, ..settings() });
    three_charges(&stage);
    stage.run().expect(1).says("rejected");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("C", "cpu", "5")]));
}

#[test]
fn a_record_that_somebody_else_made_is_not_taken_for_ours() {
    let stage = Stage::new();
    stage.begin_early();
    three_charges(&stage);
    let foreign = clazar_emulator::Record::billed(
        clazar_emulator::Cloud::Aws,
        "B",
        "cpu",
        "999",
        ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"],
    );
    stage.emulator.seed(foreign).unwrap();
    stage.run().expect(1).says("somebody else holds its place, with 999");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "999"), ("C", "cpu", "5")]));
}

#[test]
fn a_redirect_is_not_followed() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    let location = format!("{}/elsewhere", stage.emulator.origin());
    stage.emulator.push_fault(Fault::Redirect { location, status: 307 }.forever());
    stage.run().expect(1);
    assert!(stage.emulator.requests().iter().all(|request| request.path != "/elsewhere"));
    assert!(stage.emulator.requests().iter().any(|request| request.path == "/authenticate/"));
}

#[test]
fn an_authentication_that_fails_in_passing_is_tried_again_within_the_run() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(Fault::before_commit(503).on(Endpoint::Authenticate));
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn an_authentication_that_goes_on_failing_leaves_everything_open() {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
    three_charges(&stage);
    stage.emulator.push_fault(Fault::before_commit(503).on(Endpoint::Authenticate).forever());
    stage.run().expect(1).says("sink.clazar (clazar 0.1.0), connecting");
    assert_eq!(stage.submissions(), 0);
    stage.emulator.clear_faults();
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn a_secret_that_is_not_set_is_said_before_anything_is_touched() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.replace("CLAZAR_CLIENT_SECRET", "NO_SUCH_VARIABLE");
    stage.run().expect(2).says("the secret `client_secret` is the environment variable NO_SUCH_VARIABLE");
    assert_eq!(stage.emulator.requests().len(), 0);
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}

#[test]
fn a_plan_reads_no_secret() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.replace("CLAZAR_CLIENT_SECRET", "NO_SUCH_VARIABLE");
    stage.plan().expect(0);
}

#[test]
fn a_secret_in_a_file_is_looked_for_beside_the_pipeline() {
    let stage = Stage::on_a_file();
    three_charges(&stage);
    std::fs::create_dir(stage.path("secrets")).unwrap();
    std::fs::write(stage.path("secrets/clazar"), "sec-very-secret\n").unwrap();
    stage.replace("{ env = \"CLAZAR_CLIENT_SECRET\" }", "{ file = \"secrets/clazar\" }");
    let folder = stage.path(".");
    let folder = folder.canonicalize().unwrap();
    let name = folder.file_name().unwrap().to_owned();
    for command in ["check", "run"] {
        let mut program = crate::support::program();
        program.current_dir(folder.parent().unwrap()).arg(command);
        program.arg(std::path::Path::new(&name).join("pipeline.toml")).args(["--now", "2025-07-01T02:00:00Z"]);
        program.env("CLAZAR_URL", stage.emulator.url()).env("CLAZAR_CLIENT_ID", "cid");
        crate::support::ended(program.output().unwrap()).expect(0);
    }
    assert_eq!(stage.billed(), all());
}

#[test]
fn a_request_that_is_not_granted_is_told_with_its_line_and_not_tried_again() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.replace("http = [\"${CLAZAR_URL}\"]", "http = [{ url = \"${CLAZAR_URL}\", paths = [\"/authenticate/\"] }]");
    let ended = stage.run();
    ended
        .expect(3)
        .says("asked to send POST")
        .says("below [sink.clazar], inside `grant = { ... }`, this would grant it: http = [");
    assert_eq!(stage.submissions(), 0);
    stage.replace("http = [{ url = \"${CLAZAR_URL}\", paths = [\"/authenticate/\"] }]", "http = [\"${CLAZAR_URL}\"]");
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn a_charge_of_a_window_that_is_not_read_keeps_the_run_open() {
    let refuse = ["B".to_owned()].into();
    let stage = Stage::with(Settings { refuse_contracts: refuse, ..settings() });
    three_charges(&stage);
    stage.replace("start  = \"2025-06\"", "start = \"2025-03\"\nmax_windows = 0");
    stage.command("run", &["--window", "2025-06"], &[]).expect(1);
    stage.run().expect(1).says("cpu of B");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("C", "cpu", "5")]));
}

#[test]
fn a_window_that_is_still_running_is_shown_and_not_billed() {
    let stage = Stage::new();
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "2")]);
    stage
        .command("run", &["--window", "2025-07"], &[])
        .expect(2)
        .says("2025-07 is not due before 2025-08-01T00:30:00Z");
    stage.command("plan", &["--window", "2025-07"], &[]).expect(0).says("2025-07");
    assert_eq!(stage.submissions(), 0);
}

/// A record in the service's books, as if an earlier call of ours had put it there.
fn seeded(stage: &Stage, contract: &str, quantity: &str) {
    let month = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    let record = clazar_emulator::Record::billed(clazar_emulator::Cloud::Aws, contract, "cpu", quantity, month);
    stage.emulator.seed(record).unwrap();
}

#[test]
fn a_duplicate_with_our_quantity_is_confirmed_by_a_look_up() {
    let stage = Stage::new();
    three_charges(&stage);
    seeded(&stage, "B", "3");
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
    assert_eq!(stage.submissions(), 1);
    assert!(stage.emulator.requests().iter().any(|request| request.method == "GET"), "it was not looked up");
}

#[test]
fn answers_that_cannot_be_matched_are_looked_up() {
    for fields in [vec!["contract_id"], vec!["contract_id", "dimension"], vec!["dimension", "start_time"]] {
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        passes(Fault::Unmatched { fields, positions: Vec::new() });
    }
}

#[test]
fn results_behind_a_500_are_no_acceptance() {
    let results: Vec<_> = ["A", "B", "C"]
        .iter()
        .map(|contract| serde_json::json!({ "contract_id": contract, "dimension": "cpu", "status": "success" }))
        .collect();
    let body = serde_json::json!({ "results": results });
    passes(Fault::Scripted { status: 500, body, headers: Default::default(), commit: clazar_emulator::Commit::None });
}

#[test]
fn as_many_answers_as_charges_that_disagree_are_settled_by_the_books() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "memory", "3")]);
    // One of the contract's two charges was taken and one refused, and neither answer says which.
    let results = serde_json::json!([
        { "contract_id": "A", "status": "success", "id": "1" },
        { "contract_id": "A", "errors": ["no such dimension"], "message": "invalid", "code": "invalid" },
    ]);
    stage.emulator.push_fault(Fault::scripted(200, serde_json::json!({ "results": results })));
    let ended = stage.run();
    ended.expect(1).says("rejected").says("no such dimension");
    let json = stage.command("ledger show", &["--json"], &[]).json();
    let charges = json["windows"][0]["charges"].as_array().unwrap();
    let mut standings: Vec<&str> = charges.iter().map(|charge| charge["standing"].as_str().unwrap()).collect();
    standings.sort_unstable();
    assert_eq!(standings, ["accepted", "rejected"]);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "3")]));
}

#[test]
fn a_second_refusal_of_the_credentials_ends_the_run() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(Fault::ExpiredToken.forever());
    stage.run().expect(1).says("auth");
    assert_eq!((stage.emulator.authentications(), stage.submissions()), (2, 2));
    stage.emulator.clear_faults();
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
}

#[test]
fn throttling_that_says_no_time_is_waited_out_longer_each_time() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.emulator.push_fault(Fault::Throttle { retry_after: None }.times(3));
    let begun = std::time::Instant::now();
    stage.run().expect(0);
    // Half a second, one and two, each of which chance may halve.
    assert!(begun.elapsed().as_millis() >= 1750, "{:?}", begun.elapsed());
    assert_eq!(stage.billed(), all());
}

#[test]
fn an_answer_that_comes_after_the_deadline_is_looked_up() {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nlimits.wall = \"1s\"");
    three_charges(&stage);
    stage.emulator.push_fault(Fault::Slow { before_ms: 0, after_ms: 3000 });
    let ended = stage.run();
    // The plugin was stopped in the middle of its call; what it sent took effect, and is found.
    ended.expect(3).says("the call took more than 1 s");
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
    assert_eq!(stage.submissions(), 1, "what the service has is not sent again");
}

#[test]
fn a_rate_is_kept_and_waiting_for_it_counts_against_no_limit() {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nlimits.wall = \"500ms\"\nrate = \"1/s\"");
    stage.replace("config = { cloud", "config = { charges_per_call = 1, cloud");
    three_charges(&stage);
    let begun = std::time::Instant::now();
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
    assert_eq!(stage.submissions(), 3);
    // The authentication and three calls.
    assert!(begun.elapsed().as_secs() >= 3, "{:?}", begun.elapsed());
}

#[test]
fn more_requests_than_the_service_takes_in_a_minute_are_not_sent_at_once() {
    let stage = Stage::with(Settings { rate_limit: Some(120), ..settings() });
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nrate = \"1000/s\"");
    stage.replace("config = { cloud", "config = { charges_per_call = 1, cloud");
    let customers: Vec<String> = (0..130).map(|number| format!("c{number:03}")).collect();
    let usage: Vec<_> = customers.iter().map(|customer| (customer.as_str(), "cpu", "1")).collect();
    stage.usage("2025/06/01/00", "a", &usage);
    let mut run = stage.step("run").spawn().unwrap();
    let begun = std::time::Instant::now();
    while stage.emulator.requests().len() < 120 && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::thread::sleep(std::time::Duration::from_secs(2));
    let requests = stage.emulator.requests();
    // The rest leaves when a minute is over; whoever ends the run here finds it in the ledger.
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(requests.len(), 120, "a burst of 120, and no more");
    assert!(requests.iter().all(|request| request.status != Some(429)));
}

#[test]
fn a_run_that_waits_for_its_rate_can_be_interrupted() {
    let stage = Stage::new();
    stage.begin_early();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nrate = \"2/h\"");
    stage.replace("config = { cloud", "config = { charges_per_call = 1, cloud");
    three_charges(&stage);
    let mut run = stage.step("run").spawn().unwrap();
    let begun = std::time::Instant::now();
    while stage.submissions() == 0 && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let interrupted = std::time::Instant::now();
    std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(interrupted.elapsed().as_secs() < 5, "{:?}", interrupted.elapsed());
    assert_eq!(stage.submissions(), 1);
    stage.replace("rate = \"2/h\"", "");
    stage.run().expect(0);
    assert_eq!(stage.billed(), all());
    assert_eq!(stage.submissions(), 3);
}

#[test]
fn one_sink_never_delays_another() {
    let stage = Stage::new();
    let other =
        clazar_emulator::Emulator::start(Settings { now: Some("2025-07-01T02:00:00Z".parse().unwrap()), ..settings() })
            .unwrap();
    three_charges(&stage);
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (head, sink) = text.split_once("[sink.clazar]").unwrap();
    let second = sink.replace("${CLAZAR_URL}", other.url());
    stage.pipeline(&format!(
        "{head}[sink.clazar]\ntakes = [\"cpu\"]{sink}\n[sink.second]\nplugin = \"clazar\"\ntakes = [\"memory\", \"cpu\"]{second}"
    ));
    other.push_fault(Fault::before_commit(503).forever());
    let json = stage.command("run", &["--json"], &[]).expect(1).json();
    let settled: Vec<bool> =
        json["windows"].as_array().unwrap().iter().map(|window| window["settled"].as_bool().unwrap()).collect();
    assert_eq!(settled, [true, false]);
    assert_eq!(stage.billed(), all());
    other.clear_faults();
    stage.run().expect(0);
    assert_eq!((stage.emulator.books().len(), other.books().len()), (3, 3));
}

#[test]
fn a_call_that_one_charge_spoils_is_halved_until_that_one_stands_alone() {
    let stage = Stage::new();
    three_charges(&stage);
    stage.usage("2025/06/02/00", "b", &[("D", "cpu", "7"), ("E", "cpu", "11")]);
    // The call of all five fails, and the first of its halves.
    stage.emulator.push_fault(Fault::before_commit(500).times(2));
    stage.run().expect(0);
    assert_eq!(stage.billed().len(), 5);
    let sizes: Vec<usize> = stage
        .emulator
        .requests()
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/metering/")
        .map(|request| request.body.as_ref().unwrap()["request"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes[0], 5);
    assert!(sizes[1..].iter().all(|size| *size <= 2) && sizes.contains(&1), "{sizes:?}");
}

#[test]
fn a_refused_call_with_results_bills_what_is_not_refused() {
    let stage = Stage::new();
    three_charges(&stage);
    let results = serde_json::json!([
        { "contract_id": "B", "dimension": "cpu", "errors": ["no such contract"], "message": "invalid" },
    ]);
    stage.emulator.push_fault(Fault::Scripted {
        status: 400,
        body: serde_json::json!({ "results": results }),
        headers: Default::default(),
        commit: clazar_emulator::Commit::None,
    });
    stage.run().expect(1).says("no such contract");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("C", "cpu", "5")]));
}

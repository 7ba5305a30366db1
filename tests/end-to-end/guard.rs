//! `guard`: what is far from the month before is held until a person has looked at it, and everyone else is billed; and a plan that shows the
//! change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Ended, Stage, bill};

/// A stage in July, with this guard, on which June was billed as it says.
fn after_june(guard: &str, june: &[(&str, &str, &str)]) -> Stage {
    let mut stage = Stage::new();
    stage.replace("[sink.clazar]", &format!("[sink.clazar]\nguard = {guard}\nround = \"up\""));
    stage.usage("2025/06/01/00", "a", june);
    stage.run().expect(0);
    stage.at("2025-08-01T02:00:00Z");
    stage
}

/// What was billed for a month.
pub fn billed(stage: &Stage, month: &str) -> BTreeMap<(String, String), String> {
    stage.emulator.verify_books().unwrap();
    let books = stage.emulator.books().into_iter();
    let records = books.filter(|record| record.status.name() == "success" && record.start_time.starts_with(month));
    records.map(|record| ((record.contract_id, record.dimension), record.quantity)).collect()
}

/// The problems in short: each one's code and message.
fn problems(stage: &Stage, ended: &Ended) -> Vec<(String, String)> {
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let problems = stage.problems(ended);
    problems.as_array().unwrap().iter().map(|problem| (text(problem, "code"), text(problem, "message"))).collect()
}

#[track_caller]
fn held(stage: &Stage, expected: &[(&str, &str)]) {
    let ended = stage.command("run", &["--json"], &[]);
    ended.expect(1);
    let expected: Vec<(String, String)> =
        expected.iter().map(|(code, message)| ((*code).to_owned(), (*message).to_owned())).collect();
    assert_eq!(problems(stage, &ended), expected);
    assert_eq!(ended.json()["windows"].as_array().unwrap().last().unwrap()["settled"], json!(false));
}

#[test]
fn a_spike_is_held_while_everyone_else_is_billed() {
    let names: Vec<String> = (0..100).map(|number| format!("c{number:02}")).collect();
    let june: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "cpu", "10")).collect();
    let stage = after_june("{ max_increase = \"200%\" }", &june);
    let spike = |name: &str| if name == "c42" { "1200" } else { "12" };
    let july: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "cpu", spike(name))).collect();
    stage.usage("2025/07/01/00", "a", &july);
    let reason = "1200 is 11900.0 % more than the 10 of 2025-06, and the guard allows 200 %";
    stage.plan().expect(1).says("+11900.0 %").says(reason).says("99 would be billed, 1 held");
    stage
        .run()
        .expect(1)
        .says(&format!("guard-increase: sink.clazar (clazar 0.1.0), freezing 2025-07 cpu of c42 is held: {reason}"))
        .says("release|billed|waive --reason")
        .says("99 billed, 1 held");
    let others: Vec<(&str, &str, &str)> = july.iter().copied().filter(|(name, ..)| *name != "c42").collect();
    assert_eq!(billed(&stage, "2025-07"), bill(&others));
    // It stays so, and is sent by no later run, until the usage says something else.
    let sent = stage.submissions();
    held(&stage, &[("guard-increase", &format!("cpu of c42 is held: {reason}"))]);
    assert_eq!(stage.submissions(), sent);
    stage.command("status", &[], &[]).expect(1);
    let july: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "cpu", "12")).collect();
    stage.usage("2025/07/01/00", "a", &july);
    stage.run().expect(0);
    assert_eq!(billed(&stage, "2025-07"), bill(&july));
}

#[test]
fn an_increase_exactly_at_the_limit_passes_before_rounding() {
    let stage = after_june("{ max_increase = \"100%\" }", &[("A", "cpu", "3"), ("B", "cpu", "3"), ("C", "cpu", "0")]);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "6"), ("B", "cpu", "6.0000000001"), ("C", "cpu", "9")]);
    let reason = "6.0000000001 is over 100 % more than the 3 of 2025-06, and the guard allows 100 %";
    held(&stage, &[("guard-increase", &format!("cpu of B is held: {reason}"))]);
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "6"), ("C", "cpu", "9")]));
}

#[test]
fn a_decrease_is_held_down_to_nothing() {
    let june = [("A", "cpu", "10"), ("A", "memory", "4"), ("B", "cpu", "10"), ("C", "cpu", "8"), ("D", "cpu", "1")];
    let stage = after_june("{ max_decrease = \"50%\" }\nzero = \"skip\"", &june);
    // D is gone as a whole, which is no decrease.
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "5"), ("B", "cpu", "4.9"), ("C", "cpu", "0")]);
    let limit = "of 2025-06, and the guard allows 50 %";
    held(
        &stage,
        &[
            ("guard-decrease", &format!("cpu of B is held: 4.9 is 51.0 % less than the 10 {limit}")),
            ("guard-decrease", &format!("cpu of C is held: 0 is 100.0 % less than the 8 {limit}")),
            ("guard-decrease", &format!("memory of A is held: there is nothing now, 100 % less than the 4 {limit}")),
        ],
    );
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "5")]));
    stage.replace("guard = { max_decrease = \"50%\" }\n", "");
    stage.run().expect(0);
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "5"), ("B", "cpu", "5")]));
}

#[test]
fn everything_of_a_new_customer_is_held_and_a_new_dimension_of_another_is_not() {
    let stage = after_june("{ new_customers = \"hold\" }", &[("A", "cpu", "1")]);
    stage.usage(
        "2025/07/01/00",
        "a",
        &[("A", "cpu", "1"), ("A", "memory", "2"), ("B", "cpu", "3"), ("B", "memory", "4")],
    );
    let reason = "B had no charge in 2025-06, and the guard holds new customers";
    held(
        &stage,
        &[
            ("guard-new", &format!("cpu of B is held: {reason}")),
            ("guard-new", &format!("memory of B is held: {reason}")),
        ],
    );
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "1"), ("A", "memory", "2")]));
}

#[test]
fn a_guard_knows_customers_by_the_names_that_the_sink_is_told() {
    let mut stage = Stage::new();
    stage.replace(
        "[sink.clazar]",
        "[sink.clazar]\nguard = { new_customers = \"hold\", missing_customers = \"hold\" }\ncustomers = \"customers.csv\"",
    );
    std::fs::write(stage.path("customers.csv"), "customer,id\nu1,c1\nu2,c1\nu3,c3\nu4,c4\n").unwrap();
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u4", "cpu", "3")]);
    stage.run().expect(0);
    stage.at("2025-08-01T02:00:00Z");
    // u2 came and u1 is gone, which to the service is one customer.
    stage.usage("2025/07/01/00", "a", &[("u2", "cpu", "2"), ("u3", "cpu", "5")]);
    let missing = "it owed 3 of cpu in 2025-06 and owes nothing now, and the guard holds missing customers";
    held(
        &stage,
        &[
            ("guard-new", "cpu of c3 is held: c3 had no charge in 2025-06, and the guard holds new customers"),
            ("guard-missing", &format!("the window without c4 is held: {missing}")),
        ],
    );
    assert_eq!(billed(&stage, "2025-07"), bill(&[("c1", "cpu", "2")]));
    // A record of u4 that cannot be used may be what c4 owes.
    stage.usage("2025/07/01/01", "b", &[("u4", "cpu", "null")]);
    let ended = stage.command("run", &["--json"], &[]);
    assert_eq!(
        problems(&stage, &ended).into_iter().map(|(code, _)| code).collect::<Vec<_>>(),
        ["quarantined", "guard-new"]
    );
}

#[test]
fn a_missing_customer_keeps_the_window_open_and_nothing_else() {
    let june = [("A", "cpu", "1"), ("B", "cpu", "5"), ("B", "memory", "2"), ("C", "cpu", "0")];
    let stage = after_june("{ missing_customers = \"hold\" }", &june);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "1"), ("D", "cpu", "7")]);
    let reason = "it owed 5 of cpu, 2 of memory in 2025-06 and owes nothing now, and the guard holds missing customers";
    held(&stage, &[("guard-missing", &format!("the window without B is held: {reason}"))]);
    assert_eq!(billed(&stage, "2025-07"), bill(&[("A", "cpu", "1"), ("D", "cpu", "7")]));
    stage.plan().expect(1).says("- B cpu 5 in 2025-06, nothing now").says("- B memory 2 in 2025-06, nothing now");
    // A record that cannot be used says why, and is told alone.
    stage.usage("2025/07/01/01", "b", &[("B", "cpu", "null")]);
    let ended = stage.command("run", &["--json"], &[]);
    assert_eq!(problems(&stage, &ended).into_iter().map(|(code, _)| code).collect::<Vec<_>>(), ["quarantined"]);
    stage.usage("2025/07/01/01", "b", &[("B", "cpu", "6")]);
    stage.run().expect(0);
}

#[test]
fn a_window_without_usage_is_held_and_needs_nothing_to_compare_with() {
    for (guard, exit) in
        [("{ empty_window = \"hold\", missing_customers = \"hold\" }", 1), ("{ empty_window = \"bill\" }", 0)]
    {
        let stage = Stage::new();
        stage.replace("[sink.clazar]", &format!("[sink.clazar]\nguard = {guard}"));
        let ended = stage.command("run", &["--json"], &[]);
        ended.expect(exit);
        let said = "everything is held: no usage was read, and the guard holds a window without any";
        let expected = [("guard-empty".to_owned(), said.to_owned())];
        assert_eq!(problems(&stage, &ended), if exit == 1 { &expected[..] } else { &[] });
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
        stage.run().expect(0);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
    }
    // Who is missing in a window without usage is not told one by one.
    let stage = after_june("{ empty_window = \"hold\", missing_customers = \"hold\" }", &[("A", "cpu", "1")]);
    let ended = stage.command("run", &["--json"], &[]);
    assert_eq!(problems(&stage, &ended).into_iter().map(|(code, _)| code).collect::<Vec<_>>(), ["guard-empty"]);
}

#[test]
fn the_most_of_a_charge_is_said_by_dimension() {
    let stage = Stage::new();
    stage.replace(
        "[sink.clazar]",
        "[sink.clazar.guard.max_quantity]\ncpu = \"5\"\ndisc = \"1\"\n\"*\" = \"100\"\n\n[sink.clazar]",
    );
    stage.usage(
        "2025/06/01/00",
        "a",
        &[("A", "cpu", "5"), ("B", "cpu", "6"), ("A", "memory", "100"), ("B", "memory", "101")],
    );
    stage.plan().expect(1).says("the guard of sink.clazar names `disc`, and no charge has this dimension");
    held(
        &stage,
        &[
            ("guard-quantity", "cpu of B is held: 6 is more than the 5 that the guard allows"),
            ("guard-quantity", "memory of B is held: 101 is more than the 100 that the guard allows"),
        ],
    );
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "5"), ("A", "memory", "100")]));
}

#[test]
fn without_a_window_to_compare_with_everything_is_billed_and_the_report_says_so() {
    let note = "sink.clazar: no window before 2025-06 is settled with quantities that the ledger knows, and there is nothing to compare with";
    let guard = "guard = { max_increase = \"1%\", max_decrease = \"1%\", new_customers = \"hold\", missing_customers = \"hold\" }";
    for (guard, in_run) in [(guard, 1), ("guard = { max_quantity = \"10\" }", 0), ("", 0)] {
        let stage = Stage::new();
        stage.replace("[sink.clazar]", &format!("[sink.clazar]\n{guard}"));
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "5")]);
        stage.plan().expect(0).says(note);
        let ended = stage.command("run", &["--json"], &[]);
        let document = ended.expect(0).json();
        let notes = document["notes"].as_array().unwrap().iter();
        let notes: Vec<&str> = notes.filter_map(Value::as_str).filter(|said| said.starts_with(note)).collect();
        assert_eq!(notes.len(), in_run, "{guard} {document:#}");
        assert_eq!(
            (&document["windows"][0]["compared_with"], &document["windows"][0]["lines"][0]["before"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "5")]));
    }
}

#[test]
fn a_plan_shows_the_change_in_percent_and_a_run_that_holds_nothing_does_not() {
    let june = [("A", "cpu", "8"), ("A", "memory", "3"), ("B", "cpu", "4"), ("C", "cpu", "7")];
    let stage = after_june("{ max_increase = \"200%\" }", &june);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "9"), ("A", "memory", "2"), ("B", "cpu", "4"), ("D", "cpu", "2")]);
    let plan = stage.plan();
    plan.expect(0);
    let table: Vec<&str> = plan.stdout.lines().skip_while(|line| !line.contains("2025-07 ")).skip(1).take(6).collect();
    assert_eq!(
        table,
        [
            "    customer  dimension  quantity  vs 2025-06  records  state",
            "  + A         cpu               9     +12.5 %        1  would be billed",
            "  + A         memory            2     -33.3 %        1  would be billed",
            "  + B         cpu               4           =        1  would be billed",
            "  + D         cpu               2         new        1  would be billed",
            "  - C cpu 7 in 2025-06, nothing now",
        ]
    );
    // Both say it to a program.
    for command in ["plan", "run"] {
        let document = stage.command(command, &["--json"], &[]).expect(0).json();
        let window = document["windows"].as_array().unwrap().last().unwrap();
        assert_eq!(window["compared_with"], "2025-06");
        assert_eq!(window["missing"], json!([{ "customer": "C", "dimension": "cpu", "before": "7" }]));
        let lines = window["lines"].as_array().unwrap().iter();
        let lines: Vec<_> = lines.map(|line| (line["before"].as_str(), line["change"].as_str())).collect();
        let expected = [(Some("8"), Some("+12.5")), (Some("3"), Some("-33.3")), (Some("4"), Some("0.0")), (None, None)];
        assert_eq!(lines, expected, "{command}");
    }
    assert!(!stage.run().expect(0).stdout.contains("vs 2025-06"));
}

#[test]
fn a_window_is_compared_with_the_last_settled_one_before_the_run() {
    let mut stage = after_june("{ max_increase = \"100%\" }", &[("A", "cpu", "1"), ("B", "cpu", "1")]);
    // July stays open, since A's spike is held.
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "50"), ("B", "cpu", "2")]);
    stage.usage("2025/08/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.at("2025-09-01T02:00:00Z");
    let allowed = "and the guard allows 100 %";
    held(
        &stage,
        &[
            ("guard-increase", &format!("cpu of A is held: 50 is 4900.0 % more than the 1 of 2025-06, {allowed}")),
            ("guard-increase", &format!("cpu of B is held: 3 is 200.0 % more than the 1 of 2025-06, {allowed}")),
        ],
    );
    assert_eq!(billed(&stage, "2025-07"), bill(&[("B", "cpu", "2")]));
    assert_eq!(billed(&stage, "2025-08"), bill(&[("A", "cpu", "2")]));
    // July is settled, and August stands beside it from the next run on.
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "2")]);
    stage.run().expect(1);
    stage.run().expect(0);
    assert_eq!(billed(&stage, "2025-08"), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
}

#[test]
fn what_is_settled_is_not_held_open_by_a_guard_that_came_later() {
    let stage = after_june("{ max_quantity = \"100\" }", &[("A", "cpu", "1"), ("B", "cpu", "5"), ("B", "memory", "1")]);
    stage.usage("2025/07/01/00", "a", &[("B", "cpu", "1")]);
    stage.run().expect(0);
    stage
        .replace("max_quantity = \"100\"", "max_decrease = \"1%\", max_quantity = \"0\", missing_customers = \"hold\"");
    // A change of its inputs has it read again.
    stage.usage("2025/07/01/01", "b", &[("C", "cpu", "0")]);
    stage.run().expect(0);
    stage.command("run", &["--window", "2025-07"], &[]).expect(0);
    // Nor for what came to nothing, and was not sent.
    let stage = after_june("{ max_quantity = \"100\" }\nzero = \"skip\"", &[("A", "cpu", "5")]);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "0")]);
    stage.run().expect(0);
    stage.replace("max_quantity = \"100\"", "max_decrease = \"1%\"");
    stage.command("run", &["--window", "2025-07"], &[]).expect(0).says("1 charge: 1 zero");
}

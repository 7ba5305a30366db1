//! `customers`: a table says whom a sink bills, who is missing there is held, and an edit of it bills no record twice.

use serde_json::{Value, json};

use crate::support::{Ended, Stage, bill, component};

/// A stage whose sink bills by a table.
fn stage(table: &str) -> Stage {
    let stage = Stage::new();
    stage.replace("[sink.clazar]", "[sink.clazar]\ncustomers = \"customers.csv\"");
    customers(&stage, table);
    stage
}

fn customers(stage: &Stage, table: &str) {
    std::fs::write(stage.path("customers.csv"), table).unwrap();
}

/// Reads June again, settled or not.
fn again(stage: &Stage) -> Ended {
    stage.command("run", &["--window", "2025-06"], &[])
}

/// The lines of the first window.
fn lines(ended: &Ended) -> Value {
    ended.json()["windows"][0]["lines"].clone()
}

#[test]
fn one_who_is_missing_is_held_and_billed_once_the_row_is_there() {
    let stage = stage("customer,id\nu1,c1\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "3"), ("u2", "memory", "4")]);
    let said = "everything that u2 owes is held: the table of customers customers.csv has no row for it";
    stage.plan().expect(1).says(said);
    let ended = stage.run();
    ended.expect(1).says(said).says("add a row to the table of customers").says("read 3 = billed 1 + held 2");
    assert_eq!(ended.stdout.matches("everything that u2 owes").count(), 1, "{}", ended.stdout);
    assert_eq!(stage.billed(), bill(&[("c1", "cpu", "2")]));
    customers(&stage, "customer,id\nu1,c1\nu2,c2\n");
    stage.bills_once(&[("c1", "cpu", "2"), ("c2", "cpu", "3"), ("c2", "memory", "4")]);
}

#[test]
fn a_customer_who_is_missing_is_not_taken_for_the_contract_of_the_same_name() {
    let stage = stage("customer,id\nu1,c1\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("c1", "cpu", "2")]);
    stage.run().expect(1).says("everything that c1 owes is held").says("read 2 = billed 1 + held 1");
    stage.run().expect(1).says("read 2 = billed before 1 + held 1");
    assert_eq!(stage.billed(), bill(&[("c1", "cpu", "2")]));
}

#[test]
fn a_word_about_one_who_is_missing_says_nothing_of_the_contract_of_the_same_name() {
    let stage = stage("customer,id\nu1,c1\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2.5"), ("c1", "cpu", "2.5")]);
    let lines = lines(&stage.command("run", &["--json"], &[]));
    let lines = lines.as_array().unwrap();
    let of = |words: &str| lines.iter().find(|line| line["reason"].as_str().unwrap().contains(words)).unwrap();
    let (missing, fraction) = (of("has no row"), of("whole numbers only"));
    assert_ne!(missing["would_be"], fraction["would_be"]);
    let id = missing["would_be"].as_str().unwrap();
    stage.command("ledger resolve", &[id, "waive", "--reason", "a test", "--yes"], &[]).expect(0);
    stage.run().expect(1).says("read 2 = held 1 + waived 1").says("2.5 cannot be sent exactly");
    stage.command("ledger show", &[], &[]).says("not frozen, waived by a person").says("a test");
}

#[test]
fn two_users_of_one_contract_owe_one_charge() {
    let stage = stage("customer,id\nu1,c1\nu2,c1\n");
    stage.usage(
        "2025/06/01/00",
        "a",
        &[("u1", "cpu", "2"), ("u1", "cpu", "1"), ("u2", "cpu", "5"), ("u2", "memory", "7")],
    );
    let plan = stage.command("plan", &["--json"], &[]);
    plan.expect(0);
    let expected = json!([
        { "customer": "u1", "quantity": "3", "records": 2 },
        { "customer": "u2", "quantity": "5", "records": 1 },
    ]);
    assert_eq!(lines(&plan)[0]["parts"], expected);
    assert_eq!((&lines(&plan)[0]["quantity"], &lines(&plan)[0]["records"]), (&json!("8"), &json!(3)));
    stage.plan().says("of u1 3 + u2 5");
    stage.bills_once(&[("c1", "cpu", "8"), ("c1", "memory", "7")]);
    let shown = stage.command("ledger show", &["--json"], &[]).expect(0).json();
    let parts = &shown["windows"][0]["charges"][0]["parts"];
    assert_eq!(parts[1], json!({ "customer": "u2", "quantity": "5", "origins": [["cpu", 1]] }));
}

#[test]
fn a_doubt_about_one_user_holds_the_charge_of_all() {
    let stage = stage("customer,id\nu1,c1\nu2,c1\nu3,c3\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "null"), ("u3", "cpu", "4")]);
    stage.run().expect(1).says("what u2 owes for cpu is held");
    assert_eq!(stage.billed(), bill(&[("c3", "cpu", "4")]));
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "-1"), ("u3", "cpu", "4")]);
    stage.run().expect(1).says("the total of u2 is negative: -1");
    assert_eq!(stage.billed(), bill(&[("c3", "cpu", "4")]));
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "1"), ("u3", "cpu", "4")]);
    stage.bills_once(&[("c1", "cpu", "3"), ("c3", "cpu", "4")]);
}

#[test]
fn a_row_that_is_changed_after_billing_bills_no_record_again() {
    let before = "customer,id\nu1,c1\nu2,c1\nu3,c3\n";
    let stage = stage(before);
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "5"), ("u3", "cpu", "7")]);
    stage.bills_once(&[("c1", "cpu", "7"), ("c3", "cpu", "7")]);
    let sent = stage.submissions();
    // One of two moves to a contract that was not billed yet.
    customers(&stage, "customer,id\nu1,c2\nu2,c1\nu3,c3\n");
    stage.run().expect(0).says("nothing was due");
    let moved = "its records went into the charge of 7 for cpu to sink clazar, which is billed";
    again(&stage)
        .expect(1)
        .says(&format!("cpu of c2 is held: {moved}"))
        .says("cpu of c1 is held: what it comes to changed after the charge was frozen: 7 then, 5 now, a difference of -2")
        .says("read 3 = billed before 2 + held 1");
    stage.run().expect(1).says(moved);
    // The only one moves: nothing is left of the contract.
    customers(&stage, "customer,id\nu1,c1\nu2,c1\nu3,c4\n");
    again(&stage)
        .expect(1)
        .says(&format!("cpu of c4 is held: {moved}"))
        .says("cpu of c3 is held: its records are those of u3, and would be billed to c4 now");
    // It is taken out: it is held, and what was billed is told.
    customers(&stage, "customer,id\nu1,c1\nu2,c1\n");
    again(&stage)
        .expect(1)
        .says("everything that u3 owes is held")
        .says("cpu of c3 is held: the table of customers has no row for u3 any more");
    assert_eq!(stage.submissions(), sent);
    customers(&stage, before);
    again(&stage).expect(0);
    stage.bills_once(&[("c1", "cpu", "7"), ("c3", "cpu", "7")]);
}

#[test]
fn a_table_that_comes_or_goes_after_billing_bills_no_record_again() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2")]);
    stage.bills_once(&[("u1", "cpu", "2")]);
    stage.replace("[sink.clazar]", "[sink.clazar]\ncustomers = \"customers.csv\"");
    customers(&stage, "customer,id\nu1,c1\n");
    again(&stage).expect(1).says("cpu of c1 is held: its records went into the charge of 2 for cpu to sink clazar");
    // The same name is the same charge.
    customers(&stage, "customer,id\nu1,u1\n");
    again(&stage).expect(0);
    assert_eq!(stage.submissions(), 1);

    let other = self::stage("customer,id\nu1,c1\n");
    other.usage("2025/06/01/00", "a", &[("u1", "cpu", "2")]);
    other.bills_once(&[("c1", "cpu", "2")]);
    other.replace("customers = \"customers.csv\"\n", "");
    again(&other)
        .expect(1)
        .says("cpu of u1 is held: its records went into the charge of 2 for cpu to sink clazar")
        .says("would be billed to u1 now");
    assert_eq!(other.submissions(), 1);
}

#[test]
fn a_row_with_a_wrong_contract_is_mended_and_the_refused_charge_is_not_offered_again() {
    let stage = stage("customer,id\nu1,wrong\nu2,wrong\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "3")]);
    stage.emulator.push_fault(clazar_emulator::Fault::Fail { positions: vec![0] });
    stage.run().expect(1).says("was refused");
    // The other one stays: of the refused charge, which holds both, nothing may be billed any more.
    customers(&stage, "customer,id\nu1,right\nu2,wrong\n");
    stage.run().expect(1).says("it is not offered again");
    assert_eq!(stage.billed(), bill(&[("right", "cpu", "2")]));
    let sent = stage.submissions();
    stage.run().expect(1);
    customers(&stage, "customer,id\nu1,wrong\nu2,wrong\n");
    stage.run().expect(1);
    assert_eq!(stage.submissions(), sent, "a refused charge was offered beside its successor");
    assert_eq!(stage.billed(), bill(&[("right", "cpu", "2")]));
}

#[test]
fn late_usage_of_a_user_is_late_for_the_contract() {
    let stage = stage("customer,id\nu1,c1\nu2,c1\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2")]);
    stage.bills_once(&[("c1", "cpu", "2")]);
    stage.usage("2025/06/01/01", "a", &[("u2", "cpu", "3")]);
    stage.run().expect(1).says("2 then, 5 now, a difference of +3").says("read 2 = billed before 1 + held 1");
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn product_and_attributes_reach_the_sink() {
    let told = |table: &str| {
        let stage = stage(table);
        let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
        let (before, _) = text.split_once("[sink.clazar]").unwrap();
        let before = before.replace("customer = ", "product = \"/product\", customer = ");
        stage.pipeline(&format!(
            "{before}[sink.clazar]\nplugin = \"{}\"\ncustomers = \"customers.csv\"\n\
             config = {{ way = \"tells\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
            component("failing").display()
        ));
        let key = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json";
        stage.object(key, r#"[{"externalPayerId":"u1","product":"db","dimension":"cpu","value":2}]"#);
        stage.run()
    };
    // Without the column the product of the usage stays; an empty cell of it means none.
    told("customer,id,plan,seats\nu1,c1,gold,\n").expect(1).says(r#"2 of c1 for db, [("plan", "gold")]"#);
    told("customer,id,plan,product\nu1,c1,gold,cache\n").expect(1).says(r#"2 of c1 for cache, [("plan", "gold")]"#);
    told("customer,id,product\nu1,c1,\n").expect(1).says("2 of c1 for , []");
}

#[test]
fn a_table_that_is_wrong_is_shown_at_its_place_and_touches_nothing() {
    let stage = stage("customer,id\nu1,c1\n\nu1,c2\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2")]);
    for command in ["check", "plan", "run"] {
        let ended = stage.command(command, &["--json"], &[]);
        let expected = json!([{
            "code": "configuration",
            "input": "FOLDER/customers.csv:4:1",
            "message": "the customer `u1` stands in line 2 already",
            "action": "whom to bill for it would be a guess",
        }]);
        assert_eq!(stage.problems(ended.expect(2)), expected, "{command}");
    }
    // A person sees the line itself.
    stage.run().expect(2).says("customers.csv:4:1").says("u1,c2");
    stage.touched_nothing();
    std::fs::remove_file(stage.path("customers.csv")).unwrap();
    stage.run().expect(2).says("the table of customers cannot be read").says("pipeline.toml:17:13");
    stage.touched_nothing();
    customers(&stage, "customer,id\nu1,c1\n");
    stage.bills_once(&[("c1", "cpu", "2")]);
}

#[test]
fn a_run_records_which_table_it_had() {
    let stage = stage("customer,id\nu1,c1\n");
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "2")]);
    stage.run().expect(1);
    stage.run().expect(1);
    customers(&stage, "customer,id\nu1,c1\nu2,c2\n");
    stage.run().expect(0);
    let entries = stage.command("ledger show", &["--entries", "--json"], &[]);
    let entries: Vec<Value> = entries.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let digests: Vec<&Value> =
        entries.iter().map(|entry| &entry["entry"]["run"]["config"]).filter(|digest| digest.is_string()).collect();
    assert_eq!(digests.len(), 3);
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[1], digests[2]);
}

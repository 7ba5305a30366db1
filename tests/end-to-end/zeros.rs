//! `zero`: what becomes of a charge of which nothing is to be sent.

use serde_json::json;

use crate::support::{Stage, bill, component};

fn skipping() -> Stage {
    let stage = Stage::new();
    stage.replace("[sink.clazar]", "[sink.clazar]\nzero = \"skip\"");
    stage
}

#[test]
fn a_skipped_zero_is_shown_and_settles_its_window() {
    let stage = skipping();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0"), ("A", "memory", "3"), ("B", "cpu", "0"), ("B", "cpu", "0")]);
    stage.plan().expect(0).says("3 charges: 1 would be billed, 2 zero").says("read 4 = would be billed 1 + zero 3");
    let ended = stage.command("run", &["--json"], &[]);
    let window = &ended.expect(0).json()["windows"][0];
    assert_eq!((&window["settled"], &window["charges"]["zero"]), (&json!(true), &json!(2)));
    assert_eq!((&window["lines"][0]["state"], &window["lines"][0]["id"]), (&json!("zero"), &json!(null)));
    stage.bills_once(&[("A", "memory", "3")]);
}

#[test]
fn usage_after_a_skipped_zero_makes_a_first_charge() {
    let stage = skipping();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0")]);
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 0);
    stage.usage("2025/06/01/01", "a", &[("A", "cpu", "4")]);
    stage.bills_once(&[("A", "cpu", "4")]);
    // Back at zero it is late, as any other difference.
    stage.usage("2025/06/01/01", "a", &[("A", "cpu", "0")]);
    stage.run().expect(1).says("4 then, 0 now, a difference of -4");
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn what_is_rounded_to_zero_is_skipped_with_what_it_came_to_and_billed_whole_when_there_is_more() {
    let stage = skipping();
    stage.replace("zero = \"skip\"", "zero = \"skip\"\nround = \"down\"");
    stage.replace("{ \"*\" = \"sum\" }", "{ cpu = { use = \"sum\", divide = \"10\" } }");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "6")]);
    stage.run().expect(0).says("zero").says("rounded from 0.6");
    assert_eq!(stage.submissions(), 0);
    stage.usage("2025/06/01/01", "a", &[("A", "cpu", "6")]);
    stage.bills_once(&[("A", "cpu", "1")]);
}

#[test]
fn a_zero_is_sent_where_the_file_or_the_service_says_so() {
    for zero in ["", "\nzero = \"send\""] {
        let stage = Stage::new();
        stage.replace("[sink.clazar]", &format!("[sink.clazar]{zero}"));
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0")]);
        stage.bills_once(&[("A", "cpu", "0")]);
    }
}

#[test]
fn a_zero_in_doubt_is_held() {
    let stage = skipping();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0"), ("A", "cpu", "null")]);
    stage.run().expect(1).says("what A owes for cpu is held");
    assert_eq!(stage.billed(), bill(&[]));
}

#[test]
fn a_customer_who_owes_nothing_needs_no_row() {
    let stage = skipping();
    stage.replace("[sink.clazar]", "[sink.clazar]\ncustomers = \"customers.csv\"");
    std::fs::write(stage.path("customers.csv"), "customer,id\nu1,c1\n").unwrap();
    stage.usage("2025/06/01/00", "a", &[("u1", "cpu", "2"), ("u2", "cpu", "0")]);
    stage.bills_once(&[("c1", "cpu", "2")]);
    stage.usage("2025/06/01/01", "a", &[("u2", "cpu", "1")]);
    stage.run().expect(1).says("everything that u2 owes is held");
}

/// A pipeline whose service refuses a zero.
fn refusing(zero: &str) -> Stage {
    let stage = Stage::new();
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\n{zero}\nconfig = {{ way = \"no-zero\", url = \"${{CLAZAR_URL}}\" }}\n\
         grant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0")]);
    stage
}

#[test]
fn a_service_that_refuses_a_zero_is_sent_none() {
    let stage = refusing("");
    stage.run().expect(0).says("1 charge: 1 zero");
    let stage = refusing("zero = \"send\"");
    for command in ["check", "plan", "run"] {
        stage
            .command(command, &[], &[])
            .expect(2)
            .says("the service of sink.clazar (failing 6.6.6) refuses a quantity of zero")
            .says("pipeline.toml:18:8");
    }
    stage.touched_nothing();
}

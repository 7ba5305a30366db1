//! Every form of answer that was seen, and what is made of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{A, B, charge, offer, results};
use meterhost_sdk::{Charge, Failure, Outcome, Status};

/// The four charges of the recorded runs.
fn recorded() -> Vec<Charge> {
    vec![
        charge(A, "cpu_core_hours", "4"),
        charge(A, "memory_byte_hours", "4294967296"),
        charge(A, "storage_allocated_byte_hours", "10737418240"),
        charge(B, "cpu_core_hours", "4"),
    ]
}

fn statuses(outcomes: &[Outcome]) -> Vec<Status> {
    outcomes.iter().map(|outcome| outcome.status).collect()
}

fn refusals(outcomes: &[Outcome]) -> Vec<Option<&str>> {
    outcomes.iter().map(|outcome| outcome.refusal_if_absent.as_deref()).collect()
}

fn echo(charge: &Charge, id: &str, status: &str) -> String {
    format!(
        r#"{{"id": "{id}", "cloud": "aws", "contract_id": "{}", "dimension": "{}", "quantity": "{}", "status": "{status}", "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z", "custom_properties": {{}}}}"#,
        charge.customer, charge.dimension, charge.quantity
    )
}

#[test]
fn a_success_that_echoes_its_record_is_accepted_with_its_id() {
    let charges = recorded();
    let echoes: Vec<String> = charges
        .iter()
        .enumerate()
        .rev()
        .map(|(place, charge)| echo(charge, &format!("id-{place}"), "success"))
        .collect();
    let outcomes = results(&charges, &format!("[{}]", echoes.join(",")));
    for (place, (charge, outcome)) in charges.iter().zip(&outcomes).enumerate() {
        let expected = Outcome {
            id: charge.id.clone(),
            status: Status::Accepted,
            retryable: false,
            refusal_if_absent: None,
            reference: Some(format!("id-{place}")),
            message: None,
            raw: echo(charge, &format!("id-{place}"), "success"),
        };
        assert_eq!(outcome, &expected);
    }
}

#[test]
fn a_duplicate_without_a_contract_marks_nobody() {
    let outcomes = results(&recorded(), r#"[{"errors": ["e"], "code": "c", "message": "record already exists"}]"#);
    assert_eq!(statuses(&outcomes), [Status::Unknown; 4]);
    assert_eq!(refusals(&outcomes), [None; 4]);
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some(
            "Clazar's answer says nothing that is surely about this charge; of a contract that it does not name, it says: record \
             already exists: e (code c)"
        )
    );
    assert_eq!(outcomes[0].raw, r#"{"results": [{"errors": ["e"], "code": "c", "message": "record already exists"}]}"#);
}

#[test]
fn one_answer_without_a_dimension_speaks_for_one_charge_and_not_for_three() {
    let answer =
        format!(r#"[{{"contract_id": "{A}", "status": "failed"}}, {{"contract_id": "{B}", "status": "success"}}]"#);
    let outcomes = results(&recorded(), &answer);
    assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Unknown, Status::Unknown, Status::Accepted]);
    assert_eq!(refusals(&outcomes), [None; 4]);
    assert_eq!(
        outcomes[1].message.as_deref(),
        Some("Clazar says of this contract's charges (3 in the call), without naming the dimension: status \"failed\"")
    );
    assert_eq!(outcomes[3].raw, format!(r#"{{"contract_id": "{B}", "status": "success"}}"#));
}

#[test]
fn an_error_without_a_message_is_shown_as_far_as_it_goes() {
    let outcomes = results(&recorded(), &format!(r#"[{{"contract_id": "{A}", "errors": ["e"], "code": "c"}}]"#));
    assert_eq!(statuses(&outcomes), [Status::Unknown; 4]);
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some("Clazar says of this contract's charges (3 in the call), without naming the dimension: e (code c)")
    );
    assert_eq!(outcomes[3].message.as_deref(), Some("Clazar's answer says nothing that is surely about this charge"));
}

#[test]
fn no_results_confirm_nobody() {
    assert_eq!(statuses(&results(&recorded(), "[]")), [Status::Unknown; 4]);
}

#[test]
fn successes_without_a_contract_confirm_nobody() {
    let outcomes = results(&recorded(), r#"[{"status": "success"}, {"status": "success"}]"#);
    assert_eq!(statuses(&outcomes), [Status::Unknown; 4]);
    let outcomes = results(&recorded()[3..], r#"[{"status": "success"}]"#);
    assert_eq!(statuses(&outcomes), [Status::Unknown]);
}

#[test]
fn a_refusal_without_a_contract_is_the_only_charges_own_if_the_books_do_not_hold_it() {
    let charges = recorded();
    let said = |charges: &[Charge], list: &str| {
        let outcomes = results(charges, list);
        assert_eq!(statuses(&outcomes), vec![Status::Unknown; charges.len()], "{list}");
        outcomes[0].refusal_if_absent.clone()
    };
    let nameless = r#"{"errors": ["e"], "code": "c", "message": "invalid contract"}"#;
    let words = Some("invalid contract: e (code c)".to_owned());
    assert_eq!(said(&charges[..1], &format!("[{nameless}]")), words);
    let with = |field: &str| said(&charges[..1], &format!("[{}]", nameless.replacen('{', &format!("{{{field}, "), 1)));
    for fits in [r#""dimension": "cpu_core_hours""#, r#""quantity": "4""#, r#""contract_id": null"#] {
        assert_eq!(with(fits), words, "{fits}");
    }
    for odd in [r#""dimension": "memory""#, r#""dimension": []"#, r#""quantity": "5""#, r#""cloud": "gcp""#] {
        assert_eq!(with(odd), None, "{odd}");
    }
    assert_eq!(with(r#""contract_id": ["x"]"#), None);
    assert_eq!(said(&charges[..2], &format!("[{nameless}]")), None, "one of two charges");
    assert_eq!(said(&charges[..1], &format!("[{nameless},{nameless}]")), None, "one of two results");
    assert_eq!(said(&charges[..1], &format!("[{nameless},3]")), None, "one of two results");
    let exists = nameless.replace("invalid contract", "record already exists");
    assert_eq!(said(&charges[..1], &format!("[{exists}]")), None, "no refusal");
}

#[test]
fn a_duplicate_without_a_dimension_leaves_three_charges_to_a_look_up() {
    let answer = format!(
        r#"[{{"contract_id": "{A}", "errors": ["e"], "code": "c", "message": "record already exists"}}, {{"contract_id": "{B}", "status": "success"}}]"#
    );
    let outcomes = results(&recorded(), &answer);
    assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Unknown, Status::Unknown, Status::Accepted]);
    assert_eq!(refusals(&outcomes), [None; 4], "a duplicate is no refusal: absent charges are sent again");
    let outcomes = results(&recorded()[..1], &answer);
    assert_eq!(statuses(&outcomes), [Status::Duplicate]);
    assert_eq!(outcomes[0].message.as_deref(), Some("record already exists: e (code c)"));
}

#[test]
fn the_status_fail_is_a_refusal_though_the_record_has_an_id() {
    let charges = [charge(A, "cpu_core_hours", "1"), charge(A, "memory_byte_hours", "1")];
    let answer = format!("[{},{}]", echo(&charges[0], "i1", "fail"), echo(&charges[1], "i2", "success"));
    let outcomes = results(&charges, &answer);
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Accepted]);
    assert!(outcomes[0].retryable);
    assert_eq!(outcomes[0].message.as_deref(), Some("status \"fail\""));
    assert_eq!(outcomes[0].reference.as_deref(), Some("i1"));
}

#[test]
fn as_many_answers_as_charges_that_disagree_are_left_to_a_look_up_with_the_refusal() {
    let answer = format!(
        r#"[{{"contract_id": "{A}", "status": "success"}}, {{"contract_id": "{A}", "errors": ["e"], "code": "c", "message": "dimension invalid"}}]"#
    );
    let outcomes = results(&[charge(A, "d1", "3"), charge(A, "d2", "3")], &answer);
    assert_eq!(statuses(&outcomes), [Status::Unknown; 2]);
    assert_eq!(refusals(&outcomes), [Some("dimension invalid: e (code c)"); 2]);
    assert_eq!(outcomes[0].raw, answer.replace(", {", ",{"));
}

#[test]
fn as_many_answers_as_charges_that_agree_speak_for_all() {
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "5"), charge(B, "d1", "1")];
    let twice = |result: &str| format!(r#"[{{"contract_id": "{A}", {result}}}, {{"contract_id": "{A}", {result}}}]"#);
    let outcomes = results(&charges, &twice(r#""status": "success""#));
    assert_eq!(statuses(&outcomes), [Status::Accepted, Status::Accepted, Status::Unknown]);
    assert_eq!(outcomes[0].reference, None);
    let outcomes = results(&charges, &twice(r#""message": "This metering record already exists.""#));
    assert_eq!(statuses(&outcomes), [Status::Duplicate, Status::Duplicate, Status::Unknown]);
    let outcomes = results(&charges, &twice(r#""errors": {"message": "no such contract"}"#));
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Rejected, Status::Unknown]);
    assert_eq!(outcomes[1].message.as_deref(), Some("no such contract"));
}

#[test]
fn answers_without_a_dimension_whose_quantities_do_not_fit_speak_for_nobody() {
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "5")];
    let with = |left: &str, right: &str| {
        format!(
            r#"[{{"contract_id": "{A}", "status": "success", {left}}}, {{"contract_id": "{A}", "status": "success", {right}}}]"#
        )
    };
    let both = |left: &str, right: &str| statuses(&results(&charges, &with(left, right)));
    assert_eq!(both(r#""quantity": "5""#, r#""quantity": 3"#), [Status::Accepted; 2]);
    assert_eq!(both(r#""quantity": "5""#, r#""quantity": "5""#), [Status::Unknown; 2]);
    assert_eq!(both(r#""quantity": "5""#, r#""quantity": "many""#), [Status::Unknown; 2]);
    assert_eq!(both(r#""quantity": "5""#, r#""quantity": ["3"]"#), [Status::Unknown; 2]);
    assert_eq!(both(r#""cloud": "aws""#, r#""cloud": "gcp""#), [Status::Unknown; 2]);
    assert_eq!(both(r#""id": "1""#, r#""id": "2""#), [Status::Accepted; 2]);
    assert_eq!(both(r#""id": "1""#, r#""id": "1""#), [Status::Unknown; 2], "one result that came twice");
}

#[test]
fn the_answers_with_a_dimension_are_taken_first() {
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "5"), charge(A, "d3", "5")];
    let loose = format!(r#"{{"contract_id": "{A}", "status": "success"}}"#);
    let refused = format!(r#"{{"contract_id": "{A}", "dimension": "d1", "errors": ["no"]}}"#);
    let outcomes = results(&charges, &format!("[{loose},{refused},{loose}]"));
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Unknown, Status::Unknown], "they do not agree");
    let taken = refused.replace(r#""errors": ["no"]"#, r#""status": "success""#);
    let outcomes = results(&charges, &format!("[{loose},{taken},{loose}]"));
    assert_eq!(statuses(&outcomes), [Status::Accepted; 3]);
    let outcomes = results(&charges, &format!("[{loose},{taken},{loose},3]"));
    assert_eq!(statuses(&outcomes), [Status::Accepted, Status::Unknown, Status::Unknown], "one that nobody can read");
    let outcomes = results(&charges, &format!("[{loose},{refused}]"));
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Unknown, Status::Unknown]);
    let stray = refused.replace("d1", "d9");
    let outcomes = results(&charges, &format!("[{loose},{stray},{loose}]"));
    assert_eq!(statuses(&outcomes), [Status::Unknown; 3]);
    let outcomes = results(&charges, &format!("[{loose},{refused},{refused}]"));
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Unknown, Status::Unknown]);
}

#[test]
fn an_answer_without_a_dimension_is_nobodys_beside_one_that_is_odd() {
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "5")];
    let loose = format!(r#"{{"contract_id": "{A}", "status": "success"}}"#);
    let own = echo(&charges[0], "i1", "success");
    assert_eq!(statuses(&results(&charges, &format!("[{own},{loose}]"))), [Status::Accepted; 2]);
    let twice = results(&charges, &format!("[{own},{own},{loose}]"));
    assert_eq!(statuses(&twice), [Status::Accepted, Status::Unknown], "more results than charges");
    let odd = own.replace(r#""quantity": "3""#, r#""quantity": "5""#);
    let outcomes = results(&charges, &format!("[{odd},{loose}]"));
    assert_eq!(statuses(&outcomes), [Status::Unknown; 2], "the first may be about the second charge");
}

#[test]
fn a_surplus_answer_without_a_dimension_may_speak_of_any_charge_of_its_contract() {
    let charges = [charge(A, "d1", "3")];
    let own = echo(&charges[0], "i1", "success");
    let refused = format!(r#"{{"contract_id": "{A}", "errors": ["no"]}}"#);
    let outcomes = results(&charges, &format!("[{own},{refused}]"));
    assert_eq!(statuses(&outcomes), [Status::Unknown]);
    assert_eq!(refusals(&outcomes), [Some("no")]);
    let agreeing = format!(r#"{{"contract_id": "{A}", "status": "success"}}"#);
    assert_eq!(statuses(&results(&charges, &format!("[{own},{agreeing}]"))), [Status::Accepted]);
}

#[test]
fn two_answers_for_one_charge_count_if_they_agree() {
    let charges = [charge(A, "d1", "3")];
    let (good, bad) = (echo(&charges[0], "i1", "success"), echo(&charges[0], "i2", "fail"));
    let outcomes = results(&charges, &format!("[{good},{good}]"));
    assert_eq!((outcomes[0].status, outcomes[0].reference.as_deref()), (Status::Accepted, Some("i1")));
    let outcomes = results(&charges, &format!("[{good},{bad}]"));
    assert_eq!(statuses(&outcomes), [Status::Unknown]);
    assert_eq!(refusals(&outcomes), [Some("status \"fail\"")]);
}

#[test]
fn an_answer_that_echoes_something_else_is_not_the_charges_own() {
    let charges = [charge(A, "cpu", "4")];
    let good = echo(&charges[0], "i1", "success");
    for (from, to, message) in [
        (r#""quantity": "4""#, r#""quantity": "5""#, "Clazar speaks of quantity 5, but 4 was sent"),
        (
            r#""quantity": "4""#,
            r#""quantity": {}"#,
            "Clazar speaks of quantity something that is no text, but 4 was sent",
        ),
        (r#""cloud": "aws""#, r#""cloud": "gcp""#, "Clazar speaks of cloud gcp, but aws was sent"),
        (
            "2025-06-01",
            "2025-05-01",
            "Clazar speaks of start_time 2025-05-01T00:00:00Z, but 2025-06-01T00:00:00Z was sent",
        ),
        ("23:59:59Z", "23:59:58Z", "Clazar speaks of end_time 2025-06-30T23:59:58Z, but 2025-06-30T23:59:59Z was sent"),
    ] {
        let outcomes = results(&charges, &format!("[{}]", good.replace(from, to)));
        assert_eq!((outcomes[0].status, outcomes[0].message.as_deref()), (Status::Unknown, Some(message)));
        assert_eq!(outcomes[0].refusal_if_absent, None);
    }
    for (from, to) in [(A, B), (r#""cpu""#, r#""CPU""#), (r#""cpu""#, r#"["cpu"]"#)] {
        assert_eq!(statuses(&results(&charges, &format!("[{}]", good.replace(from, to)))), [Status::Unknown], "{to}");
    }
}

#[test]
fn the_same_thing_in_another_writing_is_the_charges_own() {
    let charges = [charge(A, "cpu", "4")];
    let good = echo(&charges[0], "i1", "success");
    for (from, to) in [
        (r#""quantity": "4""#, r#""quantity": 4"#),
        (r#""quantity": "4""#, r#""quantity": "4.00""#),
        (r#""quantity": "4""#, r#""quantity": 4.0"#),
        (r#""quantity": "4""#, r#""quantity": null"#),
        (r#""cloud": "aws""#, r#""cloud": "AWS""#),
        ("00:00:00Z", "00:00:00+00:00"),
        ("2025-06-01T00:00:00Z", "2025-06-01T02:00:00.000+02:00"),
        ("23:59:59Z", "23:59:59.000000"),
        (r#""success""#, r#""Success""#),
        (r#""custom_properties": {}"#, r#""errors": []"#),
        (r#""custom_properties": {}"#, r#""errors": null, "code": null, "message": """#),
    ] {
        assert_eq!(statuses(&results(&charges, &format!("[{}]", good.replace(from, to)))), [Status::Accepted], "{to}");
    }
}

#[test]
fn a_quantity_of_38_digits_is_compared_digit_by_digit() {
    let charges = [charge(A, "cpu", "12345678901234567890123456789012345678")];
    let of = |quantity: &str| {
        format!(r#"[{{"contract_id": "{A}", "dimension": "cpu", "status": "success", "quantity": {quantity}}}]"#)
    };
    assert_eq!(statuses(&results(&charges, &of("12345678901234567890123456789012345678"))), [Status::Accepted]);
    assert_eq!(statuses(&results(&charges, &of("12345678901234567890123456789012345679"))), [Status::Unknown]);
}

#[test]
fn what_a_result_says_is_read_as_it_says_it() {
    let charges = [charge(A, "cpu", "4")];
    for (fields, status, message, refusal) in [
        (r#""status": "success", "errors": ["e"]"#, Status::Unknown, "status \"success\", and yet: e", Some("e")),
        (r#""status": "fail", "errors": ["e", "f", "e"]"#, Status::Rejected, "e: f", None),
        (r#""errors": [{"message": "m", "code": 1}]"#, Status::Rejected, "m", None),
        (r#""errors": [{"field": "dimension"}]"#, Status::Rejected, r#"{"field":"dimension"}"#, None),
        (r#""errors": "plain", "code": 7"#, Status::Rejected, "plain (code 7)", None),
        (r#""errors": true"#, Status::Rejected, "true", None),
        (r#""errors": [""], "code": "c", "message": "m""#, Status::Rejected, "m:  (code c)", None),
        (r#""errors": [null]"#, Status::Rejected, "errors that say nothing", None),
        (r#""id": "i1""#, Status::Unknown, "neither a status nor errors", None),
        (r#""message": "hm""#, Status::Unknown, "neither a status nor errors: hm", None),
        (r#""status": "pending""#, Status::Unknown, "status \"pending\"", None),
        (r#""status": ["success"]"#, Status::Unknown, "a status that is no text", None),
        (
            r#""status": "success", "message": "record already exists""#,
            Status::Duplicate,
            "record already exists",
            None,
        ),
        (
            r#""code": "x", "errors": [{"message": "Another record has the same contract_id in the same hour."}]"#,
            Status::Duplicate,
            "Another record has the same contract_id in the same hour. (code x)",
            None,
        ),
    ] {
        let outcomes = results(&charges, &format!(r#"[{{"contract_id": "{A}", "dimension": "cpu", {fields}}}]"#));
        let said = (outcomes[0].status, outcomes[0].message.as_deref(), outcomes[0].refusal_if_absent.as_deref());
        assert_eq!(said, (status, Some(message), refusal), "{fields}");
        assert_eq!(outcomes[0].retryable, status == Status::Rejected);
    }
}

#[test]
fn a_result_that_says_a_thing_twice_or_is_no_object_says_nothing() {
    let charges = [charge(A, "cpu", "4")];
    for result in [
        format!(r#"{{"contract_id": "{A}", "dimension": "cpu", "status": "fail", "status": "success"}}"#),
        format!(r#"["i1", "aws", "{A}", "cpu", null, null, "4", "success", null, null, null]"#),
        "null".into(),
        "\"success\"".into(),
    ] {
        assert_eq!(statuses(&results(&charges, &format!("[{result}]"))), [Status::Unknown], "{result}");
    }
}

#[test]
fn two_charges_of_one_slot_are_not_told_apart() {
    let mut twin = charge(A, "cpu", "4");
    twin.id = "twin".into();
    let charges = [charge(A, "cpu", "4"), twin];
    let outcomes = results(&charges, &format!("[{0},{0}]", echo(&charges[0], "i1", "success")));
    assert_eq!(statuses(&outcomes), [Status::Unknown; 2]);
}

#[test]
fn an_answer_that_is_none_to_a_call_leaves_everything_unknown() {
    for (body, message) in [
        ("<html>", "POST https://api.clazar.io/metering/: Clazar's answer is no JSON object: <html>"),
        ("", "POST https://api.clazar.io/metering/: Clazar's answer is no JSON object: without a word"),
        ("[]", "POST https://api.clazar.io/metering/: Clazar's answer is no JSON object: []"),
        (r#"{"detail": "later"}"#, "POST https://api.clazar.io/metering/: Clazar's answer has no `results`: later"),
        (
            r#"{"results": {"a": 1}}"#,
            r#"POST https://api.clazar.io/metering/: the `results` of Clazar's answer are no list: {"results": {"a": 1}}"#,
        ),
    ] {
        assert_eq!(offer(&recorded(), 200, body), Err(Failure::Other(message.into())));
    }
}

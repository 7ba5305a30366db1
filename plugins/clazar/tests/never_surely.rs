//! Whatever the service answers, no charge is accepted that it does not surely speak for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{charge, offer, results};
use meterhost_sdk::{Charge, Status};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Up to seven charges, each of another contract or dimension.
fn charges() -> impl Strategy<Value = Vec<Charge>> {
    let names: Vec<(&str, &str)> =
        ["A", "B"].into_iter().flat_map(|contract| ["d1", "d2", "d3"].map(|d| (contract, d))).collect();
    let quantities = prop::collection::vec(select(vec!["3", "4", "5"]), names.len());
    (prop::sample::subsequence(names, 1..=6), quantities).prop_map(|(names, quantities)| {
        names
            .iter()
            .zip(quantities)
            .map(|((contract, dimension), quantity)| charge(contract, dimension, quantity))
            .collect()
    })
}

fn full(charge: &Charge, outcome: &str) -> Map<String, Value> {
    let mut result = json!({
        "id": charge.id, "cloud": "aws", "contract_id": charge.customer, "dimension": charge.dimension,
        "quantity": charge.quantity.to_string(),
        "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z",
    });
    match outcome {
        "errors" => result["errors"] = json!(["e"]),
        "duplicate" => result["errors"] = json!([{ "message": "same contract_id, same hour" }]),
        status => result["status"] = json!(status),
    }
    result.as_object().unwrap().clone()
}

/// Anything that may stand in a result.
fn result() -> impl Strategy<Value = Value> {
    let one = |values: Vec<Value>| prop::option::of(select(values));
    let contract = one(vec![json!("A"), json!("B"), json!("C"), json!(null), json!(["A"]), json!("")]);
    let dimension = one(vec![json!("d1"), json!("d2"), json!("d3"), json!("D1"), json!(null), json!({})]);
    let quantity = one(vec![json!("3"), json!(4), json!("5.0"), json!("x"), json!([]), json!(null)]);
    let status = one(vec![json!("success"), json!("SUCCESS"), json!("fail"), json!("pending"), json!(null), json!(1)]);
    let errors = one(vec![
        json!([]),
        json!(["e"]),
        json!([{ "message": "already exists" }]),
        json!(null),
        json!("e"),
        json!({}),
    ]);
    let start = one(vec![json!("2025-06-01T00:00:00Z"), json!("2025-05-01T00:00:00Z"), json!("soon")]);
    (contract, dimension, quantity, status, errors, start).prop_map(
        |(contract, dimension, quantity, status, errors, start)| {
            let fields = [
                ("contract_id", contract),
                ("dimension", dimension),
                ("quantity", quantity),
                ("status", status),
                ("errors", errors),
                ("start_time", start),
            ];
            Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
        },
    )
}

fn text<'a>(result: &'a Value, name: &str) -> &'a str {
    result[name].as_str().unwrap_or_default()
}

/// Whether a result says success, contradicts nothing that was sent of the charge and objects to nothing.
fn confirms(result: &Value, charge: &Charge) -> bool {
    let quantity = match &result["quantity"] {
        Value::Null => true,
        Value::String(text) => text.trim_end_matches(".0") == charge.quantity.to_string(),
        other => other.as_i64().is_some_and(|number| charge.quantity == number.into()),
    };
    let errors = &result["errors"];
    text(result, "status").eq_ignore_ascii_case("success")
        && (errors.is_null() || *errors == json!([]) || *errors == json!({}))
        && (result["start_time"].is_null() || text(result, "start_time") == "2025-06-01T00:00:00Z")
        && quantity
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_charge_is_accepted_only_by_answers_that_all_confirm_it(
        charges in charges(),
        answers in prop::collection::vec(result(), 0..8),
    ) {
        let outcomes = results(&charges, &Value::Array(answers.clone()).to_string());
        prop_assert_eq!(outcomes.len(), charges.len());
        for (charge, outcome) in charges.iter().zip(&outcomes) {
            prop_assert_eq!(&outcome.id, &charge.id);
            if outcome.status != Status::Accepted {
                continue;
            }
            let of_contract: Vec<&Value> =
                answers.iter().filter(|result| text(result, "contract_id") == charge.customer).collect();
            let own: Vec<&&Value> =
                of_contract.iter().filter(|result| text(result, "dimension") == charge.dimension).collect();
            if own.is_empty() {
                let rivals = charges.iter().filter(|other| other.customer == charge.customer).count();
                prop_assert_eq!(of_contract.len(), rivals);
                let loose: Vec<&&Value> = of_contract.iter().filter(|result| text(result, "dimension").is_empty()).collect();
                prop_assert!(!loose.is_empty());
                let agree = loose.iter().all(|result| {
                    charges.iter().any(|other| other.customer == charge.customer && confirms(result, other))
                });
                prop_assert!(agree, "{:?}", loose);
            } else {
                prop_assert!(own.iter().all(|result| confirms(result, charge)), "{:?}", own);
            }
        }
    }

    #[test]
    fn an_answer_that_lost_fields_or_results_never_turns_a_failure_into_a_success(
        charges in charges(),
        said in prop::collection::vec(select(vec!["success", "success", "fail", "errors", "duplicate", "pending"]), 6),
        lost in prop::collection::vec((any::<Index>(), select(vec!["id", "cloud", "contract_id", "dimension", "quantity", "start_time", "end_time", "status", "errors"])), 0..10),
        dropped in prop::collection::vec(any::<Index>(), 0..3),
        order in any::<Index>(),
    ) {
        let mut answers: Vec<Map<String, Value>> =
            charges.iter().zip(&said).map(|(charge, said)| full(charge, said)).collect();
        for (index, field) in lost {
            let place = index.index(answers.len());
            answers[place].remove(field);
        }
        let turn = order.index(answers.len());
        answers.rotate_left(turn);
        for index in dropped {
            if !answers.is_empty() {
                let place = index.index(answers.len());
                answers.remove(place);
            }
        }
        let outcomes = results(&charges, &json!(answers).to_string());
        for (outcome, said) in outcomes.iter().zip(&said) {
            prop_assert!(outcome.status != Status::Accepted || *said == "success", "{outcome:?} was {said}");
            prop_assert!(outcome.status != Status::Rejected || matches!(*said, "fail" | "errors"), "{outcome:?} was {said}");
            prop_assert!(outcome.status != Status::Duplicate || *said == "duplicate", "{outcome:?} was {said}");
        }
    }

    #[test]
    fn no_body_brings_the_plugin_down(body in ".{0,200}") {
        let charges = [charge("A", "d1", "3")];
        if let Ok(outcomes) = offer(&charges, 200, &body) {
            prop_assert_eq!(outcomes[0].status, Status::Unknown);
        }
    }
}

//! What is found in the service's books.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{A, METERING, charge, json, session, stage};
use meterhost_sdk::http::{Error, Response};
use meterhost_sdk::{Charge, Decimal, Failure, Finding, HeldRecord, Session};

/// The findings for charges when every listing is these records, in one page.
fn findings(charges: &[Charge], records: &str) -> Vec<Finding> {
    let body = format!(r#"{{"results": {records}, "next": null, "count": 0}}"#);
    stage(move |_| Ok(json(200, &body)));
    let answers = session().look_up(charges).unwrap();
    assert!(answers.iter().zip(charges).all(|(answer, charge)| answer.id == charge.id));
    answers.into_iter().map(|answer| answer.finding).collect()
}

const HELD: &str = r#"{"id": "i1", "cloud": "aws", "contract_id": "A", "dimension": "cpu", "quantity": "4", "status": "success", "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z"}"#;

fn held(quantity: &str, raw: &str) -> HeldRecord {
    HeldRecord { reference: Some("i1".into()), quantity: Decimal::parse(quantity).ok(), raw: raw.into() }
}

#[test]
fn a_record_in_the_books_with_the_charges_quantity_is_found() {
    let found = findings(&[charge("A", "cpu", "4"), charge("A", "memory", "4")], &format!("[{HELD}]"));
    assert_eq!(found, [Finding::Found(held("4", HELD)), Finding::Absent]);
    for (from, to) in [
        (r#""4""#, "4.0"),
        ("00:00:00Z", "00:00:00+00:00"),
        ("23:59:59Z", "23:59:59.000Z"),
        (r#""cloud": "aws", "#, ""),
        ("aws", "AWS"),
        ("success", "SUCCESS"),
    ] {
        let raw = HELD.replace(from, to);
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{raw}]"));
        assert_eq!(found, [Finding::Found(held("4", &raw))]);
    }
}

#[test]
fn another_quantity_or_another_end_from_the_same_hour_on_is_different() {
    for (from, to) in [
        (r#""4""#, r#""5""#),
        ("2025-06-30T23:59:59Z", "2025-06-01T00:59:59Z"),
        ("2025-06-01T00:00:00Z", "2025-06-01T00:30:00Z"),
    ] {
        let raw = HELD.replace(from, to);
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{raw}]"));
        let quantity = if to == r#""5""# { "5" } else { "4" };
        assert_eq!(found, [Finding::Different(held(quantity, &raw))]);
    }
}

#[test]
fn records_of_others_say_nothing() {
    for (from, to) in [
        (r#""A""#, r#""B""#),
        ("aws", "gcp"),
        ("cpu", "CPU"),
        ("2025-06-01T00", "2025-06-01T01"),
        ("2025-06", "2025-05"),
        ("success", "fail"),
        ("success", "failed"),
    ] {
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{}]", HELD.replace(from, to)));
        assert_eq!(found, [Finding::Absent], "{to}");
    }
}

#[test]
fn a_failed_record_beside_a_billed_one_says_nothing() {
    let failed = HELD.replace("success", "fail").replace(r#""4""#, r#""9""#);
    let found = findings(&[charge("A", "cpu", "4")], &format!("[{failed},{HELD},{failed}]"));
    assert_eq!(found, [Finding::Found(held("4", HELD))]);
}

#[test]
fn what_the_books_leave_open_cannot_be_told() {
    for (from, to, why) in [
        ("success", "pending", "Clazar holds a record in its place with status \"pending\""),
        (r#""success""#, "null", "Clazar holds a record in its place with no status"),
        (r#""4""#, "null", "Clazar's record shows no quantity"),
        (r#""4""#, r#""four""#, "Clazar's record shows no quantity"),
    ] {
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{}]", HELD.replace(from, to)));
        assert_eq!(found, [Finding::CannotTell(why.into())]);
    }
    for (from, to) in
        [(r#""dimension": "cpu", "#, ""), (r#""contract_id": "A", "#, ""), ("2025-06-01T00:00:00Z", "June")]
    {
        let raw = HELD.replace(from, to);
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{raw}]"));
        let why =
            format!("Clazar lists a record that does not say whose it is: {raw}").chars().take(200).collect::<String>();
        assert!(matches!(&found[0], Finding::CannotTell(text) if text.starts_with(&why)), "{found:?}");
        let found = findings(&[charge("A", "cpu", "4")], &format!("[{},{HELD}]", raw.replace("success", "fail")));
        assert_eq!(found, [Finding::Found(held("4", HELD))]);
    }
    let found = findings(&[charge("A", "cpu", "4")], r#"["x"]"#);
    assert_eq!(found, [Finding::CannotTell("Clazar lists something that is no record: \"x\"".into())]);
}

#[test]
fn each_contract_is_listed_once_page_by_page_until_next_is_null() {
    let sent = stage(|request| {
        let page = request.url.split("&page=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
        let next = if page == "3" { "null" } else { r#""https://elsewhere.example/?page=2""# };
        let record = HELD.replace("cpu", &format!("d{page}"));
        Ok(json(200, &format!(r#"{{"results": [{record}], "next": {next}, "count": 3}}"#)))
    });
    let charges = [
        charge("A", "d1", "4"),
        charge("B", "d1", "4"),
        charge("A", "d3", "4"),
        charge("A", "d4", "4"),
        charge("A", "d2", "5"),
    ];
    let answers = session().look_up(&charges).unwrap();
    let found: Vec<bool> = answers.iter().map(|answer| matches!(answer.finding, Finding::Found(_))).collect();
    assert_eq!(found, [true, false, true, false, false]);
    assert!(matches!(answers[4].finding, Finding::Different(_)));
    let urls: Vec<String> =
        sent.borrow().iter().skip(1).map(|request| format!("{} {}", request.method, request.url)).collect();
    let url = |contract, page| format!("GET {METERING}?cloud=aws&contract_id={contract}&page={page}&page_size=100");
    let expected: Vec<String> =
        ["A", "B"].into_iter().flat_map(|contract| (1..=3).map(move |page| url(contract, page))).collect();
    assert_eq!(urls, expected);
    let headers = [("accept", "application/json"), ("authorization", "Bearer tok-12345678")];
    assert_eq!(sent.borrow()[1].headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_contract_id_cannot_widen_the_question() {
    let sent = stage(|_| Ok(json(200, r#"{"results": [], "next": null}"#)));
    session().look_up(&[charge("a&cloud=gcp é/", "d", "1")]).unwrap();
    assert!(sent.borrow()[1].url.contains("&contract_id=a%26cloud%3Dgcp%20%C3%A9%2F&page=1"));
}

#[test]
fn a_listing_that_lacks_records_tells_nothing_of_those_it_does_not_show() {
    stage(|_| Ok(json(200, &format!(r#"{{"results": [{HELD}], "next": null, "count": 2}}"#))));
    let answers = session().look_up(&[charge("A", "cpu", "4"), charge("A", "memory", "4")]).unwrap();
    assert!(matches!(answers[0].finding, Finding::Found(_)));
    assert_eq!(answers[1].finding, Finding::CannotTell("Clazar counts 2 records and listed 1".into()));
}

#[test]
fn a_listing_without_an_end_is_given_up() {
    let sent = stage(|_| Ok(json(200, r#"{"results": [], "next": "more"}"#)));
    let answers = session().look_up(&[charge(A, "cpu", "4")]).unwrap();
    assert_eq!(answers[0].finding, Finding::CannotTell("Clazar's listing goes on after 1000 pages".into()));
    assert_eq!(sent.borrow().len(), 1001);
}

/// The findings for a charge of each of these contracts, where the listings of some are answered in their own way and
/// those of the others are empty; and how many listings were asked for.
fn listed(
    contracts: &[&str],
    mut own: impl FnMut(&str) -> Option<Result<Response, Error>> + 'static,
) -> (Result<Vec<Finding>, Failure>, usize) {
    let sent = stage(move |request| {
        let contract = request.url.split("contract_id=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
        own(contract).unwrap_or_else(|| Ok(json(200, r#"{"results": [], "next": null, "count": 0}"#)))
    });
    let charges: Vec<Charge> = contracts.iter().map(|contract| charge(contract, "d", "1")).collect();
    let answers = session().look_up(&charges);
    let findings = answers.map(|answers| answers.into_iter().map(|answer| answer.finding).collect());
    (findings, sent.borrow().len() - 1)
}

fn cannot_tell(text: &str) -> Finding {
    Finding::CannotTell(format!("GET {METERING}: {text}"))
}

#[test]
fn a_contract_whose_listing_fails_leaves_the_others_answered() {
    for (status, body, why) in [
        (400, "no", "Clazar answered 400: no"),
        (403, "no", "Clazar answered 403: no"),
        (404, "no", "Clazar answered 404: no; is `url` the address of the metering resource?"),
        (500, "no", "Clazar answered 500: no"),
        (503, r#"{"results": [], "next": null}"#, r#"Clazar answered 503: {"results": [], "next": null}"#),
        (200, "<html>", "page 1 of contract B: Clazar's answer is no JSON object: <html>"),
        (200, r#"{"next": null}"#, r#"page 1 of contract B: there are no `results`: {"next": null}"#),
        (200, r#"{"results": {}, "next": null}"#, "page 1 of contract B: `results` is no list"),
        (
            200,
            r#"{"results": []}"#,
            "page 1 of contract B: `next` is missing, so nobody knows whether this is the last page",
        ),
    ] {
        let (findings, asked) =
            listed(&["A", "B", "C", "B"], move |contract| (contract == "B").then(|| Ok(json(status, body))));
        let expected = [Finding::Absent, cannot_tell(why), Finding::Absent, cannot_tell(why)];
        assert_eq!((findings.unwrap().as_slice(), asked), (&expected[..], 3), "{status} {body}");
    }
    let (findings, _) = listed(&["A", "B", "C"], |contract| {
        (contract == "B").then(|| Err(Error::Unanswered("the connection was lost".into())))
    });
    assert_eq!(findings.unwrap(), [Finding::Absent, cannot_tell("the connection was lost"), Finding::Absent]);
}

#[test]
fn a_refused_token_and_too_many_requests_end_a_look_up_and_keep_what_was_found() {
    let auth = Failure::Auth(format!("GET {METERING}: Clazar answered 401: without a word"));
    for (status, failure) in [(401, auth), (429, Failure::Throttled(None))] {
        let at = |name: &'static str| move |contract: &str| (contract == name).then(|| Ok(json(status, "")));
        let (findings, asked) = listed(&["A", "B", "A", "C"], at("B"));
        assert_eq!(
            (findings, asked),
            (Ok(vec![Finding::Absent; 2]), 2),
            "both charges of A, and C was not asked about"
        );
        let (findings, asked) = listed(&["A", "B"], at("A"));
        assert_eq!((findings, asked), (Err(failure), 1));
    }
}

#[test]
fn a_look_up_that_is_not_granted_fails_as_a_whole() {
    let (findings, asked) = listed(&["A", "B"], |_| Some(Err(Error::Denied("not granted".into()))));
    assert_eq!((findings, asked), (Err(Failure::Other(format!("GET {METERING}: not granted"))), 1));
}

#[test]
fn a_service_that_does_not_answer_is_not_asked_for_ever() {
    let (findings, asked) = listed(&["A", "B", "C", "D", "E", "F"], |contract| {
        (contract != "B").then(|| Err(Error::Unanswered("no answer within 60 s".into())))
    });
    let silent = cannot_tell("no answer within 60 s");
    let unasked = "Clazar did not answer 3 times in a row, so it was not asked about this contract";
    let expected =
        [silent.clone(), Finding::Absent, silent.clone(), silent.clone(), silent, Finding::CannotTell(unasked.into())];
    assert_eq!((findings.unwrap().as_slice(), asked), (&expected[..], 5));
}

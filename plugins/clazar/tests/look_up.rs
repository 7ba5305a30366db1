//! What is found in the service's books.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{METERING, charge, json, session, stage};
use meterhost_sdk::http::{Error, Response};
use meterhost_sdk::{Charge, Decimal, Failure, Finding, HeldRecord, Session, Window};

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
}

/// What is found for a charge of cpu, one of memory, one of another month and one of another contract, where the books hold this.
fn told(record: &str) -> [&'static str; 4] {
    let april = Window { start: 1_743_465_600_000, end: 1_746_057_600_000 };
    let charges = [
        charge("A", "cpu", "4"),
        charge("A", "memory", "4"),
        Charge { id: "april".into(), window: april, ..charge("A", "cpu", "4") },
        charge("B", "cpu", "4"),
    ];
    let findings = findings(&charges, &format!("[{record}]"));
    let mut told = findings.iter().map(|finding| match finding {
        Finding::Found(_) => "found",
        Finding::Different(_) => "different",
        Finding::Absent => "absent",
        Finding::CannotTell(text) => {
            assert!(text.contains(record.get(..100).unwrap_or(record)), "{text}");
            "?"
        }
    });
    std::array::from_fn(|_| told.next().unwrap())
}

const START: &str = r#""start_time": "2025-06-01T00:00:00Z""#;
const END: &str = r#""end_time": "2025-06-30T23:59:59Z""#;

#[test]
fn a_record_that_lacks_a_field_leaves_open_only_the_charges_that_may_be_its_own() {
    assert_eq!(told(HELD), ["found", "absent", "absent", "absent"]);
    for (field, expected) in [
        (r#""dimension": "cpu""#, ["?", "?", "absent", "absent"]),
        (r#""contract_id": "A""#, ["?", "absent", "absent", "?"]),
        (r#""cloud": "aws""#, ["?", "absent", "absent", "absent"]),
        (START, ["?", "absent", "absent", "absent"]),
        (END, ["?", "absent", "absent", "absent"]),
    ] {
        let (name, value) = field.split_once(": ").unwrap();
        let mut unreadable = vec![format!("{name}: [{value}]"), format!("{field}, {field}")];
        match name {
            r#""cloud""# => {}
            _ => unreadable.extend([format!("{name}: null"), format!("{name}: \"\""), r#""other": 1"#.into()]),
        }
        if name.ends_with("time\"") {
            unreadable.push(format!("{name}: \"June\""));
        }
        for unreadable in unreadable {
            assert_eq!(told(&HELD.replace(field, &unreadable)), expected, "{unreadable}");
        }
    }
}

#[test]
fn the_less_a_record_says_the_more_charges_it_leaves_open() {
    for (fields, expected) in [
        ("", ["?"; 4]),
        (r#""quantity": "4", "status": "success""#, ["?"; 4]),
        (r#""contract_id": "A""#, ["?", "?", "?", "absent"]),
        (r#""dimension": "cpu""#, ["?", "absent", "?", "?"]),
        (START, ["?", "?", "absent", "?"]),
        (END, ["?", "?", "absent", "?"]),
        (r#""contract_id": "A", "dimension": "cpu""#, ["?", "absent", "?", "absent"]),
        (r#""contract_id": "A", "dimension": "disk""#, ["absent"; 4]),
        (r#""contract_id": "C""#, ["absent"; 4]),
        (r#""cloud": "gcp""#, ["absent"; 4]),
        (r#""start_time": "2025-07-01T00:00:00Z""#, ["absent"; 4]),
        (r#""end_time": "2025-07-31T23:59:59Z""#, ["absent"; 4]),
        (r#""status": "fail""#, ["absent"; 4]),
    ] {
        assert_eq!(told(&format!("{{{fields}}}")), expected, "{fields}");
    }
    for raw in [r#""x""#, "null", "7", r#"["i1", "aws", "A", "cpu"]"#] {
        assert_eq!(told(raw), ["?"; 4], "{raw}");
    }
}

#[test]
fn a_failed_record_leaves_nothing_open_whatever_it_lacks() {
    for field in [r#""dimension": "cpu""#, r#""contract_id": "A""#, START, END] {
        let failed = HELD.replace("success", "fail").replace(field, r#""other": 1"#);
        assert_eq!(told(&failed), ["absent"; 4], "{failed}");
    }
}

#[test]
fn a_record_in_the_place_is_different_by_what_it_has_though_it_lacks_an_end() {
    for (from, to) in [(r#""4""#, r#""5""#), ("2025-06-01T00:00:00Z", "2025-06-01T00:30:00Z")] {
        let record = HELD.replace(END, r#""end_time": null"#).replace(from, to);
        assert_eq!(told(&record), ["different", "absent", "absent", "absent"]);
    }
}

#[test]
fn a_charges_own_record_outweighs_every_doubt_and_another_in_its_place_all_but_that() {
    let (doubtful, other) = (HELD.replace(r#""A""#, "null"), HELD.replace(r#""4""#, r#""5""#));
    let charges = [charge("A", "cpu", "4")];
    for books in [[HELD, &doubtful, &other], [&other, &doubtful, HELD], [r#""x""#, HELD, &other]] {
        assert_eq!(findings(&charges, &format!("[{}]", books.join(","))), [Finding::Found(held("4", HELD))]);
    }
    for books in [[&doubtful, &other], [&other, &doubtful]] {
        let found = findings(&charges, &format!("[{},{}]", books[0], books[1]));
        assert_eq!(found, [Finding::Different(held("5", &other))]);
    }
    let found = findings(&charges, r#"["x", "y"]"#);
    assert_eq!(found, [Finding::CannotTell("Clazar lists a record that does not say whose it is: \"x\"".into())]);
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
    let charges = [charge("A", "cpu", "4"), charge("A", "memory", "4")];
    let answers = session().look_up(&charges).unwrap();
    assert!(matches!(answers[0].finding, Finding::Found(_)));
    stage(|_| Ok(json(200, &format!(r#"{{"results": [{HELD}, {HELD}], "next": null, "count": 2}}"#))));
    assert_eq!(session().look_up(&charges).unwrap()[1].finding, Finding::Absent, "two that are alike are two");
    assert_eq!(answers[1].finding, cannot_tell("page 1 of contract A: Clazar counts 2 records and listed 1"));
}

#[test]
fn a_record_that_moves_to_the_next_page_is_counted_once() {
    let page = |dimensions: [&str; 2], next: &str| {
        let records = dimensions.map(|dimension| HELD.replace("cpu", dimension)).join(",");
        format!(r#"{{"results": [{records}], "next": {next}, "count": 4}}"#)
    };
    // While the first page was on its way, a record was put before all others: the newest is on no page.
    let pages = [page(["d3", "d2"], "2"), page(["d2", "d1"], "null")];
    stage(move |request| Ok(json(200, &pages[usize::from(request.url.contains("&page=2"))])));
    let answers = session().look_up(&[charge("A", "d1", "4"), charge("A", "d4", "4")]).unwrap();
    assert!(matches!(answers[0].finding, Finding::Found(_)));
    assert_eq!(answers[1].finding, cannot_tell("page 2 of contract A: Clazar counts 4 records and listed 3"));
}

#[test]
fn nothing_is_asked_for_once_every_charge_is_found() {
    let sent = stage(|_| Ok(json(200, &format!(r#"{{"results": [{HELD}], "next": "more", "count": 900}}"#))));
    let answers = session().look_up(&[charge("A", "cpu", "4")]).unwrap();
    assert_eq!((&answers[0].finding, sent.borrow().len() - 1), (&Finding::Found(held("4", HELD)), 1));
}

/// What is found in the books of a service that always names a next page, and how many pages were asked for.
fn endless(page: impl Fn(usize) -> String + 'static) -> (Finding, usize) {
    let mut number = 0;
    let sent = stage(move |_| {
        number += 1;
        Ok(json(200, &format!(r#"{{"results": [{}], "next": "more", "count": 9}}"#, page(number))))
    });
    let mut answers = session().look_up(&[charge("A", "d", "4")]).unwrap();
    (answers.remove(0).finding, sent.borrow().len() - 1)
}

#[test]
fn a_listing_without_an_end_is_given_up() {
    let too_long = "contract A: Clazar's listing goes on after 1000 pages, and no more are read";
    let nothing_new =
        |page| format!("page {page} of contract A: it brings nothing new, and yet Clazar names a next page");
    assert_eq!(endless(|number| HELD.replace("i1", &format!("i{number}"))), (cannot_tell(too_long), 1000));
    let by_turns = endless(|number| HELD.replace("i1", &format!("i{}", number % 2)));
    assert_eq!(by_turns, (cannot_tell(too_long), 1000));
    assert_eq!(endless(|_| HELD.into()), (cannot_tell(&nothing_new(2)), 2), "one page again and again");
    let runs_dry = endless(|number| if number < 3 { HELD.replace("i1", &number.to_string()) } else { String::new() });
    assert_eq!(runs_dry, (cannot_tell(&nothing_new(3)), 3));
    assert_eq!(endless(|_| String::new()), (cannot_tell(&nothing_new(1)), 1));
}

/// The findings for two charges, of which the first is on the first of two pages, where the second page is answered like this.
fn broken_off(answer: Result<Response, Error>) -> Result<Vec<Finding>, Failure> {
    let first = format!(r#"{{"results": [{HELD}], "next": "more", "count": 2}}"#);
    stage(move |request| if request.url.contains("&page=2") { answer.clone() } else { Ok(json(200, &first)) });
    let answers = session().look_up(&[charge("A", "cpu", "4"), charge("A", "memory", "4")]);
    answers.map(|answers| answers.into_iter().map(|answer| answer.finding).collect())
}

#[test]
fn what_was_found_before_a_listing_broke_off_is_found() {
    let found = Finding::Found(held("4", HELD));
    for (answer, why) in [
        (Ok(json(500, "boom")), "Clazar answered 500: boom"),
        (Ok(json(404, "")), "Clazar answered 404: without a word; is `url` the address of the metering resource?"),
        (Ok(json(200, "<html>")), "page 2 of contract A: Clazar's answer is no JSON object: <html>"),
        (Err(Error::Unanswered("the connection was lost".into())), "the connection was lost"),
        (Err(Error::TooLarge("more than 64 MiB".into())), "more than 64 MiB"),
    ] {
        assert_eq!(broken_off(answer), Ok(vec![found.clone(), cannot_tell(why)]));
    }
    for status in [401, 429] {
        assert_eq!(broken_off(Ok(json(status, ""))), Ok(vec![found.clone()]), "the other is to be asked about again");
    }
    assert_eq!(broken_off(Err(Error::Denied("not granted".into()))), Ok(vec![found]));
}

/// The findings for a charge of each of these contracts, where the listings of some are answered in their own way and
/// those of the others are empty; and how many of their listings were asked for. The books of all together are too long.
fn listed(
    contracts: &[&str],
    mut own: impl FnMut(&str) -> Option<Result<Response, Error>> + 'static,
) -> (Result<Vec<Finding>, Failure>, usize) {
    let sent = stage(move |request| {
        let contract = request.url.split("contract_id=").nth(1).and_then(|rest| rest.split('&').next());
        let Some(contract) = contract else {
            return Ok(json(200, r#"{"results": [], "next": "https://elsewhere.example", "count": 100000}"#));
        };
        own(contract).unwrap_or_else(|| Ok(json(200, r#"{"results": [], "next": null, "count": 0}"#)))
    });
    let charges: Vec<Charge> = contracts.iter().map(|contract| charge(contract, "d", "1")).collect();
    let answers = session().look_up(&charges);
    let findings = answers.map(|answers| answers.into_iter().map(|answer| answer.finding).collect());
    let asked = sent.borrow().iter().filter(|request| request.url.contains("contract_id=")).count();
    (findings, asked)
}

#[test]
fn of_many_contracts_short_books_are_read_all_together() {
    let page_of = |url: &str| url.split("&page=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let sent = stage(move |request| {
        let record =
            |contract: &str, more: &str| HELD.replace("\"A\"", &format!("{contract:?}")).replace("\"4\"", more);
        let body = match (request.url.contains("contract_id="), page_of(&request.url).as_str()) {
            (false, "1") => format!(r#"{{"results": [{}], "next": "https://x", "count": 3}}"#, record("A", "\"4\"")),
            // One that has another quantity, and one that says nothing clear.
            (false, "2") => {
                let unclear = record("D", "\"4\"").replace("success", "pending");
                format!(r#"{{"results": [{}, {unclear}], "next": null, "count": 3}}"#, record("B", "\"5\""))
            }
            _ => r#"{"results": [], "next": null, "count": 0}"#.to_owned(),
        };
        Ok(json(200, &body))
    });
    let charges = ["A", "B", "C", "D", "E"].map(|contract| charge(contract, "cpu", "4"));
    let answers = session().look_up(&charges).unwrap();
    let findings: Vec<Finding> = answers.into_iter().map(|answer| answer.finding).collect();
    assert!(matches!(findings[0], Finding::Found(_)), "{findings:?}");
    assert!(matches!(findings[1], Finding::Different(_)), "{findings:?}");
    assert_eq!(
        findings[2..],
        [Finding::Absent, Finding::Absent, Finding::Absent],
        "the unclear one was asked for by itself"
    );
    let urls: Vec<String> = sent.borrow().iter().skip(1).map(|request| request.url.replace(METERING, "")).collect();
    let expected = ["&page=1", "&page=2", "&contract_id=D&page=1"].map(|ask| format!("?cloud=aws{ask}&page_size=100"));
    assert_eq!(urls, expected);
}

#[test]
fn books_that_break_off_are_asked_for_by_contract() {
    let sent = stage(|request| match request.url.contains("contract_id=") {
        true => Ok(json(200, r#"{"results": [], "next": null, "count": 0}"#)),
        false => Ok(json(500, "no")),
    });
    let charges = ["A", "B", "C", "D", "E"].map(|contract| charge(contract, "cpu", "4"));
    let answers = session().look_up(&charges).unwrap();
    assert!(answers.iter().all(|answer| answer.finding == Finding::Absent));
    assert_eq!(sent.borrow().len(), 1 + 1 + 5);
    // Where another question would meet the same, it is not put.
    let sent = stage(|_| Ok(json(429, "")));
    assert_eq!(session().look_up(&charges), Err(Failure::Throttled(None)));
    assert_eq!(sent.borrow().len(), 1 + 1);
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

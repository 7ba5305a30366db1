//! What leaves, and what is made of answers to whole calls.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use clazar::Clazar;
use common::{A, AUTHENTICATE, B, JUNE, METERING, NOW, charge, config, json, offer, session, stage};
use meterhost_sdk::http::{Error, Response};
use meterhost_sdk::{
    Decimal, Failure, Rate, Resolution, Session, Sink, Status, Together, Window, WindowKind, Zero, testing,
};

#[test]
fn records_leave_as_they_were_recorded() {
    let sent = stage(|_| Ok(json(200, r#"{"results": []}"#)));
    let charges = [charge(A, "cpu_core_hours", "4"), charge(B, "memory \"é\"", "10737418240.00")];
    session().submit(&charges, NOW).unwrap();
    let sent = sent.borrow();
    assert_eq!((sent[1].method.as_str(), sent[1].url.as_str(), sent[1].timeout), ("POST", METERING, Some(60_000)));
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("authorization", "Bearer tok-12345678"),
    ];
    assert_eq!(sent[1].headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(
        String::from_utf8(sent[1].body.clone()).unwrap(),
        format!(
            r#"{{"request":[{{"cloud":"aws","contract_id":"{A}","dimension":"cpu_core_hours","start_time":"2025-06-01T00:00:00Z","end_time":"2025-06-30T23:59:59Z","quantity":"4"}},{{"cloud":"aws","contract_id":"{B}","dimension":"memory \"é\"","start_time":"2025-06-01T00:00:00Z","end_time":"2025-06-30T23:59:59Z","quantity":"10737418240"}}]}}"#
        )
    );
}

#[test]
fn a_call_for_no_charges_sends_nothing() {
    let sent = stage(|_| Ok(json(200, "{}")));
    assert_eq!(session().submit(&[], NOW), Ok(vec![]));
    assert_eq!(sent.borrow().len(), 1);
}

#[test]
fn hours_days_and_the_ends_of_months_are_written_right() {
    for (start, end, from, to) in [
        (1_735_689_599_000 - 3_599_000, 1_735_689_600_000, "2024-12-31T23:00:00Z", "2024-12-31T23:59:59Z"),
        (1_735_689_600_000, 1_735_776_000_000, "2025-01-01T00:00:00Z", "2025-01-01T23:59:59Z"),
        (1_706_745_600_000, 1_709_251_200_000, "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"),
        (1_738_368_000_000, 1_740_787_200_000, "2025-02-01T00:00:00Z", "2025-02-28T23:59:59Z"),
    ] {
        let sent = stage(|_| Ok(json(200, r#"{"results": []}"#)));
        let charge = meterhost_sdk::Charge { window: Window { start, end }, ..charge(A, "d", "1") };
        session().submit(&[charge], NOW).unwrap();
        let body = String::from_utf8(sent.borrow()[1].body.clone()).unwrap();
        assert!(body.contains(&format!(r#""start_time":"{from}","end_time":"{to}""#)), "{body}");
    }
}

#[test]
fn the_cloud_and_the_address_are_those_of_the_configuration() {
    let sent = stage(|_| Ok(json(200, r#"{"results": []}"#)));
    let config = config(r#"{"cloud": "gcp", "url": "http://127.0.0.1:8080/v2/metering/"}"#);
    Clazar::connect(config, NOW).unwrap().submit(&[charge(A, "d", "1")], NOW).unwrap();
    let sent = sent.borrow();
    assert_eq!(sent[0].url, "http://127.0.0.1:8080/authenticate/");
    assert_eq!(sent[1].url, "http://127.0.0.1:8080/v2/metering/");
    assert!(String::from_utf8(sent[1].body.clone()).unwrap().starts_with(r#"{"request":[{"cloud":"gcp","#));
}

#[test]
fn authentication_sends_marks_and_never_a_secret() {
    let sent = stage(|_| Ok(json(200, "{}")));
    session();
    let sent = sent.borrow();
    assert_eq!((sent[0].method.as_str(), sent[0].url.as_str()), ("POST", AUTHENTICATE));
    assert_eq!(sent[0].body, br#"{"client_id": "{client_id}", "client_secret": "{client_secret}"}"#);
    let headers = [("accept", "application/json"), ("content-type", "application/json")];
    assert_eq!(sent[0].headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn authentication_needs_a_token() {
    let connect = |status: u16, body: &'static str| {
        testing::answer(move |_| Ok(json(status, body)));
        Clazar::connect(config("{}"), NOW).unwrap_err()
    };
    let at = |text: &str| format!("POST {AUTHENTICATE}: Clazar answered {text}");
    assert_eq!(
        connect(401, r#"{"detail": "Invalid client credentials."}"#),
        Failure::Auth(at("401: Invalid client credentials."))
    );
    assert_eq!(connect(400, r#"{"error": "invalid_client"}"#), Failure::Auth(at("400: invalid_client")));
    assert_eq!(connect(403, ""), Failure::Auth(at("403: without a word")));
    assert_eq!(connect(503, "<html>"), Failure::Other(at("503: <html>")));
    assert_eq!(connect(429, ""), Failure::Throttled(None));
    let none = Failure::Auth(format!("{AUTHENTICATE}: Clazar's answer holds no access token"));
    for body in ["{}", r#"{"access_token": ""}"#, r#"{"access_token": null}"#, "[]"] {
        assert_eq!(connect(200, body), none, "{body}");
    }
    assert_eq!(connect(200, "<html>"), Failure::Other(format!("{AUTHENTICATE}: Clazar's answer is not JSON")));
}

#[test]
fn an_answer_to_a_whole_call_says_what_may_have_been_recorded() {
    let charges = [charge(A, "d1", "1"), charge(A, "d2", "1")];
    let answer = |status: u16, body: &str| offer(&charges, status, body).unwrap_err();
    let said = |text: &str| format!("POST {METERING}: Clazar answered {text}");
    for status in [400, 403, 409, 413, 422] {
        let refused = Failure::Refused(said(&format!("{status}: Bad request.")));
        assert_eq!(answer(status, r#"{"detail": "Bad request."}"#), refused);
    }
    assert_eq!(answer(401, r#"{"detail": "expired"}"#), Failure::Auth(said("401: expired")));
    assert_eq!(
        answer(404, r#"{"detail": "Not found."}"#),
        Failure::Other(said("404: Not found.; is `url` the address of the metering resource?"))
    );
    assert_eq!(answer(500, r#"{"detail": "boom"}"#), Failure::Other(said("500: boom")));
}

#[test]
fn results_behind_an_answer_that_is_no_success_are_not_believed() {
    let charges = [charge(A, "d1", "1")];
    for status in [300, 400, 403, 404, 409, 500, 502, 503] {
        for result in
            [r#""status": "success""#, r#""status": "fail""#, r#""message": "already exists", "errors": ["e"]"#]
        {
            let body = format!(r#"{{"results": [{{"contract_id": "{A}", "dimension": "d1", {result}}}]}}"#);
            match offer(&charges, status, &body) {
                // Looked at record by record, though the call is refused: the books tell what came of it.
                Ok(outcomes) => {
                    assert!([400, 403, 409].contains(&status), "{status} {result}");
                    assert_eq!(outcomes[0].status, Status::Unknown, "{status} {result}");
                    let refused = result.contains("fail");
                    assert_eq!(outcomes[0].refusal_if_absent.is_some(), refused, "{status} {result}");
                }
                Err(failure) => assert!(matches!(failure, Failure::Other(_)), "{status} {result}: {failure:?}"),
            }
        }
    }
}

#[test]
fn a_call_refused_alone_in_the_words_of_a_duplicate_is_one() {
    let outcomes =
        offer(&[charge(A, "d1", "1")], 400, r#"{"message": "This metering record already exists."}"#).unwrap();
    assert_eq!(outcomes[0].status, Status::Duplicate);
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some("POST https://api.clazar.io/metering/: Clazar answered 400: This metering record already exists.")
    );
    let in_errors = r#"{"message": "Bad request.", "errors": [{"message": "Another record has the same contract_id in the same hour."}]}"#;
    assert_eq!(offer(&[charge(A, "d1", "1")], 400, in_errors).unwrap()[0].status, Status::Duplicate);
    let other = r#"{"message": "Bad request.", "errors": ["no such contract"]}"#;
    let text = "POST https://api.clazar.io/metering/: Clazar answered 400: Bad request.: no such contract";
    assert_eq!(offer(&[charge(A, "d1", "1")], 400, other), Err(Failure::Refused(text.into())));
    let two = [charge(A, "d1", "1"), charge(A, "d2", "1")];
    let refused = offer(&two, 400, r#"{"message": "This metering record already exists."}"#);
    assert!(matches!(refused, Err(Failure::Refused(_))));
}

#[test]
fn too_many_requests_wait_as_long_as_the_service_says() {
    for (value, expected) in [
        ("7", Some(7000)),
        ("9999999", Some(u32::MAX)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("0", None),
    ] {
        stage(move |_| {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            Ok(Response { status: 429, headers, body: vec![] })
        });
        let failure = session().submit(&[charge(A, "d", "1")], NOW).unwrap_err();
        assert_eq!(failure, Failure::Throttled(expected), "{value}");
    }
    assert_eq!(offer(&[charge(A, "d", "1")], 429, ""), Err(Failure::Throttled(None)), "without the header");
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let sent = stage(|_| {
        let headers = vec![("location".to_owned(), "https://elsewhere.example/".to_owned())];
        Ok(Response { status: 307, headers, body: vec![] })
    });
    let failure = session().submit(&[charge(A, "d", "1")], NOW).unwrap_err();
    let text = "POST https://api.clazar.io/metering/: Clazar answered 307, a redirect to https://elsewhere.example/; `url` has to \
                be the final address";
    assert_eq!(failure, Failure::Other(text.into()));
    assert_eq!(sent.borrow().len(), 2);
}

#[test]
fn a_request_without_an_answer_says_so() {
    for error in
        [Error::NotSent("no route".into()), Error::Unanswered("no route".into()), Error::Denied("no route".into())]
    {
        stage(move |_| Err(error.clone()));
        let failure = session().submit(&[charge(A, "d", "1")], NOW).unwrap_err();
        assert_eq!(failure, Failure::Other("POST https://api.clazar.io/metering/: no route".into()));
    }
}

#[test]
fn the_service_is_described_as_it_is_known() {
    let traits = Clazar::traits(config("{}")).unwrap();
    assert_eq!((traits.charges_per_call, traits.bytes_per_call, traits.deadline), (500, 1_000_000, 60_000));
    assert_eq!(traits.together, Together::WINDOW);
    assert_eq!(traits.rate, Some(Rate { requests: 120, per: 60_000, burst: 120 }));
    assert_eq!((traits.scale, traits.minimum, traits.maximum), (0, Decimal::ZERO, Decimal::MAX));
    assert_eq!(traits.windows, [WindowKind::Hour, WindowKind::Day, WindowKind::Month]);
    assert_eq!((traits.zero, traits.resolution, traits.refuses_second), (Zero::Charge, Resolution::LookUp, true));
    assert_eq!(Clazar::traits(config(r#"{"charges_per_call": 25}"#)).unwrap().charges_per_call, 25);
}

#[test]
fn a_record_takes_no_more_bytes_than_announced() {
    let sent = stage(|_| Ok(json(200, r#"{"results": []}"#)));
    let longest = charge("c", "d", &"9".repeat(38));
    let config_ = config(r#"{"cloud": "azure"}"#);
    let announced = Clazar::traits(config_.clone()).unwrap().bytes_per_charge;
    Clazar::connect(config_, NOW).unwrap().submit(&[longest], NOW).unwrap();
    let body = sent.borrow()[1].body.len() - 2;
    assert!(body < announced as usize, "{body}");
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let refused = |text: &str| match Clazar::traits(config(text)).unwrap_err() {
        meterhost_sdk::Error::Config(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(r#"{"charges_per_call": 0}"#), "`charges_per_call` is 0: a request holds at least 1 record");
    for (url, why) in [
        ("api.clazar.io/metering/", "it has to begin with https:// (or http://)"),
        ("https:///metering/", "it names no host"),
        ("https://api.clazar.io", "it has to be a whole address, such as https://api.clazar.io/metering/"),
        ("https://api.clazar.io/a b/", "it has to be a whole address, such as https://api.clazar.io/metering/"),
        ("https://api.clazar.io/metering/?page=1", "it has to end with its path, such as /metering/"),
        (
            "https://me:pw@api.clazar.io/metering/",
            "user and password do not belong there; `grant.secrets` has `client_id` and `client_secret`",
        ),
    ] {
        assert_eq!(refused(&format!(r#"{{"url": "{url}"}}"#)), format!("`url` is \"{url}\": {why}"));
    }
    assert!(serde_json::from_str::<clazar::Config>(r#"{"cloud": "oracle"}"#).is_err());
    assert!(serde_json::from_str::<clazar::Config>(r#"{"clout": "aws"}"#).is_err());
}

#[test]
fn what_clazar_has_no_field_for_is_not_sent() {
    let good = charge(A, "d", "1");
    let charges = [
        good.clone(),
        charge(A, "d", "0"),
        charge(A, "d", "7.00"),
        charge(" ", "d", "1"),
        charge(A, " ", "1"),
        meterhost_sdk::Charge { product: "postgres".into(), ..good.clone() },
        meterhost_sdk::Charge { tags: vec![("region".into(), "eu".into())], ..good.clone() },
        charge(A, "d", "-1"),
        charge(A, "d", "1.5"),
        meterhost_sdk::Charge { window: Window { start: JUNE.end, end: JUNE.start }, ..good.clone() },
    ];
    let opinions = Clazar::check(config("{}"), &charges, NOW).unwrap();
    let objections: Vec<Option<&str>> = opinions.iter().map(|opinion| opinion.objection.as_deref()).collect();
    assert_eq!(
        objections,
        [
            None,
            None,
            None,
            Some("it has no contract id: the charge's customer is blank"),
            Some("its dimension is blank"),
            Some(
                "Clazar records have no product, and this charge is for \"postgres\": leave the product out, or bill each product \
                 through a sink of its own"
            ),
            Some(
                "Clazar records have no tags, and this charge has region = \"eu\": leave the tags out, or make them part of the \
                 dimension"
            ),
            Some("Clazar takes no negative quantity, and this one is -1"),
            Some("Clazar takes whole quantities only, and this one is 1.5"),
            Some("its window cannot be written in whole seconds of the years 0 to 9999"),
        ]
    );
    assert!(opinions.iter().zip(&charges).all(|(opinion, charge)| opinion.id == charge.id));
    assert!(opinions.iter().all(|opinion| opinion.accepted_until.is_none()));
}

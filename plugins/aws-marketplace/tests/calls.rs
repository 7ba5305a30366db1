//! What is sent, and what an error means.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use aws_marketplace::AwsMarketplace;
use common::{
    A, B, HOUR, LICENSE, NOW, PRODUCT, WINDOW, all_success, charge, config, error, in_hour, offer, session, stage,
    statuses, tagged,
};
use meterhost_sdk::aws::{Error, ServiceError};
use meterhost_sdk::{
    Capability, Charge, Decimal, Failure, Finding, Outcome, Plugin, Resolution, Session, Sink, Status, Together, Zero,
};
use serde_json::{Value, json};

/// What is sent of charges, each body as text, to a service that accepts everything.
fn sent(text: &str, charges: &[Charge]) -> (Vec<String>, Result<Vec<Outcome>, Failure>) {
    let sent = stage(all_success);
    let outcomes = session(text).submit(charges, NOW);
    (sent.take(), outcomes)
}

/// The only body that is sent.
fn body(text: &str, charges: &[Charge]) -> String {
    let (mut bodies, outcomes) = sent(text, charges);
    assert_eq!(bodies.len(), 1);
    assert_eq!(statuses(&outcomes.unwrap()), vec![Status::Accepted; charges.len()]);
    bodies.remove(0)
}

#[test]
fn a_charge_is_written_as_the_configuration_names_it() {
    let one = charge(A, "users", "12");
    let license = Charge { product: LICENSE.into(), ..one.clone() };
    let old = Charge { customer: "ifAPi5AcF3".into(), ..one.clone() };
    let no_product = Charge { product: String::new(), ..one.clone() };
    let half = Charge { quantity: Decimal::parse("17.420").unwrap(), ..one.clone() };
    let cases: [(&str, &Charge, String); 7] = [
        (
            "{}",
            &one,
            format!(
                r#"{{"ProductCode":"{PRODUCT}","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","Quantity":12}}]}}"#
            ),
        ),
        (
            r#"{"identity": "account-and-license"}"#,
            &license,
            format!(
                r#"{{"UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","LicenseArn":"{LICENSE}","Quantity":12}}]}}"#
            ),
        ),
        (
            r#"{"identity": "customer-identifier"}"#,
            &old,
            format!(
                r#"{{"ProductCode":"{PRODUCT}","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerIdentifier":"ifAPi5AcF3","Quantity":12}}]}}"#
            ),
        ),
        (
            r#"{"quantity": "decimal"}"#,
            &half,
            format!(
                r#"{{"ProductCode":"{PRODUCT}","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","QuantityAsDecimal":"17.42"}}]}}"#
            ),
        ),
        (
            r#"{"quantity": "decimal"}"#,
            &one,
            format!(
                r#"{{"ProductCode":"{PRODUCT}","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","QuantityAsDecimal":"12"}}]}}"#
            ),
        ),
        (
            r#"{"product": "def789uvw012"}"#,
            &no_product,
            format!(
                r#"{{"ProductCode":"def789uvw012","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","Quantity":12}}]}}"#
            ),
        ),
        (
            r#"{"product": "def789uvw012"}"#,
            &one,
            format!(
                r#"{{"ProductCode":"{PRODUCT}","UsageRecords":[{{"Timestamp":{HOUR},"Dimension":"users","CustomerAWSAccountId":"{A}","Quantity":12}}]}}"#
            ),
        ),
    ];
    for (text, charge, expected) in cases {
        assert_eq!(body(text, std::slice::from_ref(charge)), expected, "{text}");
    }
}

#[test]
fn names_are_escaped_and_integers_keep_all_digits() {
    let odd = charge(A, "a\"b\\c é\n", "2147483647");
    let text = body("{}", &[odd]);
    assert!(text.contains(r#""Dimension":"a\"b\\c é\n""#) && text.contains(r#""Quantity":2147483647}"#), "{text}");
    let ten = Charge { quantity: Decimal::new(100, 1).unwrap(), ..charge(A, "d", "0") };
    assert!(body("{}", &[ten]).contains(r#""Quantity":10}"#));
}

#[test]
fn the_timestamp_is_the_charges_own_whole_second_whatever_the_time_is() {
    let late = Charge { time: WINDOW.start + 999, ..charge(A, "d", "1") };
    let bodies = stage(all_success);
    let mut session = session("{}");
    for now in [NOW, NOW + 7_200_000] {
        session.submit(std::slice::from_ref(&late), now).unwrap();
    }
    let bodies = bodies.take();
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0].contains(&format!(r#""Timestamp":{HOUR},"#)));
}

/// The records of a body.
fn records(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).unwrap();
    body["UsageRecords"].as_array().unwrap().clone()
}

#[test]
fn charges_that_differ_in_their_tags_make_one_record_with_an_allocation_each() {
    let charges = [
        tagged(A, "users", "3", &[("tier", "gold")]),
        charge(B, "users", "1"),
        charge(A, "users", "5"),
        tagged(A, "users", "4", &[("region", "eu"), ("tier", "gold")]),
        charge(A, "api", "9"),
    ];
    let expected = json!([
        {
            "Timestamp": HOUR, "Dimension": "users", "CustomerAWSAccountId": A, "Quantity": 12,
            "UsageAllocations": [
                { "AllocatedUsageQuantity": 5 },
                {
                    "AllocatedUsageQuantity": 4,
                    "Tags": [{ "Key": "region", "Value": "eu" }, { "Key": "tier", "Value": "gold" }],
                },
                { "AllocatedUsageQuantity": 3, "Tags": [{ "Key": "tier", "Value": "gold" }] },
            ],
        },
        { "Timestamp": HOUR, "Dimension": "users", "CustomerAWSAccountId": B, "Quantity": 1 },
        { "Timestamp": HOUR, "Dimension": "api", "CustomerAWSAccountId": A, "Quantity": 9 },
    ]);
    assert_eq!(json!(records(&body("{}", &charges))), expected);

    let one = [tagged(A, "users", "0.5", &[("tier", "gold")])];
    let expected = json!([{
        "Timestamp": HOUR, "Dimension": "users", "CustomerAWSAccountId": A, "QuantityAsDecimal": "0.5",
        "UsageAllocations": [{ "AllocatedUsageQuantityAsDecimal": "0.5", "Tags": [{ "Key": "tier", "Value": "gold" }] }],
    }]);
    assert_eq!(json!(records(&body(r#"{"quantity": "decimal"}"#, &one))), expected);
}

#[test]
fn a_record_is_the_same_in_whatever_order_its_charges_stand() {
    let (one, two, three) =
        (tagged(A, "d", "3", &[("tier", "gold")]), charge(A, "d", "5"), tagged(A, "d", "4", &[("tier", "free")]));
    let first = body("{}", &[one.clone(), two.clone(), three.clone()]);
    assert_eq!(body("{}", &[three, one, two]), first);
}

#[test]
fn every_charge_of_a_record_has_its_outcome() {
    let charges = [tagged(A, "d", "3", &[("tier", "gold")]), charge(A, "d", "5"), charge(B, "d", "5")];
    let (_, outcomes) = sent("{}", &charges);
    let outcomes = outcomes.unwrap();
    let told: Vec<(&str, Status, Option<&str>)> =
        outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.status, outcome.reference.as_deref())).collect();
    let accepted = Status::Accepted;
    let expected = [
        (charges[0].id.as_str(), accepted, Some("mr-0")),
        (charges[1].id.as_str(), accepted, Some("mr-0")),
        (charges[2].id.as_str(), accepted, Some("mr-1")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn charges_of_other_hours_and_the_same_charge_twice_are_told_apart() {
    let one = charge(A, "d", "5");
    let next = in_hour(charge(A, "d", "5"), WINDOW.end);
    let (bodies, outcomes) = sent("{}", &[one.clone(), next, one]);
    assert_eq!(records(&bodies[0]).len(), 2);
    assert_eq!(records(&bodies[0])[0]["Quantity"], 5);
    assert_eq!(statuses(&outcomes.unwrap()), [Status::Accepted; 2]);
}

/// The statuses of an answer, counted.
fn counted(outcomes: &[Outcome]) -> (usize, usize) {
    let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    (count(Status::Accepted), count(Status::Unprocessed))
}

#[test]
fn a_call_holds_25_records_and_what_is_more_is_left_unprocessed() {
    let charges: Vec<Charge> = (0..60).map(|number| charge(A, &format!("d{number}"), "1")).collect();
    let (bodies, outcomes) = sent("{}", &charges);
    let outcomes = outcomes.unwrap();
    assert_eq!((bodies.len(), records(&bodies[0]).len(), counted(&outcomes)), (1, 25, (25, 35)));
    assert_eq!(outcomes[59].message.as_deref(), Some("not sent: a call takes 25 records"));
    assert_eq!(outcomes.iter().map(|outcome| &outcome.id).collect::<std::collections::HashSet<_>>().len(), 60);

    // 60 charges of 20 records are no more than 20.
    let tags = [&[][..], &[("tier", "gold")], &[("tier", "free")]];
    let charges: Vec<Charge> =
        (0..60).map(|number| tagged(A, &format!("d{}", number / 3), "1", tags[number % 3])).collect();
    let (bodies, outcomes) = sent("{}", &charges);
    assert_eq!((records(&bodies[0]).len(), counted(&outcomes.unwrap())), (20, (60, 0)));
}

#[test]
fn a_call_is_for_one_product() {
    let other = |dimension| Charge { product: "other".into(), ..charge(A, dimension, "1") };
    let charges = [charge(A, "d1", "1"), other("d2"), charge(A, "d3", "1")];
    let (bodies, outcomes) = sent("{}", &charges);
    assert!(bodies[0].starts_with(&format!(r#"{{"ProductCode":"{PRODUCT}","#)));
    let outcomes = outcomes.unwrap();
    assert_eq!(counted(&outcomes), (2, 1));
    assert_eq!(outcomes[2].message.as_deref(), Some("not sent: a call is for one product"));
}

#[test]
fn a_body_stays_below_a_megabyte() {
    let tags: Vec<(String, String)> = (0..5).map(|key| (format!("{key:a>100}"), "v".repeat(256))).collect();
    let charges: Vec<Charge> = (0..25 * 100)
        .map(|number| {
            let mut tags = tags.clone();
            tags[0].1 = format!("{number:v>256}");
            Charge { id: number.to_string(), tags, ..charge(A, &format!("d{}", number / 100), "1") }
        })
        .collect();
    let (bodies, outcomes) = sent("{}", &charges);
    let (accepted, left) = counted(&outcomes.unwrap());
    assert!(bodies[0].len() < 1_000_000 && bodies[0].len() > 750_000, "{}", bodies[0].len());
    assert_eq!((accepted % 100, accepted + left), (0, 2500));

    let one = &charges[..600].iter().map(|it| Charge { dimension: "d".into(), ..it.clone() }).collect::<Vec<_>>();
    let (bodies, outcomes) = sent("{}", one);
    let Err(Failure::Other(text)) = outcomes else { panic!("{outcomes:?}") };
    assert!(bodies.is_empty() && text.ends_with("bytes, and AWS Marketplace takes less than 1000000"), "{text}");
}

#[test]
fn what_cannot_be_written_is_not_sent_and_keeps_nothing_else_back() {
    let too_much = [tagged(A, "d", "2147483647", &[("tier", "gold")]), charge(A, "d", "1"), charge(B, "d", "1")];
    let (bodies, outcomes) = sent("{}", &too_much);
    let outcomes = outcomes.unwrap();
    assert_eq!((records(&bodies[0]).len(), counted(&outcomes)), (1, (1, 2)));
    let why = "the quantity of the 2 charges that make one record is 2147483648, and AWS Marketplace takes 0 to 2147483647 \
               (quantity = \"integer\")";
    assert_eq!(outcomes[1].message.as_deref(), Some(format!("not sent: {why}").as_str()));
    let (bodies, outcomes) = sent("{}", &too_much[..2]);
    assert_eq!((bodies.len(), outcomes), (0, Err(Failure::Other(format!("not sent: {why}")))));
    for quantity in ["-1", "0.5"] {
        let (bodies, outcomes) = sent("{}", &[charge(A, "d", quantity)]);
        assert!(bodies.is_empty() && matches!(outcomes, Err(Failure::Other(_))), "{quantity}");
    }
    assert_eq!(sent("{}", &[]), (vec![], Ok(vec![])));
}

#[test]
fn an_error_means_for_the_whole_call_what_its_name_and_status_say() {
    let auth =
        ["UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch"];
    let access =
        ["MissingAuthenticationToken", "MissingAuthenticationTokenException", "IncompleteSignature", "ExpiredToken"];
    let more =
        ["ExpiredTokenException", "AccessDenied", "AccessDeniedException", "OptInRequired", "DisabledApiException"];
    let said = |name: &str| format!("{name}: words");
    let outcome = |error| offer(&[charge(A, "d", "1")], Err(error)).unwrap_err();
    for name in auth.iter().chain(&access).chain(&more) {
        for status in [400, 403] {
            assert_eq!(outcome(error(status, name, "words")), Failure::Auth(said(name)));
        }
    }
    for name in [
        "InvalidProductCodeException",
        "InvalidUsageDimensionException",
        "InvalidTagException",
        "InvalidUsageAllocationsException",
        "InvalidCustomerIdentifierException",
        "TimestampOutOfBoundsException",
        "InvalidLicenseException",
        "ValidationException",
        "SerializationException",
        "SomethingNewException",
    ] {
        assert_eq!(outcome(error(400, name, "words")), Failure::Refused(said(name)));
    }
    for (status, name) in [(400, "ThrottlingException"), (400, "TooManyRequestsException"), (429, "Odd"), (429, "")] {
        assert_eq!(outcome(error(status, name, "words")), Failure::Throttled(None), "{status} {name}");
    }
    let wait = ServiceError {
        status: 400,
        code: "com.amazonaws.marketplace#ThrottlingException:http://internal/".into(),
        message: String::new(),
        body: String::new(),
        retry_after: Some(2500),
    };
    assert_eq!(outcome(Error::Service(wait)), Failure::Throttled(Some(2500)));
    for (status, name) in [
        (500, "InternalServiceErrorException"),
        (400, "InternalServiceErrorException"),
        (503, "ServiceUnavailable"),
        (503, "ThrottlingException"),
        (500, "AccessDeniedException"),
        (400, "RequestTimeoutException"),
        (408, ""),
        (302, ""),
        (200, "Odd"),
    ] {
        let other = Failure::Other(format!("AWS Marketplace answered {status}: {name}: words"));
        assert_eq!(outcome(error(status, name, "words")), other);
    }
    assert_eq!(outcome(error(403, "", "words")), Failure::Auth(": words".into()));
    assert_eq!(outcome(error(403, "UnknownError", "")), Failure::Auth("UnknownError (status 403)".into()));
    assert_eq!(outcome(error(413, "", "")), Failure::Refused(" (status 413)".into()));
    for error in [
        Error::Denied("words".into()),
        Error::NotSent("words".into()),
        Error::Unanswered("words".into()),
        Error::Other("words".into()),
    ] {
        assert_eq!(outcome(error), Failure::Other("words".into()));
    }
}

#[test]
fn a_call_that_is_refused_is_halved_by_the_host_unless_all_of_it_is_one_record() {
    let refused = || Err(error(400, "InvalidTagException", "no such tag"));
    let text = "InvalidTagException: no such tag";
    let joined = [tagged(A, "d", "3", &[("tier", "gold")]), charge(A, "d", "5")];
    let other = charge(B, "d", "1");
    let both = [joined[0].clone(), joined[1].clone(), other.clone()];
    assert_eq!(offer(&both, refused()), Err(Failure::Refused(text.into())));
    assert_eq!(offer(&[other], refused()), Err(Failure::Refused(text.into())));
    let outcomes = offer(&joined, refused()).unwrap();
    assert_eq!(statuses(&outcomes), [Status::Rejected; 2]);
    for (outcome, charge) in outcomes.iter().zip(&joined) {
        assert_eq!((&outcome.id, outcome.retryable, outcome.message.as_deref()), (&charge.id, true, Some(text)));
        assert_eq!(outcome.raw, r#"{"__type":"InvalidTagException","message":"no such tag"}"#);
    }
    let unclear = offer(&joined, Err(error(500, "InternalServiceErrorException", "words")));
    assert!(matches!(unclear, Err(Failure::Other(_))));
}

#[test]
fn nothing_can_be_looked_up_and_nothing_is_asked_to_connect() {
    let sent = stage(|_| panic!("nothing is asked"));
    let mut session = session("{}");
    let answers = session.look_up(&[charge(A, "d", "1"), charge(B, "d", "1")]).unwrap();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| matches!(answer.finding, Finding::CannotTell(_))));
    assert_eq!((answers[1].id.as_str(), sent.take().len()), ("210987654321/d", 0));
}

#[test]
fn the_service_is_described_as_it_is_configured() {
    let traits = |text: &str| AwsMarketplace::traits(config(text)).unwrap();
    let integer = traits("{}");
    assert_eq!((integer.charges_per_call, integer.together), (25, Together::PRODUCT));
    assert!(integer.bytes_per_call < 1_000_000 && integer.bytes_per_call > 990_000);
    let rate = integer.rate.unwrap();
    assert_eq!((rate.requests, rate.per, rate.burst), (10, 1000, 1));
    assert_eq!((integer.scale, integer.minimum, integer.maximum), (0, Decimal::ZERO, Decimal::from(2_147_483_647)));
    assert_eq!((integer.zero, integer.resolution), (Zero::TakesSlot, Resolution::Replay));
    assert_eq!((integer.refuses_second, integer.deadline, integer.windows.len()), (true, 20_000, 1));
    let decimal = traits(r#"{"quantity": "decimal"}"#);
    assert_eq!((decimal.scale, decimal.maximum), (6, Decimal::parse("9999999999.999999").unwrap()));
    let about = AwsMarketplace::about();
    assert_eq!((about.name, about.needs.len(), about.needs[0].optional), ("aws-marketplace", 1, false));
    assert!(
        matches!(&about.needs[0].capability, Capability::Aws(action) if action == "aws-marketplace:BatchMeterUsage")
    );
}

#[test]
fn a_charge_takes_no_more_bytes_than_the_host_is_told() {
    let tags = [("k1", "v1"), ("k2", "v2"), ("k3", "v3"), ("k4", "v4"), ("k5", "v5")];
    let license = Charge { product: LICENSE.into(), ..tagged(A, "d", "9999999999.999999", &tags) };
    let text = r#"{"quantity": "decimal", "identity": "account-and-license"}"#;
    // As the host counts them: the names, the tags, and 40.
    let texts = LICENSE.len() + A.len() + 1 + 20 + 40;
    let told = AwsMarketplace::traits(config(text)).unwrap().bytes_per_charge as usize;
    assert!(body(text, &[license]).len() <= told + texts);
}

#[test]
fn a_product_of_the_other_kind_is_a_wrong_configuration() {
    for (text, fault) in [
        (r#"{"product": ""}"#, "`product`: it names no product code"),
        (r#"{"product": "a b"}"#, "`product`: the product code \"a b\" holds ' '"),
        (
            &format!(r#"{{"product": "{LICENSE}"}}"#),
            "is a licence, and identity = \"account-and-product\" bills by product code",
        ),
        (r#"{"product": "abc", "identity": "account-and-license"}"#, "`product`: the product \"abc\" is no licence"),
    ] {
        let error = AwsMarketplace::traits(config(text)).unwrap_err();
        assert!(matches!(&error, meterhost_sdk::Error::Config(said) if said.contains(fault)), "{text}: {error:?}");
        assert!(AwsMarketplace::check(config(text), &[], NOW).is_err());
        assert!(AwsMarketplace::connect(config(text), NOW).is_err());
    }
    for text in [r#"{"quantities": 1}"#, r#"{"identity": "account"}"#, r#"{"quantity": "whole"}"#, r#"{"product": 1}"#]
    {
        assert!(serde_json::from_str::<aws_marketplace::Config>(text).is_err(), "{text}");
    }
}

use metering_emulator::{Credentials, Emulator, ErrorStyle, Settings};

use crate::client::*;

fn body() -> String {
    call(&[record(ALICE, "users", 5)]).to_string()
}

fn verdict(service: &Emulator, signer: Signer) -> String {
    let answer = signer.post(service, &body()).unwrap();
    if answer.status == 200 {
        return "served".into();
    }
    assert!(service.books().is_empty());
    assert_eq!(answer.status, 400);
    answer.error()
}

#[test]
fn a_signature_for_something_else_is_invalid() {
    let service = start();
    for signer in [
        Signer { secret: "wrong", ..SELLER },
        Signer { region: "eu-west-1", ..SELLER },
        Signer { service: "metering-marketplace", ..SELLER },
        Signer { unsigned: "x-amz-target", ..SELLER },
        Signer { unsigned: "content-type", ..SELLER },
        Signer { unsigned: "host", ..SELLER },
        Signer { late: -310, ..SELLER },
        Signer { late: 310, ..SELLER },
    ] {
        assert_eq!(verdict(&service, signer), "InvalidSignatureException");
    }
    assert_eq!(verdict(&service, Signer { key: "AKIDOTHER", ..SELLER }), "UnrecognizedClientException");
    assert_eq!(verdict(&service, SELLER), "served");
}

#[test]
fn a_clock_that_is_a_little_off_is_no_matter() {
    let service = start();
    assert_eq!(verdict(&service, Signer { late: -280, ..SELLER }), "served");
    let service = with(Settings { clock_skew: 900, ..settings() });
    assert_eq!(verdict(&service, Signer { late: 880, ..SELLER }), "served");
}

#[test]
fn a_changed_body_does_not_fit_its_signature() {
    let service = start();
    let host = service.url().strip_prefix("http://").unwrap();
    let headers = SELLER.headers(host, &body());
    let changed = exchange(host, "POST", "/", &headers, &body().replace('5', "6")).unwrap();
    assert_eq!(changed.error(), "InvalidSignatureException");
    assert!(
        changed.json()["message"].as_str().unwrap().contains("The Canonical String for this request should have been")
    );
    assert_eq!(exchange(host, "POST", "/", &headers, &body()).unwrap().status, 200);
}

#[test]
fn a_request_without_a_signature_or_with_half_of_one_says_so() {
    let service = start();
    let host = service.url().strip_prefix("http://").unwrap();
    let unsigned: Vec<String> =
        SELLER.headers(host, &body()).into_iter().filter(|it| !it.starts_with("authorization")).collect();
    let answer = exchange(host, "POST", "/", &unsigned, &body()).unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (400, "MissingAuthenticationTokenException"));
    let half = [unsigned, vec!["authorization: AWS4-HMAC-SHA256 Signature=00".into()]].concat();
    assert_eq!(exchange(host, "POST", "/", &half, &body()).unwrap().error(), "IncompleteSignatureException");
}

#[test]
fn a_session_needs_its_token_until_it_ends() {
    let session = |token: &str| Credentials { session_token: Some(token.into()), ..Credentials::default() };
    let service = with(Settings { credentials: session("one"), ..settings() });
    assert_eq!(verdict(&service, SELLER), "UnrecognizedClientException");
    assert_eq!(verdict(&service, Signer { token: Some("two"), ..SELLER }), "UnrecognizedClientException");
    let unsigned = Signer { token: Some("one"), unsigned: "x-amz-security-token", ..SELLER };
    assert_eq!(verdict(&service, unsigned), "InvalidSignatureException");
    service.expire_session();
    assert_eq!(verdict(&service, Signer { token: Some("one"), ..SELLER }), "ExpiredTokenException");
    service.set_credentials(session("two"));
    assert_eq!(verdict(&service, Signer { token: Some("two"), ..SELLER }), "served");
}

#[test]
fn a_token_that_nobody_gave_is_refused() {
    assert_eq!(verdict(&start(), Signer { token: Some("made-up"), ..SELLER }), "UnrecognizedClientException");
}

#[test]
fn another_operation_or_another_protocol_is_unknown() {
    let service = start();
    let host = service.url().strip_prefix("http://").unwrap();
    for target in ["AWSMPMeteringService.MeterUsage", "AWSMPMeteringService", "BatchMeterUsage", "x.BatchMeterUsage"] {
        let answer = Signer { target, ..SELLER }.post(&service, &body()).unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (400, "UnknownOperationException"));
    }
    for content_type in ["application/json", "application/x-amz-json-1.0"] {
        let answer = Signer { content_type, ..SELLER }.post(&service, &body()).unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (404, "UnknownOperationException"));
    }
    for (method, target) in [("GET", "/"), ("POST", "/?x=1"), ("POST", "/metering")] {
        let answer = exchange(host, method, target, &SELLER.headers(host, &body()), &body()).unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (404, "UnknownOperationException"));
    }
}

#[test]
fn errors_can_be_written_in_the_other_way() {
    let service = with(Settings { error_style: ErrorStyle::Namespaced, disabled: true, ..settings() });
    let disabled = SELLER.post(&service, &body()).unwrap();
    assert_eq!(disabled.json()["__type"], "com.amazonaws.marketplace.metering#DisabledApiException");
    assert!(disabled.json()["message"].is_string());
    let header = disabled.header("x-amzn-errortype").unwrap();
    assert!(header.starts_with("DisabledApiException:http://"), "{header}");
    let wrong = Signer { secret: "wrong", ..SELLER }.post(&service, &body()).unwrap();
    assert_eq!(wrong.json()["__type"], "com.amazon.coral.service#InvalidSignatureException");
    assert!(wrong.json()["Message"].is_string());
}

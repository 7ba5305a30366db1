//! What a session promises about secrets on the wire.

use super::*;

#[tokio::test]
async fn a_mark_becomes_the_secret_on_the_wire_and_the_echo_is_blotted_out() {
    let server = TestServer::start(Act::Echo);
    let session = session(&with_secret(granting(&[&server.url()]), None));
    let raw = session.secret("key", Encoding::Raw).unwrap();
    let json = session.secret("key", Encoding::Json).unwrap();
    let basic = session.secret("key", Encoding::Basic).unwrap();
    let mut request = post(server.url(), &format!(r#"{{"key":"{json}","other":"mh-secret-0"}}"#));
    request.headers = vec![("x-key".into(), raw), ("authorization".into(), format!("Basic {basic}"))];
    let response = session.send(request).await.unwrap();

    let seen = &server.seen()[0];
    assert!(seen.head.contains(&format!("x-key: {SECRET}\r\n")), "{}", seen.head);
    assert!(seen.head.contains("authorization: Basic czNjci90ICJ2NGx1ZSI=\r\n"), "{}", seen.head);
    assert_eq!(seen.body, br#"{"key":"s3cr/t \"v4lue\"","other":"mh-secret-0"}"#);

    let body = String::from_utf8(response.body).unwrap();
    assert!(body.ends_with(r#"{"key":"[redacted]","other":"mh-secret-0"}"#), "{body}");
    assert!(body.contains("x-key: [redacted]\r\n") && body.contains("authorization: Basic [redacted]"), "{body}");
    assert!(response.headers.contains(&("x-key".into(), "[redacted]".into())));
    assert_eq!(session.redactor().redact(&format!("failed with {SECRET}")), "failed with [redacted]");
}

#[tokio::test]
async fn a_mark_on_its_way_to_another_origin_is_refused() {
    let (home, other) = (TestServer::start(Act::Echo), TestServer::start(Act::Echo));
    let session = session(&with_secret(granting(&[&home.url(), &other.url()]), Some(&home.url())));
    let mark = session.secret("key", Encoding::Raw).unwrap();
    let mut in_header = get(other.url());
    in_header.headers = vec![("x-key".into(), mark.clone())];
    for request in [in_header, post(other.url(), &mark)] {
        let text = format!("the secret `key` is bound to another origin than {}", other.url());
        assert_eq!(session.send(request).await, Err(HttpError::Denied(text)));
    }
    assert_eq!(lines(&session), [Some(format!(r#"grant.secrets.key = {{ env = "KEY", to = "{}" }}"#, other.url()))]);
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_mark_in_a_url_or_a_headers_name_is_refused() {
    let server = TestServer::start(Act::Echo);
    let session = session(&with_secret(granting(&[&server.url()]), None));
    let mark = session.secret("key", Encoding::Form).unwrap();
    let mut in_name = get(server.url());
    in_name.headers = vec![(mark.clone(), "x".into())];
    for request in [in_name, get(format!("{}/?key={mark}", server.url()))] {
        let text =
            "a secret's mark stands in the URL or in a header's name; it may stand in a header's value or the body";
        assert_eq!(session.send(request).await, Err(HttpError::Other(text.to_owned())));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_secret_with_a_line_break_cannot_make_a_header_of_its_own() {
    let server = TestServer::start(Act::Echo);
    let mut settings = settings();
    settings.env = Arc::new(|_| Some("value\r\nx-evil: 1".to_owned()));
    let session = open(settings, &with_secret(granting(&[&server.url()]), None));
    let mut request = get(server.url());
    request.headers = vec![("x-key".into(), session.secret("key", Encoding::Raw).unwrap())];
    let text = "the secret for the header `x-key` holds a line break or control character, which no header can hold";
    assert_eq!(session.send(request).await, Err(HttpError::Other(text.to_owned())));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_secret_that_is_not_granted_is_refused_with_its_line() {
    let session = session(&granting(&["https://a.example"]));
    let text = "the pipeline grants no secret `client_id`";
    assert_eq!(session.secret("client_id", Encoding::Raw), Err(HttpError::Denied(text.to_owned())));
    assert_eq!(lines(&session), [Some(r#"grant.secrets.client_id = { env = "CLIENT_ID" }"#.to_owned())]);
}

#[tokio::test]
async fn what_a_plugin_conceals_vanishes_from_texts() {
    let session = session(&GrantSpec::default());
    session.conceal("token-1234");
    assert_eq!(session.redactor().redact("Bearer token-1234"), "Bearer [redacted]");
}

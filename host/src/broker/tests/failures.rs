//! What is known when there is no answer: did anything leave?

use std::time::Instant;

use super::*;

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let session = session(&granting(&[&url]));
    let error = session.send(get(url.as_str())).await.unwrap_err();
    assert_eq!(
        error,
        HttpError::NotSent(format!(
            "no connection to {url} came about: tcp connect error: Connection refused (os error 111)"
        ))
    );
    assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
}

#[tokio::test]
async fn a_name_that_does_not_resolve_was_sent_nothing() {
    struct Fails;
    impl Resolver for Fails {
        fn lookup(&self, _name: &str) -> Lookup {
            Box::pin(async { Err(std::io::Error::other("no such name")) })
        }
    }
    let mut settings = settings();
    settings.resolver = Arc::new(Fails);
    let session = open(settings, &granting(&["https://a.example"]));
    let error = session.send(get("https://a.example")).await.unwrap_err();
    assert_eq!(
        error,
        HttpError::NotSent("no connection to https://a.example came about: dns error: no such name".to_owned())
    );
    assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
}

#[tokio::test]
async fn a_failed_tls_handshake_sent_nothing() {
    let server = TestServer::start(Act::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    let url = format!("https://{}", server.address);
    let session = session(&granting(&[&url]));
    // The server waits for a line and gets a handshake, so it is the limit on connecting that ends this.
    let error = session.send(get(url)).await.unwrap_err();
    assert!(matches!(error, HttpError::NotSent(_)), "{error:?}");
    assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
}

#[tokio::test]
async fn a_connection_dropped_after_the_request_is_unanswered() {
    let server = TestServer::start(Act::Hangup);
    let session = session(&granting(&[&server.url()]));
    let error = session.send(post(server.url(), "x")).await.unwrap_err();
    assert!(matches!(error, HttpError::Unanswered(_)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{} gave no whole answer: ", server.url())), "{error}");
    assert_eq!(session.call_record(), record(1, 0, 0));
    assert_eq!(server.seen().len(), 1, "nothing is sent a second time");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_unanswered() {
    for cut in ["content-length: 10\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let server = TestServer::start(Act::Raw(format!("HTTP/1.1 200 OK\r\n{cut}").into_bytes()));
        let session = session(&granting(&[&server.url()]));
        let error = session.send(get(server.url())).await.unwrap_err();
        assert!(matches!(error, HttpError::Unanswered(_)), "{error:?}");
        let start = format!("the answer of {} broke off after 4 bytes of its body: ", server.url());
        assert!(error.to_string().starts_with(&start), "{error}");
        assert_eq!(session.call_record(), record(1, 0, 0));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_unanswered() {
    for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let server = TestServer::start(Act::Stall(bytes.as_bytes().to_vec()));
        let session = session(&granting(&[&server.url()]));
        let mut request = get(server.url());
        request.timeout = Some(Duration::from_millis(300));
        let error = session.send(request).await.unwrap_err();
        let text = format!("{} gave no whole answer within 0.3 s", server.url());
        assert_eq!(error, HttpError::Unanswered(text));
        assert_eq!(session.call_record(), record(1, 0, 0));
    }
}

#[tokio::test]
async fn a_plugin_cannot_wait_longer_than_the_host_allows() {
    let server = TestServer::start(Act::Stall(Vec::new()));
    let mut settings = settings();
    settings.deadline = Duration::from_millis(300);
    let mut request = get(server.url());
    request.timeout = Some(Duration::from_secs(600));
    let start = Instant::now();
    assert!(open(settings, &granting(&[&server.url()])).send(request).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_answer_over_the_cap_is_too_large_whether_or_not_it_says_so() {
    let body = vec![b'x'; 1001];
    let chunked =
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n".as_slice(), &body, b"\r\n0\r\n\r\n"].concat();
    for act in [Act::Answer("HTTP/1.1 200 OK", body), Act::Raw(chunked)] {
        let server = TestServer::start(act);
        let mut settings = settings();
        settings.max_body = 1000;
        let session = open(settings, &granting(&[&server.url()]));
        let error = session.send(get(server.url())).await.unwrap_err();
        let text = format!("{} answered with a body of more than 1000 bytes", server.url());
        assert_eq!(error, HttpError::TooLarge(text));
        assert_eq!(session.call_record(), record(1, 0, 0));
    }
}

#[tokio::test]
async fn a_server_error_is_an_answer_but_proves_nothing() {
    let server = TestServer::start(Act::Answer("HTTP/1.1 503 Service Unavailable", b"later".to_vec()));
    let session = session(&granting(&[&server.url()]));
    assert_eq!(session.send(get(server.url())).await.unwrap().status, 503);
    assert_eq!(session.call_record(), record(1, 0, 0));
    session.begin_call();
    assert_eq!(session.call_record(), record(0, 0, 0));
}

#[tokio::test]
async fn a_request_that_is_abandoned_stays_in_the_record() {
    let server = TestServer::start(Act::Stall(Vec::new()));
    let session = session(&granting(&[&server.url()]));
    let patience = Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, session.send(get(server.url()))).await.is_err());
    assert_eq!(session.call_record(), record(1, 0, 0));
}

#[tokio::test]
async fn an_answer_in_an_encoding_nobody_asked_for_is_refused() {
    let server = TestServer::start(Act::Answer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", b"\x1f\x8b".to_vec()));
    let session = session(&granting(&[&server.url()]));
    let text = format!("{} answered with status 200 in the encoding `gzip`, which was not asked for", server.url());
    assert_eq!(session.send(get(server.url())).await, Err(HttpError::Other(text)));
    assert_eq!(session.call_record(), record(1, 0, 0));
}

//! What a session promises about sending requests and reading their answers.

use super::*;

#[tokio::test]
async fn a_granted_request_is_sent_and_its_whole_answer_comes_back() {
    let server = TestServer::start(Act::Answer("HTTP/1.1 201 Created\r\nX-Odd: a\u{fc}b", b"done".to_vec()));
    let session = session(&granting(&[&server.url()]));
    let mut request = post(format!("{}/a?b=c#d", server.url()), "hello");
    request.headers = vec![("X-Mine".into(), "1".into()), ("x-mine".into(), "2".into())];
    let response = session.send(request).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (201, b"done".as_slice()));
    assert!(response.headers.contains(&("x-odd".into(), "aüb".into())));
    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{}", seen.head);
    assert!(seen.head.contains("x-mine: 1\r\nx-mine: 2\r\n"), "{}", seen.head);
    assert!(seen.head.contains(concat!("user-agent: meterhost/", env!("CARGO_PKG_VERSION"))), "{}", seen.head);
    for absent in ["cookie", "referer", "accept-encoding"] {
        assert!(!seen.head.contains(absent), "{}", seen.head);
    }
    assert_eq!(seen.body, b"hello");
    assert_eq!(session.call_record(), record(1, 1, 0));
}

#[tokio::test]
async fn a_post_without_a_body_still_says_how_long_it_is() {
    let server = TestServer::start(Act::Answer("HTTP/1.1 200 OK", Vec::new()));
    session(&granting(&[&server.url()])).send(post(server.url(), "")).await.unwrap();
    assert!(server.seen()[0].head.contains("content-length: 0\r\n"), "{}", server.seen()[0].head);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = TestServer::start(Act::Answer("HTTP/1.1 200 OK", Vec::new()));
    let head = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", target.url());
    let server = TestServer::start(Act::Raw(head.into_bytes()));
    let session = session(&granting(&[&server.url(), &target.url()]));
    assert_eq!(session.send(get(server.url())).await.unwrap().status, 307);
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_sets_no_cookie() {
    let server = TestServer::start(Act::Answer("HTTP/1.1 200 OK\r\nset-cookie: a=b", b"x".to_vec()));
    let session = session(&granting(&[&server.url()]));
    for _ in 0..3 {
        session.send(get(server.url())).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    assert!(server.seen().iter().all(|seen| !seen.head.contains("cookie")));
}

#[test]
fn connections_outlive_the_thread_of_the_plugin_that_made_them() {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = TestServer::start(Act::Answer("HTTP/1.1 200 OK", b"x".to_vec()));
    let grants = Arc::new(Grants::parse(&granting(&[&server.url()]), Path::new("/")).unwrap());
    let broker = Broker::new(BrokerSettings::new(io.handle().clone())).unwrap();
    for _ in 0..2 {
        let session = broker.session("sink.test", Arc::clone(&grants), false);
        let url = server.url();
        // A thread and runtime without any driver, as a plugin's may be.
        let plugin = std::thread::spawn(move || {
            let own = tokio::runtime::Builder::new_current_thread().build().unwrap();
            own.block_on(session.send(get(url))).unwrap().status
        });
        assert_eq!(plugin.join().unwrap(), 200);
    }
    assert_eq!(server.connections(), 1);
}

//! What is refused before, or while, a connection is made.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::*;

/// Answers each look-up with the next of these, then with the last.
struct Answers(Mutex<VecDeque<&'static str>>);

impl Resolver for Answers {
    fn lookup(&self, _name: &str) -> Lookup {
        let mut left = held(&self.0);
        let next = if left.len() > 1 { left.pop_front().unwrap() } else { left[0] };
        Box::pin(async move { Ok(next.split(',').map(|text| text.parse::<IpAddr>().unwrap()).collect()) })
    }
}

fn resolving(answers: &[&'static str]) -> Arc<dyn Resolver> {
    Arc::new(Answers(Mutex::new(answers.iter().copied().collect())))
}

#[tokio::test]
async fn an_origin_that_is_not_granted_is_refused_with_the_line_that_would_grant_it() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&["https://api.example.com"]));
    let error = session.send(get(server.url())).await.unwrap_err();
    assert_eq!(error, HttpError::Denied(format!("the pipeline does not grant requests to {}", server.url())));
    let line = format!(r#"grant.http = ["https://api.example.com", "{}"]"#, server.url());
    assert_eq!(
        session.denials(),
        [Denial {
            plugin: "sink.test".to_owned(),
            asked: format!("to send a request to {}", server.url()),
            grant: Some(line),
            inline: false,
        }]
    );
    session.send(get(server.url())).await.unwrap_err();
    assert_eq!(session.denials().len(), 1);
    assert_eq!((server.connections(), session.call_record()), (0, record(0, 0, 0)));
}

#[tokio::test]
async fn no_spelling_of_a_closed_address_is_reached_without_its_grant() {
    let server = TestServer::start(Act::Echo);
    let port = server.address.port();
    let session = session(&granting(&["https://api.example.com", &format!("http://localhost.example:{port}")]));
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "api.example.com",
    ] {
        let error = session.send(get(format!("http://{host}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Denied(_)), "{host}: {error:?}");
    }
    for odd in ["http://api.example.com@127.0.0.1/", "http://127.0.0.1\\@api.example.com/", "//api.example.com"] {
        assert!(session.send(get(odd)).await.is_err(), "{odd}");
    }
    assert_eq!((server.connections(), session.call_record()), (0, record(0, 0, 0)));
}

#[tokio::test]
async fn a_closed_address_is_reached_if_it_is_granted_literally() {
    let server = TestServer::start(Act::Echo);
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}");
        assert_eq!(session(&granting(&[&url])).send(get(url)).await.unwrap().status, 200, "{host}");
    }
    let url = format!("http://2130706433:{port}/");
    assert_eq!(session(&granting(&[&server.url()])).send(get(url)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_with_the_literal_line() {
    let server = TestServer::start(Act::Echo);
    let port = server.address.port();
    let mut settings = settings();
    settings.resolver = resolving(&["127.0.0.1"]);
    let url = format!("http://inside.example:{port}");
    let session = open(settings, &granting(&[&url]));
    assert_eq!(
        session.send(get(url.as_str())).await,
        Err(HttpError::Denied(
            "inside.example is 127.0.0.1, an address of this machine; it is reached only if the grant and the request name the address itself"
                .to_owned()
        ))
    );
    assert_eq!(lines(&session), [Some(format!(r#"grant.http = ["{url}", "http://127.0.0.1:{port}"]"#))]);
    assert_eq!((server.connections(), session.call_record()), (0, CallRecord { tried: 1, ..record(0, 0, 0) }));
}

#[tokio::test]
async fn a_name_that_moves_inside_after_it_was_checked_is_refused() {
    let server = TestServer::start(Act::Echo);
    let mut settings = settings();
    settings.connect_timeout = Duration::from_millis(200);
    // An address of the world that nobody answers at, then this machine.
    settings.resolver = resolving(&["192.31.196.1", "127.0.0.1"]);
    let url = format!("http://rebinds.example:{}", server.address.port());
    let session = open(settings, &granting(&[&url]));
    // What a network says of that address differs; it is not refused for where it leads.
    let first = session.send(get(url.as_str())).await.unwrap_err();
    assert!(matches!(first, HttpError::NotSent(_) | HttpError::Unanswered(_)), "{first:?}");
    let second = session.send(get(url.as_str())).await.unwrap_err();
    assert!(matches!(second, HttpError::Denied(_)), "{second:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_narrowed_grant_refuses_other_methods_and_paths_with_their_line() {
    let server = TestServer::start(Act::Echo);
    let mut spec = granting(&[&server.url()]);
    spec.http[0].value.methods = Some(vec!["POST".to_owned()]);
    spec.http[0].value.paths = Some(vec!["/v1/*".to_owned()]);
    let session = session(&spec);
    let url = server.url();
    assert!(session.send(post(format!("{url}/v1/x"), "")).await.is_ok());
    assert_eq!(
        session.send(get(format!("{url}/v1/x"))).await,
        Err(HttpError::Denied(format!("the pipeline grants requests to {url}, but not GET /v1/x")))
    );
    for trick in ["/v1/../admin", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1//admin", "/admin"] {
        let error = session.send(post(format!("{url}{trick}"), "")).await.unwrap_err();
        assert!(matches!(error, HttpError::Denied(_)), "{trick}: {error:?}");
    }
    let held = format!(r#"{{ url = "{url}", methods = ["POST"], paths = ["/v1/*"] }}"#);
    assert_eq!(
        lines(&session),
        [
            Some(format!(r#"grant.http = [{held}, {{ url = "{url}", methods = ["GET"], paths = ["/v1/x"] }}]"#)),
            Some(format!(r#"grant.http = [{held}, {{ url = "{url}", methods = ["POST"], paths = ["/admin"] }}]"#)),
            None,
            None,
        ]
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_header_that_is_the_hosts_is_refused_by_name() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&[&server.url()]));
    let mut request = get(server.url());
    request.headers = vec![("Host".into(), "evil.example".into())];
    let text = "the header `host` is the host's; leave it out";
    assert_eq!(session.send(request).await, Err(HttpError::Denied(text.to_owned())));
    assert_eq!(
        session.denials()[0].to_string(),
        "sink.test asked to set the header `host`, which it is not granted; no grant can allow it"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_proxy_is_used_only_if_it_is_configured() {
    let proxy = TestServer::start(Act::Answer("HTTP/1.1 200 OK", b"from the proxy".to_vec()));
    let mut settings = settings();
    settings.proxy = Some(Url::parse(&proxy.url()).unwrap());
    let session = open(settings, &granting(&["http://a.example"]));
    assert_eq!(session.send(get("http://a.example/x")).await.unwrap().body, b"from the proxy");
    assert!(proxy.seen()[0].head.starts_with("GET http://a.example/x HTTP/1.1\r\n"));
    let mut settings = self::settings();
    settings.proxy = Some(Url::parse("socks5://u:hidden@inside:1080").unwrap());
    assert_eq!(
        Broker::new(settings).err().unwrap().to_string(),
        "the proxy `socks5://u@inside:1080` cannot be used: write its URL with `http` or `https` and a host"
    );
}

//! What the proxy promises to tests, over plain connections.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;

use s3_proxy::{Act, Fault, Kind, Moto, Proxy};

/// Sends a request on a connection of its own, and answers all that comes until it is closed.
fn ask(proxy: &Proxy, method: &str, target: &str) -> String {
    let address = proxy.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: AWS4-HMAC-SHA256 Credential=a/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn odd_keys_come_through_and_are_seen_decoded() {
    let moto = Moto::shared();
    let (proxy, bucket) = (Proxy::start(moto), moto.bucket());
    moto.put(&bucket, "a b/ü+%.json", b"body");
    assert_eq!(moto.keys(&bucket), ["a b/ü+%.json"]);
    let answer = ask(&proxy, "GET", &format!("/{bucket}/a%20b/%C3%BC%2B%25.json"));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nbody"), "{answer}");
    let seen = proxy.requests().pop().unwrap();
    assert_eq!((seen.kind, seen.bucket, seen.key.as_str()), (Kind::Get, bucket, "a b/ü+%.json"));
}

#[test]
fn a_fault_strikes_the_requests_it_is_meant_for_and_no_others() {
    let moto = Moto::shared();
    let (proxy, bucket) = (Proxy::start(moto), moto.bucket());
    moto.put(&bucket, "a", b"0123456789");
    moto.put(&bucket, "b", b"0123456789");
    proxy.push_fault(Fault::on(Kind::Get, Act::access_denied()).key("a").after(1).times(2));
    proxy.push_fault(Fault::on(Kind::Get, Act::Cut(4)).key("b"));
    let target = |key: &str| format!("/{bucket}/{key}");
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&proxy, "GET", &target("a"))[9..12].to_owned());
    }
    assert_eq!(statuses, ["200", "403", "403", "200"]);
    let cut = ask(&proxy, "GET", &target("b"));
    assert!(cut.to_lowercase().contains("content-length: 10\r\n") && cut.ends_with("\r\n\r\n0123"), "{cut}");
    assert!(ask(&proxy, "GET", &target("b")).ends_with("0123456789"));
    assert_eq!((proxy.count(Kind::Get), proxy.count(Kind::List)), (6, 0));
}

#[test]
fn pages_can_be_made_small() {
    let moto = Moto::shared();
    let (proxy, bucket) = (Proxy::start(moto), moto.bucket());
    for key in ["a", "b", "c"] {
        moto.put(&bucket, key, b"");
    }
    proxy.push_fault(Fault::on(Kind::List, Act::MaxKeys(2)));
    let page = ask(&proxy, "GET", &format!("/{bucket}?list-type=2"));
    assert!(page.contains("<Key>b</Key>") && !page.contains("<Key>c</Key>"), "{page}");
}

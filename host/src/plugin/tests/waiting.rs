//! Computing time and wall time are two limits, and waiting for a rate limit counts against neither.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use super::*;
use crate::broker::Rate;
use crate::config::{HttpGrantSpec, Located};
use crate::plugin::instance::computed;

/// Answers requests, each after as many milliseconds as stand in its place. It ends with the tests.
fn slow_server(delays: &'static [u64]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (stream, delay) in listener.incoming().zip(delays) {
            let mut stream = stream.unwrap();
            // The request is small enough to come at once.
            let _ = stream.read(&mut [0; 4096]);
            std::thread::sleep(Duration::from_millis(*delay));
            // The host may have gone meanwhile.
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    url
}

/// A source that sends one request each time it is asked how far its data is complete, and gives up unless it is answered.
fn asking(host: &Host, url: &str, limits: Limits) -> (SourceInstance, Session) {
    let send = format!(
        "(call $send (i32.const 1100) (i32.const 3) (i32.const 1103) (i32.const {}) {} (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then unreachable))",
        url.len(),
        "(i32.const 0)".repeat(6)
    );
    let module = Module::source()
        .import("meterhost:plugin/http@0.1.0", "send", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)")
        .item(&format!("(data (i32.const 1100) \"GET{url}\")"))
        .doing("complete-until", &send);
    let grant = HttpGrantSpec { url: url.to_owned(), methods: None, paths: None };
    let spec = GrantSpec { http: vec![Located { value: grant, span: 0..0 }], ..GrantSpec::default() };
    let settings = host.settings(limits, &spec);
    let session = settings.session.clone();
    (SourceInstance::start(&host.load(&module.bytes()).unwrap(), settings).unwrap(), session)
}

#[test]
fn a_call_that_waits_is_ended_by_its_wall_time_though_it_hardly_computes() {
    let host = Host::new();
    let wall = Duration::from_millis(300);
    let (mut source, _) = asking(&host, &slow_server(&[60_000]), Limits { wall, ..limits() });
    let begun = Instant::now();
    let failure = source.complete_until("{}", 0).unwrap_err();
    assert_eq!(failure.cause, Cause::Wall(wall));
    assert_eq!(failure.to_string(), "the call took more than 300 ms");
    assert!((300..10_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[test]
fn waiting_for_an_answer_is_no_computing() {
    let host = Host::new();
    let limits = Limits { time: Duration::from_millis(100), ..limits() };
    let (mut source, _) = asking(&host, &slow_server(&[600]), limits);
    let begun = Instant::now();
    assert_eq!(source.complete_until("{}", 0).unwrap(), None);
    assert!(begun.elapsed() > Duration::from_millis(600));
}

#[test]
fn computing_counts_for_each_call_anew() {
    let host = Host::new();
    let limits = Limits { time: Duration::from_millis(400), ..limits() };
    let computes = "(loop $again
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get 0) (i32.const 30000000))))";
    let mut source = host.source(&Module::source().doing("check", computes), limits);
    // Together they compute for longer than one may.
    let begun = computed();
    while computed() - begun < Duration::from_millis(800) {
        source.check("{}", WindowKind::Hour).unwrap();
    }
}

/// One request in 900 ms.
fn slowed(session: &Session) {
    session.set_rate(Some(Rate { requests: 1, per: Duration::from_millis(900), burst: 1 }));
}

#[test]
fn waiting_for_a_rate_limit_counts_against_no_limit() {
    let host = Host::new();
    let limits = Limits { time: Duration::from_millis(100), wall: Duration::from_millis(500), ..limits() };
    let (mut source, session) = asking(&host, &slow_server(&[0, 100]), limits);
    slowed(&session);
    source.complete_until("{}", 0).unwrap();
    let begun = Instant::now();
    source.complete_until("{}", 0).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[test]
fn wall_time_goes_on_after_a_wait_for_a_rate_limit() {
    let host = Host::new();
    let wall = Duration::from_millis(500);
    let (mut source, session) = asking(&host, &slow_server(&[0, 60_000]), Limits { wall, ..limits() });
    slowed(&session);
    source.complete_until("{}", 0).unwrap();
    let begun = Instant::now();
    assert_eq!(source.complete_until("{}", 0).unwrap_err().cause, Cause::Wall(wall));
    // The wait and the limit, with time for a busy machine.
    assert!((1300..10_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

//! What holds a request back: the rate, and the gate before each request.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[tokio::test]
async fn sessions_of_one_sink_share_its_rate_and_waiting_counts_against_no_deadline() {
    let server = TestServer::start(Act::Echo);
    let mut settings = settings();
    settings.deadline = Duration::from_millis(700);
    let broker = Broker::new(settings).unwrap();
    let grants = Arc::new(Grants::parse(&granting(&[&server.url()]), Path::new("/")).unwrap());
    let rate = Some(Rate { requests: 1, per: Duration::from_millis(1000), burst: 1 });
    let first = broker.session("sink.a", Arc::clone(&grants), false);
    let second = broker.session("sink.a", Arc::clone(&grants), false);
    let other = broker.session("sink.b", grants, false);
    for session in [&first, &second, &other] {
        session.set_rate(rate);
    }
    first.send(get(server.url())).await.unwrap();
    other.send(get(server.url())).await.unwrap();
    assert_eq!((first.waited().as_millis() / 100, other.waited().as_millis() / 100), (0, 0));
    let waiting = second.clone();
    let url = server.url();
    let task = tokio::spawn(async move { waiting.send(get(url)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(second.is_waiting() && second.waited() > Duration::from_millis(100));
    assert_eq!(second.call_record(), record(0, 0, 0), "nothing left yet");
    task.await.unwrap().unwrap();
    assert!(!second.is_waiting() && second.waited() > Duration::from_millis(900));
}

#[tokio::test]
async fn a_request_whose_wait_is_broken_off_has_not_left() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&[&server.url()]));
    session.set_rate(Some(Rate { requests: 1, per: Duration::from_secs(60), burst: 1 }));
    session.send(get(server.url())).await.unwrap();
    session.begin_call();
    assert!(tokio::time::timeout(Duration::from_millis(200), session.send(get(server.url()))).await.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((session.call_record(), session.is_waiting()), (record(0, 0, 0), false));
}

#[tokio::test]
async fn the_gate_is_asked_last() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&[&server.url()]));
    session.set_rate(Some(Rate { requests: 1, per: Duration::from_millis(500), burst: 1 }));
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    session.set_gate(Some(Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })));
    session.send(get("https://not-granted.example")).await.unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    session.send(get(server.url())).await.unwrap();
    let before = asked.load(Ordering::Relaxed);
    let (waiting, url) = (session.clone(), server.url());
    let task = tokio::spawn(async move { waiting.send(get(url)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((session.is_waiting(), asked.load(Ordering::Relaxed)), (true, before));
    task.await.unwrap().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), before + 1);
}

//! What a shut gate keeps back: whatever has not left, and nothing that has.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tokio::task::JoinHandle;

use super::*;

type Told = Arc<Mutex<Vec<Duration>>>;

/// A gate that is open for so many questions and shut from then on, and what it was told each time.
fn open_for(questions: usize) -> (Gate, Told) {
    let told = Told::default();
    let own = Arc::clone(&told);
    let gate: Gate = Arc::new(move |longest| {
        let mut told = held(&own);
        told.push(longest);
        if told.len() <= questions { Ok(()) } else { Err(format!("shut after {questions}")) }
    });
    (gate, told)
}

/// A gate that is shut as soon as somebody says so.
fn shut_by(flag: &Arc<AtomicBool>) -> Gate {
    let flag = Arc::clone(flag);
    Arc::new(move |_| if flag.load(SeqCst) { Err("shut".to_owned()) } else { Ok(()) })
}

/// A session beside others of the same broker.
fn beside(broker: &Broker, url: &str, gate: Option<Gate>) -> Session {
    let grants = Grants::parse(&granting(&[url]), Path::new("/")).unwrap();
    let session = broker.session("sink.test", Arc::new(grants), false);
    session.set_gate(gate);
    session
}

/// Sends in the background.
fn send(session: &Session, url: &str) -> JoinHandle<Result<Response, HttpError>> {
    let (session, request) = (session.clone(), get(url));
    tokio::spawn(async move { session.send(request).await })
}

async fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that");
}

/// Takes one connection and hangs up on it after what was sent, or after the first bytes of it.
fn listen() -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connection = std::thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 100]).unwrap());
    (url, connection)
}

/// The first name is looked up at once, every further one never.
#[derive(Default)]
struct OnlyOnce(AtomicUsize);

impl Resolver for OnlyOnce {
    fn lookup(&self, _name: &str) -> Lookup {
        let is_first = self.0.fetch_add(1, SeqCst) == 0;
        Box::pin(async move {
            if !is_first {
                std::future::pending::<()>().await;
            }
            Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)])
        })
    }
}

/// A server that answers as many requests as it is let to, and a broker that makes one connection to it and no second one.
fn one_connection() -> (TestServer, String, Arc<AtomicUsize>, Arc<OnlyOnce>, Broker) {
    let let_through = Arc::new(AtomicUsize::new(0));
    let server = TestServer::start(Act::EchoInTurn(Arc::clone(&let_through)));
    let url = format!("http://localhost:{}", server.address.port());
    let resolver = Arc::new(OnlyOnce::default());
    let broker = Broker::new(BrokerSettings { resolver: resolver.clone(), ..settings() }).unwrap();
    (server, url, let_through, resolver, broker)
}

#[tokio::test]
async fn a_gate_that_shuts_while_the_connection_is_made_lets_no_byte_through() {
    for through_a_proxy in [false, true] {
        for questions in [1, 2] {
            let (peer, connection) = listen();
            let mut settings = settings();
            let mut url = peer.clone();
            if through_a_proxy {
                settings.proxy = Some(peer.parse().unwrap());
                url = "http://a.example".to_owned();
            }
            let session = open(settings, &granting(&[&url]));
            session.set_gate(Some(open_for(questions).0));
            let error = session.send(post(url, "x")).await;
            assert_eq!(error, Err(HttpError::NotSent(format!("shut after {questions}"))));
            assert_eq!(connection.join().unwrap(), 0, "bytes of the request came out of the connection");
            assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
        }
    }
}

#[tokio::test]
async fn a_shut_gate_makes_no_connection() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&[&server.url()]));
    session.set_gate(Some(open_for(0).0));
    assert_eq!(session.send(get(server.url())).await, Err(HttpError::NotSent("shut after 0".to_owned())));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((server.connections(), session.call_record().requests), (0, 0));
}

#[tokio::test]
async fn a_connection_out_of_the_pool_is_asked_about_and_stays_there_if_the_gate_is_shut() {
    let server = TestServer::start(Act::Echo);
    let session = session(&granting(&[&server.url()]));
    session.send(get(server.url())).await.unwrap();
    session.set_gate(Some(open_for(0).0));
    assert_eq!(session.send(get(server.url())).await, Err(HttpError::NotSent("shut after 0".to_owned())));
    assert_eq!(server.seen().len(), 1);
    let (gate, told) = open_for(1);
    session.set_gate(Some(gate));
    session.send(get(server.url())).await.unwrap();
    assert_eq!((held(&told).len(), server.connections(), session.call_record().requests), (1, 1, 2));
}

#[tokio::test]
async fn a_request_that_is_given_another_ones_connection_while_it_makes_its_own_is_asked_about() {
    let (server, url, let_through, resolver, broker) = one_connection();
    let is_shut = Arc::new(AtomicBool::new(false));
    let first = beside(&broker, &url, None);
    let second = beside(&broker, &url, Some(shut_by(&is_shut)));
    let answered = send(&first, &url);
    wait_until(|| server.seen().len() == 1).await;
    let kept_back = send(&second, &url);
    wait_until(|| resolver.0.load(SeqCst) == 2).await;
    is_shut.store(true, SeqCst);
    let_through.store(1, SeqCst);
    answered.await.unwrap().unwrap();
    assert_eq!(kept_back.await.unwrap(), Err(HttpError::NotSent("shut".to_owned())));
    assert_eq!(second.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
    assert_eq!((server.seen().len(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_gate_that_shuts_once_the_request_has_left_changes_nothing() {
    let (server, url, let_through, resolver, broker) = one_connection();
    let [first_shut, second_shut] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let first = beside(&broker, &url, Some(shut_by(&first_shut)));
    let second = beside(&broker, &url, Some(shut_by(&second_shut)));
    // Over a connection of its own.
    let on_its_own = send(&first, &url);
    wait_until(|| server.seen().len() == 1).await;
    first_shut.store(true, SeqCst);
    // Over the other's, while its own is being made.
    let on_the_others = send(&second, &url);
    wait_until(|| resolver.0.load(SeqCst) == 2).await;
    let_through.store(1, SeqCst);
    assert_eq!(on_its_own.await.unwrap().unwrap().status, 200);
    wait_until(|| server.seen().len() == 2).await;
    second_shut.store(true, SeqCst);
    let_through.store(2, SeqCst);
    assert_eq!(on_the_others.await.unwrap().unwrap().status, 200);
    assert_eq!((first.call_record(), second.call_record()), (record(1, 1, 0), record(1, 1, 0)));
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_is_held_to_its_own_gate_however_many_there_are_at_once() {
    let let_through = Arc::new(AtomicUsize::new(0));
    let server = TestServer::start(Act::EchoInTurn(Arc::clone(&let_through)));
    let broker = Broker::new(settings()).unwrap();
    let all: Vec<_> = (0..50)
        .map(|number| {
            let is_open = number % 2 == 0;
            // Shut before connecting, on the way, or just before the first byte.
            let gate = if is_open { open_for(usize::MAX).0 } else { open_for(number / 2 % 3).0 };
            let gate: Gate = Arc::new(move |longest| gate(longest).map_err(|_| format!("the gate of {number}")));
            let session = beside(&broker, &server.url(), Some(gate));
            let answer = send(&session, &format!("{}/{number}", server.url()));
            (number, session, answer)
        })
        .collect();
    let (open, shut): (Vec<_>, Vec<_>) = all.into_iter().partition(|(number, ..)| number % 2 == 0);
    // No connection is free for another before these are through.
    for (number, session, answer) in shut {
        assert_eq!(answer.await.unwrap(), Err(HttpError::NotSent(format!("the gate of {number}"))));
        assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
    }
    let_through.store(50, SeqCst);
    for (number, session, answer) in open {
        let head = String::from_utf8(answer.await.unwrap().unwrap().body).unwrap();
        assert!(head.starts_with(&format!("GET /{number} ")), "{head}");
        assert_eq!(session.call_record(), record(1, 1, 0));
    }
    assert_eq!(server.seen().len(), 25);
}

#[tokio::test]
async fn the_gate_is_told_what_is_left_of_the_time() {
    struct Slow;
    impl Resolver for Slow {
        fn lookup(&self, _name: &str) -> Lookup {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)])
            })
        }
    }
    let server = TestServer::start(Act::Echo);
    let url = format!("http://localhost:{}", server.address.port());
    let session = open(BrokerSettings { resolver: Arc::new(Slow), ..settings() }, &granting(&[&url]));
    let (gate, told) = open_for(usize::MAX);
    session.set_gate(Some(gate));
    session.send(get(url)).await.unwrap();
    let told = held(&told);
    let (first, last) = (told[0], told[told.len() - 1]);
    assert!(first <= Duration::from_secs(5) && last + Duration::from_millis(200) <= first, "{told:?}");
}

#[tokio::test]
async fn the_deadline_of_a_session_cuts_a_slow_answer_and_is_what_the_gate_is_told() {
    let server = TestServer::start(Act::Stall(Vec::new()));
    let mut settings = settings();
    settings.deadline = Duration::from_millis(400);
    let session = open(settings, &granting(&[&server.url()]));
    // In milliseconds: what the session and the request want, and what comes of it.
    for (own, asked, shortest) in [
        (Some(200), None, 200),
        (Some(200), Some(60_000), 200),
        (Some(200), Some(100), 100),
        (Some(60_000), None, 400),
        (None, Some(300), 300),
        (None, None, 400),
    ] {
        let (gate, told) = open_for(usize::MAX);
        session.set_gate(Some(gate));
        session.set_deadline(own.map(Duration::from_millis));
        let mut request = get(server.url());
        request.timeout = asked.map(Duration::from_millis);
        let shortest = Duration::from_millis(shortest);
        let text = format!("{} gave no whole answer within {} s", server.url(), shortest.as_secs_f64());
        assert_eq!(session.send(request).await, Err(HttpError::Unanswered(text)));
        let first = held(&told)[0];
        assert!(first <= shortest && first > shortest - Duration::from_millis(90), "{first:?} of {shortest:?}");
    }
}

#[tokio::test]
async fn a_shut_gate_keeps_objects_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old"), "x").unwrap();
    let names = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with(".meterhost-")).collect();
        let drafts = std::fs::read_dir(folder.path().join(".meterhost-drafts")).into_iter().flatten();
        names.extend(drafts.map(|draft| draft.unwrap().file_name().into_string().unwrap()));
        names.sort();
        names
    };
    let url = format!("file://{}", folder.path().display());
    let session = session(&GrantSpec { write: Some(at(url)), ..GrantSpec::default() });
    session.set_deadline(Some(Duration::from_secs(3)));
    let mut upload = session.upload("large", "").await.unwrap();
    upload.write(b"y").await.unwrap();
    assert_eq!(session.call_record(), record(0, 0, 0), "nothing of it is there yet");

    let (gate, told) = open_for(0);
    session.set_gate(Some(gate));
    let none = Precondition::None;
    let refused = ObjectError::Unavailable("nothing was written or deleted: shut after 0".to_owned());
    assert_eq!(session.put("new", b"z", "", &none).await, Err(refused.clone()));
    assert_eq!(session.delete("old", &none).await, Err(refused.clone()));
    assert_eq!(session.upload("other", "").await.err(), Some(refused.clone()));
    assert_eq!(upload.commit(&none).await, Err(refused));
    assert_eq!(held(&told).as_slice(), [Duration::from_secs(3); 4]);
    let visible: Vec<_> = names().into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!((visible.as_slice(), session.call_record()), (["old".to_owned()].as_slice(), record(0, 0, 0)));

    session.set_gate(Some(open_for(3).0));
    session.put("new", b"z", "", &none).await.unwrap();
    session.delete("old", &none).await.unwrap();
    upload.commit(&none).await.unwrap();
    assert_eq!((names(), session.call_record()), (vec!["large".to_owned(), "new".to_owned()], record(0, 0, 3)));
}

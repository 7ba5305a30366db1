//! What stands between a client and the server.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::{Act, Fault};
use crate::moto::Store;
use crate::request::{Kind, Seen};
use crate::wire::{self, Message};

/// A running proxy. It takes no more connections once it is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    store: Store,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<Seen>>,
    latency: Mutex<Duration>,
    /// Answers to the same requests for objects, where they are to be remembered.
    remembered: Mutex<Option<HashMap<String, Message>>>,
    gauge: Mutex<Gauge>,
    over: Mutex<bool>,
}

#[derive(Default)]
struct Gauge {
    now: HashMap<Kind, usize>,
    most: HashMap<Kind, usize>,
    sent: usize,
}

impl Proxy {
    /// Stands before a server, on a free port of 127.0.0.1.
    pub fn start(store: &Store) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            store: *store,
            faults: Mutex::default(),
            requests: Mutex::default(),
            latency: Mutex::default(),
            remembered: Mutex::default(),
            gauge: Mutex::default(),
            over: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *held(&shared.over) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&shared);
                // A client that goes away ends its connection, and nothing else.
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Proxy { address, state }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets something go wrong.
    pub fn push_fault(&self, fault: Fault) {
        held(&self.state.faults).push(fault);
    }

    /// All is well from here on.
    pub fn clear_faults(&self) {
        held(&self.state.faults).clear();
    }

    /// Every answer takes at least this long.
    pub fn set_latency(&self, latency: Duration) {
        *held(&self.state.latency) = latency;
    }

    /// Answers for objects come from memory, once each has been asked for: as fast as a store that is no test server.
    pub fn remember_objects(&self) {
        held(&self.state.remembered).get_or_insert_default();
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Seen> {
        held(&self.state.requests).clone()
    }

    /// How many requests of this kind came so far.
    pub fn count(&self, kind: Kind) -> usize {
        held(&self.state.requests).iter().filter(|seen| seen.kind == kind).count()
    }

    /// How many requests of this kind were under way at once, at most.
    pub fn most_at_once(&self, kind: Kind) -> usize {
        held(&self.state.gauge).most.get(&kind).copied().unwrap_or_default()
    }

    /// Bytes of bodies that clients took off its hands, or that wait in the system's buffers.
    pub fn bytes_sent(&self) -> usize {
        held(&self.state.gauge).sent
    }

    /// Forgets requests and gauges.
    pub fn reset(&self) {
        held(&self.state.requests).clear();
        *held(&self.state.gauge) = Gauge::default();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *held(&self.state.over) = true;
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, stream: TcpStream) {
        // Small answers must not wait for acknowledgements of others.
        let _ = stream.set_nodelay(true);
        let mut stream = BufReader::new(stream);
        while let Ok(Some(request)) = wire::read_request(&mut stream) {
            let seen = Seen::of(&request);
            held(&self.requests).push(seen.clone());
            self.begins(seen.kind);
            let goes_on = self.answer(request, &seen, stream.get_mut());
            let mut gauge = held(&self.gauge);
            // Forgotten meanwhile, it is not counted any more.
            let now = gauge.now.entry(seen.kind).or_default();
            *now = now.saturating_sub(1);
            drop(gauge);
            if !goes_on {
                break;
            }
        }
        let _ = stream.get_ref().shutdown(Shutdown::Both);
    }

    fn begins(&self, kind: Kind) {
        let mut gauge = held(&self.gauge);
        let now = gauge.now.entry(kind).or_default();
        *now += 1;
        let now = *now;
        let most = gauge.most.entry(kind).or_default();
        *most = now.max(*most);
    }

    /// Answers one request. Whether the connection stays.
    fn answer(&self, mut request: Message, seen: &Seen, stream: &mut TcpStream) -> bool {
        let act = held(&self.faults).iter_mut().find_map(|fault| fault.strikes(seen).then(|| fault.act.clone()));
        let latency = *held(&self.latency);
        if !latency.is_zero() {
            std::thread::sleep(latency);
        }
        match &act {
            Some(Act::Answer { status, headers, body }) => {
                let body = if seen.kind == Kind::Head { "" } else { body };
                let mut answer = Message::new(format!("HTTP/1.1 {status} Fault"), body);
                answer.headers.clone_from(headers);
                answer.set("content-length", answer.body.len().to_string());
                return self.send(&answer, answer.body.len(), stream);
            }
            Some(Act::Drop) => return false,
            Some(Act::Delay(time)) => std::thread::sleep(*time),
            Some(Act::Overwrite(bytes)) => {
                self.store.put(&seen.bucket, &seen.key, bytes);
            }
            Some(Act::Without(name)) => request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
            Some(Act::MaxKeys(most)) => limit(&mut request, *most),
            _ => {}
        }
        let Ok(mut answer) = self.forward(&request, seen) else { return false };
        let whole = answer.body.len();
        match &act {
            Some(Act::DropAnswer) => return false,
            Some(Act::OverwriteAfter(bytes)) => {
                self.store.put(&seen.bucket, &seen.key, bytes);
            }
            Some(Act::Cut(length)) => {
                self.send(&answer, whole.min(*length), stream);
                return false;
            }
            Some(Act::Stall(length, time)) => {
                self.send(&answer, whole.min(*length), stream);
                std::thread::sleep(*time);
                return false;
            }
            Some(Act::Short(length)) => {
                answer.body.truncate(*length);
                answer.set("content-length", answer.body.len().to_string());
            }
            Some(Act::Corrupt) => {
                if let Some(byte) = answer.body.last_mut() {
                    *byte ^= 1;
                }
            }
            Some(Act::Headers(headers)) => {
                for (name, value) in headers {
                    answer.set(name, value.clone());
                }
            }
            _ => {}
        }
        self.send(&answer, answer.body.len(), stream)
    }

    fn forward(&self, request: &Message, seen: &Seen) -> std::io::Result<Message> {
        let name = format!("{} {:?} {:?}", request.start, seen.header("range"), seen.header("if-match"));
        let known = held(&self.remembered).as_ref().and_then(|known| known.get(&name).cloned());
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = wire::exchange(self.store.address, request)?;
        if seen.kind == Kind::Get
            && let Some(known) = held(&self.remembered).as_mut()
        {
            known.insert(name, answer.clone());
        }
        Ok(answer)
    }

    /// Sends an answer with so many bytes of its body. Whether the client took them.
    fn send(&self, answer: &Message, length: usize, stream: &mut TcpStream) -> bool {
        const PIECE: usize = 64 * 1024;
        let body = answer.body.get(..length).unwrap_or_default();
        // In one piece where it is small: two would cost a packet each.
        let first = body.len().min(PIECE);
        let mut head = answer.head();
        head.extend_from_slice(&body[..first]);
        let mut sent = stream.write_all(&head);
        held(&self.gauge).sent += first;
        for piece in body[first..].chunks(PIECE) {
            sent = sent.and_then(|()| stream.write_all(piece));
            if sent.is_err() {
                break;
            }
            held(&self.gauge).sent += piece.len();
        }
        sent.and_then(|()| stream.flush()).is_ok()
    }
}

/// Asks for smaller pages than the client did.
fn limit(request: &mut Message, most: usize) {
    let words: Vec<&str> = request.start.split(' ').collect();
    let [method, target, version] = words.as_slice() else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<String> =
        query.split('&').filter(|pair| !pair.starts_with("max-keys=")).map(str::to_owned).collect();
    pairs.push(format!("max-keys={most}"));
    request.start = format!("{method} {path}?{} {version}", pairs.join("&"));
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

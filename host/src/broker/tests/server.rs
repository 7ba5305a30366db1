//! A server for tests that does on the wire exactly what it is told, right or wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::broker::held;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// What the server does with a request. After `Answer` and the echoes it takes the next one on the same connection.
#[derive(Clone)]
pub(super) enum Act {
    /// A whole answer: status line and headers without the length, and the body.
    Answer(&'static str, Vec<u8>),
    /// The n-th request of all gets the n-th of these answers, and all further ones the last.
    Answers(Vec<(&'static str, Vec<u8>)>),
    /// The request's head and body as the answer's body, and the header `x-key` repeated.
    Echo,
    /// As `Echo`, but the n-th request of all is answered only once n may be.
    EchoInTurn(Arc<AtomicUsize>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed without an answer.
    Hangup,
    /// These bytes, then silence.
    Stall(Vec<u8>),
}

pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
}

impl TestServer {
    /// Serves on a free port of 127.0.0.1, each request in the same way.
    pub(super) fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            TestServer { address: listener.local_addr().unwrap(), seen: Arc::default(), connections: Arc::default() };
        let (seen, connections) = (Arc::clone(&server.seen), Arc::clone(&server.connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                *held(&connections) += 1;
                let (seen, act) = (Arc::clone(&seen), act.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &seen, &act));
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        held(&self.seen).clone()
    }

    pub(super) fn connections(&self) -> usize {
        *held(&self.connections)
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Seen>>, act: &Act) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let number = {
            let mut seen = held(seen);
            seen.push(request.clone());
            seen.len()
        };
        match act {
            Act::Answer(head, body) => answer(&mut stream, head, body),
            Act::Answers(answers) => {
                let (head, body) = answers.get(number - 1).or(answers.last()).unwrap();
                answer(&mut stream, head, body);
            }
            Act::Echo => echo(&mut stream, &request),
            Act::EchoInTurn(may_be) => {
                while may_be.load(SeqCst) < number {
                    std::thread::sleep(Duration::from_millis(2));
                }
                echo(&mut stream, &request);
            }
            Act::Raw(bytes) => {
                let _ = stream.write_all(bytes);
                return;
            }
            Act::Hangup => return,
            Act::Stall(bytes) => {
                let _ = stream.write_all(bytes);
                std::thread::sleep(Duration::from_secs(600));
            }
        }
    }
}

fn echo(stream: &mut TcpStream, request: &Seen) {
    let body = [request.head.as_bytes(), &request.body].concat();
    let key = request.head.lines().find_map(|line| line.strip_prefix("x-key: ")).unwrap_or("none");
    answer(stream, &format!("HTTP/1.1 200 OK\r\nx-key: {key}"), &body);
}

fn answer(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let bytes = [format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    // The client may have broken off.
    let _ = stream.write_all(&bytes);
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { head, body })
}

//! The server as a process of its own, and its objects behind the proxy's back.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::wire::{self, Message};

/// Ends with whoever started it, whose end of the pipe closes; and after so many seconds in any case.
///
/// A transaction of DynamoDB copies each of its tables once; moto by itself does so for each of its actions, which takes minutes where a
/// table has thousands of items.
const PROGRAM: &str = "
import copy, os, sys, threading, types
def end(): os._exit(0)
def wait():
    sys.stdin.buffer.read()
    end()
threading.Thread(target=wait, daemon=True).start()
timer = threading.Timer(1800, end)
timer.daemon = True
timer.start()
from moto.dynamodb import models
transaction = threading.local()
def copied(it):
    copies = getattr(transaction, 'copies', None)
    if copies is None or not isinstance(it, models.Table):
        return copy.deepcopy(it)
    if id(it) not in copies:
        copies[id(it)] = copy.deepcopy(it)
    return copies[id(it)]
models.copy = types.SimpleNamespace(deepcopy=copied)
whole = models.DynamoDBBackend.transact_write_items
def once(self, *arguments, **named):
    transaction.copies = {}
    try:
        return whole(self, *arguments, **named)
    finally:
        transaction.copies = None
models.DynamoDBBackend.transact_write_items = once
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
";

/// What stands in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// moto asks for a signature of any kind, and does not look at it.
const UNSIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// A running server; it ends with this value.
pub struct Moto {
    store: Store,
    child: Child,
    /// Closed, it ends the server.
    _input: Option<ChildStdin>,
}

impl std::ops::Deref for Moto {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Moto {
    /// Starts one of one's own, on a free port of 127.0.0.1. Takes a second or two.
    pub fn start() -> Moto {
        Moto::started(None)
    }

    /// Starts one that, after so many requests, takes only those whose signature is right.
    pub fn strict(after: usize) -> Moto {
        Moto::started(Some(after))
    }

    /// The one that the tests of a process share, each with a bucket of its own.
    pub fn shared() -> &'static Moto {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(Moto::start)
    }

    fn started(strict_after: Option<usize>) -> Moto {
        let mut command = Command::new(python());
        command.args(["-u", "-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("MOTO_")) {
            command.env_remove(name);
        }
        if let Some(after) = strict_after {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", after.to_string());
        }
        let mut child = command.spawn().expect("moto is started");
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stderr.take().expect("its lines are read"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let length = lines.read_line(&mut line).expect("its lines can be read");
            assert!(length > 0, "moto ended before it listened:\n{said}");
            if let Some((_, url)) = line.split_once("Running on http://") {
                break url.trim().parse().expect("an address");
            }
            said += &line;
        };
        // Nobody reads what it says from here on, but it has to be able to say it.
        std::thread::spawn(move || std::io::copy(&mut lines.by_ref(), &mut std::io::sink()));
        Moto { store: Store { address }, child, _input: input }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that has moto and boto3: where `cargo xtask moto` puts it, or where `METERHOST_MOTO` says.
///
/// # Panics
/// It is not installed.
pub fn python() -> PathBuf {
    let folder = std::env::var_os("METERHOST_MOTO")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/moto")), PathBuf::from);
    let python = folder.join("bin/python");
    assert!(
        python.is_file(),
        "moto and boto3 are not installed at {}: run `cargo xtask moto`, or `cargo xtask test`, which does it too",
        python.display()
    );
    python
}

/// A server's objects, without signatures and without faults.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub(crate) address: SocketAddr,
}

impl Store {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket of a name that no other test of this process has.
    pub fn bucket(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bucket-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        self.send("PUT", &format!("/{name}"), &[]);
        name
    }

    /// Writes an object; answers its ETag, with its quotes.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> String {
        let answer = self.send("PUT", &path(bucket, key), bytes);
        answer.header("etag").expect("an ETag").to_owned()
    }

    /// An object's contents, if it is there.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask("GET", &path(bucket, key), &[]);
        match answer.status() {
            200 => Some(answer.body),
            404 => None,
            _ => panic!("moto answered: {answer:?}"),
        }
    }

    /// Deletes an object.
    pub fn delete(&self, bucket: &str, key: &str) {
        self.send("DELETE", &path(bucket, key), &[]);
    }

    /// The keys of a bucket, in order; at most a thousand.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.elements(&format!("/{bucket}?list-type=2&encoding-type=url"), "Key")
    }

    /// The keys of uploads under way.
    pub fn uploads(&self, bucket: &str) -> Vec<String> {
        self.elements(&format!("/{bucket}?uploads"), "Key")
    }

    /// Sends a form to another service at the same address, such as IAM or STS; answers the body.
    pub fn form(&self, service: &str, form: &str) -> String {
        let mut request = self.request("POST", "/", form.as_bytes());
        request.set("authorization", UNSIGNED.replace("/s3/", &format!("/{service}/")));
        request.set("content-type", "application/x-www-form-urlencoded");
        let answer = wire::exchange(self.address, &request).expect("moto answers");
        assert_eq!(answer.status(), 200, "{answer:?}");
        String::from_utf8(answer.body).expect("XML")
    }

    /// Calls DynamoDB: `Query` and a body of JSON; answers the status and the body.
    pub fn dynamodb(&self, operation: &str, body: &str) -> (u16, String) {
        let mut request = self.request("POST", "/", body.as_bytes());
        request.set("authorization", UNSIGNED.replace("/s3/", "/dynamodb/"));
        request.set("content-type", "application/x-amz-json-1.0");
        request.set("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let answer = wire::exchange(self.address, &request).expect("moto answers");
        (answer.status(), String::from_utf8(answer.body).expect("JSON"))
    }

    fn elements(&self, target: &str, name: &str) -> Vec<String> {
        let body = String::from_utf8(self.send("GET", target, &[]).body).expect("XML");
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let texts = body.split(&begin).skip(1).filter_map(|rest| rest.split_once(&end));
        texts.map(|(text, _)| percent_decode_str(text).decode_utf8_lossy().into_owned()).collect()
    }

    fn send(&self, method: &str, target: &str, body: &[u8]) -> Message {
        let answer = self.ask(method, target, body);
        assert!((200..300).contains(&answer.status()), "{method} {target}: {answer:?}");
        answer
    }

    fn ask(&self, method: &str, target: &str, body: &[u8]) -> Message {
        wire::exchange(self.address, &self.request(method, target, body)).expect("moto answers")
    }

    fn request(&self, method: &str, target: &str, body: &[u8]) -> Message {
        let mut request = Message::new(format!("{method} {target} HTTP/1.1"), body);
        request.set("host", self.address.to_string());
        request.set("authorization", UNSIGNED);
        request
    }
}

fn path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, PATH))
}

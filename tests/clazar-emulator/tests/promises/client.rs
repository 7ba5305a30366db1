//! A client that hides nothing: one connection a request, and the answer as it came.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use clazar_emulator::{Emulator, Settings};
use serde_json::{Value, json};

pub const A: &str = "ae641bd1-edf8-4038-bfed-d2ff556c729e";
pub const B: &str = "bf752ce2-fee9-4149-8fae-e3aa667d83af";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn results(&self) -> Vec<Value> {
        self.json()["results"].as_array().unwrap().clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether all of the announced body came.
    pub fn is_whole(&self) -> bool {
        self.header("content-length").is_some_and(|length| length == self.body.len().to_string())
    }
}

/// Sends a request and reads until the connection ends. `None` if it ends without a byte.
pub fn send(clazar: &Emulator, method: &str, target: &str, headers: &[&str], body: &str) -> Option<Answer> {
    exchange(clazar.origin(), method, target, headers, body, Duration::from_secs(10)).unwrap()
}

pub fn exchange(
    origin: &str,
    method: &str,
    target: &str,
    headers: &[&str],
    body: &str,
    patience: Duration,
) -> io::Result<Option<Answer>> {
    let host = origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(patience))?;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for header in headers {
        head += &format!("{header}\r\n");
    }
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(None);
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Some(Answer { status, head: head.to_owned(), body: body.to_owned() }))
}

pub const JSON: &str = "Content-Type: application/json";

pub fn start() -> Emulator {
    with(Settings::default())
}

pub fn with(settings: Settings) -> Emulator {
    Emulator::start(settings).unwrap()
}

pub fn authenticate(clazar: &Emulator) -> Option<Answer> {
    let body = r#"{"client_id": "cid", "client_secret": "sec"}"#;
    send(clazar, "POST", "/authenticate/", &[JSON], body)
}

pub fn token(clazar: &Emulator) -> String {
    authenticate(clazar).unwrap().json()["access_token"].as_str().unwrap().to_owned()
}

/// Posts a body with a fresh token.
pub fn post(clazar: &Emulator, body: &Value) -> Option<Answer> {
    post_as(clazar, &token(clazar), body)
}

pub fn post_as(clazar: &Emulator, token: &str, body: &Value) -> Option<Answer> {
    let path = clazar.url().strip_prefix(clazar.origin()).unwrap();
    send(clazar, "POST", path, &[JSON, &format!("Authorization: Bearer {token}")], &body.to_string())
}

pub fn submit(clazar: &Emulator, records: &[Value]) -> Option<Answer> {
    post(clazar, &json!({ "request": records }))
}

pub fn list(clazar: &Emulator, query: &str) -> Answer {
    let bearer = format!("Authorization: Bearer {}", token(clazar));
    send(clazar, "GET", &format!("/metering/{query}"), &[&bearer], "").unwrap()
}

/// A record for June 2025.
pub fn record(contract: &str, dimension: &str) -> Value {
    json!({
        "cloud": "aws", "contract_id": contract, "dimension": dimension,
        "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z", "quantity": "4",
    })
}

/// The same with one field changed.
pub fn but(mut record: Value, field: &str, value: impl Into<Value>) -> Value {
    record[field] = value.into();
    record
}

/// Contract and dimension of all records in the books, with their status.
pub fn booked(clazar: &Emulator) -> Vec<String> {
    assert_eq!(clazar.verify_books(), Ok(()));
    let line = |it: clazar_emulator::Record| format!("{} {} {}", it.contract_id, it.dimension, it.status.name());
    clazar.books().into_iter().map(line).collect()
}

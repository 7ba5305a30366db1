//! What the tests share: charges, and a stage for the plugin.
#![allow(dead_code, reason = "each test file is a crate of its own and needs a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

use clazar::{Clazar, ClazarSession, Config};
use clazar_emulator::Emulator;
use meterhost_sdk::http::{self, Request, Response};
use meterhost_sdk::{Charge, Decimal, Failure, Outcome, Session, Sink, Window, testing};

pub const JUNE: Window = Window { start: 1_748_736_000_000, end: 1_751_328_000_000 };
pub const NOW: i64 = 1_751_335_200_000;
pub const A: &str = "ae641bd1-edf8-4038-bfed-d2ff556c729e";
pub const B: &str = "bf752ce2-fee9-4149-8fae-e3aa667d83af";
pub const METERING: &str = "https://api.clazar.io/metering/";
pub const AUTHENTICATE: &str = "https://api.clazar.io/authenticate/";

/// A charge of June 2025. Its id is made of its names.
pub fn charge(customer: &str, dimension: &str, quantity: &str) -> Charge {
    Charge {
        id: format!("{customer}/{dimension}"),
        product: String::new(),
        customer: customer.into(),
        dimension: dimension.into(),
        tags: vec![],
        window: JUNE,
        time: JUNE.end - 1,
        quantity: Decimal::parse(quantity).unwrap(),
        carried: vec![],
        attributes: vec![],
    }
}

/// A configuration as the pipeline file writes it, in JSON.
pub fn config(text: &str) -> Config {
    serde_json::from_str(text).unwrap()
}

pub fn json(status: u16, body: &str) -> Response {
    Response { status, headers: vec![("content-type".into(), "application/json".into())], body: body.into() }
}

/// Every request that the plugin sent.
pub type Sent = Rc<RefCell<Vec<Request>>>;

/// From here on, authentication gives the token `tok-12345678`, and everything else is answered by this.
pub fn stage(mut network: impl FnMut(&Request) -> Result<Response, http::Error> + 'static) -> Sent {
    let sent = Sent::default();
    let log = sent.clone();
    testing::answer(move |request| {
        log.borrow_mut().push(request.clone());
        if request.url.ends_with("/authenticate/") {
            return Ok(json(200, r#"{"access_token": "tok-12345678", "token_type": "bearer", "expires_in": 86400}"#));
        }
        network(request)
    });
    sent
}

pub fn session() -> ClazarSession {
    Clazar::connect(config("{}"), NOW).unwrap()
}

/// Offers charges to a service that gives this answer.
pub fn offer(charges: &[Charge], status: u16, body: &str) -> Result<Vec<Outcome>, Failure> {
    let answer = json(status, body);
    stage(move |_| Ok(answer.clone()));
    session().submit(charges, NOW)
}

/// Offers charges to a service that gives these results.
pub fn results(charges: &[Charge], results: &str) -> Vec<Outcome> {
    offer(charges, 200, &format!(r#"{{"results": {results}}}"#)).unwrap()
}

/// From here on, an emulator answers, with the secrets that it knows in the place of the marks.
pub fn emulated(emulator: &Emulator) -> ClazarSession {
    connected(emulator).unwrap()
}

/// The same, if there comes a session of it.
pub fn connected(emulator: &Emulator) -> Result<ClazarSession, Failure> {
    testing::answer(bridge);
    Clazar::connect(config(&format!(r#"{{"url": "{}"}}"#, emulator.url())), NOW)
}

/// A client as simple as it may be: one connection a request.
pub fn bridge(request: &Request) -> Result<Response, http::Error> {
    let rest = request.url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let body = String::from_utf8(request.body.clone()).unwrap();
    let body = body.replace("{client_id}", "cid").replace("{client_secret}", "sec");
    let mut head = format!("{} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", request.method);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    let lost = |error: std::io::Error| http::Error::Unanswered(error.to_string());
    let mut stream = TcpStream::connect(host).map_err(|error| http::Error::NotSent(error.to_string()))?;
    stream.write_all(head.as_bytes()).map_err(lost)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(lost)?;
    whole(&answer).ok_or_else(|| http::Error::Unanswered("the connection ended before the answer did".into()))
}

fn whole(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?.to_vec();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    (length.unwrap_or(body.len()) == body.len()).then_some(Response { status, headers, body })
}

//! A source that reaches for everything within WASI and the contract, and answers with what it got: as an error, one line each.

use std::time::{Duration, SystemTime};

use meterhost_sdk::{
    About, Cursor, Error, Input, Listing, Page, Plugin, Request, Source, SourceKind, aws, config, export_source, http,
    objects,
};

config! {
    pub struct Config {
        /// A URL that is not granted.
        pub url: String,
        /// A file of the host's.
        pub file: String,
        /// The address of a server of the host's.
        pub address: String,
        /// Calls of AWS: what it is, service, operation and body of each.
        #[serde(default)]
        pub calls: Vec<[String; 4]>,
    }
}

struct Reaching;

struct Nothing;

impl Plugin for Reaching {
    type Config = Config;

    fn about() -> About {
        About { name: "reaching", version: "0.1.0", purpose: "reaches for everything", needs: vec![] }
    }
}

impl Cursor for Nothing {
    fn next(&mut self) -> Result<Option<Page>, Error> {
        Ok(None)
    }
}

impl Listing for Nothing {
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error> {
        Ok(None)
    }
}

/// The contract's own kind of error, and its words.
fn denied(error: http::Error) -> String {
    match error {
        http::Error::Denied(words) => format!("denied: {words}"),
        other => format!("another error: {other}"),
    }
}

/// As [`denied`], of objects.
fn kept(error: objects::Error) -> String {
    match error {
        objects::Error::Denied(words) => format!("denied: {words}"),
        other => format!("another error: {other}"),
    }
}

/// As [`denied`], of calls.
fn uncalled(error: aws::Error) -> String {
    match error {
        aws::Error::Denied(words) => format!("denied: {words}"),
        other => format!("another error: {}", aws::message(&other)),
    }
}

impl Source for Reaching {
    const KIND: SourceKind = SourceKind::Complete;
    type Cursor = Nothing;
    type Listing = Nothing;

    fn open(config: Config, request: Request) -> Result<Nothing, Error> {
        let mut got = Vec::new();
        let mut tried = |what: &str, result: Result<String, String>| {
            got.push(match result {
                Ok(result) => format!("{what}: GOT {result}"),
                Err(reason) => format!("{what}: {reason}"),
            });
        };
        tried("file", std::fs::read_to_string(&config.file).map_err(|error| error.to_string()));
        tried("folder", std::fs::read_dir("/").map(|_| "entries".to_owned()).map_err(|error| error.to_string()));
        tried("write", std::fs::write("/tmp/x", "x").map(|()| "written".to_owned()).map_err(|error| error.to_string()));
        let variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        tried(
            "environment",
            if variables.is_empty() { Err("it is empty".to_owned()) } else { Ok(variables.join(",")) },
        );
        let arguments = std::env::args().count();
        tried("arguments", if arguments == 0 { Err("there are none".to_owned()) } else { Ok(arguments.to_string()) });
        tried(
            "tcp",
            std::net::TcpStream::connect(&config.address)
                .map(|_| "connected".to_owned())
                .map_err(|error| error.to_string()),
        );
        tried(
            "udp",
            std::net::UdpSocket::bind("127.0.0.1:0").map(|_| "bound".to_owned()).map_err(|error| error.to_string()),
        );
        let request_to =
            http::Request { method: "GET".into(), url: config.url, headers: vec![], body: vec![], timeout: None };
        tried("http", http::send(&request_to).map(|answer| answer.status.to_string()).map_err(denied));
        tried("secret", http::secret("client_id", http::Encoding::Raw).map_err(denied));
        tried("list", objects::list("", None).map(|_| "a listing".to_owned()).map_err(kept));
        tried("get", objects::get("../pipeline.toml", None).map(|_| "a body".to_owned()).map_err(kept));
        tried("put", objects::put("x", b"x", "text/plain", &objects::Precondition::None).map_err(kept));
        for [what, service, operation, body] in &config.calls {
            tried(what, aws::call(service, operation, body).map_err(uncalled));
        }
        let clock = SystemTime::UNIX_EPOCH + Duration::from_millis(request.now.unsigned_abs());
        let stands = SystemTime::now() == clock;
        tried("clock", if stands { Err("it shows `now`".to_owned()) } else { Ok("another time".to_owned()) });
        Err(Error::Other(got.join("\n")))
    }

    fn inputs(_config: Config, _request: Request) -> Result<Nothing, Error> {
        Ok(Nothing)
    }
}

export_source!(Reaching);

//! What a session promises, over real connections and folders.

mod aws;
mod aws_signed;
mod exchanges;
mod failures;
mod gates;
mod objects;
mod refusals;
mod secrets;
mod server;
mod waiting;

use std::path::Path;

use self::server::{Act, TestServer};
use super::*;
use crate::config::{GrantSpec, HttpGrantSpec, Located, SecretSource, SecretSpec};

const SECRET: &str = "s3cr/t \"v4lue\"";

fn at<T>(value: T) -> Located<T> {
    Located { value, span: 0..0 }
}

fn granting(urls: &[&str]) -> GrantSpec {
    let plain = |url: &&str| at(HttpGrantSpec { url: (*url).to_owned(), methods: None, paths: None });
    GrantSpec { http: urls.iter().map(plain).collect(), ..GrantSpec::default() }
}

fn with_secret(mut spec: GrantSpec, to: Option<&str>) -> GrantSpec {
    let secret = SecretSpec { from: SecretSource::Env("KEY".to_owned()), to: to.map(str::to_owned) };
    spec.secrets.insert("key".to_owned(), at(secret));
    spec
}

fn settings() -> BrokerSettings {
    let mut settings = BrokerSettings::new(Handle::current());
    settings.env = Arc::new(|name| Some(SECRET.to_owned()).filter(|_| name == "KEY"));
    settings.connect_timeout = Duration::from_secs(2);
    settings.deadline = Duration::from_secs(5);
    settings
}

fn open(settings: BrokerSettings, spec: &GrantSpec) -> Session {
    let grants = Grants::parse(spec, Path::new("/")).unwrap();
    Broker::new(settings).unwrap().session("sink.test", Arc::new(grants), false)
}

fn session(spec: &GrantSpec) -> Session {
    open(settings(), spec)
}

fn get(url: impl Into<String>) -> Request {
    Request { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new(), timeout: None }
}

fn post(url: impl Into<String>, body: &str) -> Request {
    Request { method: "POST".to_owned(), body: body.as_bytes().to_vec(), ..get(url) }
}

fn record(requests: u32, answered: u32, writes: u32) -> CallRecord {
    CallRecord { requests, tried: requests, answered, writes }
}

fn lines(session: &Session) -> Vec<Option<String>> {
    session.denials().into_iter().map(|denial| denial.grant).collect()
}

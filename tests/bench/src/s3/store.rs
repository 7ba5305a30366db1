//! A server that speaks as much of S3 as reading takes, out of memory, and thinks a while before each answer.
//!
//! | request | answer |
//! |---|---|
//! | `GET /bucket?list-type=2` | a page of at most 1000 keys (ListObjectsV2), with `prefix`, `start-after`, `continuation-token`, `max-keys` |
//! | `GET /bucket/key` | the object (GetObject), under `If-Match` if that is said |
//! | anything else | 501, so that nothing is measured that was not asked for |
//!
//! Signatures are not looked at. Keys need no escape, in a URL or in XML.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, ETAG, IF_MATCH, LAST_MODIFIED, RANGE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

/// The most keys of a page.
const PAGE: usize = 1000;

/// An object.
pub struct Stored {
    key: String,
    etag: String,
    body: Bytes,
}

impl Stored {
    pub fn new(key: String, body: String) -> Self {
        let mut hasher = DefaultHasher::new();
        (&key, &body).hash(&mut hasher);
        Stored { etag: format!("\"{:016x}\"", hasher.finish()), key, body: body.into() }
    }

    pub fn size(&self) -> usize {
        self.body.len()
    }
}

/// A server at work. It ends with its runtime.
pub struct Store {
    pub url: String,
    shared: Arc<Shared>,
}

/// How many requests there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub lists: u64,
    pub gets: u64,
}

struct Shared {
    bucket: String,
    /// Ascending.
    objects: Vec<Stored>,
    places: HashMap<String, usize>,
    latency: Duration,
    lists: AtomicU64,
    gets: AtomicU64,
}

impl Store {
    /// Serves these objects, which are in ascending order of their keys, with this latency.
    pub async fn start(bucket: &str, objects: Vec<Stored>, latency: Duration) -> io::Result<Store> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let places = objects.iter().enumerate().map(|(place, object)| (object.key.clone(), place)).collect();
        let (lists, gets) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { bucket: bucket.to_owned(), objects, places, latency, lists, gets });
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Store { url, shared })
    }

    /// The requests since this was asked before.
    pub fn asked(&self) -> Asked {
        let taken = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Asked { lists: taken(&self.shared.lists), gets: taken(&self.shared.gets) }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Head and body of a small answer would wait for each other's receipt.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let answer = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move {
                tokio::time::sleep(shared.latency).await;
                Ok::<_, Infallible>(shared.answer(&request))
            }
        });
        // An error here is a client that left.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

impl Shared {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if request.method() != Method::GET || bucket != self.bucket {
            return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        }
        if key.is_empty() { self.list(request.uri().query().unwrap_or_default()) } else { self.get(request, key) }
    }

    fn get(&self, request: &Request<Incoming>, key: &str) -> Answer {
        self.gets.fetch_add(1, Ordering::Relaxed);
        let Some(object) = self.places.get(key).and_then(|place| self.objects.get(*place)) else {
            return error(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        if request.headers().contains_key(RANGE) {
            return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        }
        if request.headers().get(IF_MATCH).is_some_and(|wanted| wanted.as_bytes() != object.etag.as_bytes()) {
            return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let answer = Response::builder()
            .header(ETAG, &object.etag)
            .header(LAST_MODIFIED, "Fri, 01 Aug 2025 00:00:00 GMT")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(object.body.clone()));
        answer.unwrap_or_else(|_| error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"))
    }

    fn list(&self, query: &str) -> Answer {
        self.lists.fetch_add(1, Ordering::Relaxed);
        let asked: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let given = |name: &str| asked.get(name).map(String::as_str).filter(|value| !value.is_empty());
        if given("list-type") != Some("2") || given("delimiter").is_some() {
            return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        }
        let prefix = given("prefix").unwrap_or_default();
        // A token is the last key of the page before.
        let after = given("continuation-token").or(given("start-after")).unwrap_or_default();
        let most = given("max-keys").and_then(|most| most.parse().ok()).map_or(PAGE, |most: usize| most.min(PAGE));
        let first = self.objects.partition_point(|object| object.key.as_str() <= after || object.key.as_str() < prefix);
        let rest = self.objects.get(first..).unwrap_or_default();
        let rest = rest.get(..rest.partition_point(|object| object.key.starts_with(prefix))).unwrap_or_default();
        let page = rest.get(..most).unwrap_or(rest);
        let mut xml = String::with_capacity(page.len() * 300 + 1000);
        match page_as_xml(&mut xml, &self.bucket, prefix, page, rest.len() > page.len()) {
            Ok(()) => Response::new(Full::new(xml.into())),
            Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }
}

/// The form of an answer to ListObjectsV2 ("Amazon S3 API Reference", ListObjectsV2, response syntax).
fn page_as_xml(xml: &mut String, bucket: &str, prefix: &str, page: &[Stored], is_cut: bool) -> std::fmt::Result {
    write!(
        xml,
        r#"<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name><Prefix>{prefix}</Prefix><EncodingType>url</EncodingType><MaxKeys>{PAGE}</MaxKeys><KeyCount>{}</KeyCount><IsTruncated>{is_cut}</IsTruncated>"#,
        page.len()
    )?;
    if let Some(last) = page.last().filter(|_| is_cut) {
        write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", last.key)?;
    }
    for Stored { key, etag, body } in page {
        write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2025-08-01T00:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            etag.replace('"', "&quot;"),
            body.len()
        )?;
    }
    xml.push_str("</ListBucketResult>");
    Ok(())
}

fn error(status: StatusCode, code: &str) -> Answer {
    let mut answer = Response::new(Full::new(format!("<Error><Code>{code}</Code></Error>").into()));
    *answer.status_mut() = status;
    answer
}

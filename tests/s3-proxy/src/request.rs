//! A request as the log shows it.

use percent_encoding::percent_decode_str;

use crate::wire::Message;

/// What a request asks of S3, or of another service at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A page of keys.
    List,
    /// An object, or a range of it.
    Get,
    /// An object's headers.
    Head,
    /// An object at once.
    Put,
    /// The end of an object.
    Delete,
    /// The beginning of an upload in parts.
    CreateUpload,
    /// One part.
    UploadPart,
    /// The end of an upload, after which the object is there.
    CompleteUpload,
    /// The end of an upload, after which nothing is there.
    AbortUpload,
    /// A request to a service that takes forms, such as STS.
    Form,
    /// Anything else.
    Other,
}

/// A request that came by.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it asked for.
    pub kind: Kind,
    /// The bucket, empty if none was named.
    pub bucket: String,
    /// The object's key, decoded; empty if none was named.
    pub key: String,
    /// The path as it was sent.
    pub path: String,
    /// The query's parameters, decoded.
    pub query: Vec<(String, String)>,
    /// The headers as they were sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn of(request: &Message) -> Self {
        let mut words = request.start.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let has = |name: &str| query.iter().any(|(known, _)| known == name);
        let kind = match method {
            "POST" if path == "/" => Kind::Form,
            "GET" if key.is_empty() && has("list-type") => Kind::List,
            "GET" if !key.is_empty() => Kind::Get,
            "HEAD" if !key.is_empty() => Kind::Head,
            "PUT" if has("uploadId") => Kind::UploadPart,
            "PUT" if !key.is_empty() => Kind::Put,
            "DELETE" if has("uploadId") => Kind::AbortUpload,
            "DELETE" if !key.is_empty() => Kind::Delete,
            "POST" if has("uploads") => Kind::CreateUpload,
            "POST" if has("uploadId") => Kind::CompleteUpload,
            _ => Kind::Other,
        };
        Seen {
            kind,
            bucket: decoded(bucket),
            key: decoded(key),
            path: path.to_owned(),
            query,
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

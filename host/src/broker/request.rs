//! A plugin's request, and whether it is one that the host would send: everything that can be judged without the network.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::errors::HttpError;
use super::origin::Origin;
use super::shortened;

/// What a plugin asks to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// In capitals: `GET`, `POST`.
    pub method: String,
    /// Absolute, `https` or `http`, without user and password.
    pub url: String,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// The longest that sending and answering may take; nothing means the host's own limit, which also caps this.
    pub timeout: Option<Duration>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 100 to 999.
    pub status: u16,
    /// Names in lower case. A value that is not UTF-8 has its odd bytes replaced.
    pub headers: Vec<(String, String)>,
    /// As it came, with secrets blotted out.
    pub body: Vec<u8>,
}

/// A well-formed request, in the form in which it is judged and sent.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) origin: Origin,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Option<Duration>,
}

/// Why a request is not one that the host would send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Nobody can grant this: what was asked (following "asked"), and the text for the plugin.
    Forbidden { asked: String, text: String },
    /// It is not well-formed.
    Malformed(String),
}

impl From<Unfit> for HttpError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Forbidden { text, .. } => HttpError::Denied(text),
            Unfit::Malformed(text) => HttpError::Other(text),
        }
    }
}

/// Headers that are the host's: they frame the message, name its receiver, or are for the next hop only.
const HOSTS_OWN: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Many a framework takes these for the method and the path, which a grant may have narrowed.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

const MOST_URL_BYTES: usize = 16 * 1024;
const MOST_HEADERS: usize = 100;
const MOST_HEADER_BYTES: usize = 64 * 1024;

impl Prepared {
    /// Judges a request by its form. `most_body` is in bytes.
    pub(super) fn new(request: Request, most_body: u64) -> Result<Prepared, Unfit> {
        let Request { method, url, headers, body, timeout } = request;
        let method = read_method(&method)?;
        if url.len() > MOST_URL_BYTES {
            return Err(Unfit::Malformed(format!(
                "the URL has {} bytes, and at most {MOST_URL_BYTES} are sent",
                url.len()
            )));
        }
        let (url, origin) = Origin::read(&url)
            .map_err(|why| Unfit::Malformed(format!("no request can go to `{}`: {why}", shortened(&url))))?;
        let headers = read_headers(&headers)?;
        if body.len() as u64 > most_body {
            return Err(Unfit::Malformed(too_long(body.len(), most_body)));
        }
        Ok(Prepared { method, url, origin, headers, body, timeout })
    }
}

/// The longest name that a method may have.
const LONGEST_METHOD: usize = 32;

/// What is said about a body that is not sent.
pub(super) fn too_long(length: usize, most: u64) -> String {
    format!("the request's body has {length} bytes, and at most {most} are sent; send less at once")
}

fn read_method(text: &str) -> Result<Method, Unfit> {
    if ["CONNECT", "TRACE"].contains(&text) {
        return Err(Unfit::Forbidden {
            asked: format!("to send a {text} request"),
            text: format!("{text} requests are not sent for plugins"),
        });
    }
    let plain = text.len() <= LONGEST_METHOD && text.bytes().all(|byte| byte.is_ascii_uppercase());
    Method::from_bytes(text.as_bytes()).ok().filter(|_| plain).ok_or_else(|| {
        let shown = shortened(&shortened(text).escape_debug().to_string());
        Unfit::Malformed(format!("`{shown}` is not a method; methods are in capitals"))
    })
}

fn read_headers(pairs: &[(String, String)]) -> Result<HeaderMap, Unfit> {
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if pairs.len() > MOST_HEADERS || bytes > MOST_HEADER_BYTES {
        return Err(Unfit::Malformed(format!(
            "the request has {} headers of {bytes} bytes together; at most {MOST_HEADERS} of {MOST_HEADER_BYTES} are sent",
            pairs.len()
        )));
    }
    let mut headers = HeaderMap::with_capacity(pairs.len() + 1);
    for (name, value) in pairs {
        let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Unfit::Malformed(format!("`{}` is not the name of a header", shortened(&name.escape_debug().to_string())))
        })?;
        if HOSTS_OWN.contains(&known.as_str()) || known.as_str().starts_with("proxy-") {
            return Err(Unfit::Forbidden {
                asked: format!("to set the header `{known}`"),
                text: format!("the header `{known}` is the host's; leave it out"),
            });
        }
        // A compressed answer could repeat a secret where nobody sees it.
        if known == ACCEPT_ENCODING && !value.trim().eq_ignore_ascii_case("identity") {
            return Err(Unfit::Forbidden {
                asked: "for a compressed answer".to_owned(),
                text: "the header `accept-encoding` may only be `identity`; leave it out".to_owned(),
            });
        }
        let value =
            HeaderValue::from_str(value).or_else(|_| HeaderValue::from_bytes(value.as_bytes())).map_err(|_| {
                Unfit::Malformed(format!("the value of the header `{known}` holds a line break or control character"))
            })?;
        headers.append(known, value);
    }
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("meterhost/", env!("CARGO_PKG_VERSION"))));
    }
    Ok(headers)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Request {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(own).collect(),
            body: b"0123456789".to_vec(),
            timeout: None,
        }
    }

    fn unfit(request: Request) -> Unfit {
        Prepared::new(request, 10).err().unwrap()
    }

    #[test]
    fn headers_that_are_the_hosts_are_refused_by_name() {
        for name in [
            "Host",
            "Content-Length",
            "CONNECTION",
            "transfer-encoding",
            "Upgrade",
            "TE",
            "Trailer",
            "Keep-Alive",
            "Proxy-Authorization",
            "proxy-connection",
            "HTTP2-Settings",
            "Expect",
        ] {
            let lower = name.to_ascii_lowercase();
            assert_eq!(
                unfit(request("GET", "https://a.example", &[(name, "x")])),
                Unfit::Forbidden {
                    asked: format!("to set the header `{lower}`"),
                    text: format!("the header `{lower}` is the host's; leave it out"),
                }
            );
        }
    }

    #[test]
    fn line_breaks_are_refused_wherever_they_stand() {
        for request in [
            request("GET", "https://a.example/\r\nX: y", &[]),
            request("GET\r\n", "https://a.example/", &[]),
            request("GET", "https://a.example/", &[("x", "a\r\nb: c")]),
            request("GET", "https://a.example/", &[("x", "a\nb")]),
            request("GET", "https://a.example/", &[("x\r\nb", "c")]),
        ] {
            assert!(matches!(unfit(request), Unfit::Malformed(_)));
        }
        assert_eq!(
            unfit(request("GET", "https://a.example/", &[("x", "a\r\nb: c")])),
            Unfit::Malformed("the value of the header `x` holds a line break or control character".to_owned())
        );
    }

    #[test]
    fn methods_that_make_a_tunnel_are_refused_and_others_are_in_capitals() {
        for method in ["CONNECT", "TRACE"] {
            assert!(matches!(unfit(request(method, "https://a.example", &[])), Unfit::Forbidden { .. }));
        }
        assert_eq!(
            unfit(request("get", "https://a.example", &[])),
            Unfit::Malformed("`get` is not a method; methods are in capitals".to_owned())
        );
    }

    #[test]
    fn a_compressed_answer_cannot_be_asked_for() {
        assert!(matches!(
            unfit(request("GET", "https://a.example", &[("Accept-Encoding", "gzip")])),
            Unfit::Forbidden { .. }
        ));
        assert!(Prepared::new(request("GET", "https://a.example", &[("Accept-Encoding", "identity")]), 10).is_ok());
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(
            Prepared::new(request("POST", "https://a.example", &[]), 9).err(),
            Some(Unfit::Malformed(
                "the request's body has 10 bytes, and at most 9 are sent; send less at once".to_owned()
            ))
        );
        let url = format!("https://a.example/{}", "x".repeat(20_000));
        assert_eq!(
            unfit(request("GET", &url, &[])),
            Unfit::Malformed("the URL has 20018 bytes, and at most 16384 are sent".to_owned())
        );
        let many = vec![("x", "y"); 101];
        assert!(matches!(unfit(request("GET", "https://a.example", &many)), Unfit::Malformed(_)));
        let long = "y".repeat(70_000);
        assert!(matches!(unfit(request("GET", "https://a.example", &[("x", &long)])), Unfit::Malformed(_)));
    }

    #[test]
    fn the_host_names_itself_unless_the_plugin_does() {
        let agent = |headers: &[(&str, &str)]| {
            let prepared = Prepared::new(request("GET", "https://a.example", headers), 10).ok().unwrap();
            prepared.headers[USER_AGENT].to_str().unwrap().to_owned()
        };
        assert_eq!(agent(&[]), concat!("meterhost/", env!("CARGO_PKG_VERSION")));
        assert_eq!(agent(&[("user-agent", "mine")]), "mine");
    }
}

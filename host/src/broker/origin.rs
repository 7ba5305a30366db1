//! Origins: scheme, host and port, compared after the same normalisation for the grant and for the request.
//!
//! The `url` crate turns every odd spelling of a host (decimal, octal and hexadecimal IPv4, capitals, full-width letters) into
//! one form; this file adds what it leaves: a trailing dot, a user name, spaces. A request is sent to the URL that was
//! checked, never to the text that it was parsed from, so that no second parser can see another host in it.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Where a request goes to: `https://api.example.com`, `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host<String>,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    Http,
    Https,
}

/// Why a text names no origin that a request could go to. The text follows the URL and a colon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OriginError {
    #[error("a space or control character stands in it")]
    Control,
    #[error("it is not a whole URL ({0})")]
    Unreadable(url::ParseError),
    #[error("its scheme is `{0}`, only `https` and `http` are known")]
    Scheme(String),
    #[error("a user name or password stands in it")]
    UserInfo,
    #[error("it names no host")]
    NoHost,
}

impl Origin {
    /// Reads an absolute `http` or `https` URL into its normalised form and its origin. A fragment is dropped: it never
    /// leaves a client.
    pub(super) fn read(text: &str) -> Result<(Url, Origin), OriginError> {
        // The parser would drop line breaks and tabs in silence, and the text would no longer be what is sent.
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(OriginError::Control);
        }
        let mut url = Url::parse(text).map_err(OriginError::Unreadable)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(OriginError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::UserInfo);
        }
        if let Some(name) = url.domain().and_then(|name| name.strip_suffix('.')).map(str::to_owned) {
            url.set_host(Some(&name)).map_err(OriginError::Unreadable)?;
        }
        url.set_fragment(None);
        let host = url.host().ok_or(OriginError::NoHost)?.to_owned();
        let port = url.port_or_known_default().ok_or(OriginError::NoHost)?;
        Ok((url, Origin { scheme, host, port }))
    }

    /// The same scheme and port at this very address.
    pub(super) fn at(&self, address: IpAddr) -> Origin {
        let host = match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        };
        Origin { host, ..self.clone() }
    }

    /// Whether requests go there encrypted.
    pub(super) fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = match self.scheme {
            Scheme::Http => ("http", 80),
            Scheme::Https => ("https", 443),
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != default {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
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

    fn origin(text: &str) -> String {
        Origin::read(text).unwrap().1.to_string()
    }

    #[test]
    fn every_spelling_of_an_address_is_the_same_origin() {
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://127.0.0.1:80/x",
            "HTTP://127.0.0.1",
            "http://１２７.0.0.1/",
        ] {
            assert_eq!(origin(text), "http://127.0.0.1", "{text}");
        }
    }

    #[test]
    fn case_default_port_and_a_trailing_dot_make_no_other_origin() {
        for text in ["https://API.Example.com/a", "https://api.example.com.:443/b?c#d", "https://api.example.com"] {
            assert_eq!(origin(text), "https://api.example.com", "{text}");
        }
        assert_eq!(origin("http://localhost.:8080/"), "http://localhost:8080");
        assert_eq!(Origin::read("https://a.b./x#y").unwrap().0.as_str(), "https://a.b/x");
        assert_eq!(origin("https://[::1]:8443/"), "https://[::1]:8443");
        assert_ne!(origin("https://a.b"), origin("http://a.b:443"));
    }

    #[test]
    fn what_looks_like_a_granted_host_but_is_not_does_not_pass() {
        assert_eq!(Origin::read("https://api.example.com@evil.example/"), Err(OriginError::UserInfo));
        assert_eq!(Origin::read("https://a:b@evil.example/"), Err(OriginError::UserInfo));
        assert_eq!(origin("https://evil.example\\@api.example.com/"), "https://evil.example");
        assert_eq!(origin("https://evil.example/@api.example.com"), "https://evil.example");
        assert_eq!(Origin::read("https://a.b/\r\nx"), Err(OriginError::Control));
        assert_eq!(Origin::read(" https://a.b/"), Err(OriginError::Control));
        assert_eq!(Origin::read("file:///etc/passwd"), Err(OriginError::Scheme("file".into())));
        assert!(matches!(Origin::read("/metering"), Err(OriginError::Unreadable(_))));
        assert!(matches!(Origin::read("https://"), Err(OriginError::Unreadable(_))));
    }
}

//! Narrowing a granted origin to some of its paths.
//!
//! A server may decode a path more often than we do, or fold `//` and `;`. Where a grant narrows the paths, everything that two
//! readers could see differently is refused, so that the path that was checked is the path that is served.

use percent_encoding::percent_decode_str;

/// `/v1/usage`, or `/v1/*` for everything that begins with `/v1/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern {
    /// As it was written.
    pub(super) text: String,
    start: Vec<u8>,
    open: bool,
}

impl PathPattern {
    /// Reads a pattern; the error says what is wrong with it, and follows "the path `...`".
    pub(super) fn parse(text: &str) -> Result<PathPattern, &'static str> {
        let (start, open) = match text.strip_suffix('*') {
            Some(start) => (start, true),
            None => (text, false),
        };
        if !start.starts_with('/') {
            return Err("does not begin with `/`");
        }
        if start.contains('*') {
            return Err("has a `*` that is not its last character");
        }
        if start.contains(['?', '#']) {
            return Err("has a `?` or `#`, but only the path is compared");
        }
        let start = plain(start).ok_or("has `..`, or an encoded `/`, `.` or `%`")?;
        Ok(PathPattern { text: text.to_owned(), start, open })
    }
}

/// Whether the path of a normalised URL is one of these.
pub(super) fn holds(patterns: &[PathPattern], path: &str) -> bool {
    let Some(path) = plain(path) else {
        return false;
    };
    patterns.iter().any(|pattern| if pattern.open { path.starts_with(&pattern.start) } else { path == pattern.start })
}

/// The bytes that every reader sees in this path, or nothing if readers could differ.
fn plain(path: &str) -> Option<Vec<u8>> {
    let lower = path.to_ascii_lowercase();
    let ambiguous = ["%2f", "%5c", "%2e", "%25", "%00", "%3b", "\\", "//"].iter().any(|part| lower.contains(part));
    // `..;` is a parent folder to servers that cut a segment's parameters off.
    let climbs = path.split('/').any(|part| matches!(part.split(';').next(), Some("." | "..")));
    (!ambiguous && !climbs).then(|| percent_decode_str(path).collect())
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

    fn holds(patterns: &[&str], path: &str) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|text| PathPattern::parse(text).unwrap()).collect();
        super::holds(&patterns, path)
    }

    #[test]
    fn a_path_is_exact_and_a_star_opens_its_end() {
        assert!(holds(&["/v1/usage"], "/v1/usage"));
        assert!(holds(&["/v1/usage"], "/v1/us%61ge"));
        assert!(holds(&["/a", "/v1/*"], "/v1/usage/7"));
        assert!(holds(&["/*"], "/"));
        for path in ["/v1/usage/", "/v1", "/V1/usage", "/x/v1/usage"] {
            assert!(!holds(&["/v1/usage"], path), "{path}");
        }
        assert!(!holds(&["/v1/*"], "/v1"));
    }

    #[test]
    fn no_trick_leaves_a_granted_prefix() {
        for path in [
            "/v1/%2e%2e/admin",
            "/v1/%2E./admin",
            "/v1/..%2fadmin",
            "/v1/..%5cadmin",
            "/v1/%252e%252e/admin",
            "/v1/../admin",
            "/v1/..;/admin",
            "/v1/..;x=1/admin",
            "/v1/..%3b/admin",
            "/v1//admin",
            "/v1/\\admin",
            "/v1/./x",
            "/v1/x%00",
        ] {
            assert!(!holds(&["/v1/*"], path), "{path}");
        }
    }

    #[test]
    fn a_pattern_that_could_mean_two_things_is_refused() {
        for (text, why) in [
            ("v1", "does not begin with `/`"),
            ("", "does not begin with `/`"),
            ("/v1/*/x", "has a `*` that is not its last character"),
            ("/v1?x=1", "has a `?` or `#`, but only the path is compared"),
            ("/v1/../x", "has `..`, or an encoded `/`, `.` or `%`"),
        ] {
            assert_eq!(PathPattern::parse(text), Err(why), "{text}");
        }
    }
}

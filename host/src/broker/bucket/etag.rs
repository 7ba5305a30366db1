//! ETags: what tells one version of an object from another.
//!
//! HTTP writes them in quotes, which are no part of the version: stores differ in whether they repeat them in listings. Here they
//! stand without, the same in a listing, an answer and a precondition.

/// An ETag as the store gives it.
pub(super) fn read(text: &str) -> String {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text).to_owned()
}

/// As a precondition names it; nothing for a text that no store gives, and that could stand for other versions too.
pub(super) fn header(etag: &str) -> Option<String> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if plain(etag) {
        return Some(format!("\"{etag}\""));
    }
    let weak = etag.strip_prefix("W/\"").and_then(|text| text.strip_suffix('"'));
    weak.filter(|text| plain(text)).map(|_| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{header, read};

    #[test]
    fn an_etag_is_the_same_with_and_without_its_quotes() {
        for text in ["\"abc-2\"", "abc-2"] {
            assert_eq!(read(text), "abc-2");
            assert_eq!(header(&read(text)).as_deref(), Some("\"abc-2\""));
        }
        assert_eq!(header(&read("W/\"x\"")).as_deref(), Some("W/\"x\""));
    }

    #[test]
    fn no_text_names_several_versions_or_another_header() {
        assert_eq!(header("*").as_deref(), Some("\"*\""));
        for text in ["", "a\", \"b", "a\r\nx-y: z", "a b", "\"", "W/\"a\", \"b\""] {
            assert_eq!(header(text), None, "{text:?}");
        }
    }
}

//! Blotting secrets out of everything that a person, a log or a plugin gets to see.
//!
//! A value is looked for as it is and in the forms that a service is likely to answer it in: with JSON's escapes,
//! percent-encoded, in Base64 at each of the three places where it can begin. This catches what repeats a secret by accident. It
//! cannot stop a service that means to smuggle one, which is why a secret goes to one origin only.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::held;

/// What stands in a secret's place.
const BLOT: &str = "[redacted]";

/// A secret under this length appears by chance, so that blotting it out eats ordinary text.
const SHORT: usize = 4;

/// A secret under this length stays in answers: what a service means is read from them, and `cid` may be a part of a customer's name.
const LEAST_IN_ANSWERS: usize = 8;

/// A value under this length is not concealed: it would make reports unreadable.
const LEAST_CONCEALED: usize = 8;

/// How much one plugin may conceal, in bytes: what is looked for costs memory in the host.
const MOST_CONCEALED: usize = 64 * 1024;

/// Knows all secrets of a run and blots them out of texts. A clone knows the same ones, later ones too.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    secrets: BTreeSet<String>,
    concealed: BTreeSet<String>,
    /// Bytes concealed, by plugin.
    budgets: BTreeMap<String, usize>,
    /// Finds secrets; built when it is next needed.
    in_answers: Option<Arc<AhoCorasick>>,
    /// Finds secrets and concealed values.
    in_texts: Option<Arc<AhoCorasick>>,
}

impl Redactor {
    /// The text with every secret and every concealed value blotted out.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.in_texts().and_then(|finder| blot(&finder, text.as_bytes())) {
            None => Cow::Borrowed(text),
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// An answer's bytes with every secret blotted out. What a plugin concealed stays: it came from an answer, and a later one
    /// may hand it out again.
    pub(super) fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.in_answers().and_then(|finder| blot(&finder, &bytes)).unwrap_or(bytes)
    }

    /// Knows a secret from here on.
    pub(super) fn add_secret(&self, name: &str, value: &str) {
        if value.len() < SHORT {
            tracing::warn!(
                "the secret `{name}` has fewer than {SHORT} bytes: texts that hold these by chance are blotted out too"
            );
        }
        let mut known = held(&self.known);
        if known.secrets.insert(value.to_owned()) {
            known.in_answers = None;
            known.in_texts = None;
        }
    }

    /// Blots out a value that a plugin received, from here on.
    pub(super) fn conceal(&self, plugin: &str, value: &str) {
        if value.len() < LEAST_CONCEALED {
            return;
        }
        let mut known = held(&self.known);
        if known.concealed.contains(value) || known.secrets.contains(value) {
            return;
        }
        let spent = known.budgets.entry(plugin.to_owned()).or_default();
        if *spent >= MOST_CONCEALED {
            return;
        }
        if *spent + value.len() > MOST_CONCEALED {
            tracing::warn!("{plugin} conceals more than {MOST_CONCEALED} bytes; its further values are not concealed");
            *spent = MOST_CONCEALED;
            return;
        }
        *spent += value.len();
        known.concealed.insert(value.to_owned());
        known.in_texts = None;
    }

    fn in_answers(&self) -> Option<Arc<AhoCorasick>> {
        self.finder(
            |known| &mut known.in_answers,
            |known| known.secrets.iter().filter(|value| value.len() >= LEAST_IN_ANSWERS).collect(),
        )
    }

    fn in_texts(&self) -> Option<Arc<AhoCorasick>> {
        self.finder(|known| &mut known.in_texts, |known| known.secrets.iter().chain(&known.concealed).collect())
    }

    /// Builds a finder on its first use after a change. Nothing if there is nothing to find.
    fn finder(
        &self,
        slot: fn(&mut Known) -> &mut Option<Arc<AhoCorasick>>,
        values: fn(&Known) -> Vec<&String>,
    ) -> Option<Arc<AhoCorasick>> {
        let mut known = held(&self.known);
        if slot(&mut known).is_none() {
            let patterns: BTreeSet<Vec<u8>> = values(&known).into_iter().flat_map(|value| forms(value)).collect();
            if patterns.is_empty() {
                return None;
            }
            match AhoCorasick::new(patterns) {
                Ok(finder) => *slot(&mut known) = Some(Arc::new(finder)),
                // Only with more than 2^31 bytes of patterns, which the environment cannot hold.
                Err(error) => tracing::error!("secrets cannot be blotted out: {error}"),
            }
        }
        slot(&mut known).clone()
    }
}

/// The bytes with every match replaced, or nothing if there is no match. Matches that touch or overlap are blotted out
/// as one, so that no end of either is left over.
fn blot(finder: &AhoCorasick, bytes: &[u8]) -> Option<Vec<u8>> {
    // In the order of their ends, so that a match can only reach back into the last of the spans before it.
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for found in finder.find_overlapping_iter(bytes) {
        let mut start = found.start();
        while let Some((before, _)) = spans.pop_if(|(_, end)| *end >= start) {
            start = start.min(before);
        }
        spans.push((start, found.end()));
    }
    if spans.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for (start, end) in spans {
        out.extend_from_slice(bytes.get(copied..start).unwrap_or_default());
        out.extend_from_slice(BLOT.as_bytes());
        copied = end;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    Some(out)
}

/// What a lax encoder leaves as it is in a query.
const LAX: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>').add(b'=');

/// What every form encoder escapes: all but letters, digits and `-._~`.
pub(super) const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as it is, and in every form in which a service is likely to repeat it.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_owned()];
    if value.len() >= SHORT {
        let json = json(value);
        let lower: String = json.chars().map(|c| ascii(c, |unit| format!("\\u{unit:04x}"))).collect();
        let upper: String = json.chars().map(|c| ascii(c, |unit| format!("\\u{unit:04X}"))).collect();
        let (html_lower, html_upper) = (html_safe(&lower, false), html_safe(&upper, true));
        for json in [json, lower, upper, html_lower, html_upper] {
            forms.extend([json.replace('/', "\\/"), json]);
        }
        for set in [FORM, LAX, NON_ALPHANUMERIC] {
            let percent = utf8_percent_encode(value, set).to_string();
            forms.extend([percent.replace("%20", "+"), lower_hex(&percent), percent]);
        }
        for lead in 0..3 {
            forms.extend(base64_inside(value, lead));
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// A value as it stands inside a JSON string.
pub(super) fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// With the escapes of those who write JSON that may stand in a page of HTML: Go's encoder, Gson, PHP's with its flags.
fn html_safe(json: &str, capitals: bool) -> String {
    let escaped = |c: char| match c {
        '&' | '<' | '>' | '=' | '\'' if capitals => format!("\\u{:04X}", u32::from(c)),
        '&' | '<' | '>' | '=' | '\'' => format!("\\u{:04x}", u32::from(c)),
        other => other.to_string(),
    };
    json.chars().map(escaped).collect()
}

/// A character as itself if it is ASCII, else escaped.
fn ascii(c: char, escape: fn(&u16) -> String) -> String {
    if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut [0; 2]).iter().map(escape).collect() }
}

/// `%2F` as `%2f`.
fn lower_hex(percent: &str) -> String {
    let mut digits = 0;
    percent
        .chars()
        .map(|c| {
            let is_digit = digits > 0;
            digits = if c == '%' { 2 } else { digits - i32::from(is_digit) };
            if is_digit { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

/// The characters of a Base64 text that `value` alone decides, if `lead` other bytes stand before it in the group of three.
fn base64_inside(value: &str, lead: usize) -> Vec<String> {
    let bytes = [&vec![0; lead], value.as_bytes()].concat();
    // The first characters also hold bits of what stands before, the last one of what stands behind.
    let first = (lead * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
        .iter()
        .filter_map(|text| text.get(first..last))
        .filter(|text| text.len() >= 6)
        .map(str::to_owned)
        .collect()
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
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn knowing(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.add_secret("key", secret);
        redactor
    }

    #[test]
    fn a_secret_is_blotted_out_in_every_usual_form() {
        let secret = "pä/ss \"wörd+1%=";
        let redactor = knowing(secret);
        for form in [
            secret,
            r#"pä/ss \"wörd+1%="#,
            r#"pä\/ss \"wörd+1%="#,
            r#"p\u00e4/ss \"w\u00f6rd+1%="#,
            r#"p\u00E4\/ss \"w\u00F6rd+1%="#,
            "p%C3%A4%2Fss%20%22w%C3%B6rd%2B1%25%3D",
            "p%c3%a4%2fss%20%22w%c3%b6rd%2b1%25%3d",
            "p%C3%A4%2Fss+%22w%C3%B6rd%2B1%25%3D",
            "p%C3%A4/ss%20%22w%C3%B6rd%2B1%25%3D",
        ] {
            assert_eq!(redactor.redact(&format!("<{form}>")), "<[redacted]>", "{form}");
        }
    }

    #[test]
    fn a_secret_inside_a_longer_base64_text_is_blotted_out() {
        let secret = "correct horse battery";
        let redactor = knowing(secret);
        for before in ["", "u", "us", "user:", "longer-user:"] {
            let text = STANDARD.encode(format!("{before}{secret}:after"));
            let redacted = redactor.redact(&text).into_owned();
            assert!(redacted.contains(BLOT), "{before}: {redacted}");
            assert!(redacted.len() < text.len(), "{before}: {redacted}");
        }
        assert_eq!(redactor.redact(&STANDARD.encode(secret)), BLOT);
    }

    #[test]
    fn secrets_that_overlap_leave_no_end_behind() {
        let redactor = knowing("abcdef");
        redactor.add_secret("other", "efghij");
        redactor.add_secret("inner", "bcde");
        assert_eq!(redactor.redact("x abcdefghij y abcdef z"), "x [redacted] y [redacted] z");
    }

    #[test]
    fn a_text_without_secrets_is_not_copied() {
        assert!(matches!(Redactor::default().redact("plain"), Cow::Borrowed("plain")));
        assert!(matches!(knowing("hunter2").redact("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn a_short_secret_is_blotted_out_all_the_same() {
        assert_eq!(knowing("q7").redact("a q7 b"), "a [redacted] b");
    }

    #[test]
    fn a_concealed_value_vanishes_from_texts_but_not_from_answers() {
        let redactor = Redactor::default();
        let clone = redactor.clone();
        redactor.conceal("sink.a", "eyJ0b2tlbiI6MX0");
        redactor.conceal("sink.a", "seven77");
        assert_eq!(clone.redact("Bearer eyJ0b2tlbiI6MX0, seven77"), "Bearer [redacted], seven77");
        assert_eq!(clone.scrub(b"eyJ0b2tlbiI6MX0".to_vec()), b"eyJ0b2tlbiI6MX0");
        clone.add_secret("key", "hunter2hunter2");
        assert_eq!(redactor.redact("hunter2hunter2 eyJ0b2tlbiI6MX0"), "[redacted] [redacted]");
        assert_eq!(redactor.scrub(b"<hunter2hunter2>".to_vec()), b"<[redacted]>");
    }

    #[test]
    fn a_plugin_cannot_fill_the_memory_with_concealed_values() {
        let redactor = Redactor::default();
        for n in 0..100 {
            redactor.conceal("sink.a", &format!("{n:01000}"));
        }
        redactor.conceal("sink.b", "another plugin's token");
        assert_eq!(redactor.redact(&format!("{:01000}", 64)), BLOT);
        assert_eq!(redactor.redact(&format!("{:01000}", 70)).len(), 1000);
        assert_eq!(redactor.redact("another plugin's token"), BLOT);
    }
}

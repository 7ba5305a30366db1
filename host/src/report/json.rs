//! The report for a program: one JSON document.

use serde::Serializer;

use super::Report;

impl Report {
    /// The whole document, indented, with a newline at its end. Nothing in it is shortened or left out.
    ///
    /// Characters that a terminal would obey (escape sequences, bidirectional overrides) are written as `\uXXXX`, which a program
    /// reads as the same text.
    pub fn render_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "there are no maps with keys that are not text, and nothing else fails in memory")]
        let document = serde_json::to_string_pretty(self).expect("a report can always be written as JSON");
        let mut safe = String::with_capacity(document.len() + 1);
        for c in document.chars() {
            // What is not ASCII stands inside strings only. serde_json has escaped the controls of ASCII, all but DEL.
            if c == '\x7f' || (!c.is_ascii() && c.escape_debug().len() > 1) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                safe.push(c);
            }
        }
        safe.push('\n');
        safe
    }
}

/// Tags as one object.
pub(super) fn tags<S: Serializer>(tags: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(name, value)| (name, value)))
}

//! What is put into the page. Markup is part of the program, and known when it is built; everything else is text, and escaped.
//!
//! A customer's name, a reason, an input may hold anything: tags, quotes, an override of the direction of writing, control
//! characters, ten thousand letters. [`Html::raw`] takes nothing but `'static` text, so that none of them gets there by a slip.

use crate::report::text::{self, Style};

/// A page shows every letter; what would not be seen is written as an escape, as on a terminal.
const LETTERS: Style = Style { color: false, unicode: true, width: usize::MAX, verbose: 0 };

/// Above so many columns a name is cut in its middle.
const LONGEST_NAME: usize = 96;
/// Above so many characters a sentence is cut.
const LONGEST_SENTENCE: usize = 600;
/// Above so many characters any other text is cut.
const LONGEST_TEXT: usize = 1_000;
/// Above so many characters what is to be copied is cut.
const LONGEST_CODE: usize = 4_000;

/// A page in the making.
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Html(String::new())
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Any text, on one line, between tags or between the quotes of an attribute. No number is so long that it would be cut.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let (shown, more) = cut(text, LONGEST_TEXT);
        self.escaped(shown).cut_by(more)
    }

    fn escaped(&mut self, text: &str) -> &mut Self {
        for c in LETTERS.escaped(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(c),
            }
        }
        self
    }

    /// A name from anywhere, set apart, so that its direction of writing stays its own; cut in its middle where it is long.
    pub(super) fn name(&mut self, name: &str) -> &mut Self {
        self.raw("<bdi>").text(&short_name(name)).raw("</bdi>")
    }

    /// A sentence from anywhere: what stands between backticks is code; cut at its end where it is long.
    pub(super) fn sentence(&mut self, sentence: &str) -> &mut Self {
        let (shown, more) = cut(sentence, LONGEST_SENTENCE);
        let parts: Vec<&str> = shown.split('`').collect();
        // With a backtick that has no partner, nobody knows which ones belong together.
        if parts.len().is_multiple_of(2) {
            self.text(shown);
        } else {
            for (index, part) in parts.into_iter().enumerate() {
                match index.is_multiple_of(2) {
                    true => self.text(part),
                    false => self.raw("<code>").text(part).raw("</code>"),
                };
            }
        }
        self.cut_by(more)
    }

    /// Lines that are to be copied as they are.
    pub(super) fn code<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> &mut Self {
        self.raw("<pre><code>");
        for (index, line) in lines.enumerate() {
            let (shown, more) = cut(line, LONGEST_CODE);
            if index > 0 {
                self.raw("\n");
            }
            self.escaped(shown).cut_by(more);
        }
        self.raw("</code></pre>\n")
    }

    /// A number of things, with commas.
    pub(super) fn count(&mut self, number: u64) -> &mut Self {
        self.0.push_str(&text::count(number));
        self
    }

    /// A number in an attribute.
    pub(super) fn digits(&mut self, number: u64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    fn cut_by(&mut self, more: u64) -> &mut Self {
        if more > 0 {
            self.raw("… (").count(more).raw(" more characters)");
        }
        self
    }
}

/// A name as it is shown, not escaped for HTML yet.
pub(super) fn short_name(name: &str) -> String {
    LETTERS.shortened(&LETTERS.name(name), LONGEST_NAME)
}

/// The first so many characters, and how many are left.
fn cut(text: &str, most: usize) -> (&str, u64) {
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    let (shown, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (shown, rest.chars().count() as u64)
}

#[cfg(test)]
mod tests {
    use super::Html;

    fn of(write: impl FnOnce(&mut Html) -> &mut Html) -> String {
        let mut page = Html::new();
        write(&mut page);
        page.finish()
    }

    #[test]
    fn text_cannot_become_markup_between_tags_or_in_an_attribute() {
        let text = of(|page| page.text("<script>alert('a' & \"b\")</script>"));
        assert_eq!(text, "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
    }

    #[test]
    fn what_would_not_be_seen_is_written_out() {
        let text = of(|page| page.text("a\u{202e}b\u{0}c\r\nd\u{1b}e\u{200d}f\u{feff}"));
        assert_eq!(text, r"a\u{202e}b\0c\r\nd\u{1b}e\u{200d}f\u{feff}");
    }

    #[test]
    fn a_name_in_another_direction_stands_alone() {
        assert_eq!(of(|page| page.name("חברה 7")), "<bdi>חברה 7</bdi>");
        assert_eq!(of(|page| page.name("")), "<bdi>&quot;&quot;</bdi>");
    }

    #[test]
    fn what_is_long_is_cut_and_says_by_how_much() {
        let name = of(|page| page.name(&format!("a{}z", "<".repeat(10_000))));
        assert!(name.starts_with("<bdi>a&lt;") && name.ends_with("&lt;z</bdi>") && name.contains('…'), "{name}");
        assert!(name.len() < 500);
        let sentence = of(|page| page.sentence(&"é".repeat(10_000)));
        assert!(sentence.ends_with("é… (9,400 more characters)"), "{sentence}");
    }

    #[test]
    fn backticks_that_pair_up_are_code() {
        assert_eq!(of(|page| page.sentence("say `a<b` now")), "say <code>a&lt;b</code> now");
        assert_eq!(of(|page| page.sentence("5` of `cpu`")), "5` of `cpu`");
        assert_eq!(of(|page| page.code("a\nb\u{7}".lines())), "<pre><code>a\nb\\u{7}</code></pre>\n");
    }
}

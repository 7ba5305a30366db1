//! How text is put on a page: what the page can show, what is escaped, and where a line breaks.
//!
//! Customers, dimensions, inputs and the messages of services come from outside. None of them may look like a line of the
//! report: they are escaped, names that could be taken for several columns are quoted, and every line but the first of a text
//! is indented deeper than anything that the report itself says there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What the page can show. Who calls decides about `NO_COLOR`, the locale and whether there is a terminal at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether the page shows Unicode; if not, everything is ASCII, and other letters are escaped.
    pub unicode: bool,
    /// In columns; `usize::MAX` where there is no edge, as in a log.
    pub width: usize,
    /// How often `-v` was given. From 1 nothing is left out, and the causes of problems are shown. Names in a table are cut to
    /// `width` all the same.
    pub verbose: u8,
}

/// Above so many characters a text is cut, unless everything is to be shown.
const LONGEST_TEXT: usize = 1_000;

/// No text is squeezed into less than this.
const NARROWEST: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Good,
    Doubtful,
    Bad,
}

impl Style {
    pub(super) fn everything(self) -> bool {
        self.verbose > 0
    }

    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    pub(super) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// For text that is escaped already.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Plain => "",
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Good => "32",
            Paint::Doubtful => "33",
            Paint::Bad => "31",
        };
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A text from anywhere, on one line. What a terminal would obey or not show at all becomes `\n` or `\u{202e}`. A backslash
    /// stays as it is, for the sake of lines that are meant to be copied.
    pub(in crate::report) fn escaped(self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for (index, c) in text.char_indices() {
            if matches!(c, ' '..='~') {
                shown.push(c);
            } else if c.is_ascii() {
                shown.extend(c.escape_debug());
            } else if !self.unicode || invisible(c, index == 0) {
                shown.extend(c.escape_unicode());
            } else {
                shown.push(c);
            }
        }
        shown
    }

    /// A sentence from anywhere, on one line and not too long.
    pub(super) fn sentence(self, text: &str) -> String {
        match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) if !self.everything() => {
                let (start, rest) = text.split_at_checked(end).unwrap_or((text, ""));
                let more = count(rest.chars().count() as u64);
                format!("{}{} ({more} more characters)", self.escaped(start), self.ellipsis())
            }
            _ => self.escaped(text),
        }
    }

    /// A name from anywhere, in quotes if it could be taken for something else than one name.
    pub(in crate::report) fn name(self, text: &str) -> String {
        let shown = self.escaped(text);
        let doubtful = text.is_empty() || text.contains("  ") || text.starts_with([' ', '"']) || text.ends_with(' ');
        if doubtful { format!("\"{shown}\"") } else { shown }
    }

    /// A name cut in its middle, because names often differ at their ends.
    pub(in crate::report) fn shortened(self, name: &str, width: usize) -> String {
        if name.width() <= width {
            return name.to_owned();
        }
        let room = width.saturating_sub(self.ellipsis().width());
        let start = prefix(name.chars(), room.div_ceil(2));
        let end: String = prefix(name.chars().rev(), room / 2).chars().rev().collect();
        format!("{start}{}{end}", self.ellipsis())
    }

    /// Breaks a text that begins in column `first` so that it ends at the page's edge; its other lines begin in column `indent`.
    pub(super) fn wrapped(self, text: &str, first: usize, indent: usize) -> String {
        let room = self.width.saturating_sub(first.max(indent)).max(NARROWEST);
        let mut lines = text.to_owned();
        if text.width() > room {
            lines.clear();
            let (mut used, mut fresh) = (0, true);
            for word in text.split(' ') {
                let width = word.width();
                if !fresh && used + 1 + width > room {
                    new_line(&mut lines, indent);
                    (used, fresh) = (0, true);
                }
                if !fresh {
                    lines.push(' ');
                    used += 1;
                }
                for c in word.chars() {
                    let width = c.width().unwrap_or(0);
                    if used + width > room {
                        new_line(&mut lines, indent);
                        used = 0;
                    }
                    lines.push(c);
                    used += width;
                }
                fresh = used == 0;
            }
        }
        lines
    }
}

fn new_line(lines: &mut String, indent: usize) {
    lines.truncate(lines.trim_end_matches(' ').len());
    lines.push('\n');
    lines.push_str(&" ".repeat(indent));
}

/// As many characters as fit.
fn prefix(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// Whether a character outside ASCII shows nothing of its own: formats, separators, unassigned ones, fillers, and a mark that has
/// nothing before it to stand on.
fn invisible(c: char, first: bool) -> bool {
    // Letters to Unicode, blanks to the eye.
    const BLANK: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    if BLANK.contains(&c) {
        return true;
    }
    // A text's first mark is escaped, a later one is not.
    let with_base = format!("{}{c}", if first { "" } else { "a" });
    with_base.escape_debug().count() > with_base.chars().count()
}

/// A number of things, with commas.
pub(in crate::report) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 charge`, `2 charges`.
pub(in crate::report) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A text and the spaces that fill its column.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Style = Style { color: false, unicode: true, width: 40, verbose: 0 };

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(PAGE.escaped("a\x1b[2Jb\r\n\tc\x7f\u{9b}1m"), "a\\u{1b}[2Jb\\r\\n\\tc\\u{7f}\\u{9b}1m");
        assert_eq!(
            PAGE.escaped("\u{202e}x\u{2066}y\u{2028}z\u{200d}\u{a0}\u{3164}"),
            "\\u{202e}x\\u{2066}y\\u{2028}z\\u{200d}\\u{a0}\\u{3164}"
        );
        assert_eq!(PAGE.escaped(r#"it's "C:\temp""#), r#"it's "C:\temp""#);
    }

    #[test]
    fn letters_of_every_script_are_shown_where_the_page_can() {
        assert_eq!(PAGE.escaped("Müller 東京 हिन्दी e\u{301}"), "Müller 東京 हिन्दी e\u{301}");
        assert_eq!(PAGE.escaped("\u{301}e"), "\\u{301}e");
        assert_eq!(Style { unicode: false, ..PAGE }.escaped("Müller"), "M\\u{fc}ller");
    }

    #[test]
    fn a_name_that_looks_like_columns_is_quoted() {
        assert_eq!(PAGE.name("acme corp"), "acme corp");
        assert_eq!(PAGE.name("acme  cpu  1  billed"), "\"acme  cpu  1  billed\"");
        assert_eq!(PAGE.name(""), "\"\"");
        assert_eq!(PAGE.name(" acme"), "\" acme\"");
    }

    #[test]
    fn a_name_keeps_both_its_ends() {
        assert_eq!(PAGE.shortened("subscription-0001", 10), "subsc…0001");
        assert_eq!(Style { unicode: false, ..PAGE }.shortened("subscription-0001", 10), "subs...001");
        assert_eq!(PAGE.shortened("東京都千代田区", 8), "東京…区");
        assert_eq!(PAGE.shortened("short", 10), "short");
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_where_the_page_ends() {
        let page = Style { width: 24, ..PAGE };
        assert_eq!(page.wrapped("one two three four five six", 2, 4), "one two three four\n    five six");
        assert_eq!(page.wrapped("a 0123456789012345678901234", 4, 4), "a\n    01234567890123456789\n    01234");
        assert_eq!(page.wrapped("short", 2, 4), "short");
    }

    #[test]
    fn padding_cannot_push_a_word_out_to_the_left() {
        let page = Style { width: 24, ..PAGE };
        let hostile = format!("bad{}exit 0: all is well", " ".repeat(19));
        for line in page.wrapped(&hostile, 3, 5).lines().skip(1) {
            assert!(line.starts_with("     "), "{line:?}");
        }
    }

    #[test]
    fn counts_have_commas() {
        let counts = [0, 999, 1_000, 49_980, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "49,980", "1,234,567"]);
        assert_eq!([counted(1, "charge"), counted(2_000, "charge")], ["1 charge", "2,000 charges"]);
    }

    #[test]
    fn a_text_without_end_is_cut_unless_all_is_wanted() {
        let long = "x".repeat(3_000);
        assert_eq!(PAGE.sentence(&long), format!("{}… (2,000 more characters)", "x".repeat(1_000)));
        assert_eq!(Style { verbose: 1, ..PAGE }.sentence(&long), long);
    }
}

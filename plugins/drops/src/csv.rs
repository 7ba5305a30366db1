//! Rows as CSV (RFC 4180): a field is quoted only where it has to be, a row ends with LF, the text is UTF-8 without a byte order mark.

use std::borrow::Cow;

use crate::cells::{Cells, Places};
use crate::texts::Texts;

/// Rows that are ready to be written: every text is quoted once, however many rows hold it, and what all rows share is one piece.
pub struct Rows<'a> {
    pieces: Vec<Piece<'a>>,
}

enum Piece<'a> {
    /// The same in each row: commas, the row's end, fields that do not vary.
    Fixed(String),
    Varying(Cow<'a, Texts>, &'a Places<'a>),
}

/// A field that holds a NUL character, which readers of CSV cannot be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nul {
    /// The column's position.
    pub column: usize,
    /// The row's.
    pub row: usize,
}

impl<'a> Rows<'a> {
    /// So many rows of these columns.
    ///
    /// # Errors
    /// A field holds NUL.
    pub fn of(columns: &[&'a Cells<'a>], rows: usize) -> Result<Self, Nul> {
        let mut pieces = Vec::new();
        let mut fixed = String::new();
        for (column, cells) in columns.iter().enumerate() {
            if column > 0 {
                fixed.push(',');
            }
            let texts = match Special::of(cells.texts.all()) {
                special if special.nul => match (0..rows).find(|row| cells.get(*row).contains('\0')) {
                    Some(row) => return Err(Nul { column, row }),
                    None => Cow::Owned(quoted(&cells.texts)),
                },
                special if special.quoted => Cow::Owned(quoted(&cells.texts)),
                _ => Cow::Borrowed(&cells.texts),
            };
            if cells.is_same() {
                fixed.push_str(texts.get(0));
                continue;
            }
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
            }
            pieces.push(Piece::Varying(texts, &cells.places));
        }
        fixed.push('\n');
        pieces.push(Piece::Fixed(fixed));
        Ok(Rows { pieces })
    }

    /// Appends a row.
    #[inline]
    pub fn append(&self, row: usize, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            let text = match piece {
                Piece::Fixed(text) => text.as_str(),
                Piece::Varying(texts, Places::By(indices)) => {
                    indices.get(row).map_or("", |index| texts.get(*index as usize))
                }
                Piece::Varying(texts, Places::Each) => texts.get(row),
                Piece::Varying(texts, Places::Same) => texts.get(0),
            };
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// The row that names the columns.
pub(crate) fn header(columns: &[String]) -> Vec<u8> {
    let mut row = String::new();
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            row.push(',');
        }
        push_field(&mut row, column);
    }
    row.push('\n');
    row.into_bytes()
}

fn quoted(texts: &Texts) -> Texts {
    let mut quoted = Texts::with_capacity(texts.len(), texts.all().len() + 64);
    texts.iter().for_each(|text| quoted.push_with(|all| push_field(all, text)));
    quoted
}

fn push_field(out: &mut String, text: &str) {
    if !Special::of(text).quoted {
        out.push_str(text);
        return;
    }
    out.push('"');
    for (position, part) in text.split('"').enumerate() {
        if position > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    out.push('"');
}

/// What a text holds.
#[derive(Debug, Clone, Copy, Default)]
struct Special {
    /// What makes quotes necessary.
    quoted: bool,
    nul: bool,
}

impl Special {
    fn of(text: &str) -> Special {
        let mut special = Special::default();
        // Without an early exit inside, the compiler looks at many bytes at once.
        for chunk in text.as_bytes().chunks(128) {
            for byte in chunk {
                special.quoted |= matches!(byte, b',' | b'"' | b'\n' | b'\r');
                special.nul |= *byte == 0;
            }
        }
        special
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn written(columns: &[&Cells<'_>], rows: usize) -> String {
        let mut out = Vec::new();
        let ready = Rows::of(columns, rows).unwrap();
        (0..rows).for_each(|row| ready.append(row, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_quoted_only_where_they_have_to_be() {
        let varying =
            Cells::each(["plain", "a,b", "say \"so\"", "line\nbreak", "=1+1", "", "é🙂 "].into_iter().collect());
        let dictionary = Cells::by(["x", "y,"].into_iter().collect(), vec![0, 1, u32::MAX, 0, 1, 0, 0]);
        let text = written(&[&varying, &Cells::same("k\r"), &dictionary, &Cells::same("")], 7);
        let rows = [
            "plain,\"k\r\",x,",
            "\"a,b\",\"k\r\",\"y,\",",
            "\"say \"\"so\"\"\",\"k\r\",,",
            "\"line\nbreak\",\"k\r\",x,",
            "=1+1,\"k\r\",\"y,\",",
            ",\"k\r\",x,",
            "é🙂 ,\"k\r\",x,",
        ];
        assert_eq!(text, rows.map(|row| format!("{row}\n")).concat());
    }

    #[test]
    fn nul_is_refused_where_a_row_holds_it() {
        let texts: Texts = ["a", "b\0"].into_iter().collect();
        let held = Cells::by(texts.clone(), vec![0, 1]);
        let found = Rows::of(&[&Cells::same("x"), &held], 2).err();
        assert_eq!(found, Some(Nul { column: 1, row: 1 }));
        assert_eq!(written(&[&Cells::by(texts, vec![0, 0])], 2), "a\na\n");
    }
}

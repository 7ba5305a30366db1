//! What a person is told.

use std::ops::ControlFlow;

use super::picker;
use crate::{Document, Lines, Stopped, Unreadable};

fn lines(pieces: &[&[u8]]) -> Result<Vec<String>, Unreadable> {
    let (mut picker, _) = picker(&["/id"]);
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for piece in pieces {
        lines.push(piece.to_vec());
        lines.decode(&mut picker, |place, record| {
            found.push(record.map_or_else(|reason| format!("{place}: {reason}"), |_| place.to_string()));
            ControlFlow::Continue(())
        })?;
    }
    lines.end();
    lines.decode(&mut picker, |place, record| {
        found.push(record.map_or_else(|reason| format!("{place}: {reason}"), |_| place.to_string()));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

#[test]
fn what_is_no_record_is_told_by_its_place_and_costs_the_rest_of_its_line() {
    let text = b"{}{} {}\n{}no{}\n{} {\"a\":1,}{}\n 5 {}\n{}{\"a\":\"\xff\"}\n\n{\"\\ud800\":1}{}\n{\"id";
    let expected = [
        "line 1",
        "line 1, record 2",
        "line 1, record 3",
        "line 2",
        "line 2, record 2: it is not valid JSON: expected ident at column 4, and more records may stand behind it in its line",
        "line 3",
        "line 3, record 2: it is not valid JSON: trailing comma at column 11, and more records may stand behind it in its line",
        "line 4: it is not valid JSON: trailing characters at column 4",
        "line 5",
        "line 5, record 2: it is not UTF-8: byte 9 is wrong",
        "line 7: it is not valid JSON: unexpected end of hex escape at column 9",
        "line 7, record 2",
        "line 8: it is not valid JSON: EOF while parsing a string at column 4",
    ];
    assert_eq!(lines(&[text]).unwrap(), expected);
    let single: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(lines(&single).unwrap(), expected);
}

#[test]
fn what_may_hold_more_records_says_so() {
    for (line, place) in [
        // Behind other records: where one is broken, the next may begin at any brace.
        ("{}no{}", "line 1, record 2"),
        ("{} {\"a\":1,}{}", "line 1, record 2"),
        ("{}{\"a\":{\"b\":}}", "line 1, record 2"),
        ("{}{}{\"a{\"id\":1}", "line 1, record 3"),
        // The first of its line: at a brace that is no value's.
        ("{\"a\":1,}{\"id\":1}", "line 1"),
        ("{\"a\":1,} \t {\"id\":1}", "line 1"),
        ("{\"a{\"id\":1}", "line 1"),
        ("words {\"a\":1}{\"id\":1}", "line 1"),
    ] {
        let says = "and more records may stand behind it in its line";
        let bytes: Vec<&[u8]> = line.as_bytes().chunks(1).collect();
        for pieces in [&[line.as_bytes()][..], &bytes] {
            let read = lines(pieces).unwrap();
            let last = read.last().unwrap();
            assert!(last.starts_with(&format!("{place}: it is not valid JSON: ")) && last.ends_with(says), "{last}");
        }
    }
    for line in ["{\"a\":{\"b\":[{},{}}}", "{}{\"a\":1,}", "words {\"id\":1}", "{\"a\":NaN}", "{\"a\"", "{} 5"] {
        let read = lines(&[line.as_bytes()]).unwrap();
        let wrong: Vec<&String> = read.iter().filter(|item| item.contains(": ")).collect();
        assert!(wrong.len() == 1 && !wrong[0].contains("more records"), "{line}: {wrong:?}");
    }
}

#[test]
fn what_is_no_text_of_lines_is_unreadable() {
    for text in ["{}\n\0\n", "{}\n{}\0{}", "{\"a\":\"\0\"}"] {
        let line = if text.starts_with("{}") { 2 } else { 1 };
        assert_eq!(lines(&[text.as_bytes()]), Err(Unreadable::Nul { line }), "{text:?}");
    }
}

#[test]
fn a_line_has_a_bound_and_records_behind_each_other_have_none() {
    let piece = vec![b' '; 1 << 20];
    let long: Vec<&[u8]> = std::iter::once(&b"{}\n{}"[..]).chain(std::iter::repeat_n(&piece[..], 17)).collect();
    assert_eq!(lines(&long), Err(Unreadable::TooLong { line: 2 }));
    let records = "{\"id\":\"0123456789\"}".repeat((1 << 20) / 19);
    let long = vec![records.as_bytes(); 17];
    assert_eq!(lines(&long).unwrap().len(), 17 * ((1 << 20) / 19));
    let text = format!("{{\"id\":\"{}\"}}", "x".repeat(15 << 20));
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(10_000).collect();
    assert_eq!(lines(&pieces).unwrap(), ["line 1"]);
    // A long one, of which a part is seen, and many behind it: no part of the line is too long.
    let text = format!("{{\"id\":\"{}\"}}", "x".repeat(10 << 20)) + &records.repeat(7);
    let (begin, rest) = text.as_bytes().split_at(9 << 20);
    assert_eq!(lines(&[begin, rest]).unwrap().len(), 1 + 7 * ((1 << 20) / 19));
}

fn document(text: &[u8]) -> Result<Vec<String>, Unreadable> {
    let (mut picker, _) = picker(&["/id"]);
    let (mut document, mut found) = (Document::new(0), Vec::new());
    document.push(text.to_vec())?;
    document.end()?;
    let stopped = document.decode(&mut picker, |place, record| {
        found.push(record.map_or_else(|reason| format!("{place}: {reason}"), |_| place.to_string()));
        ControlFlow::Continue(())
    });
    assert_eq!(stopped, Stopped::Done);
    Ok(found)
}

#[test]
fn a_document_is_a_list_or_records_one_after_the_other() {
    let one: [&[u8]; 5] = [b"{}", b"[{}]", b" [ {} ] ", b"\xef\xbb\xbf{}", b"\n{\n}\n"];
    for text in one {
        assert_eq!(document(text).unwrap(), ["record 1"]);
    }
    let two: [&[u8]; 5] = [b"{}{}", b"[{},{}]", b"{} {}", b"{}\r\n{}\n", b"{\"x\":[{}]}{\"y\":\"\\u0041\"}"];
    for text in two {
        assert_eq!(document(text).unwrap(), ["record 1", "record 2"]);
    }
    assert_eq!(document(b"[]").unwrap(), Vec::<String>::new());
    let expected = ["record 1", "record 2: a record is a JSON object, and this is `7`", "record 3"];
    assert_eq!(document(b"[{},7,{}]").unwrap(), expected);
}

#[test]
fn a_document_that_is_broken_anywhere_is_unreadable() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "it is empty, and an empty list is written `[]`"),
        (b" \n", "it is not valid JSON: EOF while parsing a value at line 2 column 0"),
        (b"12", "it holds neither a list of records nor a record, but `12`"),
        (b"{}{\"a\":1,}", "it is not valid JSON: key must be a string at line 1 column 10"),
        (
            b"{}\n{} 5",
            "at line 2 column 4 something follows that is no record: a document is one list of records, or records one after the other",
        ),
        (
            b"[{}]{}",
            "at line 1 column 5 something follows that is no record: a document is one list of records, or records one after the other",
        ),
        (
            b"{},{}",
            "at line 1 column 3 something follows that is no record: a document is one list of records, or records one after the other",
        ),
        (b"[{},\n {\"value\":01}]", "it is not valid JSON: invalid number at line 2 column 12"),
        (b"[{\"a\":\"\xff\"}]", "it is not UTF-8: byte 8 is wrong"),
        (b"{}{", "it is not valid JSON: EOF while parsing an object at line 1 column 3"),
    ];
    for (text, reason) in cases {
        assert_eq!(document(text).unwrap_err().to_string(), reason);
    }
}

#[test]
fn a_pointer_that_leads_nowhere_is_refused_in_words() {
    let mut pointers = crate::Pointers::default();
    assert_eq!(pointers.slot("/a/b").unwrap(), 1);
    assert_eq!(pointers.slot("/a/b").unwrap(), 1);
    let cases = [
        ("a", "`a` is no JSON pointer: it begins with `/`"),
        ("/a~b", "`/a~b` is no JSON pointer: `~` is written `~0` in it, and `/` in a key `~1`"),
        ("/a", "`/a` leads to a field and another pointer leads into it; only one of the two can be read"),
        ("/a/b/c", "`/a/b/c` leads to a field and another pointer leads into it; only one of the two can be read"),
    ];
    for (pointer, reason) in cases {
        assert_eq!(pointers.slot(pointer).unwrap_err().to_string(), reason);
    }
}

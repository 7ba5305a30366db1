//! Rows, however they are cut into pieces, and what is wrong with some of them.

use std::rc::Rc;

use meterhost_sdk::{Page, Window};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Config;
use crate::layout::Matched;
use crate::mapping::Mapping;

const USAGE: &str = r#"{
    "layout": "m/*.csv",
    "fields": { "time": "/at", "customer": "/user_id", "dimension": "/dimension", "quantity": "/value", "id": "/id" },
    "attributes": { "note": "/note" }
}"#;

/// What is made of an object whose bytes come in these pieces.
fn decoded(text: &str, delimiter: u8, pieces: &[&[u8]]) -> Result<Vec<Page>, String> {
    let config: Config = serde_json::from_str(text).unwrap();
    let mut rows = Rows::new(Rc::new(Mapping::new(&config).unwrap()));
    let reach = Some(Window { start: 0, end: 10 });
    let matched = Matched { span: None, reach: None, captures: Vec::new() };
    let object = Object { key: "m/a.csv", etag: "e", matched: &Matched { span: reach, ..matched } };
    let mut csv = Csv::new(delimiter);
    let mut all = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => csv.push(piece.to_vec()),
            None => csv.end()?,
        }
        while csv.decode(&mut rows, &object)? == Stopped::PageFull {
            all.extend(rows.ready());
        }
    }
    all.extend(rows.ready());
    all.extend(rows.last());
    Ok(all)
}

/// Every record as one line, and every record that cannot be used.
fn seen(pages: &[Page]) -> Vec<String> {
    let rows = pages.iter().flat_map(|page| page.batch.rows()).map(|row| {
        let (id, note) = (row.id().unwrap_or("-"), row.attribute("note").unwrap_or("-"));
        format!("{} {} {} {} {id} {note}", row.time, row.customer, row.dimension, row.quantity)
    });
    let quarantined = pages.iter().flat_map(|page| &page.quarantined);
    rows.chain(quarantined.map(|record| format!("{}: {}", record.place, record.reason))).collect()
}

const WHOLE: &str = "\u{feff}id,user_id,dimension,value,at,\"note\"\r\n\
    r1,acme,cpu,1.50,1970-01-01T00:00:00Z,\"a \"\"b\"\"\r\nc, d\"\r\n\
    \r\n\
    ,übel,cpu,\"2\",1970-01-01T00:00:00.001Z,\r\n\
    r3,acme,cpu,3\r\n\
    r4,,cpu,x,1970-01-01T00:00:00Z,5\" disk\n\
    000000000000000000000000000000000000000000000007,7,mem,1e3,1970-01-01T00:00:00Z,last";

#[test]
fn a_row_is_a_record_and_its_line_says_where_it_stands() {
    let pages = decoded(USAGE, b',', &[WHOLE.as_bytes()]).unwrap();
    let expected = [
        "0 acme cpu 1.5 r1 a \"b\"\r\nc, d",
        "1 übel cpu 2 - -",
        "0 7 mem 1000 000000000000000000000000000000000000000000000007 last",
        "line 6: it has 4 fields, and the header names 6 columns",
        "line 7: customer (/user_id) is missing; quantity (/value) is `x`: not a number: write it like 12, -12.50 or 1.5e3",
    ];
    assert_eq!(seen(&pages), expected);
}

#[test]
fn rows_are_the_same_wherever_they_are_cut() {
    let bytes = WHOLE.as_bytes();
    let whole = seen(&decoded(USAGE, b',', &[bytes]).unwrap());
    for first in 0..=bytes.len() {
        for second in [first, (first + 1).min(bytes.len()), (first + 40).min(bytes.len())] {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(seen(&decoded(USAGE, b',', &pieces).unwrap()), whole, "{first} {second}");
        }
    }
}

#[test]
fn other_delimiters_leave_commas_to_numbers_and_names() {
    for delimiter in [b';', b'\t', b'|'] {
        let text = "at,user_id,dimension,value\n1970-01-01T00:00:00Z,a§b,cpu,1\n";
        let text = text.replace(',', &char::from(delimiter).to_string()).replace('§', ",");
        assert_eq!(seen(&decoded(USAGE, delimiter, &[text.as_bytes()]).unwrap()), ["0 a,b cpu 1 - -"]);
    }
}

#[test]
fn a_column_may_have_any_name_that_a_pointer_can_write() {
    let text = USAGE.replace("/user_id", "/user~1id~0 of").replace("\"/id\"", "\"/\"");
    let rows = "at,user/id~ of,dimension,value,\n1970-01-01T00:00:00Z,a,cpu,1,r1\n";
    assert_eq!(seen(&decoded(&text, b',', &[rows.as_bytes()]).unwrap()), ["0 a cpu 1 r1 -"]);
}

#[test]
fn an_object_whose_rows_nobody_can_tell_apart_is_unreadable() {
    let header = "at,user_id,dimension,value\n";
    let good = "1970-01-01T00:00:00Z,a,cpu,1\n";
    let cases = [
        (String::new(), "it is empty, and a CSV begins with a header that names its columns"),
        ("\u{feff}".to_owned(), "it is empty, and a CSV begins with a header that names its columns"),
        ("\r\n\n".to_owned(), "it is empty, and a CSV begins with a header that names its columns"),
        (
            "at,user_id,dimension,Value\n".to_owned(),
            "its header has no column `value`; it names `at`, `user_id`, `dimension`, `Value`",
        ),
        ("{\"at\":1}".to_owned(), "its header has no column `at`; it names `{\"at\":1}`"),
        (
            "at,user_id,dimension,value,user_id\n".to_owned(),
            "its header names the column `user_id` twice, and nobody knows which is meant",
        ),
        (format!("{header}{good}\"1970,b,cpu,1\n{good}"), "line 3 begins a row with a quote that is never closed"),
        (
            format!("{header}{good}\"1970,b,cpu,1\n{good}\"1970,b,cpu,1\n"),
            "line 3 begins a row in which text follows a quote that closes a field, and so nobody knows where its fields end",
        ),
        (format!("{header}{good}a\0,b,cpu,1\n"), "line 3 holds a NUL byte: it is no text, or not in UTF-8"),
        (
            format!("at,user_id,dimension,value{}\n", ",".repeat(WIDEST)),
            "line 1 begins a row of more than 65536 fields",
        ),
    ];
    for (text, reason) in cases {
        assert_eq!(decoded(USAGE, b',', &[text.as_bytes()]).map(|_| ()), Err(reason.to_owned()), "{text:.40}");
    }
    let long = format!("{header}1970-01-01T00:00:00Z,a,cpu,{}", "1".repeat(LONGEST));
    assert_eq!(
        decoded(USAGE, b',', &[long.as_bytes()]).map(|_| ()),
        Err("line 2 begins a row that is longer than 16 MiB".to_owned())
    );
}

#[test]
fn a_column_that_a_record_may_lack_may_be_missing_and_one_that_nobody_wants_may_stand_twice() {
    let rows = "at,user_id,x,dimension,value,x\n1970-01-01T00:00:00Z,a,1,cpu,1,2\n";
    assert_eq!(seen(&decoded(USAGE, b',', &[rows.as_bytes()]).unwrap()), ["0 a cpu 1 - -"]);
    let nested = USAGE.replace("\"/note\"", "\"/note/text\"").replace("m/*.csv", "m/*");
    let expected = "`/note/text` leads into an object, and a CSV has columns: name one, such as `/user_id`";
    assert_eq!(decoded(&nested, b',', &[rows.as_bytes()]).map(|_| ()), Err(expected.to_owned()));
}

#[test]
fn two_halves_of_a_character_make_no_row() {
    let rows = [
        &b"at,user_id,dimension,value\n"[..],
        b"1970-01-01T00:00:00Z,\xc3,\xa9,1\n",
        b"1970-01-01T00:00:00Z,\xff,cpu,1\n",
    ]
    .concat();
    assert_eq!(seen(&decoded(USAGE, b',', &[&rows]).unwrap()), ["line 2: it is not UTF-8", "line 3: it is not UTF-8"]);
}

#[test]
fn more_wanted_columns_than_fit_on_the_stack_are_read_too() {
    let attributes: Vec<String> = (0..40).map(|number| format!("\"a{number}\":\"/c{number}\"")).collect();
    let text = USAGE.replace("\"note\": \"/note\"", &format!("\"note\": \"/c39\", {}", attributes[..39].join(",")));
    let names: Vec<String> = (0..40).map(|number| format!("c{number}")).collect();
    let rows = format!("at,user_id,dimension,value,{0}\n1970-01-01T00:00:00Z,a,cpu,1,{0}\n", names.join(","));
    assert_eq!(seen(&decoded(&text, b',', &[rows.as_bytes()]).unwrap()), ["0 a cpu 1 - c39"]);
}

/// Fields with all that has a meaning in a CSV.
fn field() -> impl Strategy<Value = String> {
    "[a-cä\",;\r\n ]{0,6}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_another_writer_wrote_is_read_as_another_reader_reads_it(
        fields in vec(vec(field(), 3), 1..8),
        crlf in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = USAGE.replace("\"/at\"", "{\"field\":\"/at\",\"unit\":\"ms\"}");
        let mut writer = csv::WriterBuilder::new()
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["at", "value", "user_id", "dimension", "note"]).unwrap();
        for row in &fields {
            let [customer, dimension, note] = row.as_slice() else { unreachable!() };
            writer.write_record(["1", "2", customer, dimension, note]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let cut = cut.index(bytes.len());
        let found = seen(&decoded(&text, b',', &[&bytes[..cut], &bytes[cut..]]).unwrap());
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let records = reader.records().map(Result::unwrap).filter(|record| !record[2].is_empty() && !record[3].is_empty());
        let expected: Vec<String> = records
            .map(|record| format!("1 {} {} 2 - {}", &record[2], &record[3], Some(&record[4]).filter(|note| !note.is_empty()).unwrap_or("-")))
            .collect();
        let records: Vec<String> = found.iter().filter(|line| line.starts_with("1 ")).cloned().collect();
        prop_assert_eq!(records, expected);
        prop_assert_eq!(found.len(), fields.len(), "each row is a record, or quarantined");
    }

    #[test]
    fn nothing_that_is_read_as_a_csv_panics(bytes in vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(0xef), any::<u8>()], 0..200)) {
        let rows = [b"at,user_id,dimension,value\n", bytes.as_slice()].concat();
        let _ = decoded(USAGE, b',', &[&rows]);
        let _ = decoded(USAGE, b',', &[&bytes]);
    }
}

#[test]
fn a_text_in_a_field_is_never_a_row_wherever_the_pieces_are_cut() {
    let text =
        "user_id,dimension,value,at\n\"x\nVICTIM,cpu,1000000,1970-01-01T00:00:00Z\ny\",cpu,1,1970-01-01T00:00:00Z\n";
    let usage = USAGE.replace(r#", "id": "/id""#, "");
    let whole = seen(&decoded(&usage, b',', &[text.as_bytes()]).unwrap());
    assert_eq!(whole.len(), 1, "{whole:?}");
    for cut in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        assert_eq!(seen(&decoded(&usage, b',', &[left, right]).unwrap()), whole, "cut at {cut}");
    }
}

//! What bad input gets: the exact words, and what is held.

use meterhost_sdk::{Cursor, Error, Source, Window, testing};

use super::{JUNE, LOGS, OMNISTRATE, config, pages, quarantined, request, rows, stage, unreadable};
use crate::S3Reader;

/// From 2025-06-01T00:00:00Z on.
const HOUR: Window = Window { start: 1_748_736_000_000, end: 1_748_739_600_000 };

#[test]
fn a_document_that_makes_no_sense_as_a_whole_is_unreadable() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "it is empty, and an empty list is written `[]`"),
        (b"\xef\xbb\xbf", "it is empty, and an empty list is written `[]`"),
        (b" \n", "it is not valid JSON: EOF while parsing a value at line 2 column 0"),
        (b"null", "it holds neither a list of records nor a record, but `null`"),
        (b"12", "it holds neither a list of records nor a record, but `12`"),
        (b"\"text\"", "it holds neither a list of records nor a record, but `\"text\"`"),
        (b"[{\"value\":1}", "it is not valid JSON: EOF while parsing a list at line 1 column 12"),
        (b"[{},\n {\"value\":01}]", "it is not valid JSON: invalid number at line 2 column 12"),
        (
            b"{\"value\":1}\n[{\"value\":2}]\n",
            "at line 2 column 1 something follows that is no record: a document is one list of records, or records one after the other",
        ),
        (b"[{\"externalPayerId\":\"\xff\"}]", "it is not UTF-8: byte 22 is wrong"),
    ];
    for (bytes, reason) in cases {
        let _folder = stage(&[("m/2025/06/01/00/a.json", bytes)]);
        let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
        assert_eq!(unreadable(&pages), [format!("m/2025/06/01/00/a.json: {reason}")]);
        assert_eq!(pages[0].unreadable[0].span, Some(HOUR));
        assert!(
            pages.iter().all(|page| page.inputs.is_empty() && page.batch.is_empty() && page.quarantined.is_empty())
        );
    }
}

#[test]
fn an_empty_list_is_a_document_without_items() {
    let _folder = stage(&[("m/2025/06/01/00/a.json", b" [ ] ")]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    assert_eq!((pages[0].inputs.len(), pages[0].inputs[0].items), (1, 0));
    assert_eq!(unreadable(&pages), Vec::<String>::new());
}

#[test]
fn what_is_too_large_is_unreadable() {
    let folder = stage(&[("m/2025/06/01/00/a.json", b""), ("logs/acme/1.log", b"{\"requestTime\":0}\n")]);
    let large = std::fs::File::options().write(true).open(folder.path().join("m/2025/06/01/00/a.json")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    let found = unreadable(&pages(OMNISTRATE, request(0, 1)).unwrap());
    let reason =
        "it is larger than 64 MiB, and a document is read as a whole; write a record a line (`format = \"ndjson\"`)";
    assert_eq!(found, [format!("m/2025/06/01/00/a.json: {reason}")]);

    let long = format!("{{\"requestTime\":0}}\n{}", " ".repeat((16 << 20) + 100));
    std::fs::write(folder.path().join("logs/acme/1.log"), long).unwrap();
    let found = pages(LOGS, request(0, 1)).unwrap();
    assert_eq!(unreadable(&found), ["logs/acme/1.log: line 2 is longer than 16 MiB"]);
    assert!(found.iter().all(|page| page.inputs.is_empty()));
}

#[test]
fn a_line_that_is_no_record_is_quarantined_alone() {
    let good = "{\"requestTime\":1748736000000,\"response\":{\"length\":1}}";
    let lines = format!("{good}\nnull\n{{\"requestTime\":1,}}\n\x0b\n{{\"a\":\"\x01\"}}\n{good} x {good}\n");
    let _folder = stage(&[
        ("logs/acme/1.log", lines.as_bytes()),
        ("logs/acme/2.log", b"{\"a\":\"\xc3\x28\"}\n{\"requestTime\":17487360"),
    ]);
    let pages = pages(LOGS, request(0, 1)).unwrap();
    assert_eq!(rows(&pages).len(), 4);
    let expected = [
        "logs/acme/1.log line 2: a record is a JSON object, and this is `null`",
        "logs/acme/1.log line 3: it is not valid JSON: trailing comma at column 18",
        "logs/acme/1.log line 4: it is not valid JSON: expected value at column 1",
        "logs/acme/1.log line 5: it is not valid JSON: control character (\\u0000-\\u001F) found while parsing a string at column 6",
        "logs/acme/1.log line 6, record 2: it is not valid JSON: expected value at column 55, \
         and more records may stand behind it in its line",
        "logs/acme/2.log line 1: it is not UTF-8: byte 7 is wrong",
        "logs/acme/2.log line 2: it is not valid JSON: EOF while parsing an object at column 23",
    ];
    assert_eq!(quarantined(&pages), expected);
    // The key says whose they are, and any of the dimensions may be meant.
    let all = pages.iter().flat_map(|page| &page.quarantined);
    let known = all.into_iter().map(|record| (record.customer.as_deref(), &record.dimension, record.span));
    assert!(known.into_iter().all(|known| known == (Some("acme"), &None, None)));
    assert_eq!(unreadable(&pages), Vec::<String>::new());
}

#[test]
fn records_of_anybody_that_may_stand_behind_a_broken_one_make_the_object_unreadable() {
    let good = |payer: &str| format!("{{\"externalPayerId\":\"{payer}\",\"dimension\":\"cpu\",\"value\":1}}");
    let broken = "{\"externalPayerId\":\"B\",\"value\":}";
    let text = OMNISTRATE.replace("/*.json", "/*");
    let alone = format!("{}\n{broken}\n{}\n", good("A"), good("C"));
    let hiding =
        [format!("{}\n{broken}{}\n", good("A"), good("C")), format!("{}{}{broken}{}", good("A"), good("D"), good("C"))];
    let _folder = stage(&[
        ("m/2025/06/01/00/alone.ndjson", alone.as_bytes()),
        ("m/2025/06/01/00/one.ndjson", hiding[0].as_bytes()),
        ("m/2025/06/01/00/two.ndjson", hiding[1].as_bytes()),
    ]);
    let pages = pages(&text, request(0, 1)).unwrap();
    let reason = |column: usize| format!("it is not valid JSON: expected value at column {column}");
    assert_eq!(quarantined(&pages), [format!("m/2025/06/01/00/alone.ndjson line 2: {}", reason(32))]);
    let more = "and more records may stand behind it in its line";
    let expected = [
        format!("m/2025/06/01/00/one.ndjson: line 2: {}, {more}", reason(32)),
        format!("m/2025/06/01/00/two.ndjson: line 1, record 3: {}, {more}", reason(32 + 2 * good("A").len())),
    ];
    assert_eq!(unreadable(&pages), expected);
}

#[test]
fn a_quantity_that_is_none_holds_the_customers_dimension() {
    let digits = "1".repeat(39);
    let cases = [
        ("\"many\"", "quantity (/value) is `many`: not a number: write it like 12, -12.50 or 1.5e3"),
        ("\"1,5\"", "quantity (/value) is `1,5`: not a number: write it like 12, -12.50 or 1.5e3"),
        ("\" 5\"", "quantity (/value) is ` 5`: not a number: write it like 12, -12.50 or 1.5e3"),
        ("\"NaN\"", "quantity (/value) is `NaN`: not a number: write it like 12, -12.50 or 1.5e3"),
        ("true", "quantity (/value) is `true`, which is neither a text nor a number"),
        ("[1]", "quantity (/value) is `[1]`, which is neither a text nor a number"),
        ("{\"value\":1}", "quantity (/value) is `{\"value\":1}`, which is neither a text nor a number"),
        ("null", "quantity (/value) is null"),
        ("\"\"", "quantity (/value) is empty"),
        ("1,\"value\":1", "quantity (/value) stands there twice"),
        ("1e99", "quantity (/value) is `1e99`: too many digits: a decimal has at most 38"),
        (&digits, &format!("quantity (/value) is `{digits}`: too many digits: a decimal has at most 38")),
    ];
    for (value, reason) in cases {
        let record = format!("{{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":{value}}}");
        let _folder = stage(&[("m/2025/06/01/00/a.json", record.as_bytes())]);
        let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
        assert_eq!(quarantined(&pages), [format!("m/2025/06/01/00/a.json record 1: {reason}")]);
        let held = &pages[0].quarantined[0];
        assert_eq!((held.customer.as_deref(), held.dimension.as_deref()), (Some("A"), Some("cpu")));
        // The time is known, so it is held to that moment.
        assert_eq!(held.span, Some(Window { start: HOUR.start, end: HOUR.start + 1 }));
        assert_eq!(pages[0].inputs[0].items, 1);
    }
}

#[test]
fn quantities_are_exact_and_may_be_negative() {
    let values = [
        "-3",
        "0.1",
        "1.5E3",
        "\"12.50\"",
        "\"1\\u0030\"",
        "18446744073709551616",
        "0.0000000000000000000000000000000001",
    ];
    let records = values.map(|value| format!("{{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":{value}}}"));
    let _folder = stage(&[("m/2025/06/01/00/a.json", format!("[{}]", records.join(",")).as_bytes())]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    assert_eq!(quarantined(&pages), Vec::<String>::new());
    let read: Vec<String> =
        pages.iter().flat_map(|page| page.batch.rows()).map(|row| row.quantity.to_string()).collect();
    let expected = ["-3", "0.1", "1500", "12.5", "10", "18446744073709551616", "0.0000000000000000000000000000000001"];
    assert_eq!(read, expected);
}

#[test]
fn a_customer_that_is_none_holds_the_record_alone() {
    let cases = [
        ("null", "customer (/externalPayerId) is null"),
        ("1.5", "customer (/externalPayerId) is `1.5`, which is neither a text nor a whole number"),
        ("-1", "customer (/externalPayerId) is `-1`, which is neither a text nor a whole number"),
        ("false", "customer (/externalPayerId) is `false`, which is neither a text nor a number"),
        ("{}", "customer (/externalPayerId) is `{}`, which is neither a text nor a number"),
        ("\"\\ud800\"", "customer (/externalPayerId) is `\"\\ud800\"`, whose escapes make no text"),
    ];
    for (customer, reason) in cases {
        let record = format!("{{\"externalPayerId\":{customer},\"dimension\":\"cpu\",\"value\":1}}");
        let _folder = stage(&[("m/2025/06/01/00/a.json", record.as_bytes())]);
        let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
        assert_eq!(quarantined(&pages), [format!("m/2025/06/01/00/a.json record 1: {reason}")]);
        let held = &pages[0].quarantined[0];
        assert_eq!((held.customer.as_deref(), held.dimension.as_deref()), (None, Some("cpu")));
    }
}

#[test]
fn a_time_that_is_none_holds_the_span_of_the_path() {
    let cases = [
        ("\"yesterday\"", "cannot be read: `yesterday` is not a text such as 2025-06-01T00:59:59Z"),
        (
            "\"2025-06-31T00:00:00Z\"",
            "cannot be read: `2025-06-31T00:00:00Z` is not a text such as 2025-06-01T00:59:59Z",
        ),
        ("\"2025-06-01T00:00:00\"", "cannot be read: `2025-06-01T00:00:00` is not a text such as 2025-06-01T00:59:59Z"),
        (
            "1748736000",
            "cannot be read: `1748736000` is not a text; of a number, the configuration says what it counts: { field = \"...\", unit = \"ms\" }",
        ),
        ("[]", "cannot be read: `[]` is not a text such as 2025-06-01T00:59:59Z"),
        ("null", "is null"),
    ];
    for (time, reason) in cases {
        let record = format!("{{\"at\":{time},\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}}");
        let _folder = stage(&[("m/2025/06/01/00/a.json", record.as_bytes())]);
        let pages = pages(&OMNISTRATE.replace("\"path\"", "\"/at\""), request(0, 1)).unwrap();
        assert_eq!(quarantined(&pages), [format!("m/2025/06/01/00/a.json record 1: time (/at) {reason}")]);
        let held = &pages[0].quarantined[0];
        assert_eq!((held.customer.as_deref(), held.dimension.as_deref()), (Some("A"), Some("cpu")));
        assert_eq!(held.span, Some(HOUR));
    }
}

#[test]
fn all_that_is_wrong_with_a_record_is_said_at_once() {
    let _folder = stage(&[("m/2025/06/01/00/a.json", b"{}")]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    let reason =
        "customer (/externalPayerId) is missing; dimension (/dimension) is missing; quantity (/value) is missing";
    assert_eq!(quarantined(&pages), [format!("m/2025/06/01/00/a.json record 1: {reason}")]);
}

#[test]
fn an_attribute_that_stands_there_twice_is_not_guessed() {
    let line = "{\"requestTime\":0,\"response\":{\"length\":1},\"status\":200,\"status\":500}";
    let _folder = stage(&[("logs/acme/1.log", line.as_bytes())]);
    let pages = pages(LOGS, request(0, 1)).unwrap();
    assert_eq!(quarantined(&pages), ["logs/acme/1.log line 1: status (/status) stands there twice"; 2]);
}

#[test]
fn a_product_that_is_asked_for_has_to_be_there() {
    let config = OMNISTRATE.replace("\"customer\"", "\"product\": \"/product\", \"customer\"");
    let record = b"[{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1,\"product\":\"pg\"},{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}]";
    let _folder = stage(&[("m/2025/06/01/00/a.json", record)]);
    let pages = pages(&config, request(0, 1)).unwrap();
    assert_eq!(pages[0].batch.rows().map(|row| row.product).collect::<Vec<_>>(), ["pg"]);
    assert_eq!(quarantined(&pages), ["m/2025/06/01/00/a.json record 2: product (/product) is missing"]);
}

#[test]
fn a_folder_that_may_not_be_listed_is_an_error_and_not_an_empty_one() {
    let mut reading = S3Reader::open(config(OMNISTRATE), request(0, 1)).unwrap();
    let refused = "`m/2025/06/` cannot be listed: no folder is on the stage: call testing::folder first";
    assert_eq!(reading.next().unwrap_err(), Error::Denied(refused.into()));
}

#[test]
fn an_object_that_is_gone_or_another_by_now_is_noticed() {
    let line = "{\"requestTime\":1748736000000,\"response\":{\"length\":1}}\n";
    let folder = stage(&[
        ("logs/acme/1.log", line.repeat(10_000).as_bytes()),
        ("logs/acme/2.log", line.as_bytes()),
        ("logs/acme/3.log", line.as_bytes()),
    ]);
    let mut reading = S3Reader::open(config(LOGS), request(0, 1)).unwrap();
    let mut all = vec![reading.next().unwrap().unwrap()];
    std::fs::remove_file(folder.path().join("logs/acme/2.log")).unwrap();
    std::fs::write(folder.path().join("logs/acme/3.log"), line.repeat(2)).unwrap();
    while let Some(page) = reading.next().unwrap() {
        all.push(page);
    }
    assert_eq!(unreadable(&all), ["logs/acme/2.log: it cannot be read: logs/acme/2.log: there is no such object"]);
    assert_eq!(all.iter().flat_map(|page| &page.unreadable).next().unwrap().span, None);
    let read: Vec<(&str, u64, u64)> =
        all.iter().flat_map(|page| &page.inputs).map(|read| (&*read.input.key, read.input.size, read.items)).collect();
    let size = line.len() as u64;
    assert_eq!(read, [("logs/acme/1.log", 10_000 * size, 20_000), ("logs/acme/3.log", 2 * size, 4)]);
}

#[test]
fn a_key_that_says_too_little_makes_its_object_unreadable() {
    let record = b"{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}";
    let _folder = stage(&[("m/2025/06/01/00/a-b-c.json", record), ("m/2025/06/01/00/a-b.json", record)]);
    let text = OMNISTRATE.replace("*.json", "{service}-{site}.json");
    let reason = "the layout fits its key in two ways that mean different things; make the layout say more";
    let found = pages(&text, request(0, 1)).unwrap();
    assert_eq!(unreadable(&found), [format!("m/2025/06/01/00/a-b-c.json: {reason}")]);
    assert_eq!((found[0].unreadable[0].span, rows(&found).len()), (Some(HOUR), 1));

    let _folder = stage(&[("m/2025/06/01/00/a", record), ("m/2025/06/01/00/b.json", record)]);
    let reason = "its key does not say how it is written; add `format = \"json\"`, `format = \"ndjson\"` or `format = \"csv\"` to the configuration";
    let found = pages(&OMNISTRATE.replace("*.json", "*"), request(0, 1)).unwrap();
    assert_eq!(unreadable(&found), [format!("m/2025/06/01/00/a: {reason}")]);
    assert_eq!(rows(&found).len(), 1);
}

#[test]
fn a_path_that_names_days_does_not_do_for_hours() {
    testing::folder("/");
    let mut hourly = request(0, 1);
    hourly.windows = vec![HOUR];
    let text = OMNISTRATE.replace("/{hh}", "");
    let found = S3Reader::inputs(config(&text), hourly.clone()).err();
    let reason = "fields.time: \"path\" says no more than a day, and a window is shorter; name a field of the record that holds its time";
    assert_eq!(found, Some(Error::Config(reason.into())));
    assert!(S3Reader::inputs(config(OMNISTRATE), hourly.clone()).is_ok());
    hourly.windows = vec![JUNE];
    assert!(S3Reader::inputs(config(&text), hourly).is_ok());
}

#[test]
fn a_line_that_is_no_record_is_held_for_all_that_the_key_and_the_configuration_say_of_it() {
    let text = r#"{
        "layout": "m/{tenant}/{yyyy}/{mm}/{dd}/{hh}/*.ndjson",
        "fields": { "time": "path", "customer": "{tenant}", "product": { "constant": "pg" }, "dimension": { "constant": "cpu" },
            "quantity": "/value" }
    }"#;
    let _folder = stage(&[("m/acme/2025/06/01/00/a.ndjson", b"{\"value\":1}\nno record\n")]);
    let found = pages(text, request(0, 1)).unwrap();
    assert_eq!(rows(&found), ["acme cpu 1 1748736000000"]);
    let held = &found[0].quarantined[0];
    let known = (held.customer.as_deref(), held.product.as_deref(), held.dimension.as_deref(), held.span);
    assert_eq!(known, (Some("acme"), Some("pg"), Some("cpu"), Some(HOUR)));
    // What stands in the record is not known of a line that is none.
    let text = text.replace("\"{tenant}\"", "\"/who\"").replace("{ \"constant\": \"cpu\" }", "\"/what\"");
    let held = pages(&text, request(0, 1)).unwrap()[0].quarantined[1].clone();
    assert_eq!(
        (held.place.as_str(), held.customer, held.product.as_deref(), held.dimension),
        ("line 2", None, Some("pg"), None)
    );
}

#[test]
fn a_record_whose_time_is_not_that_of_its_key_is_held_in_every_window_it_may_belong_to() {
    let text = OMNISTRATE.replace("\"path\"", "\"/at\"");
    let record = |at: &str| format!("{{\"at\":\"{at}\",\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}}");
    let times =
        ["2025-07-01T00:02:00Z", "2025-06-30T23:59:59.999Z", "2025-06-30T23:00:00Z", "2025-06-30T22:59:59.999Z"];
    let records = times.map(record).join(",");
    let _folder = stage(&[("m/2025/06/30/23/a.json", format!("[{records}]").as_bytes())]);
    let pages = pages(&text, request(0, 1)).unwrap();
    assert_eq!(rows(&pages), ["A cpu 1 1751327999999", "A cpu 1 1751324400000"]);
    let outside = |time: &str| {
        format!(
            "time (/at) {time} lies outside of the time in its key, 2025-06-30T23:00:00Z to 2025-07-01T00:00:00Z; store the record \
             under a key of its own time, or say by how much the two may differ: slack = \"1h\""
        )
    };
    let expected = [("record 1", times[0]), ("record 4", times[3])];
    assert_eq!(
        quarantined(&pages),
        expected.map(|(place, time)| format!("m/2025/06/30/23/a.json {place}: {}", outside(time)))
    );
    let held = &pages[0].quarantined;
    assert!(held.iter().all(|held| (held.customer.as_deref(), held.dimension.as_deref()) == (Some("A"), Some("cpu"))));
    let key = Window { start: JUNE.end - 3_600_000, end: JUNE.end };
    assert_eq!(held[0].span, Some(Window { start: key.start, end: JUNE.end + 120_001 }));
    assert_eq!(held[1].span, Some(Window { start: key.start - 1, end: key.end }));
    assert_eq!(pages[0].inputs[0].items, 4);
}

#[test]
fn what_is_compressed_or_no_text_is_unreadable_as_a_whole() {
    let good = "{\"requestTime\":1748736000000,\"response\":{\"length\":1}}\n";
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let _folder = stage(&[
        ("logs/acme/1.log", b"\x1f\x8b\x08\x00\n\n\n\x00\n"),
        ("logs/acme/2.log", b"\x28\xb5\x2f\xfd\x04\n"),
        ("logs/acme/3.log", &[good.as_bytes(), b"{\"a\":\"\0\"}\n\0\0\n", good.as_bytes()].concat()),
        ("logs/acme/4.log", &utf16),
        ("logs/acme/5.log", &[b"\xff\xfe", utf16.as_slice()].concat()),
        ("logs/acme/6.log", &[good.as_bytes(), b"\0\0\0"].concat()),
    ]);
    let found = pages(LOGS, request(0, 1)).unwrap();
    let broken = "and breaks off before its end; store it anew";
    let no_text = "holds a NUL byte: it is no text with a record a line, or not in UTF-8";
    let expected = [
        format!("logs/acme/1.log: it is compressed with gzip, {broken}"),
        format!("logs/acme/2.log: it is compressed with zstd, {broken}"),
        format!("logs/acme/3.log: line 2 {no_text}"),
        format!("logs/acme/4.log: line 1 {no_text}"),
        format!("logs/acme/5.log: line 1 {no_text}"),
        format!("logs/acme/6.log: line 2 {no_text}"),
    ];
    assert_eq!(unreadable(&found), expected);
    assert_eq!(quarantined(&found), Vec::<String>::new());
    assert!(found.iter().all(|page| page.inputs.is_empty()));

    let _folder = stage(&[("m/2025/06/01/00/a.json", b"\x1f\x8b\x08\x00")]);
    let found = unreadable(&pages(OMNISTRATE, request(0, 1)).unwrap());
    assert_eq!(found, [format!("m/2025/06/01/00/a.json: it is compressed with gzip, {broken}")]);
}

#[test]
fn a_granted_folder_that_is_missing_is_an_error_and_not_an_empty_one() {
    let folder = stage(&[]);
    let missing = folder.path().join("missing");
    testing::folder(&missing);
    let mut reading = S3Reader::open(config(OMNISTRATE), request(0, 1)).unwrap();
    let failed = format!("`m/2025/06/` cannot be listed: the granted folder {} does not exist", missing.display());
    assert_eq!(reading.next().unwrap_err(), Error::Unavailable(failed));
}

#[test]
fn a_name_that_is_longer_than_the_host_takes_is_quarantined_and_not_named() {
    let (fits, long) = ("n".repeat(16 << 10), "n".repeat((16 << 10) + 1));
    let record = |customer: &str, dimension: &str| {
        format!("{{\"externalPayerId\":\"{customer}\",\"dimension\":\"{dimension}\",\"value\":1}}")
    };
    let escaped = format!("\\u0041{}", "n".repeat(16 << 10));
    let records = [record(&fits, &fits), record(&long, "cpu"), record("A", &long), record(&escaped, "cpu")];
    let _folder = stage(&[("m/2025/06/01/00/a.json", format!("[{}]", records.join(",")).as_bytes())]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    assert_eq!(rows(&pages).len(), 1);
    let held = pages[0].quarantined.iter();
    let held: Vec<_> = held.map(|held| (&*held.reason, held.customer.as_deref(), held.dimension.as_deref())).collect();
    let customer = "customer (/externalPayerId) is longer than 16 KiB";
    let expected = [
        (customer, None, Some("cpu")),
        ("dimension (/dimension) is longer than 16 KiB", Some("A"), None),
        (customer, None, Some("cpu")),
    ];
    assert_eq!(held, expected);
}

//! Reading a folder, from a configuration to pages.

mod bad_input;
mod compressed;
mod objects;
mod slack;

use std::path::Path;

use meterhost_sdk::{Cursor, Error, Listing, Page, Request, Shard, Source, Window, testing};

use crate::{Config, S3Reader};

const OMNISTRATE: &str = r#"{
    "layout": "m/{yyyy}/{mm}/{dd}/{hh}/*.json",
    "fields": { "time": "path", "customer": "/externalPayerId", "dimension": "/dimension", "quantity": "/value" }
}"#;

const LOGS: &str = r#"{
    "layout": "logs/{tenant}/*.log",
    "fields": {
        "time": { "field": "/requestTime", "unit": "ms" },
        "customer": "{tenant}",
        "dimensions": { "requests": { "constant": "1" }, "bytes": "/response/length" },
        "id": "/requestId"
    },
    "attributes": { "status": "/status", "region": { "constant": "eu" } }
}"#;

/// June 2025.
const JUNE: Window = Window { start: 1_748_736_000_000, end: 1_751_328_000_000 };

fn request(index: u32, count: u32) -> Request {
    Request { windows: vec![JUNE], now: 0, shard: Shard { index, count }, claim: None, dry_run: false }
}

/// A folder with these objects, on the stage.
fn stage(objects: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (key, bytes) in objects {
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    testing::folder(folder.path());
    folder
}

fn config(text: &str) -> Config {
    serde_json::from_str(text).unwrap()
}

fn pages(text: &str, request: Request) -> Result<Vec<Page>, Error> {
    let mut reading = S3Reader::open(config(text), request)?;
    let mut pages = Vec::new();
    while let Some(page) = reading.next()? {
        pages.push(page);
    }
    Ok(pages)
}

/// Every record as one line: customer, dimension, quantity, time.
fn rows(pages: &[Page]) -> Vec<String> {
    let rows = pages.iter().flat_map(|page| page.batch.rows());
    rows.map(|row| format!("{} {} {} {}", row.customer, row.dimension, row.quantity, row.time)).collect()
}

fn quarantined(pages: &[Page]) -> Vec<String> {
    let records = pages.iter().flat_map(|page| &page.quarantined);
    records.map(|record| format!("{} {}: {}", record.input, record.place, record.reason)).collect()
}

fn unreadable(pages: &[Page]) -> Vec<String> {
    let found = pages.iter().flat_map(|page| &page.unreadable);
    found.map(|found| format!("{}: {}", found.input, found.reason)).collect()
}

#[test]
fn records_take_their_time_from_the_path() {
    let _folder = stage(&[
        (
            "m/2025/06/01/00/a.json",
            br#"[{"externalPayerId":"A","dimension":"cpu","value":2,"timestamp":"2030-01-01T00:00:00Z"},
                {"value":"1.50","x":{"value":[1,{"value":7}]},"dimension":"mem\u006fry","externalPayerId":"A"}]"#,
        ),
        ("m/2025/06/30/23/b.json", br#"{"externalPayerId":"B","dimension":"cpu","value":1e3}"#),
        ("m/2025/07/01/00/c.json", br#"[{"externalPayerId":"C","dimension":"cpu","value":9}]"#),
        ("m/2025/06/30/23/ignored.txt", b"no json"),
    ]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    let expected = ["A cpu 2 1748736000000", "A memory 1.5 1748736000000", "B cpu 1000 1751324400000"];
    assert_eq!(rows(&pages), expected);
    let inputs: Vec<(String, u64)> =
        pages.iter().flat_map(|page| &page.inputs).map(|read| (read.input.key.clone(), read.items)).collect();
    assert_eq!(inputs, [("m/2025/06/01/00/a.json".to_owned(), 2), ("m/2025/06/30/23/b.json".to_owned(), 1)]);
    let from: Vec<(&str, usize)> = pages.iter().flat_map(|page| page.row_inputs.runs()).collect();
    assert_eq!(from, [("m/2025/06/01/00/a.json", 2), ("m/2025/06/30/23/b.json", 1)]);
}

#[test]
fn lines_give_several_dimensions_each() {
    let _folder = stage(&[(
        "logs/acme/1.log",
        b"\xef\xbb\xbf{\"requestTime\":1748736000000,\"requestId\":\"r1\",\"status\":200,\"response\":{\"length\":11}}\r\n\
          \n\
          {\"requestTime\":1748736000001,\"requestId\":\"r2\",\"status\":500,\"response\":{}}\n\
          not json\n\
          [1]\n\
          {\"requestTime\":\"later\",\"response\":{\"length\":1}}",
    )]);
    let pages = pages(LOGS, request(0, 1)).unwrap();
    let expected = ["acme bytes 11 1748736000000", "acme requests 1 1748736000000", "acme requests 1 1748736000001"];
    assert_eq!(rows(&pages), expected);
    let row = pages[0].batch.rows().next().unwrap();
    assert_eq!((row.id(), row.attribute("status"), row.attribute("region")), (Some("r1"), Some("200"), Some("eu")));
    let expected = [
        "logs/acme/1.log line 3: bytes (/response/length) is missing",
        "logs/acme/1.log line 4: it is not valid JSON: expected ident at column 2",
        "logs/acme/1.log line 5: a record is a JSON object, and this is `[1]`",
        "logs/acme/1.log line 6: time (/requestTime) cannot be read: `later` is not a number of a moment in the years up to 9999",
        "logs/acme/1.log line 6: time (/requestTime) cannot be read: `later` is not a number of a moment in the years up to 9999",
    ];
    assert_eq!(quarantined(&pages), expected);
    assert_eq!(pages.iter().flat_map(|page| &page.inputs).map(|read| read.items).sum::<u64>(), 8);
}

#[test]
fn a_record_that_cannot_be_used_says_all_that_is_known_of_it() {
    let _folder = stage(&[(
        "m/2025/06/01/00/a.json",
        br#"[{"dimension":"cpu","value":1}, {"externalPayerId":"A","value":1}, {"externalPayerId":"A","dimension":"cpu","value":null},
            {"externalPayerId":"","dimension":"cpu","value":1}, {"externalPayerId":"A","externalPayerId":"B","dimension":"cpu","value":1},
            7, {"externalPayerId":12,"dimension":"cpu","value":1}]"#,
    )]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    assert_eq!(rows(&pages), ["12 cpu 1 1748736000000"]);
    let expected = [
        "record 1: customer (/externalPayerId) is missing",
        "record 2: dimension (/dimension) is missing",
        "record 3: quantity (/value) is null",
        "record 4: customer (/externalPayerId) is empty",
        "record 5: customer (/externalPayerId) stands there twice",
        "record 6: a record is a JSON object, and this is `7`",
    ];
    assert_eq!(quarantined(&pages), expected.map(|text| format!("m/2025/06/01/00/a.json {text}")));
    let known: Vec<_> =
        pages[0].quarantined.iter().map(|record| (record.customer.as_deref(), record.dimension.as_deref())).collect();
    let expected = [
        (None, Some("cpu")),
        (Some("A"), None),
        (Some("A"), Some("cpu")),
        (None, Some("cpu")),
        (None, Some("cpu")),
        (None, None),
    ];
    assert_eq!(known, expected);
}

#[test]
fn a_document_that_is_cut_at_any_byte_is_unreadable_and_gives_no_record() {
    let whole =
        br#"[{"externalPayerId":"A","dimension":"cpu","value":2},{"externalPayerId":"B","dimension":"cpu","value":3}]"#;
    for end in 0..whole.len() {
        let _folder = stage(&[("m/2025/06/01/00/a.json", &whole[..end])]);
        let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
        assert_eq!(rows(&pages), Vec::<String>::new(), "cut at {end}");
        assert_eq!(unreadable(&pages).len(), 1, "cut at {end}");
        assert!(pages.iter().all(|page| page.inputs.is_empty()), "cut at {end}");
    }
}

#[test]
fn lines_are_the_same_however_they_are_cut_into_pieces() {
    let text = "{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}\n".repeat(30_000);
    let _folder = stage(&[("m/2025/06/01/00/a.ndjson", text.as_bytes())]);
    let pages = pages(&OMNISTRATE.replace("*.json", "*.ndjson"), request(0, 1)).unwrap();
    assert_eq!(rows(&pages).len(), 30_000);
    assert!(pages.iter().all(|page| page.batch.len() <= 8192));
    let each = |page: &Page| page.row_inputs.runs().map(|(key, rows)| (key.to_owned(), rows)).collect::<Vec<_>>();
    let whole = |page: &Page| vec![("m/2025/06/01/00/a.ndjson".to_owned(), page.batch.len())];
    assert!(pages.iter().filter(|page| !page.batch.is_empty()).all(|page| each(page) == whole(page)));
}

#[test]
fn every_object_is_read_by_exactly_one_shard() {
    let objects: Vec<(String, Vec<u8>)> = (0..50)
        .map(|number| {
            let record = format!(r#"[{{"externalPayerId":"{number}","dimension":"cpu","value":1}}]"#);
            (format!("m/2025/06/01/00/{number}.json"), record.into_bytes())
        })
        .collect();
    let borrowed: Vec<(&str, &[u8])> = objects.iter().map(|(key, bytes)| (key.as_str(), bytes.as_slice())).collect();
    let _folder = stage(&borrowed);
    let mut all: Vec<String> = (0..3).flat_map(|index| rows(&pages(OMNISTRATE, request(index, 3)).unwrap())).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 50);
}

#[test]
fn the_listing_names_what_would_be_read() {
    let _folder =
        stage(&[("m/2025/06/01/00/a.json", b"[]"), ("m/2025/07/01/00/b.json", b"[]"), ("m/2025/06/01/00/c.csv", b"")]);
    let mut inputs = S3Reader::inputs(config(OMNISTRATE), request(0, 1)).unwrap();
    let found = inputs.next().unwrap().unwrap();
    assert_eq!(found.iter().map(|input| input.key.as_str()).collect::<Vec<_>>(), ["m/2025/06/01/00/a.json"]);
    assert_eq!(inputs.next().unwrap(), None);
}

#[test]
fn a_configuration_that_cannot_work_begins_with_the_key_at_fault() {
    let cases = [
        ("\"path\"", "\"/time\"", None),
        (
            "\"/value\"",
            "\"value\"",
            Some(
                "fields.quantity: `value` is neither a JSON pointer such as \"/customer\" nor a capture such as \"{tenant}\"; a constant is { constant = \"value\" }",
            ),
        ),
        ("\"/value\"", "{\"field\":\"\"}", Some("fields.quantity.field: `` is no JSON pointer: it begins with `/`")),
        (
            "\"/externalPayerId\", \"dimension\": \"/dimension\"",
            "\"/a/b\", \"dimension\": {\"field\":\"\"}",
            Some("fields.dimension.field: `` is no JSON pointer: it begins with `/`"),
        ),
        ("\"/value\"", "\"{value}\"", Some("fields.quantity: `layout` has no capture {value}")),
        (
            "\"/value\"",
            "{\"constant\":\"one\"}",
            Some("fields.quantity.constant: `one`: not a number: write it like 12, -12.50 or 1.5e3"),
        ),
        (
            "\"/dimension\"",
            "\"/externalPayerId/x\"",
            Some(
                "fields.dimension: `/externalPayerId/x` leads to a field and another pointer leads into it; only one of the two can be read",
            ),
        ),
        ("\"dimension\": \"/dimension\",", "", Some("fields: `dimension` is missing, or `dimensions`")),
        (
            "\"quantity\": \"/value\"",
            "\"product\": \"/value\"",
            Some(
                "fields: `quantity` is missing; where each record counts as one, write `quantity = { constant = \"1\" }`",
            ),
        ),
        (
            "\"quantity\"",
            "\"dimensions\": { \"cpu\": \"/cpu\" }, \"quantity\"",
            Some("fields.dimensions: it takes the place of `dimension` and `quantity`; write one or the other"),
        ),
        (
            "\"path\"",
            "\"timestamp\"",
            Some("fields.time: `timestamp` is neither \"path\" nor a JSON pointer such as \"/timestamp\""),
        ),
        (
            "*.json",
            "*.txt.gz",
            Some(
                "layout: `.txt.gz` does not say how objects are written; add `format = \"json\"`, `format = \"ndjson\"` or `format = \"csv\"`",
            ),
        ),
        (
            "\"/value\"",
            "\"/a~b\"",
            Some("fields.quantity: `/a~b` is no JSON pointer: `~` is written `~0` in it, and `/` in a key `~1`"),
        ),
        (
            "\"path\"",
            "{\"field\":\"time\",\"unit\":\"ms\"}",
            Some("fields.time.field: `time` is no JSON pointer: it begins with `/`"),
        ),
        (
            "\"/externalPayerId\"",
            "{\"capture\":\"tenant\"}",
            Some("fields.customer.capture: `layout` has no capture {tenant}"),
        ),
        ("\"/externalPayerId\"", "{\"constant\":\"\"}", Some("fields.customer.constant: a constant is not empty")),
        (
            "\"dimension\": \"/dimension\", \"quantity\": \"/value\" }",
            "\"dimensions\": { \"cpu\": \"/cpu\", \"cpu hours\": \"{hours}\" } }",
            Some("fields.dimensions.\"cpu hours\": `layout` has no capture {hours}"),
        ),
        (
            "\"dimension\": \"/dimension\", \"quantity\": \"/value\" }",
            "\"dimensions\": { \"\": \"/cpu\" } }",
            Some("fields.dimensions.\"\": a dimension has a name"),
        ),
        (
            "\"/value\" }",
            "\"/value\" }, \"attributes\": { \"status\": \"/status\", \"http.method\": \"method\" }",
            Some(
                "attributes.\"http.method\": `method` is neither a JSON pointer such as \"/customer\" nor a capture such as \"{tenant}\"; a constant is { constant = \"method\" }",
            ),
        ),
        (
            "\"fields\"",
            "\"delimiter\": \";\", \"fields\"",
            Some("delimiter: only a CSV has one; leave it out, or write `format = \"csv\"`"),
        ),
        (
            "\"fields\": { \"time\": \"path\", \"customer\": \"/externalPayerId\"",
            "\"format\": \"csv\", \"fields\": { \"time\": \"path\", \"customer\": \"/payer/id\"",
            Some(
                "format: a CSV has columns, and `/payer/id` leads into an object; name a column, such as \"/user_id\"",
            ),
        ),
        (
            "\"fields\"",
            "\"slack\": \"1h\", \"fields\"",
            Some(
                "slack: with `time = \"path\"` a record's time is that of its key; leave `slack` out, or name the field that holds the record's own time",
            ),
        ),
        (
            "\"fields\": { \"time\": \"path\"",
            "\"slack\": \"32d\", \"fields\": { \"time\": \"/at\"",
            Some("slack: `32d` is no length of time of at most 31 days, such as \"30m\", \"1h\" or \"2d\""),
        ),
        (
            "m/{yyyy}/{mm}/{dd}/{hh}/*.json\",\n    \"fields\": { \"time\": \"path\"",
            "m/*.json\", \"slack\": \"1h\", \"fields\": { \"time\": \"/at\"",
            Some("slack: `layout` names no time, so that all objects are read as it is; leave `slack` out"),
        ),
        ("m/{yyyy}/{mm}/{dd}/{hh}/*.json", "m/*.json", Some("fields.time: \"path\" needs {yyyy} in `layout`")),
    ];
    for (from, to, expected) in cases {
        let text = OMNISTRATE.replace(from, to);
        assert_ne!(text, OMNISTRATE);
        let _folder = stage(&[]);
        let found = pages(&text, request(0, 1)).err();
        assert_eq!(found, expected.map(|text| Error::Config(text.to_owned())), "{to}");
    }
}

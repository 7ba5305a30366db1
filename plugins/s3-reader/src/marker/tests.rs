//! What markers say, and what is said of those that say nothing.

use meterhost_sdk::testing;

use super::*;

/// The end of a month, or an instant, in milliseconds.
fn at(text: &str) -> i64 {
    moment::text(text).unwrap()
}

fn marker(text: &str) -> Marker {
    serde_json::from_str(text).unwrap()
}

const EXPORT: &str =
    r#"{ "object": "omnistrate-metering/last_success_export.json", "pointer": "/pg:PROD:pt-1/last_processed_to" }"#;

/// What is read of a marker with this text, long after it.
fn read_text(settings: &str, text: &str) -> Result<i64, Error> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("omnistrate-metering")).unwrap();
    std::fs::write(folder.path().join("omnistrate-metering/last_success_export.json"), text).unwrap();
    testing::folder(folder.path());
    read(&marker(settings), at("2026-01-01T00:00:00Z"))
}

fn exported(time: &str) -> String {
    format!(
        r#"{{"pg:DEV:pt-2":{{"last_processed_to":"2030-01-01T00:00:00Z"}},"pg:PROD:pt-1":{{"last_processed_to":"{time}","last_updated_at":"2030-01-01T00:00:00Z"}}}}"#
    )
}

/// The last month that is complete, by the end of each.
fn complete(until: i64) -> &'static str {
    let months = ["2025-05", "2025-06", "2025-07"];
    let ends = ["2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z", "2025-08-01T00:00:00Z"];
    months.into_iter().zip(ends).rfind(|(_, end)| at(end) <= until).map_or("none", |(month, _)| month)
}

#[test]
fn a_month_is_complete_once_the_marker_has_reached_its_last_second() {
    // The last column of the table in the facts about the exporter, and what is near it.
    let table = [
        ("2025-06-30T23:59:59Z", "2025-06"),
        ("2025-06-30T05:59:59Z", "2025-05"),
        ("2025-06-30T23:44:59Z", "2025-05"),
        ("2025-07-01T00:14:59Z", "2025-06"),
        ("2025-06-03T10:59:59Z", "2025-05"),
        ("2025-06-30T23:59:59.123Z", "2025-06"),
        ("2025-06-30T23:59:59+00:00", "2025-06"),
        ("2025-06-30T23:59:59.123+00:00", "2025-06"),
        ("2025-07-01T01:59:59+02:00", "2025-06"),
        ("2025-06-30T23:59:59+02:00", "2025-05"),
        ("2025-06-30T23:59:58Z", "2025-05"),
        ("2025-06-30T23:59:58.999Z", "2025-05"),
        ("2025-07-01T00:00:00Z", "2025-06"),
        ("2025-05-31T23:59:58Z", "none"),
        ("2025-07-31T23:59:59Z", "2025-07"),
    ];
    for (time, month) in table {
        assert_eq!(complete(read_text(EXPORT, &exported(time)).unwrap()), month, "{time}");
    }
}

#[test]
fn what_a_time_stands_for_is_the_pipelines_to_say() {
    let with = |resolution: &str| EXPORT.replace(" }", &format!(r#", "resolution": "{resolution}" }}"#));
    for (resolution, time, until) in [
        ("0s", "2025-06-30T23:59:59.999Z", "2025-06-30T23:59:59.999Z"),
        ("0s", "2025-07-01T00:00:00Z", "2025-07-01T00:00:00Z"),
        ("1ms", "2025-06-30T23:59:59.999Z", "2025-07-01T00:00:00Z"),
        ("1ms", "2025-06-30T23:59:59.998Z", "2025-06-30T23:59:59.999Z"),
        ("1s", "2025-06-30T23:59:59.999Z", "2025-07-01T00:00:00Z"),
        ("1m", "2025-06-30T23:59:00Z", "2025-07-01T00:00:00Z"),
        ("1m", "2025-06-30T23:58:59Z", "2025-06-30T23:59:00Z"),
        ("15m", "2025-06-30T23:45:00Z", "2025-07-01T00:00:00Z"),
        ("1h", "2025-06-30T23:00:00Z", "2025-07-01T00:00:00Z"),
    ] {
        assert_eq!(read_text(&with(resolution), &exported(time)), Ok(at(until)), "{resolution} {time}");
    }
    for wrong in ["2h", "7s", "1 month", "soon", "-1s"] {
        let reason = format!(
            "complete_until.resolution: `{wrong}` does not divide an hour; write \"0s\", \"1ms\", \"1s\", \"1m\", \"15m\" or \"1h\""
        );
        assert_eq!(read_text(&with(wrong), &exported("2025-06-30T23:59:59Z")), Err(Error::Config(reason)));
    }
}

#[test]
fn a_number_is_read_in_the_unit_that_the_pipeline_names() {
    let with = |unit: &str| {
        format!(
            r#"{{ "object": "omnistrate-metering/last_success_export.json", "pointer": "/at/0", "unit": "{unit}" }}"#
        )
    };
    for (unit, text) in [
        ("s", r#"{"at":[1751327999]}"#),
        ("s", r#"{"at":["1751327999.5"]}"#),
        ("ms", r#"{"at":[1751327999123]}"#),
        ("us", r#"{"at":[1751327999123456]}"#),
        ("ns", r#"{"at":[1751327999123456789]}"#),
    ] {
        assert_eq!(read_text(&with(unit), text), Ok(at("2025-07-01T00:00:00Z")), "{text}");
    }
}

#[test]
fn a_marker_ahead_of_the_time_counts_up_to_now_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("omnistrate-metering")).unwrap();
    let path = folder.path().join("omnistrate-metering/last_success_export.json");
    std::fs::write(path, exported("2025-07-31T23:59:59Z")).unwrap();
    testing::folder(folder.path());
    assert_eq!(read(&marker(EXPORT), at("2025-07-02T00:00:00Z")), Ok(at("2025-07-02T00:00:00Z")));
}

#[test]
fn a_marker_that_says_nothing_is_an_error_that_says_where_and_why() {
    let key = "omnistrate-metering/last_success_export.json";
    let unclear = |reason: &str| format!("the marker `{key}` does not say how far the data is complete: {reason}");
    let pointer = "/pg:PROD:pt-1/last_processed_to";
    let cases = [
        (String::new(), "it is not valid JSON: EOF while parsing a value at line 1 column 0".to_owned()),
        ("{".to_owned(), "it is not valid JSON: EOF while parsing an object at line 1 column 1".to_owned()),
        ("{}".to_owned(), format!("there is nothing at {pointer}")),
        (
            exported("2025-06-31T00:00:00Z"),
            format!("{pointer} is `\"2025-06-31T00:00:00Z\"`, which is not a time such as 2025-06-30T23:59:59Z"),
        ),
        (
            exported("").replace("\"\"", "null"),
            format!("{pointer} is `null`, which is not a time such as 2025-06-30T23:59:59Z"),
        ),
        (
            exported("").replace("\"\"", "1751327999"),
            format!(
                "{pointer} is `1751327999`, which is not a text; of a number, the configuration says what it counts: unit = \"ms\""
            ),
        ),
        (" ".repeat(LARGEST + 1), "it is larger than 1 MiB, and so is no marker".to_owned()),
        ("\u{1f}".to_owned(), "it is compressed with gzip, and breaks off before its end; store it anew".to_owned()),
    ];
    for (text, reason) in cases {
        assert_eq!(read_text(EXPORT, &text), Err(Error::Other(unclear(&reason))), "{reason}");
    }
    let empty = tempfile::tempdir().unwrap();
    testing::folder(empty.path());
    let Err(Error::Unavailable(text)) = read(&marker(EXPORT), 0) else { panic!("a missing marker is no answer") };
    assert!(text.starts_with(&unclear("")), "{text}");
}

#[test]
fn settings_that_cannot_work_begin_with_the_key_at_fault() {
    for (object, pointer, reason) in [
        ("/m.json", "/at", "object: `/m.json` is no key: it is relative to the granted bucket or folder"),
        ("", "/at", "object: `` is no key: it is relative to the granted bucket or folder"),
        ("{tenant}/m.json", "/at", "object: `{tenant}/m.json` has to be one key, without captures and `*`"),
        ("*.json", "/at", "object: `*.json` has to be one key, without captures and `*`"),
        (
            "m.json",
            "at",
            "pointer: `at` is no JSON pointer: it begins with `/`, and `~` is written `~0` in it, and `/` in a key `~1`",
        ),
        (
            "m.json",
            "/a~b",
            "pointer: `/a~b` is no JSON pointer: it begins with `/`, and `~` is written `~0` in it, and `/` in a key `~1`",
        ),
    ] {
        let pointer = Some(pointer.into());
        let marker = Marker { object: object.into(), pointer, keys: Vec::new(), unit: None, resolution: None };
        let found = Wanted::new(&marker).err();
        assert_eq!(found, Some(Error::Config(format!("complete_until.{reason}"))));
    }
}

#[test]
fn keys_lead_to_the_time_whatever_is_in_them() {
    let settings = r#"{ "object": "done.json", "keys": ["a/b~c:PROD:p t", "to"] }"#;
    let marker: Marker = serde_json::from_str(settings).unwrap();
    let wanted = Wanted::new(&marker).map_err(|error| format!("{error:?}")).unwrap();
    let document = br#"{ "a/b~c:PROD:p t": { "to": "2025-06-30T23:59:59Z" } }"#;
    assert_eq!(wanted.time(document).map(|time| wanted.end(time)), Ok(1_751_328_000_000));
    for (settings, reason) in [
        (r#"{ "object": "done.json" }"#, "pointer: it is missing: a JSON pointer to the time, or `keys` in its place"),
        (
            r#"{ "object": "done.json", "pointer": "/a", "keys": ["a"] }"#,
            "keys: it stands in place of `pointer`: write one of them",
        ),
    ] {
        let marker: Marker = serde_json::from_str(settings).unwrap();
        let found = Wanted::new(&marker).err();
        assert!(
            matches!(&found, Some(Error::Config(text)) if *text == format!("complete_until.{reason}")),
            "{found:?}"
        );
    }
}

//! Documents in each form: what they say, what they are changed to, and which make no sense.

use std::sync::Arc;

use super::document::Document;
use super::entry::{Known, Place, changed, find, fingerprint, replaced};
use super::wanted::{Contracts, Wanted};
use super::{Mirror, Written};
use crate::broker::{Broker, BrokerSettings};
use crate::config::{Located, MirrorForm, MirrorSpec};
use crate::model::window::{Window, WindowKind};

const KEY: &str = "Postgres:PROD:pt-1";

fn month(label: &str) -> Window {
    Window::parse(WindowKind::Month, label).unwrap()
}

fn contracts(list: &[(&str, &[&str])]) -> Contracts {
    list.iter().map(|(label, names)| (month(label), names.iter().map(|name| (*name).to_owned()).collect())).collect()
}

fn read(text: &str, form: MirrorForm) -> Result<Known, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let (_, entry) = find(&document, KEY, form)?;
    entry.map_or(Ok(Known::default()), |entry| Known::read(&entry, &month("2025-07")))
}

/// What a document is changed to, but for the time.
fn written(text: &str, form: MirrorForm, wanted: &Wanted) -> Option<String> {
    let document = Document::parse(text).unwrap();
    let (place, entry) = find(&document, KEY, form).unwrap();
    let entry = changed(entry.as_ref(), place, wanted, "2025-07-01T02:00:00Z").unwrap()?;
    Some(replaced(&document, KEY, place, &entry).unwrap().render(0))
}

#[test]
fn each_form_says_the_same() {
    let known = Known {
        last: Some(month("2025-05")),
        billed: contracts(&[("2025-06", &["a", "b"])]),
        open: contracts(&[("2025-06", &["c"])]),
        failed: Contracts::new(),
    };
    let entry = r#""last_processed_month": "2025-05", "meterhost_open": {"2025-06": ["c"]}, "x": 1"#;
    let listed = r#""processed_contracts": {"2025-06": ["a:2025-06", "b:2025-06", "c:2025-06"]}"#;
    let shared = format!(r#"{{"Other:PROD:p": 1, "{KEY}": {{{entry}, {listed}}}}}"#);
    assert_eq!(read(&shared, MirrorForm::Shared), Ok(known.clone()));
    let nested = format!(r#"{{"Postgres": {{"DEV": {{}}, "PROD": {{"pt-1": {{{entry}, {listed}}}}}}}}}"#);
    assert_eq!(read(&nested, MirrorForm::Shared), Ok(known.clone()));
    let failed = r#""error_contracts": {"2025-05": [{"contract_id": "d", "errors": ["no"]}]}"#;
    let single = format!(r#"{{{entry}, "success_contracts": {{"2025-06": ["a", "b", "c"]}}, {failed}}}"#);
    let known = Known { failed: contracts(&[("2025-05", &["d"])]), ..known };
    assert_eq!(read(&single, MirrorForm::Single), Ok(known));
}

#[test]
fn what_says_nothing_is_no_entry() {
    for text in ["{}", r#"{"Other:PROD:p": {"last_processed_month": "x"}}"#, r#"{"Postgres": {"DEV": {}}}"#] {
        assert_eq!(read(text, MirrorForm::Shared), Ok(Known::default()), "{text}");
    }
    let hourly = format!(r#"{{"{KEY}": {{"last_processed_hour": "2025-05-01T03"}}}}"#);
    assert_eq!(read(&hourly, MirrorForm::Shared), Ok(Known::default()));
}

#[test]
fn what_makes_no_sense_is_never_guessed_at() {
    for (entry, says) in [
        (r#"{"last_processed_month": "garbage"}"#, "last_processed_month is \"garbage\""),
        (r#"{"last_processed_month": "2025-13"}"#, "last_processed_month is \"2025-13\""),
        (r#"{"last_processed_month": null}"#, "last_processed_month is null"),
        (r#"{"last_processed_month": "2025-08"}"#, "lies in the future"),
        (r#"{"processed_contracts": []}"#, "processed_contracts"),
        (r#"{"processed_contracts": {"06": []}}"#, "\"06\", which is no month"),
        (r#"{"processed_contracts": {"2025-06": ["a"]}}"#, "has \"a\" under \"2025-06\""),
        (r#"{"processed_contracts": {"2025-06": ["a:2025-05"]}}"#, "has \"a:2025-05\""),
        (r#"{"processed_contracts": {"2025-06": [":2025-06"]}}"#, "names no contract"),
        (r#"{"processed_contracts": {"2025-06": "a:2025-06"}}"#, "no list of texts"),
        (r#"{"processed_contracts": {"2025-06": [], "2025-06": []}}"#, "stands twice"),
        (r#"{"meterhost_open": {"2025-06": [1]}}"#, "meterhost_open"),
        (r#"{"last_processed_month": "2025-05", "last_processed_month": "2025-04"}"#, "stands twice"),
        ("3", "no object"),
    ] {
        let error = read(&format!(r#"{{"{KEY}": {entry}}}"#), MirrorForm::Shared).unwrap_err();
        assert!(error.contains(says), "{entry}: {error}");
    }
    let twice = format!(r#"{{"{KEY}": {{}}, "Postgres": {{"PROD": {{"pt-1": {{}}}}}}}}"#);
    assert!(read(&twice, MirrorForm::Shared).unwrap_err().contains("nobody knows which holds"));
    assert!(read("[]", MirrorForm::Shared).is_err());
    assert!(read("", MirrorForm::Shared).is_err());
    assert!(
        read(r#"{"last_processed_month": "2025-05"}"#, MirrorForm::Shared).unwrap_err().contains("form = \"single\"")
    );
    assert!(read(&format!(r#"{{"{KEY}": {{}}}}"#), MirrorForm::Single).unwrap_err().contains("leave `form` out"));
}

#[test]
fn what_is_not_ours_comes_out_as_it_came_in() {
    let text = format!(
        "{{\n  \"Other:PROD:p\": {{\"b\":1e400,  \"a\": 0.10}},\n  \"{KEY}\": {{\n    \"note\": 12345678901234567890123,\n    \"last_processed_month\": \"2025-05\"\n  }}\n}}"
    );
    let wanted =
        Wanted { last: Some(month("2025-06")), listed: contracts(&[("2025-06", &["b", "a"])]), ..Wanted::default() };
    let expected = format!(
        r#"{{
  "Other:PROD:p": {{"b":1e400,  "a": 0.10}},
  "{KEY}": {{
    "note": 12345678901234567890123,
    "last_processed_month": "2025-06",
    "last_updated": "2025-07-01T02:00:00Z",
    "processed_contracts": {{
      "2025-06": [
        "a:2025-06",
        "b:2025-06"
      ]
    }}
  }}
}}"#
    );
    assert_eq!(written(&text, MirrorForm::Shared, &wanted), Some(expected.clone()));
    assert_eq!(written(&expected, MirrorForm::Shared, &wanted), None, "what is so already is not written again");
}

#[test]
fn contracts_are_added_at_the_end_and_taken_off_again() {
    let text = format!(r#"{{"{KEY}": {{"processed_contracts": {{"2025-06": ["z:2025-06", "b:2025-06"]}}}}}}"#);
    let wanted = Wanted {
        listed: contracts(&[("2025-06", &["a"]), ("2025-07", &["a"])]),
        unlisted: contracts(&[("2025-06", &["b"])]),
        open: contracts(&[("2025-07", &["a"])]),
        ..Wanted::default()
    };
    let after = written(&text, MirrorForm::Shared, &wanted).unwrap();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    let expected = serde_json::json!({ KEY: {
        "last_updated": "2025-07-01T02:00:00Z",
        "processed_contracts": { "2025-06": ["z:2025-06", "a:2025-06"], "2025-07": ["a:2025-07"] },
        "meterhost_open": { "2025-07": ["a"] },
    } });
    assert_eq!(after, expected);
    let off = Wanted { unlisted: contracts(&[("2025-06", &["z", "a"]), ("2025-07", &["a"])]), ..Wanted::default() };
    let after = written(&after.to_string(), MirrorForm::Shared, &off).unwrap();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after, serde_json::json!({ KEY: { "last_updated": "2025-07-01T02:00:00Z" } }));
}

#[test]
fn a_document_of_one_pipeline_keeps_its_form_and_forgets_what_would_be_sent_again() {
    let text = r#"{"last_processed_month": "2025-05", "success_contracts": {}, "error_contracts": {
        "2025-05": [{"contract_id": "a"}], "2025-06": [{"contract_id": "a"}, {"contract_id": "b"}]}}"#;
    let wanted = Wanted { listed: contracts(&[("2025-06", &["a"])]), ..Wanted::default() };
    let after = written(text, MirrorForm::Single, &wanted).unwrap();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    let expected = serde_json::json!({
        "last_processed_month": "2025-05",
        "success_contracts": { "2025-06": ["a"] },
        "error_contracts": { "2025-05": [{ "contract_id": "a" }], "2025-06": [{ "contract_id": "b" }] },
        "last_updated": "2025-07-01T02:00:00Z",
    });
    assert_eq!(after, expected);
}

#[test]
fn a_nested_entry_stays_where_it_is() {
    let text = r#"{"Postgres": {"PROD": {"pt-2": 1, "pt-1": {"last_processed_month": "2025-05"}}}}"#;
    let wanted = Wanted { last: Some(month("2025-06")), ..Wanted::default() };
    let after = written(text, MirrorForm::Shared, &wanted).unwrap();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    let entry = serde_json::json!({ "last_processed_month": "2025-06", "last_updated": "2025-07-01T02:00:00Z" });
    assert_eq!(after, serde_json::json!({ "Postgres": { "PROD": { "pt-2": 1, "pt-1": entry } } }));
}

#[test]
fn a_fingerprint_does_not_hang_on_spaces_or_the_order_of_keys() {
    let of = |text: &str| fingerprint(&Document::parse(text).unwrap()).unwrap();
    assert_eq!(of(r#"{"a": 1, "b": [2]}"#), of("{\"b\":[2],\n\"a\":1}"));
    assert_ne!(of(r#"{"a": 1}"#), of(r#"{"a": 2}"#));
    assert_eq!(find(&Document::default(), KEY, MirrorForm::Shared).unwrap().0, Place::Key);
}

/// A document in a folder of its own.
struct Shelf {
    folder: tempfile::TempDir,
    mirror: Mirror,
    _io: tokio::runtime::Runtime,
}

impl Shelf {
    fn new(text: &str) -> Shelf {
        let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let broker = Broker::new(BrokerSettings::new(io.handle().clone())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = Located { value: "file://./state.json".to_owned(), span: 0..0 };
        let spec = MirrorSpec {
            url,
            key: KEY.to_owned(),
            form: MirrorForm::Shared,
            sink: "clazar".to_owned(),
            role: None,
            profile: None,
            region: None,
        };
        let mirror = Mirror::new(&spec, folder.path(), &broker, false).unwrap();
        let shelf = Shelf { folder, mirror, _io: io };
        shelf.put(text);
        shelf
    }

    fn put(&self, text: &str) {
        // A file that is replaced has another version even within one tick of the clock.
        let path = self.folder.path().join("state.json");
        let _ = std::fs::remove_file(&path);
        std::fs::write(path, text).unwrap();
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("state.json")).unwrap()
    }
}

fn now() -> jiff::Timestamp {
    "2025-07-01T02:00:00Z".parse().unwrap()
}

#[test]
fn another_services_change_is_kept() {
    let shelf = Shelf::new("{}");
    let found = shelf.mirror.read(now()).unwrap();
    let wanted = Wanted { last: Some(month("2025-06")), ..Wanted::default() };
    let others = r#"{"Other:PROD:p": {"last_processed_month": "2025-06"}}"#;
    let told: Arc<std::sync::Mutex<u32>> = Arc::default();
    let written = shelf.mirror.write(found, &wanted, now(), |before, _| {
        assert_eq!(before, None);
        *told.lock().unwrap() += 1;
        // In between, another service writes its own.
        shelf.put(others);
        Ok::<(), ()>(())
    });
    let Written::Done(found) = written else { panic!("{written:?}") };
    assert_eq!(found.known.last, Some(month("2025-06")));
    let text: serde_json::Value = serde_json::from_str(&shelf.text()).unwrap();
    assert_eq!(text["Other:PROD:p"]["last_processed_month"], "2025-06");
    assert_eq!(text[KEY]["last_processed_month"], "2025-06");
    assert_eq!(*told.lock().unwrap(), 1);
}

#[test]
fn another_hands_change_of_our_entry_is_not_overwritten() {
    let shelf = Shelf::new(&format!(r#"{{"{KEY}": {{"last_processed_month": "2025-05"}}}}"#));
    let found = shelf.mirror.read(now()).unwrap();
    let theirs = format!(r#"{{"{KEY}": {{"last_processed_month": "2025-06"}}}}"#);
    let wanted = Wanted { listed: contracts(&[("2025-06", &["a"])]), ..Wanted::default() };
    let written = shelf.mirror.write(found, &wanted, now(), |_, _| {
        shelf.put(&theirs);
        Ok::<(), ()>(())
    });
    assert!(matches!(written, Written::Failed(super::MirrorError::Foreign { .. })), "{written:?}");
    assert_eq!(shelf.text(), theirs);
}

#[test]
fn whoever_is_told_before_a_write_can_keep_it_from_happening() {
    let shelf = Shelf::new("{}");
    let found = shelf.mirror.read(now()).unwrap();
    let wanted = Wanted { last: Some(month("2025-06")), ..Wanted::default() };
    let written = shelf.mirror.write(found, &wanted, now(), |_, _| Err("no"));
    assert!(matches!(written, Written::Kept("no")), "{written:?}");
    assert_eq!(shelf.text(), "{}");
}

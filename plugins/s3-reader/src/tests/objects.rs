//! Objects, however they are cut into pieces and pages.

use std::rc::Rc;

use meterhost_sdk::json::Picker;
use meterhost_sdk::{Listing, Page, Request, Source, Window};

use super::{JUNE, LOGS, OMNISTRATE, config, pages, quarantined, request, rows, stage};
use crate::S3Reader;
use crate::config::Format;
use crate::decode::{Decoder, Stopped};
use crate::layout::Matched;
use crate::mapping::Mapping;
use crate::rows::{Object, Rows};

/// What a decoder makes of pieces, or why they make no sense.
fn decoded(text: &str, format: Format, pieces: &[&[u8]]) -> Result<Vec<Page>, String> {
    let mapping = Rc::new(Mapping::new(&config(text)).unwrap());
    let (mut picker, mut rows) = (Picker::new(Rc::clone(&mapping.pointers)), Rows::new(mapping));
    let span = Some(Window { start: 0, end: 10 });
    let matched = Matched { span, reach: span, captures: vec!["acme".into()] };
    let object = Object { key: "key", etag: "e", matched: &matched };
    let mut decoder = Decoder::new(format, 0, b',');
    let mut all = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => decoder.push(piece.to_vec())?,
            None => decoder.end()?,
        }
        while decoder.decode(&mut picker, &mut rows, &object)? == Stopped::PageFull {
            all.extend(rows.ready());
        }
    }
    all.extend(rows.ready());
    all.extend(rows.last());
    Ok(all)
}

#[test]
fn lines_are_the_same_wherever_they_are_cut() {
    let lines = "\u{feff}{\"requestTime\":1,\"response\":{\"length\":2},\"x\":\"ä€\"}\r\n\nno\n{\"requestTime\":3,\"response\":{\"length\":4}}";
    let bytes = [lines.as_bytes(), b"\n\xff\n"].concat();
    let seen = |pages: Vec<Page>| (rows(&pages), quarantined(&pages));
    let whole = seen(decoded(LOGS, Format::Ndjson, &[&bytes]).unwrap());
    assert_eq!((whole.0.len(), whole.1.len()), (4, 2));
    for first in 0..=bytes.len() {
        for second in [first, (first + 1).min(bytes.len()), (first + 60).min(bytes.len())] {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(seen(decoded(LOGS, Format::Ndjson, &pieces).unwrap()), whole, "{first} {second}");
        }
    }
}

#[test]
fn a_document_is_the_same_wherever_it_is_cut() {
    let bytes = "\u{feff} [ {\"externalPayerId\":\"ä\",\"dimension\":\"cpu\",\"value\":1} , [2],\n{}]\n".as_bytes();
    let seen = |pages: Vec<Page>| (rows(&pages), quarantined(&pages));
    let whole = seen(decoded(OMNISTRATE, Format::Json, &[bytes]).unwrap());
    assert_eq!(whole.0, ["ä cpu 1 0"]);
    assert_eq!(whole.1[0], "key record 2: a record is a JSON object, and this is `[2]`");
    for cut in 0..=bytes.len() {
        let pieces = [&bytes[..cut], &bytes[cut..]];
        assert_eq!(seen(decoded(OMNISTRATE, Format::Json, &pieces).unwrap()), whole, "{cut}");
    }
}

#[test]
fn records_need_nothing_between_them() {
    let record = |length: u32| format!("{{\"requestTime\":{length},\"response\":{{\"length\":{length}}}}}");
    let seen = |pages: Vec<Page>| (rows(&pages), quarantined(&pages));
    let line = format!("{}{} {}", record(1), record(2), record(3));
    let one_by_one = format!("{}\n{}\r\n\n{}\n", record(1), record(2), record(3));
    let expected = seen(decoded(LOGS, Format::Ndjson, &[one_by_one.as_bytes()]).unwrap());
    assert_eq!((expected.0.len(), expected.1.len()), (6, 0));
    for text in [line.clone(), one_by_one, line.replace("}{", "}\n{\n").replace("\n{\n", "\n{")] {
        for cut in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(seen(decoded(LOGS, Format::Ndjson, &[head, tail]).unwrap()), expected, "{cut}");
            assert_eq!(seen(decoded(LOGS, Format::Json, &[head, tail]).unwrap()), expected, "{cut}");
        }
    }
    let broken = format!("{}{{\"requestTime\":2{}{}\n{}", record(1), record(2), record(3), record(4));
    let (rows, bad) = seen(decoded(LOGS, Format::Ndjson, &[broken.as_bytes()]).unwrap());
    assert_eq!(rows.len(), 4);
    let reason = "expected `,` or `}` at column 58, and more records may stand behind it in its line";
    assert_eq!(bad, [format!("key line 1, record 2: it is not valid JSON: {reason}")]);
}

#[test]
fn pages_stay_small_whatever_an_object_holds() {
    let text = OMNISTRATE;
    let records = format!("[{}1]", "{},".repeat(20_000));
    let pages = decoded(text, Format::Json, &[records.as_bytes()]).unwrap();
    assert_eq!(quarantined(&pages).len(), 20_001);
    assert!(pages.iter().all(|page| page.quarantined.len() <= 1000));
    let pages = decoded(LOGS, Format::Ndjson, &["{}\n".repeat(20_000).as_bytes()]).unwrap();
    assert_eq!(quarantined(&pages).len(), 40_000);
    assert!(pages.iter().all(|page| page.quarantined.len() <= 1001));
    let good = "{\"requestTime\":1,\"response\":{\"length\":2}}\n".repeat(20_000);
    let pages = decoded(LOGS, Format::Ndjson, &[good.as_bytes()]).unwrap();
    assert_eq!(pages.iter().map(|page| page.batch.len()).collect::<Vec<_>>(), [8192, 8192, 8192, 8192, 7232]);
}

#[test]
fn small_objects_share_pages() {
    let objects: Vec<String> =
        (0..2500).map(|number| format!("m/2025/06/{:02}/{:02}/{number}.json", number % 30 + 1, number % 24)).collect();
    let record: &[u8] = b"[{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}]";
    let borrowed: Vec<(&str, &[u8])> = objects.iter().map(|key| (key.as_str(), record)).collect();
    let _folder = stage(&borrowed);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    assert_eq!(pages.iter().map(|page| page.inputs.len()).collect::<Vec<_>>(), [1000, 1000, 500]);
    assert_eq!(rows(&pages).len(), 2500);
    let mut keys: Vec<&str> = pages.iter().flat_map(|page| &page.inputs).map(|read| read.input.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 2500);
}

#[test]
fn records_of_other_times_are_passed_on_for_the_host_to_sort() {
    let lines = "{\"requestTime\":0,\"response\":{\"length\":2}}\n{\"requestTime\":\"1764547200000.5\",\"response\":{\"length\":2}}";
    let _folder = stage(&[("logs/acme/1.log", lines.as_bytes())]);
    let pages = pages(LOGS, request(0, 1)).unwrap();
    let times: Vec<i64> = pages[0].batch.times().to_vec();
    assert_eq!(times, [0, 0, 1_764_547_200_000, 1_764_547_200_000]);
    assert_eq!(pages[0].inputs[0].input.span, None);
}

#[test]
fn a_format_that_is_stated_counts_more_than_the_key() {
    let line = "{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}\n";
    let _folder = stage(&[("m/2025/06/01/00/a.json", line.repeat(2).as_bytes())]);
    let text = OMNISTRATE.replacen('{', "{\"format\":\"ndjson\",", 1);
    assert_eq!(rows(&pages(&text, request(0, 1)).unwrap()).len(), 2);
}

#[test]
fn many_windows_read_each_object_once() {
    let record: &[u8] = b"{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}";
    let keys = ["m/2025/06/01/00/a.json", "m/2025/06/01/23/a.json", "m/2025/06/02/00/a.json", "m/2025/06/02/01/a.json"];
    let _folder = stage(&keys.map(|key| (key, record)));
    let mut hours = request(0, 1);
    let start = hours.windows[0].start;
    hours.windows =
        (0..25).map(|hour| Window { start: start + hour * 3_600_000, end: start + (hour + 1) * 3_600_000 }).collect();
    let pages = pages(OMNISTRATE, hours).unwrap();
    let read: Vec<&str> = pages.iter().flat_map(|page| &page.inputs).map(|read| read.input.key.as_str()).collect();
    // Not the last: its hour is not asked for.
    assert_eq!(read, keys[..3]);
}

#[test]
fn a_key_whose_time_does_not_exist_makes_its_object_unreadable_for_as_long_as_its_time_makes_sense() {
    let record: &[u8] = b"{\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}";
    let _folder = stage(&[("m/2025/06/31/00/a.json", record), ("m/2025/06/01/24/a.json", record)]);
    let pages = pages(OMNISTRATE, request(0, 1)).unwrap();
    let reason = "its key names a time that does not exist; store it under a key of its own time, or have the layout leave it out";
    let found: Vec<_> = pages.iter().flat_map(|page| &page.unreadable).collect();
    let day = Window { start: JUNE.start, end: JUNE.start + 24 * 3_600_000 };
    let expected = [("m/2025/06/01/24/a.json", reason, Some(day)), ("m/2025/06/31/00/a.json", reason, Some(JUNE))];
    assert_eq!(found.iter().map(|one| (&*one.input, &*one.reason, one.span)).collect::<Vec<_>>(), expected);
    let mut listed = S3Reader::inputs(config(OMNISTRATE), request(0, 1)).unwrap();
    let keys: Vec<String> = listed.next().unwrap().unwrap().into_iter().map(|input| input.key).collect();
    assert_eq!(keys, ["m/2025/06/01/24/a.json", "m/2025/06/31/00/a.json"]);
}

#[test]
fn large_attributes_make_small_pages() {
    let text = "x".repeat(1 << 20);
    let lines: String = (0..20)
        .map(|line| {
            format!("{{\"requestTime\":1748736000000,\"response\":{{\"length\":1}},\"status\":\"{line}{text}\"}}\n")
        })
        .collect();
    let _folder = stage(&[("logs/acme/1.log", lines.as_bytes())]);
    let pages = pages(LOGS, request(0, 1)).unwrap();
    assert_eq!(rows(&pages).len(), 40);
    assert!(pages.iter().all(|page| page.batch.len() <= 10), "{}", pages.len());
}

#[test]
fn a_bad_record_with_large_texts_does_not_make_a_large_page() {
    let customer = "c".repeat(16 << 10);
    let line = format!("{{\"externalPayerId\":\"{customer}\",\"dimension\":\"cpu\",\"value\":null}}\n");
    let _folder = stage(&[("m/2025/06/01/00/a.ndjson", line.repeat(600).as_bytes())]);
    let pages = pages(&OMNISTRATE.replace("*.json", "*.ndjson"), request(0, 1)).unwrap();
    let found: Vec<usize> = pages.iter().map(|page| page.quarantined.len()).collect();
    assert!(found.iter().sum::<usize>() == 600 && found.iter().all(|&found| found <= 256), "{found:?}");
}

#[test]
fn where_captures_stand_before_the_time_a_listing_passes_over_what_no_window_wants_and_nothing_else() {
    const CONFIG: &str = r#"{
        "layout": "m/{tenant}/{yyyy}/{mm}/{dd}/{hh}/*.json",
        "fields": { "time": "path", "customer": "{tenant}", "dimension": { "constant": "n" }, "quantity": { "constant": "1" } }
    }"#;
    const HOUR: i64 = 3_600_000;
    let folder = tempfile::tempdir().unwrap();
    for tenant in ["a", "b", "c-d"] {
        for hour in 0..72 {
            let place = folder.path().join(format!("m/{tenant}/2025/06/{:02}/{:02}", 1 + hour / 24, hour % 24));
            std::fs::create_dir_all(&place).unwrap();
            // More than a page within most days.
            for object in 0..50 {
                std::fs::write(place.join(format!("{object}.json")), "{}").unwrap();
            }
        }
    }
    meterhost_sdk::testing::folder(folder.path());
    let hour = |hour: i64| Window { start: JUNE.start + hour * HOUR, end: JUNE.start + (hour + 1) * HOUR };
    for hours in [&[0][..], &[71], &[23, 24], &[3, 40, 41, 70], &[47]] {
        let windows = hours.iter().map(|at| hour(*at)).collect();
        let found = pages(CONFIG, Request { windows, ..request(0, 1) }).unwrap();
        let mut expected: Vec<String> = Vec::new();
        for tenant in ["a", "b", "c-d"] {
            for at in hours {
                expected.extend((0..50).map(|_| format!("{tenant} n 1 {}", hour(*at).start)));
            }
        }
        let mut rows = rows(&found);
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{hours:?}");
    }
}

//! Records that lie under a neighbouring hour's key.

use meterhost_sdk::{Listing, Source, Window};

use super::{JUNE, OMNISTRATE, config, pages, quarantined, request, rows, stage};
use crate::S3Reader;

const HOUR: i64 = 3_600_000;

fn with_slack(slack: &str) -> String {
    let text = OMNISTRATE.replace("\"path\"", "\"/at\"");
    text.replacen('{', &format!("{{\"slack\":\"{slack}\","), 1)
}

fn record(at: &str) -> Vec<u8> {
    format!("{{\"at\":\"{at}\",\"externalPayerId\":\"A\",\"dimension\":\"cpu\",\"value\":1}}").into_bytes()
}

fn listed(text: &str, windows: &[Window]) -> Vec<(String, Option<Window>)> {
    let mut request = request(0, 1);
    request.windows = windows.to_vec();
    let mut listing = S3Reader::inputs(config(text), request).unwrap();
    let mut found = Vec::new();
    while let Some(inputs) = listing.next().unwrap() {
        found.extend(inputs.into_iter().map(|input| (input.key, input.span)));
    }
    found
}

#[test]
fn a_record_under_the_hour_before_or_after_its_own_is_read_for_its_own_window() {
    let keys = [
        ("m/2025/05/31/22/a.json", "2025-05-31T22:59:59Z"),
        ("m/2025/05/31/23/a.json", "2025-06-01T00:02:40Z"),
        ("m/2025/06/15/12/a.json", "2025-06-15T12:00:00Z"),
        ("m/2025/06/30/23/a.json", "2025-07-01T00:02:00Z"),
        ("m/2025/07/01/00/a.json", "2025-06-30T23:59:59.999Z"),
        ("m/2025/07/01/01/a.json", "2025-07-01T01:00:00Z"),
    ];
    let objects: Vec<(&str, Vec<u8>)> = keys.iter().map(|(key, at)| (*key, record(at))).collect();
    let borrowed: Vec<(&str, &[u8])> = objects.iter().map(|(key, bytes)| (*key, bytes.as_slice())).collect();
    let _folder = stage(&borrowed);
    let pages = pages(&with_slack("1h"), request(0, 1)).unwrap();
    assert_eq!(quarantined(&pages), Vec::<String>::new());
    let expected = [
        "A cpu 1 1748736160000", // 2025-06-01T00:02:40Z
        "A cpu 1 1749988800000",
        "A cpu 1 1751328120000", // of July, for the host to sort
        "A cpu 1 1751327999999",
    ];
    assert_eq!(rows(&pages), expected);
    let read = pages.iter().flat_map(|page| &page.inputs);
    let read: Vec<_> = read.map(|read| (read.input.key.clone(), read.input.span)).collect();
    let reach = |start: i64| Some(Window { start: start - HOUR, end: start + 2 * HOUR });
    let expected = [
        ("m/2025/05/31/23/a.json".to_owned(), reach(JUNE.start - HOUR)),
        ("m/2025/06/15/12/a.json".to_owned(), reach(1_749_988_800_000)),
        ("m/2025/06/30/23/a.json".to_owned(), reach(JUNE.end - HOUR)),
        ("m/2025/07/01/00/a.json".to_owned(), reach(JUNE.end)),
    ];
    assert_eq!(read, expected);
    assert_eq!(listed(&with_slack("1h"), &[JUNE]), expected, "what is listed is what is read");
}

#[test]
fn beyond_the_slack_a_record_is_held_in_every_window_it_may_belong_to() {
    let at = "2025-07-01T01:00:00Z";
    let _folder = stage(&[("m/2025/06/30/23/a.json", &record(at))]);
    let pages = pages(&with_slack("1h"), request(0, 1)).unwrap();
    assert_eq!(rows(&pages), Vec::<String>::new());
    let held = &pages[0].quarantined[0];
    assert_eq!(
        held.reason,
        format!(
            "time (/at) {at} lies outside of the time in its key, 2025-06-30T23:00:00Z to 2025-07-01T00:00:00Z, by more than `slack`; \
             store the record under a key of its own time, or make `slack` longer"
        )
    );
    assert_eq!(held.span, Some(Window { start: JUNE.end - 2 * HOUR, end: JUNE.end + HOUR + 1 }));
}

#[test]
fn what_cannot_be_read_holds_every_window_that_the_slack_reaches() {
    let _folder = stage(&[("m/2025/07/01/00/a.json", b"[{"), ("m/2025/06/01/24/a.json", b"[]")]);
    let pages = pages(&with_slack("1h"), request(0, 1)).unwrap();
    let spans: Vec<_> = pages.iter().flat_map(|page| &page.unreadable).map(|found| found.span).collect();
    let day = Window { start: JUNE.start - HOUR, end: JUNE.start + 25 * HOUR };
    assert_eq!(spans, [Some(day), Some(Window { start: JUNE.end - HOUR, end: JUNE.end + 2 * HOUR })]);
}

#[test]
fn a_month_with_slack_is_listed_by_its_own_prefix_and_the_days_or_hours_around_it() {
    let prefixes = |slack: i64, layout: &str, windows: &[Window]| {
        crate::layout::Layout::parse(layout).unwrap().with_slack(slack).prefixes(windows)
    };
    let hourly = "m/{yyyy}/{mm}/{dd}/{hh}/*.json";
    assert_eq!(prefixes(HOUR, hourly, &[JUNE]), ["m/2025/05/31/23/", "m/2025/06/", "m/2025/07/01/00/"]);
    assert_eq!(prefixes(2 * HOUR, hourly, &[JUNE]), ["m/2025/05/31/", "m/2025/06/", "m/2025/07/01/"]);
    assert_eq!(
        prefixes(25 * HOUR, hourly, &[JUNE]),
        ["m/2025/05/30/23/", "m/2025/05/31/", "m/2025/06/", "m/2025/07/01/", "m/2025/07/02/00/"]
    );
    assert_eq!(prefixes(HOUR, "m/{yyyy}/{mm}/*.json", &[JUNE]), ["m/2025/05/", "m/2025/06/", "m/2025/07/"]);
    assert_eq!(prefixes(HOUR, "m/*.json", &[JUNE]), ["m/"]);
    let year = Window { start: 1_735_689_600_000, end: 1_738_368_000_000 };
    assert_eq!(prefixes(HOUR, hourly, &[year]), ["m/2024/12/31/23/", "m/2025/01/", "m/2025/02/01/00/"]);
    let hours: Vec<Window> =
        (0..3).map(|hour| Window { start: JUNE.start + hour * HOUR, end: JUNE.start + (hour + 1) * HOUR }).collect();
    let expected = ["m/2025/05/31/23/", "m/2025/06/01/00/", "m/2025/06/01/01/", "m/2025/06/01/02/", "m/2025/06/01/03/"];
    assert_eq!(prefixes(HOUR, hourly, &hours), expected);
}

#[test]
fn data_is_complete_by_as_much_less_since_later_objects_may_hold_records_of_it() {
    let _folder = stage(&[("done.json", br#"{"at":"2025-07-01T00:59:59Z"}"#)]);
    let marker = "{\"complete_until\":{\"object\":\"done.json\",\"pointer\":\"/at\"},";
    let until = |text: &str| S3Reader::complete_until(config(&text.replacen('{', marker, 1)), JUNE.end + 5 * HOUR);
    assert_eq!(until(OMNISTRATE), Ok(Some(JUNE.end + HOUR)));
    assert_eq!(until(&with_slack("1h")), Ok(Some(JUNE.end)));
    assert_eq!(S3Reader::complete_until(config(OMNISTRATE), 0), Ok(None), "without a marker nothing is said");
}

/// Without slack, 10 hours are 10 listings; the parts around them are in the windows beside them.
#[test]
fn slack_reads_no_object_twice() {
    let _folder = stage(&[("m/2025/06/01/00/a.json", &record("2025-06-01T01:00:00Z"))]);
    let hours: Vec<Window> =
        (0..10).map(|hour| Window { start: JUNE.start + hour * HOUR, end: JUNE.start + (hour + 1) * HOUR }).collect();
    assert_eq!(listed(&with_slack("1h"), &hours).len(), 1);
    assert_eq!(listed(&with_slack("90m"), &hours[2..3]).len(), 1);
    assert_eq!(listed(&with_slack("1h"), &hours[2..3]).len(), 0);
}

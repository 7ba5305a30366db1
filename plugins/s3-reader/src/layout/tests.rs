//! What keys say, and which prefixes windows need.

use jiff::Timestamp;
use meterhost_sdk::Window;

use super::{Key, Layout, Matched};

fn window(start: &str, end: &str) -> Window {
    let millis = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    Window { start: millis(start), end: millis(end) }
}

fn matched(layout: &Layout, key: &str) -> Option<Matched> {
    match layout.key(key) {
        Key::Matched(matched) => Some(matched),
        _ => None,
    }
}

const HOURLY: &str = "metering/{service}/{yyyy}/{mm}/{dd}/{hh}/*.json";

#[test]
fn a_key_says_its_hour_and_its_captures() {
    let layout = Layout::parse(HOURLY).unwrap();
    let matched = matched(&layout, "metering/pg/2025/06/30/23/sub-a.json").unwrap();
    assert_eq!(matched.span, Some(window("2025-06-30T23:00:00Z", "2025-07-01T00:00:00Z")));
    assert_eq!(matched.captures, ["pg"]);
}

#[test]
fn what_does_not_match_says_nothing() {
    let layout = Layout::parse(HOURLY).unwrap();
    let keys = [
        "metering/pg/2025/06/30/23/sub-a.csv",
        "metering/pg/2025/06/30/23/deeper/sub-a.json",
        "metering/pg/2025/06/30/sub-a.json",
        "metering//2025/06/30/23/sub-a.json",
        "metering/pg/2025/06/30/23/",
        "metering/pg/2025/6/30/23/sub-a.json",
        "other/pg/2025/06/30/23/sub-a.json",
    ];
    for key in keys {
        assert_eq!(layout.key(key), Key::Other, "{key}");
    }
}

#[test]
fn two_stars_reach_across_slashes() {
    let layout = Layout::parse("m/{yyyy}/{mm}/**.json").unwrap();
    let june = window("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z");
    for key in ["01/00/sub-a.json", "01/x.json", "x.json", "01/00/deeper/x.json", ".json", "a.json/b.json", "//x.json"]
    {
        let found = matched(&layout, &format!("m/2025/06/{key}"));
        assert_eq!(found.and_then(|found| found.span), Some(june), "{key}");
    }
    for key in ["01/00/a.csv", "01/00/a.json/", "01/00/a.json.gz", "json"] {
        assert_eq!(layout.key(&format!("m/2025/06/{key}")), Key::Other, "{key}");
    }
    assert_eq!(layout.prefixes(&[june]), ["m/2025/06/"]);
    assert_eq!(layout.ending(), Some(".json"));
    let layout = Layout::parse("m/**/{yyyy}/{mm}/*.json").unwrap();
    assert_eq!(matched(&layout, "m/a/b/2025/06/x.json").unwrap().span, Some(june));
    assert!(matches!(layout.key("m/a/2025/06/2025/07/x.json"), Key::Other | Key::Ambiguous(_) | Key::Matched(_)));
    assert_eq!(layout.prefixes(&[june]), ["m/"]);
}

#[test]
fn a_window_is_listed_by_the_longest_prefix_that_holds_it() {
    let layout = Layout::parse("m/{yyyy}/{mm}/{dd}/{hh}/*.json").unwrap();
    let month = window("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z");
    let hour = window("2025-06-01T05:00:00Z", "2025-06-01T06:00:00Z");
    let next = window("2025-06-01T06:00:00Z", "2025-06-01T07:00:00Z");
    assert_eq!(layout.prefixes(std::slice::from_ref(&month)), ["m/2025/06/"]);
    assert_eq!(layout.prefixes(&[hour, next]), ["m/2025/06/01/05/", "m/2025/06/01/06/"]);
    assert_eq!(layout.prefixes(&[month, hour, next]), ["m/2025/06/"]);
}

#[test]
fn of_a_time_that_does_not_exist_the_span_of_what_makes_sense_is_known() {
    let layout = Layout::parse(HOURLY).unwrap();
    let cases = [
        ("2025/02/30/23", ("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z")),
        ("2025/13/45/00", ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")),
        ("2025/00/01/00", ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")),
        ("2025/06/30/24", ("2025-06-30T00:00:00Z", "2025-07-01T00:00:00Z")),
    ];
    for (time, (start, end)) in cases {
        let span = Some(window(start, end));
        let expected = Matched { span, reach: span, captures: vec!["pg".into()] };
        assert_eq!(layout.key(&format!("metering/pg/{time}/a.json")), Key::NoSuchTime(expected), "{time}");
    }
    // A year that ends beyond all times is not even a year.
    let Key::NoSuchTime(found) = layout.key("metering/pg/9999/13/01/00/a.json") else { panic!("it exists") };
    assert_eq!(found.span, None);
}

#[test]
fn a_key_with_many_ways_through_it_takes_no_longer_than_others() {
    let dashes = "-".repeat(1000);
    let started = std::time::Instant::now();
    for layout in ["*-*-*-*.json", "*-*-*-{yyyy}*x.json", "{a}-*-*-*.json", "*-{a}-*-{yyyy}.json", "*-*-*-*-*-*/{a}"] {
        let layout = Layout::parse(layout).unwrap();
        assert_eq!(layout.key(&dashes), Key::Other, "{layout:?}");
    }
    let layout = Layout::parse("*-*-*-*.json").unwrap();
    assert!(matches!(layout.key(&format!("{dashes}.json")), Key::Matched(_)));
    let layout = Layout::parse("*-*-*-{yyyy}.json").unwrap();
    let year = Some(window("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"));
    let found = layout.key(&format!("{dashes}2025.json"));
    assert!(matches!(&found, Key::Matched(found) if found.span == year), "{found:?}");
    // Texts that stand twice, of which there are too many to try.
    let layout = Layout::parse("{a}-{b}-{c}-*x{c}y{b}y{a}.json").unwrap();
    let found = layout.key(&format!("{}x1y2y3.json", "a-".repeat(400)));
    assert!(matches!(found, Key::Other | Key::Ambiguous(_)), "{found:?}");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn a_key_that_can_be_read_in_two_ways_is_ambiguous() {
    let layout = Layout::parse("{yyyy}/{tenant}-{site}.json").unwrap();
    assert_eq!(matched(&layout, "2025/a-b.json").unwrap().captures, ["a", "b"]);
    let span = Some(window("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"));
    let Key::Ambiguous(found) = layout.key("2025/a-b-c.json") else { panic!("not ambiguous") };
    assert_eq!(found.span, span);
    // What means the same either way is not.
    let layout = Layout::parse("{yyyy}/*-*-*.json").unwrap();
    assert!(matched(&layout, "2025/a-b-c-d-e-f.json").is_some());
    let layout = Layout::parse("{a}-{yyyy}*.json").unwrap();
    assert_eq!(
        layout.key("x-2025-2026.json"),
        Key::Ambiguous(Matched { span: None, reach: None, captures: vec!["x".into()] })
    );
}

#[test]
fn many_hours_of_a_day_are_listed_at_once() {
    let hours = |day: u32, hours: std::ops::Range<u32>| -> Vec<Window> {
        hours
            .map(|hour| {
                let start: Timestamp = format!("2025-06-{day:02}T{hour:02}:00:00Z").parse().unwrap();
                Window { start: start.as_millisecond(), end: start.as_millisecond() + 3_600_000 }
            })
            .collect()
    };
    let layout = Layout::parse("m/{yyyy}/{mm}/{dd}/{hh}/*.json").unwrap();
    let some = [hours(1, 5..7), hours(2, 0..24), hours(3, 0..1)].concat();
    assert_eq!(layout.prefixes(&some), ["m/2025/06/01/05/", "m/2025/06/01/06/", "m/2025/06/02/", "m/2025/06/03/00/"]);
    let most: Vec<Window> = (1..=20).flat_map(|day| hours(day, 0..24)).collect();
    assert_eq!(layout.prefixes(&most), ["m/2025/06/"]);
    // Here the prefix of a day is that of all time.
    let layout = Layout::parse("{hh}/{yyyy}{mm}{dd}.json").unwrap();
    assert_eq!(layout.prefixes(&hours(2, 0..24)).len(), 24);
}

#[test]
fn without_a_time_everything_is_listed() {
    let layout = Layout::parse("logs/{tenant}.ndjson").unwrap();
    assert_eq!(layout.prefixes(&[window("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z")]), ["logs/"]);
    let matched = matched(&layout, "logs/acme.ndjson").unwrap();
    assert_eq!((matched.span, matched.captures), (None, vec!["acme".to_owned()]));
}

#[test]
fn a_capture_that_stands_twice_has_one_text() {
    let layout = Layout::parse("{a}/x-{a}-*.json").unwrap();
    assert!(matched(&layout, "p/x-p-1.json").is_some());
    assert!(matched(&layout, "p/x-q-1.json").is_none());
    assert_eq!(matched(&layout, "p-q/x-p-q-1.json").unwrap().captures, ["p-q"]);
}

#[test]
fn a_layout_that_means_nothing_is_refused() {
    let cases = [
        ("/a", "layout: it is relative to the granted bucket or folder, and does not begin with `/`"),
        ("a/{yyyy", "layout: the brace in `{yyyy` is not closed"),
        ("a}", "layout: the brace in `}` was not opened"),
        ("{mm}/*", "layout: {mm} names a time only together with {yyyy}"),
        ("{a}{b}", "layout: between two of `*`, `**` and captures there must be a text that tells them apart"),
        ("a/***", "layout: between two of `*`, `**` and captures there must be a text that tells them apart"),
        ("{YYYY}/*", "layout: write `{yyyy}`, not `{YYYY}`"),
        ("{a b}", "layout: `{a b}` is no capture: a name has letters, digits and `_`"),
    ];
    for (text, error) in cases {
        assert_eq!(Layout::parse(text), Err(error.to_owned()));
    }
}

#[test]
fn a_listing_goes_on_where_the_windows_begin_and_leaves_what_captures_hold_behind_them() {
    let hour = |start: &str, end: &str| window(&format!("2025-{start}:00:00Z"), &format!("2025-{end}:00:00Z"));
    let windows = [hour("06-11T22", "06-11T23"), hour("06-10T04", "06-10T05")];
    for (layout, slack, key, behind) in [
        (HOURLY, 0, "metering/pg/2025/06/01/00/a.json", Some("metering/pg/2025/06/10/04")),
        (HOURLY, 0, "metering/pg/2024/12/31/00/a.json", Some("metering/pg/2025/06/10/04")),
        (HOURLY, 0, "metering/pg/2025/06/10/03/z.json", Some("metering/pg/2025/06/10/04")),
        (HOURLY, 0, "metering/pg/2025/06/10/04/a.json", None),
        (HOURLY, 0, "metering/pg/2025/06/10/05/a.json", Some("metering/pg/2025/06/11/22")),
        (HOURLY, 0, "metering/pg/2025/06/11/22/a.json", None),
        (HOURLY, 0, "metering/pg/2025/06/11/23/a.json", Some("metering/pg/:")),
        (HOURLY, 0, "metering/pg/2025/06/01/00/a.csv", None),
        (HOURLY, 3_600_000, "metering/pg/2025/06/01/00/a.json", Some("metering/pg/2025/06/10/03")),
        (HOURLY, 3_600_000, "metering/pg/2025/06/11/23/a.json", None),
        ("m/{a}/{b}/day={yyyy}{mm}{dd}/x-{tenant}/*.json", 0, "m/a/b/day=20250601/x-t/a.json", None),
        ("m/{a}/{b}/{yyyy}{mm}{dd}/x-{tenant}/*.json", 0, "m/a/b/20250601/x-t/a.json", Some("m/a/b/20250610")),
        ("*/x/{yyyy}-{mm}.json", 0, "q/x/2025-01.json", Some("q/x/2025-06")),
        // No folder of their own, another order, or no capture before: they are listed as they are.
        ("m/{a}-{yyyy}/{mm}/*.json", 0, "m/a-2025/01/a.json", None),
        ("m/{a}/{mm}/{yyyy}/*.json", 0, "m/a/01/2025/a.json", None),
        ("m/**/{yyyy}/{mm}/*.json", 0, "m/a/2025/01/a.json", None),
        ("m/{yyyy}/{mm}/*.json", 0, "m/2025/01/a.json", None),
        ("m/{a}/{yyyy}/{b}/{mm}/*.json", 0, "m/a/2025/b/01/a.json", None),
        ("m/{a}/{yyyy}{mm}", 0, "m/a/202501", None),
    ] {
        let parsed = Layout::parse(layout).unwrap().with_slack(slack);
        assert_eq!(parsed.beyond(key, &windows).as_deref(), behind, "{layout} {key}");
    }
}

//! Sets as files: what is shown, split, compressed, emptied, and gone back to.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Read as _;

use common::*;
use focus::Focus;
use meterhost_sdk::testing::Charged;
use meterhost_sdk::{Publication as _, Shown, SnapshotSink};
use serde_json::json;

const MARCH: &str = "costs/20220301-20220401";

#[test]
fn an_empty_set_is_a_header_alone() {
    let folder = stage();
    let config = priced(json!({}));
    let all = [charge()];
    published(&config, march(&all), &all).unwrap();
    let (id, written) = published(&config, march(&[]), &[]).unwrap();
    assert_eq!((written.rows, written.files, written.totals[0].1.is_zero()), (0, 1, true));
    let text = fs::read_to_string(&files(folder.path().join(MARCH).join(id))[0]).unwrap();
    assert!(text.starts_with("BilledCost,BillingAccountId,") && text.lines().count() == 1, "{text}");
}

#[test]
fn files_are_split_at_so_many_rows_and_may_be_compressed() {
    let folder = stage();
    let config = priced(json!({ "rows_per_file": 10, "compress": true }));
    let all = numbered((0..25).map(|_| charge()));
    let (id, written) = published(&config, march(&all), &all).unwrap();
    assert_eq!((written.rows, written.files), (25, 3));
    let files = files(folder.path().join(MARCH).join(id));
    assert!(files[2].ends_with("focus-0003.csv.gz"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(&files[2]).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn months_keep_to_themselves_across_leap_days_and_years() {
    let folder = stage();
    let config = priced(json!({}));
    for (start, bill, first, next) in [
        ("20240229T230000Z", "20240201-20240301", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("20241231T230000Z", "20241201-20250101", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ] {
        let all = [Charged { start: at(start), end: at(start) + HOUR, ..charge() }];
        published(&config, outline("20250201T000000Z", month(start), &all), &all).unwrap();
        let row = rows(&files(folder.path().join("costs").join(bill).join("20250201T000000Z"))[0]).remove(0);
        let written = ["BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodEnd"].map(|name| row[name].as_str());
        assert_eq!(written, [first, next, next]);
        let stray = published(&config, march(&all), &all).unwrap_err();
        assert!(words(stray).contains("outside of the month"));
    }
}

#[test]
fn going_back_changes_the_manifest_alone_and_what_broke_off_shows_nothing() {
    let _folder = stage();
    let json = priced(json!({}));
    let (all, period) = ([charge()], month("20220316T000000Z"));
    let own = || config(json.clone());
    assert!(matches!(Focus::current(own(), period), Ok(Shown::Nothing)));
    for now in ["20220314T100216Z", "20220317T171218Z"] {
        published(&json, outline(now, period, &all), &all).unwrap();
    }
    let mut broken = written(&json, outline("20220318T000000Z", period, &all), &all).unwrap();
    broken.finish().unwrap();
    drop(broken);
    let ids = || Focus::list(own(), None).unwrap().into_iter().map(|set| (set.id, set.current)).collect::<Vec<_>>();
    let is = |first, second| {
        [("20220314T100216Z", first), ("20220317T171218Z", second), ("20220318T000000Z", false)]
            .map(|(id, current)| (id.to_owned(), current))
    };
    assert_eq!(ids(), is(false, true));
    Focus::revert(own(), period, "20220314T100216Z".into()).unwrap();
    assert_eq!(ids(), is(true, false));
    assert!(matches!(Focus::current(own(), period), Ok(Shown::Set(set)) if set.id == "20220314T100216Z"));
    assert!(
        plain(Focus::remove(own(), period, "20220314T100216Z".into()).unwrap_err())
            .contains("is what readers are shown")
    );
    Focus::remove(own(), period, "20220318T000000Z".into()).unwrap();
    assert_eq!(ids(), is(true, false)[..2]);
}

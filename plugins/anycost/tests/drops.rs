//! File drops, from charges to what CloudZero's documented ingest makes of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use anycost::AnyCost;
use common::*;
use meterhost_sdk::testing::Charged;
use meterhost_sdk::{Decimal, Error, Outline, Publication, PublishFailure, Shown, SnapshotSink};
use serde_json::json;

const MARCH: &str = "20220301-20220401";

/// CloudZero's example: six rows of a cloud, which cost 105.3.
fn simple_cloud() -> Vec<Charged<'static>> {
    let (first, hour) = (at("20220301T000000Z"), at("20220316T130000Z"));
    let row = |start, attributes| Charged { start, end: start + HOUR, attributes, ..charge() };
    numbered([
        row(
            first,
            &[
                ("type", "Purchase"),
                ("service", "CommitedUse"),
                ("id", "commit-111-222-333"),
                ("cost", "90"),
                ("net", "90"),
            ],
        ),
        row(
            first,
            &[
                ("type", "Discount"),
                ("service", "MVPDiscount"),
                ("id", "mvp-aaa-12345"),
                ("cost", "-20"),
                ("net", "-20"),
            ],
        ),
        row(hour, &[("type", "Usage"), ("service", "Compute"), ("id", "instance-0000"), ("cost", "12"), ("net", "8")]),
        row(hour, &[("type", "Usage"), ("service", "Compute"), ("id", "instance-0001"), ("cost", "20"), ("net", "16")]),
        row(
            hour,
            &[("type", "Usage"), ("service", "Compute"), ("id", "instance-0002"), ("cost", "15.3"), ("net", "11.3")],
        ),
        row(
            hour,
            &[
                ("type", "Discount"),
                ("service", "SpecialCompute"),
                ("id", "special-01010101"),
                ("cost", "-12"),
                ("net", "0"),
            ],
        ),
    ])
}

#[test]
fn the_simple_cloud_is_published_as_cloudzero_shows_it() {
    let folder = stage();
    let config = json!({
        "root": "simple_cloud",
        "columns": {
            "lineitem/id": "", "usage/amount": "",
            "lineitem/type": "{attribute.type}", "resource/service": "{attribute.service}", "resource/id": "{attribute.id}",
            "cost/cost": "{attribute.cost}", "cost/discounted_cost": "{attribute.net}",
        },
    });
    let all = simple_cloud();
    let (id, written) = published(&config, outline("20220317T171218Z", month("20220316T000000Z"), &all), &all).unwrap();
    assert_eq!((id.as_str(), written.rows, written.files), ("20220317T171218Z", 6, 1));
    let total = Decimal::parse("105.3").unwrap();
    let columns = ["cost/cost", "cost/discounted_cost", "cost/amortized_cost", "cost/discounted_amortized_cost"];
    assert_eq!(written.totals, columns.map(|column| (column.to_owned(), total)));

    let root = folder.path().join("simple_cloud");
    let manifest = fs::read(root.join(MARCH).join("manifest.json")).unwrap();
    assert_eq!(manifest, br#"{"version":"1.3.0","current_drop_id":"20220317T171218Z"}"#);
    let file = root.join(MARCH).join("20220317T171218Z/data_export-0001.csv.gz");
    assert_eq!(written.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!(
        unzipped(file),
        "lineitem/type,time/usage_start,resource/id,resource/service,cost/cost,cost/discounted_cost,cost/amortized_cost,cost/discounted_amortized_cost\n\
         Purchase,2022-03-01T00:00:00Z,commit-111-222-333,CommitedUse,90,90,90,90\n\
         Discount,2022-03-01T00:00:00Z,mvp-aaa-12345,MVPDiscount,-20,-20,-20,-20\n\
         Usage,2022-03-16T13:00:00Z,instance-0000,Compute,12,8,12,8\n\
         Usage,2022-03-16T13:00:00Z,instance-0001,Compute,20,16,20,16\n\
         Usage,2022-03-16T13:00:00Z,instance-0002,Compute,15.3,11.3,15.3,11.3\n\
         Discount,2022-03-16T13:00:00Z,special-01010101,SpecialCompute,-12,0,-12,0\n"
    );
    let (errors, periods) = ingested(root);
    assert_eq!(errors, [""; 0]);
    assert_eq!((&periods[MARCH]["rows"], &periods[MARCH]["cost"]), (&json!(6), &json!("105.3")));
}

#[test]
fn each_publication_is_a_new_drop_and_the_one_before_stays() {
    let folder = stage();
    let config = json!({ "root": "a/b", "prices": { "cpu": "0.5" } });
    let hours = |count| {
        numbered((0..count).map(|hour| {
            let start = at("20220301T000000Z") + hour * HOUR;
            Charged { start, end: start + HOUR, ..charge() }
        }))
    };
    let period = month("20220301T000000Z");
    let (fourteen, seventeen) = (hours(14 * 24), hours(17 * 24));
    published(&config, outline("20220314T100216Z", period, &fourteen), &fourteen).unwrap();
    published(&config, outline("20220317T171218Z", period, &seventeen), &seventeen).unwrap();
    let root = folder.path().join("a/b");
    let (errors, periods) = ingested(&root);
    assert_eq!(errors, [""; 0]);
    assert_eq!(
        (&periods[MARCH]["drop"], &periods[MARCH]["rows"], &periods[MARCH]["cost"]),
        (&json!("20220317T171218Z"), &json!(17 * 24), &json!("204.0"))
    );
    assert_eq!(rows(&files(root.join(MARCH).join("20220314T100216Z"))[0]).len(), 14 * 24);
}

#[test]
fn months_keep_to_themselves_across_leap_days_and_years() {
    let folder = stage();
    let config = json!({ "root": "costs", "prices": { "cpu": "1" } });
    for (start, bill) in [
        ("20240229T235959Z", "20240201-20240301"),
        ("20240301T000000Z", "20240301-20240401"),
        ("20241231T230000Z", "20241201-20250101"),
        ("20250101T043000Z", "20250101-20250201"),
    ] {
        let all = [Charged { start: at(start), end: at(start) + HOUR, ..charge() }];
        published(&config, outline("20250201T000000Z", month(start), &all), &all).unwrap();
        let written = rows(&files(folder.path().join("costs").join(bill).join("20250201T000000Z"))[0]);
        let hour = drops::time::iso(at(start) / HOUR * HOUR);
        assert_eq!((written.len(), written[0]["time/usage_start"].as_str()), (1, hour.as_str()));
        let stray = published(&config, outline("20250201T000000Z", month("20230101T000000Z"), &all), &all).unwrap_err();
        assert!(words(stray).contains("outside of the month"));
    }
    assert_eq!(ingested(folder.path().join("costs")).0, [""; 0]);
}

#[test]
fn files_are_split_at_so_many_rows_and_lose_none() {
    for (count, files_expected) in [(10, vec![10]), (11, vec![10, 1]), (250, vec![10; 25]), (9, vec![9])] {
        let folder = stage();
        let config = json!({ "root": "costs", "rows_per_file": 10, "prices": { "cpu": "0.1" } });
        let all = numbered((0..count).map(|_| charge()));
        let (id, written) =
            published(&config, outline("20220317T171218Z", month("20220316T000000Z"), &all), &all).unwrap();
        assert_eq!((written.rows, written.files as usize), (count, files_expected.len()));
        let drop = folder.path().join("costs").join(MARCH).join(id);
        let counts: Vec<usize> = files(&drop).iter().map(|file| rows(file).len()).collect();
        assert_eq!(counts, files_expected);
        assert!(files(&drop).last().unwrap().ends_with(format!("data_export-{:04}.csv.gz", files_expected.len())));
        let (errors, periods) = ingested(folder.path().join("costs"));
        assert_eq!((errors, &periods[MARCH]["rows"]), (vec![], &json!(count)));
    }
}

#[test]
fn an_empty_set_is_a_header_alone() {
    let folder = stage();
    let config = json!({ "root": "costs", "prices": { "cpu": "1" } });
    let (all, period) = ([charge()], month("20220316T000000Z"));
    published(&config, outline("20220317T171218Z", period, &all), &all).unwrap();
    let (_, written) = published(&config, outline("20220318T000000Z", period, &[]), &[]).unwrap();
    assert_eq!((written.rows, written.files), (0, 1));
    let (errors, periods) = ingested(folder.path().join("costs"));
    assert_eq!(errors, [""; 0]);
    assert_eq!((&periods[MARCH]["rows"], &periods[MARCH]["cost"]), (&json!(0), &json!("0")));
}

#[test]
fn going_back_changes_the_manifest_and_nothing_else() {
    let folder = stage();
    let config_json = json!({ "root": "costs", "prices": { "cpu": "1" } });
    let (all, period) = ([charge()], month("20220316T000000Z"));
    let own = || config(config_json.clone());
    assert_eq!(AnyCost::list(own(), None), Ok(vec![]));
    assert!(matches!(AnyCost::current(own(), period), Ok(Shown::Nothing)));
    for now in ["20220314T100216Z", "20220317T171218Z"] {
        published(&config_json, outline(now, period, &all), &all).unwrap();
    }
    let manifest = folder.path().join("costs").join(MARCH).join("manifest.json");
    let before = fs::read(&manifest).unwrap();
    for odd in
        ["20220315T000000Z", "..", "", "20220314T100216Z/", "../20220301-20220401/20220314T100216Z", "manifest.json"]
    {
        let error = plain(AnyCost::revert(own(), period, odd.into()).unwrap_err());
        assert!(
            error.contains("has no drop") && error.contains("20220314T100216Z, 20220317T171218Z"),
            "{odd}: {error}"
        );
        assert_eq!(fs::read(&manifest).unwrap(), before);
    }
    let ids = || {
        AnyCost::list(own(), None).unwrap().into_iter().map(|set| (set.id, set.files, set.current)).collect::<Vec<_>>()
    };
    let is = |id: &str, current| (id.to_owned(), 1, current);
    assert_eq!(ids(), [is("20220314T100216Z", false), is("20220317T171218Z", true)]);
    let found = AnyCost::revert(own(), period, "20220314T100216Z".into()).unwrap();
    assert!(found.current && found.files == 1);
    AnyCost::revert(own(), period, "20220314T100216Z".into()).unwrap();
    assert_eq!(ids(), [is("20220314T100216Z", true), is("20220317T171218Z", false)]);
    assert!(matches!(AnyCost::current(own(), period), Ok(Shown::Set(set)) if set == found));
    assert_eq!(ingested(folder.path().join("costs")).1[MARCH]["drop"], json!("20220314T100216Z"));

    let error = plain(AnyCost::remove(own(), period, "20220314T100216Z".into()).unwrap_err());
    assert!(error.contains("is what readers are shown"), "{error}");
    assert!(AnyCost::remove(own(), period, "../x".into()).is_err());
    for _ in 0..2 {
        AnyCost::remove(own(), period, "20220317T171218Z".into()).unwrap();
        assert_eq!(ids(), [is("20220314T100216Z", true)]);
    }
}

#[test]
fn a_publication_that_breaks_off_shows_nothing_and_the_next_takes_another_name() {
    let folder = stage();
    let config_json = json!({ "root": "costs", "rows_per_file": 2, "prices": { "cpu": "1" } });
    let (all, period) = (numbered((0..5).map(|_| charge())), month("20220316T000000Z"));
    published(&config_json, outline("20220314T100216Z", period, &all), &all).unwrap();
    let manifest = folder.path().join("costs").join(MARCH).join("manifest.json");
    let before = fs::read(&manifest).unwrap();
    drop(written(&config_json, outline("20220317T171218Z", period, &all), &all).unwrap());
    let mut ended = written(&config_json, outline("20220317T171218Z", period, &all), &all).unwrap();
    ended.finish().unwrap();
    drop(ended);
    assert_eq!(fs::read(&manifest).unwrap(), before);
    let (id, _) = published(&config_json, outline("20220317T171218Z", period, &all), &all).unwrap();
    assert_eq!(id, "20220317T171218Z-003");
    let listed: Vec<_> = AnyCost::list(config(config_json), Some(period)).unwrap();
    let files: Vec<_> = listed.iter().map(|set| (set.id.as_str(), set.files, set.current)).collect();
    assert_eq!(
        files,
        [
            ("20220314T100216Z", 3, false),
            // Two files of two rows were whole when it broke off.
            ("20220317T171218Z", 2, false),
            ("20220317T171218Z-002", 3, false),
            ("20220317T171218Z-003", 3, true),
        ]
    );
}

#[test]
fn names_ascend_within_a_second_and_when_the_clock_goes_back() {
    let _folder = stage();
    let config = json!({ "root": "costs", "prices": { "cpu": "1" } });
    let (all, period) = ([charge()], month("20220316T000000Z"));
    let ids: Vec<String> =
        ["20220317T171218Z", "20220317T171218Z", "20220317T171218Z", "20220316T000000Z", "20220318T000000Z"]
            .iter()
            .map(|now| published(&config, outline(now, period, &all), &all).unwrap().0)
            .collect();
    assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
    assert_eq!(ids[3..], ["20220317T171218Z-004", "20220318T000000Z"]);
    // What the host remembers counts too, though nothing of it is left.
    let last = Some("20220319T000000Z".to_owned());
    let (id, _) = published(&config, Outline { last, ..outline("20220318T000000Z", period, &all) }, &all).unwrap();
    assert_eq!(id, "20220319T000000Z-002");
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_guessed_and_a_foreign_one_is_followed() {
    let folder = stage();
    let config_json = json!({ "root": "costs", "prices": { "cpu": "1" } });
    let (all, period) = ([charge()], month("20220316T000000Z"));
    let place = folder.path().join("costs").join(MARCH);
    fs::create_dir_all(place.join("drop-day-12")).unwrap();
    fs::write(place.join("drop-day-12/export.csv.gz"), "x").unwrap();
    for odd in ["", "{", "[]", r#"{"version":"1.3.0"}"#, r#"{"current_drop_id":"a/b"}"#] {
        fs::write(place.join("manifest.json"), odd).unwrap();
        let error = words(published(&config_json, outline("20220317T171218Z", period, &all), &all).unwrap_err());
        assert!(error.contains("manifest.json cannot be read") && error.contains("delete it"), "{error}");
        let own = || config(config_json.clone());
        assert!(AnyCost::current(own(), period).is_err() && AnyCost::list(own(), None).is_err());
        assert_eq!(fs::read(place.join("manifest.json")).unwrap(), odd.as_bytes());
        assert_eq!(files(&place).len(), 2, "nothing was written");
    }
    fs::write(place.join("manifest.json"), r#"{"version": "1.0.0", "current_drop_id": "drop-day-12"}"#).unwrap();
    let shown = AnyCost::current(config(config_json.clone()), period);
    assert!(matches!(shown, Ok(Shown::Set(set)) if set.id == "drop-day-12" && set.files == 1));
    let (id, _) = published(&config_json, outline("20220317T171218Z", period, &all), &all).unwrap();
    assert_eq!(id, "20220317T171218Z");
    assert_eq!(ingested(folder.path().join("costs")).0, [""; 0]);
}

#[test]
fn somebody_else_who_publishes_meanwhile_is_not_overwritten() {
    let folder = stage();
    let config = json!({ "root": "costs", "prices": { "cpu": "1" } });
    let (all, period) = ([charge()], month("20220316T000000Z"));
    let place = folder.path().join("costs").join(MARCH).join("manifest.json");
    for before in [None, Some(r#"{"current_drop_id":"theirs"}"#)] {
        before.iter().for_each(|before| fs::write(&place, before).unwrap());
        let mut ours = written(&config, outline("20220317T171218Z", period, &all), &all).unwrap();
        ours.finish().unwrap();
        fs::write(&place, r#"{"current_drop_id":"other"}"#).unwrap();
        let error = ours.commit().unwrap_err();
        let is_told = matches!(&error, PublishFailure::Failed(Error::Unavailable(text)) if text.contains("somebody else") && text.contains("other"));
        assert!(is_told, "{error:?}");
        assert_eq!(fs::read(&place).unwrap(), br#"{"current_drop_id":"other"}"#);
    }
    // Its own manifest, whose answer was lost, is no one else's.
    fs::remove_file(&place).unwrap();
    let mut ours = written(&config, outline("20220317T171218Z", period, &all), &all).unwrap();
    ours.finish().unwrap();
    let first = ours.commit();
    assert_eq!((first.is_ok(), ours.commit().is_ok()), (true, true));
}

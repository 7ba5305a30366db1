//! AnyCost Stream, against a strict model of what CloudZero documents of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use anycost::AnyCost;
use common::*;
use meterhost_sdk::http::{Error as HttpError, Request, Response};
use meterhost_sdk::testing::{self, Charged};
use meterhost_sdk::{Error, Outline, Publication, PublishFailure, Shown, SnapshotSink, Window};
use serde_json::{Value, json};

/// What CloudZero holds, and what it was asked.
#[derive(Default)]
struct CloudZero {
    /// By hour.
    rows: BTreeMap<String, Vec<BTreeMap<String, String>>>,
    /// Operation, rows, bytes.
    requests: Vec<(String, usize, usize)>,
    /// What it answers before it does anything.
    moods: VecDeque<Result<Response, HttpError>>,
}

type Place = Rc<RefCell<CloudZero>>;

fn response(status: u16, body: &str) -> Response {
    Response { status, headers: vec![], body: body.as_bytes().to_vec() }
}

/// A service that takes nothing that the documentation does not allow.
fn cloudzero() -> Place {
    let place = Place::default();
    let service = Rc::clone(&place);
    testing::answer(move |request| service.borrow_mut().answer(request));
    place
}

impl CloudZero {
    fn answer(&mut self, request: &Request) -> Result<Response, HttpError> {
        assert_eq!(request.method, "POST");
        assert_eq!(request.url, "https://api.cloudzero.com/v2/connections/billing/anycost/c-1/billing_drops");
        let header =
            |name: &str| request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!((header("authorization"), header("content-type")), (Some("{api_key}"), Some("application/json")));
        assert!(request.body.len() < 5_000_000, "{} bytes", request.body.len());
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "month", "operation"]);
        let data: Vec<BTreeMap<String, String>> = serde_json::from_value(body["data"].clone()).unwrap();
        let month = body["month"].as_str().unwrap();
        for row in &data {
            assert!(row.values().all(|value| !value.is_empty()), "{row:?}");
            assert!(
                row["time/usage_start"].starts_with(&format!("{month}-"))
                    && row["time/usage_start"].ends_with(":00:00Z")
            );
            assert!(row.contains_key("cost/cost"));
        }
        let operation = body["operation"].as_str().unwrap().to_owned();
        self.requests.push((operation.clone(), data.len(), request.body.len()));
        if let Some(mood) = self.moods.pop_front() {
            return mood;
        }
        match operation.as_str() {
            "replace_drop" => self.rows.clear(),
            "replace_hourly" => data.iter().for_each(|row| drop(self.rows.remove(&row["time/usage_start"]))),
            other => panic!("{other}"),
        }
        let count = data.len();
        for row in data {
            self.rows.entry(row["time/usage_start"].clone()).or_default().push(row);
        }
        let answer = json!({ "connection": { "drop_id": "d", "month": month, "row_count": count } });
        Ok(response(200, &answer.to_string()))
    }

    fn count(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }
}

fn streamed() -> Value {
    json!({
        "stream": { "connection": "c-1" }, "prices": { "cpu": "0.5" },
        "columns": { "resource/id": "{customer}", "lineitem/description": "{attribute.note}" },
    })
}

fn march() -> Window {
    month("20220301T000000Z")
}

/// So many hours of March with so many charges each, of some 500 bytes as JSON.
fn hours(hours: std::ops::Range<i64>, each: usize, note: &'static str) -> Vec<Charged<'static>> {
    let attributes: &'static [(&str, &str)] = Box::leak(Box::new([("note", note)]));
    let row = move |hour| {
        let start = at("20220301T000000Z") + hour * HOUR;
        Charged { start, end: start + HOUR, attributes, ..charge() }
    };
    numbered(hours.flat_map(|hour| std::iter::repeat_n(row(hour), each)))
}

fn set(all: &[Charged<'_>]) -> Outline {
    outline("20220317T171218Z", march(), all)
}

#[test]
fn a_month_that_fits_one_request_replaces_the_month() {
    let place = cloudzero();
    let all = hours(0..2, 1, "a \"note\"\n");
    let (id, written) = published(&streamed(), set(&all), &all).unwrap();
    assert_eq!((id.as_str(), written.rows, written.files), ("20220317T171218Z", 2, 1));
    assert_eq!(written.totals[0].1.to_string(), "1");
    let place = place.borrow();
    assert_eq!(place.requests, [("replace_drop".to_owned(), 2, written.bytes as usize)]);
    let row = &place.rows["2022-03-01T01:00:00Z"][0];
    let expected = [
        ("cost/amortized_cost", "0.5"),
        ("cost/cost", "0.5"),
        ("cost/discounted_amortized_cost", "0.5"),
        ("cost/discounted_cost", "0.5"),
        ("lineitem/description", "a \"note\"\n"),
        ("lineitem/id", "00000000000000000000000000000002"),
        ("lineitem/type", "Usage"),
        ("resource/id", "acme"),
        ("time/usage_start", "2022-03-01T01:00:00Z"),
        ("usage/amount", "1"),
    ];
    assert_eq!(row.iter().map(|(column, text)| (column.as_str(), text.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn blank_cells_are_left_out_and_an_empty_month_is_sent_empty() {
    let place = cloudzero();
    let all = hours(0..1, 1, "");
    published(&streamed(), set(&all), &all).unwrap();
    assert!(!place.borrow().rows["2022-03-01T00:00:00Z"][0].contains_key("lineitem/description"));
    published(&streamed(), set(&[]), &[]).unwrap();
    assert_eq!((place.borrow().count(), place.borrow().requests[1].1), (0, 0));
}

const NOTE: &str = "a note that makes rows long enough to fill bodies: lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod tempor";

#[test]
fn a_larger_month_is_cut_between_hours_and_sent_in_order_and_again_without_harm() {
    let place = cloudzero();
    let all = hours(0..480, 60, NOTE);
    for _ in 0..2 {
        let (_, written) = published(&streamed(), set(&all), &all).unwrap();
        assert_eq!((written.rows, place.borrow().count()), (28_800, 28_800));
        assert!(written.bytes > 12_000_000 && written.files >= 3, "{written:?}");
        let mut place = place.borrow_mut();
        assert!(place.requests.iter().all(|(operation, rows, _)| operation == "replace_hourly" && rows % 60 == 0));
        assert!(place.requests.len() as u32 == written.files && place.rows.len() == 480);
        place.requests.clear();
    }
}

#[test]
fn hours_without_charges_are_replaced_by_nothing_to_pay_whoever_filled_them() {
    let mine: Vec<_> = hours(0..480, 60, NOTE).into_iter().filter(|charge| charge.start / HOUR % 10 != 3).collect();
    // What is known of the month before says nothing of who else published it.
    for (now, come) in [("20220310T171218Z", 9 * 24 + 18), ("20220320T000000Z", 19 * 24), ("20220405T000000Z", 744)] {
        let place = cloudzero();
        for hour in 0..744 {
            let start = drops::time::iso(at("20220301T000000Z") + hour * HOUR);
            let row = [("time/usage_start", start.as_str()), ("cost/cost", "7")];
            let row = row.map(|(column, text)| (column.to_owned(), text.to_owned())).into();
            place.borrow_mut().rows.insert(start, vec![row]);
        }
        let (_, written) = published(&streamed(), outline(now, march(), &mine), &mine).unwrap();
        assert_eq!(written.rows as usize, mine.len());
        let place = place.borrow();
        let is_mine = |hour: i64| hour < 480 && (at("20220301T000000Z") / HOUR + hour) % 10 != 3;
        for (hour, rows) in (0..744).zip(place.rows.values()) {
            let cost = |cost: &str| rows.len() == 1 && rows[0]["cost/cost"] == cost;
            if is_mine(hour) {
                assert_eq!(rows.len(), 60, "{now} {hour}");
            } else if hour < come {
                assert!(cost("0") && rows[0]["cost/discounted_amortized_cost"] == "0", "{now} {hour}: {rows:?}");
            } else {
                // It has not come yet.
                assert!(cost("7"), "{now} {hour}: {rows:?}");
            }
        }
    }
}

#[test]
fn what_was_sent_is_not_sent_again_when_the_service_wants_patience() {
    let place = cloudzero();
    let busy = || {
        let mut busy = response(429, r#"{"message":"slow down"}"#);
        busy.headers.push(("retry-after".into(), "7".into()));
        busy
    };
    let all = hours(0..480, 60, NOTE);
    let mut publication = written(&streamed(), set(&all), &all).unwrap();
    let mut waits = Vec::new();
    place.borrow_mut().moods.extend([
        Ok(busy()),
        Ok(response(503, "")),
        Err(HttpError::NotSent("no connection".into())),
        Err(HttpError::Unanswered("broke off".into())),
    ]);
    let written = loop {
        match publication.finish() {
            Ok(written) => break written,
            Err(PublishFailure::Later((reason, after))) => waits.push((reason, after)),
            Err(other) => panic!("{other:?}"),
        }
    };
    publication.commit().unwrap();
    let after: Vec<_> = waits.iter().map(|(_, after)| *after).collect();
    assert_eq!(after, [Some(7_000), None, None, None]);
    assert!(waits[0].0.contains("slow down") && waits[1].0.contains("503"), "{waits:?}");
    let place = place.borrow();
    assert_eq!((place.count(), place.requests.len()), (28_800, written.files as usize + 4));
    // The first was tried five times, the others once.
    assert!(place.requests[..5].iter().all(|request| *request == place.requests[0]));
    let sizes: Vec<_> = place.requests[4..].iter().map(|(_, rows, _)| *rows).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 28_800);
}

#[test]
fn a_refusal_ends_the_publication_in_the_services_words() {
    for (answer, said) in [
        (
            response(400, r#"{"error":{"message":"lineitem/type is unknown","type":"validation"}}"#),
            "400: lineitem/type is unknown",
        ),
        (response(403, r#"{"message":"Forbidden"}"#), "403: Forbidden; is `api_key` a key"),
        (response(404, ""), "404: without a word; is `stream.connection`"),
        (response(413, "too large"), "413: too large"),
        (response(302, ""), "302"),
        (response(200, r#"{"connection":{"row_count":1}}"#), "of 2 rows, CloudZero says to have taken 1"),
        (response(200, "{}"), "does not say how many of 2 rows"),
        (response(200, "<html>"), "does not say how many"),
    ] {
        let place = cloudzero();
        place.borrow_mut().moods.push_back(Ok(answer));
        let all = hours(0..2, 1, "");
        let error = published(&streamed(), set(&all), &all).unwrap_err();
        assert!(
            matches!(&error, PublishFailure::Failed(Error::Unavailable(text)) if text.contains(said)),
            "{said}: {error:?}"
        );
        assert_eq!(place.borrow().requests.len(), 1);
    }
    let place = cloudzero();
    place.borrow_mut().moods.push_back(Err(HttpError::Denied("not granted".into())));
    let all = hours(0..1, 1, "");
    assert!(matches!(published(&streamed(), set(&all), &all), Err(PublishFailure::Failed(Error::Denied(_)))));
}

#[test]
fn what_cloudzero_does_not_take_is_not_begun() {
    let place = cloudzero();
    let long: &'static str = Box::leak("x".repeat(10_000).into_boxed_str());
    // An hour of some 6 MB.
    let all = hours(0..1, 600, long);
    let error = words(published(&streamed(), set(&all), &all).unwrap_err());
    assert!(
        error.contains("the hour from 2022-03-01T00:00:00Z has 600 rows of 6") && error.contains("nothing was sent"),
        "{error}"
    );
    // A month of more than 70 MB.
    let all = hours(0..80, 100, long);
    let error = words(published(&streamed(), set(&all), &all).unwrap_err());
    assert!(error.contains("more than 70000000 bytes") && error.contains("nothing of it was sent"), "{error}");
    // Totals that have to agree, and do not.
    let mut config = streamed();
    config["columns"]["cost/discounted_cost"] = json!("0");
    config["totals"] = json!("fail");
    let all = hours(0..1, 1, "");
    assert!(words(published(&config, set(&all), &all).unwrap_err()).contains("add up to the same"));
    assert_eq!(place.borrow().requests, []);
}

#[test]
fn a_stream_keeps_nothing_that_could_be_gone_back_to() {
    let own = || config(streamed());
    assert!(matches!(AnyCost::current(own(), march()), Ok(Shown::CannotTell)));
    assert_eq!(AnyCost::list(own(), None), Ok(vec![]));
    for error in [AnyCost::revert(own(), march(), "x".into()).map(drop), AnyCost::remove(own(), march(), "x".into())] {
        assert!(plain(error.unwrap_err()).contains("keeps no earlier sets"));
    }
    let all = hours(0..1, 1, "");
    let place = cloudzero();
    let last = Some("20220317T171218Z-004".to_owned());
    let (id, _) = published(&streamed(), Outline { last, ..set(&all) }, &all).unwrap();
    assert_eq!((id.as_str(), place.borrow().requests.len()), ("20220317T171218Z-005", 1));
}

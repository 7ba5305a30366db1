use clazar_emulator::{Cloud, Emulator, Fault, Record};
use serde_json::Value;

use crate::client::*;

fn library() -> Emulator {
    let clazar = start();
    for hour in 0..5 {
        let start = format!("2025-06-01T0{hour}:00:00Z");
        clazar.seed(Record::billed(Cloud::Gcp, "c & d", "cpu", "1.5", [&start, "2025-06-01T05:00:00Z"])).unwrap();
    }
    clazar.push_fault(Fault::Fail { positions: vec![1] });
    submit(&clazar, &[record(A, "cpu"), record(A, "memory")]).unwrap();
    clazar
}

#[test]
fn every_record_is_listed_with_its_status() {
    let clazar = library();
    let page = list(&clazar, "").json();
    assert_eq!((&page["count"], &page["next"]), (&Value::from(7), &Value::Null));
    assert_eq!(page["results"][5]["status"], "success");
    assert_eq!(page["results"][6]["status"], "fail");
    assert_eq!(page["results"][6]["id"], clazar.books()[6].id.as_str());
}

#[test]
fn filters_narrow_the_list() {
    let clazar = library();
    for (query, count) in [
        ("?cloud=gcp", 5),
        (&format!("?contract_id={A}"), 2),
        (&format!("?contract_id={A}&dimension=cpu"), 1),
        ("?status=fail", 1),
        ("?status=success&dimension=cpu", 6),
        ("?contract_id=nobody", 0),
    ] {
        assert_eq!(list(&clazar, query).json()["count"], count, "{query}");
    }
}

#[test]
fn following_next_walks_over_every_page_with_the_same_filters() {
    let clazar = library();
    let mut query = "?contract_id=c%20%26%20d&page_size=2".to_owned();
    let mut starts = Vec::new();
    loop {
        let page = list(&clazar, &query).json();
        assert_eq!(page["count"], 5);
        starts.extend(page["results"].as_array().unwrap().iter().map(|it| it["start_time"].clone()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = next.strip_prefix(clazar.url()).unwrap().to_owned();
    }
    assert_eq!(starts.len(), 5);
    assert!(starts.is_sorted_by_key(|start| start.as_str().unwrap().to_owned()));
}

#[test]
fn a_question_out_of_range_is_refused() {
    let clazar = library();
    for query in [
        "?page=0",
        "?page=x",
        "?page_size=0",
        "?page_size=101",
        "?page_size=+5",
        "?start_time=2025-06-01T00:00:00Z",
        "?status=ok",
        "?cloud=oracle",
        "?page=1&page=2",
    ] {
        assert_eq!(list(&clazar, query).status, 400, "{query}");
    }
    assert_eq!(list(&clazar, "?page=2").status, 404);
    assert_eq!(list(&clazar, "?page_size=100").status, 200);
    assert_eq!(list(&start(), "").json()["count"], 0);
}

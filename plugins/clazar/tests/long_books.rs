//! Books of any length are read in little memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{charge, json, session, stage};
use meterhost_sdk::{Finding, Session};

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What is found for two charges, one of which is in books of so many pages.
fn found(pages: usize) -> [Finding; 2] {
    stage(move |request| {
        let page: usize = request.url.split("&page=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        let record = |place: usize| {
            let number = (page - 1) * 100 + place;
            format!(
                r#"{{"id": "i{number}", "cloud": "aws", "contract_id": "A", "dimension": "d{number}", "quantity": "4", "status": "success", "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z", "custom_properties": {{}}}}"#
            )
        };
        let records: Vec<String> = (0..100).map(record).collect();
        let next = if page == pages { "null" } else { r#""more""# };
        Ok(json(200, &format!(r#"{{"results": [{}], "next": {next}, "count": {}}}"#, records.join(","), pages * 100)))
    });
    let mut answers = session().look_up(&[charge("A", "d42", "4"), charge("A", "none", "4")]).unwrap();
    let last = answers.pop().unwrap().finding;
    [answers.pop().unwrap().finding, last]
}

#[test]
fn a_hundred_thousand_records_take_no_more_memory_than_a_thousand() {
    let expected = found(10);
    assert!(matches!(expected, [Finding::Found(_), Finding::Absent]), "{expected:?}");
    let before = peak();
    assert_eq!(found(1000), expected);
    let grown = peak() - before;
    assert!(grown < 8 * 1024, "{grown} KiB more");
}

use metering_emulator::{Finding, Settings};

use crate::client::*;

#[test]
fn what_is_above_the_rate_is_throttled_and_found() {
    let service = with(Settings { rate_limit: 2, enforce_rate: true, ..settings() });
    let statuses: Vec<u16> =
        (0..3).map(|place| submit(&service, &[record(ALICE, &format!("d{place}"), 1)]).unwrap().status).collect();
    // Three requests take far less than a second, except on a machine that sleeps in between.
    if service.audit().busiest_second == 3 {
        assert_eq!(statuses, [200, 200, 400]);
        assert_eq!(service.requests()[2].error.as_deref(), Some("ThrottlingException"));
        assert_eq!(service.audit().findings, [Finding::AboveTheRate { requests: 3, limit: 2 }]);
        assert_eq!(service.books().len(), 2);
    }
}

#[test]
fn what_is_above_the_rate_can_be_counted_only() {
    let service = with(Settings { rate_limit: 1, ..settings() });
    assert!((0..4).all(|_| submit(&service, &[record(ALICE, "users", 1)]).unwrap().status == 200));
    assert!(service.audit().busiest_second > 1);
}

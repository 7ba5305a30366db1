use jiff::Timestamp;
use metering_emulator::{Clock, Emulator};
use serde_json::json;

use crate::client::*;

fn at(time: &str) -> f64 {
    time.parse::<Timestamp>().unwrap().as_millisecond() as f64 / 1000.0
}

/// Whether usage of a moment is taken at another.
fn is_taken(service: &Emulator, moment: &str, now: &str) -> bool {
    service.set_clock(Clock::Fixed(now.parse().unwrap()));
    let answer = submit(service, &[but(record(ALICE, moment, 1), "Timestamp", at(moment))]).unwrap();
    if answer.status != 200 {
        assert_eq!((answer.status, answer.error().as_str()), (400, "TimestampOutOfBoundsException"));
    }
    answer.status == 200
}

#[test]
fn a_day_and_a_month_end_for_usage() {
    let service = start();
    assert!(is_taken(&service, "2026-11-19T18:18:35.001Z", NOW));
    assert!(!is_taken(&service, "2026-11-19T18:18:35Z", NOW));
    assert!(is_taken(&service, NOW, NOW));
    assert!(!is_taken(&service, "2026-11-20T18:18:35.001Z", NOW));
    assert!(is_taken(&service, "2026-03-31T09:00:00Z", "2026-04-01T05:59:59Z"));
    assert!(!is_taken(&service, "2026-03-31T23:59:59Z", "2026-04-01T06:00:00Z"));
    assert_eq!(service.books().len(), 3);
}

#[test]
fn one_record_out_of_its_time_refuses_the_whole_call() {
    let service = start();
    let old = but(record(BOB, "users", 1), "Timestamp", HOUR - 86_400);
    assert_eq!(refusal(&service, &call(&[record(ALICE, "users", 1), old])), "TimestampOutOfBoundsException");
    for odd in [json!(HOUR * 1000), json!(-1), json!(1e300), json!(-1e300), json!(0)] {
        let record = but(record(BOB, "users", 1), "Timestamp", odd);
        assert_eq!(refusal(&service, &call(&[record])), "TimestampOutOfBoundsException");
    }
}

#[test]
fn a_clock_can_run_from_a_moment_on() {
    let service = start();
    service.set_clock(Clock::Running("2026-03-31T23:59:59.9Z".parse().unwrap()));
    let now = service.now();
    std::thread::sleep(std::time::Duration::from_millis(150));
    assert!(service.now() > now && service.now() > "2026-04-01T00:00:00Z".parse().unwrap());
    service.set_clock(Clock::Real);
    let seconds = Timestamp::now().as_second() - 60;
    assert_eq!(submit(&service, &[but(record(ALICE, "users", 1), "Timestamp", seconds)]).unwrap().status, 200);
}

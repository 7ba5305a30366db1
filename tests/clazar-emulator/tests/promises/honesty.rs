use clazar_emulator::{Cloud, Fault, Record, Settings};

use crate::client::*;

/// What was offered though it was billed: contract, dimension, the quantity offered and the one billed.
fn resent(clazar: &clazar_emulator::Emulator) -> Vec<String> {
    let line = |it: clazar_emulator::Resent| {
        format!("{} {} {} for {}", it.contract_id, it.dimension, it.quantity, it.billed.quantity)
    };
    clazar.resent().into_iter().map(line).collect()
}

#[test]
fn what_is_offered_again_after_it_was_billed_is_noted_though_the_books_stay_right() {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu"), record(A, "memory")]).unwrap();
    assert_eq!(resent(&clazar), [""; 0]);
    let later = but(but(record(A, "cpu"), "start_time", "2025-06-01T00:59:59Z"), "quantity", "5");
    submit(&clazar, &[record(B, "cpu"), later]).unwrap();
    assert_eq!(resent(&clazar), [format!("{A} cpu 5 for 4")]);
    let requests = clazar.requests();
    assert_eq!((requests.last().unwrap().stored.len(), requests.last().unwrap().resent), (1, 1));
    assert_eq!(
        booked(&clazar),
        [format!("{A} cpu success"), format!("{A} memory success"), format!("{B} cpu success")]
    );
}

#[test]
fn what_is_offered_again_is_noted_whatever_the_answer() {
    let again = [format!("{A} cpu 4 for 4")];
    for fault in [
        Fault::before_commit(503),
        Fault::drop_before_commit(),
        Fault::after_commit(500),
        Fault::Throttle { retry_after: None },
        Fault::scripted(200, serde_json::json!({ "results": [] })),
    ] {
        let clazar = start();
        clazar.push_fault(Fault::drop_after_commit());
        submit(&clazar, &[record(A, "cpu")]);
        assert_eq!(resent(&clazar), [""; 0]);
        clazar.push_fault(fault);
        submit(&clazar, &[record(A, "cpu")]);
        assert_eq!(resent(&clazar), again);
    }
}

#[test]
fn a_call_that_holds_a_slot_twice_offers_it_again() {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu"), record(A, "cpu")]).unwrap();
    assert_eq!(resent(&clazar), [format!("{A} cpu 4 for 4")]);
    let clazar = start();
    clazar.push_fault(Fault::before_commit(503));
    submit(&clazar, &[record(A, "cpu"), record(A, "cpu")]).unwrap();
    assert_eq!(resent(&clazar), [""; 0], "nothing is billed");
}

#[test]
fn what_was_never_billed_may_be_offered_again() {
    let clazar = start();
    for fault in [Fault::before_commit(503), Fault::drop_before_commit(), Fault::Fail { positions: vec![0] }] {
        clazar.push_fault(fault);
        submit(&clazar, &[record(A, "cpu")]);
    }
    submit(&clazar, &[record(A, "cpu")]).unwrap();
    assert_eq!(resent(&clazar), [""; 0]);
    let clazar = start();
    let times = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    clazar.seed(Record::billed(Cloud::Aws, A, "cpu", "9", times)).unwrap();
    submit(&clazar, &[record(A, "cpu")]).unwrap();
    assert_eq!(resent(&clazar), [""; 0], "nobody told the client");
}

#[test]
fn usage_that_is_billed_under_two_hours_is_found_though_the_service_takes_it() {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu"), record(A, "memory"), record(B, "cpu")]).unwrap();
    let july = but(but(record(A, "cpu"), "start_time", "2025-07-01T00:00:00Z"), "end_time", "2025-07-31T23:59:59Z");
    submit(&clazar, &[july]).unwrap();
    assert_eq!(clazar.verify_books(), Ok(()));
    submit(&clazar, &[but(record(A, "memory"), "start_time", "2025-06-30T23:00:00Z")]).unwrap();
    let twice = format!("billed twice: memory of {A} from 2025-06-30T23:00:00Z to 2025-06-30T23:59:59Z");
    assert_eq!(clazar.verify_books(), Err(twice));
}

#[test]
fn books_hold_up_against_the_log_after_every_fault_and_while_it_grows() {
    let clazar = with(Settings { known_dimensions: Some(["cpu".to_owned()].into()), ..Settings::default() });
    let success = serde_json::json!({ "results": [{ "contract_id": "c2", "status": "success", "id": "i1" }] });
    for (place, fault) in [
        Fault::drop_after_commit(),
        Fault::scripted(200, success.clone()),
        Fault::scripted(200, success),
        Fault::Slow { before_ms: 20, after_ms: 20 },
        Fault::Truncated { commit: true },
        Fault::Reordered,
    ]
    .into_iter()
    .enumerate()
    {
        clazar.push_fault(fault);
        let contract = format!("c{}", place + 1);
        std::thread::scope(|scope| {
            scope.spawn(|| submit(&clazar, &[record(&contract, "cpu"), record(&contract, "gpu")]));
            for _ in 0..20 {
                assert_eq!(clazar.verify_books(), Ok(()));
            }
        });
    }
    assert_eq!(booked(&clazar).iter().filter(|line| line.ends_with("cpu success")).count(), 5);
}

//! How long a large ledger takes. Run by hand, in release: `cargo test --release ledger::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

#[test]
#[ignore = "a measurement"]
fn two_hundred_thousand_charges_of_four_entries_each() {
    let place = Place::new();
    let mut ledger = place.open("r1");
    ledger.append(vec![intent(&[june()])]).unwrap();
    let many = 200_000;
    let proposals = (0..many).map(|number| proposal(june(), &format!("customer-{number:06}"))).collect();
    let begun = Instant::now();
    ledger.freeze(Vec::new(), proposals).unwrap();
    println!("frozen in one transaction: {:?}", begun.elapsed());
    let begun = Instant::now();
    let charges = charges(ledger.state());
    // Each charge alone, in transactions of a thousand: the worst that a service can ask for.
    for (block, charges) in charges.chunks(1000).enumerate() {
        let mut entries = Vec::new();
        for (offset, charge) in charges.iter().enumerate() {
            let attempt = (2 * (block * 1000 + offset) + 1) as u64;
            for (attempt, status) in [(attempt, Status::Unprocessed), (attempt + 1, Status::Accepted)] {
                entries.push(Entry::Attempt {
                    attempt,
                    sink: "s".to_owned(),
                    charges: vec![charge.id()],
                    deadline: 1,
                    region: None,
                });
                entries.push(Entry::Outcomes { attempt, unsent: false, outcomes: vec![outcome(charge.id(), status)] });
            }
        }
        ledger.append(entries).unwrap();
    }
    println!("{} entries more: {:?}", 4 * many, begun.elapsed());
    drop(ledger);
    let size = std::fs::metadata(place.path()).unwrap().len();
    let begun = Instant::now();
    let ledger = place.open("r2");
    println!("opened and folded: {:?}, {} MB", begun.elapsed(), size / 1_000_000);
    assert_eq!(ledger.state().counts("s").accepted, many);
    drop(ledger);
    let begun = Instant::now();
    assert_eq!(place.read().counts("s").accepted, many);
    println!("read beside: {:?}", begun.elapsed());
}

#[test]
#[ignore = "a measurement"]
fn a_month_of_fifty_thousand_charges_in_calls_of_a_hundred() {
    let place = Place::new();
    let begun = Instant::now();
    let mut ledger = place.open("r1");
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.freeze(Vec::new(), (0..50_000).map(|number| proposal(june(), &format!("c{number:06}"))).collect()).unwrap();
    for charges in charges(ledger.state()).chunks(100) {
        let attempt = ledger.begin_attempt(("s", None), charges, MINUTE).unwrap();
        let outcomes = charges.iter().map(|charge| outcome(charge.id(), Status::Accepted)).collect();
        ledger.record(attempt, false, outcomes).unwrap();
    }
    ledger.settle("s", june()).unwrap();
    println!("50,000 charges, 500 calls: {:?}", begun.elapsed());
}

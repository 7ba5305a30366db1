//! Random histories of a table: records are read and marked by runs that break off, repeat themselves and meet faults.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::dynamo::Fault;
use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// Somebody writes a record.
    Write,
    /// A run reads; what it was handed out is billed as one charge a dimension.
    Read,
    /// Receipts are sent, some not for the first time; which of them is random.
    Acknowledge(usize),
    /// The index lags behind from now on, or does not.
    Lag(bool),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::Nothing),
        2 => Just(Fault::LostAfter),
        1 => Just(Fault::LostBefore),
        1 => Just(Fault::InternalAfter),
        2 => Just(Fault::Conflict),
        1 => Just(Fault::NotSent),
        1 => Just(Fault::Refused("ThrottlingException")),
    ]
}

fn step() -> impl Strategy<Value = (Step, Vec<Fault>)> {
    let step = prop_oneof![
        3 => Just(Step::Write),
        2 => Just(Step::Read),
        3 => any::<usize>().prop_map(Step::Acknowledge),
        1 => any::<bool>().prop_map(Step::Lag),
    ];
    (step, proptest::collection::vec(fault(), 0..12))
}

/// What a ledger would remember: the charges, and which records went into which.
#[derive(Default)]
struct Ledger {
    charges: Vec<Settlement>,
    receipts: Vec<Receipt>,
    billed: BTreeSet<String>,
}

impl Ledger {
    fn bill(&mut self, pages: &[Page]) {
        let mut charges: Vec<(String, Decimal, Vec<String>)> = Vec::new();
        for (row, reference) in pages.iter().flat_map(|page| page.batch.rows().zip(&page.references)) {
            // An index that lags hands a record out again that was marked in between.
            if !self.billed.insert(reference.clone()) {
                continue;
            }
            match charges.iter_mut().find(|charge| charge.0 == row.dimension) {
                Some((_, sum, records)) => {
                    *sum = sum.checked_add(row.quantity).unwrap();
                    records.push(reference.clone());
                }
                None => charges.push((row.dimension.to_owned(), row.quantity, vec![reference.clone()])),
            }
        }
        for (dimension, quantity, records) in charges {
            let number = u32::try_from(self.charges.len()).unwrap();
            let charge = settlement(&format!("c{number}"), &dimension, Settled::Accepted, "{}");
            self.charges.push(Settlement { quantity, ..charge });
            let first = |position| if position == 0 { vec![number] } else { vec![] };
            let receipts = (0..).zip(records).map(|(position, record)| receipt(&record, &[number], &first(position)));
            self.receipts.extend(receipts);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_history_loses_a_total_or_counts_one_twice(steps in proptest::collection::vec(step(), 1..40), page in 1..5_usize) {
        let stage = Stage::new(GUIDE_KEY, &[]);
        stage.get().page = page;
        let mut ledger = Ledger::default();
        let mut written = 0_i64;
        for (step, faults) in steps {
            stage.get().faults = faults.into();
            match step {
                Step::Write => {
                    let dimension = if written % 3 == 0 { "calls" } else { "users" };
                    stage.get().put("Records", &record(CUSTOMER, written, dimension, &(written + 1).to_string()));
                    written += 1;
                }
                Step::Read => {
                    // Of an opening that failed, nothing is used.
                    if let Ok(pages) = read(GUIDE, request()) {
                        prop_assert!(pages.iter().all(|page| page.quarantined.is_empty()));
                        ledger.bill(&pages);
                    }
                }
                Step::Acknowledge(which) => {
                    let from = which % (ledger.receipts.len() + 1);
                    if let Ok(unmarked) = acknowledge(GUIDE, &ledger.charges, &ledger.receipts[from..]) {
                        prop_assert_eq!(unmarked, vec![]);
                    }
                }
                Step::Lag(lags) => stage.get().lag(lags),
            }
        }
        // In the end all goes well.
        stage.get().faults.clear();
        stage.get().lag(false);
        ledger.bill(&read(GUIDE, request()).unwrap());
        prop_assert_eq!(ledger.billed.len() as i64, written);
        prop_assert_eq!(acknowledge(GUIDE, &ledger.charges, &ledger.receipts).unwrap(), vec![]);
        prop_assert_eq!(rows(&read(GUIDE, request()).unwrap()).len(), 0);
        for dimension in ["users", "calls"] {
            let of = |number: &i64| (number % 3 == 0) == (dimension == "calls");
            let sum: i64 = (0..written).filter(of).map(|number| number + 1).sum();
            prop_assert_eq!(total(&stage, dimension), (sum > 0).then(|| sum.to_string()));
        }
        prop_assert!(stage.get().items("Records").iter().all(|item| item["metering_pending"]["S"] == "false"));
    }
}

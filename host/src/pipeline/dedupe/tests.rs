//! Equal records count once, whatever the order, the threads, the readers and the room; what differs under one id is in doubt, across
//! windows, openings and runs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::ledger::{Ids as Known, Place, Shelf};
use crate::model::reading::Quarantined;
use crate::model::usage::{Batch, TextColumn};
use crate::model::window::WindowKind;
use crate::pipeline::tally::Tally;

/// Two hours, and what lies behind them.
const HOUR: i64 = 3_600_000;

fn hours() -> Vec<Window> {
    let hour = |hour| Window::parse(WindowKind::Hour, &format!("1970-01-01T0{hour}")).unwrap();
    (0..4).map(hour).collect()
}

fn spans() -> Vec<Span> {
    (0..4).map(|hour| Span { start: hour * HOUR, end: (hour + 1) * HOUR }).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Usage {
    id: String,
    customer: String,
    product: Option<&'static str>,
    dimension: &'static str,
    quantity: u64,
    time: i64,
    plan: Option<&'static str>,
}

fn one() -> Usage {
    Usage {
        id: "1".to_owned(),
        customer: "a".to_owned(),
        product: None,
        dimension: "cpu",
        quantity: 5,
        time: 3,
        plan: Some("gold"),
    }
}

fn column<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> TextColumn {
    let mut column = TextColumn::default();
    for text in texts {
        let index = text.map_or(u32::MAX, |text| {
            column.values.push(text.to_owned());
            column.values.len() as u32 - 1
        });
        column.indices.push(index);
    }
    column
}

fn batch(records: &[Usage]) -> Batch {
    Batch {
        time: records.iter().map(|record| record.time).collect(),
        customer: column(records.iter().map(|record| Some(record.customer.as_str()))),
        product: column(records.iter().map(|record| record.product)),
        dimension: column(records.iter().map(|record| Some(record.dimension))),
        lo: records.iter().map(|record| record.quantity).collect(),
        id: column(records.iter().map(|record| (record.id != "none").then_some(record.id.as_str()))),
        attributes: vec![("plan".to_owned(), column(records.iter().map(|record| record.plan)))],
        ..Batch::default()
    }
}

/// What is passed on as (id, customer, dimension, quantity, time), ascending.
type Rows = Vec<(String, String, String, u64, i64)>;

/// What came of it, by window: how many were dropped, and what is in doubt as (customer, dimension, words).
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    rows: Rows,
    dropped: BTreeMap<usize, u64>,
    unnamed: usize,
    doubts: Vec<(usize, String, String, String)>,
}

/// A run, opening by opening, each read by as many threads as there are lists of batches. `known` is what the ledger has.
fn run(dedupe: &Dedupe, openings: &[(usize, Vec<Vec<Batch>>)], known: &Known, shelf: &Shelf) -> Outcome {
    let (spans, windows) = (spans(), hours());
    let mut outcome = Outcome::default();
    let mut tally = Tally::default();
    for (first, readers) in openings {
        let own = if *first == 0 && openings.len() == 1 { &spans[..] } else { &spans[*first..*first + 2] };
        let sieve = dedupe.sieve(own, *first);
        let inputs = TextColumn { values: vec!["input".to_owned()], indices: Vec::new() };
        let read = |batches: &Vec<Batch>| {
            let sift = |batch| kept(batch, sieve.sift(batch, &inputs).unwrap());
            batches.iter().map(sift).collect::<Vec<_>>()
        };
        let mut passed: Vec<Batch> = Vec::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = readers.iter().map(|batches| scope.spawn(|| read(batches))).collect();
            for (batch, unnamed) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
                outcome.unnamed += unnamed;
                passed.push(batch);
            }
        });
        let decided = sieve.decide(2).unwrap();
        sieve.late(&decided, |batch| passed.push(batch)).unwrap();
        for (window, records) in decided.duplicates {
            *outcome.dropped.entry(first + window).or_default() += records;
        }
        sieve.keep().unwrap();
        for batch in passed {
            tally.count(&batch);
            let text = |column: &TextColumn, row| column.get(row).unwrap_or_default().to_owned();
            outcome.rows.extend((0..batch.rows()).map(|row| {
                let [id, customer, dimension] =
                    [&batch.id, &batch.customer, &batch.dimension].map(|column| text(column, row));
                (id, customer, dimension, batch.lo[row], batch.time[row])
            }));
        }
    }
    outcome.rows.sort();
    dedupe.compare(known, shelf, &windows).unwrap();
    let counts = tally.into_counts();
    for window in 0..windows.len() {
        let found = dedupe.conflicts(window, counts.keys());
        outcome.doubts.extend(found.into_iter().map(|found| {
            let words = found.words();
            (window, found.customer, found.dimension, words)
        }));
    }
    outcome
}

/// What is passed on at once, and how many records have no id.
fn kept(batch: &Batch, sifted: sieve::Sifted) -> (Batch, usize) {
    let is_kept = |row: &u32| sifted.keep.as_ref().is_none_or(|keep| keep[*row as usize]);
    (batch.select(&(0..batch.rows() as u32).filter(is_kept).collect::<Vec<_>>()), sifted.quarantined.len())
}

fn empty() -> Dedupe {
    Dedupe::new(&Known::default(), 4)
}

fn nowhere() -> Shelf {
    Place::sqlite(std::path::Path::new("/nowhere/a.db")).shelf()
}

fn of(records: &[Usage]) -> Outcome {
    run(&empty(), &[(0, vec![vec![batch(records)]])], &Known::default(), &nowhere())
}

fn dropped(outcome: &Outcome) -> u64 {
    outcome.dropped.values().sum()
}

#[test]
fn the_same_record_counts_once_and_each_difference_in_its_contents_is_one() {
    let outcome = of(&[one(), one(), Usage { dimension: "memory", ..one() }]);
    assert_eq!(
        (outcome.rows.len(), dropped(&outcome), outcome.doubts.len()),
        (2, 1, 0),
        "another dimension is another"
    );
    let others = [
        Usage { customer: "b".to_owned(), ..one() },
        Usage { product: Some("p"), ..one() },
        Usage { quantity: 6, ..one() },
        Usage { time: 4, ..one() },
        Usage { plan: Some("free"), ..one() },
        Usage { plan: None, ..one() },
    ];
    for other in others {
        let outcome = of(&[one(), other.clone()]);
        let mut customers: Vec<&str> = outcome.doubts.iter().map(|(_, customer, ..)| customer.as_str()).collect();
        customers.dedup();
        let mut expected = vec!["a", other.customer.as_str()];
        expected.dedup();
        assert_eq!((outcome.rows.len(), dropped(&outcome), customers), (2, 0, expected), "{other:?}");
    }
}

#[test]
fn one_id_in_two_windows_of_a_run_holds_both_in_one_opening_and_in_two() {
    let later = Usage { time: 2 * HOUR, customer: "b".to_owned(), ..one() };
    let said = |window: &str| {
        format!("records under the id `1` stand here and in {window}, and differ: which is right nobody can tell")
    };
    let expected = vec![
        (0, "a".to_owned(), "cpu".to_owned(), said("1970-01-01T02")),
        (2, "b".to_owned(), "cpu".to_owned(), said("1970-01-01T00")),
    ];
    let together = of(&[one(), later.clone()]);
    assert_eq!((together.rows.len(), dropped(&together)), (2, 0));
    assert_eq!(together.doubts, expected);
    let openings = [(0, vec![vec![batch(&[one()])]]), (2, vec![vec![batch(&[later])]])];
    assert_eq!(run(&empty(), &openings, &Known::default(), &nowhere()), together);
    // What lies in none of the windows is another opening's.
    let beyond = Usage { time: 4 * HOUR, ..one() };
    assert_eq!(dropped(&of(&[beyond.clone(), beyond])), 0);
}

#[test]
fn a_record_without_an_id_is_quarantined_with_what_is_known_of_it() {
    let (dedupe, spans) = (empty(), spans());
    let records = [
        Usage { id: "none".to_owned(), ..one() },
        Usage { id: String::new(), time: HOUR + 2, product: Some("p"), ..one() },
        one(),
    ];
    let sifted = dedupe.sieve(&spans, 0).sift(&batch(&records), &TextColumn::default()).unwrap();
    let known = |record: &Quarantined| (record.customer.clone(), record.product.clone(), record.dimension.clone());
    let text = |text: &str| Some(text.to_owned());
    let expected = [(text("a"), None, text("cpu")), (text("a"), text("p"), text("cpu"))];
    assert_eq!(sifted.quarantined.iter().map(known).collect::<Vec<_>>(), expected);
    assert_eq!(sifted.quarantined[1].span, Some(Span { start: HOUR + 2, end: HOUR + 3 }));
    assert_eq!(kept(&batch(&records), sifted).0.rows(), 1);
}

#[test]
fn a_quantity_is_the_same_with_whatever_zeros_at_its_end_and_attributes_in_whatever_order() {
    let first = Batch { lo: vec![15], scale: 1, ..batch(&[one()]) };
    let second = Batch { lo: vec![1500], scale: 3, ..batch(&[one()]) };
    let more = |mut batch: Batch, first: bool| {
        let column = TextColumn { values: vec!["eu".to_owned()], indices: Vec::new() };
        batch.attributes.insert(if first { 0 } else { 1 }, ("region".to_owned(), column));
        batch
    };
    let of = |batches: Vec<Batch>| run(&empty(), &[(0, vec![batches])], &Known::default(), &nowhere());
    let outcome = of(vec![more(first, true), more(second, false)]);
    assert_eq!((outcome.rows.len(), dropped(&outcome), outcome.doubts.len()), (1, 1, 0));
    // The same value under another name is another attribute.
    let mut renamed = batch(&[one()]);
    renamed.attributes[0].0 = "tier".to_owned();
    let outcome = of(vec![batch(&[one()]), renamed]);
    assert_eq!((outcome.rows.len(), outcome.doubts.len()), (2, 1));
}

/// Ids in the ledger are known by these: another number here, and every ledger forgets what was billed.
#[test]
fn what_stands_for_a_record_is_the_same_in_every_version() {
    let hashes = Hashes::of(IdKey([7; 16]));
    let batch = batch(&[Usage { product: Some("p"), ..one() }]);
    let texts = hashes::Texts::of(&batch, &hashes);
    let mark = texts.mark(&batch, 0, "1");
    let contents = texts.contents(&batch, 0, &hashes);
    assert_eq!(
        (format!("{mark:032x}"), format!("{contents:016x}")),
        ("a0382e9d4af9eeec46df349ed56b1bbe".to_owned(), "e24ddbd1d6019577".to_owned())
    );
}

/// What should come of records, by a map of all of them.
fn expected(records: &[Usage], billed: &BTreeMap<(String, &'static str), BTreeSet<(usize, Usage)>>) -> Outcome {
    let hours = hours();
    let window = |record: &Usage| (record.time / HOUR) as usize;
    let mut outcome = Outcome::default();
    let mut by_id: BTreeMap<(String, &'static str), BTreeSet<Usage>> = BTreeMap::new();
    for record in records {
        let own = by_id.entry((record.id.clone(), record.dimension)).or_default();
        if own.insert(record.clone()) {
            let Usage { id, customer, dimension, quantity, time, .. } = record.clone();
            outcome.rows.push((id, customer, dimension.to_owned(), quantity, time));
        } else {
            *outcome.dropped.entry(window(record)).or_default() += 1;
        }
    }
    outcome.rows.sort();
    let mut doubts: BTreeMap<(usize, String, String), BTreeMap<conflict::Other, BTreeSet<String>>> = BTreeMap::new();
    for (key, records) in &by_id {
        for record in records {
            let here = window(record);
            let mut doubt = |other| {
                let place = (here, record.customer.clone(), record.dimension.to_owned());
                doubts.entry(place).or_default().entry(other).or_default().insert(record.id.clone());
            };
            if records.iter().any(|other| other != record && window(other) == here) {
                doubt(conflict::Other::Here);
            }
            let none = BTreeSet::new();
            let billed = billed.get(key).unwrap_or(&none);
            if billed.contains(&(here, record.clone())) {
                continue;
            }
            let elsewhere = billed.iter().map(|(window, _)| *window).filter(|window| *window != here).min();
            let read = records.iter().map(window).filter(|window| *window != here).min();
            if let Some(window) = elsewhere {
                doubt(conflict::Other::Billed(hours[window]));
            } else if let Some(window) = read {
                doubt(conflict::Other::Read(hours[window]));
            }
        }
    }
    for ((window, customer, dimension), others) in doubts {
        for (other, ids) in others {
            let mut found = Found::default();
            ids.into_iter().for_each(|id| found.add(0, 0, other, id));
            let ids = found.of(0, 0).next().unwrap().1.clone();
            let conflict = Conflict { customer: customer.clone(), dimension: dimension.clone(), other, ids };
            outcome.doubts.push((window, customer.clone(), dimension.clone(), conflict.words()));
        }
    }
    outcome
}

fn usage(ids: u32) -> impl Strategy<Value = Usage> {
    let dimension = prop_oneof![Just("cpu"), Just("memory")];
    (0..ids, 0..3_u8, dimension, 0..10_u64, 0..8_i64).prop_map(|(id, customer, dimension, odd, hour)| {
        // Mostly the same under the same id: that is what copies are.
        let odd = u64::from(odd == 0);
        let hour = if hour == 7 { i64::from(id) % 3 + 1 } else { i64::from(id) % 4 };
        Usage {
            id: format!("id-{id}"),
            customer: ["a", "b", "c"][if customer == 2 { 2 } else { id as usize % 2 }].to_owned(),
            dimension,
            quantity: 5 + odd,
            time: hour * HOUR + i64::from(id),
            ..one()
        }
    })
}

/// The records of some windows, cut into batches for so many readers.
fn cut(records: &[Usage], first: usize, windows: usize, rows: usize, readers: usize) -> (usize, Vec<Vec<Batch>>) {
    let own: Vec<Usage> = records
        .iter()
        .filter(|record| (first..first + windows).contains(&((record.time / HOUR) as usize)))
        .cloned()
        .collect();
    let mut cut = vec![Vec::new(); readers];
    own.chunks(rows).enumerate().for_each(|(number, records)| cut[number % readers].push(batch(records)));
    (first, cut)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("METERHOST_LONG").is_some() { 2000 } else { 150 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_comes_of_it_is_what_a_map_of_all_records_says_whatever_the_cut_the_threads_and_the_room(
        earlier in prop::collection::vec(usage(40), 0..60),
        records in prop::collection::vec(usage(40), 1..250),
        billed_of in 0..3_u8,
        rows in 1..60_usize,
        readers in 1..4_usize,
        memory in prop_oneof![Just(0_usize), Just(3000), Just(usize::MAX)],
        two_openings: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
        let mut known = Known::default();
        let mut billed: BTreeMap<(String, &'static str), BTreeSet<(usize, Usage)>> = BTreeMap::new();
        // An earlier run, of which a customer's cpu is frozen in the first two windows, twice over: what is known is not written again.
        let customer = ["a", "b", "c"][usize::from(billed_of)];
        for _ in 0..2 {
            let dedupe = Dedupe::with(&known, 4, Spill::of(memory));
            run(&dedupe, &[cut(&earlier, 0, 4, rows, readers)], &Known::default(), &shelf);
            let frozen = (0..2).map(|window| (window, customer.to_owned(), "cpu".to_owned())).collect();
            let before = known.segments().count();
            let entries = dedupe.bill(&frozen, &known, &shelf, &hours()).unwrap();
            entries.into_iter().for_each(|entry| known.learn(entry));
            prop_assert!(before == 0 || known.segments().count() == before);
        }
        for record in &earlier {
            let window = (record.time / HOUR) as usize;
            if record.customer == customer && record.dimension == "cpu" && window < 2 {
                billed.entry((record.id.clone(), record.dimension)).or_default().insert((window, record.clone()));
            }
        }
        let stored: u64 = known.segments().map(|segment| segment.ids).sum();
        prop_assert_eq!(stored, billed.values().map(|records| records.len() as u64).sum::<u64>());
        let openings = match two_openings {
            true => vec![cut(&records, 0, 2, rows, readers), cut(&records, 2, 2, rows, readers)],
            false => vec![cut(&records, 0, 4, rows, readers)],
        };
        let dedupe = Dedupe::with(&known, 4, Spill::of(memory));
        let outcome = run(&dedupe, &openings, &known, &shelf);
        prop_assert_eq!(outcome, expected(&records, &billed));
        prop_assert!(memory == 3000 || dedupe.spill.has_a_file() == (memory == 0));
    }
}

#[test]
fn a_file_that_takes_nothing_more_is_an_error_and_no_guess() {
    let full = std::fs::File::options().read(true).write(true).open("/dev/full").unwrap();
    let dedupe = Dedupe::with(&Known::default(), 1, Spill::into_file(0, full));
    let spans = spans();
    let sieve = dedupe.sieve(&spans, 0);
    let records: Vec<Usage> = (0..200_000).map(|id| Usage { id: format!("{id}"), ..one() }).collect();
    let sifted: Result<Vec<_>, _> =
        records.chunks(5000).map(|records| sieve.sift(&batch(records), &TextColumn::default())).collect();
    let error = sifted.and_then(|_| sieve.keep()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(no_room(&error).message.contains("No space left on device"));
}

#[test]
fn many_ids_need_little_memory_and_are_all_told_apart() {
    let dedupe = Dedupe::with(&Known::default(), 1, Spill::of(1 << 20));
    let spans = spans();
    let sieve = dedupe.sieve(&spans, 0);
    let id = |number: u64| format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut passed = 0;
    // The first 10,000, from before there was a larger filter, and the last 10,000 come again.
    let again = (0..10_000).chain(290_000..300_000).step_by(5000);
    for start in (0..300_000_u64).step_by(5000).chain(again) {
        let records: Vec<Usage> = (start..start + 5000).map(|number| Usage { id: id(number), ..one() }).collect();
        let batch = batch(&records);
        passed += kept(&batch, sieve.sift(&batch, &TextColumn::default()).unwrap()).0.rows();
    }
    assert!((295_000..=300_000).contains(&passed), "{passed} went on at once");
    assert!(dedupe.spill.has_a_file());
    let decided = sieve.decide(2).unwrap();
    sieve.late(&decided, |batch| passed += batch.rows()).unwrap();
    assert_eq!((passed, decided.duplicates), (300_000, BTreeMap::from([(0, 20_000)])));
}

//! Equal records count once, whatever the order, the threads and the readers.

use super::*;
use crate::pipeline::tally::Tally;

const WINDOWS: [Span; 2] = [Span { start: 0, end: 10 }, Span { start: 10, end: 20 }];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Usage {
    id: &'static str,
    customer: &'static str,
    product: Option<&'static str>,
    dimension: &'static str,
    quantity: u64,
    time: i64,
    plan: Option<&'static str>,
}

const ONE: Usage =
    Usage { id: "1", customer: "a", product: None, dimension: "cpu", quantity: 5, time: 3, plan: Some("gold") };

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
        customer: column(records.iter().map(|record| Some(record.customer))),
        product: column(records.iter().map(|record| record.product)),
        dimension: column(records.iter().map(|record| Some(record.dimension))),
        lo: records.iter().map(|record| record.quantity).collect(),
        id: column(records.iter().map(|record| (record.id != "none").then_some(record.id))),
        attributes: vec![("plan".to_owned(), column(records.iter().map(|record| record.plan)))],
        ..Batch::default()
    }
}

/// What is passed on as (id, customer, dimension, quantity) ascending; how many were dropped; how many had no id; what differs, by
/// window.
type Outcome = (Vec<(String, String, String, u64)>, u64, usize, Vec<(usize, String, String, String)>);

/// Sifts batches on as many threads as there are.
fn sifted(readers: &[Vec<Batch>]) -> Outcome {
    let dedupe = Dedupe::new();
    let read =
        |batches: &Vec<Batch>| batches.iter().map(|batch| dedupe.sift(batch.clone(), &WINDOWS)).collect::<Vec<_>>();
    let found: Vec<Sifted> = std::thread::scope(|scope| {
        let threads: Vec<_> = readers.iter().map(|batches| scope.spawn(|| read(batches))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut rows = Vec::new();
    let mut tally = Tally::default();
    for Sifted { batch, .. } in &found {
        tally.count(batch);
        let text = |column: &TextColumn, row| column.get(row).unwrap_or_default().to_owned();
        let record = |row| {
            let texts = [&batch.id, &batch.customer, &batch.dimension].map(|column| text(column, row));
            let [id, customer, dimension] = texts;
            (id, customer, dimension, batch.lo[row])
        };
        rows.extend((0..batch.rows()).map(record));
    }
    rows.sort();
    let counts = tally.into_counts();
    let conflicts = (0..WINDOWS.len()).flat_map(|window| {
        let found = dedupe.conflicts(window, counts.keys());
        found.into_iter().map(move |found| (window, found.customer, found.dimension, found.ids.words()))
    });
    let dropped = found.iter().flat_map(|sifted| &sifted.duplicates).map(|(_, records)| records).sum();
    let unnamed = found.iter().map(|sifted| sifted.quarantined.len()).sum();
    (rows, dropped, unnamed, conflicts.collect())
}

fn of(records: &[Usage]) -> Outcome {
    sifted(&[vec![batch(records)]])
}

#[test]
fn the_same_record_counts_once_and_each_difference_in_its_contents_is_one() {
    let (rows, dropped, _, conflicts) = of(&[ONE, ONE, Usage { dimension: "memory", ..ONE }]);
    assert_eq!((rows.len(), dropped, conflicts.len()), (2, 1, 0), "another dimension is another record");
    let others = [
        Usage { customer: "b", ..ONE },
        Usage { product: Some("p"), ..ONE },
        Usage { quantity: 6, ..ONE },
        Usage { time: 4, ..ONE },
        Usage { plan: Some("free"), ..ONE },
        Usage { plan: None, ..ONE },
    ];
    for other in others {
        let (rows, dropped, _, conflicts) = of(&[ONE, other]);
        let mut customers: Vec<&str> = conflicts.iter().map(|(_, customer, ..)| customer.as_str()).collect();
        customers.dedup();
        let mut expected = vec![ONE.customer, other.customer];
        expected.dedup();
        assert_eq!((rows.len(), dropped, customers), (2, 0, expected), "{other:?}");
    }
}

#[test]
fn the_same_id_in_two_windows_is_two_records() {
    let (rows, dropped, _, conflicts) = of(&[ONE, Usage { time: 13, ..ONE }]);
    assert_eq!((rows.len(), dropped, conflicts.len()), (2, 0, 0));
    // What lies in neither is another opening's.
    assert_eq!(of(&[Usage { time: 20, ..ONE }, Usage { time: 20, ..ONE }]).1, 0);
}

#[test]
fn a_record_without_an_id_is_quarantined_with_what_is_known_of_it() {
    let dedupe = Dedupe::new();
    let records = [Usage { id: "none", ..ONE }, Usage { id: "", time: 12, product: Some("p"), ..ONE }, ONE];
    let sifted = dedupe.sift(batch(&records), &WINDOWS);
    assert_eq!(sifted.batch.rows(), 1);
    let known = |record: &Quarantined| (record.customer.clone(), record.product.clone(), record.dimension.clone());
    let text = |text: &str| Some(text.to_owned());
    let expected = [(text("a"), None, text("cpu")), (text("a"), text("p"), text("cpu"))];
    assert_eq!(sifted.quarantined.iter().map(known).collect::<Vec<_>>(), expected);
    assert_eq!(sifted.quarantined[1].span, Some(Span { start: 12, end: 13 }));
}

#[test]
fn a_quantity_is_the_same_with_whatever_zeros_at_its_end_and_attributes_in_whatever_order() {
    let one = Batch { lo: vec![15], scale: 1, ..batch(&[ONE]) };
    let other = Batch { lo: vec![1500], scale: 3, ..batch(&[ONE]) };
    let more = |mut batch: Batch, first: bool| {
        let column = TextColumn { values: vec!["eu".to_owned()], indices: Vec::new() };
        batch.attributes.insert(if first { 0 } else { 1 }, ("region".to_owned(), column));
        batch
    };
    let dedupe = Dedupe::new();
    assert_eq!(dedupe.sift(more(one, true), &WINDOWS).batch.rows(), 1);
    assert_eq!(dedupe.sift(more(other, false), &WINDOWS).batch.rows(), 0);
    // The same value under another name is another attribute.
    let mut renamed = batch(&[Usage { id: "2", ..ONE }]);
    dedupe.sift(renamed.clone(), &WINDOWS);
    renamed.attributes[0].0 = "tier".to_owned();
    assert_eq!(dedupe.sift(renamed, &WINDOWS).batch.rows(), 1);
}

#[test]
fn what_comes_of_it_depends_on_no_order_and_on_no_thread() {
    let mut records = Vec::new();
    let ids: Vec<&'static str> = (0..200).map(|number| &*format!("id-{number:03}").leak()).collect();
    for (number, id) in (0_u64..).zip(&ids) {
        let one = Usage { id, quantity: number, customer: ["a", "b", "c"][number as usize % 3], ..ONE };
        records.extend([one, one, one]);
        if number % 7 == 0 {
            let other = Usage { customer: "d", ..one };
            records.extend([other, other, Usage { quantity: number + 1, ..one }]);
        }
    }
    let straight = of(&records);
    assert_eq!(straight.0.len(), 200 + 2 * 29);
    assert_eq!(straight.1, 2 * 200 + 29);
    assert_eq!(straight.3[3].1, "d");
    assert_eq!(
        straight.3[3].3,
        "records under each of the ids `id-000`, `id-007`, `id-014` and 26 more differ: which is right nobody can tell"
    );
    // A generator of the simplest kind: what is wanted is many orders, not chance.
    let mut seed = 1_u64;
    for _ in 0..20 {
        for place in (1..records.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            records.swap(place, (seed >> 33) as usize % (place + 1));
        }
        let batches: Vec<Batch> = records.chunks(37).map(batch).collect();
        let readers: Vec<Vec<Batch>> = batches.chunks(6).map(<[Batch]>::to_vec).collect();
        assert_eq!(sifted(&readers), straight);
    }
}

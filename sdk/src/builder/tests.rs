//! What a builder promises: nothing that was taken in is lost, and nothing that has no place is taken in.
#![allow(clippy::unwrap_used, reason = "a test that fails has to stop")]

use crate::{BatchBuilder, Decimal, NotTaken, Record};

fn record<'a>(customer: &'a str, dimension: &'a str, quantity: &str) -> Record<'a> {
    let quantity = Decimal::parse(quantity).unwrap();
    Record { time: 7, customer, product: "", dimension, quantity, id: None, attributes: &[] }
}

#[test]
fn a_record_without_a_customer_or_a_dimension_is_refused_and_loses_no_other() {
    let mut builder = BatchBuilder::new(["x"]);
    builder.push(&record("a", "cpu", "1")).unwrap();
    // Not even its quantity leaves a trace.
    assert_eq!(builder.push(&record("", "cpu", "0.5")), Err(NotTaken::NoCustomer));
    assert_eq!(builder.push(&record("a", "", "0.5")), Err(NotTaken::NoDimension));
    builder.push(&record("b", "cpu", "2")).unwrap();
    let batch = builder.finish();
    let rows: Vec<_> = batch.rows().map(|row| (row.customer, row.dimension, row.quantity.to_string())).collect();
    assert_eq!(rows, [("a", "cpu", "1".to_owned()), ("b", "cpu", "2".to_owned())]);
    assert_eq!(batch.quantities().scale(), 0);
}

#[test]
fn a_batch_with_much_text_is_full_and_an_empty_one_never_is() {
    let large = "x".repeat(3 << 20);
    let other = "y".repeat(3 << 20);
    let mut builder = BatchBuilder::new(["text"]);
    let with = |text| Record { attributes: text, ..record("a", "cpu", "1") };
    let (large, other) = ([Some(large.as_str())], [Some(other.as_str())]);
    // What repeats is there once.
    builder.push(&with(&large)).unwrap();
    builder.push(&with(&large)).unwrap();
    builder.push(&with(&other)).unwrap();
    assert_eq!(builder.push(&with(&large)), Err(NotTaken::Full));
    assert_eq!(builder.finish().len(), 3);
    builder.push(&with(&large)).unwrap();
    let huge = "z".repeat(2 * BatchBuilder::TEXT);
    assert_eq!(builder.finish().len(), 1);
    builder.push(&with(&[Some(huge.as_str())])).unwrap();
    assert_eq!(builder.finish().attribute("text").unwrap().get(0).unwrap().len(), huge.len());
}

#[test]
fn every_batch_of_a_builder_is_whole_whatever_came_before_it() {
    let mut builder = BatchBuilder::new(["x"]).with_rows(3);
    for round in 0..3 {
        let one = [Some("1")];
        let first = Record { attributes: &one, id: Some("id"), product: "p", ..record("a", "cpu", "1.5") };
        builder.push(&first).unwrap();
        builder.push(&record("b", "mem", "-1")).unwrap();
        builder.push(&Record { product: "q", ..record("a", "mem", "1e3") }).unwrap();
        assert_eq!(builder.push(&first), Err(NotTaken::Full), "{round}");
        let batch = builder.finish();
        // The host sees a batch that it would accept.
        let batch = crate::Batch::try_from(crate::bindings::imports::types::Batch::from(batch)).unwrap();
        let rows: Vec<String> = batch
            .rows()
            .map(|row| {
                let (id, attribute) = (row.id(), row.attribute("x"));
                format!("{} {} {} {} {id:?} {attribute:?}", row.customer, row.product, row.dimension, row.quantity)
            })
            .collect();
        let expected = ["a p cpu 1.5 Some(\"id\") Some(\"1\")", "b  mem -1 None None", "a q mem 1000 None None"];
        assert_eq!(rows, expected, "{round}");
    }
}

//! From the records of a page of the index to pages of columns.

use std::collections::VecDeque;

use meterhost_sdk::{BatchBuilder, Error, Input, NotTaken, Page, Quarantined, ReadInput, Record};

use crate::item::Item;
use crate::names::Names;

/// The most rows of a batch: those of a record stand together.
const ROWS: usize = 65_536;
/// So many quarantined records make a page.
const MANY: usize = 1000;

/// The pages of what was read under a key: at least one if there is anything, and the last one says that all of it was read.
pub(crate) fn pages(
    names: &Names,
    input: String,
    items: &[Item<'_>],
    quarantined: Vec<Quarantined>,
) -> Result<VecDeque<Page>, Error> {
    let mut pages = VecDeque::new();
    let rows: usize = items.iter().map(|item| item.rows.len()).sum();
    let all = (rows + quarantined.len()) as u64;
    let mut rest = items;
    while !rest.is_empty() {
        let taken = batch_of(names, rest)?;
        let (these, others) = rest.split_at_checked(taken).unwrap_or((rest, &[]));
        pages.push_back(page(names, &input, these)?);
        rest = others;
    }
    let mut quarantined = quarantined.into_iter().peekable();
    while quarantined.peek().is_some() {
        pages.push_back(Page { quarantined: quarantined.by_ref().take(MANY).collect(), ..Page::default() });
    }
    if let Some(last) = pages.back_mut() {
        let input = Input { key: input, etag: String::new(), size: 0, span: None };
        last.inputs.push(ReadInput { input, items: all });
    }
    Ok(pages)
}

/// How many items, from the first on, fit one batch: at least one.
fn batch_of(names: &Names, items: &[Item<'_>]) -> Result<usize, Error> {
    let mut builder = builder(names);
    for (taken, item) in items.iter().enumerate() {
        let enough = taken > 0 && builder.len() + item.rows.len() > BatchBuilder::ROWS;
        if enough {
            return Ok(taken);
        }
        match push(&mut builder, item) {
            Err(NotTaken::Full) if taken > 0 => return Ok(taken),
            Err(error) => return Err(Error::Other(format!("record {}: {error}", item.reference))),
            Ok(()) => {}
        }
    }
    Ok(items.len())
}

fn page(names: &Names, input: &str, items: &[Item<'_>]) -> Result<Page, Error> {
    let mut builder = builder(names);
    let mut page = Page::default();
    for item in items {
        push(&mut builder, item).map_err(|error| Error::Other(format!("record {}: {error}", item.reference)))?;
        page.references.extend(item.rows.iter().map(|_| item.reference.clone()));
    }
    page.row_inputs.add(input, builder.len());
    page.batch = builder.finish();
    Ok(page)
}

fn builder(names: &Names) -> BatchBuilder {
    BatchBuilder::new(names.attributes.iter().map(|&place| names.of(place))).with_rows(ROWS)
}

fn push(builder: &mut BatchBuilder, item: &Item<'_>) -> Result<(), NotTaken> {
    let attributes: Vec<Option<&str>> = item.attributes.iter().map(Option::as_deref).collect();
    item.rows.iter().try_for_each(|row| {
        builder.push(&Record {
            time: item.time,
            customer: &item.customer,
            product: &item.product,
            dimension: &row.dimension,
            quantity: row.quantity,
            id: None,
            attributes: &attributes,
        })
    })
}

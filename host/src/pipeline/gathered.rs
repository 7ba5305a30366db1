//! What the threads of one opening brought together, and what of it is each window's.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use meterhost_decimal::Decimal;

use super::astray::Astray;
use super::dedupe::Conflict;
use super::opening::Opening;
use super::quarantine::{Quarantine, touched};
use super::route::{Place, Split};
use super::tally::{Pair, Tally};
use crate::model::lines::{ChargeLine, Excluded};
use crate::model::reading::{Input, Page, Quarantined, Span, Unreadable};
use crate::report::Problem;

/// The most inputs that one opening may answer.
const MOST_INPUTS: usize = 10_000_000;

/// What was read for one window.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What the aggregators made of it, with each one's position.
    pub(super) lines: Vec<(usize, ChargeLine)>,
    pub(super) excluded: Vec<Excluded>,
    /// Records by customer and dimension.
    pub(super) tally: HashMap<Pair, u64>,
    pub(super) inputs: Vec<(Input, u64)>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Records that were dropped, since one like them was there.
    pub(super) duplicates: u64,
    /// Ids under which records differ.
    pub(super) conflicts: Vec<Conflict>,
    /// Why the reading is of no use, if it is not: an aggregator failed on this window.
    pub(super) failed: Vec<Problem>,
}

/// What one place's aggregator made of what it was given.
#[derive(Default)]
pub(super) struct Done {
    pub(super) lines: Vec<ChargeLine>,
    pub(super) excluded: Vec<Excluded>,
    pub(super) tally: HashMap<Pair, u64>,
    pub(super) failed: Option<Problem>,
}

/// What all threads of an opening brought together.
#[derive(Default)]
pub(super) struct Gathered {
    /// Records and quarantined records that came, of whatever window.
    items: u64,
    astray: Astray,
    done: Vec<(Place, Done)>,
    inputs: Vec<(Input, u64)>,
    quarantined: Quarantine,
    unreadable: Vec<Unreadable>,
    untaken: HashMap<usize, Tally>,
    /// By window.
    duplicates: HashMap<usize, u64>,
    /// Whether pages come without their inputs: what a queue said of them is checked where it is taken in.
    is_counted: bool,
}

impl Gathered {
    /// Of a source whose pages say which inputs they finish, or of one whose pages were counted before.
    pub(super) fn counted(is_counted: bool) -> Self {
        Gathered { is_counted, ..Gathered::default() }
    }

    /// Takes in a page, whose usage was split already. `windows` are the run's, and `first` is when the pipeline's first one begins.
    pub(super) fn page(
        &mut self,
        page: Page,
        split: &Split,
        windows: &[Span],
        first: Option<i64>,
    ) -> Result<(), String> {
        self.items += page.quarantined.len() as u64;
        self.late(split);
        self.astray.add(&split.outside, first);
        // An input that lies across the beginning holds older usage too, and rightly: its times are not read in a wrong way.
        let across = |span: Span| first.is_some_and(|first| span.start < first && first < span.end);
        self.astray.others |= page.inputs.iter().any(|(input, _)| input.span.is_some_and(across));
        self.inputs.extend(page.inputs);
        for record in page.quarantined {
            self.quarantined.add(record, windows);
        }
        self.unreadable.extend(page.unreadable);
        match self.inputs.len().max(self.unreadable.len()) > MOST_INPUTS {
            true => Err(format!("it answered more than {MOST_INPUTS} inputs")),
            false => Ok(()),
        }
    }

    /// Takes in usage of a page that was put aside when the page came.
    pub(super) fn late(&mut self, split: &Split) {
        self.items += split.records;
        for (window, batch) in &split.untaken {
            self.untaken.entry(*window).or_default().count(batch);
        }
    }

    /// By window: how many records of the pages were dropped, since one like them was there.
    pub(super) fn dropped(&mut self, duplicates: &BTreeMap<usize, u64>) {
        for (window, records) in duplicates {
            self.items += records;
            *self.duplicates.entry(*window).or_default() += records;
        }
    }

    /// Takes in what became of the usage of a place.
    pub(super) fn done(&mut self, place: Place, done: Done) {
        self.done.push((place, done));
    }

    /// Checks what the source answered as a whole: each input once, and as many items as it says that they hold.
    ///
    /// # Errors
    /// What does not fit, in words for a person.
    pub(super) fn checked(&self) -> Result<(), String> {
        let mut keys: Vec<&str> = self.inputs.iter().map(|(input, _)| input.key.as_str()).collect();
        keys.sort_unstable();
        if let Some([twice, _]) = keys.array_windows().find(|[left, right]| left == right) {
            return Err(format!("it read {twice} twice: each input belongs to one reader, and to one page"));
        }
        if self.is_counted {
            return Ok(());
        }
        let said: u128 = self.inputs.iter().map(|(_, items)| u128::from(*items)).sum();
        let came = u128::from(self.items);
        // Of an input that broke off in the middle, some items came and none are counted.
        let fits = if self.unreadable.is_empty() { said == came } else { said <= came };
        match fits {
            true => Ok(()),
            false => Err(format!("it says that what it read holds {said} items, and it answered {came}")),
        }
    }

    /// What is each window's: of those in `own`, by their positions among all of the run's.
    pub(super) fn into_opening(mut self, own: Range<usize>, windows: &[Span]) -> Opening {
        let mut readings: Vec<Reading> = own.clone().map(|_| Reading::default()).collect();
        for (place, done) in self.done {
            let Some(reading) = readings.get_mut(place.window) else { continue };
            reading.lines.extend(done.lines.into_iter().map(|line| (place.aggregate, line)));
            reading.excluded.extend(done.excluded);
            for (pair, count) in done.tally {
                *reading.tally.entry(pair).or_default() += count;
            }
            reading.failed.extend(done.failed);
        }
        for (window, tally) in self.untaken {
            let Some(reading) = readings.get_mut(window) else { continue };
            for (pair, records) in tally.into_counts() {
                reading.lines.push((usize::MAX, untaken(&pair, records)));
                *reading.tally.entry(pair).or_default() += records;
            }
        }
        for (window, records) in self.duplicates {
            readings.get_mut(window).into_iter().for_each(|reading| reading.duplicates = records);
        }
        // Threads finish in any order; what is written down does not depend on it.
        self.inputs.sort_by(|left, right| left.0.key.cmp(&right.0.key));
        self.unreadable.sort_by(|left, right| left.input.cmp(&right.input));
        let readings_of = |span: &Option<Span>| {
            let Range { start, end } = touched(span.as_ref(), windows);
            start.clamp(own.start, own.end) - own.start..end.clamp(own.start, own.end) - own.start
        };
        for input in &self.inputs {
            let touched = readings.get_mut(readings_of(&input.0.span)).unwrap_or_default();
            touched.iter_mut().for_each(|reading| reading.inputs.push(input.clone()));
        }
        for found in &self.unreadable {
            let touched = readings.get_mut(readings_of(&found.span)).unwrap_or_default();
            touched.iter_mut().for_each(|reading| reading.unreadable.push(found.clone()));
        }
        for (position, reading) in own.clone().zip(&mut readings) {
            reading.sort();
            reading.quarantined = self.quarantined.of(position);
        }
        let mut astray = self.astray;
        astray.others |= self.items > astray.records;
        Opening { own, readings, astray, quarantined: self.quarantined, unreadable: self.unreadable }
    }
}

impl Reading {
    /// The keys of the inputs that it was read from, or could not be.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let unreadable = self.unreadable.iter().map(|found| found.input.as_str());
        self.inputs.iter().map(|(input, _)| input.key.as_str()).chain(unreadable)
    }

    fn sort(&mut self) {
        self.lines.sort_by(|(first, left), (second, right)| key(left).cmp(&key(right)).then(first.cmp(second)));
        self.lines.dedup_by(joined);
        self.failed.sort_by(|left, right| left.message.cmp(&right.message));
        // Two shards may fail alike.
        self.failed.dedup();
        self.excluded.sort_by(|left, right| {
            (&left.product, &left.customer, &left.dimension, &left.rule).cmp(&(
                &right.product,
                &right.customer,
                &right.dimension,
                &right.rule,
            ))
        });
    }
}

/// The line of usage that no aggregator takes: it stands in the sum, and is held.
fn untaken(pair: &Pair, records: u64) -> ChargeLine {
    let doubt = "no [aggregate] takes this dimension: name it in `takes`, or leave `takes` out of one of them";
    ChargeLine {
        product: pair.product.clone(),
        customer: pair.customer.clone(),
        dimension: pair.dimension.clone(),
        tags: Vec::new(),
        quantity: Decimal::ZERO,
        doubt: Some(doubt.to_owned()),
        origins: vec![(pair.dimension.clone(), records)],
        attributes: Vec::new(),
    }
}

/// One charge a key: what two aggregates make of one is no charge, and is held. Of one aggregate's own two lines the sum does not close.
fn joined(later: &mut (usize, ChargeLine), earlier: &mut (usize, ChargeLine)) -> bool {
    if key(&later.1) != key(&earlier.1) || later.0 == earlier.0 {
        return false;
    }
    let line = &mut earlier.1;
    line.origins.append(&mut later.1.origins);
    line.origins.sort();
    line.doubt = Some(
        "two [aggregate] sections, or one and usage that none takes, make this charge: rename one of them".to_owned(),
    );
    true
}

/// What makes a line that one and no other: product, customer, dimension, tags.
pub(super) type LineKey<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

pub(super) fn key(line: &ChargeLine) -> LineKey<'_> {
    (&line.product, &line.customer, &line.dimension, &line.tags)
}

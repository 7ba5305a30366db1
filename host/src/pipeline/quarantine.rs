//! Records that cannot be used, gathered by what they put in doubt: of many that are alike some are kept, and the others counted, so that
//! a month that is wrong throughout takes no more memory, and no more of a person's time, than a line of it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::reading::{Quarantined, Span};

/// So many records of one kind are kept as they are, and of so many inputs the others are counted by themselves.
const EXAMPLES: usize = 20;

/// What a record puts in doubt: product, customer and dimension as far as they are known, and the windows that it may lie in, by their
/// positions in the run.
type Kind = (Option<String>, Option<String>, Option<String>, usize, usize);

/// What was gathered of one opening.
#[derive(Default)]
pub(super) struct Quarantine(BTreeMap<Kind, Alike>);

#[derive(Default)]
struct Alike {
    /// By input and place, ascending.
    examples: BTreeMap<(String, String), Quarantined>,
    /// How many others there are, by input.
    more: BTreeMap<String, u64>,
    /// And beyond those.
    most: u64,
}

impl Quarantine {
    /// Takes a record in; `windows` are the run's.
    pub(super) fn add(&mut self, record: Quarantined, windows: &[Span]) {
        let Range { start, end } = touched(record.span.as_ref(), windows);
        let kind = (record.product.clone(), record.customer.clone(), record.dimension.clone(), start, end);
        let alike = self.0.entry(kind).or_default();
        if let Some(same) = alike.examples.insert((record.input.clone(), record.place.clone()), record) {
            alike.counts(same.input, 1);
        }
        // The first by name are kept, whichever came first: what is said does not depend on how fast which thread was.
        if alike.examples.len() > EXAMPLES
            && let Some(((input, _), _)) = alike.examples.pop_last()
        {
            alike.counts(input, 1);
        }
    }

    /// What concerns one of the run's windows.
    pub(super) fn of(&self, window: usize) -> Vec<Quarantined> {
        let found = self.0.iter().filter(|((.., begin, end), _)| (*begin..*end).contains(&window));
        found.flat_map(|(_, alike)| alike.records()).collect()
    }

    /// What may lie outside of these windows, and in which it may lie.
    pub(super) fn beyond(&self, own: &Range<usize>) -> impl Iterator<Item = (Range<usize>, Vec<Quarantined>)> {
        let found = self.0.iter().filter(|((.., begin, end), _)| *begin < own.start || *end > own.end);
        found.map(|((.., begin, end), alike)| (*begin..*end, alike.records()))
    }
}

impl Alike {
    fn counts(&mut self, input: String, records: u64) {
        *self.more.entry(input).or_default() += records;
        if self.more.len() > EXAMPLES
            && let Some((_, records)) = self.more.pop_last()
        {
            self.most += records;
        }
    }

    fn records(&self) -> Vec<Quarantined> {
        let mut records: Vec<Quarantined> = self.examples.values().cloned().collect();
        let Some(first) = records.first().cloned() else { return records };
        let (more, most) = (self.more.iter().map(|(input, more)| (input.as_str(), *more)), ("", self.most));
        records.extend(more.chain([most]).filter(|(_, records)| *records > 0).map(|(input, records)| {
            let reason = format!("{records} more records of the kind cannot be used either");
            Quarantined { input: input.to_owned(), place: String::new(), reason, records, ..first.clone() }
        }));
        records
    }
}

/// Which of the windows, ascending and without overlap, an interval has an instant in common with; all, if it is not known.
pub(super) fn touched(span: Option<&Span>, windows: &[Span]) -> Range<usize> {
    let Some(span) = span else { return 0..windows.len() };
    let start = windows.partition_point(|window| window.end <= span.start);
    start..windows.partition_point(|window| window.start < span.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: [Span; 3] = [Span { start: 0, end: 10 }, Span { start: 10, end: 20 }, Span { start: 20, end: 30 }];

    fn record(number: usize, customer: &str, span: Option<(i64, i64)>) -> Quarantined {
        Quarantined {
            input: "a.json".to_owned(),
            place: format!("line {number:05}"),
            reason: "it is odd".to_owned(),
            records: 1,
            customer: Some(customer.to_owned()),
            product: None,
            dimension: None,
            span: span.map(|(start, end)| Span { start, end }),
        }
    }

    #[test]
    fn a_record_stands_in_each_window_that_it_may_lie_in() {
        let mut quarantine = Quarantine::default();
        for (number, span) in
            [None, Some((9, 10)), Some((9, 11)), Some((30, 31)), Some((-5, 0))].into_iter().enumerate()
        {
            quarantine.add(record(number, "a", span), &WINDOWS);
        }
        let places = |window| quarantine.of(window).into_iter().map(|record| record.place).collect::<Vec<_>>();
        assert_eq!(places(0), ["line 00001", "line 00002", "line 00000"]);
        assert_eq!(places(1), ["line 00002", "line 00000"]);
        assert_eq!(places(2), ["line 00000"]);
    }

    #[test]
    fn of_many_that_are_alike_the_first_are_kept_and_all_are_counted() {
        let (mut quarantine, mut other) = (Quarantine::default(), Quarantine::default());
        for number in 0..10_000 {
            quarantine.add(record(number, "a", None), &WINDOWS);
            other.add(record(9_999 - number, "a", None), &WINDOWS);
        }
        quarantine.add(record(7, "b", None), &WINDOWS);
        other.add(record(7, "b", None), &WINDOWS);
        let found = quarantine.of(1);
        assert_eq!(found.len(), EXAMPLES + 2);
        assert_eq!(found.iter().map(|record| record.records).sum::<u64>(), 10_001);
        assert_eq!(found[0].place, "line 00000");
        assert_eq!(found[EXAMPLES].reason, "9980 more records of the kind cannot be used either");
        assert_eq!(found, other.of(1), "in whatever order they come");
    }
}

//! Where a record goes: to the aggregator of its dimension, the window of its time, the shard of its customer.

use crate::model::reading::Span;
use crate::model::usage::Batch;

/// The place that a record is pushed into. All usage of a customer in a window, for one aggregator, comes to one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// The position of its window among those that are read.
    pub(super) window: usize,
    /// The position of the aggregator.
    pub(super) aggregate: usize,
    /// The shard of its customer.
    pub(super) shard: usize,
}

/// Splits batches by place.
pub(super) struct Router<'a> {
    /// Ascending, without overlap.
    pub(super) windows: &'a [Span],
    pub(super) shards: usize,
    /// Which aggregator takes a dimension; `None` if none does.
    pub(super) aggregate_of: &'a (dyn Fn(&str) -> Option<usize> + Sync),
}

/// What a batch was split into.
#[derive(Default)]
pub(super) struct Split {
    /// How many there were.
    pub(super) records: u64,
    pub(super) parts: Vec<(Place, Batch)>,
    /// Records of a dimension that no aggregator takes, by window.
    pub(super) untaken: Vec<(usize, Batch)>,
    /// Times of records that lie in none of the windows.
    pub(super) outside: Vec<i64>,
}

/// Stands for a dimension that no aggregator takes.
const UNTAKEN: usize = usize::MAX;

impl Router<'_> {
    /// Splits a batch; records of other windows than those wanted are left out, because another reading has them.
    pub(super) fn split(&self, batch: Batch) -> Split {
        self.split_some(batch, None)
    }

    /// The same of those rows that are kept; nothing means all.
    pub(super) fn split_some(&self, batch: Batch, keep: Option<&[bool]>) -> Split {
        let records = keep.map_or(batch.rows(), |keep| keep.iter().filter(|keep| **keep).count());
        let mut split = Split { records: records as u64, ..Split::default() };
        let aggregates: Vec<usize> =
            batch.dimension.values.iter().map(|dimension| (self.aggregate_of)(dimension).unwrap_or(UNTAKEN)).collect();
        let shards_of: Vec<usize> = batch.customer.values.iter().map(|customer| self.shard(customer)).collect();
        let single =
            |column: &[usize]| column.first().copied().filter(|first| column.iter().all(|other| other == first));
        if keep.is_none()
            && let (Some(window), Some(aggregate), Some(shard)) =
                (self.one_window(&batch.time), single(&aggregates), single(&shards_of))
        {
            match aggregate {
                UNTAKEN => split.untaken.push((window, batch)),
                aggregate => split.parts.push((Place { window, aggregate, shard }, batch)),
            }
            return split;
        }
        // One list of rows a place, found by arithmetic: this is done for every record.
        let lanes = aggregates.iter().map(|&aggregate| if aggregate == UNTAKEN { 0 } else { aggregate + 1 }).max();
        let (lanes, shards) = (lanes.unwrap_or(0) + 1, self.shards.max(1));
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); self.windows.len() * lanes * shards];
        let mut last: Option<(usize, Span)> = None;
        for (row, &time) in (0u32..).zip(&batch.time) {
            if keep.is_some_and(|keep| keep.get(row as usize) == Some(&false)) {
                continue;
            }
            let window = match last {
                Some((window, span)) if span.start <= time && time < span.end => window,
                _ => match self.window(time) {
                    Some((window, span)) => {
                        last = Some((window, span));
                        window
                    }
                    None => {
                        split.outside.push(time);
                        continue;
                    }
                },
            };
            let aggregate = aggregates.get(batch.dimension.index(row as usize) as usize).copied().unwrap_or(UNTAKEN);
            let lane = if aggregate == UNTAKEN { 0 } else { aggregate + 1 };
            let shard = shards_of.get(batch.customer.index(row as usize) as usize).copied().unwrap_or_default();
            if let Some(rows) = rows.get_mut((window * lanes + lane) * shards + shard) {
                rows.push(row);
            }
        }
        for (number, rows) in rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let (window, lane, shard) = (number / shards / lanes, number / shards % lanes, number % shards);
            let part = batch.select(&rows);
            match lane.checked_sub(1) {
                None => split.untaken.push((window, part)),
                Some(aggregate) => split.parts.push((Place { window, aggregate, shard }, part)),
            }
        }
        split
    }

    /// The window that all times lie in, if there is one.
    fn one_window(&self, times: &[i64]) -> Option<usize> {
        let (least, most) =
            times.iter().fold((i64::MAX, i64::MIN), |(least, most), &time| (least.min(time), most.max(time)));
        let (window, span) = self.window(least)?;
        (most < span.end).then_some(window)
    }

    fn window(&self, time: i64) -> Option<(usize, Span)> {
        let position = self.windows.partition_point(|window| window.start <= time).checked_sub(1)?;
        let span = *self.windows.get(position)?;
        (time < span.end).then_some((position, span))
    }

    /// A hash that is the same on every machine and in every version: state may outlive both.
    fn shard(&self, customer: &str) -> usize {
        if self.shards <= 1 {
            return 0;
        }
        let hash = customer
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        ((hash ^ (hash >> 32)) % self.shards as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::usage::TextColumn;

    fn batch(records: &[(&str, &str, i64)]) -> Batch {
        let column = |texts: Vec<&str>| {
            let mut values: Vec<String> = Vec::new();
            let indices = texts
                .iter()
                .map(|text| match values.iter().position(|value| value == text) {
                    Some(position) => position as u32,
                    None => {
                        values.push((*text).to_owned());
                        values.len() as u32 - 1
                    }
                })
                .collect();
            TextColumn { values, indices }
        };
        Batch {
            time: records.iter().map(|record| record.2).collect(),
            customer: column(records.iter().map(|record| record.0).collect()),
            dimension: column(records.iter().map(|record| record.1).collect()),
            lo: (0..records.len() as u64).collect(),
            ..Batch::default()
        }
    }

    const WINDOWS: [Span; 2] = [Span { start: 0, end: 10 }, Span { start: 10, end: 20 }];

    #[test]
    fn every_record_of_the_wanted_windows_comes_to_exactly_one_place() {
        let aggregate_of = |dimension: &str| (dimension != "x").then_some(usize::from(dimension == "d2"));
        let router = Router { windows: &WINDOWS, shards: 3, aggregate_of: &aggregate_of };
        let records: Vec<(String, &str, i64)> = (0..100)
            .map(|number| (format!("c{}", number % 7), ["d1", "d2", "x"][number % 3], number as i64 % 25 - 2))
            .collect();
        let borrowed: Vec<_> =
            records.iter().map(|(customer, dimension, time)| (&**customer, *dimension, *time)).collect();
        let split = router.split(batch(&borrowed));
        let mut seen: Vec<u64> = Vec::new();
        for (place, part) in &split.parts {
            for row in 0..part.rows() {
                let (customer, dimension) = (part.customer.get(row).unwrap(), part.dimension.get(row).unwrap());
                assert_eq!(router.shard(customer), place.shard);
                assert_eq!(aggregate_of(dimension), Some(place.aggregate));
                let window = WINDOWS[place.window];
                assert!(window.start <= part.time[row] && part.time[row] < window.end);
                seen.push(part.lo[row]);
            }
        }
        let untaken: usize = split.untaken.iter().map(|(_, part)| part.rows()).sum();
        seen.sort_unstable();
        let expected: Vec<u64> = (0..100)
            .filter(|&number| (0..20).contains(&records[number as usize].2) && records[number as usize].1 != "x")
            .collect();
        assert_eq!(seen, expected);
        assert!(untaken > 0);
    }

    #[test]
    fn a_batch_of_one_place_is_passed_on_whole() {
        let router = Router { windows: &WINDOWS, shards: 1, aggregate_of: &|_| Some(0) };
        let records = batch(&[("a", "d", 1), ("b", "d", 9)]);
        let split = router.split(records.clone());
        assert_eq!(split.parts, vec![(Place { window: 0, aggregate: 0, shard: 0 }, records)]);
    }
}

//! A set on its way: rows are made, checked and added up here, and stored or sent elsewhere.

use std::collections::BTreeMap;

use drops::{NewDrop, time};
use meterhost_sdk::{ChargeBatch, Error, Outline, Publication, PublishFailure, Window, Written};
use prices::Pricing;

use crate::costs::{self, Known};
use crate::objections::Objections;
use crate::plan::{Cost, Place, Plan};
use crate::sheet::Sheet;
use crate::stream::StreamedSet;
use crate::totals::Totals;

/// A set on its way.
pub struct AnyCostPublication {
    plan: Plan,
    period: Window,
    /// What tags are written under, and their names.
    keys: BTreeMap<String, String>,
    pricing: Option<Pricing>,
    totals: Totals,
    rows: u64,
    goal: Goal,
}

/// Where the set goes.
enum Goal {
    Drop(NewDrop),
    Stream(StreamedSet),
}

impl AnyCostPublication {
    pub(crate) fn begin(plan: Plan, outline: &Outline) -> Result<Self, Error> {
        let keys = plan.keys.of_set(outline.tags.iter().map(String::as_str)).map_err(Error::Other)?;
        let header = plan.header(keys.keys());
        let goal = match &plan.place {
            Place::Drops(drops) => Goal::Drop(drops.begin(outline, header)?),
            Place::Stream(target) => Goal::Stream(StreamedSet::begin(target.clone(), outline, header)),
        };
        let pricing = match &plan.cost {
            Cost::Priced(prices, _) => Some(Pricing::of(prices.clone(), outline.closed)),
            Cost::Told(_) => None,
        };
        Ok(AnyCostPublication { plan, period: outline.period, keys, pricing, totals: Totals::default(), rows: 0, goal })
    }
}

impl Publication for AnyCostPublication {
    fn id(&self) -> String {
        match &self.goal {
            Goal::Drop(drop) => drop.id().to_owned(),
            Goal::Stream(set) => set.id().to_owned(),
        }
    }

    fn survey(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        match &mut self.pricing {
            Some(pricing) => Ok(costs::survey(&self.plan, pricing, charges)?),
            None => Ok(()),
        }
    }

    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        let rows = charges.len();
        let Window { start, end } = self.period;
        if let Some(stray) = charges.starts().iter().find(|time| !(start..end).contains(*time)) {
            let stray = time::iso(*stray);
            return Err(
                Error::Other(format!("a charge's window begins at {stray}, outside of the month of the set")).into()
            );
        }
        let mut wrong = Objections::default();
        let keys = self.keys.iter().map(|(key, name)| (key.as_str(), name.as_str()));
        let known = self.pricing.as_mut().map(|pricing| Known { pricing, alone: false });
        let sheet = Sheet::of(&self.plan, charges, keys, known, &mut wrong);
        wrong.none(charges)?;
        self.totals.add(&sheet.costs, rows);
        self.rows += rows as u64;
        match &mut self.goal {
            Goal::Drop(drop) => Ok(drop.write(&sheet.columns(), rows)?),
            Goal::Stream(set) => Ok(set.write(&sheet.columns(), charges)?),
        }
    }

    fn finish(&mut self) -> Result<Written, PublishFailure> {
        if let Some(pricing) = &self.pricing {
            pricing.finish().map_err(|fault| Error::Other(fault.to_string()))?;
        }
        let totals = self.totals.finish(self.plan.totals)?;
        let (files, bytes) = match &mut self.goal {
            Goal::Drop(drop) => {
                let filed = drop.finish()?;
                (filed.files, filed.bytes)
            }
            Goal::Stream(set) => set.send()?,
        };
        Ok(Written { rows: self.rows, files, bytes, totals })
    }

    fn commit(&mut self) -> Result<(), PublishFailure> {
        match &mut self.goal {
            Goal::Drop(drop) => drop.commit(),
            // Each body showed itself when it was taken.
            Goal::Stream(_) => Ok(()),
        }
    }
}

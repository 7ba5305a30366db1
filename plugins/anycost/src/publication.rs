//! A set on its way: rows are made, checked and added up here, and stored or sent elsewhere.

use std::collections::BTreeMap;

use drops::NewDrop;
use meterhost_sdk::{ChargeBatch, Decimal, Error, Outline, Publication, PublishFailure, Window, Written, warn};
use prices::Pricing;
use sheets::{Agreed, Known, Objections};

use crate::keys;
use crate::plan::{Place, Plan};
use crate::sheet::Sheet;
use crate::stream::StreamedSet;
use crate::totals::Totals;

/// A set on its way.
pub struct AnyCostPublication {
    plan: Plan,
    period: Window,
    /// What tags are written under, and the names of those that are.
    keys: BTreeMap<String, Vec<String>>,
    /// Which of the names charges had so far.
    agreed: Agreed,
    pricing: Pricing,
    /// Whether it was told that a resource has two values of a tag.
    rivals: bool,
    totals: Totals,
    /// What they came to, once the set has ended.
    total: Option<Vec<(String, Decimal)>>,
    rows: u64,
    goal: Goal,
}

/// Where the set goes.
enum Goal {
    Drop(Box<NewDrop>),
    Stream(StreamedSet),
}

impl AnyCostPublication {
    pub(crate) fn begin(plan: Plan, outline: &Outline) -> Result<Self, Error> {
        let keys = plan.keys.of_set(outline.tags.iter().map(String::as_str));
        let header = plan.header(keys.keys());
        let goal = match &plan.place {
            Place::Drops(drops) => Goal::Drop(Box::new(drops.begin(outline, header)?)),
            Place::Stream(target) => Goal::Stream(StreamedSet::begin(target.clone(), outline, header)),
        };
        let pricing = plan.cost.pricing(outline.closed);
        let (period, totals, agreed) = (outline.period, Totals::default(), Agreed::default());
        Ok(AnyCostPublication {
            plan,
            period,
            keys,
            agreed,
            pricing,
            rivals: false,
            totals,
            total: None,
            rows: 0,
            goal,
        })
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
        Ok(self.plan.cost.survey(&mut self.pricing, charges)?)
    }

    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        let rows = charges.len();
        sheets::of_month(charges, self.period)?;
        let mut wrong = Objections::default();
        self.plan.keys.check_set(&self.keys, &mut self.agreed, charges, &mut wrong);
        let tags = self.keys.iter().map(|(key, names)| (key.as_str(), keys::cells(names, charges)));
        let known = Known { pricing: &mut self.pricing, alone: false };
        let sheet = Sheet::of(&self.plan, charges, tags, known, &mut wrong);
        wrong.none(charges)?;
        // Once a set, and of what comes together: nothing is remembered of rows that are written.
        if !self.rivals
            && let Some(rivals) = sheet.rivals(rows)
        {
            warn(&sheet.rivalry(rivals));
            self.rivals = true;
        }
        self.totals.add(&sheet.costs, rows);
        self.rows += rows as u64;
        match &mut self.goal {
            Goal::Drop(drop) => Ok(drop.write(&sheet.columns(), rows)?),
            Goal::Stream(set) => Ok(set.write(&sheet.columns(), charges)?),
        }
    }

    fn finish(&mut self) -> Result<Written, PublishFailure> {
        // Before anything leaves; and once, however often the service wants patience.
        let totals = match self.total.take() {
            Some(totals) => totals,
            None => {
                self.pricing.finish().map_err(|fault| Error::Other(fault.to_string()))?;
                self.totals.finish(self.plan.totals)?
            }
        };
        self.total = Some(totals.clone());
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

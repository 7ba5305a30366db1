//! A set on its way: rows are made, checked and added up here, and stored as a drop.

use drops::{NewDrop, time};
use meterhost_sdk::{ChargeBatch, Error, Outline, Publication, PublishFailure, Window, Written};
use prices::Pricing;

use crate::costs::{self, Known};
use crate::objections::Objections;
use crate::parents::Parents;
use crate::plan::Plan;
use crate::sheet::Sheet;
use crate::totals::Totals;

/// A set on its way.
pub struct FocusPublication {
    plan: Plan,
    period: Window,
    pricing: Pricing,
    parents: Parents,
    totals: Totals,
    drop: NewDrop,
}

impl FocusPublication {
    pub(crate) fn begin(plan: Plan, outline: &Outline) -> Result<Self, Error> {
        let drop = plan.drops.begin(outline, plan.header())?;
        let pricing = Pricing::of(plan.prices.clone(), outline.closed);
        let (parents, totals) = (Parents::default(), Totals::default());
        Ok(FocusPublication { plan, period: outline.period, pricing, parents, totals, drop })
    }
}

impl Publication for FocusPublication {
    fn id(&self) -> String {
        self.drop.id().to_owned()
    }

    fn survey(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        Ok(costs::survey(&self.plan, &mut self.pricing, charges)?)
    }

    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        let Window { start, end } = self.period;
        if let Some(stray) = charges.starts().iter().find(|time| !(start..end).contains(*time)) {
            let stray = time::iso(*stray);
            return Err(
                Error::Other(format!("a charge's window begins at {stray}, outside of the month of the set")).into()
            );
        }
        let mut wrong = Objections::default();
        let known = Known { pricing: &mut self.pricing, alone: false };
        let sheet = Sheet::of(&self.plan, charges, known, &mut wrong);
        self.parents.check(&sheet, charges.len(), &mut wrong);
        wrong.none(charges)?;
        self.totals.add(&sheet, charges.len());
        Ok(self.drop.write(&sheet.columns(), charges.len())?)
    }

    fn finish(&mut self) -> Result<Written, PublishFailure> {
        self.pricing.finish().map_err(|fault| Error::Other(fault.to_string()))?;
        let totals = self.totals.finish()?;
        let filed = self.drop.finish()?;
        Ok(Written { rows: filed.rows, files: filed.files, bytes: filed.bytes, totals })
    }

    fn commit(&mut self) -> Result<(), PublishFailure> {
        self.drop.commit()
    }
}

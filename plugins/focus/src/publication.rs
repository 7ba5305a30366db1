//! A set on its way: rows are made, checked and added up here, and stored as a drop.

use drops::NewDrop;
use meterhost_sdk::{ChargeBatch, Error, Outline, Publication, PublishFailure, Window, Written};
use prices::Pricing;
use sheets::{Known, Objections};

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
        let pricing = plan.cost.pricing(outline.closed);
        let (parents, totals) = (Parents::default(), Totals::default());
        Ok(FocusPublication { plan, period: outline.period, pricing, parents, totals, drop })
    }
}

impl Publication for FocusPublication {
    fn id(&self) -> String {
        self.drop.id().to_owned()
    }

    fn survey(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        Ok(self.plan.cost.survey(&mut self.pricing, charges)?)
    }

    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        sheets::of_month(charges, self.period)?;
        let mut wrong = Objections::default();
        let known = Known { pricing: &mut self.pricing, alone: false };
        let sheet = Sheet::of(&self.plan, charges, known, &mut wrong);
        self.parents.check(&sheet, charges, &mut wrong);
        wrong.none(charges)?;
        self.totals.add(&sheet, charges.len());
        Ok(self.drop.write(&sheet.columns(), charges.len())?)
    }

    fn finish(&mut self) -> Result<Written, PublishFailure> {
        self.pricing.finish().map_err(|fault| Error::Other(fault.to_string()))?;
        let totals = self.totals.finish();
        let filed = self.drop.finish()?;
        Ok(Written { rows: filed.rows, files: filed.files, bytes: filed.bytes, totals })
    }

    fn commit(&mut self) -> Result<(), PublishFailure> {
        self.drop.commit()
    }
}

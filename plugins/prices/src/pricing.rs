//! A run over the charges of one period.

use meterhost_sdk::Decimal;

use crate::accounts::{Account, Kind, Names};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::prices::Prices;
use crate::shares::{Shares, Survey};
use crate::tariff::Place;

/// A run over the charges of one calendar month: all of them, those of an account in the order of time.
///
/// What it remembers grows with the accounts, not with the charges; accounts at a plain unit price take nothing.
#[derive(Debug)]
pub struct Pricing {
    prices: Prices,
    closed: bool,
    names: Names,
    /// By the number of the account.
    kept: Vec<Kept>,
}

/// What is remembered of an account, and the number of its plan.
#[derive(Debug)]
struct Kept {
    plan: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// What a charge costs depends on those before it, and no others.
    Direct(Place),
    /// It depends on the total. No charge is priced yet.
    Surveyed(Survey),
    /// It depends on the total, and that is known.
    Shared(Box<Shares>),
}

impl Pricing {
    /// Begins a run. `closed` says whether the period is over, so that minimums are owed.
    pub fn of(prices: Prices, closed: bool) -> Self {
        Pricing { prices, closed, names: Names::default(), kept: Vec::new() }
    }

    /// The account of a product, a customer and a dimension, the same each time. It may have no price: then its charges need prices of
    /// their own.
    pub fn account(&mut self, product: &str, customer: &str, dimension: &str) -> Account {
        let found = self.prices.index(dimension).and_then(|index| Some((index, self.prices.plan(index)?)));
        let Some((index, plan)) = found else {
            return Account(Kind::Unpriced);
        };
        if let Some(price) = plan.unit(self.closed) {
            return Account(Kind::Unit(price));
        }
        let number = self.names.number([product, customer, dimension]);
        if number == self.kept.len() {
            self.kept.push(Kept { plan: index, stage: Stage::first(plan, self.closed) });
        }
        Account(Kind::Kept(number))
    }

    /// Takes a charge into the total of its account. Where [`Prices::surveys`], every charge is surveyed before the first of its account is
    /// priced; elsewhere none has to be. The arguments are those of [`Pricing::price`].
    ///
    /// # Errors
    ///
    /// If the quantity is below 0, or if a charge of the account is priced already.
    #[inline]
    pub fn survey(&mut self, account: Account, quantity: Decimal, own: Option<Decimal>) -> Result<(), Fault> {
        if quantity.is_negative() {
            return Err(Fault::Negative(quantity));
        }
        let (None, Kind::Kept(number)) = (own, account.0) else {
            return Ok(());
        };
        match self.kept.get_mut(number).map(|kept| &mut kept.stage) {
            Some(Stage::Surveyed(survey)) => survey.add(quantity),
            Some(Stage::Direct(_)) => {}
            Some(Stage::Shared(_)) => return Err(Fault::SurveyedLate),
            None => return Err(Fault::Foreign),
        }
        Ok(())
    }

    /// What the next charge of an account costs. With a unit price of its `own`, it costs that for each unit and does not count into the
    /// account.
    ///
    /// # Errors
    ///
    /// If there is no price, if the quantity is below 0, if 38 digits do not hold the cost or what it is worked out with, or if the account
    /// needs a survey and had another one. The account is then where it was before.
    #[inline]
    pub fn price(&mut self, account: Account, quantity: Decimal, own: Option<Decimal>) -> Result<Decimal, Fault> {
        if quantity.is_negative() {
            return Err(Fault::Negative(quantity));
        }
        let unit = match (own, account.0) {
            (Some(unit), _) | (None, Kind::Unit(unit)) => unit,
            (None, Kind::Kept(number)) => return self.price_kept(number, quantity),
            (None, Kind::Unpriced) => return Err(Fault::Unpriced),
        };
        quantity.checked_mul(unit).ok_or(Fault::TooLong("the cost"))
    }

    /// Confirms that every charge that was surveyed is priced: before that, the costs of an account need not add up.
    ///
    /// # Errors
    ///
    /// If charges of an account are missing.
    pub fn finish(&self) -> Result<(), Fault> {
        let missing = self.kept.iter().map(|kept| kept.stage.missing()).enumerate();
        let Some((number, missing)) = missing.into_iter().find(|(_, missing)| *missing > 0) else {
            return Ok(());
        };
        let [product, customer, dimension] = self.names.of(number).unwrap_or_default().map(str::to_owned);
        Err(Fault::Unfinished { product, customer, dimension, missing })
    }

    fn price_kept(&mut self, number: usize, quantity: Decimal) -> Result<Decimal, Fault> {
        let Kept { plan, stage } = self.kept.get_mut(number).ok_or(Fault::Foreign)?;
        let plan = self.prices.plan(*plan).ok_or(Fault::Foreign)?;
        if let Stage::Surveyed(survey) = stage {
            *stage = Stage::Shared(Box::new(survey.shares(plan, self.closed)?));
        }
        match stage {
            Stage::Direct(place) => {
                let added = plan.tariff().and_then(|tariff| tariff.add(*place, quantity));
                let (cost, next) = added.ok_or(Fault::TooLong("the cost"))?;
                *place = next;
                Ok(cost)
            }
            Stage::Shared(shares) => shares.price(plan, quantity),
            Stage::Surveyed(_) => Err(Fault::NotAsSurveyed),
        }
    }
}

impl Stage {
    fn first(plan: &Plan, closed: bool) -> Self {
        match plan.tariff() {
            Some(tariff) if !plan.surveys(closed) => Stage::Direct(tariff.start()),
            _ => Stage::Surveyed(Survey::default()),
        }
    }

    /// Charges that were surveyed and not priced.
    fn missing(&self) -> u64 {
        match self {
            Stage::Direct(_) => 0,
            Stage::Surveyed(survey) => survey.charges(),
            Stage::Shared(shares) => shares.missing(),
        }
    }
}

//! Which result speaks for which charge.
//!
//! Results name their contract, and should name their dimension. A result with both speaks for that charge if nothing else in it
//! contradicts what was sent. Results without a dimension speak for a contract's charges only if the contract has as many results as
//! charges and all of them agree; as many that disagree leave the charges to a look-up, with the refusal for those that are absent. A
//! result without a contract speaks for nobody; the only result of a call with one charge may be its refusal, if a look-up shows it
//! absent. A charge without a result that is surely its own is unknown.

use std::collections::{BTreeMap, BTreeSet};

use meterhost_sdk::{Charge, Decimal, Outcome, Status};
use serde_json::value::RawValue;

use crate::Cloud;
use crate::record::{Field, Record};
use crate::sent::Sent;
use crate::service;
use crate::verdict::Verdict;

/// The most of an answer that an outcome carries, in bytes.
const SHOWN: usize = 2048;

/// A result and what it says.
#[derive(Debug)]
struct Reading<'a> {
    record: Record<'a>,
    verdict: Verdict,
}

/// One outcome a charge, in the order of the charges. An error if the answer is none to a call.
pub(crate) fn read(cloud: Cloud, charges: &[Charge], body: &[u8]) -> Result<Vec<Outcome>, String> {
    let results = results(body)?;
    let count = results.len();
    let readings: Vec<Reading<'_>> = results
        .into_iter()
        .filter_map(Record::read)
        .filter(|record| !record.repeats)
        .map(|record| Reading { verdict: Verdict::of(&record), record })
        .collect();
    // What cannot be read, or says a thing twice, may be about any contract.
    let odd = readings.len() < count;
    let mut by_contract: BTreeMap<&str, Vec<&Reading<'_>>> = BTreeMap::new();
    let mut nameless = Vec::new();
    for reading in &readings {
        match reading.record.contract_id.text() {
            Some(contract) => by_contract.entry(contract).or_default().push(reading),
            None => nameless.push(reading),
        }
    }
    let unmatched = Unmatched::of(body, &nameless, alone(cloud, charges, count, &nameless));
    let mut contracts: BTreeMap<&str, Vec<&Charge>> = BTreeMap::new();
    for charge in charges {
        contracts.entry(&charge.customer).or_default().push(charge);
    }
    let mut outcomes = BTreeMap::new();
    for (contract, charges) in contracts {
        let readings = by_contract.get(contract).map(Vec::as_slice).unwrap_or_default();
        for outcome in Contract::of(cloud, &charges, readings, odd).outcomes(&unmatched) {
            outcomes.insert(outcome.id.clone(), outcome);
        }
    }
    Ok(charges.iter().filter_map(|charge| outcomes.remove(&charge.id)).collect())
}

/// The refusal that the only result speaks of without naming its contract, where the call held one charge: whose else could it be?
fn alone(cloud: Cloud, charges: &[Charge], results: usize, nameless: &[&Reading<'_>]) -> Option<String> {
    let ([charge], [reading], 1) = (charges, nameless, results) else { return None };
    let record = &reading.record;
    let dimension = match &record.dimension {
        Field::Missing => true,
        Field::Text(dimension) => *dimension == charge.dimension,
        Field::Odd => false,
    };
    let fits =
        record.contract_id == Field::Missing && dimension && record.contradiction(&Sent::of(cloud, charge)).is_none();
    fits.then(|| refusal(nameless)).flatten()
}

fn results(body: &[u8]) -> Result<Vec<&RawValue>, String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body)
        .map_err(|_| format!("Clazar's answer is no JSON object: {}", service::words(body)))?;
    let results =
        fields.get("results").ok_or_else(|| format!("Clazar's answer has no `results`: {}", service::words(body)))?;
    serde_json::from_str(results.get())
        .map_err(|_| format!("the `results` of Clazar's answer are no list: {}", service::words(body)))
}

/// What is said of a charge that no result names.
struct Unmatched {
    message: String,
    refusal_if_absent: Option<String>,
    raw: String,
}

impl Unmatched {
    fn of(body: &[u8], nameless: &[&Reading<'_>], refusal_if_absent: Option<String>) -> Self {
        let nothing = "Clazar's answer says nothing that is surely about this charge";
        let message = match words(nameless) {
            words if words.is_empty() => nothing.to_owned(),
            words => format!("{nothing}; of a contract that it does not name, it says: {words}"),
        };
        Unmatched { message, refusal_if_absent, raw: service::excerpt(&String::from_utf8_lossy(body), SHOWN) }
    }
}

/// The charges of one contract, and the results that name it.
struct Contract<'a> {
    cloud: Cloud,
    charges: &'a [&'a Charge],
    /// For each charge the results that name its dimension.
    own: Vec<Vec<&'a Reading<'a>>>,
    /// The results without a dimension.
    loose: Vec<&'a Reading<'a>>,
    /// Whether some result names a dimension that is not, or not surely, one of these charges'.
    stray: bool,
    /// How many results name the contract.
    results: usize,
}

impl<'a> Contract<'a> {
    fn of(cloud: Cloud, charges: &'a [&'a Charge], readings: &[&'a Reading<'a>], odd: bool) -> Self {
        let mut contract = Contract {
            cloud,
            charges,
            own: vec![Vec::new(); charges.len()],
            loose: Vec::new(),
            stray: odd,
            results: readings.len(),
        };
        for &reading in readings {
            match &reading.record.dimension {
                Field::Missing => contract.loose.push(reading),
                Field::Odd => contract.stray = true,
                Field::Text(dimension) => contract.assign(dimension, reading),
            }
        }
        contract
    }

    fn assign(&mut self, dimension: &str, reading: &'a Reading<'a>) {
        let mut named = 0;
        for (charge, own) in self.charges.iter().zip(&mut self.own) {
            if charge.dimension == dimension {
                own.push(reading);
                named += 1;
                self.stray |= reading.record.contradiction(&Sent::of(self.cloud, charge)).is_some();
            }
        }
        self.stray |= named != 1;
    }

    fn outcomes(&self, unmatched: &Unmatched) -> Vec<Outcome> {
        let rest: Vec<&Charge> =
            self.charges.iter().zip(&self.own).filter(|(_, own)| own.is_empty()).map(|(charge, _)| *charge).collect();
        let rest_outcome = self.of_the_rest(&rest, unmatched);
        // More results without a dimension than charges without a result: they may be about any charge of the contract.
        let surplus = if self.loose.len() > rest.len() { self.loose.as_slice() } else { &[] };
        let outcome = |(charge, own): (&&Charge, &Vec<&'a Reading<'a>>)| {
            if own.is_empty() {
                return rest_outcome(charge);
            }
            if self.charges.iter().filter(|other| other.dimension == charge.dimension).count() > 1 {
                let message = "two charges of the call have this contract and dimension, and Clazar's answer does not tell them apart";
                return unknown(charge, message.into(), None, raw(own));
            }
            self.of_its_own(charge, &[own, surplus].concat())
        };
        self.charges.iter().zip(&self.own).map(outcome).collect()
    }

    /// The outcome of a charge with results of its own.
    fn of_its_own(&self, charge: &Charge, own: &[&Reading<'_>]) -> Outcome {
        let sent = Sent::of(self.cloud, charge);
        if let Some(message) = own.iter().find_map(|reading| reading.record.contradiction(&sent)) {
            return unknown(charge, message, None, raw(own));
        }
        match agreed(own) {
            Some(verdict) => settled(charge, verdict, own, reference(own)),
            None => unknown(charge, words(own), refusal(own), raw(own)),
        }
    }

    /// The outcomes of the charges that no result names with their dimension.
    fn of_the_rest<'b>(&'b self, rest: &[&Charge], unmatched: &'b Unmatched) -> impl Fn(&Charge) -> Outcome + 'b {
        let one_each = self.results == self.charges.len() && self.loose.len() == rest.len() && !self.stray;
        let fit = one_each && self.fits(rest);
        let alone = rest.len() == 1;
        move |charge| {
            let loose = self.loose.as_slice();
            if loose.is_empty() {
                let Unmatched { message, refusal_if_absent, raw } = unmatched;
                return unknown(charge, message.clone(), refusal_if_absent.clone(), raw.clone());
            }
            // All answers of the contract have to agree, those included that name another charge of it.
            let all: Vec<&Reading<'_>> = self.own.iter().flatten().copied().chain(loose.iter().copied()).collect();
            match agreed(&all) {
                // Which of several ids is whose, nobody knows.
                Some(verdict) if fit => settled(charge, verdict, loose, alone.then(|| reference(loose)).flatten()),
                _ => {
                    let count = self.charges.len();
                    let message = format!(
                        "Clazar says of this contract's charges ({count} in the call), without naming the dimension: {}",
                        words(loose)
                    );
                    unknown(charge, message, fit.then(|| refusal(loose)).flatten(), raw(loose))
                }
            }
        }
    }

    /// Whether the results without a dimension can be about these charges, one each: what they echo besides fits all of them, each
    /// quantity is echoed no more often than it was sent, and no record is named twice.
    fn fits(&self, rest: &[&Charge]) -> bool {
        let mut sent: BTreeMap<Decimal, usize> = BTreeMap::new();
        for charge in rest {
            *sent.entry(charge.quantity).or_default() += 1;
        }
        let mut ids = BTreeSet::new();
        self.loose.iter().all(|reading| {
            let record = &reading.record;
            let quantity = match &record.quantity {
                Field::Missing => None,
                Field::Text(_) => record.amount(),
                Field::Odd => return false,
            };
            let known = match (&record.quantity, quantity) {
                (Field::Missing, _) => true,
                (_, Some(quantity)) => match sent.get_mut(&quantity) {
                    Some(left @ 1..) => {
                        *left -= 1;
                        true
                    }
                    _ => false,
                },
                (_, None) => false,
            };
            let elsewhere = rest.iter().all(|charge| {
                let sent = Sent { quantity: quantity.unwrap_or(charge.quantity), ..Sent::of(self.cloud, charge) };
                record.contradiction(&sent).is_none()
            });
            known && elsewhere && record.id.text().is_none_or(|id| ids.insert(id.to_owned()))
        })
    }
}

/// What all of these say, if they agree and it is sure.
fn agreed<'a>(readings: &[&'a Reading<'_>]) -> Option<&'a Verdict> {
    let (first, rest) = readings.split_first()?;
    let sure = first.verdict.agrees(&first.verdict);
    (sure && rest.iter().all(|reading| reading.verdict.agrees(&first.verdict))).then_some(&first.verdict)
}

fn settled(charge: &Charge, verdict: &Verdict, readings: &[&Reading<'_>], reference: Option<String>) -> Outcome {
    let status = match verdict {
        Verdict::Accepted => Status::Accepted,
        Verdict::Duplicate(_) => Status::Duplicate,
        Verdict::Refused(_) => Status::Rejected,
        Verdict::Unclear { .. } => Status::Unknown,
    };
    Outcome {
        id: charge.id.clone(),
        status,
        // What was wrong may be put right at the service: a contract concluded, a dimension registered.
        retryable: status == Status::Rejected,
        refusal_if_absent: None,
        reference,
        message: (status != Status::Accepted).then(|| words(readings)),
        raw: raw(readings),
    }
}

fn unknown(charge: &Charge, message: String, refusal_if_absent: Option<String>, raw: String) -> Outcome {
    Outcome {
        id: charge.id.clone(),
        status: Status::Unknown,
        retryable: false,
        refusal_if_absent,
        reference: None,
        message: Some(message),
        raw,
    }
}

/// The id that a charge's results agree on.
fn reference(own: &[&Reading<'_>]) -> Option<String> {
    let mut ids = own.iter().filter_map(|reading| reading.record.id.text());
    let first = ids.next()?;
    ids.all(|id| id == first).then(|| first.to_owned())
}

/// What the service says in these, each thing once.
fn words(readings: &[&Reading<'_>]) -> String {
    joined(readings.iter().map(|reading| reading.verdict.words()))
}

fn refusal(readings: &[&Reading<'_>]) -> Option<String> {
    let refusals = joined(readings.iter().filter_map(|reading| reading.verdict.refusal()));
    (!refusals.is_empty()).then_some(refusals)
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    service::excerpt(&seen.join(" | "), SHOWN)
}

fn raw(readings: &[&Reading<'_>]) -> String {
    match readings {
        [reading] => service::excerpt(reading.record.raw, SHOWN),
        _ => {
            let raws: Vec<&str> = readings.iter().map(|reading| reading.record.raw).collect();
            service::excerpt(&format!("[{}]", raws.join(",")), SHOWN)
        }
    }
}

//! Marking one record: what is to be written, and what to make of a condition that failed.

use std::collections::{BTreeSet, HashSet};

use meterhost_sdk::{Error, Obstacle, Receipt, Settled, Settlement, Unmarked};
use serde_json::json;
use serde_json::value::RawValue;

use crate::attribute::{self, Attribute, Literal};
use crate::claim::{self, Claim};
use crate::config::Mark;
use crate::expression::{Placeholders, Update};
use crate::names::{CHARGE, CLAIMED_AS, COUNTED, FAILED, Names, PENDING, RESPONSE};
use crate::reference::Key;
use crate::response;
use crate::totals::{self, Addition, Found};
use crate::write::{Refusal, Verdict};

/// So many charges are counted in one step: each needs room in expressions of at most 4 KB and 300 operators.
const COUNTED_AT_ONCE: usize = 20;
/// So often a record is offered anew because others write to it or to its totals.
const TRIES: u32 = 20;

/// So long a value is shown, in bytes.
const LONGEST_SHOWN: usize = 60;

/// A record that is being marked.
pub(crate) struct Marking<'a> {
    names: &'a Names,
    claim: &'a str,
    reference: &'a str,
    key: Key,
    settlements: Vec<&'a Settlement>,
    /// Charges of which this record is the first, and which are not in the totals yet.
    to_count: Vec<&'a Settlement>,
    /// Product and customer of rows without a map of totals.
    without_map: HashSet<(String, String)>,
    /// The rows of the latest step, in the order of its updates.
    rows: Vec<(String, String)>,
    tries: u32,
}

/// Where a record stands.
pub(crate) enum State {
    Marked,
    /// There is more to write, or the same once more.
    Again,
    Unmarked(Unmarked),
}

impl<'a> Marking<'a> {
    /// What a receipt asks for; the outer error is the caller's fault.
    pub(crate) fn new(
        names: &'a Names,
        claim: &'a str,
        settlements: &'a [Settlement],
        receipt: &'a Receipt,
    ) -> Result<Result<Self, Unmarked>, Error> {
        let reference = receipt.reference.as_str();
        let of = |positions: &[u32]| {
            let settlement = |&position: &u32| {
                settlements.get(position as usize).ok_or_else(|| {
                    let many = settlements.len();
                    Error::Other(format!("the receipt of {reference} names settlement {position} of {many}"))
                })
            };
            positions.iter().map(settlement).collect::<Result<Vec<&Settlement>, Error>>()
        };
        let (all, mut first) = (of(&receipt.settlements)?, of(&receipt.first)?);
        first.retain(|settlement| settlement.outcome == Settled::Accepted && names.totals.is_some());
        let mut seen = HashSet::new();
        first.retain(|settlement| seen.insert(name(settlement)));
        if let Some(other) = all.iter().find(|settlement| settlement.outcome == Settled::Other) {
            let reason = format!("charge {} has an outcome that this plugin does not know", other.charge);
            return Ok(Err(unmarked(reference, Obstacle::Other, reason)));
        }
        let Some(key) = Key::parse(reference) else {
            return Ok(Err(unmarked(reference, Obstacle::Other, "no record of this table is called so".to_owned())));
        };
        Ok(Ok(Marking {
            names,
            claim,
            reference,
            key,
            settlements: all,
            to_count: first,
            without_map: HashSet::new(),
            rows: Vec::new(),
            tries: 0,
        }))
    }

    /// What is to be written next, in one step.
    pub(crate) fn step(&mut self) -> Result<Result<Vec<Update>, Unmarked>, Error> {
        let counted = self.to_count.get(..COUNTED_AT_ONCE).unwrap_or(&self.to_count);
        let mut updates = vec![self.mark(counted)?];
        let Some(totals) = &self.names.totals else { return Ok(Ok(updates)) };
        let additions = match totals::additions(totals, counted) {
            Ok(additions) => additions,
            Err(reason) => return Ok(Err(unmarked(self.reference, Obstacle::Other, reason))),
        };
        for addition in &additions {
            updates.push(addition.update(totals, self.without_map.contains(&addition.row()))?);
        }
        self.rows = additions.iter().map(Addition::row).collect();
        Ok(Ok(updates))
    }

    /// The update of the item, which has to be there and bear the claim, and be marked by an earlier call, or say what it said when it was
    /// claimed.
    fn mark(&self, counted: &[&Settlement]) -> Result<Update, Error> {
        let mut places = Placeholders::default();
        let key = self.names.key().map(|name| places.name(name));
        let claim = format!("{} = {}", places.name(&self.names.claim), places.value(Literal::text(self.claim)));
        let is_failed = self.settlements.iter().any(|settlement| settlement.outcome == Settled::Rejected);
        let (pending, response) = (places.name(PENDING), places.name(RESPONSE));
        let is_pending = format!("{pending} = {}", places.value(Literal::text("true")));
        let as_claimed = claim::as_claimed(self.names, &mut places);
        let mut conditions = vec![
            format!("attribute_exists({})", key.join(") AND attribute_exists(")),
            claim,
            format!("({is_pending} AND {as_claimed} OR attribute_exists({response}) AND NOT {is_pending})"),
        ];
        let failed = places.value(Literal::Made(json!({ "BOOL": is_failed })));
        let said = places.value(Literal::text(&response::text(&self.settlements)));
        let mut set = vec![format!("{} = {failed}", places.name(FAILED)), format!("{response} = {said}")];
        let mut remove = vec![places.name(CLAIMED_AS)];
        match self.names.mark {
            Mark::PendingFalse => set.push(format!("{pending} = {}", places.value(Literal::text("false")))),
            Mark::Sparse => remove.push(pending),
        }
        let (charge, charges) = (places.name(CHARGE), self.settlements.iter().map(|settlement| name(settlement)));
        match charges.collect::<BTreeSet<String>>() {
            none if none.is_empty() => remove.push(charge),
            charges => set.push(format!("{charge} = {}", places.value(Literal::Made(json!({ "SS": charges }))))),
        }
        let mut update = format!("SET {}", set.join(", "));
        update.push_str(&format!(" REMOVE {}", remove.join(", ")));
        if !counted.is_empty() {
            let already = places.name(COUNTED);
            let names: Vec<String> = counted.iter().map(|settlement| name(settlement)).collect();
            let contained: Vec<String> = names
                .iter()
                .map(|name| format!("contains({already}, {})", places.value(Literal::text(name))))
                .collect();
            conditions.push(format!("(attribute_not_exists({already}) OR NOT ({}))", contained.join(" OR ")));
            update.push_str(&format!(" ADD {already} {}", places.value(Literal::Made(json!({ "SS": names })))));
        }
        let key = self.key.item(self.names.key());
        Update::new(&self.names.table, &key, (&update, &conditions.join(" AND ")), &places)
    }

    /// What the verdict on the latest step means.
    pub(crate) fn judged(&mut self, verdict: Verdict) -> Result<State, Error> {
        self.tries += 1;
        match verdict {
            Verdict::Done => {
                self.tries = 0;
                // Every row has its map now.
                self.without_map.clear();
                self.to_count.drain(..COUNTED_AT_ONCE.min(self.to_count.len()));
                return Ok(if self.to_count.is_empty() { State::Marked } else { State::Again });
            }
            Verdict::Invalid(text) => {
                return match claim::no_such_key(self.names, &text) {
                    Some(error) => Err(error),
                    None => Ok(self.unmarked(Obstacle::Other, format!("it cannot be written to: {text}"))),
                };
            }
            Verdict::Contended(text) => return Err(self.contended(&text)),
            Verdict::Refused(refusals) => {
                for refusal in refusals {
                    if let Some(state) = self.refused(&refusal) {
                        return Ok(state);
                    }
                }
            }
        }
        if self.tries >= TRIES {
            return Err(self.contended("it changes all the time"));
        }
        Ok(State::Again)
    }

    /// A condition failed: what stands in its way for good, if anything does.
    fn refused(&mut self, refusal: &Refusal) -> Option<State> {
        match refusal.update.checked_sub(1).and_then(|row| self.rows.get(row)) {
            Some(row) => self.refused_row(&row.clone(), refusal.item.as_deref()),
            None => self.refused_item(refusal.item.as_deref()),
        }
    }

    fn refused_row(&mut self, row: &(String, String), item: Option<&str>) -> Option<State> {
        let totals = self.names.totals.as_ref()?;
        match totals::found(totals, item) {
            Found::Map => self.without_map.remove(row),
            Found::NoMap => self.without_map.insert(row.clone()),
            Found::Other(kind) => {
                let (product, customer) = row;
                let (table, name) = (&totals.table, &totals.totals);
                let reason = format!("{name} of {product}, {customer} in {table} is {kind} and no map (M) of totals");
                return Some(self.unmarked(Obstacle::Other, reason));
            }
        };
        None
    }

    fn refused_item(&mut self, item: Option<&str>) -> Option<State> {
        let Some(item) = item.and_then(|item| serde_json::from_str::<&RawValue>(item).ok()) else {
            return Some(self.unmarked(Obstacle::Gone, "it is not in the table any more".to_owned()));
        };
        let fields = attribute::pick(item, &[&self.names.claim, PENDING, RESPONSE, COUNTED]).unwrap_or_default();
        let field = |position: usize| fields.get(position).copied().flatten();
        let claim = &self.names.claim;
        let changed = match Claim::of(field(0), Some(self.claim)) {
            Claim::Ours => None,
            Claim::Nobodys => Some(format!("it bears no claim any more: somebody removed {claim}, or wrote it anew")),
            Claim::Foreign(token) => Some(format!("it is claimed by {token} ({claim}) by now")),
        };
        if let Some(reason) = changed {
            return Some(self.unmarked(Obstacle::Changed, reason));
        }
        let pending = field(1).map(Attribute::read);
        let is_pending = matches!(&pending, Some(Attribute::Text(text)) if text == "true");
        if !is_pending && field(2).is_none() {
            let reason = format!("somebody else took it out of what is pending ({PENDING}), and left no {RESPONSE}");
            return Some(self.unmarked(Obstacle::Changed, reason));
        }
        if is_pending {
            let fields = attribute::pick(item, &self.names.wanted).unwrap_or_default();
            let reason = match claim::changes(self.names, &fields).map(|changes| changes.map(words).collect::<Vec<_>>())
            {
                Some(changes) if changes.is_empty() => None,
                Some(changes) => Some(format!("since it was claimed, {}", changes.join(", "))),
                None => Some("it was set to pending again, or written anew".to_owned()),
            };
            if let Some(reason) = reason {
                return Some(self.unmarked(Obstacle::Changed, reason));
            }
        }
        if let Some(Attribute::Texts(counted)) = field(3).map(Attribute::read) {
            let counted: HashSet<&str> = counted.iter().map(|name| &**name).collect();
            self.to_count.retain(|settlement| !counted.contains(name(settlement).as_str()));
        }
        None
    }

    fn contended(&self, text: &str) -> Error {
        let (table, reference) = (&self.names.table, self.reference);
        Error::Unavailable(format!(
            "table {table}: {reference} could not be marked, since others write at the same time: {text}"
        ))
    }

    fn unmarked(&self, obstacle: Obstacle, reason: String) -> State {
        State::Unmarked(unmarked(self.reference, obstacle, reason))
    }
}

/// A change of an attribute.
fn words((name, was, is): (&str, Option<&RawValue>, Option<&RawValue>)) -> String {
    let value = |field: Option<&RawValue>| match field.map(Attribute::read) {
        Some(Attribute::Text(text) | Attribute::Number(text)) => {
            (text.len() <= LONGEST_SHOWN).then(|| text.into_owned())
        }
        Some(_) => None,
        None => Some("nothing".to_owned()),
    };
    match (value(was), value(is)) {
        (Some(was), Some(is)) => format!("{name} went from {was} to {is}"),
        _ => format!("{name} changed"),
    }
}

/// A charge as one thing that was sent.
fn name(settlement: &Settlement) -> String {
    format!("{}/{}", settlement.charge, settlement.revision)
}

fn unmarked(reference: &str, obstacle: Obstacle, reason: String) -> Unmarked {
    Unmarked { reference: reference.to_owned(), obstacle, reason }
}

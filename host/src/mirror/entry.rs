//! What the document says of this pipeline, in each of its forms.
//!
//! | form | where | contracts |
//! |---|---|---|
//! | shared | `{"SERVICE:ENVIRONMENT:PLAN": {...}}` | `"processed_contracts": {"2025-06": ["CONTRACT:2025-06"]}` |
//! | nested | `{"SERVICE": {"ENVIRONMENT": {"PLAN": {...}}}}` | the same |
//! | single | the whole document | `"success_contracts": {"2025-06": ["CONTRACT"]}` |
//!
//! In each, `last_processed_month` names the last closed month. `meterhost_open` is our own: contracts that are listed, and of which it
//! is not known yet whether they are billed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::{Document, value};
use super::wanted::{Contracts, Wanted};
use crate::config::MirrorForm;
use crate::model::window::{Window, WindowKind};

const LAST: &str = "last_processed_month";
const UPDATED: &str = "last_updated";
const PROCESSED: &str = "processed_contracts";
const SUCCEEDED: &str = "success_contracts";
const FAILED: &str = "error_contracts";
const OPEN: &str = "meterhost_open";

/// What the document says of this pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The last closed month.
    pub last: Option<Window>,
    /// Contracts that are billed, by month.
    pub billed: Contracts,
    /// Contracts that are listed, and may or may not be billed.
    pub open: Contracts,
    /// Contracts that the old exporter could not bill.
    pub failed: Contracts,
}

/// Where in a document the pipeline's entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Under its own key.
    Key,
    /// Under three keys, one in the other.
    Nested,
    /// It is the whole document.
    Whole,
}

/// Why a document makes no sense, in words for a person.
pub(super) type Nonsense = String;

/// Finds the entry of `key`. It may be missing.
pub(super) fn find(document: &Document, key: &str, form: MirrorForm) -> Result<(Place, Option<Document>), Nonsense> {
    let is_single = document.keys().any(|key| [LAST, SUCCEEDED, FAILED].contains(&key));
    match form {
        MirrorForm::Single => {
            if !is_single && document.keys().next().is_some() && document.get(OPEN).is_none() {
                return Err(format!(
                    "it has none of {LAST}, {SUCCEEDED} and {FAILED}; if it holds several services, leave `form` out"
                ));
            }
            let entry = document.keys().next().is_some().then(|| document.clone());
            Ok((Place::Whole, entry))
        }
        MirrorForm::Shared if is_single => {
            Err(format!("it is one pipeline's alone, and not under the key {key:?}: write form = \"single\""))
        }
        MirrorForm::Shared => {
            if let Some(text) = document.get(key) {
                let inner = |text: &str, key: &str| Document::parse(text).ok()?.get(key).map(str::to_owned);
                let nested = nested(key)
                    .and_then(|(service, environment, plan)| inner(&inner(document.get(service)?, environment)?, plan));
                if nested.is_some() {
                    return Err(format!(
                        "it has an entry under {key:?}, and another one under its three parts: nobody knows which holds"
                    ));
                }
                return Ok((Place::Key, Some(object(text, &format!("{key:?}"))?)));
            }
            let Some((service, environment, plan)) = nested(key) else { return Ok((Place::Key, None)) };
            let Some(of_service) = document.get(service) else { return Ok((Place::Key, None)) };
            let of_service = object(of_service, &format!("{service:?}"))?;
            let Some(of_environment) = of_service.get(environment) else { return Ok((Place::Nested, None)) };
            let of_environment = object(of_environment, &format!("{service:?}, {environment:?}"))?;
            let Some(of_plan) = of_environment.get(plan) else { return Ok((Place::Nested, None)) };
            Ok((Place::Nested, Some(object(of_plan, &format!("{service:?}, {environment:?}, {plan:?}"))?)))
        }
    }
}

/// The document with another entry in the pipeline's place.
pub(super) fn replaced(
    document: &Document,
    key: &str,
    place: Place,
    entry: &Document,
) -> Result<Document, serde_json::Error> {
    let mut document = document.clone();
    match (place, nested(key)) {
        (Place::Whole, _) => return Ok(entry.clone()),
        (Place::Nested, Some((service, environment, plan))) => {
            let inner = |outer: &Document, key: &str| outer.get(key).map_or(Ok(Document::default()), Document::parse);
            let mut of_service = inner(&document, service)?;
            let mut of_environment = inner(&of_service, environment)?;
            of_environment.set(plan, entry.raw(3)?);
            of_service.set(environment, of_environment.raw(2)?);
            document.set(service, of_service.raw(1)?);
        }
        (Place::Key | Place::Nested, _) => document.set(key, entry.raw(1)?),
    }
    Ok(document)
}

/// How many objects stand around the entry.
fn depth(place: Place) -> usize {
    match place {
        Place::Whole => 0,
        Place::Key => 1,
        Place::Nested => 3,
    }
}

/// A key such as `Postgres:PROD:pt-1`, in its three parts.
fn nested(key: &str) -> Option<(&str, &str, &str)> {
    let mut parts = key.split(':');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(found)
}

fn object(text: &str, what: &str) -> Result<Document, Nonsense> {
    Document::parse(text).map_err(|error| format!("what stands under {what} is no object: {error}"))
}

/// A fingerprint of what an entry means, whatever its spaces and the order of its keys.
pub(super) fn fingerprint(entry: &Document) -> Result<String, Nonsense> {
    let value: Value = serde_json::from_str(&entry.render(0)).map_err(|error| error.to_string())?;
    Ok(Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Known {
    /// Reads an entry. Its last month is no later than that of `current`.
    pub(super) fn read(entry: &Document, current: &Window) -> Result<Known, Nonsense> {
        let last = entry.get(LAST).map(|text| last(text, current)).transpose()?;
        let open = contracts(entry, OPEN, |item, _| Some(item.to_owned()))?;
        let processed =
            contracts(entry, PROCESSED, |item, month| item.strip_suffix(&format!(":{month}")).map(str::to_owned))?;
        let succeeded = contracts(entry, SUCCEEDED, |item, _| Some(item.to_owned()))?;
        let mut billed = processed;
        for (month, contracts) in succeeded {
            billed.entry(month).or_default().extend(contracts);
        }
        for (month, contracts) in &open {
            if let Some(listed) = billed.get_mut(month) {
                listed.retain(|contract| !contracts.contains(contract));
            }
        }
        billed.retain(|_, contracts| !contracts.is_empty());
        Ok(Known { last, billed, open, failed: failed(entry)? })
    }
}

fn last(text: &str, current: &Window) -> Result<Window, Nonsense> {
    let nonsense = || format!("{LAST} is {text}, and no month such as \"2025-06\"");
    let label: String = serde_json::from_str(text).map_err(|_| nonsense())?;
    let month = Window::parse(WindowKind::Month, &label).map_err(|_| nonsense())?;
    if month > *current {
        return Err(format!("{LAST} is {text}, which lies in the future"));
    }
    Ok(month)
}

fn contracts(
    entry: &Document,
    key: &str,
    contract: impl Fn(&str, &str) -> Option<String>,
) -> Result<Contracts, Nonsense> {
    let mut found = Contracts::new();
    for (month, items) in by_month(entry, key)? {
        let items: Vec<String> = serde_json::from_str(&items)
            .map_err(|error| format!("{key} has no list of texts under {:?}: {error}", month.label()))?;
        for item in items {
            let contract = contract(&item, &month.label())
                .filter(|contract| !contract.is_empty())
                .ok_or_else(|| format!("{key} has {item:?} under {:?}, which names no contract", month.label()))?;
            found.entry(month).or_default().insert(contract);
        }
    }
    Ok(found)
}

fn failed(entry: &Document) -> Result<Contracts, Nonsense> {
    let mut found = Contracts::new();
    for (month, items) in by_month(entry, FAILED)? {
        let items: Vec<Value> = serde_json::from_str(&items)
            .map_err(|error| format!("{FAILED} has no list under {:?}: {error}", month.label()))?;
        for item in items {
            let contract = item.get("contract_id").and_then(Value::as_str).filter(|contract| !contract.is_empty());
            let contract = contract
                .ok_or_else(|| format!("{FAILED} has an item under {:?} that names no contract", month.label()))?;
            found.entry(month).or_default().insert(contract.to_owned());
        }
    }
    Ok(found)
}

/// The members of an object whose keys are months.
fn by_month(entry: &Document, key: &str) -> Result<Vec<(Window, String)>, Nonsense> {
    let Some(text) = entry.get(key) else { return Ok(Vec::new()) };
    let months = object(text, key)?;
    let month = |label: &str| {
        let month = Window::parse(WindowKind::Month, label)
            .map_err(|_| format!("{key} has the key {label:?}, which is no month"))?;
        Ok((month, months.get(label).unwrap_or_default().to_owned()))
    };
    months.keys().map(month).collect()
}

/// The entry as it should be, or nothing if it is so already. `updated` is the time of the change.
pub(super) fn changed(
    entry: Option<&Document>,
    place: Place,
    wanted: &Wanted,
    updated: &str,
) -> Result<Option<Document>, serde_json::Error> {
    let mut next = entry.cloned().unwrap_or_default();
    let inside = depth(place) + 1;
    if let Some(last) = &wanted.last {
        next.set(LAST, value(&last.label(), inside)?);
    }
    // The place where the old exporter would put it.
    if next.get(UPDATED).is_none() {
        next.set(UPDATED, value(&updated, inside)?);
    }
    let (key, suffixed) = if place == Place::Whole { (SUCCEEDED, false) } else { (PROCESSED, true) };
    relist(&mut next, key, suffixed, wanted, inside)?;
    if place == Place::Whole {
        drop_failed(&mut next, wanted, inside)?;
    }
    match wanted.open.is_empty() {
        true => next.remove(OPEN),
        false => {
            let open: BTreeMap<String, &BTreeSet<String>> =
                wanted.open.iter().map(|(month, contracts)| (month.label(), contracts)).collect();
            next.set(OPEN, value(&open, inside)?);
        }
    }
    let meaning = |entry: &Document| -> Result<Value, serde_json::Error> {
        let mut value: Value = serde_json::from_str(&entry.render(0))?;
        value.as_object_mut().map(|members| members.remove(UPDATED));
        Ok(value)
    };
    if meaning(&next)? == meaning(&entry.cloned().unwrap_or_default())? {
        return Ok(None);
    }
    next.set(UPDATED, value(&updated, inside)?);
    Ok(Some(next))
}

/// Lists contracts, and takes others off; everything else stays as it stands.
fn relist(
    entry: &mut Document,
    key: &str,
    suffixed: bool,
    wanted: &Wanted,
    inside: usize,
) -> Result<(), serde_json::Error> {
    let mut months = entry.get(key).map_or(Ok(Document::default()), Document::parse)?;
    let was_empty = months.keys().next().is_none();
    let labels: BTreeSet<Window> = wanted.listed.keys().chain(wanted.unlisted.keys()).copied().collect();
    for month in labels {
        let label = month.label();
        let item = |contract: &String| if suffixed { format!("{contract}:{label}") } else { contract.clone() };
        let items =
            |contracts: &Contracts| -> Vec<String> { contracts.get(&month).into_iter().flatten().map(item).collect() };
        let before: Vec<String> = months.get(&label).map_or(Ok(Vec::new()), serde_json::from_str)?;
        let off: BTreeSet<String> = items(&wanted.unlisted).into_iter().collect();
        let mut after: Vec<String> = before.iter().filter(|item| !off.contains(*item)).cloned().collect();
        let standing: BTreeSet<String> = after.iter().cloned().collect();
        after.extend(items(&wanted.listed).into_iter().filter(|item| !standing.contains(item)));
        if after == before {
            continue;
        }
        match after.is_empty() {
            true => months.remove(&label),
            false => months.set(&label, value(&after, inside + 1)?),
        }
    }
    if months.keys().next().is_some() {
        entry.set(key, months.raw(inside)?);
    } else if !was_empty {
        entry.remove(key);
    }
    Ok(())
}

/// The old exporter would send again what it keeps of a failed contract: not once we are about to.
fn drop_failed(entry: &mut Document, wanted: &Wanted, inside: usize) -> Result<(), serde_json::Error> {
    let Some(text) = entry.get(FAILED) else { return Ok(()) };
    let mut months = Document::parse(text)?;
    let mut changed = false;
    for (month, contracts) in &wanted.listed {
        let label = month.label();
        let Some(items) = months.get(&label) else { continue };
        let items: Vec<Value> = serde_json::from_str(items)?;
        let is_ours =
            |item: &Value| item.get("contract_id").and_then(Value::as_str).is_some_and(|id| contracts.contains(id));
        let left: Vec<&Value> = items.iter().filter(|item| !is_ours(item)).collect();
        if left.len() == items.len() {
            continue;
        }
        changed = true;
        match left.is_empty() {
            true => months.remove(&label),
            false => months.set(&label, value(&left, inside + 1)?),
        }
    }
    if changed {
        entry.set(FAILED, months.raw(inside)?);
    }
    Ok(())
}

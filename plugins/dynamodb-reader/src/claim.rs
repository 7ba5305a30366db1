//! Claiming records: whose token one bears, and the conditional write that puts ours on it.
//!
//! The write keeps a copy of what the record said, so that marking it can be bound to that: nobody has to take a claim away to change a
//! record, and what was billed is what it said when it was claimed.

use std::collections::BTreeMap;

use meterhost_sdk::Error;
use serde_json::value::RawValue;

use crate::attribute::{self, Attribute, Literal};
use crate::expression::{Placeholders, Update};
use crate::item::{Fields, Item};
use crate::names::{CLAIMED_AS, Names, PENDING};
use crate::write::{self, Refusal, Verdict};

/// Whose a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    Nobodys,
    Ours,
    /// Somebody else's: the token.
    Foreign(String),
}

/// What came of claiming a record.
pub(crate) enum Claimed {
    /// It is ours, as it was read.
    Ours,
    /// It is somebody else's.
    Foreign(String),
    /// It has changed since it was read: the item, as it is.
    Changed(String),
    /// It is gone, or not pending any more.
    Lost,
    /// It cannot be written to.
    Stuck(String),
}

impl Claim {
    pub(crate) fn of(field: Option<&RawValue>, ours: Option<&str>) -> Self {
        match field.map(Attribute::read) {
            None => Claim::Nobodys,
            Some(Attribute::Text(token)) if Some(&*token) == ours => Claim::Ours,
            Some(Attribute::Text(token)) => Claim::Foreign(token.into_owned()),
            Some(other) => Claim::Foreign(other.kind().into_owned()),
        }
    }
}

/// Why a record that somebody else has claimed is left as it is.
pub(crate) fn foreign(names: &Names, token: &str) -> String {
    let claim = &names.claim;
    format!(
        "it is claimed by {token} ({claim}), which is not this pipeline's ledger: another pipeline may be billing it, or one with a ledger \
         that was lost. If nobody is, remove the attribute {claim} from the item"
    )
}

/// Puts the token on records that bear none, or ours, and beside it what the record says, each if it is still as it was read; answers what
/// came of each.
pub(crate) fn claim(names: &Names, token: &str, items: &[&Item<'_>]) -> Result<Vec<Claimed>, Error> {
    let groups = items.iter().map(|item| Ok(vec![update(names, token, item)?])).collect::<Result<Vec<_>, Error>>()?;
    let verdicts = write::write(&groups, &format!("table {}", names.table))?;
    verdicts.into_iter().map(|verdict| claimed(names, token, verdict)).collect()
}

fn claimed(names: &Names, token: &str, verdict: Verdict) -> Result<Claimed, Error> {
    Ok(match verdict {
        Verdict::Done => Claimed::Ours,
        Verdict::Contended(text) => Claimed::Stuck(format!("others write it at the same time ({text})")),
        Verdict::Invalid(text) => match no_such_key(names, &text) {
            Some(error) => return Err(error),
            None => Claimed::Stuck(text),
        },
        Verdict::Refused(refusals) => {
            refusals.into_iter().next().map_or(Claimed::Lost, |refusal| found(names, token, refusal))
        }
    })
}

/// What stands there instead.
fn found(names: &Names, token: &str, refusal: Refusal) -> Claimed {
    let Some(text) = refusal.item else { return Claimed::Lost };
    let fields = serde_json::from_str(&text).and_then(|item| attribute::pick(item, &[PENDING, &names.claim]));
    let fields = fields.unwrap_or_default();
    let field = |position: usize| fields.get(position).copied().flatten();
    if !matches!(field(0).map(Attribute::read), Some(Attribute::Text(text)) if text == "true") {
        return Claimed::Lost;
    }
    match Claim::of(field(1), Some(token)) {
        Claim::Foreign(token) => Claimed::Foreign(token),
        Claim::Nobodys | Claim::Ours => Claimed::Changed(text),
    }
}

/// The error that a key makes which is not the table's; DynamoDB says it of each item.
pub(crate) fn no_such_key(names: &Names, text: &str) -> Option<Error> {
    let [hash, range] = names.key();
    text.contains("key element").then(|| {
        let table = &names.table;
        Error::Unavailable(format!(
            "table {table}: {text}; `key` is [\"{hash}\", \"{range}\"], which has to be its primary key"
        ))
    })
}

/// What an item says otherwise than when it was claimed: the attribute's name, what it was and what it is. Nothing if the item does not say
/// what it was.
pub(crate) fn changes<'f>(
    names: &'f Names,
    fields: &'f Fields<'_>,
) -> Option<impl Iterator<Item = (&'f str, Option<&'f RawValue>, Option<&'f RawValue>)>> {
    let field = |place: usize| fields.get(place).copied().flatten();
    let Attribute::Map(copy) = Attribute::read(field(names.claimed_as)?) else { return None };
    let was = attribute::pick(copy, &names.wanted).ok()?;
    let known = |field: Option<&'f RawValue>| field.filter(|raw| !matches!(Attribute::read(raw), Attribute::Null));
    let changes = names.said().filter_map(move |place| {
        let (was, is) = (known(was.get(place).copied().flatten()), known(field(place)));
        (was.map(RawValue::get) != is.map(RawValue::get)).then(|| (names.of(place), was, is))
    });
    Some(changes)
}

/// The condition that an item says what it said when it was claimed.
pub(crate) fn as_claimed(names: &Names, places: &mut Placeholders<'_>) -> String {
    let (copy, null) = (places.name(CLAIMED_AS), places.value(Literal::null()));
    let same = names.said().map(|place| {
        let name = places.name(names.of(place));
        format!("({name} = {copy}.{name} OR attribute_not_exists({name}) AND {copy}.{name} = {null})")
    });
    same.collect::<Vec<String>>().join(" AND ")
}

/// The update of an item: it has to be there, pending, ours or nobody's, and all that was read of it unchanged.
fn update(names: &Names, token: &str, item: &Item<'_>) -> Result<Update, Error> {
    let mut places = Placeholders::default();
    let (claim, token) = (places.name(&names.claim), places.value(Literal::text(token)));
    let key = names.key().map(|name| places.name(name));
    let mut conditions = vec![
        format!("attribute_exists({})", key.join(") AND attribute_exists(")),
        format!("{} = {}", places.name(PENDING), places.value(Literal::text("true"))),
        format!("(attribute_not_exists({claim}) OR {claim} = {token})"),
    ];
    let mut copy = BTreeMap::new();
    for place in names.said() {
        let field = item.fields.get(place).copied().flatten();
        let name = places.name(names.of(place));
        conditions.push(match field {
            Some(value) => format!("{name} = {}", places.value(Literal::Read(value))),
            None => format!("attribute_not_exists({name})"),
        });
        copy.insert(names.of(place), field.map_or_else(Literal::null, Literal::Read));
    }
    let (claimed_as, copy) = (places.name(CLAIMED_AS), places.value(Literal::Map { of: copy }));
    let update = format!("SET {claim} = {token}, {claimed_as} = {copy}");
    Update::new(&names.table, &item.key.item(names.key()), (&update, &conditions.join(" AND ")), &places)
}

//! An opening: what is pending, page by page, claimed before it is handed out.

use std::collections::VecDeque;
use std::rc::Rc;

use meterhost_sdk::{Cursor, Error, Page, Request, Shard};
use serde_json::value::RawValue;

use crate::attribute;
use crate::claim::{self, Claim, Claimed};
use crate::item::{self, Item, Read};
use crate::names::Names;
use crate::pages;
use crate::query::Query;

/// So often an item is read anew that changes while it is claimed.
const ROUNDS: u32 = 3;

/// An opening under way.
pub struct Reading {
    names: Rc<Names>,
    query: Option<Query>,
    /// What lies before it was asked for: milliseconds, UTC.
    end: i64,
    token: Option<String>,
    /// Whether nothing is claimed.
    dry_run: bool,
    /// Pages of one index follow each other: each shard reads them all, and claims and hands out its own items.
    shard: Shard,
    /// How many pages of the index were read.
    read: u64,
    ready: VecDeque<Page>,
}

impl Reading {
    pub(crate) fn open(names: Names, request: Request) -> Result<Self, Error> {
        let Request { windows, shard, claim, dry_run, .. } = request;
        if claim.is_none() && !dry_run {
            return Err(Error::Other("a run that bills has to say under which token it claims records".into()));
        }
        let names = Rc::new(names);
        let end = windows.iter().map(|window| window.end).max();
        let query = end.map(|end| Query::new(Rc::clone(&names), end));
        let end = end.unwrap_or(i64::MIN);
        Ok(Reading { names, query, end, token: claim, dry_run, shard, read: 0, ready: VecDeque::new() })
    }

    /// Takes in a page of the index. What changed since the index showed it is taken as it is now.
    fn take(&mut self, text: &str) -> Result<(), Error> {
        let Some(query) = &mut self.query else { return Ok(()) };
        let answer = query.read(text)?;
        self.read += 1;
        let input = format!("{}/{}#{}", self.names.table, self.names.index, self.read);
        let mut changed = self.hand_out(&input, &answer.items, false)?;
        for round in 1..=ROUNDS {
            if changed.is_empty() {
                break;
            }
            let texts = std::mem::take(&mut changed);
            let items = texts.iter().map(|text| serde_json::from_str(text));
            let items = items
                .collect::<Result<Vec<&RawValue>, _>>()
                .map_err(|error| Error::Unavailable(format!("{input}: an item cannot be read: {error}")))?;
            changed = self.hand_out(&format!("{input}, read anew {round}"), &items, round == ROUNDS)?;
        }
        Ok(())
    }

    /// Claims items and puts them into pages; answers those that changed meanwhile, unless these are held too.
    fn hand_out(&mut self, input: &str, items: &[&RawValue], holds: bool) -> Result<Vec<String>, Error> {
        let (mut ours, mut open, mut quarantined) = (Vec::new(), Vec::new(), Vec::new());
        for (number, raw) in (1..).zip(items) {
            let fields = attribute::pick(raw, &self.names.wanted)
                .map_err(|error| Error::Unavailable(format!("{input}: item {number} cannot be read: {error}")))?;
            if !is_of(self.shard, self.names.key.map(|place| fields.get(place).copied().flatten())) {
                continue;
            }
            let item = match item::read(&self.names, fields, self.end, input, number) {
                Read::Good(item) => item,
                Read::Bad(records) => {
                    quarantined.extend(records);
                    continue;
                }
                Read::Later => continue,
            };
            let field = item.fields.get(self.names.claimed).copied().flatten();
            match Claim::of(field, self.token.as_deref()) {
                // What is ours is claimed again: the index may show it as it was.
                Claim::Ours | Claim::Nobodys => open.push(item),
                Claim::Foreign(token) => {
                    quarantined.extend(item.quarantined(input, &claim::foreign(&self.names, &token)));
                }
            }
        }
        let mut changed = Vec::new();
        match (&self.token, self.dry_run) {
            (Some(token), false) => {
                let what = claim::claim(&self.names, token, &open.iter().collect::<Vec<&Item<'_>>>())?;
                for (item, what) in open.into_iter().zip(what) {
                    let reason = match what {
                        Claimed::Ours => {
                            ours.push(item);
                            continue;
                        }
                        Claimed::Changed(text) if !holds => {
                            changed.push(text);
                            continue;
                        }
                        Claimed::Lost => continue,
                        Claimed::Changed(_) => "it cannot be claimed: it changes all the time".to_owned(),
                        Claimed::Foreign(token) => claim::foreign(&self.names, &token),
                        Claimed::Stuck(text) => format!("it cannot be claimed: {text}"),
                    };
                    quarantined.extend(item.quarantined(input, &reason));
                }
            }
            _ => ours.append(&mut open),
        }
        self.ready.extend(pages::pages(&self.names, input.to_owned(), &ours, quarantined)?);
        Ok(changed)
    }
}

impl Cursor for Reading {
    fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            if let Some(page) = self.ready.pop_front() {
                return Ok(Some(page));
            }
            let Some(text) = self.query.as_mut().map(Query::next).transpose()?.flatten() else { return Ok(None) };
            self.take(&text)?;
        }
    }
}

/// Whether the item of a key belongs to a shard: by FNV-1a of the key as DynamoDB writes it, which is the same each time.
fn is_of(shard: Shard, key: [Option<&RawValue>; 2]) -> bool {
    let bytes = key.into_iter().flatten().flat_map(|part| part.get().bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // The lowest bits of it are the least mixed.
    (hash >> 32).checked_rem(u64::from(shard.count)).is_none_or(|shard_of| shard_of == u64::from(shard.index))
}

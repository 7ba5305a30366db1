//! What there is to read for a request.

use std::rc::Rc;

use meterhost_sdk::{Error, Input, Listing, Request, Window, objects};

use crate::config::Config;
use crate::layout::{Key, Matched};
use crate::mapping::Mapping;

/// The objects of a request, page by page.
pub(crate) struct Found {
    mapping: Rc<Mapping>,
    windows: Vec<Window>,
    shard: (u32, u32),
    /// Still to be listed, last first.
    prefixes: Vec<String>,
    listing: Option<(String, objects::Listing)>,
    /// How many keys did not match, and the first of them. The first reader counts for all.
    others: Option<(u64, String)>,
}

/// An object that is this reader's.
pub(crate) struct Wanted {
    pub(crate) object: objects::Object,
    pub(crate) matched: Matched,
    /// Why it cannot be read, whatever it holds.
    pub(crate) unreadable: Option<&'static str>,
}

const AMBIGUOUS: &str = "the layout fits its key in two ways that mean different things; make the layout say more";
const NO_SUCH_TIME: &str =
    "its key names a time that does not exist; store it under a key of its own time, or have the layout leave it out";

impl Found {
    pub(crate) fn open(mapping: Rc<Mapping>, request: &Request) -> Result<Self, Error> {
        mapping.check(&request.windows)?;
        let mut prefixes = mapping.layout.prefixes(&request.windows);
        prefixes.reverse();
        Ok(Found {
            mapping,
            windows: request.windows.clone(),
            shard: (request.shard.index, request.shard.count.max(1)),
            prefixes,
            listing: None,
            others: None,
        })
    }

    /// The next objects; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Wanted>>, Error> {
        loop {
            let Some((prefix, listing)) = &mut self.listing else {
                let Some(prefix) = self.prefixes.pop() else {
                    if let Some((others, example)) = self.others.take() {
                        meterhost_sdk::warn(&not_read(others, &example));
                    }
                    return Ok(None);
                };
                let listing = objects::list(&prefix, None).map_err(|error| failed(&prefix, error))?;
                self.listing = Some((prefix, listing));
                continue;
            };
            let Some(page) = listing.next().map_err(|error| failed(prefix, error))? else {
                self.listing = None;
                continue;
            };
            let last = page.last().map(|object| object.key.as_str());
            if let Some(behind) = last.and_then(|last| self.mapping.layout.beyond(last, &self.windows)) {
                let below = std::mem::take(prefix);
                *listing = objects::list(&below, Some(&behind)).map_err(|error| failed(&below, error))?;
                *prefix = below;
            }
            let wanted: Vec<_> = page.into_iter().filter_map(|object| self.wanted(object)).collect();
            if !wanted.is_empty() {
                return Ok(Some(wanted));
            }
        }
    }

    fn wanted(&mut self, object: objects::Object) -> Option<Wanted> {
        let (index, count) = self.shard;
        let own = shard(&object.key, count) == index;
        // Every reader lists all keys: the first one counts those that do not match, so that they are told of once.
        if !own && index != 0 {
            return None;
        }
        let (matched, unreadable) = match self.mapping.layout.key(&object.key) {
            Key::Matched(matched) => (matched, None),
            Key::Ambiguous(matched) => (matched, Some(AMBIGUOUS)),
            Key::NoSuchTime(matched) => (matched, Some(NO_SUCH_TIME)),
            Key::Other => {
                if index == 0 {
                    self.others.get_or_insert((0, object.key)).0 += 1;
                }
                return None;
            }
        };
        if !own {
            return None;
        }
        let touched =
            |span: &Window| self.windows.iter().any(|window| window.start < span.end && span.start < window.end);
        matched.reach.as_ref().is_none_or(touched).then_some(Wanted { object, matched, unreadable })
    }
}

/// What is said of keys that do not match.
fn not_read(objects: u64, example: &str) -> String {
    match objects {
        1 => format!("1 object is not read: its key does not match the layout: `{example}`"),
        _ => format!("{objects} objects are not read: their keys do not match the layout, such as `{example}`"),
    }
}

/// Says which listing failed.
fn failed(prefix: &str, error: objects::Error) -> Error {
    let text = format!("`{prefix}` cannot be listed: {}", objects::message(&error));
    match error {
        objects::Error::Denied(_) => Error::Denied(text),
        objects::Error::Other(_) => Error::Other(text),
        _ => Error::Unavailable(text),
    }
}

/// Which of `count` readers reads a key: the same on every machine.
fn shard(key: &str, count: u32) -> u32 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    ((hash ^ (hash >> 32)) % u64::from(count)) as u32
}

/// An object as the host knows it.
pub(crate) fn input(object: &objects::Object, matched: &Matched) -> Input {
    Input { key: object.key.clone(), etag: object.etag.clone(), size: object.size, span: matched.reach }
}

/// Lists what would be read.
pub struct Inputs(Found);

impl Inputs {
    pub(crate) fn open(config: &Config, request: &Request) -> Result<Self, Error> {
        Found::open(Rc::new(Mapping::new(config)?), request).map(Inputs)
    }
}

impl Listing for Inputs {
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error> {
        let found = self.0.next()?;
        Ok(found.map(|found| found.iter().map(|wanted| input(&wanted.object, &wanted.matched)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use meterhost_sdk::{Shard, testing};

    use super::*;

    const CONFIG: &str = r#"{
        "layout": "m/{yyyy}/*.json",
        "fields": { "time": "/time", "customer": "/customer", "dimension": "/dimension", "quantity": "/value" }
    }"#;

    #[test]
    fn keys_that_do_not_match_are_told_with_their_number_and_the_first_of_them() {
        assert_eq!(
            not_read(13, "m/2025/06/a.json"),
            "13 objects are not read: their keys do not match the layout, such as `m/2025/06/a.json`"
        );
        assert_eq!(
            not_read(1, "m/2025/a.csv"),
            "1 object is not read: its key does not match the layout: `m/2025/a.csv`"
        );
    }

    #[test]
    fn of_several_readers_the_first_counts_all_keys_that_do_not_match() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("m/2025/06")).unwrap();
        for number in 0..20 {
            std::fs::write(folder.path().join(format!("m/2025/06/{number:02}.json")), "[]").unwrap();
            std::fs::write(folder.path().join(format!("m/2025/{number:02}.json")), "[]").unwrap();
        }
        testing::folder(folder.path());
        let config: Config = serde_json::from_str(CONFIG).unwrap();
        let window = Window { start: 1_748_736_000_000, end: 1_751_328_000_000 };
        let (mut others, mut wanted) = (Vec::new(), 0);
        for index in 0..3 {
            let shard = Shard { index, count: 3 };
            let request = Request { windows: vec![window], now: 0, shard, claim: None, dry_run: false };
            let mut found = Found::open(Rc::new(Mapping::new(&config).unwrap()), &request).unwrap();
            let prefix = found.prefixes.pop().unwrap();
            let mut listing = objects::list(&prefix, None).unwrap();
            while let Some(page) = listing.next().unwrap() {
                wanted += page.into_iter().filter_map(|object| found.wanted(object)).count();
            }
            others.push(found.others);
        }
        assert_eq!(others, [Some((20, "m/2025/06/00.json".to_owned())), None, None]);
        assert_eq!(wanted, 20);
    }
}

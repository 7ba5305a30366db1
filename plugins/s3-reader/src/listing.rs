//! What there is to read for a request.

use meterhost_sdk::{Error, Input, Listing, Request, Window, objects};

use crate::config::Config;
use crate::layout::{Layout, Matched};

/// The objects of a request, page by page.
pub(crate) struct Found {
    layout: Layout,
    windows: Vec<Window>,
    shard: (u32, u32),
    /// Still to be listed, last first.
    prefixes: Vec<String>,
    listing: Option<objects::Listing>,
    unmatched: u64,
}

impl Found {
    pub(crate) fn new(layout: Layout, request: &Request) -> Self {
        let mut prefixes = layout.prefixes(&request.windows);
        prefixes.reverse();
        Found {
            layout,
            windows: request.windows.clone(),
            shard: (request.shard.index, request.shard.count.max(1)),
            prefixes,
            listing: None,
            unmatched: 0,
        }
    }

    /// The next objects that are this reader's; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<(objects::Object, Matched)>>, Error> {
        loop {
            let listing = match &mut self.listing {
                Some(listing) => listing,
                None => match self.prefixes.pop() {
                    Some(prefix) => self.listing.insert(objects::list(&prefix, None)?),
                    None => {
                        if self.unmatched > 0 {
                            meterhost_sdk::info(&format!(
                                "{} objects do not match the layout, and are not read",
                                self.unmatched
                            ));
                            self.unmatched = 0;
                        }
                        return Ok(None);
                    }
                },
            };
            let Some(page) = listing.next()? else {
                self.listing = None;
                continue;
            };
            let wanted: Vec<_> = page.into_iter().filter_map(|object| self.wanted(object)).collect();
            if !wanted.is_empty() {
                return Ok(Some(wanted));
            }
        }
    }

    fn wanted(&mut self, object: objects::Object) -> Option<(objects::Object, Matched)> {
        let (index, count) = self.shard;
        if shard(&object.key, count) != index {
            return None;
        }
        let Some(matched) = self.layout.matched(&object.key) else {
            self.unmatched += 1;
            return None;
        };
        let touched = matched
            .span
            .as_ref()
            .is_none_or(|span| self.windows.iter().any(|window| window.start < span.end && span.start < window.end));
        touched.then_some((object, matched))
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
    Input { key: object.key.clone(), etag: object.etag.clone(), size: object.size, span: matched.span }
}

/// Lists what would be read.
pub struct Inputs(Found);

impl Inputs {
    pub(crate) fn open(config: &Config, request: &Request) -> Result<Self, Error> {
        let layout = Layout::parse(&config.layout).map_err(Error::Config)?;
        Ok(Inputs(Found::new(layout, request)))
    }
}

impl Listing for Inputs {
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error> {
        let found = self.0.next()?;
        Ok(found.map(|found| found.iter().map(|(object, matched)| input(object, matched)).collect()))
    }
}

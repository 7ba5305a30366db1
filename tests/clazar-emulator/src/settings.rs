//! How strict the emulator is, whom it knows and where it listens.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::rule::Rule;

/// What an emulator is started with. The defaults accept every contract and dimension, without limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1; 0 (the default) takes a free one.
    pub port: u16,
    /// The one client that may authenticate (`cid`).
    pub client_id: String,
    /// Its secret (`sec`).
    pub client_secret: String,
    /// Path of the metering resource, with a slash at both ends (`/metering/`).
    pub metering_path: String,
    /// Where the clock stands, for token lifetimes and for "not in the future". `None` (the default) is the real time.
    pub now: Option<Timestamp>,
    /// Seconds that a token lives (86400, as in "Get an access token").
    pub expires_in: u64,
    /// Records a page when `page_size` is not given (20, a guess).
    pub page_size: usize,
    /// Digits that a quantity may have, before and after the point together (38, a guess).
    pub quantity_digits: usize,
    /// The contracts that exist; a record for another gets a result with `errors`. `None` (the default) knows all.
    pub known_contracts: Option<BTreeSet<String>>,
    /// The registered dimensions; a record for another is stored with status `fail`. `None` (the default) knows all.
    pub known_dimensions: Option<BTreeSet<String>>,
    /// Records a call; a longer call is refused whole with 400. `None` (the default) is no limit: none was found.
    pub max_records: Option<usize>,
    /// Contracts whose records make the whole call be refused with 400, without being named in the answer.
    pub refuse_contracts: BTreeSet<String>,
    /// Dimensions whose records make the whole call be refused with 400, without being named in the answer.
    pub refuse_dimensions: BTreeSet<String>,
    /// Whether a record with status `fail` keeps its slot, so that a second one "already exists" (false, a guess).
    pub failed_holds_slot: bool,
    /// Requests a minute, in real time, with a burst of the same size; beyond it 429. `None` (the default) is no limit;
    /// the limit reported for the real service is 120.
    pub rate_limit: Option<u32>,
    /// A JSON file that holds the books: read at the start if it exists, replaced whole after each commit.
    pub books: Option<PathBuf>,
    /// The faults that are queued at the start.
    pub faults: Vec<Rule>,
    /// Whether to print one line a request to stderr. No line holds a secret.
    pub print: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "cid".into(),
            client_secret: "sec".into(),
            metering_path: "/metering/".into(),
            now: None,
            expires_in: 86_400,
            page_size: 20,
            quantity_digits: 38,
            known_contracts: None,
            known_dimensions: None,
            max_records: None,
            refuse_contracts: BTreeSet::new(),
            refuse_dimensions: BTreeSet::new(),
            failed_holds_slot: false,
            rate_limit: None,
            books: None,
            faults: Vec::new(),
            print: false,
        }
    }
}

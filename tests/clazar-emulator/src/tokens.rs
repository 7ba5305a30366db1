//! Credentials and the bearer tokens given for them ("Get an access token", Clazar help 7953489882).

use std::collections::HashMap;

use emulator_http::random;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The body of `POST /authenticate/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

/// The tokens given out, each with the moment of the emulator's clock at which it ends.
#[derive(Debug, Default)]
pub(crate) struct Tokens(HashMap<String, Timestamp>);

impl Tokens {
    /// A fresh token that lives `seconds` from `now`.
    pub(crate) fn issue(&mut self, now: Timestamp, seconds: u64) -> String {
        let token = random::token();
        self.accept(token.clone(), now, seconds);
        token
    }

    /// Makes a token live that a script made up.
    pub(crate) fn accept(&mut self, token: String, now: Timestamp, seconds: u64) {
        let life = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        self.0.insert(token, now.saturating_add(life).unwrap_or(Timestamp::MAX));
    }

    /// Whether an `Authorization` header holds a token that lives at `now`.
    pub(crate) fn allow(&self, header: Option<&str>, now: Timestamp) -> bool {
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.0.get(token)).is_some_and(|end| now < *end)
    }

    /// Voids all tokens.
    pub(crate) fn revoke(&mut self) {
        self.0.clear();
    }
}

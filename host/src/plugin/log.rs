//! The lines that a guest writes: capped, redacted, under the plugin's name.

use tracing::Level;

use super::bindings::imports::log::{Host, Level as GuestLevel};
use super::guest::Guest;
use crate::broker::Redactor;

/// The most bytes of one line.
const LINE: usize = 4096;
/// How much of a line is looked through for secrets.
const LOOKED_THROUGH: usize = 256 << 10;

/// Where an instance's lines go.
pub(super) struct LogLines {
    plugin: String,
    redactor: Redactor,
    left: u64,
    silenced: bool,
    /// The last line of level `error`: a panic's own words.
    pub(super) last_words: Option<String>,
}

impl LogLines {
    pub(super) fn new(plugin: &str, redactor: Redactor, most: u64) -> Self {
        LogLines { plugin: plugin.to_owned(), redactor, left: most, silenced: false, last_words: None }
    }

    fn line(&mut self, level: GuestLevel, message: &str) {
        // Blotted out before it is cut: half a secret is none that would be found.
        let cut = message.floor_char_boundary(LOOKED_THROUGH);
        let message = self.redactor.redact(message.get(..cut).unwrap_or_default());
        let message = message.get(..message.floor_char_boundary(LINE)).unwrap_or_default();
        // Kept even when the budget is spent: it says why the instance ended.
        if level == GuestLevel::Error {
            self.last_words = Some(message.to_string());
        }
        match self.left.checked_sub(message.len() as u64 + 1) {
            Some(left) => self.left = left,
            None => {
                // Shorter lines are not to slip through behind it.
                self.left = 0;
                if !std::mem::replace(&mut self.silenced, true) {
                    tracing::warn!(
                        plugin = self.plugin,
                        "it has written as much as it may; its further lines are dropped"
                    );
                }
                return;
            }
        }
        let plugin = self.plugin.as_str();
        let text = message.escape_debug();
        match level {
            GuestLevel::Trace | GuestLevel::Other => tracing::event!(Level::TRACE, plugin, "{text}"),
            GuestLevel::Debug => tracing::event!(Level::DEBUG, plugin, "{text}"),
            GuestLevel::Info => tracing::event!(Level::INFO, plugin, "{text}"),
            GuestLevel::Warn => tracing::event!(Level::WARN, plugin, "{text}"),
            GuestLevel::Error => tracing::event!(Level::ERROR, plugin, "{text}"),
        }
    }
}

impl Host for Guest {
    async fn log(&mut self, level: GuestLevel, message: String) {
        self.lines.line(level, &message);
    }
}

//! Lines for the run's log. Outside a component they go to standard error.

use crate::bindings::imports::log::Level;

/// What only the plugin's author wants to see.
pub fn trace(message: &str) {
    line(Level::Trace, message);
}

/// What explains a decision.
pub fn debug(message: &str) {
    line(Level::Debug, message);
}

/// What an operator may want to see.
pub fn info(message: &str) {
    line(Level::Info, message);
}

/// What is odd, and no error.
pub fn warn(message: &str) {
    line(Level::Warn, message);
}

/// What went wrong.
pub fn error(message: &str) {
    line(Level::Error, message);
}

#[cfg(target_arch = "wasm32")]
fn line(level: Level, message: &str) {
    crate::bindings::imports::log::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn line(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

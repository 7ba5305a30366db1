//! Places where a test can end the process as `kill -9` would. There are none in a release build.

/// Ends the process here if `METERHOST_FAILPOINT` names this place.
#[cfg(debug_assertions)]
pub(super) fn failpoint(name: &str) {
    if std::env::var("METERHOST_FAILPOINT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(super) fn failpoint(_name: &str) {}

//! The real program, real plugins, a strict emulator of the service: what a person relies on, from a folder of usage to the books.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails has to stop"
)]

mod accepted;
mod access_logs;
mod anycost;
mod anycost_stream;
mod bad_input;
mod billing;
mod browser;
mod cache;
mod carried;
mod chance;
mod changed_rules;
mod chaos;
mod crashes;
mod customers;
mod dedupe;
mod delivery;
mod examples;
mod explained;
mod exporter;
mod focus;
mod formulas;
mod fresh_ledger;
mod guard;
mod identity;
mod inputs;
mod kills;
mod last_bill;
mod loading;
mod look_up;
mod many_records;
mod market;
mod market_answers;
mod market_crashes;
mod market_errors;
mod market_faults;
mod market_retries;
mod market_secrets;
mod market_sinks;
mod market_tags;
mod marketplace;
mod page;
mod pipeline_file;
mod races;
mod recorded;
mod resolve;
mod sandbox;
mod scenarios;
mod second_sink;
mod sets;
mod sets_by_chance;
mod sets_commands;
mod sets_crashes;
mod sets_drawn;
mod sets_guarded;
mod sets_held;
mod sets_pinned;
mod sinks;
mod sources;
mod state_document;
mod status;
mod support;
mod taken_over;
mod trail;
mod variables;
mod what_happens;
mod why_held;
mod windows;
mod zeros;
mod zombies;

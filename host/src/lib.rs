//! meterhost runs metering pipelines out of sandboxed WebAssembly components, and bills each charge exactly once.
//!
//! | module | subject |
//! |---|---|
//! | [`model`] | the words of metering as types |
//! | [`config`] | the pipeline file |
//! | [`broker`] | what a plugin may reach |
//! | [`plugin`] | from a component's bytes to a callable instance |
//! | [`mirror`] | the state document of the exporter that was there before |
//! | [`pipeline`] | the flow of data: usage, charges, delivery |
//! | [`ledger`] | what was billed |
//! | [`report`] | what a person and a program read at the end |
//! | [`cli`] | the commands |

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails has to stop"
    )
)]

pub mod broker;
pub mod cli;
mod clock;
pub mod config;
mod failpoint;
pub mod ledger;
pub mod mirror;
pub mod model;
pub mod pipeline;
pub mod plugin;
pub mod report;
mod shell;

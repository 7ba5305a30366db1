//! What a pipeline file says, as types.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::customers::Customers;
use super::guard_spec::Guard;
use super::ledger_location::LedgerLocation;
use super::mirror_spec::MirrorSpec;
use super::places::Places;
use super::plugin_spec::PluginSpec;
use super::source_text::SourceText;
use super::start::{Ago, Start};
use super::units::RateSpec;
use crate::model::window::{Window, WindowKind};

/// A whole pipeline file, valid as far as the host can tell by itself.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name; spaces and Unicode are allowed.
    pub name: String,
    /// How long its windows are.
    pub window: WindowKind,
    /// How long after its end a window is due; nothing unless the file says so.
    pub grace: Duration,
    /// Its first window, read once, while the ledger is new.
    pub start: Option<Start>,
    /// How many windows a run takes up for the first time, at most; 0 takes up none. Nothing means no limit.
    pub max_windows: Option<u64>,
    /// Where its ledger is; `NAME.ledger.db` beside the file unless the file says so.
    pub ledger: LedgerLocation,
    /// The same as `--ledger` has it, where that names another than the file.
    pub ledger_option: Option<String>,
    /// Whether every run only shows what it would do.
    pub dry_run: bool,
    /// The state document of the exporter that was there before, if there was one.
    pub mirror: Option<MirrorSpec>,
    /// Where usage comes from.
    pub source: SourceSpec,
    /// What turns usage into charges, at least one, in the order of the file.
    pub aggregates: Vec<AggregateSpec>,
    /// What charges are delivered to, at least one, in the order of the file.
    pub sinks: Vec<SinkSpec>,
    /// The folder of the file, to which its paths are relative.
    pub base: PathBuf,
    /// SHA-256, in hex, of what the file says once its variables are replaced, and of the tables that it names.
    pub digest: String,
    /// The file's text, for errors that are found later.
    pub text: SourceText,
    /// Where in that text each key stands.
    pub places: Places,
}

/// `[source]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The plugin, under the name `source`.
    pub plugin: PluginSpec,
    /// How far back from now settled windows are checked for late and changed inputs. Nothing means: from the start of the month
    /// before now's.
    pub look_back: Option<Ago>,
    /// By what records are told to be the same one, read twice. Nothing means: each is another.
    pub dedupe: Option<Dedupe>,
    /// How long after its end a window's data may be incomplete before that is a problem, where the source says how far its data is
    /// complete; 24 hours unless the file says so.
    pub complete_by: Duration,
}

/// By what records are told to be the same one, read twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// `id`: those of a window with the same id and dimension are one.
    Id,
}

/// `[aggregate.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateSpec {
    /// The plugin, under the section's name.
    pub plugin: PluginSpec,
    /// The dimensions of usage that it takes. Nothing means: those that no aggregate takes by name.
    pub takes: Option<Vec<String>>,
}

/// `[sink.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkSpec {
    /// The plugin, under the section's name, which is part of the identity of each charge.
    pub plugin: PluginSpec,
    /// The dimensions of charges that it takes. Nothing means: those that no sink takes by name.
    pub takes: Option<Vec<String>>,
    /// How quantities are rounded to what the sink can express.
    pub round: Rounding,
    /// How often it is called, at most, where that is slower than what the sink says itself.
    pub rate: Option<RateSpec>,
    /// For how long a call that failed in passing is tried again in one run; 60 seconds unless the file says so.
    pub retry_budget: Duration,
    /// Whom it bills for the usage of each customer. Nothing means: the customer itself, as the usage names it.
    pub customers: Option<Arc<Customers>>,
    /// What becomes of a charge of zero. Nothing means: what suits the sink's service.
    pub zero: Option<Zeros>,
    /// What becomes of usage that is found after its charge was frozen.
    pub late: LateUsage,
    /// What is held until a person releases it, though nothing about it is in doubt. Nothing is, unless the file says so.
    pub guard: Guard,
    /// Whether its plugin publishes complete sets of months. That is known once the plugin is loaded.
    pub publishes: bool,
    /// SHA-256, in hex, of what such a plugin's charges follow from besides usage; known then, too.
    pub made: String,
}

/// What becomes of a charge of which nothing is to be sent: its quantity, once rounded, is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// `skip`: it is neither frozen nor sent, and does not keep its window open. Usage that comes later makes it a first charge.
    Skip,
    /// `send`: it is a charge like any other.
    Send,
    /// `send-at-end`: it is sent once the time ends in which the sink accepts the window's charges, so that it never takes the place of
    /// usage that comes later.
    SendAtEnd,
}

/// What becomes of usage that is found after its charge was frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LateUsage {
    /// `hold`: it is held, for a person to decide.
    #[default]
    Hold,
    /// `carry`: it is billed with the next window that the sink accepts it with.
    Carry,
}

/// What becomes of the digits that a sink cannot express.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rounding {
    /// `up`: away from zero.
    Up,
    /// `down`: towards zero.
    Down,
    /// `half-even`: to the nearest, ties to the even digit.
    HalfEven,
    /// `carry`: down, and what is left over is added to the next charge of its kind.
    Carry,
    /// `refuse`: the charge is held, for a person to decide.
    #[default]
    Refuse,
}

impl SinkSpec {
    /// The first window that a sink bills, where the pipeline begins with this one: a set covers its month from the first instant.
    pub fn begins_with(&self, first: Window) -> Window {
        match self.publishes {
            true => Window::containing(first.kind(), Window::containing(WindowKind::Month, first.start()).start()),
            false => first,
        }
    }
}

impl Pipeline {
    /// What its sinks do with charges, in a word.
    pub fn done(&self) -> &'static str {
        let publishing = self.sinks.iter().filter(|sink| sink.publishes).count();
        match publishing {
            0 => "billed",
            all if all == self.sinks.len() => "published",
            _ => "billed or published",
        }
    }

    /// How long a window is, in words: `an hour`.
    pub fn one_window(&self) -> &'static str {
        match self.window {
            WindowKind::Hour => "an hour",
            WindowKind::Day => "a day",
            WindowKind::Month => "a month",
        }
    }

    /// Whether a window's end and its grace are over.
    pub fn is_due(&self, window: &Window, now: Timestamp) -> bool {
        window.end().checked_add(self.grace).is_ok_and(|due| due <= now)
    }

    /// The aggregate that takes a dimension of usage: the one that names it, else the one that names none.
    pub fn aggregate_of(&self, dimension: &str) -> Option<&AggregateSpec> {
        let named = self.aggregates.iter().find(|aggregate| takes(aggregate.takes.as_deref(), dimension));
        named.or_else(|| self.aggregates.iter().find(|aggregate| aggregate.takes.is_none()))
    }

    /// The sinks that take a dimension of charges: all that name it; if there are none, all that name none.
    pub fn sinks_of(&self, dimension: &str) -> Vec<&SinkSpec> {
        let named: Vec<&SinkSpec> = self.sinks.iter().filter(|sink| takes(sink.takes.as_deref(), dimension)).collect();
        if named.is_empty() { self.sinks.iter().filter(|sink| sink.takes.is_none()).collect() } else { named }
    }

    /// All plugins of the pipeline: the source, the aggregates, the sinks.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginSpec> {
        std::iter::once(&self.source.plugin)
            .chain(self.aggregates.iter().map(|aggregate| &aggregate.plugin))
            .chain(self.sinks.iter().map(|sink| &sink.plugin))
    }
}

fn takes(named: Option<&[String]>, dimension: &str) -> bool {
    named.is_some_and(|named| named.iter().any(|name| name == dimension))
}

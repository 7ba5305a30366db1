//! `rules`: charges by rules and formulas that stand in the pipeline file.
//!
//! ```toml
//! [aggregate.rules.config.dimensions]
//! cpu_core_hours    = "sum"
//! memory_byte_hours = { use = "sum", divide = "1073741824", as = "memory_gib_hours" }
//! failed_requests   = { from = "request", use = "count", where = { status = { at_least = "500" } } }
//! active_users      = { from = ["login", "request"], use = "unique", of = "user_id" }
//! replica_hours     = { use = "sum_of_max", per = ["podName", "instanceId", "hostName"] }
//! debug_hours       = "drop"
//! "*"               = "refuse"
//! ```
//!
//! A rule is named after the dimension that it reads, and makes one of the same name, or of the name in `as`; with `from` it is
//! named after the dimension that it makes. There is one charge line for each product, customer and dimension made. What a rule
//! cannot work out surely (an overflow, an attribute that should be a number and is none) becomes a line in doubt, which the host
//! holds back. A record that no rule's `where` fits is counted as excluded, under the name of the condition. A line names all
//! dimensions that its rule reads as its origins, also those that the customer has no record of.
//!
//! ```toml
//! [aggregate.rules.config]
//! formulas  = [{ as = "pod_hours", formula = "cpu_core_hours / 2 + gpu * 10" }]
//! variables = { cpu_core_hours = "sum", gpu = { from = "gpu-hours", use = "max" } }
//! ```
//!
//! A formula makes a charge of several dimensions. Its variables are rules whose results do not go out by themselves, so that records
//! are taken in, left out and accounted for in one way. One that fails for a customer is a line in doubt for that customer.
//!
//! With `tags = ["tier", "region"]` these attributes become tags of the charges: whatever is said here of a customer's records holds of
//! those that have the same tags, each set by itself.
//!
//! | module | subject |
//! |---|---|
//! | `config` | what is written in the pipeline file |
//! | `fault` | what is wrong with it, and where |
//! | `settings` | what can be wrong with one rule |
//! | `rule` | what one rule takes, and what it makes |
//! | `condition` | `where` |
//! | `formula` | formulas, from the text to a number |
//! | `inputs` | what formulas read |
//! | `rules` | which rules and formulas read a dimension |
//! | `plan` | what is kept for them |
//! | `usage` | what is remembered of the records |
//! | `tags` | which attributes become tags, and which of them a record has |
//! | `texts` | texts by number |
//! | `groups` | the largest quantity of each group |
//! | `totals` | counts and sums of a batch, by columns |
//! | `records` | everything that needs record by record |
//! | `view` | what of a batch a rule needs for that |
//! | `cell` | the operations |
//! | `lines` | charge lines and exclusions |

mod cell;
mod condition;
mod config;
mod fault;
mod formula;
mod groups;
mod inputs;
mod lines;
mod plan;
mod records;
mod rule;
mod rules;
mod settings;
mod tags;
mod texts;
mod totals;
mod usage;
mod view;

use meterhost_sdk::{About, Aggregator, Batch, ChargeLine, Error, Excluded, Plugin, Window, WindowKind};

pub use config::{Comparison, Condition, Config, Formula, OneOrMore, Operation, Period, Rule, Settings};

use lines::Lines;
use rules::Rules;
use totals::Totals;
use usage::Usage;

/// The aggregator of one window.
#[derive(Debug)]
pub struct RulesAggregator {
    usage: Usage,
    totals: Totals,
    /// Once the input has ended.
    lines: Option<Lines>,
}

impl Plugin for RulesAggregator {
    type Config = Config;

    fn about() -> About {
        About {
            name: "rules",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "turns usage into charges by rules in the pipeline file: sums, counts, extremes, distinct values, formulas",
            needs: vec![],
        }
    }
}

impl Aggregator for RulesAggregator {
    fn check(config: Config, _windows: WindowKind) -> Result<(), Error> {
        Rules::new(config).map(|_| ())
    }

    fn open(config: Config, _window: Window) -> Result<Self, Error> {
        Ok(RulesAggregator { usage: Usage::new(Rules::new(config)?), totals: Totals::default(), lines: None })
    }

    fn push(&mut self, batch: &Batch) -> Result<(), Error> {
        let dimensions: Vec<u32> = batch.dimensions().values().iter().map(|name| self.usage.dimension(name)).collect();
        let by_record = dimensions.iter().filter_map(|&dimension| self.usage.plan(dimension)).any(records::needed);
        let places = self.totals.add(&mut self.usage, batch, by_record);
        if by_record {
            records::add(&mut self.usage, batch, places, &dimensions);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Excluded>, Error> {
        self.usage.close();
        let lines = Lines::new(&self.usage);
        let excluded = lines.excluded(&self.usage);
        self.lines = Some(lines);
        Ok(excluded)
    }

    fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error> {
        Ok(self.lines.as_mut().and_then(|lines| lines.next(&self.usage)))
    }
}

meterhost_sdk::export_aggregator!(RulesAggregator);

//! The command by which a person decides of what is held.

use std::collections::HashMap;

use meterhost_decimal::Decimal;

use super::charges::Assessment;
use crate::config::Pipeline;
use crate::ledger::{Hold, Scope};
use crate::model::charge::ChargeId;
use crate::shell::{self, quoted};

/// Product, customer, dimension, tags.
type Named<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

/// The ways out of what is held of one window.
pub(super) struct WaysOut<'a> {
    pipeline: &'a Pipeline,
    /// The window's label.
    window: &'a str,
    /// By which id a person speaks of it, and whether there is less of it than was frozen.
    handles: HashMap<Named<'a>, (ChargeId, bool)>,
}

impl<'a> WaysOut<'a> {
    pub(super) fn of(pipeline: &'a Pipeline, window: &'a str, assessment: &'a Assessment) -> Self {
        let held = assessment.lines.iter().filter(|line| line.held.is_some());
        let handles = held.map(|line| {
            let key = &line.key;
            let named: Named<'_> = (&key.product, &key.customer, &key.dimension, &key.tags);
            let difference = line.difference.as_ref().and_then(|difference| difference.quantity);
            (named, (line.handle(), difference.is_some_and(Decimal::is_negative)))
        });
        WaysOut { pipeline, window, handles: handles.collect() }
    }

    /// The command for a hold, where there is one.
    pub(super) fn of_hold(&self, hold: &Hold) -> Option<String> {
        let window = self.window;
        let of_customer =
            |customer: &str, verdicts: &str| format!("{verdicts} --customer {} --window {window}", quoted(customer));
        let arguments = match (&hold.scope, hold.code.as_str()) {
            // What another exporter billed has a way of its own, and what lies nowhere has to be put right.
            (_, "taken-over" | "given-up") if !matches!(hold.scope, Scope::Charge { .. }) => return None,
            (_, "astray" | "unchecked") => return None,
            (Scope::Window, "unreadable") => format!("release|waive --object {}", quoted(hold.place.as_deref()?)),
            // The place stands above: problems that are alike stay one.
            (_, "quarantined") if hold.place.is_some() => "release|waive --record \"OBJECT, PLACE\"".to_owned(),
            (Scope::Window | Scope::Record, _) => format!("release|waive --window {window}"),
            (Scope::Customer { customer }, "customer") => of_customer(customer, "waive"),
            (Scope::Customer { customer } | Scope::Dimension { customer, .. }, _) => {
                of_customer(customer, "release|waive")
            }
            (Scope::Charge { product, customer, dimension, tags }, code) => {
                let named: Named<'_> = (product, customer, dimension, tags);
                match self.handles.get(&named) {
                    Some((handle, is_less)) => format!("{handle} {}", verdicts(code, *is_less)),
                    None => of_customer(customer, "release|waive"),
                }
            }
        };
        Some(shell::command(self.pipeline, "ledger resolve", &format!("{arguments} --reason \"...\"")))
    }
}

/// What can be said of one that is held so.
fn verdicts(code: &str, is_less: bool) -> &'static str {
    match code {
        "untaken" | "negative" => "waive",
        "rounding" | "range" | "aggregate" | "refused" | "too-late" => "billed|waive",
        // Nothing is left to bill, and no credit can be metered.
        "late" | "final" | "moved" | "void" if is_less => "waive",
        _ => "release|billed|waive",
    }
}

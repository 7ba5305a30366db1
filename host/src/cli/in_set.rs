//! What `explain` says of a charge that is published in a complete set.

use serde_json::{Value, json};

use super::shared::escaped;
use super::unfrozen;
use crate::config::Pipeline;
use crate::ledger::{InSet, Unfrozen};
use crate::model::charged::Charged;
use crate::shell;

/// What comes next, and a command where there is one.
fn next(pipeline: &Pipeline, found: &InSet) -> (&'static str, Option<String>) {
    let command = || {
        let arguments = format!("--period {} --sink {}", found.month(), shell::quoted(&found.sink));
        shell::command(pipeline, "snapshots release", &arguments)
    };
    match (found.now == found.shown, &found.pinned) {
        (true, _) => ("nothing: readers are shown it as it is", None),
        (false, Some(_)) => ("nothing, until the month is released:", Some(command())),
        (false, None) => ("a run publishes its month anew", None),
    }
}

impl InSet {
    fn month(&self) -> String {
        crate::ledger::period_of(&self.window).label()
    }
}

/// For a person. What is held beside it says itself what comes next.
pub(super) fn says(pipeline: &Pipeline, found: &InSet, beside: Option<&Unfrozen>) -> String {
    let InSet { sink, window, id, now, shown, current, pinned, inputs } = found;
    let mut lines = vec![format!("{id} is a charge of {}, published in a complete set by {sink}", pipeline.name)];
    if let Some(charge) = now.as_ref().or(shown.as_ref()) {
        let product = if charge.product.is_empty() { String::new() } else { format!(", for {}", charge.product) };
        let tags: Vec<String> = charge.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let tags = if tags.is_empty() { String::new() } else { format!(", {}", tags.join(", ")) };
        lines.push(format!("  {} of {}{product}{tags}, {}", charge.dimension, charge.customer, window.label()));
    }
    lines.push(match now {
        Some(charge) => format!("  comes to {}, made from {}", charge.quantity, counted(charge.records)),
        None => "  is not owed any more".to_owned(),
    });
    if !inputs.is_empty() {
        lines.push(format!("  made of {} inputs of its window:", inputs.len()));
        lines.extend(inputs.iter().map(|input| {
            format!("    {}, {} bytes, version {}, {} items", input.key, input.size, input.etag, input.items)
        }));
    }
    let month = found.month();
    let set = current.as_deref().unwrap_or("no set");
    lines.push(match (shown, current) {
        (Some(shown), _) if Some(shown) == now.as_ref() => format!("  readers of {month} are shown it, in {set}"),
        (Some(shown), _) => format!("  readers of {month} are shown {} of it, in {set}", shown.quantity),
        (None, Some(_)) => format!("  readers of {month} are shown {set}, as far as is known without it"),
        (None, None) => format!("  {month} was never published"),
    });
    lines.extend(pinned.iter().map(|reason| format!("  which stays, because: {reason}")));
    let (next, command) = next(pipeline, found);
    if beside.is_none() || command.is_some() {
        lines.push(format!("next: {next}"));
        lines.extend(command.map(|command| format!("  {command}")));
    }
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    let beside = beside.map(|about| format!("\n{}", unfrozen::says(pipeline, about, true))).unwrap_or_default();
    format!("{}\n{beside}", lines.join("\n"))
}

fn counted(records: u64) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

pub(super) fn as_json(pipeline: &Pipeline, found: &InSet, beside: Option<&Unfrozen>) -> Value {
    let InSet { sink, window, id, now, shown, current, pinned, inputs } = found;
    let (next, command) = next(pipeline, found);
    let charge = |charge: &Charged| {
        let object = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
        };
        json!({
            "product": charge.product, "customer": charge.customer, "dimension": charge.dimension,
            "tags": object(&charge.tags), "attributes": object(&charge.attributes),
            "quantity": charge.quantity.to_string(), "records": charge.records,
        })
    };
    json!({
        "pipeline": pipeline.name, "sink": sink, "window": window, "charge": id.to_string(), "period": found.month(),
        "now": now.as_ref().map(charge), "shown": shown.as_ref().map(charge), "set": current, "pinned": pinned,
        "inputs": inputs, "next": next, "command": command,
        "beside": beside.map(|about| unfrozen::as_json(pipeline, about, true)),
    })
}

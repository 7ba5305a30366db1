//! One charge: what it is, what it was made from, and what happened to it since.

use std::io;

use super::style::{Paint, Style, count, counted, padded};
use crate::ledger::{Charge, Frozen, Inputs, Trail};
use crate::model::charge::{Carried, Part, Remainder};

/// Of a window's inputs, or of a queue's records, so many are shown, unless everything is.
const MOST_INPUTS: usize = 20;
/// Where the values begin.
const VALUES: usize = 14;

/// Writes a charge's trail as a person reads it. `next` is what happens next: a sentence, and what is to be copied.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_trail(out: &mut dyn io::Write, trail: &Trail, next: (&str, Option<&str>), style: Style) -> io::Result<()> {
    let charge = trail.charge.charge();
    let heading = format!("charge {} of {}", charge.id(), style.name(&charge.key().pipeline));
    writeln!(out, "{}\n", style.paint(Paint::Bold, &heading))?;
    write_charge(out, charge, style)?;
    write_standing(out, trail, next, style)?;
    writeln!(out, "\n{}", style.paint(Paint::Bold, "where it comes from"))?;
    write_sources(out, charge, style)?;
    write_frozen(out, &trail.frozen, style)?;
    match &trail.inputs {
        _ if !trail.records.is_empty() => write_records(out, &trail.records, style)?,
        Some(inputs) => write_inputs(out, &charge.key().window.label(), inputs, style)?,
        None => writeln!(out, "  what its window was made of then is not written down")?,
    }
    writeln!(out, "\n{}", style.paint(Paint::Bold, "what happened since"))?;
    if trail.steps.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for step in &trail.steps {
        let at = format!("{:.3}", step.at);
        let words = style.wrapped(&style.sentence(&step.words()), at.len() + 4, at.len() + 6);
        writeln!(out, "  {}  {words}", style.paint(Paint::Dim, &at))?;
        let run = format!("by the run {}", style.name(&step.run));
        writeln!(out, "  {}  {}", " ".repeat(at.len()), style.paint(Paint::Dim, &run))?;
        if !step.raw().is_empty() {
            writeln!(out, "{}as it came: {}", " ".repeat(at.len() + 6), style.sentence(step.raw()))?;
        }
    }
    Ok(())
}

fn field(out: &mut dyn io::Write, name: &str, value: &str, style: Style) -> io::Result<()> {
    writeln!(out, "  {}{}", padded(name, VALUES - 2), style.wrapped(value, VALUES, VALUES + 2))
}

fn write_charge(out: &mut dyn io::Write, charge: &Charge, style: Style) -> io::Result<()> {
    let key = charge.key();
    let mut field = |name, value: &str| field(out, name, value, style);
    field("sink", &style.name(&key.sink))?;
    field("window", &format!("{}, from {} to {}", key.window, key.window.start(), key.window.end()))?;
    if !key.product.is_empty() {
        field("product", &style.name(&key.product))?;
    }
    field("customer", &style.name(&key.customer))?;
    field("dimension", &style.name(&key.dimension))?;
    if !key.tags.is_empty() {
        field("tags", &pairs(&key.tags, style))?;
    }
    let rounded = match charge.exact() == charge.quantity() {
        true => String::new(),
        false => format!(", rounded from {}", charge.exact()),
    };
    field("quantity", &format!("{}{rounded}", charge.quantity()))?;
    if let Ok(time) = jiff::Timestamp::from_millisecond(charge.time()) {
        field("time", &format!("{time}, as the service is told"))?;
    }
    if !charge.attributes().is_empty() {
        field("attributes", &pairs(charge.attributes(), style))?;
    }
    Ok(())
}

fn pairs(pairs: &[(String, String)], style: Style) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", style.name(name), style.name(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
}

fn write_standing(
    out: &mut dyn io::Write,
    trail: &Trail,
    (next, command): (&str, Option<&str>),
    style: Style,
) -> io::Result<()> {
    let standing = trail.charge.standing();
    let reference = standing.reference().map(|reference| format!(", as {}", style.name(reference)));
    let reason = standing.reason().map(|reason| format!(": {}", style.sentence(&reason)));
    let stands = format!("{}{}{}", standing.word(), reference.unwrap_or_default(), reason.unwrap_or_default());
    field(out, "stands", &stands, style)?;
    for hold in &trail.holds {
        let place = hold.place.as_ref().map(|place| format!(", {}", style.sentence(place))).unwrap_or_default();
        let held = format!("{}{place}: {}", style.escaped(&hold.code), style.sentence(&hold.reason));
        field(out, "held back", &held, style)?;
    }
    field(out, "next", &style.escaped(next), style)?;
    match command {
        // To be copied, so it is not broken.
        Some(command) => writeln!(out, "{}{}", " ".repeat(VALUES), style.escaped(command)),
        None => Ok(()),
    }
}

/// `3 records of cpu_hours, and 2 of cpu, by aggregate.rules`
fn write_sources(out: &mut dyn io::Write, charge: &Charge, style: Style) -> io::Result<()> {
    let sources = format!("{}, by {}", origins(charge.origins(), style), style.name(charge.aggregator()));
    writeln!(out, "  {}", style.wrapped(&sources, 2, 4))?;
    for Carried { window, quantity } in charge.carried() {
        writeln!(out, "  with {quantity} of {window}, found late")?;
    }
    if let Some(Remainder { before, after }) = charge.remainder() {
        writeln!(out, "  with {before} that rounding had left over; {after} is left over now")?;
    }
    for Part { product, customer, quantity, origins: from } in charge.parts() {
        let product = if product.is_empty() { String::new() } else { format!(" for {}", style.name(product)) };
        let part = format!("of {}{product}: {quantity}, from {}", style.name(customer), origins(from, style));
        writeln!(out, "    {}", style.wrapped(&part, 4, 6))?;
    }
    Ok(())
}

fn origins(origins: &[(String, u64)], style: Style) -> String {
    let origin =
        |(dimension, records): &(String, u64)| format!("{} of {}", counted(*records, "record"), style.name(dimension));
    match origins.is_empty() {
        true => "no record".to_owned(),
        false => origins.iter().map(origin).collect::<Vec<_>>().join(", "),
    }
}

fn write_frozen(out: &mut dyn io::Write, frozen: &Frozen, style: Style) -> io::Result<()> {
    let Frozen { at, run, now, config, plugins } = frozen;
    let now = now.map(|now| format!(", which took the time for {now}")).unwrap_or_default();
    let text = format!("frozen at {at:.3} by the run {}{now}", style.name(run));
    writeln!(out, "  {}", style.wrapped(&text, 2, 4))?;
    if let Some(config) = config {
        writeln!(out, "  by the configuration {}", style.name(config))?;
    }
    for plugin in plugins {
        let (section, name, version) = (&plugin.section, &plugin.name, &plugin.version);
        let text = format!("{}: {} {}", style.name(section), style.name(name), style.name(version));
        writeln!(out, "    {text}, {}", style.escaped(&plugin.sha256))?;
    }
    Ok(())
}

/// The records of a queue.
fn write_records(out: &mut dyn io::Write, records: &[String], style: Style) -> io::Result<()> {
    writeln!(out, "  from {} of the source", counted(records.len() as u64, "record"))?;
    let shown = if style.everything() { records.len() } else { MOST_INPUTS };
    for record in records.iter().take(shown) {
        writeln!(out, "    {}", style.name(record))?;
    }
    match records.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "    {} and {} more: shown with `-v`", style.ellipsis(), count(more as u64)),
    }
}

fn write_inputs(out: &mut dyn io::Write, window: &str, inputs: &Inputs, style: Style) -> io::Result<()> {
    let Inputs { at, run, inputs } = inputs;
    let number = counted(inputs.len() as u64, "input");
    let text = format!("from {number} of {window}, as written down at {at:.3} by the run {}", style.name(run));
    writeln!(out, "  {}", style.wrapped(&text, 2, 4))?;
    let shown = if style.everything() { inputs.len() } else { MOST_INPUTS };
    for input in inputs.iter().take(shown) {
        let (bytes, items) = (counted(input.size, "byte"), counted(input.items, "item"));
        writeln!(out, "    {}: {bytes}, {items}, ETag {}", style.name(&input.key), style.name(&input.etag))?;
    }
    match inputs.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "    {} and {} more: shown with `-v`", style.ellipsis(), count(more as u64)),
    }
}

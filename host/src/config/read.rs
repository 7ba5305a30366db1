//! From a document to a `Pipeline`. Reading goes on after an error, so that all of them are reported at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::below::below;
use super::customers::{self, Customers};
use super::digest::digest;
use super::errors::ConfigErrors;
use super::grant_spec::Located;
use super::guard_spec::guard;
use super::keys;
use super::ledger_location::{LedgerLocation, LedgerLocationError};
use super::mirror_spec::mirror;
use super::pipeline::{AggregateSpec, Dedupe, LateUsage, Pipeline, Rounding, SinkSpec, SourceSpec, Zeros};
use super::places::Places;
use super::plugin_spec::{check_section_name, plugin_spec};
use super::start::{self, Start};
use super::table::{TableReader, mismatch, table};
use super::tree::{Table, Value};
use super::units::{self, DURATION, RATE};
use super::wording::{key_path, quoted};
use crate::model::window::WindowKind;

/// Reads a whole document; `None` if it does not make a pipeline. Either way, `errors` decides whether the file holds.
pub(super) fn pipeline(document: &Table, base: &Path, errors: &mut ConfigErrors) -> Option<Pipeline> {
    let top = TableReader::new(String::new(), 0..0, document, keys::TOP, errors);
    let name = name(&top, errors);
    let window = window(&top, errors);
    let grace = top.parsed("grace", DURATION, units::duration, errors).unwrap_or_default();
    let start = start(&top, window, errors);
    let max_windows = max_windows(&top, errors);
    let dry_run = dry_run(&top, errors);
    let ledger = ledger(&top, name.as_deref(), base, errors);
    let source = source(&top, base, errors);
    let aggregates = sections(&top, "aggregate", "rules", "an aggregate", errors, |name, reader, errors| {
        aggregate(name, reader, base, errors)
    });
    check_aggregates(&aggregates, errors);
    let sinks =
        sections(&top, "sink", "clazar", "a sink", errors, |name, reader, errors| sink(name, reader, base, errors));
    let sinks: Vec<SinkSpec> = sinks.into_iter().map(|sink| sink.value).collect();
    let mirror = mirror(&top, name.as_deref(), window, &sinks, errors);
    Some(Pipeline {
        name: name?,
        window: window?,
        grace,
        start,
        max_windows,
        ledger: ledger?,
        ledger_option: None,
        dry_run,
        mirror,
        source: source?,
        aggregates: aggregates.into_iter().map(|aggregate| aggregate.value.0).collect(),
        digest: digest(document, &sinks),
        sinks,
        base: base.to_owned(),
        text: errors.source().clone(),
        places: Places::of(document),
    })
}

fn name(top: &TableReader<'_>, errors: &mut ConfigErrors) -> Option<String> {
    let usable = |text: &str| {
        let usable =
            !text.trim().is_empty() && text.trim() == text && text.len() <= 200 && !text.contains(char::is_control);
        usable.then(|| text.to_owned())
    };
    top.required("name", "name = \"postgres-prod\"", errors)?;
    top.parsed("name", "a name of at most 200 bytes, without white space around it", usable, errors)
}

fn window(top: &TableReader<'_>, errors: &mut ConfigErrors) -> Option<WindowKind> {
    top.required("window", "window = \"hour\", \"day\" or \"month\"", errors)?;
    top.parsed("window", "\"hour\", \"day\" or \"month\"", |text| text.parse().ok(), errors)
}

fn start(top: &TableReader<'_>, window: Option<WindowKind>, errors: &mut ConfigErrors) -> Option<Start> {
    let start = top.parsed("start", start::START, start::start, errors)?;
    if let (Start::At(label), Some(kind), Some(entry)) = (start, window, top.entry("start"))
        && label.kind() < kind
    {
        let containing = crate::model::window::Window::containing(kind, label.start());
        errors
            .add(
                entry.node.span.clone(),
                format!("`start` names the {} {label}, but this pipeline's windows are {kind}s", label.kind()),
            )
            .help(format!("write \"{containing}\""));
    }
    Some(start)
}

fn max_windows(top: &TableReader<'_>, errors: &mut ConfigErrors) -> Option<u64> {
    let node = &top.entry("max_windows")?.node;
    let variable = variable(errors.source().slice(&node.span));
    let number = match &node.value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        // Its default is a text, or it has none: what it holds is a number all the same.
        Value::Text { text, .. } if variable.is_some() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()
        }
        _ => None,
    };
    if number.is_none() {
        mismatch(node, "max_windows", "a whole number, 0 or more", errors);
    }
    number
}

fn dry_run(top: &TableReader<'_>, errors: &mut ConfigErrors) -> bool {
    let Some(entry) = top.entry("dry_run") else {
        return false;
    };
    if let Value::Boolean(truth) = entry.node.value {
        return truth;
    }
    let variable = variable(errors.source().slice(&entry.node.span));
    if let (Some(error), Some(name)) = (mismatch(&entry.node, "dry_run", "true or false", errors), variable) {
        error.help(format!("a variable takes the type of its default: env = {{ {name} = false }}"));
    }
    false
}

/// The variable that a string as written consists of.
fn variable(written: &str) -> Option<String> {
    let name = super::table::unquoted(written).strip_prefix("${")?.strip_suffix('}')?;
    Some(name.to_owned())
}

fn ledger(top: &TableReader<'_>, name: Option<&str>, base: &Path, errors: &mut ConfigErrors) -> Option<LedgerLocation> {
    const PLACE: &str = "a place such as \"sqlite:state/NAME.ledger.db\" or \"s3://BUCKET/PREFIX\"";
    if top.entry("ledger").is_none() {
        return Some(LedgerLocation::beside(base, name?));
    }
    let text = top.text("ledger", PLACE, errors)?;
    match LedgerLocation::parse(&text.value, base) {
        Ok(ledger) => Some(ledger),
        Err(LedgerLocationError::Unknown) => {
            let entry = top.entry("ledger")?;
            mismatch(&entry.node, "ledger", PLACE, errors);
            None
        }
        Err(error) => {
            errors.add(text.span, format!("`ledger`: {error}"));
            None
        }
    }
}

fn source(top: &TableReader<'_>, base: &Path, errors: &mut ConfigErrors) -> Option<SourceSpec> {
    let entry = top.required("source", "[source] with plugin = \"s3-reader\"", errors)?;
    let section = table(&entry.node, "source", "a table", errors)?;
    let reader = TableReader::new("source".to_owned(), entry.key.clone(), section, keys::SOURCE, errors);
    let look_back = reader.parsed("look_back", start::LOOK_BACK, start::look_back, errors);
    let by_id = |text: &str| (text == "id").then_some(Dedupe::Id);
    let dedupe = reader.parsed("dedupe", "\"id\"", by_id, errors);
    let complete_by =
        reader.parsed("complete_by", DURATION, units::duration, errors).unwrap_or(Duration::from_secs(24 * 60 * 60));
    let plugin = plugin_spec(&reader, "source", None, base, errors)?;
    Some(SourceSpec { plugin, look_back, dedupe, complete_by })
}

type Aggregate = (AggregateSpec, Vec<Located<String>>);

fn aggregate(name: &str, reader: &TableReader<'_>, base: &Path, errors: &mut ConfigErrors) -> Option<Aggregate> {
    let takes = reader.names("takes", "dimensions", errors);
    let plugin = plugin_spec(reader, name, Some(name), base, errors)?;
    let spec = AggregateSpec { plugin, takes: takes.as_ref().map(|takes| values(takes)) };
    Some((spec, takes.unwrap_or_default()))
}

fn sink(name: &str, reader: &TableReader<'_>, base: &Path, errors: &mut ConfigErrors) -> Option<SinkSpec> {
    const ROUND: &str = "\"up\", \"down\", \"half-even\", \"carry\" or \"refuse\"";
    let rounding = |text: &str| match text {
        "up" => Some(Rounding::Up),
        "down" => Some(Rounding::Down),
        "half-even" => Some(Rounding::HalfEven),
        "carry" => Some(Rounding::Carry),
        "refuse" => Some(Rounding::Refuse),
        _ => None,
    };
    let takes = reader.names("takes", "dimensions", errors);
    let round = reader.parsed("round", ROUND, rounding, errors).unwrap_or_default();
    let rate = reader.parsed("rate", RATE, units::rate, errors);
    let retry_budget =
        reader.parsed("retry_budget", DURATION, units::duration, errors).unwrap_or(Duration::from_secs(60));
    let zeros = |text: &str| match text {
        "skip" => Some(Zeros::Skip),
        "send" => Some(Zeros::Send),
        "send-at-end" => Some(Zeros::SendAtEnd),
        _ => None,
    };
    let zero = reader.parsed("zero", "\"skip\", \"send\" or \"send-at-end\"", zeros, errors);
    let lates = |text: &str| match text {
        "hold" => Some(LateUsage::Hold),
        "carry" => Some(LateUsage::Carry),
        _ => None,
    };
    let late = reader.parsed("late", "\"hold\" or \"carry\"", lates, errors).unwrap_or_default();
    let customers = customers(reader, base, errors);
    let guard = guard(reader, errors);
    let plugin = plugin_spec(reader, name, Some(name), base, errors)?;
    let takes = takes.map(|takes| values(&takes));
    let (publishes, made) = (false, String::new());
    Some(SinkSpec { plugin, takes, round, rate, retry_budget, customers, zero, late, guard, publishes, made })
}

/// Reads the table that a sink names.
fn customers(reader: &TableReader<'_>, base: &Path, errors: &mut ConfigErrors) -> Option<Arc<Customers>> {
    const FILE: &str = "a file of CSV such as \"customers.csv\"";
    let path = |text: &str| (!text.is_empty()).then(|| below(base, text));
    let path = reader.parsed("customers", FILE, path, errors)?;
    match customers::customers(&path, errors) {
        Ok(table) => table.map(Arc::new),
        Err(why) => {
            let span = reader.entry("customers")?.node.span.clone();
            let message = format!("the table of customers cannot be read: {}: {why}", path.display());
            errors.add(span, message).help("its path begins at the pipeline file's folder");
            None
        }
    }
}

/// Reads `[KIND.NAME]` for each name, in the order of the file, each with the place of its name.
fn sections<T>(
    top: &TableReader<'_>,
    kind: &str,
    sample: &str,
    what: &str,
    errors: &mut ConfigErrors,
    mut read: impl FnMut(&str, &TableReader<'_>, &mut ConfigErrors) -> Option<T>,
) -> Vec<Located<T>> {
    let mut found = Vec::new();
    let Some(entry) = top.required(kind, &format!("[{kind}.{sample}]"), errors) else {
        return found;
    };
    let expected = format!("a table of named tables, written [{kind}.{sample}]");
    let Some(named) = table(&entry.node, kind, &expected, errors) else {
        return found;
    };
    let known = if kind == "sink" { keys::SINK } else { keys::AGGREGATE };
    if named.is_empty() {
        errors.add(entry.key.clone(), format!("`{kind}` is empty")).help(format!("write [{kind}.{sample}]"));
    }
    for (name, section) in named {
        let path = key_path(kind, name);
        if known.contains(&name.as_str()) && !matches!(section.node.value, Value::Table(_)) {
            errors
                .add(section.key.clone(), format!("{what} has a name, and `{name}` stands outside of one"))
                .help(format!("put it under a header such as [{kind}.{sample}]"));
            continue;
        }
        check_section_name(name, what, &section.key, errors);
        let Some(table) = table(&section.node, &path, "a table", errors) else {
            continue;
        };
        let reader = TableReader::new(path, section.key.clone(), table, known, errors);
        if let Some(value) = read(name, &reader, errors) {
            found.push(Located { value, span: section.key.clone() });
        }
    }
    found.sort_by_key(|section| section.span.start);
    found
}

/// Each dimension of usage has one aggregate: with two it would be billed twice.
fn check_aggregates(aggregates: &[Located<Aggregate>], errors: &mut ConfigErrors) {
    let mut takers: BTreeMap<&str, &str> = BTreeMap::new();
    let mut of_the_rest: Option<&str> = None;
    for aggregate in aggregates {
        let (spec, takes) = &aggregate.value;
        let section = spec.plugin.section.as_str();
        if spec.takes.is_none() {
            match of_the_rest {
                Some(other) => {
                    errors
                        .add(
                            aggregate.span.clone(),
                            format!("`{section}` and `{other}` both take the dimensions that nobody names"),
                        )
                        .help("name the dimensions of one of them: takes = [\"...\"]");
                }
                None => of_the_rest = Some(section),
            }
        }
        for dimension in takes {
            match takers.get(dimension.value.as_str()) {
                Some(other) if *other != section => {
                    errors
                        .add(
                            dimension.span.clone(),
                            format!("the dimension {} is taken by `{other}` already", quoted(&dimension.value)),
                        )
                        .help("one aggregate takes a dimension, or it would be billed twice");
                }
                _ => {
                    takers.insert(&dimension.value, section);
                }
            }
        }
    }
}

fn values(located: &[Located<String>]) -> Vec<String> {
    located.iter().map(|located| located.value.clone()).collect()
}

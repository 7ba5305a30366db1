//! A plugin's own settings against the schema that the plugin declares.
//!
//! The schema comes from a plugin and may be hostile: its size and its work are capped, a `$ref` reaches inside the document only,
//! patterns run on an engine without backtracking, and the check runs on a thread of its own that is not waited for longer than a
//! moment: thousands of large patterns take their time to compile.

use std::sync::mpsc;
use std::time::Duration;

use jsonschema::PatternOptions;
use serde_json::Value as Json;

use super::errors::ConfigErrors;
use super::pipeline::Pipeline;
use super::plugin_spec::PluginSpec;
use super::schema_cost::check_cost;
use super::schema_message::{Fault, Place, faults};
use super::wording::quoted;
use crate::failpoint::failpoint;

const LARGEST: usize = 256 * 1024;
const MOST_FAULTS: usize = 20;
/// How long a check may take, in looks at whether it has ended: a machine that sleeps in between has missed one of them, and not all.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(100);
/// Enough for the deepest schema that `schema_cost` lets through.
const STACK: usize = 16 << 20;

/// Checks the settings of one plugin of a pipeline against a JSON Schema, which is the plugin's own.
///
/// # Errors
/// Each setting that does not fit, at its line; or, at the plugin's name, that the schema is of no use.
pub fn check_against_schema(pipeline: &Pipeline, plugin: &PluginSpec, schema: &str) -> Result<(), ConfigErrors> {
    let mut errors = ConfigErrors::none(&pipeline.text);
    match check(plugin, schema) {
        Ok(faults) => {
            for fault in faults {
                report(fault, pipeline, plugin, &mut errors);
            }
        }
        Err(reason) => {
            let message = format!("the plugin of `{}` has a schema that cannot be used: {reason}", plugin.section);
            errors.add(plugin.span.clone(), message).help("that is a fault of the plugin, not of this file");
        }
    }
    errors.or(Some(()))
}

fn check(plugin: &PluginSpec, schema: &str) -> Result<Vec<Fault>, String> {
    if schema.len() > LARGEST {
        return Err(format!("it has {} bytes, more than {LARGEST}", schema.len()));
    }
    let schema: Json = serde_json::from_str(schema).map_err(|error| format!("it is not JSON: {error}"))?;
    let config = plugin.config.clone();
    let section = plugin.section.clone();
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("schema".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            failpoint("checking");
            sender.send(validate(&schema, &config, &section))
        })
        .map_err(|error| format!("no thread for checking it: {error}"))?;
    let ended = (0..LOOKS).find_map(|_| receiver.recv_timeout(LOOK).ok());
    ended.unwrap_or_else(|| Err("checking it does not come to an end".to_owned()))
}

fn validate(schema: &Json, config: &Json, section: &str) -> Result<Vec<Fault>, String> {
    check_cost(schema, config)?;
    let validator = jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20))
        .build(schema)
        .map_err(|error| quoted(&error.to_string()))?;
    let mut found: Vec<Fault> = Vec::new();
    for error in validator.iter_errors(config) {
        for fault in faults(&error, schema, config, section) {
            if found.len() < MOST_FAULTS && !found.contains(&fault) {
                found.push(fault);
            }
        }
    }
    Ok(found)
}

fn report(fault: Fault, pipeline: &Pipeline, plugin: &PluginSpec, errors: &mut ConfigErrors) {
    let config = format!("{}/config", plugin.pointer);
    let places = &pipeline.places;
    let pointer = format!("{config}{}", fault.pointer);
    let (span, from_process) = match places.get(&pointer) {
        Some(place) if fault.place == Place::Key => (place.key.clone(), false),
        Some(place) => (place.span(), place.from_process),
        None => (places.span(&pointer), false),
    };
    let message = match (fault.got, from_process) {
        (Some(_), true) => format!("{}, not what the environment holds for it", fault.message),
        (Some(got), false) => format!("{}, not {got}", fault.message),
        (None, _) => fault.message,
    };
    // A suggestion is made from the value, and would tell as much.
    errors.add(span, message).help = fault.help.filter(|_| !from_process);
}

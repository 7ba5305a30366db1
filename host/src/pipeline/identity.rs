//! What a pipeline is made of, as the ledger remembers it, and the line at fault where it remembers something else.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::due::first;
use super::setup::{Section, Setup};
use crate::clock;
use crate::config::{ConfigErrors, GrantSpec, Pipeline, SecretSource, SinkSpec, Zeros, fingerprint, join};
use crate::ledger::{Clash, Identity, LedgerError, PluginDigest, State};
use crate::shell::{self, quoted};

/// What a pipeline is, at this time, with all that it is made of.
pub fn identity(setup: &Setup, now: Timestamp) -> Identity {
    // A run may take another time for now; what a ledger that was lost has sent, it sent by the real clock.
    let over = now.max(clock::now());
    Identity::of(&setup.pipeline, first(&setup.pipeline, now)).at(over).made_of(plugins(setup))
}

/// Which plugins it runs, and with which settings.
pub(super) fn plugins(setup: &Setup) -> Vec<PluginDigest> {
    let digest = |section: &Section| PluginDigest {
        section: section.name.clone(),
        name: section.plugin.description().name.clone(),
        version: section.plugin.description().version.clone(),
        sha256: section.plugin.digest(),
        settings: settings(&setup.pipeline, &section.name).as_ref().map(fingerprint),
        config: computes(&setup.pipeline, &section.name).as_ref().map(fingerprint),
    };
    setup.sections().map(digest).collect()
}

/// What tells a section from another one with the same plugin: whose usage it reads, what it makes of it, in whose name it bills.
fn settings(pipeline: &Pipeline, section: &str) -> Option<Json> {
    let source = &pipeline.source.plugin;
    if source.section == section {
        let read = source.grant.read.as_ref().map(|read| &read.value);
        // What else is read of the same objects makes no other usage of them.
        let objects = source.config.get("layout").unwrap_or(&source.config);
        return Some(json!({ "objects": objects, "read": read }));
    }
    if let Some(aggregate) = pipeline.aggregates.iter().find(|aggregate| aggregate.plugin.section == section) {
        return Some(json!({ "config": aggregate.plugin.config, "takes": aggregate.takes }));
    }
    let sink = pipeline.sinks.iter().find(|sink| sink.plugin.section == section)?;
    Some(json!({ "config": sink.plugin.config, "secrets": secrets(&sink.plugin.grant) }))
}

/// All that the numbers depend on that a source or an aggregate comes to.
fn computes(pipeline: &Pipeline, section: &str) -> Option<Json> {
    let source = &pipeline.source;
    if source.plugin.section == section {
        return Some(json!({ "config": source.plugin.config, "dedupe": source.dedupe.is_some() }));
    }
    let aggregate = pipeline.aggregates.iter().find(|aggregate| aggregate.plugin.section == section)?;
    Some(json!({ "config": aggregate.plugin.config, "takes": aggregate.takes }))
}

/// What stands for all that a sink's charges follow from besides usage.
pub(super) fn made(setup: &Setup, spec: &SinkSpec) -> String {
    let computing =
        |section: &Section| computes(&setup.pipeline, &section.name).map(|all| (section.plugin.digest(), all));
    let takes: Vec<_> = setup.pipeline.sinks.iter().map(|sink| &sink.takes).collect();
    let label = setup.sections().find(|section| section.name == spec.plugin.section).map(|own| own.plugin.label());
    fingerprint(&json!({
        "computed": setup.sections().filter_map(computing).collect::<Vec<_>>(),
        "takes": takes,
        "customers": spec.customers.as_ref().map(|customers| &customers.digest),
        "skips_zeros": spec.zero == Some(Zeros::Skip),
        // It may refuse some.
        "sink": (label, &spec.plugin.config),
    }))
}

/// Where secrets come from; nobody reads them.
fn secrets(grant: &GrantSpec) -> Json {
    let path = |path: &Path| path.display().to_string();
    let from = grant.secrets.iter().map(|(name, secret)| match &secret.value.from {
        SecretSource::Env(variable) => (name.clone(), json!({ "env": variable })),
        SecretSource::File(file) => (name.clone(), json!({ "file": path(file) })),
    });
    Json::Object(from.collect())
}

/// Aggregates that have another name and are the same for the rest, for a person.
pub(super) fn renamed(identity: &Identity, state: &State) -> Option<String> {
    let renamed: Vec<String> =
        identity.aggregates_renamed(state).iter().map(|(from, to)| format!("{from} is called {to} now")).collect();
    (!renamed.is_empty()).then(|| {
        let renamed = renamed.join(", ");
        format!("the aggregate {renamed}, and is the same for the rest: no charge changes by that")
    })
}

/// What is at fault in the pipeline's file, if an error of its ledger is about that.
pub fn at_fault(pipeline: &Pipeline, error: &LedgerError) -> Option<ConfigErrors> {
    let (pointer, help) = match error {
        LedgerError::OtherWindow { .. } => ("/window".to_owned(), error.action().to_owned()),
        LedgerError::Identity { clash, .. } => way_out(pipeline, clash),
        _ => return None,
    };
    Some(ConfigErrors::at(&pipeline.text, pipeline.places.span(&pointer), error.to_string(), Some(help)))
}

/// The key that is at fault, and what to do; commands on lines of their own.
fn way_out(pipeline: &Pipeline, clash: &Clash) -> (String, String) {
    let rename = |arguments: String| shell::command(pipeline, "ledger rename", &arguments);
    let pair = |from: &str, to: &str| quoted(&format!("{from}={to}"));
    match clash {
        Clash::Sink { gone, new } => {
            let one = gone.split(", ").next().unwrap_or_default();
            let renamed = rename(format!("--sink {}", pair(one, new)));
            let retired = rename(format!("--retire {}", quoted(one)));
            let help = format!(
                "put the name back; or, if it is the same service, say so by the first of these; or, if it is another one, and {one} is \
                 gone for good, by the second:\n{renamed}\n{retired}"
            );
            (join("/sink", new), help)
        }
        Clash::SinkBefore { name, now } => {
            let renamed = rename(format!("--sink {}", pair(now, name)));
            (join("/sink", name), format!("call it {now}, or give it back its name:\n{renamed}"))
        }
        Clash::Publishes { name } | Clash::Bills { name } => {
            let retire = rename(format!("--retire {}", quoted(name)));
            let help = format!(
                "give it another name, and put the plugin of before back under this one; or, if that is at its end and gone for good, say so \
                 once the new name stands in the file:\n{retire}"
            );
            (join("/sink", name), help)
        }
        Clash::Aggregate { gone, new } => {
            let one = gone.split(", ").next().unwrap_or_default();
            let renamed = rename(format!("--aggregate {}", pair(one, new)));
            (
                join("/aggregate", new),
                format!("put the name back; or, if it makes the same charges, say so:\n{renamed}"),
            )
        }
        Clash::Pipeline { known, .. } => {
            let renamed = rename(format!("--pipeline {}", quoted(known)));
            let help = format!(
                "put the name back; or, if it is another pipeline, name another `ledger`; or, if it is the same one, say so:\n{renamed}"
            );
            ("/name".to_owned(), help)
        }
        Clash::PipelineBefore { now, .. } => {
            let renamed = rename(format!("--pipeline {}", quoted(now)));
            let help = format!(
                "call it \"{now}\"; another pipeline needs another name, or another `ledger`; or give it back its name:\n{renamed}"
            );
            ("/name".to_owned(), help)
        }
    }
}

//! What plugins of one pipeline cannot have beside each other: each finding names the place in the file.

use std::collections::BTreeMap;

use super::setup::{Section, SinkSection};
use crate::config::{ConfigErrors, Pipeline, SinkSpec, Zeros};
use crate::model::publish::PlaceTraits;
use crate::model::window::WindowKind;

/// What a pipeline cannot have whose source is a queue.
pub(super) fn for_queues(pipeline: &Pipeline, source: &Section, sinks: &[SinkSection]) -> Vec<ConfigErrors> {
    let is_set = |set: bool, pointer: &str, why: &str, help: &str| {
        let text = format!("{} is a queue, {why}", source.label());
        let span = pipeline.places.span(pointer);
        set.then(|| ConfigErrors::at(&pipeline.text, span, text, Some(help.to_owned())))
    };
    let out = "leave the key out";
    let publisher = pipeline.sinks.iter().zip(sinks).find(|(_, sink)| sink.place.is_some());
    let publisher = publisher.map(|(spec, sink)| (spec.plugin.pointer.clone(), sink.section.label()));
    let (pointer, label) = publisher.clone().unwrap_or_default();
    let found = [
        is_set(
            publisher.is_some(),
            &pointer,
            &format!("which hands each record out once, and {label} publishes complete sets"),
            "read the usage with a source that can be read again",
        ),
        is_set(
            pipeline.source.dedupe.is_some(),
            "/source/dedupe",
            "whose records are told apart by their references already",
            out,
        ),
        is_set(pipeline.source.look_back.is_some(), "/source/look_back", "which hands out by itself what is late", out),
        is_set(pipeline.start.is_some(), "/start", "of which all that is pending is due, however old it is", out),
        is_set(pipeline.mirror.is_some(), "/mirror", "and the exporter that writes this document read none", out),
    ];
    found.into_iter().flatten().collect()
}

/// What a pipeline cannot have with a sink that publishes complete sets.
pub(super) fn for_sets(
    pipeline: &Pipeline,
    spec: &SinkSpec,
    section: &Section,
    place: &PlaceTraits,
) -> Vec<ConfigErrors> {
    let label = section.label();
    let mut found = Vec::new();
    let mut unfit = |pointer: &str, text: String, help: &str| {
        let span = pipeline.places.span(pointer);
        found.push(ConfigErrors::at(&pipeline.text, span, text, Some(help.to_owned())));
    };
    let fits = match place.windows.as_slice() {
        [] => pipeline.window != WindowKind::Month,
        windows => windows.contains(&pipeline.window),
    };
    if !fits {
        let text =
            format!("{label} publishes months by the hour or the day, and no windows of {}", pipeline.one_window());
        unfit("/window", text, "write window = \"hour\", or \"day\"");
    }
    for (key, why) in [
        ("late", "publishes late usage with the month that it belongs to"),
        ("round", "is handed exact quantities"),
        ("guard", "replaces what it published, so that nothing has to be kept back for comparison"),
    ] {
        let pointer = format!("{}/{key}", spec.plugin.pointer);
        if pipeline.places.get(&pointer).is_some() {
            unfit(&pointer, format!("{label} {why}"), "leave the key out");
        }
    }
    if pipeline.source.dedupe.is_some() {
        let text =
            format!("{label} publishes complete sets: no record of them is ever done with, and its id no sign of that");
        unfit("/source/dedupe", text, "leave the key out, and see to it that no record stands in two objects");
    }
    if spec.zero == Some(Zeros::SendAtEnd) {
        let pointer = format!("{}/zero", spec.plugin.pointer);
        unfit(&pointer, format!("{label} accepts charges at any time"), "write zero = \"send\", or \"skip\"");
    }
    found
}

/// Sinks that publish where another one does: each would replace what the other shows.
pub(super) fn in_one_place(pipeline: &Pipeline, sinks: &[SinkSection]) -> Vec<ConfigErrors> {
    let mut others: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for SinkSection { section, place, .. } in sinks {
        let Some(place) = place else { continue };
        let Some(other) = others.insert(section.grants.place_of(&place.place), &section.name) else { continue };
        let spec = pipeline.sinks.iter().map(|spec| &spec.plugin).find(|spec| spec.section == section.name);
        let pointer = spec.map_or("/sink", |spec| &spec.pointer);
        let text = format!(
            "{other} and {} publish in one place: readers would be shown the set of whichever comes last",
            section.name
        );
        let help = "give each a place of its own, or publish all charges with one sink".to_owned();
        found.push(ConfigErrors::at(&pipeline.text, pipeline.places.span(pointer), text, Some(help)));
    }
    found
}

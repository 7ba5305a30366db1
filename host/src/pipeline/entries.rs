//! What a run writes into the ledger besides charges and what became of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::charges::Assessment;
use super::gathered::Reading;
use super::identity::plugins;
use super::setup::Setup;
use crate::config::SinkSpec;
use crate::ledger::{Entry, Hold, InputSeen, Scope};
use crate::model::window::Window;
use crate::report::Problem;

/// What a run is about to do, and by what means.
pub(super) fn intent(setup: &Setup, now: Timestamp, windows: &[Window]) -> Entry {
    Entry::Run {
        now: now.as_millisecond(),
        config: setup.pipeline.digest.clone(),
        plugins: plugins(setup),
        windows: windows.to_vec(),
        sinks: setup.pipeline.sinks.iter().map(|sink| sink.plugin.name.clone()).collect(),
    }
}

/// What a window was read from.
pub(super) fn inputs(reading: &Reading) -> Vec<InputSeen> {
    let inputs = reading.inputs.iter().map(|(input, items)| InputSeen {
        key: input.key.clone(),
        etag: input.etag.clone(),
        size: input.size,
        items: *items,
    });
    inputs.collect()
}

/// What of a window is kept back from a sink, and what was left out.
pub(super) fn kept_back(setup: &Setup, sink: usize, window: Window, assessment: &Assessment) -> Entry {
    let mut items: BTreeMap<String, u64> = BTreeMap::from([
        ("quarantined".to_owned(), assessment.quarantined),
        ("duplicate".to_owned(), assessment.duplicates),
    ]);
    for ((rule, _), (records, _)) in &assessment.left_out {
        *items.entry(format!("excluded: {rule}")).or_default() += records;
    }
    Entry::Reading {
        sink: setup.pipeline.sinks.get(sink).map(|sink| sink.plugin.name.clone()).unwrap_or_default(),
        window,
        holds: assessment.holds.clone(),
        items: items.into_iter().filter(|(_, records)| *records > 0).collect(),
    }
}

/// That nothing which was read lies where it could be billed.
pub(super) fn all_astray(words: &str) -> Hold {
    Hold {
        scope: Scope::Window,
        code: "astray".to_owned(),
        place: None,
        reason: format!("{words}; nothing else was read"),
        quantity: None,
    }
}

/// That a sink could not check its charges of a window.
pub(super) fn unchecked(spec: &SinkSpec, window: &Window, problem: &Problem) -> Entry {
    let hold = Hold {
        scope: Scope::Window,
        code: "unchecked".to_owned(),
        place: None,
        reason: format!("its charges could not be checked: {}", problem.message),
        quantity: None,
    };
    Entry::Reading { sink: spec.plugin.name.clone(), window: *window, holds: vec![hold], items: Vec::new() }
}

//! A ledger that is new: either nothing was billed before, or one was lost that knew what was.

use super::options::Options;
use super::setup::{Setup, SinkSection};
use crate::ledger::{ChargeState, Standing};
use crate::model::service::Resolution;

/// That there is no record of the pipeline, and what becomes of windows that are over: as far as a service can tell, nothing of them is
/// billed twice.
pub(super) fn begins_anew(setup: &Setup, options: &Options<'_>) -> String {
    let named = |how: Resolution| {
        let sinks = setup.sinks.iter().filter(|sink| sink.place.is_none() && sink.traits.resolution == how);
        let names: Vec<&str> = sinks.map(name).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    };
    let mut note =
        format!("there is no record of this pipeline in {} yet: it begins with this run", setup.place.short_name());
    let is = if options.dry_run { "would be" } else { "is" };
    if let Some(sinks) = named(Resolution::LookUp) {
        note += &format!(
            "; what is over by now {is} looked up at {sinks} before it {is} sent, since a ledger that was lost may have sent it"
        );
    }
    if let Some(sinks) = named(Resolution::Replay) {
        note += &format!("; {sinks} takes what a lost ledger sent for the same charge");
    }
    let publishers: Vec<&str> = setup.sinks.iter().filter(|sink| sink.place.is_some()).map(name).collect();
    if !publishers.is_empty() {
        let sinks = publishers.join(" and ");
        note += &format!("; what {sinks} published before {is} replaced, month by month");
    }
    if let Some(sinks) = named(Resolution::Ask) {
        note += &format!(
            "; {sinks} cannot be asked what it has: if there was a ledger, restore it, or what it sent {is} sent again"
        );
    }
    note
}

/// Whether a charge waits until its service's books can be read: a ledger that was lost may have sent it, and the service would take a
/// second record for it.
pub(super) fn waits_for_books(setup: &Setup, state: &ChargeState) -> bool {
    let mut sinks = setup.sinks.iter().filter(|sink| name(sink) == state.charge().key().sink);
    matches!(state.standing(), Standing::Pending { .. })
        && state.may_be_sent_before()
        && !state.is_denied()
        && sinks.any(|sink| sink.traits.resolution == Resolution::LookUp && !sink.traits.refuses_second)
}

fn name(sink: &SinkSection) -> &str {
    sink.section.name.strip_prefix("sink.").unwrap_or(&sink.section.name)
}

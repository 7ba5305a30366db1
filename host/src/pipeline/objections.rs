//! What a sink's service would surely refuse: asked before anything is frozen.

use std::collections::HashMap;

use jiff::Timestamp;

use super::charges::{Assessment, hold};
use super::read::with_denials;
use super::setup::{Setup, SinkSection};
use crate::config::SinkSpec;
use crate::model::service::Offer;
use crate::plugin::SinkInstance;
use crate::report::Problem;

/// Asks the sink what its service would surely refuse, and holds that.
pub(super) fn objections(
    setup: &Setup,
    sink: &SinkSection,
    spec: &SinkSpec,
    now: Timestamp,
    assessment: &mut Assessment,
) -> Result<(), Problem> {
    if assessment.proposals.is_empty() {
        return Ok(());
    }
    let section = &sink.section;
    let session = setup.broker.session(&section.name, section.grants.clone(), true);
    let problem = |failure| with_denials(section.problem("checking charges", None, &failure), &session.denials());
    let mut instance = SinkInstance::start(&section.plugin, section.settings(session.clone(), now)).map_err(problem)?;
    let mut refused: HashMap<String, String> = HashMap::new();
    for proposals in assessment.proposals.chunks(1000) {
        let offers: Vec<Offer> = proposals.iter().map(|proposal| proposal.offer(proposal.key.id())).collect();
        let opinions = instance.check(&section.config, &offers, now.as_millisecond()).map_err(problem)?;
        refused.extend(opinions.into_iter().filter_map(|opinion| Some((opinion.id, opinion.objection?))));
    }
    tracing::trace!(sink = spec.plugin.name, refused = refused.len(), "checked");
    for line in assessment.lines.iter_mut().filter(|line| line.held.is_none()) {
        let Some(objection) = line.id.and_then(|id| refused.get(&id.to_string())) else { continue };
        assessment.holds.push(hold(&line.key, "refused", objection.clone(), Some(line.quantity)));
        line.held = Some(objection.clone());
    }
    assessment.proposals.retain(|proposal| !refused.contains_key(&proposal.key.id().to_string()));
    Ok(())
}

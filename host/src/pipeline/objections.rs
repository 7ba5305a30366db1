//! What a sink says to charges before anything is frozen: what its service would surely refuse, and until when it accepts them.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use meterhost_decimal::Decimal;

use super::charges::{Assessed, Assessment, hold};
use super::read::with_denials;
use super::setup::{Section, Setup, Terms};
use super::works::Checks;
use crate::broker::Session;
use crate::config::{Rounding, Zeros};
use crate::ledger::{State, rounded};
use crate::model::charge::{Key, Proposal};
use crate::model::charged::{ChargeBlock, ChargeColumns, Charged};
use crate::model::service::{Offer, Opinion};
use crate::plugin::{PublisherInstance, SinkInstance};
use crate::report::Problem;

/// So long before the end of its acceptance a zero is sent: a run that comes every hour has one more chance after that.
const ZERO_LEAD: SignedDuration = SignedDuration::from_hours(2);

/// The sinks of a pipeline, as they check charges.
pub(super) struct Sinks<'a>(pub(super) &'a Setup);

impl Checks for Sinks<'_> {
    fn check(&self, sink: usize, now: Timestamp, offers: &[Offer]) -> Result<HashMap<String, Opinion>, Problem> {
        let mut found = HashMap::with_capacity(offers.len());
        let Some(section) = self.0.sinks.get(sink).map(|sink| &sink.section).filter(|_| !offers.is_empty()) else {
            return Ok(found);
        };
        let session = self.0.broker.session(&section.name, section.grants.clone(), true);
        let problem = |failure| with_denials(section.problem("checking charges", None, &failure), &session.denials());
        if self.0.sinks.get(sink).is_some_and(|sink| sink.place.is_some()) {
            return of_a_set(section, session, now, offers);
        }
        let joins_tags = self.0.sinks.get(sink).is_some_and(|sink| sink.traits.joins_tags);
        let mut instance =
            SinkInstance::start(&section.plugin, section.settings(session.clone(), now)).map_err(problem)?;
        for offers in parts(offers, joins_tags) {
            let opinions = instance.check(&section.config, &offers, now.as_millisecond()).map_err(problem)?;
            found.extend(opinions.into_iter().map(|opinion| (opinion.id.clone(), opinion)));
        }
        Ok(found)
    }
}

/// What a sink that publishes sets says to charges.
fn of_a_set(
    section: &Section,
    session: Session,
    now: Timestamp,
    offers: &[Offer],
) -> Result<HashMap<String, Opinion>, Problem> {
    let problem = |failure| with_denials(section.problem("checking charges", None, &failure), &session.denials());
    let settings = section.settings(session.clone(), now);
    let mut instance = PublisherInstance::start(&section.plugin, settings).map_err(problem)?;
    let mut found = HashMap::with_capacity(offers.len());
    let mut check =
        |columns: ChargeColumns| {
            let ids: Vec<String> = columns.charges().map(|charge| charge.id.to_string()).collect();
            let mut objections: HashMap<u32, String> =
                instance.check(&section.config, columns).map_err(problem)?.into_iter().collect();
            found.extend(ids.into_iter().zip(0..).map(|(id, row)| {
                (id.clone(), Opinion { id, objection: objections.remove(&row), accepted_until: None })
            }));
            Ok(())
        };
    let mut block = ChargeBlock::default();
    for offer in offers {
        let charge = Charged::offered(offer);
        if !block.push(&charge) {
            block.take().map_or(Ok(()), &mut check)?;
            block.push(&charge);
        }
    }
    block.take().map_or(Ok(()), &mut check)?;
    Ok(found)
}

/// Parts of at most some more than a thousand. What makes one record of the service stands in one of them.
fn parts(offers: &[Offer], joins_tags: bool) -> Vec<Vec<Offer>> {
    const AT_ONCE: usize = 1000;
    if !joins_tags {
        return offers.chunks(AT_ONCE).map(<[Offer]>::to_vec).collect();
    }
    let slot = |offer: &Offer| {
        let Offer { product, customer, dimension, window, .. } = offer.clone();
        (window, product, customer, dimension)
    };
    let mut sorted = offers.to_vec();
    sorted.sort_by_cached_key(slot);
    let mut parts: Vec<Vec<Offer>> = Vec::new();
    for record in sorted.chunk_by(|left, right| slot(left) == slot(right)) {
        match parts.last_mut().filter(|part| part.len() + record.len() <= AT_ONCE) {
            Some(part) => part.extend_from_slice(record),
            None => parts.push(record.to_vec()),
        }
    }
    parts
}

/// Asks the sink of what is to be frozen and of what is open, and holds what its service would surely refuse. A zero whose acceptance ends
/// is to be frozen from here on, where the file says so.
pub(super) fn objections(
    checks: &dyn Checks,
    sink: usize,
    terms: &Terms<'_>,
    state: &State,
    now: Timestamp,
    assessment: &mut Assessment,
) -> Result<(), Problem> {
    let mut offers: Vec<Offer> =
        assessment.proposals.iter().map(|proposal| proposal.offer(proposal.key.id())).collect();
    offers.extend(assessment.lines.iter().filter_map(|line| waiting(terms, state, line)));
    let opinions = checks.check(sink, now, &offers)?;
    let refuses = |id: &str| opinions.get(id).and_then(|opinion| opinion.objection.clone());
    let proposed: HashMap<String, usize> =
        assessment.proposals.iter().enumerate().map(|(at, proposal)| (proposal.key.id().to_string(), at)).collect();
    let sent: HashSet<Key> = match terms.traits.joins_tags && terms.zeros == Zeros::SendAtEnd {
        true => assessment.proposals.iter().map(|proposal| proposal.key.untagged()).collect(),
        false => HashSet::new(),
    };
    for line in &mut assessment.lines {
        // The record of its slot is made by others: nothing is left for a zero to say.
        if line.zero && sent.contains(&line.key.untagged()) {
            line.draft = None;
            continue;
        }
        let Some(id) = line.id.map(|id| id.to_string()) else { continue };
        let Some(opinion) = opinions.get(&id) else { continue };
        line.accepted_until = opinion.accepted_until;
        if let Some(objection) = refuses(&id).filter(|_| proposed.contains_key(&id) && line.held.is_none()) {
            assessment.holds.push(hold(&line.key, "refused", objection.clone(), Some(line.own)));
            line.held = Some(("refused", objection));
        }
        let may_be_sent = line.zero && line.draft.is_some();
        if !may_be_sent || terms.zeros != Zeros::SendAtEnd || opinion.objection.is_some() {
            continue;
        }
        let Some(until) = opinion.accepted_until else { continue };
        if is_last(until, now) {
            line.zero = false;
            assessment.proposals.extend(line.draft.take().map(|draft| Proposal { quantity: line.quantity, ..*draft }));
        } else {
            assessment.zeros_until = Some(assessment.zeros_until.map_or(until, |first| first.min(until)));
        }
    }
    assessment.proposals.retain(|proposal| refuses(&proposal.key.id().to_string()).is_none());
    Ok(())
}

/// Whether it is time to send a zero that is accepted until then.
pub(super) fn is_last(until: i64, now: Timestamp) -> bool {
    let until = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
    now.checked_add(ZERO_LEAD).is_ok_and(|then| then >= until)
}

/// What is open, and is not to be frozen now: how long the sink accepts it is worth knowing.
fn waiting(terms: &Terms<'_>, state: &State, line: &Assessed) -> Option<Offer> {
    let id = line.id?;
    if let Some(charge) = state.charge(&id) {
        return (!charge.is_final()).then(|| charge.charge().offer());
    }
    let is_last_zero = line.zero && terms.zeros == Zeros::SendAtEnd;
    if line.held.is_none() && !is_last_zero {
        return None;
    }
    let (least, most) = (terms.traits.minimum, terms.traits.maximum);
    let quantity =
        rounded(line.own, terms.traits.scale, Rounding::Down).ok().filter(|it| (least..=most).contains(it))?;
    let proposal = Proposal {
        key: line.key.clone(),
        exact: line.own,
        quantity: quantity.max(Decimal::ZERO),
        carried: Vec::new(),
        remainder: None,
        unsent: false,
        until: None,
        time: line.key.window.start().as_millisecond(),
        origins: Vec::new(),
        parts: Vec::new(),
        attributes: Vec::new(),
        aggregator: String::new(),
    };
    Some(proposal.offer(id))
}

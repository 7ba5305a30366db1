//! From the lines of a reading to the charges of one sink: what is new, what is held and why, and where each item went.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use meterhost_decimal::{Decimal, DecimalSum};

use super::bills::{Bill, SinkDoubts, bills};
use super::charges::{Assessed, Assessment, Difference, Place, hold};
use super::closed;
use super::doubts::Doubts;
use super::entries::inputs;
use super::frozen::{Compared, gone, now_makes};
use super::gathered::Reading;
use super::guard::Guarded;
use super::judge::{Judged, UNKNOWN, no_row};
use super::moved::Moved;
use super::options::LastBill;
use super::setup::Terms;
use super::tally::Pair;
use crate::config::{Pipeline, SinkSpec};
use crate::ledger::{ChargeState, Decision, Hold, InputSeen, PluginDigest, Scope, Standing, State, Word};
use crate::model::charge::{ChargeId, Proposal};
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// Judges the lines of one window for one sink.
pub(super) struct Assess<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) terms: Terms<'a>,
    pub(super) spec: &'a SinkSpec,
    pub(super) window: &'a Window,
    pub(super) reading: &'a Reading,
    pub(super) state: &'a State,
    /// What this run is made of.
    pub(super) plugins: &'a [PluginDigest],
    /// Only this customer.
    pub(super) last: Option<&'a LastBill>,
    /// Of a queue, whose records are usage until they are taken: charges that were refused, and of which records are usage again.
    pub(super) queue: Option<&'a HashSet<ChargeId>>,
    /// What it is compared with.
    pub(super) guarded: &'a Guarded<'a>,
    /// An input that is gone, once somebody asked.
    pub(super) gone: OnceCell<Option<String>>,
    /// The ids of all that is made for the sink now, once somebody asked.
    pub(super) made: OnceCell<HashSet<ChargeId>>,
}

impl<'a> Assess<'a> {
    /// What no sink takes is held by the first one, so that somebody reads of it.
    pub(super) fn assess(&self, first: bool) -> Assessment {
        let Assess { pipeline, spec, window, reading, state, .. } = *self;
        let name = &spec.plugin.name;
        let takes = |dimension: &str| match pipeline.sinks_of(dimension) {
            takers if takers.is_empty() => first,
            takers => takers.iter().any(|taker| taker.plugin.name == *name),
        };
        let doubts = Doubts::of(reading, &|hold| self.is_given_up_by_hand(hold));
        let moved = match self.queue {
            // Records that are usage now went into no charge before.
            Some(_) => Moved::default(),
            // What is published is no bill, and replaces what stood there.
            None if spec.publishes => Moved::default(),
            None => Moved::of(pipeline, window, reading, &doubts, state),
        };
        let in_doubt = SinkDoubts::of(spec, &doubts);
        let mut assessment = self.counted();
        self.keep_back(&doubts, &takes, &mut assessment);
        let mut seen: HashSet<ChargeId> = HashSet::new();
        // What the other exporter read is what was there when its word was taken. Most customers were taken over together.
        let mut compared: HashMap<*const InputSeen, bool> = HashMap::new();
        let mut as_it_was = |customer: &str| {
            // Where nobody could look then, it is what is there at the first look.
            let Some(before) = state.billed_from(name, window, customer) else { return true };
            *compared.entry(before.as_ptr()).or_insert_with(|| are_same(before, &inputs(reading)))
        };
        for mut bill in bills(pipeline, spec, window, reading.lines.iter().filter(|(_, line)| takes(&line.dimension))) {
            if self.last.is_some_and(|last| last.customer != bill.key.customer) {
                if self.queue.is_some() {
                    assessment.others.extend(bill.lines.iter().flat_map(|line| pairs(line)));
                }
                continue;
            }
            let is_known = bill.doubt.is_none();
            if is_known {
                let made = assessment.made.entry(bill.key.dimension.clone()).or_default();
                bill.lines.iter().for_each(|line| made.add(line.quantity));
            }
            // Frozen under another name, it has the id of that one.
            bill.id = bill.id.map(|id| state.known_as(id));
            seen.extend(bill.id);
            let charge = bill.id.and_then(|id| state.charge(&id)).filter(|charge| !self.is_revised(charge));
            let mut line = match (charge, self.taken(&bill).filter(|_| charge.is_none())) {
                (Some(charge), _) => {
                    self.add_frozen(charge, &mut bill, &mut assessment);
                    let compared = self.compare(charge, &bill, &in_doubt, &moved, &mut as_it_was);
                    let frozen = state.frozen_of(&charge.charge().id());
                    self.compared_line(bill, frozen, compared)
                }
                (None, Some(other)) => {
                    let was_so = as_it_was(&bill.key.customer);
                    self.late_line(bill, other, (&in_doubt, &moved, was_so), &mut assessment)
                }
                (None, None) => {
                    let was_so = as_it_was(&bill.key.customer);
                    let judged = self.judge(&bill, &in_doubt, &moved, was_so);
                    self.new_line(bill, judged, &mut assessment)
                }
            };
            line.is_known = is_known;
            assessment.lines.push(line);
        }
        for charge in state.charges_of(name, window).into_iter().filter(|charge| !seen.contains(&charge.charge().id()))
        {
            if self.last.is_some_and(|last| last.customer != charge.charge().key().customer) {
                continue;
            }
            if *charge.standing() == Standing::TakenOver && as_it_was(&charge.charge().key().customer) {
                continue;
            }
            if self.queue.is_some() {
                assessment.lines.push(self.taken_line(charge, &mut assessment.made));
                continue;
            }
            assessment.lines.extend(self.gone_line(charge, &doubts, &moved));
        }
        assessment.lines.extend(self.late_lines_gone(&seen, &doubts));
        self.hold_lines(&mut assessment);
        if self.last.is_none() {
            let nothing = self.guarded.about_nothing(&assessment, reading, &in_doubt, state);
            let is_open = |hold: &Hold| state.answered(name, window, hold, std::iter::empty()).is_none();
            assessment.holds.extend(nothing.into_iter().filter(is_open));
        }
        if let Some(last) = self.last {
            self.only(last, &mut assessment);
        }
        // There may be a million of them, all there until the run ends.
        assessment.lines.shrink_to_fit();
        assessment.proposals.shrink_to_fit();
        assessment
    }

    /// Whether a charge is made anew: it was surely refused, and records of it are usage again.
    pub(super) fn is_revised(&self, charge: &ChargeState) -> bool {
        matches!(charge.standing(), Standing::Rejected { .. })
            && self.queue.is_some_and(|revised| revised.contains(&charge.charge().id()))
    }

    /// What was frozen of a charge counts as usage of its window, as it does where all of that is read again.
    fn add_frozen(&self, charge: &ChargeState, bill: &mut Bill<'_>, assessment: &mut Assessment) {
        let Some(frozen) = self.queue.and_then(|_| self.state.frozen_of(&charge.charge().id())) else { return };
        self.add(frozen, bill, assessment);
    }

    pub(super) fn add(&self, frozen: Decimal, bill: &mut Bill<'_>, assessment: &mut Assessment) {
        match bill.exact.checked_add(frozen) {
            Some(sum) => {
                bill.exact = sum;
                if bill.doubt.is_none() {
                    assessment.made.entry(bill.key.dimension.clone()).or_default().add(frozen);
                }
            }
            None => {
                bill.doubt = bill.doubt.take().or(Some("with what is frozen it has more than 38 digits".to_owned()))
            }
        }
    }

    /// The line of a charge of a queue's records, of which no more are there.
    fn taken_line(&self, charge: &ChargeState, made: &mut BTreeMap<String, DecimalSum>) -> Assessed {
        let id = charge.charge().id();
        let mut line = Assessed::of(charge);
        // None of these were read now.
        (line.origins, line.parts) = (Vec::new(), Vec::new());
        line.own = self.state.frozen_of(&id).unwrap_or(line.own);
        line.carried_before = self.state.carried_from(&id);
        line.more_by_hand = self.state.more_by_hand(&id);
        made.entry(line.key.dimension.clone()).or_default().add(line.own);
        line
    }

    /// What was read, item by item.
    fn counted(&self) -> Assessment {
        let reading = self.reading;
        let mut assessment = Assessment {
            quarantined: reading.quarantined.iter().map(|record| record.records).sum(),
            duplicates: reading.duplicates,
            tally: reading.tally.clone(),
            ..Assessment::default()
        };
        for excluded in &reading.excluded {
            let pair = Pair {
                product: excluded.product.clone(),
                customer: excluded.customer.clone(),
                dimension: excluded.dimension.clone(),
            };
            *assessment.excluded.entry(pair).or_default() += excluded.records;
            let place = (excluded.rule.clone(), excluded.dimension.clone());
            let (records, sum) = assessment.left_out.entry(place).or_insert((0, Some(Decimal::ZERO)));
            *records += excluded.records;
            *sum = sum.and_then(|sum| sum.checked_add(excluded.quantity));
        }
        assessment
    }

    /// The doubts that concern the sink, but for those that a person gave up.
    fn keep_back(&self, doubts: &Doubts, takes: &dyn Fn(&str) -> bool, assessment: &mut Assessment) {
        let name = &self.spec.plugin.name;
        for (hold, records) in doubts.holds(&self.reading.lines, takes) {
            match self.is_given_up_by_hand(hold) {
                true => assessment.waived += records,
                false => {
                    let word = self.answer(hold).map(|word| (hold.clone(), word.words()));
                    assessment.released.extend(word);
                    assessment.holds.push(hold.clone());
                }
            }
        }
        assessment.quarantined = assessment.quarantined.saturating_sub(assessment.waived);
        let failed = self.state.imported().failed(name, self.window).filter(|who| self.is_given_up(who));
        let failed = failed.map(closed::given_up).filter(|hold| !self.is_given_up_by_hand(hold));
        assessment.holds.extend(failed);
    }

    /// Whether a person said that nothing is to be billed of what a hold keeps back.
    pub(super) fn is_given_up_by_hand(&self, hold: &Hold) -> bool {
        self.answer(hold).is_some_and(|word| word.decision == Decision::Waive)
    }

    /// The last word of a person about a hold, as it is.
    fn answer(&self, hold: &Hold) -> Option<&'a Word> {
        let versions = self.reading.inputs.iter().map(|(input, _)| (input.key.as_str(), input.etag.as_str()));
        self.state.answered(&self.spec.plugin.name, self.window, hold, versions)
    }

    /// The line of something that is not frozen yet, and the charge that it is to be.
    pub(super) fn new_line(&self, bill: Bill<'_>, judged: Judged<'_>, assessment: &mut Assessment) -> Assessed {
        let mut line = Assessed::new(bill.key.clone(), bill.id, bill.exact);
        let mut proposal = self.proposal(&bill);
        (line.origins, line.parts) = (bill.origins, bill.parts);
        match judged {
            Judged::Zero(quantity) => {
                (line.quantity, line.zero, line.draft) = (quantity, true, Some(Box::new(proposal)));
            }
            Judged::Held(why) => line.held = Some(why),
            // No set has it either way, however it was billed.
            Judged::Waived(word) | Judged::ByHand(_, word) if self.spec.publishes => {
                line.waived = Some(format!("{}; what was published of it last stays", word.words()));
            }
            Judged::Waived(word) => line.waived = Some(word.words()),
            Judged::Owed(amount) => {
                line.takes(&amount);
                amount.put(&mut proposal);
                assessment.proposals.push(proposal);
            }
            Judged::TakenOver(quantity) => {
                (line.quantity, line.taken_over) = (quantity, true);
                proposal.quantity = quantity;
                assessment.taken_over.push(proposal);
            }
            Judged::ByHand(quantity, word) => {
                (line.quantity, proposal.quantity) = (quantity, quantity);
                line.by_hand = Standing::ByHand { reason: word.reason.clone(), by: word.by.clone() }.reason();
                assessment.by_hand.push((proposal, word.reason.clone(), word.by.clone()));
            }
        }
        line
    }

    /// The line of a charge of which something is frozen: so much, wherever it is billed.
    pub(super) fn compared_line(&self, bill: Bill<'_>, frozen: Option<Decimal>, compared: Compared<'_>) -> Assessed {
        let mut line = Assessed::new(bill.key.clone(), bill.id, bill.exact);
        let id = bill.handle();
        let quantity = frozen.and_then(|frozen| bill.exact.checked_sub(frozen));
        match compared {
            Compared::Same => {}
            // A doubt of the aggregator's own says nothing of a difference.
            Compared::Held(why @ ("aggregate", _)) => line.held = Some(why),
            Compared::Held(why) => {
                (line.held, line.difference) = (Some(why), Some(Difference { quantity, place: Place::Held }));
            }
            Compared::More(more) => {
                // Held until a window is found that takes it.
                line.difference = Some(Difference { quantity: Some(more), place: Place::Held });
                line.draft = Some(Box::new(self.proposal(&bill)));
            }
            Compared::Settled(word) => {
                line.difference = Some(Difference { quantity, place: Place::Settled(word.words()) });
            }
            Compared::ByHand(word) => {
                let quantity = Some(self.state.more_by_hand(&id));
                line.difference = Some(Difference { quantity, place: Place::ByHand(word.words()) });
            }
        }
        (line.origins, line.parts, line.is_new_alone) = (bill.origins, bill.parts, self.queue.is_some());
        line.carried_before = self.state.carried_from(&id);
        line.more_by_hand = self.state.more_by_hand(&id);
        line
    }

    fn proposal(&self, bill: &Bill<'_>) -> Proposal {
        let aggregator = self.pipeline.aggregates.get(bill.aggregate);
        Proposal {
            key: bill.key.clone(),
            exact: bill.exact,
            quantity: bill.exact,
            carried: Vec::new(),
            remainder: None,
            unsent: false,
            until: self.last.and_then(|last| last.ends(self.window)),
            time: self.window.start().as_millisecond(),
            origins: bill.origins.clone(),
            parts: bill.parts.clone(),
            attributes: bill.attributes.clone(),
            aggregator: aggregator.map(|spec| spec.plugin.section.clone()).unwrap_or_default(),
        }
    }

    /// The line of a charge whose usage is no longer there, unless there is nothing to say of it.
    fn gone_line(&self, state: &ChargeState, doubts: &Doubts, moved: &Moved<'_>) -> Option<Assessed> {
        let charge = state.charge();
        let id = charge.id();
        // Usage that cannot be read at the moment is not gone.
        if charge.shares().any(|share| doubts.about(share.customer, share.origins).is_some()) {
            return None;
        }
        let frozen = self.state.frozen_of(&id);
        let now = moved.after(state).map(|line| now_makes(self.pipeline, self.spec, state, line));
        // It was made of what was carried there alone: of its own window there never was anything.
        if now.is_none() && frozen.is_some_and(Decimal::is_zero) && !charge.carried().is_empty() {
            return None;
        }
        let difference = frozen.and_then(|frozen| Decimal::ZERO.checked_sub(frozen));
        let why = gone(state, frozen.unwrap_or_else(|| charge.exact()), now);
        let mut line = Assessed::new(charge.key().clone(), Some(id), Decimal::ZERO);
        line.carried_before = self.state.carried_from(&id);
        line.more_by_hand = self.state.more_by_hand(&id);
        match self.unless_settled(&id, Decimal::ZERO, why) {
            Compared::Held(why) => {
                line.held = Some(why);
                line.difference = Some(Difference { quantity: difference, place: Place::Held });
            }
            Compared::Settled(word) => {
                line.difference = Some(Difference { quantity: difference, place: Place::Settled(word.words()) });
                line.quantity = charge.quantity();
            }
            Compared::Same | Compared::More(_) | Compared::ByHand(_) => {}
        }
        Some(line)
    }

    /// The holds of single lines. What a doubt about a record or an object holds is told already, once for all its lines; of a customer
    /// without a row everything is held, and once.
    fn hold_lines(&self, assessment: &mut Assessment) {
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        let mut holds = Vec::new();
        for line in &assessment.lines {
            match &line.held {
                Some(("doubt", _)) | None => {}
                Some((UNKNOWN, _)) => {
                    let parts = line.parts.iter().map(|part| &part.customer);
                    let own = line.parts.is_empty().then_some(&line.key.customer);
                    unknown.extend(parts.chain(own).cloned());
                }
                Some((code, reason)) => {
                    let is_gone = line.origins.is_empty() && line.differs();
                    holds.push(hold(&line.key, code, reason.clone(), (!is_gone).then_some(line.own)));
                }
            }
        }
        assessment.holds.extend(holds);
        let held = |customer| Hold::new(Scope::Customer { customer }, UNKNOWN, no_row(self.spec, ""));
        assessment.holds.extend(unknown.into_iter().map(held));
    }
}

/// Whether these are the same inputs, in the same versions.
fn are_same(left: &[InputSeen], right: &[InputSeen]) -> bool {
    let known: HashMap<&str, &InputSeen> = left.iter().map(|input| (input.key.as_str(), input)).collect();
    left.len() == right.len()
        && right.iter().all(|input| known.get(input.key.as_str()).is_some_and(|seen| seen.is_as(input)))
}
/// Whose usage of what stands behind a line.
fn pairs(line: &ChargeLine) -> impl Iterator<Item = Pair> {
    line.origins.iter().map(|(dimension, _)| Pair {
        product: line.product.clone(),
        customer: line.customer.clone(),
        dimension: dimension.clone(),
    })
}

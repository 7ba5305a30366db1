//! Charges that share records, and are frozen together: a record is taken whole, so that what is handed out again was not billed in part.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::intake::pair;
use crate::config::{Pipeline, Zeros};
use crate::ledger::{Made, State};
use crate::model::charge::{ChargeId, Key};
use crate::model::usage::Batch;
use crate::model::window::{Window, WindowKind};
use crate::pipeline::charges::{Assessed, Assessment, Difference, Place, hold};
use crate::pipeline::setup::Terms;
use crate::pipeline::tally::Pair;
use crate::pipeline::works::Work;

/// Whose usage of what, in which window.
pub(in crate::pipeline) type WhatOf = (Window, Pair);

/// What stands under one reference.
#[derive(Default)]
pub(in crate::pipeline) struct Links(HashSet<(WhatOf, WhatOf)>);

impl Links {
    /// The rows of one record.
    pub(super) fn extend(&mut self, batch: &Batch, rows: &[usize], kind: WindowKind) {
        let of = |row: usize| {
            let time = Timestamp::from_millisecond(*batch.time.get(row)?).ok()?;
            Some((Window::containing(kind, time), pair(batch, row)))
        };
        let [first, others @ ..] = rows else { return };
        let links = others.iter().filter_map(|other| Some((of(*first)?, of(*other)?)));
        self.0.extend(links.filter(|(one, other)| one != other));
    }
}

/// What becomes of the records of one kind in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pipeline) struct Goes {
    /// The charges that they go into.
    pub(super) charges: Vec<Made>,
    /// Why they are not billed, where a person decided so.
    pub(super) waived: Option<String>,
    /// What that was decided of.
    pub(super) decided: Vec<(String, Window, ChargeId)>,
}

/// Where all records go that can be taken.
pub(in crate::pipeline) type Fates = HashMap<WhatOf, Goes>;

/// A line that cannot be frozen, since another that shares records with it cannot: the sink, its charge's key, and the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::pipeline) struct Ban {
    sink: usize,
    key: Key,
    reason: String,
}

/// Keeps back what shares records with what is kept back.
pub(in crate::pipeline) fn ban(works: &mut [Work], bans: &[Ban]) {
    let banned: HashMap<(usize, &Key), &String> = bans.iter().map(|ban| ((ban.sink, &ban.key), &ban.reason)).collect();
    if banned.is_empty() {
        return;
    }
    for Work { sink, assessment, .. } in works {
        let Assessment { lines, proposals, by_hand, holds, .. } = assessment;
        proposals.retain(|proposal| !banned.contains_key(&(*sink, &proposal.key)));
        by_hand.retain(|(proposal, ..)| !banned.contains_key(&(*sink, &proposal.key)));
        for line in lines {
            let Some(reason) = banned.get(&(*sink, &line.key)) else { continue };
            (line.zero, line.waived, line.by_hand, line.draft) = (false, None, None, None);
            if let Some(difference) = &mut line.difference {
                difference.place = Place::Held;
            }
            line.held = Some(("together", (*reason).clone()));
            holds.push(hold(&line.key, "together", (*reason).clone(), Some(line.own)));
        }
    }
}

/// Where the records of a run go; or which lines cannot be frozen with the others as they are.
pub(in crate::pipeline) fn fates(
    pipeline: &Pipeline,
    terms: &[Terms<'_>],
    state: &State,
    works: &[Work],
    links: &Links,
) -> Result<Fates, Vec<Ban>> {
    let nodes = Nodes::of(pipeline, terms, state, works);
    let mut failed: HashMap<WhatOf, String> = HashMap::new();
    let mut banned: HashMap<usize, String> = HashMap::new();
    for work in works {
        let sink = pipeline.sinks.get(work.sink).map_or("", |spec| spec.plugin.name.as_str());
        let others = work.assessment.others.iter();
        failed.extend(others.map(|pair| ((work.window, pair.clone()), words(&pair.dimension, &pair.customer, sink))));
    }
    for of in links.0.iter().flat_map(|(one, other)| [one, other]).filter(|of| !nodes.read.contains(of)) {
        let (window, Pair { customer, dimension, .. }) = of;
        failed.insert(of.clone(), format!("{dimension} for {customer} in {}", window.label()));
    }
    loop {
        let before = (failed.len(), banned.len());
        for (at, line) in nodes.lines.iter().enumerate() {
            let why = match &line.goes {
                None => Some(line.words.clone()),
                Some(_) => line.of.iter().find_map(|of| failed.get(of).cloned()),
            };
            let Some(why) = why else { continue };
            if line.goes.is_some() {
                banned.entry(at).or_insert_with(|| why.clone());
            }
            for of in &line.of {
                failed.entry(of.clone()).or_insert_with(|| why.clone());
            }
        }
        for (one, other) in &links.0 {
            for (from, to) in [(one, other), (other, one)] {
                if let Some(why) = failed.get(from).cloned() {
                    failed.entry(to.clone()).or_insert(why);
                }
            }
        }
        if before == (failed.len(), banned.len()) {
            break;
        }
    }
    if !banned.is_empty() {
        let ban = |(at, other): (usize, String)| {
            let line = nodes.lines.get(at)?;
            let reason = format!(
                "its records make {other} too, which is not billed yet: a record is billed wholly or not at all"
            );
            Some(Ban { sink: line.sink, key: line.key.clone(), reason })
        };
        return Err(banned.into_iter().filter_map(ban).collect());
    }
    let mut fates = Fates::new();
    for of in nodes.read.into_iter().filter(|of| !failed.contains_key(of)) {
        fates.insert(of, Goes::default());
    }
    for line in &nodes.lines {
        for of in &line.of {
            let (Some(goes), Some(fate)) = (&line.goes, fates.get_mut(of)) else { continue };
            fate.charges.extend(&goes.charges);
            fate.waived = fate.waived.take().or_else(|| goes.waived.clone());
            fate.decided.extend(goes.decided.iter().cloned());
        }
    }
    for fate in fates.values_mut() {
        fate.charges.sort_unstable();
        fate.charges.dedup();
    }
    Ok(fates)
}

/// A line, and what of the usage stands behind it.
struct Line {
    sink: usize,
    key: Key,
    of: Vec<WhatOf>,
    /// Where its records go; nothing where it is not frozen now.
    goes: Option<Goes>,
    words: String,
}

struct Nodes {
    lines: Vec<Line>,
    /// All that was read and is accounted for, by lines or by rules that left it out.
    read: HashSet<WhatOf>,
}

impl Nodes {
    fn of(pipeline: &Pipeline, terms: &[Terms<'_>], state: &State, works: &[Work]) -> Nodes {
        let mut lines = Vec::new();
        let mut left_out: HashMap<WhatOf, (u64, u64)> = HashMap::new();
        for work in works.iter().filter(|work| work.is_read) {
            let Some(spec) = pipeline.sinks.get(work.sink) else { continue };
            let assessment = &work.assessment;
            for (pair, records) in &assessment.tally {
                let excluded = assessment.excluded.get(pair).copied().unwrap_or_default();
                left_out.insert((work.window, pair.clone()), (*records, excluded));
            }
            let made: HashMap<ChargeId, u32> = assessment
                .proposals
                .iter()
                .chain(assessment.by_hand.iter().map(|(it, ..)| it))
                .map(|proposal| made(state, proposal.key.id()))
                .collect();
            let waits = terms.get(work.sink).is_some_and(|terms| terms.zeros == Zeros::SendAtEnd);
            for line in &assessment.lines {
                let of: Vec<WhatOf> = behind(line, assessment).map(|pair| (work.window, pair)).collect();
                if of.is_empty() {
                    continue;
                }
                let goes = goes(state, line, &made, waits);
                let words = words(&line.key.dimension, &line.key.customer, &spec.plugin.name);
                lines.push(Line { sink: work.sink, key: line.key.clone(), of, goes, words });
            }
        }
        let mentioned: HashSet<&WhatOf> = lines.iter().flat_map(|line| &line.of).collect();
        let is_accounted = |(of, (records, excluded)): (WhatOf, (u64, u64))| {
            (mentioned.contains(&of) || records == excluded).then_some(of)
        };
        Nodes { read: left_out.into_iter().filter_map(is_accounted).collect(), lines }
    }
}

fn words(dimension: &str, customer: &str, sink: &str) -> String {
    format!("{dimension} for {customer} at {sink}")
}

fn made(state: &State, id: ChargeId) -> (ChargeId, u32) {
    let known = state.known_as(id);
    (known, state.charge(&known).map_or(1, |charge| charge.revision().saturating_add(1)))
}

/// What of the usage that was read now stands behind a line.
fn behind<'a>(line: &'a Assessed, assessment: &'a Assessment) -> impl Iterator<Item = Pair> {
    let pairs = line.shares().flat_map(|share| {
        let (product, customer) = share.owner();
        let read = share.origins.iter().filter(|(_, records)| *records > 0);
        read.map(move |(dimension, _)| Pair {
            product: product.to_owned(),
            customer: customer.to_owned(),
            dimension: dimension.clone(),
        })
    });
    let found: BTreeSet<Pair> = pairs.filter(|pair| assessment.tally.contains_key(pair)).collect();
    found.into_iter()
}

/// Where the records of a line go that is frozen now, or of which nothing has to be.
fn goes(state: &State, line: &Assessed, made: &HashMap<ChargeId, u32>, zeros_wait: bool) -> Option<Goes> {
    if line.held.is_some() {
        return None;
    }
    let waived = |words: &str| {
        let decided = vec![(line.key.sink.clone(), line.key.window, line.handle())];
        Some(Goes { charges: Vec::new(), waived: Some(words.to_owned()), decided })
    };
    if let Some(words) = &line.waived {
        return waived(words);
    }
    if let Some(id) = line.id
        && let Some(revision) = made.get(&id)
    {
        return Some(Goes { charges: vec![(id, *revision)], ..Goes::default() });
    }
    match &line.difference {
        Some(Difference { place: Place::Carried(window), .. }) => {
            let (id, revision) = self::made(state, Key { window: *window, ..line.key.clone() }.id());
            Some(Goes { charges: vec![(id, revision)], ..Goes::default() })
        }
        Some(Difference { place: Place::Settled(words) | Place::ByHand(words), .. }) => waived(words),
        Some(Difference { place: Place::Held | Place::Waits(_), .. }) => None,
        None if line.zero => (!zeros_wait || line.draft.is_none()).then(Goes::default),
        // More of what is frozen that comes to nothing.
        None => {
            let id = line.id?;
            let frozen = if line.is_late { state.frozen_elsewhere(&id)? } else { state.frozen_of(&id)? };
            (frozen == line.own).then(Goes::default)
        }
    }
}

//! What the queue is told in the end: what became of the charges that its records went into.
//!
//! Telling is waiting, mostly. So where there is much to tell, several instances do it side by side, each of customers of its own: what a
//! source writes once for a customer is never written by two at the same time.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use meterhost_decimal::Decimal;

use super::intake::Intake;
use super::marks::Marks;
use crate::broker::Session;
use crate::failpoint::failpoint;
use crate::ledger::{Entry, Group, Ledger, LedgerError, Made, Shelf, Standing, State, Taken, Takings, Told};
use crate::model::charge::ChargeId;
use crate::model::reading::{Obstacle, Receipt, Settled, Settlement, Unmarked};
use crate::pipeline::options::Options;
use crate::pipeline::read::with_denials;
use crate::pipeline::setup::Setup;
use crate::pipeline::summary::Findings;
use crate::plugin::{Failure, SourceInstance};
use crate::report::Problem;

/// So many records are told of in one call.
const AT_ONCE: usize = 500;
/// So many instances tell at the same time.
const SIDE_BY_SIDE: usize = 4;
/// So many times a total looks for another first record.
const MOST_TRIES: usize = 100;
/// So many records are named in a report.
const NAMED: usize = 5;

/// Tells the queue what became of what it handed out, as far as that is clear and it was not told. Of so many takings of earlier runs a last
/// bill says nothing: it looks at a part of what is pending, and what of the rest was changed it does not see.
///
/// # Errors
/// The ledger cannot be read or written.
pub(in crate::pipeline) fn tell(
    setup: &Setup,
    options: &Options<'_>,
    ledger: &mut Ledger,
    intake: &Intake,
    taken_before: usize,
    findings: &mut Findings,
) -> Result<(), LedgerError> {
    let mut untold = ledger.state().untold();
    if options.last.is_some() {
        untold.retain(|(taking, _)| *taking >= taken_before);
    }
    if untold.is_empty() && intake.again.is_empty() {
        return Ok(());
    }
    let Some(claim) = ledger.state().takings().claim().map(str::to_owned) else { return Ok(()) };
    options.watch.step("telling the source what became of its records");
    failpoint("telling");
    let mut unmarked = Vec::new();
    let teller = Teller { setup, options, claim: &claim, intake };
    let told = teller
        .all(ledger, &setup.place.shelf(), &untold, &mut unmarked)
        .and_then(|()| teller.again(ledger.state(), &intake.again, &mut unmarked));
    findings.notes.extend([Obstacle::Gone, Obstacle::Changed].into_iter().filter_map(|why| left(&unmarked, why)));
    if let Some(text) = left(&unmarked, Obstacle::Other) {
        let action = "what was billed is billed; mend what keeps them from being marked, and run again".to_owned();
        findings.problem(Problem { action: Some(action), ..Problem::new("unmarked", text) });
    }
    match told {
        Ok(()) => Ok(()),
        Err(Trouble::Ledger(error)) => Err(error),
        Err(Trouble::Source(mut problem)) => {
            problem.action.get_or_insert_with(|| {
                "what was billed is billed, and stays pending in the source until a run tells it so: run again"
                    .to_owned()
            });
            findings.problem(*problem);
            Ok(())
        }
    }
}

enum Trouble {
    Ledger(LedgerError),
    Source(Box<Problem>),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Trouble::Ledger(error)
    }
}

/// Groups by their position, and what is told of them.
type News = Vec<(usize, Told)>;

struct Teller<'a> {
    setup: &'a Setup,
    options: &'a Options<'a>,
    claim: &'a str,
    intake: &'a Intake,
}

impl Teller<'_> {
    /// Tells of these groups, and writes down that it did.
    fn all(
        &self,
        ledger: &mut Ledger,
        shelf: &Shelf,
        untold: &[(usize, News)],
        unmarked: &mut Vec<Unmarked>,
    ) -> Result<(), Trouble> {
        for (position, groups) in untold {
            let takings = ledger.state().takings();
            let Some(taking) = takings.all().get(*position) else { continue };
            let mut names = shelf.names(&taking.names)?;
            // Of those that were told of before, some records may have been taken anew since, and belong to other charges.
            let told_before = |at: &usize| matches!(taking.told.get(*at), Some(Some(_)));
            let told_before: Vec<usize> = groups.iter().map(|(at, _)| *at).filter(told_before).collect();
            still_in(takings, shelf, *position, &told_before, &mut names)?;
            let lanes = lanes(ledger.state(), &taking.groups, &names, groups);
            let shared = Mutex::new(&mut *ledger);
            let failed = AtomicBool::new(false);
            let side_by_side = |groups: &News| {
                let mut unmarked = Vec::new();
                let told = Lane::open(self, &mut unmarked)
                    .and_then(|mut lane| lane.all(&shared, *position, &names, groups, &failed));
                failed.fetch_or(told.is_err(), Ordering::Relaxed);
                (told, unmarked)
            };
            let ended: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = lanes.iter().map(|groups| scope.spawn(|| side_by_side(groups))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
            });
            let mut trouble = None;
            for (told, found) in ended {
                unmarked.extend(found);
                match (told, &trouble) {
                    // Nothing is worse than a ledger that cannot be written.
                    (Err(error), None) | (Err(error @ Trouble::Ledger(_)), _) => trouble = Some(error),
                    _ => {}
                }
            }
            trouble.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// Tells once more of records that were told of before.
    fn again(&self, state: &State, again: &[(String, Taken)], unmarked: &mut Vec<Unmarked>) -> Result<(), Trouble> {
        if again.is_empty() {
            return Ok(());
        }
        let mut lane = Lane::open(self, unmarked)?;
        for part in again.chunks(AT_ONCE) {
            let mut settlements = Settlements::default();
            let mut receipts = Vec::new();
            for (name, taken) in part {
                let Some(group) = state.takings().group(taken) else { continue };
                // Of one that is not clear any more it is told once it is.
                if state.settled(group).is_none() {
                    continue;
                }
                let places = settlements.of(state, group).into_iter().map(|(_, place)| place).collect();
                receipts.push(Receipt { reference: name.clone(), settlements: places, first: Vec::new() });
            }
            lane.part(self.claim, &settlements.all, receipts, &HashMap::new())?;
        }
        Ok(())
    }
}

/// Groups by who tells of them: those of one customer together. There are as many of these as there is work for.
fn lanes(state: &State, all: &[Group], names: &[Vec<String>], groups: &News) -> Vec<News> {
    let records = |at: &usize| names.get(*at).map_or(0, Vec::len);
    let many: usize = groups.iter().map(|(at, _)| records(at)).sum();
    let mut lanes = vec![News::new(); many.div_ceil(AT_ONCE).clamp(1, SIDE_BY_SIDE)];
    for news in groups {
        let charges = all.get(news.0).into_iter().flat_map(|group| &group.charges);
        let keys = charges.filter_map(|(id, _)| Some(state.charge(id)?.charge().key()));
        // One customer may have a name at each sink; all its groups find the same one first.
        let whose = keys.map(|key| (&key.product, &key.customer)).min();
        let mut hasher = DefaultHasher::new();
        whose.hash(&mut hasher);
        let lane = hasher.finish().checked_rem(lanes.len() as u64).unwrap_or_default();
        lanes.get_mut(lane as usize).into_iter().for_each(|lane| lane.push(*news));
    }
    lanes.retain(|lane| !lane.is_empty());
    lanes
}

/// An instance that tells.
struct Lane<'a> {
    teller: &'a Teller<'a>,
    session: Session,
    source: SourceInstance,
    unmarked: &'a mut Vec<Unmarked>,
}

impl<'a> Lane<'a> {
    fn open(teller: &'a Teller<'a>, unmarked: &'a mut Vec<Unmarked>) -> Result<Self, Trouble> {
        let Teller { setup, options, .. } = teller;
        let section = &setup.source;
        let session = setup.broker.session(&section.name, section.grants.clone(), options.dry_run);
        match SourceInstance::start(&section.plugin, section.settings(session.clone(), options.now)) {
            Ok(source) => Ok(Lane { teller, session, source, unmarked }),
            Err(failure) => Err(trouble(setup, &session, &failure)),
        }
    }

    /// Tells of these groups, unless another lane fails.
    fn all(
        &mut self,
        ledger: &Mutex<&mut Ledger>,
        position: usize,
        names: &[Vec<String>],
        groups: &News,
        failed: &AtomicBool,
    ) -> Result<(), Trouble> {
        let mut waiting = News::new();
        let mut records = 0;
        for (at, told) in groups {
            waiting.push((*at, *told));
            records += names.get(*at).map_or(0, Vec::len);
            if records >= AT_ONCE {
                self.groups(ledger, position, names, &std::mem::take(&mut waiting))?;
                records = 0;
            }
            if failed.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        if waiting.is_empty() { Ok(()) } else { self.groups(ledger, position, names, &waiting) }
    }

    fn groups(
        &mut self,
        ledger: &Mutex<&mut Ledger>,
        position: usize,
        names: &[Vec<String>],
        groups: &[(usize, Told)],
    ) -> Result<(), Trouble> {
        let held = lock(ledger);
        let state = held.state();
        let Some(taking) = state.takings().all().get(position) else { return Ok(()) };
        let mut settlements = Settlements::default();
        let mut receipts = Vec::new();
        // By the name of a first record, the one that comes after it.
        let mut next: HashMap<&str, &str> = HashMap::new();
        for (at, _) in groups {
            let (Some(group), Some(names)) = (taking.groups.get(*at), names.get(*at)) else { continue };
            let places = settlements.of(state, group);
            let first: Vec<u32> =
                places.iter().filter(|(id, _)| group.first.contains(id)).map(|(_, place)| *place).collect();
            let all: Vec<u32> = places.iter().map(|(_, place)| *place).collect();
            for (number, name) in names.iter().enumerate().filter(|(_, name)| !self.is_changed(name)) {
                let first = if number == 0 { first.clone() } else { Vec::new() };
                receipts.push(Receipt { reference: name.clone(), settlements: all.clone(), first });
            }
            let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !self.is_changed(name)).collect();
            next.extend(names.array_windows().map(|[one, after]| (*one, *after)));
        }
        // Where the ledger lost entries since, it claims under another token: what was not handed out under that bears the old one.
        let claim = taking.claim.clone().filter(|claim| **claim != *self.teller.claim);
        drop(held);
        let is_ours = |receipt: &Receipt| claim.is_none() || self.teller.intake.untold.contains(&receipt.reference);
        let (ours, others): (Vec<Receipt>, Vec<Receipt>) = receipts.into_iter().partition(is_ours);
        let before = self.unmarked.len();
        let claims = [(self.teller.claim, ours), (claim.as_deref().unwrap_or_default(), others)];
        for (claim, receipts) in claims {
            for part in receipts.chunks(AT_ONCE) {
                self.part(claim, &settlements.all, part.to_vec(), &next)?;
            }
        }
        failpoint("told");
        // Where none of its records could be marked, or its first one is held, it is told of once they can be: else it would miss in what is
        // written once a charge, or be there twice.
        let unmarked =
            self.unmarked.get(before..).unwrap_or_default().iter().filter(|record| record.obstacle != Obstacle::Gone);
        let unmarked: HashSet<&str> = unmarked.map(|record| record.reference.as_str()).collect();
        let is_unmarked = |name: &String| unmarked.contains(name.as_str()) || self.is_changed(name);
        let is_told = |at: &usize| {
            let Some([first, others @ ..]) = names.get(*at).map(Vec::as_slice) else { return true };
            !(self.is_changed(first) || is_unmarked(first) && others.iter().all(is_unmarked))
        };
        let groups = groups.iter().filter(|(at, _)| is_told(at));
        let groups: Vec<(u32, Told)> =
            groups.filter_map(|(at, told)| Some((u32::try_from(*at).ok()?, *told))).collect();
        if !groups.is_empty() {
            lock(ledger).append(vec![Entry::Told { taking: position as u64, groups }])?;
        }
        failpoint("acknowledged");
        Ok(())
    }

    /// Whether a record is not to be marked, since it says something else than what was billed.
    fn is_changed(&self, name: &str) -> bool {
        self.teller.intake.changed.contains(name)
    }

    /// Tells of some records. What is written once a charge goes with another record, where the first one is not there any more.
    fn part(
        &mut self,
        claim: &str,
        settlements: &[Settlement],
        receipts: Vec<Receipt>,
        next: &HashMap<&str, &str>,
    ) -> Result<(), Trouble> {
        let mut receipts = receipts;
        for _ in 0..MOST_TRIES {
            let setup = self.teller.setup;
            let unmarked = self
                .source
                .acknowledge(&setup.source.config, claim, settlements, &receipts)
                .map_err(|failure| trouble(setup, &self.session, &failure))?;
            let orphaned = receipts.iter().filter(|receipt| {
                !receipt.first.is_empty() && unmarked.iter().any(|it| it.reference == receipt.reference)
            });
            let moved = orphaned.filter_map(|receipt| {
                let reference = (*next.get(receipt.reference.as_str())?).to_owned();
                Some(Receipt { reference, ..receipt.clone() })
            });
            let moved: Vec<Receipt> = moved.collect();
            self.unmarked.extend(unmarked);
            if moved.is_empty() {
                break;
            }
            receipts = moved;
        }
        Ok(())
    }
}

fn trouble(setup: &Setup, session: &Session, failure: &Failure) -> Trouble {
    let problem = setup.source.problem("acknowledging", None, failure);
    Trouble::Source(Box::new(with_denials(problem, &session.denials())))
}

fn lock<'a, 'l>(ledger: &'a Mutex<&'l mut Ledger>) -> MutexGuard<'a, &'l mut Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves of the records of these groups of a taking those that were not taken anew later.
fn still_in(
    takings: &Takings,
    shelf: &Shelf,
    taking: usize,
    groups: &[usize],
    names: &mut [Vec<String>],
) -> Result<(), LedgerError> {
    if groups.is_empty() {
        return Ok(());
    }
    let marks = Marks::of(takings.key());
    let mut wanted: Vec<u128> =
        groups.iter().filter_map(|at| names.get(*at)).flatten().map(|name| marks.mark(name)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let known = takings.lookup(shelf)?.find(&wanted)?;
    for at in groups {
        let is_in = |name: &String| {
            known.get(&marks.mark(name)).is_none_or(|taken| (taken.taking, taken.group) == (taking, *at))
        };
        names.get_mut(*at).into_iter().for_each(|names| names.retain(is_in));
    }
    Ok(())
}

/// The charges that a call speaks of, each once.
#[derive(Default)]
struct Settlements {
    all: Vec<Settlement>,
    places: BTreeMap<Made, u32>,
}

impl Settlements {
    /// The charges of a group that something is said of, and their positions.
    fn of(&mut self, state: &State, group: &Group) -> Vec<(ChargeId, u32)> {
        let mut places = Vec::new();
        for made in &group.charges {
            if let Some(place) = self.places.get(made) {
                places.push((made.0, *place));
                continue;
            }
            let Some(settlement) = settlement(state, made) else { continue };
            let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            self.all.push(settlement);
            self.places.insert(*made, place);
            places.push((made.0, place));
        }
        places
    }
}

fn settlement(state: &State, (id, revision): &Made) -> Option<Settlement> {
    let known = state.charge(id)?;
    let (charge, standing) = (known.charge(), known.standing());
    let outcome = match standing {
        // What it was before it was made anew is not known here any more but for that: it was refused.
        _ if known.revision() != *revision => Settled::Rejected,
        Standing::Accepted { .. } | Standing::TakenOver | Standing::ByHand { .. } => Settled::Accepted,
        Standing::Rejected { .. } => Settled::Rejected,
        Standing::Waived { .. } => Settled::Waived,
        Standing::Nothing if known.is_withdrawn() => Settled::Rejected,
        _ => return None,
    };
    let key = charge.key();
    let settlement = Settlement {
        charge: charge.id(),
        revision: *revision,
        product: key.product.clone(),
        customer: key.customer.clone(),
        dimension: key.dimension.clone(),
        time: charge.time(),
        quantity: charge.quantity(),
        outcome,
        reference: standing.reference().map(str::to_owned),
        message: standing.reason(),
        answer: known.answer().unwrap_or_default().to_owned(),
    };
    if known.revision() == *revision {
        return Some(settlement);
    }
    let message = Some("it was refused, and made anew without this record".to_owned());
    Some(Settlement { quantity: Decimal::ZERO, reference: None, message, answer: String::new(), ..settlement })
}

/// What is said of records that were not marked for this reason.
fn left(unmarked: &[Unmarked], why: Obstacle) -> Option<String> {
    let of_these = || unmarked.iter().filter(|record| record.obstacle == why);
    let reason = &of_these().next()?.reason;
    let found: BTreeSet<&str> = of_these().map(|record| record.reference.as_str()).collect();
    let some = found.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if found.len() > NAMED { format!(" and {} more", found.len() - NAMED) } else { String::new() };
    let (records, were, they, are) = match found.len() {
        1 => ("1 record".to_owned(), "was", "it", "is"),
        many => (format!("{many} records"), "were", "they", "are"),
    };
    let them = if found.len() == 1 { "it" } else { "them" };
    let told = format!("when it was told what became of {them}");
    Some(match why {
        Obstacle::Other => {
            format!("{records} could not be marked in the source {told}: {some}{more} ({reason})")
        }
        Obstacle::Gone | Obstacle::Changed => {
            let what = if why == Obstacle::Gone { "gone" } else { "changed" };
            format!(
                "{records} {were} {what} in the source {told}, and {are} as {they} {were} found: {some}{more} ({reason})"
            )
        }
    })
}

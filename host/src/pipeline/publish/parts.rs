//! The charges of a window for a sink that publishes sets: what usage comes to now, and of what is held, what was published last.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::kept::{Of, keeps, of, of_key, owed, with_kept};
use crate::config::SinkSpec;
use crate::ledger::{
    EVERY, Entry, Hold, LedgerError, PartsDraft, Period, Scope, SetPart, Shelf, State, encode, period_of,
};
use crate::model::charged::Charged;
use crate::model::window::Window;
use crate::pipeline::charges::Assessment;
use crate::pipeline::due::is_out_of_sight;
use crate::pipeline::works::Work;
use crate::report::LineState;

/// The charges of the windows of a run, for the sinks that publish sets.
#[derive(Default)]
pub(in crate::pipeline) struct Drawn {
    /// Where they are, for the ledger.
    pub(in crate::pipeline) entries: Vec<Entry>,
    /// What is worth knowing.
    pub(in crate::pipeline) notes: Vec<String>,
}

/// Where what is drawn up goes, and what it goes by.
pub(in crate::pipeline) struct Desk<'a> {
    pub(in crate::pipeline) shelf: &'a Shelf,
    /// Whether nothing is written, and the entries are about parts that nobody can read.
    pub(in crate::pipeline) dry_run: bool,
    /// What ended before is not looked at for changes any more.
    pub(in crate::pipeline) back: Timestamp,
    /// The window that was asked for.
    pub(in crate::pipeline) only: Option<Window>,
    /// Months of which it is known what readers are shown, though a publication of them broke off: sink and month.
    pub(in crate::pipeline) asked: &'a HashSet<(String, Window)>,
}

/// Draws up what was read in a run, and says of each line whether it was published so before.
///
/// # Errors
/// What was published before cannot be read, or what is new cannot be written.
pub(in crate::pipeline) fn draw(
    sinks: &[SinkSpec],
    state: &State,
    works: &mut [Work],
    desk: &Desk<'_>,
) -> Result<Drawn, LedgerError> {
    let mut drawn = Drawn::default();
    let shelf = desk.shelf;
    // What comes from a place in the usage may be any sink's; what a sink's own table or service says is its own.
    let mut doubts: HashMap<Window, Vec<Hold>> = HashMap::new();
    for work in works.iter().filter(|work| work.is_read) {
        let of_usage = work.assessment.holds.iter().filter(|hold| hold.place.is_some());
        doubts.entry(work.window).or_default().extend(of_usage.cloned());
    }
    for (position, spec) in sinks.iter().enumerate().filter(|(_, spec)| spec.publishes) {
        let (name, made) = (&spec.plugin.name, &spec.made);
        let mut draft = if desk.dry_run { PartsDraft::sketch(shelf, made) } else { PartsDraft::begin(shelf, made) };
        let mut own: Vec<&mut Work> = works.iter_mut().filter(|work| work.sink == position && work.is_read).collect();
        own.sort_by_key(|work| work.window);
        for work in own {
            let (window, before) = (work.window, state.sets().part(name, &work.window));
            let is_old = is_out_of_sight(state, spec, &window, desk.back) && desk.only != Some(window);
            let month = period_of(&window);
            // What may have been shown before a crash counts as shown, where nobody can tell.
            let is_known = |period: &&Period| {
                let may_be_shown = period.unfinished().is_some_and(|last| last.receipt.is_some());
                period.knows_what_is_shown() && (!may_be_shown || desk.asked.contains(&(name.clone(), month)))
            };
            let period = state.sets().period(name, &month).filter(is_known);
            let last = period.map_or(before, |period| period.shown_of(&window));
            let mut charges = owed(&work.assessment);
            let mut encoded = encode(&charges);
            let doubts = doubts.get(&window).map(Vec::as_slice).unwrap_or_default();
            let may_stay = is_old || keeps(&work.assessment) || !doubts.is_empty();
            let is_as_last = |part: &&SetPart| part.holds(encoded.contents()) && !may_stay;
            let last = last.filter(|part| part.rows > 0);
            let prior =
                last.filter(|part| !is_as_last(part)).map_or_else(|| Ok(Vec::new()), |part| shelf.charges(part))?;
            if !prior.is_empty() {
                add_doubts(doubts, &prior, &mut work.assessment);
                let kept = with_kept(&prior, is_old, (state, name), work);
                charges = kept.charges;
                encoded = encode(&charges);
                if kept.are_old {
                    let text = "it would be charged otherwise by now, and ended before look_back: what was published of it stays";
                    drawn.notes.push(format!("{}: {text}", window.label()));
                }
            }
            let known = match last.filter(|_| period.is_some()) {
                None => Known::Nothing,
                Some(part) if part.holds(encoded.contents()) => Known::All,
                Some(_) => Known::These(prior.iter().map(|charge| (of(charge), charge)).collect()),
            };
            known.tell(&mut work.assessment, &charges);
            if let Some(gone) = known.gone(&charges) {
                drawn.notes.push(format!("{}: {gone}", window.label()));
            }
            if !before.is_some_and(|part| part.is(&encoded) && *part.made == **made) {
                draft.add(window, &encoded)?;
            }
        }
        let parts = draft.publish()?;
        drawn.entries.extend(parts.map(|parts| Entry::Charged { sink: name.clone(), parts }));
    }
    Ok(drawn)
}

/// Holds what is in doubt of usage that was published before: which sinks a record is for that cannot be used, only its charges say, and
/// there may be none of them left.
fn add_doubts(doubts: &[Hold], prior: &[Charged], assessment: &mut Assessment) {
    for hold in doubts {
        let is_of = |(customer, from): (&str, &str)| match &hold.scope {
            Scope::Window | Scope::Record => true,
            Scope::Customer { customer: about } => customer == about,
            Scope::Dimension { customer: about, dimension } => {
                customer == about && (from == dimension || from == EVERY || dimension == EVERY)
            }
            Scope::Charge { .. } => false,
        };
        if !assessment.holds.contains(hold) && prior.iter().any(|charge| charge.usage().any(is_of)) {
            assessment.holds.push(hold.clone());
        }
    }
}

/// What was published of a window before.
enum Known<'a> {
    Nothing,
    /// All of them.
    All,
    These(HashMap<Of<'a>, &'a Charged>),
}

impl Known<'_> {
    /// Says of the lines that are in the set whether they were so before.
    fn tell(&self, assessment: &mut Assessment, charges: &[Charged]) {
        let now: HashMap<Of<'_>, &Charged> = charges.iter().map(|charge| (of(charge), charge)).collect();
        let proposed: HashSet<Of<'_>> = assessment.proposals.iter().map(|proposal| of_key(&proposal.key)).collect();
        for line in assessment.lines.iter_mut().filter(|line| line.id.is_some()) {
            let key = of_key(&line.key);
            let Some(charge) = now.get(&key).filter(|_| proposed.contains(&key)) else { continue };
            let was_so = match self {
                Known::Nothing => false,
                Known::All => true,
                Known::These(before) => before.get(&key).is_some_and(|before| before.is_published_as(charge)),
            };
            line.published = Some(if was_so { LineState::BilledBefore } else { LineState::Billed });
        }
    }

    /// That charges are not there any more, if some are not.
    fn gone(&self, charges: &[Charged]) -> Option<String> {
        let Known::These(before) = self else { return None };
        let now: HashSet<Of<'_>> = charges.iter().map(of).collect();
        match before.keys().filter(|key| !now.contains(*key)).count() {
            0 => None,
            1 => Some("a charge that was published before is not there any more".to_owned()),
            many => Some(format!("{many} charges that were published before are not there any more")),
        }
    }
}

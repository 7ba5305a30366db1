//! A person decides of what is kept back: of one would-be charge, or of all that a record, an object, a customer or a window keeps back.
//!
//! | of what is held as | release | billed | waive |
//! |---|---|---|---|
//! | quarantined, unreadable, conflict | billed without what cannot be used, or as it was read | final, not sent | not billed |
//! | late, final: more than was frozen | carried to a later window | settled | settled |
//! | too-late | no window takes it | settled | settled |
//! | late, final: less; negative | | | settled, not billed |
//! | moved, taken-over, given-up, void, guard-... | billed as it stands | final, not sent | not billed |
//! | customer, untaken | nobody knows whom to bill, or where | | not billed |
//! | slot | with the other that is held | final, not sent | not billed |
//! | rounding, range, aggregate, refused | it cannot be sent as it is | final, not sent | not billed |
//!
//! What is waived of a record or an object closes it; what is released of it is billed without it, and it stays open until it is mended.
//! Of a sink that publishes sets, what is released is published, and of what is waived or billed by hand stays what was published last.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::book::Ledger;
use super::charge::ChargeState;
use super::claim::Claim;
use super::entry::{Decision, Entry, Verdict};
use super::error::LedgerError;
use super::find::Sought;
use super::hold::{Hold, Kept, Scope};
use super::identity::Identity;
use super::place::Place;
use super::state::State;
use crate::clock;
use crate::model::charge::ChargeId;
use crate::model::window::Window;

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is right as it stands.
    Release,
    /// It is billed already.
    Billed,
    /// It is not billed, and no call that left can still bring it there.
    NotBilled,
    /// It is not to be billed.
    Waive,
}

/// Of what. What is named narrows it; a charge, a record or an object is named, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// One charge, or what would be one.
    pub charge: Option<Sought>,
    /// A record, by its object and its place in that, as the report names it.
    pub record: Option<String>,
    /// An object, by its key.
    pub object: Option<String>,
    /// A customer, as the report names them.
    pub customer: Option<String>,
    /// A window.
    pub window: Option<Window>,
    /// A sink.
    pub sink: Option<String>,
}

/// Why nothing is to be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotToDecide {
    /// Nothing of that is kept back.
    #[error("nothing of {0} is kept back or open")]
    Nothing(String),
    /// It cannot be said of any of that.
    #[error("{0}")]
    NoneOfThem(String),
    /// It is the beginning of more than one id.
    #[error("`{0}` is the beginning of {1} charges: give more of the one that is meant")]
    Several(String, usize),
    /// Another process wrote the ledger meanwhile.
    #[error("it is not as it was shown any more: another process wrote the ledger meanwhile")]
    Changed,
}

/// What is about to be decided, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Deciding {
    /// By sink and window.
    pub about: Vec<About>,
    /// Frozen charges that are open, and that it is about too.
    pub charges: Vec<ChargeState>,
    /// What it cannot be said of, and why.
    pub left: Vec<(String, String)>,
}

/// What is about to be decided of one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The sink.
    pub sink: String,
    /// The window.
    pub window: Window,
    /// Would-be charges.
    pub kept: Vec<Kept>,
    /// Holds that are answered.
    pub holds: Vec<Hold>,
}

impl Said {
    /// As a person types it.
    pub fn as_str(self) -> &'static str {
        match self {
            Said::Release => "release",
            Said::Billed => "billed",
            Said::NotBilled => "not-billed",
            Said::Waive => "waive",
        }
    }

    fn decision(self) -> Option<Decision> {
        match self {
            Said::Release => Some(Decision::Release),
            Said::Billed => Some(Decision::Billed),
            Said::Waive => Some(Decision::Waive),
            Said::NotBilled => None,
        }
    }

    /// What that says of a frozen charge, if anything.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Said::Billed => Some(Verdict::Billed),
            Said::NotBilled => Some(Verdict::NotBilled),
            Said::Waive => Some(Verdict::Waived),
            Said::Release => None,
        }
    }
}

/// Whether it can be said of a would-be charge, of a sink that publishes sets or of one that bills; else why not.
fn can_be_said(said: Said, kept: &Kept, is_less: bool, publishes: bool) -> Result<(), String> {
    let why = match (said, kept.code.as_str()) {
        (Said::NotBilled, _) if publishes => "nothing of it was sent from here: say release to publish it, or waive",
        (Said::NotBilled, _) => "nothing of it was sent from here: say release to bill it, or waive",
        (Said::Waive, _) => return Ok(()),
        (_, "customer") if publishes => "nobody knows whose it is: add a row to the table of customers",
        (_, "customer") => "nobody knows whom to bill: add a row to the table of customers",
        (_, "untaken") => "no sink takes it: name its dimension in `takes`",
        (Said::Release, "rounding") => "it cannot be sent exactly: say how with `round`",
        (Said::Release, "range" | "refused") if publishes => "the sink cannot publish it as it is",
        (Said::Release, "range") => "the service takes no such quantity",
        (Said::Release, "slot") => {
            "the service keeps one record for it and others: say what is to become of the one that is held"
        }
        (_, "negative") => "a credit cannot be metered: waive it, and settle it with the customer",
        (Said::Release, "aggregate") => "what it comes to is not known",
        (Said::Release, "refused") => "the service would refuse it",
        (Said::Release, "too-late") => "no later window can take it",
        (_, "late" | "final" | "moved" | "void") if is_less => {
            "a credit cannot be metered: waive it, and settle it with the customer"
        }
        _ => return Ok(()),
    };
    Err(why.to_owned())
}

/// Whether a hold goes away by a person's word; else what makes it go away.
fn can_be_answered(said: Said, hold: &Hold) -> Result<(), &'static str> {
    match (&hold.scope, hold.code.as_str()) {
        (Scope::Charge { .. }, _) => Ok(()),
        (_, "taken-over" | "given-up") => Err("`ledger import` takes over what another exporter billed, as it stands"),
        (_, "astray") => Err("see whether the time is read right, and where the pipeline starts"),
        (_, "unchecked") => Err("a run checks it again"),
        (_, "unreadable") if said == Said::Waive && hold.version.is_none() => {
            Err("the source does not say which version of it that is: mend it, or take it away")
        }
        _ => Ok(()),
    }
}

impl Target {
    /// For a person.
    pub fn words(&self) -> String {
        let parts = [
            self.charge.as_ref().map(|charge| format!("the charge {}", charge.text())),
            self.record.as_ref().map(|record| format!("the record {record}")),
            self.object.as_ref().map(|object| format!("the object {object}")),
            self.customer.as_ref().map(|customer| format!("the customer {customer}")),
            self.window.as_ref().map(|window| format!("the window {}", window.label())),
            self.sink.as_ref().map(|sink| format!("the sink {sink}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn is_in(&self, sink: &str, window: &Window) -> bool {
        self.sink.as_ref().is_none_or(|named| named == sink) && self.window.is_none_or(|named| named == *window)
    }

    /// Whether it names the hold itself.
    fn names(&self, hold: &Hold) -> bool {
        if self.charge.is_some() {
            return false;
        }
        let place = hold.place.as_deref().unwrap_or_default();
        if let Some(record) = &self.record {
            return place == record;
        }
        if let Some(object) = &self.object {
            return place.strip_prefix(object.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "));
        }
        match (&self.customer, &hold.scope) {
            (Some(customer), scope) => scope.customer() == Some(customer),
            (None, _) => true,
        }
    }

    /// Whether it names a would-be charge by itself, whatever holds it.
    fn names_charge(&self, kept: &Kept) -> bool {
        if let Some(charge) = &self.charge {
            return charge.fits(&kept.id);
        }
        self.record.is_none()
            && self.object.is_none()
            && self.customer.as_ref().is_none_or(|customer| kept.is_of(customer))
    }

    fn names_frozen(&self, charge: &ChargeState) -> bool {
        let frozen = charge.charge();
        match &self.charge {
            Some(sought) => sought.fits(&frozen.id()),
            None => {
                let is_of = |customer: &String| {
                    frozen.key().customer == *customer || frozen.parts().iter().any(|part| part.customer == *customer)
                };
                self.record.is_none() && self.object.is_none() && self.customer.as_ref().is_none_or(is_of)
            }
        }
    }
}

impl Deciding {
    /// What would be decided, as the ledger stands.
    ///
    /// # Errors
    /// Nothing is kept back or open there, or this cannot be said of any of it.
    pub fn of(state: &State, target: &Target, said: Said, now: Timestamp) -> Result<Deciding, NotToDecide> {
        let mut deciding = Deciding { about: Vec::new(), charges: Vec::new(), left: Vec::new() };
        for (sink, window, known) in state.windows().filter(|(sink, window, _)| target.is_in(sink, window)) {
            let mut about = About { sink: sink.to_owned(), window: *window, kept: Vec::new(), holds: Vec::new() };
            if matches!(said, Said::Release | Said::Waive) {
                for hold in known.holds.iter().filter(|hold| target.names(hold)) {
                    match can_be_answered(said, hold) {
                        Ok(()) => about.holds.push(hold.clone()),
                        Err(why) => {
                            let what = format!("{}: {}", window.label(), hold.scope.words());
                            deciding.left.push((what, why.to_owned()));
                        }
                    }
                }
            }
            let answered: HashSet<&Hold> = about.holds.iter().collect();
            let mut about_whom: HashMap<Option<&str>, Vec<&Hold>> = HashMap::new();
            known.holds.iter().for_each(|hold| about_whom.entry(hold.scope.customer()).or_default().push(hold));
            for kept in &known.kept {
                // Held by something else as well, it is not free because one of the reasons is gone.
                let is_answered = |hold: &&Hold| {
                    answered.contains(hold) || known.decided.about_hold(hold, state.versions(window)).is_some()
                };
                let by = || {
                    let whom = kept.customers().map(Some).chain([None]);
                    let holds = whom.filter_map(|customer| about_whom.get(&customer)).flatten().copied();
                    holds.filter(|hold| hold.scope.holds(kept))
                };
                let is_freed = || {
                    let held_by_these = by().any(|hold| answered.contains(hold));
                    // What is given up holds nothing any more, and nothing has to be said of its charges.
                    said == Said::Release
                        && kept.code == "doubt"
                        && held_by_these
                        && by().all(|hold| is_answered(&hold))
                };
                let by_itself = target.names_charge(kept);
                if !by_itself && !is_freed() {
                    continue;
                }
                let frozen = state.frozen_of(&kept.id).or_else(|| state.frozen_elsewhere(&kept.id));
                let is_less = frozen.is_some_and(|frozen| kept.exact < frozen);
                match can_be_said(said, kept, is_less, state.publishes(sink)) {
                    Ok(()) => about.kept.push(kept.clone()),
                    Err(why) => deciding.left.push((format!("{}: {}", window.label(), kept.words()), why)),
                }
            }
            if let Some(verdict) = said.verdict() {
                let open = state.charges_of(sink, window).into_iter().filter(|charge| !charge.is_final());
                for charge in open.filter(|charge| target.names_frozen(charge)) {
                    // One word about a charge: what it differs by is another question.
                    match charge.can_be_resolved(verdict, now) {
                        Ok(()) => {
                            about.kept.retain(|kept| kept.id != charge.charge().id());
                            deciding.charges.push(charge.clone());
                        }
                        Err(why) => deciding.left.push((charge.charge().words(), why.to_string())),
                    }
                }
            }
            // The hold of one charge goes with what is said of that.
            let (all, these): (HashSet<Scope>, HashSet<Scope>) =
                (known.kept.iter().map(Kept::scope).collect(), about.kept.iter().map(Kept::scope).collect());
            about.holds.retain(|hold| !all.contains(&hold.scope) || these.contains(&hold.scope));
            if !about.kept.is_empty() || !about.holds.is_empty() {
                deciding.about.push(about);
            }
        }
        if let Some(charge) = &target.charge {
            let kept = deciding.about.iter().flat_map(|about| about.kept.iter().map(|kept| kept.id));
            let ids: BTreeSet<ChargeId> =
                kept.chain(deciding.charges.iter().map(|charge| charge.charge().id())).collect();
            if ids.len() > 1 {
                return Err(NotToDecide::Several(charge.text().to_owned(), ids.len()));
            }
        }
        if deciding.about.is_empty() && deciding.charges.is_empty() {
            let none = deciding.left.iter().map(|(what, why)| format!("{what}: {why}")).collect::<Vec<_>>().join("; ");
            return Err(match none.is_empty() {
                true => NotToDecide::Nothing(target.words()),
                false => NotToDecide::NoneOfThem(none),
            });
        }
        Ok(deciding)
    }

    /// Writes it down, if it still stands as it was shown.
    ///
    /// # Errors
    /// The ledger cannot be opened or written; nothing is written then.
    pub fn write(
        self,
        place: &Place,
        identity: &Identity,
        claim: &Claim<'_>,
        (target, said): (&Target, Said),
        (reason, by): (String, Option<String>),
    ) -> Result<Result<(), NotToDecide>, LedgerError> {
        let mut ledger = Ledger::open(place, identity, claim)?;
        let now = Deciding::of(ledger.state(), target, said, clock::now());
        let is_same = now.as_ref().is_ok_and(|now| *now == self);
        if is_same {
            ledger.append(self.entries(said, &reason, by.as_ref()))?;
        }
        ledger.close()?;
        Ok(if is_same { Ok(()) } else { Err(NotToDecide::Changed) })
    }

    fn entries(self, said: Said, reason: &str, by: Option<&String>) -> Vec<Entry> {
        let (reason, by) = (reason.to_owned(), by.cloned());
        let mut entries = Vec::new();
        for About { sink, window, kept, holds } in self.about {
            let Some(decision) = said.decision() else { continue };
            let (charges, reason, by) = (kept, reason.clone(), by.clone());
            entries.push(Entry::Decided { sink, window, decision, charges, holds, reason, by });
        }
        if let Some(verdict) = said.verdict() {
            entries.extend(self.charges.into_iter().map(|charge| {
                let (charge, quantity) = (charge.charge().id(), charge.charge().quantity());
                Entry::Resolved { charge, verdict, quantity, reason: reason.clone(), by: by.clone() }
            }));
        }
        entries
    }
}

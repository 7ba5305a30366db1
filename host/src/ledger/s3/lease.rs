//! The lease: one object that the run which holds the ledger writes again and again, as a heartbeat.
//!
//! | a newcomer finds | and |
//! |---|---|
//! | no lease, or one that was given back | takes it |
//! | one of a process of this very system that is gone | takes it at once |
//! | any other | watches it by its own clock for one lease time: takes it if it stood still, and gives way if it moved |
//!
//! Taking and renewing are writes under the precondition that the object is the version that was seen, so that of several only one
//! succeeds. No clock is compared with another machine's: the holder counts from before it sent its last heartbeat, a newcomer from after
//! it saw it, so that the holder's time is over before the newcomer's is.
//!
//! The lease keeps runs from getting into each other's way. That only one of them writes is seen to by the segments.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::objects::Objects;
use crate::broker::{ObjectError, Precondition};
use crate::failpoint::failpoint;
use crate::ledger::claim::Claim;
use crate::ledger::error::LedgerError;
use crate::ledger::holder::Holder;
use crate::ledger::moment::Moment;

/// The object's key.
const KEY: &str = "lease";
/// The form in which this version writes it.
const FORM: u32 = 1;

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    form: u32,
    holder: Holder,
    /// Tells this run's notes from those of any other.
    nonce: String,
    /// How often it was written.
    beat: u64,
    /// In milliseconds.
    lease: u64,
    /// Whether it was given back, or taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free: Option<Free>,
}

/// Why nobody holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Free {
    /// Its holder gave it back: nothing of that run is under way any more.
    Released,
    /// A person took it away from a run that may still be alive.
    Unlocked,
}

/// What came of watching a lease.
enum Watched {
    StoodStill,
    Moved(Holder),
    /// There is another to look at: it was given back, taken away or deleted.
    Free,
}

/// A lease that this process holds, and renews by itself.
#[derive(Debug)]
pub(super) struct Lease {
    shared: Arc<Shared>,
    beating: Option<JoinHandle<()>>,
    /// The holder that was superseded, and may wake up yet.
    pub(super) superseded: Option<String>,
}

#[derive(Debug)]
struct Shared {
    objects: Objects,
    length: Duration,
    state: Mutex<Held>,
    wake: Condvar,
}

#[derive(Debug)]
struct Held {
    note: Note,
    version: String,
    /// Before the last heartbeat that arrived was sent.
    renewed: Moment,
    /// Who has it now, or what else became of it.
    lost: Option<String>,
    ended: bool,
}

/// What was found.
struct Found {
    note: Note,
    version: String,
}

impl Lease {
    /// Takes the lease, if nobody else has it.
    pub(super) fn take(objects: &Objects, length: Duration, claim: &Claim<'_>) -> Result<Lease, LedgerError> {
        // A heartbeat's length is no time to wait between two looks.
        let pause = (length / 5).min(Duration::from_secs(2));
        claim.patiently(&objects.place, pause, || Lease::try_take(objects, length, claim))
    }

    fn try_take(objects: &Objects, length: Duration, claim: &Claim<'_>) -> Result<Lease, LedgerError> {
        loop {
            let Some(found) = found(objects)? else {
                match Lease::write(objects, length, claim, &Precondition::Absent, None)? {
                    Some(lease) => return Ok(lease),
                    None => continue,
                }
            };
            let by = &found.note.holder;
            let superseded = match found.note.free {
                Some(Free::Released) => None,
                Some(Free::Unlocked) => Some(by.words()),
                None if by.is_gone() => None,
                None => match watch(objects, &found, length, claim)? {
                    Watched::StoodStill => Some(by.words()),
                    Watched::Moved(holder) => return Err(held_by(objects, &holder)),
                    Watched::Free => continue,
                },
            };
            let seen = Precondition::Match(found.version);
            if let Some(lease) = Lease::write(objects, length, claim, &seen, superseded)? {
                return Ok(lease);
            }
        }
    }

    /// Writes the first note; nothing if somebody else was faster.
    fn write(
        objects: &Objects,
        length: Duration,
        claim: &Claim<'_>,
        seen: &Precondition,
        superseded: Option<String>,
    ) -> Result<Option<Lease>, LedgerError> {
        let note = Note {
            form: FORM,
            holder: Holder::this(claim.run),
            nonce: super::nonce(),
            beat: 1,
            lease: u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            free: None,
        };
        let renewed = Moment::now();
        failpoint("lease");
        let put = objects.put(KEY, &note.render(), seen);
        failpoint("leased");
        let version = match put {
            Ok(version) => version,
            Err(ObjectError::Precondition(_) | ObjectError::Unknown(_)) => match found(objects)? {
                Some(found) if found.note == note => found.version,
                _ => return Ok(None),
            },
            Err(error) => return Err(objects.failed("cannot be leased", &error)),
        };
        let state = Held { note, version, renewed, lost: None, ended: false };
        let shared = Shared { objects: objects.clone(), length, state: Mutex::new(state), wake: Condvar::new() };
        let shared = Arc::new(shared);
        let beating = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(move || beating.beat());
        let beating = thread.map_err(|error| LedgerError::Lost {
            place: objects.place.clone(),
            cause: format!("no thread can be started for it: {error}"),
        })?;
        Ok(Some(Lease { shared, beating: Some(beating), superseded }))
    }

    /// Whether it lasts for so long from now.
    pub(super) fn lasts(&self, needed: Duration) -> Result<(), String> {
        self.shared.lasts(needed)
    }

    /// Asks the same from anywhere.
    pub(super) fn gate(&self) -> crate::broker::Gate {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |needed| shared.lasts(needed))
    }

    /// The longest that a call may take, so that one can begin at any time between two heartbeats, and after one that was missed.
    pub(super) fn longest_call(length: Duration) -> Duration {
        length / 2
    }

    /// Gives it back.
    pub(super) fn release(&mut self) {
        self.shared.held().ended = true;
        self.shared.wake.notify_all();
        let Some(beating) = self.beating.take() else { return };
        // It ends by itself, and nothing that it left behind would be of use.
        let _ = beating.join();
        let (note, version) = {
            let held = self.shared.held();
            if held.lost.is_some() {
                return;
            }
            (Note { free: Some(Free::Released), beat: held.note.beat + 1, ..held.note.clone() }, held.version.clone())
        };
        // If this does not arrive, the next run finds this process gone, or waits for one lease time.
        let patience = self.shared.length.min(Duration::from_secs(5));
        let _ = self.shared.objects.put_within(patience, KEY, &note.render(), &Precondition::Match(version));
        failpoint("released");
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lasts(&self, needed: Duration) -> Result<(), String> {
        let held = self.held();
        if let Some(lost) = &held.lost {
            return Err(lost.clone());
        }
        let used = held.renewed.elapsed_at_most();
        match used + needed <= self.length {
            true => Ok(()),
            false => Err(format!(
                "the last heartbeat that arrived was sent {:.1} s ago, and the lease is {} s long",
                used.as_secs_f64(),
                self.length.as_secs_f64()
            )),
        }
    }

    /// Renews it until it is given back or lost.
    fn beat(&self) {
        let every = self.length / 5;
        loop {
            let held = self.held();
            let waited = self.wake.wait_timeout_while(held, every, |held| !held.ended);
            let held = waited.map_or_else(|error| error.into_inner().0, |(held, _)| held);
            if held.ended || held.lost.is_some() {
                return;
            }
            let note = Note { beat: held.note.beat + 1, ..held.note.clone() };
            let version = held.version.clone();
            drop(held);
            self.renew(note, version, every);
        }
    }

    fn renew(&self, note: Note, version: String, patience: Duration) {
        let renewed = Moment::now();
        let put = self.objects.put_within(patience, KEY, &note.render(), &Precondition::Match(version));
        let outcome = match put {
            Ok(version) => Ok(Some((note, version, renewed))),
            // It may have arrived all the same, or an earlier one that was given up; or it is another's by now.
            Err(ObjectError::Precondition(_) | ObjectError::Unknown(_)) => match found(&self.objects) {
                Ok(Some(found)) if found.note == note => Ok(Some((note, found.version, renewed))),
                Ok(Some(found)) if found.note.nonce == note.nonce => {
                    let kept = self.held().renewed;
                    Ok(Some((found.note, found.version, kept)))
                }
                Ok(Some(found)) if found.note.free == Some(Free::Unlocked) => Err("a person took it away".to_owned()),
                Ok(Some(found)) => Err(format!("{} has it now", found.note.holder.words())),
                Ok(None) => Err("it was deleted".to_owned()),
                Err(_) => Ok(None),
            },
            // Another try comes, as long as it lasts.
            Err(_) => Ok(None),
        };
        let mut held = self.held();
        match outcome {
            Ok(Some((note, version, renewed))) => (held.note, held.version, held.renewed) = (note, version, renewed),
            Ok(None) => {}
            Err(lost) => held.lost = Some(lost),
        }
    }
}

/// Watches a lease that another run has, for one lease time: of the two that may be at odds, the longer one.
fn watch(objects: &Objects, seen: &Found, length: Duration, claim: &Claim<'_>) -> Result<Watched, LedgerError> {
    let length = length.max(Duration::from_millis(seen.note.lease));
    let begun = Moment::now();
    let look = (length / 20).clamp(Duration::from_millis(50), Duration::from_secs(1));
    let mut told = false;
    while begun.elapsed() < length {
        claim.sleep(look, &objects.place)?;
        match found(objects)? {
            Some(now) if now.version == seen.version => {}
            Some(now) if now.note.free.is_none() => return Ok(Watched::Moved(now.note.holder)),
            _ => return Ok(Watched::Free),
        }
        if begun.elapsed() > length / 2 && !std::mem::replace(&mut told, true) {
            (claim.told)(&format!(
                "the ledger is taken over if nothing is heard within {:.0} s of {}",
                length.as_secs_f64(),
                seen.note.holder.words()
            ));
        }
    }
    Ok(Watched::StoodStill)
}

fn found(objects: &Objects) -> Result<Option<Found>, LedgerError> {
    Ok(objects.get_form(KEY, FORM)?.map(|(note, version)| Found { note, version }))
}

fn held_by(objects: &Objects, holder: &Holder) -> LedgerError {
    LedgerError::Held { place: objects.place.clone(), holder: holder.words() }
}

/// Who holds it, as far as the object says; nothing if nobody does.
pub(super) fn holder(objects: &Objects) -> Result<Option<Holder>, LedgerError> {
    let holding = found(objects)?.filter(|found| found.note.free.is_none() && !found.note.holder.is_gone());
    Ok(holding.map(|found| found.note.holder))
}

/// Takes the lease away from whoever has it. Whatever that run writes from here on is refused, once another has begun.
pub(super) fn unlock(objects: &Objects) -> Result<(), LedgerError> {
    let Some(found) = found(objects)? else { return Ok(()) };
    let note = Note { free: Some(Free::Unlocked), nonce: super::nonce(), beat: found.note.beat + 1, ..found.note };
    let put = objects.put(KEY, &note.render(), &Precondition::Match(found.version));
    put.map(|_| ()).map_err(|error| objects.failed("cannot be unlocked", &error))
}

impl Note {
    fn render(&self) -> Vec<u8> {
        // A note is made of texts and numbers: rendering it cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

//! Delivering one sink's open charges: written down, offered, and each answer written down before the next step.
//!
//! | what happened in a call | what becomes of its charges |
//! |---|---|
//! | nothing left | they are as they were before |
//! | a clear answer, record by record | each what its own outcome says; without one, unknown |
//! | the whole call refused, and every request clearly answered | halved until the charge at fault stands alone: rejected |
//! | throttled or not authorised, clearly | they wait; one new authentication |
//! | anything else: a timeout, a reset, a 5xx, a trap | unknown |
//!
//! A call that the plugin fails in is told at the end, and the others go on.
//!
//! | file | subject |
//! |---|---|
//! | `decide` | what is to be done with a charge |
//! | `slots`, `batches` | which charges go now, and what stands in a call |
//! | `line` | the way to the service: a plugin that is connected |
//! | `call` | one call, from its entry in the ledger to the entry of what came of it |
//! | `answer` | what an answer means, beside the record of what left |
//! | `resolve` | what became of charges that nothing clear is known of |

mod answer;
mod batches;
mod call;
mod decide;
mod line;
mod resolve;
mod slots;
#[cfg(test)]
pub(super) mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::answer::{Came, words};
use self::batches::{batches, halves, parts, records};
use self::decide::{Decide, Happened};
pub(super) use self::line::Plugged;
use self::line::{Line, NotConnected, Service};
use super::mirrored::Mirrored;
use super::read::with_denials;
use crate::clock;
use crate::ledger::{Charge, ChargeState, Ledger, LedgerError};
use crate::model::charge::ChargeId;
use crate::model::service::{Failed, ServiceTraits};
use crate::model::window::Window;
use crate::report::Problem;

/// How long the first pause before another try is.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a delivery ends early.
pub enum Stopped {
    /// The ledger cannot be written: nothing may leave any more.
    Ledger(LedgerError),
    /// Something else; what is open stays open.
    Problem(Problem),
    /// Interrupted from outside.
    Interrupted,
}

impl From<LedgerError> for Stopped {
    fn from(error: LedgerError) -> Self {
        Stopped::Ledger(error)
    }
}

/// How a delivery ended.
#[derive(Default)]
pub(super) struct Ended {
    /// What went wrong in calls that did not stop it.
    pub(super) problems: Vec<Problem>,
    /// Why it ended early, if it did.
    pub(super) stopped: Option<Stopped>,
}

/// One sink's delivery in one run.
pub(super) struct Delivery<'a> {
    pub(super) service: &'a dyn Service,
    /// The sink's name.
    pub(super) name: &'a str,
    /// The AWS region that it is called in, if it is one of AWS's services and that is known.
    pub(super) region: Option<String>,
    pub(super) traits: &'a ServiceTraits,
    /// For how long it is tried again and again while nothing moves.
    pub(super) retry_budget: Duration,
    pub(super) ledger: &'a Mutex<Ledger>,
    /// The state document that speaks of this sink's charges.
    pub(super) mirrored: Option<&'a Mirrored>,
    /// Charges that are not to be offered.
    pub(super) withdrawn: &'a HashSet<ChargeId>,
    /// Only the charges of this window.
    pub(super) window: Option<Window>,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What a delivery has come to.
#[derive(Default)]
struct Course {
    line: Option<Box<dyn Line>>,
    authenticated_anew: bool,
    /// The last look-up was turned away.
    throttled: bool,
    problems: Vec<Problem>,
    happened: Happened,
    /// Charges of calls without a clear answer, and how many records a call holds at most from then on in which they are.
    suspect: HashMap<ChargeId, usize>,
}

/// Why a round ends.
enum Halt {
    Stopped(Stopped),
    /// The service does not accept the credentials any more: at which step, and in whose words.
    Auth(&'static str, String),
    /// There is no session at the moment, and how long the service asks to wait.
    Unavailable(Problem, Duration),
}

impl<T: Into<Stopped>> From<T> for Halt {
    fn from(stopped: T) -> Self {
        Halt::Stopped(stopped.into())
    }
}

impl Delivery<'_> {
    /// Delivers until everything is final, nothing more can be done, or the retry budget is spent.
    pub(super) fn run(&self) -> Ended {
        let mut course = Course {
            happened: Happened { not_offered: self.withdrawn.clone(), ..Happened::default() },
            ..Course::default()
        };
        if let Some((region, charges)) = self.offered_elsewhere() {
            let text = format!(
                "{} may be billed in {region}, and is not offered in another region: the service keeps its records by region",
                if charges.len() == 1 { "a charge".to_owned() } else { format!("{} charges", charges.len()) }
            );
            let mut problem = self.problem("region", "delivering", &text);
            problem.action = Some(format!("run it with {region} as its region until they are clear"));
            course.problems.push(problem);
            course.happened.not_offered.extend(charges);
        }
        let stopped = self.rounds(&mut course).err();
        Ended { problems: course.problems, stopped }
    }

    /// Charges of which nothing clear is known, and that were offered in another region: one of these regions, and all of them.
    fn offered_elsewhere(&self) -> Option<(String, Vec<ChargeId>)> {
        let here = self.region.as_deref()?;
        let open = self.open();
        let elsewhere = open.iter().filter(|charge| charge.is_unresolved());
        let elsewhere: Vec<&ChargeState> = elsewhere.filter(|it| it.region().is_some_and(|it| it != here)).collect();
        let region = elsewhere.first()?.region()?.to_owned();
        Some((region, elsewhere.into_iter().map(|charge| charge.charge().id()).collect()))
    }

    fn rounds(&self, course: &mut Course) -> Result<(), Stopped> {
        // Since when nothing has moved any more: a run that gets on spends none of its budget.
        let mut stuck: Option<Instant> = None;
        let mut pause = PAUSE;
        // What a run that was superseded may send yet is waited for, and no other charge is kept waiting for long by that.
        self.sleep(self.wait_for_superseded())?;
        loop {
            let before = self.count_open();
            let (asked, unavailable) = match self.round(course) {
                Ok(asked) => (asked, None),
                Err(Halt::Stopped(stopped)) => return Err(stopped),
                Err(Halt::Unavailable(problem, asked)) => (asked, Some(problem)),
                Err(Halt::Auth(step, text)) => {
                    course.line = None;
                    // Once; and once more where charges went through under the new one, as in a run that outlasts it.
                    if std::mem::replace(&mut course.authenticated_anew, true) && self.count_open() == before {
                        return Err(Stopped::Problem(self.refused(step, &text)));
                    }
                    continue;
                }
            };
            if unavailable.is_none() && !self.can_go_on(course) {
                return Ok(());
            }
            if self.count_open() < before {
                (stuck, pause) = (None, PAUSE);
            }
            let next = asked.max(clock::jittered(pause)).max(self.wait_for_earlier_calls());
            pause = (pause * 2).min(LONGEST_PAUSE);
            if clock::instant() - *stuck.get_or_insert_with(clock::instant) + next > self.retry_budget {
                if unavailable.is_none() && asked.is_zero() && self.loses_patience(course) {
                    continue;
                }
                course.problems.extend(course.throttled.then(|| self.throttled()));
                return unavailable.map_or(Ok(()), |problem| Err(Stopped::Problem(problem)));
            }
            self.sleep(next)?;
        }
    }

    /// Gives up waiting for books that cannot be read. Answers whether there is something to be offered without them.
    fn loses_patience(&self, course: &mut Course) -> bool {
        let ready = |course: &Course| slots::ready(&self.decide(&course.happened), &self.open()).len();
        let before = ready(course);
        course.happened.is_patience_over = true;
        ready(course) > before
    }

    /// Resolves what is unknown, offers what is to be offered, resolves what that left unknown. Answers how long the service asked to
    /// wait.
    fn round(&self, course: &mut Course) -> Result<Duration, Halt> {
        // A service that answers no look-up just now may take new charges all the same.
        course.throttled = false;
        let throttled = self.resolve(course)?;
        let ready = slots::ready(&self.decide(&course.happened), &self.open());
        if let Some(mirrored) = self.mirrored.filter(|_| !ready.is_empty()) {
            // Once it is sure that something can leave at all.
            self.connected(&mut course.line)?;
            mirrored.list(&ready, self.ledger)?;
        }
        let (mut done, total) = (0, ready.len() as u64);
        let (suspect, whole): (Vec<Vec<Charge>>, Vec<Vec<Charge>>) = batches(self.traits, ready)
            .iter()
            .flat_map(|batch| records(self.traits, batch))
            .map(<[Charge]>::to_vec)
            .partition(|record| record.iter().any(|charge| course.suspect.contains_key(&charge.id())));
        let mut calls = batches(self.traits, whole.concat());
        // A call that never gets a clear answer may owe that to one record of it: those it held are offered in ever smaller calls.
        for batch in batches(self.traits, suspect.concat()) {
            let most = batch.iter().filter_map(|charge| course.suspect.get(&charge.id())).min().copied().unwrap_or(1);
            calls.extend(parts(self.traits, batch, most));
        }
        for batch in calls {
            self.interrupted()?;
            if let Some(asked) = self.offer(course, &batch)? {
                return Ok(asked);
            }
            done += batch.len() as u64;
            (self.progress)(done, total);
        }
        match throttled {
            Some(asked) => Ok(asked),
            None => Ok(self.resolve(course)?.unwrap_or_default()),
        }
    }

    /// One call; a refused one is halved. Answers how long the service asks to wait, if it wants fewer calls.
    fn offer(&self, course: &mut Course, charges: &[Charge]) -> Result<Option<Duration>, Halt> {
        let mut waiting: Vec<&[Charge]> = vec![charges];
        while let Some(charges) = waiting.pop() {
            self.interrupted()?;
            let line = self.connected(&mut course.line)?;
            let ids = charges.iter().map(Charge::id);
            match self.call(line, charges)? {
                Came::Done => course.happened.answered.extend(ids),
                Came::Unclear => {
                    let most = (records(self.traits, charges).len() / 2).max(1);
                    course.suspect.extend(ids.map(|id| (id, most)));
                }
                Came::Throttled(asked) => return Ok(Some(asked)),
                Came::Auth(text) => return Err(Halt::Auth("delivering", text)),
                Came::Refused => {
                    let halves = halves(self.traits, charges);
                    waiting.extend(halves.into_iter().flat_map(|(left, right)| [right, left]));
                }
                Came::InVain(why) => {
                    course.problems.push(self.in_vain(&why, line, charges));
                    // One call must not keep the others from leaving.
                    course.happened.not_offered.extend(ids);
                    course.line = None;
                }
            }
        }
        Ok(None)
    }

    /// Whether another round could change something.
    fn can_go_on(&self, course: &Course) -> bool {
        slots::can_go_on(&self.decide(&course.happened), &self.open())
    }

    fn decide<'d>(&'d self, happened: &'d Happened) -> Decide<'d> {
        Decide { traits: self.traits, happened, now: clock::now().as_millisecond() }
    }

    /// The line that there is; a new one, if there is none.
    fn connected<'l>(&self, line: &'l mut Option<Box<dyn Line>>) -> Result<&'l mut dyn Line, Halt> {
        let connected = match line.take() {
            Some(line) => line,
            None => self.connect()?,
        };
        Ok(line.insert(connected).as_mut())
    }

    fn connect(&self) -> Result<Box<dyn Line>, Halt> {
        let step = "connecting";
        let gate = self.ledger().gate();
        let NotConnected { cause, was_tried, denials } = match self.service.connect(gate) {
            Ok(line) => return Ok(line),
            Err(not_connected) => not_connected,
        };
        let refused = match cause {
            Err(failure) => {
                let problem = with_denials(self.service.trouble(step, None, &failure), &denials);
                return Err(Stopped::Problem(problem).into());
            }
            Ok(Failed::Auth(text)) => return Err(Stopped::Problem(self.refused(step, &text)).into()),
            Ok(other) => other,
        };
        let mut problem = with_denials(self.problem("unavailable", step, &words(&refused)), &denials);
        problem.action.get_or_insert_with(|| "nothing was sent; run again when the service answers".to_owned());
        let asked = match refused {
            Failed::Throttled(Some(asked)) => asked,
            _ => Duration::ZERO,
        };
        // What was not even tried (a secret that is not set) fails at the next try in the same way.
        match was_tried {
            false => Err(Stopped::Problem(problem).into()),
            true => Err(Halt::Unavailable(problem, asked)),
        }
    }

    fn wait_for_earlier_calls(&self) -> Duration {
        match self.traits.refuses_second {
            true => Duration::ZERO,
            false => self.longest_until(ChargeState::last_over),
        }
    }

    fn wait_for_superseded(&self) -> Duration {
        self.longest_until(ChargeState::may_leave_until)
    }

    fn longest_until(&self, until: impl Fn(&ChargeState) -> Option<i64>) -> Duration {
        let now = clock::now().as_millisecond();
        let longest = self.open().iter().filter_map(until).map(|until| until - now).max().unwrap_or(0);
        Duration::from_millis(longest.max(0).unsigned_abs())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self, state: &ChargeState) -> bool {
        self.window.is_none_or(|window| state.charge().key().window == window)
    }

    fn open(&self) -> Vec<ChargeState> {
        let ledger = self.ledger();
        let open = ledger.state().open_charges(self.name).into_iter();
        open.filter(|state| self.wanted(state)).cloned().collect()
    }

    fn count_open(&self) -> usize {
        self.ledger().state().open_charges(self.name).into_iter().filter(|state| self.wanted(state)).count()
    }

    fn refused(&self, step: &str, text: &str) -> Problem {
        let mut problem = self.problem("auth", step, text);
        problem.action =
            Some("see to the credentials that `grant.secrets` names, and run again: nothing is lost".to_owned());
        problem
    }

    fn throttled(&self) -> Problem {
        let text = "the service wants fewer calls, and what is unknown could not be looked up";
        let mut problem = self.problem("throttled", "looking charges up", text);
        problem.action = Some("run again: nothing is lost".to_owned());
        problem
    }

    fn problem(&self, code: &'static str, step: &str, text: &str) -> Problem {
        Problem { plugin: Some(self.service.label()), step: Some(step.to_owned()), ..Problem::new(code, text) }
    }

    fn interrupted(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    fn wait_for_rate(&self, line: &dyn Line) -> Result<(), Stopped> {
        loop {
            match line.kept_back() {
                Duration::ZERO => return Ok(()),
                wait => self.sleep(wait)?,
            }
        }
    }

    fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        let until = clock::instant() + duration;
        while let Some(left) = until.checked_duration_since(clock::instant()).filter(|left| !left.is_zero()) {
            self.interrupted()?;
            clock::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }
}

/// What a call was about, for a message: `2025-06: 3 charges, the first is ...`.
fn about(charges: &[Charge]) -> Option<String> {
    let first = charges.first()?;
    let key = first.key();
    let one = format!("{}: {} of {}", key.window.label(), key.dimension, key.customer);
    Some(match charges.len() {
        1 => one,
        count => format!("{one} and {} more", count - 1),
    })
}

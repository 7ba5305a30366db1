//! Delivering one sink's open charges: written down, offered, and each answer written down before the next step.
//!
//! | what happened in a call | what becomes of its charges |
//! |---|---|
//! | nothing left | they are as they were before |
//! | a clear answer, record by record | each what its own outcome says; without one, unknown |
//! | the whole call refused, and every request clearly answered | halved until the charge at fault stands alone: rejected |
//! | throttled or not authorised, clearly | they wait; one new authentication |
//! | anything else: a timeout, a reset, a 5xx, a trap | unknown |

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::failpoint::failpoint;
use super::read::with_denials;
use super::setup::{Setup, SinkSection};
use crate::broker::{CallRecord, Session};
use crate::config::SinkSpec;
use crate::ledger::{Charge, ChargeState, Ledger, LedgerError, Standing};
use crate::model::charge::ChargeId;
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::service::{Failed, Offer, Resolution};
use crate::model::window::{Window, WindowKind};
use crate::plugin::SinkInstance;
use crate::report::Problem;

/// How long the first pause before another try is.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Charges in one look-up.
const LOOK_UP: usize = 500;
/// The most bytes that the ledger keeps of each text of an answer.
const KEPT: usize = 4096;

/// Why a delivery ends early.
pub(super) enum Stopped {
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

/// One sink's delivery in one run.
pub(super) struct Delivery<'a> {
    pub(super) setup: &'a Setup,
    pub(super) sink: &'a SinkSection,
    pub(super) spec: &'a SinkSpec,
    pub(super) ledger: &'a Mutex<Ledger>,
    /// Only the charges of this window.
    pub(super) window: Option<Window>,
    pub(super) now: Timestamp,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// A connected instance.
struct Line {
    instance: SinkInstance,
    session: Session,
}

impl Delivery<'_> {
    /// Delivers until everything is final, nothing more can be done, or the retry budget is spent.
    pub(super) fn run(&self) -> Result<(), Stopped> {
        let begun = Instant::now();
        let mut line: Option<Line> = None;
        // A rejected charge is offered again once a run.
        let mut offered: HashSet<ChargeId> = HashSet::new();
        let mut authenticated_anew = false;
        let mut pause = PAUSE;
        loop {
            let before = self.count_open();
            let round = self.round(&mut line, &mut offered);
            let wait = match round {
                Ok(wait) => wait,
                Err(Halt::Stopped(stopped)) => return Err(stopped),
                Err(Halt::Auth(text)) => {
                    line = None;
                    if authenticated_anew {
                        return Err(Stopped::Problem(self.refused(&text)));
                    }
                    authenticated_anew = true;
                    continue;
                }
            };
            if !self.can_go_on(&offered) {
                return Ok(());
            }
            if self.count_open() < before {
                pause = PAUSE;
            }
            let next = wait.unwrap_or_else(|| jittered(pause)).max(self.wait_for_earlier_calls());
            pause = (pause * 2).min(LONGEST_PAUSE);
            if begun.elapsed() + next > self.spec.retry_budget {
                return Ok(());
            }
            self.sleep(next)?;
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> &str {
        &self.spec.plugin.name
    }

    fn open(&self) -> Vec<ChargeState> {
        let ledger = self.ledger();
        let open = ledger.state().open_charges(self.name()).into_iter();
        let wanted = |state: &&ChargeState| self.window.is_none_or(|window| state.charge().key().window == window);
        open.filter(wanted).cloned().collect()
    }

    fn count_open(&self) -> usize {
        self.open().len()
    }

    /// Whether another round could change something.
    fn can_go_on(&self, offered: &HashSet<ChargeId>) -> bool {
        self.open().iter().any(|state| match state.standing() {
            Standing::Pending { .. } => true,
            Standing::InFlight { .. } | Standing::Unknown { .. } | Standing::Unconfirmed { .. } => {
                self.sink.traits.resolution != Resolution::Ask
            }
            Standing::Rejected { retryable, .. } => *retryable && !offered.contains(&state.charge().id()),
            Standing::Held { .. } | Standing::Accepted { .. } => false,
        })
    }

    /// Resolves what is unknown, offers what is to be offered, resolves what that left unknown. Answers how long the service asked to
    /// wait.
    fn round(&self, line: &mut Option<Line>, offered: &mut HashSet<ChargeId>) -> Result<Option<Duration>, Halt> {
        if let Some(wait) = self.resolve(line)? {
            return Ok(Some(wait));
        }
        let mut wait = None;
        let ready: Vec<Charge> = self
            .open()
            .into_iter()
            .filter(|state| self.is_ready(state, offered))
            .map(|state| state.charge().clone())
            .collect();
        let total = ready.len() as u64;
        let mut done = 0;
        for batch in self.batches(ready) {
            self.interrupted()?;
            done += batch.len() as u64;
            offered.extend(batch.iter().map(Charge::id));
            if let Some(asked) = self.offer(line, &batch)? {
                wait = Some(asked);
                break;
            }
            (self.progress)(done, total);
        }
        Ok(self.resolve(line)?.or(wait))
    }

    fn is_ready(&self, state: &ChargeState, offered: &HashSet<ChargeId>) -> bool {
        match state.standing() {
            Standing::Pending { .. } => self.sink.traits.refuses_second || self.is_over(state),
            Standing::Rejected { retryable, .. } => *retryable && !offered.contains(&state.charge().id()),
            Standing::InFlight { .. } | Standing::Unknown { .. } => self.sink.traits.resolution == Resolution::Replay,
            Standing::Unconfirmed { .. } | Standing::Held { .. } | Standing::Accepted { .. } => false,
        }
    }

    /// Whether no earlier call with this charge can still take effect.
    fn is_over(&self, state: &ChargeState) -> bool {
        state.last_over().is_none_or(|over| over <= Timestamp::now().as_millisecond())
    }

    fn wait_for_earlier_calls(&self) -> Duration {
        if self.sink.traits.refuses_second {
            return Duration::ZERO;
        }
        let now = Timestamp::now().as_millisecond();
        let longest = self.open().iter().filter_map(ChargeState::last_over).map(|over| over - now).max().unwrap_or(0);
        Duration::from_millis(longest.max(0).unsigned_abs())
    }

    /// Calls' contents: oldest window first, within what the service takes.
    fn batches(&self, charges: Vec<Charge>) -> Vec<Vec<Charge>> {
        let traits = &self.sink.traits;
        let together = traits.together;
        let group = |charge: &Charge| {
            let key = charge.key();
            (
                together.window.then_some(key.window),
                together.month.then(|| Window::containing(WindowKind::Month, key.window.start())),
                together.product.then(|| key.product.clone()),
                together.customer.then(|| key.customer.clone()),
            )
        };
        let mut groups: Vec<(_, Vec<Charge>)> = Vec::new();
        for charge in charges {
            let of = group(&charge);
            match groups.iter_mut().find(|(other, _)| *other == of) {
                Some((_, charges)) => charges.push(charge),
                None => groups.push((of, vec![charge])),
            }
        }
        let mut batches = Vec::new();
        for (_, charges) in groups {
            let mut batch: Vec<Charge> = Vec::new();
            let mut bytes = 0;
            for charge in charges {
                let size = traits.bytes_per_charge + texts(&charge);
                if !batch.is_empty() && (batch.len() >= traits.charges_per_call || bytes + size > traits.bytes_per_call)
                {
                    batches.push(std::mem::take(&mut batch));
                    bytes = 0;
                }
                bytes += size;
                batch.push(charge);
            }
            batches.push(batch);
        }
        batches.retain(|batch| !batch.is_empty());
        batches
    }

    /// One call; a refused one is halved. Answers how long the service asked to wait, if it wants fewer calls.
    fn offer(&self, line: &mut Option<Line>, charges: &[Charge]) -> Result<Option<Duration>, Halt> {
        let mut waiting: Vec<&[Charge]> = vec![charges];
        while let Some(charges) = waiting.pop() {
            self.interrupted()?;
            let line = self.connected(line)?;
            match self.call(line, charges)? {
                Called::Done => {}
                Called::Throttled(wait) => return Ok(Some(wait)),
                Called::Auth(text) => return Err(Halt::Auth(text)),
                Called::Refused => {
                    let (left, right) = charges.split_at(charges.len() / 2);
                    waiting.extend([right, left]);
                }
                Called::Failed(problem) => return Err(Stopped::Problem(problem).into()),
            }
        }
        Ok(None)
    }

    /// One call, from its entry in the ledger to the entry of what came of it.
    fn call(&self, line: &mut Line, charges: &[Charge]) -> Result<Called, Stopped> {
        let offers: Vec<Offer> = charges.iter().map(Charge::offer).collect();
        failpoint("before-attempt");
        let attempt = self.ledger().begin_attempt(self.name(), charges, self.sink.traits.deadline)?;
        failpoint("before-submit");
        line.session.begin_call();
        let answer = line.instance.submit(&offers, self.now.as_millisecond());
        let record = line.session.call_record();
        failpoint("after-submit");
        let nothing_left = record.requests == 0 && record.writes == 0;
        let all = |status: Status, text: &str| -> Vec<Outcome> {
            charges.iter().map(|charge| Outcome::plain(charge.id(), status, Some(text.to_owned()))).collect()
        };
        // A clear answer to every request is what a refusal of the whole call is believed on.
        let clear = record.requests > 0 && record.answered == record.requests && record.writes == 0;
        let (called, unsent, outcomes) = match answer {
            Ok(Ok(outcomes)) if nothing_left => {
                let claimed = outcomes.len();
                let text = format!("the plugin answered for {claimed} charges, though it sent nothing");
                let problem = self.problem("plugin-contract", "delivering", &text);
                (Called::Failed(problem), true, all(Status::Unprocessed, &text))
            }
            Ok(Ok(outcomes)) => (Called::Done, false, believed(outcomes, &record)),
            Ok(Err(Failed::Refused(text))) if clear && charges.len() > 1 => {
                (Called::Refused, false, all(Status::Unprocessed, &text))
            }
            Ok(Err(Failed::Refused(text))) if clear => {
                let refused = all(Status::Rejected, &text).into_iter();
                (Called::Done, false, refused.map(|outcome| Outcome { retryable: true, ..outcome }).collect())
            }
            Ok(Err(Failed::Throttled(wait))) if clear => {
                let text = "the service wants fewer calls";
                (Called::Throttled(wait.unwrap_or(PAUSE)), false, all(Status::Unprocessed, text))
            }
            Ok(Err(Failed::Auth(text))) if clear => {
                (Called::Auth(text.clone()), false, all(Status::Unprocessed, &text))
            }
            Ok(Err(failed)) => {
                let text = words(&failed);
                // What is not granted now is not granted at the next try either.
                let called = match nothing_left && !line.session.denials().is_empty() {
                    true => Called::Failed(with_denials(self.problem("denied", "delivering", &text), &line.session)),
                    false => Called::Done,
                };
                (called, nothing_left, all(Status::Unknown, &text))
            }
            Err(failure) => {
                let problem = self.sink.section.problem("delivering", None, &failure);
                let text = format!("the plugin failed during the call: {failure}");
                (Called::Failed(with_denials(problem, &line.session)), nothing_left, all(Status::Unknown, &text))
            }
        };
        let outcomes = outcomes.into_iter().map(|outcome| self.redacted(outcome)).collect();
        self.ledger().record(attempt, unsent, outcomes)?;
        failpoint("after-record");
        Ok(called)
    }

    /// Looks up what is unknown. Answers how long the service asked to wait.
    fn resolve(&self, line: &mut Option<Line>) -> Result<Option<Duration>, Halt> {
        let unresolved: Vec<Charge> = self
            .open()
            .into_iter()
            .filter(|state| match state.standing() {
                Standing::Unconfirmed { .. } => true,
                Standing::InFlight { .. } | Standing::Unknown { .. } => {
                    self.sink.traits.resolution == Resolution::LookUp
                }
                _ => false,
            })
            .map(|state| state.charge().clone())
            .collect();
        for charges in unresolved.chunks(LOOK_UP) {
            self.interrupted()?;
            let line = self.connected(line)?;
            let offers: Vec<Offer> = charges.iter().map(Charge::offer).collect();
            line.session.begin_call();
            let answers = line.instance.look_up(&offers).map_err(|failure| {
                let problem = self.sink.section.problem("looking charges up", None, &failure);
                Stopped::Problem(with_denials(problem, &line.session))
            })?;
            let findings: Vec<(ChargeId, Finding)> = match answers {
                Ok(answers) => answers
                    .into_iter()
                    .filter_map(|(id, finding)| Some((id.parse::<ChargeId>().ok()?, finding)))
                    .filter(|(id, _)| charges.iter().any(|charge| charge.id() == *id))
                    .map(|(id, finding)| (id, self.redacted_finding(consistent(finding, charges, id))))
                    .collect(),
                Err(Failed::Auth(text)) => return Err(Halt::Auth(text)),
                Err(Failed::Throttled(wait)) => return Ok(Some(wait.unwrap_or(PAUSE))),
                Err(failed) if !line.session.denials().is_empty() => {
                    let problem = self.problem("denied", "looking charges up", &words(&failed));
                    return Err(Stopped::Problem(with_denials(problem, &line.session)).into());
                }
                Err(failed) => {
                    let text = words(&failed);
                    let finding = self.redacted_finding(Finding::CannotTell(text));
                    charges.iter().map(|charge| (charge.id(), finding.clone())).collect()
                }
            };
            if !findings.is_empty() {
                self.ledger().looked_up(self.name(), findings).map_err(Stopped::from)?;
            }
        }
        Ok(None)
    }

    /// An instance that is authenticated.
    fn connected<'l>(&self, line: &'l mut Option<Line>) -> Result<&'l mut Line, Halt> {
        if line.is_none() {
            let section = &self.sink.section;
            let session = self.setup.broker.session(&section.name, section.grants.clone(), false);
            session.set_rate(self.sink.rate);
            let failed = |failure| {
                let problem = section.problem("connecting", None, &failure);
                Stopped::Problem(with_denials(problem, &session))
            };
            let mut instance =
                SinkInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(failed)?;
            match instance.connect(&section.config, self.now.as_millisecond()).map_err(failed)? {
                Ok(()) => *line = Some(Line { instance, session }),
                Err(Failed::Auth(text)) => return Err(Stopped::Problem(self.refused(&text)).into()),
                Err(other) => {
                    let mut problem = self.problem("unavailable", "connecting", &words(&other));
                    problem = with_denials(problem, &session);
                    problem
                        .action
                        .get_or_insert_with(|| "nothing was sent; run again when the service answers".to_owned());
                    return Err(Stopped::Problem(problem).into());
                }
            }
        }
        match line {
            Some(line) => Ok(line),
            None => Err(Stopped::Problem(self.problem("unavailable", "connecting", "there is no connection")).into()),
        }
    }

    /// What goes into the ledger stays there: no secret may, though a service repeated it.
    fn redacted(&self, outcome: Outcome) -> Outcome {
        let clean = |text: String| self.clean(&text);
        Outcome {
            refusal_if_absent: outcome.refusal_if_absent.map(clean),
            reference: outcome.reference.map(clean),
            message: outcome.message.map(clean),
            raw: clean(outcome.raw),
            ..outcome
        }
    }

    fn redacted_finding(&self, finding: Finding) -> Finding {
        let clean = |text: String| self.clean(&text);
        let record = |record: HeldRecord| HeldRecord {
            reference: record.reference.map(clean),
            raw: clean(record.raw),
            ..record
        };
        match finding {
            Finding::Found(found) => Finding::Found(record(found)),
            Finding::Different(found) => Finding::Different(record(found)),
            Finding::CannotTell(why) => Finding::CannotTell(clean(why)),
            Finding::Absent => Finding::Absent,
        }
    }

    /// A text of the service's or the plugin's, as it goes into the ledger: without secrets, and then short.
    fn clean(&self, text: &str) -> String {
        let mut text = self.setup.broker.redactor().redact(text).into_owned();
        text.truncate(text.floor_char_boundary(KEPT));
        text
    }

    fn refused(&self, text: &str) -> Problem {
        let mut problem = self.problem("auth", "connecting", text);
        problem.action =
            Some("see to the credentials that `grant.secrets` names, and run again: nothing is lost".to_owned());
        problem
    }

    fn problem(&self, code: &'static str, step: &str, text: &str) -> Problem {
        Problem { plugin: Some(self.sink.section.label()), step: Some(step.to_owned()), ..Problem::new(code, text) }
    }

    fn interrupted(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + duration;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.interrupted()?;
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }
}

/// Why a round ends.
enum Halt {
    Stopped(Stopped),
    /// The service does not accept the credentials any more.
    Auth(String),
}

impl From<Stopped> for Halt {
    fn from(stopped: Stopped) -> Self {
        Halt::Stopped(stopped)
    }
}

/// What came of a call, beyond its charges.
enum Called {
    Done,
    Refused,
    Throttled(Duration),
    Auth(String),
    Failed(Problem),
}

/// Outcomes, as far as the broker's own record bears them out: where a request got no clear answer, no refusal is believed.
fn believed(outcomes: Vec<Outcome>, record: &CallRecord) -> Vec<Outcome> {
    let unclear = record.answered < record.requests;
    let doubted = |status| matches!(status, Status::Rejected | Status::Unprocessed);
    outcomes
        .into_iter()
        .map(|outcome| match unclear && doubted(outcome.status) {
            true => Outcome { status: Status::Unknown, ..outcome },
            false => outcome,
        })
        .collect()
}

/// A finding that names another quantity than the charge's is a difference, whatever the plugin calls it.
fn consistent(finding: Finding, charges: &[Charge], id: ChargeId) -> Finding {
    let sent = charges.iter().find(|charge| charge.id() == id).map(Charge::quantity);
    match finding {
        Finding::Found(record) if record.quantity.is_some() && record.quantity != sent => Finding::Different(record),
        other => other,
    }
}

fn words(failed: &Failed) -> String {
    match failed {
        Failed::Refused(text) | Failed::Auth(text) | Failed::Other(text) => text.clone(),
        Failed::Throttled(_) => "the service wants fewer calls".to_owned(),
    }
}

/// How many bytes the texts of a charge take.
fn texts(charge: &Charge) -> u64 {
    let key = charge.key();
    let pairs = key.tags.iter().chain(charge.attributes()).map(|(name, value)| name.len() + value.len());
    (key.product.len() + key.customer.len() + key.dimension.len() + pairs.sum::<usize>() + 40) as u64
}

/// Between half of a pause and the whole, so that two runs do not stay in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    pause / 2 + pause / 2 * (random % 1024) / 1024
}

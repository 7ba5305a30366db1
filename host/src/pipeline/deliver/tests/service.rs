//! A service that is simulated, and the truth: what stands in its books, and which calls are still in the air.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::faults::{Arrival, Blind, Claim, Fault, Spoilt};
use super::model::{Heard, TAKES, Told, Wire};
use crate::broker::{CallRecord, Denial, Gate};
use crate::clock;
use crate::ledger::Ledger;
use crate::model::charge::ChargeId;
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::service::{Failed, Offer, Resolution, ServiceTraits};
use crate::pipeline::deliver::line::{Line, NotConnected, Service};
use crate::pipeline::deliver::{Delivery, Ended, Stopped};
use crate::plugin::{Cause, Failure};
use crate::report::Problem;

/// Has what is open in a ledger delivered to a service, as a run does.
pub(in crate::pipeline) fn delivered(
    books: &Rc<RefCell<Books>>,
    (name, traits): (&str, &ServiceTraits),
    retry_budget: Duration,
    ledger: Ledger,
) -> Ledger {
    let ledger = Mutex::new(ledger);
    let delivery = Delivery {
        service: &Way(Rc::clone(books)),
        name,
        region: None,
        traits,
        retry_budget,
        ledger: &ledger,
        mirrored: None,
        withdrawn: &HashSet::new(),
        window: None,
        stop: &AtomicBool::new(false),
        progress: &|_, _| {},
    };
    let Ended { stopped, .. } = delivery.run();
    if let Some(Stopped::Ledger(error)) = stopped {
        panic!("{error}");
    }
    ledger.into_inner().unwrap()
}

/// A record in the service's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Recorded {
    pub(in crate::pipeline) id: String,
    pub(in crate::pipeline) quantity: Decimal,
    pub(in crate::pipeline) is_ours: bool,
}

/// The service.
#[derive(Debug)]
pub(in crate::pipeline) struct Books {
    traits: ServiceTraits,
    /// Whether it can be asked what it has.
    tells: bool,
    pub(in crate::pipeline) records: Vec<Recorded>,
    in_the_air: Vec<(Timestamp, Offer)>,
    pub(in crate::pipeline) faults: VecDeque<Fault>,
    pub(super) blind: VecDeque<Blind>,
    pub(in crate::pipeline) wire: VecDeque<Wire>,
    /// What was offered, call by call.
    pub(in crate::pipeline) calls: Vec<Vec<Offer>>,
}

impl Books {
    pub(in crate::pipeline) fn new(traits: &ServiceTraits, tells: bool) -> Self {
        Books {
            traits: traits.clone(),
            tells,
            records: Vec::new(),
            in_the_air: Vec::new(),
            faults: VecDeque::new(),
            blind: VecDeque::new(),
            wire: VecDeque::new(),
            calls: Vec::new(),
        }
    }

    /// What has arrived by now is in the books.
    pub(in crate::pipeline) fn catch_up(&mut self) {
        self.in_the_air.sort_by_key(|(at, _)| *at);
        let arrived = self.in_the_air.iter().take_while(|(at, _)| *at <= clock::now()).count();
        for (_, offer) in self.in_the_air.drain(..arrived).collect::<Vec<_>>() {
            self.offered(&offer);
        }
    }

    pub(super) fn arrives(&mut self, at: Timestamp, offer: Offer) {
        self.in_the_air.push((at, offer));
    }

    pub(in crate::pipeline) fn tells(&self) -> bool {
        self.tells
    }

    pub(in crate::pipeline) fn ours(&self, id: &str) -> Vec<&Recorded> {
        self.records.iter().filter(|record| record.id == id && record.is_ours).collect()
    }

    pub(super) fn is_in_the_air(&self, id: &str) -> bool {
        self.in_the_air.iter().any(|(_, offer)| offer.id == id)
    }

    /// Somebody else's record comes into a charge's place, or goes.
    pub(super) fn displace(&mut self, id: &str, quantity: Decimal) {
        let before = self.records.len();
        self.records.retain(|record| record.is_ours || record.id != id);
        if self.records.len() == before && (!self.traits.refuses_second || self.ours(id).is_empty()) {
            self.records.push(Recorded { id: id.to_owned(), quantity, is_ours: false });
        }
    }

    /// A charge that arrives.
    fn offered(&mut self, offer: &Offer) -> Heard {
        let (refuses, replay) = (self.traits.refuses_second, self.traits.resolution == Resolution::Replay);
        let place = self.records.iter().filter(|record| record.id == offer.id);
        let (ours, theirs): (Vec<&Recorded>, Vec<&Recorded>) = place.partition(|record| record.is_ours);
        match (ours.is_empty(), theirs.is_empty()) {
            // It knows the identical charge, and tells it from another's.
            (true, false) if replay => return Heard::Refused { retryable: true },
            (false, _) if replay && !refuses => return Heard::Accepted,
            (false, _) | (_, false) if refuses => return Heard::Duplicate,
            _ => {}
        }
        self.records.push(Recorded { id: offer.id.clone(), quantity: offer.quantity, is_ours: true });
        Heard::Accepted
    }

    fn shows(&self, offer: &Offer) -> (Told, Finding) {
        let record = |recorded: &Recorded| HeldRecord {
            reference: Some("r-1".to_owned()),
            quantity: Some(recorded.quantity),
            raw: String::new(),
        };
        let theirs = self.records.iter().find(|record| record.id == offer.id && !record.is_ours);
        match (self.ours(&offer.id).first(), theirs) {
            _ if !self.tells => (Told::Nothing, Finding::CannotTell("it has no books to show".to_owned())),
            (Some(ours), _) => (Told::Found, Finding::Found(record(ours))),
            (None, Some(theirs)) => (Told::Different, Finding::Different(record(theirs))),
            (None, None) => (Told::Absent, Finding::Absent),
        }
    }

    fn arrive(&mut self, arrival: Arrival, offers: &[Offer]) {
        for offer in offers {
            match arrival {
                Arrival::Never => {}
                Arrival::AtOnce => {
                    self.offered(offer);
                }
                Arrival::Late(percent) => self.arrives(clock::now() + TAKES * u32::from(percent) / 100, offer.clone()),
            }
        }
    }

    fn submit(&mut self, offers: &[Offer]) -> (Submitted, CallRecord, Vec<Heard>) {
        self.catch_up();
        let record = |requests, answered| CallRecord { requests, answered, tried: requests.max(1), writes: 0 };
        let all = |heard| vec![heard; offers.len()];
        match self.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => {
                let heard: Vec<Heard> = offers.iter().map(|offer| self.offered(offer)).collect();
                (
                    Ok(Ok(offers.iter().zip(&heard).map(|(offer, heard)| said(offer, *heard)).collect())),
                    record(1, 1),
                    heard,
                )
            }
            Fault::NothingLeft(claim) => (claim.made(offers), record(0, 0), all(Heard::Untouched)),
            Fault::Unanswered(arrival, claim) => {
                self.arrive(arrival, offers);
                (claim.made(offers), record(1, 0), all(SILENCE))
            }
            Fault::HalfAnswered(arrival, claim) => {
                let (first, second) = offers.split_at(offers.len() / 2);
                let mut heard: Vec<Heard> = first.iter().map(|offer| self.offered(offer)).collect();
                let mut outcomes: Vec<Outcome> =
                    first.iter().zip(&heard).map(|(offer, heard)| said(offer, *heard)).collect();
                // Which of the requests it was that nobody answered, the host cannot tell.
                heard
                    .iter_mut()
                    .filter(|heard| matches!(heard, Heard::Refused { .. }))
                    .for_each(|heard| *heard = SILENCE);
                heard.extend(second.iter().map(|_| SILENCE));
                self.arrive(arrival, second);
                let answer = match claim.made(second) {
                    // That would be a lie that no record can show.
                    Ok(Ok(claimed)) => {
                        let bold = |outcome: &Outcome| matches!(outcome.status, Status::Accepted | Status::Duplicate);
                        outcomes.extend(claimed.into_iter().filter(|outcome| !bold(outcome)));
                        Ok(Ok(outcomes))
                    }
                    failed => {
                        heard = all(SILENCE);
                        failed
                    }
                };
                (answer, record(2, 1), heard)
            }
            Fault::Refused => {
                let place = |offer: &Offer| (offer.window, offer.customer.clone(), offer.dimension.clone());
                let are_one = self.traits.joins_tags && offers.iter().all(|offer| place(offer) == place(&offers[0]));
                let is_one = offers.len() == 1 || are_one;
                let heard = if is_one { Heard::Refused { retryable: true } } else { Heard::Untouched };
                (Ok(Err(Failed::Refused("not so".to_owned()))), record(1, 1), all(heard))
            }
            Fault::Throttled => (Ok(Err(Failed::Throttled(Some(TAKES / 5)))), record(1, 1), all(Heard::Untouched)),
            Fault::Unauthorised => (Ok(Err(Failed::Auth("who?".to_owned()))), record(1, 1), all(Heard::Untouched)),
            Fault::Spoiled { each, reversed, of_another } => {
                let (mut heard, mut outcomes) = (Vec::new(), Vec::new());
                for (offer, spoilt) in offers.iter().zip(each.iter().cycle()) {
                    heard.push(self.spoiled(offer, *spoilt, &mut outcomes));
                }
                if of_another {
                    outcomes.push(Outcome::plain(
                        "0123456789abcdef0123456789abcdef".parse().unwrap(),
                        Status::Accepted,
                        None,
                    ));
                }
                if reversed {
                    outcomes.reverse();
                }
                (Ok(Ok(outcomes)), record(1, 1), heard)
            }
        }
    }

    fn spoiled(&mut self, offer: &Offer, spoilt: Spoilt, outcomes: &mut Vec<Outcome>) -> Heard {
        let recorded = match spoilt {
            Spoilt::Not => true,
            Spoilt::Refused { .. } | Spoilt::NotLookedAt => false,
            Spoilt::LeftOut { recorded } | Spoilt::Doubled { recorded } | Spoilt::Unclear { recorded, .. } => recorded,
        };
        let became = if recorded { self.offered(offer) } else { Heard::Untouched };
        match spoilt {
            Spoilt::Not => {
                outcomes.push(said(offer, became));
                became
            }
            Spoilt::Refused { retryable } => {
                outcomes.push(said(offer, Heard::Refused { retryable }));
                Heard::Refused { retryable }
            }
            Spoilt::NotLookedAt => {
                outcomes.push(said(offer, Heard::Untouched));
                Heard::Untouched
            }
            Spoilt::LeftOut { .. } => SILENCE,
            Spoilt::Doubled { .. } => {
                outcomes.extend([said(offer, Heard::Accepted), said(offer, Heard::Refused { retryable: false })]);
                SILENCE
            }
            Spoilt::Unclear { refusal, .. } => {
                let heard = Heard::Silence { refused_if_absent: refusal };
                outcomes.push(said(offer, heard));
                heard
            }
        }
    }

    fn look_up(&mut self, offers: &[Offer]) -> (Looked, BTreeMap<ChargeId, Told>) {
        self.catch_up();
        let shown: Vec<(&Offer, (Told, Finding))> = offers.iter().map(|offer| (offer, self.shows(offer))).collect();
        let each = |findings: &dyn Fn(&Offer, Finding) -> Finding| -> Looked {
            Ok(Ok(shown
                .iter()
                .map(|(offer, (_, finding))| (offer.id.clone(), findings(offer, finding.clone())))
                .collect()))
        };
        let true_told = || shown.iter().map(|(offer, (told, _))| (id(offer), *told));
        let nothing = || offers.iter().map(|offer| (id(offer), Told::Nothing)).collect();
        match self.blind.pop_front().unwrap_or(Blind::Not) {
            Blind::Not => (each(&|_, finding| finding), true_told().collect()),
            Blind::Misnamed => {
                let misnamed = |finding| match finding {
                    Finding::Different(record) => Finding::Found(record),
                    other => other,
                };
                (each(&|_, finding| misnamed(finding)), true_told().collect())
            }
            Blind::CannotTell => (each(&|_, _| Finding::CannotTell("busy".to_owned())), nothing()),
            Blind::Failed => (Ok(Err(Failed::Other("busy".to_owned()))), nothing()),
            Blind::Trap => (Err(trap()), BTreeMap::new()),
            Blind::Throttled => (Ok(Err(Failed::Throttled(None))), BTreeMap::new()),
            Blind::Unauthorised => (Ok(Err(Failed::Auth("who?".to_owned()))), BTreeMap::new()),
            Blind::LeftOut => {
                let Ok(Ok(mut findings)) = each(&|_, finding| finding) else { unreachable!() };
                findings.truncate(1);
                (Ok(Ok(findings)), true_told().take(1).collect())
            }
            Blind::Doubled => {
                let Ok(Ok(findings)) = each(&|_, finding| finding) else { unreachable!() };
                (Ok(Ok([findings.clone(), findings].concat())), nothing())
            }
        }
    }
}

type Submitted = Result<Result<Vec<Outcome>, Failed>, Failure>;
type Looked = Result<Result<Vec<(String, Finding)>, Failed>, Failure>;

const SILENCE: Heard = Heard::Silence { refused_if_absent: false };

impl Claim {
    fn made(self, offers: &[Offer]) -> Submitted {
        let text = "no answer".to_owned();
        match self {
            Claim::Trap => Err(trap()),
            Claim::Failed => Ok(Err(Failed::Other(text))),
            Claim::Refused => Ok(Err(Failed::Refused(text))),
            Claim::Throttled => Ok(Err(Failed::Throttled(None))),
            Claim::Unauthorised => Ok(Err(Failed::Auth(text))),
            Claim::All(status) => Ok(Ok(offers
                .iter()
                .map(|offer| Outcome { retryable: true, ..Outcome::plain(id(offer), status, None) })
                .collect())),
            Claim::Nothing => Ok(Ok(Vec::new())),
        }
    }
}

/// As a plugin says it that tells the truth.
fn said(offer: &Offer, heard: Heard) -> Outcome {
    let (status, retryable, refusal) = match heard {
        Heard::Accepted => (Status::Accepted, false, false),
        Heard::Duplicate => (Status::Duplicate, false, false),
        Heard::Refused { retryable } => (Status::Rejected, retryable, false),
        Heard::Untouched => (Status::Unprocessed, false, false),
        Heard::Silence { refused_if_absent } => (Status::Unknown, false, refused_if_absent),
    };
    let refusal_if_absent = refusal.then(|| "not so".to_owned());
    Outcome { retryable, refusal_if_absent, ..Outcome::plain(id(offer), status, None) }
}

fn id(offer: &Offer) -> ChargeId {
    offer.id.parse().unwrap()
}

fn trap() -> Failure {
    Failure { cause: Cause::Trapped("unreachable".to_owned()), words: None, causes: Vec::new() }
}

/// The way to it.
#[derive(Clone)]
pub(in crate::pipeline) struct Way(pub(in crate::pipeline) Rc<RefCell<Books>>);

struct OnTheWay {
    books: Rc<RefCell<Books>>,
    record: CallRecord,
}

impl Service for Way {
    fn connect(&self, _: Option<Gate>) -> Result<Box<dyn Line>, NotConnected> {
        Ok(Box::new(OnTheWay { books: Rc::clone(&self.0), record: CallRecord::default() }))
    }

    fn redacted(&self, text: &str) -> String {
        text.to_owned()
    }

    fn label(&self) -> String {
        "sink.s".to_owned()
    }

    fn trouble(&self, _: &str, _: Option<String>, failure: &Failure) -> Problem {
        Problem::new("trap", failure.to_string())
    }
}

impl Line for OnTheWay {
    fn submit(&mut self, offers: &[Offer]) -> Submitted {
        let mut books = self.books.borrow_mut();
        books.calls.push(offers.to_vec());
        let (answer, record, heard) = books.submit(offers);
        books.wire.push_back(Wire::Call(offers.iter().map(id).zip(heard).collect()));
        self.record = record;
        answer
    }

    fn look_up(&mut self, offers: &[Offer]) -> Looked {
        let mut books = self.books.borrow_mut();
        let (answer, told) = books.look_up(offers);
        let asked: BTreeSet<ChargeId> = offers.iter().map(id).collect();
        books.wire.push_back(Wire::LookUp(asked, told));
        self.record = CallRecord { requests: 1, tried: 1, answered: 1, writes: 0 };
        answer
    }

    fn record(&self) -> CallRecord {
        self.record
    }

    fn kept_back(&self) -> Duration {
        Duration::ZERO
    }

    fn denials(&self) -> Vec<Denial> {
        Vec::new()
    }
}

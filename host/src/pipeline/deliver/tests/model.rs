//! What the ledger has to know of each charge, said once more and in another way: from what happened to it, and not from what the ledger
//! made of that. An answer counts as it was given on the wire, whatever the plugin and the delivery make of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::ledger::{Entry, Record, Verdict};
use crate::model::charge::ChargeId;
use crate::model::service::{Resolution, ServiceTraits};

/// What the host can surely know of a charge from one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline) enum Heard {
    Accepted,
    Duplicate,
    Refused {
        retryable: bool,
    },
    /// Nothing left, or the service did not look at it.
    Untouched,
    /// Nothing clear; and the refusal that it takes if the books do not show it.
    Silence {
        refused_if_absent: bool,
    },
}

/// What the host can surely know of a charge from the service's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline) enum Told {
    Found,
    Absent,
    Different,
    Nothing,
}

/// What went over the wire in a run, in its order.
#[derive(Debug, Clone)]
pub(in crate::pipeline) enum Wire {
    Call(BTreeMap<ChargeId, Heard>),
    /// The charges that were asked about, and what is to be written down of the answer.
    LookUp(BTreeSet<ChargeId>, BTreeMap<ChargeId, Told>),
}

/// What must be known of a charge.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// It is recorded: the service said so, or a person.
    recorded: bool,
    by_hand: bool,
    /// A person said that it is not to be billed any more.
    waived: bool,
    /// A call with it is under way.
    under_way: bool,
    /// A call went unanswered, and nothing has told since what came of it.
    doubt: bool,
    /// The service says that it has a record, and no call of ours explains that.
    claimed: bool,
    /// Somebody else's record is in its place.
    displaced: bool,
    /// It was refused, or is if it turns out to be absent; and whether it may be offered again.
    refused: Option<bool>,
    /// A ledger that is lost may have sent it, or a person denied that it is there.
    suspected: bool,
    denied: bool,
    /// Until when an unanswered call may still arrive, and whether it was about to be sent by a run that was superseded.
    arrives_until: Option<i64>,
    asleep: bool,
    /// How long that call may take.
    takes: i64,
    /// How it stood before the call that is under way: `arrives_until` and `takes`, `suspected`, `denied`.
    before: ((Option<i64>, i64), bool, bool),
}

/// What must be known of all of them.
#[derive(Debug, Clone)]
pub(super) struct Model {
    traits: ServiceTraits,
    charges: BTreeMap<ChargeId, Known>,
    calls: BTreeMap<u64, Vec<ChargeId>>,
    run: String,
    /// In this run: asked about, clearly told of, refused.
    asked: BTreeSet<ChargeId>,
    told: BTreeSet<ChargeId>,
    refused: BTreeSet<ChargeId>,
    /// Windows that ended before this may have been sent by a ledger that is lost.
    sent_until: i64,
    /// When entries were found to be lost, and up to which end of windows they may have sent something.
    lost: Option<(i64, i64)>,
    /// The latest time that it was for a run.
    latest: i64,
    pub(super) entries: u64,
}

impl Model {
    pub(super) fn new(traits: &ServiceTraits) -> Self {
        Model {
            traits: traits.clone(),
            charges: BTreeMap::new(),
            calls: BTreeMap::new(),
            run: String::new(),
            asked: BTreeSet::new(),
            told: BTreeSet::new(),
            refused: BTreeSet::new(),
            sent_until: i64::MIN,
            lost: None,
            latest: i64::MIN,
            entries: 0,
        }
    }

    pub(super) fn charges(&self) -> impl Iterator<Item = (&ChargeId, &Known)> {
        self.charges.iter()
    }

    /// Takes in an entry of the ledger. Of a call and a look-up it tells that they happened; what came of them is on the wire.
    pub(super) fn see(&mut self, record: &Record, wire: &mut VecDeque<Wire>) {
        self.entries = record.number;
        if self.run != record.run {
            self.end_of_run(&record.run);
        }
        match &record.entry {
            Entry::Opened { now, .. } => self.sent_until = now.unwrap_or(i64::MIN),
            Entry::Run { now, .. } => self.latest = self.latest.max(*now),
            Entry::Freeze { id, charge } => {
                let window = charge.key.window;
                let [start, end] = [window.start(), window.end()].map(|at| at.as_millisecond());
                // Of a window that is under way, entries that are lost may have sent a last bill.
                let had_begun = self.lost.is_some_and(|(_, until)| start <= until);
                let mut known = Known { suspected: end <= self.sent_until || had_begun, ..Known::default() };
                if let Some((at, _)) = self.lost.filter(|(_, until)| end <= *until) {
                    known.may_have_left(at);
                }
                self.charges.insert(*id, known);
            }
            Entry::Attempt { attempt, charges, deadline, .. } => {
                while let Some(Wire::LookUp(asked, _)) = wire.front() {
                    self.asked.extend(asked);
                    wire.pop_front();
                }
                for id in charges {
                    self.may_be_offered(id, record.at);
                    self.known(id).leaves(record.at + i64::try_from(*deadline).unwrap());
                }
                self.calls.insert(*attempt, charges.clone());
            }
            Entry::Outcomes { attempt, .. } => {
                let Some(Wire::Call(heard)) = wire.pop_front() else { panic!("an answer that nobody gave") };
                for id in self.calls.remove(attempt).unwrap() {
                    self.known(&id).hears(heard[&id]);
                    if matches!(heard[&id], Heard::Refused { .. }) && self.charges[&id].word() == "rejected" {
                        self.refused.insert(id);
                    }
                }
            }
            Entry::LookedUp { findings, .. } => {
                let told = loop {
                    match wire.pop_front() {
                        Some(Wire::LookUp(asked, told)) => {
                            self.asked.extend(asked);
                            if !told.is_empty() {
                                break told;
                            }
                        }
                        other => panic!("a finding that nobody told: {other:?}"),
                    }
                };
                assert!(told.keys().eq(findings.iter().map(|(id, _)| id).collect::<BTreeSet<_>>()), "{told:?}");
                for (id, told) in told {
                    self.known(&id).is_told(told);
                    if told != Told::Nothing {
                        self.told.insert(id);
                    }
                }
            }
            Entry::Resolved { charge, verdict, .. } => self.known(charge).is_said(*verdict),
            Entry::Superseded { .. } => self.charges.values_mut().for_each(|known| known.is_superseded(record.at)),
            Entry::Restored { .. } => {
                self.lost = Some((record.at, record.at.max(self.latest)));
                self.charges.values_mut().for_each(|known| known.may_have_left(record.at));
            }
            _ => {}
        }
    }

    fn known(&mut self, id: &ChargeId) -> &mut Known {
        self.charges.get_mut(id).unwrap()
    }

    /// Whatever was under way when a run ended went unanswered.
    fn end_of_run(&mut self, run: &str) {
        for known in self.charges.values_mut().filter(|known| known.under_way) {
            known.hears(Heard::Silence { refused_if_absent: false });
        }
        self.calls.clear();
        (self.asked, self.told, self.refused) = Default::default();
        run.clone_into(&mut self.run);
    }

    /// The rules by which a charge may leave.
    fn may_be_offered(&self, id: &ChargeId, now: i64) {
        let (known, traits) = (&self.charges[id], &self.traits);
        let by_look_up = traits.resolution == Resolution::LookUp;
        assert!(!known.recorded && !known.by_hand && !known.waived, "what is recorded is offered again");
        assert!(!known.under_way && !known.claimed && !known.displaced, "what is in doubt is offered");
        assert!(known.doubt || known.refused != Some(false), "what is refused for good is offered again");
        assert!(!self.refused.contains(id), "what is refused is offered twice in a run");
        assert!(
            !known.doubt || traits.resolution == Resolution::Replay,
            "what is unknown is sent again without a word"
        );
        let may_arrive = known.arrives_until.is_some_and(|until| until > now);
        if !traits.refuses_second && traits.resolution != Resolution::Replay {
            assert!(!may_arrive, "an earlier call may still arrive where a second record is taken");
        }
        assert!(!(known.asleep && may_arrive), "a run that was superseded may still send it");
        // A look-up comes first: one of this run, for what an earlier run saw absent may have come since.
        if by_look_up && known.refused.is_none() && (known.suspected || known.arrives_until.is_some()) {
            let harmless = traits.refuses_second || known.denied;
            let tried = known.arrives_until.is_none() && harmless && self.asked.contains(id);
            assert!(self.told.contains(id) || tried, "what may be in the books is sent before they were asked");
        }
    }
}

impl Known {
    /// As the ledger has to name it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Known { by_hand: true, .. } => "by hand",
            Known { waived: true, .. } => "waived",
            Known { recorded: true, .. } => "accepted",
            Known { under_way: true, .. } | Known { doubt: true, .. } => "unknown",
            Known { claimed: true, .. } => "unconfirmed",
            Known { displaced: true, .. } => "held",
            Known { refused: Some(_), .. } => "rejected",
            _ => "pending",
        }
    }

    /// Whether it is known that it may be there, though nothing is open.
    pub(super) fn is_suspected(&self) -> bool {
        self.suspected
    }

    /// Until when a call that went unanswered may still bring it there.
    pub(super) fn arrives_until(&self) -> Option<i64> {
        self.arrives_until
    }

    /// Whether it may arrive yet, or have arrived since it was seen absent. A look-up comes before it is sent again.
    pub(super) fn may_have_come(&self) -> bool {
        self.suspected || self.arrives_until.is_some()
    }

    pub(super) fn is_refused_for_good(&self) -> bool {
        self.word() == "rejected" && self.refused == Some(false)
    }

    fn leaves(&mut self, deadline: i64) {
        self.before = ((self.arrives_until, self.takes), self.suspected, self.denied);
        (self.under_way, self.suspected, self.denied) = (true, false, false);
        (self.arrives_until, self.takes) = (Some(deadline), TAKES.as_millis() as i64);
    }

    fn hears(&mut self, heard: Heard) {
        self.under_way = false;
        let silent = matches!(heard, Heard::Silence { .. });
        if !silent {
            (self.arrives_until, self.takes) = self.before.0;
        }
        match heard {
            Heard::Accepted => self.ends(),
            Heard::Duplicate if self.doubt => self.ends(),
            Heard::Duplicate => (self.claimed, self.refused) = (true, None),
            Heard::Refused { retryable } => self.refused = Some(retryable),
            Heard::Untouched => (self.suspected, self.denied) = (self.before.1, self.before.2),
            Heard::Silence { refused_if_absent } => {
                (self.doubt, self.refused) = (true, refused_if_absent.then_some(true));
            }
        }
    }

    fn ends(&mut self) {
        *self = Known { recorded: true, ..Known::default() };
    }

    fn is_told(&mut self, told: Told) {
        if told == Told::Nothing {
            return;
        }
        (self.suspected, self.denied) = (false, false);
        let (claimed, doubt) = (std::mem::take(&mut self.claimed), std::mem::take(&mut self.doubt));
        match told {
            Told::Found => self.ends(),
            // Whoever's that record is: the service refused ours.
            Told::Absent | Told::Different if claimed => self.refused = Some(true),
            Told::Absent => self.displaced = false,
            Told::Different if self.refused.is_some() && !doubt => {}
            _ => (self.displaced, self.refused) = (true, None),
        }
    }

    fn is_said(&mut self, verdict: Verdict) {
        *self = match verdict {
            Verdict::Again => {
                self.refused = self.refused.map(|_| true);
                return;
            }
            Verdict::Billed => Known { by_hand: true, ..Known::default() },
            Verdict::Waived => Known { waived: true, ..Known::default() },
            Verdict::NotBilled => Known { suspected: true, denied: true, ..Known::default() },
        };
    }

    fn is_superseded(&mut self, at: i64) {
        if let Some(until) = &mut self.arrives_until {
            *until = (*until).max(at + self.takes);
            self.asleep = true;
        }
    }

    /// Entries are lost that may have had a call with it, which may be under way yet.
    fn may_have_left(&mut self, at: i64) {
        let is_open =
            matches!(self.word(), "pending" | "unknown") || self.word() == "rejected" && self.refused == Some(true);
        if is_open {
            (self.doubt, self.suspected, self.denied) = (true, false, false);
            self.takes = LOST.as_millis() as i64;
            self.arrives_until = Some(at + self.takes);
        }
    }
}

/// The longest that a call may have taken whose entry is lost.
const LOST: Duration = Duration::from_secs(600);
/// The longest that a call may take.
pub(in crate::pipeline) const TAKES: Duration = Duration::from_secs(10);

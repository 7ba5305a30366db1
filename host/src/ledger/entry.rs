//! What is written down. An entry is never changed and never deleted; what it means follows from those before it.

use std::time::Duration;

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::hold::{Hold, Kept, Late};
use super::ids::{Blob, IdKey};
use super::row::{Hash, Head};
use super::sets::{Intent, Parts, Receipt};
use super::takings::{Group, Told};
use crate::model::charge::{ChargeId, Proposal};
use crate::model::outcome::{Finding, Outcome};
use crate::model::window::{Window, WindowKind};

/// The form in which this version writes entries. It reads none that is newer.
pub const FORMAT: u32 = 1;

/// An entry, and what the ledger knows of when and by whom it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// From 1, without gaps.
    pub number: u64,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// The run that wrote it.
    pub run: String,
    /// When, by the real clock: milliseconds, UTC.
    pub at: i64,
    /// What it says.
    pub entry: Entry,
}

/// What an entry says. As JSON it is an object of one key, the kind: `{"settled": {"sink": "clazar", "window": "2025-06"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// The pipeline's first entry.
    Opened {
        /// The form in which the pipeline's entries are written: [`FORMAT`].
        format: u32,
        /// How long its windows are.
        window: WindowKind,
        /// Its first window, as its `start` said when the ledger was new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<Window>,
        /// Its sinks.
        sinks: Vec<String>,
        /// Its aggregates.
        aggregates: Vec<String>,
        /// What time it was for the pipeline: milliseconds, UTC. What is owed for windows that were over by then, a ledger that is not
        /// here any more may have sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        now: Option<i64>,
        /// The version of the host.
        host: String,
    },
    /// The intent of a run: what it is about to do, and with what.
    Run {
        /// What time it was for the pipeline: milliseconds, UTC.
        now: i64,
        /// SHA-256 of the configuration.
        config: String,
        /// What was run.
        plugins: Vec<PluginDigest>,
        /// The windows that it takes up, ascending, for each of its sinks.
        windows: Vec<Window>,
        /// Its sinks.
        sinks: Vec<String>,
    },
    /// What a window's charges are computed from. Replaces what was there for the window before.
    Inputs {
        /// The window.
        window: Window,
        /// By key.
        inputs: Vec<InputSeen>,
    },
    /// What a window was made of when somebody first looked, of which another exporter billed something. Never replaced.
    Watched {
        /// The window.
        window: Window,
        /// By key.
        inputs: Vec<InputSeen>,
    },
    /// What is kept back of a window for one sink. Replaces what was there before.
    Reading {
        /// The sink.
        sink: String,
        /// The window.
        window: Window,
        /// What is kept back, and why.
        holds: Vec<Hold>,
        /// The would-be charges that this keeps back, and frozen ones that usage differs from by now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<Kept>,
        /// Late usage of frozen charges that a later window is to take.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        late: Vec<Late>,
        /// Until when the sink accepts the first of the charges that come to zero, where they are to be sent before that: milliseconds,
        /// UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zeros_until: Option<i64>,
        /// Where its items went, by name.
        items: Vec<(String, u64)>,
    },
    /// A charge, as it is and will be.
    Freeze {
        /// Its id, which follows from its key.
        id: ChargeId,
        /// What it says.
        charge: Box<Proposal>,
    },
    /// The ids of records that went into charges which are frozen in the same step: a segment beside the ledger holds them. From here on
    /// they are billed, and a record under one of them in another window is not billed again.
    Ids {
        /// The window that the records lie in.
        window: Window,
        /// The segment's name.
        segment: String,
        /// How many it holds.
        ids: u64,
        /// SHA-256 of its index, which holds those of all else in it.
        sha256: Hash,
        /// What they are hashed with: the same in all segments of a pipeline.
        key: IdKey,
    },
    /// From here on a queue's records are claimed under this token. Written before the first of them.
    Claiming {
        /// The token: nobody else has it.
        token: String,
    },
    /// Records of a queue that went into charges which are frozen in the same step, or into none. From here on they are no usage any more.
    Taken {
        /// A window that some of them lie in.
        window: Window,
        /// The segment that holds what stands for them, as of `ids`.
        segment: String,
        /// How many it holds.
        records: u64,
        /// SHA-256 of its index.
        sha256: Hash,
        /// What they are hashed with: the same in all of a pipeline.
        key: IdKey,
        /// Their names, by group.
        names: Blob,
        /// Those that went into the same charges.
        groups: Vec<Group>,
        /// Of records that people decided about: the sinks, windows and would-be charges that their words were of. They are at their end by
        /// that.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        decided: Vec<(String, Window, ChargeId)>,
    },
    /// One segment holds from here on what those of several takings held.
    Merged {
        /// A window that some of their records lie in.
        window: Window,
        /// The segment.
        segment: String,
        /// How many records it holds: as many as those did together.
        records: u64,
        /// SHA-256 of its index.
        sha256: Hash,
        /// The positions of the takings: from the first, and up to before the second.
        takings: (u64, u64),
    },
    /// A charge that was surely refused, made anew from what is pending now. What it was before can never be sent again.
    Revise {
        /// Its id, as before.
        id: ChargeId,
        /// What it says from here on.
        charge: Box<Proposal>,
    },
    /// Records of a charge that was surely refused are usage again, in other charges: it is never offered again as it is, and once all of
    /// its records are, nothing is owed of it.
    Withdrawn {
        /// The charge.
        charge: ChargeId,
        /// How many of its records.
        records: u64,
    },
    /// A charge was made anew without some of its records, which stay refused.
    Left {
        /// The charge.
        charge: ChargeId,
        /// How many records stay refused now, of all times that it was made.
        records: u64,
    },
    /// A queue was told what became of records.
    Told {
        /// The position of their taking, from 0.
        taking: u64,
        /// The positions of their groups, and what was told.
        groups: Vec<(u32, Told)>,
    },
    /// The charges of windows for a sink that publishes sets, as they are from here on.
    Charged {
        /// The sink.
        sink: String,
        /// Where they are, window by window. Replaces what was there for these windows before.
        parts: Parts,
    },
    /// A set is about to be published: from here on its first byte may leave.
    Publishing {
        /// The sink.
        sink: String,
        /// What it is.
        set: Intent,
    },
    /// A set is written, and about to be shown to readers.
    Written {
        /// The sink.
        sink: String,
        /// The period.
        period: Window,
        /// The plugin's name for it.
        id: String,
        /// What was written.
        receipt: Receipt,
    },
    /// Readers are shown a set.
    Published {
        /// The sink.
        sink: String,
        /// The period.
        period: Window,
        /// The plugin's name for it.
        id: String,
    },
    /// A person said what readers are shown of a period: until that is released, nothing else is published.
    Pinned {
        /// The sink.
        sink: String,
        /// The period.
        period: Window,
        /// The set.
        id: String,
        /// Why.
        reason: String,
        /// Who, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A period is published again as its charges are.
    Released {
        /// The sink.
        sink: String,
        /// The period.
        period: Window,
        /// Who said so, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Sets that readers are not shown are about to be deleted.
    Removed {
        /// The sink.
        sink: String,
        /// The period.
        period: Window,
        /// The plugin's names for them.
        ids: Vec<String>,
        /// Who said so, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A call that is about to leave.
    Attempt {
        /// From 1, in the order of their beginning.
        attempt: u64,
        /// The sink.
        sink: String,
        /// What it offers.
        charges: Vec<ChargeId>,
        /// The longest that it may take, in milliseconds.
        deadline: u64,
        /// The AWS region of the service, where it is one of AWS's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// What came of a call.
    Outcomes {
        /// Which call.
        attempt: u64,
        /// Whether surely nothing left: then it was no attempt.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsent: bool,
        /// A charge of the call that none of them names is unknown.
        outcomes: Vec<Outcome>,
    },
    /// What the service's books said.
    LookedUp {
        /// The sink.
        sink: String,
        /// By charge.
        findings: Vec<(ChargeId, Finding)>,
    },
    /// What another exporter had billed before, as its state document said.
    Imported(Box<Import>),
    /// Charges that another exporter billed: final, and how much was billed nobody knows.
    TakenOver {
        /// Which.
        charges: Vec<ChargeId>,
    },
    /// Charges that may have been offered before this ledger was there.
    Doubted {
        /// Which.
        charges: Vec<ChargeId>,
        /// Why, in words for a person.
        reason: String,
        /// The longest that a call with them may take, in milliseconds.
        deadline: u64,
    },
    /// The state document is about to be written.
    Mirrored {
        /// A fingerprint of the pipeline's entry in it; nothing where there is none yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// The same, afterwards.
        after: String,
    },
    /// What a person says became of a charge of which nothing clear is known.
    Resolved {
        /// Which.
        charge: ChargeId,
        /// What became of it.
        verdict: Verdict,
        /// Its quantity, as it was shown to that person.
        quantity: Decimal,
        /// How they know.
        reason: String,
        /// Who, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// What a person says of something that is kept back. It is about that alone: what comes to something else later is kept back again.
    Decided {
        /// The sink.
        sink: String,
        /// The window.
        window: Window,
        /// What is to become of it.
        decision: Decision,
        /// The would-be charges that it is about.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        charges: Vec<Kept>,
        /// The holds that it answers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<Hold>,
        /// Why.
        reason: String,
        /// Who, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A window is to be computed once more from all of its usage, however long it has been settled.
    Reopened {
        /// The sinks.
        sinks: Vec<String>,
        /// The window.
        window: Window,
        /// Why.
        reason: String,
        /// Who, as the system calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A customer was billed for a window before it was over, and for good: what is found of it later is held.
    Final {
        /// The sink.
        sink: String,
        /// The window.
        window: Window,
        /// As the sink knows them.
        customer: String,
        /// Usage before this instant was billed: milliseconds, UTC.
        until: i64,
    },
    /// This run took the ledger over from one that was not heard of any more. What that one had under way may leave yet.
    Superseded {
        /// That run, in words for a person.
        holder: String,
    },
    /// A person took the ledger for what it is, though it did not end where its head said: entries behind this place may be lost, and
    /// with them charges that were billed. What is not final, and what is frozen from here on in windows that were over by then, may be
    /// billed already: a look-up, a replay or a person says so, before it is sent from here.
    Restored {
        /// What the head said; nothing where there was none that could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<Head>,
    },
    /// Something has another name from here on; charges that are frozen keep their ids. Where it is the pipeline, this entry is the first
    /// one under the new name, and all that stands under the old one before belongs to it. An old name is not free again: it stands in
    /// the ids of charges.
    Renamed {
        /// What.
        what: Named,
        /// Its name before.
        from: String,
        /// Its name from here on.
        to: String,
    },
    /// A sink is gone for good, and others that come in its place are other services.
    Retired {
        /// The sink.
        sink: String,
        /// The others.
        others: Vec<String>,
        /// With which window they begin.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<Window>,
    },
    /// All charges of a window are final for a sink, and nothing is held.
    Settled {
        /// The sink.
        sink: String,
        /// The window.
        window: Window,
    },
}

/// What a person says became of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The service has it, with this quantity.
    Billed,
    /// The service does not have it, and no call that left can still bring it there.
    NotBilled,
    /// It is not to be billed any more, whether it was or not.
    Waived,
    /// The service refused it, and is to be offered the identical charge once more.
    Again,
}

impl Verdict {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Billed => "billed",
            Verdict::NotBilled => "not-billed",
            Verdict::Waived => "waived",
            Verdict::Again => "again",
        }
    }
}

/// What a person says is to become of something that is kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is right as it stands: it is billed in spite of the doubt.
    Release,
    /// It is billed already, by other means than this pipeline.
    Billed,
    /// It is not to be billed.
    Waive,
}

impl Decision {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Release => "release",
            Decision::Billed => "billed",
            Decision::Waive => "waive",
        }
    }

    /// As something that was done.
    pub fn past(self) -> &'static str {
        match self {
            Decision::Release => "released",
            Decision::Billed => "said to be billed",
            Decision::Waive => "waived",
        }
    }
}

/// What another exporter had billed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Where its state document lies.
    pub document: String,
    /// The sink whose charges it speaks of.
    pub sink: String,
    /// A fingerprint of the pipeline's entry in it; nothing where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Whether it is another document than the one that the pipeline keeps up to date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aside: bool,
    /// The last closed window; those before it are closed too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Window>,
    /// Customers of later windows to whom something was billed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub billed: Vec<(Window, Vec<String>)>,
    /// Customers to whom something may have been billed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<(Window, Vec<String>)>,
    /// Customers of closed windows who were given up unbilled, unless a person took that over knowingly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<(Window, Vec<String>)>,
    /// How the inputs of these windows stood: what is not as it was then was not billed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<(Window, Vec<InputSeen>)>,
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// The pipeline itself.
    Pipeline,
    /// A sink of it.
    Sink,
    /// An aggregate of it.
    Aggregate,
}

impl Named {
    /// As a person says it.
    pub fn word(self) -> &'static str {
        match self {
            Named::Pipeline => "pipeline",
            Named::Sink => "sink",
            Named::Aggregate => "aggregate",
        }
    }
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginDigest {
    /// Its section in the file.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// SHA-256 of what the file says of it, as far as that tells it from others: its settings, and what it reads, takes or signs in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// SHA-256 of all that the file says of what it computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

/// An input, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSeen {
    /// Its name.
    pub key: String,
    /// Its version.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// Items in it; none while it was not read.
    pub items: u64,
}

impl InputSeen {
    /// Whether it is the same version of the same input.
    pub fn is_as(&self, other: &InputSeen) -> bool {
        (&self.key, &self.etag, self.size) == (&other.key, &other.etag, other.size)
    }
}

impl Entry {
    /// The words under which entries are stored.
    pub(super) const KINDS: [&'static str; 37] = [
        "opened",
        "run",
        "inputs",
        "watched",
        "reading",
        "freeze",
        "ids",
        "claiming",
        "taken",
        "merged",
        "revise",
        "withdrawn",
        "left",
        "told",
        "charged",
        "publishing",
        "written",
        "published",
        "pinned",
        "released",
        "removed",
        "attempt",
        "outcomes",
        "looked-up",
        "imported",
        "taken-over",
        "doubted",
        "mirrored",
        "resolved",
        "decided",
        "reopened",
        "final",
        "superseded",
        "restored",
        "renamed",
        "retired",
        "settled",
    ];

    /// That a charge is frozen.
    pub fn freeze(charge: Proposal) -> Self {
        Entry::Freeze { id: charge.key.id(), charge: Box::new(charge) }
    }

    /// That charges may have been offered before; nothing if there are none.
    pub fn doubted(charges: Vec<ChargeId>, reason: &str, deadline: Duration) -> Option<Self> {
        let deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        (!charges.is_empty()).then(|| Entry::Doubted { charges, reason: reason.to_owned(), deadline })
    }

    /// The word under which it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Entry::Opened { .. } => "opened",
            Entry::Run { .. } => "run",
            Entry::Inputs { .. } => "inputs",
            Entry::Watched { .. } => "watched",
            Entry::Reading { .. } => "reading",
            Entry::Freeze { .. } => "freeze",
            Entry::Ids { .. } => "ids",
            Entry::Claiming { .. } => "claiming",
            Entry::Taken { .. } => "taken",
            Entry::Merged { .. } => "merged",
            Entry::Revise { .. } => "revise",
            Entry::Withdrawn { .. } => "withdrawn",
            Entry::Left { .. } => "left",
            Entry::Told { .. } => "told",
            Entry::Charged { .. } => "charged",
            Entry::Publishing { .. } => "publishing",
            Entry::Written { .. } => "written",
            Entry::Published { .. } => "published",
            Entry::Pinned { .. } => "pinned",
            Entry::Released { .. } => "released",
            Entry::Removed { .. } => "removed",
            Entry::Attempt { .. } => "attempt",
            Entry::Outcomes { .. } => "outcomes",
            Entry::LookedUp { .. } => "looked-up",
            Entry::Imported(_) => "imported",
            Entry::TakenOver { .. } => "taken-over",
            Entry::Doubted { .. } => "doubted",
            Entry::Mirrored { .. } => "mirrored",
            Entry::Resolved { .. } => "resolved",
            Entry::Decided { .. } => "decided",
            Entry::Reopened { .. } => "reopened",
            Entry::Final { .. } => "final",
            Entry::Superseded { .. } => "superseded",
            Entry::Restored { .. } => "restored",
            Entry::Renamed { .. } => "renamed",
            Entry::Retired { .. } => "retired",
            Entry::Settled { .. } => "settled",
        }
    }
}

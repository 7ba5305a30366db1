//! How a charge stands. What leads from one standing to another is in `charge`.

/// What is said of a charge that was taken over.
pub const TAKEN_OVER: &str = "billed by the exporter before, and how much of it nobody here knows";

/// What has become of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// To be offered: never was, or surely came to nothing.
    Pending {
        /// Why the last offer came to nothing, if there was one.
        reason: Option<String>,
    },
    /// A call with it left, or may have, and nothing was written down after that.
    InFlight {
        /// The call.
        attempt: u64,
    },
    /// A call got no clear answer.
    Unknown {
        /// What is known of it.
        reason: String,
        /// The refusal that it takes if a look-up shows it absent.
        refusal_if_absent: Option<String>,
        /// Whether offering it again makes sense after that refusal.
        retryable: bool,
    },
    /// The service says that it has a record, on the first attempt: somebody's, perhaps ours.
    Unconfirmed {
        /// The service's words.
        reason: String,
    },
    /// The service refused it.
    Rejected {
        /// The service's words.
        reason: String,
        /// Whether offering it again, in a later run, makes sense.
        retryable: bool,
    },
    /// There is a record in its place with another quantity. A person has to look.
    Held {
        /// What was found.
        reason: String,
    },
    /// Recorded by the service.
    Accepted {
        /// The service's own name for the record.
        reference: Option<String>,
        /// The run in which it became so.
        run: String,
    },
    /// Billed by another exporter, before this ledger was there. How much it billed, nobody knows.
    TakenOver,
    /// A person said that it is billed: no answer, and no look-up, ever did.
    ByHand {
        /// How they know.
        reason: String,
        /// Who, where that is known.
        by: Option<String>,
    },
    /// A person said that it is not to be billed any more.
    Waived {
        /// Why.
        reason: String,
        /// Who, where that is known.
        by: Option<String>,
    },
    /// Nothing is sent of it: it comes to zero, and what is left over is billed later.
    Nothing,
}

/// `a person`, `a person (kim)`.
pub(super) fn person(by: Option<&str>) -> String {
    by.map_or_else(|| "a person".to_owned(), |by| format!("a person ({by})"))
}

/// What is said of a charge whose answer is not in the ledger.
const UNANSWERED: &str = "a call with it left, and its answer was not written down";

impl Standing {
    /// Whether nothing more will happen to the charge.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Standing::Accepted { .. }
                | Standing::TakenOver
                | Standing::ByHand { .. }
                | Standing::Waived { .. }
                | Standing::Nothing
        )
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Pending { .. } => "pending",
            Standing::InFlight { .. } | Standing::Unknown { .. } => "unknown",
            Standing::Unconfirmed { .. } => "unconfirmed",
            Standing::Rejected { .. } => "rejected",
            Standing::Held { .. } => "held",
            Standing::Accepted { .. } => "accepted",
            Standing::TakenOver => "taken over",
            Standing::ByHand { .. } => "by hand",
            Standing::Waived { .. } => "waived",
            Standing::Nothing => "nothing",
        }
    }

    /// Why it is so, where there is more to say.
    pub fn reason(&self) -> Option<String> {
        match self {
            Standing::Pending { reason } => reason.clone(),
            Standing::InFlight { .. } => Some(UNANSWERED.to_owned()),
            Standing::Unknown { reason, .. }
            | Standing::Unconfirmed { reason }
            | Standing::Rejected { reason, .. }
            | Standing::Held { reason } => Some(reason.clone()),
            Standing::Accepted { .. } => None,
            Standing::Nothing => Some("it comes to zero; what is left over is billed later".to_owned()),
            Standing::Waived { reason, by } => Some(format!("waived by {}: {reason}", person(by.as_deref()))),
            Standing::TakenOver => Some(TAKEN_OVER.to_owned()),
            Standing::ByHand { reason, by } => Some(format!("billed, as said by {}: {reason}", person(by.as_deref()))),
        }
    }

    /// The service's own name for the record.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Standing::Accepted { reference, .. } => reference.as_deref(),
            _ => None,
        }
    }
}

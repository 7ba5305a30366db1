//! Why an entry cannot follow those before it. There is no way to such a history but a damaged ledger or an error in the host.

use crate::model::charge::ChargeId;
use crate::model::window::Window;

/// Why an entry cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// It is not in the form that its kind has.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Entries are missing before it.
    #[error("it is missing")]
    Missing,
    /// Its hash does not follow from what it says and from the entry before.
    #[error("it, or what stands before it, is not what was written")]
    Changed,
    /// The first entry of a pipeline comes once.
    #[error("it opens the ledger of the pipeline once more")]
    OpenedTwice,
    /// There is no first entry.
    #[error("it comes before the entry that opens the ledger of its pipeline")]
    NotOpened,
    /// It speaks of a charge that is not there.
    #[error("it speaks of the charge {0}, which was never frozen")]
    NoCharge(ChargeId),
    /// It speaks of a window that no run took up.
    #[error("it speaks of {1} for the sink `{0}`, which no run took up")]
    NoWindow(String, Window),
    /// It freezes what was frozen before.
    #[error("it freezes the charge {0} once more")]
    FrozenTwice(ChargeId),
    /// The id does not follow from the key.
    #[error("the charge {0} is not named by what it says")]
    WrongId(ChargeId),
    /// A charge that no pipeline of this name and window can owe.
    #[error("the charge {0} cannot be one of this pipeline: {1}")]
    Impossible(ChargeId, &'static str),
    /// Calls are numbered without a gap.
    #[error("it begins the call {found}, where {expected} is next")]
    WrongAttempt {
        /// The number that it has.
        found: u64,
        /// The number that it should have.
        expected: u64,
    },
    /// It answers a call that is not there, or was answered already.
    #[error("it answers the call {0}, which is not under way")]
    NoAttempt(u64),
    /// It answers for a charge that the call did not offer, or twice for one.
    #[error("it answers for the charge {0}, which the call did not offer, or more than once")]
    NotAsked(ChargeId),
    /// It sends a charge to a sink that it is not for.
    #[error("it names the charge {0} for the sink `{1}`, which it is not for")]
    OtherSink(ChargeId, String),
    /// It sends what must not be sent as things stand.
    #[error("it sends the charge {0}, which is under way, held, unconfirmed or refused for good")]
    NotToBeSent(ChargeId),
    /// It looks up what is under way.
    #[error("it looks up the charge {0}, which is under way")]
    UnderWay(ChargeId),
    /// It would send or change what is final.
    #[error("it changes the charge {0}, which is final")]
    Final(ChargeId),
    /// It says of a charge what can be said of a new one only.
    #[error("it says of the charge {0} what can be said of a new one only")]
    NotNew(ChargeId),
    /// It says what became of a charge of which that is known.
    #[error("it says what became of the charge {0}, of which that is known")]
    Resolved(ChargeId),
    /// It says what became of another quantity than the charge's.
    #[error("it says what became of the charge {0} with another quantity than it has")]
    OtherQuantity(ChargeId),
    /// It speaks of something by a name that nothing has.
    #[error("it speaks of the {0} `{1}`, which the ledger does not know")]
    NoName(&'static str, String),
    /// It gives something a name that another has.
    #[error("it gives a {0} the name `{1}`, which another has")]
    NameTaken(&'static str, String),
    /// Its ids were hashed with another key than those before.
    #[error("its segment of ids {0} was made with another key than those before it")]
    OtherKey(String),
    /// It speaks of records of a queue that no entry took.
    #[error("it speaks of records of the taking {0}, which is not there")]
    NoTaking(u64),
    /// It says where charges are in a way that leads nowhere.
    #[error("it does not say where the charges are that it speaks of")]
    NoPart,
    /// It begins a set under an id that another had.
    #[error("it publishes under the id {0}, which another set had")]
    PublishedTwice(String),
    /// It speaks of a set that was never begun.
    #[error("it speaks of the set {0}, which was never begun")]
    NoPublication(String),
    /// It deletes what readers are shown.
    #[error("it deletes the set {0}, which readers are shown")]
    Current(String),
    /// It makes a charge anew that was not surely refused.
    #[error("it makes the charge {0} anew, which was not surely refused")]
    NotRefused(ChargeId),
    /// It settles what is open.
    #[error("it settles {1} for the sink `{0}`, which is not final")]
    NotFinal(String, Window),
}

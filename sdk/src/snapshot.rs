//! Sinks that publish the complete set of a period's charges.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::imports::{about::Kind, types};
use crate::bindings::snapshot::{Description, Guest as World, snapshot_sink as wit};
use crate::plugin::{config, describe, enter};
use crate::{ChargeBatch, Decimal, Error, Plugin, Window, WindowKind};

pub use wit::{Failure as PublishFailure, Found as FoundSet, Objection, Outline, PlaceTraits, Shown};

/// Publishes the complete set of a period's charges, replacing the one before. A period is a calendar month, UTC. Readers see the old set or
/// the new one, never a part.
pub trait SnapshotSink: Plugin {
    /// A publication under way.
    type Publication: Publication;

    /// What the place is like where sets are published. Asks nothing outside.
    fn traits(config: Self::Config, windows: WindowKind) -> Result<PlaceTraits, Error>;

    /// What of these charges cannot be published. Asks nothing outside.
    fn check(_config: Self::Config, _charges: &ChargeBatch) -> Result<Vec<Objection>, Error> {
        Ok(Vec::new())
    }

    /// Begins a set.
    fn begin(config: Self::Config, outline: Outline) -> Result<Self::Publication, Error>;

    /// What readers are shown for a period.
    fn current(config: Self::Config, period: Window) -> Result<Shown, Error>;

    /// What there is, of one period or of all, ascending by period and id.
    fn list(config: Self::Config, period: Option<Window>) -> Result<Vec<FoundSet>, Error>;

    /// Makes an older set current again.
    fn revert(config: Self::Config, period: Window, id: String) -> Result<FoundSet, Error>;

    /// Deletes a set that is not current.
    fn remove(config: Self::Config, period: Window, id: String) -> Result<(), Error>;
}

/// A publication under way. Dropped before `commit`, it changes nothing that readers see.
pub trait Publication: 'static {
    /// The set's id, unique for ever.
    fn id(&self) -> String;

    /// Sees the set before it is written, where the traits ask for that.
    fn survey(&mut self, _charges: &ChargeBatch) -> Result<(), PublishFailure> {
        Ok(())
    }

    /// Takes the next charges, in the order in which they come.
    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure>;

    /// Goes on with what [`PublishFailure::Later`] interrupted.
    fn resume(&mut self) -> Result<(), PublishFailure> {
        Ok(())
    }

    /// Ends the set, and verifies what was written. Readers are still shown the set before.
    fn finish(&mut self) -> Result<Written, PublishFailure>;

    /// Makes it current, whole. Comes after [`finish`](Self::finish).
    fn commit(&mut self) -> Result<(), PublishFailure>;
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Charges in it.
    pub rows: u64,
    /// Objects or requests that it took.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
    /// What the columns add up to that are amounts, by name.
    pub totals: Vec<(String, Decimal)>,
}

impl From<Error> for PublishFailure {
    fn from(error: Error) -> Self {
        PublishFailure::Failed(error)
    }
}

impl From<crate::objects::Error> for PublishFailure {
    fn from(error: crate::objects::Error) -> Self {
        PublishFailure::Failed(error.into())
    }
}

/// The component's side of a [`SnapshotSink`].
#[doc(hidden)]
pub struct SnapshotAdapter<P>(PhantomData<P>);

#[doc(hidden)]
pub struct PublicationAdapter<W>(RefCell<W>);

impl<P: SnapshotSink> World for SnapshotAdapter<P> {
    fn describe() -> Description {
        describe::<P>(Kind::SnapshotSink)
    }
}

impl<P: SnapshotSink> wit::Guest for SnapshotAdapter<P> {
    type Publication = PublicationAdapter<P::Publication>;

    fn traits(text: String, windows: WindowKind) -> Result<PlaceTraits, Error> {
        enter();
        P::traits(config::<P>(&text)?, windows)
    }

    fn check(text: String, charges: wit::Charges) -> Result<Vec<Objection>, Error> {
        enter();
        P::check(config::<P>(&text)?, &ChargeBatch::try_from(charges)?)
    }

    fn begin(text: String, outline: Outline) -> Result<wit::Publication, Error> {
        enter();
        let publication = P::begin(config::<P>(&text)?, outline)?;
        Ok(wit::Publication::new(PublicationAdapter(RefCell::new(publication))))
    }

    fn current(text: String, period: Window) -> Result<Shown, Error> {
        enter();
        P::current(config::<P>(&text)?, period)
    }

    fn list(text: String, period: Option<Window>) -> Result<Vec<FoundSet>, Error> {
        enter();
        P::list(config::<P>(&text)?, period)
    }

    fn revert(text: String, period: Window, id: String) -> Result<FoundSet, Error> {
        enter();
        P::revert(config::<P>(&text)?, period, id)
    }

    fn remove(text: String, period: Window, id: String) -> Result<(), Error> {
        enter();
        P::remove(config::<P>(&text)?, period, id)
    }
}

impl<W: Publication> wit::GuestPublication for PublicationAdapter<W> {
    fn id(&self) -> String {
        self.0.borrow().id()
    }

    fn survey(&self, charges: wit::Charges) -> Result<(), PublishFailure> {
        self.0.borrow_mut().survey(&ChargeBatch::try_from(charges)?)
    }

    fn write(&self, charges: wit::Charges) -> Result<(), PublishFailure> {
        self.0.borrow_mut().write(&ChargeBatch::try_from(charges)?)
    }

    fn resume(&self) -> Result<(), PublishFailure> {
        self.0.borrow_mut().resume()
    }

    fn finish(&self) -> Result<wit::Receipt, PublishFailure> {
        let Written { rows, files, bytes, totals } = self.0.borrow_mut().finish()?;
        let totals = totals.into_iter().map(|(name, total)| (name, types::Decimal::from(total))).collect();
        Ok(wit::Receipt { rows, files, bytes, totals })
    }

    fn commit(&self) -> Result<(), PublishFailure> {
        self.0.borrow_mut().commit()
    }
}

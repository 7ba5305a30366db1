//! Sinks that publish the complete set of a period's charges.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::imports::about::Kind;
use crate::bindings::snapshot::{Description, Guest as World, snapshot_sink as wit};
use crate::plugin::{config, describe, enter};
use crate::{Error, Plugin, Window};

pub use wit::{Charges as SnapshotCharges, Published};

/// Publishes the complete set of a period's charges, replacing the one before. Readers see the old set or the new one.
pub trait SnapshotSink: Plugin {
    /// A publication under way.
    type Publication: Publication;

    /// Begins the set of a period. `fingerprint` identifies its contents and is kept with it.
    fn begin(config: Self::Config, period: Window, fingerprint: String, now: i64) -> Result<Self::Publication, Error>;

    /// What readers are shown for a period.
    fn current(config: Self::Config, period: Window) -> Result<Option<Published>, Error>;

    /// What there is, of one period or of all, ascending by period and time.
    fn list(config: Self::Config, period: Option<Window>) -> Result<Vec<Published>, Error>;

    /// Makes an older set current again.
    fn revert(config: Self::Config, period: Window, id: String) -> Result<Published, Error>;

    /// Deletes a set that is not current.
    fn remove(config: Self::Config, period: Window, id: String) -> Result<(), Error>;
}

/// A publication under way. Dropped before `commit`, it changes nothing that readers see.
pub trait Publication: 'static {
    /// Takes some of the charges, in the order in which they come.
    fn write(&mut self, charges: SnapshotCharges) -> Result<(), Error>;

    /// Verifies what was written, then makes it current, whole.
    fn commit(&mut self) -> Result<Published, Error>;
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

    fn begin(text: String, period: Window, fingerprint: String, now: i64) -> Result<wit::Publication, Error> {
        enter();
        let publication = P::begin(config::<P>(&text)?, period, fingerprint, now)?;
        Ok(wit::Publication::new(PublicationAdapter(RefCell::new(publication))))
    }

    fn current(text: String, period: Window) -> Result<Option<Published>, Error> {
        enter();
        P::current(config::<P>(&text)?, period)
    }

    fn list(text: String, period: Option<Window>) -> Result<Vec<Published>, Error> {
        enter();
        P::list(config::<P>(&text)?, period)
    }

    fn revert(text: String, period: Window, id: String) -> Result<Published, Error> {
        enter();
        P::revert(config::<P>(&text)?, period, id)
    }

    fn remove(text: String, period: Window, id: String) -> Result<(), Error> {
        enter();
        P::remove(config::<P>(&text)?, period, id)
    }
}

impl<W: Publication> wit::GuestPublication for PublicationAdapter<W> {
    fn write(&self, charges: SnapshotCharges) -> Result<(), Error> {
        self.0.borrow_mut().write(charges)
    }

    fn commit(&self) -> Result<Published, Error> {
        self.0.borrow_mut().commit()
    }
}

//! The calls of a sink that publishes complete sets, in the host's own types.

use wasmtime::component::ResourceAny;

use super::bindings::snapshot::SnapshotSinkPlugin;
use super::error::{Cause, Failure};
use super::instance::{Instance, Settings};
use super::load::{Pre, Role};
use super::loaded::Plugin;
use super::v0_1;
use super::v0_1_sets as wire;
use crate::model::charged::ChargeColumns;
use crate::model::publish::{Found, Later, Outline, PlaceTraits, Shown, Written};
use crate::model::window::{Window, WindowKind};

/// A sink that publishes sets, at work.
pub struct PublisherInstance {
    instance: Instance<SnapshotSinkPlugin>,
    publication: Option<ResourceAny>,
}

/// A step of a publication: done, or to be tried again later.
pub type Step<T> = Result<Result<T, Later>, Failure>;

impl PublisherInstance {
    /// Makes an instance.
    ///
    /// # Errors
    /// The instance cannot start within its limits.
    pub fn start(plugin: &Plugin, settings: Settings) -> Result<Self, Failure> {
        let Pre::Snapshot(pre) = &plugin.loaded.pre else {
            return Err(super::calls::wrong_role(plugin, Role::SnapshotSink));
        };
        let instance = Instance::start(&plugin.engine, settings, async |store| pre.instantiate_async(store).await)?;
        Ok(PublisherInstance { instance, publication: None })
    }

    /// What the place is like.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn traits(&mut self, config: &str, windows: WindowKind) -> Result<PlaceTraits, Failure> {
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_traits(store, config, windows.into()).await
        })?;
        Ok(wire::place_traits(answer.map_err(Cause::from)?)?)
    }

    /// What of these charges cannot be published: positions, and why.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn check(&mut self, config: &str, charges: ChargeColumns) -> Result<Vec<(u32, String)>, Failure> {
        let charges = wire::to_charges(charges);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_check(store, config, &charges).await
        })?;
        Ok(answer.map_err(Cause::from)?.into_iter().map(|objection| (objection.row, objection.reason)).collect())
    }

    /// Begins a set; answers its id.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn begin(&mut self, config: &str, outline: &Outline) -> Result<String, Failure> {
        let outline = wire::to_outline(outline);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_begin(store, config, &outline).await
        })?;
        let publication = answer.map_err(Cause::from)?;
        self.publication = Some(publication);
        let id = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().publication().call_id(store, publication).await
        })?;
        Ok(wire::id(id)?)
    }

    fn under_way(&self) -> Result<ResourceAny, Failure> {
        self.publication.ok_or_else(|| Cause::Contract("it is asked before a set was begun".to_owned()).into())
    }

    /// Shows the set before it is written.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn survey(&mut self, charges: ChargeColumns) -> Step<()> {
        let (charges, publication) = (wire::to_charges(charges), self.under_way()?);
        let answer = self.instance.call(async |bindings, store| {
            let own = bindings.meterhost_plugin_snapshot_sink();
            own.publication().call_survey(store, publication, &charges).await
        })?;
        wire::step(answer)
    }

    /// Hands the next charges over.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn write(&mut self, charges: ChargeColumns) -> Step<()> {
        let (charges, publication) = (wire::to_charges(charges), self.under_way()?);
        let answer = self.instance.call(async |bindings, store| {
            let own = bindings.meterhost_plugin_snapshot_sink();
            own.publication().call_write(store, publication, &charges).await
        })?;
        wire::step(answer)
    }

    /// Goes on with what was to be tried again later.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn resume(&mut self) -> Step<()> {
        let publication = self.under_way()?;
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().publication().call_resume(store, publication).await
        })?;
        wire::step(answer)
    }

    /// Ends the set, and verifies what was written.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn finish(&mut self) -> Step<Written> {
        let publication = self.under_way()?;
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().publication().call_finish(store, publication).await
        })?;
        match wire::step(answer)? {
            Ok(receipt) => Ok(Ok(wire::written(receipt)?)),
            Err(later) => Ok(Err(later)),
        }
    }

    /// Makes it current.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn commit(&mut self) -> Step<()> {
        let publication = self.under_way()?;
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().publication().call_commit(store, publication).await
        })?;
        wire::step(answer)
    }

    /// What readers are shown for a period.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn current(&mut self, config: &str, period: &Window) -> Result<Shown, Failure> {
        let period = v0_1::window(period);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_current(store, config, period).await
        })?;
        Ok(wire::shown(answer.map_err(Cause::from)?)?)
    }

    /// What there is, of one period or of all.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn list(&mut self, config: &str, period: Option<&Window>) -> Result<Vec<Found>, Failure> {
        let period = period.map(v0_1::window);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_list(store, config, period).await
        })?;
        Ok(answer.map_err(Cause::from)?.into_iter().map(wire::found).collect::<Result<_, _>>()?)
    }

    /// Makes an older set current again.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn revert(&mut self, config: &str, period: &Window, id: &str) -> Result<Found, Failure> {
        let period = v0_1::window(period);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_revert(store, config, period, id).await
        })?;
        Ok(wire::found(answer.map_err(Cause::from)?)?)
    }

    /// Deletes a set that is not current.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn remove(&mut self, config: &str, period: &Window, id: &str) -> Result<(), Failure> {
        let period = v0_1::window(period);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_snapshot_sink().call_remove(store, config, period, id).await
        })?;
        Ok(answer.map_err(Cause::from)?)
    }
}

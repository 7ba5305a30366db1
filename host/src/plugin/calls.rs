//! The calls of each role, in the host's own types. They run on the calling thread, which is one of the guests' own.

use wasmtime::component::ResourceAny;

use super::bindings::{aggregator::AggregatorPlugin, sink::SinkPlugin, source::SourcePlugin};
use super::error::{Cause, Failure};
use super::instance::{Instance, Settings};
use super::load::{Pre, Role};
use super::loaded::Plugin;
use super::v0_1;
use crate::model::lines::{ChargeLine, Excluded};
use crate::model::outcome::{Finding, Outcome};
use crate::model::reading::{Input, Page, Receipt, Request, Settlement, Span, Unmarked};
use crate::model::service::{Failed, Offer, Opinion, ServiceTraits};
use crate::model::usage::Batch;
use crate::model::window::WindowKind;

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Failure { cause, words: None, causes: Vec::new() }
    }
}

pub(super) fn wrong_role(plugin: &Plugin, wanted: Role) -> Failure {
    Cause::Contract(format!("it is a {}, and is asked to be a {}", plugin.role().as_str(), wanted.as_str())).into()
}

fn empty(what: &str) -> Failure {
    Cause::Contract(format!("it answered an empty {what}, and the end is said in another way")).into()
}

/// A source at work.
pub struct SourceInstance(Instance<SourcePlugin>);

/// An opening under way. It belongs to the instance that opened it.
pub struct Cursor(ResourceAny);

/// A listing under way. It belongs to the instance that began it.
pub struct Listing(ResourceAny);

impl SourceInstance {
    /// Makes an instance.
    ///
    /// # Errors
    /// The instance cannot start within its limits.
    pub fn start(plugin: &Plugin, settings: Settings) -> Result<Self, Failure> {
        let Pre::Source(pre) = &plugin.loaded.pre else { return Err(wrong_role(plugin, Role::Source)) };
        Instance::start(&plugin.engine, settings, async |store| pre.instantiate_async(store).await).map(Self)
    }

    /// Says what of the configuration cannot work.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn check(&mut self, config: &str, windows: WindowKind) -> Result<(), Failure> {
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().call_check(store, config, windows.into()).await
        })?;
        Ok(answer.map_err(Cause::from)?)
    }

    /// Begins to read.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn open(&mut self, config: &str, request: &Request) -> Result<Cursor, Failure> {
        let request = v0_1::to_request(request);
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().call_open(store, config, &request).await
        })?;
        Ok(Cursor(answer.map_err(Cause::from)?))
    }

    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// See [`Failure`]. None of the opening's records may be used then.
    pub fn next(&mut self, cursor: &Cursor) -> Result<Option<Page>, Failure> {
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().cursor().call_next(store, cursor.0).await
        })?;
        let page = answer.map_err(Cause::from)?.map(v0_1::page).transpose()?;
        match page {
            // An endless row of them would be an endless loop that no limit ends.
            Some(page) if page.is_empty() => Err(empty("page")),
            page => Ok(page),
        }
    }

    /// Begins to list what `open` would read.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn inputs(&mut self, config: &str, request: &Request) -> Result<Listing, Failure> {
        let request = v0_1::to_request(request);
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().call_inputs(store, config, &request).await
        })?;
        Ok(Listing(answer.map_err(Cause::from)?))
    }

    /// The next inputs; `None` at the end.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn next_inputs(&mut self, listing: &Listing) -> Result<Option<Vec<Input>>, Failure> {
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().listing().call_next(store, listing.0).await
        })?;
        match answer.map_err(Cause::from)? {
            Some(inputs) if inputs.is_empty() => Err(empty("page of inputs")),
            Some(inputs) => Ok(Some(inputs.into_iter().map(v0_1::input).collect::<Result<_, _>>()?)),
            None => Ok(None),
        }
    }

    /// Up to which instant the data is complete: milliseconds, UTC.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn complete_until(&mut self, config: &str, now: i64) -> Result<Option<i64>, Failure> {
        let answer = self.0.call(async |bindings, store| {
            bindings.meterhost_plugin_source().call_complete_until(store, config, now).await
        })?;
        Ok(answer.map_err(Cause::from)?)
    }

    /// Tells a queue what became of records; answers which of them were not marked.
    ///
    /// # Errors
    /// See [`Failure`]. Some may be marked then.
    pub fn acknowledge(
        &mut self,
        config: &str,
        claim: &str,
        settlements: &[Settlement],
        receipts: &[Receipt],
    ) -> Result<Vec<Unmarked>, Failure> {
        let settlements: Vec<_> = settlements.iter().map(v0_1::to_settlement).collect();
        let receipts: Vec<_> = receipts.iter().map(v0_1::to_receipt).collect();
        let answer = self.0.call(async |bindings, store| {
            let source = bindings.meterhost_plugin_source();
            source.call_acknowledge(store, config, claim, &settlements, &receipts).await
        })?;
        Ok(answer.map_err(Cause::from)?.into_iter().map(v0_1::unmarked).collect())
    }

    /// Bytes of memory that the instance has.
    #[cfg(test)]
    pub(super) fn memory(&self) -> u64 {
        self.0.memory()
    }
}

/// An aggregator at work on one window.
pub struct AggregatorInstance {
    instance: Instance<AggregatorPlugin>,
    accumulator: ResourceAny,
}

impl AggregatorInstance {
    /// Says what of the configuration cannot work, in an instance of its own.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn check(plugin: &Plugin, settings: Settings, config: &str, windows: WindowKind) -> Result<(), Failure> {
        let Pre::Aggregator(pre) = &plugin.loaded.pre else { return Err(wrong_role(plugin, Role::Aggregator)) };
        let mut instance = Instance::start(&plugin.engine, settings, async |store| pre.instantiate_async(store).await)?;
        let answer = instance.call(async |bindings: &AggregatorPlugin, store| {
            bindings.meterhost_plugin_aggregator().call_check(store, config, windows.into()).await
        })?;
        Ok(answer.map_err(Cause::from)?)
    }

    /// Makes an instance and begins a window in it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn open(plugin: &Plugin, settings: Settings, config: &str, window: Span) -> Result<Self, Failure> {
        let Pre::Aggregator(pre) = &plugin.loaded.pre else { return Err(wrong_role(plugin, Role::Aggregator)) };
        let mut instance = Instance::start(&plugin.engine, settings, async |store| pre.instantiate_async(store).await)?;
        let answer = instance.call(async |bindings: &AggregatorPlugin, store| {
            bindings.meterhost_plugin_aggregator().call_open(store, config, window.into()).await
        })?;
        Ok(AggregatorInstance { instance, accumulator: answer.map_err(Cause::from)? })
    }

    /// Takes usage in.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn push(&mut self, batch: Batch) -> Result<(), Failure> {
        let (batch, accumulator) = (v0_1::to_batch(batch), self.accumulator);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_aggregator().accumulator().call_push(store, accumulator, &batch).await
        })?;
        Ok(answer.map_err(Cause::from)?)
    }

    /// Ends the input; answers what was left out.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn finish(&mut self) -> Result<Vec<Excluded>, Failure> {
        let accumulator = self.accumulator;
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_aggregator().accumulator().call_finish(store, accumulator).await
        })?;
        let excluded = answer.map_err(Cause::from)?.into_iter().map(v0_1::excluded).collect::<Result<_, _>>()?;
        Ok(excluded)
    }

    /// The next charge lines; `None` at the end.
    ///
    /// # Errors
    /// See [`Failure`].
    #[expect(clippy::should_implement_trait, reason = "it fails, and ends with an error as well as with nothing")]
    pub fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Failure> {
        let accumulator = self.accumulator;
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_aggregator().accumulator().call_next(store, accumulator).await
        })?;
        let Some(lines) = answer.map_err(Cause::from)? else { return Ok(None) };
        if lines.is_empty() {
            return Err(empty("page of charges"));
        }
        Ok(Some(lines.into_iter().map(v0_1::charge_line).collect::<Result<_, _>>()?))
    }
}

/// A sink at work.
pub struct SinkInstance {
    instance: Instance<SinkPlugin>,
    session: Option<ResourceAny>,
}

impl SinkInstance {
    /// Makes an instance.
    ///
    /// # Errors
    /// The instance cannot start within its limits.
    pub fn start(plugin: &Plugin, settings: Settings) -> Result<Self, Failure> {
        let Pre::Sink(pre) = &plugin.loaded.pre else { return Err(wrong_role(plugin, Role::Sink)) };
        let instance = Instance::start(&plugin.engine, settings, async |store| pre.instantiate_async(store).await)?;
        Ok(SinkInstance { instance, session: None })
    }

    /// What the service is like.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn traits(&mut self, config: &str) -> Result<ServiceTraits, Failure> {
        let answer = self
            .instance
            .call(async |bindings, store| bindings.meterhost_plugin_sink().call_traits(store, config).await)?;
        Ok(v0_1::service_traits(answer.map_err(Cause::from)?)?)
    }

    /// What the service would surely refuse.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn check(&mut self, config: &str, offers: &[Offer], now: i64) -> Result<Vec<Opinion>, Failure> {
        let charges = v0_1::to_charges(offers);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_sink().call_check(store, config, &charges, now).await
        })?;
        Ok(answer.map_err(Cause::from)?.into_iter().map(v0_1::opinion).collect())
    }

    /// Authenticates. The inner error is the service's.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn connect(&mut self, config: &str, now: i64) -> Result<Result<(), Failed>, Failure> {
        let answer = self
            .instance
            .call(async |bindings, store| bindings.meterhost_plugin_sink().call_connect(store, config, now).await)?;
        Ok(match answer {
            Ok(session) => {
                self.session = Some(session);
                Ok(())
            }
            Err(failure) => Err(failure.into()),
        })
    }

    fn session(&self) -> Result<ResourceAny, Failure> {
        self.session.ok_or_else(|| Cause::Contract("it is asked before it was connected".to_owned()).into())
    }

    /// Offers charges. The inner error is the service's.
    ///
    /// # Errors
    /// See [`Failure`]. What left is in the broker's record of the call.
    pub fn submit(&mut self, offers: &[Offer], now: i64) -> Result<Result<Vec<Outcome>, Failed>, Failure> {
        let (charges, session) = (v0_1::to_charges(offers), self.session()?);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_sink().session().call_submit(store, session, &charges, now).await
        })?;
        Ok(answer.map(|outcomes| outcomes.into_iter().filter_map(v0_1::outcome).collect()).map_err(Failed::from))
    }

    /// Looks charges up. The inner error is the service's.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn look_up(&mut self, offers: &[Offer]) -> Result<Result<Vec<(String, Finding)>, Failed>, Failure> {
        let (charges, session) = (v0_1::to_charges(offers), self.session()?);
        let answer = self.instance.call(async |bindings, store| {
            bindings.meterhost_plugin_sink().session().call_look_up(store, session, &charges).await
        })?;
        Ok(match answer {
            Ok(answers) => Ok(answers.into_iter().map(|answer| (answer.id, v0_1::finding(answer.finding))).collect()),
            Err(failure) => Err(failure.into()),
        })
    }
}

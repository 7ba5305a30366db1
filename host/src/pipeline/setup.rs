//! From a pipeline file to plugins that are loaded, checked and granted what the file says. Nothing outside is touched.

use std::sync::Arc;

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::identity::made;
use super::read::with_denials;
use super::unfit;
use crate::broker::{Broker, Grants, Rate, Session, advice};
use crate::config::{AggregateSpec, ConfigErrors, Pipeline, PluginSpec, SinkSpec, Zeros, check_against_schema};
use crate::ledger::Place;
use crate::model::publish::PlaceTraits;
use crate::model::service::{Resolution, ServiceTraits, Together, Zero};
use crate::plugin::{
    AggregatorInstance, Capability, Cause, Engine, Failure, Limits, LoadError, Plugin, PluginFolders,
    PublisherInstance, Role, Settings, SinkInstance, SourceInstance,
};
use crate::report::Problem;

/// A pipeline whose every plugin is ready to start.
pub struct Setup {
    /// What the file says.
    pub pipeline: Pipeline,
    /// Where usage comes from.
    pub source: Section,
    /// In the order of the file.
    pub aggregates: Vec<Section>,
    /// In the order of the file, as in `pipeline.sinks`.
    pub sinks: Vec<SinkSection>,
    /// Where its ledger is.
    pub place: Place,
    pub(super) broker: Broker,
}

/// One section of the file, and its plugin.
pub struct Section {
    /// The section as messages name it: `sink.clazar`.
    pub name: String,
    /// The plugin.
    pub plugin: Plugin,
    /// What it may reach.
    pub grants: Arc<Grants>,
    /// Its configuration as a JSON document.
    pub config: String,
    /// What it may use.
    pub limits: Limits,
}

/// A sink, and what it says of its service.
pub struct SinkSection {
    /// The section.
    pub section: Section,
    /// What the service is like.
    pub traits: ServiceTraits,
    /// What the place is like, of a sink that publishes complete sets.
    pub(super) place: Option<PlaceTraits>,
    /// How fast requests may leave.
    pub(super) rate: Option<Rate>,
    /// What becomes of a charge of zero.
    pub(super) zeros: Zeros,
}

/// What a sink's charges go by.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// What the service is like.
    pub(super) traits: &'a ServiceTraits,
    /// What becomes of a charge of zero.
    pub(super) zeros: Zeros,
}

impl SinkSection {
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms { traits: &self.traits, zeros: self.zeros }
    }
}

/// Why a pipeline cannot be set up.
#[derive(Debug)]
pub enum SetupError {
    /// The file is wrong.
    Configuration(ConfigErrors),
    /// A plugin is.
    Plugin(Vec<Problem>),
}

impl Section {
    /// What an instance of this section is started with.
    pub(super) fn settings(&self, session: Session, now: Timestamp) -> Settings {
        Settings { name: self.name.clone(), limits: self.limits, session, now: now.as_millisecond() }
    }

    /// A problem of this section's plugin.
    pub(super) fn problem(&self, step: &str, input: Option<String>, failure: &Failure) -> Problem {
        Problem {
            plugin: Some(self.label()),
            step: Some(step.to_owned()),
            input,
            action: action(&failure.cause, self.plugin.role()),
            causes: failure.causes.clone(),
            ..Problem::new(failure.cause.code(), failure.to_string())
        }
    }

    /// Section, plugin and version: `sink.clazar (clazar 0.1.0)`.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.plugin.label())
    }
}

fn action(cause: &Cause, role: Role) -> Option<String> {
    let text = match cause {
        Cause::Trapped(_) | Cause::Contract(_) if role == Role::SnapshotSink => {
            "report it to the plugin's author; nothing was published from this step, and a run with a mended plugin goes on"
        }
        Cause::Trapped(_) | Cause::Contract(_) => {
            "report it to the plugin's author; nothing was billed from this step, and a run \
                                                   with a mended plugin goes on"
        }
        Cause::Time(_) => "give it more computing time with `limits.time`, or mend the plugin",
        Cause::Wall(_) => "give it more time with `limits.wall`, or see why the other side is slow",
        Cause::Memory(_) => "give it more with `limits.memory`, or mend the plugin",
        Cause::Limit(_) => "mend the plugin",
        Cause::Config(_) => "mend its `config`",
        Cause::Denied(_) | Cause::Unavailable(_) | Cause::Other(_) => return None,
    };
    Some(text.to_owned())
}

impl Setup {
    /// Loads and checks everything that a pipeline names.
    ///
    /// # Errors
    /// All that is wrong in the file and with the plugins, as far as it can be found at once.
    pub fn new(
        mut pipeline: Pipeline,
        place: Place,
        engine: &Engine,
        broker: &Broker,
        folders: &PluginFolders,
    ) -> Result<Setup, SetupError> {
        let loader = Loader { pipeline: &pipeline, engine, broker, folders };
        let mut wrong = Wrong::default();
        let source = wrong.take(loader.section(&pipeline.source.plugin, &[Role::Source]));
        let aggregate = |spec: &AggregateSpec| loader.section(&spec.plugin, &[Role::Aggregator]);
        let aggregates: Vec<_> = pipeline.aggregates.iter().map(|spec| wrong.take(aggregate(spec))).collect();
        let sink = |spec: &SinkSpec| loader.section(&spec.plugin, &[Role::Sink, Role::SnapshotSink]);
        let sections: Vec<_> = pipeline.sinks.iter().map(|spec| wrong.take(sink(spec))).collect();
        let mut sinks = Vec::new();
        for (spec, section) in pipeline.sinks.iter().zip(sections) {
            let Some(section) = section else { continue };
            if section.plugin.role() == Role::SnapshotSink {
                let Some(mut set) = wrong.take(loader.place_traits(&spec.plugin, &section)) else { continue };
                set.deadline = place.longest_call().map_or(set.deadline, |most| set.deadline.min(most));
                unfit::for_sets(&pipeline, spec, &section, &set)
                    .into_iter()
                    .for_each(|errors| wrong.configuration(errors));
                let own = set.rate.map(|(requests, per, burst)| Rate { requests, per, burst });
                let zeros = spec.zero.unwrap_or(Zeros::Send);
                let traits = published(&set);
                sinks.push(SinkSection { section, traits, place: Some(set), rate: slower(spec, own), zeros });
                continue;
            }
            let Some(mut traits) = wrong.take(loader.traits(&spec.plugin, &section)) else { continue };
            // A call that outlasted the lease would leave what nobody holds any more.
            traits.deadline = place.longest_call().map_or(traits.deadline, |most| traits.deadline.min(most));
            if !traits.windows.is_empty() && !traits.windows.contains(&pipeline.window) {
                let kinds: Vec<_> = traits.windows.iter().map(|kind| format!("\"{kind}\"")).collect();
                wrong.configuration(ConfigErrors::at(
                    &pipeline.text,
                    pipeline.places.span("/window"),
                    format!("{} cannot bill windows of {}", section.label(), pipeline.one_window()),
                    Some(format!("it can with window = {}", kinds.join(" or "))),
                ));
            }
            let own = traits.rate.map(|(requests, per, burst)| Rate { requests, per, burst });
            let rate = slower(spec, own);
            if spec.zero == Some(Zeros::Send) && traits.zero == Zero::Refused {
                wrong.configuration(ConfigErrors::at(
                    &pipeline.text,
                    pipeline.places.span(&format!("{}/zero", spec.plugin.pointer)),
                    format!("the service of {} refuses a quantity of zero", section.label()),
                    Some("write zero = \"skip\", or leave the key out".to_owned()),
                ));
            }
            let zeros = spec.zero.unwrap_or(match traits.zero {
                Zero::Charge => Zeros::Send,
                Zero::Nothing | Zero::Refused | Zero::TakesSlot => Zeros::Skip,
            });
            sinks.push(SinkSection { section, traits, place: None, rate, zeros });
        }
        unfit::in_one_place(&pipeline, &sinks).into_iter().for_each(|errors| wrong.configuration(errors));
        let Some(source) = source else { return Err(wrong.into_error()) };
        if wrong.is_empty() && source.plugin.description().queue {
            unfit::for_queues(&pipeline, &source, &sinks).into_iter().for_each(|errors| wrong.configuration(errors));
        }
        if !wrong.is_empty() {
            return Err(wrong.into_error());
        }
        let aggregates = aggregates.into_iter().flatten().collect();
        for (spec, sink) in pipeline.sinks.iter_mut().zip(&sinks) {
            spec.publishes = sink.place.is_some();
        }
        let mut setup = Setup { source, aggregates, sinks, place, broker: broker.clone(), pipeline };
        let made: Vec<String> = setup.pipeline.sinks.iter().map(|spec| made(&setup, spec)).collect();
        for (spec, made) in setup.pipeline.sinks.iter_mut().zip(made) {
            spec.made = made;
        }
        Ok(setup)
    }

    /// Whether the source hands each record out until it is told what became of it.
    pub(super) fn is_queue(&self) -> bool {
        self.source.plugin.description().queue
    }

    /// The position of the aggregator that takes a dimension of the usage.
    pub(super) fn aggregate_of(&self, dimension: &str) -> Option<usize> {
        let found = self.pipeline.aggregate_of(dimension)?;
        self.pipeline.aggregates.iter().position(|spec| spec.plugin.name == found.plugin.name)
    }

    /// All sections, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        std::iter::once(&self.source).chain(&self.aggregates).chain(self.sinks.iter().map(|sink| &sink.section))
    }
}

/// How fast requests leave. What the file asks for may be slower than what the service allows, not faster.
fn slower(spec: &SinkSpec, own: Option<Rate>) -> Option<Rate> {
    let asked = spec.rate.map(|rate| Rate { requests: rate.calls.get(), per: rate.per, burst: rate.calls.get() });
    match (asked, own) {
        (Some(asked), Some(own)) if own.is_slower_than(&asked) => Some(own),
        (asked, own) => asked.or(own),
    }
}

/// What a sink that publishes sets is for the judging of charges: it takes any exact quantity, and a charge of zero like any other.
fn published(place: &PlaceTraits) -> ServiceTraits {
    let most = Decimal::new(10_i128.pow(38) - 1, 0).unwrap_or_default();
    ServiceTraits {
        charges_per_call: usize::MAX,
        bytes_per_call: u64::MAX,
        bytes_per_charge: 0,
        together: Together::default(),
        rate: place.rate,
        scale: 38,
        minimum: most.checked_neg().unwrap_or_default(),
        maximum: most,
        windows: place.windows.clone(),
        zero: Zero::Charge,
        resolution: Resolution::Replay,
        refuses_second: false,
        joins_tags: false,
        deadline: place.deadline,
    }
}

struct Loader<'a> {
    pipeline: &'a Pipeline,
    engine: &'a Engine,
    broker: &'a Broker,
    folders: &'a PluginFolders,
}

impl Loader<'_> {
    fn section(&self, spec: &PluginSpec, roles: &[Role]) -> Result<Section, SetupError> {
        let mut grants = Grants::parse(&spec.grant, &self.pipeline.base).map_err(|errors| {
            let mut all: Option<ConfigErrors> = None;
            for error in errors {
                let message = self.as_written(spec, &error.span, error.message);
                let found = ConfigErrors::at(&self.pipeline.text, error.span, message, Some(error.help));
                match &mut all {
                    Some(all) => all.merge(found),
                    None => all = Some(found),
                }
            }
            SetupError::Configuration(all.unwrap_or_else(|| self.wrong(spec, "its grants cannot be read".to_owned())))
        })?;
        let written = self.pipeline.places.get(&format!("{}/grant", spec.pointer));
        grants.inline = written.is_some_and(|written| self.pipeline.text.slice(&written.value).starts_with('{'));
        let plugin = self.folders.find(&spec.plugin).and_then(|path| {
            let plugin = Plugin::load(self.engine, &path, self.broker)?;
            plugin.expect(roles)?;
            Ok(plugin)
        });
        let plugin = plugin.map_err(|error| self.not_loaded(spec, &error))?;
        check_against_schema(self.pipeline, spec, &plugin.description().config_schema)
            .map_err(SetupError::Configuration)?;
        let section = Section {
            name: spec.section.clone(),
            config: spec.config.to_string(),
            grants: Arc::new(grants),
            limits: Limits::new(&spec.limits),
            plugin,
        };
        self.needs(spec, &section)?;
        self.checked(spec, &section)?;
        Ok(section)
    }

    /// A message with what stands in the file in the place of what the environment made of it: that may be a secret.
    fn as_written(&self, spec: &PluginSpec, span: &std::ops::Range<usize>, mut message: String) -> String {
        let written = self.pipeline.text.slice(span).trim_matches(['"', '\'']);
        if !written.contains("${") {
            return message;
        }
        let grant = &spec.grant;
        let places = [&grant.read, &grant.write, &grant.role, &grant.profile, &grant.region].into_iter().flatten();
        let resources = grant.aws.iter().flat_map(|action| &action.resources);
        let places = places.chain(resources).map(|place| &place.value);
        let origins = grant.http.iter().map(|http| &http.value.url);
        let bindings = grant.secrets.values().filter_map(|secret| secret.value.to.as_ref());
        for value in places.chain(origins).chain(bindings).filter(|value| !value.is_empty()) {
            message = message.replace(value.as_str(), written);
        }
        message
    }

    /// Asks the plugin whether its configuration can work. A sink says so with its traits.
    fn checked(&self, spec: &PluginSpec, section: &Section) -> Result<(), SetupError> {
        let session = self.broker.session(&section.name, section.grants.clone(), true);
        let settings = section.settings(session.clone(), Timestamp::UNIX_EPOCH);
        let windows = self.pipeline.window;
        let asked = match section.plugin.role() {
            Role::Source => SourceInstance::start(&section.plugin, settings)
                .and_then(|mut source| source.check(&section.config, windows)),
            Role::Aggregator => AggregatorInstance::check(&section.plugin, settings, &section.config, windows),
            Role::Sink | Role::SnapshotSink => Ok(()),
        };
        asked.map_err(|failure| self.unfit(spec, section, &session, "checking its configuration", &failure))
    }

    /// A configuration that cannot work, at its line; or what else came of the question.
    fn unfit(
        &self,
        spec: &PluginSpec,
        section: &Section,
        session: &Session,
        step: &str,
        failure: &Failure,
    ) -> SetupError {
        match &failure.cause {
            Cause::Config(text) => {
                let span = self.pipeline.places.span_of_setting(&format!("{}/config", spec.pointer), text);
                let text = text.replace(char::is_control, " ");
                let message = format!("{}: {text}", section.label());
                SetupError::Configuration(ConfigErrors::at(&self.pipeline.text, span, message, None))
            }
            _ => SetupError::Plugin(vec![with_denials(section.problem(step, None, failure), &session.denials())]),
        }
    }

    /// What the plugin cannot do without has to be granted.
    fn needs(&self, spec: &PluginSpec, section: &Section) -> Result<(), SetupError> {
        let grants = &section.grants;
        let mut all: Option<ConfigErrors> = None;
        for need in section.plugin.description().needs.iter().filter(|need| !need.optional) {
            let (granted, key, line) = match &need.capability {
                Capability::Read => (grants.reads(), "read".to_owned(), "read = \"file://./FOLDER\"".to_owned()),
                Capability::Write => (grants.writes(), "write".to_owned(), "write = \"file://./FOLDER\"".to_owned()),
                Capability::Http(what) => {
                    (grants.has_http(), format!("http ({what})"), "http = [\"https://HOST\"]".to_owned())
                }
                Capability::Secret(name) => (
                    grants.has_secret(name),
                    format!("the secret `{name}`"),
                    grants.secret_line(name).trim_start_matches("grant.").to_owned(),
                ),
                Capability::Aws(action) => (
                    grants.has_action(action),
                    format!("the AWS action {action}"),
                    grants.action_line(action).trim_start_matches("grant.").to_owned(),
                ),
                Capability::Other(what) => {
                    (false, what.clone(), "something that this version does not know".to_owned())
                }
            };
            if !granted {
                let message = format!("{} needs {key} granted, to {}", section.label(), need.purpose);
                let help = advice(&section.name, grants.inline, &format!("grant.{line}"));
                let found = ConfigErrors::at(&self.pipeline.text, spec.span.clone(), message, Some(help));
                match &mut all {
                    Some(all) => all.merge(found),
                    None => all = Some(found),
                }
            }
        }
        all.map_or(Ok(()), |all| Err(SetupError::Configuration(all)))
    }

    fn traits(&self, spec: &PluginSpec, section: &Section) -> Result<ServiceTraits, SetupError> {
        let session = self.broker.session(&section.name, section.grants.clone(), true);
        let asked = SinkInstance::start(&section.plugin, section.settings(session.clone(), Timestamp::UNIX_EPOCH))
            .and_then(|mut sink| sink.traits(&section.config));
        asked.map_err(|failure| self.unfit(spec, section, &session, "asking what its service is like", &failure))
    }

    fn place_traits(&self, spec: &PluginSpec, section: &Section) -> Result<PlaceTraits, SetupError> {
        let session = self.broker.session(&section.name, section.grants.clone(), true);
        let asked = PublisherInstance::start(&section.plugin, section.settings(session.clone(), Timestamp::UNIX_EPOCH))
            .and_then(|mut sink| sink.traits(&section.config, self.pipeline.window));
        asked.map_err(|failure| self.unfit(spec, section, &session, "asking what its place is like", &failure))
    }

    fn wrong(&self, spec: &PluginSpec, message: String) -> ConfigErrors {
        ConfigErrors::at(&self.pipeline.text, spec.span.clone(), message, None)
    }

    fn not_loaded(&self, spec: &PluginSpec, error: &LoadError) -> SetupError {
        if error.is_configuration() {
            let (text, help) = (&self.pipeline.text, error.help("the pipeline file's folder"));
            return SetupError::Configuration(ConfigErrors::at(text, spec.span.clone(), error.to_string(), help));
        }
        let file = self.folders.find(&spec.plugin).ok().map(|path| path.display().to_string());
        SetupError::Plugin(vec![Problem {
            plugin: Some(spec.section.clone()),
            step: Some("loading".to_owned()),
            input: file,
            causes: error.causes(),
            ..Problem::new("plugin-unusable", error.to_string())
        }])
    }
}

/// What is wrong so far.
#[derive(Default)]
struct Wrong {
    configuration: Option<ConfigErrors>,
    problems: Vec<Problem>,
}

impl Wrong {
    fn take<T>(&mut self, result: Result<T, SetupError>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(SetupError::Configuration(errors)) => self.configuration(errors),
            Err(SetupError::Plugin(problems)) => self.problems.extend(problems),
        }
        None
    }

    fn configuration(&mut self, errors: ConfigErrors) {
        match &mut self.configuration {
            Some(all) => all.merge(errors),
            None => self.configuration = Some(errors),
        }
    }

    fn is_empty(&self) -> bool {
        self.configuration.is_none() && self.problems.is_empty()
    }

    /// What is wrong in the file comes first: it may be why a plugin fails.
    fn into_error(self) -> SetupError {
        match self.configuration {
            Some(errors) => SetupError::Configuration(errors),
            None => SetupError::Plugin(self.problems),
        }
    }
}

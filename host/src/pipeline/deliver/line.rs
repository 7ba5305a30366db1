//! The way to a sink's service: an instance of the plugin, connected, and the broker's record of what it sends.

use std::time::Duration;

use jiff::Timestamp;

use crate::broker::{CallRecord, Denial, Gate, Session};
use crate::model::outcome::{Finding, Outcome};
use crate::model::service::{Failed, Offer};
use crate::pipeline::setup::{Setup, SinkSection};
use crate::plugin::{Failure, SinkInstance};
use crate::report::Problem;

/// What a delivery goes to.
pub(in crate::pipeline) trait Service {
    /// A line that is authenticated. Nothing leaves on it that the gate does not let pass.
    fn connect(&self, gate: Option<Gate>) -> Result<Box<dyn Line>, NotConnected>;
    /// A text without secrets.
    fn redacted(&self, text: &str) -> String;
    /// As messages name it.
    fn label(&self) -> String;
    /// What is told of the plugin where it failed.
    fn trouble(&self, step: &str, input: Option<String>, failure: &Failure) -> Problem;
}

/// A connected instance.
pub(in crate::pipeline) trait Line {
    /// Offers charges. The inner error is the service's.
    fn submit(&mut self, offers: &[Offer]) -> Result<Result<Vec<Outcome>, Failed>, Failure>;
    /// Asks the service's books. The inner error is the service's.
    fn look_up(&mut self, offers: &[Offer]) -> Result<Result<Vec<(String, Finding)>, Failed>, Failure>;
    /// What left during the last call.
    fn record(&self) -> CallRecord;
    /// How long the rate limit keeps the next call back.
    fn kept_back(&self) -> Duration;
    /// What the plugin asked for and is not granted.
    fn denials(&self) -> Vec<Denial>;
}

/// Why there is no line.
pub(in crate::pipeline) struct NotConnected {
    /// The service does not take the plugin in, or the plugin failed.
    pub(super) cause: Result<Failed, Failure>,
    /// Whether it was tried at all.
    pub(super) was_tried: bool,
    pub(super) denials: Vec<Denial>,
}

/// The service that a sink's plugin speaks with.
pub(in crate::pipeline) struct Plugged<'a> {
    pub(in crate::pipeline) setup: &'a Setup,
    pub(in crate::pipeline) sink: &'a SinkSection,
    pub(in crate::pipeline) now: Timestamp,
}

struct Connected {
    instance: SinkInstance,
    session: Session,
    now: i64,
}

impl Service for Plugged<'_> {
    fn connect(&self, gate: Option<Gate>) -> Result<Box<dyn Line>, NotConnected> {
        let section = &self.sink.section;
        let session = self.setup.broker.session(&section.name, section.grants.clone(), false);
        session.set_rate(self.sink.rate);
        session.set_gate(gate);
        // No longer than the ledger says that a call may still take effect, nor than its lease lasts.
        session.set_deadline(Some(self.sink.traits.deadline));
        session.begin_call();
        let failed = |cause| {
            let was_tried = session.call_record().tried > 0;
            NotConnected { cause, was_tried, denials: session.denials() }
        };
        let now = self.now.as_millisecond();
        let mut instance = SinkInstance::start(&section.plugin, section.settings(session.clone(), self.now))
            .map_err(|failure| failed(Err(failure)))?;
        match instance.connect(&section.config, now) {
            Ok(Ok(())) => Ok(Box::new(Connected { instance, session, now })),
            Ok(Err(refused)) => Err(failed(Ok(refused))),
            Err(failure) => Err(failed(Err(failure))),
        }
    }

    fn redacted(&self, text: &str) -> String {
        self.setup.broker.redactor().redact(text).into_owned()
    }

    fn label(&self) -> String {
        self.sink.section.label()
    }

    fn trouble(&self, step: &str, input: Option<String>, failure: &Failure) -> Problem {
        self.sink.section.problem(step, input, failure)
    }
}

impl Line for Connected {
    fn submit(&mut self, offers: &[Offer]) -> Result<Result<Vec<Outcome>, Failed>, Failure> {
        self.session.begin_call();
        self.instance.submit(offers, self.now)
    }

    fn look_up(&mut self, offers: &[Offer]) -> Result<Result<Vec<(String, Finding)>, Failed>, Failure> {
        self.session.begin_call();
        self.instance.look_up(offers)
    }

    fn record(&self) -> CallRecord {
        self.session.call_record()
    }

    fn kept_back(&self) -> Duration {
        self.session.kept_back()
    }

    fn denials(&self) -> Vec<Denial> {
        self.session.denials()
    }
}

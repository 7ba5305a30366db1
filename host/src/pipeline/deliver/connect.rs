//! An instance of the sink that is authenticated.

use std::time::Duration;

use super::{Delivery, Halt, Stopped, words};
use crate::broker::Session;
use crate::model::service::Failed;
use crate::pipeline::read::with_denials;
use crate::plugin::SinkInstance;

/// A connected instance.
pub(super) struct Line {
    pub(super) instance: SinkInstance,
    pub(super) session: Session,
}

impl Delivery<'_> {
    /// The connected instance; a new one, if there is none.
    pub(super) fn connected<'l>(&self, line: &'l mut Option<Line>) -> Result<&'l mut Line, Halt> {
        let connected = match line.take() {
            Some(line) => line,
            None => self.connect()?,
        };
        Ok(line.insert(connected))
    }

    fn connect(&self) -> Result<Line, Halt> {
        let section = &self.sink.section;
        let session = self.setup.broker.session(&section.name, section.grants.clone(), false);
        session.set_rate(self.sink.rate);
        session.set_gate(self.ledger().gate());
        session.set_deadline(self.setup.place.longest_call());
        session.begin_call();
        let step = "connecting";
        let failed = |failure| Stopped::Problem(with_denials(section.problem(step, None, &failure), &session));
        let mut instance =
            SinkInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(failed)?;
        let refused = match instance.connect(&section.config, self.now.as_millisecond()).map_err(failed)? {
            Ok(()) => return Ok(Line { instance, session }),
            Err(Failed::Auth(text)) => return Err(Stopped::Problem(self.refused(step, &text)).into()),
            Err(other) => other,
        };
        let mut problem = with_denials(self.problem("unavailable", step, &words(&refused)), &session);
        problem.action.get_or_insert_with(|| "nothing was sent; run again when the service answers".to_owned());
        let asked = match refused {
            Failed::Throttled(Some(asked)) => asked,
            _ => Duration::ZERO,
        };
        // What was not even tried (a secret that is not set) fails at the next try in the same way.
        match session.call_record().tried {
            0 => Err(Stopped::Problem(problem).into()),
            _ => Err(Halt::Unavailable(problem, asked)),
        }
    }
}

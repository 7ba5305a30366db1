//! How far the source says that its data is complete, and the windows that wait for it.
//!
//! What is billed of a window before its data is complete is all that is ever billed of it. So a window that ends after
//! that instant is not due yet, and where the source fails to say it, no window is.

use jiff::Timestamp;

use super::due::Due;
use super::options::Options;
use super::read::with_denials;
use super::setup::Setup;
use super::summary::Findings;
use crate::model::window::Window;
use crate::plugin::{Cause, SourceInstance};
use crate::report::{Incomplete, Problem};

/// How far the data is complete.
#[derive(Debug)]
pub(super) enum Complete {
    /// The source does not say: a window is complete once it is due.
    Unsaid,
    /// Up to this instant, and not including it.
    Until(Timestamp),
    /// The source should say, and does not: nobody knows. Nothing is due then.
    Unknown(Box<Problem>),
}

/// Asks the source of a pipeline up to which instant its data is complete; nothing if it does not say. What lies in the
/// future counts up to `now`.
///
/// # Errors
/// The source failed to answer.
pub fn complete_until(setup: &Setup, now: Timestamp, dry_run: bool) -> Result<Option<Timestamp>, Problem> {
    let section = &setup.source;
    let session = setup.broker.session(&section.name, section.grants.clone(), dry_run);
    let problem = |failure| {
        let mut problem = section.problem("asking how far the data is complete", None, &failure);
        problem.action.get_or_insert_with(|| {
            "mend what it reads there, or its `config`; until then no window is taken up, and what is frozen is delivered"
                .to_owned()
        });
        with_denials(problem, &session.denials())
    };
    let until = SourceInstance::start(&section.plugin, section.settings(session.clone(), now))
        .and_then(|mut source| source.complete_until(&section.config, now.as_millisecond()))
        .map_err(problem)?;
    let Some(until) = until else { return Ok(None) };
    match Timestamp::from_millisecond(until) {
        Ok(until) => Ok(Some(until.min(now))),
        Err(_) => Err(problem(Cause::Contract(format!("it answered {until} ms since 1970, which is no time")).into())),
    }
}

impl Complete {
    /// Asks the source, once in a run.
    pub(super) fn ask(setup: &Setup, options: &Options<'_>) -> Complete {
        match complete_until(setup, options.now, options.dry_run) {
            Ok(None) => Complete::Unsaid,
            Ok(Some(until)) => Complete::Until(until),
            Err(problem) => Complete::Unknown(Box::new(problem)),
        }
    }

    /// Whether a window's data is complete.
    pub(super) fn covers(&self, window: &Window) -> bool {
        match self {
            Complete::Unsaid => true,
            Complete::Until(until) => window.end() <= *until,
            Complete::Unknown(_) => false,
        }
    }

    /// Says which windows wait, and for what. `held` says of which something is held: they stay in sight.
    pub(super) fn report(
        &self,
        setup: &Setup,
        due: &Due,
        now: Timestamp,
        held: &dyn Fn(&Window) -> bool,
        findings: &mut Findings,
    ) {
        if due.incomplete.is_empty() && due.unchecked.is_empty() {
            return;
        }
        let until = match self {
            Complete::Unsaid => return,
            Complete::Until(until) => Some(*until),
            Complete::Unknown(problem) => {
                let mut problem = problem.clone();
                problem.input = listed(if due.incomplete.is_empty() { &due.unchecked } else { &due.incomplete });
                findings.problem(*problem);
                None
            }
        };
        let complete_by = setup.pipeline.source.complete_by;
        let overdue = |window: &Window| held(window) || window.end().checked_add(complete_by).is_ok_and(|by| by < now);
        findings.incomplete = due
            .incomplete
            .iter()
            .map(|window| Incomplete {
                window: window.label(),
                complete_until: until.map(|until| until.to_string()),
                overdue: overdue(window),
            })
            .collect();
        let Some(until) = until else { return };
        let (late, waiting): (Vec<Window>, Vec<Window>) = due.incomplete.iter().partition(|window| overdue(window));
        if let Some(windows) = listed(&waiting) {
            let (are, they) = if waiting.len() == 1 { ("is", "it is") } else { ("are", "they are") };
            findings.notes.push(format!(
                "{windows} {are} not complete yet: the data reaches to {until}; {they} {} once the source says more",
                setup.pipeline.done()
            ));
        }
        if let Some(windows) = listed(&late) {
            let verb = if late.len() == 1 { "is" } else { "are" };
            findings.problem(Problem {
                plugin: Some(setup.source.label()),
                step: Some("asking how far the data is complete".to_owned()),
                input: Some(windows.clone()),
                action: Some(format!(
                    "see why whoever writes the data is behind; it is {} by a run then. `complete_by` under [source] is how long \
                     after its end a window may be incomplete",
                    setup.pipeline.done()
                )),
                ..Problem::new("incomplete", format!("{windows} {verb} still not complete: the data reaches to {until}"))
            });
        }
        if let Some(windows) = listed(&due.unchecked) {
            findings
                .notes
                .push(format!("{windows}: settled, and not looked at again for now: the data reaches to {until} only"));
        }
    }
}

/// The labels of windows, ascending: of many, the first and the last.
fn listed(windows: &[Window]) -> Option<String> {
    match windows {
        [] => None,
        [one] => Some(one.label()),
        [one, other] => Some(format!("{} and {}", one.label(), other.label())),
        [first, .., last] => Some(format!("{} windows from {} to {}", windows.len(), first.label(), last.label())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::window::WindowKind;

    #[test]
    fn of_many_windows_the_first_and_the_last_are_named() {
        let window = |hour: u8| Window::parse(WindowKind::Hour, &format!("2025-06-01T{hour:02}")).unwrap();
        let hours: Vec<Window> = (0..5).map(window).collect();
        assert_eq!(listed(&[]), None);
        assert_eq!(listed(&hours[..1]).unwrap(), "2025-06-01T00");
        assert_eq!(listed(&hours[..2]).unwrap(), "2025-06-01T00 and 2025-06-01T01");
        assert_eq!(listed(&hours).unwrap(), "5 windows from 2025-06-01T00 to 2025-06-01T04");
    }

    #[test]
    fn a_window_is_covered_by_what_reaches_its_end() {
        let june = Window::parse(WindowKind::Month, "2025-06").unwrap();
        let until = |text: &str| Complete::Until(text.parse().unwrap());
        assert!(until("2025-07-01T00:00:00Z").covers(&june));
        assert!(!until("2025-06-30T23:59:59.999Z").covers(&june));
        assert!(Complete::Unsaid.covers(&june));
        assert!(!Complete::Unknown(Box::new(Problem::new("unavailable", "gone"))).covers(&june));
    }
}

//! Why windows of a month were never read, for which its publication waits, and what there is to do about that.

use std::collections::BTreeSet;

use super::complete::Complete;
use super::due::{Due, begins, owes};
use super::options::Options;
use super::works::Work;
use crate::config::Pipeline;
use crate::ledger::{State, period_of};
use crate::report::Problem;

/// What kept this run from reading windows of months.
pub(super) struct Waits {
    /// The months of which it took up windows, and could not read them: what was in the way is told before.
    failed: BTreeSet<String>,
    /// Whether it was asked for one window alone.
    is_one: bool,
    /// Whether `max_windows` held some back.
    is_limited: bool,
}

impl Waits {
    /// What this run took up, beside what came of it.
    pub(super) fn of(
        pipeline: &Pipeline,
        state: &State,
        options: &Options<'_>,
        (due, complete): (&Due, &Complete),
        works: &[Work],
    ) -> Waits {
        let read: BTreeSet<_> = works.iter().filter(|work| work.is_read).map(|work| (work.sink, work.window)).collect();
        let begins = begins(pipeline, state, options.now);
        let mut failed = BTreeSet::new();
        for (position, (sink, begins)) in pipeline.sinks.iter().zip(begins).enumerate() {
            let is_left = |window: &&_| {
                sink.publishes
                    && !read.contains(&(position, **window))
                    && owes(state, &sink.plugin.name, begins, window)
            };
            failed.extend(due.open.iter().filter(is_left).map(|window| period_of(window).label()));
        }
        // What the source should say of them, and does not, is a failure like any other.
        if matches!(complete, Complete::Unknown(_)) {
            failed.extend(due.incomplete.iter().map(|window| period_of(window).label()));
        }
        Waits { failed, is_one: options.window.is_some(), is_limited: due.waiting > 0 }
    }

    /// A problem; that of a month that waits with what there is to do.
    pub(super) fn told(&self, problem: Problem) -> Problem {
        if problem.code != "unread" {
            return problem;
        }
        let has_failed = problem.input.as_ref().is_some_and(|month| self.failed.contains(month));
        let then = match (has_failed, self.is_one, self.is_limited) {
            (true, true, _) => {
                "mend what kept this run from reading windows of it, told above, and run the pipeline without --window"
            }
            (true, false, _) => "mend what kept this run from reading windows of it, told above, and run again",
            (false, true, _) => "run the pipeline without --window",
            (false, false, true) => "max_windows holds windows back, and later runs take them up",
            (false, false, false) => "a run publishes it once they are read",
        };
        Problem { action: Some(format!("a set covers its month from the first instant: {then}")), ..problem }
    }
}

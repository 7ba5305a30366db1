//! What is to be done with a month of a sink that publishes sets.
//!
//! | | |
//! |---|---|
//! | nothing was ever published of it, and it has no charges | nothing |
//! | a window of it that is due was never read | it waits: a set covers its month from the first instant |
//! | a person said what readers are shown | that stays, until it is released |
//! | readers are shown a set of the same charges, made by the same configuration | nothing |
//! | anything else | it is published, all of it |

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::config::Pipeline;
use crate::ledger::{Hash, Period, SetPart, State, contents, names, period_of};
use crate::model::charged::instants;
use crate::model::publish::{Outline, Shown};
use crate::model::window::Window;
use crate::pipeline::complete::Complete;
use crate::report::PublicationState;

/// A month of a sink, and all that its set is made from.
pub(super) struct Month {
    pub(super) period: Window,
    /// The windows that were read, and where their charges are, ascending.
    pub(super) parts: Vec<(Window, SetPart)>,
    pub(super) rows: u64,
    /// Windows that are due and were never read.
    pub(super) unread: Vec<Window>,
    /// Whether it is over, and its data is complete; or it was published so before.
    pub(super) is_closed: bool,
    /// Whether that makes a difference.
    pub(super) closes: bool,
    /// Whether somebody wants it published, changed or not.
    pub(super) again: bool,
    pub(super) contents: Hash,
    pub(super) fingerprint: Hash,
}

/// What the set of a month follows from besides its charges.
pub(super) struct Made<'a> {
    pub(super) sink: &'a str,
    /// The plugin and its version.
    pub(super) plugin: &'a str,
    pub(super) config: &'a str,
    /// Whether a month that is over is published otherwise than one that is not.
    pub(super) closes: bool,
    /// The sink's first window.
    pub(super) begins: Option<Window>,
}

impl Month {
    pub(super) fn of(
        pipeline: &Pipeline,
        state: &State,
        (complete, now): (&Complete, Timestamp),
        made: &Made<'_>,
        period: Window,
    ) -> Month {
        let parts = state.sets().parts_of(made.sink, &period);
        let first = Window::containing(pipeline.window, period.start());
        let windows = || std::iter::successors(Some(first), Window::next).take_while(|it| it.start() < period.end());
        let is_expected = |window: &Window| pipeline.is_due(window, now) && complete.covers(window);
        let is_read = |window: &Window| parts.binary_search_by_key(window, |(window, _)| *window).is_ok();
        // What lies before a window that was read is due too, whatever the source says just now of how far its data is complete.
        let last_read = parts.last().map(|(window, _)| *window);
        let is_before = |window: &Window| last_read.is_some_and(|last| *window < last);
        // Of months before its first window a sink draws up nothing.
        let is_its_own = made.begins.is_some_and(|begins| begins.start() < period.end());
        let wanted = windows().take_while(|window| is_before(window) || is_its_own && is_expected(window));
        let unread = wanted.filter(|window| !is_read(window)).collect();
        // What is held of it, it is not kept open by: that waits for one customer, and what closes a month is everybody's.
        let is_over = windows().all(|window| is_expected(&window));
        // A month that was published as closed does not open again.
        let known = state.sets().period(made.sink, &period);
        let is_closed = is_over || known.is_some_and(|known| known.publications.iter().any(|set| set.intent.closed));
        let contents = contents(&parts);
        let mut hash = Sha256::new();
        let mut field = |text: &[u8]| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        field(b"meterhost set 1");
        field(contents.to_string().as_bytes());
        field(made.plugin.as_bytes());
        field(made.config.as_bytes());
        field(&[u8::from(made.closes && is_closed)]);
        let closes = made.closes && is_closed;
        Month {
            closes,
            again: false,
            period,
            rows: parts.iter().map(|(_, part)| part.rows).sum(),
            unread,
            is_closed,
            contents,
            fingerprint: Hash::from_digest(hash),
            parts,
        }
    }

    /// Whether a run looks at it: something of it is new, or it is not old yet.
    pub(super) fn is_in_sight(&self, known: Option<&Period>, back: Timestamp) -> bool {
        let Some(known) = known else { return self.rows > 0 };
        let shown = known.shown().map(|shown| shown.intent.contents);
        let is_new = self.period.end() > back || shown != Some(self.contents) || known.unfinished().is_some();
        is_new || self.again || self.is_to_be_closed(known)
    }

    /// Whether readers are still shown it as a month that is not over, where that made a difference already when it was published.
    fn is_to_be_closed(&self, known: &Period) -> bool {
        self.closes && known.shown().is_some_and(|shown| shown.intent.closes && !shown.intent.closed)
    }

    /// What becomes of it, where that does not depend on what readers are shown.
    pub(super) fn by_itself(&self, known: Option<&Period>) -> Option<PublicationState> {
        if known.is_some_and(|known| known.pinned.is_some()) {
            return None;
        }
        if !self.unread.is_empty() {
            return Some(PublicationState::Waits);
        }
        let was_begun = known.is_some_and(|known| !known.publications.is_empty());
        (self.rows == 0 && !was_begun).then_some(PublicationState::Nothing)
    }

    /// What is to become of it where readers are shown this.
    pub(super) fn by_what_is_shown(&self, known: &Period, shown: &Shown, back: Timestamp) -> PublicationState {
        match self.is_shown(known, shown, back) {
            _ if known.pinned.is_some() => PublicationState::Pinned,
            // What broke off was shown to nobody, unless the place cannot tell.
            _ if self.rows == 0 && !known.was_published() && *shown != Shown::CannotTell => PublicationState::Nothing,
            true => PublicationState::Unchanged,
            false => PublicationState::WouldPublish,
        }
    }

    /// Whether readers are shown what they would be.
    fn is_shown(&self, known: &Period, shown: &Shown, back: Timestamp) -> bool {
        let is_as_known = match shown {
            Shown::Set(found) => known.is_current(found) && found.files > 0,
            Shown::Nothing => false,
            Shown::CannotTell => known.unfinished().is_none(),
        };
        let is_same = known.shown().is_some_and(|shown| {
            // What a month was made by that is long over stays, though the configuration is another by now.
            let is_old =
                self.period.end() <= back && shown.intent.contents == self.contents && !self.is_to_be_closed(known);
            shown.intent.fingerprint == self.fingerprint || is_old
        });
        is_as_known && is_same && !self.again
    }

    /// The set before its first charge.
    pub(super) fn outline(&self, known: Option<&Period>, now: Timestamp) -> Outline {
        let (tags, attributes) = names(&self.parts);
        let has_charges = |window: &Window| {
            let found = self.parts.binary_search_by_key(window, |(window, _)| *window);
            found.ok().and_then(|at| self.parts.get(at)).is_some_and(|(_, part)| part.rows > 0)
        };
        let before = known.map(Period::may_be_shown).unwrap_or_default();
        Outline {
            period: instants(&self.period),
            now: now.as_millisecond(),
            fingerprint: self.fingerprint.to_string(),
            rows: self.rows,
            tags,
            attributes,
            closed: self.is_closed,
            last: known.and_then(|known| known.publications.last()).map(|last| last.intent.id.clone()),
            emptied: before.iter().filter(|window| !has_charges(window)).map(instants).collect(),
        }
    }
}

/// The months that a sink has charges of, or published.
pub(super) fn months(state: &State, sink: &str, windows: impl Iterator<Item = Window>) -> Vec<Window> {
    let mut months = state.sets().periods(sink);
    months.extend(windows.map(|window| period_of(&window)));
    months.into_iter().collect()
}

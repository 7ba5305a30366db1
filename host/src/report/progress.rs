//! How a run goes: a bar on a terminal, a line now and then in a log.
//!
//! Both go to the standard error, so that what the program prints can be piped. Counting is one atomic addition; the bar is drawn
//! by a thread of its own, ten times a second.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use super::text::{Style, count};

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On a terminal.
    Bar,
    /// In a log: a line at most every five seconds.
    Lines,
    /// Nowhere: with `--json`, or where nobody wants to see it.
    Silent,
}

/// No more than one line in this time.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);
/// What a step's text may hold, on a page that may not know Unicode.
const PAGE: Style = Style { color: false, unicode: false, width: usize::MAX, verbose: 0 };

/// The progress of a run. Clones show the same progress; what is left of a bar goes away with the last of them.
#[derive(Clone)]
pub struct Progress(Arc<Shown>);

enum Shown {
    Bar { bar: ProgressBar, counts: Arc<Counts> },
    Lines(Lines),
    Silent,
}

/// The bar on the terminal, while there is one.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The standard error for lines that are no progress: a bar steps aside for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct BesideTheBar;

impl Write for BesideTheBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &*held(&BAR) {
            Some(bar) => bar.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// What was done in the step under way.
#[derive(Default)]
struct Counts {
    records: AtomicU64,
    bytes: AtomicU64,
    charges: AtomicU64,
    all_charges: AtomicU64,
}

struct Lines {
    began: Instant,
    /// When the next line may be written, in milliseconds since the beginning.
    next: AtomicU64,
    step: Mutex<String>,
    counts: Counts,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Progress {
    /// Begins, with nothing to show yet.
    pub fn start(mode: Mode) -> Self {
        Progress(Arc::new(match mode {
            Mode::Bar => {
                let counts = Arc::new(Counts::default());
                let bar = ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
                bar.set_style(reading(&counts));
                bar.enable_steady_tick(BETWEEN_DRAWINGS);
                *held(&BAR) = Some(bar.clone());
                Shown::Bar { bar, counts }
            }
            Mode::Lines => Shown::Lines(Lines::new(Box::new(io::stderr()))),
            Mode::Silent => Shown::Silent,
        }))
    }

    /// Begins another step, such as `reading 2025-06`: its counts begin at 0.
    pub fn step(&self, step: impl AsRef<str>) {
        match &*self.0 {
            Shown::Bar { bar, counts } => {
                counts.clear();
                bar.set_style(reading(counts));
                bar.set_message(PAGE.escaped(step.as_ref()));
            }
            Shown::Lines(lines) => {
                lines.counts.clear();
                *held(&lines.step) = PAGE.escaped(step.as_ref());
                lines.write_if_due(lines.began.elapsed());
            }
            Shown::Silent => {}
        }
    }

    /// So many more records were read.
    pub fn records(&self, more: u64) {
        self.count(|counts| counts.records.fetch_add(more, Ordering::Relaxed));
    }

    /// So many more bytes were read.
    pub fn bytes(&self, more: u64) {
        self.count(|counts| counts.bytes.fetch_add(more, Ordering::Relaxed));
    }

    /// So many charges of the step have an answer, of so many in all.
    pub fn charges(&self, done: u64, total: u64) {
        self.count(|counts| {
            counts.charges.store(done, Ordering::Relaxed);
            counts.all_charges.swap(total, Ordering::Relaxed)
        });
        if let Shown::Bar { bar, .. } = &*self.0 {
            // Setting the style again is cheap beside the call to a service that every step of this count stands for.
            bar.set_style(delivering());
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    /// Ends. Of a bar nothing remains on the terminal.
    pub fn finish(&self) {
        if let Shown::Bar { bar, .. } = &*self.0 {
            bar.finish_and_clear();
            *held(&BAR) = None;
        }
    }

    fn count(&self, change: impl FnOnce(&Counts) -> u64) {
        match &*self.0 {
            Shown::Bar { counts, .. } => {
                change(counts);
            }
            Shown::Lines(lines) => {
                change(&lines.counts);
                lines.write_if_due(lines.began.elapsed());
            }
            Shown::Silent => {}
        }
    }
}

impl Counts {
    fn clear(&self) {
        for count in [&self.records, &self.bytes, &self.charges, &self.all_charges] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// `: 1,234 records, 12.30 MB`, or nothing while there is nothing to count.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [records, bytes, charges, all_charges] =
            [&self.records, &self.bytes, &self.charges, &self.all_charges].map(|count| count.load(Ordering::Relaxed));
        let mut mark = ": ";
        if all_charges > 0 {
            write!(f, "{mark}{} of {} charges", count(charges), count(all_charges))?;
            mark = ", ";
        }
        if records > 0 {
            write!(f, "{mark}{} records", count(records))?;
            mark = ", ";
        }
        if bytes > 0 {
            write!(f, "{mark}{}", DecimalBytes(bytes))?;
        }
        Ok(())
    }
}

impl Lines {
    fn new(out: Box<dyn Write + Send>) -> Self {
        Lines {
            began: Instant::now(),
            next: AtomicU64::new(0),
            step: Mutex::default(),
            counts: Counts::default(),
            out: Mutex::new(out),
        }
    }

    /// Of several threads that come at the same time, one writes.
    fn write_if_due(&self, elapsed: Duration) {
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        if now < next {
            return;
        }
        let after = now.saturating_add(BETWEEN_LINES.as_millis() as u64);
        if self.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let line = format!("{}{}\n", held(&self.step), self.counts);
            // A run goes on when nobody listens.
            let _ = held(&self.out).write_all(line.as_bytes());
        }
    }
}

/// A thread that panicked while it wrote a line leaves nothing half-done that matters here.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reading(counts: &Arc<Counts>) -> ProgressStyle {
    let counts = Arc::clone(counts);
    template("{spinner} {msg}{counts}").with_key("counts", move |_: &ProgressState, out: &mut dyn fmt::Write| {
        // It writes to a buffer in memory, and the trait has no place for an error.
        let _ = write!(out, "{counts}");
    })
}

fn delivering() -> ProgressStyle {
    template("{spinner} {msg} [{bar:24}] {human_pos} of {human_len} charges").progress_chars("=> ")
}

#[expect(clippy::expect_used, reason = "the templates stand above and do not change")]
fn template(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template of our own is well-formed").tick_chars("-\\|/ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            held(&self.0).write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(held(&self.0).clone()).unwrap()
        }
    }

    #[test]
    fn a_log_gets_a_line_at_most_every_five_seconds() {
        let page = Page::default();
        let lines = Lines::new(Box::new(page.clone()));
        *held(&lines.step) = "reading 2025-06".to_owned();
        for millis in [0, 10, 4_999, 5_000, 9_999, 20_000, 24_999, 25_000] {
            lines.counts.records.fetch_add(1_000, Ordering::Relaxed);
            lines.counts.bytes.fetch_add(170_000, Ordering::Relaxed);
            lines.write_if_due(Duration::from_millis(millis));
        }
        assert_eq!(
            page.text(),
            "reading 2025-06: 1,000 records, 170.00 kB\n\
             reading 2025-06: 4,000 records, 680.00 kB\n\
             reading 2025-06: 6,000 records, 1.02 MB\n\
             reading 2025-06: 8,000 records, 1.36 MB\n"
        );
    }

    #[test]
    fn a_step_begins_at_zero_and_cannot_fake_a_line() {
        let page = Page::default();
        let progress = Progress(Arc::new(Shown::Lines(Lines::new(Box::new(page.clone())))));
        progress.step("reading \u{1b}[2J2025-06\nexit 0");
        progress.records(5);
        progress.step("delivering 2025-06 to clazar");
        progress.charges(80, 6_000);
        progress.finish();
        let Shown::Lines(lines) = &*progress.0 else { panic!("lines") };
        lines.write_if_due(Duration::from_secs(60));
        assert_eq!(
            page.text(),
            "reading \\u{1b}[2J2025-06\\nexit 0\ndelivering 2025-06 to clazar: 80 of 6,000 charges\n"
        );
    }

    #[test]
    fn many_threads_count_together_and_one_writes() {
        let page = Page::default();
        let progress = Progress(Arc::new(Shown::Lines(Lines::new(Box::new(page.clone())))));
        progress.step("reading");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| progress.records(2)));
            }
        });
        let Shown::Lines(lines) = &*progress.0 else { panic!("lines") };
        lines.write_if_due(Duration::from_secs(60));
        assert_eq!(page.text(), "reading\nreading: 8,000 records\n");
    }

    #[test]
    fn a_bar_and_silence_take_the_same_calls() {
        for mode in [Mode::Bar, Mode::Silent] {
            let progress = Progress::start(mode);
            progress.step("reading 2025-06");
            progress.records(10);
            progress.bytes(1_700);
            progress.step("delivering 2025-06 to clazar");
            progress.charges(1, 2);
            progress.charges(2, 2);
            progress.finish();
        }
    }
}

//! How much an instance may write into the run's log.

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex};

use tracing::Dispatch;

use super::*;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged meanwhile on this thread, which is the one that the guest runs on.
pub(super) fn logged<T>(doing: impl FnOnce() -> T) -> (T, Vec<String>) {
    // While it is the only one, a place that another test reaches first, on a thread that listens to nothing, is silent for this one too.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| {
        Dispatch::new(
            tracing_subscriber::fmt().with_writer(std::io::sink).with_max_level(tracing::Level::TRACE).finish(),
        )
    });
    LazyLock::force(&ANOTHER);
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .finish();
    let done = tracing::subscriber::with_default(subscriber, doing);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    // The engine writes too.
    (done, text.lines().filter(|line| line.contains("plugin=")).map(|line| line.trim().to_owned()).collect())
}

const SILENCED: &str = r#"WARN it has written as much as it may; its further lines are dropped plugin="source""#;

/// A source that logs a line of so many bytes each time it is checked.
fn writes(times: usize, lengths: &[usize]) -> Module {
    let line = |length: &usize| format!("(call $log (i32.const 2) (i32.const 1024) (i32.const {length}))");
    let lines: String = lengths.iter().map(line).collect();
    Module::source().logging().item("(data (i32.const 1024) \"ninebytes\")").doing("check", &lines.repeat(times))
}

#[test]
fn lines_over_the_cap_are_dropped_and_it_is_said_once() {
    let host = Host::new();
    // Each line counts its end.
    let mut source = host.source(&writes(10, &[9]), Limits { log: 100, ..limits() });
    let ((), first) = logged(|| source.check("{}", WindowKind::Hour).unwrap());
    assert_eq!(first, vec![r#"INFO ninebytes plugin="source""#; 10]);
    let ((), second) = logged(|| {
        source.check("{}", WindowKind::Hour).unwrap();
        source.check("{}", WindowKind::Hour).unwrap();
    });
    assert_eq!(second, [SILENCED]);
}

#[test]
fn after_the_first_line_that_is_dropped_shorter_ones_are_too() {
    let host = Host::new();
    let mut source = host.source(&writes(2, &[4, 9, 2]), Limits { log: 10, ..limits() });
    let ((), lines) = logged(|| source.check("{}", WindowKind::Hour).unwrap());
    assert_eq!(lines, [r#"INFO nine plugin="source""#, SILENCED]);
}

#[test]
fn last_words_are_kept_when_the_cap_is_reached() {
    let host = Host::new();
    let gives_up = "(call $log (i32.const 4) (i32.const 1024) (i32.const 9)) (unreachable)";
    let module = writes(1, &[]).doing("check", gives_up);
    let mut source = host.source(&module, Limits { log: 5, ..limits() });
    let (answer, lines) = logged(|| source.check("{}", WindowKind::Hour));
    assert_eq!(answer.unwrap_err().words.as_deref(), Some("ninebytes"));
    assert_eq!(lines, [SILENCED]);
}

#[test]
fn a_long_line_is_cut_and_control_characters_are_shown() {
    let host = Host::new();
    let logs = "(memory.fill (i32.const 2048) (i32.const 120) (i32.const 5000))
        (call $log (i32.const 2) (i32.const 2048) (i32.const 5000))
        (call $log (i32.const 3) (i32.const 1024) (i32.const 4))";
    let module = Module::source().logging().item("(data (i32.const 1024) \"a\\1b\\0ab\")").doing("check", logs);
    let mut source = host.source(&module, limits());
    let ((), lines) = logged(|| source.check("{}", WindowKind::Hour).unwrap());
    let long = format!(r#"INFO {} plugin="source""#, "x".repeat(4096));
    assert_eq!(lines, [long, r#"WARN a\u{1b}\nb plugin="source""#.to_owned()]);
}

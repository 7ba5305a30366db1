//! Reports, as a person sees them.

mod change;
mod page;
mod whole;

use super::*;
use crate::report::tests::counts;
use crate::report::{LedgerEnd, Line, LinePart, LineState, Missing, Problem, WindowReport};

const PLAIN: Style = Style { color: false, unicode: false, width: 100, verbose: 0 };

fn shown(report: &Report, style: Style) -> String {
    let mut page = Vec::new();
    report.render_text(&mut page, style).unwrap();
    String::from_utf8(page).unwrap()
}

fn report() -> Report {
    Report {
        pipeline: "postgres-prod".into(),
        run: Some("20250701T003000Z-4f1c".into()),
        dry_run: false,
        exit: Exit::Final,
        next_due: None,
        incomplete: vec![],
        windows: vec![],
        publications: vec![],
        problems: vec![],
        notes: vec![],
        ledger: None,
    }
}

fn window(settled: bool, lines: Vec<Line>) -> WindowReport {
    let (charges, records) = counts(&lines);
    WindowReport {
        window: "2025-06".into(),
        sink: "clazar".into(),
        publishes: false,
        settled,
        records,
        charges,
        lines,
        excluded: vec![],
        quantities: vec![],
        compared_with: None,
        missing: vec![],
    }
}

fn line(customer: &str, dimension: &str, quantity: &str, records: u64, state: LineState) -> Line {
    Line {
        id: Some("c-1".into()),
        product: String::new(),
        customer: customer.into(),
        dimension: dimension.into(),
        tags: vec![],
        quantity: quantity.into(),
        exact: None,
        frozen: None,
        records,
        parts: vec![],
        state,
        reason: None,
        would_be: None,
        before: None,
        carried: vec![],
        accepted_until: None,
        change: None,
        reference: None,
    }
}

fn with(change: impl FnOnce(&mut Line), mut line: Line) -> Line {
    change(&mut line);
    line
}

fn reason(text: &str, line: Line) -> Line {
    with(|line| line.reason = Some(text.into()), line)
}

fn frozen(was: &str, line: Line) -> Line {
    with(|line| line.frozen = Some(was.into()), line)
}

fn dry(windows: Vec<WindowReport>) -> Report {
    Report { run: None, dry_run: true, windows, ..report() }
}

fn happy() -> Report {
    let lines = vec![
        with(
            |line| line.reference = Some("txn-81".into()),
            line("acme", "cpu_core_hours", "744", 744, LineState::Billed),
        ),
        with(
            |line| line.exact = Some("12000.25".into()),
            line("acme", "memory_gib_hours", "12000", 744, LineState::Billed),
        ),
        line("globex", "cpu_core_hours", "1488.125", 1_488, LineState::Billed),
        line("initech", "cpu_core_hours", "0.5", 1, LineState::BilledBefore),
    ];
    let next_due = Some("2025-08-01T00:30:00Z".into());
    Report {
        windows: vec![window(true, lines)],
        next_due,
        notes: vec!["no ledger was found; one was begun".into()],
        ..report()
    }
}

fn problem(code: &'static str, plugin: &str, step: &str, input: &str, message: &str, action: &str) -> Problem {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Problem {
        plugin: some(plugin),
        step: some(step),
        input: some(input),
        action: some(action),
        ..Problem::new(code, message)
    }
}

fn troubled() -> Report {
    let lines = vec![
        line("acme", "cpu_core_hours", "744", 744, LineState::Billed),
        reason("the contract is not active", line("globex", "cpu_core_hours", "1488", 1_488, LineState::Rejected)),
        reason(
            "the connection broke before an answer came",
            line("hooli", "cpu_core_hours", "3", 3, LineState::Unknown),
        ),
        reason("1 record of `memory` is quarantined", line("initech", "memory", "12.5", 3, LineState::Held)),
        line("umbrella", "cpu_core_hours", "10", 1, LineState::Pending),
    ];
    let mut window = window(false, lines);
    window.records.quarantined = 1;
    window.records.read += 1;
    let sink = "sink.clazar (clazar 0.1.0)";
    let source = "source (s3-reader 0.1.0)";
    let problems = vec![
        problem(
            "unreadable",
            source,
            "reading",
            "2025/06/02/00/sub-b.json",
            "it is not JSON: it ends inside a string",
            "mend or remove the object, and run again",
        ),
        problem(
            "quarantined",
            source,
            "reading",
            "2025/06/01/00/sub-a.json, record 3",
            "`/value` is `12,5`, which is no number",
            "mend the record, and run again",
        ),
        problem(
            "held",
            "",
            "",
            "2025-06 initech memory",
            "a quarantined record may belong to it",
            "mend the record, and run again",
        ),
        problem(
            "rejected",
            sink,
            "delivering",
            "2025-06 globex cpu_core_hours",
            "the service refused it: the contract is not active",
            "ask Clazar to activate the contract; each run offers it again",
        ),
        Problem {
            causes: vec!["the connection was reset".into(), "os error 104".into()],
            ..problem(
                "unknown",
                sink,
                "delivering",
                "2025-06 hooli cpu_core_hours",
                "it was sent, and no clear answer came",
                "run again: it is looked up first",
            )
        },
        problem(
            "plugin-trapped",
            "aggregate.mine (mine 0.3.0)",
            "aggregating",
            "2025-06",
            "it panicked: index out of bounds",
            "report it to who wrote the plugin",
        ),
        problem(
            "denied",
            sink,
            "delivering",
            "",
            "it asked to reach https://evil.example, which it is not granted",
            "if it may, write below [sink.clazar]:\ngrant.http = [\"https://api.clazar.io\", \"https://evil.example\"]",
        ),
    ];
    Report { exit: Exit::Plugin, windows: vec![window], problems, ..report() }
}

fn differing() -> Report {
    let lines = vec![
        line("acme", "cpu_core_hours", "744", 744, LineState::WouldBill),
        line("globex", "cpu_core_hours", "12.5", 10, LineState::BilledBefore),
        frozen("744", line("initech", "cpu_core_hours", "745.25", 746, LineState::BilledBefore)),
        reason("late usage is below what was frozen", frozen("10", line("hooli", "memory", "7", 3, LineState::Held))),
    ];
    Report { exit: Exit::Open, ..dry(vec![window(false, lines)]) }
}

/// A plan beside the window before.
fn compared() -> Report {
    let beside = |before: &str, change: &str, line| {
        with(
            |line: &mut Line| {
                line.before = (!before.is_empty()).then(|| before.to_owned());
                line.change = (!change.is_empty()).then(|| change.to_owned());
            },
            line,
        )
    };
    let reason_of_guard = "1200 is 340.0 % more than the 272.7 of 2025-05, and the guard allows 200 %";
    let lines = vec![
        beside("660.5", "+12.6", line("acme", "cpu_core_hours", "744", 744, LineState::WouldBill)),
        beside("12.5", "0.0", line("globex", "cpu_core_hours", "12.5", 10, LineState::WouldBill)),
        beside("", "", line("hooli", "memory", "7", 3, LineState::WouldBill)),
        beside(
            "272.7",
            "+340.0",
            reason(reason_of_guard, line("initech", "cpu_core_hours", "1200", 31, LineState::Held)),
        ),
        beside("40", "-62.5", line("umbrella", "memory", "15", 2, LineState::WouldBill)),
        beside("", "", line("vandelay", "memory", "0", 1, LineState::Zero)),
    ];
    let missing = |customer: &str, tags: &[(&str, &str)]| Missing {
        product: String::new(),
        customer: customer.into(),
        dimension: "cpu_core_hours".into(),
        tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        before: "123".into(),
    };
    let mut window = window(false, lines);
    window.compared_with = Some("2025-05".into());
    window.missing = vec![missing("soylent", &[]), missing("wonka", &[("region", "eu")])];
    Report { exit: Exit::Open, ..dry(vec![window]) }
}

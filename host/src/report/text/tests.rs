//! Whole reports, as a person sees them.

use super::*;
use crate::report::{Charges, Items, Line, LineState, Problem, WindowReport};

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
        windows: vec![],
        problems: vec![],
        notes: vec![],
    }
}

fn window(settled: bool, lines: Vec<Line>) -> WindowReport {
    let mut charges = Charges::default();
    let mut records = Items::default();
    for line in &lines {
        let (charge, item) = match line.state {
            LineState::WouldBill | LineState::Billed => (&mut charges.billed, &mut records.billed),
            LineState::BilledBefore => (&mut charges.billed_before, &mut records.billed_before),
            LineState::Pending => (&mut charges.pending, &mut records.open),
            LineState::Rejected => (&mut charges.rejected, &mut records.open),
            LineState::Unknown => (&mut charges.unknown, &mut records.open),
            LineState::Held => (&mut charges.held, &mut records.held),
        };
        *charge += 1;
        *item += line.records;
        records.read += line.records;
    }
    WindowReport { window: "2025-06".into(), sink: "clazar".into(), settled, records, charges, lines }
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
        state,
        reason: None,
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

#[test]
fn a_run_that_billed_everything() {
    assert_eq!(
        shown(&happy(), PLAIN),
        "\
postgres-prod: run 20250701T003000Z-4f1c

2025-06 -> clazar: settled
  customer  dimension          quantity  records  state
  acme      cpu_core_hours      744          744  billed         txn-81
  acme      memory_gib_hours  12000          744  billed         rounded from 12000.25
  globex    cpu_core_hours     1488.125    1,488  billed
  initech   cpu_core_hours        0.5          1  billed before
  4 charges: 3 billed, 1 billed before
  read 2,977 = billed 2,976 + billed before 1

the next window is due at 2025-08-01T00:30:00Z

note: no ledger was found; one was begun

exit 0: everything that was due is final; run it again at the next schedule
"
    );
}

#[test]
fn a_run_with_a_problem_of_each_code() {
    assert_eq!(
        shown(&troubled(), PLAIN),
        "\
postgres-prod: run 20250701T003000Z-4f1c

2025-06 -> clazar: open
  customer  dimension       quantity  records  state
  globex    cpu_core_hours    1488      1,488  rejected  the contract is not active
  hooli     cpu_core_hours       3          3  unknown   the connection broke before an answer came
  initech   memory              12.5        3  held      1 record of `memory` is quarantined
  umbrella  cpu_core_hours      10          1  pending
  acme      cpu_core_hours     744        744  billed
  5 charges: 1 billed, 1 pending, 1 rejected, 1 unknown, 1 held
  read 2,240 = billed 744 + open 1,492 + held 3 + quarantined 1

7 problems:

 1. unreadable: source (s3-reader 0.1.0), reading 2025/06/02/00/sub-b.json
    it is not JSON: it ends inside a string
    to do: mend or remove the object, and run again

 2. quarantined: source (s3-reader 0.1.0), reading 2025/06/01/00/sub-a.json, record 3
    `/value` is `12,5`, which is no number
    to do: mend the record, and run again

 3. held: 2025-06 initech memory
    a quarantined record may belong to it
    to do: mend the record, and run again

 4. rejected: sink.clazar (clazar 0.1.0), delivering 2025-06 globex cpu_core_hours
    the service refused it: the contract is not active
    to do: ask Clazar to activate the contract; each run offers it again

 5. unknown: sink.clazar (clazar 0.1.0), delivering 2025-06 hooli cpu_core_hours
    it was sent, and no clear answer came
    to do: run again: it is looked up first

 6. plugin-trapped: aggregate.mine (mine 0.3.0), aggregating 2025-06
    it panicked: index out of bounds
    to do: report it to who wrote the plugin

 7. denied: sink.clazar (clazar 0.1.0), delivering
    it asked to reach https://evil.example, which it is not granted
    to do: if it may, write below [sink.clazar]:
      grant.http = [\"https://api.clazar.io\", \"https://evil.example\"]

the causes behind them are shown with `-v`

exit 3: a plugin trapped, ran over a limit or asked for what its grants do not hold; run it again
  after mending it
"
    );
}

#[test]
fn a_narrow_page_breaks_lines_and_verbose_shows_causes() {
    let mut report = troubled();
    report.problems.retain(|problem| matches!(problem.code, "unknown" | "denied"));
    assert_eq!(
        shown(&report, Style { width: 60, unicode: true, verbose: 1, ..PLAIN }),
        "\
postgres-prod: run 20250701T003000Z-4f1c

2025-06 → clazar: open
  customer  dimension       quantity  records  state
  globex    cpu_core_hours    1488      1,488  rejected
      the contract is not active
  hooli     cpu_core_hours       3          3  unknown
      the connection broke before an answer came
  initech   memory              12.5        3  held
      1 record of `memory` is quarantined
  umbrella  cpu_core_hours      10          1  pending
  acme      cpu_core_hours     744        744  billed
  5 charges: 1 billed, 1 pending, 1 rejected, 1 unknown, 1
    held
  read 2,240 = billed 744 + open 1,492 + held 3 +
    quarantined 1

2 problems:

 1. unknown: sink.clazar (clazar 0.1.0), delivering
      2025-06 hooli cpu_core_hours
    it was sent, and no clear answer came
    to do: run again: it is looked up first
    because: the connection was reset
    because: os error 104

 2. denied: sink.clazar (clazar 0.1.0), delivering
    it asked to reach https://evil.example, which it is
      not granted
    to do: if it may, write below [sink.clazar]:
      grant.http = [\"https://api.clazar.io\", \"https://evil.example\"]

exit 3: a plugin trapped, ran over a limit or asked for
  what its grants do not hold; run it again after mending it
"
    );
}

#[test]
fn a_dry_run_is_read_as_a_diff() {
    assert_eq!(
        shown(&differing(), PLAIN),
        "\
postgres-prod: dry run, nothing was changed

2025-06 -> clazar: would be open
    customer  dimension            quantity  records  state
  ! hooli     memory             10 -> 7           3  held
      differs by -3; late usage is below what was frozen
  ~ initech   cpu_core_hours  744 -> 745.25      746  billed before    differs by +1.25
  + acme      cpu_core_hours         744         744  would be billed
  = globex    cpu_core_hours          12.5        10  billed before
  4 charges: 1 would be billed, 2 billed before, 1 held; 2 differ from what was frozen
  read 1,503 = would be billed 744 + billed before 756 + held 3

exit 1: something that is due would stay open; the report says what to do
"
    );
}

#[test]
fn a_page_of_fifty_columns_shortens_names_and_never_quantities() {
    let table = shown(&differing(), Style { width: 50, unicode: true, ..PLAIN });
    let table: Vec<&str> = table.lines().skip(3).take(7).collect();
    assert_eq!(
        table.join("\n"),
        "    customer  dimension         quantity  records  state
  ! hooli     memory           10 → 7           3  held
      differs by -3; late usage is below what
        was frozen
  ~ initech   cpu_co…hours  744 → 745.25      746  billed before
      differs by +1.25
  + acme      cpu_co…hours        744         744  would be billed"
    );
}

#[test]
fn a_run_with_nothing_due_says_when_something_will_be() {
    let report = Report { next_due: Some("2025-08-01T00:30:00Z".into()), ..report() };
    assert_eq!(
        shown(&report, PLAIN),
        "\
postgres-prod: run 20250701T003000Z-4f1c

nothing was due; the next window is due at 2025-08-01T00:30:00Z

exit 0: everything that was due is final; run it again at the next schedule
"
    );
    assert_eq!(
        shown(&Report { next_due: None, ..dry(vec![]) }, PLAIN),
        "\
postgres-prod: dry run, nothing was changed

nothing is due

exit 0: everything that is due would be final
"
    );
}

#[test]
fn an_empty_window_is_settled_too() {
    let report = Report { windows: vec![window(true, vec![])], ..report() };
    let page = shown(&report, PLAIN);
    assert!(page.contains("\n2025-06 -> clazar: settled\n  no charges\n  read nothing\n\n"), "{page}");
}

#[test]
fn a_run_that_fails_early_claims_nothing() {
    for (exit, words) in [
        (Exit::Configuration, "exit 2: the configuration is wrong; nothing was touched; run it again after mending it"),
        (
            Exit::Ledger,
            "exit 4: the ledger or a state document cannot be read or written; run it again after mending it",
        ),
        (Exit::Held, "exit 5: another run holds the ledger; running it again does no harm"),
        (Exit::Interrupted, "exit 130: interrupted; the ledger is consistent; run it again and it goes on"),
    ] {
        let page = shown(&Report { run: None, exit, ..report() }, PLAIN);
        assert_eq!(page, format!("postgres-prod\n\n{words}\n"));
    }
}

#[test]
fn hostile_names_cannot_fake_a_line() {
    let bad = with(
        |line| {
            line.product = "pg\u{202e}db".into();
            line.tags = vec![("region".into(), "eu}\n".into())];
        },
        line("acme\nexit 0: everything was billed", "cpu  1  1  billed", "1", 1, LineState::Held),
    );
    let fake = format!("no{}exit 0: everything that was due is final", " ".repeat(93));
    let report = Report {
        pipeline: "p\r\u{1b}[2K".into(),
        exit: Exit::Open,
        windows: vec![window(false, vec![reason("\u{1b}]0;title\u{7}\nread 1 = billed 1", bad)])],
        problems: vec![problem(
            "rejected",
            "sink.\u{9b}31m",
            "delivering",
            "x\n 2. fine",
            &fake,
            "nothing\nexit 0: done",
        )],
        notes: vec!["a\nexit 0: b".into()],
        ..report()
    };
    assert_eq!(
        shown(&report, Style { unicode: true, verbose: 1, ..PLAIN }),
        r#"p\r\u{1b}[2K: run 20250701T003000Z-4f1c

2025-06 → clazar: open
  product       customer                      dimension                     quantity  records  state
  pg\u{202e}db  acme\nexit 0: …ng was billed  "cpu  1  1  bi…region=eu}\n}         1        1  held
      \u{1b}]0;title\u{7}\nread 1 = billed 1
  1 charge: 1 held
  read 1 = held 1

1 problem:

 1. rejected: sink.\u{9b}31m, delivering x\n 2. fine
    no
      exit 0: everything that was due is final
    to do: nothing
      exit 0: done

note: a\nexit 0: b

exit 1: something that was due is open; run it again after mending
"#
    );
}

#[test]
fn long_tables_are_capped_and_what_is_open_comes_first() {
    let mut lines: Vec<Line> =
        (0..50_000).map(|n| line(&format!("c{n:05}"), "cpu", "1", 1, LineState::Billed)).collect();
    lines.push(reason("no contract", line("zeta", "cpu", "1", 1, LineState::Rejected)));
    let report = Report { exit: Exit::Open, windows: vec![window(false, lines)], ..report() };
    let page = shown(&report, PLAIN);
    let page: Vec<&str> = page.lines().collect();
    assert_eq!(page[4], "  zeta      cpu               1        1  rejected  no contract");
    assert_eq!(page[5], "  c00000    cpu               1        1  billed");
    assert_eq!(page[23], "  c00018    cpu               1        1  billed");
    assert_eq!(page[24], "  ... and 49,981 more: `meterhost ledger show`");
    assert_eq!(page[25], "  50,001 charges: 50,000 billed, 1 rejected");
    assert_eq!(shown(&report, Style { verbose: 1, ..PLAIN }).lines().count(), 4 + 50_001 + 4);
}

#[test]
fn what_is_open_beyond_a_hundred_lines_is_counted() {
    let held = (0..150).map(|n| line(&format!("c{n:03}"), "cpu", "1", 1, LineState::Held));
    let old = (0..10).map(|n| line(&format!("d{n}"), "cpu", "1", 1, LineState::BilledBefore));
    let page = shown(&dry(vec![window(false, held.chain(old).collect())]), PLAIN);
    assert!(page.contains("\n  ... and 60 more, 50 of them open: shown with `-v`\n"), "{page}");
}

#[test]
fn a_sum_that_does_not_close_is_said_to_be_open() {
    let mut open = window(true, vec![line("acme", "cpu", "5", 5, LineState::Billed)]);
    open.records.read = 1_007;
    let page = shown(&Report { windows: vec![open], ..report() }, PLAIN);
    assert!(page.contains("\n  read 1,007, but 5 are accounted for: billed 5\n"), "{page}");
}

#[test]
fn many_windows_are_summed_up_and_open_ones_keep_a_line() {
    let label = |day: usize, window: WindowReport| WindowReport { window: format!("2025-06-{day:02}"), ..window };
    let settled = |day| label(day, window(true, vec![line("acme", "cpu", "1", 1, LineState::Billed)]));
    let open = |day| label(day, window(false, vec![line("acme", "cpu", "1", 1, LineState::Held)]));
    let windows = (1..=15).map(settled).chain((16..=28).map(open)).collect();
    let page = shown(&Report { exit: Exit::Open, windows, ..report() }, PLAIN);
    let end = page.split_once("2025-06-28").unwrap().1;
    assert_eq!(
        end,
        " -> clazar: open; 1 charge: 1 held

... and 3 more that are settled: 3 charges: 3 billed; shown with `-v`

in all, 28 charges: 15 billed, 13 held

exit 1: something that was due is open; run it again after mending
"
    );
    assert!(page.contains("2025-06-12 ->") && !page.contains("2025-06-13 ->"));
}

#[test]
fn problems_that_differ_in_their_input_alone_are_one() {
    let quarantined = |n| {
        problem(
            "quarantined",
            "source (s3-reader 0.1.0)",
            "reading",
            &format!("a.json, record {n}"),
            "no value",
            "mend it",
        )
    };
    let rejected = |n| problem("rejected", "", "", "", &format!("contract {n} is not active"), "");
    let problems = (1..=120).map(quarantined).chain((1..=1_012).map(rejected)).collect();
    let page = shown(&Report { exit: Exit::Open, problems, ..report() }, PLAIN);
    assert!(
        page.contains(
            "
1,132 problems:

 1. quarantined: source (s3-reader 0.1.0), reading
      a.json, record 1
      a.json, record 2
      a.json, record 3
      a.json, record 4
      a.json, record 5
      ... and 115 more
    no value
    to do: mend it

 2. rejected
    contract 1 is not active

"
        ),
        "{page}"
    );
    assert!(
        page.contains(
            "\n11. rejected\n    contract 10 is not active\n\n... and 1,002 more that are `rejected`: shown with `-v`\n"
        ),
        "{page}"
    );
}

#[test]
fn products_and_tags_are_part_of_a_charges_name() {
    let tagged = with(
        |line| {
            line.product = "pg".into();
            line.tags = vec![("region".into(), "eu".into()), ("tier".into(), "gold".into())];
        },
        line("acme", "cpu", "1", 1, LineState::Billed),
    );
    let page = shown(&Report { windows: vec![window(true, vec![tagged])], ..report() }, PLAIN);
    assert!(
        page.contains(
            "
  product  customer  dimension                 quantity  records  state
  pg       acme      cpu{region=eu,tier=gold}         1        1  billed
"
        ),
        "{page}"
    );
}

#[test]
fn wide_letters_keep_the_columns() {
    let lines =
        vec![line("東京", "cpu", "1", 1, LineState::Billed), line("acme corp", "cpu", "1", 1, LineState::Billed)];
    let page = shown(&Report { windows: vec![window(true, lines)], ..report() }, Style { unicode: true, ..PLAIN });
    assert!(
        page.contains(
            "\n  東京       cpu               1        1  billed\n  acme corp  cpu               1        1  billed\n"
        ),
        "{page}"
    );
}

#[test]
fn colour_is_an_addition_and_changes_no_text() {
    let strip = |page: String| {
        let codes = page.split("\x1b[").enumerate();
        codes.map(|(n, part)| if n == 0 { part } else { part.split_once('m').unwrap().1 }).collect::<String>()
    };
    for report in [happy(), troubled(), differing()] {
        let coloured = shown(&report, Style { color: true, ..PLAIN });
        assert!(coloured.contains("\x1b[1m"));
        assert_eq!(strip(coloured), shown(&report, PLAIN));
    }
}

#[test]
fn without_unicode_everything_is_ascii() {
    let mut report = differing();
    report.windows[0].lines[0].customer = "Müller 東京".into();
    report.notes = (0..30).map(|_| "naïve".to_owned()).collect();
    assert!(shown(&report, PLAIN).is_ascii());
    assert!(shown(&report, PLAIN).contains("\n... and 10 more notes: shown with `-v`\n"));
}

//! What is told on a page that is narrow, plain or long, and of names that are not what they seem.

use super::*;

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
    for report in [happy(), troubled(), differing(), compared()] {
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

#[test]
fn a_charge_of_many_customers_names_some_and_verbose_names_all() {
    let part = |number: u64| LinePart {
        product: String::new(),
        customer: format!("user-{number}"),
        quantity: number.to_string(),
        records: 1,
    };
    let mut of_many = line("acme", "cpu", "15", 5, LineState::WouldBill);
    of_many.parts = (1..=5).map(part).collect();
    let report = dry(vec![window(true, vec![of_many, line("globex", "cpu", "0", 2, LineState::Zero)])]);
    let text = shown(&report, Style { width: 120, ..PLAIN });
    assert!(
        text.contains(
            "+ acme      cpu              15        5  would be billed  of user-1 1 + user-2 2 + user-3 3 + 2 more"
        ),
        "{text}"
    );
    assert!(text.contains("0 globex    cpu               0        2  zero"), "{text}");
    assert!(text.contains("2 charges: 1 would be billed, 1 zero"), "{text}");
    let text = shown(&report, Style { width: 120, verbose: 1, ..PLAIN });
    assert!(text.contains("user-4 4 + user-5 5"), "{text}");
}

#[test]
fn a_long_name_in_what_there_is_to_say_is_not_broken_while_a_line_of_its_own_holds_it() {
    let user = "34583428-50b1-7026-603b-ff26b2fbc67e";
    let part =
        LinePart { product: String::new(), customer: user.to_owned(), quantity: "120001000".to_owned(), records: 1 };
    let mut of_one = line("ae641bd1-edf8-4038-bfed-d2ff556c729e", "bytes_out", "120001000", 1, LineState::WouldBill);
    of_one.parts = vec![part];
    let text = shown(&dry(vec![window(true, vec![of_one])]), Style { width: 120, ..PLAIN });
    assert!(text.contains(&format!("would be billed\n      of {user} 120001000\n")), "{text}");
}

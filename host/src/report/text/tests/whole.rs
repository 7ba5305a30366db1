//! Whole reports.

use super::*;

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
fn the_last_line_says_where_the_ledger_ends() {
    let end = |entries| Some(LedgerEnd { place: "p.ledger.db".into(), entries, hash: "3fa9".repeat(16) });
    let last = |entries| {
        let page = shown(&Report { ledger: end(entries), ..report() }, PLAIN);
        page.split_once("at the next schedule\n").unwrap().1.to_owned()
    };
    let hash = "3fa9".repeat(16);
    assert_eq!(last(1), format!("ledger p.ledger.db: 1 entry, the last is {hash}\n").replace(" is 3", " is\n  3"));
    assert_eq!(last(1200), format!("ledger p.ledger.db: 1,200 entries, the last is\n  {hash}\n"));
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
fn a_sum_that_does_not_close_is_said_to_be_open() {
    let mut open = window(true, vec![line("acme", "cpu", "5", 5, LineState::Billed)]);
    open.records.read = 1_007;
    let page = shown(&Report { windows: vec![open], ..report() }, PLAIN);
    assert!(page.contains("\n  read 1,007, but 5 are accounted for: billed 5\n"), "{page}");
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
fn what_is_published_is_never_called_billed() {
    let lines =
        || vec![line("acme", "cpu", "1", 1, LineState::Billed), line("acme", "mem", "1", 1, LineState::BilledBefore)];
    let published = WindowReport { sink: "costs".into(), publishes: true, ..window(true, lines()) };
    let page = shown(&Report { windows: vec![published.clone()], ..report() }, PLAIN);
    assert!(
        page.contains("2 charges: 1 published, 1 published before\n  read 2 = published 1 + published before 1"),
        "{page}"
    );
    assert!(!page.contains("billed"), "{page}");
    let json = Report { windows: vec![published.clone()], ..report() }.render_json();
    assert!(json.contains("\"publishes\": true") && json.contains("\"billed_before\": 1"), "{json}");
    // Beside a sink that bills, each window has its own words, and all together both.
    let both = Report { windows: vec![published, window(true, lines())], ..report() };
    let page = shown(&both, PLAIN);
    assert!(
        page.contains("2 charges: 1 published, 1 published before")
            && page.contains("2 charges: 1 billed, 1 billed before")
    );
    assert!(page.contains("in all, 4 charges: 2 billed or published, 2 billed or published before"), "{page}");
    assert!(both.render_html().contains("<h1>2 charges billed or published"), "{}", both.render_html());
}

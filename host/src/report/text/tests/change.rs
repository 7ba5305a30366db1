//! Charges beside those of the window before.

use super::*;

#[test]
fn a_plan_shows_the_change_and_what_is_missing() {
    assert_eq!(
        shown(&compared(), PLAIN),
        "\
postgres-prod: dry run, nothing was changed

2025-06 -> clazar: would be open
    customer  dimension       quantity  vs 2025-05  records  state
  ! initech   cpu_core_hours    1200      +340.0 %       31  held
      1200 is 340.0 % more than the 272.7 of 2025-05, and the guard allows 200 %
  + umbrella  memory              15       -62.5 %        2  would be billed
  + acme      cpu_core_hours     744       +12.6 %      744  would be billed
  + globex    cpu_core_hours      12.5           =       10  would be billed
  + hooli     memory               7           new        3  would be billed
  0 vandelay  memory               0                      1  zero
  - soylent cpu_core_hours 123 in 2025-05, nothing now
  - wonka cpu_core_hours{region=eu} 123 in 2025-05, nothing now
  6 charges: 4 would be billed, 1 held, 1 zero
  read 791 = would be billed 759 + held 31 + zero 1

exit 1: something that is due would stay open; the report says what to do
"
    );
}

#[test]
fn a_narrow_page_shortens_names_and_never_a_change() {
    assert_eq!(
        shown(&compared(), Style { width: 60, unicode: true, ..PLAIN }),
        "\
postgres-prod: dry run, nothing was changed

2025-06 → clazar: would be open
    customer  dimension     quantity  vs 2025-05  records  state
  ! initech   cpu_co…hours    1200      +340.0 %       31  held
      1200 is 340.0 % more than the 272.7 of 2025-05, and
        the guard allows 200 %
  + umbrella  memory            15       -62.5 %        2  would be billed
  + acme      cpu_co…hours     744       +12.6 %      744  would be billed
  + globex    cpu_co…hours      12.5           =       10  would be billed
  + hooli     memory             7           new        3  would be billed
  0 vandelay  memory             0                      1  zero
  - soylent cpu_core_hours 123 in 2025-05, nothing now
  - wonka cpu_core_hours{region=eu} 123 in 2025-05,
      nothing now
  6 charges: 4 would be billed, 1 held, 1 zero
  read 791 = would be billed 759 + held 31 + zero 1

exit 1: something that is due would stay open; the report
  says what to do
"
    );
}

#[test]
fn a_run_shows_the_change_where_a_guard_holds_something_and_nowhere_else() {
    let mut report = Report { run: Some("r".into()), dry_run: false, ..compared() };
    for code in ["guard-increase", "rounding"] {
        report.problems = vec![problem(code, "sink.clazar (clazar 0.1.0)", "freezing", "2025-06", "held", "look")];
        let page = shown(&report, PLAIN);
        let is_guard = code == "guard-increase";
        assert_eq!((page.contains("vs 2025-05"), page.contains("soylent")), (is_guard, is_guard), "{page}");
    }
    for (plugin, input) in [("sink.other (clazar 0.1.0)", "2025-06"), ("sink.clazar (clazar 0.1.0)", "2025-07")] {
        report.problems = vec![problem("guard-increase", plugin, "freezing", input, "held", "look")];
        assert!(!shown(&report, PLAIN).contains("vs 2025-05"), "{plugin} {input}");
    }
}

#[test]
fn a_steep_change_stands_out_in_colour_and_is_not_left_out_of_a_long_table() {
    let page = shown(&compared(), Style { color: true, ..PLAIN });
    for (change, code) in [("+340.0 %", 31), ("-62.5 %", 31), ("new", 32), ("=", 2)] {
        assert!(page.contains(&format!("\x1b[{code}m{change}\x1b[0m")), "{change}: {page}");
    }
    assert!(page.contains("    +12.6 %  "), "{page}");
    let mut report = compared();
    let usual = (0..100).map(|n| line(&format!("a{n:02}"), "cpu", "1", 1, LineState::WouldBill));
    report.windows[0].lines.splice(0..0, usual);
    assert!(shown(&report, PLAIN).contains("-62.5 %"));
}

#[test]
fn what_is_missing_is_capped_and_cannot_fake_a_line() {
    let mut report = compared();
    let one = report.windows[0].missing[0].clone();
    report.windows[0].missing = (0..12).map(|n| Missing { customer: format!("c{n}\nexit 0"), ..one.clone() }).collect();
    let page = shown(&report, PLAIN);
    assert!(
        page.contains(
            "\n  - c7\\nexit 0 cpu_core_hours 123 in 2025-05, nothing now\n  - ... and 4 more, shown with `-v`\n"
        ),
        "{page}"
    );
    assert!(shown(&report, Style { verbose: 1, ..PLAIN }).contains("- c11\\nexit 0"));
}

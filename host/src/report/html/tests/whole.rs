//! What a page says, and in which words.

use super::*;

/// What is between two marks.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("{from} is not in the page"));
    rest.split_once(to).unwrap().0
}

fn h1(report: &Report) -> String {
    between(&report.render_html(), "<h1>", "</h1>").to_owned()
}

fn with(change: impl FnOnce(&mut Report)) -> Report {
    let mut report = report(vec![]);
    change(&mut report);
    report
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(sample().render_html(), sample().render_html());
}

#[test]
fn the_headline_answers_what_would_happen() {
    let of = |states: &[LineState]| {
        let lines = states.iter().map(|state| charge("acme", "cpu", "1", *state)).collect();
        h1(&report(vec![window("2025-06", "clazar", lines)]))
    };
    use LineState::{BilledBefore, Held, Rejected, WouldBill};
    assert_eq!(of(&[WouldBill]), "1 charge would be billed");
    assert_eq!(of(&[WouldBill, WouldBill, Held]), "2 charges would be billed, 1 is held back");
    assert_eq!(of(&[Held, Held, Rejected]), "No charge would be billed, 2 are held back, 1 is open");
    assert_eq!(of(&[BilledBefore, BilledBefore]), "Nothing is left to bill: all charges were billed before");
    assert_eq!(of(&[]), "There is nothing to bill");
    assert_eq!(h1(&with(|_| {})), "Nothing is due");
    let stuck = with(|report| {
        report.exit = Exit::Open;
        report.problems = vec![Problem::new("unreadable", "no permission")];
    });
    assert_eq!(h1(&stuck), "Nothing was read: 1 problem stands in the way");
    let quarantined = with(|report| {
        report.windows = vec![window("2025-06", "clazar", vec![charge("acme", "cpu", "1", WouldBill)])];
        report.exit = Exit::Open;
        report.problems = vec![Problem::new("quarantined", "no customer")];
    });
    assert_eq!(h1(&quarantined), "1 charge would be billed, 1 problem stands in the way");
    let run = with(|report| {
        report.dry_run = false;
        report.windows = vec![window("2025-06", "clazar", vec![charge("acme", "cpu", "1", LineState::Billed)])];
    });
    assert_eq!(h1(&run), "1 charge billed");
}

#[test]
fn the_exit_is_told_in_words_and_never_by_its_colour_alone() {
    let verdict = |exit| {
        let page = with(|report| report.exit = exit).render_html();
        between(&page, "<p class=\"verdict ", "</p>").to_owned()
    };
    for (exit, kind, mark, words) in [
        (Exit::Final, "good", "✓", "Everything that is due would be final. <small>exit 0<"),
        (Exit::Open, "look", "!", "Something that is due would stay open; the report says what to do. <small>exit 1<"),
        (Exit::Plugin, "bad", "✗", "A plugin trapped, ran over a limit"),
        (Exit::Interrupted, "look", "!", "<small>exit 130<"),
    ] {
        let verdict = verdict(exit);
        assert!(verdict.starts_with(kind) && verdict.contains(mark) && verdict.contains(words), "{verdict}");
    }
}

#[test]
fn nothing_due_is_a_short_page_that_says_what_comes_next() {
    let page = with(|_| {}).render_html();
    assert!(page.contains("<time datetime=\"2025-08-01T00:30:00Z\">2025-08-01 00:30 UTC</time>"));
    for part in ["<table", "<dl", "<section"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn what_needs_a_look_comes_first_and_is_marked_by_a_sign_and_a_word() {
    let mut differs = charge("zeta", "cpu", "12", LineState::Held);
    differs.frozen = Some("10".into());
    let lines = vec![charge("acme", "cpu", "1234567.5", LineState::WouldBill), differs];
    let page = report(vec![window("2025-06", "clazar", lines)]).render_html();
    let rows = between(between(&page, "<table class=\"cards rows\">", "</table>"), "<tbody>", "</tbody>");
    let (first, second) = rows.trim().split_once('\n').unwrap();
    assert!(first.starts_with("<tr class=\"look\"><td class=\"s\"><b>!</b> held</td>"), "{first}");
    assert!(first.contains("10 was frozen, a difference of +2"), "{first}");
    assert!(second.starts_with("<tr><td class=\"s\"><b>+</b> would be billed</td>"), "{second}");
    assert!(second.contains("<td class=\"n q\">1,234,567.5</td>"), "{second}");
}

#[test]
fn a_dimension_is_told_with_what_it_was_and_what_is_gone_counts_as_it_was() {
    let mut line = charge("acme", "cpu", "150", LineState::WouldBill);
    line.before = Some("60".into());
    let mut window = window("2025-06", "clazar", vec![line, charge("new", "cpu", "30", LineState::WouldBill)]);
    window.compared_with = Some("2025-05".into());
    window.missing = vec![Missing {
        product: String::new(),
        customer: "gone".into(),
        dimension: "cpu".into(),
        tags: vec![],
        before: "40".into(),
    }];
    let page = report(vec![window]).render_html();
    let totals = between(&page, "<table class=\"cards totals\">", "</table>");
    for cell in ["<td class=\"n t\">180</td>", "<td class=\"n b\">100</td>", "<td class=\"n c\">+80.0%</td>"] {
        assert!(totals.contains(cell), "{cell} is not in {totals}");
    }
    // 180 to 100.
    assert!(totals.contains("class=\"now\" y=\"1\" height=\"9\" width=\"1000\""), "{totals}");
    assert!(totals.contains("class=\"was\" y=\"12\" height=\"9\" width=\"555\""), "{totals}");
    // By how much of the 180 each moves it: 90, -40, 30.
    let movers = between(&page, "<ol>", "</ol>");
    let bars: Vec<&str> = movers.trim().lines().map(|line| between(line, "<rect ", "/>")).collect();
    assert_eq!(
        bars,
        [
            "class=\"more\" y=\"1\" height=\"8\" x=\"500\" width=\"500\"",
            "class=\"less\" y=\"1\" height=\"8\" x=\"278\" width=\"222\"",
            "class=\"more\" y=\"1\" height=\"8\" x=\"500\" width=\"166\"",
        ]
    );
    for words in ["<title>grows by 50% of all usage of this dimension</title>", ">gone<", ">new<", ">+150.0%<"] {
        assert!(movers.contains(words), "{words} is not in {movers}");
    }
    assert!(between(&page, "<table class=\"cards gone\">", "</table>").contains("<bdi>gone</bdi>"));
}

#[test]
fn what_differs_from_what_was_frozen_is_split_into_what_was_sent_and_what_is_held() {
    let mut differs = charge("acme", "cpu", "12", LineState::Held);
    differs.frozen = Some("10".into());
    let page = report(vec![window("2025-06", "clazar", vec![differs])]).render_html();
    let totals = between(&page, "<table class=\"cards totals\">", "</table>");
    for cell in ["<td class=\"n e\">10</td>", "<td class=\"n o\">2</td>", "<td class=\"n all\">12</td>"] {
        assert!(totals.contains(cell), "{cell} is not in {totals}");
    }
}

#[test]
fn what_has_no_sum_is_not_given_one() {
    let most = "99999999999999999999999999999999999999";
    let lines = ["a", "b"].map(|customer| {
        let mut line = charge(customer, "cpu", most, LineState::WouldBill);
        line.before = Some("-1".into());
        line
    });
    let mut window = window("2025-06", "clazar", lines.to_vec());
    window.compared_with = Some("2025-05".into());
    let page = report(vec![window]).render_html();
    assert!(between(&page, "<table class=\"cards totals\">", "</table>").contains("too many digits"));
    assert!(
        page.replace("<wbr>", "").contains("99,999,999,999,999,999,999,999,999,999,999,999,999</td>"),
        "no digit of a charge is cut"
    );
}

#[test]
fn a_sum_of_records_that_does_not_close_is_told_as_an_error() {
    let mut window = window("2025-06", "clazar", vec![charge("acme", "cpu", "1", LineState::WouldBill)]);
    assert!(report(vec![window.clone()]).render_html().contains("<p class=\"sum\">read 744 = would be billed 744</p>"));
    window.records.read += 1;
    let page = report(vec![window]).render_html();
    assert!(page.contains("<p class=\"sum verdict bad\">") && page.contains("read 745, but 744 are accounted for"));
}

#[test]
fn what_is_to_be_done_can_be_copied() {
    let report = with(|report| {
        report.problems = vec![Problem {
            input: Some("2025-06: cpu of <b>".into()),
            action: Some("say so with `resolve`\nmeterhost ledger resolve p.toml 8daa \"a & b\"".into()),
            ..Problem::new("unknown", "it may be billed")
        }];
    });
    let page = report.render_html();
    let problem = between(&page, "<ol class=\"problems\">", "</ol>");
    assert!(problem.contains("<b>To do:</b> say so with <code>resolve</code></p>"), "{problem}");
    assert!(
        problem.contains("<code>meterhost ledger resolve p.toml 8daa &quot;a &amp; b&quot;</code></pre>"),
        "{problem}"
    );
    assert!(problem.contains("2025-06: cpu of &lt;b&gt;"), "{problem}");
}

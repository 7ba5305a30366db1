//! Reports that are longer than a page can be, or hold what nobody would call a name.

use super::*;

/// Every text of a report is this.
fn all_of(text: &str) -> Report {
    let mut report = sample();
    let of = || text.to_owned();
    report.pipeline = of();
    report.notes = vec![of()];
    for incomplete in &mut report.incomplete {
        incomplete.window = of();
        incomplete.complete_until = Some(of());
    }
    for problem in &mut report.problems {
        problem.plugin = Some(of());
        problem.step = Some(of());
        problem.input = Some(of());
        problem.message = of();
        problem.action = Some(format!("{text}\n{text}"));
        problem.causes = vec![of()];
    }
    for window in &mut report.windows {
        window.window = of();
        window.sink = of();
        window.compared_with = Some(of());
        for missing in &mut window.missing {
            (missing.product, missing.customer, missing.dimension, missing.before) = (of(), of(), of(), of());
            missing.tags = vec![(of(), of())];
        }
        for left_out in &mut window.excluded {
            (left_out.rule, left_out.dimension, left_out.quantity) = (of(), of(), Some(of()));
        }
        for line in &mut window.lines {
            (line.product, line.customer, line.dimension, line.quantity) = (of(), of(), of(), of());
            line.tags = vec![(of(), of())];
            (line.exact, line.frozen, line.before, line.change) = (Some(of()), Some(of()), Some(of()), Some(of()));
            (line.reason, line.reference) = (Some(of()), Some(of()));
            for part in &mut line.parts {
                (part.customer, part.quantity) = (of(), of());
            }
        }
    }
    if let Some(ledger) = &mut report.ledger {
        (ledger.place, ledger.hash) = (of(), of());
    }
    report.next_due = Some(of());
    report
}

#[test]
fn no_text_of_a_report_becomes_markup_wherever_it_stands() {
    // What a page has of each without any data.
    let empty = report(vec![]).render_html();
    let page = all_of("<script>document.title=\"x\"</script><!--' onload='").render_html();
    for mark in ["<script", "</script", "<!--"] {
        assert_eq!(page.matches(mark).count(), empty.matches(mark).count(), "{mark}");
    }
    assert!(!page.contains("title=\"x") && !page.contains("' onload"));
    let page = all_of("\" onmouseover=\"x\" '").render_html();
    assert!(!page.contains("\" onmouseover"));
}

#[test]
fn nothing_in_a_report_can_turn_the_page_around_or_hide_in_it() {
    let page = all_of("a\u{202e}b\u{2066}c\u{0}d\u{7f}e\u{85}f\u{2028}g\u{feff}h\r\n").render_html();
    let hidden =
        |c: char| matches!(c, '\u{202e}' | '\u{2066}' | '\u{2028}' | '\u{feff}') || (c.is_control() && c != '\n');
    assert_eq!(page.chars().find(|c| hidden(*c)), None);
}

#[test]
fn a_report_of_many_charges_is_a_page_that_can_be_mailed_and_says_what_is_left_out() {
    let line = |number: usize| {
        let mut line = charge(&format!("customer-{number:05}"), "cpu", "1234.5", LineState::WouldBill);
        // Of those that are left out, no text matters.
        line.reason = (number < 2_000).then(|| "r".repeat(10_000));
        line
    };
    let lines: Vec<_> = (0..50_000).map(line).collect();
    let page = report(vec![window("2025-06", "clazar", lines)]).render_html();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("48,940 more charges are not on this page (48,940 would be billed); <code>--json</code>"));
    assert_eq!(page.matches("<tr><td class=\"s\">").count(), 1_060);
}

#[test]
fn a_report_of_many_windows_is_a_page_too() {
    let windows: Vec<_> = (0..800)
        .map(|hour| {
            let state = if hour % 2 == 0 { LineState::WouldBill } else { LineState::Held };
            let lines = (0..300).map(|number| charge(&format!("customer-{number}"), "cpu", "1", state)).collect();
            window(&format!("2025-06-{hour:04}"), "clazar", lines)
        })
        .collect();
    let report = Report {
        problems: vec![Problem::new("held", "in doubt"); 10_000],
        notes: vec!["so".into(); 5_000],
        ..report(windows)
    };
    let page = report.render_html();
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
    for words in [
        "<p class=\"more\">776 more windows of the overview",
        "<p class=\"more\">400 more are not on this page",
        "<h2 id=\"problems\">10,000 problems</h2>",
        "4,990 more notes",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(page.matches("<section class=\"window\"").count(), 24);
}

#[test]
fn one_text_of_ten_thousand_letters_leaves_room_for_the_others() {
    let page = all_of(&"<".repeat(10_000)).render_html();
    assert!(page.len() < 40_000_000, "{} bytes", page.len());
}

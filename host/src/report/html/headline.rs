//! What would happen, in one sentence and a few numbers.

use jiff::Timestamp;

use super::amount::grouped;
use super::markup::{Html, short_name};
use crate::report::text::{add, count, counted, ending};
use crate::report::words::Words;
use crate::report::{Charges, Exit, Report};

/// What the page is called in a tab or a list of files.
pub(super) fn title(report: &Report) -> String {
    let what = if report.dry_run { "plan" } else { "run" };
    format!("{}: {what}: {}", short_name(&report.pipeline), answer(report))
}

/// The sum over all windows.
fn sum(report: &Report) -> Charges {
    let mut sum = Charges::default();
    report.windows.iter().for_each(|window| add(&mut sum, window.charges));
    sum
}

/// `312 charges would be billed, 3 are held back`
fn answer(report: &Report) -> String {
    let Charges { billed, billed_before, pending, rejected, unknown, held, waived: _, zero: _ } = sum(report);
    if report.windows.is_empty() {
        let due = if report.dry_run { "is" } else { "was" };
        return match (report.problems.len(), report.exit) {
            (0, Exit::Final) => format!("nothing {due} due"),
            (0, _) => "nothing was read".to_owned(),
            (1, _) => "nothing was read: 1 problem stands in the way".to_owned(),
            (problems, _) => format!("nothing was read: {} problems stand in the way", count(problems as u64)),
        };
    }
    let open = pending + rejected + unknown;
    let words = Words::of_all(report);
    let would = words.done();
    let be = |number| if number == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if billed > 0 || held + open > 0 {
        parts.push(match billed {
            0 => format!("no charge {would}"),
            billed => format!("{} {would}", counted(billed, "charge")),
        });
    } else if billed_before > 0 {
        let (all, was) = if billed_before == 1 { ("the one charge", "was") } else { ("all charges", "were") };
        parts.push(format!("nothing is left to {}: {all} {was} {}", words.to_do(), words.before()));
    } else {
        parts.push(format!("there is nothing to {}", words.to_do()));
    }
    if held > 0 {
        parts.push(format!("{} {} held back", count(held), be(held)));
    }
    if open > 0 {
        parts.push(format!("{} {} open", count(open), be(open)));
    }
    // A record whose charge nobody knows holds none of those above.
    if held + open == 0 && report.exit != Exit::Final && !report.problems.is_empty() {
        let problems = report.problems.len() as u64;
        parts.push(format!(
            "{} {} in the way",
            counted(problems, "problem"),
            if problems == 1 { "stands" } else { "stand" }
        ));
    }
    parts.join(", ")
}

pub(super) fn write(page: &mut Html, report: &Report) {
    page.raw("<header>\n<p class=\"kind\">");
    page.raw(if report.dry_run { "Plan of <b>" } else { "Report of <b>" }).name(&report.pipeline).raw("</b>");
    match &report.run {
        _ if report.dry_run => page.raw(" · a dry run: nothing was changed"),
        Some(run) => page.raw(" · run ").name(run),
        None => page,
    };
    page.raw("</p>\n<h1>").text(&capitalised(&answer(report))).raw("</h1>\n");
    page.raw("<p class=\"facts\">");
    windows(page, report);
    if let Some(due) = &report.next_due {
        page.raw(" The next window is due at ");
        moment(page, due);
        page.raw(".");
    }
    page.raw("</p>\n<p class=\"verdict ");
    page.raw(match report.exit {
        Exit::Final => "good\"><span aria-hidden=\"true\">✓</span>",
        Exit::Open | Exit::Held | Exit::Interrupted => "look\"><span aria-hidden=\"true\">!</span>",
        Exit::Configuration | Exit::Plugin | Exit::Ledger => "bad\"><span aria-hidden=\"true\">✗</span>",
    });
    let ending = capitalised(ending(report.exit, report.dry_run));
    page.raw(" <span>").text(&ending).raw(". <small>exit ").digits(u64::from(u8::from(report.exit)));
    page.raw("</small></span></p>\n");
    tiles(page, report);
    page.raw("</header>\n");
}

/// `Windows 2025-05 to 2025-07, to clazar and marketplace.`
fn windows(page: &mut Html, report: &Report) {
    let mut labels: Vec<&str> = report.windows.iter().map(|window| window.window.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut sinks: Vec<&str> = report.windows.iter().map(|window| window.sink.as_str()).collect();
    sinks.sort_unstable();
    sinks.dedup();
    match labels.as_slice() {
        [] => return,
        [only] => page.raw("Window <b>").text(only).raw("</b>"),
        [first, .., last] => {
            let page = page.count(labels.len() as u64).raw(" windows, <b>").text(first);
            page.raw("</b> to <b>").text(last).raw("</b>")
        }
    };
    let through = Words::of_all(report).of_a_run().done();
    match sinks.as_slice() {
        [only] => page.raw(", ").raw(through).raw(" through <b>").name(only).raw("</b>."),
        _ => page.raw(", ").raw(through).raw(" through ").count(sinks.len() as u64).raw(" sinks."),
    };
}

/// Numbers that would be asked for next.
fn tiles(page: &mut Html, report: &Report) {
    if report.windows.is_empty() {
        return;
    }
    let Charges { billed, billed_before, pending, rejected, unknown, held, waived, zero } = sum(report);
    let lines = || report.windows.iter().flat_map(|window| &window.lines);
    let differ = lines().filter(|line| line.frozen.is_some()).count() as u64;
    let missing = report.windows.iter().map(|window| window.missing.len() as u64).sum();
    let words = Words::of_all(report);
    let tiles = [
        (words.done(), billed, "good", true),
        ("held back", held, "look", true),
        ("open: rejected, unknown, pending", pending + rejected + unknown, "look", false),
        ("differ from what was frozen", differ, "look", false),
        ("billed last time, gone now", missing, "look", false),
        (words.before(), billed_before, "", false),
        ("waived", waived, "", false),
        ("come to zero, not sent", zero, "", false),
        ("problems", report.problems.len() as u64, "look", true),
    ];
    page.raw("<dl class=\"tiles\">\n");
    for (words, number, kind, always) in tiles {
        if number == 0 && !always {
            continue;
        }
        page.raw("<div class=\"");
        page.raw(if number > 0 { kind } else { "" }).raw("\"><dt>").text(words).raw("</dt><dd>");
        page.text(&grouped(&number.to_string())).raw("</dd></div>\n");
    }
    page.raw("</dl>\n");
}

/// A moment as a person reads it; as it is, if it is none.
pub(super) fn moment(page: &mut Html, moment: &str) {
    let Ok(parsed) = moment.parse::<Timestamp>() else {
        page.text(moment);
        return;
    };
    page.raw("<time datetime=\"").text(moment).raw("\">");
    page.text(&parsed.strftime("%Y-%m-%d %H:%M UTC").to_string()).raw("</time>");
}

pub(super) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

//! A window of a sink: its state, its charges, and where its items went.

use std::io;

use super::change;
use super::style::{Paint, Style, count, counted};
use super::table;
use crate::report::words::Words;
use crate::report::{Charges, Items, LeftOut, Quantities, Report, WindowReport};

/// So many settled windows, and as many others, are shown with their charges; unless everything is to be shown, the rest of the
/// settled ones is summed up, and each of the others has a line.
const MOST_WINDOWS: usize = 12;
/// So many dimensions are shown of which not everything was sent as it was used, unless everything is.
const MOST_QUANTITIES: usize = 8;
/// So many exclusions of a window are shown, unless everything is.
const MOST_EXCLUDED: usize = 8;

/// Every window, and what they come to.
pub(super) fn write(out: &mut dyn io::Write, report: &Report, style: Style) -> io::Result<()> {
    let (mut quiet, mut loud, mut empty) = (0, 0, 0);
    let (mut folded, mut all) = (Charges::default(), Charges::default());
    for window in &report.windows {
        add(&mut all, window.charges);
        let is_quiet = window.settled && !window.lines.iter().any(|line| line.frozen.is_some());
        if window.lines.is_empty() && window.records.read == 0 && report.windows.len() > MOST_WINDOWS {
            // Where there are many, those that hold something are worth the room.
            empty += 1;
            if !style.everything() {
                continue;
            }
        }
        let seen = if is_quiet { &mut quiet } else { &mut loud };
        *seen += 1;
        if *seen <= MOST_WINDOWS || style.everything() {
            write_whole(out, window, change::shown(report, window), report.dry_run, style)?;
        } else if is_quiet {
            add(&mut folded, window.charges);
        } else {
            writeln!(
                out,
                "{}; {}\n",
                heading(window, report.dry_run, style),
                charges(window.charges, Words::of(window, report.dry_run))
            )?;
        }
    }
    if quiet > MOST_WINDOWS && !style.everything() {
        let more = count((quiet - MOST_WINDOWS) as u64);
        let charges = charges(folded, Words::of_all(report));
        writeln!(out, "{} and {more} more that are settled: {charges}; shown with `-v`\n", style.ellipsis())?;
    }
    if empty > 0 && !style.everything() {
        writeln!(out, "{} and {} without usage\n", style.ellipsis(), counted(empty, "window"))?;
    }
    if report.windows.len() > 1 {
        writeln!(out, "in all, {}\n", charges(all, Words::of_all(report)))?;
    }
    Ok(())
}

fn write_whole(
    out: &mut dyn io::Write,
    window: &WindowReport,
    before: Option<&str>,
    dry_run: bool,
    style: Style,
) -> io::Result<()> {
    let words = Words::of(window, dry_run);
    writeln!(out, "{}", heading(window, dry_run, style))?;
    table::write(out, &window.lines, before, words, style)?;
    if let Some(before) = before {
        change::write_missing(out, &window.missing, before, style)?;
    }
    let differing = window.lines.iter().filter(|line| line.frozen.is_some()).count() as u64;
    let differ = match differing {
        0 => String::new(),
        1 => "; 1 differs from what was frozen".to_owned(),
        more => format!("; {} differ from what was frozen", count(more)),
    };
    let charges = format!("{}{differ}", charges(window.charges, words));
    writeln!(out, "  {}", style.wrapped(&charges, 2, 4))?;
    let paint = if window.records.closes() { Paint::Plain } else { Paint::Bad };
    let items = style.wrapped(&items(window.records, words), 2, 4);
    writeln!(out, "  {}", style.paint(paint, &items))?;
    write_quantities(out, &window.quantities, words, style)?;
    write_excluded(out, &window.excluded, style)?;
    writeln!(out)
}

/// `cpu 120.5 = billed 100 + held 20.5; sent 100`: of the dimensions of which not all was sent as it was used, and of those that do not close.
fn write_quantities(out: &mut dyn io::Write, all: &[Quantities], words: Words, style: Style) -> io::Result<()> {
    let told: Vec<&Quantities> =
        all.iter().filter(|sums| style.everything() || !sums.is_plain() || !sums.closes()).collect();
    let shown = if style.everything() { told.len() } else { MOST_QUANTITIES };
    for sums in told.iter().take(shown) {
        let paint = if sums.closes() { Paint::Plain } else { Paint::Bad };
        let text = style.wrapped(&quantities(sums, &style.name(&sums.dimension), words), 2, 4);
        writeln!(out, "  {}", style.paint(paint, &text))?;
    }
    match told.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  {} and {} more dimensions, shown with `-v`", style.ellipsis(), count(more as u64)),
    }
}

pub(in crate::report) fn quantities(sums: &Quantities, dimension: &str, words: Words) -> String {
    let places = [
        (sums.billed, words.done()),
        (sums.billed_before, words.before()),
        (sums.carried, "carried"),
        (sums.open, "open"),
        (sums.held, "held"),
        (sums.waived, "waived"),
        (sums.zero, "zero"),
    ];
    let parts = places.iter().filter(|(quantity, _)| !quantity.is_zero());
    let parts: Vec<String> = parts.map(|(quantity, place)| format!("{place} {}", quantity.normalised())).collect();
    let sum = if parts.is_empty() { "nothing".to_owned() } else { parts.join(" + ") };
    let is = if sums.closes() { "=" } else { "is not" };
    let mut text = format!("{dimension} {} {is} {sum}", sums.used.normalised());
    let beside = [(sums.carried_in, "carried in"), (sums.rounding, "rounding"), (sums.left_over, "left over")];
    let beside: Vec<String> = beside
        .iter()
        .filter(|(quantity, _)| !quantity.is_zero())
        .map(|(quantity, what)| format!("{what} {}", quantity.normalised()))
        .collect();
    if !beside.is_empty() {
        text += &format!("; sent {}, with {}", sums.sent.normalised(), beside.join(", "));
    }
    text
}

/// `excluded 36 cpu, 15 in all, by free below`
fn write_excluded(out: &mut dyn io::Write, excluded: &[LeftOut], style: Style) -> io::Result<()> {
    let shown = if style.everything() { excluded.len() } else { MOST_EXCLUDED };
    for LeftOut { rule, dimension, records, quantity } in excluded.iter().take(shown) {
        let records = counted(*records, "record");
        let sum = quantity.as_ref().map(|quantity| format!(", {quantity} in all")).unwrap_or_default();
        let text = format!("excluded {records} of {}{sum}: {}", style.name(dimension), style.sentence(rule));
        writeln!(out, "  {}", style.wrapped(&text, 2, 4))?;
    }
    match excluded.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  {} and {} more, shown with `-v`", style.ellipsis(), count(more as u64)),
    }
}

/// `2025-06 → clazar: settled`
fn heading(window: &WindowReport, dry_run: bool, style: Style) -> String {
    let place = format!("{} {} {}:", style.escaped(&window.window), style.arrow(), style.name(&window.sink));
    let (word, paint) = if window.settled { ("settled", Paint::Good) } else { ("open", Paint::Doubtful) };
    // What is settled already would not be settled by a run.
    let would = if dry_run && window.charges.billed > 0 { "would be " } else { "" };
    format!("{} {}", style.paint(Paint::Bold, &place), style.paint(paint, &format!("{would}{word}")))
}

/// `6 charges: 4 billed, 1 rejected, 1 held`
pub(in crate::report) fn charges(charges: Charges, words: Words) -> String {
    let Charges { billed, billed_before, pending, rejected, unknown, held, waived, zero } = charges;
    let states = [
        (billed, words.done()),
        (billed_before, words.before()),
        (pending, "pending"),
        (rejected, "rejected"),
        (unknown, "unknown"),
        (held, "held"),
        (waived, "waived"),
        (zero, "zero"),
    ];
    let total = states.iter().map(|(number, _)| number).sum();
    if total == 0 {
        return "no charges".to_owned();
    }
    let parts: Vec<String> = present(states).map(|(number, state)| format!("{} {state}", count(number))).collect();
    format!("{}: {}", counted(total, "charge"), parts.join(", "))
}

/// `read 2,232 = billed 2,228 + held 3 + quarantined 1`
pub(in crate::report) fn items(items: Items, words: Words) -> String {
    let Items {
        read,
        billed,
        billed_before,
        carried,
        open,
        held,
        quarantined,
        waived,
        duplicate,
        excluded,
        zero,
        elsewhere,
    } = items;
    let places = [
        (billed, words.done()),
        (billed_before, words.before()),
        (carried, "carried"),
        (open, "open"),
        (held, "held"),
        (quarantined, "quarantined"),
        (waived, "waived"),
        (duplicate, "duplicate"),
        (excluded, "excluded"),
        (zero, "zero"),
        (elsewhere, "elsewhere"),
    ];
    let terms: Vec<String> = present(places).map(|(number, place)| format!("{place} {}", count(number))).collect();
    let sum = terms.join(" + ");
    match (read, items.closes()) {
        (0, true) => "read nothing".to_owned(),
        (_, true) => format!("read {} = {sum}", count(read)),
        (_, false) if sum.is_empty() => format!("read {}, and nothing is accounted for", count(read)),
        (_, false) => {
            let total = u64::try_from(items.total()).unwrap_or(u64::MAX);
            format!("read {}, but {} are accounted for: {sum}", count(read), count(total))
        }
    }
}

fn present<const N: usize>(numbers: [(u64, &'static str); N]) -> impl Iterator<Item = (u64, &'static str)> {
    numbers.into_iter().filter(|(number, _)| *number > 0)
}

pub(in crate::report) fn add(sum: &mut Charges, term: Charges) {
    let Charges { billed, billed_before, pending, rejected, unknown, held, waived, zero } = term;
    sum.billed += billed;
    sum.billed_before += billed_before;
    sum.pending += pending;
    sum.rejected += rejected;
    sum.unknown += unknown;
    sum.held += held;
    sum.waived += waived;
    sum.zero += zero;
}

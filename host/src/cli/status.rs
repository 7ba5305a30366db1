//! `meterhost status`: how a pipeline stands, for a person and for a probe. It loads no plugin and writes nothing.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::shared::{Outside, Refused, escaped, print};
use super::{Global, PipelineArgs};
use crate::ledger::Place;
use crate::pipeline::{SinkStatus, Status};
use crate::report::{Exit, document};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Exit 0 as long as whatever is open, held or due belongs to windows that have been due for less than this, such as 2h
    #[arg(long, value_name = "TIME", value_parser = crate::config::parse_duration, default_value = "0s")]
    patience: Duration,
}

pub(super) fn status(args: &StatusArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let now = args.pipeline.now();
    let status = Status::of(&pipeline, &place, now, args.patience).map_err(|error| Refused::of(&pipeline, error))?;
    let holder = place.holder()?;
    let exit = if status.needs_a_run { Exit::Open } else { Exit::Final };
    match global.json {
        true => print(&document(&json!({
            "pipeline": pipeline.name,
            "exit": exit,
            "now": now,
            "sinks": status.sinks,
            "next_due": status.next_due,
            "last_run": status.last_run,
            "holder": holder,
            "ledger": { "place": place.short_name(), "entries": status.head.number, "hash": status.head.hash },
        }))),
        false => print(&text(&pipeline.name, &status, holder.as_deref(), &place)),
    }
    Ok(exit)
}

// Writing into a string cannot fail.
fn text(pipeline: &str, status: &Status, holder: Option<&str>, place: &Place) -> String {
    let mut text = format!("{}\n", pipeline.escape_debug());
    for sink in &status.sinks {
        let gone = if sink.in_file { "" } else { ", which the file has no more: put it back" };
        let _ = writeln!(text, "  sink {}{gone}", sink.sink.escape_debug());
        for (name, value) in lines(sink) {
            let _ = writeln!(text, "    {name:<10}{value}");
        }
    }
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    if let Some(next) = &status.next_due {
        line("next due", format!("{next:.0}"));
    }
    line(
        "last run",
        status.last_run.as_ref().map_or_else(
            || "none".to_owned(),
            |run| format!("{}, begun at {:.0}, which took the time for {:.0}", run.run.escape_debug(), run.at, run.now),
        ),
    );
    line("held by", holder.map_or_else(|| "nobody".to_owned(), |holder| holder.escape_debug().to_string()));
    let ledger = match status.head.number {
        0 => "not there yet".to_owned(),
        entries => format!("{entries} entries, up to {}", status.head.hash),
    };
    line("ledger", format!("{}: {ledger}", place.short_name().escape_debug()));
    let sums = status.sinks.iter().map(|sink| sink.due.is_some() || !sink.open.is_empty() || sink.held > 0);
    let behind = status.sinks.iter().any(|sink| !sink.behind.is_empty());
    let differing = status.sinks.iter().filter_map(|sink| sink.published.as_ref());
    let differing = differing.flat_map(|published| &published.pins).filter(|pin| pin.differs).count();
    let ending = match (status.needs_a_run, sums.into_iter().any(|waits| waits)) {
        (true, true) if behind => {
            "exit 1: something is due, open or held, or to be published; a run says what there is to do"
        }
        (true, false) if behind => "exit 1: a month is to be published; a run says what there is to do",
        (true, _) => "exit 1: something is due, open or held; a run says what there is to do",
        (false, true) => "exit 0: what is due, open or held has not been so for long",
        (false, false) => "exit 0: everything that is due is final",
    };
    let but = match differing {
        0 => "",
        1 => "; readers of 1 month are shown other charges than it has, as a person said",
        _ => "; readers of some months are shown other charges than these have, as a person said",
    };
    let _ = writeln!(text, "{ending}{but}");
    text
}

fn lines(sink: &SinkStatus) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    lines.push((
        "settled",
        sink.settled.as_ref().map_or_else(
            || "no window yet".to_owned(),
            |settled| format!("up to {}, at {:.0}", settled.window, settled.at),
        ),
    ));
    if let Some(due) = &sink.due {
        let windows = match due.windows {
            1 => due.oldest.to_string(),
            more => format!("{more} windows from {} to {}", due.oldest, due.newest),
        };
        let since = due.since.map_or_else(String::new, |since| format!(", since {since:.0}"));
        lines.push(("due", format!("{windows}{since}; whether the data is complete was not asked")));
    }
    for open in &sink.open {
        let charges = if open.charges == 1 { "charge" } else { "charges" };
        let oldest = format!("the oldest of {}", open.oldest);
        lines.push(("open", format!("{} {charges} {}, {oldest}", open.charges, open.standing)));
    }
    if let Some(window) = sink.held_since {
        lines.push(("held", format!("{}, the oldest of {window}", sink.held)));
    }
    lines.extend(sink.behind.iter().map(|month| {
        let shown = if month.shown { "other charges than it has" } else { "nothing of it" };
        ("behind", format!("{}: readers are shown {shown}; a run publishes it", month.period.label()))
    }));
    if let Some(published) = &sink.published {
        let mut text = format!("up to {}, as {}", published.period, published.id.escape_debug());
        if published.pinned > 0 {
            text += &format!("; {} pinned", published.pinned);
        }
        if published.left_behind > 0 {
            text += &format!("; {} left behind by a crash: `meterhost snapshots prune`", published.left_behind);
        }
        lines.push(("published", text));
        lines.extend(published.pins.iter().map(|pin| {
            let (month, id, reason) = (pin.period.label(), pin.id.escape_debug(), escaped(&pin.reason));
            let differs = match pin.differs {
                true => ", which holds other charges than it has; `meterhost snapshots release` publishes those",
                false => "",
            };
            ("pinned", format!("{month}: readers are shown {id}{differs}; because: {reason}"))
        }));
    }
    if sink.late > 0 {
        let charges = if sink.late == 1 { "charge" } else { "charges" };
        lines.push(("late", format!("usage of {} {charges}, to be billed with a later window", sink.late)));
    }
    lines
}

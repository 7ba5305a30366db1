//! What `explain` says of what would be a charge and is not frozen.

use serde_json::{Value, json};

use super::shared::escaped;
use crate::config::Pipeline;
use crate::ledger::{Decision, Scope, Unfrozen};
use crate::shell;

/// What comes next, and the command by which a person decides, where there is something to decide.
fn next(pipeline: &Pipeline, about: &Unfrozen, publishes: bool) -> (&'static str, Option<String>) {
    let verdicts: Vec<&str> = about.verdicts.iter().map(|said| said.as_str()).collect();
    let command = || format!("{} {} --reason \"...\"", about.kept.id, verdicts.join("|"));
    let said = about.word.as_ref().filter(|(_, stands)| *stands).map(|(word, _)| word.decision);
    match (about.is_held, said) {
        (true, Some(Decision::Release)) if publishes => ("a run publishes it", None),
        (true, Some(Decision::Billed)) if publishes => {
            ("a run leaves of it what was published, as a person said that it is billed", None)
        }
        (true, Some(Decision::Release)) => ("a run bills it", None),
        (true, Some(Decision::Billed)) => ("a run writes it down as billed, and sends nothing", None),
        (false, _) | (true, Some(Decision::Waive)) => {
            ("nothing, as long as it comes to exactly this: another quantity is held again", None)
        }
        (true, _) if verdicts.is_empty() && publishes => ("mend what the reason names: a run then publishes it", None),
        (true, _) if publishes => (
            "mend what the reason names, and a run publishes it; until then what was published of it last stays; or say what is to \
             become of it:",
            Some(shell::command(pipeline, "ledger resolve", &command())),
        ),
        (true, _) if verdicts.is_empty() => ("mend what the reason names: a run then bills it", None),
        (true, _) => (
            "mend what the reason names, and a run bills it; or say what is to become of it:",
            Some(shell::command(pipeline, "ledger resolve", &command())),
        ),
    }
}

/// For a person.
pub(super) fn says(pipeline: &Pipeline, about: &Unfrozen, publishes: bool) -> String {
    let Unfrozen { sink, window, kept, is_held, holds, word, .. } = about;
    let mut lines = vec![
        match publishes {
            false => {
                format!("{} would be a charge of {}, and is not frozen: nothing of it was sent", kept.id, pipeline.name)
            }
            true => {
                let held = if *is_held { "is held: no" } else { "no" };
                format!("{} would be a charge of {}, and {held} set has it as it is", kept.id, pipeline.name)
            }
        },
        format!("  {}, {}, to {sink}", kept.words(), window.label()),
    ];
    let from = if kept.from.is_empty() { String::new() } else { format!(" from {}", kept.from.join(", ")) };
    let of = if kept.of.is_empty() { String::new() } else { format!(" of {}", kept.of.join(", ")) };
    lines.push(format!("  made{from}{of}"));
    // What is in doubt because of the input says so below.
    let of_input: Vec<_> = holds.iter().filter(|hold| !matches!(hold.scope, Scope::Charge { .. })).collect();
    if *is_held && (kept.code != "doubt" || of_input.is_empty()) {
        lines.push(format!("  held: {}: {}", kept.code, kept.reason));
    }
    lines.extend(of_input.iter().map(|hold| {
        let place = hold.place.as_deref().map_or_else(String::new, |place| format!("{place}: "));
        format!("  {} is held: {place}{}", hold.scope.words(), hold.reason)
    }));
    lines.extend(word.iter().map(|(word, stands)| {
        let void = if *stands { "" } else { ", when it came to another quantity" };
        format!("  {}{void}", word.words())
    }));
    let (next, command) = next(pipeline, about, publishes);
    lines.push(format!("next: {next}"));
    lines.extend(command.map(|command| format!("  {command}")));
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    format!("{}\n", lines.join("\n"))
}

pub(super) fn as_json(pipeline: &Pipeline, about: &Unfrozen, publishes: bool) -> Value {
    let Unfrozen { sink, window, kept, is_held, holds, word, .. } = about;
    let (next, command) = next(pipeline, about, publishes);
    let word = word.as_ref().map(
        |(word, stands)| json!({ "decision": word.decision, "reason": word.reason, "by": word.by, "stands": stands }),
    );
    json!({
        "pipeline": pipeline.name, "sink": sink, "window": window, "charge": Value::Null, "would_be": kept,
        "held": is_held, "holds": holds, "word": word, "next": next, "command": command,
    })
}

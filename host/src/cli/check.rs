//! `meterhost check`: all that can be known before a run.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::shared::{Refused, Workshop, missing_secrets, print};
use super::{Global, PipelineArgs};
use crate::broker::Grants;
use crate::pipeline::{Section, Setup};
use crate::report::Exit;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Ask nothing outside: do not look whether granted folders and secrets are there
    #[arg(long)]
    offline: bool,
    /// Show what each plugin can reach, and what for
    #[arg(long)]
    explain: bool,
}

pub(super) fn check(args: &CheckArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    args.pipeline.window(&pipeline)?;
    let workshop = Workshop::open(global)?;
    let setup = workshop.set_up(pipeline)?;
    let missing = if args.offline { Vec::new() } else { missing(&setup, &workshop) };
    if global.json {
        let plugins: Vec<_> = setup.sections().map(document).collect();
        let document = json!({
            "pipeline": setup.pipeline.name,
            "exit": u8::from(if missing.is_empty() { Exit::Final } else { Exit::Open }),
            "plugins": plugins,
            "problems": missing,
        });
        print(&format!("{document:#}\n"));
    } else {
        print(&text(&setup, args.explain, &missing));
    }
    Ok(if missing.is_empty() { Exit::Final } else { Exit::Open })
}

fn document(section: &Section) -> serde_json::Value {
    json!({
        "section": section.name,
        "name": section.plugin.description().name,
        "version": section.plugin.description().version,
        "sha256": section.plugin.digest(),
        "reaches": section.grants.describe(),
    })
}

fn text(setup: &Setup, explain: bool, missing: &[String]) -> String {
    let mut text = String::new();
    let pipeline = &setup.pipeline;
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{}: windows of a {}, due {} after their end",
        pipeline.name,
        pipeline.window,
        words(pipeline.grace)
    );
    for section in setup.sections() {
        let _ = writeln!(text, "  {}: {}", section.label(), section.plugin.description().purpose);
        if explain {
            let reaches = section.grants.describe();
            if reaches.is_empty() {
                let _ = writeln!(text, "      reaches nothing");
            }
            for line in reaches {
                let _ = writeln!(text, "      {line}");
            }
            let limits = section.limits;
            let _ = writeln!(
                text,
                "      uses at most {} MiB of memory, and {} of computing a call",
                limits.memory >> 20,
                words(limits.time)
            );
        }
    }
    for problem in missing {
        let _ = writeln!(text, "problem: {problem}");
    }
    let _ = writeln!(text, "{}", if missing.is_empty() { "ready to run" } else { "not ready to run" });
    text
}

fn words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "0 s".to_owned(),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// What a run would not find: folders that cannot be listed, variables of secrets that are not set. Values are not read.
fn missing(setup: &Setup, workshop: &Workshop) -> Vec<String> {
    let mut missing = missing_secrets(&setup.pipeline);
    for section in setup.sections().filter(|section| section.grants.reads()) {
        missing.extend(unlisted(workshop, &section.grants, &section.name));
    }
    missing
}

fn unlisted(workshop: &Workshop, grants: &Arc<Grants>, name: &str) -> Option<String> {
    let session = workshop.broker.session(name, grants.clone(), true);
    let listed = workshop.block_on(async { session.list("", None).await?.next().await });
    listed.err().map(|error| format!("{name}: {error}"))
}

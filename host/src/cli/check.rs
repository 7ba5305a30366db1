//! `meterhost check`: all that can be known before a run.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::shared::{
    Refused, Silent, Workshop, missing_secrets, of_file, of_ledger, print, show_configuration, show_problems,
};
use super::{Global, PipelineArgs};
use crate::broker::{Account, Grants, ObjectError, Policy};
use crate::config::{ConfigErrors, LedgerLocation, Located, S3Location};
use crate::ledger::{Ledger, LedgerError, State, Trouble};
use crate::pipeline::{Options, Section, Setup, at_fault, complete_until, identity, to_be_taken_over};
use crate::report::{Exit, Problem};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Ask nothing outside: do not look whether secrets, the ledger and granted folders are there
    #[arg(long)]
    offline: bool,
    /// Show what each plugin can reach, and what for
    #[arg(long)]
    explain: bool,
    /// Show the least that a policy of AWS IAM has to allow for that
    #[arg(long, requires = "explain")]
    iam: bool,
}

pub(super) fn check(args: &CheckArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    args.pipeline.window(&pipeline)?;
    let workshop = Workshop::open(global)?;
    let setup = workshop.set_up(pipeline)?;
    let now = args.pipeline.now();
    let found = if args.offline { Found::default() } else { Found::of(&setup, &workshop, now) };
    let policy = args.iam.then(|| policy(&setup, &workshop));
    if global.json {
        let plugins: Vec<_> = setup.sections().map(document).collect();
        let mut document = json!({
            "pipeline": setup.pipeline.name,
            "exit": found.exit,
            "plugins": plugins,
            "complete_until": found.complete_until.map(|until| until.to_string()),
            "taken_over": found.taken_over,
            "problems": found.all(),
        });
        if let (Some(policy), Some(members)) = (policy, document.as_object_mut()) {
            members.insert("iam".to_owned(), policy.document());
        }
        print(&format!("{document:#}\n"));
    } else {
        print(&text(&setup, args.explain, &found));
        match policy {
            Some(policy) if policy.is_empty() => print("the pipeline reaches nothing of AWS\n"),
            Some(policy) => print(&format!("what IAM has to allow, and no more:\n{:#}\n", policy.document())),
            None => {}
        }
        found.show(global);
    }
    Ok(found.exit)
}

/// What a run would not get far without.
#[derive(Default)]
struct Found {
    exit: Exit,
    /// What is wrong in the file: secrets that cannot be read, names that the ledger knows otherwise.
    file: Option<ConfigErrors>,
    others: Vec<Problem>,
    /// How far the source says that its data is complete.
    complete_until: Option<Timestamp>,
    /// What the first run would take over from the state document.
    taken_over: Option<String>,
}

impl Found {
    /// Looks for secrets that cannot be read, a ledger that cannot be used, and folders that cannot be listed; asks the source how far
    /// its data is complete; reads the state document.
    fn of(setup: &Setup, workshop: &Workshop, now: Timestamp) -> Self {
        let mut found = Found { file: missing_secrets(&setup.pipeline), ..Found::default() };
        if found.file.is_some() {
            found.exit = Exit::Configuration;
        }
        match usable(setup, now) {
            Err(error) => {
                found.exit = found.exit.and(error.exit());
                match at_fault(&setup.pipeline, &error) {
                    Some(errors) => found.in_file(errors),
                    None => found.others.push(of_ledger(&error)),
                }
            }
            Ok(state) => {
                let stop = AtomicBool::new(false);
                let wait = Duration::ZERO;
                let options = Options {
                    now,
                    window: None,
                    last: None,
                    republish: None,
                    dry_run: true,
                    wait,
                    stop: &stop,
                    watch: &Silent,
                };
                match to_be_taken_over(setup, &options, &state) {
                    Ok(words) => found.taken_over = words,
                    Err((exit, problem)) => {
                        found.exit = found.exit.and(exit);
                        found.others.push(problem);
                    }
                }
            }
        }
        for section in setup.sections().filter(|section| section.grants.reads()) {
            if let Err(problem) = listed(workshop, section) {
                found.exit = found.exit.and(Exit::Open);
                found.others.push(problem);
            }
        }
        match complete_until(setup, now, true) {
            Ok(until) => found.complete_until = until,
            Err(problem) => {
                found.exit = found.exit.and(Exit::Open);
                found.others.push(problem);
            }
        }
        found
    }

    fn in_file(&mut self, errors: ConfigErrors) {
        match &mut self.file {
            Some(all) => all.merge(errors),
            None => self.file = Some(errors),
        }
    }

    fn all(&self) -> Vec<Problem> {
        let in_file = self.file.as_ref().map(of_file).unwrap_or_default();
        in_file.into_iter().chain(self.others.iter().cloned()).collect()
    }

    fn show(&self, global: &Global) {
        if let Some(errors) = &self.file {
            show_configuration(errors);
        }
        show_problems(&self.others, global);
    }
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

fn text(setup: &Setup, explain: bool, found: &Found) -> String {
    let mut text = String::new();
    let pipeline = &setup.pipeline;
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{}: windows of {}, due {} after their end",
        pipeline.name,
        pipeline.one_window(),
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
    if let Some(words) = &found.taken_over {
        let _ = writeln!(text, "to be {words}");
    }
    if let Some(until) = found.complete_until {
        let _ = writeln!(text, "the data is complete up to {until}");
    }
    let _ = writeln!(text, "{}", if found.exit == Exit::Final { "ready to run" } else { "not ready to run" });
    text
}

/// What IAM has to allow for the plugins, the ledger and the state document.
fn policy(setup: &Setup, workshop: &Workshop) -> Policy {
    let pipeline = &setup.pipeline;
    let ledger = match &pipeline.ledger {
        LedgerLocation::Sqlite(_) => None,
        LedgerLocation::S3(location) => {
            let S3Location { url, role, profile, region, .. } = &**location;
            let account = Account { role: role.clone(), profile: profile.clone(), region: region.clone() };
            Some((url.as_str(), account))
        }
    };
    let mirror = pipeline.mirror.as_ref().map(|mirror| {
        let value = |text: &Option<Located<String>>| text.as_ref().map(|text| text.value.clone());
        let (role, profile, region) = (value(&mirror.role), value(&mirror.profile), value(&mirror.region));
        (mirror.place().0, Account { role, profile, region })
    });
    // Places that cannot be are said to be that elsewhere.
    let stores: Vec<Grants> = [ledger, mirror]
        .into_iter()
        .flatten()
        .filter_map(|(url, account)| Grants::of_store(url, &pipeline.base, &account).ok())
        .collect();
    workshop.broker.policy(setup.sections().map(|section| &*section.grants), &stores)
}

fn words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "0 s".to_owned(),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// What stands in the ledger, if a run could use it, or make it where there is none. Nothing is written.
fn usable(setup: &Setup, now: Timestamp) -> Result<State, LedgerError> {
    let identity = identity(setup, now);
    let LedgerLocation::Sqlite(path) = &setup.pipeline.ledger else {
        // Whether it may be written shows only when it is.
        return Ledger::state_of(&setup.place, &identity);
    };
    let place = setup.place.name();
    let unfit =
        |trouble, cause| LedgerError::Storage { place: place.clone(), doing: "cannot be written", trouble, cause };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fault = match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some("is no folder".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Some("does not exist".to_owned()),
        Err(error) => Some(format!("cannot be entered: {error}")),
    };
    if let Some(fault) = fault {
        return Err(unfit(Trouble::NoPlace, format!("its folder {} {fault}", folder.display())));
    }
    let state = Ledger::state_of(&setup.place, &identity)?;
    for place in [folder, path.as_path()].into_iter().filter(|place| place.exists()) {
        rustix::fs::access(place, rustix::fs::Access::WRITE_OK)
            .map_err(|error| unfit(Trouble::ReadOnly, format!("{}: {error}", place.display())))?;
    }
    Ok(state)
}

/// Whether the folder that a plugin reads from can be listed.
fn listed(workshop: &Workshop, section: &Section) -> Result<(), Problem> {
    if section.grants.is_yet_to_be_made() {
        return Ok(());
    }
    let session = workshop.broker.session(&section.name, section.grants.clone(), true);
    let listed = workshop.block_on(async { session.list("", None).await?.next().await });
    let problem = |error: ObjectError| Problem {
        plugin: Some(section.label()),
        step: Some("listing".to_owned()),
        ..Problem::new("unavailable", error.to_string())
    };
    listed.map(|_| ()).map_err(problem)
}

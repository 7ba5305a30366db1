//! `meterhost ledger import`: takes over what another exporter's state document says.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::confirm::confirmed;
use super::shared::{Refused, Silent, Workshop, print};
use super::{Global, PipelineArgs};
use crate::config::{Located, MirrorForm, MirrorSpec, Pipeline};
use crate::ledger::Ledger;
use crate::pipeline::{Options, Refusal, TakeOver, identity};
use crate::report::{Exit, document};

/// Arguments of `ledger import`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The state document, where it is not the one that `mirror` names: s3://bucket/state.json or file://./state.json, relative to
    /// the pipeline's file
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The key of the pipeline's entry in it; without it what `mirror` says, or the pipeline's name
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The document is this pipeline's alone
    #[arg(long)]
    single: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn import(args: &ImportArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    let spec = spec(args, &pipeline)?;
    if pipeline.sinks.iter().any(|sink| sink.plugin.name == spec.sink && sink.customers.is_some()) {
        let text = "a state document names customers as the usage does, and this sink bills them by a table of customers: \
                    leave `customers` out to take it over";
        return Err(Refused::Other(Exit::Configuration, text.to_owned()));
    }
    let workshop = Workshop::open(global)?;
    let setup = workshop.set_up(pipeline)?;
    let stop = AtomicBool::new(false);
    let (now, wait) = (args.pipeline.now(), Duration::ZERO);
    let options =
        Options { now, window: None, last: None, republish: None, dry_run: true, wait, stop: &stop, watch: &Silent };
    let refused = |problem| Refused::Problems(Exit::Ledger, vec![problem]);
    let at_fault = |error| Refused::of(&setup.pipeline, error);
    let state = Ledger::state_of(&setup.place, &identity(&setup, now)).map_err(at_fault)?;
    let take_over = TakeOver::read(&setup, &spec, &options, &state).map_err(refused)?;
    let says = take_over.says.join("\n");
    confirmed(&says, "Take this over? None of it will be billed.", args.yes, "nothing was taken over")?;
    take_over.take().map_err(|refusal| match refusal {
        Refusal::Problem(problem) => Refused::Problems(Exit::Open, vec![problem]),
        Refusal::Ledger(error) => Refused::Ledger(error),
    })?;
    match global.json {
        true => print(&document(&serde_json::json!({ "pipeline": setup.pipeline.name, "imported": says }))),
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}

/// The document that is meant.
fn spec(args: &ImportArgs, pipeline: &Pipeline) -> Result<MirrorSpec, Refused> {
    let other = |text: String| Refused::Other(Exit::Configuration, text);
    let place = |url: &String| Located { value: url.clone(), span: 0..0 };
    let mut spec = match (&pipeline.mirror, &args.from) {
        (Some(mirror), None) => mirror.clone(),
        (Some(mirror), Some(url)) => MirrorSpec { url: place(url), ..mirror.clone() },
        (None, Some(url)) => {
            let [only] = pipeline.sinks.as_slice() else {
                return Err(other("the pipeline has several sinks: name one with `mirror`".to_owned()));
            };
            let (key, sink) = (pipeline.name.clone(), only.plugin.name.clone());
            let form = MirrorForm::Shared;
            MirrorSpec { url: place(url), key, form, sink, role: None, profile: None, region: None }
        }
        (None, None) => {
            return Err(other("the pipeline's file has no `mirror`: say which document with --from URL".to_owned()));
        }
    };
    if let Some(key) = &args.key {
        spec.key.clone_from(key);
    }
    if args.single {
        spec.form = MirrorForm::Single;
    }
    if spec.place() == ("", "") {
        return Err(other(format!("--from: {} is no URL such as s3://bucket/state.json", spec.url.value)));
    }
    Ok(spec)
}

//! `meterhost ledger resolve`: a person says what became of a charge of which nothing clear is known, or what is to become of what is kept
//! back.

use clap::ValueEnum as _;
use jiff::Timestamp;
use serde_json::json;

use super::confirm::confirmed;
use super::decided;
use super::shared::{Outside, Refused, escaped, print};
use super::{Global, PipelineArgs};
use crate::config::Pipeline;
use crate::ledger::{
    ChargeState, Claim, Deciding, Event, Identity, Ledger, LedgerError, NotToDecide, NotToResolve, Place, Said, Sought,
    Standing, State, Statement, Target, Trail, Verdict,
};
use crate::model::window::Window;
use crate::pipeline::run_id;
use crate::report::{Exit, document};

/// Arguments of `ledger resolve`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "meterhost ledger resolve <PIPELINE.toml> <CHARGE> <VERDICT> --reason <TEXT>\n       \
    meterhost ledger resolve <PIPELINE.toml> <VERDICT> --reason <TEXT> \
    [--record <PLACE> | --object <KEY>] [--customer <NAME>] [--window <LABEL>] [--sink <NAME>]")]
pub(super) struct ResolveArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The charge's id, or at least its first 4 digits; or the verdict, where it is about more than one charge
    #[arg(value_name = "CHARGE")]
    charge: String,
    /// What became of it, or is to
    #[arg(value_enum, value_name = "VERDICT")]
    verdict: Option<Word>,
    /// All that this record keeps back, by its object and its place in that, as the report names it
    #[arg(long, value_name = "PLACE", conflicts_with = "object")]
    record: Option<String>,
    /// All that this object keeps back
    #[arg(long, value_name = "KEY")]
    object: Option<String>,
    /// All that is kept back of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// At this sink only
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// How you know that, for whoever reads the ledger later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Word {
    /// What is held is right as it stands: a run bills or publishes it, with exactly this quantity. What was refused is offered once more
    Release,
    /// The service has it, with this quantity: nothing more happens to it. Of a complete set, what was published last stays
    Billed,
    /// The service does not have it: a run offers it again
    NotBilled,
    /// It is not to be billed. Of a complete set, what was published last stays
    Waive,
}

impl From<Word> for Said {
    fn from(verdict: Word) -> Said {
        match verdict {
            Word::Release => Said::Release,
            Word::Billed => Said::Billed,
            Word::NotBilled => Said::NotBilled,
            Word::Waive => Said::Waive,
        }
    }
}

impl ResolveArgs {
    /// What is said, and of what.
    fn said(&self, window: Option<Window>) -> Result<(Target, Said), Refused> {
        let refused = |text: String| Refused::Other(Exit::Configuration, text);
        let (charge, verdict) = match self.verdict {
            Some(verdict) => (Some(self.charge.parse::<Sought>()?), verdict),
            None => (
                None,
                Word::from_str(&self.charge, true).map_err(|_| {
                    let text = "which verdict? Say release, billed, not-billed or waive behind the charge's id";
                    refused(text.to_owned())
                })?,
            ),
        };
        let ResolveArgs { record, object, customer, sink, .. } = self;
        let is_narrowed = record.is_some() || object.is_some() || customer.is_some() || window.is_some();
        match (charge.is_some(), is_narrowed || sink.is_some()) {
            (true, true) => return Err(refused("name a charge, or what else it is about, and not both".to_owned())),
            (false, _) if !is_narrowed => {
                return Err(refused(
                    "of what? Name a charge, or say --record, --object, --customer or --window".to_owned(),
                ));
            }
            _ => {}
        }
        let (record, object) = (record.clone(), object.clone());
        let target = Target { charge, record, object, customer: customer.clone(), window, sink: sink.clone() };
        Ok((target, verdict.into()))
    }
}

pub(super) fn resolve(args: &ResolveArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    let window = args.pipeline.window(&pipeline)?;
    let (target, said) = args.said(window)?;
    let reason = args.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(Refused::Other(Exit::Configuration, "--reason: say how you know it".to_owned()));
    }
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let identity = Identity::of(&pipeline, None);
    let state = Ledger::state_of(&place, &identity).map_err(|error| Refused::of(&pipeline, error))?;
    if let Some(sought) = &target.charge
        && !is_kept(&state, sought)
        && state.find(sought).is_err()
        && let Some(found) = state.in_sets(&place.shelf(), sought)??
    {
        let text = format!(
            "the charge {} is published in a complete set by {}, and nothing of it is held: there is nothing to decide",
            found.id, found.sink
        );
        return Err(Refused::Other(Exit::Configuration, text));
    }
    let by = user();
    let verdict = |sought: &Sought| match state.find(sought).is_ok_and(ChargeState::is_refused) {
        true if matches!(said, Said::Release) => Some(Verdict::Again),
        _ => said.verdict(),
    };
    if let Some((sought, verdict)) = target.charge.as_ref().and_then(|sought| Some((sought, verdict(sought)?)))
        && !is_kept(&state, sought)
    {
        let about = Known { pipeline: &pipeline, place: &place, identity: &identity, state: &state };
        return one(&about, args, global, sought, verdict, reason, by);
    }
    let refused = |why: NotToDecide| Refused::Other(Exit::Configuration, why.to_string());
    let deciding = Deciding::of(&state, &target, said, Timestamp::now()).map_err(refused)?;
    let says = decided::says((&deciding, &state), &target, said, &reason, by.as_deref());
    confirmed(&says, "Write this down? It is never taken back.", args.yes, "nothing was written down")?;
    let document = decided::document_of(&pipeline.name, &deciding, said, &reason, by.as_deref());
    let written = deciding.write(&place, &identity, &Claim::at_once(&run_id()), (&target, said), (reason, by))?;
    written.map_err(refused)?;
    match global.json {
        true => print(&document),
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}

/// Whether something is kept back under this id that is not a frozen charge which is open: of that there is more to say.
fn is_kept(state: &State, sought: &Sought) -> bool {
    let is_open = state.find(sought).is_ok_and(|charge| !charge.is_final());
    !is_open && state.windows().any(|(_, _, known)| known.kept.iter().any(|kept| sought.fits(&kept.id)))
}

/// The ledger of a pipeline.
struct Known<'a> {
    pipeline: &'a Pipeline,
    place: &'a Place,
    identity: &'a Identity,
    state: &'a State,
}

/// What became of one frozen charge.
fn one(
    about: &Known<'_>,
    args: &ResolveArgs,
    global: &Global,
    sought: &Sought,
    verdict: Verdict,
    reason: String,
    by: Option<String>,
) -> Result<Exit, Refused> {
    let Known { pipeline, place, identity, state } = *about;
    let trail = Trail::of(place, identity, sought).map_err(|error| Refused::of(pipeline, error))??;
    let charge = trail.charge.charge();
    let (id, words) = (charge.id(), charge.words());
    let refused = |why: NotToResolve| {
        Refused::Other(Exit::Configuration, format!("the charge {id} ({words}) is not resolved: {why}"))
    };
    held(place, &trail)?;
    trail.charge.can_be_resolved(verdict, Timestamp::now()).map_err(refused)?;
    let mut says = says(&trail, verdict, &reason, by.as_deref());
    if verdict == Verdict::Again {
        says.push_str(&with_it(state, &trail.charge));
    }
    confirmed(&says, "Write this down? It is never taken back.", args.yes, "nothing was written down")?;
    let statement = Statement { of: trail.charge.clone(), verdict, reason: reason.clone(), by: by.clone() };
    statement.write(place, identity, &Claim::at_once(&run_id()))?.map_err(refused)?;
    match global.json {
        true => print(&document(&json!({
            "pipeline": pipeline.name, "charge": id, "verdict": verdict, "quantity": charge.quantity(),
            "reason": reason, "by": by,
        }))),
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}

/// Refuses where a run has a call with the charge under way: what comes of that is about to be known. On S3 that may be a run that is gone;
/// then its call is over soon.
fn held(place: &Place, trail: &Trail) -> Result<(), Refused> {
    if !matches!(trail.charge.standing(), Standing::InFlight { .. }) {
        return Ok(());
    }
    match place.holder()? {
        Some(holder) if trail.charge.last_over().is_some_and(|over| over > Timestamp::now().as_millisecond()) => {
            Err(LedgerError::Held { place: place.name(), holder }.into())
        }
        _ => Ok(()),
    }
}

/// What is about to be written down, of what, and what follows.
fn says(trail: &Trail, verdict: Verdict, reason: &str, by: Option<&str>) -> String {
    let (charge, standing) = (trail.charge.charge(), trail.charge.standing());
    let mut lines = vec![format!("{}, to {}, the charge {}", charge.words(), charge.key().sink, charge.id())];
    let why = standing.reason().map_or_else(String::new, |reason| format!(": {reason}"));
    lines.push(format!("  it is {}{why}", standing.word()));
    let carried = charge.carried().iter();
    lines.extend(carried.map(|of| format!("  {} of it is late usage of {}", of.quantity, of.window.label())));
    let told = trail.steps.iter().filter(|step| !matches!(step.event, Event::Superseded { .. }));
    lines.extend(told.map(|step| format!("  {:.0}: {}", step.at, step.words())));
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    lines.push(format!("to be written down{by}: {}, because: {reason}", verdict.as_str().replace('-', " ")));
    lines.push(
        match verdict {
            Verdict::Billed => "it is final then: no run sends it or looks it up again",
            Verdict::Waived if trail.charge.is_final() => {
                "nobody bills the records that it was made of before, and that stay refused"
            }
            Verdict::Waived => "it is final then: no run sends it",
            Verdict::Again => "the next run offers the identical charge once more",
            Verdict::NotBilled => {
                "it is pending then: the next run offers the identical charge, and looks it up first where the sink can do that"
            }
        }
        .to_owned(),
    );
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    lines.join("\n")
}

/// What else has to be said where a refused charge shares the service's record with others.
fn with_it(state: &State, released: &ChargeState) -> String {
    let key = released.charge().key();
    let others = state.charges_of(&key.sink, &key.window).into_iter().filter(|other| {
        let is_for_good = matches!(other.standing(), Standing::Rejected { retryable: false, .. });
        other.charge().key() != key && other.charge().key().slot() == key.slot() && is_for_good && !other.is_withdrawn()
    });
    let others: Vec<String> = others.map(|other| other.charge().id().to_string()).collect();
    match others.is_empty() {
        true => String::new(),
        false => format!(
            "\nwhere the service keeps one record for what differs by tags, it waits until the same is said of {}",
            others.join(", ")
        ),
    }
}

/// Who types, as the system calls them.
pub(super) fn user() -> Option<String> {
    ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.trim().is_empty()))
}

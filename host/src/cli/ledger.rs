//! `meterhost ledger`: what was billed, as it was written down.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::shared::{Outside, Refused, escaped, print};
use super::{Global, PipelineArgs, accept, export, import, rename, reopen, resolve, unlock, verify};
use crate::ledger::{ChargeState, GivenUp, Identity, InMonth, Ledger, LedgerError, Word, period_of};
use crate::model::charged::Charged;
use crate::report::{self, Exit, LedgerEnd};

/// Commands about the ledger.
#[derive(Debug, clap::Subcommand)]
pub(super) enum LedgerCommand {
    /// Shows every charge and what became of it; of sinks that publish complete sets how many there are, and with --window each
    Show {
        #[command(flatten)]
        pipeline: PipelineArgs,
        /// Show the entries themselves, in the order in which they were written
        #[arg(long)]
        entries: bool,
    },
    /// Says whether every entry is what was written, and which is not
    Verify(verify::VerifyArgs),
    /// Goes on with a ledger that does not end where its head says
    Accept(accept::AcceptArgs),
    /// Takes over what another exporter's state document says was billed, so that none of it is billed again
    Import(import::ImportArgs),
    /// Takes the ledger away from a run that does not end
    Unlock(unlock::UnlockArgs),
    /// Writes charges, attempts and what came of them as tables
    Export(export::ExportArgs),
    /// Says what became of a charge where nothing else can tell, or what is to become of what is held
    Resolve(resolve::ResolveArgs),
    /// Has a settled window computed once more, however long ago it was settled: what differs is late usage, or another set of its month
    Reopen(reopen::ReopenArgs),
    /// Tells the ledger that the pipeline, a sink or an aggregate is the same under another name
    Rename(rename::RenameArgs),
}

pub(super) fn ledger(command: &LedgerCommand, global: &Global) -> Result<Exit, Refused> {
    let (args, entries) = match command {
        LedgerCommand::Show { pipeline, entries } => (pipeline, entries),
        LedgerCommand::Verify(args) => return verify::verify(args, global),
        LedgerCommand::Accept(args) => return accept::accept(args, global),
        LedgerCommand::Import(args) => return import::import(args, global),
        LedgerCommand::Unlock(args) => return unlock::unlock(args, global),
        LedgerCommand::Export(args) => return export::export(args, global),
        LedgerCommand::Resolve(args) => return resolve::resolve(args, global),
        LedgerCommand::Reopen(args) => return reopen::reopen(args, global),
        LedgerCommand::Rename(args) => return rename::rename(args, global),
    };
    let pipeline = args.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    if *entries {
        let mut out = std::io::stdout().lock();
        place.rows_of(&pipeline.name, |row| {
            let record = row.record(&place.name())?;
            let line = match global.json {
                true => serde_json::to_string(&record).unwrap_or_default(),
                false => {
                    let at = Timestamp::from_millisecond(record.at).unwrap_or_default();
                    let body = serde_json::to_string(&record.entry).unwrap_or_default();
                    format!("{:>6} {at:.0} {} {body}", record.number, record.run)
                }
            };
            // Where nobody reads any more, there is nobody to tell.
            let _ = writeln!(out, "{line}");
            Ok(())
        })?;
        return Ok(Exit::Final);
    }
    let state =
        Ledger::state_of(&place, &Identity::of(&pipeline, None)).map_err(|error| Refused::of(&pipeline, error))?;
    let window = args.window(&pipeline)?;
    let mut text = String::new();
    let mut documents = Vec::new();
    for (sink, at, known) in state.windows().filter(|(_, at, _)| window.is_none_or(|window| window == **at)) {
        let standing = match (known.settled, known.holds.is_empty()) {
            (true, true) => "settled",
            (true, false) => "settled, with something held since",
            (false, _) => "open",
        };
        let charges = state.charges_of(sink, at);
        let in_set = state.set_charges(sink, at);
        // Of what is published whole nothing is frozen charge by charge.
        let not_yet = if state.publishes(sink) { "not published" } else { "not frozen" };
        let published =
            if state.publishes(sink) { format!(" in the set of {}", period_of(at).label()) } else { String::new() };
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{} -> {sink}: {standing}, {} charges{published}, {} held",
            at.label(),
            charges.len() as u64 + in_set,
            known.holds.len()
        );
        for charge in &charges {
            let frozen = charge.charge();
            let key = frozen.key();
            let _ = writeln!(
                text,
                "  {}  {:<13} {} {} {}{}",
                frozen.id(),
                charge.standing().word(),
                key.customer.escape_debug(),
                key.dimension.escape_debug(),
                frozen.quantity(),
                reason(charge).map_or_else(String::new, |reason| format!("  {}", escaped(&reason))),
            );
        }
        let mut rows = Vec::new();
        // There may be millions of a month.
        if window.is_some() {
            state.each_in_set::<LedgerError>(&place.shelf(), (sink, at), &mut |charge, standing| {
                let (customer, dimension) = (charge.customer.escape_debug(), charge.dimension.escape_debug());
                let word = standing.word();
                let _ = writeln!(text, "  {}  {word:<13} {customer} {dimension} {}", charge.id, charge.quantity);
                if global.json {
                    rows.push(in_a_set(charge, standing));
                }
                Ok(())
            })?;
        }
        for kept in known.kept.iter().filter(|kept| state.charge(&kept.id).is_none()) {
            let (customer, dimension) = (kept.customer.escape_debug(), kept.dimension.escape_debug());
            let _ = writeln!(text, "  {}  {:<13} {customer} {dimension} {}  {not_yet}", kept.id, "held", kept.exact);
        }
        for late in &known.late {
            let _ = writeln!(
                text,
                "  {}  {:<13} {} more, to be billed with a later window",
                late.id, "late", late.quantity
            );
        }
        for hold in &known.holds {
            let place = hold.place.as_deref().map_or_else(String::new, |place| format!("{}: ", place.escape_debug()));
            let _ = writeln!(text, "  held: {place}{}", escaped(&hold.reason));
        }
        let GivenUp { charges: waived, holds: given_up } = state.given_up(sink, at);
        for (kept, word) in &waived {
            let (customer, dimension, why) =
                (kept.customer.escape_debug(), kept.dimension.escape_debug(), word.words());
            let _ = writeln!(
                text,
                "  {}  {:<13} {customer} {dimension} {}  {not_yet}, {}",
                kept.id,
                "waived",
                kept.exact,
                escaped(&why)
            );
        }
        for (hold, word) in &given_up {
            let what = hold.place.as_deref().unwrap_or(&hold.reason).escape_debug();
            let _ = writeln!(text, "  given up: {what}, {}", escaped(&word.words()));
        }
        let all = charges.len() as u64 + in_set;
        let charges: Vec<_> = charges.iter().map(|charge| document(charge)).chain(rows).collect();
        let waived: Vec<_> = waived.iter().map(|(kept, word)| said(kept, word)).collect();
        let given_up: Vec<_> = given_up.iter().map(|(hold, word)| said(hold, word)).collect();
        documents.push(serde_json::json!({
            "window": at.label(), "sink": sink, "settled": known.settled, "number": all, "charges": charges, "holds": known.holds,
            "held": known.kept, "late": known.late, "waived": waived, "given_up": given_up,
        }));
    }
    for (lane, left) in state.remainders() {
        let (customer, dimension) = (lane.customer.escape_debug(), lane.dimension.escape_debug());
        let _ = writeln!(
            text,
            "left over by rounding, for the next charge: {left} of {dimension} for {customer} to {}",
            lane.sink
        );
    }
    if text.is_empty() {
        text = format!("there is nothing in {} of `{}`\n", place.name(), pipeline.name);
    }
    match global.json {
        true => {
            let ledger = LedgerEnd::of(&place, state.head());
            print(&report::document(
                &serde_json::json!({ "pipeline": pipeline.name, "windows": documents, "ledger": ledger }),
            ));
        }
        false => print(&text),
    }
    Ok(Exit::Final)
}

/// What there is to say of it: why it stands so, or the service's own name for it.
fn reason(charge: &ChargeState) -> Option<String> {
    let standing = charge.standing();
    standing.reason().or_else(|| standing.reference().map(str::to_owned))
}

/// Something that a person decided of, and their word.
fn said(about: &impl Serialize, word: &Word) -> serde_json::Value {
    serde_json::json!({ "about": about, "reason": word.reason, "by": word.by })
}

/// A charge of a set, as far as it is like those that are delivered one by one.
fn in_a_set(charge: &Charged, standing: InMonth) -> serde_json::Value {
    serde_json::json!({
        "id": charge.id,
        "product": charge.product,
        "customer": charge.customer,
        "dimension": charge.dimension,
        "tags": charge.tags,
        "quantity": charge.quantity,
        "attributes": charge.attributes,
        "standing": standing.word(),
    })
}

fn document(charge: &ChargeState) -> serde_json::Value {
    let frozen = charge.charge();
    let key = frozen.key();
    serde_json::json!({
        "id": frozen.id(),
        "product": key.product,
        "customer": key.customer,
        "dimension": key.dimension,
        "tags": key.tags,
        "exact": frozen.exact(),
        "quantity": frozen.quantity(),
        "parts": frozen.parts(),
        "carried": frozen.carried(),
        "remainder": frozen.remainder(),
        "standing": charge.standing().word(),
        "reason": reason(charge),
    })
}

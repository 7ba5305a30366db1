//! What a person is about to decide of what is kept back, as it is shown to them.

use std::collections::BTreeSet;

use serde_json::json;

use super::shared::escaped;
use crate::ledger::{Deciding, Said, State, Target};
use crate::report::document;

/// So many charges, and as many holds, are shown.
const MOST: usize = 20;

/// For a person.
pub(super) fn says(
    (deciding, state): (&Deciding, &State),
    target: &Target,
    said: Said,
    reason: &str,
    by: Option<&str>,
) -> String {
    let mut lines = Vec::new();
    let mut charges = Vec::new();
    let mut holds = Vec::new();
    for about in &deciding.about {
        let place = format!("{}, to {}", about.window.label(), about.sink);
        charges.extend(
            about
                .kept
                .iter()
                .map(|kept| format!("  {place}: {}, {}\n    held: {}", kept.words(), kept.id, kept.reason)),
        );
        holds.extend(about.holds.iter().map(|hold| {
            let at = hold.place.as_deref().map_or_else(String::new, |at| format!("{at}: "));
            format!("  {place}: {} is held: {at}{}", hold.scope.words(), hold.reason)
        }));
    }
    charges.extend(deciding.charges.iter().map(|charge| {
        let why = charge.standing().reason().map_or_else(String::new, |why| format!(": {why}"));
        let (charge, standing) = (charge.charge(), charge.standing());
        format!("  {}, {}, is {}{why}", charge.words(), charge.id(), standing.word())
    }));
    let mut show = |what: &str, of: &[String]| {
        if of.is_empty() {
            return;
        }
        lines.push(format!("{} {what}{}:", of.len(), if of.len() == 1 { "" } else { "s" }));
        lines.extend(of.iter().take(MOST).cloned());
        if of.len() > MOST {
            lines.push(format!("  and {} more", of.len() - MOST));
        }
    };
    show("charge", &charges);
    show("hold", &holds);
    let left: Vec<String> = deciding.left.iter().map(|(what, why)| format!("  {what}: {why}")).collect();
    if !left.is_empty() {
        lines.push("left as they are:".to_owned());
        lines.extend(left.iter().take(MOST).cloned());
    }
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    lines.push(format!("to be written down{by}: {}, because: {reason}", said.as_str().replace('-', " ")));
    let of_sets: BTreeSet<&str> =
        deciding.about.iter().map(|about| about.sink.as_str()).filter(|sink| state.publishes(sink)).collect();
    let bills = !deciding.charges.is_empty() || deciding.about.iter().any(|about| !state.publishes(&about.sink));
    if bills {
        lines.push(follows(said, target).to_owned());
    }
    if !of_sets.is_empty() {
        let whose = if bills { format!("of {}: ", Vec::from_iter(of_sets).join(" and ")) } else { String::new() };
        lines.push(format!("{whose}{}", follows_of_sets(said, target)));
    }
    let lines = lines.iter().flat_map(|line| line.lines());
    let lines: Vec<String> = lines.map(escaped).collect();
    lines.join("\n")
}

fn follows(said: Said, target: &Target) -> &'static str {
    let is_of_input = target.record.is_some() || target.object.is_some();
    match said {
        Said::Release if is_of_input => {
            "the next run bills each charge, as long as it comes to exactly this; what cannot be used stays open until it is mended"
        }
        Said::Waive if is_of_input => {
            "what cannot be used is given up, as long as its object is the same: the next run bills what it held without it"
        }
        Said::Release => "the next run bills each, as long as it comes to exactly this: another quantity is held again",
        Said::Waive => "nothing is billed of it, as long as it comes to exactly this: another quantity is held again",
        Said::Billed => {
            "it is final then, with exactly this: no run sends it, and what comes later is compared with it"
        }
        Said::NotBilled => "it is pending then: the next run offers the identical charge",
    }
}

/// The same of a sink that publishes sets.
fn follows_of_sets(said: Said, target: &Target) -> &'static str {
    let is_of_input = target.record.is_some() || target.object.is_some();
    match said {
        Said::Release if is_of_input => {
            "the next run publishes each charge, as long as it comes to exactly this; what cannot be used stays open until it is mended"
        }
        Said::Waive if is_of_input => {
            "what cannot be used is given up, as long as its object is the same: the next run publishes what it held without it"
        }
        Said::Release => {
            "the next run publishes each, as long as it comes to exactly this: another quantity is held again"
        }
        Said::Waive | Said::Billed | Said::NotBilled => {
            "no run publishes it: what was published of it last stays, as long as it comes to exactly this; another quantity is held again"
        }
    }
}

/// For a program.
pub(super) fn document_of(pipeline: &str, deciding: &Deciding, said: Said, reason: &str, by: Option<&str>) -> String {
    let mut charges = Vec::new();
    let mut holds = Vec::new();
    for about in &deciding.about {
        let (window, sink) = (about.window.label(), &about.sink);
        charges.extend(about.kept.iter().map(|kept| {
            json!({
                "window": window, "sink": sink, "charge": kept.id, "product": kept.product, "customer": kept.customer,
                "dimension": kept.dimension, "exact": kept.exact, "code": kept.code, "held": kept.reason,
            })
        }));
        holds.extend(about.holds.iter().map(|hold| json!({ "window": window, "sink": sink, "hold": hold })));
    }
    charges.extend(deciding.charges.iter().map(|state| {
        let (charge, key) = (state.charge(), state.charge().key());
        json!({
            "window": key.window, "sink": key.sink, "charge": charge.id(), "product": key.product,
            "customer": key.customer, "dimension": key.dimension, "exact": charge.exact(),
            "quantity": charge.quantity(), "standing": state.standing().word(),
        })
    }));
    let left: Vec<_> = deciding.left.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect();
    document(&json!({
        "pipeline": pipeline, "verdict": said.as_str(), "reason": reason, "by": by, "charges": charges,
        "holds": holds, "left": left,
    }))
}

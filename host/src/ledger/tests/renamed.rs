//! New names: everything is as if it had always been called so, and frozen charges keep their ids.

use super::*;
use crate::ledger::{Clash, Decision, FoldError, Kept, Named, PluginDigest};

fn renamed(what: Named, from: &str, to: &str) -> Entry {
    Entry::Renamed { what, from: from.to_owned(), to: to.to_owned() }
}

fn sink(name: &str, customer: &str) -> Proposal {
    let proposal = proposal(june(), customer);
    Proposal { key: Key { sink: name.to_owned(), ..proposal.key }, ..proposal }
}

fn intent_of(sinks: &[&str], plugins: Vec<PluginDigest>) -> Entry {
    let sinks = sinks.iter().map(|sink| (*sink).to_owned()).collect();
    Entry::Run { now: 1, config: "c0".to_owned(), plugins, windows: vec![june()], sinks }
}

fn plugin(section: &str, sha256: &str, settings: Option<&str>) -> PluginDigest {
    PluginDigest {
        section: section.to_owned(),
        name: section.split('.').next_back().unwrap().to_owned(),
        version: "1".to_owned(),
        sha256: sha256.to_owned(),
        settings: settings.map(str::to_owned),
        config: None,
    }
}

fn open(place: &Place, identity: &Identity, run: &str) -> Result<Ledger, LedgerError> {
    Ledger::open(&place.at(), identity, &Claim::at_once(run))
}

fn named(name: &str) -> Identity {
    Identity { pipeline: name.to_owned(), ..identity() }
}

#[test]
fn a_renamed_sink_has_its_charges_under_the_ids_that_they_had() {
    let place = Place::new();
    let (mut ledger, frozen) = frozen(&place, &["a", "b"]);
    let attempt = ledger.begin_attempt(("s", None), &frozen[..1], MINUTE).unwrap();
    ledger.record(attempt, false, vec![outcome(frozen[0].id(), Status::Accepted)]).unwrap();
    ledger.append(vec![renamed(Named::Sink, "s", "t")]).unwrap();
    let follows = sink("t", "a").key.id();
    assert_ne!(follows, frozen[0].id());
    for state in [ledger.state().clone(), place.read()] {
        let charge = state.charge(&follows).unwrap();
        assert_eq!((charge.charge().id(), charge.is_final()), (frozen[0].id(), true));
        assert_eq!(charge.charge().key(), &sink("t", "a").key);
        assert_eq!(state.charge_for(&sink("t", "a").key), Some(charge));
        assert_eq!(charge.charge().offer().id, frozen[0].id().to_string());
        assert_eq!((state.charges_of("t", &june()).len(), state.charges_of("s", &june()).len()), (2, 0));
        assert_eq!(state.open_charges("t").len(), 1);
        assert!(state.knows_sink("t") && !state.knows_sink("s"));
    }
    // Once more it cannot be frozen, under neither name.
    for proposal in [sink("t", "a"), sink("s", "a")] {
        let error = ledger.append(vec![Entry::freeze(proposal)]).unwrap_err();
        let LedgerError::Refused { cause: FoldError::FrozenTwice(_) | FoldError::NoWindow(..), .. } = error else {
            panic!("{error}")
        };
        drop(ledger);
        ledger = place.open("again");
    }
    // And what is open goes on under its id.
    let open = vec![ledger.state().open_charges("t")[0].charge().clone()];
    let attempt = ledger.begin_attempt(("t", None), &open, MINUTE).unwrap();
    ledger.record(attempt, false, vec![outcome(frozen[1].id(), Status::Accepted)]).unwrap();
    ledger.settle("t", june()).unwrap();
    ledger.freeze(vec![intent_of(&["t"], Vec::new())], vec![sink("t", "c")]).unwrap();
    assert_eq!(ledger.state().charge_for(&sink("t", "c").key).unwrap().charge().id(), sink("t", "c").key.id());
}

#[test]
fn names_can_change_to_and_fro_and_in_any_order() {
    let place = Place::new();
    let (mut ledger, frozen) = frozen(&place, &["a"]);
    ledger.append(vec![renamed(Named::Sink, "s", "t")]).unwrap();
    ledger.freeze(Vec::new(), vec![sink("t", "b")]).unwrap();
    ledger.append(vec![renamed(Named::Sink, "t", "u"), renamed(Named::Sink, "u", "s")]).unwrap();
    ledger.freeze(Vec::new(), vec![sink("s", "c")]).unwrap();
    let ids = |state: &State| charges(state).iter().map(Charge::id).collect::<Vec<_>>();
    let expected = [frozen[0].id(), sink("t", "b").key.id(), sink("s", "c").key.id()];
    assert_eq!(ids(ledger.state()), expected);
    for customer in ["a", "b", "c"] {
        assert!(ledger.state().charge_for(&sink("s", customer).key).is_some(), "{customer}");
    }
    assert_eq!(&place.read(), ledger.state());
}

#[test]
fn a_renamed_pipeline_goes_on_where_it_was() {
    let place = Place::new();
    let (mut ledger, frozen) = frozen(&place, &["a"]);
    drop(ledger.append(vec![renamed(Named::Sink, "s", "t")]));
    drop(ledger);
    // Another one in between, and its own step after that.
    let mut other = open(&place, &named("other"), "o1").unwrap();
    other.append(vec![intent(&[june()])]).unwrap();
    drop(other);
    let mut ledger = place.open("r2");
    ledger.rename_pipeline("q", vec![renamed(Named::Sink, "t", "s")]).unwrap();
    drop(ledger);
    let mut ledger = open(&place, &named("q"), "r3").unwrap();
    let key = Key { pipeline: "q".to_owned(), ..proposal(june(), "a").key };
    assert_eq!(ledger.state().charge_for(&key).unwrap().charge().id(), frozen[0].id());
    assert_eq!(ledger.state().open_charges("s").len(), 1);
    let more = Proposal { key: Key { customer: "b".to_owned(), ..key.clone() }, ..proposal(june(), "b") };
    ledger.freeze(Vec::new(), vec![more]).unwrap();
    ledger.rename_pipeline("r", Vec::new()).unwrap();
    drop(ledger);
    assert_eq!(open(&place, &named("r"), "r4").unwrap().state().charges_of("s", &june()).len(), 2);
    // The other one is as it was.
    assert_eq!(open(&place, &named("other"), "o2").unwrap().state().windows().count(), 1);
    // And back: each name leads to where its charges are now.
    let mut ledger = open(&place, &named("r"), "r5").unwrap();
    ledger.rename_pipeline("p", Vec::new()).unwrap();
    drop(ledger);
    assert_eq!(place.read().charges_of("s", &june()).len(), 2);
    assert_eq!(place.read().charge_for(&proposal(june(), "a").key).unwrap().charge().id(), frozen[0].id());
    for name in ["q", "r"] {
        let state = Ledger::state_of(&place.at(), &named(name)).unwrap();
        assert_eq!((state.window_kind(), state.renamed_to.as_deref()), (None, Some("p")), "{name}");
    }
}

#[test]
fn what_has_no_such_name_cannot_be_renamed_and_no_name_is_had_twice() {
    let place = Place::new();
    let (ledger, _) = frozen(&place, &["a"]);
    drop(ledger);
    for (entry, words) in [
        (renamed(Named::Sink, "nobody", "t"), "it speaks of the sink `nobody`, which the ledger does not know"),
        (
            renamed(Named::Aggregate, "nobody", "t"),
            "it speaks of the aggregate `nobody`, which the ledger does not know",
        ),
        (renamed(Named::Pipeline, "nobody", "t"), "it speaks of the pipeline `nobody`, which the ledger does not know"),
        (renamed(Named::Sink, "s", "s"), "it gives a sink the name `s`, which another has"),
    ] {
        let before = place.read();
        let error = place.open("r2").append(vec![entry]).unwrap_err().to_string();
        assert!(error.ends_with(words), "{error}");
        assert_eq!(place.read(), before);
    }
}

/// What opening the ledger with this identity clashes with.
fn clash(place: &Place, identity: &Identity) -> Option<Clash> {
    let before = place.contents();
    let said = match Ledger::state_of(&place.at(), identity) {
        Ok(_) => None,
        Err(LedgerError::Identity { clash, .. }) => Some(clash),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(place.contents(), before);
    said
}

/// A ledger of the pipeline `p` with a source, an aggregate and a sink, and its identity.
fn begun() -> (Place, Identity) {
    let place = Place::new();
    let plugins = vec![
        plugin("source", "1", Some("bucket")),
        plugin("aggregate.rules", "2", Some("sums")),
        plugin("sink.s", "3", Some("aws")),
    ];
    let identity = identity().made_of(plugins.clone());
    let mut ledger = open(&place, &identity, "r1").unwrap();
    ledger.append(vec![intent_of(&["s"], plugins)]).unwrap();
    let charge = Proposal { aggregator: "aggregate.rules".to_owned(), ..proposal(june(), "a") };
    ledger.freeze(Vec::new(), vec![charge]).unwrap();
    (place, identity)
}

#[test]
fn an_aggregate_that_made_no_charge_makes_room_for_another() {
    let place = Place::new();
    let plugins = vec![plugin("aggregate.broken", "2", Some("sums"))];
    let identity = identity().made_of(plugins.clone());
    open(&place, &identity, "r1").unwrap().append(vec![intent_of(&["s"], plugins)]).unwrap();
    let mended = identity.made_of(vec![plugin("aggregate.mended", "3", Some("sums"))]);
    assert_eq!(clash(&place, &mended), None);
}

fn with(identity: &Identity, section: &str, plugin: Option<PluginDigest>) -> Identity {
    let mut plugins = identity.plugins.clone();
    plugins.retain(|plugin| plugin.section != section);
    plugins.extend(plugin);
    let named = |kind: &str| -> Vec<String> {
        let names = plugins.iter().filter_map(|plugin| plugin.section.strip_prefix(kind));
        names.map(str::to_owned).collect()
    };
    Identity { sinks: named("sink."), aggregates: named("aggregate."), ..identity.clone() }.made_of(plugins)
}

#[test]
fn a_sink_that_is_gone_beside_a_new_one_clashes() {
    let (place, identity) = begun();
    assert_eq!(clash(&place, &identity), None);
    let other = with(&identity, "sink.s", Some(plugin("sink.t", "3", Some("aws"))));
    assert_eq!(clash(&place, &other), Some(Clash::Sink { gone: "s".to_owned(), new: "t".to_owned() }));
    // Without a run nothing could have been billed, and only added or only gone it is clear what is meant.
    assert_eq!(clash(&place, &with(&identity, "none", Some(plugin("sink.t", "3", Some("aws"))))), None);
    assert_eq!(clash(&place, &with(&identity, "sink.s", None)), None);
    // Gone for good, it is no more in question.
    let retired = Entry::Retired { sink: "s".to_owned(), others: vec!["t".to_owned()], first: Some(july()) };
    place.open("r2").append(vec![retired]).unwrap();
    assert_eq!(clash(&place, &other), None);
    assert_eq!(place.read().first_window("t"), Some(july()));
}

#[test]
fn a_name_that_a_sink_gave_up_is_not_free_again() {
    let (place, identity) = begun();
    place.open("r2").append(vec![renamed(Named::Sink, "s", "t")]).unwrap();
    let before = Clash::SinkBefore { name: "s".to_owned(), now: "t".to_owned() };
    assert_eq!(clash(&place, &identity), Some(before));
    assert_eq!(clash(&place, &with(&identity, "sink.s", Some(plugin("sink.t", "3", Some("aws"))))), None);
    place.open("r3").append(vec![renamed(Named::Sink, "t", "s")]).unwrap();
    assert_eq!(clash(&place, &identity), None);
}

#[test]
fn an_aggregate_under_another_name_clashes_unless_it_is_the_same() {
    let (place, identity) = begun();
    let same = with(
        &identity,
        "aggregate.rules",
        Some(PluginDigest { name: "rules".to_owned(), ..plugin("aggregate.sums", "2", Some("sums")) }),
    );
    assert_eq!(clash(&place, &same), None);
    let state = Ledger::state_of(&place.at(), &same).unwrap();
    assert_eq!(same.aggregates_renamed(&state), [("rules".to_owned(), "sums".to_owned())]);
    let other = with(&identity, "aggregate.rules", Some(plugin("aggregate.sums", "2", Some("maxima"))));
    let said = Clash::Aggregate { gone: "rules".to_owned(), new: "sums".to_owned() };
    assert_eq!(clash(&place, &other), Some(said));
    place.open("r2").append(vec![renamed(Named::Aggregate, "rules", "sums")]).unwrap();
    assert_eq!(clash(&place, &other), None);
}

#[test]
fn a_pipeline_under_another_name_clashes_where_it_bills_the_same_usage_to_the_same_sink() {
    let (place, identity) = begun();
    let other = |identity: Identity| Identity { pipeline: "q".to_owned(), ..identity };
    let said = Clash::Pipeline { name: "q".to_owned(), known: "p".to_owned() };
    assert_eq!(clash(&place, &other(identity.clone())), Some(said));
    for (section, plugin) in [
        ("source", plugin("source", "1", Some("another bucket"))),
        ("sink.s", plugin("sink.s", "3", Some("azure"))),
        ("sink.s", plugin("sink.t", "3", Some("aws"))),
    ] {
        let other = other(with(&identity, section, Some(plugin.clone())));
        assert_eq!(clash(&place, &other), None, "{plugin:?}");
    }
    place.open("r2").rename_pipeline("q", Vec::new()).unwrap();
    assert_eq!(clash(&place, &other(identity.clone())), None);
    let said = Clash::PipelineBefore { name: "p".to_owned(), now: "q".to_owned() };
    assert_eq!(clash(&place, &identity), Some(said));
    // A third one of that kind is told of the name that there is now.
    let third = Identity { pipeline: "r".to_owned(), ..identity };
    let said = Clash::Pipeline { name: "r".to_owned(), known: "q".to_owned() };
    assert_eq!(clash(&place, &third), Some(said));
}

#[test]
fn what_a_person_said_goes_on_under_the_name_that_follows() {
    let place = Place::new();
    let mut ledger = place.open("a");
    let (before, after) = (sink("s", "a").key, sink("t", "a").key);
    let kept = |key: &Key| Kept::new(key.id(), key, Decimal::parse("7").unwrap(), "late", String::new());
    let decided = |charges| Entry::Decided {
        sink: "s".to_owned(),
        window: june(),
        decision: Decision::Waive,
        charges,
        holds: Vec::new(),
        reason: "a test account".to_owned(),
        by: None,
    };
    let reading = Entry::Reading {
        sink: "s".to_owned(),
        window: june(),
        holds: Vec::new(),
        kept: vec![kept(&before)],
        late: Vec::new(),
        zeros_until: None,
        items: Vec::new(),
    };
    ledger.append(vec![intent_of(&["s"], Vec::new()), reading, decided(vec![kept(&before)])]).unwrap();
    ledger.append(vec![renamed(Named::Sink, "s", "t")]).unwrap();
    for state in [ledger.state().clone(), place.read()] {
        assert_eq!(state.window("t", &june()).unwrap().kept, [kept(&after)]);
        let (exact, word) = state.decided("t", &june(), &after.id()).unwrap();
        assert_eq!((exact, word.decision), (Decimal::parse("7").unwrap(), Decision::Waive));
        assert_eq!(state.decided("t", &june(), &before.id()), None);
        assert_eq!(state.decided_of("t", &june(), "a").count(), 1);
    }
}

//! Complete sets: where the charges of a window are, and what was published of them.

use super::*;
use crate::ledger::{
    FoldError, Hash, Intent, Named, Parts, PartsDraft, Receipt, SetPart, Sought, Stage, contents, encode, merged, names,
};
use crate::model::charged::Charged;

fn charged(customer: &str, quantity: &str, tags: &[(&str, &str)]) -> Charged {
    let mut proposal = proposal(june(), customer);
    proposal.quantity = Decimal::parse(quantity).unwrap();
    proposal.key.tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Charged::of(&proposal)
}

fn parts(place: &Place, of: &[(Window, &[Charged])]) -> Entry {
    let shelf = place.at().shelf();
    let mut draft = PartsDraft::begin(&shelf, "");
    of.iter().for_each(|(window, charges)| draft.add(*window, &encode(*charges)).unwrap());
    Entry::Charged { sink: "s".to_owned(), parts: draft.publish().unwrap().unwrap() }
}

fn publishing(id: &str) -> Entry {
    let (contents, fingerprint) = (Hash::default(), Hash::default());
    let set =
        Intent { period: june(), id: id.to_owned(), contents, fingerprint, rows: 1, closed: false, closes: false };
    Entry::Publishing { sink: "s".to_owned(), set }
}

fn written(id: &str) -> Entry {
    let receipt = Receipt { rows: 1, files: 1, bytes: 2, totals: Vec::new() };
    Entry::Written { sink: "s".to_owned(), period: june(), id: id.to_owned(), receipt }
}

fn published(id: &str) -> Entry {
    Entry::Published { sink: "s".to_owned(), period: june(), id: id.to_owned() }
}

fn begun(place: &Place) -> Ledger {
    let mut ledger = place.open("run");
    ledger.append(vec![intent(&[june(), july()])]).unwrap();
    ledger
}

#[test]
fn the_charges_of_a_window_are_those_that_were_written_last() {
    let place = Place::new();
    let mut ledger = begun(&place);
    let (one, other) = ([charged("a", "1.5", &[("team", "x")])], [charged("a", "2.50", &[]), charged("b", "-3", &[])]);
    ledger.append(vec![parts(&place, &[(june(), &one), (july(), &[])])]).unwrap();
    let shelf = place.at().shelf();
    let now = |state: &State| {
        let parts = state.sets().parts_of("s", &june());
        let charges = parts.iter().flat_map(|(_, part)| shelf.charges(part).unwrap());
        (charges.collect::<Vec<_>>(), contents(&parts), names(&parts).0)
    };
    let before = now(ledger.state());
    assert_eq!((before.0.as_slice(), before.2.as_slice()), (one.as_slice(), ["team".to_owned()].as_slice()));
    ledger.append(vec![parts(&place, &[(june(), &other)])]).unwrap();
    let after = now(ledger.state());
    assert!(
        after.0.iter().zip(&other).all(|(found, charge)| found.id == charge.id && found.quantity == charge.quantity)
    );
    assert_ne!(after.1, before.1);
    // The same charges are the same set, whichever segment holds them.
    ledger.append(vec![parts(&place, &[(june(), &one)])]).unwrap();
    assert_eq!(now(ledger.state()), before);
    let state = place.read();
    assert_eq!(now(&state), before);
    let found = state.in_sets(&shelf, &one[0].id.to_string().parse::<Sought>().unwrap()).unwrap().unwrap().unwrap();
    assert_eq!((found.now, found.shown), (Some(one[0].clone()), None));
}

#[test]
fn a_set_is_shown_once_that_is_written_down_and_what_broke_off_stays_known() {
    let place = Place::new();
    let mut ledger = begun(&place);
    let one = [charged("a", "1", &[])];
    ledger.append(vec![parts(&place, &[(june(), &one)])]).unwrap();
    ledger.append(vec![publishing("1")]).unwrap();
    ledger.append(vec![publishing("2"), written("2")]).unwrap();
    let period = |state: &State| state.sets().period("s", &june()).unwrap().clone();
    let known = period(ledger.state());
    assert_eq!((known.current, known.publications[1].stage, known.publications.len()), (None, Stage::Written, 2));
    ledger.append(vec![published("2")]).unwrap();
    let known = period(&place.read());
    assert_eq!(known.current.as_deref(), Some("2"));
    assert_eq!(known.left_behind().map(|left| left.intent.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(known.unfinished().is_none() && known.shown_of(&june()).is_some_and(|part| part.rows == 1));
    ledger
        .append(vec![Entry::Removed { sink: "s".to_owned(), period: june(), ids: vec!["1".to_owned()], by: None }])
        .unwrap();
    assert_eq!(period(ledger.state()).left_behind().count(), 0);
    // Under another name it is the same.
    let renamed = Entry::Renamed { what: Named::Sink, from: "s".to_owned(), to: "t".to_owned() };
    ledger.append(vec![renamed]).unwrap();
    assert_eq!(ledger.state().sets().period("t", &june()).unwrap().current.as_deref(), Some("2"));
    assert!(ledger.state().sets().period("s", &june()).is_none() && ledger.state().sets().part("t", &june()).is_some());
}

#[test]
fn an_impossible_history_of_sets_is_refused() {
    let place = Place::new();
    let mut ledger = begun(&place);
    ledger.append(vec![publishing("1"), published("1")]).unwrap();
    let nowhere = |names: &[&str]| {
        let mut entry = parts(&place, &[(june(), &[charged("a", "1", &[("team", "x")])])]);
        if let Entry::Charged { parts, .. } = &mut entry {
            parts.names = names.iter().map(|name| (*name).to_owned()).collect();
        }
        entry
    };
    ledger.close().unwrap();
    drop(ledger);
    let august = Window::parse(WindowKind::Month, "2025-08").unwrap();
    let empty = Parts { empty: vec![august], ..Parts::default() };
    for (entry, why) in [
        (publishing("1"), FoldError::PublishedTwice("1".to_owned())),
        (written("2"), FoldError::NoPublication("2".to_owned())),
        (published("2"), FoldError::NoPublication("2".to_owned())),
        (
            Entry::Removed { sink: "s".to_owned(), period: june(), ids: vec!["1".to_owned()], by: None },
            FoldError::Current("1".to_owned()),
        ),
        (nowhere(&[]), FoldError::NoPart),
        (Entry::Charged { sink: "s".to_owned(), parts: empty }, FoldError::NoWindow("s".to_owned(), august)),
    ] {
        // After an entry that was refused nothing is written.
        let error = place.open("again").append(vec![entry]).unwrap_err();
        assert!(matches!(&error, LedgerError::Refused { cause, .. } if *cause == why), "{why}: {error:?}");
    }
}

#[test]
fn many_small_segments_of_a_month_become_one_that_holds_the_same() {
    let place = Place::new();
    let hours: Vec<Window> =
        std::iter::successors(Some(Window::containing(WindowKind::Hour, june().start())), Window::next)
            .take(24)
            .collect();
    let mut ledger = place.open("run");
    ledger.append(vec![intent(&hours)]).unwrap();
    let shelf = place.at().shelf();
    let own = |ledger: &Ledger| ledger.state().sets().parts_of("s", &june());
    for (at, hour) in hours.iter().enumerate() {
        assert_eq!(merged(&own(&ledger), &shelf).unwrap(), None, "{at} are few");
        let charge = charged(&format!("customer-{at}"), "1.5", &[(if at % 2 == 0 { "even" } else { "odd" }, "x")]);
        ledger.append(vec![parts(&place, &[(*hour, &[charge])])]).unwrap();
        ledger.append(vec![Entry::Settled { sink: "s".to_owned(), window: *hour }]).unwrap();
    }
    let before = own(&ledger);
    let all = |parts: &[(Window, SetPart)]| {
        parts.iter().map(|(window, part)| (*window, shelf.charges(part).unwrap())).collect::<Vec<_>>()
    };
    let together = merged(&before, &shelf).unwrap().unwrap();
    assert_eq!(together.parts.iter().map(|part| part.window).collect::<Vec<_>>(), hours);
    ledger.append(vec![Entry::Charged { sink: "s".to_owned(), parts: together }]).unwrap();
    let after = own(&ledger);
    assert_ne!(after, before);
    assert_eq!((all(&after), contents(&after), names(&after)), (all(&before), contents(&before), names(&before)));
    assert!(hours.iter().all(|hour| ledger.state().is_settled("s", hour)), "nothing of them changed");
    assert_eq!(merged(&after, &shelf).unwrap(), None);
    assert_eq!(place.read().sets().parts_of("s", &june()), after);
}

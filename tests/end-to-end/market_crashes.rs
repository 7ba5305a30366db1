//! Hosts that are killed while a queue is claimed, taken, billed and told: every record is billed once, and ends in the right state.

use std::collections::BTreeMap;

use crate::crashes::{is_long, side_by_side};
use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};

/// 2026-02-15T14:05:45.678Z
const AT: i64 = 1_771_164_345_678;
const HOURS: i64 = 3_600_000;

/// Records of three hours, of which one is late for its hour, one was refused and is to be tried again, and one was billed and is pending again.
fn before(market: &mut Market) {
    market.emulator.unsubscribe(OTHER);
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 10, PRODUCT, "users", "1");
    market.item(OTHER, AT, PRODUCT, "users", "2");
    market.run().expect(1);
    market.emulator.subscribe(OTHER);
    // Late; new; refused before; billed before.
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.item(ACME, AT + 2, SECOND, "users", "3");
    market.item(ACME, AT + HOURS, PRODUCT, "api_calls", "11");
    market.item(ACME, AT + HOURS + 1, PRODUCT, "users", "13");
    market.set_pending_again(OTHER, AT);
    market.set_pending_again(ACME, AT + 10);
}

/// What is billed in the end, whatever happened.
fn check(market: &Market, place: &str) {
    let billed: BTreeMap<_, _> = market.billed();
    let key = |who: &str, product: &str, what: &str, hour: &str| {
        (who.to_owned(), product.to_owned(), what.to_owned(), format!("2026-02-15T{hour}:00:00Z"))
    };
    let expected = BTreeMap::from(
        [
            (key(ACME, PRODUCT, "users", "14"), "6"),
            (key(OTHER, PRODUCT, "users", "14"), "2"),
            (key(ACME, SECOND, "users", "14"), "3"),
            (key(ACME, PRODUCT, "api_calls", "15"), "11"),
            // Its own 13, and the late 7.
            (key(ACME, PRODUCT, "users", "15"), "20"),
        ]
        .map(|(key, quantity)| (key, quantity.to_owned())),
    );
    assert_eq!(billed, expected, "{place}");
    for item in market.items() {
        assert_eq!(item["metering_pending"]["S"], "false", "{place}: {item:#}");
        assert_eq!(item["metering_failed"]["BOOL"], false, "{place}: {item:#}");
    }
    let totals = |product, customer| market.totals(product, customer).into_iter().collect::<Vec<_>>();
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, total)| ((*name).to_owned(), (*total).to_owned())).collect()
    };
    assert_eq!(totals(PRODUCT, ACME), own(&[("api_calls", "11"), ("users", "26")]), "{place}");
    assert_eq!(totals(SECOND, ACME), own(&[("users", "3")]), "{place}");
    assert_eq!(totals(PRODUCT, OTHER), own(&[("users", "2")]), "{place}");
}

/// What a run is killed in: all up to that run, and what has to be so in the end.
struct Story {
    before: fn(&mut Market),
    check: fn(&Market, &str),
    /// Places that are passed besides those that every run passes.
    passes: &'static [&'static str],
}

/// The run of which a later one has much to find out.
const SECOND_RUN: Story =
    Story { before, check, passes: &["claimed", "taking", "telling", "told", "acknowledged", "request", "answer"] };

/// The first run, with a ledger that is new.
const FIRST_RUN: Story = Story {
    before: |market| {
        market.item(ACME, AT, PRODUCT, "users", "5");
        market.item(ACME, AT + 1, PRODUCT, "users", "7");
        market.item(ACME, AT + HOURS, PRODUCT, "users", "2");
    },
    check: |market, place| {
        let billed: Vec<_> = market.billed().into_values().collect();
        assert_eq!(billed, ["12", "2"], "{place}");
        assert_eq!(market.totals(PRODUCT, ACME).into_values().collect::<Vec<_>>(), ["14"], "{place}");
        assert!(market.items().iter().all(|item| item["metering_pending"]["S"] == "false"), "{place}");
    },
    passes: &["claiming", "write:claiming", "written:claiming", "kept:claiming", "written:taken"],
};

/// The places that the run passes.
fn places(make: fn() -> Market, story: &Story) -> Vec<String> {
    let mut market = make();
    (story.before)(&mut market);
    let log = market.path("places.txt");
    market.command("run", &[], &[("METERHOST_FAILPOINTS", log.to_str().unwrap())]).expect(0);
    (story.check)(&market, "nowhere");
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    let passed = std::fs::read_to_string(log).unwrap();
    let pass = |name: &str| {
        let time = times.entry(name.to_owned()).or_default();
        *time += 1;
        format!("{name}#{time}")
    };
    let all: Vec<String> = passed.lines().map(pass).collect();
    match is_long() {
        true => all,
        // Each place once.
        false => all.into_iter().filter(|place| place.ends_with("#1")).collect(),
    }
}

/// The names of places where runs of a queue are killed.
pub fn passed_by_a_queue() -> impl Iterator<Item = String> {
    let passed = [FIRST_RUN, SECOND_RUN].map(|story| places(Market::new, &story)).into_iter().flatten();
    passed.filter_map(|place| Some(place.split_once('#')?.0.to_owned()))
}

fn killed_everywhere(make: fn() -> Market, story: &Story) {
    let places = places(make, story);
    for name in story.passes {
        let is_passed = places.iter().any(|place| place.split('#').next() == Some(name));
        assert!(is_passed, "{name} is not in {places:?}");
    }
    let count = places.len();
    side_by_side(places, |place| {
        let mut market = make();
        (story.before)(&mut market);
        let crashed = market.command("run", &[], &[("METERHOST_FAILPOINT", &place)]);
        assert_eq!(crashed.exit, -1, "{place}: {crashed:?}");
        market.run().expect(0);
        (story.check)(&market, &place);
        let calls = market.calls();
        market.run().expect(0);
        assert_eq!(market.calls(), calls, "{place}: a further run calls nothing");
    });
    println!("counted: {count} kills");
}

#[test]
fn a_queue_is_billed_once_wherever_the_host_is_killed_with_a_ledger_in_a_file() {
    killed_everywhere(Market::new, &FIRST_RUN);
    killed_everywhere(Market::new, &SECOND_RUN);
}

#[test]
fn a_queue_is_billed_once_wherever_the_host_is_killed_with_a_ledger_on_s3() {
    if is_long() {
        killed_everywhere(Market::on_s3, &FIRST_RUN);
    }
    killed_everywhere(Market::on_s3, &SECOND_RUN);
}

#[test]
fn of_two_hosts_at_once_one_bills_and_the_other_one_waits_or_ends() {
    for make in [Market::new, Market::on_s3] {
        let mut market = make();
        before(&mut market);
        let both: Vec<_> = (0..2)
            .map(|_| {
                let mut step = market.step("run");
                step.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                step.spawn().unwrap()
            })
            .collect();
        let exits: Vec<i32> = both
            .into_iter()
            .map(|child| crate::support::ended(child.wait_with_output().unwrap()))
            .inspect(|ended| assert!([0, 5].contains(&ended.exit), "{ended:?}"))
            .map(|ended| ended.exit)
            .collect();
        assert!(exits.contains(&0), "{exits:?}");
        market.run().expect(0);
        check(&market, "two at once");
    }
}

//! CloudZero AnyCost through its Stream API, against a strict emulator of it.

use std::collections::BTreeMap;

use anycost_emulator::{Emulator, Fault, KEY, Operation};
use meterhost_decimal::Decimal;

use crate::support::{Ended, Stage};

/// A pipeline into the Stream.
struct Stream {
    stage: Stage,
    emulator: Emulator,
}

impl Stream {
    fn new() -> Self {
        let (mut stage, emulator) = (Stage::on_a_file(), Emulator::start().unwrap());
        let (url, connection) = (emulator.url(), emulator.connection());
        stage.pipeline(&format!(
            r#"
name   = "postgres-prod"
window = "hour"
start  = "2025-06"

[source]
plugin = "s3-reader"
grant  = {{ read = "file://./bucket" }}
config.layout = "omnistrate-metering/Postgres/PROD/pt-1/{{yyyy}}/{{mm}}/{{dd}}/{{hh}}/*.json"
config.fields = {{ time = "path", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value" }}

[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}

[sink.anycost]
retry_budget = "10s"
grant = {{ http = ["{url}"], secrets = {{ api_key = {{ env = "CLOUDZERO_API_KEY" }} }} }}
config.stream  = {{ connection = "{connection}", url = "{url}" }}
config.prices  = {{ "*" = "0.5" }}
config.columns = {{ "resource/id" = "{{customer}}", "lineitem/description" = "{{dimension}}" }}
"#
        ));
        stage.at("2025-06-03T00:00:10Z");
        Stream { stage, emulator }
    }

    fn run_with(&self, key: &str) -> Ended {
        self.stage.command("run", &[], &[("CLOUDZERO_API_KEY", key)])
    }

    fn run(&self) -> Ended {
        self.run_with(KEY)
    }

    /// Customers with a description so long that a few thousand of them fill a body.
    fn many(&self, hour: &str, rows: usize) {
        let records: Vec<(String, String)> =
            (0..rows).map(|at| (format!("c-{at:06}"), format!("{at:06}{}", "x".repeat(900)))).collect();
        let records: Vec<(&str, &str, &str)> =
            records.iter().map(|(customer, dimension)| (customer.as_str(), dimension.as_str(), "2")).collect();
        self.stage.usage(hour, "many", &records);
    }

    /// What each hour costs.
    fn costs(&self) -> BTreeMap<String, Decimal> {
        let mut costs: BTreeMap<String, Decimal> = BTreeMap::new();
        for row in self.emulator.rows("2025-06") {
            let cost = costs.entry(row["time/usage_start"].clone()).or_default();
            *cost = cost.checked_add(Decimal::parse(&row["cost/cost"]).unwrap()).unwrap();
        }
        costs
    }

    fn operations(&self) -> Vec<Option<Operation>> {
        self.emulator
            .requests()
            .iter()
            .filter(|request| request.status == 200)
            .map(|request| request.operation)
            .collect()
    }
}

fn hour(day: u32, hour: u32) -> String {
    format!("2025-06-{day:02}T{hour:02}:00:00Z")
}

fn costs(of: &[(String, &str)]) -> BTreeMap<String, Decimal> {
    of.iter().map(|(hour, cost)| (hour.clone(), Decimal::parse(cost).unwrap())).collect()
}

/// What each hour of a month costs that went hour by hour: nothing, in all others that have come.
fn hourly(of: &[(String, &str)]) -> BTreeMap<String, Decimal> {
    let come = (1..=2).flat_map(|day| (0..24).map(move |at| hour(day, at))).chain([hour(3, 0)]);
    let mut all: BTreeMap<String, Decimal> = come.map(|hour| (hour, Decimal::ZERO)).collect();
    all.extend(costs(of));
    all
}

#[test]
fn a_month_that_fits_one_body_replaces_the_whole_month() {
    let stream = Stream::new();
    stream.stage.usage("2025/06/01/05", "a", &[("acme", "cpu", "3"), ("bolt", "cpu", "4")]);
    stream.stage.usage("2025/06/01/06", "a", &[("acme", "cpu", "1")]);
    stream.run().expect(0);
    assert_eq!(stream.costs(), costs(&[(hour(1, 5), "3.5"), (hour(1, 6), "0.5")]));
    stream.run().expect(0).says("unchanged");
    assert_eq!(stream.operations(), [Some(Operation::ReplaceDrop)]);
    // What goes away goes away.
    std::fs::remove_file(stream.stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/06/a.json"))
        .unwrap();
    stream.run().expect(0);
    assert_eq!(stream.costs(), costs(&[(hour(1, 5), "3.5")]));
    std::fs::remove_file(stream.stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/a.json"))
        .unwrap();
    stream.run().expect(0);
    assert_eq!(stream.costs(), costs(&[]));
    stream.stage.command("snapshots list", &[], &[]).expect(0).says("current 0 charges");
    assert!(!std::fs::read_to_string(stream.stage.path("pipeline.toml")).unwrap().contains(KEY));
}

#[test]
fn a_larger_month_goes_hour_by_hour_one_request_after_the_other() {
    let stream = Stream::new();
    for at in 1..=4 {
        stream.many(&format!("2025/06/01/{at:02}"), 3_000);
    }
    stream.emulator.push_fault(Fault::Throttle(1));
    stream.emulator.push_fault(Fault::Answer(503));
    stream.emulator.push_fault(Fault::LostAnswer);
    stream.emulator.push_fault(Fault::Dropped);
    stream.run().expect(0);
    let whole: Vec<(String, &str)> = (1..=4).map(|at| (hour(1, at), "3000")).collect();
    assert_eq!(stream.costs(), hourly(&whole));
    assert_eq!(stream.emulator.overlapped(), 0);
    let requests = stream.emulator.requests();
    assert!(requests.iter().all(|request| request.bytes < 5_000_000), "{requests:?}");
    assert!(stream.operations().iter().all(|operation| *operation == Some(Operation::ReplaceHourly)), "{requests:?}");
    let taken = requests.iter().filter(|request| request.status == 200).map(|request| request.bytes);
    assert!(taken.sum::<usize>() > 12_000_000);
    // An hour that has gone away costs nothing any more.
    std::fs::remove_file(stream.stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/02/many.json"))
        .unwrap();
    stream.run().expect(0);
    let left = [(hour(1, 1), "3000"), (hour(1, 3), "3000"), (hour(1, 4), "3000")];
    assert_eq!(stream.costs(), hourly(&left));
}

#[test]
fn what_the_service_refuses_is_told_in_its_words_and_not_repeated() {
    let stream = Stream::new();
    stream.stage.usage("2025/06/01/05", "a", &[("acme", "cpu", "3")]);
    stream.run_with("some-other-key").expect(1).says("Forbidden");
    assert_eq!((stream.emulator.requests().len(), stream.costs()), (1, costs(&[])));
    stream.emulator.push_fault(Fault::Answer(400));
    stream.run().expect(1).says("not now");
    assert_eq!(stream.emulator.requests().len(), 2);
    stream.run().expect(0);
    assert_eq!(stream.costs(), costs(&[(hour(1, 5), "1.5")]));
}

#[test]
fn an_hour_that_fits_no_body_is_an_error_before_anything_is_sent() {
    let stream = Stream::new();
    stream.stage.usage("2025/06/01/04", "a", &[("acme", "cpu", "3")]);
    stream.many("2025/06/01/05", 6_000);
    stream.run().expect(1).says("2025-06-01T05:00:00Z");
    assert_eq!(stream.emulator.requests().len(), 0);
}

#[test]
fn a_run_that_is_killed_while_it_sends_is_made_up_for_by_the_next() {
    for place in ["request", "answer#2", "written:publishing", "shown-set"] {
        let stream = Stream::new();
        stream.stage.usage("2025/06/01/03", "a", &[("acme", "cpu", "3")]);
        stream.run().expect(0);
        for at in 4..=6 {
            stream.many(&format!("2025/06/01/{at:02}"), 2_500);
        }
        std::fs::remove_file(stream.stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/03/a.json"))
            .unwrap();
        let killed = stream.stage.command("run", &[], &[("CLOUDZERO_API_KEY", KEY), ("METERHOST_FAILPOINT", place)]);
        assert_eq!(killed.exit, -1, "{place}: {killed:?}");
        stream.run().expect(0);
        let whole = [(hour(1, 4), "2500"), (hour(1, 5), "2500"), (hour(1, 6), "2500")];
        assert_eq!(stream.costs(), hourly(&whole), "{place}");
        stream.run().expect(0).says("unchanged");
        stream.stage.command("snapshots prune", &["--yes"], &[]).expect(0).says("there is nothing to delete");
        let status = stream.stage.command("status", &[], &[]);
        assert!(!status.stdout.contains("left behind"), "{status:?}");
    }
}

#[test]
fn the_stream_keeps_no_earlier_sets() {
    let stream = Stream::new();
    stream.stage.usage("2025/06/01/05", "a", &[("acme", "cpu", "3")]);
    stream.run().expect(0);
    let revert = |id: &str| {
        let arguments = ["--period", "2025-06", "--to", id, "--reason", "r", "--yes"];
        stream.stage.command("snapshots revert", &arguments, &[("CLOUDZERO_API_KEY", KEY)])
    };
    revert("20250603T000010Z").expect(2).says("keeps no earlier sets");
    stream.run().expect(0).says("unchanged");
    let arguments = ["--period", "2025-06", "--reason", "r", "--yes"];
    stream.stage.command("snapshots remove", &arguments, &[("CLOUDZERO_API_KEY", KEY)]).expect(0);
    assert_eq!(stream.costs(), costs(&[]));
}

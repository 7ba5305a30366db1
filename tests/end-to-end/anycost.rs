//! CloudZero AnyCost by file drops, from usage to what the independent model of CloudZero's ingest makes of it. After each step that model,
//! `shared/tools/cbf_ingest_sim.py`, agrees with the ledger in drop, rows and cost.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use meterhost_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::crashes::{is_long, side_by_side};
use crate::support::{Backend, Ended, Stage, settings};

/// A line of the bill of "Simple Cloud", an example of CloudZero's documents: type, service, resource, time, cost, discounted cost.
const SIMPLE_CLOUD: [[&str; 6]; 6] = [
    ["Usage", "Compute", "instance-0000", "2022-03-16T13:00:00Z", "12", "8"],
    ["Usage", "Compute", "instance-0001", "2022-03-16T13:00:00Z", "20", "16"],
    ["Usage", "Compute", "instance-0002", "2022-03-16T13:00:00Z", "15.3", "11.3"],
    ["Purchase", "CommitedUse", "commit-111-222-333", "2022-03-01T00:00:00Z", "90", "90"],
    ["Discount", "SpecialCompute", "special-01010101", "2022-03-16T13:00:00Z", "-12", "0"],
    ["Discount", "MVPDiscount", "mvp-aaa-12345", "2022-03-01T00:00:00Z", "-20", "-20"],
];

/// A pipeline into file drops, in a folder or in a bucket.
pub struct Costs {
    stage: Stage,
    root: String,
}

/// One row of a drop, by column.
type Row = BTreeMap<String, String>;

impl Costs {
    fn on(ledger: Backend, start: &str, now: &str) -> Self {
        let mut stage = Stage::on(ledger, settings());
        let drops = stage.drops_url();
        stage.pipeline(&format!(
            r#"
name   = "postgres-prod"
window = "hour"
start  = "{start}"

[source]
plugin = "s3-reader"
grant  = {{ read = "file://./bucket" }}
config.layout = "bills/**.json"
config.fields = {{ time = "/time", customer = "/account", product = "/service", dimension = "/dimension", quantity = "/amount" }}
config.attributes = {{ type = "/type", resource = "/resource", cost = "/cost", discounted = "/discounted", team = "/team", text = "/text" }}

[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}
config.tags = ["type", "resource", "cost", "discounted", "team", "text"]

[sink.anycost]
grant = {{ read = "{drops}", write = "{drops}" }}
config.root = "simple_cloud"
config.tags = ["team"]
config.columns = {{ "lineitem/type" = "{{tag.type}}", "resource/service" = "{{product}}", "resource/account" = "{{customer}}", "resource/id" = "{{tag.resource}}", "cost/cost" = "{{tag.cost|quantity}}" }}
"#
        ));
        stage.at(now);
        Costs { stage, root: "simple_cloud".to_owned() }
    }

    /// One in a folder, with its ledger in a file, and one in a bucket, with its ledger there.
    fn both(start: &str, now: &str) -> [Self; 2] {
        Backend::both().map(|ledger| Costs::on(ledger, start, now))
    }

    fn in_a_folder(start: &str, now: &str) -> Self {
        Costs::on(Backend::Sqlite, start, now)
    }

    /// Writes one object of records.
    fn bill(&self, name: &str, records: &[Value]) {
        self.stage.object(&format!("bills/{name}.json"), &Value::from(records.to_vec()).to_string());
    }

    /// Writes records of March 2022 by number, each of a row of its own: one object an hour, with what came of it at once.
    fn bill_many(&self, numbers: Range<usize>) {
        let (first, end) = (numbers.start, numbers.end);
        for hour in 0..744.min(end - first) {
            let (day, hour_of_day) = (hour / 24 + 1, hour % 24);
            let time = format!("2022-03-{day:02}T{hour_of_day:02}:30:00Z");
            let records: Vec<Value> =
                (first + hour..end).step_by(744).map(|number| usage(&time, &format!("i-{number}"), "0.25")).collect();
            self.bill(&format!("2022/03/{day:02}/{hour_of_day:02}/{first}"), &records);
        }
    }

    fn run(&self) -> Ended {
        self.stage.run()
    }

    /// Runs, and holds the model of the ingest against the ledger.
    fn agrees(&self) -> Value {
        self.run().expect(0);
        self.ingested()
    }

    fn snapshots(&self, command: &str, arguments: &[&str]) -> Ended {
        self.stage.command(&format!("snapshots {command}"), arguments, &[])
    }

    /// A folder with all that CloudZero would read.
    fn drops(&self) -> (Option<tempfile::TempDir>, PathBuf) {
        let (folder, drops) = self.stage.drops();
        (folder, drops.join(&self.root))
    }

    /// What CloudZero would make of it, by month: the model finds no fault, and agrees with what the ledger says of each month.
    fn ingested(&self) -> Value {
        let (_folder, root) = self.drops();
        let model = simulated(&root);
        assert_eq!(model["errors"], json!([]), "{model:#}");
        let listed = self.snapshots("list", &["--json"]).expect(0).json();
        let current = listed["snapshots"].as_array().unwrap().iter().filter(|set| set["standing"] == "current");
        let mut known = 0;
        for set in current {
            known += 1;
            let month = &model["periods"][billing_data(set["period"].as_str().unwrap())];
            assert_eq!(month["drop"], set["id"]);
            assert_eq!(month["rows"], set["charges"]);
            let decimal = |value: &Value| Decimal::parse(value.as_str().unwrap()).unwrap();
            assert_eq!(decimal(&month["cost"]), decimal(&set["totals"]["cost/cost"]), "{set:#}");
        }
        let there = model["periods"].as_object().unwrap().values().filter(|month| month["ingested"] == true);
        assert_eq!(there.count(), known, "{model:#}\n{listed:#}");
        model["periods"].clone()
    }

    /// The bytes of a file below the root.
    fn file(&self, key: &str) -> Option<Vec<u8>> {
        let (_folder, root) = self.drops();
        std::fs::read(root.join(key)).ok()
    }

    /// Writes a file below the root, as another program does.
    fn put(&self, key: &str, text: &str) {
        match &self.stage.ledger {
            Backend::Sqlite => {
                let path = self.drops().1.join(key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Backend::S3(bucket) => {
                bucket.store.put(&bucket.name, &format!("drops/{}/{key}", self.root), text.as_bytes());
            }
        }
    }

    /// Deletes a file below the root.
    fn delete(&self, key: &str) {
        match &self.stage.ledger {
            Backend::Sqlite => std::fs::remove_file(self.drops().1.join(key)).unwrap(),
            Backend::S3(bucket) => bucket.store.delete(&bucket.name, &format!("drops/{}/{key}", self.root)),
        }
    }

    /// Whether anything lies where drops are written.
    fn has_written(&self) -> bool {
        match &self.stage.ledger {
            Backend::Sqlite => self.stage.path("drops").exists(),
            Backend::S3(bucket) => bucket.store.keys(&bucket.name).iter().any(|key| key.starts_with("drops/")),
        }
    }

    /// The rows of the drop that readers are shown of a month.
    fn rows(&self, month: &str) -> Vec<Row> {
        self.files::<Vec<Row>>(month, "list(rows)").concat()
    }

    /// What Python's own libraries make of each file of that drop, by an expression over its `rows`.
    fn files<T: DeserializeOwned>(&self, month: &str, expression: &str) -> Vec<T> {
        let (_folder, root) = self.drops();
        let program = format!(
            "import csv,glob,gzip,json,os,sys
month=sys.argv[1]
drop=json.load(open(os.path.join(month,'manifest.json')))['current_drop_id']
files=[]
for path in sorted(glob.glob(os.path.join(month,drop,'*.csv.gz'))):
    rows=csv.DictReader(gzip.open(path,'rt',encoding='utf-8',newline=''))
    files.append({expression})
print(json.dumps(files))"
        );
        let output =
            Command::new("python3").args(["-c", &program]).arg(root.join(billing_data(month))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn manifest(&self, month: &str) -> String {
        String::from_utf8(self.file(&format!("{}/manifest.json", billing_data(month))).unwrap()).unwrap()
    }
}

/// `20220301-20220401` of `2022-03`.
fn billing_data(month: &str) -> String {
    let (year, number) = month.split_once('-').unwrap();
    let (year, number): (u32, u32) = (year.parse().unwrap(), number.parse().unwrap());
    let (next_year, next) = if number == 12 { (year + 1, 1) } else { (year, number + 1) };
    format!("{year:04}{number:02}01-{next_year:04}{next:02}01")
}

/// What the model of the ingest says of a root path.
pub fn simulated(root: &Path) -> Value {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tools/cbf_ingest_sim.py");
    assert!(model.is_file(), "{} is missing", model.display());
    let output = Command::new("python3").arg(model).arg(root).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn simple_cloud(lines: &[[&str; 6]]) -> Vec<Value> {
    let record = |[kind, service, resource, time, cost, discounted]: &[&str; 6]| {
        json!({ "type": kind, "service": service, "resource": resource, "time": time, "cost": cost,
                "discounted": discounted, "account": "a-1", "dimension": "line", "amount": 1 })
    };
    lines.iter().map(record).collect()
}

/// A record of usage that costs as much as it amounts to.
fn usage(time: &str, resource: &str, amount: &str) -> Value {
    json!({ "type": "Usage", "service": "Compute", "resource": resource, "time": time, "account": "a-1",
            "dimension": "hours", "amount": amount })
}

#[test]
fn the_simple_cloud_is_one_drop_with_its_manifest() {
    for costs in Costs::both("2022-03", "2022-03-17T17:12:18Z") {
        costs.stage.replace(
            "\"cost/cost\" = \"{tag.cost|quantity}\"",
            "\"cost/cost\" = \"{tag.cost}\", \"cost/discounted_cost\" = \"{tag.discounted}\"",
        );
        costs.bill("march", &simple_cloud(&SIMPLE_CLOUD));
        let month = costs.agrees()["20220301-20220401"].clone();
        assert_eq!((&month["cost"], &month["discounted_cost"]), (&json!("105.3"), &json!("105.3")));
        assert_eq!((&month["rows"], &month["files"]), (&json!(6), &json!(1)));
        assert_eq!(costs.manifest("2022-03"), r#"{"version":"1.3.0","current_drop_id":"20220317T171218Z"}"#);
        assert!(costs.file("20220301-20220401/20220317T171218Z/data_export-0001.csv.gz").is_some());
        let columns = [
            "lineitem/type",
            "resource/service",
            "resource/id",
            "time/usage_start",
            "cost/cost",
            "cost/discounted_cost",
        ];
        let mut rows: Vec<Vec<String>> = costs
            .rows("2022-03")
            .iter()
            .map(|row| columns.iter().map(|column| row[*column].clone()).collect())
            .collect();
        rows.sort();
        let mut expected: Vec<Vec<String>> = SIMPLE_CLOUD
            .iter()
            .map(|[kind, service, resource, time, cost, discounted]| {
                [kind, service, resource, time, cost, discounted].iter().map(|cell| (**cell).to_owned()).collect()
            })
            .collect();
        expected.sort();
        assert_eq!(rows, expected);
    }
}

#[test]
fn each_drop_holds_the_month_to_date_and_the_manifest_names_the_last() {
    for mut costs in Costs::both("2022-03", "2022-03-14T10:02:16Z") {
        let days = |days: std::ops::RangeInclusive<u32>| -> Vec<Value> {
            days.map(|day| usage(&format!("2022-03-{day:02}T01:00:00Z"), "i-1", "1.1")).collect()
        };
        costs.bill("first", &days(1..=13));
        assert_eq!(costs.agrees()["20220301-20220401"]["rows"], 13);
        costs.stage.at("2022-03-17T10:02:16Z");
        costs.bill("second", &days(14..=16));
        let month = costs.agrees()["20220301-20220401"].clone();
        assert_eq!((&month["rows"], &month["cost"]), (&json!(16), &json!("17.6")));
        let first = "20220301-20220401/20220314T100216Z/data_export-0001.csv.gz";
        let kept = costs.file(first).unwrap();
        assert!(costs.manifest("2022-03").contains("20220317T100216Z"));
        // The same once more writes nothing.
        let manifest = costs.manifest("2022-03");
        assert_eq!(costs.agrees()["20220301-20220401"], month);
        assert_eq!((costs.manifest("2022-03"), costs.file(first).unwrap()), (manifest, kept));
        // Back to the first, and not to one that never was.
        let to = |id: &str| {
            costs.snapshots("revert", &["--period", "2022-03", "--to", id, "--reason", "the 17th is wrong", "--yes"])
        };
        let before = costs.manifest("2022-03");
        to("20220314T100217Z").expect(2).says("there is 20220314T100216Z, 20220317T100216Z");
        assert_eq!(costs.manifest("2022-03"), before);
        to("20220314T100216Z").expect(0);
        assert_eq!(costs.ingested()["20220301-20220401"]["rows"], 13);
        assert_eq!(costs.agrees()["20220301-20220401"]["rows"], 13, "it stays until it is released");
    }
}

#[test]
fn hours_and_months_are_those_of_utc() {
    for (time, month) in
        [("2024-12-31T23:30:00-05:00", "20250101-20250201"), ("2024-12-31T23:59:59Z", "20241201-20250101")]
    {
        for costs in Costs::both(&time[..7], "2025-01-02T00:00:00Z") {
            costs.stage.replace("window = \"hour\"", "window = \"hour\"\nmax_windows = 3000");
            costs.bill("one", &[usage(time, "i-1", "1")]);
            let months = costs.agrees();
            let found: Vec<_> =
                months.as_object().unwrap().iter().map(|(month, found)| (month.as_str(), &found["rows"])).collect();
            assert_eq!(found, [(month, &json!(1))]);
        }
    }
    for costs in Costs::both("2024-02", "2024-03-02T00:00:00Z") {
        costs.bill("leap", &[usage("2024-02-29T23:59:59Z", "i-1", "1"), usage("2024-03-01T00:00:00Z", "i-1", "2")]);
        let months = costs.agrees();
        assert_eq!(months.as_object().unwrap().keys().collect::<Vec<_>>(), ["20240201-20240301", "20240301-20240401"]);
        assert_eq!(costs.rows("2024-02")[0]["time/usage_start"], "2024-02-29T23:00:00Z");
        assert_eq!(costs.rows("2024-03")[0]["time/usage_start"], "2024-03-01T00:00:00Z");
    }
}

#[test]
fn late_usage_drops_its_month_again_in_full_and_no_other() {
    for mut costs in Costs::both("2022-03", "2022-04-02T00:00:00Z") {
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "1")]);
        costs.bill("april", &[usage("2022-04-01T21:00:00Z", "i-1", "2")]);
        costs.agrees();
        let april = costs.manifest("2022-04");
        costs.stage.at("2022-04-03T00:00:00Z");
        costs.bill("late", &[usage("2022-03-01T22:00:00Z", "i-1", "3")]);
        let months = costs.agrees();
        assert_eq!(
            (&months["20220301-20220401"]["rows"], &months["20220301-20220401"]["cost"]),
            (&json!(2), &json!("4"))
        );
        assert_eq!(costs.manifest("2022-04"), april);
    }
}

#[test]
fn a_file_has_so_many_rows_and_no_more() {
    let three = "\nconfig.rows_per_file = 3";
    // What AnyCost itself allows takes minutes to fill.
    let sizes = [(three, 3), ("", 1_000_000)].into_iter().take(if is_long() { 2 } else { 1 });
    for (line, most) in sizes {
        for costs in Costs::both("2022-03", "2022-04-02T00:00:00Z") {
            costs.stage.replace("config.tags = [\"team\"]", &format!("config.tags = [\"team\"]{line}"));
            costs.stage.replace("bills/**.json", "bills/{yyyy}/{mm}/{dd}/{hh}/*.json");
            let mut there = 0;
            for in_files in [vec![most], vec![most, 1], vec![most, most, most / 2]] {
                let rows = in_files.iter().sum();
                costs.bill_many(there..rows);
                there = rows;
                let month = costs.agrees()["20220301-20220401"].clone();
                assert_eq!((&month["files"], &month["rows"]), (&json!(in_files.len()), &json!(rows)));
                assert_eq!(costs.files::<usize>("2022-03", "sum(1 for row in rows)"), in_files);
            }
        }
    }
}

#[test]
fn an_emptied_month_is_a_header_alone() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "1")]);
        costs.agrees();
        costs.bill("march", &[]);
        let month = costs.agrees()["20220301-20220401"].clone();
        assert_eq!((&month["rows"], &month["cost"], &month["files"]), (&json!(0), &json!("0"), &json!(1)));
        assert_eq!(costs.agrees()["20220301-20220401"], month);
    }
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.bill("march", &[]);
        costs.run().expect(0);
        assert!(!costs.drops().1.exists(), "what was never published and has no rows is not published");
    }
}

#[test]
fn a_kill_between_data_and_manifest_shows_the_old_set_and_the_next_run_finishes() {
    for mut costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "1")]);
        let before = costs.agrees();
        costs.stage.at("2022-03-04T00:00:00Z");
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "2")]);
        let killed = costs.stage.command("run", &[], &[("METERHOST_FAILPOINT", "showing-set")]);
        assert_eq!(killed.exit, -1);
        let (_folder, root) = costs.drops();
        assert_eq!(simulated(&root)["periods"], before);
        costs.stage.at("2022-03-05T00:00:00Z");
        costs.run().expect(0).says("20220304T000000Z was not finished, and nobody is shown it");
        assert_eq!(costs.ingested()["20220301-20220401"]["cost"], "2");
        costs.snapshots("list", &[]).expect(0).says("20220304T000000Z left behind");
        costs.snapshots("prune", &["--keep", "0", "--yes"]).expect(0).says("20220304T000000Z");
        assert!(costs.file("20220301-20220401/20220304T000000Z/data_export-0001.csv.gz").is_none());
        assert_eq!(costs.ingested()["20220301-20220401"]["cost"], "2");
    }
}

/// Every place between the entry that names a set and the one that says that it is shown.
const PLACES: [&str; 17] = [
    "beginning-set",
    "write:publishing",
    "written:publishing",
    "writing-set",
    "beginning-object",
    "writing-object",
    "finishing-set",
    "ending-object",
    "ended-object",
    "write:written",
    "written:written",
    "showing-set",
    "putting-object",
    "put-object",
    "shown-set",
    "write:published",
    "written:published",
];

#[test]
fn a_kill_at_any_place_of_a_publication_shows_the_old_set_or_the_new_one() {
    let of_files = || Costs::in_a_folder("2022-03", "2022-03-03T00:00:00Z");
    let of_a_bucket = || Costs::on(Backend::s3(), "2022-03", "2022-03-03T00:00:00Z");
    let kinds: [fn() -> Costs; 2] = [of_files, of_a_bucket];
    let turns = PLACES.iter().enumerate().flat_map(|(turn, place)| {
        // Places and stores take turns, where there is no time for all of them.
        let own = kinds.into_iter().cycle().skip(turn).take(if is_long() { 2 } else { 1 });
        own.map(|kind| (*place, kind))
    });
    side_by_side(turns.collect(), |(place, kind)| {
        let mut costs = kind();
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "1")]);
        let before = costs.agrees();
        costs.stage.at("2022-03-04T00:00:00Z");
        costs.bill("march", &[usage("2022-03-01T21:00:00Z", "i-1", "2"), usage("2022-03-02T21:00:00Z", "i-1", "3")]);
        let killed = costs.stage.command("run", &[], &[("METERHOST_FAILPOINT", place)]);
        assert_eq!(killed.exit, -1, "{place}: {killed:?}");
        let (_folder, root) = costs.drops();
        let seen = simulated(&root);
        assert_eq!(seen["errors"], json!([]), "{place}");
        let month = &seen["periods"]["20220301-20220401"];
        let is_old = *month == before["20220301-20220401"];
        assert!(is_old || (&month["rows"], &month["cost"]) == (&json!(2), &json!("5")), "{place}: {month:#}");
        costs.stage.at("2022-03-05T00:00:00Z");
        let after = costs.agrees()["20220301-20220401"].clone();
        assert_eq!((&after["rows"], &after["cost"]), (&json!(2), &json!("5")), "{place}");
        assert!(is_old || after["drop"] == month["drop"], "{place}: what is shown is not published again");
        costs.snapshots("prune", &["--keep", "0", "--yes"]).expect(0);
        let drops = costs.ingested();
        assert_eq!(drops["20220301-20220401"]["drop"], after["drop"], "{place}");
        let (_folder, root) = costs.drops();
        let kept = std::fs::read_dir(root.join("20220301-20220401")).unwrap();
        let names: Vec<String> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let full = |name: &&String| {
            root.join("20220301-20220401").join(name).read_dir().is_ok_and(|mut files| files.next().is_some())
        };
        assert_eq!(names.iter().filter(full).collect::<Vec<_>>(), [after["drop"].as_str().unwrap()], "{place}");
    });
}

#[test]
fn costs_are_exact_and_plain() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        let cost = |resource: &str, cost: &str| {
            let mut record = usage("2022-03-01T05:00:00Z", resource, "1");
            record["cost"] = cost.into();
            record
        };
        let parts = ["0.1", "0.2"].map(|amount| usage("2022-03-01T05:00:00Z", "sum", amount));
        let mut credit = cost("credit", "-12");
        credit["type"] = "Credit".into();
        costs.bill(
            "march",
            &[parts[0].clone(), parts[1].clone(), cost("tiny", "1e-7"), cost("zeros", "12.3400"), credit],
        );
        costs.agrees();
        let found: BTreeMap<String, String> = costs
            .rows("2022-03")
            .into_iter()
            .map(|row| (row["resource/id"].clone(), row["cost/cost"].clone()))
            .collect();
        let expected = [("sum", "0.3"), ("tiny", "0.0000001"), ("zeros", "12.34"), ("credit", "-12")];
        assert_eq!(found, expected.map(|(id, cost)| (id.to_owned(), cost.to_owned())).into_iter().collect());
    }
}

#[test]
fn what_is_blank_stays_blank_and_zero_stays_zero() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.stage.replace(
            "\"cost/cost\" = \"{tag.cost|quantity}\"",
            "\"cost/cost\" = \"{quantity}\", \"cost/discounted_cost\" = \"{tag.discounted}\"",
        );
        let mut zero = usage("2022-03-01T05:00:00Z", "zero", "0");
        zero["discounted"] = "0".into();
        costs.bill("march", &[usage("2022-03-01T05:00:00Z", "blank", "5"), zero]);
        costs.agrees();
        let cells: Vec<[String; 3]> = costs
            .rows("2022-03")
            .iter()
            .map(|row| ["resource/id", "cost/discounted_cost", "cost/amortized_cost"].map(|column| row[column].clone()))
            .collect();
        let own = |cells: [&str; 3]| cells.map(str::to_owned);
        assert_eq!(cells.len(), 2);
        assert!(cells.contains(&own(["blank", "", "5"])) && cells.contains(&own(["zero", "0", "0"])), "{cells:?}");
    }
}

#[test]
fn what_cloudzero_would_misread_is_held_with_its_place() {
    for (change, says) in [
        (json!({ "type": "usage" }), "lineitem/type"),
        (json!({ "resource": "a:b:c" }), "resource/id"),
        (json!({ "resource": "a/b/c/d" }), "resource/id"),
        (json!({ "resource": null, "team": "red" }), "resource/id"),
        (json!({ "type": "Credit", "cost": "12" }), "cost/cost"),
        (json!({ "cost": "a lot" }), "a lot"),
        (json!({ "team": "a\u{0}b" }), "NUL"),
    ] {
        for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
            let mut wrong = usage("2022-03-01T05:00:00Z", "i-1", "1");
            for (key, value) in change.as_object().unwrap() {
                wrong[key] = value.clone();
            }
            costs.bill("march", &[wrong, usage("2022-03-01T05:00:00Z", "i-2", "2")]);
            costs.run().expect(1).says(says).says("2022-03-01T05");
            assert_eq!(costs.ingested()["20220301-20220401"]["rows"], 1, "everybody else's rows are published: {says}");
        }
    }
}

#[test]
fn a_tag_has_a_key_that_cloudzero_takes() {
    for (name, exit) in [("Team Name", 1), ("Product&Dev", 1), ("team", 0), ("Product-Type", 0)] {
        for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
            costs.stage.replace("team = \"/team\"", &format!("\"{name}\" = \"/team\""));
            costs.stage.replace("\"discounted\", \"team\"", &format!("\"discounted\", \"{name}\""));
            costs.stage.replace("config.tags = [\"team\"]", "config.tags = \"all\"");
            let mut tagged = usage("2022-03-01T05:00:00Z", "i-1", "1");
            tagged["team"] = "red".into();
            costs.bill("march", &[tagged.clone(), usage("2022-03-01T05:00:00Z", "i-2", "2")]);
            let ended = costs.run();
            ended.expect(exit);
            if exit == 1 {
                ended.says(name);
            }
            let rows = costs.ingested()["20220301-20220401"]["rows"].clone();
            assert_eq!(rows, if exit == 0 { json!(2) } else { json!(1) });
        }
    }
    // One that the file names is an error of the file.
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.stage.replace("config.tags = [\"team\"]", "config.tags = [\"Team Name\"]");
        costs.run().expect(2).says("Team Name");
    }
    // Two keys that are one once they are clean.
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.stage.replace("team = \"/team\", text = \"/text\"", "\"a b\" = \"/team\", \"a&b\" = \"/text\"");
        costs.stage.replace("\"discounted\", \"team\", \"text\"", "\"discounted\", \"a b\", \"a&b\"");
        costs
            .stage
            .replace("config.tags = [\"team\"]", "config.tags = [\"a b\", \"a&b\"]\nconfig.tag_keys = \"clean\"");
        costs.run().expect(2).says("a b").says("a&b");
    }
}

#[test]
fn tags_of_one_key_are_held_where_they_meet_and_where_only_the_month_shows_them_it_is_not_published() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.stage.replace("team = \"/team\", text = \"/text\"", "\"a b\" = \"/team\", \"a&b\" = \"/text\"");
        costs.stage.replace("\"discounted\", \"team\", \"text\"", "\"discounted\", \"a b\", \"a&b\"");
        costs.stage.replace("config.tags = [\"team\"]", "config.tags = \"all\"\nconfig.tag_keys = \"clean\"");
        let tagged = |hour: &str, resource: &str, tag: &str| {
            let mut usage = usage(&format!("2022-03-01T{hour}:00:00Z"), resource, "1");
            usage[tag] = "x".into();
            usage
        };
        costs.bill("five", &[tagged("05", "i-1", "team")]);
        assert_eq!(costs.agrees()["20220301-20220401"]["rows"], 1);
        let untagged = usage("2022-03-01T06:00:00Z", "i-4", "1");
        costs.bill("six", &[tagged("06", "i-2", "team"), tagged("06", "i-3", "text"), untagged]);
        costs
            .run()
            .expect(1)
            .says("tag \"a b\" would be written as resource/tag:a-b, as would be \"a&b\" of the charge of");
        assert_eq!(costs.ingested()["20220301-20220401"]["rows"], 2);
        let rows = costs.rows("2022-03");
        assert_eq!(rows.iter().map(|row| row["resource/id"].as_str()).collect::<Vec<_>>(), ["i-1", "i-4"]);
        costs.bill("six", &[usage("2022-03-01T06:00:00Z", "i-4", "1")]);
        costs.bill("seven", &[tagged("07", "i-5", "text")]);
        let ended = costs.run();
        assert_ne!(ended.exit, 0, "{ended:?}");
        ended
            .says("window from 2022-03-01T07:00:00Z: tags: tag \"a&b\"")
            .says("window from 2022-03-01T05:00:00Z: list in `tags`");
        assert_eq!(costs.ingested()["20220301-20220401"]["rows"], 2);
    }
}

#[test]
fn a_tag_of_the_last_row_is_a_column_of_all() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        let mut records: Vec<Value> =
            (0..10_000).map(|at| usage("2022-03-01T05:00:00Z", &format!("i-{at:05}"), "1")).collect();
        records.last_mut().unwrap()["team"] = "red".into();
        costs.bill("march", &records);
        assert_eq!(costs.agrees()["20220301-20220401"]["rows"], 10_000);
        let rows = costs.rows("2022-03");
        let tagged: Vec<&str> =
            rows.iter().map(|row| row["resource/tag:team"].as_str()).filter(|cell| !cell.is_empty()).collect();
        assert_eq!((rows.len(), tagged), (10_000, vec!["red"]));
    }
}

#[test]
fn texts_come_back_as_they_were_written() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.stage.replace("config.columns = {", "config.columns = { \"lineitem/description\" = \"{tag.text}\",");
        let texts = [
            "a,b",
            "say \"no\"",
            "two\nlines",
            "two\r\nlines",
            "\u{1f4b8} money",
            "=1+1",
            " blanks ",
            "\t",
            "'",
            "\"",
            "\"\"",
            ",",
            "\r",
        ];
        let records: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| {
                let mut record = usage("2022-03-01T05:00:00Z", &format!("i-{at:02}"), "1");
                record["text"] = (*text).into();
                record
            })
            .collect();
        costs.bill("march", &records);
        costs.agrees();
        let mut rows = costs.rows("2022-03");
        rows.sort_by(|left, right| left["resource/id"].cmp(&right["resource/id"]));
        assert_eq!(rows.iter().map(|row| row["lineitem/description"].as_str()).collect::<Vec<_>>(), texts);
    }
}

#[test]
fn two_drops_of_one_second_have_names_in_their_order() {
    for costs in Costs::both("2022-03", "2022-03-17T17:12:18Z") {
        let mut ids = Vec::new();
        for amount in ["1", "2", "3"] {
            costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", amount)]);
            ids.push(costs.agrees()["20220301-20220401"]["drop"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids[0], "20220317T171218Z");
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
        // None comes back, though it was deleted.
        costs.snapshots("prune", &["--keep", "0", "--yes"]).expect(0);
        costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", "4")]);
        let next = costs.agrees()["20220301-20220401"]["drop"].as_str().unwrap().to_owned();
        assert!(next > ids[2], "{next} after {ids:?}");
    }
}

#[test]
fn a_root_path_is_a_folder_and_nothing_is_written_before_that_is_clear() {
    for root in ["", "/", "a/", "/a", "a//b", "../a", "a/../b", "."] {
        for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
            costs.stage.replace("config.root = \"simple_cloud\"", &format!("config.root = \"{root}\""));
            costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", "1")]);
            costs.run().expect(2).says("root");
            assert!(!costs.has_written() && !costs.stage.has_a_ledger(), "{root}");
        }
    }
}

#[test]
fn a_manifest_that_is_gone_counts_as_none_and_one_that_is_broken_is_never_guessed_at() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", "1")]);
        costs.agrees();
        let manifest = "20220301-20220401/manifest.json";
        costs.delete(manifest);
        assert_eq!(costs.agrees()["20220301-20220401"]["rows"], 1);
        for broken in ["{", "[]", "{\"version\":\"1.3.0\"}", "{\"version\":\"1.3.0\",\"current_drop_id\":7}"] {
            costs.put(manifest, broken);
            costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", "2")]);
            costs.run().expect(1).says("manifest.json");
            assert_eq!(costs.manifest("2022-03"), broken, "nobody writes over it");
        }
        costs.delete(manifest);
        assert_eq!(costs.agrees()["20220301-20220401"]["cost"], "2");
    }
}

#[test]
fn the_drops_of_another_program_are_replaced_and_kept() {
    for costs in Costs::both("2022-03", "2022-03-03T00:00:00Z") {
        let old = "20220301-20220401/drop-day-12/old.csv.gz";
        costs.put(old, "not read by anybody here");
        costs.put("20220301-20220401/manifest.json", r#"{"version":"1.0.0","current_drop_id":"drop-day-12"}"#);
        costs.bill("march", &[usage("2022-03-01T05:00:00Z", "i-1", "1")]);
        costs.agrees();
        costs.snapshots("list", &[]).expect(0).says("drop-day-12 not ours");
        costs.snapshots("prune", &["--keep", "0", "--yes"]).expect(0).says("there is nothing to delete");
        assert_eq!(costs.file(old).unwrap(), b"not read by anybody here");
    }
}

//! The table "Why was this held?" of the README: each reason is brought about, told in its words, and each way out of it is tried.

use serde_json::{Value, json};

use crate::guard;
use crate::support::{Ended, Stage, bill, component};

/// A month in which A and B use something, of which that of B is never in doubt.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "4")]);
    stage
}

/// Runs, and asserts that B is billed, and that something is held for this reason, in these words.
#[track_caller]
fn held(stage: &Stage, code: &str, message: &str) -> Ended {
    let ended = stage.command("run", &["--json"], &[]);
    let json = ended.expect(1).json();
    let problems = json["problems"].as_array().unwrap();
    let is_it = |problem: &&Value| problem["code"] == code && problem["message"].as_str().unwrap().contains(message);
    assert!(problems.iter().any(|problem| is_it(&problem)), "{problems:#?}");
    ended
}

/// The id by which a person speaks of what is held of A.
#[track_caller]
fn id(ended: &Ended) -> String {
    let json = ended.json();
    let windows = json["windows"].as_array().unwrap();
    let mut lines = windows.iter().flat_map(|window| window["lines"].as_array().unwrap());
    let line = lines.find(|line| line["state"] == "held").unwrap();
    let id = [&line["would_be"], &line["id"]].into_iter().find_map(Value::as_str);
    id.unwrap_or_else(|| panic!("{line:#}")).to_owned()
}

#[track_caller]
fn resolve(stage: &Stage, about: &[&str]) -> Ended {
    let arguments = [about, &["--reason", "so", "--yes"]].concat();
    stage.command("ledger resolve", &arguments, &[])
}

/// What A is billed; nothing where a verdict is refused.
type Billed = Option<&'static [(&'static str, &'static str, &'static str)]>;

/// Of each verdict that can be said of what is held of A, in a stage of its own: what A is billed then, and that the window is settled. What
/// cannot be said is refused.
#[track_caller]
fn ways_out(make: &dyn Fn() -> Stage, code: &str, message: &str, verdicts: &[(&str, Billed)]) {
    for (verdict, billed) in verdicts {
        let stage = make();
        let id = id(&held(&stage, code, message));
        match billed {
            None => {
                resolve(&stage, &[&id, verdict]).expect(2);
                held(&stage, code, message);
            }
            Some(billed) => {
                resolve(&stage, &[&id, verdict]).expect(0);
                stage.run().expect(0);
                let all = [billed, &[("B", "cpu", "4")][..]].concat();
                assert_eq!(stage.billed(), bill(&all), "{code}: {verdict}");
                stage.command("status", &[], &[]).expect(0);
            }
        }
    }
}

const NOTHING: Billed = Some(&[]);

#[test]
fn quarantined() {
    let make = || {
        let stage = stage();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "cpu", "null")]);
        stage
    };
    let message = "what A owes for cpu is held";
    let place = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json, record 2";
    // The charge alone: the record is still to be mended.
    let one = make();
    let id = id(&held(&one, "quarantined", message));
    resolve(&one, &[&id, "release"]).expect(0);
    held(&one, "quarantined", message);
    assert_eq!(one.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "4")]));
    for (verdict, exit) in [("release", 1), ("waive", 0)] {
        let stage = make();
        held(&stage, "quarantined", message);
        resolve(&stage, &[verdict, "--record", place]).expect(0);
        stage.run().expect(exit);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "4")]), "{verdict}");
    }
    let mended = make();
    held(&mended, "quarantined", message);
    mended.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "cpu", "3")]);
    mended.bills_once(&[("A", "cpu", "5"), ("B", "cpu", "4")]);
}

#[test]
fn quarantined_in_great_numbers() {
    let key = |name: &str| format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/{name}.json");
    for verdict in ["release", "waive"] {
        let stage = stage();
        let bad = [[("A", "cpu", "2")].as_slice(), &[("A", "cpu", "null"); 30]].concat();
        stage.usage("2025/06/01/00", "a", &bad);
        stage.usage("2025/06/01/00", "c", &bad);
        held(&stage, "quarantined", "10 more records of the kind cannot be used either");
        // What one object keeps back is not all.
        resolve(&stage, &[verdict, "--object", &key("a")]).expect(0);
        held(&stage, "quarantined", "30 more records of the kind cannot be used either");
        assert_eq!(stage.billed(), bill(&[("B", "cpu", "4")]));
        resolve(&stage, &[verdict, "--object", &key("c")]).expect(0);
        let ended = stage.run();
        ended.expect(i32::from(verdict == "release"));
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "4"), ("B", "cpu", "4")]), "{verdict}");
    }
}

#[test]
fn unreadable() {
    let make = || {
        let stage = stage();
        stage.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json", "[{");
        stage
    };
    let object = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json";
    for (verdict, exit) in [("release", 1), ("waive", 0)] {
        let stage = make();
        held(&stage, "unreadable", "everything is held: it is not valid JSON");
        assert_eq!(stage.submissions(), 0);
        resolve(&stage, &[verdict, "--object", object]).expect(0);
        stage.run().expect(exit);
        assert_eq!(stage.billed(), bill(&[("B", "cpu", "4")]), "{verdict}");
    }
    let mended = make();
    held(&mended, "unreadable", "everything is held");
    mended.object(object, "[]");
    mended.bills_once(&[("B", "cpu", "4")]);
}

#[test]
fn conflict() {
    let make = || {
        let stage = Stage::new();
        stage.replace("quantity = \"/value\" }", "quantity = \"/value\", id = \"/id\" }");
        stage.replace("[source]", "[source]\ndedupe = \"id\"");
        let record = |id: &str, customer: &str, value: u8| {
            format!(r#"{{"id":"{id}","externalPayerId":"{customer}","dimension":"cpu","value":{value}}}"#)
        };
        let records = [record("x", "A", 2), record("x", "A", 3), record("y", "B", 4)].join(",");
        stage.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json", &format!("[{records}]"));
        stage
    };
    let message = "records under the id `x` differ: which is right nobody can tell";
    let stage = make();
    held(&stage, "conflict", message);
    resolve(&stage, &["release", "--customer", "A", "--window", "2025-06"]).expect(0);
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "5"), ("B", "cpu", "4")]));
}

#[test]
fn customer() {
    let make = || {
        let stage = stage();
        stage.replace("[sink.clazar]", "[sink.clazar]\ncustomers = \"customers.csv\"");
        std::fs::write(stage.path("customers.csv"), "customer,id\nB,B\n").unwrap();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        stage
    };
    let message = "everything that A owes is held: the table of customers customers.csv has no row for it";
    ways_out(&make, "customer", message, &[("release", None), ("billed", None), ("waive", NOTHING)]);
    let stage = make();
    held(&stage, "customer", message);
    resolve(&stage, &["waive", "--customer", "A"]).expect(0);
    stage.run().expect(0);
    let mended = make();
    held(&mended, "customer", message);
    std::fs::write(mended.path("customers.csv"), "customer,id\nB,B\nA,A\n").unwrap();
    mended.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "4")]);
}

#[test]
fn untaken() {
    let make = || {
        let stage = stage();
        stage.replace("[sink.clazar]", "[sink.clazar]\ntakes = [\"cpu\"]");
        stage.usage("2025/06/01/00", "a", &[("A", "memory", "2")]);
        stage
    };
    ways_out(&make, "untaken", "no [sink] takes this dimension", &[("release", None), ("waive", NOTHING)]);
    let mended = make();
    held(&mended, "untaken", "no [sink] takes this dimension");
    mended.replace("takes = [\"cpu\"]", "takes = [\"cpu\", \"memory\"]");
    mended.bills_once(&[("A", "memory", "2"), ("B", "cpu", "4")]);
}

#[test]
fn aggregate() {
    let make = || {
        let stage = Stage::new();
        stage.replace(
            "config.dimensions = { \"*\" = \"sum\" }",
            "config.formulas = [{ as = \"cpu\", formula = \"x / y\" }]\nconfig.variables = { x = \"sum\", y = \"sum\" }",
        );
        stage.usage("2025/06/01/00", "b", &[("B", "x", "8"), ("B", "y", "2"), ("A", "x", "5"), ("A", "y", "0")]);
        stage
    };
    ways_out(&make, "aggregate", "cpu of A is held", &[("release", None), ("billed", NOTHING), ("waive", NOTHING)]);
    let mended = make();
    held(&mended, "aggregate", "cpu of A is held");
    mended.usage("2025/06/01/01", "b", &[("A", "y", "1")]);
    mended.bills_once(&[("A", "cpu", "5"), ("B", "cpu", "4")]);
}

#[test]
fn negative() {
    let make = || {
        let stage = stage();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "-3")]);
        stage
    };
    let verdicts = [("release", None), ("not-billed", None), ("billed", None), ("waive", NOTHING)];
    ways_out(&make, "negative", "the total is negative: -3", &verdicts);
}

#[test]
fn rounding() {
    let make = || {
        let stage = stage();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2.5")]);
        stage
    };
    let message = "2.5 cannot be sent exactly: the service takes whole numbers only";
    ways_out(&make, "rounding", message, &[("release", None), ("billed", NOTHING), ("waive", NOTHING)]);
    let mended = make();
    held(&mended, "rounding", message);
    mended.replace("[sink.clazar]", "[sink.clazar]\nround = \"up\"");
    mended.bills_once(&[("A", "cpu", "3"), ("B", "cpu", "4")]);
}

/// A frozen charge of A, and usage that says something else by now.
fn changed(now: &str) -> Stage {
    let stage = stage();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(0);
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", now)]);
    stage
}

#[test]
fn late() {
    let billed: Billed = Some(&[("A", "cpu", "2")]);
    let more = "2 then, 5 now, a difference of +3";
    ways_out(&|| changed("5"), "late", more, &[("billed", billed), ("waive", billed)]);
    let less = "2 then, 1 now, a difference of -1";
    ways_out(&|| changed("1"), "late", less, &[("release", None), ("billed", None), ("waive", billed)]);
    // What is released waits for the next month, and is billed with it.
    let mut stage = changed("5");
    let id = id(&held(&stage, "late", more));
    resolve(&stage, &[&id, "release"]).expect(0);
    stage.run().expect(0).says("3 more was found late: to be billed with 2025-07");
    stage.command("ledger show", &[], &[]).says("3 more, to be billed with a later window");
    stage.command("status", &[], &[]).expect(0).says("usage of 1 charge, to be billed with a later window");
    stage.at("2025-08-01T02:00:00Z");
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "10")]);
    stage.run().expect(0).says("with 3 of 2025-06");
    assert_eq!(guard::billed(&stage, "2025-07"), bill(&[("A", "cpu", "13")]));
}

#[test]
fn too_late() {
    let make = || {
        let stage = changed("2.5");
        stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"");
        stage
    };
    let (billed, message): (Billed, _) =
        (Some(&[("A", "cpu", "2")]), "0.5 of 2.5 was found after the charge was frozen");
    ways_out(&make, "too-late", message, &[("release", None), ("billed", billed), ("waive", billed)]);
    let mut stage = make();
    held(&stage, "too-late", message);
    stage.replace("late = \"carry\"", "late = \"carry\"\nround = \"up\"");
    stage.run().expect(0).says("0.5 more was found late: to be billed with 2025-07");
    stage.at("2025-08-01T02:00:00Z");
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "10")]);
    stage.run().expect(0);
    assert_eq!(guard::billed(&stage, "2025-07"), bill(&[("A", "cpu", "11")]));
}

#[test]
fn void() {
    let stage = stage();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2.5")]);
    let id = id(&held(&stage, "rounding", "2.5 cannot be sent exactly"));
    resolve(&stage, &[&id, "waive"]).expect(0);
    stage.run().expect(0);
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "8")]);
    held(&stage, "void", "it was waived at 2.5, and comes to 8 now");
    resolve(&stage, &[&id, "release"]).expect(0);
    stage.bills_once(&[("A", "cpu", "8"), ("B", "cpu", "4")]);
}

#[test]
fn last() {
    let mut stage = stage();
    stage.usage("2025/06/20/10", "a", &[("A", "cpu", "2")]);
    stage.at("2025-06-20T12:00:00Z");
    stage.command("run", &["--final", "A", "--until", "2025-06-20T11:00:00Z"], &[]).expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
    stage.usage("2025/06/20/11", "a", &[("A", "cpu", "1"), ("A", "memory", "1")]);
    stage.at("2025-07-01T02:00:00Z");
    held(&stage, "final", "the customer's last bill was sent before");
    resolve(&stage, &["waive", "--customer", "A", "--window", "2025-06"]).expect(0);
    stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "4")]);
}

#[test]
fn moved() {
    let make = || {
        let stage = stage();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        stage.run().expect(0);
        stage.replace("{ \"*\" = \"sum\" }", "{ cpu = { use = \"sum\", as = \"cores\" } }");
        stage.usage("2025/06/02/00", "c", &[("C", "disk", "1")]);
        stage
    };
    let stage = make();
    held(&stage, "moved", "its records went into the charge of 2 for cpu to sink clazar, which is billed");
    resolve(&stage, &["waive", "--customer", "A", "--window", "2025-06"]).expect(0);
    let ended = stage.run();
    assert!(!ended.expect(1).stdout.contains("cores of A is held"), "{ended:?}");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "4")]));
}

#[test]
fn unchecked() {
    let stage = stage();
    let sink = format!(
        "[sink.clazar]\nplugin = \"{}\"\nconfig = {{ way = \"check\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    );
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!("{before}{sink}"));
    stage.run().expect(3);
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    assert_eq!(shown["windows"][0]["holds"][0]["code"], json!("unchecked"));
}

/// What is told and tried in other places: by `taken_over` and `exporter`, `billing`, `guard`, `marketplace`, `market_tags`, and by the tests of the
/// `clazar` plugin.
const ELSEWHERE: &[&str] = &["taken-over", "given-up", "astray", "range", "refused", "slot", "together"];
const HERE: &[&str] = &[
    "quarantined",
    "unreadable",
    "conflict",
    "customer",
    "untaken",
    "aggregate",
    "negative",
    "rounding",
    "late",
    "too-late",
    "final",
    "void",
    "moved",
    "unchecked",
];

#[test]
fn every_reason_stands_in_the_table() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, section) = readme.split_once("## Why was this held?").unwrap();
    let (table, _) = section.split_once("```sh").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
    let codes: Vec<&str> = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',')).map(str::trim).collect();
    for code in HERE.iter().chain(ELSEWHERE) {
        assert!(codes.contains(code), "{code} is not in {codes:?}");
    }
    let tried = |code: &&&str| HERE.contains(code) || ELSEWHERE.contains(code) || code.starts_with("guard-");
    assert_eq!(codes.iter().filter(|code| !tried(code)).collect::<Vec<_>>(), [&""; 0]);
}

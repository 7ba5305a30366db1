//! Whole pipeline files: the one of the design, and a folder a fault under `cases/`.
//!
//! A case holds `pipeline.toml` and the exact `error.txt`; `env.txt` has the variables of the process, and `schema.json` the schema
//! of the source's plugin. `FOLDER` in a message stands for the case's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod hostile_schemas;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::model::window::{Window, WindowKind};

fn nothing(_: &str) -> Option<String> {
    None
}

fn read(text: &str) -> Result<Pipeline, ConfigErrors> {
    parse(text, "pipeline.toml", Path::new("folder"), &nothing)
}

fn case_error(folder: &Path) -> String {
    let variables = std::fs::read_to_string(folder.join("env.txt")).unwrap_or_default();
    let variables: BTreeMap<&str, &str> = variables.lines().filter_map(|line| line.split_once('=')).collect();
    let env = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let text = std::fs::read_to_string(folder.join("pipeline.toml")).unwrap();
    let read = parse(&text, "pipeline.toml", folder, &env).and_then(|pipeline| {
        match std::fs::read_to_string(folder.join("schema.json")) {
            Ok(schema) => check_against_schema(&pipeline, &pipeline.source.plugin, &schema),
            Err(_) => Ok(()),
        }
    });
    let said = read.map_or_else(|errors| errors.to_string(), |()| "nothing is wrong".to_owned());
    said.replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn every_fault_has_its_exact_message() {
    let cases = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/cases"));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 25);
    let mut differing = Vec::new();
    for folder in folders {
        let found = case_error(&folder);
        let expected = std::fs::read_to_string(folder.join("error.txt")).unwrap_or_default();
        if found != expected.trim_end() {
            differing.push(format!("{}\n{found}\n", folder.file_name().unwrap().display()));
        }
    }
    assert!(differing.is_empty(), "these say something else now:\n\n{}", differing.join("\n"));
}

/// The file of the design's section 5.
const SAMPLE: &str = r#"
name   = "postgres-prod"
window = "month"                  # hour | day | month
grace  = "30m"                    # a window is due this long after its end
start  = "-2 months"              # or a label such as "2025-05"
env    = { BUCKET = "usage-export", CLAZAR_URL = "https://api.clazar.io/metering/" }      # defaults

[source]
plugin = "s3-reader"              # a name from the plugin folders, or ./path.wasm
grant  = { read = "s3://${BUCKET}" }
config.layout = "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0/{yyyy}/{mm}/{dd}/{hh}/*.json"
config.fields = { time = "path", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value" }

[aggregate.rules]                 # a plugin's name, or any name with plugin = "./mine.wasm"
config.dimensions = { "*" = "sum" }

[sink.clazar]                     # one or more
config = { cloud = "aws", url = "${CLAZAR_URL}" }
grant  = { http = ["${CLAZAR_URL}"], secrets = { client_id = { env = "CLAZAR_CLIENT_ID" }, client_secret = { env = "CLAZAR_CLIENT_SECRET" } } }
"#;

fn from_env(name: &str) -> SecretSpec {
    SecretSpec { from: SecretSource::Env(name.to_owned()), to: None }
}

#[test]
fn the_sample_file_is_read_as_it_says() {
    let pipeline = read(SAMPLE).unwrap();
    assert_eq!(pipeline.name, "postgres-prod");
    assert_eq!(pipeline.window, WindowKind::Month);
    assert_eq!(pipeline.grace, Duration::from_secs(30 * 60));
    assert_eq!(pipeline.start, Some(Start::Ago(Ago { n: 2, unit: Unit::Months })));
    assert_eq!((pipeline.max_windows, pipeline.dry_run), (None, false));
    assert_eq!(pipeline.ledger, LedgerLocation::Sqlite("folder/postgres-prod.ledger.db".into()));

    let source = &pipeline.source.plugin;
    assert_eq!(source.plugin, PluginRef::Named("s3-reader".to_owned()));
    assert_eq!(source.grant.read.as_ref().map(|read| read.value.as_str()), Some("s3://usage-export"));
    assert_eq!(
        source.config,
        json!({
            "layout": "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0/{yyyy}/{mm}/{dd}/{hh}/*.json",
            "fields": { "time": "path", "customer": "/externalPayerId", "dimension": "/dimension", "quantity": "/value" },
        })
    );
    assert_eq!((pipeline.source.look_back, pipeline.source.complete_by), (None, Duration::from_secs(86_400)));

    let [rules] = pipeline.aggregates.as_slice() else { panic!("one aggregate") };
    assert_eq!((rules.plugin.name.as_str(), &rules.takes), ("rules", &None));
    assert_eq!(rules.plugin.plugin, PluginRef::Named("rules".to_owned()));
    assert_eq!(rules.plugin.config, json!({ "dimensions": { "*": "sum" } }));
    assert_eq!((&rules.plugin.grant, &rules.plugin.limits), (&GrantSpec::default(), &LimitsSpec::default()));

    let [clazar] = pipeline.sinks.as_slice() else { panic!("one sink") };
    assert_eq!((clazar.plugin.section.as_str(), clazar.plugin.pointer.as_str()), ("sink.clazar", "/sink/clazar"));
    assert_eq!(clazar.plugin.config, json!({ "cloud": "aws", "url": "https://api.clazar.io/metering/" }));
    assert_eq!((clazar.round, clazar.rate, clazar.retry_budget), (Rounding::Refuse, None, Duration::from_secs(60)));
    let urls: Vec<&str> = clazar.plugin.grant.http.iter().map(|http| http.value.url.as_str()).collect();
    assert_eq!(urls, ["https://api.clazar.io/metering/"]);
    let secrets: Vec<_> =
        clazar.plugin.grant.secrets.iter().map(|(name, secret)| (name.as_str(), secret.value.clone())).collect();
    assert_eq!(
        secrets,
        [("client_id", from_env("CLAZAR_CLIENT_ID")), ("client_secret", from_env("CLAZAR_CLIENT_SECRET"))]
    );
}

#[test]
fn every_key_can_be_set() {
    let text = r#"
name = "Données PROD/2"
window = "day"
start = "2025-05"
max_windows = 0
ledger = "sqlite:state/p.db"
dry_run = "${DRY_RUN}"
env = { DRY_RUN = true }

[source]
plugin = "./readers/mine.wasm"
look_back = "45 days"
complete_by = "36h"
limits = { time = "30s", wall = "10m", memory = "256 MiB", log = "1 MiB" }
grant.read = "file://./bucket"
grant.write = "s3://state/p"
grant.role = "arn:aws:iam::123456789012:role/metering"
grant.profile = "billing"
grant.region = "eu-west-1"

[sink.b]
plugin = "clazar"
takes = ["storage"]
round = "half-even"
rate = "120/min"
retry_budget = "2m"
[sink.b.guard]
max_increase = "200%"
max_decrease = "12.5%"
max_quantity = { cpu = "0.5", "*" = "1000000" }
new_customers = "hold"
missing_customers = "hold"
empty_window = "bill"
[sink.b.grant]
http = { url = "https://b.example", methods = ["GET", "POST"], paths = ["/v1/*"] }
secrets.token = { file = "token.txt", to = "https://b.example" }

[aggregate.peaks]
plugin = "rules"
takes = ["connections", "cpu"]

[aggregate.rules]

[sink.a]
guard.max_quantity = "2"
"#;
    let pipeline = read(text).unwrap();
    assert_eq!(pipeline.start, Some(Start::At(Window::parse(WindowKind::Month, "2025-05").unwrap())));
    assert_eq!((pipeline.max_windows, pipeline.dry_run, pipeline.grace), (Some(0), true, Duration::ZERO));
    assert_eq!(pipeline.ledger, LedgerLocation::Sqlite("folder/state/p.db".into()));
    assert_eq!(pipeline.source.plugin.plugin, PluginRef::Path("folder/./readers/mine.wasm".into()));
    assert_eq!(pipeline.source.look_back, Some(Ago { n: 45, unit: Unit::Days }));
    assert_eq!(pipeline.source.complete_by, Duration::from_secs(36 * 3600));
    let limits = LimitsSpec {
        time: Some(Duration::from_secs(30)),
        wall: Some(Duration::from_secs(600)),
        memory: Some(256 << 20),
        log: Some(1 << 20),
    };
    assert_eq!(pipeline.source.plugin.limits, limits);

    let GrantSpec { role, profile, region, .. } = &pipeline.source.plugin.grant;
    let account =
        [role, profile, region].map(|key| key.as_ref().map(|key| (key.value.as_str(), &text[key.span.clone()])));
    let role = "arn:aws:iam::123456789012:role/metering";
    let quoted = "\"arn:aws:iam::123456789012:role/metering\"";
    assert_eq!(account, [Some((role, quoted)), Some(("billing", "\"billing\"")), Some(("eu-west-1", "\"eu-west-1\""))]);

    let names: Vec<&str> = pipeline.plugins().map(|plugin| plugin.section.as_str()).collect();
    assert_eq!(names, ["source", "aggregate.peaks", "aggregate.rules", "sink.b", "sink.a"]);
    let [b, a] = pipeline.sinks.as_slice() else { panic!("two sinks") };
    assert_eq!((b.round, b.retry_budget), (Rounding::HalfEven, Duration::from_secs(120)));
    assert_eq!(b.rate.map(|rate| (rate.calls.get(), rate.per)), Some((120, Duration::from_secs(60))));
    let quantity = |text: &str| meterhost_decimal::Decimal::parse(text).unwrap();
    let guard = Guard {
        max_increase: Percent::parse("200%"),
        max_decrease: Percent::parse("12.5%"),
        max_quantity: MostQuantity {
            named: [("cpu".to_owned(), quantity("0.5"))].into(),
            others: Some(quantity("1000000")),
        },
        new_customers: Answer::Hold,
        missing_customers: Answer::Hold,
        empty_window: Answer::Bill,
    };
    assert_eq!(b.guard, guard);
    let most = MostQuantity { others: Some(quantity("2")), ..MostQuantity::default() };
    assert_eq!(a.guard, Guard { max_quantity: most, ..Guard::default() });
    let http = &b.plugin.grant.http.first().unwrap().value;
    assert_eq!(http.methods.as_deref(), Some(["GET".to_owned(), "POST".to_owned()].as_slice()));
    assert_eq!(http.paths.as_deref(), Some(["/v1/*".to_owned()].as_slice()));
    let token = &b.plugin.grant.secrets.get("token").unwrap().value;
    assert_eq!(token.from, SecretSource::File("token.txt".into()));
    assert_eq!(token.to.as_deref(), Some("https://b.example"));
}

#[test]
fn a_dimension_goes_to_who_names_it_and_the_rest_to_who_names_none() {
    let text = r#"
name = "p"
window = "day"
[source]
plugin = "s3-reader"
[aggregate.named]
plugin = "rules"
takes = ["cpu"]
[aggregate.rest]
plugin = "rules"
[sink.one]
takes = ["storage"]
[sink.two]
takes = ["storage", "cpu"]
[sink.three]
[sink.four]
"#;
    let pipeline = read(text).unwrap();
    let aggregate = |dimension: &str| pipeline.aggregate_of(dimension).map(|aggregate| aggregate.plugin.name.clone());
    let sinks = |dimension: &str| -> Vec<&str> {
        pipeline.sinks_of(dimension).into_iter().map(|sink| sink.plugin.name.as_str()).collect()
    };
    assert_eq!((aggregate("cpu").as_deref(), aggregate("egress").as_deref()), (Some("named"), Some("rest")));
    assert_eq!(sinks("storage"), ["one", "two"]);
    assert_eq!(sinks("cpu"), ["two"]);
    assert_eq!(sinks("egress"), ["three", "four"]);
}

#[test]
fn a_window_is_due_when_its_grace_is_over() {
    let pipeline = read(SAMPLE).unwrap();
    let june = Window::parse(WindowKind::Month, "2025-06").unwrap();
    assert!(!pipeline.is_due(&june, "2025-07-01T00:29:59Z".parse().unwrap()));
    assert!(pipeline.is_due(&june, "2025-07-01T00:30:00Z".parse().unwrap()));
}

#[test]
fn the_digest_follows_what_the_file_says_not_how() {
    let digest = |text: &str, env: &dyn Fn(&str) -> Option<String>| {
        parse(text, "pipeline.toml", Path::new("."), env).unwrap().digest
    };
    let sample = digest(SAMPLE, &nothing);
    assert_eq!(sample.len(), 64);
    assert_eq!(digest(&SAMPLE.replace("   = ", " = ").replace("# hour | day | month", ""), &nothing), sample);
    assert_eq!(digest(&SAMPLE.replace("${BUCKET}", "usage-export"), &nothing), sample);
    assert_ne!(digest(&SAMPLE.replace("sum", "max"), &nothing), sample);
    let bucket = |name: &str| (name == "BUCKET").then(|| "other".to_owned());
    assert_ne!(digest(SAMPLE, &bucket), sample);
    let secret = |name: &str| name.starts_with("CLAZAR_CLIENT").then(|| "hunter2".to_owned());
    assert_eq!(digest(SAMPLE, &secret), sample);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = load(Path::new("no-such-folder/pipeline.toml"), &nothing).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "no-such-folder/pipeline.toml: the pipeline file no-such-folder/pipeline.toml cannot be read: No such file or directory (os error 2)"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let error = load(Path::new(folder), &nothing).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{folder}: the pipeline file {folder} cannot be read: it is a folder; name the file in it")
    );
}

#[test]
fn paths_begin_at_the_files_folder() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/cases/missing_settings_are_described");
    let pipeline = load(&Path::new(cases).join("pipeline.toml"), &nothing).unwrap();
    assert_eq!(pipeline.base, Path::new(cases));
    assert_eq!(pipeline.ledger, LedgerLocation::Sqlite(Path::new(cases).join("p.ledger.db")));
}

#[test]
fn an_error_is_rendered_with_its_line() {
    let errors = read(&SAMPLE.replace("grace ", "grcae ")).unwrap_err();
    let error = errors.iter().next().unwrap();
    let mut rendered = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut rendered, error).unwrap();
    for part in ["unknown key `grcae`", "pipeline.toml:4:1", "grcae  = \"30m\"", "did you mean `grace`?", "unknown"] {
        assert!(rendered.contains(part), "{part:?} in\n{rendered}");
    }
}

#[test]
fn later_checks_point_into_the_file() {
    let pipeline = read(SAMPLE).unwrap();
    let at = |pointer: &str| {
        let span = pipeline.places.span(pointer);
        ConfigErrors::at(&pipeline.text, span, "no", Some("do".to_owned())).to_string()
    };
    assert_eq!(at("/window"), "pipeline.toml:3:10: no; do");
    assert_eq!(at("/sink/clazar/takes"), "pipeline.toml:17:7: no; do");
    assert_eq!(at("/source/config/fields/time"), "pipeline.toml:12:26: no; do");
    assert_eq!(at("/mirror"), "pipeline.toml:1:1: no; do");
    let mut both = ConfigErrors::at(&pipeline.text, pipeline.places.span("/window"), "second", None);
    both.merge(ConfigErrors::at(&pipeline.text, pipeline.places.span("/name"), "first", None));
    assert_eq!(both.to_string(), "pipeline.toml:2:10: first\npipeline.toml:3:10: second");
}

#[test]
fn a_deeply_nested_file_is_refused_without_a_crash() {
    let text = format!("a = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(read(&text).unwrap_err().to_string().contains("this is not TOML"));
}

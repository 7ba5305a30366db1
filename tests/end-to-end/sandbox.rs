//! A plugin reaches what it was granted and nothing else, and cannot take the host down.

use std::net::TcpListener;

use crate::support::{Stage, component};

/// A pipeline whose source reaches for everything, and is granted these lines.
fn reaching(stage: &Stage, url: &str, address: &str, grants: &str) {
    stage.pipeline(&format!(
        r#"
name = "reaching"
window = "month"
start = "2025-06"
[source]
plugin = "{}"
config.url = "{url}"
config.file = "{}"
config.address = "{address}"
{grants}
[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}
[sink.clazar]
config = {{ url = "${{CLAZAR_URL}}" }}
grant = {{ http = "${{CLAZAR_URL}}", secrets = {{ client_id = {{ env = "CLAZAR_CLIENT_ID" }}, client_secret = {{ env = "CLAZAR_CLIENT_SECRET" }} }} }}
"#,
        component("reaching").display(),
        stage.path("pipeline.toml").display()
    ));
}

#[test]
fn a_component_reaches_nothing_that_is_not_granted() {
    let stage = Stage::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let origin = format!("http://{address}");
    reaching(&stage, &format!("{origin}/"), &address, "");
    let ended = stage.command("run", &["--json"], &[]);
    let problems = stage.problems(ended.expect(3));
    let problem = &problems[0];
    assert_eq!(problems.as_array().unwrap().len(), 1, "{problems:#}");
    assert_eq!(problem["code"], "denied");
    assert_eq!(problem["plugin"], "source (reaching 0.1.0)");
    assert_eq!(problem["step"], "reading");
    let refused: Vec<&str> = problem["message"].as_str().unwrap().lines().collect();
    let expected = [
        "file: No such file or directory (os error 44)",
        "folder: No such file or directory (os error 44)",
        "write: No such file or directory (os error 44)",
        "environment: it is empty",
        "arguments: there are none",
        "tcp: Permission denied (os error 2)",
        "udp: Permission denied (os error 2)",
        &format!("http: denied: the pipeline does not grant requests to {origin}"),
        "secret: denied: the pipeline grants no secret `client_id`",
        "list: denied: the pipeline grants no folder or bucket to read",
        "get: denied: the pipeline grants no folder or bucket to read",
        "put: denied: the pipeline grants no folder or bucket to write",
        "clock: it shows `now`",
    ];
    assert_eq!(refused, expected);
    let lines = [
        ("to send a request to {origin}", "grant.http = [\"{origin}\"]"),
        ("for the secret \"client_id\"", "grant.secrets.client_id = { env = \"CLIENT_ID\", to = \"https://HOST\" }"),
        ("to read \"\"", "grant.read = \"file://./FOLDER\""),
        ("to read \"../pipeline.toml\"", "grant.read = \"file://./FOLDER\""),
        ("to write \"x\"", "grant.write = \"file://./FOLDER\""),
    ];
    let advice = lines.map(|(asked, line)| {
        format!("source asked {asked}, which it is not granted; below [source], this line would grant it: {line}")
    });
    assert_eq!(problem["action"], advice.join("; ").replace("{origin}", &origin));
    stage.closed_nothing();
    server.set_nonblocking(true).unwrap();
    assert!(server.accept().is_err(), "somebody connected");
}

#[test]
fn the_lines_that_a_denial_shows_grant_what_was_asked() {
    let stage = Stage::new();
    let origin = stage.emulator.origin();
    let url = format!("{origin}/nothing");
    reaching(&stage, &url, "127.0.0.1:9", "");
    let denied = stage.command("run", &["--json"], &[]).expect(3).json()["problems"].take();
    let advice = denied[0]["action"].as_str().unwrap().split("; ");
    let lines = advice.filter_map(|part| part.split_once("this line would grant it: "));
    let mut lines: Vec<String> =
        lines.map(|(_, line)| line.replace("FOLDER", "bucket").replace("https://HOST", origin)).collect();
    lines.dedup();
    assert_eq!(lines.len(), 4, "{lines:?}");
    reaching(&stage, &url, "127.0.0.1:9", &lines.join("\n"));
    let ended = stage.command("run", &["--json"], &[("CLIENT_ID", "an-id-of-its-own")]);
    let problems = stage.problems(&ended);
    let words = problems[0]["message"].as_str().unwrap();
    for got in ["http: GOT 404", "secret: GOT ", "list: GOT a listing", "put: GOT "] {
        assert!(words.lines().any(|line| line.starts_with(got)), "`{got}` is not in:\n{words}");
    }
    let outside = r#"get: denied: the key "../pipeline.toml" has `..`, which may lead out of the grant"#;
    assert!(words.lines().any(|line| line == outside), "{words}");
    assert_eq!(std::fs::read_to_string(stage.path("bucket/x")).unwrap(), "x");
}

#[test]
fn a_component_calls_what_is_granted_and_nothing_that_hides_behind_it() {
    let stage = Stage::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.local_addr().unwrap());
    let hidden = r#"{"TransactItems":[{"Put":{"TableName":"Records"}},{"Put":{"TableName":"Secrets"}}]}"#;
    let far = r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/Records"}"#;
    let calls = [
        ["action", "dynamodb", "DeleteItem", r#"{"TableName":"Records"}"#],
        ["table", "dynamodb", "PutItem", r#"{"TableName":"Secrets"}"#],
        ["hidden", "dynamodb", "TransactWriteItems", hidden],
        ["region", "dynamodb", "PutItem", far],
        ["twice", "dynamodb", "PutItem", r#"{"TableName":"Secrets","TableName":"Records"}"#],
        ["statement", "dynamodb", "ExecuteStatement", r#"{"Statement":"DELETE FROM Secrets"}"#],
        ["service", "s3", "ListBuckets", "{}"],
    ];
    let grants = format!(
        "config.calls = {}\ngrant = {{ region = \"eu-west-1\", aws = {{ \"dynamodb:PutItem\" = [\"Records\"] }} }}",
        serde_json::to_string(&calls).unwrap()
    );
    reaching(&stage, "http://127.0.0.1:9/", "127.0.0.1:9", &grants);
    let variables = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-some-length"),
    ];
    let ended = stage.command("run", &["--json"], &variables);
    let problems = stage.problems(ended.expect(3));
    let said = problems[0]["message"].as_str().unwrap();
    for expected in [
        "action: denied: the pipeline does not grant dynamodb:DeleteItem on the table Records",
        "table: denied: the pipeline does not grant dynamodb:PutItem on the table Secrets",
        "hidden: denied: the pipeline does not grant dynamodb:PutItem on the table Secrets",
        "region: denied: the pipeline does not grant dynamodb:PutItem on the table arn:aws:dynamodb:us-east-1:123456789012:table/Records",
        "twice: another error: dynamodb:PutItem was not called: the body has the key \"TableName\" twice in one object, at byte 23",
        "statement: denied: `dynamodb:ExecuteStatement` cannot be called: the host does not read which tables a PartiQL statement reaches",
        "service: denied: `s3:ListBuckets` cannot be called: the host calls only `dynamodb` and `aws-marketplace`",
    ] {
        assert!(said.lines().any(|line| line == expected), "`{expected}` is not in:\n{said}");
    }
    let line = r#"source asked for dynamodb:DeleteItem on the table Records, which it is not granted; below [source], inside `grant = { ... }`, this would grant it: aws = { "dynamodb:DeleteItem" = ["Records"], "dynamodb:PutItem" = ["Records"] }"#;
    assert!(problems[0]["action"].as_str().unwrap().contains(line), "{problems:#}");
    stage.closed_nothing();
    server.set_nonblocking(true).unwrap();
    assert!(server.accept().is_err(), "somebody connected");
}

/// Runs a stage whose aggregator misbehaves in one way: the one problem of the run, word by word. Nothing is billed and no window is
/// closed; with a proper aggregator everything is billed, once.
#[track_caller]
fn misbehaves(way: &str, limits: &str, exit: i32, code: &str, message: &str, action: Option<&str>) {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        &format!(
            "[aggregate.misbehaving]\nplugin = \"{}\"\nconfig.way = \"{way}\"\n{limits}",
            component("misbehaving").display()
        ),
    );
    let ended = stage.command("run", &["--json"], &[]);
    let mut expected = serde_json::json!([{
        "code": code,
        "plugin": "aggregate.misbehaving (misbehaving 6.6.6)",
        "step": "aggregating",
        "input": "2025-06",
        "message": message,
    }]);
    if let Some(action) = action {
        expected[0]["action"] = action.into();
    }
    assert_eq!(stage.problems(ended.expect(exit)), expected);
    assert_eq!(stage.emulator.requests().len(), 0);
    stage.closed_nothing();
    stage.pipeline(&proper);
    stage.bills_once(&[("A", "cpu", "2")]);
}

/// What is to be done about a trap, and about an answer that the contract does not allow.
const REPORT: Option<&str> =
    Some("report it to the plugin's author; nothing was billed from this step, and a run with a mended plugin goes on");

/// What is to be done about records that are not accounted for.
const WINDOW: Option<&str> = Some("report it to the plugin's author; nothing of this window was billed");

#[test]
fn an_endless_loop_is_stopped() {
    misbehaves(
        "loop",
        "limits.time = \"200ms\"",
        3,
        "plugin-timeout",
        "it computed for more than 200 ms without coming to an end",
        Some("give it more computing time with `limits.time`, or mend the plugin"),
    );
}

#[test]
fn a_memory_bomb_is_stopped() {
    misbehaves(
        "memory",
        "limits.memory = \"64 MiB\"",
        3,
        "plugin-memory",
        "it needed more than 64 MiB of memory",
        Some("give it more with `limits.memory`, or mend the plugin"),
    );
}

#[test]
fn a_panic_is_reported_in_the_plugins_own_words() {
    let source = include_str!("../components/bare/misbehaving/src/lib.rs");
    let place =
        source.lines().enumerate().find_map(|(line, text)| Some((line + 1, text.find("panic!(\"the rate")? + 1)));
    let (line, column) = place.unwrap();
    let message = format!(
        "it trapped: it gave up; its last words: panic: panicked at misbehaving/src/lib.rs:{line}:{column}: \
         the rate table has no row for A"
    );
    misbehaves("panic", "", 3, "plugin-trapped", &message, REPORT);
}

#[test]
fn a_trap_is_reported() {
    let message = "it trapped: it gave up without a word (`unreachable`)";
    misbehaves("unreachable", "", 3, "plugin-trapped", message, REPORT);
}

#[test]
fn an_oversized_string_is_refused() {
    let message = "it ran over a limit: it handed more than 268435456 bytes over in one call";
    misbehaves("string", "", 3, "plugin-limit", message, Some("mend the plugin"));
}

#[test]
fn records_that_an_aggregator_loses_are_found_missing() {
    let message = "it was given 1 record of cpu for A, and its charges and rules account for 0";
    misbehaves("lose", "", 3, "plugin-contract", message, WINDOW);
}

#[test]
fn records_that_an_aggregator_invents_are_found() {
    let message = "it made cpu of A from 1000 records of cpu, and was given 1";
    misbehaves("invent", "", 3, "plugin-contract", message, WINDOW);
}

#[test]
fn an_aggregator_that_never_comes_to_its_end_is_stopped() {
    let message = "it broke the contract: it answered an empty page of charges, and the end is said in another way";
    misbehaves("empty", "", 3, "plugin-contract", message, REPORT);
}

#[test]
fn a_charge_that_is_made_from_nothing_is_found() {
    let message = "its charge of A for cpu is made from no record";
    misbehaves("bare", "", 3, "plugin-contract", message, WINDOW);
}

#[test]
fn an_aggregators_own_error_leaves_the_window_open() {
    misbehaves("error", "", 1, "plugin-error", "this batch is beyond me", None);
}

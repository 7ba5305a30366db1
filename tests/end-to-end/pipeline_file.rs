//! What a wrong pipeline file gets: the line at fault, what is wrong there, and nothing touched.

use serde_json::json;

use crate::support::{Stage, ended, program};

fn good(stage: &Stage) {
    stage.usage("2025/06/01/00", "good", &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

/// A pipeline with one thing changed: exit 2, this message, this advice, nothing touched. Mended, everything is billed, once.
#[track_caller]
fn file(from: &str, to: &str, place: &str, message: &str, action: Option<&str>) {
    let stage = Stage::new();
    good(&stage);
    stage.replace(from, to);
    let input = format!("FOLDER/pipeline.toml:{place}");
    let mut expected = json!([{ "code": "configuration", "input": input, "message": message }]);
    if let Some(action) = action {
        expected[0]["action"] = action.into();
    }
    for command in ["check", "plan", "run"] {
        let ended = stage.command(command, &["--json"], &[]);
        assert_eq!(stage.problems(ended.expect(2)), expected, "{command}");
    }
    stage.touched_nothing();
    stage.replace(to, from);
    stage.bills_once(&[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

#[test]
fn a_plugin_that_is_missing_is_named_with_the_folders() {
    let target = std::path::Path::new(env!("CARGO_BIN_EXE_meterhost")).parent().unwrap();
    let (beside, above) = (target.join("plugins"), target.parent().unwrap().join("plugins"));
    let looked = format!(
        "there is no plugin named `s4-reader`; looked for s4-reader.wasm in {}, {}",
        beside.display(),
        above.display()
    );
    file("plugin = \"s3-reader\"", "plugin = \"s4-reader\"", "8:10", &looked, Some("did you mean \"s3-reader\"?"));
}

#[test]
fn a_plugin_whose_file_is_missing_is_named_with_its_path() {
    let message = "/nowhere/s3-reader.wasm: No such file or directory (os error 2)";
    let action = "a relative path begins at the pipeline file's folder; a name without `/` and `.wasm` is looked for in the \
                  plugin folders";
    file("plugin = \"s3-reader\"", "plugin = \"/nowhere/s3-reader.wasm\"", "8:10", message, Some(action));
}

#[test]
fn a_sink_where_a_source_belongs_is_refused() {
    let message = "this plugin is a sink, and a source belongs here";
    file("plugin = \"s3-reader\"", "plugin = \"clazar\"", "8:10", message, None);
}

#[test]
fn an_unknown_key_shows_the_nearest_one() {
    let message = "unknown key `grade` at the top of the file";
    file("grace  =", "grade  =", "4:1", message, Some("did you mean `grace`?"));
}

#[test]
fn an_unset_variable_is_named() {
    file(
        "\"${CLAZAR_URL}\" }\ngrant",
        "\"${CLAZAR_ULR}\" }\ngrant",
        "18:34",
        "the environment variable `CLAZAR_ULR` is not set",
        Some("set it, or give it a default at the top of the file: env = { CLAZAR_ULR = \"...\" }"),
    );
}

#[test]
fn a_float_is_refused_where_it_stands() {
    file(
        "config.dimensions = { \"*\" = \"sum\" }",
        "config.dimensions = { \"*\" = \"sum\", cpu = { use = \"sum\", multiply = 1.5 } }",
        "14:68",
        "1.5 is a float, and floats are not exact",
        Some("write it as a string: \"1.5\""),
    );
}

#[test]
fn a_configuration_that_breaks_the_plugins_schema_is_refused_at_its_line() {
    let message = "`source.config.format` must be \"json\", \"ndjson\" or \"csv\", not \"xml\"";
    file("config.layout =", "config.format = \"xml\"\nconfig.layout =", "10:17", message, None);
}

#[test]
fn a_missing_grant_shows_the_line_that_grants_it() {
    file(
        "plugin = \"s3-reader\"\ngrant  = { read = \"file://./bucket\" }\n",
        "plugin = \"s3-reader\"\n",
        "8:10",
        "source (s3-reader 0.1.0) needs read granted, to list and read the objects that hold usage",
        Some("below [source], this line would grant it: grant.read = \"file://./FOLDER\""),
    );
}

#[test]
fn a_layout_that_means_nothing_is_refused() {
    let message = "source (s3-reader 0.1.0): layout: {dd} names a time only together with {mm}";
    file("{yyyy}/{mm}/{dd}", "{yyyy}/{dd}", "10:17", message, None);
}

#[test]
fn a_setting_that_its_plugin_refuses_is_shown_at_its_own_value() {
    let message = "source (s3-reader 0.1.0): fields.customer: `org` is neither a JSON pointer such as \"/customer\" nor a \
                   capture such as \"{tenant}\"; a constant is { constant = \"org\" }";
    file("customer = \"/externalPayerId\"", "customer = \"org\"", "11:45", message, None);
}

#[test]
fn a_setting_of_a_dimension_with_an_odd_name_is_shown_at_its_own_value() {
    file(
        "config.dimensions = { \"*\" = \"sum\" }",
        "config.dimensions = { \"*\" = \"sum\", \"a b.c\" = { use = \"sum\", divide = \"0\" } }",
        "14:70",
        "aggregate.rules (rules 0.1.0): dimensions.\"a b.c\".divide: it must be more than 0, not 0",
        None,
    );
}

#[test]
fn a_decimal_that_is_none_is_told_how_one_is_written() {
    file(
        "config.dimensions = { \"*\" = \"sum\" }",
        "config.dimensions = { \"*\" = \"sum\", cpu = { use = \"sum\", multiply = \"1,5\" } }",
        "14:68",
        "`aggregate.rules.config.dimensions.cpu.multiply` must be a decimal such as \"1.5\", not \"1,5\"",
        None,
    );
}

#[test]
fn a_pipeline_file_that_is_not_there_is_named() {
    let mut program = program();
    let ended = ended(program.args(["run", "nofile.toml"]).output().unwrap());
    ended.expect(2).says("the pipeline file nofile.toml cannot be read: No such file or directory");
}

#[test]
fn a_granted_folder_is_shown_without_what_means_nothing() {
    let stage = Stage::on_a_file();
    stage.replace("file://./bucket", "file://././nosuch/");
    stage.replace("window = \"month\"", "window = \"hour\"");
    let here = |command: &str| {
        let mut program = program();
        program.current_dir(stage.path(".")).args([command, "pipeline.toml"]).env("CLAZAR_URL", stage.emulator.url());
        ended(program.env("CLAZAR_CLIENT_ID", "cid").env("CLAZAR_CLIENT_SECRET", "sec-very-secret").output().unwrap())
    };
    here("check")
        .expect(1)
        .says("windows of an hour, due 30 min after their end")
        .says("the granted folder nosuch does not exist: create it, or mend the grant");
}

/// A secret that cannot be had: `check` and `run` say the same at the same place, and nothing is touched.
#[track_caller]
fn secret(make: impl FnOnce(&Stage), from: &str, place: &str, message: &str, action: &str) {
    let stage = Stage::new();
    good(&stage);
    make(&stage);
    stage.replace("{ env = \"CLAZAR_CLIENT_SECRET\" }", from);
    let message = format!("sink.clazar: the secret `client_secret` is {message}");
    let input = format!("FOLDER/pipeline.toml:{place}");
    let expected = json!([{ "code": "configuration", "input": input, "message": message, "action": action }]);
    for command in ["check", "run"] {
        let ended = stage.command(command, &["--json"], &[]);
        assert_eq!(stage.problems(ended.expect(2)), expected, "{command}");
    }
    stage.touched_nothing();
    stage.command("check", &["--offline"], &[]).expect(0);
    stage.plan().expect(0);
    stage.replace(from, "{ env = \"CLAZAR_CLIENT_SECRET\" }");
    stage.bills_once(&[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

#[test]
fn a_secret_that_is_not_set_is_found_at_its_line() {
    let message = "the environment variable NO_SUCH_VARIABLE, which is not set";
    secret(|_| {}, "{ env = \"NO_SUCH_VARIABLE\" }", "19:116", message, "set it, or name another");
}

#[test]
fn a_secret_whose_file_is_not_there_is_found_at_its_line() {
    let message = "the file FOLDER/secret, which does not exist";
    secret(|_| {}, "{ file = \"./secret\" }", "19:117", message, "put the secret there, or name another file");
}

#[test]
fn a_secret_whose_file_is_a_folder_is_found_at_its_line() {
    let make = |stage: &Stage| std::fs::create_dir(stage.path("secret")).unwrap();
    let message = "the file FOLDER/secret, which is a folder";
    secret(make, "{ file = \"secret\" }", "19:117", message, "name the file that holds the secret");
}

#[test]
fn a_secret_whose_file_holds_nothing_is_found_at_its_line() {
    let make = |stage: &Stage| std::fs::write(stage.path("secret"), "\n").unwrap();
    let message = "the file FOLDER/secret, which is empty";
    secret(make, "{ file = \"secret\" }", "19:117", message, "put the secret there, or name another");
}

/// A ledger that cannot be kept where the file says: `check` ends as `run` does.
#[track_caller]
fn ledger(place: &str, fault: &str) {
    let stage = Stage::on_a_file();
    good(&stage);
    std::fs::write(stage.path("file"), "").unwrap();
    stage.replace("grace  =", &format!("ledger = \"sqlite:{place}\"\ngrace  ="));
    stage.run().expect(4);
    let problems = stage.problems(stage.command("check", &["--json"], &[]).expect(4));
    let message = format!("the ledger FOLDER/{place} cannot be written: {fault}");
    let action = "create the folder, or name another place with `ledger` or --ledger";
    assert_eq!(problems, json!([{ "code": "ledger", "message": message, "action": action }]));
    stage
        .command("check", &[], &[])
        .expect(4)
        .says(&fault.replace("FOLDER", stage.path("").to_str().unwrap().trim_end_matches('/')));
    stage.command("check", &["--offline"], &[]).expect(0);
    assert_eq!(stage.emulator.requests().len(), 0);
}

#[test]
fn a_ledger_without_a_folder_is_found_before_a_run_meets_it() {
    ledger("nosuch/a.db", "its folder FOLDER/nosuch does not exist");
}

#[test]
fn a_ledger_whose_folder_is_a_file_is_found_before_a_run_meets_it() {
    ledger("file/a.db", "its folder FOLDER/file is no folder");
}

#[test]
fn check_makes_no_ledger_and_says_what_is_wrong_with_one() {
    let stage = Stage::on_a_file();
    stage.command("check", &[], &[]).expect(0).says("ready to run");
    stage.touched_nothing();
    std::fs::write(stage.path("postgres-prod.ledger.db"), "").unwrap();
    stage.command("check", &[], &[]).expect(4).says("is empty, and no ledger ever is");
}

const BEFORE: &str = "2025-05 lies before the pipeline's first window, 2025-06 ";

#[test]
fn a_window_before_start_is_refused_before_anything_is_touched() {
    let stage = Stage::new();
    good(&stage);
    let expected = json!([{
        "code": "configuration",
        "input": "FOLDER/pipeline.toml:5:10",
        "message": format!("{BEFORE}(start)"),
        "action": "move `start` back only if nothing else billed it",
    }]);
    for command in ["plan", "run"] {
        let ended = stage.command(command, &["--window", "2025-05", "--json"], &[]);
        assert_eq!(stage.problems(ended.expect(2)), expected, "{command}");
    }
    stage.touched_nothing();
    stage.bills_once(&[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

#[test]
fn a_window_before_the_first_one_that_the_ledger_remembers_is_refused_though_start_moved() {
    let stage = Stage::new();
    good(&stage);
    stage.run().expect(0);
    stage.replace("start  = \"2025-06\"", "start  = \"2025-04\"");
    for command in ["plan", "run"] {
        let ended = stage.command(command, &["--window", "2025-05"], &[]);
        ended
            .expect(2)
            .says(&format!("{BEFORE}(as its ledger remembers)"))
            .says("`start` is read while the ledger is new");
    }
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn without_a_start_any_window_can_be_asked_for_and_one_that_was_begun_can_be_ended() {
    let stage = Stage::new();
    stage.replace("start  = \"2025-06\"\n", "");
    stage.usage("2025/05/01/00", "good", &[("A", "cpu", "7")]);
    stage.run().expect(0);
    stage.command("run", &["--window", "2025-05"], &[]).expect(0);
    assert_eq!(stage.submissions(), 1);
    stage.replace("grace  =", "start  = \"2025-06\"\ngrace  =");
    stage.command("run", &["--window", "2025-05"], &[]).expect(0);
    stage.command("run", &["--window", "2025-04"], &[]).expect(2);
    assert_eq!(stage.submissions(), 1);
}

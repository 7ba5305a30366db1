//! What a wrong pipeline file gets: the line at fault, what is wrong there, and nothing touched.

use crate::support::Stage;

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
    let mut expected = serde_json::json!([{ "code": "configuration", "input": input, "message": message }]);
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
    file("plugin = \"s3-reader\"", "plugin = \"s4-reader\"", "8:10", &looked, None);
}

#[test]
fn a_plugin_whose_file_is_missing_is_named_with_its_path() {
    let message = "/nowhere/s3-reader.wasm: No such file or directory (os error 2)";
    file("plugin = \"s3-reader\"", "plugin = \"/nowhere/s3-reader.wasm\"", "8:10", message, None);
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
    let message = "`source.config.format` must be \"json\" or \"ndjson\", not \"xml\"";
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
    file("{yyyy}/{mm}/{dd}", "{yyyy}/{dd}", "10:1", message, None);
}

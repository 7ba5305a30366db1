//! The examples that publish complete sets, as a new user runs them.

use std::path::Path;

use serde_json::json;

use crate::anycost::simulated;
use crate::support::{Stage, ended, program};

/// Copies a folder with all that lies in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => _ = std::fs::copy(&from, &to).unwrap(),
        }
    }
}

#[test]
fn the_command_at_the_head_of_an_example_publishes_its_usage_as_it_stands() {
    for name in ["anycost", "focus"] {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("examples").join(name);
        std::fs::create_dir_all(&own).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        // Somebody may have run it where it is.
        std::fs::copy(example.join("pipeline.toml"), own.join("pipeline.toml")).unwrap();
        copy(&example.join("usage"), &own.join("usage"));
        let text = std::fs::read_to_string(own.join("pipeline.toml")).unwrap();
        let command = text.lines().find_map(|line| line.strip_prefix("#     meterhost ")).unwrap();
        let mut program = program();
        program.args(command.split(' ')).current_dir(folder.path());
        ended(program.output().unwrap()).expect(0).says(&format!("2025-06 -> {name}: published; 8 charges"));
    }
}

#[test]
fn anycost_publishes_the_open_month_to_date_on_its_first_run() {
    let mut stage = Stage::on_a_file();
    stage.at("2025-06-15T12:00:00Z");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/anycost");
    std::fs::copy(example.join("pipeline.toml"), stage.path("pipeline.toml")).unwrap();
    let usage = format!("file://{}", example.join("usage").display());
    let run = || stage.command("run", &[], &[("USAGE_BUCKET", usage.as_str())]);
    run().expect(0);
    let model = simulated(&stage.path("drops/meterhost"));
    assert_eq!(model["errors"], json!([]));
    let month = &model["periods"]["20250601-20250701"];
    assert_eq!((&month["rows"], &month["cost"]), (&json!(8), &json!("0.539023414784")));
    run().expect(0).says("unchanged");
}

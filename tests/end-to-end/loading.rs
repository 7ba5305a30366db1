//! Files that are no plugins, or another's: each is refused in words that say why, and nothing is touched.

use crate::support::{Ended, Stage, component, program};

/// Runs a stage whose section (`aggregate`, `source`) is a file with these bytes: the one problem of the run, but for its message, is
/// compared, nothing is touched, and with the proper plugin everything is billed, once. Answers the message.
#[track_caller]
fn loads(section: &str, bytes: &[u8]) -> String {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    std::fs::write(stage.path("odd.wasm"), bytes).unwrap();
    let plugin = format!("plugin = \"{}\"", stage.path("odd.wasm").display());
    match section {
        "source" => stage.replace("plugin = \"s3-reader\"", &plugin),
        _ => stage.replace(
            "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
            &format!("[aggregate.odd]\n{plugin}"),
        ),
    }
    let ended = stage.command("run", &["--json"], &[]);
    let mut problems = stage.problems(ended.expect(3));
    let message = problems[0]["message"].take();
    let expected = serde_json::json!([{
        "code": "plugin-unusable",
        "plugin": if section == "source" { "source" } else { "aggregate.odd" },
        "step": "loading",
        "input": "FOLDER/odd.wasm",
        "message": null,
    }]);
    assert_eq!(problems, expected, "{message}");
    stage.touched_nothing();
    stage.pipeline(&proper);
    stage.bills_once(&[("A", "cpu", "2")]);
    message.as_str().unwrap().to_owned()
}

/// A text of a file's bytes, wherever it stands, becomes another of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from} is not there");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(component(name)).unwrap()
}

#[test]
fn random_bytes_are_no_plugin() {
    let message = "it is not a WebAssembly component: its first bytes are not those of one";
    assert_eq!(loads("aggregate", b"hello, I am not wasm"), message);
    assert_eq!(loads("aggregate", b""), message);
}

#[test]
fn a_plugin_that_is_cut_off_is_no_plugin() {
    // A core module, and a component.
    for (section, name) in [("aggregate", "misbehaving"), ("source", "reaching")] {
        let whole = read(name);
        let message = loads(section, &whole[..whole.len() / 2]);
        // What follows are the compiler's words.
        let (ours, cause) = message.split_at("it is not a WebAssembly component that can be run: ".len());
        assert_eq!(ours, "it is not a WebAssembly component that can be run: ");
        assert!(!cause.is_empty());
    }
}

#[test]
fn a_core_module_of_something_else_is_no_plugin() {
    assert_eq!(
        loads("aggregate", b"\0asm\x01\0\0\0"),
        "it is a core WebAssembly module, and no meterhost plugin: it exports no function of meterhost:plugin/source, aggregator, sink \
         or snapshot-sink"
    );
}

#[test]
fn a_component_of_something_else_is_no_plugin() {
    assert_eq!(
        loads("aggregate", b"\0asm\x0d\0\x01\0"),
        "it is a component, but no meterhost plugin: it exports nothing; a plugin exports `meterhost:plugin/source`, `aggregator`, \
         `sink` or `snapshot-sink`"
    );
}

#[test]
fn a_plugin_of_another_contract_version_is_named_with_both() {
    // A core module, and a component.
    for (section, name) in [("aggregate", "misbehaving"), ("source", "reaching")] {
        assert_eq!(
            loads(section, &replaced(&read(name), "@0.1.0", "@0.9.0")),
            "it was built for version 0.9.0 of the plugin contract, and this host speaks 0.1; build it with the matching meterhost-sdk"
        );
    }
}

/// The interface that a message names, which is one of the file's. Which of several comes first, and in which version, is the compiler's
/// affair.
#[track_caller]
fn wasi(bytes: &[u8], message: &str, package: &str) -> String {
    let name = message.split('`').nth(1).unwrap_or_default();
    assert!(name.starts_with(package), "{message}");
    assert!(bytes.windows(name.len()).any(|part| part == name.as_bytes()), "{message}");
    name.to_owned()
}

fn no_clock(name: &str) -> String {
    format!(
        "it imports `{name}`, which an aggregator does not get: it has no clock, no randomness, no environment; build it for \
         wasm32-unknown-unknown"
    )
}

#[test]
fn an_aggregator_that_imports_a_clock_is_not_loaded() {
    let message = loads("aggregate", &read("ticking"));
    let clock = wasi(&read("ticking"), &message, "wasi:");
    assert_eq!(message, no_clock(&clock));
}

#[test]
fn a_plugin_that_imports_an_interface_which_does_not_exist_is_not_loaded() {
    assert_eq!(
        loads("aggregate", &replaced(&read("misbehaving"), "meterhost:plugin/log@", "meterhost:plugin/lag@")),
        "it imports `meterhost:plugin/lag@0.1.0`, which an aggregator does not get"
    );
    let pockets = replaced(&read("reaching"), "wasi:sockets/", "wasi:pockets/");
    let message = loads("source", &pockets);
    let name = wasi(&pockets, &message, "wasi:pockets/");
    assert_eq!(message, format!("it imports `{name}`, which a source does not get"));
}

#[test]
fn a_plugin_whose_description_contradicts_itself_ends_nothing_but_itself() {
    let whole = read("misbehaving");
    let ours = b"@0.1.0";
    let places: Vec<usize> = (0..whole.len() - ours.len()).filter(|&at| whole[at..].starts_with(ours)).collect();
    let stage = Stage::new();
    // From the first to this one the versions are another's: the packages then take from each other in a circle.
    for last in (0..places.len()).step_by(places.len() / 12 + 1) {
        let mut bytes = whole.clone();
        for &at in &places[..=last] {
            bytes[at..at + ours.len()].copy_from_slice(b"@0.9.0");
        }
        std::fs::write(stage.path("odd.wasm"), bytes).unwrap();
        let inspected = program().args(["plugin", "inspect"]).arg(stage.path("odd.wasm")).output().unwrap();
        let ended = crate::support::ended(inspected);
        assert!([0, 3].contains(&ended.exit), "{last}: {ended:?}");
    }
}

/// A component with one section of types, in which each level is a component type that holds one type.
fn nested(levels: usize) -> Vec<u8> {
    let section = [vec![1], [0x41, 1, 1].repeat(levels)].concat();
    let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let mut length = section.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [bytes, section].concat()
}

#[test]
fn types_that_are_nested_beyond_measure_are_refused() {
    assert_eq!(
        loads("aggregate", &nested(5_000_000)),
        "a section of its types has 15000001 bytes, and 262144 are the most that are read"
    );
    // As deep as is read: refused by the compiler, and nothing ends but the attempt.
    let message = loads("aggregate", &nested(80_000));
    assert!(message.starts_with("it is not a WebAssembly component that can be run: "), "{message}");
}

#[test]
fn a_component_of_random_bytes_is_refused() {
    for seed in 0_u32..20 {
        let noise = (0..200_u32).map(|at| (at.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8);
        let bytes: Vec<u8> = b"\0asm\x0d\0\x01\0".iter().copied().chain(noise).collect();
        let message = loads("aggregate", &bytes);
        assert!(message.starts_with("it is"), "{message}");
    }
}

#[test]
fn plugins_are_found_by_name_from_any_folder() {
    let ended = crate::support::ended(program().args(["plugin", "list"]).current_dir("/").output().unwrap());
    ended.expect(0).says("s3-reader").says("rules").says("clazar");
}

#[test]
fn a_file_that_is_no_plugin_keeps_no_other_from_being_listed() {
    let stage = Stage::new();
    std::fs::write(stage.path("odd.wasm"), "hello, I am not wasm").unwrap();
    let listed = program().args(["plugin", "list", "--plugin-dir"]).arg(stage.path("")).output().unwrap();
    let ended = crate::support::ended(listed);
    ended.expect(3).says("s3-reader").says("rules").says("clazar");
    ended.says("odd cannot be used: it is not a WebAssembly component: its first bytes are not those of one");
}

/// Inspects a file.
fn inspected(path: &std::path::Path, arguments: &[&str]) -> Ended {
    crate::support::ended(program().args(["plugin", "inspect"]).arg(path).args(arguments).output().unwrap())
}

#[test]
fn a_file_that_is_no_plugin_is_inspected_in_vain_and_the_message_names_it() {
    let stage = Stage::new();
    let (noise, clock, path) = (b"hello, I am not wasm", read("ticking"), stage.path("odd.wasm"));
    for bytes in [&noise[..], &clock] {
        std::fs::write(&path, bytes).unwrap();
        let problems = stage.problems(inspected(&path, &["--json"]).expect(3));
        let message = problems[0]["message"].as_str().unwrap();
        let cause = match bytes == clock {
            true => no_clock(&wasi(bytes, message, "wasi:")),
            false => "it is not a WebAssembly component: its first bytes are not those of one".to_owned(),
        };
        let expected = serde_json::json!([{
            "code": "plugin-unusable",
            "plugin": "FOLDER/odd.wasm",
            "step": "loading",
            "message": cause,
        }]);
        assert_eq!(problems, expected);
        inspected(&path, &[]).expect(3).says(&format!("{}, loading {cause}", path.display()));
    }
}

#[test]
fn a_name_that_no_folder_holds_is_inspected_in_vain_and_the_message_names_the_folders() {
    let stage = Stage::new();
    let ended = inspected("s4-reader".as_ref(), &["--json", "--plugin-dir", stage.path("plugins").to_str().unwrap()]);
    let problems = stage.problems(ended.expect(2));
    let message = problems[0]["message"].as_str().unwrap();
    let expected = "there is no plugin named `s4-reader`; looked for s4-reader.wasm in FOLDER/plugins, ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_inspected_in_vain_and_the_message_names_it() {
    let stage = Stage::new();
    let path = stage.path("nothing.wasm");
    let problems = stage.problems(inspected(&path, &["--json"]).expect(2));
    assert_eq!(problems[0]["message"], "FOLDER/nothing.wasm: No such file or directory (os error 2)");
}

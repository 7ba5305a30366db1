use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process};

use clazar_emulator::Record;
use serde_json::json;

use crate::client::*;

#[test]
fn the_program_says_where_it_listens_tells_each_request_and_ends_by_itself() {
    let books = env::temp_dir().join(format!("clazar-program-{}.json", process::id()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_clazar-emulator"))
        .args(["--client-id", "me", "--client-secret", "hush", "--now", "2025-07-01T02:00:00Z", "--for", "2"])
        .args(["--metering-path", "/custom/metering/", "--known-contracts", &format!("{A},{B}")])
        .args(["--fault", r#"{"kind":"drop","commit":true}"#, "--books"])
        .arg(&books)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("listening on ").unwrap();
    let origin = url.strip_suffix("/custom/metering/").unwrap();
    let send = |target: &str, headers: &[&str], body: &str| {
        exchange(origin, "POST", target, headers, body, Duration::from_secs(5)).unwrap()
    };
    let credentials = r#"{"client_id": "me", "client_secret": "hush"}"#;
    let token = send("/authenticate/", &[JSON], credentials).unwrap().json()["access_token"].clone();
    let bearer = format!("Authorization: Bearer {}", token.as_str().unwrap());
    let body = json!({ "request": [record(A, "cpu"), record("nobody", "cpu")] }).to_string();
    assert!(send("/custom/metering/", &[JSON, &bearer], &body).is_none());
    assert!(program.wait().unwrap().success());
    let mut told = String::new();
    program.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    let expected = "POST /authenticate/ 200 records=0 stored=0\nPOST /custom/metering/ dropped records=2 stored=1\n";
    assert_eq!(told, expected);
    let kept: Vec<Record> = serde_json::from_slice(&fs::read(&books).unwrap()).unwrap();
    assert_eq!((kept.len(), kept[0].contract_id.as_str()), (1, A));
    fs::remove_file(books).unwrap();
}

#[test]
fn a_misspelt_fault_is_refused_at_the_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_clazar-emulator"))
        .args(["--fault", r#"{"kind":"dropp"}"#, "--for", "1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("dropp"));
}

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use metering_emulator::{Booked, Settings};
use serde_json::Value;

use crate::client::*;

/// A file of this test's own, which is not there.
fn file(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("metering-program-{}-{name}", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

fn start_program(arguments: &[&str]) -> (Child, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_metering-emulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
    (program, host)
}

#[test]
fn the_program_says_where_it_listens_keeps_its_files_and_ends_by_itself() {
    let (books, requests) = (file("books.json"), file("requests.jsonl"));
    let (program, host) = start_program(&[
        "--access-key-id",
        "AKIDEXAMPLE",
        "--secret-access-key",
        "hush",
        "--now",
        NOW,
        "--for",
        "4",
        "--unsubscribed",
        BOB,
        "--product",
        "product=users,calls",
        "--echo-time",
        "exponent",
        "--fault",
        r#"{"at":2,"kind":"drop","when":"after_commit"}"#,
        "--books",
        books.to_str().unwrap(),
        "--requests",
        requests.to_str().unwrap(),
    ]);
    let post = |body: &str| {
        let signer = Signer { secret: "hush", ..SELLER };
        exchange(&host, "POST", "/", &signer.headers(&host, body), body)
    };
    let pretty = serde_json::to_string_pretty(&call(&[record(ALICE, "users", 1), record(BOB, "users", 2)])).unwrap();
    let answer = post(&pretty).unwrap();
    assert_eq!(answer.statuses(), ["Success", "CustomerNotSubscribed"]);
    assert!(answer.body.contains("1.795194E9"));
    assert!(post(&call(&[record(ALICE, "calls", 3)]).to_string()).is_none());
    assert_eq!(post("no json").unwrap().error(), "SerializationException");
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = "#1 POST / 200 records=2 stored=1 Success=1 CustomerNotSubscribed=1\n\
                    #2 POST / dropped records=1 stored=1 Success=1\n\
                    - POST / 400 SerializationException records=0 stored=0\n";
    assert_eq!(told, expected);
    let kept: Vec<Booked> = serde_json::from_slice(&fs::read(&books).unwrap()).unwrap();
    assert_eq!(kept.len(), 2);
    let bodies = fs::read_to_string(&requests).unwrap();
    let bodies: Vec<Value> = bodies.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(bodies[0], serde_json::from_str::<Value>(&pretty).unwrap());
    assert_eq!((bodies.len(), &bodies[2]), (3, &Value::from("no json")));
    // Another life with the same books.
    let service = with(Settings { books: Some(books.clone()), ..settings() });
    let again = submit(&service, &[record(ALICE, "users", 1), record(ALICE, "calls", 4)]).unwrap();
    assert_eq!(again.statuses(), ["Success", "DuplicateRecord"]);
    assert_eq!(again.results()[0]["MeteringRecordId"], kept[0].id);
    assert!(service.audit().is_clean(), "{:?}", service.audit());
    fs::remove_file(books).unwrap();
    fs::remove_file(requests).unwrap();
}

#[test]
fn what_is_misspelt_is_refused_at_the_start() {
    for (arguments, word) in [
        (["--fault", r#"{"kind":"dropp"}"#], "dropp"),
        (["--license", "arn"], "="),
        (["--chances", "7:2"], "from 0 to 1"),
        (["--now", "yesterday"], "yesterday"),
    ] {
        let program = Command::new(env!("CARGO_BIN_EXE_metering-emulator"));
        let output = { program }.args(arguments).args(["--for", "1"]).output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{arguments:?}");
    }
}

#[test]
fn books_that_bill_twice_are_not_opened_and_those_that_cannot_be_written_bill_nothing() {
    let books = file("twice.json");
    let service = start();
    submit(&service, &[record(ALICE, "users", 1)]).unwrap();
    let record_of = service.books()[0].clone();
    fs::write(&books, serde_json::to_vec(&[&record_of, &record_of]).unwrap()).unwrap();
    let settings_of = |books: &PathBuf| Settings { books: Some(books.clone()), ..settings() };
    assert!(metering_emulator::Emulator::start(settings_of(&books)).is_err());
    fs::remove_file(books).unwrap();
    let service = with(settings_of(&PathBuf::from("/nowhere/at/all/books.json")));
    let answer = submit(&service, &[record(ALICE, "users", 1)]).unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (500, "InternalServiceErrorException"));
    assert!(service.books().is_empty());
}

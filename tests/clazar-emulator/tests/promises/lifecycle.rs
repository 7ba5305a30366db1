use std::net::TcpStream;
use std::{env, fs, process, thread};

use clazar_emulator::Settings;

use crate::client::*;

#[test]
fn every_request_is_in_the_log_with_what_it_did() {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu"), record(A, "cpu")]).unwrap();
    list(&clazar, "?status=fail");
    let log = clazar.requests();
    let lines: Vec<String> = log.iter().map(|it| format!("{} {} {}", it.method, it.path, it.query)).collect();
    let token = "POST /authenticate/ ";
    assert_eq!(lines, [token, "POST /metering/ ", token, "GET /metering/ status=fail"]);
    let submit = &log[1];
    assert_eq!((submit.status, submit.stored.len(), submit.resent), (Some(200), 1, 1));
    assert_eq!(submit.records(), [record(A, "cpu"), record(A, "cpu")]);
    assert!(submit.header("authorization").unwrap().starts_with("Bearer "));
    assert!(submit.committed() && !log[3].committed() && log[3].body.is_none());
}

#[test]
fn a_dropped_emulator_listens_no_more() {
    let clazar = start();
    let address = clazar.origin().strip_prefix("http://").unwrap().to_owned();
    let open = TcpStream::connect(&address).unwrap();
    drop(clazar);
    assert!(TcpStream::connect(&address).is_err());
    drop(open);
}

#[test]
fn a_port_can_be_chosen_but_not_shared() {
    let first = start();
    let port = first.origin().rsplit(':').next().unwrap().parse().unwrap();
    let settings = Settings { port, ..Settings::default() };
    assert!(clazar_emulator::Emulator::start(settings.clone()).is_err());
    drop(first);
    assert_eq!(with(settings).url(), format!("http://127.0.0.1:{port}/metering/"));
}

#[test]
fn many_clients_at_once_bill_a_slot_once() {
    let clazar = start();
    let token = token(&clazar);
    let body = serde_json::json!({ "request": [record(A, "cpu")] });
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| post_as(&clazar, &token, &body).unwrap());
        }
    });
    assert_eq!(booked(&clazar), [format!("{A} cpu success")]);
}

#[test]
fn books_in_a_file_outlive_the_emulator() {
    let file = env::temp_dir().join(format!("clazar-books-{}.json", process::id()));
    let settings = Settings { books: Some(file.clone()), ..Settings::default() };
    let first = with(settings.clone());
    submit(&first, &[record(A, "cpu")]).unwrap();
    let books = first.books();
    drop(first);
    let second = with(settings.clone());
    assert_eq!(second.books(), books);
    assert!(submit(&second, &[record(A, "cpu")]).unwrap().results()[0]["errors"].is_array());
    drop(second);
    let twice = fs::read_to_string(&file).unwrap().replace(['[', ']'], "");
    fs::write(&file, format!("[{twice},{}]", twice.replace(&books[0].id, "other"))).unwrap();
    assert!(clazar_emulator::Emulator::start(settings).unwrap_err().to_string().contains("billed twice"));
    fs::remove_file(file).unwrap();
}

#[test]
fn a_call_whose_books_cannot_be_written_books_nothing() {
    let file = env::temp_dir().join(format!("no-such-folder-{}", process::id())).join("books.json");
    let clazar = with(Settings { books: Some(file), ..Settings::default() });
    assert_eq!(submit(&clazar, &[record(A, "cpu")]).unwrap().status, 500);
    assert!(clazar.books().is_empty());
}

//! The file: only added to, and never taken for something else.

use rusqlite::Connection;

use super::*;
use crate::ledger::Head;
use crate::ledger::head_file::HeadFile;
use crate::report::Exit;

/// Opens and reads; both have to fail with these words, and change nothing.
fn refused(place: &Place, words: &str) {
    let before = place.contents();
    for error in [
        Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).unwrap_err(),
        Ledger::state_of(&place.at(), &identity()).unwrap_err(),
    ] {
        assert_eq!(super::words(&error, place), words);
        assert_eq!(error.exit(), Exit::Ledger);
        assert!(!error.action().is_empty());
    }
    let mut after = place.contents();
    after.retain(|(name, _)| name != "p.ledger.db.lock" || before.iter().any(|(known, _)| known == name));
    let names = |contents: &[(String, Vec<u8>)]| contents.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    let ledger = |contents: &[(String, Vec<u8>)]| contents.iter().find(|(name, _)| name == "p.ledger.db").cloned();
    assert!(ledger(&after) == ledger(&before), "the file was changed");
}

/// Changes the file behind the ledger's back.
fn tampered(place: &Place, sql: &str) {
    let connection = Connection::open(place.path()).unwrap();
    connection
        .execute_batch(&format!(
            "DROP TRIGGER IF EXISTS entry_is_not_changed; DROP TRIGGER IF EXISTS entry_is_not_deleted;
             DROP TRIGGER IF EXISTS entry_is_numbered_without_a_gap; {sql}"
        ))
        .unwrap();
    connection.close().unwrap();
}

/// Makes the chain whole again, as somebody could who knows how it is made.
fn chained_anew(place: &Place) {
    let mut connection = Connection::open(place.path()).unwrap();
    let rows = rows(&place.at());
    let (mut head, transaction) = (Head::default(), connection.transaction().unwrap());
    for mut row in rows {
        row.hash = row.hash_after(&head.hash);
        head = row.head();
        let of = rusqlite::params![row.hash.to_string(), row.number.cast_signed()];
        transaction.execute("UPDATE entry SET hash = ?1 WHERE number = ?2", of).unwrap();
    }
    transaction.commit().unwrap();
    connection.close().unwrap();
    HeadFile::of(&place.path()).write(&head).unwrap();
}

#[test]
fn entries_are_only_ever_added() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let connection = Connection::open(place.path()).unwrap();
    for (sql, words) in [
        ("UPDATE entry SET body = '{}' WHERE number = 1", "an entry of the ledger is never changed"),
        ("DELETE FROM entry WHERE number = 3", "an entry of the ledger is never deleted"),
        (
            "INSERT OR REPLACE INTO entry VALUES (1, 1, 'p', 'r', 0, 'opened', '{}', '')",
            "the entries of the ledger are numbered without a gap",
        ),
        (
            "INSERT INTO entry VALUES (9, 9, 'p', 'r', 0, 'opened', '{}', '')",
            "the entries of the ledger are numbered without a gap",
        ),
        (
            "INSERT INTO entry VALUES (NULL, 9, 'p', 'r', 0, 'opened', '{}', '')",
            "the entries of the ledger are numbered without a gap",
        ),
    ] {
        assert_eq!(connection.execute(sql, []).unwrap_err().to_string(), words, "{sql}");
    }
}

#[test]
fn the_form_of_the_entries_stays_what_it_is() {
    // A ledger of today has to be read for ever.
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let attempt = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
    let raw = Outcome { raw: "{\"ok\":1}".to_owned(), ..outcome(charges[0].id(), Status::Accepted) };
    ledger.record(attempt, false, vec![raw]).unwrap();
    ledger.settle("s", june()).unwrap();
    drop(ledger);
    let connection = Connection::open(place.path()).unwrap();
    let mut statement = connection.prepare("SELECT kind || ' ' || body FROM entry ORDER BY number").unwrap();
    let bodies: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let id = charges[0].id();
    let opened =
        r#"opened {"opened":{"format":1,"window":"month","sinks":["s"],"aggregates":["rules"],"host":"VERSION"}}"#;
    let expected = [
        opened.replace("VERSION", env!("CARGO_PKG_VERSION")),
        r#"run {"run":{"now":1751331600000,"config":"c0","plugins":[],"windows":["2025-06"],"sinks":["s"]}}"#
            .to_owned(),
        format!(
            r#"freeze {{"freeze":{{"id":"{id}","charge":{{"key":{{"pipeline":"p","sink":"s","window":"2025-06","customer":"a","dimension":"d","tags":[["region","eu"]]}},"exact":"1.5","quantity":"2","time":1748736000000,"origins":[["raw",3]],"attributes":[["unit","GiB"]],"aggregator":"rules"}}}}}}"#
        ),
        format!(r#"attempt {{"attempt":{{"attempt":1,"sink":"s","charges":["{id}"],"deadline":60000}}}}"#),
        format!(
            r#"outcomes {{"outcomes":{{"attempt":1,"outcomes":[{{"id":"{id}","status":"accepted","retryable":true,"message":"accepted","raw":"{{\"ok\":1}}"}}]}}}}"#
        ),
        r#"settled {"settled":{"sink":"s","window":"2025-06"}}"#.to_owned(),
    ];
    assert_eq!(bodies, expected);
}

#[test]
fn a_closed_ledger_is_one_file_its_head_and_its_lock() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let names: Vec<String> = place.contents().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["p.ledger.db", "p.ledger.db.head", "p.ledger.db.lock"]);
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let place = Place::new();
    std::fs::write(place.path(), "no database, and long enough to be one. ".repeat(100)).unwrap();
    refused(&place, "LEDGER is not a meterhost ledger; it is left as it is");

    let place = Place::new();
    std::fs::write(place.path(), "short").unwrap();
    refused(&place, "LEDGER is not a meterhost ledger; it is left as it is");

    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    refused(&place, "LEDGER is empty, and no ledger ever is: restore it if it was one; it is left as it is");

    let place = Place::new();
    std::fs::create_dir(place.path()).unwrap();
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r")).unwrap_err();
    assert_eq!(words(&error, &place), "LEDGER is a folder, and no ledger; it is left as it is");

    let place = Place::new();
    Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE entry (number)").unwrap();
    refused(&place, "LEDGER is an SQLite file, but not a meterhost ledger; it is left as it is");
}

#[test]
fn what_a_newer_version_wrote_is_never_ignored() {
    let newer = "LEDGER has an entry (number 2) from a newer version of meterhost";
    for (sql, words) in [
        (
            "PRAGMA user_version = 3",
            "LEDGER is a meterhost ledger of version 3, and this meterhost reads version 2".to_owned(),
        ),
        (
            r#"UPDATE entry SET kind = 'waived', body = '{"waived":{}}' WHERE number = 2"#,
            format!("{newer}: the kind `waived` is not known"),
        ),
        (
            "UPDATE entry SET body = replace(body, '{\"now\"', '{\"then\":1,\"now\"') WHERE number = 2",
            format!(
                "{newer}: unknown field `then`, expected one of `now`, `config`, `plugins`, `windows`, `sinks` at line 1 column 14"
            ),
        ),
        (
            "UPDATE entry SET body = replace(body, '\"format\":1', '\"format\":2') WHERE number = 1",
            "LEDGER has an entry (number 1) from a newer version of meterhost: its form is 2, and this one knows 1"
                .to_owned(),
        ),
    ] {
        let place = Place::new();
        drop(frozen(&place, &["a"]));
        tampered(&place, sql);
        if !sql.starts_with("PRAGMA") {
            chained_anew(&place);
        }
        refused(&place, &format!("{words}; it is left as it is"));
    }
}

#[test]
fn a_damaged_ledger_stops_the_run_at_the_entry() {
    let id = proposal(june(), "a").key.id();
    for (sql, number, words) in [
        ("DELETE FROM entry WHERE number = 2", 2, "it is missing".to_owned()),
        ("DELETE FROM entry WHERE number = 1", 1, "it is missing".to_owned()),
        (
            "UPDATE entry SET body = '{\"run\":' WHERE number = 2",
            2,
            "it cannot be read: EOF while parsing a value at line 1 column 7".to_owned(),
        ),
        (
            "UPDATE entry SET body = (SELECT body FROM entry WHERE number = 1) WHERE number = 2",
            2,
            "it cannot be read: it is stored as `run` and says `opened`".to_owned(),
        ),
        (
            "UPDATE entry SET body = replace(body, '\"customer\":\"a\"', '\"customer\":\"b\"') WHERE number = 3",
            3,
            format!("the charge {id} is not named by what it says"),
        ),
    ] {
        let place = Place::new();
        drop(frozen(&place, &["a"]));
        tampered(&place, sql);
        let changed = match sql.starts_with("DELETE") {
            true => "it is missing",
            false => "it, or what stands before it, is not what was written",
        };
        refused(&place, &format!("the ledger LEDGER is damaged at entry {number}: {changed}"));
        if !sql.starts_with("DELETE") {
            chained_anew(&place);
            refused(&place, &format!("the ledger LEDGER is damaged at entry {number}: {words}"));
        }
    }
}

#[test]
fn no_part_of_an_entry_can_be_another() {
    for (column, value) in [
        ("step", "step + 1"),
        ("pipeline", "'q'"),
        ("run", "'r2'"),
        ("at", "at + 1"),
        ("kind", "'freeze'"),
        ("body", "body || ' '"),
        ("hash", "(SELECT hash FROM entry WHERE number = 1)"),
        ("hash", "'x'"),
    ] {
        let place = Place::new();
        drop(frozen(&place, &["a"]));
        tampered(&place, &format!("UPDATE entry SET {column} = {value} WHERE number = 2"));
        let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).unwrap_err();
        assert!(words(&error, &place).starts_with("the ledger LEDGER is damaged at entry 2: "), "{column}: {error}");
    }
}

#[test]
fn entries_that_changed_places_are_not_what_was_written() {
    let place = Place::new();
    drop(frozen(&place, &["a", "b"]));
    tampered(
        &place,
        "UPDATE entry SET number = 99 WHERE number = 2; UPDATE entry SET number = 2 WHERE number = 3;
         UPDATE entry SET number = 3 WHERE number = 99;",
    );
    refused(&place, "the ledger LEDGER is damaged at entry 2: it is missing");
}

#[test]
fn a_ledger_has_to_end_where_its_head_says() {
    let unfit = |place: &Place, cause: &str| {
        let head = place.folder.path().join("p.ledger.db.head");
        refused(
            place,
            &format!("the ledger LEDGER does not fit its head, which is kept in {}: {cause}", head.display())
                .replace(&place.path().display().to_string(), "LEDGER"),
        );
    };
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let read = |name: &str| std::fs::read(place.folder.path().join(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.folder.path().join(name), bytes).unwrap();
    let earlier = read("p.ledger.db.head");
    for _ in 0..2 {
        let attempt = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
        ledger.record(attempt, true, Vec::new()).unwrap();
    }
    drop(ledger);
    let (head, whole) = (read("p.ledger.db.head"), read("p.ledger.db"));

    // Cut short: it is whole by itself.
    tampered(&place, "DELETE FROM entry WHERE number > 5");
    unfit(&place, "entry 7 was written, and the ledger ends with entry 5");
    // With another ending.
    write("p.ledger.db", &whole);
    tampered(&place, "UPDATE entry SET at = at + 1 WHERE number = 7");
    let rows = rows(&place.at());
    let hash = rows[6].hash_after(&rows[5].hash);
    tampered(&place, &format!("UPDATE entry SET hash = '{hash}' WHERE number = 7"));
    unfit(&place, "entry 7 is another than the one that was written");
    // The ledger is gone, or its head is.
    std::fs::remove_file(place.path()).unwrap();
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).unwrap_err();
    assert!(error.to_string().ends_with("the ledger itself is gone"), "{error}");
    Ledger::state_of(&place.at(), &identity()).unwrap_err();
    write("p.ledger.db", &whole);
    std::fs::remove_file(place.folder.path().join("p.ledger.db.head")).unwrap();
    unfit(&place, "it is not there");
    // A head that is older than a crash leaves it stops a writer only: a reader may have read it before the writer went on.
    write("p.ledger.db.head", &earlier);
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).unwrap_err();
    assert!(error.to_string().contains("further than a crash can leave it"), "{error}");
    assert_eq!(place.read().last_attempt(), 2);
    write("p.ledger.db.head", &head);
    assert_eq!(place.open("r9").state().last_attempt(), 2);
}

#[test]
fn a_crash_between_an_entry_and_its_head_is_no_damage() {
    let place = Place::new();
    let head = place.folder.path().join("p.ledger.db.head");
    // Before there was any head.
    drop(place.open("r1"));
    std::fs::remove_file(&head).unwrap();
    let mut ledger = place.open("r2");
    let before = std::fs::read(&head).unwrap();
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.freeze(Vec::new(), vec![proposal(june(), "a"), proposal(june(), "b")]).unwrap();
    let (number, step) = (ledger.head().number, ledger.head().step);
    assert_eq!((number, step), (4, 3));
    drop(ledger);
    std::fs::write(&head, before).unwrap();
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r3")).unwrap_err();
    assert!(error.to_string().contains("further than a crash"), "{error}");
    let place = Place::new();
    let head = place.folder.path().join("p.ledger.db.head");
    let mut ledger = place.open("r1");
    ledger.append(vec![intent(&[june()])]).unwrap();
    let before = std::fs::read(&head).unwrap();
    ledger.freeze(Vec::new(), vec![proposal(june(), "a"), proposal(june(), "b")]).unwrap();
    let after = ledger.head();
    drop(ledger);
    std::fs::write(&head, before).unwrap();
    assert_eq!(place.open("r3").head(), after);
    assert_eq!(HeadFile::read(&place.path()).unwrap(), Some(after), "it is kept again");
}

#[test]
fn a_file_that_is_cut_short_is_not_an_empty_ledger() {
    let place = Place::new();
    let customers: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    drop(frozen(&place, &customers.iter().map(String::as_str).collect::<Vec<_>>()));
    let whole = std::fs::read(place.path()).unwrap();
    for length in [4096, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(place.path(), &whole[..length]).unwrap();
        let error = Ledger::state_of(&place.at(), &identity()).unwrap_err();
        assert!(words(&error, &place).ends_with("the file is damaged (database disk image is malformed)"), "{error}");
        assert!(error.action().starts_with("restore the file from a backup; do not delete it"));
        Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).unwrap_err();
    }
}

#[test]
fn a_ledger_that_was_moved_away_is_not_begun_anew() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("p.ledger.db-wal"), "entries").unwrap();
    refused(
        &place,
        "LEDGER is gone, and a part of it (the file that ends in -wal) is still there: put it back where it was; it is left as it is",
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/p.ledger.db");
    let error = Ledger::open(&at(&path), &identity(), &Claim::at_once("r")).unwrap_err();
    let lock = format!("{}.lock", path.display());
    assert_eq!(
        error.to_string(),
        format!("the ledger {} cannot be locked: {lock}: No such file or directory (os error 2)", path.display())
    );
    assert_eq!(error.action(), "create the folder, or name another place with `ledger` or --ledger");
}

#[test]
fn a_creation_that_was_cut_off_leaves_nothing_in_the_way() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("p.ledger.db.new"), "half").unwrap();
    drop(frozen(&place, &["a"]));
    assert_eq!(charges(&place.read()).len(), 1);
}

#[test]
fn another_program_that_keeps_the_file_locked_is_named_as_the_cause() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    ledger.lose_patience();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap_err();
    assert_eq!(
        words(&error, &place),
        "the ledger LEDGER cannot be written: another program keeps it locked (database is locked)"
    );
    assert_eq!(error.action(), "end the other program (a backup, an open `sqlite3`), and run again");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let allow = |mode| std::fs::set_permissions(place.folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::remove_file(place.folder.path().join("p.ledger.db.lock")).unwrap();
    allow(0o555);
    let state = place.read();
    let opened = Ledger::open(&place.at(), &identity(), &Claim::at_once("r2"));
    allow(0o755);
    assert_eq!(charges(&state).len(), 1);
    match opened {
        Ok(_) => eprintln!("skipped in part: this user may write to what is read-only"),
        Err(error) => {
            let lock = place.folder.path().join("p.ledger.db.lock");
            let cause = format!("it is read-only ({}: Permission denied (os error 13))", lock.display());
            assert_eq!(
                words(&error, &place),
                format!("the ledger LEDGER cannot be locked: {cause}")
                    .replace(&place.path().display().to_string(), "LEDGER")
            );
            assert_eq!(error.action(), "allow this user to write to the file and its folder, and run again");
        }
    }
}

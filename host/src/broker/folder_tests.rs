//! What opening and reading an object in a folder promises.

use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("root"));
    std::fs::create_dir(dir.path().join("root")).unwrap();
    (dir, folder)
}

fn write(dir: &TempDir, key: &str, text: &str) {
    let path = dir.path().join("root").join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(folder: &Folder, key: &str) -> Result<String, ObjectError> {
    let mut body = folder.get(key, None)?;
    let mut all = Vec::new();
    loop {
        let piece = body.read(3)?;
        if piece.is_empty() {
            return Ok(String::from_utf8(all).unwrap());
        }
        assert!(piece.len() <= 3);
        all.extend(piece);
    }
}

fn error(folder: &Folder, key: &str) -> ObjectError {
    folder.get(key, None).err().unwrap()
}

#[test]
fn an_object_is_read_whole_in_pieces() {
    let (dir, folder) = folder();
    for text in ["", "a", "abc", "abcdefgh"] {
        write(&dir, "a/b.json", text);
        assert_eq!(read(&folder, "a/b.json").unwrap(), text);
        assert_eq!(folder.get("a/b.json", None).unwrap().object().size, text.len() as u64);
    }
}

#[test]
fn an_object_says_when_it_was_written_in_milliseconds() {
    let (dir, folder) = folder();
    write(&dir, "a", "x");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_750_000_000_123);
    std::fs::File::options().write(true).open(dir.path().join("root/a")).unwrap().set_modified(time).unwrap();
    assert_eq!(folder.get("a", None).unwrap().object().modified, Some(1_750_000_000_123));
}

#[test]
fn a_key_never_leads_out_and_odd_keys_are_refused() {
    let (dir, folder) = folder();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    for key in ["../secret", "a/../../secret", "a/..", ".."] {
        assert_eq!(
            error(&folder, key),
            ObjectError::Denied(format!("the key {key:?} has `..`, which may lead out of the grant"))
        );
    }
    assert_eq!(
        error(&folder, "/etc/passwd"),
        ObjectError::Denied("the key \"/etc/passwd\" begins with `/`; keys are relative to the grant".to_owned())
    );
    for (key, why) in [
        ("a//b", "has an empty part or `.` between its slashes"),
        ("a/", "has an empty part or `.` between its slashes"),
        ("./a", "has an empty part or `.` between its slashes"),
        ("a\0b", "has a backslash or NUL character"),
        ("..\\secret", "has a backslash or NUL character"),
        (".meterhost-lock", "has a part that begins with `.meterhost-`; such names are meterhost's own"),
    ] {
        assert_eq!(error(&folder, key), ObjectError::Other(format!("the key {key:?} {why}")));
    }
    assert_eq!(error(&folder, ""), ObjectError::Other("the empty text is not a key".to_owned()));
}

#[test]
fn a_link_is_followed_inside_the_folder_and_never_out_of_it() {
    let (dir, folder) = folder();
    let root = dir.path().join("root");
    write(&dir, "a/b", "inside");
    std::fs::create_dir(dir.path().join("outside")).unwrap();
    std::fs::write(dir.path().join("outside/b"), "outside").unwrap();
    symlink("a/b", root.join("good")).unwrap();
    symlink("a", root.join("gooddir")).unwrap();
    symlink("../outside/b", root.join("bad")).unwrap();
    symlink("../outside", root.join("baddir")).unwrap();
    symlink(dir.path().join("outside/b"), root.join("absolute")).unwrap();
    symlink("a/../../outside/b", root.join("winding")).unwrap();
    assert_eq!(read(&folder, "good").unwrap(), "inside");
    assert_eq!(read(&folder, "gooddir/b").unwrap(), "inside");
    for key in ["bad", "baddir/b", "absolute", "winding"] {
        assert_eq!(
            error(&folder, key),
            ObjectError::Denied(format!(
                "{key:?} is or lies behind a symbolic link that leads out of the granted folder"
            ))
        );
    }
}

#[test]
fn what_is_not_a_file_is_no_object_and_a_pipe_does_not_hang() {
    let (dir, folder) = folder();
    write(&dir, "a/b", "x");
    assert_eq!(error(&folder, "nothing"), ObjectError::NotFound("\"nothing\" does not exist".to_owned()));
    assert_eq!(error(&folder, "a/b/c"), ObjectError::NotFound("\"a/b/c\" does not exist".to_owned()));
    assert_eq!(error(&folder, "a"), ObjectError::NotFound("\"a\" is a folder, not an object".to_owned()));
    let pipe = dir.path().join("root/pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert_eq!(
        error(&folder, "pipe"),
        ObjectError::Other("\"pipe\" is a pipe, socket or device, not a file".to_owned())
    );
}

#[test]
fn a_folder_that_is_missing_or_closed_says_which_and_why() {
    let (dir, folder) = folder();
    let root = dir.path().join("root");
    std::fs::remove_dir(&root).unwrap();
    let shown = root.display();
    let missing =
        ObjectError::Unavailable(format!("the granted folder {shown} does not exist: create it, or mend the grant"));
    assert_eq!(error(&folder, "a"), missing);
    std::fs::write(&root, "x").unwrap();
    assert_eq!(error(&folder, "a"), ObjectError::Unavailable(format!("the granted folder {shown} is a file")));
    std::fs::remove_file(&root).unwrap();
    std::fs::create_dir(&root).unwrap();
    std::fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&root).is_ok() {
        eprintln!("skipped: this user may read every folder");
        return;
    }
    assert_eq!(
        error(&folder, "a"),
        ObjectError::Unavailable(format!(
            "the granted folder {shown} may not be read by this user (permission denied)"
        ))
    );
    std::fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn an_etag_changes_with_the_contents_even_if_size_and_time_do_not() {
    let (dir, folder) = folder();
    let etag = || folder.get("a", None).unwrap().object().etag.clone();
    write(&dir, "a", "one");
    let first = etag();
    assert_eq!(etag(), first);
    let time = std::fs::metadata(dir.path().join("root/a")).unwrap().modified().unwrap();
    let rewind = |name: &str| {
        let file = std::fs::File::options().write(true).open(dir.path().join("root").join(name)).unwrap();
        file.set_modified(time).unwrap();
    };
    std::thread::sleep(Duration::from_millis(20));
    write(&dir, "a", "two");
    rewind("a");
    let second = etag();
    assert_ne!(second, first);
    write(&dir, "b", "six");
    rewind("b");
    std::fs::rename(dir.path().join("root/b"), dir.path().join("root/a")).unwrap();
    assert_ne!(etag(), second);
}

#[test]
fn a_version_that_is_gone_is_not_handed_out_as_another() {
    let (dir, folder) = folder();
    write(&dir, "a", "one");
    let etag = folder.get("a", None).unwrap().object().etag.clone();
    assert!(folder.get("a", Some(&etag)).is_ok());
    write(&dir, "a", "other");
    let error = folder.get("a", Some(&etag)).err().unwrap();
    assert!(matches!(&error, ObjectError::Precondition(text) if text.starts_with("\"a\" is another version by now: ")));
}

#[test]
fn a_file_that_changes_while_it_is_read_never_ends_early() {
    let (dir, folder) = folder();
    let path = dir.path().join("root/a");
    let changes: [(&str, &dyn Fn()); 3] = [
        ("\"a\" ended after 4 of 8 bytes: it was cut short while it was read", &|| {
            std::fs::write(&path, "abcd").unwrap()
        }),
        ("\"a\" changed while it was read", &|| std::fs::write(&path, "abcdefghijkl").unwrap()),
        ("\"a\" changed while it was read", &|| std::fs::write(&path, "ABCDEFGH").unwrap()),
    ];
    for (text, change) in changes {
        write(&dir, "a", "abcdefgh");
        let mut body = folder.get("a", None).unwrap();
        assert_eq!(body.read(3).unwrap(), b"abc");
        std::thread::sleep(Duration::from_millis(20));
        change();
        let error = ObjectError::Unavailable(text.to_owned());
        assert_eq!(body.read(100), Err(error.clone()));
        assert_eq!(body.read(100), Err(error), "it stays broken");
    }
}

#[test]
fn a_file_that_is_replaced_or_deleted_while_it_is_read_keeps_its_bytes() {
    let (dir, folder) = folder();
    write(&dir, "a", "abcdefgh");
    let mut body = folder.get("a", None).unwrap();
    write(&dir, "b", "other");
    std::fs::rename(dir.path().join("root/b"), dir.path().join("root/a")).unwrap();
    assert_eq!(body.read(100).unwrap(), b"abcdefgh");
    assert_eq!(body.read(100).unwrap(), b"");
}

#[test]
fn no_bytes_cannot_be_asked_for() {
    let (dir, folder) = folder();
    write(&dir, "a", "x");
    let error = ObjectError::Other("\"a\" was asked for no bytes at all".to_owned());
    assert_eq!(folder.get("a", None).unwrap().read(0), Err(error));
}

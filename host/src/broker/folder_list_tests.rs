//! What listing a folder promises.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

fn folder(keys: &[&str]) -> (TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    for key in keys {
        let path = root.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, key).unwrap();
    }
    let folder = Folder::new(root);
    (dir, folder)
}

fn root(dir: &TempDir) -> PathBuf {
    dir.path().join("root")
}

fn all(folder: &Folder, prefix: &str, after: Option<&str>) -> Result<Vec<String>, ObjectError> {
    let mut listing = folder.list(prefix, after)?;
    let mut keys = Vec::new();
    while let Some(page) = listing.next()? {
        assert!(!page.is_empty() && page.len() <= PAGE);
        keys.extend(page.into_iter().map(|object| object.key));
    }
    assert_eq!(listing.next(), Ok(None));
    Ok(keys)
}

/// In the order of their bytes; names that a slash sorts among, on both sides.
const KEYS: &[&str] = &[
    "a!",
    "a-b/x",
    "a.json",
    "a/b/c.json",
    "a/b/d/e",
    "a/b.json",
    "a/bc",
    "a/z",
    "a0",
    "ab/x",
    "b",
    "sub/2025/01/x",
    "Ä",
];

#[test]
fn keys_come_in_the_order_of_their_bytes() {
    let mut keys = KEYS.to_vec();
    keys.sort_unstable();
    let (_dir, folder) = folder(KEYS);
    assert_eq!(all(&folder, "", None).unwrap(), keys);
}

#[test]
fn every_prefix_and_every_start_lists_what_a_bucket_would() {
    let (_dir, folder) = folder(KEYS);
    let mut sorted = KEYS.to_vec();
    sorted.sort_unstable();
    let mut prefixes =
        vec!["", "a", "a/", "a/b", "a/b/", "a/b.", "a/b/d/e", "a/b/d/e/", "sub/2025", "sub/2026/", "z", "b/", "Ä"];
    prefixes.extend(KEYS);
    let mut starts: Vec<Option<&str>> =
        vec![None, Some(""), Some("a"), Some("a/"), Some("a/b/"), Some("a/b/zz"), Some("a/~"), Some("zz")];
    starts.extend(KEYS.iter().map(|key| Some(*key)));
    for prefix in prefixes {
        for start in &starts {
            let expected: Vec<_> = sorted
                .iter()
                .filter(|key| key.starts_with(prefix) && start.is_none_or(|start| **key > start))
                .collect();
            assert_eq!(
                all(&folder, prefix, *start).unwrap().iter().collect::<Vec<_>>(),
                expected,
                "{prefix} {start:?}"
            );
        }
    }
}

#[test]
fn a_listing_shows_what_opening_shows() {
    let (dir, folder) = folder(&["a/b"]);
    symlink("a/b", root(&dir).join("link")).unwrap();
    let page = folder.list("", None).unwrap().next().unwrap().unwrap();
    for object in page {
        assert_eq!(folder.get(&object.key, None).unwrap().object(), &object);
    }
}

#[test]
fn many_files_come_in_several_pages() {
    let keys: Vec<String> = (0..2500).map(|n| format!("{n:04}")).collect();
    let (_dir, folder) = folder(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all(&folder, "", None).unwrap(), keys);
}

#[test]
fn a_missing_prefix_is_empty_but_a_missing_or_foreign_folder_is_an_error() {
    let (dir, folder) = folder(&["a/b"]);
    assert_eq!(all(&folder, "nothing/", None).unwrap(), Vec::<String>::new());
    assert_eq!(all(&folder, "a/b/", None).unwrap(), Vec::<String>::new());
    let missing = Folder::new(root(&dir).join("nothing"));
    let text = format!(
        "the granted folder {} does not exist: create it, or mend the grant",
        root(&dir).join("nothing").display()
    );
    assert_eq!(all(&missing, "", None), Err(ObjectError::Unavailable(text)));
    for prefix in ["../", "/", "/etc/", "a/../../"] {
        assert!(matches!(all(&folder, prefix, None), Err(ObjectError::Denied(_))), "{prefix}");
    }
    assert!(matches!(all(&folder, "a//", None), Err(ObjectError::Other(_))));
}

#[test]
fn links_inside_are_listed_and_one_that_leads_out_or_nowhere_is_an_error() {
    let (dir, folder) = folder(&["a/b"]);
    symlink("a", root(&dir).join("linked")).unwrap();
    symlink("a/b", root(&dir).join("one")).unwrap();
    std::fs::create_dir_all(root(&dir).join("deep/er")).unwrap();
    symlink("../../a", root(&dir).join("deep/er/climbs")).unwrap();
    assert_eq!(all(&folder, "", None).unwrap(), ["a/b", "deep/er/climbs/b", "linked/b", "one"]);
    assert_eq!(all(&folder, "deep/er/cl", None).unwrap(), ["deep/er/climbs/b"]);
    assert_eq!(all(&folder, "deep/er/climbs/", None).unwrap(), ["deep/er/climbs/b"]);

    for (target, text) in [
        ("nowhere", "\"out\" is a symbolic link to nothing"),
        ("/etc", "\"out\" is or lies behind a symbolic link that leads out of the granted folder"),
        ("../..", "\"out\" is or lies behind a symbolic link that leads out of the granted folder"),
    ] {
        symlink(target, root(&dir).join("out")).unwrap();
        assert_eq!(all(&folder, "", None), Err(ObjectError::Unavailable(text.to_owned())));
        std::fs::remove_file(root(&dir).join("out")).unwrap();
    }
}

#[test]
fn a_link_back_up_does_not_list_for_ever() {
    let (dir, folder) = folder(&["a/b/c"]);
    symlink("..", root(&dir).join("a/b/up")).unwrap();
    assert_eq!(
        all(&folder, "", None),
        Err(ObjectError::Unavailable(
            "\"a/b/up/\" is a symbolic link to a folder that it lies in, so that the listing would never end"
                .to_owned()
        ))
    );
}

#[test]
fn pipes_and_the_hosts_own_files_are_no_objects() {
    let (dir, folder) = folder(&["a", ".meterhost-lock", "sub/.meterhost-0123"]);
    assert!(std::process::Command::new("mkfifo").arg(root(&dir).join("pipe")).status().unwrap().success());
    assert_eq!(all(&folder, "", None).unwrap(), ["a"]);
}

#[test]
fn a_name_that_cannot_be_a_key_is_an_error_and_not_left_out() {
    for (name, text) in [
        (b"a\xff".as_slice(), "the name a\u{fffd} in \"\" is not UTF-8, so that it cannot be a key"),
        (b"a\\b", "the key \"a\\\\b\" has a backslash or NUL character"),
    ] {
        let (dir, folder) = folder(&[]);
        std::fs::write(root(&dir).join(OsStr::from_bytes(name)), "").unwrap();
        let error = all(&folder, "", None).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error_and_not_left_out() {
    let (dir, folder) = folder(&["a", "closed/b"]);
    let closed = root(&dir).join("closed");
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_ok() {
        eprintln!("skipped: this user may read every folder");
        return;
    }
    let result = all(&folder, "", None);
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = "\"closed/\" may not be read or written by this user (permission denied)";
    assert_eq!(result, Err(ObjectError::Unavailable(text.to_owned())));
}

//! What writing and deleting objects in a folder promises.

use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("made/on/demand"));
    (dir, folder)
}

fn contents(dir: &TempDir, key: &str) -> Option<String> {
    std::fs::read_to_string(dir.path().join("made/on/demand").join(key)).ok()
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("made/on/demand"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !matches!(name.as_str(), DRAFTS | LOCK))
        .collect();
    names.sort();
    let drafts = std::fs::read_dir(dir.path().join("made/on/demand").join(DRAFTS)).into_iter().flatten();
    names.extend(drafts.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    names
}

fn current(folder: &Folder, key: &str) -> String {
    folder.get(key, None).unwrap().object().etag.clone()
}

#[test]
fn an_object_is_written_whole_and_its_etag_is_the_one_that_reading_shows() {
    let (dir, folder) = folder();
    for precondition in [Precondition::Absent, Precondition::None] {
        let etag = folder.put("a/b.json", b"one", &precondition).unwrap();
        assert_eq!(contents(&dir, "a/b.json").unwrap(), "one");
        assert_eq!(etag, current(&folder, "a/b.json"));
    }
    let etag = folder.put("a/b.json", b"two", &Precondition::Match(current(&folder, "a/b.json"))).unwrap();
    assert_eq!(etag, current(&folder, "a/b.json"));
    assert_eq!(contents(&dir, "a/b.json").unwrap(), "two");
}

#[test]
fn a_precondition_that_does_not_hold_changes_nothing() {
    let (dir, folder) = folder();
    let old = folder.put("a", b"one", &Precondition::None).unwrap();
    assert_eq!(
        folder.put("a", b"two", &Precondition::Absent),
        Err(ObjectError::Precondition("\"a\" exists already".to_owned()))
    );
    let new = folder.put("a", b"three", &Precondition::None).unwrap();
    assert_eq!(
        folder.put("a", b"four", &Precondition::Match(old.clone())),
        Err(ObjectError::Precondition(format!("\"a\" is another version by now: {old} was expected, {new} is there")))
    );
    assert_eq!(
        folder.put("b", b"five", &Precondition::Match(new)),
        Err(ObjectError::Precondition("\"b\" does not exist, but a version of it was expected".to_owned()))
    );
    assert_eq!(
        folder.put("c", b"six", &Precondition::Other("newer".to_owned())),
        Err(ObjectError::Other("this version of meterhost does not know the precondition `newer`".to_owned()))
    );
    assert_eq!(contents(&dir, "a").unwrap(), "three");
    assert_eq!(names(&dir), ["a"]);
}

#[test]
fn of_many_writers_that_want_an_absent_object_one_wins() {
    let (_dir, folder) = folder();
    folder.dir_for_writing().unwrap();
    let wins: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn({
                    let folder = &folder;
                    move || folder.put("a", &[n], &Precondition::Absent).is_ok()
                })
            })
            .collect();
        writers.into_iter().map(|writer| usize::from(writer.join().unwrap())).sum()
    });
    assert_eq!(wins, 1);
}

#[test]
fn of_many_writers_that_saw_the_same_version_one_wins() {
    let (_dir, folder) = folder();
    let seen = Precondition::Match(folder.put("a", b"seen", &Precondition::None).unwrap());
    let wins: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn({
                    let (folder, seen) = (&folder, &seen);
                    move || folder.put("a", &[n], seen).is_ok()
                })
            })
            .collect();
        writers.into_iter().map(|writer| usize::from(writer.join().unwrap())).sum()
    });
    assert_eq!(wins, 1);
}

#[test]
fn an_upload_shows_nothing_before_its_commit_and_leaves_nothing_without() {
    let (dir, folder) = folder();
    let mut upload = folder.upload("a").unwrap();
    upload.write(b"one ").unwrap();
    upload.write(b"two").unwrap();
    assert_eq!(contents(&dir, "a"), None);
    assert_eq!(folder.list("", None).unwrap().next(), Ok(None));
    let etag = upload.commit(&Precondition::Absent).unwrap();
    assert_eq!(etag, current(&folder, "a"));
    assert_eq!(contents(&dir, "a").unwrap(), "one two");
    let over = ObjectError::Other("the upload of \"a\" is over: it was committed or failed to".to_owned());
    assert_eq!(upload.commit(&Precondition::None), Err(over.clone()));
    assert_eq!(upload.write(b"x"), Err(over));

    drop(folder.upload("b").unwrap());
    let mut failed = folder.upload("a").unwrap();
    failed.commit(&Precondition::Absent).unwrap_err();
    assert_eq!(names(&dir), ["a"]);
}

#[test]
fn a_file_and_a_folder_cannot_share_a_name() {
    let (dir, folder) = folder();
    folder.put("a", b"x", &Precondition::None).unwrap();
    folder.put("b/c", b"x", &Precondition::None).unwrap();
    assert_eq!(
        folder.put("a/b", b"x", &Precondition::None),
        Err(ObjectError::Other("\"a/b\" cannot be written: one of the folders in its key is a file".to_owned()))
    );
    assert_eq!(
        folder.put("b", b"x", &Precondition::None),
        Err(ObjectError::Other("\"b\" cannot be written: a folder has this name".to_owned()))
    );
    assert_eq!(names(&dir), ["a", "b"]);
}

#[test]
fn nothing_is_written_or_deleted_behind_a_link_that_leads_out() {
    let (dir, folder) = folder();
    folder.dir_for_writing().unwrap();
    std::fs::create_dir(dir.path().join("outside")).unwrap();
    std::fs::write(dir.path().join("outside/a"), "x").unwrap();
    std::os::unix::fs::symlink("../../../outside", dir.path().join("made/on/demand/out")).unwrap();
    for result in [
        folder.put("out/b", b"x", &Precondition::None).map(drop),
        folder.put("out/new/b", b"x", &Precondition::None).map(drop),
        folder.delete("out/a", &Precondition::None),
        folder.put("../b", b"x", &Precondition::None).map(drop),
    ] {
        assert!(matches!(result, Err(ObjectError::Denied(_))), "{result:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path().join("outside")).unwrap().count(), 1);
}

#[test]
fn deleting_heeds_its_precondition_and_what_is_not_there_is_no_error() {
    let (dir, folder) = folder();
    let etag = folder.put("a", b"x", &Precondition::None).unwrap();
    folder.put("dir/b", b"x", &Precondition::None).unwrap();
    for precondition in [Precondition::Absent, Precondition::Match("other".to_owned())] {
        assert!(matches!(folder.delete("a", &precondition), Err(ObjectError::Precondition(_))));
    }
    assert!(matches!(folder.delete("none", &Precondition::Match(etag.clone())), Err(ObjectError::Precondition(_))));
    for key in ["none", "dir", "a/below"] {
        assert_eq!(folder.delete(key, &Precondition::None), Ok(()), "{key}");
        assert_eq!(folder.delete(key, &Precondition::Absent), Ok(()), "{key}");
    }
    assert_eq!(contents(&dir, "a").unwrap(), "x");
    folder.delete("a", &Precondition::Match(etag)).unwrap();
    folder.delete("dir/b", &Precondition::None).unwrap();
    assert_eq!((contents(&dir, "a"), contents(&dir, "dir/b")), (None, None));
}

#[test]
fn deleting_in_a_folder_that_is_missing_is_an_error() {
    let (dir, folder) = folder();
    let text = format!(
        "the granted folder {} does not exist: create it, or mend the grant",
        dir.path().join("made/on/demand").display()
    );
    assert_eq!(folder.delete("a", &Precondition::None), Err(ObjectError::Unavailable(text)));
}

#[test]
fn what_a_killed_process_left_half_written_goes_away_and_what_others_write_stays() {
    let (dir, folder) = folder();
    let mut under_way = folder.upload("deep/down/a").unwrap();
    under_way.write(b"one").unwrap();
    let left = dir.path().join("made/on/demand").join(DRAFTS).join(format!("{OWN}0123456789abcdef"));
    std::fs::write(&left, "half").unwrap();
    folder.put("b", b"two", &Precondition::None).unwrap();
    assert!(!left.exists());
    under_way.commit(&Precondition::Absent).unwrap();
    assert_eq!(contents(&dir, "deep/down/a").unwrap(), "one");
    assert_eq!(names(&dir), ["b", "deep"]);
}

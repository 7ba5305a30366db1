//! The folder of compiled plugins: where it cannot be used, that is said, and everything is billed all the same.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Stage, bill};

/// A run with this folder: everything is billed, and standard error holds this one warning.
#[track_caller]
fn warns(stage: &Stage, cache: &Path, why: &str) {
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let ended = stage.command("run", &[], &[("METERHOST_CACHE_DIR", cache.to_str().unwrap())]);
    let warnings: Vec<&str> = ended.expect(0).stderr.lines().filter(|line| line.contains("compiled plugin")).collect();
    let cache = cache.display();
    let warning = format!(" WARN compiled plugins are not kept, and each start compiles them anew: {cache}: {why}");
    assert_eq!(warnings, [warning]);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
}

#[test]
fn a_cache_folder_that_is_a_file_is_a_warning_and_everything_is_billed() {
    let stage = Stage::new();
    let file = stage.path("cache");
    std::fs::write(&file, "mine").unwrap();
    warns(&stage, &file, "File exists (os error 17)");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_cache_folder_below_a_file_is_a_warning_and_everything_is_billed() {
    let stage = Stage::new();
    std::fs::write(stage.path("cache"), "mine").unwrap();
    warns(&stage, &stage.path("cache/meterhost"), "Not a directory (os error 20)");
}

#[test]
fn a_cache_folder_that_others_can_write_is_a_warning_and_nothing_is_kept_there() {
    let stage = Stage::new();
    let open = stage.path("cache");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    warns(
        &stage,
        &open,
        "other users can write into the folder, and what they put there would be run; remove it, and a new one is made",
    );
    assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
    std::fs::remove_dir(&open).unwrap();
    let ended = stage.command("run", &[], &[("METERHOST_CACHE_DIR", open.to_str().unwrap())]);
    assert!(!ended.expect(0).stderr.contains("compiled plugin"), "{}", ended.stderr);
    assert_eq!(std::fs::metadata(&open).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(std::fs::read_dir(&open).unwrap().count() > 0);
}

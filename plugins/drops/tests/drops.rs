//! Drops as a plugin writes them, whatever its columns are.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use drops::{Cells, Compression, FileDrops, Root, Texts};
use meterhost_sdk::{Error, Outline, PublishFailure, Window, testing};

fn place(compression: Compression, rows_per_file: u32) -> FileDrops {
    FileDrops { root: Root::parse("out").unwrap(), stem: "focus", compression, rows_per_file }
}

fn outline() -> Outline {
    let now = drops::time::read_compact("20220317T171218Z").unwrap();
    let (start, end) = drops::time::month(now);
    Outline {
        period: Window { start, end },
        now,
        fingerprint: String::new(),
        rows: 0,
        tags: vec![],
        attributes: vec![],
        closed: false,
        last: None,
        emptied: vec![],
    }
}

fn columns() -> Vec<String> {
    vec!["A".into(), "x,\"B\"".into()]
}

#[test]
fn files_may_be_plain() {
    let folder = tempfile::tempdir().unwrap();
    testing::folder(folder.path());
    let mut drop = place(Compression::None, 2).begin(&outline(), columns()).unwrap();
    let texts: Texts = ["1", "2", "3,"].into_iter().collect();
    drop.write(&[&Cells::each(texts), &Cells::same("k")], 3).unwrap();
    let filed = drop.finish().unwrap();
    let file = |number| folder.path().join(format!("out/20220301-20220401/20220317T171218Z/focus-000{number}.csv"));
    let text = [1, 2].map(|number| std::fs::read_to_string(file(number)).unwrap());
    assert_eq!(text, ["A,\"x,\"\"B\"\"\"\n1,k\n2,k\n", "A,\"x,\"\"B\"\"\"\n\"3,\",k\n"]);
    assert_eq!((filed.rows, filed.files, filed.bytes), (3, 2, text.concat().len() as u64));
    // There is a way back to it, though files be compressed by now; but not to a plain file of another program.
    drop.commit().unwrap();
    for compression in [Compression::None, Compression::Gzip] {
        let reverted = place(compression, 2).revert(outline().period, "20220317T171218Z");
        assert_eq!(reverted.map(|found| (found.files, found.bytes)), Ok((2, filed.bytes)));
    }
    let other = folder.path().join("out/20220301-20220401/other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("focused.csv"), "A\n").unwrap();
    assert!(place(Compression::None, 2).revert(outline().period, "other").is_ok());
    assert!(place(Compression::Gzip, 2).revert(outline().period, "other").is_err());
}

#[test]
fn the_same_set_makes_the_same_files_in_whatever_pieces_it_comes() {
    let files = [1, 7, 5_000].map(|piece: usize| {
        let folder = tempfile::tempdir().unwrap();
        testing::folder(folder.path());
        let mut drop = place(Compression::Gzip, 30_000).begin(&outline(), columns()).unwrap();
        for start in (0..50_000).step_by(piece) {
            let rows = piece.min(50_000 - start);
            let texts: Texts = (start..start + rows).map(|row| format!("{}", row * 7919 % 10_007)).collect();
            drop.write(&[&Cells::each(texts), &Cells::same("k")], rows).unwrap();
        }
        assert_eq!(drop.finish().unwrap().files, 2);
        [1, 2].map(|number| {
            std::fs::read(
                folder.path().join(format!("out/20220301-20220401/20220317T171218Z/focus-000{number}.csv.gz")),
            )
            .unwrap()
        })
    });
    assert!(files[0] == files[1] && files[1] == files[2]);
}

#[test]
fn what_cannot_be_a_drop_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    testing::folder(folder.path());
    let place = place(Compression::Gzip, 10);
    let other =
        |error: Error, said: &str| assert!(matches!(&error, Error::Other(text) if text.contains(said)), "{error:?}");
    other(place.begin(&outline(), vec!["A".into()]).err().unwrap(), "two columns");
    let week = Outline { period: Window { start: 0, end: 7 * 86_400_000 }, ..outline() };
    other(place.begin(&week, columns()).err().unwrap(), "one calendar month");
    let mut drop = place.begin(&outline(), columns()).unwrap();
    other(drop.write(&[&Cells::same("a")], 1).unwrap_err(), "2 columns, and not 1");
    other(drop.write(&[&Cells::same("a"), &Cells::same("b\0")], 1).unwrap_err(), "column x,\"B\" has a NUL");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn months_are_listed_in_their_order_and_what_is_no_drop_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    testing::folder(folder.path());
    let keys = [
        "20220401-20220501/b/x.csv.gz",
        "20220401-20220501/a/x.csv.gz",
        "20220401-20220501/a/y.csv.gz",
        "20220401-20220501/manifest.json",
        "20220301-20220401/20220317T171218Z/x.csv.gz",
        "20220301-20220501/no-month/x.csv.gz",
        "readme/x/y",
        "20220401-20220501/loose.csv.gz",
    ];
    for key in keys {
        let path = folder.path().join("out").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, if key.ends_with("json") { r#"{"current_drop_id":"b"}"# } else { "123" }).unwrap();
    }
    // A root beside it, whose name begins the same.
    std::fs::create_dir_all(folder.path().join("out2/20220301-20220401/z")).unwrap();
    std::fs::write(folder.path().join("out2/20220301-20220401/z/x.csv.gz"), "1").unwrap();
    let place = place(Compression::Gzip, 10);
    let shown = |only| {
        let found: Vec<_> = place.list(only).unwrap();
        found.into_iter().map(|set| (set.id, set.files, set.bytes, set.current)).collect::<Vec<_>>()
    };
    let is = |id: &str, files, current| (id.to_owned(), files, u64::from(files) * 3, current);
    assert_eq!(shown(None), [is("20220317T171218Z", 1, false), is("a", 2, false), is("b", 1, true)]);
    assert_eq!(shown(Some(outline().period)), [is("20220317T171218Z", 1, false)]);
    place.remove(Window { start: 1_648_771_200_000, end: 1_651_363_200_000 }, "a").unwrap();
    assert_eq!(shown(None).len(), 2);
    assert!(folder.path().join("out/20220401-20220501/loose.csv.gz").exists());
}

#[test]
fn a_store_that_is_away_when_the_manifest_is_written_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    testing::folder(folder.path());
    let mut drop = place(Compression::Gzip, 10).begin(&outline(), columns()).unwrap();
    drop.finish().unwrap();
    let (out, away) = (folder.path().join("out"), folder.path().join("away"));
    std::fs::rename(&out, &away).unwrap();
    std::fs::write(&out, "a file where the folder was").unwrap();
    assert!(matches!(drop.commit(), Err(PublishFailure::Later((_, None)))));
    std::fs::remove_file(&out).unwrap();
    std::fs::rename(&away, &out).unwrap();
    drop.commit().unwrap();
    assert!(out.join("20220301-20220401/manifest.json").is_file());
}

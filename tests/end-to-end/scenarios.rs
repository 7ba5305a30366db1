//! Stories of a pipeline, a folder each below `tests/scenarios`: to add one is to add a folder.
//!
//! | file | what |
//! |---|---|
//! | `pipeline.toml` | the whole file; the comment on top says what the story promises |
//! | `1/`, `2/`, ... | its steps, in order |
//! | `1/step.toml` | when it happens, what is typed, how it ends: see `script` |
//! | `1/bucket/` | objects that are there from this step on |
//! | `1/customers.csv`, `1/pipeline.toml`, ... | files that are put beside the pipeline's, or in its place |
//! | `1/charges.txt` | what stands in the service's books afterwards: window, customer, dimension, quantity |
//! | `1/report.txt` | what a person reads, with placeholders for what no two runs have alike |
//!
//! Each story is told twice, to a program (`--json`) and to a person. As a program reads it, every sum closes, and a run does what the
//! plan before it shows. At the end the same run once more bills nothing and offers nothing.
//!
//! `METERHOST_BLESS=1` writes down what is found as what is expected; `METERHOST_SCENARIO=late` tells those stories only whose names hold
//! `late`.

mod books;
mod plans;
mod script;
mod stage;
mod story;
mod sums;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

use self::story::Story;

#[test]
fn every_story_ends_as_it_is_written() {
    let names = names();
    let (count, waiting, failed) = (names.len(), Mutex::new(names), Mutex::new(Vec::new()));
    // Much of a story is waiting: for a program to start, for a service to answer.
    let tellers = std::thread::available_parallelism().map_or(2, usize::from) * 2;
    std::thread::scope(|scope| {
        for _ in 0..tellers {
            scope.spawn(|| {
                while let Some(name) = next(&waiting) {
                    if let Err(why) = told(&name) {
                        failed.lock().unwrap().push(format!("==== {name}\n{why}"));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    println!("counted: {count} scenarios");
    assert!(count > 0, "no story has such a name");
    assert!(failed.is_empty(), "{} of {count} stories end in another way:\n{}", failed.len(), failed.join("\n"));
}

fn next(waiting: &Mutex<Vec<String>>) -> Option<String> {
    waiting.lock().unwrap().pop()
}

/// Tells one story; else why it does not end as it is written.
fn told(name: &str) -> Result<(), String> {
    let telling = catch_unwind(AssertUnwindSafe(|| {
        let story = Story::read(&folder().join(name))?;
        let names = story.to_a_program()?;
        story.to_a_person(names)
    }));
    telling.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default())
    })
}

/// All stories, or those that were asked for.
fn names() -> Vec<String> {
    let wanted = std::env::var("METERHOST_SCENARIO").unwrap_or_default();
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(&wanted))
        .collect();
    names.sort_unstable_by(|left, right| right.cmp(left));
    names
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios")
}

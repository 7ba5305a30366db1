//! A story, from its first step to its last, as it is told to a program and to a person.

use std::path::{Path, PathBuf};

use super::script::{Act, Step};
use super::stage::Stage;
use super::words::Names;
use super::{books, plans, sums};
use crate::support::Ended;

pub(super) struct Story {
    folder: PathBuf,
    steps: Vec<(PathBuf, Step)>,
}

impl Story {
    pub(super) fn read(folder: &Path) -> Result<Story, String> {
        let numbered = (1..).map(|number: u32| folder.join(number.to_string())).take_while(|step| step.is_dir());
        let steps: Result<Vec<_>, String> =
            numbered.map(|step| Ok((step.clone(), Step::read(&step.join("step.toml"))?))).collect();
        let steps = steps?;
        match steps.is_empty() {
            true => Err("it has no step".to_owned()),
            false => Ok(Story { folder: folder.to_owned(), steps }),
        }
    }

    /// Every sum closes, a run does what a plan shows, and the books are as expected. Answers what ids stand for.
    pub(super) fn to_a_program(&self) -> Result<Names, String> {
        let stage = Stage::new(&self.folder);
        let mut names = Names::default();
        for (folder, step) in &self.steps {
            stage.set(folder, step);
            for act in &step.acts {
                let plan = if act.is_run() {
                    Some(report(&stage, act, step, &["--dry-run", "--json"], &mut names)?)
                } else {
                    None
                };
                let ended = stage.types(act, &step.now, &["--json"], &names)?;
                ends(&ended, act, folder)?;
                if !act.is_run() {
                    continue;
                }
                let run = ended.json();
                names.learn(&run);
                sums::close(&run).map_err(|why| at(folder, why))?;
                // What a service gets wrong no plan can know.
                if let Some(plan) = plan.filter(|_| step.faults.is_empty()) {
                    plans::came_true(&plan, &run).map_err(|why| at(folder, why))?;
                }
            }
            expect(&folder.join("charges.txt"), &books::charges(&stage.service)?)?;
        }
        Ok(names)
    }

    /// Each command says what it is expected to say, and the last run bills once.
    pub(super) fn to_a_person(&self, names: Names) -> Result<(), String> {
        let stage = Stage::new(&self.folder);
        for (folder, step) in &self.steps {
            stage.set(folder, step);
            let mut said = Vec::new();
            for act in &step.acts {
                let ended = stage.types(act, &step.now, &[], &names)?;
                ends(&ended, act, folder)?;
                for words in &act.says {
                    ended.says(words);
                }
                let text = if ended.stdout.is_empty() { &ended.stderr } else { &ended.stdout };
                let text = names.placed(text, stage.service.origin());
                said.push(format!("$ meterhost {}\n{text}", act.typed().join(" ")));
            }
            expect(&folder.join("charges.txt"), &books::charges(&stage.service)?)?;
            expect(&folder.join("report.txt"), &said.join("\n"))?;
        }
        let Some((folder, step)) = self.steps.last() else { return Ok(()) };
        let before = (books::charges(&stage.service)?, books::offers(&stage.service));
        stage.service.clear_faults();
        stage.types(&once_more(), &step.now, &[], &names)?;
        match (books::charges(&stage.service)?, books::offers(&stage.service)) == before {
            true => Ok(()),
            false => Err(at(folder, "the same run once more offers something".to_owned())),
        }
    }
}

fn once_more() -> Act {
    Act { command: vec!["run".to_owned()], exit: 0, says: Vec::new() }
}

/// What a command would do, whose sums close.
fn report(
    stage: &Stage,
    act: &Act,
    step: &Step,
    more: &[&str],
    names: &mut Names,
) -> Result<serde_json::Value, String> {
    let plan = stage.types(act, &step.now, more, names)?.json();
    names.learn(&plan);
    sums::close(&plan).map_err(|why| format!("in a plan at {}: {why}", step.now))?;
    Ok(plan)
}

fn at(folder: &Path, why: String) -> String {
    format!("step {}: {why}", folder.file_name().unwrap_or_default().to_string_lossy())
}

fn ends(ended: &Ended, act: &Act, folder: &Path) -> Result<(), String> {
    let Ended { exit, stdout, stderr } = ended;
    if *exit == act.exit {
        return Ok(());
    }
    // Of a document, what stands in the way.
    let document: Result<serde_json::Value, _> = serde_json::from_str(stdout);
    let said = document.map_or_else(|_| stdout.clone(), |document| format!("{:#}", document["problems"]));
    Err(at(folder, format!("{:?} exits {exit}, not {}:\n{said}\n{stderr}", act.command, act.exit)))
}

/// Compares with what is written down, or writes it down.
fn expect(file: &Path, found: &str) -> Result<(), String> {
    if std::env::var_os("METERHOST_BLESS").is_some() {
        return std::fs::write(file, found).map_err(|error| format!("{}: {error}", file.display()));
    }
    let expected = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    match expected == found {
        true => Ok(()),
        false => Err(format!("{} says\n{expected}\nand this was found:\n{found}", file.display())),
    }
}

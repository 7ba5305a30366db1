//! Where a story happens: a folder, a service, the program.

use std::path::Path;

use clazar_emulator::{Emulator, Settings};

use super::script::{Act, Step};
use super::words::Names;
use crate::support::{Ended, component, ended, program, settings};

/// As the service knows the seller.
const CLIENT: &str = "a-seller";

pub(super) struct Stage {
    folder: tempfile::TempDir,
    pub(super) service: Emulator,
}

impl Stage {
    /// With the files of a story, and without its steps.
    pub(super) fn new(story: &Path) -> Stage {
        let (now, client_id) = (Some(jiff::Timestamp::UNIX_EPOCH), CLIENT.to_owned());
        let service = Emulator::start(Settings { now, client_id, ..settings() }).unwrap();
        let stage = Stage { folder: tempfile::tempdir().unwrap(), service };
        std::fs::create_dir(stage.folder.path().join("bucket")).unwrap();
        stage.put(story);
        stage
    }

    /// Makes ready for a step.
    pub(super) fn set(&self, folder: &Path, step: &Step) {
        self.put(folder);
        let bucket = folder.join("bucket");
        if bucket.is_dir() {
            copy(&bucket, &self.folder.path().join("bucket"));
        }
        for key in &step.delete {
            let object = self.folder.path().join("bucket").join(key);
            std::fs::remove_file(&object).unwrap_or_else(|error| panic!("{key} cannot be deleted: {error}"));
        }
        self.service.set_now(step.now.parse().unwrap());
        self.service.clear_faults();
        step.faults.iter().for_each(|fault| self.service.push_fault(fault.clone()));
    }

    /// Types a command at this time, with more arguments.
    pub(super) fn types(&self, act: &Act, now: &str, more: &[&str], names: &Names) -> Result<Ended, String> {
        let mut command = program();
        for word in act.typed() {
            command.arg(names.meant(&word)?);
        }
        command.args(["--now", now]).args(more).current_dir(self.folder.path());
        command.env("CLAZAR_URL", self.service.url());
        command.env("CLAZAR_CLIENT_ID", CLIENT).env("CLAZAR_CLIENT_SECRET", "sec-very-secret");
        command.env("COMPONENTS", component("failing").parent().unwrap());
        Ok(ended(command.output().unwrap()))
    }

    /// Copies the files of a folder that are meant for beside the pipeline.
    fn put(&self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let is_meant = ["step.toml", "charges.txt", "report.txt"].iter().all(|other| name != *other);
            if path.is_file() && is_meant {
                std::fs::copy(&path, self.folder.path().join(name)).unwrap();
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(std::fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

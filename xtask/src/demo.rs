//! The demonstration: a month of usage is billed once, and a second run bills nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::steps::{Failed, cargo, on, root, step};
use crate::{guests, sample};

/// When the demonstration takes place: two hours after the end of the month.
const NOW: &str = "2025-07-01T02:00:00Z";

pub fn demo() -> Result<(), Failed> {
    headline("Building the plugins, the program and the emulator");
    guests::plugins()?;
    cargo().args(["build", "--locked", "--package", "meterhost", "--package", "clazar-emulator"]).run()?;

    let folder = root().join("target/demo");
    if folder.exists() {
        on(&folder, fs::remove_dir_all(&folder))?;
    }
    on(&folder, fs::create_dir_all(&folder))?;
    let pipeline = folder.join("pipeline.toml");
    on(&pipeline, fs::copy(root().join("examples/demo/pipeline.toml"), &pipeline))?;
    let objects = sample::month(&folder.join("bucket"))?;
    println!("{objects} objects of sample usage are in {}", shown(&folder.join("bucket")));

    let emulator = Emulator::start(&folder)?;
    println!("an emulator of Clazar listens at {}", emulator.url);

    headline("1. The first run bills June");
    emulator.meterhost("run", &pipeline, 0)?;
    let billed = emulator.books()?;
    println!("\nThe service's own books now hold:\n{billed}");

    headline("2. A second run finds nothing to bill");
    emulator.meterhost("run", &pipeline, 0)?;
    if emulator.books()? != billed {
        return Err(Failed::new("the second run changed the service's books"));
    }
    println!("\nThe service's books are as they were: nothing was billed twice.");

    headline("3. An object that changes afterwards is found, shown and held");
    change(&folder.join("bucket"))?;
    let said = emulator.meterhost("plan", &pipeline, 1)?;
    if !said.contains(sample::CUSTOMERS[0].0) {
        return Err(Failed::new("the plan does not name the customer whose usage changed"));
    }
    println!("\nNothing was sent: a plan changes nothing. The pipeline and its ledger are in {}", shown(&folder));
    Ok(())
}

fn headline(text: &str) {
    println!("\n=== {text} ===\n");
}

/// A path as it is written from the project's folder.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Doubles the first customer's cores in one hour, as a rewritten object does.
fn change(bucket: &Path) -> Result<(), Failed> {
    let (_, subscription, _) = sample::CUSTOMERS[0];
    let path = bucket.join(format!("{}/2025/06/15/12/{subscription}.json", sample::PREFIX));
    let text = on(&path, fs::read_to_string(&path))?;
    println!("{}: cpu_core_hours is now 4 instead of 2", shown(&path));
    on(&path, fs::write(&path, text.replace("\"cpu_core_hours\",\"value\":2", "\"cpu_core_hours\",\"value\":4")))
}

/// The emulator's process; it ends with this value.
struct Emulator {
    child: Child,
    url: String,
    books: PathBuf,
}

impl Emulator {
    fn start(folder: &Path) -> Result<Self, Failed> {
        let books = folder.join("books.json");
        let mut command = step(root().join("target/debug/clazar-emulator"))
            .args([
                "--port",
                "0",
                "--client-id",
                "demo",
                "--client-secret",
                "demo-secret",
                "--now",
                NOW,
                "--for",
                "300",
                "--books",
            ])
            .args([&books])
            .0;
        let cannot = |error: std::io::Error| Failed::new(format!("the emulator cannot be started: {error}"));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(cannot)?;
        let mut emulator = Emulator { child, url: String::new(), books };
        let mut line = String::new();
        if let Some(stdout) = emulator.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(cannot)?;
        }
        match line.trim().strip_prefix("listening on ") {
            Some(url) => url.clone_into(&mut emulator.url),
            None => return Err(Failed::new("the emulator did not say where it listens")),
        }
        Ok(emulator)
    }

    /// Runs the program, shows what it says, and expects how it ends.
    fn meterhost(&self, command: &str, pipeline: &Path, expected: i32) -> Result<String, Failed> {
        let step = step(root().join("target/debug/meterhost")).args([command]).args([pipeline]).args(["--now", NOW]);
        println!("$ meterhost {command} {} --now {NOW}\n", shown(pipeline));
        let mut command = step
            .env("CLAZAR_URL", &self.url)
            .env("CLAZAR_CLIENT_ID", "demo")
            .env("CLAZAR_CLIENT_SECRET", "demo-secret")
            .0;
        let output = command.output().map_err(|error| Failed::new(format!("meterhost cannot be started: {error}")))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{said}{}", String::from_utf8_lossy(&output.stderr));
        match output.status.code() {
            Some(code) if code == expected => Ok(said),
            _ => Err(Failed::new(format!("meterhost ended with {}, and {expected} was expected", output.status))),
        }
    }

    /// The records that the service holds, one a line.
    fn books(&self) -> Result<String, Failed> {
        let text = on(&self.books, fs::read_to_string(&self.books))?;
        let field = |record: &str, name: &str| {
            let (_, rest) = record.split_once(&format!("\"{name}\":"))?;
            rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned)
        };
        let lines = text.split("\"id\"").skip(1).map(|record| {
            let field = |name: &str| field(record, name).unwrap_or_default();
            format!(
                "  {:<38} {:<30} {:>16}  {}",
                field("contract_id"),
                field("dimension"),
                field("quantity"),
                field("status")
            )
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

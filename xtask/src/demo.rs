//! The demonstration: a month of usage is billed once, a second run bills nothing, and a plan shows what changed since.
//!
//! What it says is checked: it fails if the emulator's books say otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use crate::emulator::{CLIENT, Emulator};
use crate::sample;
use crate::steps::{Failed, Step, on, root, shown, step};

/// When it takes place: two hours after the end of the month. RFC 3339, UTC.
const NOW: &str = "2025-07-01T02:00:00Z";
/// The customer whose usage changes after it was billed.
const CHANGED: &str = sample::CUSTOMERS[0].contract;

pub fn demo() -> Result<(), Failed> {
    headline("Building the plugins, the program, and an emulator of Clazar (the first time takes some minutes)");
    crate::build(&[])?;

    headline("A month of usage, and a service that bills for it");
    let folder = root().join("target/demo");
    if folder.exists() {
        on(&folder, fs::remove_dir_all(&folder))?;
    }
    on(&folder, fs::create_dir_all(&folder))?;
    let (bucket, pipeline) = (folder.join("bucket"), folder.join("pipeline.toml"));
    on(&pipeline, fs::copy(root().join("examples/demo/pipeline.toml"), &pipeline))?;
    let (objects, bill) = sample::month(&bucket)?;
    let emulator = Emulator::start(&folder, NOW)?;
    println!(
        "{} holds {objects} objects: what {} customers used in June 2025, hour by hour.",
        shown(&bucket),
        sample::CUSTOMERS.len()
    );
    println!("{} says what to do with them, line by line.", shown(&pipeline));
    println!("An emulator of Clazar listens at {} and keeps books of what it is sent.", emulator.url);
    let program = Program { url: emulator.url.clone(), pipeline };

    headline("1. The first run bills June");
    println!("It reads the objects, sums them up by customer and dimension, and sends each sum as a charge.");
    program.run("run", 0)?;
    let billed = emulator.books()?;
    println!("\nWhat the service holds now, as its own books show it:\n\n{billed}");
    demand(billed.hold(&bill), "the books do not hold each charge of the sample exactly once")?;
    println!("Each charge is there, once, with the sum of the sample.");

    headline("2. A second run bills nothing");
    println!("The ledger beside the pipeline remembers what was billed.");
    let before = emulator.requests()?.1;
    program.run("run", 0)?;
    demand(emulator.requests()?.1 == before, "the second run sent charges")?;
    demand(emulator.books()? == billed, "the second run changed the service's books")?;
    println!("\nThe second run billed nothing: no charge was sent, and the service's books are as they were.");

    headline("3. Usage that changes later is found, shown and held");
    let (path, said) = sample::change(&bucket)?;
    println!("{}:\n{said}. A plan shows what a run would do, and changes nothing:", shown(&path));
    let before = emulator.requests()?.0;
    let plan = program.run("plan", 1)?;
    demand(plan.contains(CHANGED), "the plan does not name the customer whose usage changed")?;
    demand(emulator.requests()?.0 == before, "the plan sent requests")?;
    println!(
        "\nNo request was sent. The difference waits for a person (exit 1); everyone else's charges are untouched."
    );

    headline("To look around");
    println!(
        "{}",
        step("", root().join("target/debug/meterhost")).args(["ledger", "show"]).args([&program.pipeline]).line()
    );
    println!("{}", program.step("plan").line());
    Ok(())
}

fn headline(text: &str) {
    println!("\n=== {text} ===\n");
}

/// What the demonstration says has to be so.
fn demand(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(Failed::new(format!("the demonstration is wrong: {otherwise}"))) }
}

/// The program, with what the pipeline takes from the environment.
struct Program {
    url: String,
    pipeline: PathBuf,
}

impl Program {
    fn step(&self, command: &str) -> Step {
        let [id, secret] = CLIENT;
        step(format!("meterhost {command}"), root().join("target/debug/meterhost"))
            .args([Path::new(command), &self.pipeline])
            .args(["--now", NOW])
            .env("CLAZAR_URL", &self.url)
            .env("CLAZAR_CLIENT_ID", id)
            .env("CLAZAR_CLIENT_SECRET", secret)
    }

    /// Runs it, shows its command line and what it says, and takes what it printed. It has to end with this exit code.
    fn run(&self, command: &str, exit: i32) -> Result<String, Failed> {
        let mut step = self.step(command);
        println!("\n$ {}\n", step.line());
        let mut said = String::new();
        let status = step.lines(|line| {
            println!("{line}");
            said.push_str(line);
            said.push('\n');
        })?;
        demand(status.code() == Some(exit), &format!("this was to end with exit {exit}, and ended with {status}"))?;
        Ok(said)
    }
}

//! The emulator of Clazar as a process of its own: its books, and its log of requests.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::sample::Bill;
use crate::steps::{Failed, on, root, shown, step};

/// The client that the emulator lets in, and its secret.
pub const CLIENT: [&str; 2] = ["demo-client", "demo-secret"];
/// Seconds after which it ends by itself, should nobody be left to end it.
const LIFETIME: &str = "600";

/// A running emulator; it ends with this value.
pub struct Emulator {
    child: Child,
    /// Of its metering resource.
    pub url: String,
    books: PathBuf,
    log: PathBuf,
}

impl Emulator {
    /// Starts one whose clock stands at `now`, RFC 3339, and which keeps `books.json` and `clazar.log` in a folder.
    pub fn start(folder: &Path, now: &str) -> Result<Self, Failed> {
        let (books, log) = (folder.join("books.json"), folder.join("clazar.log"));
        let [id, secret] = CLIENT;
        let child = step("starting the emulator", root().join("target/debug/clazar-emulator"))
            .args([
                "--port",
                "0",
                "--client-id",
                id,
                "--client-secret",
                secret,
                "--now",
                now,
                "--for",
                LIFETIME,
                "--books",
            ])
            .args([&books])
            .stdout(Stdio::piped())
            .stderr(on(&log, File::create(&log))?)
            .start()?;
        // From here on, whatever fails ends the process.
        let mut emulator = Emulator { child, url: String::new(), books, log };
        let mut line = String::new();
        if let Some(stdout) = emulator.child.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(|error| Failed::new(format!("the emulator's first line cannot be read: {error}")))?;
        }
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            return Err(Failed::new(format!(
                "the emulator did not say where it listens; see {}",
                shown(&emulator.log)
            )));
        };
        url.clone_into(&mut emulator.url);
        Ok(emulator)
    }

    /// The records that the service holds, oldest first.
    pub fn books(&self) -> Result<Books, Failed> {
        let text = on(&self.books, fs::read_to_string(&self.books))?;
        let records: Vec<BTreeMap<String, Value>> = serde_json::from_str(&text)
            .map_err(|error| Failed::new(format!("the emulator's books cannot be read: {error}")))?;
        Ok(Books(records))
    }

    /// How many requests came in so far: all, and those that asked to bill.
    pub fn requests(&self) -> Result<(usize, usize), Failed> {
        let log = on(&self.log, fs::read_to_string(&self.log))?;
        Ok((log.lines().count(), log.lines().filter(|line| line.starts_with("POST /metering/ ")).count()))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the service holds; shown as a table.
#[derive(Debug, PartialEq)]
pub struct Books(Vec<BTreeMap<String, Value>>);

impl Books {
    /// Whether they hold exactly this bill, each charge once.
    pub fn hold(&self, bill: &Bill) -> bool {
        let held = self.0.iter().map(|record| {
            let quantity =
                field(record, "quantity").parse::<u128>().ok().filter(|_| field(record, "status") == "success")?;
            Some(((field(record, "contract_id").to_owned(), field(record, "dimension").to_owned()), quantity))
        });
        self.0.len() == bill.len() && held.collect::<Option<Bill>>().as_ref() == Some(bill)
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<36}  {:<28}  {:>16}  {:<7}  from", "contract", "dimension", "quantity", "status")?;
        for record in &self.0 {
            let [contract, dimension, quantity, status, from] =
                ["contract_id", "dimension", "quantity", "status", "start_time"].map(|name| field(record, name));
            writeln!(f, "  {contract:<36}  {dimension:<28}  {quantity:>16}  {status:<7}  {from}")?;
        }
        Ok(())
    }
}

fn field<'a>(record: &'a BTreeMap<String, Value>, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{Bill, Books};

    fn record(quantity: &str, status: &str) -> BTreeMap<String, Value> {
        let fields = [("contract_id", "c"), ("dimension", "cpu"), ("quantity", quantity), ("status", status)];
        fields.map(|(name, value)| (name.to_owned(), json!(value))).into()
    }

    #[test]
    fn books_hold_a_bill_only_once_and_only_with_its_quantities() {
        let bill = Bill::from([(("c".to_owned(), "cpu".to_owned()), 5)]);
        assert!(Books(vec![record("5", "success")]).hold(&bill));
        assert!(!Books(vec![record("6", "success")]).hold(&bill));
        assert!(!Books(vec![record("5", "fail")]).hold(&bill));
        assert!(!Books(vec![record("5", "success"), record("5", "success")]).hold(&bill));
        assert!(!Books(vec![]).hold(&bill));
    }
}

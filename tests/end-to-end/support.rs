//! A place to run pipelines in: a folder of its own, usage in it, an emulator beside it, and the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clazar_emulator::{Emulator, Settings};
use s3_proxy::{Moto, Proxy, Store};
use serde_json::Value;

/// The layout in which Omnistrate writes usage.
pub const LAYOUT: &str = "omnistrate-metering/Postgres/PROD/pt-1/{yyyy}/{mm}/{dd}/{hh}/*.json";

/// A folder, an emulator and a clock.
pub struct Stage {
    folder: tempfile::TempDir,
    pub emulator: Emulator,
    pub ledger: Backend,
    now: String,
}

/// Where a stage's ledger is.
pub enum Backend {
    /// A file beside the pipeline's.
    Sqlite,
    /// Below `ledger/` in a bucket, behind a proxy that can fail.
    S3(Bucket),
}

pub struct Bucket {
    pub store: Store,
    pub name: String,
    pub proxy: Proxy,
}

impl Backend {
    pub fn s3() -> Self {
        let store: Store = **Moto::shared();
        Backend::S3(Bucket { name: store.bucket(), proxy: Proxy::start(&store), store })
    }

    /// What tests use that do not say which: a file, unless every test is to be run with a ledger on S3.
    fn of_tests() -> Self {
        match std::env::var_os("METERHOST_TEST_LEDGER_ON_S3") {
            Some(_) => Backend::s3(),
            None => Backend::Sqlite,
        }
    }

    /// One of each kind.
    pub fn both() -> [Self; 2] {
        [Backend::Sqlite, Backend::s3()]
    }
}

/// How the program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: Settings) -> Self {
        Self::on(Backend::of_tests(), settings)
    }

    /// With a ledger in a file, whatever other tests use.
    pub fn on_a_file() -> Self {
        Self::on(Backend::Sqlite, settings())
    }

    /// With a ledger of this kind.
    pub fn on(ledger: Backend, settings: Settings) -> Self {
        let now = "2025-07-01T02:00:00Z";
        let emulator = Emulator::start(Settings { now: Some(now.parse().unwrap()), ..settings }).unwrap();
        let stage = Stage { folder: tempfile::tempdir().unwrap(), emulator, ledger, now: now.to_owned() };
        std::fs::create_dir(stage.path("bucket")).unwrap();
        stage.pipeline(&Self::usual());
        stage
    }

    /// The pipeline of most tests.
    pub fn usual() -> String {
        format!(
            r#"
name   = "postgres-prod"
window = "month"
grace  = "30m"
start  = "2025-06"

[source]
plugin = "s3-reader"
grant  = {{ read = "file://./bucket" }}
config.layout = "{LAYOUT}"
config.fields = {{ time = "path", customer = "/externalPayerId", dimension = "/dimension", quantity = "/value" }}

[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}

[sink.clazar]
retry_budget = "5s"
config = {{ cloud = "aws", url = "${{CLAZAR_URL}}" }}
grant  = {{ http = ["${{CLAZAR_URL}}"], secrets = {{ client_id = {{ env = "CLAZAR_CLIENT_ID" }}, client_secret = {{ env = "CLAZAR_CLIENT_SECRET" }} }} }}
"#
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn pipeline(&self, text: &str) {
        let place = match &self.ledger {
            // In the empty line that the file begins with: every other stays where it is.
            Backend::S3(bucket) if text.starts_with('\n') && !text.contains("\nledger ") => {
                format!("ledger = \"s3://{}/ledger\"", bucket.name)
            }
            _ => String::new(),
        };
        std::fs::write(self.path("pipeline.toml"), place + text).unwrap();
    }

    /// Changes a part of the pipeline's file.
    pub fn replace(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("pipeline.toml")).unwrap();
        assert!(text.contains(from), "the pipeline does not hold {from}");
        self.pipeline(&text.replace(from, to));
    }

    /// Says for how long a run that is not heard of keeps the ledger, if that is on S3: the lock on a file goes with its process.
    pub fn lease(&self, length: &str) {
        if let Backend::S3(_) = self.ledger {
            self.replace("/ledger\"", &format!("/ledger?lease={length}\""));
        }
    }

    pub fn at(&mut self, now: &str) {
        now.clone_into(&mut self.now);
        self.emulator.set_now(now.parse().unwrap());
    }

    pub fn now(&self) -> &str {
        &self.now
    }

    /// Writes one object of usage: (customer, dimension, value) as JSON text.
    pub fn usage(&self, hour: &str, name: &str, records: &[(&str, &str, &str)]) {
        let records: Vec<String> = records
            .iter()
            .map(|(customer, dimension, value)| {
                format!(r#"{{"timestamp":"2025-06-01T00:59:59Z","externalPayerId":"{customer}","dimension":"{dimension}","value":{value}}}"#)
            })
            .collect();
        self.object(
            &format!("omnistrate-metering/Postgres/PROD/pt-1/{hour}/{name}.json"),
            &format!("[{}]", records.join(",")),
        );
    }

    pub fn object(&self, key: &str, text: &str) {
        let path = self.path("bucket").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn run(&self) -> Ended {
        self.command("run", &[], &[])
    }

    pub fn plan(&self) -> Ended {
        self.command("plan", &[], &[])
    }

    /// Runs a command on the pipeline, with further arguments and variables.
    pub fn command(&self, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        ended(self.step(command).args(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// Begins the ledger before the window of most tests is over: nobody can have billed that before. Months begin with May then.
    pub fn begin_early(&self) {
        self.replace("start  = \"2025-06\"", "start  = \"2025-05\"");
        let begin = "2025-06-01T02:00:00Z";
        ended(self.step_at("run", begin).env("METERHOST_CLOCK", begin).output().unwrap()).expect(0);
    }

    /// A command on the pipeline, not run yet.
    pub fn step(&self, command: &str) -> Command {
        self.step_at(command, &self.now)
    }

    /// The same, and what it says goes into a file.
    pub fn step_saying(&self, command: &str, said: &Path) -> Command {
        let out = std::fs::File::create(said).unwrap();
        let mut step = self.step(command);
        step.stdout(out.try_clone().unwrap()).stderr(out);
        step
    }

    fn step_at(&self, command: &str, now: &str) -> Command {
        let mut program = program();
        program.args(command.split(' ')).arg(self.path("pipeline.toml")).args(["--now", now]);
        program.env("CLAZAR_URL", self.emulator.url());
        program.env("CLAZAR_CLIENT_ID", "cid").env("CLAZAR_CLIENT_SECRET", "sec-very-secret");
        if let Backend::S3(bucket) = &self.ledger {
            program.env("AWS_ENDPOINT_URL_S3", bucket.proxy.url()).env("AWS_REGION", "us-east-1");
            program.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        }
        program
    }

    /// What was billed: (customer, dimension) and quantity, of the records that the service accepted.
    pub fn billed(&self) -> BTreeMap<(String, String), String> {
        self.emulator.verify_books().unwrap();
        assert!(self.emulator.resent().is_empty(), "sent again: {:?}", self.emulator.resent());
        let mut billed = BTreeMap::new();
        for record in self.emulator.books().into_iter().filter(|record| record.status.name() == "success") {
            let before = billed.insert((record.contract_id, record.dimension), record.quantity);
            assert_eq!(before, None, "billed twice");
        }
        billed
    }

    /// Asserts that a run bills this and nothing else, and that the run after it sends nothing.
    #[track_caller]
    pub fn bills_once(&self, charges: &[(&str, &str, &str)]) {
        self.run().expect(0);
        assert_eq!(self.billed(), bill(charges));
        let sent = self.submissions();
        self.run().expect(0);
        assert_eq!(self.submissions(), sent, "what is billed is not offered again");
    }

    /// Asserts that the ledger holds no window that is closed.
    #[track_caller]
    pub fn closed_nothing(&self) {
        let shown = self.command("ledger show", &["--json"], &[]).expect(0).json();
        let windows = shown["windows"].as_array().unwrap();
        assert!(windows.iter().all(|window| window["settled"] == false), "{shown:#}");
    }

    /// Asserts that nothing was touched: there is no ledger, and nobody asked the service anything.
    #[track_caller]
    pub fn touched_nothing(&self) {
        assert_eq!(self.emulator.requests().len(), 0);
        assert!(!self.has_a_ledger());
    }

    /// Whether anything was written down.
    pub fn has_a_ledger(&self) -> bool {
        match &self.ledger {
            Backend::Sqlite => self.path("postgres-prod.ledger.db").exists(),
            Backend::S3(bucket) => bucket.store.keys(&bucket.name).iter().any(|key| key.contains("/segments/")),
        }
    }

    /// Where sets are to be written: a folder beside the pipeline's file, or one in the ledger's bucket.
    pub fn drops_url(&self) -> String {
        match &self.ledger {
            Backend::Sqlite => "file://./drops".to_owned(),
            Backend::S3(bucket) => format!("s3://{}/drops", bucket.name),
        }
    }

    /// A folder with all that was written there, to be kept as long as it is read.
    pub fn drops(&self) -> (Option<tempfile::TempDir>, PathBuf) {
        match &self.ledger {
            Backend::Sqlite => (None, self.path("drops")),
            Backend::S3(bucket) => {
                let folder = tempfile::tempdir().unwrap();
                for key in bucket.store.keys(&bucket.name).iter().filter_map(|key| key.strip_prefix("drops/")) {
                    let path = folder.path().join(key);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, bucket.store.get(&bucket.name, &format!("drops/{key}")).unwrap()).unwrap();
                }
                let drops = folder.path().to_owned();
                (Some(folder), drops)
            }
        }
    }

    /// The problems that `--json` showed, without the chain of causes, which is the engine's. `FOLDER` stands for this stage's own, `CHARGE` for an id,
    /// `SERVICE` for the origin of the emulator.
    pub fn problems(&self, ended: &Ended) -> Value {
        let folder = self.folder.path().display().to_string();
        let stdout = ended.stdout.replace(&folder, "FOLDER").replace(self.emulator.origin(), "SERVICE");
        let is_id = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ids: Vec<String> = stdout.split([' ', '"']).filter(is_id).map(str::to_owned).collect();
        let stdout = ids.iter().fold(stdout, |stdout, id| stdout.replace(id, "CHARGE"));
        let mut problems = Ended { exit: ended.exit, stdout, stderr: ended.stderr.clone() }.json()["problems"].take();
        for problem in problems.as_array_mut().unwrap() {
            problem.as_object_mut().unwrap().remove("causes");
        }
        problems
    }

    /// As on a machine whose disk does not outlast a run.
    pub fn lose_the_ledger(&self) {
        if let Backend::S3(bucket) = &self.ledger {
            for key in bucket.store.keys(&bucket.name) {
                bucket.store.delete(&bucket.name, &key);
            }
        }
        for ending in ["", "-wal", "-shm", ".head", ".lock"] {
            let _ = std::fs::remove_file(self.path(&format!("postgres-prod.ledger.db{ending}")));
        }
    }

    /// Requests that offered charges.
    pub fn submissions(&self) -> usize {
        self.emulator
            .requests()
            .iter()
            .filter(|request| request.method == "POST" && request.path == "/metering/")
            .count()
    }
}

/// What is expected to be billed.
pub fn bill(charges: &[(&str, &str, &str)]) -> BTreeMap<(String, String), String> {
    charges
        .iter()
        .map(|&(customer, dimension, quantity)| ((customer.to_owned(), dimension.to_owned()), quantity.to_owned()))
        .collect()
}

/// Settings whose secret is the one that the stage sets.
pub fn settings() -> Settings {
    Settings { client_secret: "sec-very-secret".to_owned(), ..Settings::default() }
}

/// The program, with an environment of its own.
pub fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_meterhost"));
    program.env_clear();
    for name in ["PATH", "HOME", "METERHOST_CACHE_DIR"] {
        program.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    program
}

/// A command that another program starts.
pub fn through(program: &str, arguments: &[&str], inner: Command) -> Command {
    let mut outer = Command::new(program);
    outer.args(arguments).arg(inner.get_program()).args(inner.get_args()).env_clear();
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer
}

pub fn ended(output: Output) -> Ended {
    Ended {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ended {
    /// The document that `--json` printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    #[track_caller]
    pub fn expect(&self, exit: i32) -> &Self {
        assert_eq!(self.exit, exit, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let said = format!("{}\n{}", self.stdout, self.stderr);
        // A message may be wrapped to the width of the page.
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&said).contains(&flat(text)), "`{text}` is not in:\n{said}");
        self
    }
}

/// The folder of the components that were built for these tests.
pub fn component(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-components").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: `cargo xtask test` builds it", path.display());
    path
}

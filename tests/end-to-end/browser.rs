//! A real browser without a window, that opens a page from the disk and says what it sees.
//!
//! It is spoken to in the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol>), over two pipes instead of a port
//! that others could reach. It ends with its value; and, when its pipes are closed, with whoever started it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How long an answer, or a page, may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names under which it may be found.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    /// What it keeps to itself, new in each.
    _profile: tempfile::TempDir,
    next: u64,
    session: Option<String>,
    /// What was told without being asked for.
    told: Vec<Value>,
}

impl Browser {
    /// Starts it; says that the test is skipped where there is none.
    pub fn start() -> Option<Browser> {
        let Some(program) = program() else {
            println!(
                "skipped: there is no Chromium to open a page with; METERHOST_BROWSER names one that is not in PATH"
            );
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // It reads commands from its descriptor 3, and answers on 4.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#, "sh"]).arg(program);
        command.args(["--remote-debugging-pipe", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
        command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update"]);
        command.args(["--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, answers) = (child.stdin.take(), child.stdout.take().unwrap());
        let (send, from) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { break };
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Browser { child, to, from, _profile: profile, next: 0, session: None, told: Vec::new() };
        browser.new_page();
        Some(browser)
    }

    /// Opens another page in place of the one that is open, with nothing in it.
    fn new_page(&mut self) {
        self.session = None;
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].take();
        let session = self.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        self.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Opens a file, and waits until all of it is there.
    pub fn open(&mut self, file: &Path) {
        self.told.clear();
        let answer = self.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        assert_eq!(answer["errorText"], Value::Null, "{answer}");
        self.wait_for("Page.loadEventFired");
    }

    /// As a screen of this size and these colours shows it.
    pub fn screen(&mut self, width: u64, height: u64, colours: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let feature = json!([{ "name": "prefers-color-scheme", "value": colours }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": feature }));
    }

    /// As a printer gets it.
    pub fn paper(&mut self) {
        self.call("Emulation.setEmulatedMedia", json!({ "media": "print", "features": [] }));
    }

    /// Whether what comes next may run scripts.
    pub fn may_run_scripts(&mut self, may: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !may }));
    }

    /// What an expression of JavaScript comes to.
    pub fn eval(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", ask);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}: {answer:#}");
        answer["result"]["value"].take()
    }

    /// A picture of what is on the screen, kept in `target/tmp` under this name.
    pub fn picture(&mut self, name: &str) -> Picture {
        let base64 = self.call("Page.captureScreenshot", json!({ "format": "png" }))["data"].take();
        let base64 = base64.as_str().unwrap().to_owned();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), STANDARD.decode(&base64).unwrap()).unwrap();
        Picture(base64)
    }

    /// How many colours a picture has, and how much of it, in percent, has the one that most of it has. This leaves the page that is open.
    pub fn colours(&mut self, picture: &Picture) -> (u64, u64) {
        self.new_page();
        let counted = self.eval(&format!(
            r#"(async () => {{
                const picture = new Image();
                picture.src = "data:image/png;base64,{}";
                await picture.decode();
                const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
                canvas.drawImage(picture, 0, 0);
                const points = new Uint32Array(canvas.getImageData(0, 0, picture.width, picture.height).data.buffer);
                const counts = new Map();
                for (const point of points) counts.set(point, (counts.get(point) || 0) + 1);
                return [counts.size, Math.round(100 * Math.max(...counts.values()) / points.length)];
            }})()"#,
            picture.0
        ));
        (counted[0].as_u64().unwrap(), counted[1].as_u64().unwrap())
    }

    /// Everything that the page complained of since it was opened: errors, refused scripts and styles, lines on the console.
    pub fn complaints(&mut self) -> Vec<String> {
        // An answer comes after everything that was told before it.
        self.eval("0");
        let names = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        let complaints = self.told.iter().filter(|told| names.iter().any(|name| told["method"] == *name));
        complaints.map(|told| told["params"].to_string()).collect()
    }

    /// What the page asked for since it was opened, itself among it.
    pub fn requests(&mut self) -> Vec<String> {
        self.eval("0");
        let asked = self.told.iter().filter(|told| told["method"] == "Network.requestWillBeSent");
        asked.map(|told| told["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// One command, and its answer.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to.as_mut().unwrap().write_all(&bytes).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut message = self.receive(deadline, method);
            if message["id"] == self.next {
                assert_eq!(message["error"], Value::Null, "{command}");
                return message["result"].take();
            }
            self.told.push(message);
        }
    }

    fn wait_for(&mut self, event: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.told.iter().any(|told| told["method"] == event) {
            let message = self.receive(deadline, event);
            self.told.push(message);
        }
    }

    fn receive(&mut self, deadline: Instant, what: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        self.from.recv_timeout(left).unwrap_or_else(|error| panic!("{what}: the browser gives no answer: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked first, it ends its own processes, and writes nothing into its folder after that.
        if let Some(mut to) = self.to.take() {
            let _ = to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        }
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A picture, as PNG in base64.
pub struct Picture(String);

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("METERHOST_BROWSER").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

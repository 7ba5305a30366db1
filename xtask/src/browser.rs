//! The browser of the tests that open a page. Where none can be had, those tests say that they are skipped.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::steps::step;

/// Names under which it may be found; `tests/end-to-end/browser.rs` looks for the same.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs Chromium, unless there is one, or it cannot be done without asking: on Debian, as root.
pub fn browser() {
    if is_there() || !Path::new("/etc/debian_version").exists() || !is_root() {
        return;
    }
    println!("--- installing chromium");
    let apt = |what, arguments: &[&str]| {
        step(what, "apt-get")
            .args(["-qq", "-o", "DPkg::Lock::Timeout=300"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
    };
    let installed = apt("asking for Debian's packages", &["update"])
        .and_then(|()| apt("installing chromium", &["install", "--yes", "chromium"]));
    if let Err(failed) = installed {
        println!("--- {failed}");
    }
}

fn is_there() -> bool {
    let named = std::env::var_os("METERHOST_BROWSER").is_some_and(|named| !named.is_empty());
    let path = std::env::var_os("PATH").unwrap_or_default();
    named || std::env::split_paths(&path).any(|folder| NAMES.iter().any(|name| folder.join(name).is_file()))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

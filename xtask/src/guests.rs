//! The parts that are built for WebAssembly: the plugins, and the components of the tests.

use std::fs;
use std::path::Path;

use crate::steps::{Failed, Step, cargo, on, root, step};

const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip2"];

/// The example of a seller's own plugin.
pub const EXAMPLE: &str = "examples/started-hundreds";

/// Installs the targets that are missing.
pub fn targets() -> Result<(), Failed> {
    let installed = step("rustup").args(["target", "list", "--installed"]).output()?;
    for target in TARGETS.iter().filter(|target| !installed.lines().any(|line| line == **target)) {
        step("rustup").args(["target", "add", target]).run()?;
    }
    Ok(())
}

/// Builds the plugins into `target/plugins`.
pub fn plugins() -> Result<(), Failed> {
    targets()?;
    let target = root().join("target/plugins-build");
    wasm(cargo(), "plugins/Cargo.toml", "wasm32-unknown-unknown", &target).run()?;
    collect(&target.join("wasm32-unknown-unknown/release"), &root().join("target/plugins"))
}

/// Builds the components of the tests into `target/test-components`: those below `tests/components/bare` for
/// wasm32-unknown-unknown, those below `tests/components/wasi` for wasm32-wasip2.
pub fn test_components() -> Result<(), Failed> {
    for (folder, name) in [("bare", "wasm32-unknown-unknown"), ("wasi", "wasm32-wasip2")] {
        let manifest = format!("tests/components/{folder}/Cargo.toml");
        if root().join(&manifest).is_file() {
            let target = root().join("target/test-components-build");
            wasm(cargo(), &manifest, name, &target).run()?;
            collect(&target.join(name).join("release"), &root().join("target/test-components"))?;
        }
    }
    Ok(())
}

/// Builds the example of a seller's own plugin as its README says: in its folder, with nothing but `cargo build`.
pub fn example() -> Result<(), Failed> {
    let target = root().join("target/example-build");
    let mut build = cargo().args(["build", "--release", "--target-dir"]).args([&target]);
    build.0.current_dir(root().join(EXAMPLE));
    build.run()?;
    collect(&target.join("wasm32-unknown-unknown/release"), &root().join("target/test-components"))
}

fn wasm(cargo: Step, manifest: &str, target: &str, folder: &Path) -> Step {
    cargo
        .args(["build", "--release", "--locked", "--manifest-path", manifest, "--target", target, "--target-dir"])
        .args([folder])
        .env("RUSTFLAGS", "-C target-feature=+simd128")
}

/// Copies what was built, under the plugins' own names. A copy that is the same already is left alone, and one that is made appears
/// whole: the program may be reading it.
fn collect(from: &Path, to: &Path) -> Result<(), Failed> {
    on(to, fs::create_dir_all(to))?;
    for entry in on(from, fs::read_dir(from))? {
        let path = on(from, entry)?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let copy = to.join(format!("{}.wasm", stem.replace('_', "-")));
        let bytes = on(&path, fs::read(&path))?;
        if fs::read(&copy).is_ok_and(|same| same == bytes) {
            continue;
        }
        let draft = copy.with_extension("draft");
        on(&draft, fs::write(&draft, &bytes))?;
        on(&copy, fs::rename(&draft, &copy))?;
    }
    Ok(())
}

//! What is built for WebAssembly: the plugins, and the components of the tests.

use std::fs;
use std::path::Path;

use crate::steps::{Failed, Step, cargo, on, root, step};

/// For plugins that reach nothing but the contract.
const BARE: &str = "wasm32-unknown-unknown";
/// For components that import what WASI gives.
const WASI: &str = "wasm32-wasip2";

/// The example of a seller's own plugin.
pub const EXAMPLE: &str = "examples/started-hundreds";

/// Builds the plugins into `target/plugins`.
pub fn plugins() -> Result<(), Failed> {
    build("the plugins", "plugins/Cargo.toml", BARE, "target/plugins-build", "target/plugins")
}

/// Builds the components of the tests into `target/test-components`: those below `tests/components/bare` for
/// wasm32-unknown-unknown, those below `tests/components/wasi` for wasm32-wasip2.
pub fn test_components() -> Result<(), Failed> {
    for (folder, target) in [("bare", BARE), ("wasi", WASI)] {
        let (what, manifest) =
            (format!("the tests' {folder} components"), format!("tests/components/{folder}/Cargo.toml"));
        build(&what, &manifest, target, "target/test-components-build", "target/test-components")?;
    }
    Ok(())
}

/// Builds the example of a seller's own plugin as its owner does, in its folder, into `target/test-components`.
pub fn example() -> Result<(), Failed> {
    // The folder of the components: most of what the example is made of is there already.
    let folder = "target/test-components-build";
    install(BARE)?;
    let build = cargo("building the example").within(EXAMPLE).args(["build", "--release", "--locked", "--target-dir"]);
    foreign(build.under(folder)).run()?;
    collect(folder, BARE, "target/test-components")
}

/// Builds a workspace in a folder of its own, where no other cargo waits for the lock, and copies what came of it.
fn build(what: &str, manifest: &str, target: &str, folder: &str, to: &str) -> Result<(), Failed> {
    install(target)?;
    let build = cargo(format!("building {what}")).args([
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        manifest,
        "--target",
        target,
        "--target-dir",
        folder,
    ]);
    foreign(build).env("RUSTFLAGS", "-C target-feature=+simd128").run()?;
    collect(folder, target, to)
}

/// Without the flags that are meant for this machine: they would change, or break, what is built for another.
fn foreign(build: Step) -> Step {
    build.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS")
}

/// Installs a target of the compiler, if it is missing.
fn install(target: &str) -> Result<(), Failed> {
    let library = step(format!("looking for the target {target}"), "rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    if step("asking for rustup", "rustup").args(["--version"]).output().is_err() {
        return Err(Failed::new(format!(
            "the compiler lacks the target {target}, and rustup, which would install it, cannot be started; \
             install rustup as https://rustup.rs says, or the target in another way, and repeat the command"
        )));
    }
    step(format!("installing the target {target}"), "rustup").args(["target", "add", target]).run()
}

/// Copies what was built, under the packages' names. A copy that is the same already is left alone, and one that is made appears
/// whole: the program may be reading it.
fn collect(folder: &str, target: &str, to: &str) -> Result<(), Failed> {
    let (from, to) = (root().join(folder).join(target).join("release"), root().join(to));
    on(&to, fs::create_dir_all(&to))?;
    for entry in on(&from, fs::read_dir(&from))? {
        let path = on(&from, entry)?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let copy = to.join(format!("{}.wasm", stem.replace('_', "-")));
        let bytes = on(&path, fs::read(&path))?;
        if fs::read(&copy).is_ok_and(|same| same == bytes) {
            continue;
        }
        let draft = copy.with_extension(format!("draft-{}", std::process::id()));
        on(&draft, fs::write(&draft, &bytes))?;
        on(&copy, fs::rename(&draft, &copy))?;
    }
    Ok(())
}

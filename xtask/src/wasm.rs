//! The browser's half: compiled, given its JavaScript bindings, and for a release made small.

mod names;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use crate::assets::digest;
use crate::project::{Mode, Project};
use crate::step::{self, step};
use crate::{lock, setup};

/// Rust's name of the browser as a machine.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What is linked for the browser.
pub(crate) const PACKAGE: &str = "anteroom-browser";

/// What rustc may use on this target; wasm-opt has to be told, or refuses what it reads.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Small once it is compressed: to put functions into their only caller saves bytes, but breaks up the patterns that
/// Brotli lives on (28 KB of 312 here).
const SMALL: [&str; 4] = [
    "--gufa",
    "-Oz",
    "--converge",
    "--one-caller-inline-max-function-size=10",
];

/// The script as small as it gets without its meaning changed; it is a module, so that all names in it are its own.
const MINIFIED: [&str; 4] = ["--module", "--compress=passes=2", "--mangle", "--ecma=2022"];

/// The profile of the browser's half. It is one of its own, which cargo builds in folders of its own: so both halves can be built at once. What only
/// the compiler runs is compiled for each, which costs less than it gains.
pub(crate) const fn profile(mode: Mode) -> &'static str {
    match mode {
        Mode::Dev => "wasm-dev",
        Mode::Release => "wasm-release",
    }
}

/// The browser's half, ready for the site: `anteroom.js`, `anteroom_bg.wasm` and perhaps `snippets/`.
pub(crate) struct Bindings {
    /// The folder that holds them.
    pub(crate) folder: PathBuf,
}

impl Bindings {
    /// The module with the bindings; the page that starts it tells it where the WebAssembly is.
    pub(crate) const JS: &'static str = "anteroom.js";
    /// The WebAssembly.
    pub(crate) const WASM: &'static str = "anteroom_bg.wasm";
    /// Modules that crates bring along.
    pub(crate) const SNIPPETS: &'static str = "snippets";
}

/// Compiles the app for the browser.
pub(crate) fn compile(project: &Project, mode: Mode) -> anyhow::Result<()> {
    setup::wasm_target(project)?;
    step("compile the app for the browser", || cargo_build(project, mode))
}

/// Makes the bindings of what was compiled. What has not changed is not made again.
pub(crate) fn bindings(project: &Project, mode: Mode) -> anyhow::Result<Bindings> {
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let version = lock::wasm_bindgen(&lock)?;
    let compiled = project.compiled_wasm(mode);
    let bytes = fs::read(&compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let folder = project.scratch(mode).join("bindings");
    let stamp = project.scratch(mode).join("bindings.stamp");
    let tools = fs::read(project.root.join("xtask/npm/package-lock.json")).context("the tools' lock is missing")?;
    let made_from = format!(
        "{version} {} {} {} {}",
        digest(&tools),
        SMALL.join(" "),
        MINIFIED.join(" "),
        digest(&bytes)
    );
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == made_from) && folder.join(Bindings::WASM).is_file() {
        return Ok(Bindings { folder });
    }
    // Gone before the work begins, so that work cut short is not taken for done.
    remove(&stamp)?;
    step("make the bindings", || bind(&compiled, &folder, mode))?;
    if mode == Mode::Release {
        make_small(project, &folder)?;
    }
    fs::write(&stamp, made_from).context("cannot write what the bindings were made from")?;
    Ok(Bindings { folder })
}

fn cargo_build(project: &Project, mode: Mode) -> anyhow::Result<()> {
    let mut cargo = project.cargo("build");
    cargo.args(["--package", PACKAGE, "--lib"]);
    cargo.args(["--target", TARGET, "--profile", profile(mode)]);
    // The server's half takes longer, and its last crates leave a core idle.
    step::run(&mut step::behind(&cargo))
}

fn bind(compiled: &Path, folder: &Path, mode: Mode) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("cannot clear the folder of the bindings")?;
    }
    let release = mode == Mode::Release;
    let mut output = Bindgen::new()
        .input_path(compiled)
        .out_name("anteroom")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // The names make a panic's stack readable, and a quarter of the file.
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()?;
    let script = release.then(|| names::shorten(&mut output));
    output.emit(folder)?;
    match script {
        Some(script) => fs::write(folder.join(Bindings::JS), script).context("cannot write the script"),
        None => Ok(()),
    }
}

fn make_small(project: &Project, folder: &Path) -> anyhow::Result<()> {
    let tools = project.root.join("xtask/npm");
    setup::npm(&tools)?;
    let tool = |program: &str| {
        let mut node = Command::new("node");
        node.arg(tools.join("node_modules").join(program));
        node
    };
    step("make the WebAssembly small", || {
        let mut optimise = tool("binaryen/bin/wasm-opt");
        replace(optimise.args(SMALL).args(FEATURES), &folder.join(Bindings::WASM))
    })?;
    step("make the script small", || {
        let mut minify = tool("terser/bin/terser");
        replace(minify.args(MINIFIED), &folder.join(Bindings::JS))
    })
}

/// Puts what a tool makes of a file in its place.
fn replace(tool: &mut Command, file: &Path) -> anyhow::Result<()> {
    let small = file.with_extension("small");
    step::run(tool.arg("--output").arg(&small).arg(file))?;
    fs::rename(&small, file).with_context(|| format!("cannot replace {} by the small one", file.display()))
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow!(fault).context(format!("cannot remove {}", file.display())))
        }
        _ => Ok(()),
    }
}

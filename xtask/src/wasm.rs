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

/// What differs from the profile of the server's half, as `profile.wasm-dev` and `profile.wasm-release` have it in Cargo.toml. A
/// profile of its own would compile every procedural macro and build script once more, and so would a different `lto`.
const fn profile(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Dev => &["profile.dev.opt-level='s'", "profile.dev.debug=false"],
        Mode::Release => &[
            "profile.release.opt-level='z'",
            "profile.release.codegen-units=1",
            "profile.release.panic='abort'",
        ],
    }
}

/// What leptos brings along to read its own configuration and to reload views: no line of it is left once the browser's half is linked,
/// so it is not optimised. (A fifth of the time that the half takes to compile.)
const DEAD: [&str; 12] = [
    "aho-corasick",
    "config",
    "leptos_hot_reload",
    "proc-macro2",
    "quote",
    "regex",
    "regex-automata",
    "regex-syntax",
    "rstml",
    "syn",
    "toml",
    "winnow",
];

/// What Cargo.toml optimises less for the server, but is sent to the browser.
const LIVE: [&str; 3] = ["anteroom-app", "js-sys", "web-sys"];

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
    let mut cargo = project.cargo("rustc");
    cargo.args(["--package", PACKAGE, "--lib"]);
    cargo.args(["--target", TARGET]).args(mode.profile());
    for setting in profile(mode) {
        cargo.args(["--config", setting]);
    }
    let mut package = |name: &str, level: &str| {
        let profile = mode.name();
        cargo.args([
            "--config",
            &format!("profile.{profile}.package.{name}.opt-level={level}"),
        ]);
    };
    for name in DEAD {
        package(name, "0");
    }
    if mode == Mode::Release {
        for name in LIVE {
            package(name, "'z'");
        }
    }
    if mode == Mode::Release {
        let (variable, flags) = flags_for_lto(|name| std::env::var(name).ok());
        cargo.env(variable, flags).args(["--", "-Clto=fat"]);
    }
    step::run(&mut cargo)
}

/// The variable that tells rustc to leave in each crate what link-time optimisation needs, beside the flags that are in it already. They are
/// those of the browser's half alone, since that is compiled for another machine than macros and build scripts.
fn flags_for_lto(variable: impl Fn(&str) -> Option<String>) -> (&'static str, String) {
    const FLAG: &str = "-Cembed-bitcode=yes";
    // Cargo looks at the second only where the first is not set.
    let (name, separator, before) = match variable("CARGO_ENCODED_RUSTFLAGS") {
        Some(before) => ("CARGO_ENCODED_RUSTFLAGS", '\x1f', before),
        None => ("RUSTFLAGS", ' ', variable("RUSTFLAGS").unwrap_or_default()),
    };
    let flags = if before.is_empty() {
        FLAG.to_owned()
    } else {
        format!("{before}{separator}{FLAG}")
    };
    (name, flags)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_profiles_are_those_of_cargo_toml() {
        let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).expect("a manifest");
        for (mode, base) in [(Mode::Dev, "dev"), (Mode::Release, "release")] {
            let (_, section) = manifest
                .split_once(&format!("[profile.wasm-{base}]\n"))
                .expect("the profile");
            let mut lines = section.lines().take_while(|line| !line.is_empty());
            assert_eq!(lines.next(), Some(format!("inherits = \"{base}\"").as_str()));
            let mut theirs: BTreeSet<_> = lines
                .map(|line| format!("profile.{base}.{}", line.replace(" = ", "=").replace('"', "'")))
                .collect();
            // That one rustc is told by itself.
            let optimised = theirs.remove("profile.release.lto=true");
            assert_eq!(optimised, mode == Mode::Release);
            let ours: BTreeSet<_> = profile(mode).iter().map(ToString::to_string).collect();
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn flags_that_are_set_are_kept() {
        let flags = |set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(known, _)| *known == name);
            flags_for_lto(|name| value(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(flags(&[]), ("RUSTFLAGS", "-Cembed-bitcode=yes".to_owned()));
        assert_eq!(
            flags(&[("RUSTFLAGS", "-Dwarnings")]),
            ("RUSTFLAGS", "-Dwarnings -Cembed-bitcode=yes".to_owned())
        );
        assert_eq!(
            flags(&[("RUSTFLAGS", "-Dwarnings"), ("CARGO_ENCODED_RUSTFLAGS", "-Ca=b c")]),
            ("CARGO_ENCODED_RUSTFLAGS", "-Ca=b c\u{1f}-Cembed-bitcode=yes".to_owned())
        );
    }
}

//! What a fresh machine lacks: the WebAssembly target, npm packages, an `.env`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::project::Project;
use crate::step::{self, step};
use crate::wasm;

/// Installs Rust's WebAssembly target where it is missing.
pub(crate) fn wasm_target(project: &Project) -> anyhow::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    let sysroot = step::output(command.args(["--print", "sysroot"]).current_dir(&project.root))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(wasm::TARGET)
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    step("install Rust's WebAssembly target", || {
        let mut rustup = Command::new("rustup");
        step::run(rustup.args(["target", "add", wasm::TARGET]).current_dir(&project.root)).with_context(|| {
            format!(
                "without rustup, install the standard library for {} the way you installed Rust",
                wasm::TARGET
            )
        })
    })
}

/// Installs rustfmt and Clippy where they are missing: rustup's minimal profile leaves them out.
pub(crate) fn rust_components(project: &Project) -> anyhow::Result<()> {
    let missing = |subcommand: &&str| step::output(project.cargo(subcommand).arg("--version")).is_err();
    if !["fmt", "clippy"].iter().any(missing) {
        return Ok(());
    }
    step("install rustfmt and Clippy", || {
        let mut rustup = Command::new("rustup");
        step::run(
            rustup
                .args(["component", "add", "rustfmt", "clippy"])
                .current_dir(&project.root),
        )
        .context("without rustup, install rustfmt and Clippy the way you installed Rust")
    })
}

/// Installs the npm packages of a folder where they are missing or older than their lock.
pub(crate) fn npm(folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if modified(&installed).is_some_and(|installed| modified(&lock).is_some_and(|lock| lock <= installed)) {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    step(&format!("install the npm packages of {name}"), || {
        let mut npm = Command::new(NPM);
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
        // xtask finds or installs the browser itself.
        npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        step::run(&mut npm).context("this needs Node.js 20 or later, with npm (https://nodejs.org)")
    })
}

/// Makes the virtual environment of this name in Python, unless it is there as `requirements` want it. Returns its Python.
pub(crate) fn python(project: &Project, name: &str, requirements: &Path) -> anyhow::Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let folder = project.folder(name);
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed.txt"));
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    step(&format!("make the virtual environment {name} in Python"), || {
        let mut venv = Command::new("python3");
        step::run(venv.args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        step::run(pip.arg(requirements))?;
        fs::write(&stamp, &wanted).context("cannot write what was installed")
    })?;
    Ok(python)
}

/// npm's name: a script with another ending on Windows.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
/// The name of npm's runner of installed packages.
pub(crate) const NPX: &str = if cfg!(windows) { "npx.cmd" } else { "npx" };

/// Copies `.env.example` to `.env` where there is none. An `.env` that is there is never touched.
pub(crate) fn env_file(project: &Project) -> anyhow::Result<()> {
    let (example, env) = (project.root.join(".env.example"), project.root.join(".env"));
    if env.exists() {
        return Ok(());
    }
    if !example.exists() {
        bail!("there is no .env.example to make .env from: the clone is not complete");
    }
    fs::copy(&example, &env).context("cannot copy .env.example to .env")?;
    eprintln!("xtask: copied .env.example to .env: the settings are there");
    Ok(())
}

/// A program on the search path.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|candidate| candidate.is_file())
}

/// Whether this is Debian itself: Ubuntu's packages of the same names may be links to snaps, which servers and containers lack.
pub(crate) fn is_debian() -> bool {
    names_debian(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

fn names_debian(os_release: &str) -> bool {
    os_release.lines().any(|line| line.trim_matches('"') == "ID=debian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_is_debian() {
        assert!(names_debian("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(!names_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(!names_debian(""));
    }
}

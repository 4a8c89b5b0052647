//! The browser for the tests: the one that is installed, else Debian's package, else Playwright's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::setup::{NPX, find_program, is_debian};
use crate::step::{self, step};

const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
const MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Finds a Chromium or installs one. `None`: Playwright has its own. The variable `CHROMIUM` names another.
pub(crate) fn chromium(end2end: &Path) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if !path.is_file() {
            bail!(
                "the variable CHROMIUM names {}, but there is no such file",
                path.display()
            );
        }
        return Ok(Some(path));
    }
    if let Some(path) = installed() {
        return Ok(Some(path));
    }
    if is_debian() {
        return step("install Chromium from Debian", apt).map(Some);
    }
    step("install Playwright's Chromium", || {
        let mut npx = Command::new(NPX);
        step::run(npx.args(["playwright", "install", "chromium"]).current_dir(end2end))
            .context("install Chromium or Chrome by hand, or name it in the variable CHROMIUM")
    })?;
    Ok(None)
}

fn installed() -> Option<PathBuf> {
    find_program(&NAMES).or_else(|| Some(PathBuf::from(MACOS)).filter(|path| path.is_file()))
}

fn apt() -> anyhow::Result<PathBuf> {
    const BY_HAND: &str = "the browser tests need Chromium: as root, `apt-get install chromium` (or set CHROMIUM)";
    if step::output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!(BY_HAND);
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        step::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    // The lists may be missing or too old to install from; then they are fetched first.
    apt_get(&install)
        .or_else(|_| apt_get(&["update"]).and_then(|()| apt_get(&install)))
        .context(BY_HAND)?;
    installed().context("apt-get installed Chromium, but there is no `chromium` on the search path")
}

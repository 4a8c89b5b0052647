//! Packages of Debian that tests need.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::setup::is_debian;
use crate::step::{self, step};

/// Has a package installed where that is possible. `by_hand` says what to do where it is not, which is said then.
pub(crate) fn install(package: &str, by_hand: &'static str, prepare: impl FnOnce() -> anyhow::Result<()>) -> bool {
    if !is_debian() {
        eprintln!("xtask: {package} is not installed: {by_hand}");
        return false;
    }
    let installed = step(&format!("install {package} from Debian"), || {
        apt(package, by_hand, prepare)
    });
    if let Err(fault) = &installed {
        eprintln!("xtask: {fault:#}");
    }
    installed.is_ok()
}

fn apt(package: &str, by_hand: &'static str, prepare: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    if step::output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!(by_hand);
    }
    prepare().context(by_hand)?;
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        // What the tests need they start themselves: the package is to start nothing.
        step::run(command.env("RUNLEVEL", "1"))
    };
    // What an operator has set stays.
    let options = [
        "install",
        "--yes",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold",
    ];
    let arguments = [&options[..], &[package]].concat();
    // The lists may be missing or too old to install from; then they are fetched first.
    apt_get(&arguments)
        .or_else(|_| apt_get(&["update"]).and_then(|()| apt_get(&arguments)))
        .context(by_hand)
}

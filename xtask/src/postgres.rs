//! The PostgreSQL for the tests: the one that is installed, else Debian's package.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::setup::{find_program, is_debian};
use crate::step::{self, step};

/// Set for the tests once there is one: a test that needs PostgreSQL and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_POSTGRES";

const BY_HAND: &str = "the tests of the store in PostgreSQL are skipped without it; on Debian, as root: `apt-get install postgresql` (and set \
                       `create_main_cluster = false` in /etc/postgresql-common/createcluster.conf before, or a server of no use here is started)";
/// What Debian's package asks before it makes a server of its own.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Finds a PostgreSQL or installs one. `false`: there is none, which has been said.
pub(crate) fn find() -> bool {
    if installed() {
        return true;
    }
    if !is_debian() {
        eprintln!("xtask: PostgreSQL is not installed: {BY_HAND}");
        return false;
    }
    match step("install PostgreSQL from Debian", apt) {
        Ok(()) => installed(),
        Err(fault) => {
            eprintln!("xtask: {fault:#}");
            false
        }
    }
}

/// Where the tests look (`pgtest/src/installed.rs`): Debian keeps the programs off the search path.
fn installed() -> bool {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut of_debian = folders.map(|version| version.path().join("bin/initdb"));
    of_debian.any(|program| program.is_file()) || find_program(&["initdb"]).is_some()
}

fn apt() -> anyhow::Result<()> {
    if step::output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!(BY_HAND);
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        step::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = |package: &str| {
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
        apt_get(&arguments).or_else(|_| apt_get(&["update"]).and_then(|()| apt_get(&arguments)))
    };
    // The tests start servers of their own. This one would only run.
    let clusters = Path::new(CLUSTERS);
    if !clusters.exists() {
        fs::create_dir_all("/etc/postgresql-common").context(BY_HAND)?;
        fs::write(clusters, "create_main_cluster = false\n").context(BY_HAND)?;
    }
    install("postgresql").context(BY_HAND)
}

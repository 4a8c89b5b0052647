//! What a node has to itself of the machine that all of them run on: the addresses that names stand for, and the wall clock.

use std::{
    fs,
    io::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

/// Set to anything in the environment, a test that needs a file system mounted fails where nobody lets it.
const MOUNTS_REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_MOUNTS";
/// Likewise, where no wall clock can be set.
const CLOCKS_REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_FAKETIME";

/// Has a program see other names than everybody else. The library that sets its clock leaves shared memory behind when it is killed: that
/// goes with the program, too.
const WITHIN: &str = r#"
mount --bind "$1" /etc/hosts && mount -t tmpfs tmpfs /dev/shm || exit 1
if [ -n "$2" ]; then export LD_PRELOAD="$2"; fi
shift 2
exec "$@"
"#;

/// What a node is started in.
pub(crate) struct Surroundings {
    folder: TempDir,
    clock: Option<&'static Path>,
    /// How far its wall clock is from everybody else's, in seconds.
    pub(crate) off_by: i64,
}

impl Surroundings {
    /// Names, and what they stand for here. `None`: there can be none, and it has been said that what needs them is left out.
    ///
    /// # Panics
    /// There can be none, and they are required.
    pub(crate) fn of(names: &[(String, IpAddr)]) -> Option<Self> {
        private_mounts()?;
        let folder = tempfile::tempdir().expect("a folder");
        let mut hosts = "127.0.0.1 localhost\n".to_owned();
        for (name, addr) in names {
            hosts.push_str(&format!("{addr} {name}\n"));
        }
        fs::write(folder.path().join("hosts"), hosts).expect("written");
        let surroundings = Self {
            folder,
            clock: settable_clock(),
            off_by: 0,
        };
        surroundings.write_clock();
        Some(surroundings)
    }

    pub(crate) const fn has_a_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// Puts its wall clock forward, or back. A program that runs sees that within a second.
    pub(crate) fn put_forward(&mut self, seconds: i64) {
        self.off_by += seconds;
        self.write_clock();
    }

    /// At once: who reads it meanwhile reads the one or the other.
    fn write_clock(&self) {
        let (new, clock) = (self.folder.path().join("new"), self.clock_file());
        fs::write(&new, format!("{:+}\n", self.off_by)).expect("written");
        fs::rename(new, clock).expect("renamed");
    }

    fn clock_file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// A program within them. It is the process that is started, so it gets the signals.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(private_mounts().expect("there is a way, or there were no surroundings"));
        command
            .args(["sh", "-c", WITHIN, "sh"])
            .arg(self.folder.path().join("hosts"));
        command.arg(self.clock.unwrap_or(Path::new(""))).arg(program);
        command
    }

    /// What the program is to find in its environment.
    pub(crate) fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("FAKETIME_TIMESTAMP_FILE", self.clock_file()),
            ("FAKETIME_CACHE_DURATION", "1".into()),
            // What a clock on the wall says is nothing to these.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

/// With which options one gets mounts of one's own: as root, or as one's own root where the system lets everybody be that.
fn private_mounts() -> Option<&'static [&'static str]> {
    static FOUND: OnceLock<Option<&'static [&'static str]>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
        let found = ways.into_iter().find(|way| {
            let mut tried = Command::new("unshare");
            tried.args(*way).args(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]);
            tried.output().is_ok_and(|output| output.status.success())
        });
        if found.is_none() {
            left_out(MOUNTS_REQUIRED, "nodes that are cut from each other: could not mount");
        }
        found
    })
}

/// The library of faketime, which is not on the search path of libraries.
fn settable_clock() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut files = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let found = files.find(|file| file.is_file());
        if found.is_none() {
            left_out(CLOCKS_REQUIRED, "clocks that are wrong: faketime is not installed");
        }
        found
    });
    found.as_deref()
}

/// Says that a part of a test is left out.
fn left_out(required: &str, what: &str) {
    let is_required = std::env::var_os(required).is_some_and(|value| !value.is_empty());
    assert!(!is_required, "{required} is set, and this is left out: {what}");
    // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

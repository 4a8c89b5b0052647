//! The faketime for the tests of nodes whose wall clocks are wrong: the one that is installed, else Debian's package.

use std::fs;

use crate::debian;

/// Set for the tests once there is one: a test that needs faketime and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_FAKETIME";

const BY_HAND: &str = "no node's wall clock is wrong in the tests of several nodes without it; on Debian, as root: `apt-get install faketime`";

/// Finds a faketime or installs one. `false`: there is none, which has been said.
pub(crate) fn find() -> bool {
    installed() || debian::install("faketime", BY_HAND, || Ok(())) && installed()
}

/// Where the tests look (`app/tests/cluster/surroundings.rs`): in the folder of libraries of each kind of processor.
fn installed() -> bool {
    let mut folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.any(|folder| folder.path().join("faketime/libfaketimeMT.so.1").is_file())
}

//! The nginx for the tests of several nodes: the one that is installed, else Debian's package.

use std::path::Path;

use crate::debian;
use crate::setup::find_program;

/// Set for the tests once there is one: a test that needs nginx and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_NGINX";

const BY_HAND: &str = "the tests of several nodes behind a load balancer are skipped without it; on Debian, as root: `apt-get install nginx-light`";

/// Finds an nginx or installs one. `false`: there is none, which has been said.
pub(crate) fn find() -> bool {
    installed() || debian::install("nginx-light", BY_HAND, || Ok(())) && installed()
}

/// Debian keeps it off the search path of users.
fn installed() -> bool {
    Path::new("/usr/sbin/nginx").is_file() || find_program(&["nginx"]).is_some()
}

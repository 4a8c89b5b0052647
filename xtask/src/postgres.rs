//! The PostgreSQL for the tests: the one that is installed, else Debian's package.

use std::fs;
use std::path::Path;

use crate::debian;
use crate::setup::find_program;

/// Set for the tests once there is one: a test that needs PostgreSQL and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_POSTGRES";

const BY_HAND: &str = "the tests of the store in PostgreSQL are skipped without it; on Debian, as root: `apt-get install postgresql` (and set \
                       `create_main_cluster = false` in /etc/postgresql-common/createcluster.conf before, or a server of no use here is started)";
/// What Debian's package asks before it makes a server of its own.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Finds a PostgreSQL or installs one. `false`: there is none, which has been said.
pub(crate) fn find() -> bool {
    installed() || debian::install("postgresql", BY_HAND, make_no_server) && installed()
}

/// Where the tests look (`pgtest/src/installed.rs`): Debian keeps the programs off the search path.
fn installed() -> bool {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut of_debian = folders.map(|version| version.path().join("bin/initdb"));
    of_debian.any(|program| program.is_file()) || find_program(&["initdb"]).is_some()
}

/// The tests start servers of their own. The package's would only run.
fn make_no_server() -> anyhow::Result<()> {
    let clusters = Path::new(CLUSTERS);
    if !clusters.exists() {
        fs::create_dir_all("/etc/postgresql-common")?;
        fs::write(clusters, "create_main_cluster = false\n")?;
    }
    Ok(())
}

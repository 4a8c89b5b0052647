//! Servers of tools, which tests have Anteroom use.

use crate::project::Project;
use crate::setup::{self, find_program};

/// Set for the tests once they are installed: a test that needs them and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_TOOL_SERVERS";

/// Installs them. `false`: they are not there, which has been said.
pub(crate) fn install(project: &Project) -> bool {
    if find_program(&["python3"]).is_none() {
        eprintln!("xtask: Python 3 is not installed: the tests with servers of tools are skipped");
        return false;
    }
    match setup::npm(&project.root.join("app/tests/tools")) {
        Ok(()) => true,
        Err(fault) => {
            eprintln!("xtask: servers of tools cannot be installed, tests with them are skipped: {fault:#}");
            false
        }
    }
}

//! Servers of tools, which tests have Anteroom use, and the protocol's own suite for clients.

use crate::project::Project;
use crate::setup::{self, find_program};

/// Set for the tests once they are installed: a test that needs them and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_TOOL_SERVERS";

/// The virtual environment of those in Python; the tests look for it by this name.
const NAME: &str = "tools";

/// Installs them. `false`: they are not there, which has been said.
pub(crate) fn install(project: &Project) -> bool {
    if find_program(&["python3"]).is_none() {
        eprintln!("xtask: Python 3 is not installed: the tests with servers of tools are skipped");
        return false;
    }
    let folder = project.root.join("app/tests/tools");
    let installed = setup::npm(&folder);
    let installed = installed.and_then(|()| setup::python(project, NAME, &folder.join("requirements.txt")));
    match installed.map(drop) {
        Ok(()) => true,
        Err(fault) => {
            eprintln!("xtask: servers of tools cannot be installed, tests with them are skipped: {fault:#}");
            false
        }
    }
}

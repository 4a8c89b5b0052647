//! Schemathesis, which asks a server for all that its API's document says, and much that it does not, in a place of its own.

use crate::project::Project;
use crate::setup::{self, find_program};

/// Set for the tests once it is installed: the test that needs it and does not find it fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_SCHEMATHESIS";

/// Its virtual environment; the test looks for it by this name.
const NAME: &str = "schemathesis";

/// Installs it. `false`: it is not there, which has been said.
pub(crate) fn install(project: &Project) -> bool {
    if find_program(&["python3"]).is_none() {
        eprintln!("xtask: Python 3 is not installed: the API is not tried by Schemathesis");
        return false;
    }
    let requirements = project.root.join("app/tests/schemathesis/requirements.txt");
    match setup::python(project, NAME, &requirements) {
        Ok(_) => true,
        Err(fault) => {
            eprintln!("xtask: Schemathesis cannot be installed, the API is not tried by it: {fault:#}");
            false
        }
    }
}

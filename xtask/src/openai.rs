//! OpenAI's own clients, which a test has use Anteroom: each in a place of its own.

use crate::project::Project;
use crate::setup::{self, find_program};

/// Set for the tests once they are installed: a test that needs them and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_OPENAI";

/// The virtual environment of the one in Python; the tests look for it by this name.
const NAME: &str = "openai";

/// Installs them. `false`: they are not all there, which has been said.
pub(crate) fn install(project: &Project) -> bool {
    let folder = project.root.join("app/tests/openai");
    if find_program(&["python3"]).is_none() {
        eprintln!("xtask: Python 3 is not installed: the tests with OpenAI's client for it are skipped");
        return false;
    }
    let installed = setup::python(project, NAME, &folder.join("requirements.txt")).map(drop);
    match installed.and_then(|()| setup::npm(&folder)) {
        Ok(()) => true,
        Err(fault) => {
            eprintln!("xtask: OpenAI's clients cannot be installed, tests with them are skipped: {fault:#}");
            false
        }
    }
}

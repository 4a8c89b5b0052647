//! Gradio and LangChain, which tests have use Anteroom by OpenAI's client, in a place of their own.

use crate::project::Project;
use crate::setup::{self, find_program};

/// Set for the tests once they are installed: a test that needs them and finds none fails then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_CLIENTS";

/// Their virtual environment; the tests look for it by this name.
const NAME: &str = "clients";

/// Installs them. `false`: they are not there, which has been said.
pub(crate) fn install(project: &Project) -> bool {
    if find_program(&["python3"]).is_none() {
        eprintln!("xtask: Python 3 is not installed: the tests with Gradio and LangChain are skipped");
        return false;
    }
    let requirements = project.root.join("app/tests/clients/requirements.txt");
    match setup::python(project, NAME, &requirements) {
        Ok(_) => true,
        Err(fault) => {
            eprintln!("xtask: Gradio and LangChain cannot be installed, tests with them are skipped: {fault:#}");
            false
        }
    }
}

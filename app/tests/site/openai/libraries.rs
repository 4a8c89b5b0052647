//! Libraries that use OpenAI's client, which `cargo xtask test` installs, against a site: Gradio's chat interface, LangChain.

use std::process::Command;

use super::clients::{programs, run};
use crate::installed::{program, skip};

/// Set to anything in the environment, these tests fail where the libraries are not installed.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_CLIENTS";

async fn in_python(test: &str, what: &str) {
    let Some(python) = program("clients", "python") else {
        return skip(REQUIRED, what);
    };
    let mut command = Command::new(python);
    command.arg("client.py").arg(test);
    run(command, &programs("clients"), &[]).await;
}

#[tokio::test]
async fn gradios_chat_interface_streams() {
    in_python("gradio_chat", "Gradio").await;
}

#[tokio::test]
async fn langchain_asks_streams_and_calls_tools() {
    in_python("langchain_chat", "LangChain").await;
}

//! Commands that ask a server, as any program does: over its API, with a key or from its own machine.
//!
//! - `site`: the server, and requests to it; `events`: its streams, read.
//! - `status`: the one line that says how things stand.
//! - `ask`: a question and its answer; `tasks`: a file of tasks and their results.

pub mod ask;
mod events;
mod patience;
mod site;
mod status;
pub mod tasks;

use std::{fmt, process::ExitCode};

pub use site::Address;

/// For whoever gives a command that there is not.
pub const SEE_HELP: &str = "`anteroom --help` shows all commands, and what each of them takes.";

/// How a command has ended.
#[derive(Debug)]
pub enum Ended {
    /// All is done.
    Well,
    /// Something failed, as the sentence says.
    Failed(String),
    /// Whoever started it has ended it.
    Interrupted,
}

impl Ended {
    /// Says why, and gives the exit code: 0, 1, or 130 as shells have it.
    #[must_use]
    pub fn code(self) -> ExitCode {
        match self {
            Self::Well => ExitCode::SUCCESS,
            Self::Failed(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

/// A fault, as a sentence.
fn failed(why: impl fmt::Display) -> Ended {
    Ended::Failed(why.to_string())
}

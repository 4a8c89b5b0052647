//! The process that reads one document: it comes on the standard input, and what it says goes to the standard output.

use std::{
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use serde::{Deserialize, Serialize};

use super::{Document, PaperFault, Report, pictures::pack, read};

/// The command of this program that reads a document. For the server alone.
pub const COMMAND: &str = "read-paper";

/// Begins the one line that says what was read; the text follows, then the pictures.
pub(super) const ANSWER: &str = "anteroom-paper ";

/// Most memory that reading may take, on top of what the program itself takes.
#[cfg(unix)]
const MAX_MEMORY: u64 = 512 * 1024 * 1024;
/// Most seconds of a processor.
#[cfg(unix)]
const MAX_SECONDS: u64 = 30;

/// What is said of a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Read(Report),
    Failed(PaperFault),
}

/// Reads the document on the standard input, within bounds that this sets for the process: it is to do nothing else, before or after.
#[must_use]
pub fn run() -> ExitCode {
    match bound().and_then(|()| answer()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads this but who has started the command by hand.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (answer, text, pictures) = match read(&bytes) {
        Ok(document) => {
            let pictures = pack(&document.pictures)?;
            (Answer::Read(report(&document, pictures.len())), document.text, pictures)
        }
        Err(fault) => (Answer::Failed(fault), String::new(), Vec::new()),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "\n{ANSWER}{}", serde_json::to_string(&answer)?)?;
    out.write_all(text.as_bytes())?;
    out.write_all(&pictures)?;
    out.flush()
}

/// Reads a document in this process, which has whatever bounds it has. A server has it read in a process of its own ([`run`]): what is wrong with
/// a document may panic, or take all memory there is.
///
/// # Errors
/// [`PaperFault`].
pub fn read_here(bytes: &[u8]) -> Result<(Report, String), PaperFault> {
    let document = read(bytes)?;
    Ok((report(&document, 0), document.text))
}

/// `pictures`: how many bytes follow of them.
fn report(document: &Document, pictures: usize) -> Report {
    Report {
        mime: document.mime.to_owned(),
        paper: document.paper,
        bytes: document.text.len(),
        pictures,
    }
}

/// Bounds memory and time, and lets this process write no file, start no other and open next to nothing.
#[cfg(unix)]
fn bound() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    for (resource, most) in [
        (Resource::As, mapped().saturating_add(MAX_MEMORY)),
        (Resource::Cpu, MAX_SECONDS),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Nofile, 8),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there are bounds")]
fn bound() -> io::Result<()> {
    Ok(())
}

/// Bytes of memory that the program has by itself.
#[cfg(unix)]
fn mapped() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split_whitespace()
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(0, |pages| pages.saturating_mul(rustix::param::page_size() as u64))
}

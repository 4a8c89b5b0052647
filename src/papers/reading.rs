//! How the server has a document read: by a process of its own, which has it from the first byte on and is gone whatever happens.

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, sync::OnceLock, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use tracing::warn;

use super::{
    MAX_PACKED, MAX_TEXT_BYTES, PaperFault, Report,
    child::{ANSWER, Answer},
};
use crate::own_program::own_program;

/// How long reading may take once all has come. The process bounds its own time; this is for one that waits for something.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may leave a piece lying.
const PIECE_PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes that it may say: the text, the pictures, and what it is.
const MAX_SAID: u64 = (MAX_TEXT_BYTES + MAX_PACKED) as u64 + 64 * 1024;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has documents read by this program, and not by that of this process: for whoever has built the server into another one. Counts the
/// first time.
pub fn read_with(program: PathBuf) {
    // Who comes second has the same program, or is a test beside others.
    let _ = PROGRAM.set(program);
}

/// What reads, and what it is told.
fn reader() -> io::Result<(PathBuf, Vec<OsString>)> {
    if let Some(program) = PROGRAM.get() {
        return Ok((program.clone(), vec![super::COMMAND.into()]));
    }
    let own = own_program()?;
    // The tests of this crate are a program that knows no commands, but tests.
    let arguments: &[&str] = if cfg!(test) {
        &[
            "papers::tests::reads_as_a_process",
            "--exact",
            "--ignored",
            "--nocapture",
        ]
    } else {
        &[super::COMMAND]
    };
    Ok((own, arguments.iter().map(Into::into).collect()))
}

/// What was read of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) report: Report,
    pub(crate) text: String,
    /// All of them in one, as [`unpack`](super::unpack) takes it; empty: there are none.
    pub(crate) pictures: Vec<u8>,
}

/// A document that is being read. Dropped, it ends the process.
#[derive(Debug)]
pub(crate) struct Reading {
    child: Child,
    /// `None`: it wants no more.
    to: Option<ChildStdin>,
    from: ChildStdout,
}

impl Reading {
    /// Starts the process.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn begin() -> io::Result<Self> {
        let (program, arguments) = reader()?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0).current_dir("/");
        let mut child = command.spawn()?;
        let missing = || io::Error::other("it has no pipes");
        Ok(Self {
            to: Some(child.stdin.take().ok_or_else(missing)?),
            from: child.stdout.take().ok_or_else(missing)?,
            child,
        })
    }

    /// Gives it the next bytes. One that wants no more has seen enough, and says at the end of what.
    pub(crate) async fn feed(&mut self, bytes: &[u8]) {
        let Some(to) = &mut self.to else { return };
        if !matches!(timeout(PIECE_PATIENCE, to.write_all(bytes)).await, Ok(Ok(()))) {
            self.to = None;
        }
    }

    /// Says that all has come, and returns what was read.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) async fn finish(mut self) -> Result<Read, PaperFault> {
        drop(self.to.take());
        let reading = async {
            let mut said = Vec::new();
            let read = (&mut self.from).take(MAX_SAID).read_to_end(&mut said).await;
            read.map(|_| said)
        };
        let said = timeout(PATIENCE, reading).await;
        // Whatever it does still: nobody listens any more.
        self.end_group();
        let status = self.child.wait().await;
        let Ok(Ok(said)) = said else {
            warn!("a document was not read in time");
            return Err(PaperFault::TooHeavy);
        };
        match parse(&said) {
            Some(Ok(read)) => Ok(read),
            Some(Err(fault)) => Err(fault),
            None => {
                let whole = status.is_ok_and(|status| status.code().is_some());
                warn!(?whole, "a document has ended the process that reads it");
                // Killed for its bounds, or by a stack that overflowed; else it has panicked.
                Err(if whole {
                    PaperFault::Damaged
                } else {
                    PaperFault::TooHeavy
                })
            }
        }
    }

    /// The id of the process.
    #[cfg(test)]
    pub(super) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the process and whatever it may have started.
    fn end_group(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
        {
            // It may be over by itself.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// What the process has said. `None`: nothing that is whole.
fn parse(said: &[u8]) -> Option<Result<Read, PaperFault>> {
    let mark = said
        .windows(ANSWER.len())
        .position(|window| window == ANSWER.as_bytes())?;
    let said = &said[mark + ANSWER.len()..];
    let end = said.iter().position(|byte| *byte == b'\n')?;
    let report = match serde_json::from_slice(&said[..end]).ok()? {
        Answer::Failed(fault) => return Some(Err(fault)),
        Answer::Read(report) => report,
    };
    let (text, rest) = said[end + 1..].split_at_checked(report.bytes)?;
    let text = String::from_utf8(text.to_owned()).ok()?;
    let pictures = rest.get(..report.pictures)?.to_owned();
    Some(Ok(Read { report, text, pictures }))
}

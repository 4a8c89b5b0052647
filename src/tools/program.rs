//! Servers that are programs started here, each with a keeper.

use std::{
    collections::VecDeque,
    env,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use rmcp::{
    service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument as _, Span, debug, warn};

use super::{
    dial::{Dialed, begin},
    error::{Trouble, said},
    faults::of_beginning,
    keeper,
    lines::Lines,
};
use crate::settings::Secret;

/// What a server has of Anteroom's environment; all else is Anteroom's own.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];
/// How long the last words of a server that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a server's standard error is read after its connection has been closed: until its keeper has ended it.
const ENDING: Duration = Duration::from_secs(6);
/// Most bytes of a line of its standard error.
const LONGEST_LINE: usize = 2000;
/// How many of its last lines are told where it ends by itself.
const LAST_LINES: usize = 5;
/// Most lines of its standard error in a minute that go to the log.
const MOST_LINES: usize = 600;

/// What is to be started.
pub(super) struct Start<'s> {
    pub(super) keeper: Option<&'s Path>,
    pub(super) name: &'s str,
    pub(super) command: &'s str,
    pub(super) args: &'s [Secret],
    pub(super) env: &'s [(String, Secret)],
    pub(super) cwd: Option<&'s Path>,
    /// Nothing of what it says goes to the log: it has what one person has given, and may say that in any form.
    pub(super) is_quiet: bool,
}

/// How a program ended: what it returned, if it did.
type Ended = Arc<OnceLock<Option<i32>>>;
/// The last lines of its standard error.
type LastLines = Arc<Mutex<VecDeque<String>>>;

/// Starts a program, and connects to it.
pub(super) async fn dial(start: &Start<'_>) -> Result<Dialed, Trouble> {
    let mut command = Command::new(keeper::program(start.keeper));
    command
        .args(keeper::arguments())
        .arg(start.command)
        .args(start.args.iter().map(|argument| &argument.0))
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .envs(start.env.iter().map(|(name, value)| (name, &value.0)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // What is typed into Anteroom's terminal is not meant for it.
    #[cfg(unix)]
    command.process_group(0);
    if let Some(cwd) = start.cwd {
        command.current_dir(cwd);
    }
    let mut child = command.spawn().map_err(|error| {
        warn!(server = start.name, %error, "a server of tools cannot be started");
        Trouble::CannotStart
    })?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Trouble::CannotStart);
    };
    let closed = CancellationToken::new();
    let (ended, last_lines) = (Ended::default(), LastLines::default());
    // Its end is that of the program, or soon after that of the connection.
    tokio::spawn(
        log(
            start.name.to_owned(),
            errors,
            Arc::clone(&last_lines),
            start.is_quiet,
            closed.clone(),
        )
        .instrument(Span::current()),
    );
    let program = Program {
        lines: Lines::new(start.name, output, input),
        child,
        is_over: false,
        ended: Arc::clone(&ended),
        _closed: closed.drop_guard(),
    };
    let name = start.name.to_owned();
    let how_it_ended = Box::new(move || {
        let last = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let last: Vec<_> = last.iter().map(String::as_str).collect();
        let code = ended.get().copied().flatten();
        warn!(
            server = name,
            code,
            said = last.join(" | "),
            "a server of tools has ended by itself"
        );
        match code {
            Some(keeper::CANNOT_START) => Trouble::CannotStart,
            code => Trouble::Ended { code },
        }
    });
    match begin(program).await {
        Ok((running, listeners, changed)) => Ok(Dialed {
            running,
            listeners,
            changed,
            how_it_ended,
        }),
        Err(error) => Err(match of_beginning(&error) {
            Trouble::Ended { .. } => how_it_ended(),
            trouble => trouble,
        }),
    }
}

/// A program, spoken to over its standard input and output. Dropped, it closes its input: the keeper does the rest.
struct Program {
    lines: Lines<ChildStdout>,
    /// The keeper.
    child: Child,
    is_over: bool,
    ended: Ended,
    _closed: DropGuard,
}

impl Transport<RoleClient> for Program {
    type Error = std::io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.lines.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        while !self.is_over {
            tokio::select! {
                biased;
                message = self.lines.receive() => {
                    if message.is_none() {
                        let status = timeout(LAST_WORDS, self.child.wait()).await;
                        let code = status.ok().and_then(Result::ok).and_then(|status| status.code());
                        self.ended.get_or_init(|| code);
                        self.is_over = true;
                    }
                    return message;
                }
                status = self.child.wait() => {
                    self.ended.get_or_init(|| status.ok().and_then(|status| status.code()));
                    self.is_over = true;
                }
            }
        }
        // What it had said before.
        timeout(LAST_WORDS, self.lines.receive()).await.ok().flatten()
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.lines.close().await
    }
}

/// Takes what a server says on its standard error to the log.
async fn log(
    name: String,
    errors: impl AsyncRead + Unpin,
    last_lines: LastLines,
    is_quiet: bool,
    closed: CancellationToken,
) {
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    let mut told = 0;
    let mut minute = tokio::time::Instant::now();
    let ending = async {
        closed.cancelled().await;
        tokio::time::sleep(ENDING).await;
    };
    tokio::pin!(ending);
    loop {
        let available = tokio::select! {
            available = errors.fill_buf() => available,
            () = &mut ending => return,
        };
        let Ok(available) = available else { return };
        if available.is_empty() {
            return;
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        line.extend(part.iter().take(LONGEST_LINE.saturating_sub(line.len())));
        let consumed = part.len() + usize::from(end.is_some());
        errors.consume(consumed);
        if end.is_none() {
            continue;
        }
        let text = said(String::from_utf8_lossy(&line).trim());
        line.clear();
        if text.is_empty() || is_quiet {
            continue;
        }
        if minute.elapsed() > Duration::from_secs(60) {
            (minute, told) = (tokio::time::Instant::now(), 0);
        }
        told += 1;
        if told <= MOST_LINES {
            debug!(server = name, "{text}");
        }
        let mut last = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text);
    }
}

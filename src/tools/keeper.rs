//! The keeper of a tool server: a small process between Anteroom and the server's program, so that nothing is left of the program when
//! Anteroom ends, in whatever way.
//!
//! It is Anteroom's own program, started with a word of its own. It starts the server in a process group, on its own standard input and
//! output, and watches the input, of which it reads nothing: that is a pipe from Anteroom, and breaks when Anteroom ends, also by `kill -9`.
//! The server, which reads the same pipe, then has a moment to end by itself; after that its group is asked to end, and then ended.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::own_program::own_program;

/// The word that makes a keeper of Anteroom's program.
const WORD: &str = "keep-tool-server";
/// What a keeper returns whose server cannot be started, as shells do.
pub(super) const CANNOT_START: i32 = 127;

/// The program that is a keeper when it is asked to be: `named`, or this one.
pub(super) fn program(named: Option<&Path>) -> PathBuf {
    match named {
        Some(named) => named.to_owned(),
        None => own_program().unwrap_or_else(|_| "anteroom".into()),
    }
}

/// The arguments that make one of it, before those of the server.
pub(super) const fn arguments() -> [&'static str; 2] {
    [WORD, "--"]
}

/// Keeps a server, where the arguments of this process say so, until it has ended. To be called first in `main`, before anything else is
/// started.
#[must_use]
pub fn keep_if_asked() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let asked = arguments.next().is_some_and(|word| word == WORD) && arguments.next().is_some_and(|rest| rest == "--");
    if !asked {
        return None;
    }
    let command = arguments.next()?;
    Some(ExitCode::from(keep(&command, arguments)))
}

#[cfg(unix)]
fn keep(command: &OsString, arguments: impl Iterator<Item = OsString>) -> u8 {
    use std::{
        os::unix::process::CommandExt as _,
        process::{Child, Command},
        thread,
        time::Duration,
    };

    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
        process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
    };

    /// How long a server has after its input has ended, and again after it has been asked to end.
    const MOMENT: Duration = Duration::from_secs(2);

    /// Waits until the pipe is broken.
    fn anteroom_ends() {
        let input = std::io::stdin();
        loop {
            // Asked for nothing, it tells of the end alone.
            let mut watched = [PollFd::new(&input, PollFlags::empty())];
            match poll(&mut watched, None) {
                Ok(_) if watched[0].revents().is_empty() => {}
                Err(Errno::INTR | Errno::AGAIN) => {}
                _ => return,
            }
        }
    }

    fn end(group: Pid) {
        thread::sleep(MOMENT);
        // Of a group that has ended meanwhile there is nothing to say.
        let _ = kill_process_group(group, Signal::TERM);
        thread::sleep(MOMENT);
        let _ = kill_process_group(group, Signal::KILL);
    }

    fn wait(mut server: Child, group: Pid) -> u8 {
        // It stays known until its group is ended, so that its number is nobody else's.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(group), options), Err(Errno::INTR)) {}
        let _ = kill_process_group(group, Signal::KILL);
        let code = server.wait().ok().and_then(|status| status.code());
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
    }

    match Command::new(command).args(arguments).process_group(0).spawn() {
        Ok(server) => {
            let group = Pid::from_child(&server);
            thread::spawn(move || {
                anteroom_ends();
                end(group);
            });
            wait(server, group)
        }
        Err(error) => {
            eprintln!("{} cannot be started: {error}", Path::new(command).display());
            CANNOT_START as u8
        }
    }
}

#[cfg(not(unix))]
fn keep(_command: &OsString, _arguments: impl Iterator<Item = OsString>) -> u8 {
    eprintln!("servers of tools are started on Unix alone; those with a url work here, too");
    CANNOT_START as u8
}

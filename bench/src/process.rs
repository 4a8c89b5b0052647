//! Programs that a bench starts, and what the system says of them.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// A program that was started here. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    errors: PathBuf,
}

impl Program {
    /// Starts it, with what it complains of going into a file of `folder`.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> anyhow::Result<(Self, BufReader<ChildStdout>)> {
        // Not in the folder itself, which the program may watch.
        let errors = folder.join("log").join("errors.log");
        fs::create_dir_all(folder.join("log"))?;
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&errors)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("its output is not there")?;
        Ok((Self { child, errors }, BufReader::new(output)))
    }

    /// The first line of its output that `wanted` turns into something. What comes after it is read and dropped.
    pub(crate) fn greeting<T>(
        &mut self,
        mut output: BufReader<ChildStdout>,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut line = String::new();
        loop {
            line.clear();
            if output.read_line(&mut line).context("its output cannot be read")? == 0 {
                bail!("it did not start: {}", self.complaints());
            }
            if let Some(found) = wanted(&line) {
                Self::drain(output);
                return Ok(found);
            }
        }
    }

    /// Reads its output and drops it, to its end: a program whose output nobody reads would stop once the pipe is full.
    pub(crate) fn drain(mut output: BufReader<ChildStdout>) {
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and returns once it is gone.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("it cannot be killed")?;
        self.child.wait().context("its end was not seen")?;
        Ok(())
    }

    /// SIGSTOP: it stands still until it is killed.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        // By the shell's own means: not every machine has a program for that.
        let stop = format!("kill -STOP {}", self.id());
        let status = Command::new("sh").args(["-c", &stop]).status();
        ensure!(
            status.context("it cannot be stopped")?.success(),
            "it cannot be stopped"
        );
        Ok(())
    }

    /// Processor time that it has used, in all its threads.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let path = format!("/proc/{}/stat", self.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // The name, in parentheses, may hold blanks; the fields after it are counted from the third.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<f64>().ok());
        let (user, system) = ticks(14)
            .zip(ticks(15))
            .with_context(|| format!("{path} is not understood"))?;
        Ok(Duration::from_secs_f64((user + system) / TICKS))
    }

    /// Memory that it has resident, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|number| number.trim().parse::<u64>().ok());
        Ok(kilobytes.with_context(|| format!("{path} names no memory"))? * 1024)
    }

    /// The end of what it has complained of.
    pub(crate) fn complaints(&self) -> String {
        const END: u64 = 2000;
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.errors)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok(String::from_utf8_lossy(&text).trim().to_owned())
        };
        read().unwrap_or_else(|fault| format!("(its complaints cannot be read: {fault})"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

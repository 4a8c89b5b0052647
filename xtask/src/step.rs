//! Running programs, and saying what is being done and how long it took.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

/// Announces a step, does it, and says how long it took. A step that fails says nothing more: its error does.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("xtask: {what} …");
    let begun = Instant::now();
    let result = work().with_context(|| format!("failed to {what}"))?;
    eprintln!("xtask: {what}: done in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(result)
}

/// Runs a program to its end, its output going to ours.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// The same command, which lets whatever else is done go first. Where there is no `nice`, it is as it was.
pub(crate) fn behind(command: &Command) -> Command {
    let mut patient = if cfg!(unix) {
        let mut nice = Command::new("nice");
        nice.args(["-n", "10"]).arg(command.get_program());
        nice
    } else {
        Command::new(command.get_program())
    };
    patient.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => patient.env(name, value),
            None => patient.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        patient.current_dir(folder);
    }
    patient
}

/// Runs a program to its end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed something that is not UTF-8"))
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_waits_is_the_same_command() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo \"$ONE-$CARGO_MANIFEST_DIR-$(pwd)\""]);
        // The second is there, for cargo sets it.
        command
            .env("ONE", "1")
            .env_remove("CARGO_MANIFEST_DIR")
            .current_dir("/");
        assert_eq!(output(&mut behind(&command)).expect("done"), "1--/\n");
    }
}

//! Whoever sees to it that no server stays behind.

use std::{
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Waits for the end of its input, which is that of the test process, even where that was killed. A server that is only just starting
/// has not written its number yet, so it is looked for more than once.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
for round in 1 2 3; do
    pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
    if [ -n "$pid" ]; then
        kill -QUIT "$pid" 2> /dev/null
        # A test may have stopped it in its tracks.
        kill -CONT "$pid" 2> /dev/null
        while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
    fi
    [ "$round" = 3 ] || sleep 0.1
done
rm -rf "$1"
"#;

/// A process that stops the server in a folder, and removes the folder, once this is dropped or the test process has ended.
#[derive(Debug)]
pub(crate) struct Watcher {
    process: Child,
    /// Closing it is the sign.
    sign: Option<ChildStdin>,
}

impl Watcher {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("watcher").arg(folder);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("there is a shell");
        let sign = process.stdin.take();
        Self { process, sign }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.sign.take());
        // It ends by itself, and nobody could do anything about it.
        let _ = self.process.wait();
    }
}

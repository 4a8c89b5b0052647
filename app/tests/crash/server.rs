//! The real server, and its sudden end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
};

use anteroom_pgtest::free_port;

/// A server's address, folder and settings; the server itself comes and goes.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        // The same after every start: the pages look for their server where it was.
        let addr = (Ipv4Addr::LOCALHOST, free_port()).into();
        Self {
            addr,
            folder: tempfile::tempdir().expect("a folder"),
            settings: settings
                .iter()
                .map(|&(name, value)| (name.into(), value.into()))
                .collect(),
            child: None,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, and returns once it serves.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SITE_ADDR", self.addr.to_string())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut greeting = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut greeting).expect("a line");
        let mut errors = child.stderr.take().expect("it is piped");
        if !greeting.contains("http://") {
            let mut said = String::new();
            let _ = errors.read_to_string(&mut said);
            panic!("it does not start: {said}");
        }
        // What it warns of goes into the test's output.
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                println!("server: {line}");
            }
        });
        self.child = Some(child);
    }

    /// SIGKILL: it cannot do anything any more.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it ran");
            child.wait().expect("it ended");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Three nodes over one database, each as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use anteroom_pgtest::{Cluster, PASSWORD, USER};
use tempfile::TempDir;

use crate::{free_port, proxy::Proxy};

const KEY: &str = "a-key-that-is-of-use-to-nobody-but-tests";

/// One node: where it is, and what it is started with. It comes and goes.
pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) link: SocketAddr,
    folder: TempDir,
    /// Its way to the database.
    pub(crate) database: Proxy,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    said: Option<JoinHandle<()>>,
}

impl Node {
    pub(crate) async fn new(number: usize, cluster: &Cluster, database: &str, settings: &[(&str, &str)]) -> Self {
        let proxy = Proxy::to(cluster.port()).await;
        let address = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", proxy.port);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut own: Vec<(String, String)> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        own.push(("DATABASE_URL".to_owned(), address));
        own.push(("SECRET_KEY".to_owned(), KEY.to_owned()));
        let _ = number;
        Self {
            addr: local(free_port()),
            link: local(free_port()),
            folder: tempfile::tempdir().expect("a folder"),
            database: proxy,
            settings: own,
            child: None,
            said: None,
        }
    }

    /// Starts it, and returns once it serves.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SITE_ADDR", self.addr.to_string())
            .env("NODE_ADDR", self.link.to_string())
            .env("RUST_LOG", "anteroom=info,warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let errors = child.stderr.take().expect("it is piped");
        let port = self.addr.port();
        // What it says goes into the test's output.
        self.said = Some(std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                println!("{port}: {line}");
            }
        }));
        let mut greeting = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut greeting).expect("a line");
        assert!(greeting.contains("http://"), "a node does not start");
        self.child = Some(child);
    }

    pub(crate) const fn is_there(&self) -> bool {
        self.child.is_some()
    }

    /// SIGKILL: it cannot do anything any more.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it ran");
            self.ended(child);
        }
    }

    /// SIGTERM, and waits until it has ended.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.signal("TERM");
        let child = self.child.take().expect("it runs");
        self.ended(child)
    }

    /// SIGSTOP: it stands still, and its connections stay open.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it runs");
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -{signal} {}", child.id())]);
        assert!(kill.status().expect("it runs").success());
    }

    fn ended(&mut self, mut child: Child) -> ExitStatus {
        let status = child.wait().expect("it ended");
        if let Some(said) = self.said.take() {
            let _ = said.join();
        }
        status
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

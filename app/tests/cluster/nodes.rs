//! Three nodes over one database, each as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use anteroom_pgtest::{Cluster, PASSWORD, USER, free_port};
use tempfile::TempDir;

use crate::{
    proxy::{Passage, Proxy},
    surroundings::Surroundings,
};

const KEY: &str = "a-key-that-is-of-use-to-nobody-but-tests";

/// One node: where it is, and what it is started with. It comes and goes.
pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    /// For the other nodes.
    pub(crate) link: String,
    folder: TempDir,
    /// Its way to the database.
    pub(crate) database: Proxy,
    /// The other nodes' ways to it, by their numbers.
    pub(crate) peers: Vec<(usize, Proxy)>,
    pub(crate) surroundings: Option<Surroundings>,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    said: Option<JoinHandle<()>>,
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Node {
    pub(crate) fn new(cluster: &Cluster, database: &str, settings: &[(&str, &str)]) -> Self {
        let proxy = Proxy::start((LOCAL, 0).into(), (LOCAL, cluster.port()).into());
        let address = format!("postgres://{USER}:{PASSWORD}@{}/{database}", proxy.addr);
        let mut own: Vec<(String, String)> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        own.push(("DATABASE_URL".to_owned(), address));
        own.push(("SECRET_KEY".to_owned(), KEY.to_owned()));
        Self {
            addr: (LOCAL, free_port()).into(),
            link: SocketAddr::from((LOCAL, free_port())).to_string(),
            folder: tempfile::tempdir().expect("a folder"),
            database: proxy,
            peers: Vec::new(),
            surroundings: None,
            settings: own,
            child: None,
            said: None,
        }
    }

    /// Has the ways of these nodes to each other lead through proxies, one for each and either direction, where this machine lets one do
    /// that. To be called before they start.
    ///
    /// A node listens where the others are told to look for it, so it has a name, which stands for something else on each of them: its
    /// address for itself, for another one that one's way to it.
    pub(crate) fn set_apart(nodes: &mut [Self]) {
        let links: Vec<_> = nodes.iter().map(|_| free_port()).collect();
        for at in 0..nodes.len() {
            let way = |to: usize| match u8::try_from(at) {
                Ok(_) if to == at => LOCAL,
                Ok(at) => IpAddr::V4(Ipv4Addr::new(127, 0, 1, at + 1)),
                Err(_) => panic!("there are few nodes"),
            };
            let names: Vec<_> = (0..nodes.len()).map(|to| (name(to), way(to))).collect();
            let Some(surroundings) = Surroundings::of(&names) else {
                return;
            };
            nodes[at].surroundings = Some(surroundings);
            nodes[at].link = format!("{}:{}", name(at), links[at]);
            for (to, port) in links.iter().enumerate().filter(|(to, _)| *to != at) {
                let proxy = Proxy::start((way(to), *port).into(), (LOCAL, *port).into());
                nodes[to].peers.push((at, proxy));
            }
        }
    }

    /// What it is started with.
    pub(crate) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_anteroom");
        let mut command = match &self.surroundings {
            Some(surroundings) => surroundings.command(program),
            None => Command::new(program),
        };
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.surroundings.iter().flat_map(Surroundings::variables))
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SITE_ADDR", self.addr.to_string())
            .env("NODE_ADDR", &self.link)
            .env("RUST_LOG", "anteroom=info,warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it, and returns once it serves.
    pub(crate) fn start(&mut self) {
        self.set_ways(Passage::Open);
        let mut command = self.command();
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

    /// What the others find where it listens for them.
    fn set_ways(&self, passage: Passage) {
        for (_, way) in &self.peers {
            way.set(passage);
        }
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it runs");
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -{signal} {}", child.id())]);
        assert!(kill.status().expect("it runs").success());
    }

    fn ended(&mut self, mut child: Child) -> ExitStatus {
        let status = child.wait().expect("it ended");
        self.set_ways(Passage::Refused);
        if let Some(said) = self.said.take() {
            let _ = said.join();
        }
        status
    }
}

fn name(number: usize) -> String {
    format!("node-{number}")
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

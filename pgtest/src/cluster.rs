//! One server with its data.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::{
    installed::{RunAs, programs},
    next_number,
    ports::free_port,
    watcher::Watcher,
};

/// The role that may do everything.
pub const USER: &str = "postgres";
/// Its password, over TCP. Tests look that it is shown nowhere.
pub const PASSWORD: &str = "hush-hush-of-tests";

/// What differs from a server as it is installed: small, quiet, and with room for many tests at once. Nothing of it makes a commit less
/// durable.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 300
shared_buffers = 64MB
jit = off
wal_level = minimal
max_wal_senders = 0
";

/// Ports that are tried, one after the other.
const PORTS: u32 = 5;
/// Between two looks whether it is ready.
const AGAIN: Duration = Duration::from_millis(50);

/// A server of its own, with as many databases as are made in it. Stopped and removed on drop, and when the test process ends.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    run_as: RunAs,
    folder: PathBuf,
    port: u16,
    server: Mutex<Option<Child>>,
    /// Last: it looks for a server that is still there.
    _watcher: Watcher,
}

impl Cluster {
    /// Makes one, and starts it.
    ///
    /// # Panics
    /// There is no PostgreSQL here ([`present`](crate::present) tells), or it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with lines of `postgresql.conf`.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    #[must_use]
    pub fn start_with(settings: &str) -> Self {
        let programs = programs().expect("PostgreSQL is installed");
        let run_as = RunAs::find();
        let name = format!("pgtest-{}-{}", std::process::id(), next_number());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder of its own");
        run_as.own(&folder);
        let mut cluster = Self {
            _watcher: Watcher::of(&folder),
            programs,
            run_as,
            port: free_port(),
            folder,
            server: Mutex::default(),
        };
        cluster.make(settings);
        // While the data were made, another test may have been given the same port.
        for _ in 1..PORTS {
            match cluster.try_start() {
                Err(said) if said.contains("in use") => cluster.port = free_port(),
                started => {
                    started.expect("PostgreSQL starts");
                    return cluster;
                }
            }
        }
        cluster.start_again();
        cluster
    }

    /// Makes the data.
    fn make(&self, settings: &str) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("written");
        self.run_as.own(&password);
        let mut initdb = self.run_as.command(&self.programs.join("initdb"));
        initdb.arg("--pgdata").arg(self.data()).arg("--pwfile").arg(&password);
        initdb.args(["--username", USER, "--encoding=UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        // Nothing is lost with an empty cluster.
        initdb.args(["--no-sync", "--no-instructions"]);
        run(initdb.current_dir("/"));
        let configuration = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&configuration).expect("initdb writes it");
        let socket = self.folder.display();
        text.push_str(&format!("{SETTINGS}unix_socket_directories = '{socket}'\n{settings}\n"));
        fs::write(&configuration, text).expect("written");
    }

    /// Starts it, where it has been stopped, and returns once it takes connections.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&self) {
        self.try_start().expect("PostgreSQL starts");
    }

    /// The error is what it said before it ended.
    fn try_start(&self) -> Result<(), String> {
        self.start_and_do_not_wait();
        let mut tries = 0;
        while self.psql("postgres", "SELECT 1").is_err() {
            let ended = self.server().as_mut().map(|server| server.try_wait().expect("a child"));
            if let Some(Some(status)) = ended {
                let said = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(format!("PostgreSQL has ended ({status}): {said}"));
            }
            tries += 1;
            assert!(tries < 1_200, "PostgreSQL does not become ready");
            thread::sleep(AGAIN);
        }
        Ok(())
    }

    /// The same, without waiting.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start_and_do_not_wait(&self) {
        let mut postgres = self.run_as.command(&self.programs.join("postgres"));
        postgres.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        // What it says stays in its folder, for whoever looks while a test hangs.
        let log = fs::File::create(self.log()).expect("made");
        postgres
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = postgres.spawn().expect("it starts");
        *self.server() = Some(child);
    }

    /// Stops it as an operator does: who is connected is told so, and what is not committed is rolled back.
    pub fn stop(&self) {
        self.end("-INT");
    }

    /// Ends it as a crash does.
    pub fn crash(&self) {
        self.end("-QUIT");
    }

    fn end(&self, signal: &str) {
        let server = self.server().take();
        if let Some(mut server) = server {
            // One that has ended by itself is only collected: a test that says so is not to be drowned by a second panic.
            if server.try_wait().expect("a child").is_none() {
                run(&mut send(signal, &server.id().to_string()));
                server.wait().expect("a child");
            }
        }
    }

    /// Holds every process of the server, as a machine that has stopped answering does, or lets them go on.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let Some(server) = self.server().as_ref().map(Child::id) else {
            return;
        };
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        for child in children.expect("a Linux").split_whitespace() {
            // It may have ended meanwhile.
            let _ = send(signal, child).status();
        }
        run(&mut send(signal, &server.to_string()));
    }

    /// A new, empty database. Its name is the only one like it.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", next_number());
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The address of a database, for the role that may do everything.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_of(USER, PASSWORD, database)
    }

    /// The same for another role.
    #[must_use]
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port at 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A folder of the server's user, beside its data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives a folder to the server's user.
    pub fn own(&self, folder: &Path) {
        self.run_as.own(folder);
    }

    /// Runs statements as the role that may do everything, and returns the rows, a line each.
    ///
    /// # Panics
    /// One of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        match self.psql(database, statements) {
            Ok(rows) => rows,
            Err(fault) => panic!("{statements}: {fault}"),
        }
    }

    fn psql(&self, database: &str, statements: &str) -> Result<String, String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set=ON_ERROR_STOP=1", "--username", USER, "--dbname", database]);
        psql.arg("--host")
            .arg(&self.folder)
            .args(["--port", &self.port.to_string()]);
        psql.args(["--command", statements]).stdin(Stdio::null());
        let output = psql.output().expect("it runs");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn server(&self) -> MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Sends a signal, by the shell's own means: not every machine has a program for that.
fn send(signal: &str, process: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("kill {signal} {process}")]);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

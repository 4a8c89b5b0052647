//! The server as its operator meets it: its start, its refusals to start, its end.

use std::{
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

fn anteroom(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.current_dir(folder).env_clear().envs(settings.iter().copied());
    command
}

fn refused(settings: &[(&str, &str)], dotenv: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), dotenv).expect("written");
    let Output { status, stderr, .. } = anteroom(folder.path(), settings).output().expect("it ran");
    assert!(!folder.path().join("data").exists(), "nothing was begun");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

/// A server that listens. It is ended when this is dropped.
struct Server {
    child: Child,
    address: String,
    greeting: String,
    _folder: TempDir,
}

impl Server {
    fn start(settings: &[(&str, &str)], dotenv: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(".env"), dotenv).expect("written");
        let command = anteroom(folder.path(), settings);
        Self::spawn(command, folder)
    }

    /// The same, with so few files and connections that it may have open.
    #[cfg(unix)]
    fn start_with_descriptors(most: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        let limited = format!("ulimit -n {most}; exec \"$0\"");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_anteroom")]);
        command.current_dir(folder.path()).env_clear();
        Self::spawn(command, folder)
    }

    fn spawn(mut command: Command, folder: TempDir) -> Self {
        command
            .env("SITE_ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("it runs");
        let mut greeting = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut greeting).expect("a line");
        let address = greeting
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://"));
        let address = address.expect("the greeting names the address").to_owned();
        Self {
            child,
            address,
            greeting,
            _folder: folder,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_fault_of_the_settings_is_named_at_once_and_nothing_listens() {
    let (code, said) = refused(
        &[("CHAT_CONCURRENCY_LIMIT", "0"), ("QUEUE_ORDER", "random")],
        "STATS_CONCURRENCY_LIMIT=many\nCHAT_TIMEUOT=5\nMODEL=gpt-4o@openai\n",
    );
    assert_eq!(code, Some(2), "{said}");
    for part in [
        "CHAT_CONCURRENCY_LIMIT",
        "1000",
        "QUEUE_ORDER",
        "random",
        "fair",
        "STATS_CONCURRENCY_LIMIT",
        "many",
        "CHAT_TIMEUOT",
        "CHAT_TIMEOUT",
        "OPENAI_API_KEY",
    ] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
}

#[test]
fn what_is_misspelt_in_the_environment_is_named_whatever_else_ends_the_start() {
    let (code, said) = refused(&[("CHAT_TIMEOUT", "soon"), ("CHAT_CONCURENCY_LIMIT", "2")], "");
    assert_eq!(code, Some(2), "{said}");
    for part in ["CHAT_TIMEOUT = soon", "did you mean CHAT_CONCURRENCY_LIMIT?"] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
}

#[cfg(unix)]
#[test]
fn settings_that_are_no_file_are_refused_instead_of_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let dotenv = folder.path().join(".env");
    let made = Command::new("mkfifo").arg(&dotenv).status();
    assert!(made.expect("mkfifo ran").success());
    let mut child = anteroom(folder.path(), &[("CHAT_CONCURENCY_LIMIT", "2")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let ended = ends(&mut child);
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    std::io::Read::read_to_string(&mut stderr, &mut said).expect("text");
    assert_eq!(ended, Some(2), "{said}");
    for part in [".env", "a pipe is there", "did you mean CHAT_CONCURRENCY_LIMIT?"] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
}

/// The code that a process ends with; one that hangs is ended, and has none.
fn ends(child: &mut Child) -> Option<i32> {
    for _ in 0..600 {
        if let Some(status) = child.try_wait().expect("it is there") {
            return status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().expect("ended");
    child.wait().expect("ended").code()
}

#[test]
fn the_operators_link_is_printed_and_not_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = std::fs::File::create(folder.path().join("log")).expect("a file");
    let mut command = anteroom(folder.path(), &[("SITE_ADDR", "127.0.0.1:0"), ("RUST_LOG", "trace")]);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it runs");
    let output = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines();
    let greeting = lines.next().expect("a line").expect("text");
    let link = lines.next().expect("a second line").expect("text");
    child.kill().expect("it ran");
    child.wait().expect("it has ended");
    let address = greeting.split_whitespace().find(|word| word.starts_with("http://"));
    let start = format!("The operator's link: {}/operator?key=", address.expect("an address"));
    let key = link.strip_prefix(&start).unwrap_or_else(|| panic!("{link}"));
    assert!(key.len() >= 32, "{link}");
    let log = std::fs::read_to_string(folder.path().join("log")).expect("text");
    assert!(log.contains("listening") && !log.contains(key), "{log}");
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, said) = refused(&[("SITE_ADDR", &address)], "");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&address) && said.contains("in use") && said.contains("SITE_ADDR"),
        "{said}"
    );
}

#[test]
fn an_address_for_other_nodes_that_cannot_be_had_is_told_before_anything_is_begun() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let in_use = taken.local_addr().expect("an address").to_string();
    for (address, told) in [
        (&*in_use, "is in use by another program"),
        // For documents alone (RFC 5737, RFC 6761): no machine has it, and no name leads anywhere.
        ("192.0.2.1:3001", "is not an address of this machine"),
        ("nowhere.invalid:3001", "no address is known of nowhere.invalid:3001"),
    ] {
        let (code, said) = refused(
            &[
                ("SITE_ADDR", "127.0.0.1:0"),
                ("NODE_ADDR", address),
                ("DATABASE_URL", "postgres://127.0.0.1:1/anteroom"),
                ("SECRET_KEY", "a-key-that-is-of-use-to-nobody-but-tests"),
            ],
            "",
        );
        assert_eq!(code, Some(1), "{said}");
        for part in [address, told, "NODE_ADDR"] {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    }
}

#[test]
fn arguments_that_do_not_exist_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = anteroom(folder.path(), &[])
        .arg("--frobnicate")
        .output()
        .expect("it ran");
    assert_eq!(output.status.code(), Some(2));
    let output = anteroom(folder.path(), &[]).arg("--version").output().expect("it ran");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains(anteroom::engine::VERSION));
}

#[test]
fn it_says_where_it_is_and_who_answers_and_takes_an_old_env() {
    let server = Server::start(
        &[],
        "GRADIO_CONCURRENCY_LIMIT=4\nGRADIO_ENABLE_QUEUE=True\nGRADIO_MAX_THREADS=40\n",
    );
    assert!(server.greeting.contains("demo@builtin answers"), "{}", server.greeting);
    assert_ne!(server.address, "127.0.0.1:0");
}

#[cfg(unix)]
#[test]
fn a_sigterm_ends_it_well() {
    let mut server = Server::start(&[], "");
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill ran")
            .success()
    );
    let status = server.child.wait().expect("it ended");
    assert_eq!(status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn half_requests_shut_nobody_out_for_long() {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
        time::Duration,
    };
    const DESCRIPTORS: u32 = 256;
    let server = Server::start_with_descriptors(DESCRIPTORS);
    let half = || -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&server.address)?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ")?;
        Ok(stream)
    };
    let halves: Vec<_> = (0..DESCRIPTORS + 44)
        .map(|_| half().expect("room in the backlog"))
        .collect();
    let mut asking = TcpStream::connect(&server.address).expect("room in the backlog");
    // Only against a test that never ends: what is waited for is the answer.
    asking.set_read_timeout(Some(Duration::from_secs(300))).expect("a time");
    asking
        .write_all(b"GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        .expect("written");
    let mut answer = String::new();
    asking.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(halves);
}

#[test]
fn a_node_refuses_visitors_until_it_takes_part_and_one_alone_has_them_wait() {
    let free = || format!("127.0.0.1:{}", anteroom_pgtest::free_port());
    for is_node in [true, false] {
        // A database that never answers: the start goes no further.
        let database = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = database.local_addr().expect("it is bound");
        let (site, node) = (free(), free());
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = anteroom(
            folder.path(),
            &[("SECRET_KEY", "a-key-that-is-of-use-to-nobody-but-tests")],
        );
        command
            .env("DATABASE_URL", format!("postgres://somebody:hush@{at}/anteroom"))
            .env("SITE_ADDR", &site)
            .stderr(Stdio::null());
        if is_node {
            command.env("NODE_ADDR", &node);
        }
        let mut child = command.spawn().expect("it runs");
        let asked = database.accept();
        let comes_in = TcpStream::connect(&site).is_ok();
        let others_come_in = TcpStream::connect(&node).is_ok();
        child.kill().expect("it ran");
        child.wait().expect("it ended");
        asked.expect("it asks the database");
        assert_eq!((comes_in, others_come_in), (!is_node, is_node));
    }
}

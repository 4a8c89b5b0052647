//! The server as its operator meets it: its start, its refusals to start, its end.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
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
        let mut command = anteroom(folder.path(), settings);
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

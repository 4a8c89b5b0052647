use std::process::Command;

use super::*;

/// What the child of the next test is told by.
const CHILD: &str = "PGTEST_CHILD";

#[test]
fn a_cluster_keeps_what_was_committed_through_a_stop_and_a_crash() {
    let Some(cluster) = shared() else { return };
    let database = cluster.database();
    cluster.sql(&database, "CREATE TABLE kept (number int)");
    assert_eq!(cluster.sql(&database, "SHOW fsync"), "on");
    assert_eq!(cluster.sql(&database, "SHOW synchronous_commit"), "on");
    let own = Cluster::start();
    let database = own.database();
    own.sql(&database, "CREATE TABLE kept (number int); INSERT INTO kept VALUES (1)");
    own.stop();
    own.start_again();
    own.sql(&database, "INSERT INTO kept VALUES (2)");
    own.crash();
    own.start_again();
    assert_eq!(own.sql(&database, "SELECT number FROM kept ORDER BY 1"), "1\n2");
    let folder = own.folder().to_owned();
    drop(own);
    assert!(!folder.exists(), "its data go with it");
}

#[test]
fn no_server_stays_behind_when_the_tests_are_killed() {
    if std::env::var_os(CHILD).is_some() {
        let cluster = Cluster::start();
        println!("\nfolder={}", cluster.folder().display());
        loop {
            std::thread::park();
        }
    }
    if !present() {
        return;
    }
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args([
        "--nocapture",
        "--exact",
        "tests::no_server_stays_behind_when_the_tests_are_killed",
    ]);
    let mut child = command
        .env(CHILD, "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let said = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let folder = said
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("folder=").map(std::path::PathBuf::from))
        .expect("it names its folder");
    let pid = std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("it runs");
    let server = format!("/proc/{}", pid.lines().next().expect("its number"));
    assert!(folder.exists() && std::path::Path::new(&server).exists());
    child.kill().expect("killed");
    child.wait().expect("a child");
    let mut looks = 0;
    while folder.exists() || std::path::Path::new(&server).exists() {
        looks += 1;
        assert!(looks < 600, "it stays behind");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn a_port_is_free_and_no_outgoing_connection_gets_it() {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("a Linux");
    let outgoing: u16 = range
        .split_whitespace()
        .next()
        .and_then(|lowest| lowest.parse().ok())
        .expect("a number");
    for _ in 0..50 {
        let port = free_port();
        assert!(port < outgoing, "{port}");
        // A program that another test is starting has what was open here until it runs.
        let mut looks = 0;
        while std::net::TcpListener::bind(("127.0.0.1", port)).is_err() {
            looks += 1;
            assert!(looks < 100, "{port} is not free");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn a_server_that_has_ended_by_itself_is_only_collected() {
    if !present() {
        return;
    }
    let own = Cluster::start();
    let pid = std::fs::read_to_string(own.folder().join("data/postmaster.pid")).expect("it runs");
    let pid = pid.lines().next().expect("its number");
    let killed = Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status();
    assert!(killed.expect("it runs").success());
    // Ended, and not collected yet.
    let state = format!("/proc/{pid}/stat");
    while !std::fs::read_to_string(&state).expect("a Linux").contains(") Z ") {
        std::thread::yield_now();
    }
    drop(own);
}

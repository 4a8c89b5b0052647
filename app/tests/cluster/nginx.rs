//! nginx in front of the nodes, with the configuration of the documents.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anteroom_pgtest::free_port;
use tempfile::TempDir;

/// Set to anything in the environment, a test that needs nginx fails where there is none.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_NGINX";
/// Far more than it needs to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A load balancer that goes round; ends when it is dropped.
pub(crate) struct Nginx {
    pub(crate) addr: SocketAddr,
    child: Child,
    _folder: TempDir,
}

/// Where nginx is. `None`: it is not installed here, and the test has been said to be skipped.
///
/// # Panics
/// It is not installed, and [`REQUIRED`] is set.
pub(crate) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let program = folders.map(|folder| folder.join("nginx")).find(|file| file.is_file());
    if program.is_none() {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{REQUIRED} is set, and nginx is not installed"
        );
        // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
        let _ = writeln!(std::io::stderr(), "skipped: nginx is not installed");
    }
    program
}

impl Nginx {
    pub(crate) fn start(program: PathBuf, nodes: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let documented = include_str!("../../../docs/nginx.conf");
        let servers: Vec<String> = nodes
            .iter()
            .map(|node| format!("    server {node} max_fails=0;"))
            .collect();
        let mut lines: Vec<String> = documented.lines().map(str::to_owned).collect();
        let named: Vec<usize> = (0..lines.len())
            .filter(|at| lines[*at].contains("server 10.0.0."))
            .collect();
        assert_eq!(named.len(), nodes.len(), "the document has as many nodes");
        for (at, server) in named.into_iter().zip(servers) {
            lines[at] = server;
        }
        let site = lines
            .join("\n")
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        fs::write(folder.path().join("site.conf"), site).expect("written");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("    {name}_temp_path {}/{name};\n", folder.path().display()))
            .collect();
        let main = format!(
            "daemon off;\nmaster_process off;\nerror_log stderr error;\npid {0}/pid;\nevents {{ worker_connections 1024; }}\nhttp {{\n    \
             access_log off;\n{temporary}    include {0}/site.conf;\n}}\n",
            folder.path().display()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, main).expect("written");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        // It says of each node that goes that it went.
        let child = command.stderr(Stdio::null()).spawn().expect("it runs");
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        while TcpStream::connect(addr).is_err() {
            assert!(begun.elapsed() < PATIENCE, "nginx does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            addr,
            child,
            _folder: folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Somebody who stands between a store and its server, and knows when a transaction is being committed.

use std::sync::{Arc, Mutex};

use anteroom_pgtest::Cluster;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What becomes of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Never,
    /// The server never hears of it.
    Before,
    /// The server makes it, and nobody hears of that.
    After,
    /// The server hears of it only once it is let go on, as where a process is stopped in the middle of its transaction.
    Hold,
}

/// Passes on what a store and its server say.
pub(super) struct Between {
    port: u16,
    cut: Arc<Mutex<Cut>>,
    goes_on: watch::Sender<bool>,
}

impl Between {
    pub(super) async fn stand(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let cut = Arc::new(Mutex::new(Cut::Never));
        let (goes_on, held) = watch::channel(true);
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Its store finds out.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                    tokio::spawn(pass(client, server, Arc::clone(&shared), held.clone()));
                }
            }
        });
        Self { port, cut, goes_on }
    }

    /// The address of a database of this cluster, by way of here.
    pub(super) fn url(&self, cluster: &Cluster, database: &str) -> String {
        let url = cluster.url(database);
        url.replace(&format!(":{}/", cluster.port()), &format!(":{}/", self.port))
    }

    pub(super) fn next(&self, cut: Cut) {
        self.goes_on.send_replace(cut != Cut::Hold);
        *self.cut.lock().expect("no panic") = cut;
    }

    /// Whether what was to happen to the next commit is happening.
    pub(super) fn is_at_it(&self) -> bool {
        *self.cut.lock().expect("no panic") == Cut::Never
    }

    /// What is held goes on.
    pub(super) fn go_on(&self) {
        self.goes_on.send_replace(true);
    }
}

/// Ends with the connection, or where it is cut.
async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Arc<Mutex<Cut>>, mut goes_on: watch::Receiver<bool>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(bytes) = client.read(&mut asked) => {
                let said = &asked[..bytes];
                let commits = said.windows(7).any(|window| window == b"COMMIT\0");
                let now = if commits {
                    std::mem::replace(&mut *cut.lock().expect("no panic"), Cut::Never)
                } else {
                    Cut::Never
                };
                if now == Cut::Hold && goes_on.wait_for(|goes_on| *goes_on).await.is_err() {
                    return;
                }
                if bytes == 0 || now == Cut::Before || server.write_all(said).await.is_err() {
                    return;
                }
                if now == Cut::After {
                    // It is made once this comes.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            Ok(bytes) = server.read(&mut answered) => {
                if bytes == 0 || client.write_all(&answered[..bytes]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

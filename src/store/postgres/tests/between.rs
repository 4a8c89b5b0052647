//! Somebody who stands between a store and its server, and knows when a transaction is being committed.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

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
    answers: Arc<AtomicU64>,
}

impl Between {
    pub(super) async fn stand(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let cut = Arc::new(Mutex::new(Cut::Never));
        let (goes_on, held) = watch::channel(true);
        let shared = Arc::clone(&cut);
        let answers = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Its store finds out.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                    tokio::spawn(pass(
                        client,
                        server,
                        Arc::clone(&shared),
                        held.clone(),
                        Answers::new(&counted),
                    ));
                }
            }
        });
        Self {
            port,
            cut,
            goes_on,
            answers,
        }
    }

    /// How often the server has said that it is ready for more: so many ways there have been to it and back.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
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

/// The names of statements that are a transaction each, as a store has told them to its server.
#[derive(Default)]
struct Wholes(HashSet<Vec<u8>>);

impl Wholes {
    /// Whether one of them is made now.
    fn hear(&mut self, said: &[u8]) -> bool {
        // Behind the kind of a message and its length.
        let text = |at: usize| said.get(5 + at..).and_then(|rest| rest.split(|byte| *byte == 0).next());
        match said.first() {
            Some(b'P') => {
                let takes_row = said.windows(26).any(|window| window == b"WITH held AS (UPDATE nodes");
                self.0.extend(text(0).filter(|_| takes_row).map(<[u8]>::to_vec));
                false
            }
            // First comes the name of a portal, which is none.
            Some(b'B') => text(1).is_some_and(|name| self.0.contains(name)),
            _ => false,
        }
    }
}

/// Counts, in what a server says, how often it is ready for the next question.
struct Answers {
    count: Arc<AtomicU64>,
    /// Of the message that has begun: its kind and its length.
    head: Vec<u8>,
    /// What of it is still to come.
    left: usize,
    /// The connection has just been made, and the server may say with one byte that it has no TLS.
    begins: bool,
}

impl Answers {
    fn new(count: &Arc<AtomicU64>) -> Self {
        Self {
            count: Arc::clone(count),
            head: Vec::new(),
            left: 0,
            begins: true,
        }
    }

    fn pass(&mut self, mut said: &[u8]) {
        if std::mem::take(&mut self.begins) && said.first() == Some(&b'N') {
            said = &said[1..];
        }
        for byte in said {
            if self.left > 0 {
                self.left -= 1;
                continue;
            }
            self.head.push(*byte);
            if let [kind, length @ ..] = &self.head[..]
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                // It counts itself.
                self.left = u32::from_be_bytes(length) as usize - 4;
                if *kind == b'Z' {
                    self.count.fetch_add(1, Ordering::Relaxed);
                }
                self.head.clear();
            }
        }
    }
}

/// Ends with the connection, or where it is cut.
async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    cut: Arc<Mutex<Cut>>,
    mut goes_on: watch::Receiver<bool>,
    mut answers: Answers,
) {
    let mut wholes = Wholes::default();
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(bytes) = client.read(&mut asked) => {
                let said = &asked[..bytes];
                let commits = said.windows(7).any(|window| window == b"COMMIT\0") || wholes.hear(said);
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
                answers.pass(&answered[..bytes]);
                if bytes == 0 || client.write_all(&answered[..bytes]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

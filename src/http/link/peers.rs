//! Connections to other nodes: made when they are needed, kept for a moment, and no more at once than a node can take.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{body::Body, http::Request};
use hyper::{
    body::Incoming,
    client::conn::http1::{Builder, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tracing::Instrument as _;

use crate::http::serve;

/// How long a node may take to accept a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// Most bytes that a connection buffers each way. No head of ours is longer.
const BUFFER: usize = 32 * 1024;
/// Most connections to one node that are kept for the next request.
const IDLE: usize = 16;
/// For how long. The other end closes them after fifteen seconds.
const KEPT: Duration = Duration::from_secs(10);
/// Most requests to one node that have not been answered yet, uploads aside, which may wait in line for long.
const AT_ONCE: usize = 256;

/// A connection to another node. Dropped, it is closed, with whatever is under way on it.
pub(super) struct Connection {
    requests: SendRequest<Body>,
    driver: Driver,
    since: Instant,
}

/// What reads and writes the connection. It ends with it.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// A new one.
    ///
    /// # Errors
    /// As the system says; [`io::ErrorKind::TimedOut`] where nobody answers. [`io::ErrorKind::ConnectionRefused`] is certain: all that the
    /// name stands for refuse.
    pub(super) async fn open(address: &str) -> io::Result<Self> {
        let connected = timeout(CONNECT, connect(address)).await;
        let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        serve::prepare(&stream)?;
        let handshake = Builder::new().max_buf_size(BUFFER).handshake(TokioIo::new(stream));
        let (requests, connection) = handshake.await.map_err(io::Error::other)?;
        let driven = async move {
            // Whoever has asked something hears of it.
            let _ = connection.with_upgrades().await;
        };
        Ok(Self {
            requests,
            driver: Driver(tokio::spawn(driven.in_current_span())),
            since: Instant::now(),
        })
    }

    /// Asks, and returns with the head of the answer.
    ///
    /// # Errors
    /// The connection ended before.
    pub(super) async fn ask(&mut self, request: Request<Body>) -> hyper::Result<axum::http::Response<Incoming>> {
        self.requests.ready().await?;
        self.requests.send_request(request).await
    }

    fn is_fresh(&self) -> bool {
        !self.requests.is_closed() && !self.driver.0.is_finished() && self.since.elapsed() < KEPT
    }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let mut fault = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup_host(address).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                fault = error;
            }
            Err(_) => {}
        }
    }
    Err(fault)
}

/// The connections to all nodes.
#[derive(Default)]
pub(super) struct Peers(Mutex<HashMap<String, Peer>>);

struct Peer {
    idle: Vec<Connection>,
    turns: Arc<Semaphore>,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            idle: Vec::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Peers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be made to that node.
    pub(super) async fn turn(&self, address: &str) -> Option<OwnedSemaphorePermit> {
        let turns = Arc::clone(&self.lock().entry(address.to_owned()).or_default().turns);
        // It is never closed.
        turns.acquire_owned().await.ok()
    }

    /// A connection that has been kept.
    pub(super) fn kept(&self, address: &str) -> Option<Connection> {
        let mut peers = self.lock();
        let idle = &mut peers.get_mut(address)?.idle;
        while let Some(connection) = idle.pop() {
            if connection.is_fresh() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, address: &str, mut connection: Connection) {
        connection.since = Instant::now();
        let mut peers = self.lock();
        peers.retain(|_, peer| {
            peer.idle.retain(Connection::is_fresh);
            // Somebody waits for a turn, or has one.
            !peer.idle.is_empty() || Arc::strong_count(&peer.turns) > 1
        });
        let idle = &mut peers.entry(address.to_owned()).or_default().idle;
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    /// Forgets what was kept for a node that cannot be reached.
    pub(super) fn forget(&self, address: &str) {
        let forgotten = self.lock().get_mut(address).map(|peer| std::mem::take(&mut peer.idle));
        drop(forgotten);
    }

    /// How many are kept for a node.
    #[cfg(test)]
    pub(super) fn idle(&self, address: &str) -> usize {
        self.lock().get(address).map_or(0, |peer| peer.idle.len())
    }
}

/// A connection in use, and where it is kept afterwards.
pub(super) struct Kept {
    pub(super) connection: Connection,
    pub(super) peers: Arc<Peers>,
    pub(super) address: String,
    /// Not one that has been used for something that cannot be followed by another request.
    pub(super) again: bool,
}

impl Kept {
    /// It has been used up, and serves another request.
    pub(super) fn keep(self) {
        if self.again {
            self.peers.keep(&self.address, self.connection);
        }
    }
}

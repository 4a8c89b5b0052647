//! The server and its handle.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
    serve::ListenerExt as _,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    chat, control,
    gates::Gates,
    knobs::{KnobError, Knobs, Reply},
    record::{Record, Recorder},
};

/// How requests are answered that do not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Time to the first piece.
    pub first_token: Duration,
    /// Time between pieces.
    pub pace: Duration,
    /// Pieces of an answer; at least 1.
    pub tokens: usize,
}

impl Default for Config {
    /// At once, ten pieces.
    fn default() -> Self {
        Self {
            first_token: Duration::ZERO,
            pace: Duration::ZERO,
            tokens: 10,
        }
    }
}

impl From<Config> for Knobs {
    fn from(config: Config) -> Self {
        Self {
            first_token: config.first_token,
            pace: config.pace,
            tokens: config.tokens,
            reply: Reply::default(),
            fault: None,
            finish: None,
            times: None,
            retry_after: None,
            gate: None,
            after: 1,
            hold: false,
        }
    }
}

/// A running server on 127.0.0.1. It stops when this is dropped: requests being answered are broken off.
#[derive(Debug)]
pub struct Loopback {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

impl Loopback {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// No port can be bound.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::start_at(config, 0).await
    }

    /// Starts a server on this port; 0 is any free one.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start_at(config: Config, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            config,
            knobs: Mutex::new(config.into()),
            faults_met: Mutex::default(),
            recorder: Recorder::new(),
            gates: Gates::new(),
            stop: CancellationToken::new(),
        });
        let recorder = Arc::clone(&shared.recorder);
        let listener = listener.tap_io(move |stream| {
            recorder.connected();
            // Pieces are small and must not wait for each other.
            drop(stream.set_nodelay(true));
        });
        let stop = shared.stop.clone();
        let server = axum::serve(listener, router(Arc::clone(&shared)))
            .with_graceful_shutdown(async move { stop.cancelled().await });
        Ok(Self {
            addr,
            shared,
            server: tokio::spawn(async move { server.await }),
        })
    }

    /// What belongs in `OPENAI_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// What it saw until now.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.recorder.record()
    }

    /// Returns once the record meets a condition, which is asked again whenever the record changes.
    pub async fn until(&self, mut condition: impl FnMut(&Record) -> bool) {
        let mut changes = self.shared.recorder.changes();
        while !self.shared.recorder.check(&mut condition) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Turns one knob for all requests that come; see [`Knobs`] for names and values.
    ///
    /// # Errors
    /// There is no such knob, or it cannot take the value.
    pub fn set(&self, name: &str, value: &str) -> Result<(), KnobError> {
        self.shared.turn([(name, value)]).map(drop)
    }

    /// Whether requests to come are held after their first piece until released one by one. `false` also lets all go
    /// that are held.
    pub fn hold(&self, hold: bool) {
        self.shared.lock_knobs().hold = hold;
        if !hold {
            self.shared.gates.lift_hold();
        }
    }

    /// Lets the request go on that has been held longest; where none is, the next one will not be held.
    pub fn release_one(&self) {
        self.shared.gates.release_one();
    }

    /// Opens the gate of this name, now and for those who come later.
    pub fn open(&self, name: &str) {
        self.shared.gates.open(name);
    }

    /// Everything as after the start: knobs, gates and counts; what is held goes on. Requests that are being answered
    /// stay in the record.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops, and returns once the port is closed and every connection has ended.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        let _outcome = (&mut self.server).await;
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/models", get(chat::models))
        .route("/control", post(control::set))
        .route("/control/record", get(control::record))
        .route("/control/reset", post(control::reset))
        .route("/control/open/{name}", post(control::open))
        .route("/control/release", post(control::release))
        // Images come inline.
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    knobs: Mutex<Knobs>,
    /// How often a message has met its fault, for `times`.
    faults_met: Mutex<HashMap<String, u64>>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) gates: Gates,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn knobs(&self) -> Knobs {
        self.lock_knobs().clone()
    }

    /// Turns all these knobs, or none.
    pub(crate) fn turn<'a>(&self, changes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Knobs, KnobError> {
        let mut knobs = self.lock_knobs();
        let mut changed = knobs.clone();
        for (name, value) in changes {
            changed.set(name, value)?;
        }
        if knobs.hold && !changed.hold {
            self.gates.lift_hold();
        }
        knobs.clone_from(&changed);
        Ok(changed)
    }

    /// Whether a message still has to fail, counting this time.
    pub(crate) fn fault_is_due(&self, message: &str, times: Option<u64>) -> bool {
        let Some(times) = times else { return true };
        let mut met = self.faults_met.lock().unwrap_or_else(PoisonError::into_inner);
        let count = met.entry(message.to_owned()).or_default();
        *count += 1;
        *count <= times
    }

    pub(crate) fn reset(&self) {
        *self.lock_knobs() = self.config.into();
        self.faults_met.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.gates.reset();
        self.recorder.reset();
    }

    fn lock_knobs(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A server and its handle.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    chat, control,
    door::{self, Port},
    knobs::{Knobs, Reply, RetryAfter},
    record::{Record, Recorder},
    shared::{Shared, Turned},
    traits::Traits,
    values::KnobError,
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
            prefill: Duration::ZERO,
            pace: config.pace,
            tokens: config.tokens,
            reasoning: 0,
            before: 0,
            reply: Reply::default(),
            called: None,
            fault: None,
            finish: None,
            times: None,
            retry_after: RetryAfter::default(),
            gate: None,
            after: 1,
            hold: false,
        }
    }
}

/// A server to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// 0 is any free one.
    pub(crate) port: u16,
    pub(crate) turned: Turned,
}

impl Plan {
    pub(crate) fn new(name: &str, config: Config) -> Self {
        Self {
            name: name.to_owned(),
            port: 0,
            turned: Turned {
                knobs: config.into(),
                traits: Traits::default(),
            },
        }
    }
}

/// What servers of one process have in common.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// When times begin.
    pub(crate) start: Instant,
    /// Hears of every change of a record.
    pub(crate) changed: watch::Sender<()>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            changed: watch::Sender::new(()),
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
        let plan = Plan {
            port,
            ..Plan::new("loopback", config)
        };
        Self::begin(plan, Clock::start())
    }

    pub(crate) fn begin(plan: Plan, clock: Clock) -> io::Result<Self> {
        let port = Port::hold(plan.port)?;
        let (addr, listener) = (port.addr(), port.listen()?);
        let recorder = Recorder::new(clock.start, clock.changed);
        let shared = Shared::new(plan.name, plan.turned, recorder);
        let router = router(Arc::clone(&shared));
        Ok(Self {
            addr,
            server: tokio::spawn(door::keep(Arc::clone(&shared), port, listener, router)),
            shared,
        })
    }

    /// Its name among others: `loopback`, if it was started alone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What belongs in `OPENAI_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// The table of a `backends.toml` that says where it is, and `more`: lines such as `limit = 2`.
    #[must_use]
    pub fn backend_toml(&self, more: &str) -> String {
        format!(
            "[[backend]]\nname = \"{}\"\nprovider = \"openai\"\nurl = \"{}\"\n{}\n\n",
            self.name(),
            self.base_url(),
            more.trim()
        )
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

    /// Turns one knob for all requests that come; see [`Knobs`] and [`Traits`] for names and values.
    ///
    /// # Errors
    /// There is no such knob, or it cannot take the value.
    pub fn set(&self, name: &str, value: &str) -> Result<(), KnobError> {
        self.shared.turn([(name, value)]).map(drop)
    }

    /// Goes down as a crash does: breaks off what is being answered, and refuses connections. Returns once it has.
    ///
    /// # Errors
    /// It has ended.
    pub async fn kill(&self) -> io::Result<()> {
        self.set("door", "closed").map_err(io::Error::other)?;
        self.shared.settled().await
    }

    /// Comes back, on the same port. Returns once it has.
    ///
    /// # Errors
    /// It has ended.
    pub async fn revive(&self) -> io::Result<()> {
        self.set("door", "open").map_err(io::Error::other)?;
        self.shared.settled().await
    }

    /// Whether requests to come are held after their first piece until released one by one. `false` also lets all go
    /// that are held.
    pub fn hold(&self, hold: bool) {
        self.shared.hold(hold);
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
    /// stay in the record. A server that is down comes back soon.
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

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
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
        .route("/v1/embeddings", post(chat::embeddings))
        .route("/v1/models", get(chat::models))
        .route("/health", get(chat::health))
        // Images come inline.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&shared))
        .nest("/control", control::router(shared))
}

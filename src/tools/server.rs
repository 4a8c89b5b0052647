//! One server: when it is connected to, for whom, and for how long.
//!
//! Nothing is started before its first use. Whoever needs it while it is being connected to waits for the same connection. It closes when
//! nobody has used it for a while; one that fails is left to its last call. After a failure the server is out of service for a moment, which
//! doubles with each; then whoever needs it next tries it again.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::service::Subscription;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::{
    connection::{Connection, Gives, InUse, next},
    dial::{Dial, Dialed},
    error::Trouble,
    listing::Listing,
    view::{ServerState, ServerView},
};
use crate::{
    clock::now_ms,
    queue::{EventIndex, EventPolicy, Owner, Permit, Policy, Queue},
    settings::ToolServer,
};

/// How long a server is out of service after it has failed once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a connection may take to close.
const CLOSE: Duration = Duration::from_secs(5);
/// Its tools are not listed anew more often than this.
const LISTED: Duration = Duration::from_secs(1);

/// A server as the settings have it. One that has been edited is another server.
pub(super) struct Server {
    pub(super) settings: Arc<ToolServer>,
    dial: Arc<dyn Dial>,
    /// The line before it, where it has a limit: a fair one, as before a model. May be that of other connections, too.
    pub(super) line: Option<Queue>,
    state: Mutex<State>,
    /// Calls that are running, or wait for the connection.
    running: AtomicUsize,
    /// It is no server of the settings any more.
    retired: CancellationToken,
    /// Anteroom ends.
    closing: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// In a row.
    failures: u32,
    /// When the first of them was, while it is out of service.
    since: Option<u64>,
    /// What it has, as far as it has ever said so.
    listing: Option<Arc<Listing>>,
    /// What else it has, likewise.
    gives: Option<Gives>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    /// Holds what became of it, once that is known.
    Connecting(watch::Receiver<Option<Result<(), Trouble>>>),
    Connected(Arc<Connection>),
    OutOfService {
        trouble: Trouble,
        since: u64,
        until: Instant,
    },
}

/// What is known of a server's tools without asking it.
pub(super) enum Known {
    Tools(Arc<Listing>),
    /// It has to be connected to first.
    Nothing,
    OutOfService(Trouble),
}

/// One of the calls that a server takes at once.
#[derive(Debug, Default)]
pub struct ServerSlot {
    _permit: Option<Permit>,
}

/// What the line of a server is for.
const CALL: EventIndex = EventIndex(0);

/// The line before a server that takes so many calls at once: without bounds, and never closed, so that nobody is refused.
pub(super) fn line(limit: usize) -> Queue {
    Queue::new(Policy::new([EventPolicy::new("call", limit)]), Arc::new(()))
}

impl ServerSlot {
    /// One of these, once one is free and it is this owner's turn; `None`: there are as many as there are calls. Owners take turns: who asks for
    /// many keeps nobody else waiting for all of them. Cancel-safe.
    pub(super) async fn of(line: Option<Queue>, owner: Owner) -> Self {
        let joined = line.map(|line| line.join(CALL, owner, Instant::now()));
        let permit = match joined {
            Some(Ok(mut ticket)) => ticket.admitted().await.ok(),
            Some(Err(_)) | None => None,
        };
        Self { _permit: permit }
    }
}

/// A call is counted as long as this lives.
pub(super) struct Running<'s>(&'s AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    pub(super) fn new(
        settings: Arc<ToolServer>,
        line: Option<Queue>,
        dial: Arc<dyn Dial>,
        closing: CancellationToken,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            line,
            settings,
            dial,
            state: Mutex::default(),
            running: AtomicUsize::new(0),
            retired: CancellationToken::new(),
            closing,
            tasks,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever calls, or waits for it, does so to the end; then it closes.
    pub(super) fn retire(&self) {
        self.retired.cancel();
    }

    pub(super) fn listing(&self) -> Option<Arc<Listing>> {
        self.lock().listing.clone()
    }

    /// What it has beside tools, as far as it has ever said so.
    pub(super) fn gives(&self) -> Option<Gives> {
        self.lock().gives
    }

    pub(super) fn known(&self) -> Known {
        let state = self.lock();
        match (&state.phase, &state.listing) {
            (Phase::OutOfService { trouble, until, .. }, _) if Instant::now() < *until => {
                Known::OutOfService(trouble.clone())
            }
            // It may be there again.
            (Phase::OutOfService { .. }, _) | (_, None) => Known::Nothing,
            (_, Some(listing)) => Known::Tools(Arc::clone(listing)),
        }
    }

    pub(super) fn running(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(&self.running)
    }

    pub(super) fn view(&self) -> ServerView {
        let state = self.lock();
        ServerView {
            name: self.settings.name.clone(),
            transport: self.settings.transport.name(),
            state: match &state.phase {
                Phase::Idle => ServerState::Idle,
                Phase::Connecting(_) => ServerState::Connecting,
                Phase::Connected(_) => ServerState::Connected,
                Phase::OutOfService { trouble, since, until } => ServerState::OutOfService {
                    trouble: trouble.clone(),
                    since: *since,
                    again_in: until.saturating_duration_since(Instant::now()),
                },
            },
            tools: state.listing.as_ref().map(|listing| listing.tools.len()),
            running: self.running.load(Ordering::Relaxed),
        }
    }

    /// Its connection, which does not close while this lives. Connects where there is none: once, however many need it.
    pub(super) async fn connection(self: &Arc<Self>) -> Result<InUse, Trouble> {
        loop {
            let mut outcome = {
                let mut state = self.lock();
                match &state.phase {
                    Phase::Connected(connection) => return Ok(connection.in_use()),
                    Phase::Connecting(outcome) => outcome.clone(),
                    Phase::OutOfService { trouble, until, .. } if Instant::now() < *until => {
                        return Err(trouble.clone());
                    }
                    Phase::Idle | Phase::OutOfService { .. } => {
                        if self.closing.is_cancelled() {
                            return Err(Trouble::Closing);
                        }
                        let (tell, outcome) = watch::channel(None);
                        state.phase = Phase::Connecting(outcome.clone());
                        // Of no session's: the connection is everybody's, and whoever comes first may leave.
                        let span = info_span!(parent: None, "tools", server = self.settings.name);
                        self.tasks.spawn(Arc::clone(self).run(tell).instrument(span));
                        outcome
                    }
                }
            };
            let outcome = match outcome.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone(),
                // Its task is gone without a word.
                Err(_) => None,
            };
            match outcome {
                Some(Ok(())) => {}
                Some(Err(trouble)) => return Err(trouble),
                None => {
                    let trouble = Trouble::Ended { code: None };
                    let mut state = self.lock();
                    if matches!(&state.phase, Phase::Connecting(outcome) if outcome.has_changed().is_err()) {
                        state.fail(trouble.clone());
                    }
                    return Err(trouble);
                }
            }
        }
    }

    /// This connection is of no use any more, for this reason or one that it knows itself. It closes after its last call.
    pub(super) fn lost(&self, connection: &Arc<Connection>, trouble: Option<Trouble>) {
        connection.over.cancel();
        let mut state = self.lock();
        if matches!(&state.phase, Phase::Connected(current) if Arc::ptr_eq(current, connection)) {
            if connection.is_proven() {
                state.failures = 0;
            }
            state.fail(trouble.unwrap_or_else(|| connection.how_it_ended()));
        }
    }

    /// Connects, and keeps the connection until it is over.
    async fn run(self: Arc<Self>, tell: watch::Sender<Option<Result<(), Trouble>>>) {
        let longest = self.settings.connect_timeout;
        let connecting = timeout(longest, self.connect());
        let outcome = tokio::select! {
            outcome = connecting => outcome.unwrap_or_else(|_| {
                Err(Trouble::TooSlow { seconds: longest.as_secs_f64().ceil() as u64 })
            }),
            () = self.closing.cancelled() => Err(Trouble::Closing),
        };
        match outcome {
            Ok((dialed, connection, listing)) => {
                info!(tools = listing.tools.len(), "a server of tools is connected");
                {
                    let mut state = self.lock();
                    state.listing = Some(Arc::new(listing));
                    state.gives = Some(connection.gives());
                    state.since = None;
                    state.phase = Phase::Connected(Arc::clone(&connection));
                }
                tell.send_replace(Some(Ok(())));
                drop(tell);
                self.mind(dialed, connection).await;
            }
            Err(trouble) => {
                // In its own words it may repeat what one person has given.
                match self.settings.has_own() {
                    false => warn!(code = trouble.code(), "a server of tools is out of service: {trouble}"),
                    true => info!(
                        code = trouble.code(),
                        "a person's own connection to a server of tools fails"
                    ),
                }
                self.lock().fail(trouble.clone());
                tell.send_replace(Some(Err(trouble)));
            }
        }
    }

    async fn connect(&self) -> Result<(Dialed, Arc<Connection>, Listing), Trouble> {
        let mut dialed = self.dial.dial(&self.settings).await?;
        let connection = Arc::new(Connection::new(&mut dialed, self.tasks.clone()));
        let listing = Listing::new(&self.settings, connection.list().await?);
        Ok((dialed, connection, listing))
    }

    /// Keeps a connection: until it is over by itself, nobody has used it for long enough, or nobody may any more.
    async fn mind(&self, dialed: Dialed, connection: Arc<Connection>) {
        let Dialed { running, changed, .. } = dialed;
        let stop = running.cancellation_token();
        let mut ended = pin!(running.waiting());
        let mut users = connection.users.subscribe();
        let mut subscription: Option<Subscription> = connection.subscribe().await;
        let mut quiet_since = Instant::now();
        let mut listed_at = Instant::now();
        let mut list_anew = false;
        loop {
            let is_quiet = *users.borrow_and_update() == 0;
            let is_last = self.retired.is_cancelled() || connection.over.is_cancelled();
            if is_quiet && is_last && self.put_away(&connection) {
                debug!("a server of tools is left");
                break;
            }
            tokio::select! {
                _ = &mut ended => {
                    self.lost(&connection, None);
                    return;
                }
                () = self.retired.cancelled(), if !is_last => {}
                () = connection.over.cancelled(), if !is_last => {}
                _ = users.changed() => quiet_since = Instant::now(),
                () = sleep_until(quiet_since + self.settings.idle), if is_quiet => {
                    if self.put_away(&connection) {
                        debug!("nobody has used a server of tools for a while: its connection is closed");
                        break;
                    }
                }
                () = changed.notified() => list_anew = true,
                goes_on = next(&mut subscription) => {
                    list_anew = true;
                    if !goes_on {
                        subscription = None;
                    }
                }
                () = sleep_until(listed_at + LISTED), if list_anew => {
                    list_anew = false;
                    self.list(&connection).await;
                    listed_at = Instant::now();
                }
                () = self.closing.cancelled() => break,
            }
        }
        drop(subscription);
        stop.cancel();
        if timeout(CLOSE, ended).await.is_err() {
            debug!("a server of tools does not close in time");
        }
    }

    /// Its tools are others now.
    async fn list(&self, connection: &Connection) {
        match timeout(self.settings.connect_timeout, connection.list()).await {
            Ok(Ok(tools)) => {
                let listing = Listing::new(&self.settings, tools);
                debug!(tools = listing.tools.len(), "a server has other tools now");
                self.lock().listing = Some(Arc::new(listing));
            }
            // Those that are known stay; one that is not there any more fails when it is called.
            Ok(Err(trouble)) => debug!(code = trouble.code(), "a server does not say which tools it has now"),
            Err(_) => debug!("a server does not say in time which tools it has now"),
        }
    }

    /// Takes the connection from those that would use it next, unless somebody uses it.
    fn put_away(&self, connection: &Arc<Connection>) -> bool {
        let mut state = self.lock();
        if *connection.users.borrow() > 0 {
            return false;
        }
        if matches!(&state.phase, Phase::Connected(current) if Arc::ptr_eq(current, connection)) {
            state.phase = Phase::Idle;
            if connection.is_proven() {
                state.failures = 0;
            }
        }
        true
    }
}

impl State {
    fn fail(&mut self, trouble: Trouble) {
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u32 << (self.failures - 1).min(10);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        self.phase = Phase::OutOfService {
            trouble,
            since: *self.since.get_or_insert_with(now_ms),
            until: Instant::now() + pause,
        };
    }
}

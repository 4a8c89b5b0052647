//! The engine: every room, put together.

mod backends;
mod charts;
mod context;
mod feeds;
mod gauges;
mod housekeeping;
mod keys;
mod moves;
mod nodes;
mod operator;
mod refreshes;
mod retune;
mod shutdown;
mod start;
mod toolbox;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::warn;

use crate::{
    accounts::{Principal, Role, keys::Keys, passes::Revocations, rates::Rates},
    agents::{AgentFactory, Backends},
    clock::now_ms,
    conversations::Conversations,
    credentials::Credentials,
    files::Vault,
    logs::Logs,
    nodes::{Homes, Membership},
    programs::Programs,
    queue::Queue,
    sessions::{CookieJar, Session, SessionId, Sessions, View, status},
    settings::{Secret, Settings},
    stats::Stats,
    store::{Store, StoreError},
    tasks::Tasks,
    tools::{Asker, Tools},
    wire::{FeedPosition, FileId, LogsView, RefreshKind, StatsView, Status},
};
pub use feeds::{Feeds, OpenFeed};
use refreshes::Refreshes;
use retune::ActiveSettings;
use toolbox::Toolshed;

/// Anteroom's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything behind the doors.
pub struct Engine {
    active_settings: Arc<ActiveSettings>,
    queue: Queue,
    sessions: Arc<Sessions>,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    conversations: Conversations,
    programs: Programs,
    kept_tasks: Tasks,
    refreshes: Refreshes,
    stats: Arc<Stats>,
    logs: Logs,
    jar: CookieJar,
    keys: Arc<Keys>,
    rates: Arc<Rates>,
    /// In force where the settings have none.
    operator_key: Secret,
    agents: Arc<dyn AgentFactory>,
    backends: Arc<Backends>,
    tools: Tools,
    credentials: Credentials,
    /// `None`: this process keeps its line alone.
    membership: Option<Arc<Membership>>,
    /// What the charts were drawn of last.
    minutes: charts::Minutes,
    feeds: Feeds,
    revocations: Revocations,
    homes: Arc<dyn Homes>,
    moves: moves::Moves,
    tasks: TaskTracker,
    closed: AtomicBool,
    closing: CancellationToken,
}

impl Engine {
    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.active_settings.settings()
    }

    /// The queue.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The sessions in memory.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Where conversations and turns are kept.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Where the contents of uploaded files are.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The conversations, and the turns on their way.
    #[must_use]
    pub const fn conversations(&self) -> &Conversations {
        &self.conversations
    }

    /// The requests of programs on their way.
    #[must_use]
    pub const fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The tasks of programs.
    #[must_use]
    pub const fn tasks(&self) -> &Tasks {
        &self.kept_tasks
    }

    /// The cookies.
    #[must_use]
    pub const fn jar(&self) -> &CookieJar {
        &self.jar
    }

    /// The model that a new conversation starts with, as people should see it.
    #[must_use]
    pub fn model(&self) -> String {
        self.agents.model()
    }

    /// The back ends.
    #[must_use]
    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// The servers of tools.
    #[must_use]
    pub const fn tools(&self) -> &Tools {
        &self.tools
    }

    /// What people have given of their own for servers of tools.
    pub(crate) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Somebody, as servers of tools are asked for what they have for people.
    pub async fn asker(&self, who: Principal) -> Asker {
        Asker {
            principal: Some(who),
            person: self.credentials.person(who.owner()).await,
        }
    }

    /// Whether some server of tools asks for something of each person's own.
    #[must_use]
    pub fn asks_for_credentials(&self) -> bool {
        self.credentials.are_asked_for()
    }

    /// The feeds that are open.
    #[must_use]
    pub const fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Passes that are revoked.
    #[must_use]
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Where sessions are at home.
    #[must_use]
    pub fn homes(&self) -> &Arc<dyn Homes> {
        &self.homes
    }

    /// Hears when the line has changed, a moment later and once for all changes of that moment.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<()> {
        self.moves.follow()
    }

    /// Has the shutdown wait until the token is dropped.
    pub fn hold(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Whether it is shutting down.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Cancelled when the engine shuts down: feeds close then.
    #[must_use]
    pub const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Where a session and the line stand.
    #[must_use]
    pub fn status(&self, session: Option<&Session>) -> Status {
        status::of(&self.queue, &self.backends, session)
    }

    /// Whether any line has somebody in it.
    pub(crate) fn is_anybody_waiting(&self) -> bool {
        self.queue.waiting() > 0
    }

    /// Where a session's feed is now. One that is not in memory has no feed yet: what it asks for from the nil epoch
    /// is then all there is.
    #[must_use]
    pub fn feed_position(&self, session: Option<&Session>) -> FeedPosition {
        session.map_or(
            FeedPosition {
                epoch: uuid::Uuid::nil(),
                number: 0,
            },
            |session| session.journal().position(),
        )
    }

    /// Whether a tab is there for this role.
    #[must_use]
    pub fn shows(&self, kind: RefreshKind, role: Role) -> bool {
        let settings = self.settings();
        let audience = match kind {
            RefreshKind::Stats => settings.stats_tab,
            RefreshKind::Logs => settings.logs_tab,
        };
        audience.includes(role)
    }

    /// Asks for the figures or the records, as this principal may see them; they come over the session's feed when the line lets
    /// them.
    pub fn refresh(self: &Arc<Self>, session: &Arc<Session>, kind: RefreshKind, who: Principal) {
        let engine = Arc::clone(self);
        let is_quick = kind == RefreshKind::Logs && who.role == Role::Visitor && self.logs.are_few(session.id());
        self.refreshes
            .ask(who.owner(), session, kind, is_quick, move || match kind {
                RefreshKind::Stats => View::Stats(Box::new(engine.stats_view(who.role))),
                RefreshKind::Logs => View::Logs(Box::new(engine.logs_view(who.session, who.role))),
            });
    }

    /// The stats tab.
    #[must_use]
    pub fn stats_view(&self, role: Role) -> StatsView {
        let settings = self.active_settings.view(role);
        let view = self.stats.view(&self.gauges(), role, self.model(), settings);
        let keys = (role == Role::Operator).then(|| self.keys.valid(now_ms()) as u64);
        StatsView { keys, ..view }
    }

    /// The logs tab of a session. What the start has logged names addresses and paths.
    fn logs_view(&self, id: SessionId, role: Role) -> LogsView {
        match role {
            Role::Operator => self.logs.view(id),
            Role::Visitor => self.logs.own(id),
        }
    }

    /// The figures for Prometheus.
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.stats.prometheus(&self.gauges())
    }

    /// Removes everything of the principal permanently: what is on its way, what is stored, its files, and the records and pages of the
    /// session.
    ///
    /// # Errors
    /// The store's; what is stored has not changed then.
    pub async fn forget(&self, who: Principal) -> Result<(), StoreError> {
        self.programs.forget(who.owner());
        self.kept_tasks.forget(who.owner());
        let person = self.credentials.person(who.owner()).await;
        let files = self.conversations.forget(who.owner()).await?;
        self.credentials.let_go(person.all());
        self.remove_files(&files).await;
        self.logs.forget(who.session);
        // Its pages begin again, with nothing.
        self.sessions.dismiss(who.session);
        Ok(())
    }

    /// Removes the contents of files that are of no use any more.
    async fn remove_files(&self, files: &[FileId]) {
        if let Err(error) = self.vault.remove(files).await {
            warn!(%error, files = files.len(), "files that are of no use any more could not be removed");
        }
    }
}

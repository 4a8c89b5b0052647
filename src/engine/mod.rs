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
mod toolbox;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use tokio::sync::watch;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::{info, warn};

use crate::{
    accounts::{Principal, Role, keys::Keys, passes::Revocations, rates::Rates},
    agents::{self, AgentFactory, Backends},
    clock::now_ms,
    conversations::{self, Conversations, toolbox::Toolbox},
    credentials::Credentials,
    files::Vault,
    journal::MemoryJournals,
    logs::Logs,
    nodes::{Alone, Homes, Membership},
    programs::{self, Programs},
    queue::Queue,
    sessions::{CookieJar, CookieKey, KeyError, Session, SessionId, Sessions, View, status},
    settings::{Loaded, Secret, Settings},
    stats::Stats,
    store::{self, Opened, Store, StoreError},
    tasks::{self, Tasks},
    tools::{Asker, Tools},
    wire::{FeedPosition, FileId, LogsView, RefreshKind, StatsView, Status},
};
use context::EngineContext;
pub use feeds::{Feeds, OpenFeed};
use refreshes::Refreshes;
use retune::ActiveSettings;
use toolbox::Toolshed;

/// Anteroom's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long feeds may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

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
    keys: Keys,
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
    /// Starts the engine with the agents that the settings name.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start(loaded: Loaded, logs: Logs) -> anyhow::Result<Arc<Self>> {
        Self::start_with(loaded, logs, agents::factory).await
    }

    /// Starts the engine with agents made by what `agents` returns; for tests that bring agents of their own.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start_with<E>(
        loaded: Loaded,
        logs: Logs,
        agents: impl FnOnce(&Settings, Arc<dyn agents::AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
    ) -> anyhow::Result<Arc<Self>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::start_among(loaded, logs, agents, None).await
    }

    /// The same as one node of several, which are where `homes` says; `None`: where the line in the database says.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start_among<E>(
        loaded: Loaded,
        logs: Logs,
        agents: impl FnOnce(&Settings, Arc<dyn agents::AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
        homes: Option<Arc<dyn Homes>>,
    ) -> anyhow::Result<Arc<Self>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::start_having(loaded, logs, agents, homes, None).await
    }

    /// The same with these tools; `None`: those of the servers that the settings name.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub(crate) async fn start_having<E>(
        loaded: Loaded,
        logs: Logs,
        agents: impl FnOnce(&Settings, Arc<dyn agents::AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
        homes: Option<Arc<dyn Homes>>,
        toolbox: Option<Arc<dyn Toolbox>>,
    ) -> anyhow::Result<Arc<Self>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let active_settings = Arc::new(ActiveSettings::new(loaded));
        let settings = active_settings.settings();
        // The store first: it makes sure that no other Anteroom uses this DATA_DIR, or this database.
        let Opened {
            store,
            contents,
            shared,
        } = store::open(&settings).await?;
        let jar = CookieJar::new(key(&settings, &*store).await?, settings.secure_cookies);
        let (keys, keys_version) = (Keys::default(), store.keys_version().await?);
        keys.set(store.keys().await?);
        let vault = match contents {
            Some(contents) => Vault::over(contents),
            None => vault(&settings, &*store).await?,
        };
        let vault = Arc::new(vault);
        let stats = Arc::new(Stats::new());
        let backends = Arc::new(Backends::new(&settings)?);
        let policy = backends.fill(settings.policy.clone());
        let (queue, membership) =
            nodes::queue(shared, settings.node_addr.clone(), policy, Arc::clone(&stats) as _).await?;
        backends::govern(&backends, &queue, &settings);
        let homes = homes.unwrap_or_else(|| match &membership {
            Some(membership) => Arc::clone(membership) as _,
            None => Arc::new(Alone::default()) as _,
        });
        let context = Arc::new(EngineContext {
            queue: queue.clone(),
            active_settings: Arc::clone(&active_settings),
            backends: Arc::clone(&backends),
        });
        let agents = agents(&settings, context)?;
        let tools = Tools::start(&settings.tools);
        let credentials = Credentials::new(
            Arc::clone(&store),
            tools.clone(),
            active_settings.follow(),
            &jar.credentials_key(),
        );
        let toolshed = Toolshed {
            tools: tools.clone(),
            credentials: credentials.clone(),
        };
        let tasks = TaskTracker::new();
        let rates = Arc::new(Rates::default());
        let conversations = Conversations::new(conversations::Deps {
            queue: queue.clone(),
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            agents: Arc::clone(&agents),
            backends: Arc::clone(&backends),
            tools: toolbox.unwrap_or_else(|| Arc::new(toolshed)),
            rates: Arc::clone(&rates),
            homes: Arc::clone(&homes),
            settings: active_settings.follow(),
        });
        let programs = Programs::new(programs::Deps {
            queue: queue.clone(),
            agents: Arc::clone(&agents),
            backends: Arc::clone(&backends),
            conversations: conversations.clone(),
            rates: Arc::clone(&rates),
            settings: active_settings.follow(),
        });
        let kept_tasks = Tasks::new(tasks::Deps {
            queue: queue.clone(),
            store: Arc::clone(&store),
            programs: programs.clone(),
            backends: Arc::clone(&backends),
            homes: Arc::clone(&homes),
            membership: membership.clone(),
            settings: active_settings.follow(),
        });
        let refreshes = Refreshes::new(
            queue.clone(),
            conversations.clone(),
            active_settings.follow(),
            tasks.clone(),
        );
        let engine = Arc::new(Self {
            active_settings,
            queue,
            sessions: Arc::new(Sessions::new(Arc::new(MemoryJournals::default()))),
            store,
            vault,
            conversations,
            programs,
            kept_tasks,
            refreshes,
            stats,
            logs,
            jar,
            keys,
            rates,
            operator_key: operator::made_key(),
            agents,
            backends,
            tools,
            credentials,
            membership,
            minutes: charts::Minutes::default(),
            feeds: Feeds::default(),
            revocations: Revocations::default(),
            homes,
            moves: moves::Moves::default(),
            tasks,
            closed: AtomicBool::new(false),
            closing: CancellationToken::new(),
        });
        engine.sessions.set_max(engine.settings().max_sessions);
        match engine.store.fault() {
            // Answers that cannot be kept would be given again and again.
            Some(fault) => {
                warn!(%fault, "only what is stored can be read; turns that wait stay so until a start finds the disk writable");
            }
            None => {
                let resumed = match engine.membership {
                    Some(_) => engine.recover_alone().await,
                    None => engine.resume_alone().await,
                };
                resumed.context("the turns that waited before the restart cannot be taken up")?;
                engine.kept_tasks.spawn();
            }
        }
        housekeeping::spawn(&engine);
        housekeeping::inspect(&engine);
        keys::spawn(&engine, keys_version);
        moves::spawn(&engine);
        backends::spawn(&engine);
        nodes::spawn(&engine);
        Ok(engine)
    }

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

    /// Takes up what an earlier start has left, where this process keeps its line alone. What ran comes first.
    async fn resume_alone(&self) -> Result<(), StoreError> {
        self.kept_tasks.resume().await?;
        self.conversations.resume(&self.sessions).await?;
        let followed = self.conversations.take_up_follow_ups(&self.sessions, |_| true);
        followed.await.map(drop)
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
        self.refreshes.ask(who.owner(), session, kind, move || match kind {
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
        let view = self.logs.view(id);
        match role {
            Role::Operator => view,
            Role::Visitor => LogsView {
                startup: Vec::new(),
                ..view
            },
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

    /// Shuts down: lets nobody in, lets what runs finish for `grace`, then stops it.
    pub async fn shutdown(&self, grace: Duration) {
        self.closed.store(true, Ordering::Relaxed);
        self.queue.close();
        self.kept_tasks.close();
        let (unfinished, requests) = (self.conversations.unfinished(), self.programs.unfinished());
        let tasks = self.kept_tasks.unfinished();
        if unfinished + requests + tasks > 0 {
            info!(
                unfinished,
                requests,
                tasks,
                grace_s = grace.as_secs(),
                "waiting for running turns"
            );
        }
        if tokio::time::timeout(grace, self.last_turns()).await.is_err() {
            warn!(
                unfinished = self.conversations.unfinished(),
                requests = self.programs.unfinished(),
                tasks = self.kept_tasks.unfinished(),
                turns = ?self.conversations.on_their_way(),
                "the grace is over: stopping what runs"
            );
            if self.membership.is_some() {
                // It is stopped by that, and runs elsewhere.
                self.queue.leave_now();
            } else {
                self.conversations.stop();
            }
            // Nobody else takes these up.
            self.programs.stop();
            self.conversations.finished().await;
            self.programs.finished().await;
            self.kept_tasks.finished().await;
        }
        self.leave_line().await;
        self.closing.cancel();
        if let Some(part) = self.stats.last_part() {
            // What cannot be kept is a gap in the charts.
            let _ = self.store.keep_minute(part).await;
        }
        self.tools.close().await;
        self.vault.close().await;
        self.store.close().await;
        self.tasks.close();
        // A page that does not read its feed must not keep the server from ending.
        if tokio::time::timeout(GOODBYE, self.tasks.wait()).await.is_err() {
            warn!("some pages did not take their goodbye");
        }
    }
}

/// The key that signs the cookies: never another one than what is stored was begun with.
async fn key(settings: &Settings, store: &dyn Store) -> anyhow::Result<CookieKey> {
    let (secret, data_dir) = (settings.secret_key.as_ref(), &settings.data_dir);
    let key = if settings.database_url.is_some() {
        CookieKey::load_for_database(secret, data_dir)?
    } else if store.is_empty().await? {
        CookieKey::load(secret, data_dir)?
    } else {
        CookieKey::load_kept(secret, data_dir)?
    };
    if store.admits_key(&key.fingerprint()).await? {
        Ok(key)
    } else {
        Err(KeyError::Other.into())
    }
}

/// The contents of files in the data directory.
async fn vault(settings: &Settings, store: &dyn Store) -> anyhow::Result<Vault> {
    match (Vault::open(&settings.data_dir).await, store.fault()) {
        (Ok(vault), _) => Ok(vault),
        // Reading works all the same.
        (Err(_), Some(_)) => Ok(Vault::unswept(&settings.data_dir)),
        (Err(error), None) => Err(error).context("DATA_DIR cannot be used for uploaded files"),
    }
}

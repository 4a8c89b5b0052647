//! The start: every room made, what an earlier start has left taken up, and the housekeeping begun.

use std::{
    future::pending,
    pin::pin,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use super::{
    ActiveSettings, Engine, Feeds, Refreshes, Toolshed, backends, charts, context::EngineContext, housekeeping, keys,
    moves, nodes, operator,
};
use crate::{
    accounts::{keys::Keys, passes::Revocations, rates::Rates},
    agents::{self, AgentFactory, Backends},
    conversations::{self, Conversations, toolbox::Toolbox},
    credentials::Credentials,
    files::Vault,
    journal::MemoryJournals,
    logs::Logs,
    nodes::{Alone, Homes},
    programs::{self, Programs},
    sessions::{CookieJar, CookieKey, KeyError, Sessions},
    settings::{Loaded, Settings},
    stats::Stats,
    store::{self, Opened, Store, StoreError},
    tasks::{self, Tasks},
    tools::Tools,
};

impl Engine {
    /// Starts the engine with the agents that the settings name.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start(loaded: Loaded, logs: Logs) -> anyhow::Result<Arc<Self>> {
        Self::start_with(loaded, logs, agents::factory).await
    }

    /// The same, unless it is asked to end before: a start may wait for the database, or for nodes of an older version. `None`: it was, and other nodes
    /// see nothing of this start any more.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start_unless(
        loaded: Loaded,
        logs: Logs,
        ended: impl Future<Output = ()>,
    ) -> anyhow::Result<Option<Arc<Self>>> {
        Self::start_having_unless(loaded, logs, agents::factory, None, None, ended).await
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
        let started = Self::start_having_unless(loaded, logs, agents, homes, toolbox, pending()).await?;
        started.context("nobody has asked it to end")
    }

    /// The same, unless `ended` comes before.
    async fn start_having_unless<E>(
        loaded: Loaded,
        logs: Logs,
        agents: impl FnOnce(&Settings, Arc<dyn agents::AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
        homes: Option<Arc<dyn Homes>>,
        toolbox: Option<Arc<dyn Toolbox>>,
        ended: impl Future<Output = ()>,
    ) -> anyhow::Result<Option<Arc<Self>>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut ended = pin!(ended);
        let active_settings = Arc::new(ActiveSettings::new(loaded));
        // The store first: it makes sure that no other Anteroom uses this DATA_DIR, or this database.
        let settings = active_settings.settings();
        let opened = tokio::select! {
            opened = store::open(&settings) => opened?,
            () = &mut ended => return Ok(None),
        };
        let shared = opened.shared.clone();
        let started = tokio::select! {
            started = Self::start_over(opened, active_settings, logs, agents, homes, toolbox) => started.map(Some),
            () = &mut ended => Ok(None),
        };
        if let (Ok(None) | Err(_), Some(shared)) = (&started, shared) {
            shared.withdraw().await;
        }
        started
    }

    /// The same over a store that is open.
    async fn start_over<E>(
        opened: Opened,
        active_settings: Arc<ActiveSettings>,
        logs: Logs,
        agents: impl FnOnce(&Settings, Arc<dyn agents::AgentContext>) -> Result<Arc<dyn AgentFactory>, E>,
        homes: Option<Arc<dyn Homes>>,
        toolbox: Option<Arc<dyn Toolbox>>,
    ) -> anyhow::Result<Arc<Self>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Opened {
            store,
            contents,
            shared,
        } = opened;
        let settings = active_settings.settings();
        let jar = CookieJar::new(key(&settings, &*store).await?, settings.secure_cookies);
        let (keys, keys_version) = (Arc::new(Keys::default()), store.keys_version().await?);
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
        let rates = Arc::new(Rates::new(Arc::clone(&keys)));
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

    /// Takes up what an earlier start has left, where this process keeps its line alone. What ran comes first.
    async fn resume_alone(&self) -> Result<(), StoreError> {
        self.kept_tasks.resume().await?;
        self.conversations.resume(&self.sessions).await?;
        let followed = self.conversations.take_up_follow_ups(&self.sessions, |_| true);
        followed.await.map(drop)
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

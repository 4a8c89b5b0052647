//! How a connection to a server begins.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
#[expect(deprecated, reason = "older servers ask for roots, and are refused")]
use rmcp::model::ListRootsResult;
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt as _,
    model::{
        ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ErrorCode, ErrorData, Implementation,
        ProgressNotificationParam, ProtocolVersion,
    },
    service::{ClientInitializeError, NotificationContext, RequestContext, RoleClient, RunningService},
    transport::Transport,
};
use tokio::sync::Notify;

use super::{
    connection::{CallProgress, Listeners},
    error::{Trouble, said},
    http,
    probe::Probe,
    program,
};
use crate::settings::{ToolServer, ToolTransport};

/// Connects to servers.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    /// Connects, as far as both have agreed how to speak. Dropped, it closes what there is of a connection.
    async fn dial(&self, server: &ToolServer) -> Result<Dialed, Trouble>;
}

/// A server that has answered.
pub(super) struct Dialed {
    pub(super) running: RunningService<RoleClient, Ear>,
    pub(super) listeners: Arc<Listeners>,
    /// Its tools are others now.
    pub(super) changed: Arc<Notify>,
    /// Asked once it has ended.
    pub(super) how_it_ended: Box<dyn Fn() -> Trouble + Send + Sync>,
}

/// Programs that are started here, and servers elsewhere.
pub(super) struct Dialer {
    /// See [`ToolSettings::keeper`](crate::settings::ToolSettings::keeper).
    pub(super) keeper: Option<PathBuf>,
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self, server: &ToolServer) -> Result<Dialed, Trouble> {
        match &server.transport {
            ToolTransport::Program {
                command,
                args,
                env,
                cwd,
            } => {
                let start = program::Start {
                    keeper: self.keeper.as_deref(),
                    name: &server.name,
                    command,
                    args,
                    env,
                    cwd: cwd.as_deref(),
                    is_quiet: server.has_own(),
                };
                program::dial(&start).await
            }
            ToolTransport::Http { url, headers } => http::dial(url, headers).await,
        }
    }
}

/// Begins to speak over this transport.
pub(super) async fn begin(
    transport: impl Transport<RoleClient> + 'static,
) -> Result<(RunningService<RoleClient, Ear>, Arc<Listeners>, Arc<Notify>), ClientInitializeError> {
    let (listeners, changed) = (Arc::default(), Arc::default());
    let ear = Ear {
        listeners: Arc::clone(&listeners),
        changed: Arc::clone(&changed),
    };
    // It is asked whether it knows the newest version, and spoken to as ever where it does not.
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    let running = ear.serve_with_lifecycle(Probe::new(transport), lifecycle).await?;
    Ok((running, listeners, changed))
}

/// Hears what a server says by itself. Whatever it asks is refused: nobody is asked, and no model, for a server.
#[derive(Debug)]
pub(super) struct Ear {
    listeners: Arc<Listeners>,
    changed: Arc<Notify>,
}

fn refused() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "Anteroom answers no such requests", None)
}

impl ClientHandler for Ear {
    #[expect(deprecated, reason = "older servers ask for roots, and are refused")]
    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Err(refused())
    }

    async fn create_elicitation(
        &self,
        _request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Err(refused())
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        let progress = CallProgress {
            progress: told.progress,
            total: told.total,
            message: told.message.as_deref().map(said),
        };
        self.listeners.tell(&told.progress_token, progress);
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("anteroom", env!("CARGO_PKG_VERSION")),
        )
    }
}

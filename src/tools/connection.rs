//! A connection to a server that has answered, shared by all who call its tools.

mod ask;

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    model::{
        CallToolRequest, CallToolRequestParams, CancelledNotificationParam, ClientRequest, ErrorCode, ListToolsRequest,
        PaginatedRequestParams, ProgressToken, RequestId, ServerResult, SubscriptionFilter, Tool,
    },
    service::{Peer, PeerRequestOptions, RoleClient, ServiceError, Subscription},
};
use serde_json::{Map, Value};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(super) use self::ask::Gives;
use super::{
    dial::Dialed,
    error::{ToolError, Trouble, said},
    faults::{of_call, of_listing},
    listing,
    output::{self, ToolOutput},
};

/// Most pages of a list of tools.
const MOST_PAGES: usize = 64;
/// How long a notification, or a subscription, may take.
const MOMENT: Duration = Duration::from_secs(5);
/// How many messages of progress wait to be told. More are of no use.
const WAITING: usize = 16;

/// How far a call is, in the words of its server.
#[derive(Clone, Debug, PartialEq)]
pub struct CallProgress {
    /// What has been done, in whatever the server counts.
    pub progress: f64,
    /// Of how much, where it knows.
    pub total: Option<f64>,
    /// What it does.
    pub message: Option<String>,
}

/// Who waits for the progress of which call.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<HashMap<ProgressToken, mpsc::Sender<CallProgress>>>);

impl Listeners {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProgressToken, mpsc::Sender<CallProgress>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits, unless they have enough to tell already.
    pub(super) fn tell(&self, token: &ProgressToken, progress: CallProgress) {
        if let Some(listener) = self.lock().get(token) {
            let _ = listener.try_send(progress);
        }
    }
}

/// A connection.
pub(super) struct Connection {
    peer: Peer<RoleClient>,
    listeners: Arc<Listeners>,
    /// How many use it now.
    pub(super) users: watch::Sender<usize>,
    /// It is of no use any more, and closes after its last call.
    pub(super) over: CancellationToken,
    /// A call has worked.
    proven: AtomicBool,
    /// A call has found out that it is over.
    broken: AtomicBool,
    how_it_ended: Box<dyn Fn() -> Trouble + Send + Sync>,
    tasks: TaskTracker,
}

/// Somebody uses the connection: it does not close meanwhile.
pub(super) struct InUse(Arc<Connection>);

impl Deref for InUse {
    type Target = Arc<Connection>;

    fn deref(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.users.send_modify(|users| *users = users.saturating_sub(1));
    }
}

/// Tells the server that nobody waits for a call any more, unless it has been answered.
struct Waits<'c> {
    connection: &'c Connection,
    id: Option<RequestId>,
    token: ProgressToken,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.connection.listeners.lock().remove(&self.token);
        let Some(id) = self.id.take() else { return };
        let peer = self.connection.peer.clone();
        // Without a runtime the connection is gone, too.
        if let Ok(runtime) = Handle::try_current() {
            let cancelled = CancelledNotificationParam::new(Some(id), Some("nobody waits for it any more".to_owned()));
            let tell = async move {
                let _ = timeout(MOMENT, peer.notify_cancelled(cancelled)).await;
            };
            self.connection.tasks.spawn_on(tell, &runtime);
        }
    }
}

impl Connection {
    pub(super) fn new(dialed: &mut Dialed, tasks: TaskTracker) -> Self {
        Self {
            peer: dialed.running.peer().clone(),
            listeners: Arc::clone(&dialed.listeners),
            users: watch::Sender::new(0),
            over: CancellationToken::new(),
            proven: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            how_it_ended: std::mem::replace(&mut dialed.how_it_ended, Box::new(|| Trouble::Ended { code: None })),
            tasks,
        }
    }

    /// To be called under the lock of whoever decides that it closes.
    pub(super) fn in_use(self: &Arc<Self>) -> InUse {
        self.users.send_modify(|users| *users += 1);
        InUse(Arc::clone(self))
    }

    /// Whether a call has worked.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Whether a call has found out that it is over.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Why a call has no result. Over HTTP one may break off without the others.
    fn failed(&self, error: &ServiceError) -> ToolError {
        let failed = of_call(error);
        let is_over = matches!(error, ServiceError::TransportSend(_)) || self.peer.is_transport_closed();
        if failed == ToolError::Died && is_over {
            self.broken.store(true, Ordering::Relaxed);
        }
        failed
    }

    /// Why it is over, now that it is.
    pub(super) fn how_it_ended(&self) -> Trouble {
        (self.how_it_ended)()
    }

    /// Every tool that the server has, page by page.
    pub(super) async fn list(&self) -> Result<Vec<Tool>, Trouble> {
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
            let (page, next) = match self.peer.send_request(request).await {
                Ok(ServerResult::ListToolsResult(page)) => (page.tools, page.next_cursor),
                Ok(ServerResult::CustomResult(page)) => {
                    each(&page.0).ok_or_else(|| Trouble::Protocol("its list of tools is none".to_owned()))?
                }
                Ok(ServerResult::EmptyResult(_)) => (Vec::new(), None),
                Ok(_) => return Err(Trouble::Protocol("its list of tools is none".to_owned())),
                // It has none, and knows no such list.
                Err(ServiceError::McpError(error)) if error.code == ErrorCode::METHOD_NOT_FOUND => break,
                Err(error) => return Err(of_listing(&error)),
            };
            tools.extend(page);
            // More than anybody is told of.
            if next.is_none() || next == cursor || tools.len() > 4 * listing::MOST {
                break;
            }
            cursor = next;
        }
        Ok(tools)
    }

    /// Calls a tool. Dropped, it tells the server; so it does once `longest` has passed.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        longest: Duration,
        progress: impl Fn(CallProgress) + Send,
    ) -> Result<ToolOutput, ToolError> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let too_late = sleep(longest);
        tokio::pin!(too_late);
        let timed_out = || ToolError::TimedOut {
            seconds: longest.as_secs_f64().ceil() as u64,
        };
        let sent = tokio::select! {
            sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options()) => sent,
            () = &mut too_late => return Err(timed_out()),
        };
        let sent = sent.map_err(|error| self.failed(&error))?;
        let (sender, mut told) = mpsc::channel(WAITING);
        self.listeners.lock().insert(sent.progress_token.clone(), sender);
        let mut waits = Waits {
            connection: self,
            id: Some(sent.id),
            token: sent.progress_token,
        };
        let mut answer = sent.rx;
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                Some(told) = told.recv() => progress(told),
                () = &mut too_late => return Err(timed_out()),
            }
        };
        waits.id = None;
        drop(waits);
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => {
                self.broken.store(true, Ordering::Relaxed);
                return Err(ToolError::Died);
            }
        };
        self.proven.store(true, Ordering::Relaxed);
        read(answer).await
    }

    /// What tells of changes of its tools, where the server has to be asked to.
    pub(super) async fn subscribe(&self) -> Option<Subscription> {
        let info = self.peer.peer_info()?;
        let tells = info.capabilities.tools.as_ref()?.list_changed == Some(true);
        if !tells || info.protocol_version.has_initialize() {
            return None;
        }
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        timeout(MOMENT, self.peer.listen(filter)).await.ok()?.ok()
    }
}

/// The next change that a subscription tells of; `false`: it is over.
pub(super) async fn next(subscription: &mut Option<Subscription>) -> bool {
    match subscription {
        Some(subscription) => matches!(subscription.next().await, Ok(Some(_))),
        None => std::future::pending().await,
    }
}

/// Pictures are many bytes to decode, which is no work for the threads that serve everybody.
async fn read(answer: ServerResult) -> Result<ToolOutput, ToolError> {
    let no_result = || ToolError::Protocol("its result is none".to_owned());
    match answer {
        ServerResult::CallToolResult(result) => {
            let read = tokio::task::spawn_blocking(move || output::of_result(result)).await;
            read.map_err(|_| no_result())
        }
        ServerResult::InputRequiredResult(_) => Err(ToolError::WantsInput),
        ServerResult::CreateTaskResult(_) => Err(ToolError::Protocol("it makes a task of the call".to_owned())),
        ServerResult::EmptyResult(_) | ServerResult::TaskAckResult(_) => Ok(ToolOutput::default()),
        ServerResult::CustomResult(result) => {
            let read = tokio::task::spawn_blocking(move || output::of_value(&result.0)).await;
            read.ok().flatten().ok_or_else(no_result)
        }
        _ => Err(no_result()),
    }
}

/// Each tool of a list of which some are none.
pub(super) fn each(page: &Value) -> Option<(Vec<Tool>, Option<String>)> {
    let tools = page.get("tools")?.as_array()?;
    let (known, unknown): (Vec<_>, Vec<_>) = tools
        .iter()
        .map(|tool| {
            serde_json::from_value::<Tool>(tool.clone()).map_err(|_| {
                let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
                said(name).chars().take(100).collect::<String>()
            })
        })
        .partition(Result::is_ok);
    let unknown: Vec<_> = unknown.into_iter().filter_map(Result::err).take(20).collect();
    tracing::warn!(
        ?unknown,
        "these tools are left out: they are not described as the protocol says"
    );
    let next = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
    Some((known.into_iter().flatten().collect(), next))
}

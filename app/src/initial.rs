//! What a page starts with, and its way there: fetched before the page is rendered, carried in it, and read from there
//! by the browser's half. Nothing waits while a page is rendered.

use std::{fmt, str::FromStr, sync::Arc};

use anteroom::wire::{
    ConversationId, ConversationPage, ConversationView, FeedPosition, ModelInfo, Reason, RefreshKind, Status,
};
use leptos::server::SharedValue;
use serde::{Deserialize, Serialize};

use crate::json::{self, Unreadable};

/// What every page needs at once, before its WebAssembly has arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The conversations of this session that were used last.
    pub conversations: ConversationPage,
    /// Where this session and the line stand.
    pub status: Status,
    /// The feed's number before this was made.
    pub feed: FeedPosition,
    /// The model that a new conversation starts with, by its id.
    pub model: String,
    /// Every model that is offered, that one first.
    pub models: Vec<ModelInfo>,
    /// Anteroom's version.
    pub version: String,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// `false`: nobody waits (`ENABLE_QUEUE=false`).
    pub queue: bool,
    /// The tabs with figures or records that are there for this browser.
    pub tabs: Vec<RefreshKind>,
    /// The operator's questions on the start page. Where there are none, the demo model has its own.
    pub starters: Vec<String>,
    /// Whether people take turns (`QUEUE_ORDER=fair`).
    pub fair: bool,
    /// Whether models may use tools here.
    pub tools: bool,
    /// Goes with [`forget`](crate::api::forget): a request without it does not come from a page of this session.
    pub confirmation: String,
}

/// What the first page is made of. Later pages get theirs from the store.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InitialData {
    pub(crate) overview: Overview,
    /// Of a page that shows one; `None` inside: there is none of this id.
    pub(crate) conversation: Option<(ConversationId, Option<ConversationView>)>,
}

/// [`InitialData`], or why there is none.
#[derive(Clone)]
pub(crate) struct Preloaded(Arc<Result<InitialData, Reason>>);

impl Preloaded {
    pub(crate) fn new(first: Result<InitialData, Reason>) -> Self {
        Self(Arc::new(first))
    }

    /// What this page came with.
    pub(crate) fn read() -> Result<InitialData, Reason> {
        let preloaded = SharedValue::new_str(|| {
            let lost = || Self::new(Err(Reason::AnswerUnreadable));
            Self::of_request().unwrap_or_else(lost)
        });
        Arc::unwrap_or_clone(preloaded.into_inner().0)
    }

    /// Whether the last turn of the conversation that the page shows is not over.
    #[cfg(feature = "ssr")]
    pub(crate) fn is_going_on(&self) -> bool {
        let last = self.shown().and_then(|view| view.turns.last());
        last.is_some_and(|turn| !turn.state.is_over())
    }

    /// The line in the list of the conversation that the page shows.
    #[cfg(feature = "ssr")]
    pub(crate) fn line(&self) -> Option<anteroom::wire::ConversationSummary> {
        self.shown().map(|view| view.summary.clone())
    }

    #[cfg(feature = "ssr")]
    fn shown(&self) -> Option<&ConversationView> {
        let (_, view) = (*self.0).as_ref().ok()?.conversation.as_ref()?;
        view.as_ref()
    }

    #[cfg(feature = "ssr")]
    pub(crate) fn of_request() -> Option<Self> {
        use axum::http::request::Parts;
        leptos::prelude::with_context(|request: &Parts| request.extensions.get().cloned()).flatten()
    }

    #[cfg(not(feature = "ssr"))]
    const fn of_request() -> Option<Self> {
        None
    }
}

impl fmt::Display for Preloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&*self.0).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Preloaded {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        json::parse(text).map(Self::new)
    }
}

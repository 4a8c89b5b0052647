//! The server functions: what a browser may ask and tell. Everything here runs for the session of the cookie.
#![expect(
    missing_docs,
    reason = "leptos writes a struct of fields for every function's arguments"
)]

use anteroom::wire::{
    ConversationId, ConversationSummary, ConversationView, FeedPosition, RefreshKind, SendRequest, Sent, Status, TurnId,
};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

/// What every page needs at once, before its WebAssembly has arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct House {
    /// The conversations of this session, the last used first.
    pub conversations: Vec<ConversationSummary>,
    /// Where this session and the line stand.
    pub status: Status,
    /// The feed's number before this was made.
    pub feed: FeedPosition,
    /// The model that answers, as people should see it.
    pub model: String,
    /// Anteroom's version.
    pub version: String,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// `false`: nobody waits (`ENABLE_QUEUE=false`).
    pub queue: bool,
}

/// The house, as this session may see it.
#[server(name = AskHouse, prefix = "/api", endpoint = "house")]
pub async fn house() -> Result<House, ServerFnError> {
    crate::server::api::house().await
}

/// One conversation of this session. `None`: there is none of this id (or it is somebody else's).
#[server(prefix = "/api", endpoint = "conversation")]
pub async fn conversation(id: ConversationId) -> Result<Option<ConversationView>, ServerFnError> {
    crate::server::api::conversation(id).await
}

/// Sends a message. Once this has answered, the message is the server's.
#[server(name = SendMessage, prefix = "/api", endpoint = "send", input = Json)]
pub async fn send(request: SendRequest) -> Result<Sent, ServerFnError> {
    crate::server::api::send(request).await
}

/// Sends a message from a page without WebAssembly, then shows its conversation.
#[server(prefix = "/api", endpoint = "send_form")]
pub async fn send_form(turn: TurnId, conversation: Option<ConversationId>, text: String) -> Result<(), ServerFnError> {
    let request = SendRequest {
        turn,
        conversation,
        text,
        files: Vec::new(),
    };
    let sent = crate::server::api::send(request).await?;
    leptos_axum::redirect(&format!("/c/{}", sent.conversation));
    Ok(())
}

/// Ends a turn: out of the line at once, or stopped, with what was written kept. `false`: it was over already.
#[server(prefix = "/api", endpoint = "cancel")]
pub async fn cancel(turn: TurnId) -> Result<bool, ServerFnError> {
    crate::server::api::cancel(turn)
}

/// Answers a turn that is over once more, in its place at the end of its conversation (regenerate, retry).
#[server(prefix = "/api", endpoint = "again")]
pub async fn again(turn: TurnId) -> Result<Sent, ServerFnError> {
    crate::server::api::again(turn).await
}

/// Asks for the figures or the records. They come over the feed, once the line lets the refresh start.
#[server(prefix = "/api", endpoint = "refresh")]
pub async fn refresh(kind: RefreshKind) -> Result<(), ServerFnError> {
    crate::server::api::refresh(kind).await
}

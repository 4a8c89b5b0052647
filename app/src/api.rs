//! The server functions: what a browser may ask and tell. Everything here runs for the session of the cookie.
#![expect(
    missing_docs,
    reason = "leptos writes a struct of fields for every function's arguments"
)]

use anteroom::wire::{
    Choice, ConversationId, ConversationPage, ConversationView, RefreshKind, SearchResults, SendRequest, Sent, Span,
    TurnId, TurnPage,
};
use leptos::{prelude::*, server_fn::codec::Json};

use crate::{fault::Fault, initial::Overview, json::Answer};

/// What every page needs, as this session may see it.
#[server(name = AskOverview, prefix = "/api", endpoint = "overview", output = Answer)]
pub async fn overview() -> Result<Overview, Fault> {
    crate::server::api::overview().await
}

/// The conversations of this session that come after `after`, the last used first.
#[server(prefix = "/api", endpoint = "conversations", output = Answer)]
pub async fn conversations(after: Option<ConversationId>) -> Result<ConversationPage, Fault> {
    crate::server::api::conversations(after).await
}

/// One conversation of this session with its newest turns. `None`: there is none of this id (or it is somebody else's).
#[server(prefix = "/api", endpoint = "conversation", output = Answer)]
pub async fn conversation(id: ConversationId) -> Result<Option<ConversationView>, Fault> {
    crate::server::api::conversation(id).await
}

/// The turns before `before`, which is a turn of a conversation of this session. `None`: there is none of this id.
#[server(prefix = "/api", endpoint = "earlier", output = Answer)]
pub async fn earlier(before: TurnId) -> Result<Option<TurnPage>, Fault> {
    crate::server::api::earlier(before).await
}

/// Conversations of this session with `text` in their title, a message or an answer, whatever its case.
#[server(prefix = "/api", endpoint = "search", output = Answer)]
pub async fn search(text: String) -> Result<SearchResults, Fault> {
    crate::server::api::search(&text).await
}

/// Gives a conversation another title.
#[server(prefix = "/api", endpoint = "rename", output = Answer)]
pub async fn rename(conversation: ConversationId, title: String) -> Result<(), Fault> {
    crate::server::api::rename(conversation, &title).await
}

/// Chooses the model of a conversation, its instructions and the like, from now on. A message of it that waits is answered so; one that
/// is being answered goes on as it is. Open pages hear of it over the feed.
#[server(prefix = "/api", endpoint = "choose", input = Json, output = Answer)]
pub async fn choose(conversation: ConversationId, choice: Choice) -> Result<(), Fault> {
    crate::server::api::choose(conversation, choice).await
}

/// Deletes a conversation; what waits or runs in it is ended. For a minute it can be brought back.
#[server(prefix = "/api", endpoint = "delete", output = Answer)]
pub async fn delete(conversation: ConversationId) -> Result<(), Fault> {
    crate::server::api::delete(conversation).await
}

/// Brings a deleted conversation back.
#[server(prefix = "/api", endpoint = "undelete", output = Answer)]
pub async fn undelete(conversation: ConversationId) -> Result<(), Fault> {
    crate::server::api::undelete(conversation).await
}

/// Deletes everything of this session permanently, and its cookie: the browser is a new one afterwards. `confirmation` is the
/// overview's.
#[server(prefix = "/api", endpoint = "forget", output = Answer)]
pub async fn forget(confirmation: String) -> Result<(), Fault> {
    crate::server::api::forget(&confirmation).await
}

/// Shows this version of a turn, and the newest that follows it. Open pages hear of it over the feed.
#[server(prefix = "/api", endpoint = "version", output = Answer)]
pub async fn version(turn: TurnId) -> Result<(), Fault> {
    crate::server::api::version(turn).await
}

/// Sends a message. Once this has answered, the message is the server's: a turn, or behind the turn that is on its way in its conversation.
#[server(name = SendMessage, prefix = "/api", endpoint = "send", input = Json, output = Answer)]
pub async fn send(request: SendRequest) -> Result<Sent, Fault> {
    crate::server::api::send(request).await
}

/// Sends a message from a page without WebAssembly, then shows its conversation. `model` is the one that is to answer from now on.
#[server(prefix = "/api", endpoint = "send_form", output = Answer)]
pub async fn send_form(
    turn: TurnId,
    conversation: Option<ConversationId>,
    text: String,
    model: Option<String>,
) -> Result<(), Fault> {
    // What else is chosen for the conversation stays.
    let known = match conversation {
        Some(id) if model.is_some() => crate::server::api::conversation(id).await?,
        _ => None,
    };
    let choice = model.map(|model| Choice {
        model: Some(model),
        ..known.map(|known| known.choice).unwrap_or_default()
    });
    let request = SendRequest {
        turn,
        conversation,
        instead_of: None,
        text,
        files: Vec::new(),
        choice,
    };
    let sent = crate::server::api::send(request).await?;
    leptos_axum::redirect(&format!("/c/{}", sent.conversation));
    Ok(())
}

/// Puts a message in other words that has not begun: one that waits in the line, which keeps its place, or one behind another.
#[server(prefix = "/api", endpoint = "reword", output = Answer)]
pub async fn reword(turn: TurnId, text: String) -> Result<(), Fault> {
    crate::server::api::reword(turn, &text).await
}

/// Takes a message out that stands behind another one. `false`: it has begun.
#[server(prefix = "/api", endpoint = "withdraw", output = Answer)]
pub async fn withdraw(turn: TurnId) -> Result<bool, Fault> {
    crate::server::api::withdraw(turn).await
}

/// Lets the messages of a conversation go that are held behind one that was not answered.
#[server(prefix = "/api", endpoint = "release", output = Answer)]
pub async fn release(conversation: ConversationId) -> Result<(), Fault> {
    crate::server::api::release(conversation).await
}

/// Ends a turn: out of the line at once, or stopped, with what was written kept. `false`: it was over already.
#[server(prefix = "/api", endpoint = "cancel", output = Answer)]
pub async fn cancel(turn: TurnId) -> Result<bool, Fault> {
    crate::server::api::cancel(turn)
}

/// Answers a turn that is over once more. One that has an answer keeps it: the new one is another version of it, the turn
/// `new` (chosen by the browser, so that asking again after a lost reply makes no second one). One that has none is answered in place.
#[server(prefix = "/api", endpoint = "again", output = Answer)]
pub async fn again(turn: TurnId, new: TurnId) -> Result<Sent, Fault> {
    crate::server::api::again(turn, new).await
}

/// Asks for the figures or the records. They come over the feed, once the line lets the refresh start.
#[server(prefix = "/api", endpoint = "refresh", output = Answer)]
pub async fn refresh(kind: RefreshKind) -> Result<(), Fault> {
    crate::server::api::refresh(kind).await
}

/// The charts of the stats tab, as HTML. `offset`: minutes that the browser's clock is ahead of UTC.
#[server(prefix = "/api", endpoint = "charts", output = Answer)]
pub async fn charts(span: Span, offset: i32) -> Result<String, Fault> {
    crate::server::api::charts(span, offset).await
}

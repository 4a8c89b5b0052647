//! What stands behind the server functions and the first page: each asks the engine as the principal who has sent it.

use std::sync::Arc;

use anteroom::{
    accounts::Principal,
    client::{Client, ClientError},
    engine::{Engine, VERSION},
    http::{NoCookie, Refusal, cookies, set_session},
    queue::Order,
    sessions::SessionId,
    wire::{
        Choice, ConversationId, ConversationPage, ConversationView, Reason, RefreshKind, SearchResults, SendRequest,
        Sent, Span, TurnId, TurnPage,
    },
};
use axum::http::{Extensions, HeaderMap, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{charts, refusals};
use crate::{
    fault::Fault,
    initial::{InitialData, Overview},
    words::words,
};

/// The principal who sent this request, if it came with a cookie of ours.
pub(super) fn client_of(engine: Arc<Engine>, request: &Extensions) -> Result<Client, Refusal> {
    let who: Option<&Principal> = request.get();
    let who = *who.ok_or_else(|| NoCookie.refusal())?;
    Ok(Client::new(engine, who))
}

/// The same of a form, which has to bring along what only a page of theirs has.
pub(super) fn confirmed(engine: &Arc<Engine>, request: &Extensions, confirmation: &str) -> Result<Client, Refusal> {
    let client = client_of(Arc::clone(engine), request)?;
    client.confirmed(confirmation)?;
    Ok(client)
}

/// The principal who called the server function that runs.
fn client() -> Result<Client, Fault> {
    client_of(engine()?, &request()?.extensions).map_err(refusals::tell)
}

fn engine() -> Result<Arc<Engine>, Fault> {
    use_context().ok_or(Fault::from(Reason::Mistake))
}

async fn overview_of(engine: &Engine, client: &Client) -> Result<Overview, ClientError> {
    // Before anything else is read: what happens meanwhile is then replayed rather than missed.
    let feed = client.feed_position();
    let settings = engine.settings();
    let models = client.models();
    Ok(Overview {
        conversations: client.conversations(None).await?,
        status: client.status(),
        feed,
        model: models.first().map(|model| model.id.clone()).unwrap_or_default(),
        models,
        version: VERSION.to_owned(),
        max_upload_bytes: settings.max_upload_bytes,
        queue: settings.policy.queue,
        tabs: client.tabs(),
        starters: settings
            .prompts
            .iter()
            .filter(|prompt| prompt.starter)
            .map(|prompt| prompt.text.clone())
            .collect(),
        fair: settings.policy.order == Order::Fair,
        tools: !engine.tools().is_empty(),
        confirmation: client.confirmation(),
    })
}

fn tell(fault: ClientError) -> Fault {
    refusals::tell(fault.into())
}

/// The request that called the server function that runs.
fn request() -> Result<Parts, Fault> {
    use_context().ok_or(Fault::from(Reason::Mistake))
}

/// What the page starts with that this request asks for; `id` is the conversation that it shows.
pub(super) async fn first(
    engine: Arc<Engine>,
    request: &Extensions,
    id: Option<ConversationId>,
) -> Result<InitialData, Refusal> {
    let client = client_of(Arc::clone(&engine), request)?;
    // The overview first: its feed number is then no later than the conversation's, and nothing is missed.
    let overview = overview_of(&engine, &client).await?;
    let conversation = match id {
        Some(id) => Some((id, client.conversation(id).await?)),
        None => None,
    };
    Ok(InitialData { overview, conversation })
}

/// See [`crate::api::overview`].
pub(crate) async fn overview() -> Result<Overview, Fault> {
    overview_of(&*engine()?, &client()?).await.map_err(tell)
}

/// See [`crate::api::conversation`].
pub(crate) async fn conversation(id: ConversationId) -> Result<Option<ConversationView>, Fault> {
    client()?.conversation(id).await.map_err(tell)
}

/// See [`crate::api::conversations`].
pub(crate) async fn conversations(after: Option<ConversationId>) -> Result<ConversationPage, Fault> {
    client()?.conversations(after).await.map_err(tell)
}

/// See [`crate::api::earlier`].
pub(crate) async fn earlier(before: TurnId) -> Result<Option<TurnPage>, Fault> {
    client()?.earlier(before).await.map_err(tell)
}

/// See [`crate::api::search`].
pub(crate) async fn search(text: &str) -> Result<SearchResults, Fault> {
    client()?.search(text).await.map_err(tell)
}

/// See [`crate::api::rename`].
pub(crate) async fn rename(conversation: ConversationId, title: &str) -> Result<(), Fault> {
    client()?.rename(conversation, title).await.map_err(tell)
}

/// See [`crate::api::choose`].
pub(crate) async fn choose(conversation: ConversationId, choice: Choice) -> Result<(), Fault> {
    client()?.choose(conversation, choice).await.map_err(tell)
}

/// See [`crate::api::delete`].
pub(crate) async fn delete(conversation: ConversationId) -> Result<(), Fault> {
    client()?.delete(conversation).await.map_err(tell)
}

/// See [`crate::api::undelete`].
pub(crate) async fn undelete(conversation: ConversationId) -> Result<(), Fault> {
    client()?.undelete(conversation).await.map_err(tell)
}

/// See [`crate::api::version`].
pub(crate) async fn version(turn: TurnId) -> Result<(), Fault> {
    client()?.show(turn).await.map_err(tell)
}

/// See [`crate::api::forget`].
pub(crate) async fn forget(confirmation: &str) -> Result<(), Fault> {
    client()?.forget(confirmation).await.map_err(tell)?;
    if let Some(response) = use_context::<ResponseOptions>() {
        let mut headers = HeaderMap::new();
        let sent = cookies(&request()?.headers);
        set_session(&*engine()?, SessionId::random(), &sent, &mut headers);
        for cookie in headers.into_iter().map(|(_, cookie)| cookie) {
            response.append_header(header::SET_COOKIE, cookie);
        }
    }
    Ok(())
}

/// See [`crate::api::send`].
pub(crate) async fn send(request: SendRequest) -> Result<Sent, Fault> {
    client()?.send_behind(request).await.map_err(tell)
}

/// See [`crate::api::reword`].
pub(crate) async fn reword(turn: TurnId, text: &str) -> Result<(), Fault> {
    client()?.reword(turn, text).await.map_err(tell)
}

/// See [`crate::api::withdraw`].
pub(crate) async fn withdraw(turn: TurnId) -> Result<bool, Fault> {
    client()?.withdraw(turn).await.map_err(tell)
}

/// See [`crate::api::release`].
pub(crate) async fn release(conversation: ConversationId) -> Result<(), Fault> {
    client()?.release(conversation).await.map_err(tell)
}

/// See [`crate::api::cancel`].
pub(crate) fn cancel(turn: TurnId) -> Result<bool, Fault> {
    Ok(client()?.cancel(turn))
}

/// See [`crate::api::again`].
pub(crate) async fn again(turn: TurnId, new: TurnId) -> Result<Sent, Fault> {
    client()?.again(turn, new).await.map_err(tell)
}

/// See [`crate::api::refresh`].
pub(crate) async fn refresh(kind: RefreshKind) -> Result<(), Fault> {
    client()?.refresh(kind).map_err(tell)
}

/// See [`crate::api::charts`].
pub(crate) async fn charts(span: Span, offset: i32) -> Result<String, Fault> {
    // No clock is further ahead or behind than a day.
    let offset = offset.clamp(-24 * 60, 24 * 60);
    let curves = client()?.curves(span, offset).await.map_err(tell)?;
    Ok(charts::html(words(), &curves, span, offset))
}

//! What stands behind the server functions: each asks the engine for the session of the cookie.

use std::sync::Arc;

use anteroom::{
    engine::{Engine, VERSION},
    http::{Browser, NoCookie},
    sessions::{Session, SessionId},
    store::StoreError,
    turns::SendError,
    wire::{ConversationId, ConversationView, RefreshKind, SendRequest, Sent, TurnId},
};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::api::House;

/// The engine and the session of whoever asks.
struct Asker {
    engine: Arc<Engine>,
    id: SessionId,
}

impl Asker {
    fn find() -> Result<Self, ServerFnError> {
        let engine = use_context().ok_or_else(|| ServerFnError::new("The engine is not there."))?;
        let browser = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Browser>().copied());
        match browser {
            Some(Browser(id)) => Ok(Self { engine, id }),
            None => Err(refuse(StatusCode::UNAUTHORIZED, None, NoCookie::MESSAGE)),
        }
    }

    /// The session, if it is in memory: looking at a page does not make one.
    fn known(&self) -> Option<Arc<Session>> {
        let session = self.engine.sessions().find(self.id);
        session.inspect(|session| session.presence().touch())
    }

    async fn session(&self) -> Arc<Session> {
        self.engine.sessions().open(self.id).await
    }
}

fn refuse(status: StatusCode, retry_after: Option<u32>, message: impl Into<String>) -> ServerFnError {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
        if let Some(seconds) = retry_after {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    ServerFnError::ServerError(message.into())
}

fn not_sent(error: &SendError) -> ServerFnError {
    if let SendError::Store(fault) = error {
        tracing::error!(%fault, "a message was not accepted");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refuse(status, error.retry_after(), error.to_string())
}

fn not_read(fault: &StoreError) -> ServerFnError {
    tracing::error!(%fault, "conversations could not be read");
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        Some(5),
        "Your conversations cannot be read at the moment. Try again in a moment.",
    )
}

/// See [`crate::api::house`].
pub(crate) async fn house() -> Result<House, ServerFnError> {
    let asker = Asker::find()?;
    let (engine, session) = (&asker.engine, asker.known());
    // Before anything else is read: what happens meanwhile is then replayed rather than missed.
    let feed = engine.feed_position(session.as_deref());
    let settings = engine.settings();
    Ok(House {
        conversations: engine
            .turns()
            .conversations(asker.id, session.as_deref())
            .await
            .map_err(|fault| not_read(&fault))?,
        status: engine.status(session.as_deref()),
        feed,
        model: engine.model().to_owned(),
        version: VERSION.to_owned(),
        max_upload_bytes: settings.max_upload_bytes,
        queue: settings.policy.queue,
    })
}

/// See [`crate::api::conversation`].
pub(crate) async fn conversation(id: ConversationId) -> Result<Option<ConversationView>, ServerFnError> {
    let asker = Asker::find()?;
    let session = asker.known();
    let feed = asker.engine.feed_position(session.as_deref());
    let view = asker
        .engine
        .turns()
        .conversation(asker.id, session.as_deref(), id, feed)
        .await;
    view.map_err(|fault| not_read(&fault))
}

/// See [`crate::api::send`].
pub(crate) async fn send(request: SendRequest) -> Result<Sent, ServerFnError> {
    let asker = Asker::find()?;
    asker
        .engine
        .turns()
        .send(&asker.session().await, request)
        .await
        .map_err(|error| not_sent(&error))
}

/// See [`crate::api::cancel`].
pub(crate) fn cancel(turn: TurnId) -> Result<bool, ServerFnError> {
    let asker = Asker::find()?;
    let session = asker.known();
    Ok(session.is_some_and(|session| asker.engine.turns().cancel(&session, turn)))
}

/// See [`crate::api::again`].
pub(crate) async fn again(turn: TurnId) -> Result<Sent, ServerFnError> {
    let asker = Asker::find()?;
    asker
        .engine
        .turns()
        .again(&asker.session().await, turn)
        .await
        .map_err(|error| not_sent(&error))
}

/// See [`crate::api::refresh`].
pub(crate) async fn refresh(kind: RefreshKind) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    asker.engine.refresh(&asker.session().await, kind);
    Ok(())
}

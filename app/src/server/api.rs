//! What stands behind the server functions and the first page: each asks the engine for the session of the cookie.

use std::sync::Arc;

use anteroom::{
    conversations::SendError,
    engine::{Engine, VERSION},
    http::{Browser, NoCookie, cookies, set_session},
    queue,
    sessions::{Session, SessionId},
    settings::Viewer,
    store::StoreError,
    wire::{
        ConversationId, ConversationPage, ConversationView, RefreshKind, SearchResults, SendRequest, Sent, TurnId,
        TurnPage, is_blank,
    },
};
use axum::http::{Extensions, HeaderMap, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::refusals::Refused;
use crate::{api::House, first::First};

impl From<SendError> for Refused {
    fn from(error: SendError) -> Self {
        if let SendError::Store(fault) = &error {
            tracing::error!(%fault, "a message was not accepted");
        }
        Self {
            status: StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            retry_after: error.retry_after(),
            message: error.to_string(),
            passing: matches!(error, SendError::Refused(queue::Refused::Closed)),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(fault: StoreError) -> Self {
        tracing::error!(%fault, "conversations could not be read");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            retry_after: Some(5),
            message: "Your conversations cannot be read at the moment. Try again in a moment.".to_owned(),
            passing: false,
        }
    }
}

/// The engine and the session of whoever asks.
struct Asker {
    engine: Arc<Engine>,
    id: SessionId,
}

impl Asker {
    /// Whoever sent this request, if it came with a cookie of ours.
    fn of(engine: Arc<Engine>, request: &Extensions) -> Result<Self, Refused> {
        match request.get() {
            Some(&Browser(id)) => Ok(Self { engine, id }),
            None => Err(Refused {
                status: StatusCode::UNAUTHORIZED,
                retry_after: None,
                message: NoCookie::MESSAGE.to_owned(),
                passing: false,
            }),
        }
    }

    /// Whoever called the server function that runs.
    fn find() -> Result<Self, ServerFnError> {
        let engine = use_context().ok_or_else(|| ServerFnError::new("The engine is not there."))?;
        Self::of(engine, &request()?.extensions).map_err(Refused::tell)
    }

    /// The session, if it is in memory: looking at a page does not make one.
    fn known(&self) -> Option<Arc<Session>> {
        let session = self.engine.sessions().find(self.id);
        session.inspect(|session| session.presence().touch())
    }

    fn session(&self) -> Arc<Session> {
        self.engine.sessions().open(self.id)
    }

    async fn house(&self) -> Result<House, Refused> {
        let (engine, session) = (&self.engine, self.known());
        // Before anything else is read: what happens meanwhile is then replayed rather than missed.
        let feed = engine.feed_position(session.as_deref());
        let settings = engine.settings();
        Ok(House {
            conversations: engine
                .conversations()
                .conversations(self.id, session.as_deref(), None)
                .await?,
            status: engine.status(session.as_deref()),
            feed,
            model: engine.model().to_owned(),
            version: VERSION.to_owned(),
            max_upload_bytes: settings.max_upload_bytes,
            queue: settings.policy.queue,
            confirmation: engine.jar().confirmation(self.id),
        })
    }

    async fn conversation(&self, id: ConversationId) -> Result<Option<ConversationView>, Refused> {
        let session = self.known();
        let feed = self.engine.feed_position(session.as_deref());
        let turns = self.engine.conversations();
        Ok(turns.conversation(self.id, session.as_deref(), id, feed).await?)
    }
}

/// The request that called the server function that runs.
fn request() -> Result<Parts, ServerFnError> {
    use_context().ok_or_else(|| ServerFnError::new("The request is not there."))
}

/// What the page starts with that this request asks for; `id` is the conversation that it shows.
pub(super) async fn first(
    engine: Arc<Engine>,
    request: &Extensions,
    id: Option<ConversationId>,
) -> Result<First, Refused> {
    let asker = Asker::of(engine, request)?;
    // The house first: its feed number is then no later than the conversation's, and nothing is missed.
    let house = asker.house().await?;
    let conversation = match id {
        Some(id) => Some((id, asker.conversation(id).await?)),
        None => None,
    };
    Ok(First { house, conversation })
}

fn not_changed(fault: &StoreError) -> ServerFnError {
    tracing::error!(%fault, "a change was not stored");
    let message = format!(
        "Nothing was changed, because {}. Try again in a moment.",
        fault.sentence()
    );
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Refused {
        status,
        retry_after: Some(5),
        message,
        passing: false,
    }
    .tell()
}

fn refuse(status: StatusCode, message: &str) -> ServerFnError {
    Refused {
        status,
        retry_after: None,
        message: message.to_owned(),
        passing: false,
    }
    .tell()
}

/// See [`crate::api::house`].
pub(crate) async fn house() -> Result<House, ServerFnError> {
    Asker::find()?.house().await.map_err(Refused::tell)
}

/// See [`crate::api::conversation`].
pub(crate) async fn conversation(id: ConversationId) -> Result<Option<ConversationView>, ServerFnError> {
    Asker::find()?.conversation(id).await.map_err(Refused::tell)
}

/// See [`crate::api::conversations`].
pub(crate) async fn conversations(after: Option<ConversationId>) -> Result<ConversationPage, ServerFnError> {
    let asker = Asker::find()?;
    let session = asker.known();
    let page = asker
        .engine
        .conversations()
        .conversations(asker.id, session.as_deref(), after)
        .await;
    page.map_err(|fault| Refused::from(fault).tell())
}

/// See [`crate::api::earlier`].
pub(crate) async fn earlier(before: TurnId) -> Result<Option<TurnPage>, ServerFnError> {
    let asker = Asker::find()?;
    let page = asker.engine.conversations().earlier(asker.id, before).await;
    page.map_err(|fault| Refused::from(fault).tell())
}

/// See [`crate::api::search`].
pub(crate) async fn search(text: &str) -> Result<SearchResults, ServerFnError> {
    let asker = Asker::find()?;
    let session = asker.known();
    let results = asker
        .engine
        .conversations()
        .search(asker.id, session.as_deref(), text)
        .await;
    results.map_err(|fault| Refused::from(fault).tell())
}

/// See [`crate::api::rename`].
pub(crate) async fn rename(conversation: ConversationId, title: &str) -> Result<(), ServerFnError> {
    if is_blank(title) {
        return Err(refuse(StatusCode::BAD_REQUEST, "A conversation needs a title."));
    }
    let asker = Asker::find()?;
    let renamed = asker
        .engine
        .conversations()
        .rename(&asker.session(), conversation, title)
        .await;
    done(renamed)
}

/// See [`crate::api::delete`].
pub(crate) async fn delete(conversation: ConversationId) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    done(
        asker
            .engine
            .conversations()
            .delete(&asker.session(), conversation)
            .await,
    )
}

/// See [`crate::api::undelete`].
pub(crate) async fn undelete(conversation: ConversationId) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    done(
        asker
            .engine
            .conversations()
            .undelete(&asker.session(), conversation)
            .await,
    )
}

/// See [`crate::api::version`].
pub(crate) async fn version(turn: TurnId) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    done(asker.engine.conversations().show(&asker.session(), turn).await)
}

/// See [`crate::api::forget`].
pub(crate) async fn forget(confirmation: &str) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    if !asker.engine.jar().confirms(asker.id, confirmation) {
        let message = "Nothing was deleted: this page belongs to another session. Reload it, and try again.";
        return Err(refuse(StatusCode::FORBIDDEN, message));
    }
    let forgotten = asker.engine.forget(asker.id).await;
    forgotten.map_err(|fault| not_changed(&fault))?;
    if let Some(response) = use_context::<ResponseOptions>() {
        let mut headers = HeaderMap::new();
        set_session(
            &asker.engine,
            SessionId::random(),
            &cookies(&request()?.headers),
            &mut headers,
        );
        for cookie in headers.into_iter().map(|(_, cookie)| cookie) {
            response.append_header(header::SET_COOKIE, cookie);
        }
    }
    Ok(())
}

/// What a change of conversations came to.
fn done(result: Result<bool, StoreError>) -> Result<(), ServerFnError> {
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(refuse(
            StatusCode::NOT_FOUND,
            "This conversation is not here any more, or is being answered at the moment.",
        )),
        Err(fault) => Err(not_changed(&fault)),
    }
}

/// See [`crate::api::send`].
pub(crate) async fn send(request: SendRequest) -> Result<Sent, ServerFnError> {
    let asker = Asker::find()?;
    asker
        .engine
        .conversations()
        .send(&asker.session(), request)
        .await
        .map_err(|error| Refused::from(error).tell())
}

/// See [`crate::api::cancel`].
pub(crate) fn cancel(turn: TurnId) -> Result<bool, ServerFnError> {
    let asker = Asker::find()?;
    let session = asker.known();
    Ok(session.is_some_and(|session| asker.engine.conversations().cancel(&session, turn)))
}

/// See [`crate::api::again`].
pub(crate) async fn again(turn: TurnId, new: TurnId) -> Result<Sent, ServerFnError> {
    let asker = Asker::find()?;
    asker
        .engine
        .conversations()
        .again(&asker.session(), turn, new)
        .await
        .map_err(|error| Refused::from(error).tell())
}

/// See [`crate::api::refresh`].
pub(crate) async fn refresh(kind: RefreshKind) -> Result<(), ServerFnError> {
    let asker = Asker::find()?;
    let viewer = request()?.extensions.get().copied().unwrap_or(Viewer::Everybody);
    asker.engine.refresh(&asker.session(), kind, viewer);
    Ok(())
}

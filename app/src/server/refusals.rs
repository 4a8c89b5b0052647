//! The refusals of server functions in words for the person: a request that cannot be read is refused as the sender's
//! fault, and a form that was sent without scripts is answered with a page instead of the framework's own text.

use anteroom::wire::ConversationId;
use axum::{
    Form,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use leptos::{prelude::*, server_fn::error::SERVER_FN_ERROR_HEADER};
use leptos_axum::ResponseOptions;
use serde::Deserialize;
use tracing::debug;

use crate::{AssetUrls, components::unsent::Unsent, format, shell::document};

const UNREADABLE: &str = "This request could not be read. Reload the page, which may be older than the server.";
const UNKNOWN: &str = "The server does not know this request. Reload the page, which may be older than the server.";

/// More than any of our refusals holds, in bytes.
const MOST: usize = 64 * 1024;

/// What stands in the composer's form, as far as it is of use to whoever could not send it.
#[derive(Default, Deserialize)]
struct Typed {
    #[serde(default)]
    text: String,
    conversation: Option<ConversationId>,
}

/// Puts the refusals of the server functions behind it into words.
pub(super) async fn in_words(State(urls): State<AssetUrls>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    if !asks_for_a_page(request.headers()) {
        let response = next.run(request).await;
        return match Refused::read(response).await {
            Ok(refused) => refused.into_answer(),
            Err(response) => response,
        };
    }
    let (parts, body) = request.into_parts();
    // How much it may be is checked in front of every page.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Refused::unreadable().into_page(&urls, Typed::default());
    };
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    match Refused::read(next.run(request).await).await {
        Ok(refused) => refused.into_page(&urls, typed(parts, body).await),
        Err(response) => response,
    }
}

/// The answer to a call of a function that there is not.
pub(super) async fn unknown_function() -> Response {
    (StatusCode::NOT_FOUND, ServerFnError::new(UNKNOWN).ser()).into_response()
}

fn asks_for_a_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accepts.is_some_and(|accept| accept.contains("text/html"))
}

async fn typed(parts: Parts, body: Bytes) -> Typed {
    let request = Request::from_parts(parts, Body::from(body));
    let form = Form::from_request(request, &()).await;
    form.map(|Form(typed)| typed).unwrap_or_default()
}

/// Why something asked for is not given.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// After how many seconds another try makes sense.
    pub(super) retry_after: Option<u32>,
    /// A sentence for the person.
    pub(super) message: String,
    /// Whether it is only for as long as the server restarts: the browser then sends the same again by itself.
    pub(super) passing: bool,
}

impl Refused {
    fn unreadable() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            message: UNREADABLE.to_owned(),
            passing: false,
        }
    }

    /// The refusal in a server function's response; the response itself, where it is none.
    async fn read(response: Response) -> Result<Self, Response> {
        if !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
            return Err(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MOST).await.unwrap_or_default();
        let error: ServerFnError = ServerFnError::de(body);
        if let ServerFnError::Args(_) | ServerFnError::MissingArg(_) | ServerFnError::Deserialization(_) = error {
            debug!(%error, "a request could not be read");
            return Ok(Self::unreadable());
        }
        let told = parts.status.is_client_error() || parts.status.is_server_error();
        let retry_after = parts.headers.get(header::RETRY_AFTER);
        Ok(Self {
            // To a form the framework answers with a way back, whatever became of it.
            status: if told {
                parts.status
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            },
            retry_after: retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok()),
            message: format::fault(&error),
            passing: matches!(error, ServerFnError::MiddlewareError(_)),
        })
    }

    /// Refuses from within the server function that runs.
    pub(super) fn tell(self) -> ServerFnError {
        if let Some(response) = use_context::<ResponseOptions>() {
            response.set_status(self.status);
            if let Some(seconds) = self.retry_after {
                response.insert_header(header::RETRY_AFTER, seconds.into());
            }
        }
        self.error()
    }

    /// The framework's form of it. Its browser's half shows no status of an answer, so that the kind has to say what will pass.
    fn error(&self) -> ServerFnError {
        let message = self.message.clone();
        if self.passing {
            ServerFnError::MiddlewareError(message)
        } else {
            ServerFnError::ServerError(message)
        }
    }

    /// `response`, as one that refuses.
    pub(super) fn mark(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// For the browser's half, which reads the framework's format.
    fn into_answer(self) -> Response {
        self.mark(self.error().ser().into_response())
    }

    /// For a browser that runs no scripts.
    fn into_page(self, urls: &AssetUrls, Typed { text, conversation }: Typed) -> Response {
        let back = conversation.map_or_else(|| "/".to_owned(), |id| format!("/c/{id}"));
        let reason = self.message.clone();
        let html = Owner::new().with(|| {
            let page = view! { <Unsent reason text back /> };
            document("Not sent · Anteroom", urls.css.clone(), page).to_html()
        });
        let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
        let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))];
        self.mark((policy, Html(html)).into_response())
    }
}

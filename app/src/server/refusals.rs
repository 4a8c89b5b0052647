//! The refusals of server functions in words for the person: a request that cannot be read is refused as the sender's
//! fault, and a form that was sent without scripts is answered with a page instead of the framework's own text.

use std::{error::Error, future::poll_fn, io, pin::Pin};

use anteroom::{http::MAX_BODY, wire::MAX_MESSAGE_BYTES};
use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use leptos::{prelude::*, server_fn::error::SERVER_FN_ERROR_HEADER};
use leptos_axum::ResponseOptions;
use tracing::debug;

use super::forms::{Form, Typed};
use crate::{AssetUrls, components::unsent::Unsent, format, shell::document};

const UNREADABLE: &str = "This request could not be read. Reload the page, which may be older than the server.";
const SLOW: &str = "This took too long to arrive. Check your connection, and send it again.";
const NO_FORM: &str = "The server does this only for its own pages, with their scripts. Go back, and try again there.";
const UNKNOWN: &str = "The server does not know this request. Reload the page, which may be older than the server.";

/// More than any of our refusals holds, in bytes.
const MOST: usize = 64 * 1024;

/// How much of a request that is too large is taken off the wire, in bytes. A browser that is answered before it has sent all of it
/// shows a broken connection in place of the answer.
const DISCARDED: usize = 16 * MAX_BODY;

/// Puts the refusals of the server functions behind it into words.
pub(super) async fn in_words(State(urls): State<AssetUrls>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let form = Form::of(&request);
    let (parts, body) = request.into_parts();
    let body = match whole(body).await {
        Ok(body) => body,
        Err(refused) => {
            return match form {
                Some(form) => refused.into_page(&urls, form, Typed::before(&parts.headers)),
                None => refused.into_answer(),
            };
        }
    };
    let Some(form) = form else {
        let request = Request::from_parts(parts, Body::from(body));
        return match Refused::read(next.run(request).await).await {
            Ok(refused) => refused.into_answer(),
            Err(response) => response,
        };
    };
    if form == Form::None {
        return Refused::no_form().into_page(&urls, form, Typed::before(&parts.headers));
    }
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    match Refused::read(next.run(request).await).await {
        Ok(refused) => refused.into_page(&urls, form, Typed::read(parts, body).await),
        Err(response) => response,
    }
}

/// A request's body, if it is no larger than it may be.
async fn whole(mut body: Body) -> Result<Bytes, Refused> {
    let (mut read, mut size) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|fault| {
            if took_too_long(&fault) {
                Refused::slow()
            } else {
                Refused::unreadable()
            }
        })?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= MAX_BODY {
            read.extend_from_slice(&data);
        } else if size > DISCARDED {
            break;
        }
    }
    if size > MAX_BODY {
        return Err(Refused::too_large());
    }
    Ok(read.into())
}

/// Whether the body of a request was given up because it took too long.
fn took_too_long(fault: &axum::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(fault);
    while let Some(fault) = cause {
        let slow = fault.downcast_ref::<io::Error>();
        if slow.is_some_and(|fault| fault.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        cause = fault.source();
    }
    false
}

/// The answer to a call of a function that there is not.
pub(super) async fn unknown_function() -> Response {
    (StatusCode::NOT_FOUND, ServerFnError::new(UNKNOWN).ser()).into_response()
}

/// Why something asked for is not given.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// After how many seconds another try makes sense.
    pub(super) retry_after: Option<u64>,
    /// A sentence for the person.
    pub(super) message: String,
    /// Whether it is only for as long as the server restarts: the browser then sends the same again by itself.
    pub(super) passing: bool,
}

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            retry_after: None,
            message: message.into(),
            passing: false,
        }
    }

    fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, UNREADABLE)
    }

    fn slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, SLOW)
    }

    fn too_large() -> Self {
        let message = format!(
            "This is more than the server takes at once. A message may have {MAX_MESSAGE_BYTES} bytes: shorten it, or send it as a file."
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    fn no_form() -> Self {
        Self::new(StatusCode::FORBIDDEN, NO_FORM)
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
    fn into_page(self, urls: &AssetUrls, form: Form, typed: Typed) -> Response {
        let (title, heading) = match form {
            Form::Message => ("Not sent · Anteroom", "Your message was not sent"),
            Form::Forget => ("Not deleted · Anteroom", "Nothing was deleted"),
            Form::None => ("Not done · Anteroom", "Nothing was changed"),
        };
        let (text, back) = match form {
            Form::Message => (typed.text, typed.conversation.map(|id| format!("/c/{id}"))),
            Form::Forget => (String::new(), Some("/data".to_owned())),
            Form::None => (String::new(), None),
        };
        let reason = self.message.clone();
        let page = move || view! { <Unsent heading reason text back=back.unwrap_or_else(|| "/".to_owned()) /> };
        self.mark(plain_page(title, urls, page))
    }
}

/// A page of words alone: nothing in it can run, or send anything anywhere.
pub(super) fn plain_page<V: IntoView>(title: &'static str, urls: &AssetUrls, content: impl FnOnce() -> V) -> Response {
    let css = urls.css.clone();
    let html = Owner::new().with(|| document(title, css, content()).to_html());
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))];
    (policy, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_that_took_too_long_and_one_that_broke_off_are_told_apart() {
        for (kind, status) in [
            (io::ErrorKind::TimedOut, StatusCode::REQUEST_TIMEOUT),
            (io::ErrorKind::UnexpectedEof, StatusCode::BAD_REQUEST),
        ] {
            let parts = [Ok("a part"), Err(io::Error::from(kind))];
            // As a layer in front of it would hand it on.
            let body = Body::new(Body::from_stream(stream::iter(parts)));
            assert_eq!(whole(body).await.expect_err("it did not arrive").status, status);
        }
    }
}

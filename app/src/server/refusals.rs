//! The refusals of server functions in words for the person: a request that cannot be read is refused as the sender's
//! fault, and a form that was sent without scripts is answered with a page instead of the framework's own text.

use std::{error::Error, future::poll_fn, io, pin::Pin};

use anteroom::{
    http::{MAX_BODY, Refusal, Unreached},
    language::{Language, Words},
    say,
    wire::{MAX_MESSAGE_BYTES, Reason},
};
use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{Extensions, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use leptos::{prelude::*, server_fn::error::SERVER_FN_ERROR_HEADER};
use leptos_axum::ResponseOptions;

use super::{
    forms::{Form, Typed},
    program_keys,
};
use crate::{AssetUrls, components::unsent::Unsent, fault::Fault, shell::document};

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
    let page = PlainPage::of(&urls, request.extensions());
    let (parts, body) = request.into_parts();
    let body = match whole(body).await {
        Ok(body) => body,
        Err(refused) => {
            return match form {
                Some(form) => into_page(&refused, &page, form, Typed::before(&parts.headers)),
                None => refused.into_response(),
            };
        }
    };
    // The home of the session could not be asked, so nothing is done.
    if let Some(Unreached(refused)) = parts.extensions.get().cloned() {
        return match form {
            Some(form) => into_page(&refused, &page, form, Typed::read(parts, body).await),
            None => refused.into_response(),
        };
    }
    let Some(form) = form else {
        let request = Request::from_parts(parts, Body::from(body));
        return match read(next.run(request).await).await {
            Ok(refused) => refused.into_response(),
            Err(response) => response,
        };
    };
    if form == Form::None {
        return into_page(&FORM_ONLY, &page, form, Typed::before(&parts.headers));
    }
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    match read(next.run(request).await).await {
        Ok(refused) => into_page(&refused, &page, form, Typed::read(parts, body).await),
        Err(response) => response,
    }
}

/// A request's body, if it is no larger than it may be.
async fn whole(mut body: Body) -> Result<Bytes, Refusal> {
    let (mut read, mut size) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|fault| if took_too_long(&fault) { SLOW } else { UNREADABLE })?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= MAX_BODY {
            read.extend_from_slice(&data);
        } else if size > DISCARDED {
            break;
        }
    }
    if size > MAX_BODY {
        return Err(TOO_LARGE);
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
    Refusal::new(StatusCode::NOT_FOUND, Reason::RequestUnknown).into_response()
}

const UNREADABLE: Refusal = Refusal::new(StatusCode::BAD_REQUEST, Reason::RequestUnreadable);
const SLOW: Refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, Reason::RequestSlow);
const FORM_ONLY: Refusal = Refusal::new(StatusCode::FORBIDDEN, Reason::FormOnly);
const TOO_LARGE: Refusal = Refusal::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    Reason::RequestTooLarge {
        most: MAX_MESSAGE_BYTES as u64,
    },
);

/// The refusal in a server function's response; the response itself, where it is none.
async fn read(mut response: Response) -> Result<Refusal, Response> {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        return Ok(refusal);
    }
    if !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return Err(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MOST).await.unwrap_or_default();
    let Fault { reason } = Fault::de(body);
    if reason == Reason::RequestUnreadable {
        return Ok(UNREADABLE);
    }
    let told = parts.status.is_client_error() || parts.status.is_server_error();
    let retry_after = parts.headers.get(header::RETRY_AFTER);
    Ok(Refusal {
        // To a form the framework answers with a way back, whatever became of it.
        status: if told {
            parts.status
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        },
        retry_after: retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok()),
        reason,
        to_program: false,
    })
}

/// Refuses from within the server function that runs.
pub(super) fn tell(refusal: Refusal) -> Fault {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(refusal.status);
        if let Some(seconds) = refusal.retry_after {
            response.insert_header(header::RETRY_AFTER, seconds.into());
        }
    }
    refusal.reason.into()
}

/// For a browser that runs no scripts.
fn into_page(refusal: &Refusal, page: &PlainPage, form: Form, typed: Typed) -> Response {
    let words = page.words;
    let heading = match form {
        Form::Message => say!(words, "unsent-message"),
        Form::Forget => say!(words, "unsent-forget"),
        Form::Action | Form::Key | Form::None => say!(words, "unsent-other"),
    };
    let (text, back) = match form {
        Form::Message => (typed.text, typed.conversation.map(|id| format!("/c/{id}"))),
        Form::Forget => (String::new(), Some("/data".to_owned())),
        Form::Action => (String::new(), typed.conversation.map(|id| format!("/c/{id}"))),
        Form::Key => (String::new(), Some(program_keys::PAGE.to_owned())),
        Form::None => (String::new(), None),
    };
    let reason = words.reason(&refusal.reason);
    let back = back.unwrap_or_else(|| "/".to_owned());
    refusal.mark(page.refuse(heading, reason, text, back))
}

/// What a page of words alone is made of: nothing in it can run, or send anything anywhere.
pub(super) struct PlainPage {
    pub(super) css: String,
    pub(super) words: &'static Words,
}

impl PlainPage {
    /// In the language of a request.
    pub(super) fn of(urls: &AssetUrls, request: &Extensions) -> Self {
        let language = request.get::<Language>().copied().unwrap_or_default();
        Self {
            css: urls.css.clone(),
            words: Words::of(language),
        }
    }

    /// Says what did not happen and why, and gives back what was typed.
    pub(super) fn refuse(&self, heading: String, reason: String, text: String, back: String) -> Response {
        let (words, css, title) = (self.words, self.css.clone(), format!("{heading} · Anteroom"));
        let html = Owner::new().with(|| {
            let content = view! { <Unsent words heading reason text back /> };
            document(words.language(), title, css, content).to_html()
        });
        let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))];
        (policy, Html(html)).into_response()
    }
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

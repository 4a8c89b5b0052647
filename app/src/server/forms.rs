//! What a form may ask for: a browser without scripts sends messages, and does with what it has whatever a page of its own offers it. Every form
//! but the composer's has to hold a confirmation, which only the session's own pages know: a form that somebody has smuggled into one of them
//! changes nothing. Everything else is for scripts of our pages.

use anteroom::wire::ConversationId;
use axum::{
    Form as Fields,
    body::{Body, Bytes},
    extract::{FromRequest as _, Request},
    http::{HeaderMap, Uri, header, request::Parts},
};
use serde::Deserialize;

use super::{actions, program_keys};
use crate::route::conversation_of;

/// Which form a request was sent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The composer.
    Message,
    /// That of "delete everything of mine". It holds a confirmation, which no other page's form can know.
    Forget,
    /// One of those in place of a button, which [`actions`](super::actions) takes. It holds the same confirmation.
    Action,
    /// One of the page of programs' keys. It holds the same confirmation.
    Key,
    /// None of ours.
    None,
}

impl Form {
    /// The form that a request was sent by; `None`: a script, or another program, has sent it.
    ///
    /// A browser that is to show the answer accepts HTML, and no form can have it say anything else. Nor can a script's request be
    /// made to look like that by accident: the framework's own accept the format that they read.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let says = |name: &str, part: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.contains(part))
        };
        if !says("accept", "text/html") && !says("sec-fetch-mode", "navigate") {
            return None;
        }
        Some(match request.uri().path() {
            "/api/send_form" => Self::Message,
            "/api/forget" => Self::Forget,
            program_keys::MAKE | program_keys::RATES | program_keys::REVOKE => Self::Key,
            path if path.starts_with(actions::PREFIX) => Self::Action,
            _ => Self::None,
        })
    }
}

/// What stands in the composer's form, as far as it is of use to the person who could not send it.
#[derive(Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    pub(super) text: String,
    pub(super) conversation: Option<ConversationId>,
}

impl Typed {
    pub(super) async fn read(parts: Parts, body: Bytes) -> Self {
        let request = Request::from_parts(parts, Body::from(body));
        let fields = Fields::from_request(request, &()).await;
        fields.map(|Fields(typed)| typed).unwrap_or_default()
    }

    /// What is known of a form that was not read: the page that it stood on.
    pub(super) fn before(headers: &HeaderMap) -> Self {
        let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
        let page = referer.and_then(|referer| referer.parse::<Uri>().ok());
        Self {
            text: String::new(),
            conversation: page.and_then(|page| conversation_of(page.path())),
        }
    }
}

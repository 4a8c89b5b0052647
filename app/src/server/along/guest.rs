//! What guests see: the conversation of their pass, as it goes on, and its files.

use std::{convert::Infallible, sync::Arc, time::Duration};

use anteroom::{
    accounts::passes::{Guest, PassEnd},
    client::{GuestClient, Seen, Watch},
    http::{Admitted, Refusal, given},
    language::Words,
    say,
    wire::{FileId, Reason, TurnState},
};
use axum::{
    extract::{Path, State},
    http::{Extensions, HeaderName, HeaderValue, StatusCode, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use leptos::prelude::*;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::{Allowed, Rooms, ended, page, pieces::Pieces, plain, why};
use crate::{browser, components::brand::Wordmark, format, server::refusals::PlainPage};

const SCRIPT: &str = include_str!("watch.js");

/// From one change that a page is told to the next, at least.
const PACE: Duration = Duration::from_millis(400);

/// From one refresh of a page without scripts to the next, in seconds.
const EVERY: u32 = 5;

const GONE: Refusal = Refusal::new(StatusCode::NOT_FOUND, Reason::FileGone);

/// `/along.js`.
pub(super) async fn script() -> impl axum::response::IntoResponse {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, SCRIPT)
}

/// The guest that a request is of.
fn guest_of(request: &Extensions) -> Result<Guest, PassEnd> {
    request
        .get::<Admitted>()
        .map_or(Err(PassEnd::Gone), |Admitted(guest)| *guest)
}

/// `/along/{pass}`.
pub(super) async fn look(State(rooms): State<Rooms>, request: Extensions) -> Response {
    let plain = plain(&rooms, &request);
    let guest = match guest_of(&request) {
        Ok(guest) => guest,
        Err(end) => return ended(&plain, end),
    };
    match GuestClient::new(Arc::clone(&rooms.engine), guest).look().await {
        Ok(Some(view)) => {
            let is_over = view.conversation.turns.last().is_none_or(|turn| turn.state.is_over());
            let pieces = Pieces::of(plain.words, guest.pass, &view);
            watched(&plain, guest, &pieces, view.conversation.earlier, is_over)
        }
        Ok(None) => ended(&plain, PassEnd::Gone),
        Err(fault) => {
            let refusal = Refusal::from(fault);
            let (heading, reason) = (say!(plain.words, "unsent-other"), plain.words.reason(&refusal.reason));
            refusal.mark(plain.refuse(heading, reason, String::new(), format!("/along/{}", guest.pass)))
        }
    }
}

fn watched(plain: &PlainPage, guest: Guest, pieces: &Pieces, earlier: bool, is_over: bool) -> Response {
    let words = plain.words;
    let left = format::seconds(guest.until.saturating_sub(browser::now()));
    let note = say!(words, "along-read-only", time = super::rounded(words, left));
    let refresh = (!is_over).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content=EVERY />
            </noscript>
        }
    });
    let head = view! {
        {refresh}
        <script src="/along.js" defer></script>
    };
    let whole = pieces.whole();
    let content = || {
        view! {
            <header class="along-head">
                <Wordmark />
                <p class="quiet">{note}</p>
            </header>
            <main class="along along-watched" id="content">
                <p id="along-state" role="alert" hidden data-lost=say!(words, "along-lost")></p>
                {earlier.then(|| view! { <p class="quiet">{say!(words, "along-earlier")}</p> })}
                <div inner_html=whole></div>
            </main>
        }
    };
    page(plain, Allowed::Watching, &say!(words, "along-title"), head, content)
}

/// `/along/{pass}/files/{file}`.
pub(super) async fn file(
    State(rooms): State<Rooms>,
    Path((_, file)): Path<(Uuid, FileId)>,
    request: Extensions,
) -> Result<Response, Refusal> {
    let guest = guest_of(&request).map_err(|_| GONE)?;
    let found = GuestClient::new(rooms.engine, guest).file(file).await?;
    let (file, content) = found.ok_or(GONE)?;
    let mut response = given(&file, content);
    // Another pass, or none, may not find it in the browser's cache.
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

/// `/along/{pass}/feed`: what of the page has changed, and its end.
pub(super) async fn feed(State(rooms): State<Rooms>, request: Extensions) -> Response {
    let words = plain(&rooms, &request).words;
    let first = match guest_of(&request) {
        Ok(guest) => {
            let client = GuestClient::new(Arc::clone(&rooms.engine), guest);
            let held = Box::new(rooms.engine.hold());
            Feed::Open(Box::new(Open {
                watch: client.follow(),
                words,
                sent: Pieces::default(),
                waits: true,
                look: true,
                due: Instant::now(),
                _held: held,
            }))
        }
        Err(end) => Feed::Ending(words, end),
    };
    let events = stream::unfold(first, |feed| async move {
        let (event, next) = feed.next().await?;
        Some((Ok::<_, Infallible>(event), next))
    });
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Or nginx would keep events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// A guest's page that follows.
enum Feed {
    Open(Box<Open>),
    /// The pass lets nobody in: the page is told so, and nothing after that.
    Ending(&'static Words, PassEnd),
    Over,
}

struct Open {
    watch: Watch,
    words: &'static Words,
    /// What the page shows.
    sent: Pieces,
    /// Whether a message waits in the line.
    waits: bool,
    /// Whether there is something to look at.
    look: bool,
    /// When the page may be told again.
    due: Instant,
    /// The shutdown waits for it.
    _held: Box<dyn Send>,
}

impl Feed {
    /// What the page is told next; `None`: it is to ask again, or knows that it has ended.
    async fn next(self) -> Option<(Event, Self)> {
        match self {
            Self::Open(open) => open.next().await,
            Self::Ending(words, end) => Some(ending(words, end)),
            Self::Over => None,
        }
    }
}

fn ending(words: &Words, end: PassEnd) -> (Event, Feed) {
    (Event::default().event("end").data(why(words, end)), Feed::Over)
}

impl Open {
    async fn next(mut self: Box<Self>) -> Option<(Event, Feed)> {
        loop {
            if !self.look {
                match self.watch.next().await {
                    Seen::Ended(end) => return Some(ending(self.words, end)),
                    Seen::Away => return None,
                    Seen::Nothing => return Some((Event::default().comment(""), Feed::Open(self))),
                    // Where nothing waits, the line is no news.
                    Seen::Line if !self.waits => continue,
                    Seen::Conversation | Seen::Line => {}
                }
                // What comes meanwhile is seen then, too; but for an end, which is told at once.
                let due = self.due;
                while Instant::now() < due {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        seen = self.watch.next() => match seen {
                            Seen::Ended(end) => return Some(ending(self.words, end)),
                            Seen::Away => return None,
                            Seen::Conversation | Seen::Line | Seen::Nothing => {}
                        },
                    }
                }
            }
            self.look = false;
            let pass = self.watch.client().guest().pass;
            let view = match self.watch.client().look().await {
                Ok(Some(view)) => view,
                Ok(None) => return Some(ending(self.words, PassEnd::Gone)),
                // It asks again.
                Err(_) => return None,
            };
            let last = view.conversation.turns.last();
            self.waits = last.is_some_and(|turn| turn.state == TurnState::Waiting);
            let now = Pieces::of(self.words, pass, &view);
            let changes = self.sent.to(&now);
            self.sent = now;
            if changes.is_empty() {
                continue;
            }
            self.due = Instant::now() + PACE;
            let data = serde_json::to_string(&changes).unwrap_or_default();
            return Some((Event::default().data(data), Feed::Open(self)));
        }
    }
}

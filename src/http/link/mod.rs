//! The link between the nodes of one site: any of them takes any request, and has the home of its session answer it.
//!
//! A node listens for the others at an address of its own (`NODE_ADDR`), behind a token that only they can make ([`secret`]), and serves
//! there what it serves its visitors ([`listener`]). At the doors, [`forward`] sends what belongs to a session that is at home elsewhere to
//! that node, over connections that are kept for a while ([`peers`]), and passes the feed on byte by byte ([`pump`]). What has come over the
//! link is served where it arrives, so nothing goes in circles. [`watch`] notices at once when the process of a node has ended.
//!
//! It speaks HTTP/1.1 with hyper's client, one connection at a time, not with reqwest: an upload has to wait until its home asks for it (`100
//! Continue`), a body is to be passed on as it is, compressed or not, and a feed has to give all buffers of HTTP back once it is open.

mod body;
mod forward;
mod frames;
mod headers;
mod listener;
mod peers;
mod pump;
mod secret;
#[cfg(test)]
mod tests;
mod vouch;
mod watch;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tracing::{Instrument as _, debug};

use super::{MAX_BODY, Refusal, guest::Admitted, programs::MAX_PROGRAM_BODY};
use crate::{
    accounts::Principal,
    conversations::MAX_IMPORT_BYTES,
    engine::Engine,
    nodes::{Home, Homes, Incarnation},
    queue::Owner,
};
use forward::{Asked, Ends, Outcome};
pub use listener::serve_nodes;
use peers::Peers;
use secret::Token;
pub(super) use vouch::Vouched;
pub use watch::watch;

/// A node's way to the others.
pub(super) struct Link {
    homes: Arc<dyn Homes>,
    token: Token,
    peers: Arc<Peers>,
}

/// Marks a request that has come over the link.
#[derive(Clone, Copy, Debug)]
struct Linked;

/// Marks a request that the home of its session could not be asked: nothing of the session is to be read or changed here, and whoever makes
/// the answer says why.
#[derive(Clone, Debug)]
pub struct Unreached(pub Refusal);

impl Link {
    /// That of this engine; `None`: it is alone.
    pub(super) fn of(engine: &Engine) -> Option<Arc<Self>> {
        engine.settings().node_addr.as_ref()?;
        Some(Arc::new(Self::new(Arc::clone(engine.homes()), Token::of(engine.jar()))))
    }

    fn new(homes: Arc<dyn Homes>, token: Token) -> Self {
        Self {
            homes,
            token,
            peers: Arc::default(),
        }
    }
}

/// What the middlewares below need.
pub(super) type Doors = (Arc<Engine>, Arc<Link>);

/// Sends a request that belongs to a session to its home. What cannot be sent is refused here.
pub(super) async fn forward(State((engine, link)): State<Doors>, request: Request, next: Next) -> Response {
    match pass(&engine, &link, request).await {
        Passed::Answered(response) => response,
        Passed::Here(request) => next.run(request).await,
        Passed::Unreached(refusal, _) => refusal.into_response(),
    }
}

/// The same for pages, which say by themselves that their session's home could not be asked ([`Unreached`]).
pub(super) async fn forward_page(State((engine, link)): State<Doors>, request: Request, next: Next) -> Response {
    match pass(&engine, &link, request).await {
        Passed::Answered(response) => response,
        Passed::Here(request) => next.run(request).await,
        Passed::Unreached(refusal, mut request) => {
            request.extensions_mut().insert(Unreached(refusal));
            next.run(request).await
        }
    }
}

/// The same for whoever watches a conversation by a pass, which only the home of its owner can show.
pub(super) async fn forward_guest(State((_, link)): State<Doors>, request: Request, next: Next) -> Response {
    let admitted: Option<Admitted> = request.extensions().get().copied();
    let linked = request.extensions().get::<Linked>().is_some();
    let guest = admitted.and_then(|Admitted(guest)| guest.ok());
    let Some(guest) = guest.filter(|_| !linked) else {
        return next.run(request).await;
    };
    if link.homes.home(guest.owner) == Home::Here {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    let follows = parts.uri.path().ends_with("/feed");
    let asked = Asked::whole(parts, axum::body::Bytes::new());
    let asked = if follows { asked.patient() } else { asked };
    match link.forward(guest.owner, asked).await {
        Outcome::Here(request) => next.run(request).await,
        // Nothing that guests ask for becomes a WebSocket.
        Outcome::Answered(response) | Outcome::Feed(response, _) => response,
        Outcome::Failed(refusal, ..) => refusal.into_response(),
    }
}

enum Passed {
    Answered(Response),
    /// It is to be served here.
    Here(Request),
    /// Nobody has answered.
    Unreached(Refusal, Request),
}

async fn pass(engine: &Arc<Engine>, link: &Arc<Link>, request: Request) -> Passed {
    let who: Option<Principal> = request.extensions().get().copied();
    let linked = request.extensions().get::<Linked>().is_some();
    // A browser without a cookie gets one here, and nothing else.
    let Some(who) = who.filter(|_| !linked) else {
        return Passed::Here(request);
    };
    let owner = who.owner();
    if link.homes.home(owner) == Home::Here {
        return Passed::Here(request);
    }
    let (parts, body) = request.into_parts();
    let asked = match content(who, &parts.method, parts.uri.path()) {
        Content::Upload => Asked::upload(parts, body),
        Content::Whole(most) => match body::whole(body, most).await {
            Ok(body) => Asked::whole(parts, body),
            // No home would read it either: it is refused before anything is asked of a session.
            Err(body) => return Passed::Here(Request::from_parts(parts, body)),
        },
        Content::Nothing => Asked::whole(parts, axum::body::Bytes::new()),
    };
    let asked = if who.program.is_some() { asked.patient() } else { asked };
    match link.forward(owner, asked).await {
        Outcome::Here(request) => Passed::Here(request),
        Outcome::Answered(response) => Passed::Answered(response),
        Outcome::Feed(response, ends) => {
            spawn_feed(engine, link, who, ends);
            Passed::Answered(response)
        }
        Outcome::Failed(refusal, parts, body) => {
            Passed::Unreached(refusal, Request::from_parts(*parts, Body::from(body)))
        }
    }
}

/// What somebody may read that comes with a request.
enum Content {
    /// As it comes.
    Upload,
    /// All of it, of so many bytes at most.
    Whole(usize),
    Nothing,
}

fn content(who: Principal, method: &Method, path: &str) -> Content {
    let posts = *method == Method::POST;
    match who.program {
        None if posts && path == "/files" => Content::Upload,
        None if posts && path == "/import" => Content::Whole(MAX_IMPORT_BYTES),
        None if posts => Content::Whole(MAX_BODY),
        Some(_) if posts && path.ends_with("/files") => Content::Upload,
        Some(_) if !matches!(*method, Method::GET | Method::HEAD) => Content::Whole(MAX_PROGRAM_BODY),
        None | Some(_) => Content::Nothing,
    }
}

/// Passes a feed on until one of its ends closes, the session is at home elsewhere, or this node ends.
fn spawn_feed(engine: &Arc<Engine>, link: &Arc<Link>, who: Principal, ends: Ends) {
    let held = engine.hold();
    let (engine, homes) = (Arc::clone(engine), Arc::clone(&link.homes));
    let span = crate::logs::session_span(who.session);
    let feed = async move {
        let _held = held;
        let Ends {
            page,
            home,
            node,
            connection,
        } = ends;
        let Ok((page, home)) = tokio::try_join!(page, home) else {
            debug!("a feed was gone before it was open");
            return;
        };
        // Nothing of HTTP is left of it.
        drop(connection);
        let (mut page, mut home) = (TokioIo::new(page), TokioIo::new(home));
        let over = async {
            tokio::select! {
                () = engine.closing().cancelled() => "the server is being restarted",
                () = left(&*homes, who.owner(), node) => "the session is at home elsewhere",
            }
        };
        let end = pump::pump(&mut page, &mut home, over).await;
        debug!(?end, ?node, "feed of another node closed");
    };
    tokio::spawn(feed.instrument(span));
}

/// Over once this owner is not at home at `node` any more.
async fn left(homes: &dyn Homes, owner: Owner, node: Incarnation) {
    let mut changes = homes.changes();
    loop {
        match homes.home(owner) {
            Home::There { node: there, .. } if there == node => {}
            Home::There { .. } | Home::Here | Home::Nowhere => return,
        }
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

//! Where a node is reached by the others.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Linked,
    secret::{Addressee, Token, addressee, drop_ours, written},
    vouch,
};
use crate::{engine::Engine, http::serve::serve_with, nodes::{Homes, Incarnation}};

/// Serves `site` to the other nodes until `stop` is over, as [`serve`](fn@crate::http::serve) serves it to its visitors. Whoever has no token is
/// refused.
///
/// Dropped, it takes no more connections, and those that it has taken end with the request that is under way.
pub async fn serve_nodes(engine: &Arc<Engine>, listener: TcpListener, site: Router, stop: impl Future<Output = ()>) {
    let guard = Guard {
        token: Token::of(engine.jar()),
        me: engine.homes().me(),
        homes: Arc::clone(engine.homes()),
        closing: engine.closing().clone(),
    };
    // Other nodes come from few addresses with many connections.
    serve_with(|| None, listener, guarded(guard, site), stop).await;
}

/// What stands before the site on the link.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) token: Token,
    pub(super) me: Incarnation,
    pub(super) homes: Arc<dyn Homes>,
    pub(super) closing: CancellationToken,
}

/// The site behind its guard.
pub(super) fn guarded(guard: Guard, site: Router) -> Router {
    site.layer(middleware::from_fn_with_state(guard, admit))
}

async fn admit(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    if !guard.token.admits(request.headers()) {
        let sentence = "This address is for the other nodes of this Anteroom. Its pages are elsewhere.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    match addressee(request.headers()) {
        // What a browser has asked for always says whom it is for, so no address of the site stands for this.
        Addressee::Anybody if request.uri().path() == "/node" => node(guard),
        Addressee::Anybody => StatusCode::NOT_FOUND.into_response(),
        Addressee::Node(node) if node == guard.me => {
            let vouched = vouch::read(request.headers());
            drop_ours(request.headers_mut());
            request.extensions_mut().insert(Linked);
            request.extensions_mut().insert(vouched);
            if guard.homes.has_left() {
                return StatusCode::MISDIRECTED_REQUEST.into_response();
            }
            let response = next.run(request).await;
            // One that has left meanwhile has refused for that, and has changed nothing: the door asks the next home, and nobody hears of it.
            if response.status() == StatusCode::SERVICE_UNAVAILABLE && guard.homes.has_left() {
                return StatusCode::MISDIRECTED_REQUEST.into_response();
            }
            response
        }
        // Whoever it was for has ended, and this node has its address now.
        Addressee::Node(_) | Addressee::Nobody => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

/// `/node`: which node this is, at once; the answer ends when the node does.
fn node(guard: Guard) -> Response {
    let name = Bytes::from(format!("{}\n", written(guard.me)));
    let name = stream::iter([Ok::<_, std::convert::Infallible>(name)]);
    let ends = stream::once(guard.closing.cancelled_owned()).filter_map(async |()| None);
    Body::from_stream(name.chain(ends)).into_response()
}

//! What a key has to let a program do, at each door.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};

use crate::{
    accounts::{Principal, Scope},
    client::ClientError,
    http::Refusal,
};

/// `routes`, for keys that have this scope. Others are refused before anything of the request is read.
pub(in crate::http) fn needs<S: Clone + Send + Sync + 'static>(scope: Scope, routes: Router<S>) -> Router<S> {
    routes.route_layer(middleware::from_fn_with_state(scope, check))
}

async fn check(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let who: Option<&Principal> = request.extensions().get();
    if who.is_some_and(|who| who.may(scope)) {
        return next.run(request).await;
    }
    lacks(scope)
}

/// The refusal of a key that does not have it.
pub(super) fn lacks(scope: Scope) -> Response {
    Refusal::from(ClientError::MayNot(scope)).into_response()
}

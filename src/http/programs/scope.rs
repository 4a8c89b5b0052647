//! What a key has to let a program do, at each door.

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};

use crate::{
    accounts::{Principal, Scope},
    http::Refusal,
    wire::Reason,
};

/// `routes`, for keys that have this scope. Others are refused before anything of the request is read.
pub(in crate::http) fn needs<S: Clone + Send + Sync + 'static>(scope: Scope, routes: Router<S>) -> Router<S> {
    routes.route_layer(middleware::from_fn_with_state(scope, check))
}

async fn check(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let who: Option<&Principal> = request.extensions().get();
    if who
        .and_then(|who| who.program)
        .is_some_and(|program| program.scopes.has(scope))
    {
        return next.run(request).await;
    }
    lacks(scope)
}

/// The refusal of a key that does not have it.
pub(super) fn lacks(scope: Scope) -> Response {
    let name = scope.name().to_owned();
    Refusal::new(StatusCode::FORBIDDEN, Reason::KeyMayNot { name }).into_response()
}

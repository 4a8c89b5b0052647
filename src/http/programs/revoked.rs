//! What a key had asked for ends when it is revoked: what waits, what runs, and what is being answered.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use hyper::body::{Frame, SizeHint};

use super::identity::refused;
use crate::{accounts::Principal, engine::Engine, http::Refusal, wire::Reason};

/// Drops a request, or what is left of its answer, once its key is revoked.
pub(super) async fn end<N: Future<Output = Response>>(
    engine: &Engine,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let who: Option<Principal> = request.extensions().get().copied();
    let Some(program) = who.and_then(|who| who.program) else {
        return next(request).await;
    };
    let mut revoked = engine.keys().revoked(program.key).boxed();
    tokio::select! {
        response = next(request) => response.map(|body| Body::new(Ending { body, revoked })),
        () = &mut revoked => refused(Refusal::new(StatusCode::UNAUTHORIZED, Reason::KeyRevoked)),
    }
}

/// An answer that breaks off.
struct Ending {
    body: Body,
    revoked: BoxFuture<'static, ()>,
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.revoked.as_mut().poll(cx).is_ready() {
            self.revoked = std::future::pending().boxed();
            self.body = Body::empty();
            let revoked = io::Error::new(io::ErrorKind::PermissionDenied, "the key is revoked");
            return Poll::Ready(Some(Err(axum::Error::new(revoked))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

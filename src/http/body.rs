//! How long the body of a request may take to arrive.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Longest time that the bodies of all but uploads may take, which are small. An upload has bounds of its own.
const LONGEST: Duration = Duration::from_secs(60);

/// Ends the body of a request that takes too long, so that nobody keeps a connection by dripping.
pub(super) async fn bound(request: Request, next: Next) -> Response {
    next.run(bounded(request)).await
}

/// The same of one request.
pub(super) fn bounded(request: Request) -> Request {
    request.map(|body| Body::new(Timed::new(body)))
}

/// A body that fails once it has been waited for too long.
pub(super) struct Timed {
    body: Body,
    /// Set when it is first waited for: most bodies are there at once.
    end: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub(super) const fn new(body: Body) -> Self {
        Self { body, end: None }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(
            self.end
                .get_or_insert_with(|| Box::pin(sleep(LONGEST)))
                .as_mut()
                .poll(cx)
        );
        let slow = io::Error::new(io::ErrorKind::TimedOut, "the request's body took too long");
        Poll::Ready(Some(Err(axum::Error::new(slow))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::to_bytes;
    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    /// A byte a second, for ever.
    fn dripping() -> Body {
        Body::from_stream(stream::unfold((), |()| async {
            sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_ended() {
        let begun = Instant::now();
        let read = to_bytes(Body::new(Timed::new(dripping())), usize::MAX).await;
        assert!(read.is_err());
        assert_eq!(begun.elapsed().as_secs(), LONGEST.as_secs());
    }

    #[tokio::test]
    async fn one_that_is_there_is_read_whole() {
        let read = to_bytes(Body::new(Timed::new(Body::from("whole"))), usize::MAX).await;
        assert_eq!(read.expect("read"), "whole");
    }
}

//! Bodies that go through a door: what a browser sends on to the home, and what that answers.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::{StreamExt as _, future::BoxFuture, stream};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Sleep, sleep},
};

use super::peers::Kept;
use crate::http::body::Timed;

/// How long a home may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// The whole of a body of at most so many bytes, so that it can be sent more than once.
///
/// # Errors
/// The same body again: it is too large, broke off or was too slow, which whoever reads it here finds out, and says.
pub(super) async fn whole(body: Body, most: usize) -> Result<Bytes, Body> {
    let mut body = Timed::new(body);
    let (mut read, mut size) = (Vec::<Bytes>::new(), 0);
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let fault = match frame {
            None => return Ok(read.concat().into()),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    size += data.len();
                    read.push(data);
                }
                if size <= most {
                    continue;
                }
                None
            }
            Some(Err(fault)) => Some(Err(fault)),
        };
        let read = stream::iter(read.into_iter().map(Ok).chain(fault));
        return Err(Body::from_stream(read.chain(Body::new(body).into_data_stream())));
    }
}

/// The body of an upload, which no more than one node is sent any of.
#[derive(Clone)]
pub(super) struct Upload(Arc<Mutex<Sending>>);

struct Sending {
    body: Body,
    /// Some of it has been taken.
    begun: bool,
    /// Which try may take of it.
    attempt: u64,
}

impl Upload {
    pub(super) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Sending {
            body,
            begun: false,
            attempt: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Sending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body for one more try, which gives nothing until `asked_for`; all before get nothing any more. `None`: some of it has gone.
    pub(super) fn attempt(&self, asked_for: oneshot::Receiver<()>) -> Option<Body> {
        let mut sending = self.lock();
        sending.attempt += 1;
        let attempt = sending.attempt;
        (!sending.begun).then(|| {
            Body::new(Part {
                upload: self.clone(),
                attempt,
                asked_for: Some(asked_for),
            })
        })
    }

    /// Whether some of it has gone.
    pub(super) fn has_begun(&self) -> bool {
        self.lock().begun
    }

    /// The body as it came, for whoever serves it here. `None`: some of it has gone.
    pub(super) fn take(&self) -> Option<Body> {
        let mut sending = self.lock();
        sending.attempt += 1;
        (!sending.begun).then(|| std::mem::take(&mut sending.body))
    }
}

/// An upload's body as one try sends it.
struct Part {
    upload: Upload,
    attempt: u64,
    /// The home reads nothing of it before the line lets it start, so that until then another one can be sent it.
    asked_for: Option<oneshot::Receiver<()>>,
}

impl HttpBody for Part {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(asked_for) = &mut self.asked_for {
            if ready!(pin!(asked_for).poll(cx)).is_err() {
                return Poll::Ready(Some(Err(axum::Error::new(io::Error::other("nobody asks for it")))));
            }
            self.asked_for = None;
        }
        let mut sending = self.upload.lock();
        if sending.attempt != self.attempt {
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::other("it goes elsewhere")))));
        }
        let frame = ready!(Pin::new(&mut sending.body).poll_frame(cx));
        sending.begun = true;
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.upload.lock().body.size_hint()
    }
}

/// What a home answers. Once all of it has come, its connection serves another request; broken off, it is closed.
pub(super) struct Answer {
    body: Incoming,
    connection: Option<Kept>,
    silence: Option<Pin<Box<Sleep>>>,
    /// Until this is over, it may be silent for as long as it likes.
    quiet: Option<BoxFuture<'static, ()>>,
}

impl Answer {
    /// `quiet`: until when it may be silent for as long as it likes; `None`: at no time.
    pub(super) fn new(body: Incoming, connection: Kept, quiet: Option<BoxFuture<'static, ()>>) -> Self {
        let mut answer = Self {
            body,
            connection: Some(connection),
            silence: None,
            quiet,
        };
        answer.keep_if_whole();
        answer
    }

    fn keep_if_whole(&mut self) {
        if self.body.is_end_stream()
            && let Some(connection) = self.connection.take()
        {
            connection.keep();
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silence = None;
                self.keep_if_whole();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(fault))) => {
                self.connection = None;
                Poll::Ready(Some(Err(axum::Error::new(fault))))
            }
            Poll::Ready(None) => {
                if let Some(connection) = self.connection.take() {
                    connection.keep();
                }
                Poll::Ready(None)
            }
            Poll::Pending => {
                if let Some(quiet) = &mut self.quiet {
                    ready!(quiet.as_mut().poll(cx));
                    self.quiet = None;
                }
                let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
                ready!(silence.as_mut().poll(cx));
                self.connection = None;
                let silent = io::Error::new(io::ErrorKind::TimedOut, "the home of the session is silent");
                Poll::Ready(Some(Err(axum::Error::new(silent))))
            }
        }
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

    use super::*;

    fn in_parts(parts: usize, size: usize) -> Body {
        let part = Bytes::from(vec![b'x'; size]);
        Body::from_stream(stream::iter(vec![Ok::<_, Infallible>(part); parts]))
    }

    async fn first(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
    }

    #[tokio::test]
    async fn a_body_that_is_no_larger_than_it_may_be_is_there_whole() {
        let body = whole(in_parts(3, 5), 15).await;
        assert_eq!(body.unwrap_or_else(|_| panic!("it is small")), vec![b'x'; 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_is_as_it_was() {
        let Err(same) = whole(in_parts(10, 250), 1_000).await else {
            panic!("it is too large")
        };
        let read = to_bytes(same, usize::MAX).await.expect("read");
        assert_eq!(read.len(), 2_500);
        let broken = stream::iter([Ok("a part"), Err(io::Error::from(io::ErrorKind::UnexpectedEof))]);
        let Err(same) = whole(Body::from_stream(broken), 1_000).await else {
            panic!("it broke off")
        };
        assert!(to_bytes(same, usize::MAX).await.is_err());
        let stalled = stream::iter([Ok::<_, Infallible>("a part")]).chain(stream::pending());
        let Err(mut same) = whole(Body::from_stream(stalled), 1_000).await else {
            panic!("it never ends")
        };
        assert!(matches!(first(&mut same).await, Some(Ok(_))));
        assert!(
            matches!(first(&mut same).await, Some(Err(_))),
            "it is not waited for twice"
        );
    }

    #[tokio::test]
    async fn an_upload_goes_to_one_node_only() {
        let upload = Upload::new(Body::from("content"));
        let (_ask, asked) = oneshot::channel();
        let mut early = upload.attempt(asked).expect("nothing has gone");
        let (ask, asked) = oneshot::channel();
        let mut second = upload.attempt(asked).expect("nothing has gone");
        ask.send(()).expect("it waits");
        let part = first(&mut second).await.expect("a frame").expect("its content");
        assert_eq!(part.into_data().expect("data"), "content");
        assert!(upload.attempt(oneshot::channel().1).is_none());
        assert!(upload.take().is_none());
        drop(_ask);
        assert!(matches!(first(&mut early).await, Some(Err(_))));
    }

    #[tokio::test]
    async fn a_try_that_is_over_takes_nothing_of_an_upload() {
        let upload = Upload::new(Body::from("content"));
        let (ask, asked) = oneshot::channel();
        let mut first_try = upload.attempt(asked).expect("nothing has gone");
        ask.send(()).expect("it waits");
        let here = upload.take().expect("nothing has gone");
        assert!(matches!(first(&mut first_try).await, Some(Err(_))));
        assert_eq!(to_bytes(here, usize::MAX).await.expect("read"), "content");
    }
}

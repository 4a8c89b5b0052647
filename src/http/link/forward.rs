//! A request that has come in through another door than that of its session's home is sent there, and what the home answers goes back.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::FutureExt as _;
use hyper::{
    ext::on_informational,
    upgrade::{self, OnUpgrade},
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, sleep_until},
};
use tracing::debug;

use super::{
    Link,
    body::{Answer, Upload},
    headers::{head, is_upgrade, keep_end_to_end},
    left,
    peers::{Connection, Kept},
};
use crate::{
    http::Refusal,
    nodes::{Home, Incarnation},
    queue::Owner,
    wire::Reason,
};

/// For how long a home that cannot be reached, or is not known, is looked for.
const SEARCH: Duration = Duration::from_secs(20);
/// Between two tries while nothing changes.
const AGAIN: Duration = Duration::from_millis(100);
/// Longest time from when a request is whole until its answer begins. The longest that a door of its own takes is several ways, one after
/// another, to a database that is away, ten seconds each.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a home that is none any more may still take to answer what it has been asked.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How many homes may end while they have the same request, before it is taken for what ends them.
const LOST: u32 = 3;
/// When another try makes sense, in seconds.
const RETRY_AFTER: u64 = 2;

/// A request that is to go to another node.
pub(super) struct Asked {
    parts: Parts,
    content: Content,
    /// Its answer may take as long as it likes, and the parts of that: it comes from the line, or from a model.
    patient: bool,
}

/// What stands in it.
enum Content {
    /// It is there, and can be sent again.
    Whole(Bytes),
    /// It comes, and is sent once.
    Upload(Upload),
}

/// What became of it.
pub(super) enum Outcome {
    /// Its session is at home here by now.
    Here(Request),
    /// The home has answered.
    Answered(Response),
    /// The home has opened the feed: the answer, and both ends.
    Feed(Response, Ends),
    /// Nobody has answered; and the request, unless some of it has gone.
    Failed(Refusal, Box<Parts>, Bytes),
}

/// The two ends of a feed, as soon as both are free of HTTP.
pub(super) struct Ends {
    pub(super) page: OnUpgrade,
    pub(super) home: OnUpgrade,
    /// Whom it goes to.
    pub(super) node: Incarnation,
    /// Owns the connection until it has become the home's end.
    pub(super) connection: Connection,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug)]
enum Miss {
    /// Nobody is there, or nobody of this name, or the connection ended without an answer: it can be asked again.
    Unreached,
    /// The same, after it had been asked something that may take long, so that it had perhaps begun.
    Lost,
    /// It is no home any more, as far as is known here, and has not answered. The same can be asked of the next.
    Moved,
    /// It took too long.
    Late,
    /// Some of an upload has gone.
    Begun,
}

impl Asked {
    pub(super) const fn whole(parts: Parts, body: Bytes) -> Self {
        Self {
            parts,
            content: Content::Whole(body),
            patient: false,
        }
    }

    pub(super) fn upload(parts: Parts, body: Body) -> Self {
        Self {
            parts,
            content: Content::Upload(Upload::new(body)),
            patient: true,
        }
    }

    /// The same, whose answer may take as long as it likes.
    pub(super) fn patient(self) -> Self {
        Self { patient: true, ..self }
    }

    const fn is_upload(&self) -> bool {
        matches!(self.content, Content::Upload(_))
    }

    /// As `node` gets it; `None`: some of it has gone already.
    fn to(&self, node: Incarnation, link: &Link) -> Option<Request> {
        let mut request = head(&self.parts, node, &link.token);
        let body = match &self.content {
            Content::Whole(bytes) => {
                request.headers_mut().remove(header::CONTENT_LENGTH);
                Body::from(bytes.clone())
            }
            Content::Upload(upload) => {
                let (ask, asked_for) = oneshot::channel();
                let body = upload.attempt(asked_for)?;
                let expected = header::HeaderValue::from_static("100-continue");
                request.headers_mut().insert(header::EXPECT, expected);
                let ask = std::sync::Mutex::new(Some(ask));
                on_informational(&mut request, move |told| {
                    let mut ask = ask.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if told.status() == StatusCode::CONTINUE
                        && let Some(ask) = ask.take()
                    {
                        let _ = ask.send(());
                    }
                });
                body
            }
        };
        Some(request.map(|()| body))
    }

    fn here(self) -> Outcome {
        match self.content {
            Content::Whole(bytes) => Outcome::Here(Request::from_parts(self.parts, Body::from(bytes))),
            Content::Upload(upload) => match upload.take() {
                Some(body) => Outcome::Here(Request::from_parts(self.parts, body)),
                None => Outcome::Failed(BROKEN_OFF, Box::new(self.parts), Bytes::new()),
            },
        }
    }

    fn failed(self, refusal: Refusal) -> Outcome {
        let body = match self.content {
            Content::Whole(bytes) => bytes,
            Content::Upload(_) => Bytes::new(),
        };
        Outcome::Failed(refusal, Box::new(self.parts), body)
    }
}

const AWAY: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    reason: Reason::NodeAway,
    retry_after: Some(RETRY_AFTER),
    to_program: false,
};

const BROKEN_OFF: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    reason: Reason::UploadBrokenOff,
    retry_after: Some(RETRY_AFTER),
    to_program: false,
};

impl Link {
    /// Has the home of this owner answer, wherever that is and as soon as it can be reached. Dropped, the home is left alone.
    pub(super) async fn forward(&self, owner: Owner, asked: Asked) -> Outcome {
        let begun = Instant::now();
        let last = (!asked.patient).then(|| begun + ANSWER);
        let (mut until, mut lost) = (begun + SEARCH, 0);
        let mut changes = self.homes.changes();
        loop {
            changes.mark_unchanged();
            if self.homes.is_gone() {
                // Where the session is at home is not known here any more: whoever asks again comes to a door that knows.
                return asked.failed(AWAY);
            }
            let home = self.homes.home(owner);
            match &home {
                Home::Here => return asked.here(),
                Home::Nowhere => {}
                Home::There { node, address } => {
                    let moved = self.moved(owner, &home, &mut changes);
                    match self.attempt(*node, address, &asked, last, moved).await {
                        Ok((response, connection)) => {
                            return self.answered(owner, asked, *node, response, connection);
                        }
                        Err(Miss::Unreached) => {}
                        // However long it had been waited for, the next is looked for as long.
                        Err(Miss::Lost) if lost < LOST => {
                            lost += 1;
                            until = Instant::now() + SEARCH;
                        }
                        Err(Miss::Lost) => return asked.failed(AWAY),
                        Err(Miss::Moved) => until = Instant::now() + SEARCH,
                        Err(Miss::Late) => return asked.failed(AWAY),
                        Err(Miss::Begun) => return asked.failed(BROKEN_OFF),
                    }
                }
            }
            let now = Instant::now();
            if now >= until || last.is_some_and(|last| now >= last) {
                debug!(?home, "the home of a session could not be reached");
                return asked.failed(AWAY);
            }
            self.wait(owner, &home, &mut changes, (now + AGAIN).min(until)).await;
        }
    }

    /// Whether what is known of this owner's home is still that.
    fn stays(&self, owner: Owner, home: &Home) -> bool {
        !self.homes.is_gone() && self.homes.home(owner) == *home
    }

    /// Waits until this owner is at home elsewhere, but not longer than `until`.
    async fn wait(&self, owner: Owner, home: &Home, changes: &mut watch::Receiver<()>, until: Instant) {
        while self.stays(owner, home) {
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return sleep_until(until).await;
                    }
                }
                () = sleep_until(until) => return,
            }
        }
    }

    /// Over once this owner is at home elsewhere.
    async fn moved(&self, owner: Owner, home: &Home, changes: &mut watch::Receiver<()>) {
        while self.stays(owner, home) {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Over once this node is none of the others any more.
    async fn gone(&self, node: Incarnation) {
        let mut changes = self.homes.changes();
        while self.homes.peers().iter().any(|(peer, _)| *peer == node) {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Asks one node once.
    async fn attempt(
        &self,
        node: Incarnation,
        address: &str,
        asked: &Asked,
        last: Option<Instant>,
        moved: impl Future<Output = ()>,
    ) -> Result<(Response<hyper::body::Incoming>, Kept), Miss> {
        let asking = self.ask(node, address, asked);
        let late = async {
            match last {
                Some(last) => sleep_until(last).await,
                None => std::future::pending().await,
            }
        };
        let begun = || matches!(&asked.content, Content::Upload(upload) if upload.has_begun());
        let left = async {
            moved.await;
            sleep(LAST_WORDS).await;
            // A node that leaves ends what it has begun.
            if begun() {
                sleep(ANSWER).await;
            } else if asked.patient {
                self.gone(node).await;
            }
        };
        let answered = tokio::select! {
            biased;
            answered = asking => answered,
            () = late => Err(Miss::Late),
            () = left => Err(Miss::Moved),
        };
        // Whatever went wrong: what has been sent of an upload cannot be sent again.
        answered.map_err(|miss| if begun() { Miss::Begun } else { miss })
    }

    async fn ask(
        &self,
        node: Incarnation,
        address: &str,
        asked: &Asked,
    ) -> Result<(Response<hyper::body::Incoming>, Kept), Miss> {
        let kept = |connection, again| Kept {
            connection,
            peers: Arc::clone(&self.peers),
            address: address.to_owned(),
            again,
        };
        // Who may wait in line for as long as they like, and a feed, which stays, are not to keep others waiting; nor are an upload and a feed
        // to meet a connection that was about to be closed.
        let once = asked.is_upload() || is_upgrade(&asked.parts);
        let _turn = if asked.patient {
            None
        } else {
            self.peers.turn(address).await
        };
        if let Some(mut connection) = self.peers.kept(address).filter(|_| !once)
            && let Some(request) = asked.to(node, self)
            // It may have been closed at the same moment. Then a new one says more.
            && let Ok(response) = connection.ask(request).await
        {
            return for_it(response).map(|response| (response, kept(connection, true)));
        }
        let mut connection = Connection::open(address).await.map_err(|error| {
            debug!(%error, ?node, "another node cannot be reached");
            self.peers.forget(address);
            Miss::Unreached
        })?;
        let request = asked.to(node, self).ok_or(Miss::Begun)?;
        let response = connection.ask(request).await.map_err(|error| {
            debug!(%error, ?node, "another node ended a connection without an answer");
            if asked.patient { Miss::Lost } else { Miss::Unreached }
        })?;
        for_it(response).map(|response| (response, kept(connection, !once)))
    }

    /// What the browser gets.
    fn answered(
        &self,
        owner: Owner,
        asked: Asked,
        node: Incarnation,
        mut response: Response<hyper::body::Incoming>,
        kept: Kept,
    ) -> Outcome {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let ends = Ends {
                page: upgrade::on(Request::from_parts(asked.parts, Body::empty())),
                home: upgrade::on(&mut response),
                node,
                connection: kept.connection,
            };
            return Outcome::Feed(response.map(|_| Body::empty()), ends);
        }
        keep_end_to_end(response.headers_mut());
        // What is of no use any more goes with the rest of the answer: a half upload, and the connection that it came over.
        let homes = Arc::clone(&self.homes);
        let quiet = asked
            .patient
            .then(|| async move { left(&*homes, owner, node).await }.boxed());
        Outcome::Answered(response.map(|body| Body::new(Answer::new(body, kept, quiet))))
    }
}

/// An answer, unless it is another node's.
fn for_it(response: Response<hyper::body::Incoming>) -> Result<Response<hyper::body::Incoming>, Miss> {
    if response.status() == StatusCode::MISDIRECTED_REQUEST {
        return Err(Miss::Unreached);
    }
    Ok(response)
}

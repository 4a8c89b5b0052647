//! The feed: one WebSocket a page, from which it learns everything.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    response::Response,
};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tracing::{Instrument as _, debug, error};
use uuid::Uuid;

use super::{
    drawing::{self, Draws},
    pace,
};
use crate::{
    accounts::Principal,
    client::Client,
    engine::{Engine, VERSION},
    journal::Replay,
    language::Language,
    nodes::Home,
    queue::Owner,
    sessions::{Answer, Session, View},
    wire::{FeedMessage, FeedPosition, Reason, Status},
};

/// A page that hears nothing for much longer than this takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a page may take to read one frame, or leave pings unanswered, before it is given up.
const PATIENCE: Duration = Duration::from_secs(45);
/// Nothing a page sends is of use, so little is read.
const MOST_READ: usize = 2 * 1024;
/// Each page has one for as long as it is open, and reads an answer to a ping into it four times a minute: six bytes.
const BUFFER: usize = 128;

/// Where the page wants its feed to go on.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    #[serde(default)]
    epoch: Uuid,
    #[serde(default)]
    after: u64,
    /// The tag of the language that it is written in, which may not be the one that its browser would be answered in by now.
    #[serde(default)]
    language: String,
}

/// Opens the feed of the cookie's session.
pub(super) async fn open(
    State(engine): State<Arc<Engine>>,
    Extension(draws): Extension<Arc<dyn Draws>>,
    Extension(spoken): Extension<Language>,
    who: Principal,
    Query(from): Query<From>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let position = FeedPosition {
        epoch: from.epoch,
        number: from.after,
    };
    let language = Language::of_tag(&from.language).unwrap_or(spoken);
    upgrade
        .max_message_size(MOST_READ)
        .max_frame_size(MOST_READ)
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| serve(socket, engine, who, position, language, draws))
}

/// Follows until the page goes away. Every open page keeps this future: what it moved out of what it has captured, or handed to an `async fn`
/// by value, it would keep twice, and the socket is the largest part of it.
fn serve(
    mut socket: WebSocket,
    engine: Arc<Engine>,
    who: Principal,
    position: FeedPosition,
    language: Language,
    draws: Arc<dyn Draws>,
) -> impl Future<Output = ()> + Send {
    let (held, owner) = (engine.hold(), who.owner());
    let session = Client::new(Arc::clone(&engine), who).session();
    async move {
        let mut feed = Feed {
            engine: &engine,
            owner,
            session: &session,
            socket: &mut socket,
            last: Status::default(),
            language,
            draws,
            drawn: [const { None }; 2],
        };
        let end = feed.run(position).await;
        debug!(?end, "feed closed");
        drop(held);
    }
    .instrument(crate::logs::session_span(who.session))
}

/// What a page shows of a tab, as hashes.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    html: u64,
    /// What it was drawn from, where the same can come again.
    view: Option<u64>,
}

/// Why a feed ended.
#[derive(Debug)]
enum End {
    /// The page went away, or was given up.
    Page,
    /// The session has left memory; the page begins a new feed.
    Left,
    /// The server shuts down.
    Closing,
    /// The session is at home at another node.
    Moved,
}

struct Feed<'a> {
    engine: &'a Arc<Engine>,
    owner: Owner,
    session: &'a Session,
    socket: &'a mut WebSocket,
    last: Status,
    language: Language,
    draws: Arc<dyn Draws>,
    /// What it has brought last of each tab.
    drawn: [Option<Drawn>; 2],
}

impl Feed<'_> {
    /// Sends until the page goes away. Its session counts as present for as long.
    async fn run(&mut self, from: FeedPosition) -> End {
        let here = (self.session.presence().enter(), self.engine.feeds().enter());
        let end = match self.follow(from).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        drop(here);
        let reason = match end {
            End::Page => return end,
            End::Left => "this session has left memory",
            End::Closing => "the server is being restarted",
            End::Moved => "the session is at home elsewhere",
        };
        let frame = CloseFrame {
            code: close_code::RESTART,
            reason: Utf8Bytes::from_static(reason),
        };
        // A page that has gone meanwhile needs no goodbye.
        let _ = timeout(PATIENCE, self.socket.send(Message::Close(Some(frame)))).await;
        end
    }

    async fn follow(&mut self, from: FeedPosition) -> Result<std::convert::Infallible, End> {
        // Subscribed before anything is read, so that nothing falls between.
        let mut journal = self.session.journal().follow();
        let mut moves = self.engine.moves();
        let told = self.session.told();
        // A node that is alone asks nobody.
        let among_others = self.engine.settings().node_addr.is_some();
        let mut homes = among_others.then(|| self.engine.homes().changes());
        if homes.is_some() && self.engine.homes().home(self.owner) != Home::Here {
            return Err(End::Moved);
        }
        let mut seen = self.hello(from).await?;
        self.last = self.engine.status(Some(self.session));
        self.send(&FeedMessage::Status(self.last.clone())).await?;
        let mut sent = Instant::now();
        let mut pinged = sent;
        let mut heard = sent;
        // When to look again at a change that came too soon after the last update.
        let mut look: Option<Instant> = None;
        // Both are set when they change and not with each turn of the loop: to set a timer may wake the thread that keeps them.
        let mut looks = pin!(sleep_until(sent));
        let mut beat = pin!(sleep_until(pinged + HEARTBEAT));
        loop {
            // A look that is due is taken, however fast the queue changes.
            let due = look.is_some_and(|look| look <= Instant::now());
            // A timer runs out at the next whole millisecond. While somebody waits, that is time for those who get a slot and for those who come:
            // telling pages of it comes after them, and once of all that has changed.
            let at_once = due && !self.engine.is_anybody_waiting();
            if let Some(look) = look.filter(|look| !at_once && looks.deadline() != *look) {
                looks.as_mut().reset(look);
            }
            let listens = look.is_none() || !due && pace::is_near(&self.last);
            tokio::select! {
                // In this order, so that the last events are out before the goodbye.
                biased;
                changed = journal.changed() => {
                    changed.map_err(|_| End::Left)?;
                    seen = self.replay(seen).await?;
                    // Where this session stands may have changed, too.
                    look = Some(Instant::now());
                }
                answer = told.next() => {
                    let message = self.draw(&answer).await;
                    self.send(&message).await?;
                    told.sent(&answer);
                }
                () = self.session.left().cancelled() => return Err(End::Left),
                () = self.engine.closing().cancelled() => return Err(End::Closing),
                () = changed(&mut homes) => {
                    if self.engine.homes().home(self.owner) != Home::Here {
                        return Err(End::Moved);
                    }
                }
                () = moved(&mut moves, listens) => look = Some(Instant::now()),
                () = async { if !at_once { looks.as_mut().await } }, if look.is_some() => {
                    moves.mark_unchanged();
                    look = self.update(&mut sent).await?;
                }
                () = &mut beat => {
                    // A page answers each ping by itself; one that has gone without a word does not.
                    if heard + PATIENCE < pinged {
                        return Err(End::Page);
                    }
                    self.write(Message::Ping(axum::body::Bytes::new())).await?;
                    pinged = Instant::now();
                    beat.as_mut().reset(pinged + HEARTBEAT);
                    // Pings are not seen by the page's script: it takes silence for a dead connection.
                    self.last = self.engine.status(Some(self.session));
                    self.send(&FeedMessage::Status(self.last.clone())).await?;
                    sent = pinged;
                }
                frame = self.socket.recv() => match frame {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Page),
                    Some(Ok(_)) => heard = Instant::now(),
                },
            }
        }
    }

    /// Greets the page and brings it up to date. Returns the number it has seen then.
    async fn hello(&mut self, from: FeedPosition) -> Result<u64, End> {
        let epoch = self.session.journal().position().epoch;
        let (number, resumed, events) = match self.session.journal().after(from) {
            Replay::Events(events) => (from.number, true, events),
            Replay::TooOld(here) => (here.number, false, Vec::new()),
        };
        let position = FeedPosition { epoch, number };
        self.send(&FeedMessage::Hello {
            position,
            resumed,
            version: VERSION.into(),
        })
        .await?;
        self.events(number, events).await
    }

    /// Sends what has come since `seen`.
    async fn replay(&mut self, seen: u64) -> Result<u64, End> {
        let epoch = self.session.journal().position().epoch;
        match self.session.journal().after(FeedPosition { epoch, number: seen }) {
            Replay::Events(events) => self.events(seen, events).await,
            // So far behind that a part is gone: the page asks for the values again.
            Replay::TooOld(position) => {
                self.send(&FeedMessage::Hello {
                    position,
                    resumed: false,
                    version: VERSION.into(),
                })
                .await?;
                Ok(position.number)
            }
        }
    }

    async fn events(&mut self, mut seen: u64, events: Vec<(u64, crate::wire::FeedEvent)>) -> Result<u64, End> {
        for (number, event) in events {
            self.send(&FeedMessage::Event { number, event }).await?;
            seen = number;
        }
        Ok(seen)
    }

    /// Tells where the session stands, if that has changed and is due. Returns when to look again, if it is not.
    async fn update(&mut self, sent: &mut Instant) -> Result<Option<Instant>, End> {
        let status = self.engine.status(Some(self.session));
        if status == self.last {
            return Ok(None);
        }
        let rate = self.engine.settings().status_update_rate;
        let due = *sent + pace::interval(rate, &self.last, self.engine.feeds().open());
        let now = Instant::now();
        if now < due && !pace::is_urgent(rate, &self.last, &status) {
            // Something urgent may come before it is due, and looking costs far less than sending.
            return Ok(Some(
                now.checked_add(pace::look_again(&self.last))
                    .map_or(due, |look| due.min(look)),
            ));
        }
        self.last = status;
        self.send(&FeedMessage::Status(self.last.clone())).await?;
        *sent = Instant::now();
        Ok(None)
    }

    /// What came of a refresh, as this page shows it.
    async fn draw(&mut self, answer: &Arc<Answer>) -> FeedMessage {
        let refresh = answer.refresh;
        let view = match &answer.outcome {
            // Figures are never the same again.
            Ok(View::Stats(_)) => None,
            Ok(View::Logs(records)) => Some(hash(records)),
            Err(reason) => {
                return FeedMessage::RefreshRefused {
                    refresh,
                    reason: reason.clone(),
                };
            }
        };
        // Drawing takes far longer than to see that nothing is new.
        if view.is_some() && self.drawn[refresh as usize].is_some_and(|drawn| drawn.view == view) {
            return FeedMessage::Drawn { refresh, html: None };
        }
        let (answer, draws, language) = (Arc::clone(answer), Arc::clone(&self.draws), self.language);
        let drawing = tokio::task::spawn_blocking(move || drawn(&answer, &*draws, language)).await;
        let drawn = drawing.unwrap_or_else(|fault| {
            error!(%fault, ?refresh, "a tab could not be drawn");
            Err(Reason::RefreshFailed)
        });
        match drawn {
            Ok((drawn, html)) => {
                let before = self.drawn[refresh as usize].replace(Drawn { html, view });
                let known = before.is_some_and(|before| before.html == html);
                let html = (!known).then(|| drawn.as_ref().to_owned());
                FeedMessage::Drawn { refresh, html }
            }
            Err(reason) => FeedMessage::RefreshRefused { refresh, reason },
        }
    }

    async fn send(&mut self, message: &FeedMessage) -> Result<(), End> {
        let Ok(text) = serde_json::to_string(message) else {
            debug!("a feed message could not be written as JSON");
            return Ok(());
        };
        self.write(Message::Text(text.into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Page),
        }
    }
}

/// What came of a refresh, as HTML and its hash.
fn drawn(answer: &Answer, draws: &dyn Draws, language: Language) -> Result<(Arc<str>, u64), Reason> {
    let view = answer.outcome.as_ref().map_err(Reason::clone)?;
    let html = answer.drawn(language, || drawing::draw(draws, view, language));
    let hash = hash(&html);
    Ok((html, hash))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Waits until sessions may be at home elsewhere, if there is anywhere else.
async fn changed(homes: &mut Option<watch::Receiver<()>>) {
    if let Some(homes) = homes
        && homes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Waits for a change of the line, if `wanted`.
async fn moved(moves: &mut watch::Receiver<()>, wanted: bool) {
    if !wanted || moves.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of what `made` returns, without making one.
    fn size_of_result<A, B, C, D, E, F, R>(_made: impl Fn(A, B, C, D, E, F) -> R) -> usize {
        size_of::<R>()
    }

    #[test]
    fn an_open_page_is_small() {
        // With what axum and tokio put around it, some 370 bytes, it fits into the 2,560 that the allocator hands out then; the next are 3,072.
        let size = size_of_result(serve);
        assert!(size <= 2_176, "{size} bytes");
    }
}

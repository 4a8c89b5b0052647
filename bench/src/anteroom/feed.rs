//! A page's feed: what it says is handed to those who wait for it, and counted.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anteroom::wire::{FeedEvent, FeedMessage, RefreshKind, TurnId, TurnState};
use anyhow::Context as _;
use futures_util::StreamExt as _;
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::AbortHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig},
};

use crate::{http, system::Tally};

/// Small, so that ten thousand feeds take little of this side's memory.
const BUFFER: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

/// What a page sees of a turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// Its place in the line.
    Position(u64),
    /// Something of the answer.
    Piece,
    /// Its end, and the answer.
    Over(TurnState, String),
}

/// Those who wait to hear of turns.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    turns: Mutex<HashMap<TurnId, UnboundedSender<(Instant, Seen)>>>,
    refreshes: Mutex<Option<UnboundedSender<Instant>>>,
    /// Why the feed has ended.
    end: Mutex<Option<String>>,
}

impl Subjects {
    /// All that is seen of a turn from now on.
    pub(super) fn watch(&self, turn: TurnId) -> UnboundedReceiver<(Instant, Seen)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.turns().insert(turn, sender);
        receiver
    }

    /// When the answers to refreshes come from now on.
    pub(super) fn watch_refreshes(&self) -> UnboundedReceiver<Instant> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.refreshes.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    fn tell(&self, turn: TurnId, seen: Seen) {
        let now = Instant::now();
        let mut turns = self.turns();
        let Some(sender) = turns.get(&turn) else { return };
        let over = matches!(seen, Seen::Over(..));
        // Nobody listening is no fault: not every scenario waits for the end.
        let heard = sender.send((now, seen)).is_ok();
        if over || !heard {
            turns.remove(&turn);
        }
    }

    fn refreshed(&self) {
        let refreshes = self.refreshes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*refreshes {
            // As above.
            let _ = sender.send(Instant::now());
        }
    }

    /// Why the feed has ended.
    pub(super) fn why_it_ended(&self) -> String {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or_else(|| "it was closed".to_owned())
    }

    /// The feed has ended: those who wait are told by the end of the channel.
    fn end(&self, why: String) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.turns().clear();
        *self.refreshes.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<TurnId, UnboundedSender<(Instant, Seen)>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open feed. Dropped, it is closed without a goodbye, as a closed tab does.
#[derive(Debug)]
pub(super) struct Feed(AbortHandle);

impl Feed {
    pub(super) async fn open(
        addr: SocketAddr,
        cookie: &str,
        subjects: Arc<Subjects>,
        tally: Arc<Tally>,
    ) -> anyhow::Result<Self> {
        let mut request = format!("ws://{addr}/feed").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(cookie)?);
        headers.insert("origin", HeaderValue::from_str(&format!("http://{addr}"))?);
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(0);
        let opened = async {
            let stream = http::tcp(addr).await?;
            let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
            // The page is up to date once it has been greeted and told where it stands.
            while !matches!(next(&mut socket).await?, Some((FeedMessage::Status(_), _))) {}
            Ok::<_, anyhow::Error>(socket)
        };
        let socket = tokio::time::timeout(PATIENCE, opened)
            .await
            .context("no feed")?
            .context("no feed")?;
        let reading = tokio::spawn(read(socket, subjects, tally));
        Ok(Self(reading.abort_handle()))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads until the feed ends.
async fn read(mut socket: WebSocketStream<TcpStream>, subjects: Arc<Subjects>, tally: Arc<Tally>) {
    let mut told = 0;
    let why = loop {
        let (message, bytes) = match next(&mut socket).await {
            Ok(Some(next)) => next,
            Ok(None) => break "the server closed it".to_owned(),
            Err(fault) => break format!("{fault:#}"),
        };
        match message {
            FeedMessage::Status(status) => {
                told += 1;
                tally.count(bytes, !status.places.is_empty(), told);
                for place in status.places {
                    if let Some(turn) = place.turn {
                        subjects.tell(turn, Seen::Position(place.position));
                    }
                }
            }
            FeedMessage::Event { event, .. } => match event {
                FeedEvent::Turn(turn) if turn.state.is_over() => {
                    subjects.tell(turn.id, Seen::Over(turn.state, turn.answer));
                }
                // The event that makes a message the server's has with it what there is of its answer.
                FeedEvent::Turn(turn) if !turn.blocks.is_empty() => subjects.tell(turn.id, Seen::Piece),
                FeedEvent::Block { turn, .. } => subjects.tell(turn, Seen::Piece),
                _ => {}
            },
            FeedMessage::Drawn {
                refresh: RefreshKind::Logs,
                ..
            } => subjects.refreshed(),
            _ => {}
        }
    };
    subjects.end(why);
}

/// The next message and its size; `None` at the end.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> anyhow::Result<Option<(FeedMessage, usize)>> {
    while let Some(frame) = socket.next().await {
        match frame? {
            Message::Text(text) => return Ok(Some((serde_json::from_str(&text)?, text.len()))),
            Message::Close(_) => break,
            _ => {}
        }
    }
    Ok(None)
}

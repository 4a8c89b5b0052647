//! A page's feed, and what it has learnt from it.

use std::collections::{BTreeMap, HashMap};

use anteroom::wire::{
    Choice, ConversationId, FeedEvent, FeedMessage, FeedPosition, Place, RefreshKind, Status, TurnId, TurnState,
    TurnView,
};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue},
};

use super::{Browser, soon};
use crate::drawn::Drawn;

/// One page's feed. It keeps what a page would show.
pub(crate) struct Feed {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Where it is.
    pub(crate) position: FeedPosition,
    /// Whether the position asked for was honoured.
    pub(crate) resumed: bool,
    pub(crate) turns: HashMap<TurnId, TurnView>,
    pub(crate) status: Status,
    /// Every number seen.
    pub(crate) numbers: Vec<u64>,
    /// Every position of each turn, as shown one after the other.
    pub(crate) positions: BTreeMap<TurnId, Vec<u64>>,
    /// Status messages seen.
    pub(crate) statuses: usize,
    /// Titles of the conversations that were named and not removed.
    pub(crate) conversations: HashMap<ConversationId, String>,
    /// Which of them are pinned, and which archived, as far as it was told.
    pub(crate) shelves: HashMap<ConversationId, (bool, bool)>,
    /// Heartbeats so far.
    pub(crate) pings: usize,
    /// The last turn of the version last chosen.
    pub(crate) head: Option<TurnId>,
    /// What was chosen last for each conversation, as far as it was told.
    pub(crate) choices: HashMap<ConversationId, Choice>,
}

impl Feed {
    /// # Errors
    /// The server refused the feed.
    pub(crate) async fn open(browser: &Browser, from: Option<FeedPosition>) -> Result<Self, tungstenite::Error> {
        let origin = format!("http://{}", browser.addr);
        Self::open_from(browser, from, &origin).await
    }

    /// The same from a page of `origin`.
    ///
    /// # Errors
    /// The server refused the feed.
    pub(crate) async fn open_from(
        browser: &Browser,
        from: Option<FeedPosition>,
        origin: &str,
    ) -> Result<Self, tungstenite::Error> {
        let query = from.map(|at| format!("epoch={}&after={}", at.epoch, at.number));
        Self::open_with(browser, &query.unwrap_or_default(), origin).await
    }

    /// The same of a page that is written in the language of this tag.
    ///
    /// # Errors
    /// The server refused the feed.
    pub(crate) async fn open_in(browser: &Browser, language: &str) -> Result<Self, tungstenite::Error> {
        let origin = format!("http://{}", browser.addr);
        Self::open_with(browser, &format!("language={language}"), &origin).await
    }

    async fn open_with(browser: &Browser, query: &str, origin: &str) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{}/feed?{query}", browser.addr).into_client_request()?;
        request
            .headers_mut()
            .insert("cookie", HeaderValue::from_str(&browser.cookie).expect("a header"));
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_str(origin).expect("a header"));
        let (socket, _) = soon("a feed", connect_async(request)).await?;
        let mut feed = Self {
            socket,
            position: FeedPosition {
                epoch: uuid::Uuid::nil(),
                number: 0,
            },
            resumed: false,
            turns: HashMap::new(),
            status: Status::default(),
            numbers: Vec::new(),
            positions: BTreeMap::new(),
            statuses: 0,
            conversations: HashMap::new(),
            shelves: HashMap::new(),
            head: None,
            choices: HashMap::new(),
            pings: 0,
        };
        let FeedMessage::Hello { position, resumed, .. } = feed.next().await else {
            panic!("the first frame is Hello")
        };
        (feed.position, feed.resumed) = (position, resumed);
        Ok(feed)
    }

    /// The next message, applied.
    pub(crate) async fn next(&mut self) -> FeedMessage {
        loop {
            let frame = soon("a frame of the feed", self.socket.next())
                .await
                .expect("the feed is open")
                .expect("a frame");
            match frame {
                Message::Text(text) => {
                    let message: FeedMessage = serde_json::from_str(&text).expect("a feed message");
                    self.apply(&message);
                    return message;
                }
                Message::Close(frame) => panic!("the feed closed: {frame:?}"),
                Message::Ping(_) => self.pings += 1,
                _ => {}
            }
        }
    }

    /// The next figures that come.
    pub(crate) async fn stats(&mut self) -> Drawn {
        self.drawn(RefreshKind::Stats).await.expect("they have not come before")
    }

    /// What a tab shows next; `None`: what has come before.
    pub(crate) async fn drawn(&mut self, kind: RefreshKind) -> Option<Drawn> {
        loop {
            match self.next().await {
                FeedMessage::Drawn { refresh, html } if refresh == kind => return html.as_deref().map(Drawn::read),
                _ => {}
            }
        }
    }

    /// Waits for the server to close it; returns the close code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match soon("the feed's end", self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    fn apply(&mut self, message: &FeedMessage) {
        match message {
            FeedMessage::Event { number, event } => {
                assert!(
                    *number > self.position.number,
                    "{number} came after {}",
                    self.position.number
                );
                self.position.number = *number;
                self.numbers.push(*number);
                self.happen(event);
            }
            FeedMessage::Status(status) => {
                self.statuses += 1;
                for Place { turn, position, .. } in &status.places {
                    if let Some(turn) = turn {
                        let shown = self.positions.entry(*turn).or_default();
                        if shown.last() != Some(position) {
                            shown.push(*position);
                        }
                    }
                }
                self.status = status.clone();
            }
            _ => {}
        }
    }

    fn happen(&mut self, event: &FeedEvent) {
        match event {
            FeedEvent::Turn(turn) => {
                self.turns.insert(turn.id, (**turn).clone());
            }
            FeedEvent::Block { turn, index, html, .. } => {
                if let Some(turn) = self.turns.get_mut(turn) {
                    turn.blocks.truncate(*index);
                    assert_eq!(turn.blocks.len(), *index, "no block may be missing");
                    turn.blocks.push(html.clone());
                }
            }
            FeedEvent::Thought { turn, index, html, .. } => {
                if let Some(turn) = self.turns.get_mut(turn) {
                    turn.thoughts.truncate(*index);
                    assert_eq!(turn.thoughts.len(), *index, "no thought may be missing");
                    if !html.is_empty() {
                        turn.thoughts.push(html.clone());
                    }
                }
            }
            FeedEvent::Step { turn, index, step, .. } => {
                if let Some(turn) = self.turns.get_mut(turn) {
                    match step {
                        Some(step) if *index < turn.steps.len() => turn.steps[*index] = (**step).clone(),
                        Some(step) => {
                            assert_eq!(turn.steps.len(), *index, "no step may be missing");
                            turn.steps.push((**step).clone());
                        }
                        None => turn.steps.truncate(*index),
                    }
                }
            }
            FeedEvent::Chosen { conversation, choice } => {
                self.choices.insert(*conversation, choice.clone());
            }
            FeedEvent::Conversation(summary) => {
                self.conversations.insert(summary.id, summary.title.clone());
                self.shelves.insert(summary.id, (summary.pinned, summary.archived));
            }
            FeedEvent::ConversationRemoved { id } => {
                self.conversations.remove(id);
            }
            FeedEvent::Version { head, .. } => self.head = Some(*head),
            FeedEvent::Behind { .. } => {}
        }
    }

    /// Reads until the condition holds.
    pub(crate) async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        soon(what, async {
            while !holds(self) {
                self.next().await;
            }
        })
        .await;
    }

    /// Reads until the turn is in a state.
    pub(crate) async fn until_state(&mut self, turn: TurnId, holds: impl Fn(&TurnState) -> bool) -> TurnView {
        self.until("a turn's state", |feed| {
            feed.turns.get(&turn).is_some_and(|turn| holds(&turn.state))
        })
        .await;
        self.turns[&turn].clone()
    }

    /// Reads until the turn is over.
    pub(crate) async fn over(&mut self, turn: TurnId) -> TurnView {
        self.until_state(turn, TurnState::is_over).await
    }

    /// Reads until the turn is at a position.
    pub(crate) async fn until_position(&mut self, turn: TurnId, position: u64) {
        self.until(&format!("position {position}"), |feed| {
            feed.position_of(turn) == Some(position)
        })
        .await;
    }

    pub(crate) fn position_of(&self, turn: TurnId) -> Option<u64> {
        self.status
            .places
            .iter()
            .find(|place| place.turn == Some(turn))
            .map(|place| place.position)
    }
}

/// Waits for the end of a turn on a feed of its own.
pub(crate) async fn answer_of(browser: &Browser, turn: TurnId) -> TurnView {
    browser.feed().await.over(turn).await
}

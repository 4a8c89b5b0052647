//! One conversation as the screen holds it: a signal a turn and a signal a block, so that a streaming answer
//! touches the one node that grows.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use anteroom::wire::{ConversationId, ConversationView, FeedEvent, TurnId, TurnView};
use leptos::prelude::*;

/// How much of a conversation is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// All of it, and the feed keeps it so.
    Ready,
    /// It is being fetched; what the feed says meanwhile is held back.
    Loading,
    /// It was here, but the feed has lost the thread: to be fetched again when it is shown.
    Stale,
    /// The server knows none of this id.
    Absent,
    /// It could not be fetched: the sentence says why.
    Failed(String),
}

/// Whether the server has a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It is the server's.
    Accepted,
    /// On its way.
    Sending,
    /// It did not get through; `retry` where sending it again may help.
    Failed {
        /// A sentence for the person.
        reason: String,
    },
}

/// One Markdown block of an answer.
#[derive(Clone)]
pub(crate) struct Block {
    /// Which it is. A block that takes the place of one that went is another: nothing that showed the old one may be
    /// taken for its own.
    pub(crate) key: usize,
    /// Clean HTML, as the server made it.
    pub(crate) html: ArcRwSignal<String>,
}

impl Block {
    fn new(html: String) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self {
            key: NEXT.fetch_add(1, Ordering::Relaxed),
            html: ArcRwSignal::new(html),
        }
    }
}

/// One turn on the screen.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) id: TurnId,
    /// All but the blocks, which are below.
    pub(crate) view: ArcRwSignal<TurnView>,
    pub(crate) blocks: ArcRwSignal<Vec<Block>>,
    pub(crate) delivery: ArcRwSignal<Delivery>,
}

impl Turn {
    pub(crate) fn new(mut view: TurnView, delivery: Delivery) -> Self {
        let blocks = std::mem::take(&mut view.blocks);
        let turn = Self {
            id: view.id,
            view: ArcRwSignal::new(view),
            blocks: ArcRwSignal::new(Vec::new()),
            delivery: ArcRwSignal::new(delivery),
        };
        turn.set_blocks(blocks);
        turn
    }

    /// Takes over what the server says of this turn, touching only what differs.
    pub(crate) fn update(&self, mut view: TurnView) {
        let blocks = std::mem::take(&mut view.blocks);
        self.set_blocks(blocks);
        if self.view.with_untracked(|known| *known != view) {
            self.view.set(view);
        }
        if self.delivery.with_untracked(|known| *known != Delivery::Accepted) {
            self.delivery.set(Delivery::Accepted);
        }
    }

    /// Puts a block in its place; those after it go.
    pub(crate) fn set_block(&self, index: usize, html: String) {
        let known = self
            .blocks
            .with_untracked(|blocks| (blocks.len(), blocks.get(index).cloned()));
        match known {
            (count, Some(block)) => {
                if count > index + 1 {
                    self.blocks.update(|blocks| blocks.truncate(index + 1));
                }
                if block.html.with_untracked(|known| *known != html) {
                    block.html.set(html);
                }
            }
            // A hole would mean a lost event; the end state, which carries every block, fills it.
            (count, None) => {
                self.blocks.update(|blocks| {
                    blocks.extend((count..index).map(|_| Block::new(String::new())));
                    blocks.push(Block::new(html));
                });
            }
        }
    }

    fn set_blocks(&self, blocks: Vec<String>) {
        let mut known = self.blocks.get_untracked();
        let count = known.len();
        known.truncate(blocks.len());
        for (index, html) in blocks.into_iter().enumerate() {
            match known.get(index) {
                Some(block) if block.html.with_untracked(|known| *known == html) => {}
                Some(block) => block.html.set(html),
                None => known.push(Block::new(html)),
            }
        }
        if known.len() != count {
            self.blocks.set(known);
        }
    }
}

/// One conversation on the screen.
#[derive(Clone)]
pub(crate) struct Conversation {
    /// `None` until the server has taken its first message.
    pub(crate) id: ArcRwSignal<Option<ConversationId>>,
    pub(crate) turns: ArcRwSignal<Vec<Turn>>,
    pub(crate) load: ArcRwSignal<Load>,
    held: Arc<Mutex<Held>>,
}

/// What happened while a conversation was loading.
#[derive(Default)]
struct Held {
    /// What the feed said, by number.
    events: Vec<(u64, FeedEvent)>,
    /// The feed has begun anew: what is on its way is of no use.
    outrun: bool,
}

/// The same conversation, not one that looks the same.
impl PartialEq for Conversation {
    fn eq(&self, other: &Self) -> bool {
        self.turns == other.turns
    }
}

impl Conversation {
    /// One without turns: `None` is the one that the next message starts.
    pub(crate) fn new(id: Option<ConversationId>, load: Load) -> Self {
        Self {
            id: ArcRwSignal::new(id),
            turns: ArcRwSignal::new(Vec::new()),
            load: ArcRwSignal::new(load),
            held: Arc::default(),
        }
    }

    /// The turn of this id.
    pub(crate) fn turn(&self, id: TurnId) -> Option<Turn> {
        self.turns
            .with_untracked(|turns| turns.iter().rev().find(|turn| turn.id == id).cloned())
    }

    /// Puts a turn in, or brings the known one up to date.
    pub(crate) fn put(&self, view: TurnView, delivery: Delivery) -> Turn {
        match self.turn(view.id) {
            Some(turn) => {
                turn.update(view);
                turn
            }
            None => {
                let turn = Turn::new(view, delivery);
                self.turns.update(|turns| turns.push(turn.clone()));
                turn
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds an event back until the conversation is loaded.
    pub(crate) fn hold(&self, number: u64, event: FeedEvent) {
        self.held().events.push((number, event));
    }

    /// A request for it goes out now: what it brings is newer than any new beginning of the feed so far.
    pub(crate) fn begin(&self) {
        self.held().outrun = false;
        if self.load.with_untracked(|load| *load != Load::Loading) {
            self.load.set(Load::Loading);
        }
    }

    /// The feed has begun anew: what is here, and what is on its way, may lack something.
    pub(crate) fn spoil(&self) {
        match self.load.get_untracked() {
            Load::Ready | Load::Failed(_) => self.load.set(Load::Stale),
            Load::Loading => {
                *self.held() = Held {
                    events: Vec::new(),
                    outrun: true,
                };
            }
            Load::Stale | Load::Absent => {}
        }
    }

    /// Whether the feed has begun anew since the request went out; then it is to be fetched again.
    pub(crate) fn outrun(&self) -> bool {
        let outrun = std::mem::take(&mut self.held().outrun);
        if outrun {
            self.load.set(Load::Stale);
        }
        outrun
    }

    /// It could not be fetched.
    pub(crate) fn fail(&self, reason: String) {
        self.held().events.clear();
        if !self.outrun() {
            self.load.set(Load::Failed(reason));
        }
    }

    /// Takes over the server's view, then what the feed said since it was made.
    pub(crate) fn fill(&self, view: ConversationView) {
        self.show(view.summary.id, view.turns);
        self.load.set(Load::Ready);
        let held = std::mem::take(&mut self.held().events);
        for (_, event) in held.into_iter().filter(|(number, _)| *number > view.feed.number) {
            self.apply(event);
        }
    }

    /// Takes over the server's turns; the feed does not follow on them yet.
    pub(crate) fn show(&self, id: ConversationId, turns: Vec<TurnView>) {
        let turns: Vec<Turn> = turns
            .into_iter()
            .map(|view| match self.turn(view.id) {
                Some(turn) => {
                    turn.update(view);
                    turn
                }
                None => Turn::new(view, Delivery::Accepted),
            })
            .collect();
        // A message on its way is known here only.
        let unsent: Vec<Turn> = self.turns.with_untracked(|known| {
            known
                .iter()
                .filter(|turn| turn.delivery.with_untracked(|delivery| *delivery != Delivery::Accepted))
                .filter(|turn| turns.iter().all(|new| new.id != turn.id))
                .cloned()
                .collect()
        });
        let turns: Vec<Turn> = turns.into_iter().chain(unsent).collect();
        let same = self
            .turns
            .with_untracked(|known| known.iter().map(|t| t.id).eq(turns.iter().map(|t| t.id)));
        if !same {
            self.turns.set(turns);
        }
        self.id.update_untracked(|known| *known = Some(id));
    }

    /// Applies what the feed says of this conversation.
    pub(crate) fn apply(&self, event: FeedEvent) {
        match event {
            FeedEvent::Turn(view) => {
                self.put(*view, Delivery::Accepted);
            }
            FeedEvent::Block { turn, index, html, .. } => {
                if let Some(turn) = self.turn(turn) {
                    turn.set_block(index, html);
                }
            }
            FeedEvent::Conversation(_) => {}
            FeedEvent::ConversationRemoved { .. } => self.load.set(Load::Absent),
        }
    }

    /// The turn that waits or runs. Follows changes where it is read reactively.
    pub(crate) fn busy(&self) -> Option<Turn> {
        self.turns.with(|turns| {
            turns
                .iter()
                .rev()
                .find(|turn| {
                    turn.view.with(|view| !view.state.is_over())
                        && turn
                            .delivery
                            .with(|delivery| !matches!(delivery, Delivery::Failed { .. }))
                })
                .cloned()
        })
    }
}

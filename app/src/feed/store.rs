//! The store: signals, one for each thing on the screen that changes by itself.

use std::collections::HashMap;

use anteroom::wire::{
    ConversationId, ConversationView, FeedEvent, FeedPosition, ModelInfo, Place, Reason, RefreshKind, Status, TurnId,
    TurnState,
};
use leptos::prelude::*;

use super::{Conversation, List, Load, Turn, changes::Deleted, clock::Clock};
use crate::{erase::Look as _, initial::Overview, route::Page};

/// What does not change while the page is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// The model that a new conversation starts with, by its id.
    pub(crate) model: String,
    /// Every model that is offered, that one first.
    pub(crate) models: Vec<ModelInfo>,
    pub(crate) version: String,
    pub(crate) max_upload_bytes: u64,
    /// `false`: nobody waits (`ENABLE_QUEUE=false`).
    pub(crate) queue: bool,
    /// See [`Overview::tabs`].
    pub(crate) tabs: Vec<RefreshKind>,
    /// See [`Overview::starters`].
    pub(crate) starters: Vec<String>,
    /// Whether people take turns in the line.
    pub(crate) fair: bool,
    /// Whether models may use tools here.
    pub(crate) tools: bool,
    /// See [`Overview::confirmation`].
    pub(crate) confirmation: String,
}

/// The state of the feed's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The page has just opened.
    Opening,
    /// The feed is there.
    Live,
    /// It has gone and is being sought.
    Lost,
}

/// One of the two refreshes.
#[derive(Clone, Copy)]
pub(crate) struct Refresh {
    /// What the server has drawn last; empty before the first.
    pub(crate) html: RwSignal<String>,
    /// Why the last one did not come.
    pub(crate) refusal: RwSignal<Option<Reason>>,
    /// Whether one was asked for and has not come back.
    pub(crate) pending: RwSignal<bool>,
}

impl Refresh {
    fn new() -> Self {
        Self {
            html: RwSignal::new(String::new()),
            refusal: RwSignal::new(None),
            pending: RwSignal::new(false),
        }
    }

    /// It has come; `None`: and is as it was.
    pub(crate) fn arrived(self, html: Option<String>) {
        if let Some(html) = html {
            self.html.set(html);
        }
        self.refusal.set(None);
        self.pending.set(false);
    }

    /// It came to nothing.
    pub(crate) fn refused(self, reason: Reason) {
        self.refusal.set(Some(reason));
        self.pending.set(false);
    }
}

/// A reload of the overview that is under way.
struct Reload {
    /// Which it is: a later one takes the place of an earlier one.
    run: u64,
    /// How many statuses had come when it was asked for.
    asked: u64,
    /// What the feed has said of the list since, by number.
    held: Vec<(u64, FeedEvent)>,
}

/// All that this browser knows. Copies share it.
#[derive(Clone, Copy)]
pub(crate) struct Store {
    pub(crate) facts: RwSignal<Facts>,
    pub(crate) status: RwSignal<Status>,
    /// Since when that is so, and the time since then.
    pub(crate) clock: Clock,
    pub(crate) conversations: List,
    /// The conversation deleted last, while it can be brought back with one click.
    pub(crate) deleted: RwSignal<Option<Deleted>>,
    pub(crate) link: RwSignal<Link>,
    /// Whether the server has become another version than this page.
    pub(crate) outdated: RwSignal<bool>,
    /// Whether what was waited for is over, and nobody has looked at the page since.
    pub(crate) unseen: RwSignal<bool>,
    /// When the server was last heard before the connection was lost.
    pub(crate) lost_at: RwSignal<Option<u64>>,
    pub(crate) stats: Refresh,
    pub(crate) logs: Refresh,
    /// Something to tell, until it is dismissed.
    pub(crate) notice: RwSignal<Option<Reason>>,
    /// The conversation that the next message from the start page begins.
    pub(crate) fresh: RwSignal<Conversation>,
    /// All that have not begun although a message of them has been written, the first written first.
    pub(crate) unbegun: RwSignal<Vec<Conversation>>,
    /// Told whenever something is sent: a connection that has gone is worth looking for at once.
    pub(crate) wake: Trigger,
    /// Told when a draft has been given other words than those that stand in its composer.
    pub(crate) redraft: Trigger,
    /// Whose drafts there are; see [`crate::writing::drafts::list`].
    pub(crate) drafted: RwSignal<Vec<String>>,
    /// The conversations with a message that has not been sent.
    pub(crate) unsent_in: RwSignal<Vec<ConversationId>>,
    pub(super) known: StoredValue<HashMap<ConversationId, Conversation>>,
    pub(super) position: StoredValue<Option<FeedPosition>>,
    /// How often the feed has told where this session stands: an answer that was asked for before is older.
    pub(super) statuses: StoredValue<u64>,
    /// The messages on their way, and whether the person has cancelled them meanwhile.
    pub(super) sending: StoredValue<HashMap<TurnId, bool>>,
    /// Whether messages that could not be sent are being sent again.
    pub(super) flushing: StoredValue<bool>,
    reload: StoredValue<Option<Reload>>,
    reloads: StoredValue<u64>,
}

impl Store {
    /// An empty one, owned by the current reactive owner.
    pub(crate) fn new() -> Self {
        Self {
            facts: RwSignal::new(Facts::default()),
            status: RwSignal::new(Status::default()),
            clock: Clock::new(),
            conversations: List::new(),
            deleted: RwSignal::new(None),
            link: RwSignal::new(Link::Opening),
            outdated: RwSignal::new(false),
            unseen: RwSignal::new(false),
            lost_at: RwSignal::new(None),
            stats: Refresh::new(),
            logs: Refresh::new(),
            notice: RwSignal::new(None),
            fresh: RwSignal::new(Conversation::new(None, Load::Ready)),
            unbegun: RwSignal::new(Vec::new()),
            wake: Trigger::new(),
            redraft: Trigger::new(),
            drafted: RwSignal::new(Vec::new()),
            unsent_in: RwSignal::new(Vec::new()),
            known: StoredValue::new(HashMap::new()),
            position: StoredValue::new(None),
            statuses: StoredValue::new(0),
            sending: StoredValue::new(HashMap::new()),
            flushing: StoredValue::new(false),
            reload: StoredValue::new(None),
            reloads: StoredValue::new(0),
        }
    }

    /// Takes the first page's facts in, and where its feed starts.
    pub(crate) fn open(self, overview: Overview) {
        self.position.set_value(Some(overview.feed));
        self.apply_overview(overview);
    }

    /// From here on, what the feed says is newer than the overview that is on its way. Gives the reload's number.
    pub(super) fn begin_reload(self) -> u64 {
        let run = self.reloads.get_value() + 1;
        self.reloads.set_value(run);
        self.reload.set_value(Some(Reload {
            run,
            asked: self.statuses.get_value(),
            held: Vec::new(),
        }));
        run
    }

    /// Whether this reload is still the one that counts; if so, its request goes out again.
    pub(super) fn ask_again(self, run: u64) -> bool {
        let asked = self.statuses.get_value();
        self.reload
            .try_update_value(|reload| {
                let current = reload.as_mut().filter(|reload| reload.run == run);
                current.map(|reload| reload.asked = asked).is_some()
            })
            .unwrap_or(false)
    }

    /// Takes a reloaded overview in, then what the feed said since it was made. `false`: it is of an epoch that the feed
    /// does not speak of (yet), and has to be fetched again.
    pub(super) fn end_reload(self, run: u64, overview: Overview) -> bool {
        if !self.follows(overview.feed) {
            return false;
        }
        let done = self
            .reload
            .try_update_value(|reload| reload.take_if(|reload| reload.run == run));
        let Some(done) = done.flatten() else { return true };
        let number = overview.feed.number;
        let (known, told) = (self.status.get_untracked(), untrack(|| self.clock.told()));
        self.apply_overview(overview);
        if self.statuses.get_value() != done.asked {
            self.stand_since(known, told);
        }
        for (_, event) in done.held.into_iter().filter(|(at, _)| *at > number) {
            self.relist(event);
        }
        true
    }

    /// Takes an event of the list in, and keeps it where an older list may still arrive.
    pub(super) fn list(self, number: u64, event: FeedEvent) {
        self.reload.update_value(|reload| {
            if let Some(reload) = reload {
                reload.held.push((number, event.clone()));
            }
        });
        self.relist(event);
    }

    fn relist(self, event: FeedEvent) {
        match event {
            FeedEvent::Conversation(summary) => {
                if let Some(conversation) = self.conversation(summary.id) {
                    conversation.reappear();
                }
                self.conversations.put(summary);
            }
            FeedEvent::ConversationRemoved { id } => {
                self.conversations.remove(id);
                if let Some(conversation) = self.conversation(id) {
                    conversation.close();
                }
            }
            FeedEvent::Turn(_)
            | FeedEvent::Block { .. }
            | FeedEvent::Thought { .. }
            | FeedEvent::Step { .. }
            | FeedEvent::Chosen { .. }
            | FeedEvent::Behind { .. }
            | FeedEvent::Version { .. } => {}
        }
    }

    /// Takes newer facts in.
    fn apply_overview(self, overview: Overview) {
        self.facts.set(Facts {
            model: overview.model,
            models: overview.models,
            version: overview.version,
            max_upload_bytes: overview.max_upload_bytes,
            queue: overview.queue,
            tabs: overview.tabs,
            starters: overview.starters,
            fair: overview.fair,
            tools: overview.tools,
            confirmation: overview.confirmation,
        });
        self.stand(overview.status);
        self.conversations.begin(overview.conversations);
    }

    /// The conversation of this id, if it is here.
    pub(crate) fn conversation(self, id: ConversationId) -> Option<Conversation> {
        self.known.with_value(|known| known.get(&id).cloned())
    }

    /// The conversation of this id; one that is to be fetched where it is not here.
    pub(crate) fn conversation_or_stale(self, id: ConversationId) -> Conversation {
        if let Some(conversation) = self.conversation(id) {
            return conversation;
        }
        let conversation = Conversation::new(Some(id), Load::Stale);
        self.known.update_value(|known| {
            known.insert(id, conversation.clone());
        });
        conversation
    }

    /// Takes a whole conversation in; `None`: there is none of this id. `false`: it is of an epoch that the feed
    /// does not speak of (yet), so that it stays loading until a later view joins up with the feed.
    pub(crate) fn fill(self, id: ConversationId, view: Option<ConversationView>) -> bool {
        let conversation = self.conversation_or_stale(id);
        if conversation.outrun() {
            return true;
        }
        match view {
            Some(view) if self.follows(view.feed) => conversation.fill(view),
            Some(view) => {
                conversation.show(view);
                return false;
            }
            None => conversation.close(),
        }
        true
    }

    /// Whether the feed's numbers can be compared with this one.
    pub(super) fn follows(self, at: FeedPosition) -> bool {
        self.position
            .with_value(|position| position.is_none_or(|position| position.epoch == at.epoch))
    }

    /// Whether a page is there for this browser. Reactive.
    pub(crate) fn shows(self, page: Page) -> bool {
        page.refreshed()
            .is_none_or(|kind| self.facts.look(|facts| facts.tabs.contains(&kind)))
    }

    /// Whether the page does not know how the line is. Reactive.
    pub(crate) fn is_lost(self) -> bool {
        self.link.get() == Link::Lost
    }

    /// Everything but the conversations' list may be out of date: each is fetched again when it is shown.
    pub(super) fn invalidate_all(self) {
        self.known.with_value(|known| {
            for conversation in known.values() {
                conversation.invalidate();
            }
        });
    }

    /// What could not be fetched is fetched again when it is shown.
    pub(super) fn retry_failed(self) {
        self.known.with_value(|known| {
            for conversation in known.values() {
                if conversation.load.peek(|load| matches!(load, Load::Failed(_))) {
                    conversation.load.set(Load::Stale);
                }
            }
        });
    }

    /// Takes in the place that the answer to a message told of. `asked`: how many statuses had come when it was sent;
    /// once another has, that one knows better.
    pub(super) fn join(self, turn: &Turn, place: Place, asked: u64) {
        let waits = turn.view.peek(|view| view.state == TurnState::Waiting);
        if !waits || self.statuses.get_value() != asked {
            return;
        }
        self.status.update(|status| {
            if status.places.iter().all(|known| known.turn != place.turn) {
                status.places.push(place);
            }
        });
    }

    /// The place of a turn in the line, if it waits. Reactive.
    pub(crate) fn place(self, turn: TurnId) -> Option<Place> {
        self.status
            .look(|status| status.places.iter().find(|place| place.turn == Some(turn)).cloned())
    }

    /// The first of this session's places among those of an event. Reactive.
    pub(crate) fn first_place(self, event: anteroom::wire::Event) -> Option<Place> {
        self.status
            .look(|status| status.places.iter().find(|place| place.event == event).cloned())
    }

    /// What is known of a refresh.
    pub(crate) const fn refresh(self, kind: RefreshKind) -> Refresh {
        match kind {
            RefreshKind::Stats => self.stats,
            RefreshKind::Logs => self.logs,
        }
    }
}

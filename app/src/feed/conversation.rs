//! One conversation as the screen holds it: its newest turns, of the version that is shown, and older ones as far as
//! somebody has scrolled up to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anteroom::wire::{
    Choice, ConversationId, ConversationView, FeedEvent, FollowUp, Reason, TurnId, TurnPage, TurnView,
};
use leptos::prelude::*;

use super::{Delivery, Rest, Turn};
use crate::erase::Look as _;

/// How much of a conversation is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// All that is shown of it, and the feed keeps it so.
    Ready,
    /// It is being fetched; what the feed says meanwhile is held back.
    Loading,
    /// It was here, but the feed has lost the thread, or another version is shown: to be fetched again when it is shown.
    Stale,
    /// The server knows none of this id.
    Absent,
    /// It could not be fetched: the sentence says why.
    Failed(Reason),
}

/// One conversation on the screen.
#[derive(Clone)]
pub(crate) struct Conversation {
    /// `None` until the server has taken its first message.
    pub(crate) id: ArcRwSignal<Option<ConversationId>>,
    pub(crate) turns: ArcRwSignal<Vec<Turn>>,
    /// What there is before the first of these turns.
    pub(crate) earlier: ArcRwSignal<Rest>,
    pub(crate) load: ArcRwSignal<Load>,
    /// What its owner has chosen for it.
    pub(crate) choice: ArcRwSignal<Choice>,
    /// What stands behind its last turn.
    pub(crate) behind: ArcRwSignal<Vec<FollowUp>>,
    held: Arc<Mutex<Held>>,
}

/// What happened while a conversation was loading.
#[derive(Default)]
struct Held {
    /// What the feed said, by number.
    events: Vec<(u64, FeedEvent)>,
    /// The feed has begun again: what is on its way is of no use.
    outrun: bool,
    /// The turns here that the server had when it was asked for the conversation; `None`: it was not asked.
    theirs: Option<Vec<TurnId>>,
}

/// Where a turn belongs that is not here.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// After so many of the turns; the others are of another version.
    After(usize),
    /// Nowhere: it is of a version that somebody has turned away from.
    Hidden,
    /// What it follows is not here.
    Unknown,
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
            earlier: ArcRwSignal::new(Rest::Nothing),
            load: ArcRwSignal::new(load),
            choice: ArcRwSignal::default(),
            behind: ArcRwSignal::default(),
            held: Arc::default(),
        }
    }

    /// The turn of this id.
    pub(crate) fn turn(&self, id: TurnId) -> Option<Turn> {
        self.turns
            .peek(|turns| turns.iter().rev().find(|turn| turn.id == id).cloned())
    }

    /// The last turn that the server has.
    pub(crate) fn last(&self) -> Option<TurnId> {
        self.turns
            .peek(|turns| turns.iter().rev().find(|turn| turn.is_accepted()).map(|turn| turn.id))
    }

    /// Shows a message that is on its way, below all others.
    pub(crate) fn put(&self, view: TurnView, delivery: Delivery) -> Turn {
        let turn = Turn::new(view, delivery);
        self.turns.update(|turns| turns.push(turn.clone()));
        turn
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
        let theirs = self.turns.peek(|turns| {
            let accepted = turns.iter().filter(|turn| turn.is_accepted());
            accepted.map(|turn| turn.id).collect()
        });
        let mut held = self.held();
        held.outrun = false;
        held.theirs = Some(theirs);
        drop(held);
        if self.load.peek(|load| *load != Load::Loading) {
            self.load.set(Load::Loading);
        }
    }

    /// The feed has begun again: what is here, and what is on its way, may lack something.
    pub(crate) fn invalidate(&self) {
        match self.load.get_untracked() {
            Load::Ready | Load::Failed(_) => self.load.set(Load::Stale),
            Load::Loading => {
                *self.held() = Held {
                    outrun: true,
                    ..Held::default()
                };
            }
            Load::Stale | Load::Absent => {}
        }
    }

    /// Whether the feed has begun again since the request went out; then it is to be fetched again.
    pub(crate) fn outrun(&self) -> bool {
        let outrun = std::mem::take(&mut self.held().outrun);
        if outrun {
            self.load.set(Load::Stale);
        }
        outrun
    }

    /// It could not be fetched.
    pub(crate) fn fail(&self, reason: Reason) {
        self.held().events.clear();
        if !self.outrun() {
            self.load.set(Load::Failed(reason));
        }
    }

    /// It has gone. What the server never had of it stays.
    pub(crate) fn close(&self) {
        self.turns.update(|turns| turns.retain(|turn| !turn.is_accepted()));
        self.set_behind(Vec::new());
        self.earlier.set(Rest::Nothing);
        self.load.set(Load::Absent);
    }

    /// One that had gone is there again.
    pub(crate) fn reappear(&self) {
        if self.load.peek(|load| *load == Load::Absent) {
            self.load.set(Load::Stale);
        }
    }

    /// Takes over the server's view, then what the feed said since it was made.
    pub(crate) fn fill(&self, view: ConversationView) {
        let number = view.feed.number;
        self.show(view);
        self.load.set(Load::Ready);
        let held = std::mem::take(&mut self.held().events);
        for (_, event) in held.into_iter().filter(|(at, _)| *at > number) {
            self.apply(event);
        }
    }

    /// Takes over the server's turns; the feed does not follow on them yet.
    pub(crate) fn show(&self, view: ConversationView) {
        self.choose(view.choice);
        // Turns that somebody has scrolled up to stay where they lead to the first of these.
        let mut turns: Vec<Turn> = self.turns.peek(|known| {
            let first = view.turns.first();
            let kept = first
                .and_then(|first| known.iter().position(|turn| turn.id == first.id))
                .unwrap_or(0);
            let joins = kept > 0 && first.and_then(|first| first.parent) == Some(known[kept - 1].id);
            if joins { known[..kept].to_vec() } else { Vec::new() }
        });
        if turns.is_empty() {
            let rest = Rest::of(view.earlier);
            if self.earlier.peek(|known| *known != rest) {
                self.earlier.set(rest);
            }
        }
        turns.extend(view.turns.into_iter().map(|view| match self.turn(view.id) {
            Some(turn) => {
                turn.update(view);
                turn
            }
            None => Turn::new(view, Delivery::Accepted),
        }));
        // A message on its way is known here only. So may be one that has arrived since the server was asked: what the feed says of it is to
        // find the turn that is on the screen, not to make another one of the same id.
        let theirs = self.held().theirs.take();
        let late = |turn: &Turn| theirs.as_ref().is_some_and(|theirs| !theirs.contains(&turn.id));
        let known = self.turns.get_untracked();
        for turn in known {
            let here = turns.iter().any(|new| new.id == turn.id);
            let last = turns.last().map(|last| last.id);
            let follows = || turn.view.peek(|view| view.parent == last);
            if !here && (!turn.is_accepted() || late(&turn) && follows()) {
                turns.push(turn);
            }
        }
        let same = self
            .turns
            .peek(|known| known.iter().map(|turn| turn.id).eq(turns.iter().map(|turn| turn.id)));
        if !same {
            self.turns.set(turns);
        }
        self.set_behind(view.behind);
        self.id.update_untracked(|known| *known = Some(view.summary.id));
    }

    /// Something else is chosen for it now.
    pub(crate) fn choose(&self, choice: Choice) {
        if self.choice.peek(|known| *known != choice) {
            self.choice.set(choice);
        }
    }

    /// Earlier turns are about to be asked for: those before this one. `None`: there are none, or they are on their way.
    pub(crate) fn begin_earlier(&self) -> Option<TurnId> {
        if !self.earlier.peek(Rest::is_there) {
            return None;
        }
        let first = self.turns.peek(|turns| turns.first().map(|turn| turn.id))?;
        self.earlier.set(Rest::Loading);
        Some(first)
    }

    /// Puts earlier turns above those that are here, unless those are others by now.
    pub(crate) fn prepend(&self, before: TurnId, page: TurnPage) {
        if self
            .turns
            .peek(|turns| turns.first().is_none_or(|first| first.id != before))
        {
            return;
        }
        let earlier = page.turns.into_iter().map(|view| Turn::new(view, Delivery::Accepted));
        self.turns.update(|turns| drop(turns.splice(0..0, earlier)));
        self.earlier.set(Rest::of(page.earlier));
    }

    /// Earlier turns did not come.
    pub(crate) fn fail_earlier(&self, reason: Reason) {
        if self.earlier.peek(|known| *known == Rest::Loading) {
            self.earlier.set(Rest::Failed(reason));
        }
    }

    /// Applies what the feed says of this conversation.
    pub(crate) fn apply(&self, event: FeedEvent) {
        match event {
            FeedEvent::Turn(view) => self.take_in(*view),
            FeedEvent::Block { turn, index, html, .. } => {
                // What could not be accepted has no answer, though the model had begun one.
                if let Some(turn) = self.turn(turn).filter(|turn| !turn.is_failed()) {
                    turn.blocks.put(index, html);
                }
            }
            FeedEvent::Thought { turn, index, html, .. } => {
                if let Some(turn) = self.turn(turn).filter(|turn| !turn.is_failed()) {
                    match html.is_empty() && index == 0 {
                        // The model begins anew.
                        true => turn.thoughts.replace(Vec::new()),
                        false => turn.thoughts.put(index, html),
                    }
                }
            }
            FeedEvent::Step { turn, index, step, .. } => {
                if let Some(turn) = self.turn(turn).filter(|turn| !turn.is_failed()) {
                    turn.put_step(index, step.map(|step| *step));
                }
            }
            FeedEvent::Chosen { choice, .. } => self.choose(choice),
            FeedEvent::Behind { follow_ups, .. } => self.set_behind(follow_ups),
            FeedEvent::Version { head, .. } => {
                if self.last() != Some(head) {
                    self.load.set(Load::Stale);
                }
            }
            FeedEvent::Conversation(_) => {}
            FeedEvent::ConversationRemoved { .. } => self.close(),
        }
    }

    /// Brings a turn up to date, or shows a new one after the one that it follows, in place of what was shown there.
    fn take_in(&self, view: TurnView) {
        self.has_begun(view.id);
        if let Some(turn) = self.turn(view.id) {
            turn.update(view);
            return;
        }
        match self.fit(&view) {
            Fit::After(kept) => {
                let first = view.parent.is_none();
                let turn = Turn::new(view, Delivery::Accepted);
                self.turns.update(|turns| {
                    let unsent: Vec<Turn> = turns.drain(kept..).filter(|turn| !turn.is_accepted()).collect();
                    turns.push(turn);
                    turns.extend(unsent);
                });
                if first && self.earlier.peek(|rest| *rest != Rest::Nothing) {
                    self.earlier.set(Rest::Nothing);
                }
            }
            Fit::Hidden => {}
            Fit::Unknown => self.load.set(Load::Stale),
        }
    }

    fn fit(&self, view: &TurnView) -> Fit {
        self.turns.peek(|turns| {
            let kept = match view.parent {
                None => 0,
                Some(parent) => match turns.iter().position(|turn| turn.id == parent) {
                    Some(place) => place + 1,
                    None => return Fit::Unknown,
                },
            };
            let Some(shown) = turns[kept..].iter().find(|turn| turn.is_accepted()) else {
                return Fit::After(kept);
            };
            shown.view.peek(|shown| {
                if shown.parent != view.parent {
                    Fit::Unknown
                } else if view.versions.number <= shown.versions.count {
                    Fit::Hidden
                } else {
                    Fit::After(kept)
                }
            })
        })
    }

    /// The turn that waits or runs, or else a message that is about to. Follows changes where it is read reactively.
    pub(crate) fn busy(&self) -> Option<Turn> {
        self.turns.look(|turns| {
            let at = |delivery: Delivery| {
                let is = |turn: &&Turn| {
                    turn.delivery.look(|known| *known == delivery) && turn.view.look(|view| !view.state.is_over())
                };
                turns.iter().rev().find(is).cloned()
            };
            at(Delivery::Accepted).or_else(|| at(Delivery::Sending))
        })
    }

    /// Whether nothing may be sent in it before something is done about a message of it: one that was refused, or one that is to begin the
    /// conversation. Reactive.
    pub(crate) fn is_stuck(&self) -> bool {
        let begun = self.id.look(Option::is_some);
        self.turns.look(|turns| {
            turns.iter().any(|turn| {
                turn.delivery.look(|delivery| match delivery {
                    Delivery::Failed { .. } => true,
                    Delivery::Unsent => !begun,
                    Delivery::Accepted | Delivery::Sending => false,
                })
            })
        })
    }

    /// Whether a message of it has not been sent. Reactive.
    pub(crate) fn holds_unsent(&self) -> bool {
        self.turns
            .look(|turns| turns.iter().any(|turn| turn.delivery.look(Delivery::is_held)))
    }

    /// Its messages that the server does not have, or has not said to have.
    pub(super) fn on_hand(&self) -> Vec<Turn> {
        self.turns
            .peek(|turns| turns.iter().filter(|turn| !turn.is_accepted()).cloned().collect())
    }

    /// Its messages that have not been sent.
    pub(super) fn unsent(&self) -> Vec<Turn> {
        self.turns.peek(|turns| {
            let held = turns.iter().filter(|turn| turn.delivery.peek(Delivery::is_held));
            held.cloned().collect()
        })
    }
}

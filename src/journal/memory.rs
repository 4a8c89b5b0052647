//! A journal in memory, compacted by subject.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError, Weak},
};

use tokio::sync::watch;
use uuid::Uuid;

use super::{Journal, MemoryJournals, Replay};
use crate::wire::{ConversationId, FeedEvent, FeedPosition, FollowUp, StepView, TurnId, TurnView};

/// Most bytes that one session's journal keeps. A browser that was away for longer asks for its
/// conversation again, which costs it one request.
const KEEP_BYTES: usize = 512 * 1024;
/// Most events likewise.
const KEEP_EVENTS: usize = 2_000;

/// Keeps a session's events in memory.
#[derive(Debug)]
pub(crate) struct MemoryJournal {
    epoch: Uuid,
    log: Mutex<Log>,
    last: watch::Sender<u64>,
    /// All journals, which together have a bound of their own; this one's number there.
    shelf: MemoryJournals,
    shelved: Mutex<Option<u64>>,
    own: Weak<Self>,
}

#[derive(Debug, Default)]
struct Log {
    last: u64,
    /// The highest number that had to make room; a replay from before it would have a gap.
    trimmed: u64,
    bytes: usize,
    events: BTreeMap<u64, FeedEvent>,
    conversations: HashMap<ConversationId, u64>,
    versions: HashMap<ConversationId, u64>,
    choices: HashMap<ConversationId, u64>,
    behind: HashMap<ConversationId, u64>,
    turns: HashMap<TurnId, TurnEvents>,
}

/// The numbers of the events that say how one turn is.
#[derive(Debug, Default)]
struct TurnEvents {
    turn: Option<u64>,
    blocks: BTreeMap<usize, u64>,
    thoughts: BTreeMap<usize, u64>,
    steps: BTreeMap<usize, u64>,
}

impl MemoryJournal {
    /// An empty one; [`MemoryJournals::open`] makes it.
    pub(super) fn new(shelf: MemoryJournals, own: Weak<Self>) -> Self {
        Self {
            epoch: Uuid::new_v4(),
            log: Mutex::default(),
            last: watch::Sender::new(0),
            shelf,
            shelved: Mutex::default(),
            own,
        }
    }

    /// Forgets every event, to make room for other journals. Returns how many bytes they took.
    pub(super) fn forget(&self) -> i64 {
        let mut log = self.log();
        let bytes = log.bytes;
        *log = Log {
            last: log.last,
            trimmed: log.last,
            ..Log::default()
        };
        signed(bytes)
    }

    /// A panic while the lock was held leaves numbers that are still right, so a poisoned lock is used on.
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append(&self, event: FeedEvent) -> u64 {
        let (number, change) = {
            let mut log = self.log();
            let before = log.bytes;
            (log.append(event), signed(log.bytes) - signed(before))
        };
        {
            // Held on, so that of two appends at once each replaces the other's number on the shelf.
            let mut shelved = self.shelved.lock().unwrap_or_else(PoisonError::into_inner);
            *shelved = Some(self.shelf.appended(&self.own, *shelved, change));
        }
        // Two appends may get here in the other order; those who follow must never see the number fall.
        self.last.send_if_modified(|last| {
            let later = number > *last;
            *last = number.max(*last);
            later
        });
        number
    }

    fn position(&self) -> FeedPosition {
        FeedPosition {
            epoch: self.epoch,
            number: self.log().last,
        }
    }

    fn after(&self, position: FeedPosition) -> Replay {
        let log = self.log();
        // A page made before this session had a journal: nothing of it has been seen, so all of it is news.
        let new_here = position.epoch.is_nil() && position.number == 0;
        if !(new_here || position.epoch == self.epoch) || !(log.trimmed..=log.last).contains(&position.number) {
            return Replay::TooOld(FeedPosition {
                epoch: self.epoch,
                number: log.last,
            });
        }
        Replay::Events(
            log.events
                .range(position.number + 1..)
                .map(|(&number, event)| (number, event.clone()))
                .collect(),
        )
    }

    fn wake(&self) {
        self.last.send_modify(|_| {});
    }

    fn follow(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

impl Drop for MemoryJournal {
    fn drop(&mut self) {
        let shelved = *self.shelved.get_mut().unwrap_or_else(PoisonError::into_inner);
        let bytes = self.log.get_mut().unwrap_or_else(PoisonError::into_inner).bytes;
        self.shelf.left(shelved, signed(bytes));
    }
}

/// A size as one that can also shrink.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Log {
    fn append(&mut self, event: FeedEvent) -> u64 {
        self.last += 1;
        let number = self.last;
        match &event {
            FeedEvent::Conversation(summary) => {
                let replaced = self.conversations.insert(summary.id, number);
                self.remove(replaced);
            }
            FeedEvent::ConversationRemoved { id } => {
                let replaced = self.conversations.insert(*id, number);
                self.remove(replaced);
            }
            FeedEvent::Version { conversation, .. } => {
                let replaced = self.versions.insert(*conversation, number);
                self.remove(replaced);
            }
            FeedEvent::Chosen { conversation, .. } => {
                let replaced = self.choices.insert(*conversation, number);
                self.remove(replaced);
            }
            FeedEvent::Behind { conversation, .. } => {
                let replaced = self.behind.insert(*conversation, number);
                self.remove(replaced);
            }
            FeedEvent::Turn(turn) => {
                let replaced = self.turns.insert(
                    turn.id,
                    TurnEvents {
                        turn: Some(number),
                        ..TurnEvents::default()
                    },
                );
                if let Some(TurnEvents {
                    turn,
                    blocks,
                    thoughts,
                    steps,
                }) = replaced
                {
                    let pieces = blocks
                        .into_values()
                        .chain(thoughts.into_values())
                        .chain(steps.into_values());
                    self.remove(turn.into_iter().chain(pieces));
                }
            }
            FeedEvent::Block { turn, index, .. } => {
                let blocks = &mut self.turns.entry(*turn).or_default().blocks;
                let replaced = put(blocks, *index, number);
                self.remove(replaced.into_values());
            }
            FeedEvent::Thought { turn, index, .. } => {
                let thoughts = &mut self.turns.entry(*turn).or_default().thoughts;
                let replaced = put(thoughts, *index, number);
                self.remove(replaced.into_values());
            }
            FeedEvent::Step { turn, index, step, .. } => {
                let steps = &mut self.turns.entry(*turn).or_default().steps;
                let replaced = match step {
                    Some(_) => steps.insert(*index, number).into_iter().collect(),
                    None => put(steps, *index, number).into_values().collect::<Vec<_>>(),
                };
                self.remove(replaced);
            }
        }
        self.bytes += weight(&event);
        self.events.insert(number, event);
        self.make_room();
        number
    }

    fn remove(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            if let Some(event) = self.events.remove(&number) {
                self.bytes -= weight(&event);
            }
        }
    }

    fn make_room(&mut self) {
        while self.events.len() > 1 && (self.bytes > KEEP_BYTES || self.events.len() > KEEP_EVENTS) {
            let Some((number, event)) = self.events.pop_first() else {
                return;
            };
            self.trimmed = number;
            self.bytes -= weight(&event);
            match event {
                FeedEvent::Conversation(summary) => self.forget_conversation(summary.id, number),
                FeedEvent::ConversationRemoved { id } => self.forget_conversation(id, number),
                FeedEvent::Version { conversation, .. } => {
                    if self.versions.get(&conversation) == Some(&number) {
                        self.versions.remove(&conversation);
                    }
                }
                FeedEvent::Chosen { conversation, .. } => {
                    if self.choices.get(&conversation) == Some(&number) {
                        self.choices.remove(&conversation);
                    }
                }
                FeedEvent::Behind { conversation, .. } => {
                    if self.behind.get(&conversation) == Some(&number) {
                        self.behind.remove(&conversation);
                    }
                }
                FeedEvent::Turn(turn) => self.forget_turn(turn.id, |events| {
                    events.turn.take_if(|kept| *kept == number);
                }),
                FeedEvent::Block { turn, index, .. } => self.forget_turn(turn, |events| {
                    events.blocks.remove(&index);
                }),
                FeedEvent::Thought { turn, index, .. } => self.forget_turn(turn, |events| {
                    events.thoughts.remove(&index);
                }),
                FeedEvent::Step { turn, index, .. } => self.forget_turn(turn, |events| {
                    events.steps.remove(&index);
                }),
            }
        }
    }

    fn forget_conversation(&mut self, id: ConversationId, number: u64) {
        if self.conversations.get(&id) == Some(&number) {
            self.conversations.remove(&id);
        }
    }

    fn forget_turn(&mut self, id: TurnId, forget: impl FnOnce(&mut TurnEvents)) {
        if let Some(events) = self.turns.get_mut(&id) {
            forget(events);
            let pieces = [&events.blocks, &events.thoughts, &events.steps];
            if events.turn.is_none() && pieces.iter().all(|pieces| pieces.is_empty()) {
                self.turns.remove(&id);
            }
        }
    }
}

/// Puts the number of a piece in its place. Gives those that it replaces: a piece takes those after it along.
fn put(pieces: &mut BTreeMap<usize, u64>, index: usize, number: u64) -> BTreeMap<usize, u64> {
    let replaced = pieces.split_off(&index);
    pieces.insert(index, number);
    replaced
}

/// Bytes that an event takes, roughly: itself, its place in the maps, its text.
fn weight(event: &FeedEvent) -> usize {
    const PLACE: usize = 64;
    PLACE
        + size_of::<FeedEvent>()
        + match event {
            FeedEvent::Conversation(summary) => summary.title.len(),
            FeedEvent::ConversationRemoved { .. } | FeedEvent::Version { .. } => 0,
            FeedEvent::Turn(turn) => {
                size_of::<TurnView>()
                    + turn.message.len()
                    + turn.answer.len()
                    + turn.blocks.iter().chain(&turn.thoughts).map(String::len).sum::<usize>()
                    + turn.steps.iter().map(step_weight).sum::<usize>()
            }
            FeedEvent::Chosen { choice, .. } => {
                choice.instructions.len() + choice.model.as_ref().map_or(0, String::len)
            }
            FeedEvent::Behind { follow_ups, .. } => {
                let each = follow_ups.iter().map(|one| size_of::<FollowUp>() + one.message.len());
                each.sum()
            }
            FeedEvent::Block { html, .. } | FeedEvent::Thought { html, .. } => html.len(),
            FeedEvent::Step { step, .. } => step.as_deref().map_or(0, step_weight),
        }
}

/// What a step takes: what it has returned is there twice, as it came and drawn.
fn step_weight(step: &StepView) -> usize {
    size_of::<StepView>() + step.arguments.len() + 2 * step.result.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Choice, ConversationSummary, TurnState, TurnView};

    fn conversation(id: ConversationId, title: &str) -> FeedEvent {
        FeedEvent::Conversation(ConversationSummary {
            id,
            title: title.into(),
            updated_at: 0,
            busy: false,
            asks: false,
            pinned: false,
            archived: false,
        })
    }

    fn turn(id: TurnId, state: TurnState) -> FeedEvent {
        FeedEvent::Turn(Box::new(TurnView {
            parent: None,
            versions: crate::wire::Versions::default(),
            id,
            conversation: ConversationId(Uuid::nil()),
            message: String::new(),
            files: Vec::new(),
            state,
            answer: String::new(),
            blocks: Vec::new(),
            thoughts: Vec::new(),
            thought_ms: None,
            good: None,
            steps: Vec::new(),
            notices: Vec::new(),
            model: String::new(),
            usage: None,
            accepted_at: 0,
            started_at: None,
            ended_at: None,
        }))
    }

    fn block(turn: TurnId, index: usize, html: &str) -> FeedEvent {
        FeedEvent::Block {
            turn,
            conversation: ConversationId(Uuid::nil()),
            index,
            html: html.into(),
        }
    }

    fn events(journal: &MemoryJournal, number: u64) -> Vec<(u64, FeedEvent)> {
        let epoch = journal.position().epoch;
        match journal.after(FeedPosition { epoch, number }) {
            Replay::Events(events) => events,
            Replay::TooOld(at) => panic!("too old: {at:?}"),
        }
    }

    #[test]
    fn a_replay_has_what_came_after_the_number() {
        let journal = MemoryJournals::default().open();
        let (a, b) = (ConversationId::new(), ConversationId::new());
        journal.append(conversation(a, "a"));
        let seen = journal.append(conversation(b, "b"));
        journal.append(conversation(a, "a, renamed"));
        assert_eq!(events(&journal, seen), [(3, conversation(a, "a, renamed"))]);
        assert_eq!(events(&journal, 0).len(), 2, "the first title has been replaced");
        assert_eq!(events(&journal, 3), []);
    }

    #[test]
    fn a_finished_turn_replaces_its_blocks() {
        let journal = MemoryJournals::default().open();
        let id = TurnId::new();
        journal.append(turn(id, TurnState::Running));
        journal.append(block(id, 0, "<p>a"));
        journal.append(block(id, 0, "<p>ab</p>"));
        journal.append(block(id, 1, "<p>c"));
        assert_eq!(events(&journal, 0).len(), 3);
        // A block that is sent again takes those after it along.
        journal.append(block(id, 0, "<p>abc"));
        assert_eq!(events(&journal, 0).len(), 2);
        journal.append(turn(id, TurnState::Done));
        assert_eq!(events(&journal, 0), [(6, turn(id, TurnState::Done))]);
    }

    #[test]
    fn thoughts_replace_each_other_beside_the_answer_and_so_do_choices() {
        let journal = MemoryJournals::default().open();
        let (id, talk) = (TurnId::new(), ConversationId::new());
        let thought = |index, html: &str| FeedEvent::Thought {
            turn: id,
            conversation: ConversationId(Uuid::nil()),
            index,
            html: html.into(),
        };
        let chosen = |instructions: &str| FeedEvent::Chosen {
            conversation: talk,
            choice: Choice {
                instructions: instructions.into(),
                ..Choice::default()
            },
        };
        journal.append(block(id, 0, "<p>a</p>"));
        journal.append(thought(0, "<p>b"));
        journal.append(thought(1, "<p>c"));
        journal.append(chosen("Be brief."));
        journal.append(thought(0, "<p>bc</p>"));
        journal.append(chosen(""));
        let left = [
            (1, block(id, 0, "<p>a</p>")),
            (5, thought(0, "<p>bc</p>")),
            (6, chosen("")),
        ];
        assert_eq!(events(&journal, 0), left);
        journal.append(turn(id, TurnState::Done));
        assert_eq!(events(&journal, 0), [(6, chosen("")), (7, turn(id, TurnState::Done))]);
        // Those that make room are forgotten with all that is known of them.
        journal.append(thought(0, "<p>d"));
        journal.append(block(id, 0, &"y".repeat(KEEP_BYTES)));
        let log = journal.log();
        assert_eq!(log.events.len(), 1);
        assert!(log.choices.is_empty() && log.turns[&id].thoughts.is_empty());
        assert_eq!(log.bytes, log.events.values().map(weight).sum::<usize>());
    }

    #[test]
    fn another_epoch_and_a_number_from_the_future_are_too_old() {
        let journal = MemoryJournals::default().open();
        let nil = FeedPosition {
            epoch: Uuid::nil(),
            number: 0,
        };
        assert_eq!(
            journal.after(nil),
            Replay::Events(Vec::new()),
            "nothing has happened that could be missed"
        );
        journal.append(conversation(ConversationId::new(), "a"));
        let here = journal.position();
        assert!(
            matches!(journal.after(nil), Replay::Events(events) if events.len() == 1),
            "all of it is news"
        );
        assert_eq!(
            journal.after(FeedPosition {
                epoch: Uuid::from_u128(1),
                number: 0
            }),
            Replay::TooOld(here)
        );
        assert_eq!(journal.after(FeedPosition { number: 9, ..here }), Replay::TooOld(here));
    }

    #[test]
    fn it_stays_within_its_bounds_and_says_so() {
        let journal = MemoryJournals::default().open();
        let id = TurnId::new();
        for index in 0..KEEP_EVENTS + 10 {
            journal.append(block(id, index, "x"));
        }
        let epoch = journal.position().epoch;
        assert!(matches!(
            journal.after(FeedPosition { epoch, number: 9 }),
            Replay::TooOld(_)
        ));
        assert_eq!(events(&journal, 10).len(), KEEP_EVENTS);
        journal.append(block(id, KEEP_EVENTS + 10, &"y".repeat(KEEP_BYTES)));
        assert_eq!(journal.log().events.len(), 1, "the newest event is kept however large");
        journal.append(turn(id, TurnState::Done));
        let log = journal.log();
        assert_eq!(log.bytes, log.events.values().map(weight).sum::<usize>());
    }

    #[test]
    fn together_they_stay_within_a_bound_and_the_quietest_make_room() {
        let shelf = MemoryJournals::with_room_for(signed(KEEP_BYTES));
        let [quiet, busy, new] = [(); 3].map(|()| shelf.open());
        let text = "x".repeat(KEEP_BYTES / 3);
        let id = TurnId::new();
        let before = quiet.append(block(id, 0, "x")) - 1;
        let followed = quiet.append(block(id, 1, &text));
        busy.append(block(id, 0, &text));
        assert_eq!(events(&quiet, before).len(), 2, "there is room for both");
        new.append(block(id, 0, &text));
        assert_eq!(events(&busy, 0).len(), 1);
        let epoch = quiet.position().epoch;
        let missed = quiet.after(FeedPosition { epoch, number: before });
        assert!(matches!(missed, Replay::TooOld(_)), "what is gone is said to be gone");
        assert_eq!(events(&quiet, followed), [], "who has seen everything misses nothing");
        assert_eq!(shelf.bytes(), signed(busy.log().bytes + new.log().bytes));
        quiet.append(block(id, 0, "y"));
        assert_eq!(events(&quiet, followed).len(), 1, "it goes on from here");
        drop((quiet, busy));
        assert_eq!(shelf.bytes(), signed(new.log().bytes));
        drop(new);
        assert_eq!(shelf.bytes(), 0);
    }

    #[test]
    fn the_bound_holds_whoever_appends_at_once() {
        let most = signed(KEEP_BYTES);
        let shelf = MemoryJournals::with_room_for(most);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let journals: Vec<_> = (0..8).map(|_| shelf.open()).collect();
                    let id = TurnId::new();
                    for step in 0..2_000 {
                        journals[step * 7 % 8].append(block(id, step % 5, &"x".repeat(step % 300 * 30)));
                    }
                    drop(journals);
                });
            }
        });
        assert_eq!(shelf.bytes(), 0, "what came and what went has been counted alike");
        let last = shelf.open();
        last.append(block(TurnId::new(), 0, "x"));
        assert!((1..=most).contains(&shelf.bytes()));
    }

    #[tokio::test]
    async fn followers_wake() {
        let journal = MemoryJournals::default().open();
        let mut follow = journal.follow();
        journal.append(conversation(ConversationId::new(), "a"));
        follow.changed().await.expect("the journal lives");
        assert_eq!(*follow.borrow(), 1);
    }
}

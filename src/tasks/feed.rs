//! One owner's tasks, as far as this process has them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use uuid::Uuid;

use super::{figures::TaskFigures, held::Held};
use crate::{
    programs::Kept,
    queue::{Owner, Standing, TicketId},
    store::{Ended, OpenTask},
};

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stands {
    /// In the line.
    Line(Standing),
    /// Behind it: so many of its owner's come before it.
    Behind(usize),
    /// It has a slot.
    Running,
    /// It waits for other tasks, or is not this process's to know.
    Elsewhere,
}

/// An owner's tasks that are not in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many go into it next, a few at a time.
    pub ready: usize,
    /// How many wait for other tasks.
    pub blocked: usize,
}

/// An owner's tasks.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) owner: Owner,
    state: Mutex<State>,
    /// For the feeder.
    pub(super) wake: Notify,
    /// For those who follow: something is otherwise.
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    held: Held,
    /// In the line, or being answered.
    going: HashMap<Uuid, Going>,
    /// Whether all open tasks of the owner are here.
    loaded: bool,
    /// Counts what a reading that has begun before it cannot know.
    version: u64,
    /// Tasks that the line has, of which this process may yet hear.
    elsewhere: HashSet<Uuid>,
    /// The line has let none in, and is asked again then.
    refused_until: Option<Instant>,
    followers: usize,
}

#[derive(Debug)]
struct Going {
    task: OpenTask,
    /// `None`: it is about to be asked for.
    kept: Option<Kept>,
    /// Of how many rounds it is stored that they have begun.
    begun: u32,
    cancelled: bool,
}

/// How many of an owner's tasks may be where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Waiting in the line, for each model.
    pub(super) ahead: usize,
    /// Waiting in the line, in all.
    pub(super) waiting: usize,
    /// In the line and with a slot, in all.
    pub(super) going: usize,
}

/// A task on its way, as somebody sees it who follows it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: Uuid,
    /// How often it had been begun before.
    pub(super) attempts: u32,
    /// Of how many rounds it is stored that they have begun: the others have no number that lasts.
    pub(super) begun: u32,
    pub(super) kept: Kept,
}

impl Feed {
    pub(super) fn new(owner: Owner) -> Self {
        Self {
            owner,
            state: Mutex::default(),
            wake: Notify::new(),
            changes: watch::Sender::new(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, which the feeder and those who follow hear of.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.tell();
        changed
    }

    /// Something is otherwise.
    pub(super) fn tell(&self) {
        self.wake.notify_one();
        self.changes.send_replace(());
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// New tasks. Where not all of before are here, they come with these.
    pub(super) fn add(&self, tasks: Vec<OpenTask>) {
        self.change(|state| {
            if state.loaded {
                state.enter(tasks);
            }
        });
    }

    /// What [`Feed::load`] is to be told: to be asked before it is read what is open.
    pub(super) fn version(&self) -> u64 {
        self.state().version
    }

    /// All that are open, of which the line has `elsewhere` for others. Nothing, where it has been otherwise since the reading began.
    pub(super) fn load(&self, tasks: Vec<OpenTask>, elsewhere: HashSet<Uuid>, version: u64) {
        let mut state = self.state();
        if state.version != version {
            return;
        }
        state.held.clear();
        state.elsewhere = elsewhere;
        state.loaded = true;
        state.enter(tasks);
        drop(state);
        self.changes.send_replace(());
    }

    /// All are to be read anew.
    pub(super) fn unload(&self) {
        let mut state = self.state();
        state.version += 1;
        state.loaded = false;
        state.held.clear();
        state.elsewhere.clear();
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.state().loaded
    }

    /// Whether the line has tasks of which this process may yet hear.
    pub(super) fn has_elsewhere(&self) -> bool {
        !self.state().elsewhere.is_empty()
    }

    /// Takes those that go into the line next, as far as there is room for them. They are on their way from here on.
    pub(super) fn next(&self, room: Room) -> Vec<OpenTask> {
        let mut state = self.state();
        if state.refused_until.is_some_and(|until| until > Instant::now()) {
            return Vec::new();
        }
        state.refused_until = None;
        let mut waiting = HashMap::<String, usize>::new();
        for one in state.going.values().filter(|one| !one.has_slot()) {
            *waiting.entry(one.task.model.clone()).or_default() += 1;
        }
        let all = waiting.values().sum();
        let most = room.waiting.saturating_sub(all);
        let most = most.min(room.going.saturating_sub(state.going.len()));
        let of_model = |model: &str| {
            room.ahead
                .saturating_sub(waiting.get(model).copied().unwrap_or_default())
        };
        let next = state.held.take(most, of_model);
        for task in &next {
            state.going.insert(task.id, Going::of(task.clone()));
        }
        next
    }

    /// Those that were to go into the line next are not to do so yet.
    pub(super) fn hold_back(&self, ids: impl Iterator<Item = Uuid>) {
        for id in ids {
            self.back(id, None);
        }
    }

    /// When the line is asked again that has let none in.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        self.state().refused_until
    }

    /// A task that has a ticket goes on here. `false`: it does already.
    pub(super) fn claim(&self, task: &OpenTask) -> bool {
        let mut state = self.state();
        if state.going.contains_key(&task.id) {
            return false;
        }
        state.held.remove(task.id);
        state.elsewhere.remove(&task.id);
        state.going.insert(task.id, Going::of(task.clone()));
        true
    }

    /// A task is asked for. `false`: it has been cancelled meanwhile.
    pub(super) fn asked(&self, id: Uuid, kept: Kept) -> bool {
        self.change(|state| match state.going.get_mut(&id) {
            Some(going) if !going.cancelled => {
                going.count();
                going.kept = Some(kept);
                true
            }
            _ => false,
        })
    }

    /// It is stored that so many rounds of a task have begun.
    pub(super) fn begun(&self, id: Uuid, rounds: u32) {
        self.change(|state| {
            if let Some(going) = state.going.get_mut(&id) {
                going.begun = rounds;
            }
        });
    }

    /// A task is over.
    pub(super) fn over(&self, id: Uuid) {
        self.change(|state| state.going.remove(&id));
    }

    /// A task is on its way no more, and is to go into the line again, which is not asked before `refused_until`.
    pub(super) fn back(&self, id: Uuid, refused_until: Option<Instant>) {
        self.change(|state| {
            if let Some(mut going) = state.going.remove(&id)
                && state.loaded
                && !going.cancelled
            {
                going.count();
                state.held.put(going.task);
            }
            state.refused_until = refused_until.or(state.refused_until);
        });
    }

    /// A task is in the line, and this process is yet to hear of it.
    pub(super) fn left_to_the_line(&self, id: Uuid) {
        self.change(|state| {
            state.going.remove(&id);
            state.elsewhere.insert(id);
        });
    }

    /// A task broke off: how it stands has to be read.
    pub(super) fn lost(&self, id: Uuid) {
        self.change(|state| {
            state.going.remove(&id);
            state.version += 1;
            state.loaded = false;
        });
    }

    /// What the end of a task has brought.
    pub(super) fn ended(&self, ended: &Ended) {
        self.change(|state| {
            state.version += 1;
            for id in &ended.failed {
                state.held.remove(*id);
            }
            for id in &ended.ready {
                state.held.free(*id);
            }
        });
    }

    /// A task has been ended by its owner.
    pub(super) fn cancel(&self, id: Uuid) {
        self.cancel_all(&[id]);
    }

    /// Some have been, none of which goes into the line any more.
    pub(super) fn cancel_all(&self, ids: &[Uuid]) {
        let kept: Vec<Kept> = self.change(|state| {
            let on_their_way = ids.iter().filter_map(|id| {
                state.held.remove(*id);
                let going = state.going.get_mut(id)?;
                going.cancelled = true;
                going.kept.clone()
            });
            on_their_way.collect()
        });
        kept.iter().for_each(Kept::cancel);
    }

    /// All have been.
    pub(super) fn forget(&self) {
        let kept: Vec<Kept> = self.change(|state| {
            state.held.clear();
            let going = state.going.values_mut();
            let kept = going.filter_map(|going| {
                going.cancelled = true;
                going.kept.clone()
            });
            kept.collect()
        });
        kept.iter().for_each(Kept::cancel);
    }

    pub(super) fn stands(&self, id: Uuid) -> Stands {
        let state = self.state();
        let waits = |going: &&Going| !going.has_slot();
        if let Some(going) = state.going.get(&id) {
            let standing = going.kept.as_ref().and_then(Kept::standing);
            return match standing {
                Some(standing) => Stands::Line(standing),
                None if going.has_slot() => Stands::Running,
                None => Stands::Behind(0),
            };
        }
        match state.held.before(id) {
            Some(before) => Stands::Behind(before + state.going.values().filter(waits).count()),
            None => Stands::Elsewhere,
        }
    }

    /// The tickets of those that are on their way.
    pub(super) fn tickets(&self) -> Vec<(Uuid, TicketId)> {
        let state = self.state();
        let going = state.going.values();
        let tickets = going.filter_map(|going| Some((going.task.id, going.kept.as_ref()?.ticket()?)));
        tickets.collect()
    }

    /// How many stand behind the line, and how many wait for other tasks.
    pub(super) fn held(&self) -> Behind {
        let (ready, all) = self.state().held.count();
        Behind {
            ready,
            blocked: all - ready,
        }
    }

    /// A task on its way here.
    pub(super) fn seen(&self, id: Uuid) -> Option<Seen> {
        self.state().going.get(&id)?.seen()
    }

    /// Those of a batch.
    pub(super) fn seen_of(&self, batch: Uuid) -> Vec<Seen> {
        let state = self.state();
        let going = state.going.values().filter(|going| going.task.batch == batch);
        going.filter_map(Going::seen).collect()
    }

    pub(super) fn going(&self) -> usize {
        self.state().going.len()
    }

    /// Adds how many are where.
    pub(super) fn count(&self, figures: &mut TaskFigures) {
        let state = self.state();
        let running = state.going.values().filter(|going| going.has_slot()).count();
        figures.running += running as u64;
        figures.waiting += (state.going.len() - running) as u64;
        let (ready, all) = state.held.count();
        figures.held += ready as u64;
        figures.blocked += (all - ready) as u64;
    }

    pub(super) fn follow(&self, more: bool) {
        let mut state = self.state();
        state.followers = if more { state.followers + 1 } else { state.followers - 1 };
        drop(state);
        self.wake.notify_one();
    }

    /// Whether there is nothing to it. `is_home`: whether this process would have its tasks.
    pub(super) fn is_idle(&self, is_home: bool) -> bool {
        let state = self.state();
        let known = state.loaded || !is_home;
        known && state.followers == 0 && state.held.is_empty() && state.going.is_empty() && state.elsewhere.is_empty()
    }
}

impl State {
    fn enter(&mut self, tasks: Vec<OpenTask>) {
        for task in tasks {
            if !self.going.contains_key(&task.id) && !self.elsewhere.contains(&task.id) {
                self.held.put(task);
            }
        }
    }
}

impl Going {
    const fn of(task: OpenTask) -> Self {
        Self {
            task,
            kept: None,
            begun: 0,
            cancelled: false,
        }
    }

    /// What has begun on its way until now is before what comes.
    fn count(&mut self) {
        self.task.attempts += self.begun;
        self.task.ran |= self.begun > 0;
        self.begun = 0;
    }

    fn has_slot(&self) -> bool {
        self.kept.as_ref().is_some_and(Kept::has_slot)
    }

    fn seen(&self) -> Option<Seen> {
        Some(Seen {
            id: self.task.id,
            attempts: self.task.attempts,
            begun: self.begun,
            kept: self.kept.clone()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(key: i64, model: &str) -> OpenTask {
        OpenTask {
            id: Uuid::from_u128(u128::try_from(key).expect("positive")),
            owner: Owner(1),
            batch: Uuid::nil(),
            name: None,
            key,
            priority: 0,
            model: model.into(),
            ran: false,
            blocked: 0,
            attempts: 0,
            stopped: 0,
        }
    }

    fn keys(tasks: &[OpenTask]) -> Vec<i64> {
        tasks.iter().map(|task| task.key).collect()
    }

    fn feed(tasks: Vec<OpenTask>) -> Feed {
        let feed = Feed::new(Owner(1));
        feed.load(tasks, HashSet::new(), feed.version());
        feed
    }

    const ROOM: Room = Room {
        ahead: 2,
        waiting: 3,
        going: 10,
    };

    #[tokio::test]
    async fn few_are_on_their_way_and_of_each_model_fewer() {
        let feed = feed((1..=9).map(|key| task(key, if key < 6 { "a" } else { "b" })).collect());
        assert_eq!(keys(&feed.next(ROOM)), [1, 2, 6]);
        assert!(feed.next(ROOM).is_empty());
        assert_eq!(feed.stands(Uuid::from_u128(3)), Stands::Behind(3));
        feed.over(Uuid::from_u128(2));
        assert_eq!(keys(&feed.next(ROOM)), [3]);
        let few = Room { going: 3, ..ROOM };
        feed.over(Uuid::from_u128(1));
        assert_eq!(keys(&feed.next(few)), [4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_lets_none_in_is_asked_again_later() {
        let feed = feed(vec![task(1, "a"), task(2, "a")]);
        assert_eq!(keys(&feed.next(ROOM)), [1, 2]);
        let later = Instant::now() + std::time::Duration::from_secs(1);
        feed.back(Uuid::from_u128(1), Some(later));
        assert!(feed.next(ROOM).is_empty());
        assert_eq!(feed.refused_until(), Some(later));
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert_eq!(keys(&feed.next(ROOM)), [1]);
    }

    #[tokio::test]
    async fn each_task_is_counted_where_it_is() {
        let waits = OpenTask {
            blocked: 1,
            ..task(9, "a")
        };
        let feed = feed(vec![task(1, "a"), task(2, "a"), task(3, "a"), waits]);
        feed.next(ROOM);
        let mut figures = TaskFigures::default();
        feed.count(&mut figures);
        assert_eq!(
            (figures.blocked, figures.held, figures.waiting, figures.running),
            (1, 1, 2, 0)
        );
        assert_eq!(feed.held(), Behind { ready: 1, blocked: 1 });
        assert!(feed.tickets().is_empty(), "none has been asked for yet");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_behind_one_that_was_refused_does_not_pass_it() {
        let feed = feed(vec![task(1, "a"), task(2, "a"), task(3, "a")]);
        assert_eq!(keys(&feed.next(ROOM)), [1, 2]);
        feed.back(
            Uuid::from_u128(1),
            Some(Instant::now() + std::time::Duration::from_secs(1)),
        );
        feed.hold_back(std::iter::once(Uuid::from_u128(2)));
        assert!(feed.next(ROOM).is_empty());
        assert_eq!(feed.stands(Uuid::from_u128(2)), Stands::Behind(1));
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert_eq!(keys(&feed.next(ROOM)), [1, 2]);
    }

    #[tokio::test]
    async fn a_reading_of_before_an_end_counts_for_nothing() {
        let feed = Feed::new(Owner(1));
        let version = feed.version();
        feed.ended(&Ended::default());
        feed.load(vec![task(1, "a")], HashSet::new(), version);
        assert!(!feed.is_loaded());
        feed.load(vec![task(1, "a")], HashSet::new(), feed.version());
        assert!(feed.is_loaded() && !feed.is_idle(true));
        // What the line has for somebody else is not let in once more.
        feed.unload();
        let first = Uuid::from_u128(1);
        feed.load(vec![task(1, "a"), task(2, "a")], HashSet::from([first]), feed.version());
        assert_eq!(keys(&feed.next(ROOM)), [2]);
        assert!(feed.has_elsewhere());
        assert!(feed.claim(&task(1, "a")) && !feed.claim(&task(1, "a")));
        assert!(!feed.has_elsewhere());
    }

    #[tokio::test]
    async fn what_has_ended_is_let_in_no_more_and_what_waited_for_it_is() {
        let waits = OpenTask {
            blocked: 1,
            ..task(2, "a")
        };
        let feed = feed(vec![task(1, "a"), waits, task(3, "a")]);
        let ended = Ended {
            ready: vec![Uuid::from_u128(2)],
            failed: vec![Uuid::from_u128(3)],
        };
        feed.ended(&ended);
        feed.cancel(Uuid::from_u128(1));
        assert_eq!(keys(&feed.next(ROOM)), [2]);
        feed.over(Uuid::from_u128(2));
        assert!(feed.is_idle(true));
    }
}

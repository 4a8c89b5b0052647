//! What becomes of a task, or of a batch, for those who watch: from where they have seen it, without a gap or a repeat.
//!
//! Positions are values: the newest one says all, and has no number. Pieces of an answer are numbered within an attempt; one that begins anew, because
//! the server has ended or another node has taken it up, says so, and its pieces begin again. Ends are numbered in their batch, as they are stored.

use std::{
    collections::{HashSet, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use uuid::Uuid;

use super::{
    Stands, TaskFault, Tasks, answer,
    feed::{Feed, Seen},
};
use crate::{
    programs::Kept,
    queue::Owner,
    store::{BatchRecord, TaskRecord},
};

/// Between two looks at a position.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks into the store, where nothing is on its way here that would tell.
const FAR: Duration = Duration::from_secs(2);
/// Ends of a batch that come so close together are looked for together.
const TOGETHER: Duration = Duration::from_millis(50);
/// Most ends that are read at once.
const AT_ONCE: usize = 200;

/// How much of a task's answer somebody has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Of which attempt; 0: of none.
    pub attempt: u32,
    /// How many pieces.
    pub pieces: u64,
}

/// What becomes of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskNews {
    /// Where it stands now.
    Stands(Stands),
    /// It has a slot: its answer begins, or begins anew.
    Started(Cursor),
    /// A piece of its answer, in JSON; what has been seen with it.
    Part(Cursor, Vec<u8>),
    /// It is over.
    Over(Box<TaskRecord>),
}

/// What becomes of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchNews {
    /// How many of it are where, and where those stand that are in the line.
    Progress(BatchRecord, Vec<(Uuid, Stands)>),
    /// One of its tasks has a slot.
    Started(Uuid),
    /// One of its tasks is over, with its result; its ordinal is the number of this.
    Ended(Box<TaskRecord>),
    /// All of it is over.
    Over(BatchRecord),
}

/// An owner's feed, for as long as somebody watches.
struct Watched {
    feed: Arc<Feed>,
    changes: watch::Receiver<()>,
}

impl Watched {
    fn new(tasks: &Tasks, owner: Owner) -> Self {
        let feed = tasks.with_feed(owner, |feed| {
            feed.follow(true);
            Arc::clone(feed)
        });
        Self {
            changes: feed.changes(),
            feed,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.feed.follow(false);
    }
}

/// Follows one task.
pub struct TaskFollower {
    tasks: Tasks,
    id: Uuid,
    watched: Watched,
    /// The way of it that is followed, with the attempts that there were before, and how many of its rounds have a number that lasts.
    way: Option<(Kept, u32, u32)>,
    /// One that has told all, and that the feed may still have.
    told: Option<Kept>,
    seen: Cursor,
    /// How many events of the way have been taken apart, of which round.
    taken: (u32, usize),
    /// How many pieces these had, and those that are not told yet.
    counted: u64,
    pieces: VecDeque<Vec<u8>>,
    stands: Option<Stands>,
    over: bool,
}

impl TaskFollower {
    /// What is new; `None`: nothing will be. Cancel-safe.
    ///
    /// # Errors
    /// [`TaskFault`]: it is not there any more, or cannot be read.
    pub async fn next(&mut self) -> Result<Option<TaskNews>, TaskFault> {
        loop {
            if self.over {
                return Ok(None);
            }
            self.watched.changes.mark_unchanged();
            self.find_way();
            let Some((kept, before, begun)) = self.way.clone() else {
                let task = self.tasks.task(self.watched.feed.owner, self.id).await?;
                if task.state.is_over() {
                    self.over = true;
                    return Ok(Some(TaskNews::Over(Box::new(task))));
                }
                if let Some(news) = self.stands(self.tasks.stands(task.owner, self.id)) {
                    return Ok(Some(news));
                }
                let look = sleep(FAR);
                tokio::select! {
                    _ = self.watched.changes.changed() => {}
                    () = look => {}
                }
                continue;
            };
            let mut changed = pin!(kept.changed());
            changed.as_mut().enable();
            if let Some(news) = self.of_way(&kept, before, begun) {
                return Ok(Some(news));
            }
            if self.way.is_none() {
                continue;
            }
            tokio::select! {
                () = changed => {}
                _ = self.watched.changes.changed() => {}
                () = sleep(LOOK), if !kept.has_slot() => {}
            }
        }
    }

    fn find_way(&mut self) {
        let seen = self.watched.feed.seen(self.id);
        let seen = seen.filter(|seen| self.told.as_ref().is_none_or(|told| !told.is(&seen.kept)));
        match (seen, &mut self.way) {
            (Some(seen), Some((way, _, begun))) if way.is(&seen.kept) => *begun = seen.begun,
            (Some(seen), way) => {
                *way = Some((seen.kept, seen.attempts, seen.begun));
                self.taken = (0, 0);
                self.counted = 0;
                self.pieces.clear();
            }
            // Its end is stored by now, or another way of it comes.
            (None, Some((_, _, begun))) => *begun = u32::MAX,
            (None, None) => {}
        }
    }

    fn of_way(&mut self, kept: &Kept, before: u32, begun: u32) -> Option<TaskNews> {
        if self.pieces.is_empty() {
            let (round, from) = self.taken;
            let look = kept.look(round, from);
            let attempt = (before + 1).saturating_add(look.round);
            let has_begun = (look.has_slot || !look.events.is_empty()) && look.round < begun;
            if has_begun && self.seen.attempt != attempt {
                (self.taken, self.counted) = ((look.round, 0), 0);
                self.stands = None;
                self.seen = Cursor { attempt, pieces: 0 };
                return Some(TaskNews::Started(self.seen));
            }
            if look.events.is_empty() || !has_begun {
                if look.over && (look.events.is_empty() || begun == u32::MAX) {
                    self.told = self.way.take().map(|(kept, ..)| kept);
                    return None;
                }
                let stands = kept.standing().map(Stands::Line);
                return stands.and_then(|stands| self.stands(stands));
            }
            // What has been seen of this attempt before is passed over, from its first piece on.
            if look.from == 0 {
                self.counted = 0;
            }
            for event in look.events.iter().flat_map(|events| answer::events(events)) {
                if self.counted >= self.seen.pieces {
                    self.pieces.push_back(event.to_vec());
                }
                self.counted += 1;
            }
            self.taken = (look.round, look.from + look.events.len());
        }
        let piece = self.pieces.pop_front()?;
        self.seen.pieces += 1;
        Some(TaskNews::Part(self.seen, piece))
    }

    fn stands(&mut self, stands: Stands) -> Option<TaskNews> {
        let is_news = self.stands != Some(stands) && matches!(stands, Stands::Line(_) | Stands::Behind(_));
        self.stands = Some(stands);
        is_news.then_some(TaskNews::Stands(stands))
    }
}

/// Follows a batch.
pub struct BatchFollower {
    tasks: Tasks,
    id: Uuid,
    watched: Watched,
    /// How many ends have been seen.
    seen: u64,
    started: HashSet<Uuid>,
    news: VecDeque<BatchNews>,
    /// What was last said of the whole.
    progress: Option<(BatchRecord, Vec<(Uuid, Stands)>)>,
    over: bool,
}

impl BatchFollower {
    /// What is new; `None`: nothing will be. Cancel-safe.
    ///
    /// # Errors
    /// [`TaskFault`]: it is not there any more, or cannot be read.
    pub async fn next(&mut self) -> Result<Option<BatchNews>, TaskFault> {
        loop {
            if let Some(BatchNews::Ended(task)) = self.news.front() {
                // Ends are looked for without their results, which may be long: each is read when it is told.
                let whole = self.tasks.task(self.watched.feed.owner, task.id).await?;
                self.news.pop_front();
                return Ok(Some(BatchNews::Ended(Box::new(whole))));
            }
            if let Some(news) = self.news.pop_front() {
                return Ok(Some(news));
            }
            if self.over {
                return Ok(None);
            }
            self.watched.changes.mark_unchanged();
            let owner = self.watched.feed.owner;
            // Read before the ends: what is over by then has its end among them.
            let batch = self.tasks.batch(owner, self.id).await?;
            let ends = self.tasks.store().outcomes(owner, self.id, self.seen, AT_ONCE).await?;
            let all = ends.len() < AT_ONCE;
            for task in ends {
                self.seen = task.ordinal.unwrap_or(self.seen);
                self.news.push_back(BatchNews::Ended(Box::new(task)));
            }
            if batch.ended_at.is_some() && all {
                self.over = true;
                self.news.push_back(BatchNews::Over(batch));
                continue;
            }
            let going = self.watched.feed.seen_of(self.id);
            let mut standing = Vec::new();
            for Seen { id, kept, .. } in going {
                if kept.has_slot() && self.started.insert(id) {
                    self.news.push_back(BatchNews::Started(id));
                }
                standing.extend(kept.standing().map(|standing| (id, Stands::Line(standing))));
            }
            standing.sort_by_key(|(_, stands)| match stands {
                Stands::Line(standing) => standing.position,
                _ => 0,
            });
            let progress = (batch, standing);
            if self.progress.as_ref() != Some(&progress) {
                self.news
                    .push_back(BatchNews::Progress(progress.0.clone(), progress.1.clone()));
                self.progress = Some(progress);
            }
            if self.news.is_empty() {
                let look = Instant::now() + FAR;
                tokio::select! {
                    _ = self.watched.changes.changed() => sleep(TOGETHER).await,
                    () = sleep_until(look) => {}
                }
            }
        }
    }
}

impl Tasks {
    /// Follows a task of an owner, of which so much has been seen.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn follow(&self, owner: Owner, id: Uuid, seen: Cursor) -> Result<TaskFollower, TaskFault> {
        let watched = Watched::new(self, owner);
        self.task(owner, id).await?;
        Ok(TaskFollower {
            tasks: self.clone(),
            id,
            watched,
            way: None,
            told: None,
            seen,
            taken: (0, 0),
            counted: 0,
            pieces: VecDeque::new(),
            stands: None,
            over: false,
        })
    }

    /// Follows a batch of an owner, so many ends of which have been seen.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn follow_batch(&self, owner: Owner, id: Uuid, seen: u64) -> Result<BatchFollower, TaskFault> {
        let watched = Watched::new(self, owner);
        self.batch(owner, id).await?;
        Ok(BatchFollower {
            tasks: self.clone(),
            id,
            watched,
            seen,
            started: HashSet::new(),
            news: VecDeque::new(),
            progress: None,
            over: false,
        })
    }
}

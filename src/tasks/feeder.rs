//! Lets an owner's next tasks into the line: as many as it takes that no slot stands empty which they could use, and no more.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use tracing::{Instrument as _, info_span, warn};
use uuid::Uuid;

use super::{
    Tasks,
    feed::{Feed, Room},
};
use crate::{
    nodes::Home,
    queue::{EventIndex, Owner},
    store::StoreError,
    wire::Event,
};

/// Most of an owner's that wait in the line for one model.
const MOST_AHEAD: usize = 32;
/// Most of an owner's that are on their way, where the line has no bound: each takes memory.
const MOST_GOING: usize = 512;
/// Between two looks at what nobody has told.
const LOOK: Duration = Duration::from_secs(60);
/// The same where something is expected.
const SOON: Duration = Duration::from_secs(5);
/// Between two tries where something has failed.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

impl Tasks {
    /// Does something with an owner's feed, made where there is none. It stays at least until that is done.
    pub(super) fn with_feed<T>(&self, owner: Owner, act: impl FnOnce(&Arc<Feed>) -> T) -> T {
        let mut feeds = self.feeds();
        let feed = feeds.entry(owner).or_insert_with(|| {
            let feed = Arc::new(Feed::new(owner));
            let work = self.clone().feed(Arc::clone(&feed));
            self.inner
                .tasks
                .spawn(work.instrument(info_span!(parent: None, "feeding tasks")));
            feed
        });
        act(feed)
    }

    /// New tasks of an owner.
    pub(super) async fn add(&self, owner: Owner, ids: Vec<Uuid>) {
        let feed = self.with_feed(owner, Arc::clone);
        if !feed.is_loaded() {
            // It is about to read all of them.
            feed.unload();
            feed.tell();
            return;
        }
        match self.store().open_among(ids).await {
            Ok(tasks) => self.with_feed(owner, |feed| feed.add(tasks)),
            Err(error) => {
                warn!(%error, "tasks that were taken in cannot be read yet");
                self.with_feed(owner, |feed| {
                    feed.unload();
                    feed.tell();
                });
            }
        }
    }

    pub(super) fn is_home(&self, owner: Owner) -> bool {
        matches!(self.deps().homes.home(owner), Home::Here)
    }

    /// Feeds the line with an owner's tasks for as long as there are any.
    async fn feed(self, feed: Arc<Feed>) {
        let mut moves = self.deps().homes.changes();
        loop {
            let mut woken = pin!(feed.wake.notified());
            woken.as_mut().enable();
            if self.inner.closing.is_cancelled() {
                return;
            }
            let mut look = Instant::now() + LOOK;
            let is_home = self.is_home(feed.owner);
            if is_home {
                if !feed.is_loaded()
                    && let Err(error) = self.load(&feed).await
                {
                    warn!(%error, "open tasks cannot be read yet");
                    look = Instant::now() + AGAIN;
                }
                self.let_in(&feed).await;
                look = feed.refused_until().map_or(look, |until| until.min(look));
                if feed.has_elsewhere() {
                    look = look.min(Instant::now() + SOON);
                }
            } else {
                feed.unload();
            }
            if self.remove_idle(&feed, is_home) {
                return;
            }
            tokio::select! {
                () = woken => {}
                () = self.inner.closing.cancelled() => return,
                Ok(()) = moves.changed() => {}
                () = sleep_until(look) => {
                    if feed.has_elsewhere() {
                        feed.unload();
                    }
                }
            }
        }
    }

    /// Lets the next ones into the line, one after the other, so that they stand there in their order.
    async fn let_in(&self, feed: &Arc<Feed>) {
        let mut next = feed.next(self.room()).into_iter();
        while let Some(task) = next.next() {
            let _ = self.set_off(feed, task, None).await;
            if feed.refused_until().is_some() {
                // None of those behind it may pass it.
                feed.hold_back(next.map(|task| task.id));
                return;
            }
        }
    }

    /// Reads what is open.
    async fn load(&self, feed: &Feed) -> Result<(), StoreError> {
        let version = feed.version();
        let tasks = self.store().open_tasks(feed.owner).await?;
        let in_line = self.deps().membership.as_ref().map_or_else(HashSet::new, |membership| {
            let jobs = tasks.iter().map(|task| (task.owner, task.id.as_u128()));
            let (known, ..) = membership.known(jobs);
            known.into_iter().map(Uuid::from_u128).collect()
        });
        feed.load(tasks, in_line, version);
        Ok(())
    }

    /// How many tasks of one owner may be where.
    fn room(&self) -> Room {
        let deps = self.deps();
        let chat = EventIndex(Event::Chat.index());
        let limits = deps.queue.limits();
        let slots = limits.iter().find(|limit| limit.events.contains(&chat));
        let slots = slots.and_then(|limit| limit.limit).unwrap_or(MOST_AHEAD);
        let settings = deps.settings.borrow();
        // One place is left for what its owner asks and waits for.
        let own = settings
            .policy
            .max_waiting_per_owner
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        // And a small line is left to all.
        let size = settings.policy.max_size.map_or(usize::MAX, |size| size / 4);
        let waiting = own.min(size).max(1);
        Room {
            ahead: slots.clamp(2, MOST_AHEAD).min(waiting),
            waiting,
            going: MOST_GOING,
        }
    }

    /// Forgets an owner who has nothing here.
    fn remove_idle(&self, feed: &Feed, is_home: bool) -> bool {
        // Locked, so that nobody adds to it in between.
        let mut feeds = self.feeds();
        let is_idle = feed.is_idle(is_home);
        if is_idle {
            feeds.remove(&feed.owner);
        }
        is_idle
    }
}

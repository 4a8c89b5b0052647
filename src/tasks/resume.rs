//! Tasks of an earlier start, and of other nodes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tracing::{Instrument as _, error, info, info_span, warn};
use uuid::Uuid;

use super::{Tasks, feeder::AGAIN};
use crate::{
    jobs,
    queue::{RestoredTicket, Stray},
    settings::ModelName,
    store::{OpenTask, StoreError},
};

/// Between two looks for owners whose tasks nobody feeds, where there are other nodes, and where there are none.
const LOOK: Duration = Duration::from_secs(10);
const LOOK_ALONE: Duration = Duration::from_secs(60);
/// How often a task is tried to be claimed that is to go on here, and the pause between two tries.
const CLAIMS: u32 = 100;
const BETWEEN_CLAIMS: Duration = Duration::from_millis(50);

impl Tasks {
    /// Puts every task that was being answered when the server ended into the line, where this process keeps that alone: before anybody else comes back,
    /// for these had slots. To be called once, before anybody is served.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was taken up then.
    pub(crate) async fn resume(&self) -> Result<(), StoreError> {
        let deps = self.deps();
        let mut ran = Vec::new();
        for owner in self.store().owners_of_tasks().await? {
            let open = self.store().open_tasks(owner).await?;
            ran.extend(open.into_iter().take_while(|task| task.ran));
        }
        // One whose model is not offered any more is ended when it is its turn.
        let ran = ran.into_iter().filter_map(|task| {
            let pool = deps.backends.pool(&ModelName::of_id(&task.model)?)?;
            let returning = RestoredTicket {
                work: jobs::work(Some(pool), None),
                owner: task.owner,
                joined: Instant::now(),
                key: None,
                ran: true,
                parked: false,
            };
            Some((task, returning))
        });
        let (tasks, returning): (Vec<OpenTask>, Vec<RestoredTicket>) = ran.unzip();
        let count = tasks.len();
        for (task, ticket) in tasks.into_iter().zip(deps.queue.restore(&returning)) {
            self.with_feed(task.owner, |feed| {
                feed.claim(&task);
                drop(self.set_off(feed, task, Some(ticket)));
            });
        }
        if count > 0 {
            info!(tasks = count, "tasks that ran before the restart are back in the line");
        }
        Ok(())
    }

    /// Takes up what strays are for, as far as that are tasks. Returns the others.
    pub(crate) async fn take_up_strays(&self, strays: Vec<Stray>) -> Vec<Stray> {
        let ids: Vec<Uuid> = strays.iter().map(|stray| Uuid::from_u128(stray.job)).collect();
        let open = loop {
            match self.store().open_among(ids.clone()).await {
                Ok(open) => break open,
                Err(StoreError::Closed) => return strays,
                Err(error) => {
                    warn!(%error, "tasks that are to be taken up cannot be read yet");
                    sleep(AGAIN).await;
                }
            }
        };
        let mut open: HashMap<u128, OpenTask> = open.into_iter().map(|task| (task.id.as_u128(), task)).collect();
        let mut others = Vec::new();
        let mut count = 0;
        for stray in strays {
            match open.remove(&stray.job) {
                Some(task) if task.owner == stray.owner => {
                    let work = self.clone().take_up(task, stray);
                    self.inner.tasks.spawn(work.instrument(info_span!("taking up")));
                    count += 1;
                }
                _ => others.push(stray),
            }
        }
        if count > 0 {
            info!(tasks = count, "tasks are taken up here");
        }
        others
    }

    async fn take_up(self, task: OpenTask, stray: Stray) {
        let Some(ticket) = self.deps().queue.take_up(stray.ticket) else {
            return;
        };
        for _ in 0..CLAIMS {
            let feed = self.with_feed(task.owner, |feed| feed.claim(&task).then(|| Arc::clone(feed)));
            if let Some(feed) = feed {
                drop(self.set_off(&feed, task, Some(ticket)));
                return;
            }
            // One of before may still be ending here.
            sleep(BETWEEN_CLAIMS).await;
        }
        error!(task = %task.id, "a task was not taken up: it is on its way here already");
    }

    /// Feeds the line with the tasks of all who are at home here, and tells programs what is over, until no more start.
    pub(crate) fn spawn(&self) {
        let tasks = self.clone();
        let look = async move {
            let mut moves = tasks.deps().homes.changes();
            let is_alone = tasks.deps().membership.is_none();
            let pause = if is_alone { LOOK_ALONE } else { LOOK };
            loop {
                tasks.look().await;
                tokio::select! {
                    () = tasks.inner.closing.cancelled() => return,
                    Ok(()) = moves.changed() => {}
                    () = sleep(pause) => {}
                }
            }
        };
        self.inner.tasks.spawn(look.instrument(info_span!("looking for tasks")));
        let outbox = self.clone().tell_programs();
        self.inner.tasks.spawn(outbox.instrument(info_span!("webhooks")));
    }

    async fn look(&self) {
        match self.store().owners_of_tasks().await {
            Ok(owners) => {
                for owner in owners.into_iter().filter(|owner| self.is_home(*owner)) {
                    self.with_feed(owner, |_| ());
                }
            }
            Err(StoreError::Closed) => {}
            Err(error) => warn!(%error, "open tasks cannot be looked for"),
        }
    }
}

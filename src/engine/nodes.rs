//! This process as one of several that keep a line in a database.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{Instrument as _, info, info_span, warn};

use super::Engine;
use crate::{
    nodes::Membership,
    queue::{Observer, Owner, Policy, Queue, Retuning, Stray},
    store::{PostgresStore, StoreError},
};

/// How long a start may wait for its part in the line.
const START: Duration = Duration::from_secs(30);
/// Between two looks for turns that the line should have and does not.
const LOOK: Duration = Duration::from_secs(60);
/// A turn that is missing for so long is: what is on its way to the line, or out of it, has arrived by then.
const SURE: Duration = Duration::from_secs(5);
/// Sessions that move one after the other are looked at together.
const TOGETHER: Duration = Duration::from_millis(200);
/// How long others may take to hear that this node leaves.
const LAST: Duration = Duration::from_millis(250);
/// How long a node that leaves may take to say so.
const GOODBYE: Duration = Duration::from_secs(5);

/// Makes the queue: that of this process alone, or its part of the one whose log is in the database.
pub(super) async fn queue(
    shared: Option<Arc<PostgresStore>>,
    address: Option<String>,
    policy: Policy,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<(Queue, Option<Arc<Membership>>)> {
    let Some(store) = shared else {
        return Ok((Queue::new(policy, observer), None));
    };
    let (me, keeps_alone) = (store.incarnation(), address.is_none());
    let log = store.log(&policy).await;
    let log = log.context("the line in the database cannot be opened")?;
    let (membership, queue) = Membership::join(me, address, log, policy.clone(), observer);
    match timeout(START, membership.ready()).await {
        Ok(true) => {}
        Ok(false) => bail!("another Anteroom has been started over the same database meanwhile"),
        Err(_) => bail!(
            "the database did not let this node take part in the line for {} s",
            START.as_secs()
        ),
    }
    if keeps_alone {
        // Those of before have gone, or they could not have been replaced; the line hears of that now.
        let mut moves = membership.moves();
        let only = async { while membership.nodes().len() > 1 && moves.changed().await.is_ok() {} };
        if timeout(START, only).await.is_err() {
            warn!("earlier starts of this site are still taken for nodes of it");
        }
    }
    let alone = membership.nodes().len() == 1;
    info!(node = ?membership.me(), nodes = membership.nodes().len(), "this node takes part in the line");
    // The first one decides; who comes to others adds what they lack.
    queue.propose(policy, if alone { Retuning::Edited } else { Retuning::Joining });
    Ok((queue, Some(Arc::new(membership))))
}

impl Engine {
    /// The nodes, this one included; `None`: this process keeps its line alone.
    #[must_use]
    pub fn membership(&self) -> Option<&Arc<Membership>> {
        self.membership.as_ref()
    }

    /// Waits until this node has been declared gone by the others: all that it has in memory is void then. Never, where there is no other.
    pub async fn declared_gone(&self) {
        match &self.membership {
            Some(membership) => membership.over().await,
            None => std::future::pending().await,
        }
    }

    /// Tells the line at once of nodes whose processes have ended. Runs for as long as it is polled.
    pub fn watch_nodes(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let engine = Arc::clone(self);
        async move {
            let Some(membership) = engine
                .membership
                .clone()
                .filter(|_| engine.settings().node_addr.is_some())
            else {
                return;
            };
            crate::http::watch(engine, move |node| membership.is_dead(node)).await;
        }
    }

    /// Ends all at once, without a word to the store: what ran here runs elsewhere.
    pub async fn abandon(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::Relaxed);
        self.queue.close();
        self.kept_tasks.close();
        self.closing.cancel();
        self.conversations.stop();
        self.programs.stop();
        // What still waits for the store hears that it is closed.
        self.store.close().await;
        let _ = timeout(GOODBYE, self.conversations.finished()).await;
        let _ = timeout(GOODBYE, self.programs.finished()).await;
        let _ = timeout(GOODBYE, self.kept_tasks.finished()).await;
        self.tools.close().await;
        self.vault.close().await;
        self.tasks.close();
        let _ = timeout(GOODBYE, self.tasks.wait()).await;
    }

    /// Waits until nothing of a turn is on its way here. Beside other nodes some may still come for a moment, from those who have not heard
    /// yet that this one leaves.
    pub(super) async fn last_turns(&self) {
        self.conversations.finished().await;
        self.programs.finished().await;
        self.kept_tasks.finished().await;
        if self.membership.is_none() {
            return;
        }
        loop {
            sleep(LAST).await;
            if self.conversations.unfinished() == 0 {
                return;
            }
            self.conversations.finished().await;
        }
    }

    /// Leaves the line to the others. To be called once nothing runs here.
    pub(super) async fn leave_line(&self) {
        let Some(membership) = &self.membership else { return };
        self.queue.leave_now();
        if timeout(GOODBYE, membership.over()).await.is_err() {
            warn!("the others have not been told that this node has left; they find out");
        }
    }

    /// Turns that the line should have and does not, where nobody else can have put them into it.
    pub(super) async fn recover_alone(&self) -> Result<(), StoreError> {
        let Some(membership) = &self.membership else {
            return Ok(());
        };
        if membership.nodes().len() > 1 {
            return Ok(());
        }
        let mut missing = self.conversations.missing(|_| true).await?;
        let (known, _, now) = membership.known(missing.jobs());
        missing.retain(|job| !known.contains(&job));
        if missing.len() > 0 {
            info!(turns = missing.len(), "turns of before are put into the line");
            // Only at the end of the process are they not.
            let _ = self.queue.recover(self.conversations.restored(missing, now)).await;
        }
        Ok(())
    }

    fn is_home_of(&self, owner: Owner) -> bool {
        let Some(membership) = &self.membership else {
            return true;
        };
        membership.home(owner).is_some_and(|home| home.node == membership.me())
    }

    /// Has messages begin that stand behind one that was another node's. Returns whether there are any behind others.
    async fn take_up_follow_ups(&self) -> bool {
        let ours = |owner| self.is_home_of(owner);
        let followed = self.conversations.take_up_follow_ups(&self.sessions, ours);
        followed.await.unwrap_or_else(|error| {
            warn!(%error, "messages that stand behind others cannot be looked for");
            false
        })
    }

    /// Looks for turns of sessions that are at home here which nobody has in the line.
    async fn recover_missing(&self, suspects: &mut BTreeSet<u128>) {
        let Some(membership) = &self.membership else { return };
        let missing = self.conversations.missing(|owner| self.is_home_of(owner)).await;
        let mut missing = match missing {
            Ok(missing) => missing,
            Err(error) => {
                warn!(%error, "turns that are missing from the line cannot be looked for");
                return;
            }
        };
        let (known, _, now) = membership.known(missing.jobs());
        missing.retain(|job| !known.contains(&job));
        let seen: BTreeSet<u128> = missing.jobs().map(|(_, job)| job).collect();
        missing.retain(|job| suspects.contains(&job));
        if missing.len() > 0 {
            warn!(
                turns = missing.len(),
                "turns were missing from the line, and are put into it"
            );
            let _ = self.queue.recover(self.conversations.restored(missing, now)).await;
        }
        *suspects = seen;
    }
}

/// Takes up what comes to this node, and puts what is missing into the line; ends when the engine closes.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let Some(mut strays) = engine.queue.strays() else {
        return;
    };
    let taker = Arc::clone(engine);
    let take_up = async move {
        loop {
            let mut found: Vec<Stray> = tokio::select! {
                () = taker.closing.cancelled() => return,
                found = strays.recv() => match found {
                    Some(found) => found,
                    None => return,
                },
            };
            while let Ok(more) = strays.try_recv() {
                found.extend(more);
            }
            let nodes = taker
                .membership
                .as_ref()
                .map_or(0, |membership| membership.nodes().len());
            // What is for a task is that one's; of all others turns are sought.
            let found = taker.kept_tasks.take_up_strays(found).await;
            let turns = &taker.conversations;
            turns.take_up_strays(&taker.sessions, found, nodes > 1).await;
        }
    };
    engine.tasks.spawn(take_up.instrument(info_span!("taking up")));
    let keeper = Arc::clone(engine);
    let look = async move {
        let mut suspects = BTreeSet::new();
        let mut next = Instant::now() + SURE;
        loop {
            tokio::select! {
                () = keeper.closing.cancelled() => return,
                () = keeper.conversations.adrift() => next = next.min(Instant::now() + SURE),
                () = sleep_until(next) => {
                    keeper.recover_missing(&mut suspects).await;
                    let followed = keeper.take_up_follow_ups().await;
                    let pause = if suspects.is_empty() && !followed { LOOK } else { SURE };
                    next = Instant::now() + pause;
                }
            }
        }
    };
    engine
        .tasks
        .spawn(look.instrument(info_span!("looking for missing turns")));
    let Some(membership) = &engine.membership else { return };
    let (host, moves) = (Arc::clone(engine), membership.moves());
    let look = move || {
        let host = Arc::clone(&host);
        async move {
            host.take_up_follow_ups().await;
        }
    };
    let ends = Arc::clone(engine);
    let follow = async move {
        tokio::select! {
            () = ends.closing.cancelled() => {}
            () = after_moves(moves, look) => {}
        }
    };
    engine
        .tasks
        .spawn(follow.instrument(info_span!("taking up what stands behind")));
}

/// Looks whenever sessions may have come here: a node that leaves keeps one until its turn is over, and then nobody there has what stands behind
/// that begin. Ends when nobody moves any more.
async fn after_moves<F: Future<Output = ()>>(mut moves: watch::Receiver<()>, mut look: impl FnMut() -> F) {
    while moves.changed().await.is_ok() {
        sleep(TOGETHER).await;
        moves.mark_unchanged();
        look().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::ready};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_stands_behind_is_looked_for_as_soon_as_its_session_has_moved() {
        let (moved, moves) = watch::channel(());
        let (looks, begun) = (Cell::new(0), Instant::now());
        let look = || {
            looks.set(looks.get() + 1);
            // One that comes while it looks is not missed.
            if looks.get() == 2 {
                moved.send_replace(());
            }
            ready(())
        };
        let story = async {
            sleep(10 * LOOK).await;
            assert_eq!(looks.get(), 0, "nobody has moved");
            for _ in 0..100 {
                moved.send_replace(());
            }
            sleep(SURE).await;
            assert_eq!(looks.get(), 1, "they have moved together");
            moved.send_replace(());
            sleep(SURE).await;
            assert_eq!(looks.get(), 3);
        };
        tokio::select! {
            () = after_moves(moves, look) => panic!("it goes on for as long as somebody may move"),
            () = story => {}
        }
        assert!(begun.elapsed() < 11 * LOOK);
    }
}

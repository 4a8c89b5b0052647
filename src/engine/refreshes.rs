//! Refreshes: the figures of the stats tab and the records of the logs tab, made when the line lets them start.
//!
//! A refresh answers over the feed instead of holding its request open: a browser has six connections to a host,
//! and seven tabs that wait for their turn would leave none for anything else.

use std::{future::pending, sync::Arc};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, debug, error};

use crate::{
    blocking,
    conversations::Conversations,
    queue::{Outcome, Owner, Queue},
    sessions::{Session, View},
    settings::Settings,
    wire::{Event, Reason, RefreshKind},
};

/// Takes refreshes through the line. Cheap to clone.
#[derive(Clone)]
pub(super) struct Refreshes {
    queue: Queue,
    conversations: Conversations,
    settings: watch::Receiver<Arc<Settings>>,
    tasks: TaskTracker,
}

impl Refreshes {
    /// Refreshes that wait in `queue`, perhaps in one line with `conversations`; their tasks belong to `tasks`.
    pub(super) const fn new(
        queue: Queue,
        conversations: Conversations,
        settings: watch::Receiver<Arc<Settings>>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            queue,
            conversations,
            settings,
            tasks,
        }
    }

    /// Asks for a refresh; `make` makes what the tab shows, on the async threads where it is quick. A second one of the same tab's, while the first
    /// is under way, is the same. What comes of it, a refusal too, goes to the session's feeds.
    pub(super) fn ask(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        kind: RefreshKind,
        is_quick: bool,
        make: impl FnOnce() -> View + Send + 'static,
    ) {
        session.presence().touch();
        let Some(claim) = session.claim_refresh(kind) else {
            return;
        };
        let event = match kind {
            RefreshKind::Stats => Event::StatsRefresh,
            RefreshKind::Logs => Event::LogsRefresh,
        };
        let (session, settings) = (Arc::clone(session), self.settings.clone());
        let (queue, conversations) = (self.queue.clone(), self.conversations.clone());
        let span = crate::logs::session_span(session.id());
        let work = async move {
            let mut place = match session.join(&queue, owner, event).await {
                Ok(place) => place,
                Err(why) => {
                    drop(claim);
                    session.tell(kind, Err(why.into()));
                    return;
                }
            };
            let patience = || settings.borrow().abandon_after;
            let answer = match place.admitted(patience, pending()).await {
                Ok(permit) => {
                    let made = blocking::run(is_quick, make).await;
                    let outcome = if made.is_ok() { Outcome::Done } else { Outcome::Failed };
                    permit.finish(outcome);
                    made.map_err(|fault| {
                        error!(fault, %event, "a refresh failed");
                        Reason::RefreshFailed
                    })
                }
                Err(left) => {
                    debug!(?left, %event, "refresh left the line");
                    conversations.moved_up(owner).await;
                    Err(Reason::RefreshLeft)
                }
            };
            // Given back before the page hears of it: it may ask again in the same instant.
            drop((claim, place));
            session.tell(kind, answer);
        };
        self.tasks.spawn(work.instrument(span));
    }
}

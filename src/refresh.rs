//! Refreshes: the figures of the stats tab and the records of the logs tab, made when the line lets them start.
//!
//! A refresh answers over the feed instead of holding its request open: a browser has six connections to a host,
//! and seven tabs that wait for their turn would leave none for anything else.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, debug};

use crate::{
    queue::{Left, Outcome, Queue},
    sessions::Session,
    settings::Settings,
    status, turns,
    wire::{Event, FeedMessage, RefreshKind},
};

/// Longest time that making the figures may take before its slot is freed all the same.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Takes refreshes through the line. Cheap to clone.
#[derive(Clone)]
pub struct Refreshes {
    queue: Queue,
    settings: watch::Receiver<Arc<Settings>>,
    tasks: TaskTracker,
}

impl Refreshes {
    /// Refreshes that wait in `queue`; their tasks belong to `tasks`.
    #[must_use]
    pub const fn new(queue: Queue, settings: watch::Receiver<Arc<Settings>>, tasks: TaskTracker) -> Self {
        Self { queue, settings, tasks }
    }

    /// Asks for a refresh; `make` makes what the tab shows. A second one of the same tab's, while the first is under
    /// way, is the same. What comes of it, a refusal too, goes to the session's feeds.
    pub fn ask<F>(&self, session: &Arc<Session>, kind: RefreshKind, make: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = FeedMessage> + Send + 'static,
    {
        session.presence().touch();
        let Some(claim) = session.claim_refresh(kind) else {
            return;
        };
        let event = match kind {
            RefreshKind::Stats => Event::StatsRefresh,
            RefreshKind::Logs => Event::LogsRefresh,
        };
        let refused = move |message: &str| FeedMessage::RefreshRefused {
            refresh: kind,
            message: message.into(),
        };
        let mut ticket = match self
            .queue
            .join(status::index(event), session.id().owner(), Instant::now())
        {
            Ok(ticket) => ticket,
            Err(why) => {
                drop(claim);
                session.tell(refused(turns::refusal(why)));
                return;
            }
        };
        let registered = session.register(ticket.id(), event, None);
        let (session, settings) = (Arc::clone(session), self.settings.clone());
        let span = crate::logs::session_span(session.id());
        let work = async move {
            let admitted = tokio::select! {
                admitted = ticket.admitted() => admitted,
                // Nobody looks at the tab any more; dropping the ticket leaves the line.
                () = session.presence().gone(|| settings.borrow().abandon_after) => Err(Left::Abandoned),
            };
            let message = match admitted {
                Ok(permit) => match tokio::time::timeout(TIMEOUT, make()).await {
                    Ok(made) => {
                        permit.finish(Outcome::Done);
                        made
                    }
                    Err(_) => {
                        permit.finish(Outcome::Expired);
                        refused("Refreshing took too long. It will be tried again.")
                    }
                },
                Err(left) => {
                    debug!(?left, %event, "refresh left the line");
                    refused("This refresh had to leave the line. It will be tried again.")
                }
            };
            // Given back before the page hears of it: it may ask again in the same instant.
            drop((claim, registered));
            session.tell(message);
        };
        self.tasks.spawn(work.instrument(span));
    }
}

//! Requests that outlive their programs: somebody keeps them, hears of their start and stores their end.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::futures::Notified;
use uuid::Uuid;

use super::{Done, ProgramFault, Programs, Request, Source, job::Job, task::Task};
use crate::{
    queue::{OrderKey, Owner, PoolIndex, Standing, Ticket, TicketId},
    settings::ModelName,
};

/// Who keeps a request.
#[async_trait]
pub(crate) trait Keeper: Send + Sync + 'static {
    /// It has a place in the line: whoever asks for one from here on stands behind it.
    fn lined_up(&self);
    /// It has a slot and is being asked, beside which this runs: it may be dropped when the answer is there first. Called again where it has a slot
    /// again; `round` is another one where it has begun anew.
    async fn started(&self, round: u32);
    /// It is over so, after this. Called once; nobody who follows it by what [`Programs::keep`] returns hears of the end before this returns.
    /// `gives_slot`: polled once before its slot is given back.
    async fn over(&self, how: &Result<Done, ProgramFault>, said: Said, gives_slot: bool);
}

/// What has been said of an answer until its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The events of it.
    pub(crate) events: Vec<Bytes>,
    /// Where it comes from, if it was not made for the request itself.
    pub(crate) source: Option<Source>,
}

/// A request that is kept, as whoever keeps it sees it. Cheap to clone; dropping it changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Kept(Arc<Job>);

/// How a request is at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// See [`Keeper::started`].
    pub(crate) round: u32,
    /// Whether it has a slot.
    pub(crate) has_slot: bool,
    /// The events that were asked for.
    pub(crate) events: Vec<Bytes>,
    /// The number of the first of them, in their round.
    pub(crate) from: usize,
    /// Whether it is over here.
    pub(crate) over: bool,
}

impl Kept {
    /// Ends it: out of the line at once, or stopped.
    pub(crate) fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it has a slot.
    pub(crate) fn has_slot(&self) -> bool {
        self.0.has_slot()
    }

    /// Whether both are one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where it stands; `None`: it does not wait.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.0.standing()
    }

    /// Its ticket, for as long as it is not over; `None`: it has none yet.
    pub(crate) fn ticket(&self) -> Option<TicketId> {
        self.0.ticket()
    }

    /// Where it stood in the order when it was placed, where that is known.
    pub(crate) fn key(&self) -> Option<OrderKey> {
        self.0.key()
    }

    /// How it is, with the events that come after the first `from` of that round; all of them where it is another one by now.
    pub(crate) fn look(&self, round: u32, from: usize) -> Look {
        self.0.look(round, from)
    }

    /// Hears of the next change from the moment on at which it is enabled or polled.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.changed()
    }
}

impl Programs {
    /// Takes a request through that is kept under this id, which its ticket names; `ticket` is the one that it has already. It is on its way for as
    /// long as the future is polled; dropped before its end, it leaves the line or frees its slot.
    pub(crate) fn keep(
        &self,
        (id, owner): (Uuid, Owner),
        request: Request,
        (model, pool): (ModelName, PoolIndex),
        ticket: Option<Ticket>,
        keeper: Arc<dyn Keeper>,
    ) -> (Kept, impl Future<Output = Result<Done, ProgramFault>> + Send + use<>) {
        let job = Job::kept(id, owner, request.streams, self.deps.queue.clone());
        let likeness = request.likeness(owner, &model, &self.deps.settings.borrow());
        let task = Task::new(self.clone(), Arc::clone(&job), request, model, pool).alike(likeness);
        let task = task.kept_by(keeper, ticket);
        (Kept(job), task.run_kept())
    }
}

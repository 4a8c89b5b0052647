//! Programs: one request of a program is one job, without a conversation. It stands in the line of `chat` of its model with the turns of the
//! pages, by the same rules, and is answered in the format that programs speak.
//!
//! - `request`: what is asked, read as far as it is needed; `question`: the same for servers that speak another format; `chunks`: what those
//!   say, in the format of programs.
//! - `job`: one request as those see it who follow it, of whom there may be none for a while; `registry`: all of them, and how a program that asks
//!   again finds its own.
//! - `alike`: answers that are given to more than one request.
//! - `task`: takes one through: in the line, asked, over.
//! - `kept`: one that outlives its program, as whoever keeps it has it taken through (`tasks/`).
//!
//! Of any other request nothing is stored. Whoever asks waits for the answer, so nobody would read one after a restart: what waits is refused then, and
//! the program asks again.

mod alike;
mod charge;
mod chunks;
mod fault;
mod job;
mod kept;
mod question;
mod registry;
mod request;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, error_span, info};
use uuid::Uuid;

use self::{
    alike::Alike,
    job::Job,
    registry::{Found, Registry},
    task::Task,
};
pub use self::{
    alike::Source,
    fault::{ProgramFault, RequestFault},
    job::{Done, Follower, Step},
    registry::Again,
    request::Request,
};
pub(crate) use self::{
    kept::{Keeper, Kept, Said},
    request::{Fields, field, fields},
};
use crate::{
    accounts::{Principal, rates::Rates},
    agents::{AgentFactory, Backends},
    conversations::Conversations,
    logs::session_span,
    queue::{Owner, PoolIndex, Queue, TicketId},
    settings::{ModelName, Settings},
};

/// What programs need of the other rooms.
pub struct Deps {
    /// The line they wait in.
    pub queue: Queue,
    /// Who makes the agents, for servers that speak another format.
    pub agents: Arc<dyn AgentFactory>,
    /// Who answers, and what to do when they fail.
    pub backends: Arc<Backends>,
    /// Who has to hear that tickets of an owner have moved up.
    pub conversations: Conversations,
    /// What owners have used.
    pub rates: Arc<Rates>,
    /// The settings in force.
    pub settings: watch::Receiver<Arc<Settings>>,
}

/// Every request of a program on its way. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Programs {
    deps: Arc<Deps>,
    registry: Arc<Registry>,
    alike: Arc<Alike>,
    tasks: TaskTracker,
    /// Cancelled when what still runs has to stop, at the end of the grace.
    stop: CancellationToken,
}

impl Programs {
    /// No requests yet.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self {
            deps: Arc::new(deps),
            registry: Arc::default(),
            alike: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Takes a request on, or finds the one that it repeats. What comes of it is the follower's to hear; when the last follower is dropped, the
    /// request is given up, unless its program has said that it may ask again.
    ///
    /// `again`: how it may be repeated, or repeats another; `None`: not at all.
    ///
    /// # Errors
    /// [`RequestFault`]: it has the key of another one and is not the same.
    pub fn ask(
        &self,
        who: Principal,
        request: Request,
        (model, pool): (ModelName, PoolIndex),
        again: Option<Again>,
    ) -> Result<Follower, RequestFault> {
        let owner = who.owner();
        let abandon_after = self.deps.settings.borrow().abandon_after;
        let new = |again| Job::new(Uuid::now_v7(), owner, request.streams, again, self.deps.queue.clone());
        let (job, follower) = match self.registry.find_or_enter(owner, again, abandon_after, new) {
            Found::Known(follower) => return Ok(follower),
            Found::OtherBody => return Err(RequestFault::other_body()),
            Found::New(job, follower) => (job, follower),
        };
        if let Some(address) = who.address {
            self.deps.rates.note_payer((job.id(), owner), address);
        }
        let span = session_span(who.session).in_scope(|| error_span!("request", id = %job.id()));
        let likeness = request.likeness(owner, &model, &self.deps.settings.borrow());
        if let Some(answer) = likeness
            .filter(|_| !request.fresh)
            .and_then(|key| self.kept_answer(&key))
        {
            self.deps.conversations.kept_answers().count_hit();
            let done = Done {
                last: answer.last.clone(),
                usage: answer.usage,
            };
            job.give(&answer.events);
            job.over(Ok(done));
            self.registry.over(&job);
            span.in_scope(|| info!("request is given a kept answer"));
            return Ok(follower);
        }
        if likeness.is_some() {
            self.deps.conversations.kept_answers().count_miss();
        }
        let task = Task::new(self.clone(), job, request, model, pool).alike(likeness);
        // Not where it waits for the end of the site: then its place in the line is closed, and it ends.
        self.tasks.spawn(task.run().instrument(span));
        Ok(follower)
    }

    /// A request of theirs that is on its way, or whose answer is kept; followed from its beginning. `None`: there is none of this id (any more), or
    /// it has failed.
    #[must_use]
    pub fn find(&self, who: Principal, id: Uuid) -> Option<Follower> {
        self.registry.find(who.owner(), id)
    }

    /// Ends a request of theirs: out of the line at once, or stopped. `false`: none of this id waits or runs.
    #[must_use]
    pub fn cancel(&self, who: Principal, id: Uuid) -> bool {
        let job = self.registry.job(who.owner(), id).filter(|job| !job.is_over());
        let Some(job) = job else { return false };
        job.cancel();
        if job.is_dismissed() {
            self.registry.forget(&job);
        }
        true
    }

    /// The tickets of their requests that are on their way, each with the request's id.
    #[must_use]
    pub fn tickets(&self, who: Principal) -> Vec<(Uuid, TicketId)> {
        let jobs = self.registry.all(who.owner());
        let on_their_way = jobs.iter().filter_map(|job| Some((job.id(), job.ticket()?)));
        on_their_way.collect()
    }

    /// Ends all requests of an owner, and forgets their answers.
    pub fn forget(&self, owner: Owner) {
        for job in self.registry.take_all(owner) {
            job.cancel();
        }
    }

    /// Forgets answers that nobody has asked for again for too long.
    pub fn sweep(&self) {
        self.registry.sweep(self.deps.settings.borrow().abandon_after);
    }

    /// How many requests wait or run.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until every request's task has ended. The queue has to be closed before, or more may come.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stops what runs: for the end of the grace at shutdown.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

//! Requests of programs, as one principal may ask them: who may, at which model, and which of them are theirs.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Client, ClientError};
use crate::{
    accounts::Scope,
    agents::Offered,
    conversations::ChoiceError,
    engine::Engine,
    jobs,
    programs::{Again, Follower, ProgramFault, Request, Source, Step},
    queue::{LeaveReason, PoolIndex, Standing, TicketId},
    sessions::status,
    settings::ModelName,
    tasks::Behind,
    wire::{Event, Place},
};

/// When somebody may be let into a line of which there is no estimate yet.
const UNKNOWN: Duration = Duration::from_secs(5);

/// A request of theirs, as they follow it. Dropped, they follow it no more; the last one who does so gives it up, unless its program may come back.
pub struct Asked {
    follower: Follower,
    engine: Arc<Engine>,
    /// Where its model is; `None`: it was on its way before it was asked for again.
    pool: Option<PoolIndex>,
}

impl Asked {
    /// The request's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.follower.id()
    }

    /// Where it stands; `None`: it does not wait.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.follower.standing()
    }

    /// Where its answer comes from, if it is not made for it.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.follower.source()
    }

    /// See [`Follower::heed_no_start`].
    pub fn heed_no_start(&mut self) {
        self.follower.heed_no_start();
    }

    /// What happens next. After [`Step::Over`] nothing does, and this never returns. Cancel-safe.
    pub async fn next(&mut self) -> Step {
        self.follower.next().await
    }

    /// When somebody may be let into its line, for one that has come to this there; `None`: that is not what it has come to.
    #[must_use]
    pub fn retry_after(&self, fault: &ProgramFault) -> Option<Duration> {
        let is_lines = matches!(
            fault,
            ProgramFault::Line(_) | ProgramFault::Left(LeaveReason::Expired | LeaveReason::Closed, _)
        );
        let pool = self.pool.filter(|_| is_lines)?;
        let estimate = self.engine.queue().line_of(jobs::work(Some(pool), None)).estimate;
        Some(estimate.map_or(UNKNOWN, |range| range.low))
    }
}

impl Client {
    /// The models that programs may ask, the default one first.
    #[must_use]
    pub fn offered(&self) -> Vec<Offered> {
        self.engine.backends().models()
    }

    /// The model that answers where none is named.
    #[must_use]
    pub fn default_model(&self) -> ModelName {
        self.engine.backends().default_model()
    }

    /// The one that is called so: by its id, or by its name where only one place has it; `None`: the default one.
    ///
    /// # Errors
    /// [`ClientError::Choice`]: it is not offered.
    pub fn offer(&self, called: Option<&str>) -> Result<Offered, ClientError> {
        let default = self.default_model().to_string();
        let called = called.unwrap_or(&default);
        let (name, _) = self.model(called)?;
        let offered = self.offered().into_iter().find(|offered| offered.name == name);
        offered.ok_or_else(|| not_offered(called))
    }

    /// What the servers of a model call the longest answer, in the format that programs speak.
    #[must_use]
    pub fn longest_answer(&self, model: &ModelName) -> &'static str {
        let backends = self.engine.backends();
        let is_openais = backends.pool(model).is_some_and(|pool| backends.is_openais_own(pool));
        if is_openais {
            "max_completion_tokens"
        } else {
            "max_tokens"
        }
    }

    /// Takes a request into the line of its model, or finds the one of theirs that it repeats. `again`: how it may be repeated, or repeats another;
    /// `None`: not at all.
    ///
    /// # Errors
    /// [`ClientError::MayNot`], [`ClientError::Choice`] where its model is not offered, and [`ClientError::Request`] where the servers of that cannot
    /// honour it, or its name is another's.
    pub fn ask(&self, request: Request, again: Option<Again>) -> Result<Asked, ClientError> {
        self.may(Scope::Chat)?;
        let (model, pool) = self.model(&request.called)?;
        if !self.engine.backends().all_relay(pool, request.door) {
            // What its servers cannot honour is better said now than after a wait.
            request.question()?;
        }
        Ok(Asked {
            follower: self.engine.programs().ask(self.who, request, (model, pool), again)?,
            engine: Arc::clone(&self.engine),
            pool: Some(pool),
        })
    }

    /// A request of theirs that is on its way, or whose answer is kept, from its beginning. `None`: there is none of this id (any more), or it has failed.
    #[must_use]
    pub fn request(&self, id: Uuid) -> Option<Asked> {
        Some(Asked {
            follower: self.engine.programs().find(self.who, id)?,
            engine: Arc::clone(&self.engine),
            pool: None,
        })
    }

    /// Ends a request of theirs: out of the line at once, or stopped. `false`: none of this id waits or runs.
    #[must_use]
    pub fn cancel_request(&self, id: Uuid) -> bool {
        self.engine.programs().cancel(self.who, id)
    }

    /// The requests of theirs that wait, each with its id and its place.
    #[must_use]
    pub fn requests(&self) -> Vec<(Uuid, Place)> {
        self.places(self.engine.programs().tickets(self.who))
    }

    /// The tasks of theirs that wait in the line, likewise; and how many are not in it yet.
    #[must_use]
    pub fn waiting_tasks(&self) -> (Vec<(Uuid, Place)>, Behind) {
        let (tickets, behind) = self.engine.tasks().tickets(self.owner());
        (self.places(tickets), behind)
    }

    /// Where these stand that wait.
    fn places(&self, tickets: Vec<(Uuid, TicketId)>) -> Vec<(Uuid, Place)> {
        let (queue, backends) = (self.engine.queue(), self.engine.backends());
        let place = |ticket| status::place(queue, backends, ticket, Event::Chat, None);
        let placed = tickets
            .into_iter()
            .filter_map(|(id, ticket)| Some((id, place(ticket)?)));
        placed.collect()
    }

    /// Whether their key lets them do this.
    ///
    /// # Errors
    /// [`ClientError::MayNot`].
    pub fn may(&self, scope: Scope) -> Result<(), ClientError> {
        self.who.may(scope).then_some(()).ok_or(ClientError::MayNot(scope))
    }

    fn model(&self, called: &str) -> Result<(ModelName, PoolIndex), ClientError> {
        let found = self.engine.backends().find(called);
        found.ok_or_else(|| not_offered(called))
    }
}

fn not_offered(called: &str) -> ClientError {
    ChoiceError::NotOffered(called.to_owned()).into()
}

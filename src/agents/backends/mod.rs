//! Every back end there is: which models they have, which of them are in service, and what to do when one fails.
//!
//! - `directory`: names become places in the queue's policy, and keep them; replaced as a whole when the settings are edited.
//! - `known`: what is known of one back end while the process runs, whatever is edited; `breaker`, `auto` and `meter` are its parts.
//! - `asking`: one attempt, from its beginning to what it teaches; `tokens` makes its question fit, `toolless` says which models take no tools.
//! - `verdict`: what becomes of a ticket whose attempt has failed; `waiting`: of one that waits while nothing is in service.
//! - `shared`: what nodes that keep one queue tell each other of how back ends are.
//! - `keeper`: what happens by itself: pauses end, servers are asked for their models.
//!
//! How many tickets a back end may have for now (none while it cools, one to see whether it works again, as many as have been found
//! out) is told to the queue at once, within the call that brings it about. So a ticket that goes back into its line because its back end
//! has failed cannot start there again.
//!
//! # How it is used
//!
//! At the start, and with each edit of the settings:
//!
//! ```text
//! let backends = Arc::new(Backends::new(&settings)?);
//! let queue = Queue::new(backends.fill(settings.policy.clone()), observer);
//! backends.govern({ let queue = queue.clone(); move |backend, cap| queue.throttle(backend, cap) });   // or govern_shared
//! tasks.spawn({ let backends = backends.clone(); async move { backends.keep(closing).await } });
//!
//! backends.retune(&settings)?;                                     // an edit; an error changes nothing
//!
//! // After each of these, and whenever `changes()` tells of another shape:
//! queue.retune(backends.fill(policy.clone()));
//! if backends.settle() {                                           // new ones with `limit = "auto"` have their caps now
//!     queue.retune(backends.fill(policy));
//! }
//! ```
//!
//! For one turn. The agent of [`factory`](crate::agents::factory()) makes one attempt a call, and what comes of it is known here before the call
//! returns; so the slot is to be given back after that, not before:
//!
//! ```text
//! let mut tries = Tries::new();                                    // as the turn joins the line
//! let pool = backends.pool(&model).ok_or(Reason::ModelGone)?;
//! let mut ticket = queue.join(Work { event, pool: Some(pool), prefers }, owner, joined)?;
//! loop {
//!     let permit = select! {
//!         permit = ticket.admitted() => permit?,
//!         reason = backends.gave_up(pool, &tries) => { ticket.leave(); return Failed(reason) }
//!     };
//!     let backend = permit.backend();
//!     let question = Question { messages, model, backend, parameters, tools };
//!     let Err(error) = agent.answer(question, parts, cancel).await else { return Done };
//!     let pause = match backends.verdict(&model, backend, &error, shown, &mut tries) {
//!         Verdict::Final => return Failed(error.reason()),
//!         Verdict::Again { pause } | Verdict::Elsewhere { pause } => pause,
//!         Verdict::Wait => Duration::ZERO,
//!         Verdict::Fallback { model, pool } => …                    // start_back, then change_pool; the answer says so
//!     };
//!     ticket = permit.start_back_after(pause);                      // the slot is others' meanwhile
//! }
//! ```
//!
//! `shown` is whether there was any text or reasoning. While the ticket waits, [`Backends::trouble`] says why nothing starts, and
//! [`Backends::instead_of`] names the model that answers in place of one that is out of service.

mod asking;
mod auto;
mod breaker;
mod directory;
mod keeper;
mod known;
mod meter;
mod shared;
#[cfg(test)]
mod tests;
mod tokens;
mod toolless;
mod verdict;
mod view;
mod waiting;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

pub(super) use self::asking::Asking;
use self::{
    directory::{Backend, Directory},
    known::{Known, Told},
};
pub use self::{
    meter::{Consumption, Durations, Spread},
    verdict::{Tries, Verdict},
    view::{BackendFigures, Figures, Health, ModelFigures, Offered},
    waiting::Trouble,
};
use super::FactoryError;
use crate::{
    queue::{BackendIndex, Policy, PoolIndex, Queue, Throttle},
    settings::{ModelName, Settings},
};

/// Lets a back end have this for now, as far as what was heard of it last (by its number, where several nodes keep the queue) is still so.
type Governor = dyn Fn(BackendIndex, Throttle, u64) + Send + Sync;

/// What the settings say beside the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    /// Longest silence of a server.
    stall: Duration,
    /// How often a request is made again.
    retries: u32,
    /// How long a ticket waits for a pool that is out of service; `None`: for ever.
    outage: Option<Duration>,
}

impl Bounds {
    fn of(settings: &Settings) -> Self {
        Self {
            stall: settings.model_stall_timeout,
            retries: settings.model_retries,
            outage: settings.model_outage_wait,
        }
    }
}

/// How often something has changed, of what others have to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// Models, pools and back ends: the queue's policy is to be filled anew, and pages offer other models.
    pub shape: u64,
    /// Which back ends are in service: pages tell of another trouble, or of none.
    pub service: u64,
}

/// All back ends; `backends/mod.rs` says how it is used. None of its methods blocks or awaits, but those that say so.
pub struct Backends {
    directory: Mutex<Arc<Directory>>,
    /// Held while another directory is made.
    making: Mutex<()>,
    /// Held while the queue is told, so that the latest it hears is the latest there is.
    governor: Mutex<Option<Box<Governor>>>,
    /// The queue, where several nodes keep it.
    shared: OnceLock<Queue>,
    revision: watch::Sender<Revision>,
    /// A pause has begun or ended.
    woken: Notify,
    /// The settings were edited.
    retuned: Notify,
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backends").finish_non_exhaustive()
    }
}

impl Backends {
    /// The back ends of the settings. Nothing is asked of them yet.
    ///
    /// # Errors
    /// [`FactoryError`], for the operator.
    pub fn new(settings: &Settings) -> Result<Self, FactoryError> {
        let directory = Directory::new(None, &settings.catalog, Bounds::of(settings))?;
        Ok(Self {
            directory: Mutex::new(Arc::new(directory)),
            making: Mutex::default(),
            governor: Mutex::new(None),
            shared: OnceLock::new(),
            revision: watch::Sender::default(),
            woken: Notify::new(),
            retuned: Notify::new(),
        })
    }

    /// Takes edited settings over, at once and all together. Back ends and pools keep their places and what is known of them; requests under
    /// way go on with what they began with. Then the queue's policy is to be filled anew.
    ///
    /// # Errors
    /// [`FactoryError`], for the operator; nothing has changed then.
    pub fn retune(&self, settings: &Settings) -> Result<(), FactoryError> {
        let bounds = Bounds::of(settings);
        self.replace(|last| Directory::new(Some(last), &settings.catalog, bounds))?;
        for backend in self.directory().backends() {
            lock(&backend.known).toolless.forget();
        }
        // Others may be there to be asked for their models.
        self.retuned.notify_one();
        Ok(())
    }

    /// Puts another directory in the place of the last one.
    fn replace(&self, make: impl FnOnce(&Directory) -> Result<Directory, FactoryError>) -> Result<(), FactoryError> {
        {
            let _making = lock(&self.making);
            let last = self.directory();
            let next = make(&last)?;
            next.renew_changed(&last);
            self.give_up(last.backends().filter(|backend| next.backend(backend.index).is_none()));
            *lock(&self.directory) = Arc::new(next);
        }
        self.revision.send_modify(|revision| revision.shape += 1);
        Ok(())
    }

    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&lock(&self.directory))
    }

    /// Names who is told how many tickets each back end may have for now: a queue that has been given their policy already, and that this process
    /// keeps alone. See also [`Backends::govern_shared`].
    pub fn govern(&self, throttle: impl Fn(BackendIndex, Option<usize>) + Send + Sync + 'static) {
        *lock(&self.governor) = Some(Box::new(move |backend, news: Throttle, _| {
            throttle(backend, news.cap());
        }));
        self.settle();
    }

    /// To be called when the queue has been given a policy of [`Backends::fill`]: tells it of back ends that it has not known before. `true`: its
    /// policy is to be filled anew, for it has left out some that may not have all they like.
    pub fn settle(&self) -> bool {
        let directory = self.directory();
        let mut withheld = false;
        for backend in directory.backends() {
            withheld |= backend.is_withheld();
            let is_new = {
                let mut known = lock(&backend.known);
                known.settled = true;
                known.heard.is_none()
            };
            match self.shared.get() {
                None => self.tell(backend.index, Instant::now()),
                // It is heard first what others say.
                Some(queue) if is_new => queue.repeat_throttle(backend.index),
                Some(_) => self.tell(backend.index, Instant::now()),
            }
        }
        withheld && directory.backends().all(|backend| !backend.is_withheld())
    }

    /// A policy with the pools and back ends of now.
    #[must_use]
    pub fn fill(&self, policy: Policy) -> Policy {
        self.directory().fill(policy)
    }

    /// Hears of changes from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    /// The model that a new conversation starts with.
    #[must_use]
    pub fn default_model(&self) -> ModelName {
        self.directory().catalog.default.clone()
    }

    /// The pool of a model; `None`: it is not offered (any more), nor is it the fallback.
    #[must_use]
    pub fn pool(&self, model: &ModelName) -> Option<PoolIndex> {
        self.directory().pool_of(model)
    }

    /// The place of a model's pool, also of one that is gone; `None`: there has been none since the start.
    #[must_use]
    pub fn place_of(&self, model: &ModelName) -> Option<PoolIndex> {
        self.directory().place_of_model(model)
    }

    /// The model of a pool, and whether people may choose it.
    #[must_use]
    pub fn model_of(&self, pool: PoolIndex) -> Option<(ModelName, bool)> {
        let directory = self.directory();
        let pool = directory.pool(pool)?;
        Some((pool.settings.name.clone(), pool.offered))
    }

    /// Gives models a pool that may have gone: turns that wait for them can wait until another one is chosen. The queue's policy is to be
    /// filled anew then.
    ///
    /// # Errors
    /// [`FactoryError`]; nothing has changed then.
    pub fn keep_places_for(&self, models: Vec<ModelName>) -> Result<(), FactoryError> {
        if models.iter().all(|model| self.place_of(model).is_some()) {
            return Ok(());
        }
        self.replace(|last| last.with_places_for(models))
    }

    /// Tells the queue, and those who hear of changes, how a back end is now, if that is news.
    fn tell(&self, at: BackendIndex, now: Instant) {
        let directory = self.directory();
        // One that is gone gets nothing anyway.
        let Some(backend) = directory.backend(at) else { return };
        let (news, told) = {
            let known = lock(&backend.known);
            (self.news(backend, &known, now), known.told)
        };
        if news != told {
            let governor = lock(&self.governor);
            // Of two who come here at once, the second tells what is right after both.
            self.tell_news(governor.as_deref(), backend, now);
        }
    }

    fn news(&self, backend: &Backend, known: &Known, now: Instant) -> Told {
        known.news(backend.is_auto(), self.shared.get().is_some(), now)
    }

    /// To be called with the governor locked.
    fn tell_news(&self, governor: Option<&Governor>, backend: &Backend, now: Instant) {
        let shared = self.shared.get().is_some();
        let (before, after, heard) = {
            let mut known = lock(&backend.known);
            let before = known.told;
            known.told = self.news(backend, &known, now);
            // Where several nodes keep the queue, each first hears how it is.
            let silent = if shared { known.heard.is_none() } else { !known.settled };
            if governor.is_none() || silent {
                known.told.throttle = None;
            }
            (before, known.told, known.heard)
        };
        // One queue alone goes by the number only.
        let same = |before: Throttle, after: Throttle| before == after || !shared && before.cap() == after.cap();
        if let (Some(governor), Some(throttle)) = (governor, after.throttle)
            && !before.throttle.is_some_and(|before| same(before, throttle))
        {
            governor(backend.index, throttle, heard.map_or(0, |heard| heard.set));
        }
        if before.out != after.out || before.until != after.until {
            self.revision.send_modify(|revision| revision.service += 1);
        }
        if before.until != after.until {
            self.woken.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

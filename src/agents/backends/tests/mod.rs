//! Back ends as a whole: in paused time where nothing is asked, over real HTTP where something is.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod auto;
mod directory;
mod discovery;
mod failover;
mod figures;
mod heard;
mod length;
mod nodes;
mod service;
mod together;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    agents::{
        AgentError, Answered, Question,
        tests::{Talker, ask, question, talker},
    },
    queue::{Balance, EventIndex, EventPolicy, Owner, Queue, Work},
    settings::{BackendLimit, BackendSettings, Catalog, Loaded, ModelSettings, Provider},
    wire::Reason,
};

/// `m@gpu`, for a name at a place.
fn model(id: &str) -> ModelName {
    let (name, place) = id.rsplit_once('@').unwrap();
    ModelName {
        name: name.to_owned(),
        place: place.to_owned(),
    }
}

/// A back end of the pool `gpu`, with the model `m` and two slots.
fn backend(name: &str, address: &str) -> BackendSettings {
    BackendSettings {
        name: name.to_owned(),
        pool: "gpu".to_owned(),
        provider: Provider::OpenAi,
        address: Some(address.to_owned()),
        origin: format!("backends.toml, {name}"),
        key: None,
        models: Some(vec!["m".to_owned()]),
        limit: BackendLimit::Slots(Some(2)),
        weight: 1,
        vision: None,
        tools: None,
        context: None,
        drain: false,
    }
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// Offers these models, the first of them as the default.
fn catalog(backends: Vec<BackendSettings>, models: &[&str]) -> Catalog {
    Catalog {
        backends,
        models: models.iter().map(|id| ModelSettings::new(model(id))).collect(),
        asked: Vec::new(),
        described: Vec::new(),
        default: model(models[0]),
        fallback: None,
        balance: Balance::RoundRobin,
    }
}

fn loaded(catalog: Catalog) -> Loaded {
    let mut loaded = Settings::load([], None).unwrap();
    loaded.settings.catalog = Arc::new(catalog);
    loaded
}

fn settings(catalog: Catalog) -> Settings {
    loaded(catalog).settings
}

/// Two back ends of one model.
fn pair() -> Catalog {
    catalog(vec![backend("one", NOWHERE), backend("two", NOWHERE)], &["m@gpu"])
}

const ONE: BackendIndex = BackendIndex(0);
const TWO: BackendIndex = BackendIndex(1);

/// Nothing but the back ends bounds what runs.
fn no_policy() -> Policy {
    Policy::new([EventPolicy {
        limit: None,
        pooled: true,
        ..EventPolicy::new("chat", 1)
    }])
}

/// What the queue has been told of each back end.
type Caps = Arc<Mutex<HashMap<BackendIndex, Option<usize>>>>;

/// Back ends whose caps are written down.
fn governed(backends: &Backends) -> Caps {
    let caps = Caps::default();
    let told = Arc::clone(&caps);
    backends.govern(move |backend, cap| {
        told.lock().unwrap().insert(backend, cap);
    });
    caps
}

fn cap(caps: &Caps, backend: BackendIndex) -> Option<usize> {
    caps.lock().unwrap()[&backend]
}

fn asks(backend: BackendIndex) -> Question {
    Question {
        model: model("m@gpu"),
        backend,
        ..question("q")
    }
}

/// An attempt that fails with this error.
fn fail(backends: &Backends, backend: BackendIndex, error: &AgentError) {
    let asking = backends.begin(&mut asks(backend)).unwrap();
    asking.failed(error, "as the test says");
}

/// One that is answered.
fn answer(backends: &Backends, backend: BackendIndex) {
    let asking = backends.begin(&mut asks(backend)).unwrap();
    asking.shown();
    asking.answered(Answered::default());
}

const REFUSED: AgentError = AgentError::Unreachable;
const FAULT: AgentError = AgentError::ServerFault { status: 500 };

const fn busy(retry_after: Option<Duration>) -> AgentError {
    AgentError::RateLimited { retry_after }
}

/// Turns that wait in a line, as a caller takes them through.
#[derive(Clone)]
struct Site {
    talker: Talker,
    queue: Queue,
}

/// How a turn ended, and where its attempts went.
type Ended = (Result<String, AgentError>, Vec<String>);

impl Site {
    fn start(loaded: Loaded) -> Self {
        let talker = talker(loaded).unwrap();
        let backends = &talker.backends;
        let queue = Queue::new(backends.fill(no_policy()), Arc::new(()));
        let governed = queue.clone();
        backends.govern(move |backend, cap| governed.throttle(backend, cap));
        queue.retune(backends.fill(no_policy()));
        let backends = Arc::clone(backends);
        tokio::spawn(async move { backends.keep(CancellationToken::new()).await });
        Self { talker, queue }
    }

    fn backends(&self) -> &Backends {
        &self.talker.backends
    }

    /// So many turns at once, each of another owner.
    async fn turns(&self, count: u128, text: &'static str) -> Vec<Ended> {
        let turns = (0..count).map(|owner| {
            let site = self.clone();
            tokio::spawn(async move { site.turn_of(owner, text).await })
        });
        let mut all = Vec::new();
        for turn in turns.collect::<Vec<_>>() {
            all.push(turn.await.unwrap());
        }
        all
    }

    async fn turn(&self, text: &str) -> Ended {
        self.turn_of(0, text).await
    }

    async fn turn_of(&self, owner: u128, text: &str) -> Ended {
        let backends = self.backends();
        let (mut model, mut tries, mut went) = (backends.default_model(), Tries::new(), Vec::new());
        let mut pool = backends.pool(&model).unwrap();
        let work = Work {
            event: EventIndex(0),
            pool: Some(pool),
            prefers: None,
        };
        let mut ticket = self.queue.join(work, Owner(owner), Instant::now()).unwrap();
        loop {
            let permit = tokio::select! {
                permit = ticket.admitted() => permit.unwrap(),
                _ = backends.gave_up(pool, &tries) => return (Err(AgentError::Unreachable), went),
            };
            let backend = permit.backend().unwrap();
            went.push(backends.name_of(backend).unwrap());
            let question = Question {
                model: model.clone(),
                backend,
                ..question(text)
            };
            let (said, outcome) = ask(&self.talker, question).all().await;
            let Err(error) = outcome else { return (Ok(said), went) };
            let pause = match backends.verdict(&model, backend, &error, !said.is_empty(), &mut tries) {
                Verdict::Final => return (Err(error), went),
                Verdict::Again { pause } | Verdict::Elsewhere { pause } => pause,
                Verdict::Wait => Duration::ZERO,
                Verdict::Fallback {
                    model: instead,
                    pool: other,
                } => {
                    (model, pool) = (instead, other);
                    Duration::ZERO
                }
            };
            ticket = permit.start_back_after(pause);
            self.queue.change_pool(ticket.id(), pool);
        }
    }
}

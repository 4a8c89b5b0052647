//! What all requests to one server share.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    door::Wanted,
    fault::Fault,
    gates::Gates,
    knobs::{Directed, Knobs},
    record::Recorder,
    traits::{Door, Traits},
    values::{Given, KnobError},
};

/// All that can be turned.
#[derive(Clone, Debug)]
pub(crate) struct Turned {
    pub(crate) knobs: Knobs,
    pub(crate) traits: Traits,
}

impl Turned {
    /// Turns one, whosever it is.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
        if self.traits.set(Given { name, value })? {
            return Ok(());
        }
        self.knobs.set(name, value)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut all = self.knobs.to_json();
        if let (Value::Object(all), Value::Object(own)) = (&mut all, self.traits.to_json()) {
            all.extend(own);
        }
        all
    }
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    /// As it was at the start.
    first: Turned,
    state: Mutex<State>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) gates: Gates,
    pub(crate) stop: CancellationToken,
    pub(crate) door: watch::Sender<Wanted>,
    /// The number of what the door was told and is.
    pub(crate) obeyed: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    turned: Turned,
    /// How often a message has met its fault, for `times`.
    met: HashMap<String, u64>,
    /// When the server's fault was turned.
    since: Instant,
    /// Requests since then.
    asked: u64,
}

impl State {
    fn new(turned: Turned) -> Self {
        Self {
            turned,
            met: HashMap::new(),
            since: Instant::now(),
            asked: 0,
        }
    }

    /// Whether the server's own fault is on for the next request.
    fn is_on(&self) -> bool {
        self.turned.traits.spell.is_on(self.asked + 1, self.since.elapsed())
    }
}

impl Shared {
    pub(crate) fn new(name: String, first: Turned, recorder: Arc<Recorder>) -> Arc<Self> {
        Arc::new(Self {
            name,
            door: watch::Sender::new(Wanted {
                door: first.traits.door,
                number: 1,
            }),
            obeyed: watch::Sender::new(0),
            state: Mutex::new(State::new(first.clone())),
            first,
            recorder,
            gates: Gates::new(),
            stop: CancellationToken::new(),
        })
    }

    pub(crate) fn turned(&self) -> Turned {
        self.lock().turned.clone()
    }

    /// Turns all these knobs, or none.
    pub(crate) fn turn<'a>(&self, changes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Turned, KnobError> {
        let mut state = self.lock();
        let mut changed = state.turned.clone();
        let (mut noted, mut renews_fault, mut lifts_hold) = (Vec::new(), false, false);
        for (name, value) in changes {
            changed.set(name, value)?;
            lifts_hold |= name == "hold";
            renews_fault |= ["fault", "first", "every", "lasts"].contains(&name);
            noted.push(format!("{name}={value}"));
        }
        if renews_fault {
            state.since = Instant::now();
            state.asked = 0;
        }
        // Also of what only its own message has had held.
        if lifts_hold && !changed.knobs.hold {
            self.gates.lift_hold();
        }
        self.tell_door(changed.traits.door);
        state.turned = changed.clone();
        drop(state);
        for what in noted {
            self.recorder.note(what);
        }
        Ok(changed)
    }

    fn tell_door(&self, door: Door) {
        self.door.send_modify(|wanted| {
            *wanted = Wanted {
                door,
                number: wanted.number + 1,
            };
        });
    }

    /// Returns once the door is as it was told to be last.
    ///
    /// # Errors
    /// The server has ended.
    pub(crate) async fn settled(&self) -> io::Result<()> {
        let told = self.door.borrow().number;
        let mut obeyed = self.obeyed.subscribe();
        let settled = async { obeyed.wait_for(|&number| number >= told).await.map(drop) };
        tokio::select! {
            settled = settled => settled.map_err(io::Error::other),
            () = self.stop.cancelled() => Err(io::Error::other("the server has ended")),
        }
    }

    pub(crate) fn hold(&self, hold: bool) {
        self.lock().turned.knobs.hold = hold;
        if !hold {
            self.gates.lift_hold();
        }
    }

    /// The fault that a request with this message meets, which is counted.
    pub(crate) fn fault_of(&self, message: &str, directed: &Directed) -> Option<Fault> {
        let fault = directed.knobs.fault?;
        let mut state = self.lock();
        if !directed.names_fault {
            let is_on = state.is_on();
            state.asked += 1;
            if !is_on {
                return None;
            }
        }
        if let Some(times) = directed.knobs.times {
            let met = state.met.entry(message.to_owned()).or_default();
            *met += 1;
            if *met > times {
                return None;
            }
        }
        Some(fault)
    }

    /// The fault that the next request would meet which does not say otherwise.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let state = self.lock();
        state.turned.knobs.fault.filter(|_| state.is_on())
    }

    /// How often as long everything takes now.
    pub(crate) fn slowness(&self) -> f64 {
        let running = self.recorder.running();
        self.lock().turned.traits.slowness(running)
    }

    pub(crate) fn reset(&self) {
        *self.lock() = State::new(self.first.clone());
        self.tell_door(self.first.traits.door);
        self.gates.reset();
        self.recorder.reset();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A node at work: it is driven by a database and by its callers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, info_span, warn};

use super::{Answer, Ask, Change, Database, Incarnation, Input, Node, Number, Output, Replica, Working};
use crate::queue::{LeaveReason, TicketId, machine::Time};

/// A state to start from is kept every so many entries, by the node that has appended that one.
const EVERY: u64 = 1_000;

/// Longest time in which a node does not look at its clock.
const NAP: Duration = Duration::from_millis(500);

/// What a node is to its process: whoever works, and whoever has asked.
///
/// Called by the one task that drives the node, in the order in which things happen; none of it may wait.
pub trait Hands: Send + 'static {
    /// What has come of a change.
    fn answer(&mut self, ask: Ask, answer: Answer);
    /// Work that is to be begun.
    fn work(&mut self, ticket: TicketId, working: Working);
    /// Work that is to be ended, and its result dropped.
    fn halt(&mut self, ticket: TicketId);
    /// A ticket of this node has left its line without starting.
    fn left(&mut self, ticket: TicketId, reason: LeaveReason);
    /// This node may hold other tickets than before: some may be new to it, and some that it had may be another's. Said before any work on
    /// them is.
    fn passed_on(&mut self, replica: &Replica);
    /// Owners may be at home elsewhere than before.
    fn moved(&mut self);
    /// Back ends may have something else for now than before, or are others. Said before any work at them is, with nothing locked.
    fn throttled(&mut self);
    /// The copy has changed. Called last, once all that comes of a change has been said.
    fn changed(&mut self, replica: &Replica);
    /// The node has been declared gone, or has left. Nothing follows.
    fn over(&mut self);
}

/// How a node stands, as it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footing {
    /// It takes part.
    pub takes_part: bool,
    /// It holds its lease, so it may work.
    pub may_work: bool,
    /// It has been asked to leave.
    pub leaving: bool,
    /// It has been declared gone, or has left.
    pub over: bool,
    /// The last entry of the log that it knows.
    pub applied: Number,
    /// The last entry that it has heard of.
    pub head: Number,
}

/// The way to a node that is driven. When it is dropped, the node ends where it is, as if its process had been killed: to leave well, use
/// [`Driver::leave_now`].
pub struct Driver {
    inputs: mpsc::UnboundedSender<Input>,
    stopping: CancellationToken,
    node: Arc<Mutex<Watched>>,
    footing: watch::Receiver<Footing>,
}

/// A node, for those who look at it while it is driven. Locked for a few steps that neither wait nor call out.
struct Watched {
    node: Node,
    /// When it was last told something that it has applied, by this machine's clock.
    heard: Time,
}

impl Driver {
    /// Starts a node, as a task that ends when it is over. Others reach it at `address`; `None`: it is alone.
    pub fn start(me: Incarnation, address: Option<String>, database: Arc<dyn Database>, hands: impl Hands) -> Self {
        let (inputs, heard) = mpsc::unbounded_channel();
        let stopping = CancellationToken::new();
        let mut out = Vec::new();
        let node = Node::new(me, address, now(), &mut out);
        let (tell, footing) = watch::channel(node.footing(now()));
        let node = Arc::new(Mutex::new(Watched { node, heard: now() }));
        let driving = Driving {
            me,
            node: Arc::clone(&node),
            footing: tell,
            database,
            hands,
            heard,
            requests: JoinSet::new(),
            applied: None,
        };
        let span = info_span!("node", node = ?me);
        tokio::spawn(
            stopping
                .clone()
                .run_until_cancelled_owned(driving.run(out))
                .instrument(span),
        );
        Self {
            inputs,
            stopping,
            node,
            footing,
        }
    }

    /// Shows what the node knows, with the log's time of now; `None`: it knows nothing yet.
    pub fn look<T>(&self, look: impl FnOnce(&Replica, Time) -> T) -> Option<T> {
        let watched = lock(&self.node);
        let replica = watched.node.known()?;
        let passed = now().saturating_since(watched.heard);
        Some(look(replica, replica.at().saturating_add(passed)))
    }

    /// Shows the node, with the time by this machine's clock.
    pub fn view<T>(&self, view: impl FnOnce(&Node, Time) -> T) -> T {
        view(&lock(&self.node).node, now())
    }

    /// How the node stands, and hears when that changes.
    #[must_use]
    pub fn footing(&self) -> watch::Receiver<Footing> {
        self.footing.clone()
    }

    /// Wants a change.
    pub fn ask(&self, ask: Ask, change: Change) {
        self.tell(Input::Ask(ask, change));
    }

    /// Another node is dead for certain.
    pub fn is_dead(&self, node: Incarnation) {
        self.tell(Input::Dead(node));
    }

    /// Says that it is about to leave. What it has goes on, and what comes goes to others.
    pub fn leave(&self) {
        self.tell(Input::Leave);
    }

    /// Leaves at once.
    pub fn leave_now(&self) {
        self.tell(Input::LeaveNow);
    }

    /// A node that is over hears nothing: its hands have been told.
    fn tell(&self, input: Input) {
        let _ = self.inputs.send(input);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

struct Driving<H> {
    me: Incarnation,
    node: Arc<Mutex<Watched>>,
    footing: watch::Sender<Footing>,
    database: Arc<dyn Database>,
    hands: H,
    heard: mpsc::UnboundedReceiver<Input>,
    /// What the database has been asked, which ends with the node.
    requests: JoinSet<Input>,
    applied: Option<Number>,
}

impl<H: Hands> Driving<H> {
    async fn run(mut self, mut out: Vec<Output>) {
        let database = Arc::clone(&self.database);
        let mut told = Box::pin(database.told());
        while self.carry_out(&mut out) {
            // tokio's clock stands still while the machine sleeps: what the sleep has ended is not to go on for long.
            let wake = lock(&self.node).node.wake_at();
            let pause = wake.saturating_since(now()).min(NAP);
            let input = tokio::select! {
                Some(done) = self.requests.join_next() => match done {
                    Ok(input) => input,
                    Err(fault) => {
                        // What it was asked is not known to have been done, and nobody would answer.
                        warn!(%fault, "a request to the database broke off");
                        break;
                    }
                },
                Some(input) = self.heard.recv() => input,
                notice = &mut told => {
                    told = Box::pin(database.told());
                    Input::Told(notice)
                }
                () = sleep(pause) => Input::Woke,
            };
            let mut watched = lock(&self.node);
            let Watched { node, heard } = &mut *watched;
            node.handle(now(), input, &mut out);
            // What has been asked meanwhile goes along.
            while let Ok(input) = self.heard.try_recv() {
                node.handle(now(), input, &mut out);
            }
            if node.replica().map(Replica::applied) != self.applied {
                *heard = now();
            }
            let footing = node.footing(now());
            drop(watched);
            self.footing
                .send_if_modified(|known| std::mem::replace(known, footing) != footing);
        }
        self.footing.send_modify(|footing| footing.over = true);
        self.hands.over();
    }

    /// `false`: it is over.
    fn carry_out(&mut self, out: &mut Vec<Output>) -> bool {
        let me = self.me;
        for output in out.drain(..) {
            let database = Arc::clone(&self.database);
            match output {
                Output::Load => self.request(async move { Input::Loaded(database.load().await) }),
                Output::Read(after) => self.request(async move { Input::Read(after, database.read(after).await) }),
                Output::Append {
                    sequence,
                    changes,
                    unless_heard,
                } => {
                    let changes = changes.into_iter().map(|(_, change)| change).collect();
                    self.request(async move {
                        Input::Appended(sequence, database.append(me, sequence, changes, unless_heard).await)
                    });
                }
                Output::Beat(applied) => {
                    let begun = now();
                    self.request(async move { Input::Beaten(begun, database.beat(me, applied).await) });
                }
                Output::Answer(ask, answer) => self.hands.answer(ask, answer),
                Output::Work(ticket, working) => self.hands.work(ticket, working),
                Output::Halt(ticket) => self.hands.halt(ticket),
                Output::Left(ticket, reason) => self.hands.left(ticket, reason),
                Output::PassedOn => {
                    if let Some(replica) = lock(&self.node).node.replica() {
                        self.hands.passed_on(replica);
                    }
                }
                Output::Moved => self.hands.moved(),
                Output::Throttled => self.hands.throttled(),
                Output::Over => {
                    info!("this node takes part no more");
                    return false;
                }
            }
        }
        self.show_changes();
        true
    }

    /// Tells of a copy that has changed, and has it kept once in a while.
    fn show_changes(&mut self) {
        let watched = lock(&self.node);
        let Some(replica) = watched.node.replica() else { return };
        let applied = Some(replica.applied());
        if applied == self.applied {
            return;
        }
        self.hands.changed(replica);
        let interval = |number: Option<Number>| number.unwrap_or_default().0 / EVERY;
        let due = interval(applied) != interval(self.applied) && replica.last() == Some(self.me);
        let snapshot = due.then(|| replica.snapshot());
        drop(watched);
        self.applied = applied;
        if let Some(snapshot) = snapshot {
            let database = Arc::clone(&self.database);
            self.request(async move {
                database.keep(snapshot).await;
                Input::Woke
            });
        }
    }

    fn request(&mut self, request: impl Future<Output = Input> + Send + 'static) {
        self.requests.spawn(request.in_current_span());
    }
}

fn lock(node: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time since the machine was started, by a clock that goes on while it sleeps.
fn now() -> Time {
    #[cfg(target_os = "linux")]
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Time(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

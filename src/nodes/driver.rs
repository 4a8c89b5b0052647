//! A node at work: it is driven by a database and by its callers.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, info_span, warn};

use super::{Answer, Ask, Change, Database, Incarnation, Input, Node, Number, Output, Replica, Working};
use crate::queue::{TicketId, machine::Time};

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
    /// The copy has changed. What it shows is to be taken from it now.
    fn changed(&mut self, replica: &Replica);
    /// The node has been declared gone, or has left. Nothing follows.
    fn over(&mut self);
}

/// The way to a node that is driven. When it is dropped, the node ends where it is, as if its process had been killed: to leave well, use
/// [`Driver::leave`].
pub struct Driver {
    inputs: mpsc::UnboundedSender<Input>,
    stopping: CancellationToken,
}

impl Driver {
    /// Starts a node, as a task that ends when it is over.
    pub fn start(me: Incarnation, database: Arc<dyn Database>, hands: impl Hands) -> Self {
        let (inputs, heard) = mpsc::unbounded_channel();
        let stopping = CancellationToken::new();
        let driving = Driving {
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
                .run_until_cancelled_owned(driving.run(me))
                .instrument(span),
        );
        Self { inputs, stopping }
    }

    /// Wants a change.
    pub fn ask(&self, ask: Ask, change: Change) {
        self.tell(Input::Ask(ask, change));
    }

    /// Another node is dead for certain.
    pub fn is_dead(&self, node: Incarnation) {
        self.tell(Input::Dead(node));
    }

    /// Leaves when what it works on is over.
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
    database: Arc<dyn Database>,
    hands: H,
    heard: mpsc::UnboundedReceiver<Input>,
    /// What the database has been asked, which ends with the node.
    requests: JoinSet<Input>,
    applied: Option<Number>,
}

impl<H: Hands> Driving<H> {
    async fn run(mut self, me: Incarnation) {
        let mut out = Vec::new();
        let mut node = Node::new(me, now(), &mut out);
        let database = Arc::clone(&self.database);
        let mut told = Box::pin(database.told());
        while self.carry_out(&node, &mut out) {
            // tokio's clock stands still while the machine sleeps: what the sleep has ended is not to go on for long.
            let pause = node.wake_at().saturating_since(now()).min(NAP);
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
            node.handle(now(), input, &mut out);
            // What has been asked meanwhile goes along.
            while let Ok(input) = self.heard.try_recv() {
                node.handle(now(), input, &mut out);
            }
        }
        self.hands.over();
    }

    /// `false`: it is over.
    fn carry_out(&mut self, node: &Node, out: &mut Vec<Output>) -> bool {
        let applied = node.replica().map(Replica::applied);
        if let Some(replica) = node.replica().filter(|_| applied != self.applied) {
            self.hands.changed(replica);
            let interval = |number: Option<Number>| number.unwrap_or_default().0 / EVERY;
            if interval(applied) != interval(self.applied) && replica.last() == Some(node.incarnation()) {
                let (database, snapshot) = (Arc::clone(&self.database), replica.snapshot());
                self.request(async move {
                    database.keep(snapshot).await;
                    Input::Woke
                });
            }
        }
        self.applied = applied;
        let me = node.incarnation();
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
                Output::Beat => {
                    let begun = now();
                    self.request(async move { Input::Beaten(begun, database.beat(me).await) });
                }
                Output::Answer(ask, answer) => self.hands.answer(ask, answer),
                Output::Work(ticket, working) => self.hands.work(ticket, working),
                Output::Halt(ticket) => self.hands.halt(ticket),
                Output::Over => {
                    info!("this node takes part no more");
                    return false;
                }
            }
        }
        true
    }

    fn request(&mut self, request: impl Future<Output = Input> + Send + 'static) {
        self.requests.spawn(request.in_current_span());
    }
}

/// The time since the machine was started, by a clock that goes on while it sleeps.
fn now() -> Time {
    #[cfg(target_os = "linux")]
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Time(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

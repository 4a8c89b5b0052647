//! The line that nodes have in common, as the queue of one of them reaches it, and where sessions are at home.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use tracing::warn;

use super::{
    Answer, Ask, Change, Database, Driver, Footing, Hands, Home, Homes, Incarnation, Job, Number, Progress, Replica,
    Said, Unsaid, Working,
};
use crate::queue::{
    BackendIndex, CommonLine, Held, InForce, JoinAsk, JoinError, LeaveReason, Observer, Owner, Policy, Queue, Reporter,
    Throttle, TicketId, Work,
    machine::{Command, Machine, Restored, Time},
};

/// A node's part of the line, and its queue.
pub struct Membership {
    line: Arc<Line>,
}

/// A node that takes part, as this one knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Which.
    pub node: Incarnation,
    /// Where it is reached; `None`: it is alone.
    pub address: Option<String>,
    /// It takes in nothing any more.
    pub leaving: bool,
    /// How many tickets it works on.
    pub working: usize,
    /// How far it is in the log; `None`: nothing is known of that yet.
    pub progress: Option<Progress>,
}

/// This node, as it knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnView {
    /// How it stands.
    pub footing: Footing,
    /// How much longer it may work without having been heard.
    pub lease: Duration,
    /// How many tickets it works on.
    pub working: usize,
    /// How many it holds, those that wait or are parked included.
    pub held: usize,
    /// See [`Progress::lag`].
    pub lag: u64,
}

/// Where an owner is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeNode {
    /// Which node.
    pub node: Incarnation,
    /// Where it is reached; `None`: it is alone.
    pub address: Option<String>,
}

impl Membership {
    /// Takes part in the line that `database` has the log of, as this node, which others reach at `address`. Returns the queue, whose
    /// operator wants `policy`. To be called once for each incarnation, within a runtime.
    pub fn join(
        me: Incarnation,
        address: Option<String>,
        database: Arc<dyn Database>,
        policy: Policy,
        observer: Arc<dyn Observer>,
    ) -> (Self, Queue) {
        let line = Arc::new(Line {
            me,
            driver: OnceLock::new(),
            asks: Asks::default(),
            moved: watch::Sender::new(()),
        });
        let queue = Queue::common(policy, observer, |reporter| {
            let hands = Ears {
                line: Arc::downgrade(&line),
                reporter,
            };
            let driver = Driver::start(me, address, database, hands);
            // Nobody else does.
            let _ = line.driver.set(driver);
            Arc::clone(&line) as _
        });
        (Self { line }, queue)
    }

    /// This incarnation.
    #[must_use]
    pub fn me(&self) -> Incarnation {
        self.line.me
    }

    /// How this node stands, and hears when that changes.
    #[must_use]
    pub fn footing(&self) -> watch::Receiver<Footing> {
        self.line.driver().footing()
    }

    /// Waits until this node takes part and may work. `false`: it never will.
    pub async fn ready(&self) -> bool {
        let mut footing = self.footing();
        let ready = footing.wait_for(|footing| footing.over || footing.takes_part && footing.may_work);
        ready.await.is_ok_and(|footing| !footing.over)
    }

    /// Waits until this node takes part no more. Cancel-safe.
    pub async fn over(&self) {
        let mut footing = self.footing();
        // A driver that has gone is over, too.
        let _ = footing.wait_for(|footing| footing.over).await;
    }

    /// Where an owner is at home; `None`: no node is there that stays.
    #[must_use]
    pub fn home(&self, owner: Owner) -> Option<HomeNode> {
        let me = self.line.me;
        let leaving = self.footing().borrow().leaving;
        let home = self.line.driver().look(|replica, _| {
            // Where nobody else is there, it is said here that it ends.
            let elsewhere = leaving.then(|| replica.home_without(owner, me).unwrap_or(me));
            let home = elsewhere.or_else(|| replica.home(owner))?;
            let member = replica.members().find(|member| member.node == home)?;
            Some(HomeNode {
                node: home,
                address: member.address.map(str::to_owned),
            })
        });
        home.flatten()
    }

    /// Hears when owners may be at home elsewhere than before.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<()> {
        self.line.moved.subscribe()
    }

    /// The nodes that take part, this one included.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        self.line.driver().view(|node, now| {
            let members = node.known().into_iter().flat_map(Replica::members);
            let seen = members.map(|member| NodeView {
                node: member.node,
                address: member.address.map(str::to_owned),
                leaving: member.leaving,
                working: member.working,
                progress: node.progress(member.node, now),
            });
            seen.collect()
        })
    }

    /// This node.
    #[must_use]
    pub fn own(&self) -> OwnView {
        self.line.driver().view(|node, now| {
            let me = node.incarnation();
            let until = node.lease().until();
            OwnView {
                footing: node.footing(now),
                lease: until.map_or(Duration::ZERO, |until| until.saturating_since(now)),
                working: node.known().map_or(0, |replica| replica.working(me).count()),
                held: node.known().map_or(0, |replica| replica.held_by(me).count()),
                lag: node.progress(me, now).map_or(0, |progress| progress.lag),
            }
        })
    }

    /// Which of these jobs the line has, the number of the log up to which that is known, and its time of now.
    #[must_use]
    pub fn known(&self, jobs: impl Iterator<Item = (Owner, u128)>) -> (BTreeSet<u128>, Number, Time) {
        let known = self.line.driver().look(|replica, now| {
            let known = jobs.filter(|(owner, job)| replica.has(*owner, Job(*job)));
            (known.map(|(_, job)| job).collect(), replica.applied(), now)
        });
        known.unwrap_or_default()
    }

    /// Another node is dead for certain.
    pub fn is_dead(&self, node: Incarnation) {
        self.line.driver().is_dead(node);
    }
}

impl Homes for Membership {
    fn home(&self, owner: Owner) -> Home {
        match Self::home(self, owner) {
            Some(home) if home.node == self.line.me => Home::Here,
            Some(HomeNode {
                node,
                address: Some(address),
            }) => Home::There { node, address },
            Some(_) | None => Home::Nowhere,
        }
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.moves()
    }

    fn peers(&self) -> Vec<(Incarnation, String)> {
        let others = self.nodes().into_iter().filter(|peer| peer.node != self.line.me);
        others.filter_map(|peer| Some((peer.node, peer.address?))).collect()
    }

    fn unready(&self) -> Option<&'static str> {
        match *self.footing().borrow() {
            Footing { over: true, .. } => Some("it has been declared gone, and begins again"),
            Footing { leaving: true, .. } => Some("it is about to end"),
            Footing { takes_part: false, .. } => Some("it does not take part in the line yet"),
            Footing { may_work: false, .. } => Some("it has not reached the database for too long"),
            _ => None,
        }
    }

    fn is_gone(&self) -> bool {
        // One that has left by itself has known until then where everybody is, and still passes on what comes in.
        matches!(
            *self.footing().borrow(),
            Footing {
                over: true,
                leaving: false,
                ..
            }
        )
    }

    fn has_left(&self) -> bool {
        self.footing().borrow().over
    }

    fn me(&self) -> Incarnation {
        self.line.me
    }
}

struct Line {
    me: Incarnation,
    /// Set before anybody has this.
    driver: OnceLock<Driver>,
    asks: Asks,
    moved: watch::Sender<()>,
}

/// What has been asked for and is not answered yet.
#[derive(Default)]
struct Asks {
    last: AtomicU64,
    open: Mutex<HashMap<Ask, Purpose>>,
    /// The line has been asked to look at the time.
    expiring: AtomicBool,
}

/// Why something was asked for.
enum Purpose {
    Join(JoinAsk),
    Recall(TicketId),
    Resume(TicketId),
    Retune,
    Expire,
    Throttle,
    /// Nobody waits for the answer.
    Nothing,
}

impl Line {
    fn driver(&self) -> &Driver {
        self.driver.get().expect("it is set before anybody has this")
    }

    fn ask(&self, purpose: Purpose, change: Change) {
        let ask = Ask(self.asks.last.fetch_add(1, Ordering::Relaxed));
        if !matches!(purpose, Purpose::Nothing) {
            self.asks.open().insert(ask, purpose);
        }
        self.driver().ask(ask, change);
    }
}

impl Asks {
    /// Locked for a step.
    fn open(&self) -> MutexGuard<'_, HashMap<Ask, Purpose>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommonLine for Line {
    fn look(&self, look: &mut dyn FnMut(&Machine, Time)) {
        let Some(driver) = self.driver.get() else { return };
        driver.look(|replica, now| look(replica.machine(), now));
    }

    fn join(&self, ask: JoinAsk, work: Work, owner: Owner) {
        let change = Change::Join {
            job: Job(ask.job()),
            work,
            owner,
            joined: None,
        };
        self.ask(Purpose::Join(ask), change);
    }

    fn restore(&self, tickets: Vec<(u128, Restored)>) {
        let tickets = tickets.into_iter().map(|(job, ticket)| (Job(job), ticket)).collect();
        self.ask(Purpose::Nothing, Change::Restore(tickets));
    }

    fn change(&self, job: u128, ticket: TicketId, command: Command) {
        let purpose = match command {
            Command::Recall { .. } => Purpose::Recall(ticket),
            Command::Resume { .. } => Purpose::Resume(ticket),
            _ => Purpose::Nothing,
        };
        self.ask(purpose, Change::Ticket(Job(job), command));
    }

    fn line(&self, command: Command) {
        let purpose = match command {
            Command::Expire if self.asks.expiring.swap(true, Ordering::Relaxed) => return,
            Command::Expire => Purpose::Expire,
            _ => Purpose::Nothing,
        };
        self.ask(purpose, Change::Line(command));
    }

    fn throttle(&self, backend: BackendIndex, throttle: Throttle, known: u64) {
        let change = Change::Throttle {
            backend,
            throttle,
            known,
        };
        self.ask(Purpose::Throttle, change);
    }

    fn throttles(&self) -> Vec<InForce> {
        let Some(driver) = self.driver.get() else {
            return Vec::new();
        };
        let throttles = driver.look(|replica, _| replica.throttles(self.me));
        throttles.unwrap_or_default()
    }

    fn retune(&self, version: u64, policy: Policy) {
        let policy = Box::new(policy);
        self.ask(Purpose::Retune, Change::Retune { version, policy });
    }

    fn has_heirs(&self) -> bool {
        let stays = self.driver().look(|replica, _| {
            replica
                .members()
                .any(|member| member.node != self.me && !member.leaving)
        });
        stays.unwrap_or(false)
    }

    fn leave(&self) {
        self.driver().leave();
    }

    fn leave_now(&self) {
        self.driver().leave_now();
    }
}

/// What the node says, told to the queue.
struct Ears {
    /// Its driver is the line's, and goes with it.
    line: std::sync::Weak<Line>,
    reporter: Reporter,
}

impl Hands for Ears {
    fn answer(&mut self, ask: Ask, answer: Answer) {
        let Some(line) = self.line.upgrade() else { return };
        let Some(purpose) = line.asks.open().remove(&ask) else {
            return;
        };
        match purpose {
            Purpose::Join(ask) => match answer {
                Ok(Said::Joined(ticket, state)) => self.reporter.joined(ask, ticket, state),
                Ok(Said::Refused(why)) => ask.refuse(why),
                Ok(Said::Done | Said::Void) | Err(Unsaid::Unknown | Unsaid::Unwritten) => {
                    ask.refuse(JoinError::Closed);
                }
            },
            Purpose::Recall(ticket) => self.reporter.recalled(ticket),
            Purpose::Resume(ticket) if answer.is_ok() => self.reporter.resumed(ticket),
            Purpose::Resume(ticket) => self.reporter.not_resumed(ticket),
            Purpose::Retune if answer == Ok(Said::Done) => self.reporter.retuned(),
            Purpose::Retune => {
                let reporter = &mut self.reporter;
                line.driver()
                    .look(|replica, _| reporter.not_retuned(replica.machine(), replica.policies()));
            }
            // What another node has said meanwhile has been told.
            Purpose::Throttle if answer.is_ok() => {}
            Purpose::Throttle => self.reporter.throttled(true),
            Purpose::Expire => line.asks.expiring.store(false, Ordering::Relaxed),
            Purpose::Nothing => {}
        }
    }

    fn work(&mut self, ticket: TicketId, working: Working) {
        let Working { job, owner, grant, .. } = working;
        let held = Held {
            ticket,
            job: job.0,
            owner,
        };
        self.reporter.started(held, grant);
    }

    fn halt(&mut self, ticket: TicketId) {
        warn!(?ticket, "work is stopped: this node may have lost its part in the line");
        self.reporter.halted(ticket);
    }

    fn left(&mut self, ticket: TicketId, reason: LeaveReason) {
        self.reporter.left(ticket, reason);
    }

    fn passed_on(&mut self, replica: &Replica) {
        let Some(line) = self.line.upgrade() else { return };
        let held = replica.held_by(line.me).map(|(ticket, job, owner)| Held {
            ticket,
            job: job.0,
            owner,
        });
        self.reporter.passed_on(replica.machine(), held);
    }

    fn moved(&mut self) {
        if let Some(line) = self.line.upgrade() {
            line.moved.send_replace(());
        }
    }

    fn throttled(&mut self) {
        let Some(line) = self.line.upgrade() else { return };
        // Before there is a driver nobody listens either, and whoever does is told all at first.
        let Some(driver) = line.driver.get() else { return };
        let reporter = &mut self.reporter;
        driver.look(|replica, _| reporter.policy(replica.machine(), replica.policies()));
        reporter.throttled(false);
    }

    fn changed(&mut self, replica: &Replica) {
        self.reporter.changed(replica.machine(), replica.policies());
    }

    fn over(&mut self) {
        self.reporter.over();
        self.moved();
    }
}

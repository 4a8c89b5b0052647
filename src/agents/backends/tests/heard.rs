//! What other nodes tell of back ends, and what this one answers.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::queue::{
    CommonLine, InForce, JoinAsk, Outage, Reporter, Teller, Throttle, TicketId,
    machine::{Command, Machine, Restored, Time},
};

/// A line that writes down what it is told of back ends.
struct Line {
    machine: Machine,
    said: Mutex<Vec<(BackendIndex, Throttle, u64)>>,
    in_force: Mutex<Vec<InForce>>,
}

impl CommonLine for Line {
    fn look(&self, look: &mut dyn FnMut(&Machine, Time)) {
        look(&self.machine, Time::default());
    }
    fn throttle(&self, backend: BackendIndex, throttle: Throttle, known: u64) {
        self.said.lock().unwrap().push((backend, throttle, known));
    }
    fn throttles(&self) -> Vec<InForce> {
        self.in_force.lock().unwrap().clone()
    }
    fn join(&self, _: JoinAsk, _: Work, _: Owner) {}
    fn restore(&self, _: Vec<(u128, Restored)>) {}
    fn change(&self, _: u128, _: TicketId, _: Command) {}
    fn line(&self, _: Command) {}
    fn retune(&self, _: u64, _: Policy) {}
    fn has_heirs(&self) -> bool {
        false
    }

    fn leave(&self) {}
    fn leave_now(&self) {}
}

/// A node whose line says what the test says.
struct Node {
    backends: Arc<Backends>,
    line: Arc<Line>,
    /// Changes of the line so far.
    changes: AtomicU64,
    _queue: Queue,
    _reporter: Reporter,
}

impl Node {
    fn new(settings: &Settings) -> Self {
        let backends = Arc::new(Backends::new(settings).unwrap());
        let policy = backends.fill(no_policy());
        let line = Arc::new(Line {
            machine: Machine::new(policy.clone()),
            said: Mutex::default(),
            in_force: Mutex::default(),
        });
        let (connected, mut reporter) = (Arc::clone(&line), None);
        let queue = Queue::common(policy, Arc::new(()), |given| {
            reporter = Some(given);
            connected
        });
        let mut reporter = reporter.unwrap();
        reporter.policy(&line.machine, 0);
        let nothing = InForce {
            throttle: Throttle::Free,
            by: Teller::Nobody,
            set: 0,
        };
        let count = line.machine.backends().count();
        *line.in_force.lock().unwrap() = vec![nothing; count];
        backends.govern_shared(&queue);
        let keeper = Arc::clone(&backends);
        tokio::spawn(async move { keeper.keep(CancellationToken::new()).await });
        Self {
            backends,
            line,
            changes: AtomicU64::new(0),
            _queue: queue,
            _reporter: reporter,
        }
    }

    fn hears(&self, throttle: Throttle, by: Teller) {
        let set = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        let in_force = InForce { throttle, by, set };
        self.line.in_force.lock().unwrap()[0] = in_force;
        self.backends.heard(ONE, in_force);
    }

    /// What it has said of the first back end since the last look.
    fn says(&self) -> Vec<Throttle> {
        let said: Vec<_> = std::mem::take(&mut *self.line.said.lock().unwrap());
        let changes = self.changes.load(Ordering::Relaxed);
        assert!(
            said.iter()
                .all(|(backend, _, known)| (*backend, *known) == (ONE, changes))
        );
        said.into_iter().map(|(_, throttle, _)| throttle).collect()
    }

    fn health(&self) -> Health {
        self.backends.figures().backends[0].health
    }

    fn trouble(&self) -> Option<Reason> {
        let pool = self.backends.pool(&model("m@gpu")).unwrap();
        self.backends.trouble(pool).map(|trouble| trouble.reason)
    }
}

fn alone() -> Settings {
    settings(catalog(vec![backend("one", NOWHERE)], &["m@gpu"]))
}

fn on_its_own() -> Settings {
    let mut auto = backend("one", NOWHERE);
    auto.limit = BackendLimit::Auto;
    settings(catalog(vec![auto], &["m@gpu"]))
}

const AWAY: Throttle = Throttle::Out(Outage::Away);
const PROBE: Throttle = Throttle::Probe(1);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_another_has_found_is_so_here_until_another_says_otherwise() {
    let node = Node::new(&alone());
    assert_eq!((node.says(), node.health()), (vec![], Health::Ready));
    let early = node.backends.begin(&mut asks(ONE)).unwrap();
    node.hears(AWAY, Teller::Other);
    assert_eq!(node.health(), Health::Elsewhere(Outage::Away));
    assert_eq!(node.trouble(), Some(Reason::ModelUnreachable));
    assert_eq!(
        node.backends.begin(&mut asks(ONE)).err(),
        Some(AgentError::OutOfService)
    );
    // What began before says nothing of the time after, and no pause ends here.
    early.shown();
    sleep(60 * SECOND).await;
    early.answered(Answered::default());
    assert_eq!((node.says(), node.health()), (vec![], Health::Elsewhere(Outage::Away)));
    node.hears(Throttle::Probing, Teller::Other);
    assert_eq!(node.health(), Health::HalfOpen, "it is being tried there");
    node.hears(Throttle::Free, Teller::Other);
    assert_eq!((node.says(), node.health()), (vec![], Health::Ready));
    assert_eq!(node.trouble(), None);
    answer(&node.backends, ONE);
    assert_eq!(node.says(), []);
}

#[tokio::test(start_paused = true)]
async fn why_it_is_out_is_told_as_far_as_others_say_it() {
    let node = Node::new(&alone());
    for (outage, reason) in [
        (Outage::Away, Reason::ModelUnreachable),
        (Outage::Failing, Reason::ModelCutOff),
        (Outage::RateLimited, Reason::ModelRateLimited),
        (Outage::Overloaded, Reason::ModelOverloaded),
    ] {
        node.hears(Throttle::Out(outage), Teller::Other);
        assert_eq!(node.trouble(), Some(reason));
        assert_eq!(node.health(), Health::Elsewhere(outage));
        node.hears(Throttle::Free, Teller::Other);
        assert_eq!(node.trouble(), None);
        // And the same is what it says itself.
        let error = match outage {
            Outage::Away => REFUSED,
            Outage::Failing => FAULT,
            Outage::RateLimited => busy(None),
            Outage::Overloaded => AgentError::Overloaded {
                status: 503,
                retry_after: None,
            },
        };
        for _ in 0..if outage == Outage::Failing { 3 } else { 1 } {
            fail(&node.backends, ONE, &error);
        }
        assert_eq!(node.says(), [Throttle::Out(outage)]);
        node.hears(Throttle::Out(outage), Teller::This);
        sleep(120 * SECOND).await;
        if !outage.cools() {
            assert_eq!(node.says(), [PROBE]);
            node.hears(Throttle::Probing, Teller::Line);
            answer(&node.backends, ONE);
        }
        assert_eq!(node.says(), [Throttle::Free]);
        node.hears(Throttle::Free, Teller::This);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_has_the_ticket_that_tries_it_says_how_it_went() {
    let node = Node::new(&alone());
    for _ in 0..3 {
        node.hears(AWAY, Teller::Other);
        node.hears(Throttle::Probing, Teller::Line);
        assert_eq!(node.trouble(), None, "one may try");
        let probe = node.backends.begin(&mut asks(ONE)).unwrap();
        assert_eq!(node.says(), [], "the line knows that");
        assert!(node.backends.begin(&mut asks(ONE)).is_err());
        probe.shown();
        assert_eq!(node.says(), [Throttle::Free]);
        node.hears(Throttle::Free, Teller::This);
        probe.answered(Answered::default());
        assert_eq!((node.says(), node.health()), (vec![], Health::Ready));
    }
    // One fault is enough, and the pause is longer than the first one: it has failed before.
    node.hears(AWAY, Teller::Other);
    node.hears(Throttle::Probing, Teller::Line);
    fail(&node.backends, ONE, &FAULT);
    assert_eq!(node.says(), [Throttle::Out(Outage::Failing)]);
    node.hears(Throttle::Out(Outage::Failing), Teller::This);
    sleep(SECOND * 19 / 10).await;
    assert_eq!(node.says(), []);
    sleep(SECOND).await;
    assert_eq!(node.says(), [PROBE]);
    node.hears(PROBE, Teller::This);
    // It is given up.
    node.hears(Throttle::Probing, Teller::Line);
    drop(node.backends.begin(&mut asks(ONE)).unwrap());
    assert_eq!(node.says(), [], "the line has the next one try");
    node.hears(PROBE, Teller::Nobody);
    // Another one has found that it works.
    node.hears(Throttle::Probing, Teller::Other);
    assert_eq!(node.health(), Health::HalfOpen);
    node.hears(Throttle::Free, Teller::Other);
    assert_eq!((node.says(), node.health()), (vec![], Health::Ready));
}

#[tokio::test(start_paused = true)]
async fn what_another_has_healed_long_ago_makes_no_pause_longer() {
    for (well, longest) in [(1, 300), (60, 2)] {
        let node = Node::new(&alone());
        for _ in 0..8 {
            node.hears(AWAY, Teller::Other);
        }
        node.hears(Throttle::Free, Teller::Other);
        sleep(well * SECOND).await;
        fail(&node.backends, ONE, &REFUSED);
        assert_eq!(node.says(), [AWAY]);
        node.hears(AWAY, Teller::This);
        sleep(2 * SECOND).await;
        assert_eq!(node.says().is_empty(), longest > 2, "after {well} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_here_gets_it_whatever_others_say() {
    let node = Node::new(&alone());
    let late = node.backends.begin(&mut asks(ONE)).unwrap();
    node.hears(Throttle::Out(Outage::RateLimited), Teller::Other);
    late.failed(&busy(Some(60 * SECOND)), "as the test says");
    assert_eq!(node.says(), [], "it is out already");
    node.hears(Throttle::Free, Teller::Other);
    assert_eq!(node.says(), [Throttle::Out(Outage::RateLimited)]);
    node.hears(Throttle::Out(Outage::RateLimited), Teller::This);
    sleep(59 * SECOND).await;
    assert_eq!(node.says(), []);
    sleep(20 * SECOND).await;
    assert_eq!(node.says(), [Throttle::Free]);
}

#[tokio::test(start_paused = true)]
async fn what_was_said_in_vain_is_said_again_and_what_was_undone_is_not() {
    let node = Node::new(&alone());
    fail(&node.backends, ONE, &REFUSED);
    assert_eq!(node.says(), [AWAY]);
    // It has been lost: the same is in force as before.
    node.backends.heard(
        ONE,
        InForce {
            throttle: Throttle::Free,
            by: Teller::Nobody,
            set: 0,
        },
    );
    assert_eq!(node.says(), [AWAY]);
    // Another one was first, and ends the pause.
    node.hears(Throttle::Out(Outage::Failing), Teller::Other);
    sleep(60 * SECOND).await;
    assert_eq!(node.says(), []);
    // What it says is old by the time at which it hears it.
    node.hears(Throttle::Probing, Teller::Line);
    fail(&node.backends, ONE, &REFUSED);
    assert_eq!(node.says(), [AWAY]);
    node.hears(AWAY, Teller::This);
    sleep(6 * SECOND).await;
    assert_eq!(node.says(), [PROBE]);
    node.hears(PROBE, Teller::This);
    let probe = node.backends.begin(&mut asks(ONE)).unwrap();
    assert_eq!(node.says(), [Throttle::Probing]);
    probe.failed(&REFUSED, "as the test says");
    node.says();
    let open = node.health();
    node.hears(Throttle::Probing, Teller::This);
    assert_eq!((node.says(), node.health()), (vec![AWAY], open));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_found_out_is_the_nodes_together() {
    let node = Node::new(&on_its_own());
    assert_eq!(node.says(), [Throttle::Found(1)]);
    // Another one was first.
    node.hears(Throttle::Found(6), Teller::Other);
    assert_eq!(node.says(), []);
    // A probe tells nothing of the limit.
    node.hears(AWAY, Teller::Other);
    node.hears(Throttle::Probing, Teller::Line);
    answer(&node.backends, ONE);
    assert_eq!(node.says(), [Throttle::Found(6)]);
    node.hears(Throttle::Found(6), Teller::This);
    let tried = node.backends.begin(&mut asks(ONE)).unwrap();
    node.hears(Throttle::Found(4), Teller::Other);
    tried.failed(&busy(None), "as the test says");
    // It began under another limit, and another one has drawn that conclusion.
    assert_eq!(node.says(), [Throttle::Out(Outage::RateLimited)]);
    node.hears(Throttle::Out(Outage::RateLimited), Teller::This);
    sleep(60 * SECOND).await;
    assert_eq!(node.says(), [Throttle::Found(4)]);
    node.hears(Throttle::Found(4), Teller::This);
    // One whose limit is a number has lifted it.
    node.hears(Throttle::Free, Teller::Other);
    assert_eq!(node.says(), [Throttle::Found(4)]);
    // Nobody's any more: it holds all the same.
    node.hears(Throttle::Found(3), Teller::Nobody);
    assert_eq!(node.says(), []);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_others_find_out_is_not_ended_by_one_whose_limit_is_a_number() {
    let node = Node::new(&alone());
    node.hears(Throttle::Found(2), Teller::Other);
    answer(&node.backends, ONE);
    fail(&node.backends, ONE, &FAULT);
    assert_eq!(node.says(), []);
    node.hears(Throttle::Found(2), Teller::Nobody);
    assert_eq!(node.says(), [Throttle::Free], "unless nobody finds it out any more");
}

#[tokio::test(start_paused = true)]
async fn one_that_this_node_does_not_have_any_more_is_for_others_to_try() {
    let node = Node::new(&settings(pair()));
    fail(&node.backends, ONE, &REFUSED);
    assert_eq!(node.says(), [AWAY]);
    node.hears(AWAY, Teller::This);
    let other = settings(catalog(vec![backend("two", NOWHERE)], &["m@gpu"]));
    node.backends.retune(&other).unwrap();
    assert_eq!(node.says(), [PROBE]);
    sleep(60 * SECOND).await;
    assert_eq!(node.says(), []);
    // It is back, and hears first how it is.
    node.hears(AWAY, Teller::Other);
    node.backends.retune(&settings(pair())).unwrap();
    assert!(!node.backends.settle());
    assert_eq!((node.says(), node.health()), (vec![], Health::Elsewhere(Outage::Away)));
}

//! Nodes that keep one line, each with its back ends, in front of the same server.

use tokio::task::{AbortHandle, JoinSet};

use super::*;
use crate::{
    nodes::{Incarnation, Membership, tests::memory::MemoryLog},
    queue::{Retuning, Throttle},
};

/// Far longer than anything here takes.
const NEVER: Duration = Duration::from_secs(600);

/// The one server, which is asked by nobody but as the test says.
#[derive(Default)]
struct Server(Mutex<Scripted>);

#[derive(Default)]
struct Scripted {
    down: bool,
    /// How many it takes at once; the rest are refused. 0: any number.
    capacity: usize,
    running: usize,
    most: usize,
    /// Attempts that came to nothing.
    failed: usize,
    answered: usize,
}

impl Server {
    fn look<T>(&self, look: impl FnOnce(&mut Scripted) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Whether it takes one more.
    fn take(&self) -> Result<(), AgentError> {
        self.look(|server| {
            if server.down || (server.capacity > 0 && server.running >= server.capacity) {
                server.failed += 1;
                return Err(if server.down { REFUSED } else { busy(None) });
            }
            server.running += 1;
            server.most = server.most.max(server.running);
            Ok(())
        })
    }
}

struct Node {
    backends: Arc<Backends>,
    membership: Membership,
    queue: Queue,
    tasks: Mutex<Vec<AbortHandle>>,
    server: Arc<Server>,
    log: Arc<MemoryLog>,
}

impl Node {
    async fn join(log: &Arc<MemoryLog>, node: u128, server: &Arc<Server>, settings: &Settings) -> Self {
        let backends = Arc::new(Backends::new(settings).unwrap());
        let policy = backends.fill(no_policy());
        let address = Some(format!("node-{node}"));
        let database = Arc::clone(log) as _;
        let (membership, queue) = Membership::join(Incarnation(node), address, database, policy.clone(), Arc::new(()));
        assert!(within(membership.ready()).await);
        queue.propose(policy, Retuning::Joining);
        backends.govern_shared(&queue);
        queue.propose(backends.fill(no_policy()), Retuning::Discovered);
        let (keeper, follower, filled) = (Arc::clone(&backends), Arc::clone(&backends), queue.clone());
        let keep = async move { keeper.keep(CancellationToken::new()).await };
        let follow = async move {
            let mut changes = follower.changes();
            while changes.changed().await.is_ok() {
                filled.propose(follower.fill(no_policy()), Retuning::Discovered);
            }
        };
        Self {
            backends,
            membership,
            queue,
            tasks: Mutex::new(vec![
                tokio::spawn(keep).abort_handle(),
                tokio::spawn(follow).abort_handle(),
            ]),
            server: Arc::clone(server),
            log: Arc::clone(log),
        }
    }

    /// A turn of an owner of its own, until it is answered, which takes so long.
    fn turn(&self, job: u128, length: Duration, turns: &mut JoinSet<()>) {
        let (backends, queue, server) = (Arc::clone(&self.backends), self.queue.clone(), Arc::clone(&self.server));
        let turn = async move {
            let asked = model("m@gpu");
            let work = Work {
                event: EventIndex(0),
                pool: backends.pool(&asked),
                prefers: None,
            };
            let mut tries = Tries::new();
            let mut ticket = queue.place(job, work, Owner(job)).await.unwrap();
            loop {
                let permit = ticket.admitted().await.unwrap();
                let backend = permit.backend().unwrap();
                let begun = backends.begin(&mut asks(backend));
                let error = match begun {
                    Err(error) => error,
                    Ok(asking) => match server.take() {
                        Ok(()) => {
                            sleep(Duration::from_millis(100)).await;
                            asking.shown();
                            sleep(length).await;
                            asking.answered(Answered::default());
                            server.look(|server| {
                                server.running -= 1;
                                server.answered += 1;
                            });
                            permit.finish(crate::queue::Outcome::Done);
                            return;
                        }
                        Err(error) => {
                            asking.failed(&error, "as the test says");
                            error
                        }
                    },
                };
                let verdict = backends.verdict(&asked, backend, &error, false, &mut tries);
                assert!(
                    matches!(
                        verdict,
                        Verdict::Wait | Verdict::Elsewhere { .. } | Verdict::Again { .. }
                    ),
                    "{verdict:?}"
                );
                ticket = permit.start_back();
            }
        };
        self.tasks.lock().unwrap().push(turns.spawn(turn));
    }

    /// Ends it as `kill -9` would; the others find out when they are told.
    fn kill(self) -> Incarnation {
        let node = self.membership.me();
        self.tasks.lock().unwrap().iter().for_each(AbortHandle::abort);
        node
    }

    fn health(&self) -> Health {
        self.backends.figures().backends[0].health
    }

    fn limit(&self) -> Option<usize> {
        self.queue.backends()[0].limit
    }

    fn in_force(&self) -> Throttle {
        self.log.truth().throttles(self.membership.me())[0].throttle
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, future).await.expect("it comes to an end")
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(NEVER, wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}

async fn all(turns: &mut JoinSet<()>) {
    while let Some(done) = within(turns.join_next()).await {
        match done {
            Ok(()) => {}
            Err(fault) => assert!(fault.is_cancelled(), "{fault}"),
        }
    }
}

async fn nodes<const N: usize>(settings: &Settings) -> (Arc<MemoryLog>, Arc<Server>, [Node; N]) {
    let server = Arc::new(Server::default());
    let backends = Backends::new(settings).unwrap();
    let log = Arc::new(MemoryLog::new(backends.fill(no_policy())));
    let joined = (1..=N as u128).map(|node| Node::join(&log, node, &server, settings));
    let joined: Vec<Node> = futures_util::future::join_all(joined).await;
    let Ok(joined) = joined.try_into() else { unreachable!() };
    (log, server, joined)
}

/// One server with ten slots.
fn one() -> Settings {
    let mut one = backend("one", NOWHERE);
    one.limit = BackendLimit::Slots(Some(10));
    settings(catalog(vec![one], &["m@gpu"]))
}

fn auto() -> Settings {
    let mut auto = backend("one", NOWHERE);
    auto.limit = BackendLimit::Auto;
    settings(catalog(vec![auto], &["m@gpu"]))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_tried_by_one_ticket_at_a_time_of_all_and_is_well_for_all() {
    let (_log, server, [a, b, c]) = nodes(&one()).await;
    server.look(|server| server.down = true);
    let mut turns = JoinSet::new();
    a.turn(1, Duration::ZERO, &mut turns);
    until("all know it", || {
        [&a, &b, &c].iter().all(|node| node.health() != Health::Ready)
    })
    .await;
    assert_eq!(server.look(|server| server.failed), 1);
    for job in 10..40 {
        let node = [&a, &b, &c][job as usize % 3];
        node.turn(job, Duration::ZERO, &mut turns);
    }
    // After 1, 2, 4 and 8 s, and the jitter, whichever nodes try it.
    sleep(Duration::from_secs(22)).await;
    let tried = server.look(|server| server.failed);
    assert_eq!(tried, 5);
    for node in [&a, &b, &c] {
        let pool = node.backends.pool(&model("m@gpu")).unwrap();
        assert!(node.backends.trouble(pool).is_some());
    }
    server.look(|server| server.down = false);
    all(&mut turns).await;
    let done = server.look(|server| (server.answered, server.failed, server.most));
    assert_eq!(done, (31, tried, 10));
    until("it is well for all", || {
        [&a, &b, &c]
            .iter()
            .all(|node| node.health() == Health::Ready && node.limit() == Some(10))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_dies_takes_its_word_along() {
    let (log, server, [a, b, c]) = nodes(&one()).await;
    server.look(|server| server.down = true);
    let mut turns = JoinSet::new();
    a.turn(1, Duration::ZERO, &mut turns);
    until("all know it", || {
        [&a, &b, &c].iter().all(|node| node.health() != Health::Ready)
    })
    .await;
    let gone = a.kill();
    server.look(|server| server.down = false);
    b.turn(2, Duration::ZERO, &mut turns);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        server.look(|server| server.answered),
        0,
        "it was for that node to end the pause"
    );
    log.declare_gone(gone);
    // What it had waits for whoever takes it up, and would be the first to try.
    let stray = within(async {
        let mut strays = [b.queue.strays().unwrap(), c.queue.strays().unwrap()];
        let [one, other] = &mut strays;
        tokio::select! {
            stray = one.recv() => (0, stray),
            stray = other.recv() => (1, stray),
        }
    });
    let (at, stray) = stray.await;
    let node = [&b, &c][at];
    drop(node.queue.take_up(stray.unwrap()[0].ticket));
    all(&mut turns).await;
    assert_eq!(server.look(|server| server.answered), 1);
    until("it is well for all", || {
        [&b, &c].iter().all(|node| node.health() == Health::Ready)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_found_while_the_database_is_away_is_told_once_it_is_back() {
    let (log, _server, [a, b]) = nodes(&one()).await;
    log.set_away(true);
    fail(&a.backends, ONE, &REFUSED);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(b.health(), Health::Ready);
    log.set_away(false);
    // By then it is to be tried: what was found before that is not in force any more.
    until("it is known there", || b.health() != Health::Ready).await;
    until("it may be tried", || a.in_force() == Throttle::Probe(1)).await;
    assert_eq!(b.limit(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn nodes_find_one_limit_out_together() {
    let (log, server, [a, b]) = nodes(&auto()).await;
    server.look(|server| server.capacity = 5);
    let mut turns = JoinSet::new();
    for job in 0..200 {
        let node = [&a, &b][job as usize % 2];
        node.turn(job, Duration::from_secs(7), &mut turns);
    }
    sleep(Duration::from_secs(60)).await;
    for second in 60..180 {
        let limit = a.limit().unwrap();
        // Out of service it is only where it refuses somebody who is alone.
        assert!(limit.abs_diff(5) <= 1, "{limit} of 5 after {second} s");
        sleep(Duration::from_secs(1)).await;
    }
    let (most, failed) = server.look(|server| (server.most, server.failed));
    assert!(most == 5 && failed > 2 && failed < 24, "{most}, {failed}");
    assert_eq!(a.limit(), b.limit());
    assert_eq!(a.in_force(), Throttle::Found(a.limit().unwrap()));
    // A node that comes goes on from there, and so does one that stays.
    let newcomer = Node::join(&log, 3, &server, &auto()).await;
    let limit = a.limit();
    log.declare_gone(a.kill());
    let found = limit.map(Throttle::Found);
    assert_eq!(Some(newcomer.in_force()), found);
    until("it knows it", || newcomer.limit() == limit && b.limit() == limit).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_that_find_out_at_once_agree_and_nothing_starts_before() {
    for _ in 0..10 {
        let (log, server, [a, b, c]) = nodes(&auto()).await;
        let mut turns = JoinSet::new();
        for job in 0..9 {
            let node = [&a, &b, &c][job as usize % 3];
            node.turn(job, Duration::ZERO, &mut turns);
        }
        until("the first is answered", || server.look(|server| server.answered > 0)).await;
        assert_eq!(server.look(|server| server.most), 1);
        all(&mut turns).await;
        until("all know the same", || a.limit() == b.limit() && b.limit() == c.limit()).await;
        let truth = log.truth().machine().backends().next().unwrap();
        assert_eq!(a.limit(), truth.limit);
        assert_eq!(a.in_force(), Throttle::Found(truth.limit.unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn each_node_knows_a_back_end_by_its_own_place() {
    let log = Arc::new(MemoryLog::new(Backends::new(&one()).unwrap().fill(no_policy())));
    let server = Arc::new(Server::default());
    let a = Node::join(&log, 1, &server, &one()).await;
    let other = settings(catalog(
        vec![backend("other", NOWHERE), backend("one", NOWHERE)],
        &["m@gpu"],
    ));
    let b = Node::join(&log, 2, &server, &other).await;
    fail(&b.backends, TWO, &REFUSED);
    until("it is known there", || a.health() != Health::Ready).await;
    assert_eq!(b.health(), Health::Ready);
    assert_eq!(a.limit(), Some(0));
}

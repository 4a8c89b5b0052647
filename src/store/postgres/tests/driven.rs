//! Nodes at work over a real PostgreSQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anteroom_pgtest::Cluster;
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

use super::{Opener, PostgresStore, node};
use crate::{
    nodes::{
        Answer, Ask, Change, Database, Digest, Driver, Hands, Incarnation, Job, Number, Replica, Reply, Said, Working,
    },
    queue::{EventIndex, EventPolicy, LeaveReason, Owner, Policy, TicketId, machine::Command},
    settings::Secret,
};

/// How long work takes.
const LENGTH: Duration = Duration::from_millis(5);
const LIMIT: usize = 2;

fn policy() -> Policy {
    Policy::new([EventPolicy::new("chat", LIMIT)])
}

fn join(job: u128, owner: u128) -> Change {
    Change::Join {
        job: Job(job),
        work: EventIndex(0).into(),
        owner: Owner(owner),
        joined: None,
    }
}

/// What all nodes of a test do together.
#[derive(Default)]
struct Site {
    works: AtomicUsize,
    /// The most that were worked on at one moment.
    most: AtomicUsize,
    asks: AtomicU64,
}

enum Heard {
    Answer(Ask, Answer),
    Work(TicketId, Working),
    Done(TicketId, Working),
    Halt(TicketId),
    Knows(Number, Digest),
    Over,
}

struct Ears(mpsc::UnboundedSender<Heard>);

impl Hands for Ears {
    fn answer(&mut self, ask: Ask, answer: Answer) {
        let _ = self.0.send(Heard::Answer(ask, answer));
    }

    fn work(&mut self, ticket: TicketId, working: Working) {
        let _ = self.0.send(Heard::Work(ticket, working));
    }

    fn halt(&mut self, ticket: TicketId) {
        let _ = self.0.send(Heard::Halt(ticket));
    }

    fn changed(&mut self, replica: &Replica) {
        let _ = self.0.send(Heard::Knows(replica.applied(), replica.digest()));
    }

    fn left(&mut self, _: TicketId, _: LeaveReason) {}

    fn passed_on(&mut self, _: &Replica) {}

    fn moved(&mut self) {}

    fn throttled(&mut self) {}

    fn over(&mut self) {
        let _ = self.0.send(Heard::Over);
    }
}

/// A node and its worker.
struct Place {
    incarnation: Incarnation,
    driver: Arc<Driver>,
    worker: JoinHandle<()>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    joined: BTreeSet<Ask>,
    works: BTreeMap<TicketId, Working>,
    knows: (Number, Digest),
    over: bool,
}

impl Place {
    async fn start(cluster: &Cluster, database: &str, incarnation: u128, site: &Arc<Site>) -> Self {
        let log = log(cluster, database, &node(incarnation, &format!("node{incarnation}:1"))).await;
        let (ears, heard) = mpsc::unbounded_channel();
        let incarnation = Incarnation(incarnation);
        let driver = Arc::new(Driver::start(incarnation, None, log, Ears(ears.clone())));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let work = work(Arc::clone(&driver), heard, ears, Arc::clone(&seen), Arc::clone(site));
        Self {
            incarnation,
            driver,
            worker: tokio::spawn(work),
            seen,
        }
    }

    fn want(&self, site: &Site, job: u128) {
        let ask = Ask(site.asks.fetch_add(1, Ordering::Relaxed));
        self.driver.ask(ask, join(job, job % 5));
    }

    fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().expect("nobody panics with it"))
    }

    /// Ends it as `kill -9` would.
    fn kill(self, site: &Site) {
        self.worker.abort();
        let working = self.seen(|seen| seen.works.len());
        site.works.fetch_sub(working, Ordering::SeqCst);
    }
}

/// Does what the log says, until the node is over.
async fn work(
    driver: Arc<Driver>,
    mut heard: mpsc::UnboundedReceiver<Heard>,
    ears: mpsc::UnboundedSender<Heard>,
    seen: Arc<Mutex<Seen>>,
    site: Arc<Site>,
) {
    while let Some(heard) = heard.recv().await {
        let mut seen = seen.lock().expect("nobody panics with it");
        match heard {
            Heard::Work(ticket, working) => {
                let works = site.works.fetch_add(1, Ordering::SeqCst) + 1;
                site.most.fetch_max(works, Ordering::SeqCst);
                seen.works.insert(ticket, working);
                let ears = ears.clone();
                tokio::spawn(async move {
                    sleep(LENGTH).await;
                    let _ = ears.send(Heard::Done(ticket, working));
                });
            }
            Heard::Done(ticket, working) => {
                if seen.works.get(&ticket) == Some(&working) {
                    seen.works.remove(&ticket);
                    site.works.fetch_sub(1, Ordering::SeqCst);
                    let ask = Ask(site.asks.fetch_add(1, Ordering::Relaxed));
                    let release = Command::Release { ticket, worked: true };
                    driver.ask(ask, Change::Ticket(working.job, release));
                }
            }
            Heard::Halt(ticket) => {
                seen.works.remove(&ticket);
                site.works.fetch_sub(1, Ordering::SeqCst);
            }
            Heard::Answer(ask, Ok(Said::Joined(..))) => drop(seen.joined.insert(ask)),
            Heard::Answer(..) => {}
            Heard::Knows(number, digest) => seen.knows = (number, digest),
            Heard::Over => {
                seen.over = true;
                return;
            }
        }
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(90), wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}

/// How often each job has ended, as the log has it: what was told to nobody before a node died may be in it all the same.
async fn ended(log: &dyn Database) -> BTreeMap<Job, u32> {
    let mut replica = Replica::new(policy());
    let mut ended = BTreeMap::new();
    while let Some(read) = log.read(replica.applied()).await
        && !read.batches.is_empty()
    {
        for batch in read.batches {
            let said = replica.apply(&batch).expect("it follows");
            for (change, said) in batch.changes().expect("it can be read").into_iter().zip(said) {
                if let (Change::Ticket(job, Command::Release { .. }), Said::Done) = (change, said) {
                    *ended.entry(job).or_default() += 1;
                }
            }
        }
    }
    ended
}

/// Waits until so many jobs are done, each once, and never more at a time than may be.
async fn all_done(log: &dyn Database, site: &Site, jobs: usize) {
    let wait = async {
        while ended(log).await.len() < jobs {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(90), wait).await;
    let ended = ended(log).await;
    assert!(waited.is_ok(), "only these are done: {ended:?}");
    assert!(ended.values().all(|times| *times == 1), "done twice: {ended:?}");
    until("nothing is worked on", || site.works.load(Ordering::SeqCst) == 0).await;
    assert!(site.most.load(Ordering::SeqCst) <= LIMIT);
}

async fn log(cluster: &Cluster, database: &str, opener: &Opener) -> Arc<dyn Database> {
    let store = PostgresStore::open(&Secret(cluster.url(database)), opener).await;
    store.expect("it opens").log(&policy()).await.expect("it is there")
}

/// One that reads the log and takes no part; it does not beat either, and is declared gone after a while.
async fn reader(cluster: &Cluster, database: &str) -> Arc<dyn Database> {
    log(cluster, database, &node(99, "reader:1")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_keep_one_line() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (database, site) = (cluster.database(), Arc::new(Site::default()));
    let mut places = Vec::new();
    for incarnation in 1..=3 {
        places.push(Place::start(cluster, &database, incarnation, &site).await);
    }
    for job in 1..=90 {
        places[job as usize % 3].want(&site, job);
    }
    let log = reader(cluster, &database).await;
    all_done(&*log, &site, 90).await;
    until("all know the same", || {
        let [a, b, c] = [0, 1, 2].map(|place| places[place].seen(|seen| seen.knows));
        a == b && b == c
    })
    .await;
    assert_eq!(site.most.load(Ordering::SeqCst), LIMIT);
    // One leaves well, and the others know it.
    places[0].driver.leave();
    places[0].driver.leave_now();
    until("it has left", || places[0].seen(|seen| seen.over)).await;
    places[1].want(&site, 91);
    all_done(&*log, &site, 91).await;
    let rest = cluster.sql(&database, "SELECT count(*) FROM nodes WHERE address LIKE 'node%'");
    assert_eq!(rest.trim(), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_node_held_is_done_by_the_others() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (database, site) = (cluster.database(), Arc::new(Site::default()));
    let mut places = Vec::new();
    for incarnation in 1..=3 {
        places.push(Place::start(cluster, &database, incarnation, &site).await);
    }
    for job in 1..=60 {
        places[job as usize % 3].want(&site, job);
    }
    until("some are let in by each", || {
        places.iter().all(|place| place.seen(|seen| seen.joined.len() >= 20))
    })
    .await;
    let dead = places.remove(0);
    let incarnation = dead.incarnation;
    dead.kill(&site);
    for place in &places {
        place.driver.is_dead(incarnation);
    }
    all_done(&*reader(cluster, &database).await, &site, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_back_is_gone_on_with() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let (database, site) = (cluster.database(), Arc::new(Site::default()));
    let mut places = Vec::new();
    for incarnation in 1..=2 {
        places.push(Place::start(&cluster, &database, incarnation, &site).await);
    }
    for job in 1..=400 {
        places[job as usize % 2].want(&site, job);
    }
    let log = reader(&cluster, &database).await;
    while ended(&*log).await.len() < 20 {
        sleep(Duration::from_millis(20)).await;
    }
    cluster.crash();
    cluster.start_again();
    all_done(&*log, &site, 400).await;
}

#[tokio::test]
async fn a_log_goes_on_from_a_snapshot() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let log = log(cluster, &cluster.database(), &node(7, "node7:1")).await;
    let node = Incarnation(7);
    log.append(
        node,
        1,
        vec![Change::Up { address: None }, join(1, 1), join(2, 2)],
        None,
    )
    .await;
    let kept = log.load().await.expect("it is there");
    log.keep(kept.snapshot()).await;
    log.append(node, 2, vec![join(3, 3)], None).await;
    let loaded = log.load().await.expect("it is there");
    assert_eq!((kept.applied(), loaded.applied()), (Number(1), Number(2)));
    assert_eq!((kept.tickets().count(), loaded.tickets().count()), (2, 3));
    // What is not written twice is not read twice either.
    let again = log.append(node, 2, vec![join(3, 3)], None).await;
    assert_eq!(again, Reply::Already);
    let read = log.read(Number(1)).await.expect("it is there");
    assert_eq!(read.digest, Some(kept.digest()));
    assert_eq!(read.batches.last().map(|batch| batch.digest), Some(loaded.digest()));
}

//! Three nodes over one log in a PostgreSQL of their own: what an entry costs, how long a slot takes from one node to another, and how
//! much goes through.
//!
//! All of them are in this process, beside the database on the same cores: what is measured is the log and the nodes, with no server
//! around them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anteroom::{
    nodes::{Answer, Ask, Change, Database, Driver, Hands, Incarnation, Job, Replica, Reply, Said, Working},
    queue::{
        EventIndex, EventPolicy, LeaveReason, Owner, Policy, TicketId,
        machine::{Command, TicketState},
    },
    settings::Secret,
};
use anteroom_pgtest::Cluster;
use anyhow::{Context as _, bail, ensure};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use crate::{
    figures::{Measure, Unit},
    numbers::percentile,
    scenario::rivals,
    stage::millis,
    system::Places,
};

const CHAT: EventIndex = EventIndex(0);
/// Entries that are appended one after the other.
const ENTRIES: u64 = 400;
/// Slots that go from one node to another.
const HANDOVERS: usize = 400;
/// Those who join, start and end as fast as they can.
const CALLERS: usize = 300;
const NODES: usize = 3;
const LENGTH: Duration = Duration::from_secs(5);
/// For whatever should have come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    ensure!(
        anteroom_pgtest::programs().is_some(),
        "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    );
    let cluster = tokio::task::spawn_blocking(Cluster::start).await?;
    let commit = commits(&cluster).await?;
    let commit_median = percentile(&commit, 0.5).context("no commit")?;
    let handovers = handovers(&cluster).await?;
    let at = |values: &[f64], share| percentile(values, share).context("none was measured");
    let (throughput, starts) = throughput(&cluster).await?;
    let mut measures = vec![
        Measure::new("one entry, p50", commit_median, Unit::Millis),
        Measure::new("one entry, p99", at(&commit, 0.99)?, Unit::Millis),
        Measure::new("slot from one node to another, p50", at(&handovers, 0.5)?, Unit::Millis)
            .at_most(commit_median + 1.0),
        Measure::new(
            "slot from one node to another, p99",
            at(&handovers, 0.99)?,
            Unit::Millis,
        )
        .at_most(commit_median.mul_add(3.0, 2.0)),
        Measure::new("joins and ends, 300 callers on 3 nodes", throughput, Unit::PerSecond).at_least(10_000.0),
        Measure::new("the same: from join to start, p50", at(&starts, 0.5)?, Unit::Millis),
    ];
    if let Some(rivals) = &places.rivals {
        measures.extend(rivals::run(rivals, &places.scratch, &cluster).await?);
    }
    Ok(measures)
}

fn policy(limit: usize) -> Policy {
    Policy::new([EventPolicy::new("chat", limit)])
}

async fn open(cluster: &Cluster, database: &str, limit: usize, node: u128) -> anyhow::Result<Arc<dyn Database>> {
    let address = format!("node{node}:1");
    anteroom::open_log(
        &Secret(cluster.url(database)),
        Incarnation(node),
        &address,
        &policy(limit),
    )
    .await
}

/// Milliseconds of each of many appends, one after the other.
async fn commits(cluster: &Cluster) -> anyhow::Result<Vec<f64>> {
    let log = open(cluster, &cluster.database(), 1, 1).await?;
    let node = Incarnation(1);
    log.append(node, 1, vec![Change::Up { address: None }], None).await;
    let mut took = Vec::new();
    for entry in 0..ENTRIES {
        let begun = Instant::now();
        let reply = log
            .append(node, 2 + entry, vec![Change::Line(Command::Expire)], None)
            .await;
        ensure!(matches!(reply, Reply::Written(_)), "not written: {reply:?}");
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}

/// What a node has to say, and when it said it.
enum Heard {
    Joined(Ask, TicketId, bool),
    Done,
    Works(TicketId, Instant),
    Failed(String),
}

struct Ears(mpsc::UnboundedSender<Heard>);

impl Ears {
    fn tell(&self, heard: Heard) {
        // Whoever measures may be done.
        let _ = self.0.send(heard);
    }
}

impl Hands for Ears {
    fn answer(&mut self, ask: Ask, answer: Answer) {
        self.tell(match answer {
            Ok(Said::Joined(ticket, state)) => Heard::Joined(ask, ticket, matches!(state, TicketState::Running(_))),
            Ok(Said::Done) => Heard::Done,
            other => Heard::Failed(format!("{other:?}")),
        });
    }

    fn work(&mut self, ticket: TicketId, _: Working) {
        self.tell(Heard::Works(ticket, Instant::now()));
    }

    fn halt(&mut self, ticket: TicketId) {
        self.tell(Heard::Failed(format!("{ticket:?} was ended")));
    }

    fn changed(&mut self, _: &Replica) {}

    fn left(&mut self, _: TicketId, _: LeaveReason) {}

    fn passed_on(&mut self, _: &Replica) {}

    fn moved(&mut self) {}

    fn throttled(&mut self) {}

    fn over(&mut self) {
        self.tell(Heard::Failed("a node is over".to_owned()));
    }
}

async fn start(cluster: &Cluster, database: &str, limit: usize, node: u128) -> anyhow::Result<(Driver, Ear)> {
    let log = open(cluster, database, limit, node).await?;
    let (ears, heard) = mpsc::unbounded_channel();
    Ok((Driver::start(Incarnation(node), None, log, Ears(ears)), Ear(heard)))
}

struct Ear(mpsc::UnboundedReceiver<Heard>);

impl Ear {
    async fn hear(&mut self) -> anyhow::Result<Heard> {
        match timeout(PATIENCE, self.0.recv()).await?.context("the node has ended")? {
            Heard::Failed(why) => bail!(why),
            heard => Ok(heard),
        }
    }
}

fn join(job: u64) -> Change {
    Change::Join {
        job: Job(u128::from(job)),
        work: CHAT.into(),
        owner: Owner(u128::from(job)),
        joined: None,
    }
}

fn release(job: u64, ticket: TicketId) -> Change {
    Change::Ticket(Job(u128::from(job)), Command::Release { ticket, worked: true })
}

/// Milliseconds from telling one node that work is over until another begins the next. One slot; each node has somebody in line.
async fn handovers(cluster: &Cluster) -> anyhow::Result<Vec<f64>> {
    let database = cluster.database();
    let mut nodes = [
        start(cluster, &database, 1, 1).await?,
        start(cluster, &database, 1, 2).await?,
    ];
    let mut took = Vec::new();
    let mut job = 0;
    let mut jobs = BTreeMap::new();
    for (driver, ear) in &mut nodes {
        job += 1;
        let (ticket, runs) = joined(driver, ear, job).await?;
        jobs.insert(ticket, job);
        ensure!(runs == (job == 1), "one slot, taken by the first");
    }
    let mut turn = 0;
    let Heard::Works(mut running, _) = nodes[0].1.hear().await? else {
        bail!("the first works first")
    };
    while took.len() < HANDOVERS {
        let (driver, ear) = &mut nodes[turn];
        job += 1;
        let (ticket, _) = joined(driver, ear, job).await?;
        jobs.insert(ticket, job);
        let over = jobs.remove(&running).context("it has joined")?;
        let begun = Instant::now();
        driver.ask(Ask(job), release(over, running));
        turn = 1 - turn;
        let Heard::Works(next, at) = nodes[turn].1.hear().await? else {
            bail!("the other works next")
        };
        took.push(at.saturating_duration_since(begun).as_secs_f64() * 1e3);
        running = next;
        let Heard::Done = nodes[1 - turn].1.hear().await? else {
            bail!("the end is told")
        };
    }
    Ok(took)
}

async fn joined(driver: &Driver, ear: &mut Ear, job: u64) -> anyhow::Result<(TicketId, bool)> {
    driver.ask(Ask(job), join(job));
    match ear.hear().await? {
        Heard::Joined(_, ticket, runs) => Ok((ticket, runs)),
        _ => bail!("whoever asks to join is told of it first"),
    }
}

/// What the callers of all nodes have got.
#[derive(Default)]
struct Counted {
    /// Joins and ends.
    changes: AtomicU64,
    /// Milliseconds from each join to its start.
    starts: Mutex<Vec<f64>>,
}

/// Joins and ends a second, all nodes together, and the milliseconds from each join to its start.
async fn throughput(cluster: &Cluster) -> anyhow::Result<(f64, Vec<f64>)> {
    let database = cluster.database();
    let counted = Arc::new(Counted::default());
    let mut nodes = JoinSet::new();
    for node in 0..NODES {
        let (driver, ear) = start(cluster, &database, CALLERS * 2, node as u128 + 1).await?;
        nodes.spawn(callers(driver, ear, node as u64, Arc::clone(&counted)));
    }
    // Until all of them are there.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, begun) = (counted.changes.load(Ordering::Relaxed), Instant::now());
    let starts = || std::mem::take(&mut *counted.starts.lock().unwrap_or_else(PoisonError::into_inner));
    drop(starts());
    let measured = timeout(LENGTH, nodes.join_next()).await;
    if let Ok(Some(ended)) = measured {
        ended??;
    }
    let all = counted.changes.load(Ordering::Relaxed) - before;
    Ok((all as f64 / begun.elapsed().as_secs_f64(), starts()))
}

/// The callers of one node: each joins, ends its work as soon as that has begun, and joins again.
async fn callers(driver: Driver, mut ear: Ear, node: u64, counted: Arc<Counted>) -> anyhow::Result<()> {
    let mut jobs = BTreeMap::new();
    let mut asked = BTreeMap::new();
    let mut next = node << 32;
    let mut more = |asked: &mut BTreeMap<u64, Instant>| {
        next += 1;
        asked.insert(next, Instant::now());
        driver.ask(Ask(next), join(next));
    };
    (0..CALLERS / NODES).for_each(|_| more(&mut asked));
    loop {
        match ear.hear().await? {
            Heard::Joined(Ask(job), ticket, _) => {
                jobs.insert(ticket, job);
            }
            Heard::Works(ticket, at) => {
                counted.changes.fetch_add(1, Ordering::Relaxed);
                let job = jobs.remove(&ticket).context("it has joined")?;
                let began = asked.remove(&job).context("it has asked")?;
                let mut starts = counted.starts.lock().unwrap_or_else(PoisonError::into_inner);
                starts.push(millis(at.saturating_duration_since(began)));
                drop(starts);
                driver.ask(Ask(job), release(job, ticket));
            }
            Heard::Done => {
                counted.changes.fetch_add(1, Ordering::Relaxed);
                more(&mut asked);
            }
            Heard::Failed(_) => {}
        }
    }
}

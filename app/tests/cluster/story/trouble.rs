//! What happens to a node, or to all of them.

use std::{collections::BTreeSet, time::Duration};

use anteroom::wire::{Place, Status, TurnId};
use futures_util::future::join_all;
use rand::RngExt as _;
use tokio::{task::JoinSet, time::sleep};

use super::{NODES, SLOTS, Sending, Story, soon};
use crate::{browser::Browser, nodes::Node, proxy::Passage, surroundings::Surroundings};

/// Longer than a node may be silent before the others declare it gone, with a beat to find that out.
const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(20);
/// How long a way is slow.
const SLOW: Duration = Duration::from_secs(5);
/// How far clocks are put, in seconds.
pub(super) const HOUR: i64 = 3_600;
/// Far more than anybody waits here, and less than any clock is put, in seconds.
const LONG: f64 = 1_800.0;
/// A program sees within a second that its clock has been put.
const SEEN: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// `kill -9`, and a new start.
    Kill,
    /// It stands still for longer than its lease.
    Stop,
    /// It does not reach the database for longer than its lease.
    Cut,
    /// For as long, it reaches no other node, nor they it: at first they hear nothing at all, then they are heard, and not answered.
    Peers,
    /// For as long, it reaches neither the database nor any node: at first it is heard, and not answered, then it is not heard.
    Apart,
    /// What it sends to others and to the database, and they to it, takes long.
    Slow,
    /// Its wall clock is put forward by an hour, or back.
    Clock,
    /// The database crashes, and comes back.
    Database,
    /// It is asked to end, and started again.
    Restart,
}

impl Trouble {
    /// What happens in a round: every kind in twenty of them, and kills most often. Others take as long as a lease.
    pub(super) const fn of(round: u32) -> Self {
        match round % 20 {
            2 | 11 => Self::Clock,
            4 => Self::Stop,
            6 => Self::Peers,
            8 => Self::Cut,
            10 => Self::Slow,
            12 => Self::Database,
            14 => Self::Apart,
            16 => Self::Restart,
            _ => Self::Kill,
        }
    }

    /// The same, or what is most like it where this machine does not let it happen.
    pub(super) fn where_possible(self, node: &Node) -> Self {
        let surroundings = node.surroundings.as_ref();
        match self {
            Self::Peers if surroundings.is_none() => Self::Kill,
            Self::Apart if surroundings.is_none() => Self::Cut,
            Self::Clock if !surroundings.is_some_and(Surroundings::has_a_clock) => Self::Kill,
            same => same,
        }
    }

    /// Whether the node is one of them all the time.
    const fn leaves_all(self) -> bool {
        matches!(self, Self::Peers | Self::Slow | Self::Clock)
    }

    /// Whether what runs is known to have ended before others may run it.
    const fn keeps_limit(self) -> bool {
        self.leaves_all() || matches!(self, Self::Cut | Self::Apart)
    }
}

impl Story {
    /// Has it happen to one of them while people send, and looks at what may not have come of it.
    pub(super) async fn suffer(&mut self, trouble: Trouble) {
        let before = self.all_there().await;
        let since = self.last_began();
        let mut sending = JoinSet::new();
        self.send_some(&mut sending, 0.4);
        let victim = self.random.random_range(0..NODES);
        self.befall(trouble, victim, &mut sending).await;
        assert!(self.nodes.iter().all(Node::is_there));
        if trouble.leaves_all() {
            assert_eq!(self.there(), before, "somebody was declared gone");
        }
        self.take_in(sending).await;
        let record = self.model.record();
        if trouble.keeps_limit() {
            // Those of before may be seen to end a moment later than they did.
            let most = record.most_at_once(since.next_up());
            assert!(most <= SLOTS, "{most} requests were with the model at once");
        }
        if trouble != Trouble::Stop {
            let now = record.now;
            assert!(now <= SLOTS, "{now} requests are with the model at once");
        }
    }

    async fn befall(&mut self, trouble: Trouble, victim: usize, sending: &mut Sending) {
        if trouble != Trouble::Clock {
            sleep(Duration::from_micros(self.random.random_range(0..500_000))).await;
        }
        match trouble {
            Trouble::Kill => {
                self.nodes[victim].kill();
                sleep(Duration::from_micros(self.random.random_range(0..1_500_000))).await;
                self.nodes[victim].start();
            }
            Trouble::Stop => {
                self.nodes[victim].stop();
                self.half(sending).await;
                self.half(sending).await;
                self.nodes[victim].go_on();
                // What it had open with the model when it stopped ends as soon as it knows.
                soon(
                    "a node that stood still to end its work",
                    self.model.until(|record| record.now <= SLOTS),
                )
                .await;
            }
            Trouble::Cut => {
                self.nodes[victim].database.set(Passage::Cut);
                self.half(sending).await;
                self.half(sending).await;
                self.nodes[victim].database.set(Passage::Open);
            }
            Trouble::Peers => {
                for passage in [Passage::Cut, Passage::Unanswered] {
                    self.set_peers(victim, passage);
                    self.half(sending).await;
                }
                self.set_peers(victim, Passage::Open);
            }
            Trouble::Apart => {
                for passage in [Passage::Unanswered, Passage::Cut] {
                    self.set_all(victim, passage);
                    self.half(sending).await;
                }
                self.set_all(victim, Passage::Open);
            }
            Trouble::Slow => {
                let by = Duration::from_millis(self.random.random_range(50..400));
                self.set_all(victim, Passage::Slow(by));
                sleep(SLOW).await;
                self.set_all(victim, Passage::Open);
            }
            Trouble::Clock => self.put_clock(victim).await,
            Trouble::Database => {
                self.database.crash();
                sleep(Duration::from_micros(self.random.random_range(0..2_000_000))).await;
                self.database.start_again();
            }
            Trouble::Restart => {
                self.nodes[victim].end();
                self.nodes[victim].start();
            }
        }
    }

    /// Half of what is longer than a lease, while people go on to send.
    async fn half(&mut self, sending: &mut Sending) {
        self.send_some(sending, 0.1);
        sleep(LONGER_THAN_A_LEASE / 2).await;
    }

    /// Until those that are with the model stay: nothing starts any more.
    async fn all_held(&self) {
        let mut before = Vec::new();
        loop {
            // Longer than an answer takes that is not held.
            sleep(Duration::from_millis(200)).await;
            let record = self.model.record();
            let open = record.requests.iter().filter(|request| request.ended.is_none());
            let open: Vec<u64> = open.map(|request| request.id).collect();
            if open.len() == SLOTS && open == before {
                return;
            }
            before = open;
        }
    }

    /// When the last request came to the model, by that one's clock.
    fn last_began(&self) -> f64 {
        self.model.record().requests.last().map_or(0.0, |last| last.began)
    }

    /// Its ways to the other nodes, and theirs to it.
    fn set_peers(&self, victim: usize, passage: Passage) {
        for (at, node) in self.nodes.iter().enumerate() {
            for (from, way) in &node.peers {
                if at == victim || *from == victim {
                    way.set(passage);
                }
            }
        }
    }

    fn set_all(&self, victim: usize, passage: Passage) {
        self.nodes[victim].database.set(passage);
        self.set_peers(victim, passage);
    }

    /// The places that people have, and how long they are told that they wait, are what they were.
    async fn put_clock(&mut self, victim: usize) {
        // Before what is sent has been answered.
        self.model.hold(true);
        soon("every slot to be held", self.all_held()).await;
        soon("a line", async {
            let short = |status: Status| status.line().is_none_or(|line| line.waiting < 3);
            while short(self.browsers[0].status().await) {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let before = self.first_places().await;
        let off_by = self.nodes[victim].surroundings.as_mut().map_or(0, |surroundings| {
            surroundings.put_forward(if self.random.random() { HOUR } else { -HOUR });
            surroundings.off_by
        });
        println!("the clock of node {victim} is off by {off_by} s");
        sleep(SEEN).await;
        let after = self.first_places().await;
        self.model.hold(false);
        assert!(!before.is_empty(), "nobody waits");
        for (turn, place) in before {
            let now = after.iter().find(|(one, _)| *one == turn);
            let (_, now) = now.unwrap_or_else(|| panic!("{place:?} is lost"));
            assert!(now.position <= place.position, "{now:?}, and before {place:?}");
            for place in [now, &place] {
                let waits = place.estimate.map_or(0.0, |estimate| estimate.high);
                assert!((0.0..LONG).contains(&waits), "{place:?}");
            }
        }
    }

    /// Everybody's first waiting message, and its place.
    async fn first_places(&self) -> Vec<(TurnId, Place)> {
        let statuses = join_all(self.browsers.iter().map(Browser::status)).await;
        let places = statuses
            .into_iter()
            .filter_map(|status| status.places.into_iter().next());
        places.filter_map(|place| Some((place.turn?, place))).collect()
    }

    /// Wall clocks were wrong, where they could be: messages have times that are far from those of the ones which were stored before them.
    pub(super) fn look_at_times(&self) {
        let surroundings = self.nodes[0].surroundings.as_ref();
        if !surroundings.is_some_and(Surroundings::has_a_clock) {
            return;
        }
        let steps = "SELECT accepted_at - lag(accepted_at) OVER (ORDER BY key) AS step FROM turns";
        let count = format!(
            "SELECT count(*) FROM ({steps}) steps WHERE abs(step) > {}",
            LONG * 1_000.0
        );
        let count = self.database.sql(&self.name, &count);
        assert_ne!(count, "0", "no clock was wrong");
    }

    /// The nodes that take part, once all do.
    async fn all_there(&self) -> BTreeSet<String> {
        soon("every node to take part", async {
            loop {
                let there = self.there();
                if there.len() == NODES {
                    return there;
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// The nodes that take part, each start by a name of its own.
    fn there(&self) -> BTreeSet<String> {
        let rows = self.database.sql(&self.name, "SELECT id FROM nodes");
        rows.lines().map(str::to_owned).collect()
    }
}

//! Sixty browsers, a slow model, three nodes, and what may happen to them.

mod trouble;

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use anteroom::wire::{ConversationId, ConversationView};
use anteroom_loopback::{Config, Loopback};
use anteroom_pgtest::Cluster;
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    browser::{Accepted, Browser},
    nginx::Nginx,
    nodes::Node,
};
use trouble::{HOUR, Trouble};

const BROWSERS: usize = 60;
const NODES: usize = 3;
const SLOTS: usize = 3;
/// Longest time that anything may take before it is given up: far more than it needs.
const GIVE_UP: Duration = Duration::from_secs(180);

/// Messages on their way, each with the number of its browser.
type Sending = JoinSet<(usize, Accepted)>;

pub(crate) struct Story {
    random: StdRng,
    model: Loopback,
    database: Cluster,
    /// The database's.
    name: String,
    nodes: Vec<Node>,
    _nginx: Nginx,
    browsers: Vec<Browser>,
    pages: JoinSet<()>,
    accepted: Vec<Vec<Accepted>>,
    sent: usize,
}

/// What happened.
pub(crate) struct Counts {
    troubles: BTreeMap<Trouble, u32>,
    accepted: usize,
    requests: usize,
    refusals: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}: {} messages accepted, each with exactly one answer; {} were begun again; {} were sent again",
            self.troubles,
            self.accepted,
            self.requests - self.accepted,
            self.refusals
        )
    }
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// Has the nodes reach each other by ways that can be cut, where that is possible, and one of them have a wall clock that is wrong from the
/// beginning.
pub(crate) fn set_apart(nodes: &mut [Node]) {
    Node::set_apart(nodes);
    if let Some(surroundings) = nodes.last_mut().and_then(|node| node.surroundings.as_mut()) {
        surroundings.put_forward(HOUR);
    }
}

impl Story {
    /// Starts all of them. The nodes are made ready by `prepare`, which may be [`set_apart`].
    pub(crate) async fn begin(nginx: PathBuf, seed: u64, prepare: impl FnOnce(&mut [Node])) -> Self {
        let model = Loopback::start(Config::default()).await.expect("a free port");
        model.set("first_token", "40ms").expect("a knob");
        let slots = SLOTS.to_string();
        let base = model.base_url();
        let settings = [
            ("MODEL", "loopback@openai"),
            ("OPENAI_BASE_URL", &*base),
            ("CHAT_CONCURRENCY_LIMIT", &slots),
            ("QUEUE_MAX_WAITING_PER_SESSION", "none"),
            ("QUEUE_ABANDON_AFTER", "none"),
            ("CHAT_TIMEOUT", "none"),
            ("MODEL_RETRIES", "0"),
            ("SHUTDOWN_GRACE", "5s"),
        ];
        let database = Cluster::start();
        let name = database.database();
        let mut nodes: Vec<_> = (0..NODES).map(|_| Node::new(&database, &name, &settings)).collect();
        prepare(&mut nodes);
        for node in &mut nodes {
            node.start();
        }
        let addresses: Vec<_> = nodes.iter().map(|node| node.addr).collect();
        let nginx = Nginx::start(nginx, &addresses);
        let browsers = join_all((0..BROWSERS).map(|_| Browser::visit(nginx.addr))).await;
        let mut pages = JoinSet::new();
        for browser in &browsers {
            pages.spawn(browser.clone().follow());
        }
        Self {
            random: StdRng::seed_from_u64(seed),
            model,
            database,
            name,
            nodes,
            _nginx: nginx,
            accepted: vec![Vec::new(); browsers.len()],
            browsers,
            pages,
            sent: 0,
        }
    }

    /// Goes through so many troubles while everybody sends.
    pub(crate) async fn tell(mut self, rounds: u32) -> Counts {
        let mut troubles = BTreeMap::new();
        for round in 0..rounds {
            let trouble = Trouble::of(round).where_possible(&self.nodes[0]);
            println!("round {round}: {trouble:?}");
            *troubles.entry(trouble).or_default() += 1;
            self.suffer(trouble).await;
        }
        self.settle().await;
        self.look_at_times();
        let accepted = self.accepted.iter().map(Vec::len).sum();
        let record = self.model.record();
        let requests = record
            .requests
            .iter()
            .filter(|request| request.question.starts_with("message"));
        Counts {
            troubles,
            accepted,
            requests: requests.count(),
            refusals: self.browsers.iter().map(|browser| browser.refusals().len()).sum(),
        }
    }

    /// Each node is asked to end and started again, one after the other, while everybody sends.
    pub(crate) async fn roll(mut self) {
        for node in 0..NODES {
            let mut sending = JoinSet::new();
            self.send_some(&mut sending, 1.0);
            let mut ending = std::mem::take(&mut self.nodes);
            ending = tokio::task::spawn_blocking(move || {
                let status = ending[node].end();
                assert!(status.success(), "it ends well: {status}");
                ending[node].start();
                ending
            })
            .await
            .expect("no panic");
            self.nodes = ending;
            self.take_in(sending).await;
        }
        let refusals: Vec<String> = self.browsers.iter().flat_map(Browser::refusals).collect();
        assert!(refusals.is_empty(), "somebody was shown an error: {refusals:#?}");
        self.settle().await;
    }

    /// Has some of the browsers send, a little later each.
    fn send_some(&mut self, sending: &mut Sending, share: f64) {
        for (at, browser) in self.browsers.iter().enumerate() {
            if !self.random.random_bool(share) {
                continue;
            }
            self.sent += 1;
            let (browser, wait) = (
                browser.clone(),
                Duration::from_micros(self.random.random_range(0..600_000)),
            );
            let text = format!("message {} of browser {at} end", self.sent);
            sending.spawn(async move {
                sleep(wait).await;
                (at, browser.send(None::<ConversationId>, text).await)
            });
        }
    }

    async fn take_in(&mut self, mut sending: Sending) {
        while let Some(sent) = soon("all that was sent to be accepted", sending.join_next()).await {
            let (at, sent) = sent.expect("no panic");
            self.accepted[at].push(sent);
        }
        assert!(self.pages.try_join_next().is_none(), "a page has failed");
    }

    /// Waits until nobody waits, and looks at all that was said.
    async fn settle(&mut self) {
        soon("the line to empty", async {
            loop {
                let statuses = join_all(self.browsers.iter().map(Browser::status)).await;
                let empty = statuses.iter().all(|status| {
                    let line = status.line().expect("a line");
                    line.waiting == 0 && line.running == 0
                });
                if empty {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        for (browser, accepted) in self.browsers.iter().zip(&self.accepted) {
            for message in accepted {
                let view = settled(browser, message).await;
                browser.check(message, &view);
            }
        }
        assert_eq!(self.accepted.iter().map(Vec::len).sum::<usize>(), self.sent);
        assert!(self.pages.try_join_next().is_none(), "a page has failed");
        // As many run at once as ever, and no more.
        self.model.set("first_token", "0").expect("a knob");
        self.model.hold(true);
        for (at, browser) in self.browsers.iter().enumerate().take(SLOTS + 1) {
            browser.send(None, format!("last {at}")).await;
        }
        soon(
            "every slot to be in use",
            self.model.until(|record| record.now == SLOTS),
        )
        .await;
        let status = soon("a line of one", async {
            loop {
                let status = self.browsers[0].status().await;
                if status.line().is_some_and(|line| line.waiting == 1) {
                    return status;
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
        let status = status.await;
        assert_eq!(status.line().map(|line| line.running), Some(SLOTS as u64));
        self.model.hold(false);
    }
}

/// A conversation whose turns are over.
async fn settled(browser: &Browser, message: &Accepted) -> ConversationView {
    soon("an outcome", async {
        loop {
            let view = browser.conversation(message.conversation).await;
            if view.turns.iter().all(|turn| turn.state.is_over()) {
                return view;
            }
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

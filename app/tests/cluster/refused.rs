//! Who comes and may not: nodes that do not fit, and strangers at the address that is for nodes. Each is told why at once, and whoever is there
//! already notices nothing: two nodes go on with their line, feeds stay open, every message is asked of the model once.

use std::{
    collections::{HashMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anteroom::wire::{FeedEvent, FeedMessage, TurnId, TurnState};
use anteroom_loopback::{Config, Loopback};
use anteroom_pgtest::{Cluster, PASSWORD, free_port};
use futures_util::{StreamExt as _, future::join_all};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Command,
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{
    browser::{Accepted, Browser},
    nodes::Node,
    seen::metric,
    surroundings::Surroundings,
};

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(120);
const PEOPLE: usize = 6;
/// Strangers of a kind that are there at a time.
const CROWD: usize = 50;

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// What a page has shown.
#[derive(Default)]
struct Seen {
    /// Of the last event of its feed.
    number: u64,
    /// The message that waits, and where.
    place: Option<(TurnId, u64)>,
    answers: HashMap<TurnId, String>,
}

/// Somebody whose page stays open.
struct Person {
    browser: Browser,
    page: watch::Receiver<Seen>,
}

impl Person {
    /// Comes in at a node, with a page that is followed until its feed closes, which it is not to do.
    async fn come(node: &Node, pages: &mut JoinSet<()>) -> Self {
        let browser = Browser::visit(node.addr).await;
        let mut request = format!("ws://{}/feed", browser.addr)
            .into_client_request()
            .expect("an address");
        let origin = format!("http://{}", browser.addr);
        for (name, value) in [("cookie", &browser.cookie), ("origin", &origin)] {
            let value = HeaderValue::from_str(value).expect("text");
            request.headers_mut().insert(name, value);
        }
        let (mut feed, _) = connect_async(request).await.expect("a feed");
        let (shows, page) = watch::channel(Seen::default());
        pages.spawn(async move {
            while let Some(Ok(frame)) = feed.next().await {
                let Message::Text(text) = frame else { continue };
                let message = serde_json::from_str(&text).expect("a feed message");
                shows.send_modify(|seen| seen.take(message));
            }
        });
        Self { browser, page }
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        let mut page = self.page.clone();
        let shown = soon(what, page.wait_for(is_so)).await;
        assert!(shown.is_ok(), "a page has lost its feed before {what}");
    }
}

impl Seen {
    fn take(&mut self, message: FeedMessage) {
        match message {
            FeedMessage::Hello { position, .. } => {
                assert_eq!(self.number, 0, "a feed begins once");
                self.number = position.number;
            }
            FeedMessage::Event { number, event } => {
                assert!(number > self.number, "{number} after {}", self.number);
                self.number = number;
                if let FeedEvent::Turn(turn) = event
                    && turn.state == TurnState::Done
                {
                    let before = self.answers.insert(turn.id, turn.answer.clone());
                    assert!(before.is_none_or(|before| before == turn.answer), "it has changed");
                }
            }
            FeedMessage::Status(status) => {
                let first = status.places.first();
                let place = first.and_then(|place| Some((place.turn?, place.position)));
                if let (Some((turn, now)), Some((same, before))) = (place, self.place) {
                    assert!(turn != same || now <= before, "{before} has become {now}");
                }
                self.place = place;
            }
            _ => {}
        }
    }
}

/// Two nodes at work, and a third one that is started as it should not be.
struct Story {
    database: &'static Cluster,
    /// The database's.
    name: String,
    model: Loopback,
    nodes: Vec<Node>,
    third: Node,
    people: Vec<Person>,
    pages: JoinSet<()>,
    /// Whose messages are answered next; the first one is being answered.
    line: VecDeque<(usize, Accepted)>,
    answered: Vec<(usize, Accepted)>,
}

impl Story {
    async fn begin(database: &'static Cluster) -> Self {
        let model = Loopback::start(Config::default()).await.expect("a free port");
        model.hold(true);
        let base = model.base_url();
        let settings = [
            ("MODEL", "loopback@openai"),
            ("OPENAI_BASE_URL", base.as_str()),
            ("CHAT_CONCURRENCY_LIMIT", "1"),
            ("MODEL_RETRIES", "0"),
            ("QUEUE_ABANDON_AFTER", "none"),
        ];
        let name = database.database();
        let mut nodes: Vec<_> = (0..2).map(|_| Node::new(database, &name, &settings)).collect();
        Node::set_apart(&mut nodes);
        nodes.iter_mut().for_each(Node::start);
        let third = Node::new(database, &name, &settings);
        let (mut people, mut pages) = (Vec::new(), JoinSet::new());
        for at in 0..PEOPLE {
            people.push(Person::come(&nodes[at % nodes.len()], &mut pages).await);
        }
        let mut story = Self {
            database,
            name,
            model,
            nodes,
            third,
            people,
            pages,
            line: VecDeque::new(),
            answered: Vec::new(),
        };
        for at in 0..PEOPLE {
            story.send(at).await;
        }
        soon("somebody to be answered", story.model.until(|record| record.now == 1)).await;
        story.undisturbed().await;
        story
    }

    async fn send(&mut self, at: usize) {
        let text = format!("message {} end", self.line.len() + self.answered.len());
        let message = self.people[at].browser.send(None, text).await;
        self.line.push_back((at, message));
    }

    fn sql(&self, statement: &str) -> String {
        self.database.sql(&self.name, statement)
    }

    /// Everybody stands where they are to stand, by their pages, and nobody has lost anything.
    async fn undisturbed(&mut self) {
        for (position, (at, message)) in self.line.iter().enumerate() {
            let place = (position > 0).then_some((message.turn, position as u64));
            let what = format!("the place of {}: {position}", message.text);
            self.people[*at].until(&what, |seen| seen.place == place).await;
        }
        assert!(self.pages.try_join_next().is_none(), "a feed has ended");
        let record = self.model.record();
        let mut asked: Vec<_> = record.requests.iter().map(|request| &request.question).collect();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), record.requests.len(), "a message was asked twice");
        assert_eq!((record.requests.len(), record.max), (self.answered.len() + 1, 1));
        for node in &self.nodes {
            assert_eq!(metric(node, "anteroom_nodes").await, Some(2.0));
            assert_eq!(metric(node, "anteroom_node_takes_part").await, Some(1.0));
        }
        let appended = self.sql("SELECT count(DISTINCT node) FROM log");
        assert_eq!(appended, "2", "nobody else has a say in the line");
    }

    /// One is answered, the next is asked, and somebody comes in behind the last: all of that is seen on both nodes.
    async fn goes_on(&mut self) {
        let (at, message) = self.line.pop_front().expect("somebody is being answered");
        let asked = self.model.record().requests.len();
        self.model.release_one();
        let turn = message.turn;
        self.people[at]
            .until("an answer", |seen| seen.answers.contains_key(&turn))
            .await;
        soon(
            "the next one to be asked",
            self.model.until(|record| record.requests.len() > asked),
        )
        .await;
        self.answered.push((at, message));
        self.send(at).await;
        self.undisturbed().await;
    }

    /// The third node is started with these settings, and ends: with this code, and words that have all of these in them.
    async fn refuses(&mut self, settings: &[(&str, &str)], code: i32, words: &[&str]) {
        let rows = self.sql("SELECT id FROM nodes ORDER BY id");
        let mut command = Command::from(self.third.command());
        command.envs(settings.iter().copied()).kill_on_drop(true);
        let output = soon("a node to be refused", command.output()).await.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(output.stdout.is_empty(), "it has served");
        for word in words {
            assert!(said.contains(word), "{word} is missing: {said}");
        }
        for secret in [PASSWORD, "another-key"] {
            assert!(!said.contains(secret), "{said}");
        }
        assert_eq!(
            self.sql("SELECT id FROM nodes ORDER BY id"),
            rows,
            "it has left something behind: {words:?}"
        );
        self.goes_on().await;
    }

    /// A newer version than those that run, as their rows say it: it listens to nobody until they have ended. It is ended first.
    async fn waits_for_older_ones(&mut self) {
        let format: i32 = self.sql("SELECT format FROM log_head").parse().expect("a number");
        let all_have =
            |format: i32| format!("UPDATE nodes SET format = {format}; UPDATE log_head SET format = {format}");
        self.sql(&all_have(format - 1));
        let rows = self.sql("SELECT id FROM nodes ORDER BY id");
        let mut command = Command::from(self.third.command());
        let mut newer = command.kill_on_drop(true).spawn().expect("it runs");
        let mut said = BufReader::new(newer.stderr.take().expect("it is piped")).lines();
        soon("word of the older ones", async {
            while let Some(line) = said.next_line().await.expect("text") {
                if line.contains("it takes part once they have ended") {
                    return;
                }
            }
            panic!("it has ended");
        })
        .await;
        let refused = TcpStream::connect(self.third.addr).await;
        assert!(refused.is_err(), "a load balancer would send somebody there");
        self.goes_on().await;
        let pid = newer.id().expect("it runs");
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -TERM {pid}")]);
        assert!(kill.status().await.expect("it runs").success());
        // What is said until then must not fill the pipe.
        let rest = async { while let Ok(Some(_)) = said.next_line().await {} };
        let (status, ()) = soon("its end", async { tokio::join!(newer.wait(), rest) }).await;
        assert!(status.expect("it ran").success(), "it was asked to end");
        assert_eq!(
            self.sql("SELECT id FROM nodes ORDER BY id"),
            rows,
            "it has left something behind"
        );
        self.sql(&all_have(format));
        self.goes_on().await;
    }

    /// Strangers where only nodes have anything to say.
    async fn strangers(&mut self) {
        let port = self.nodes[0].link.rsplit(':').next().expect("a port");
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().expect("a port")));
        let rubbish: Vec<u8> = (0..100_000_u32)
            .map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(100_000));
        let sent_away: [&[u8]; 4] = [
            &rubbish,
            long.as_bytes(),
            b"\x16\x03\x01\x00\xc5\x01\x00\x00\xc1\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ];
        for said in sent_away {
            let stranger = async {
                let mut stranger = TcpStream::connect(addr).await.expect("it listens");
                // It may be sent away before it has said all.
                let _ = stranger.write_all(said).await;
                let _ = stranger.read_to_end(&mut Vec::new()).await;
            };
            soon("a stranger to be sent away", stranger).await;
        }
        let forged = "0".repeat(64);
        for path in ["/node", "/feed", "/api/overview"] {
            let head =
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-anteroom-link: {forged}\r\nconnection: close\r\n\r\n");
            let mut stranger = TcpStream::connect(addr).await.expect("it listens");
            stranger.write_all(head.as_bytes()).await.expect("written");
            let mut told = String::new();
            soon("an answer", stranger.read_to_string(&mut told))
                .await
                .expect("text");
            assert!(told.starts_with("HTTP/1.1 403 "), "{told}");
            assert!(told.contains("This address is for the other nodes"), "{told}");
        }
        self.goes_on().await;

        let mut stalled = Vec::new();
        for said in ["", "GET /node HTTP/1.1\r\nhost: x\r\nx-anteroom-link: 0"] {
            for _ in 0..CROWD {
                let mut stranger = TcpStream::connect(addr).await.expect("it listens");
                stranger.write_all(said.as_bytes()).await.expect("written");
                stalled.push(stranger);
            }
        }
        for _ in 0..2 {
            self.goes_on().await;
        }
        let ends = stalled.iter_mut().map(|stranger| async move {
            let mut told = Vec::new();
            let _ = stranger.read_to_end(&mut told).await;
            told
        });
        for told in soon("those who say nothing to be sent away", join_all(ends)).await {
            let told = String::from_utf8_lossy(&told);
            assert!(told.is_empty() || told.starts_with("HTTP/1.1 408 "), "{told}");
        }
    }

    /// All are answered; and a node that nothing stands in the way of is let in.
    async fn end(mut self) {
        self.model.hold(false);
        self.answered.extend(self.line);
        for (at, message) in &self.answered {
            let person = &self.people[*at];
            person
                .until("an answer", |seen| seen.answers.contains_key(&message.turn))
                .await;
            let view = person.browser.conversation(message.conversation).await;
            person.browser.check(message, &view);
            assert_eq!(person.page.borrow().answers[&message.turn], view.turns[0].answer);
            assert_eq!(self.model.record().of(&message.text).count(), 1, "{message:?}");
        }
        assert!(self.pages.try_join_next().is_none(), "a feed has ended");
        for person in &self.people {
            let refusals = person.browser.refusals();
            assert!(refusals.is_empty(), "somebody was shown an error: {refusals:#?}");
        }
        self.third.start();
        for node in self.nodes.iter().chain([&self.third]) {
            soon("three nodes", async {
                while metric(node, "anteroom_nodes").await != Some(3.0) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
        }
        let rows = self.database.sql(&self.name, "SELECT count(*) FROM nodes");
        assert_eq!(rows, "3", "what its starts of before have left is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_is_told_why_and_leaves_the_others_undisturbed() {
    let Some(database) = anteroom_pgtest::shared() else {
        return;
    };
    let mut story = Story::begin(database).await;
    story.goes_on().await;

    let other_key = ("SECRET_KEY", "another-key-that-is-of-use-to-nobody-but-tests");
    story
        .refuses(&[other_key], 1, &["begun with another key", "SECRET_KEY"])
        .await;
    story
        .refuses(
            &[("NODE_ADDR", "")],
            1,
            &["is in use by several Anterooms", "NODE_ADDR"],
        )
        .await;

    story.sql("UPDATE log_head SET format = format + 1");
    story
        .refuses(
            &[],
            1,
            &["a newer version of Anteroom keeps the line", "start that one"],
        )
        .await;
    story.sql("UPDATE log_head SET format = format - 1");

    let taken = story.nodes[0].link.clone();
    let port = taken.rsplit(':').next().expect("a port").to_owned();
    let here = format!("127.0.0.1:{port}");
    story
        .refuses(
            &[("NODE_ADDR", &here)],
            1,
            &[&here, "is in use by another program", "NODE_ADDR"],
        )
        .await;
    // The same name on another machine.
    if story.nodes[0].surroundings.is_some() {
        let (name, _) = taken.split_once(':').expect("a name");
        let elsewhere = [(name.to_owned(), Ipv4Addr::new(127, 0, 2, 1).into())];
        story.third.surroundings = Surroundings::of(&elsewhere);
        let words = [taken.as_str(), "Give each an address of its own"];
        story.refuses(&[("NODE_ADDR", &taken)], 1, &words).await;
        story.third.surroundings = None;
    }

    story.strangers().await;

    let name = story.name.clone();
    let role = format!("nobody_of_{name}");
    story.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
    let nowhere = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{name}", free_port());
    for (address, code, words) in [
        ("mysql://db/anteroom".to_owned(), 2, ["DATABASE_URL", "postgres://"]),
        (
            database.url_of("postgres", "wrong", &name),
            1,
            ["does not let the role postgres in", "DATABASE_URL"],
        ),
        (database.url("nowhere"), 1, ["has no database nowhere", "createdb"]),
        (nowhere, 1, ["cannot be reached", "DATABASE_URL"]),
        (
            database.url_of(&role, PASSWORD, &name),
            1,
            ["may not use the database", "ALTER DATABASE"],
        ),
    ] {
        story.refuses(&[("DATABASE_URL", &address)], code, &words).await;
    }
    story.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '', 0)",
    );
    story.refuses(&[], 1, &["made by a newer Anteroom", "9999"]).await;
    story.sql("DELETE FROM _sqlx_migrations WHERE version = 9999");

    story.waits_for_older_ones().await;
    story.end().await;
}

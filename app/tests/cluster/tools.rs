//! Tools in front of three nodes: leave is asked for where a session is at home, and given or refused at whatever door its browser comes
//! through. A node that dies meanwhile costs neither the question nor a second use of the tool.

use std::{
    future::ready,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anteroom::wire::{ConversationId, ConversationView, Sent, StepState, ToolFault, TurnId, TurnState, TurnView};
use anteroom_loopback::{Config, Loopback};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::{Stream, StreamExt as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, header, redirect};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{client::IntoClientRequest as _, http::HeaderValue},
};

use crate::nodes::Node;

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(120);
/// Between two looks.
const AGAIN: Duration = Duration::from_millis(20);
/// What the model is told to do.
const QUESTION: &str = "Please use tool t__write with {\"path\": \"x\"}.";
const FORM: &str = "application/x-www-form-urlencoded";

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// A server of tools that all nodes have in common. Its one tool changes something, and is counted.
#[derive(Clone)]
struct Writer {
    calls: Arc<AtomicUsize>,
    /// Whether a call does not return for now.
    holds: watch::Sender<bool>,
}

impl Writer {
    /// Starts it; with it, the file that names it to the nodes.
    async fn start() -> (Self, NamedTempFile) {
        let writer = Self {
            calls: Arc::default(),
            holds: watch::Sender::new(false),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let router = Router::new().route("/mcp", post(mcp)).with_state(writer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut file = NamedTempFile::new().expect("a file");
        let servers = json!({ "mcpServers": { "t": { "type": "http", "url": url, "leave": "ask" } } });
        write!(file, "{servers}").expect("written");
        (writer, file)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn mcp(State(writer): State<Writer>, Json(message): Json<Value>) -> Response {
    let id = &message["id"];
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{ "name": "write", "inputSchema": { "type": "object" } }] }),
        Some("tools/call") => {
            writer.calls.fetch_add(1, Ordering::SeqCst);
            let mut holds = writer.holds.subscribe();
            let _ = holds.wait_for(|holds| !holds).await;
            json!({ "content": [{ "type": "text", "text": "written" }] })
        }
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

/// Three nodes, the model before which they stand, and the server of tools.
struct Site {
    nodes: Vec<Node>,
    model: Loopback,
    writer: Writer,
    _file: NamedTempFile,
}

impl Site {
    /// `None`: there is no PostgreSQL here.
    async fn start() -> Option<Self> {
        let cluster = anteroom_pgtest::shared()?;
        anteroom::tls::install();
        let model = Loopback::start(Config::default()).await.expect("a free port");
        let (writer, file) = Writer::start().await;
        let (base, path) = (model.base_url(), file.path().display().to_string());
        let settings = [
            ("MODEL", "loopback@openai"),
            ("OPENAI_BASE_URL", base.as_str()),
            ("MCP_FILE", path.as_str()),
        ];
        let database = cluster.database();
        let mut nodes: Vec<_> = (0..3).map(|_| Node::new(cluster, &database, &settings)).collect();
        for node in &mut nodes {
            node.start();
        }
        for node in &nodes {
            // From then on all agree on who is at home where.
            soon("all nodes to know each other", async {
                while metric(node, "anteroom_nodes").await != Some(3) {
                    sleep(AGAIN).await;
                }
            })
            .await;
        }
        Some(Self {
            nodes,
            model,
            writer,
            _file: file,
        })
    }

    /// Somebody whose session is at home on the first node: where their feed ends.
    async fn at_home_on_the_first(&self) -> Person {
        soon("a session that is at home on the first node", async {
            loop {
                self.until_connected(0).await;
                let person = Person::come(&self.nodes[0]).await;
                let feed = person.feed(&self.nodes[0]).await;
                let connected = self.until_connected(1).await;
                drop(feed);
                if connected[0] == 1 {
                    self.until_connected(0).await;
                    return person;
                }
            }
        })
        .await
    }

    /// Waits until the nodes have so many feeds together; how many each has.
    async fn until_connected(&self, all: u64) -> Vec<u64> {
        loop {
            let mut connected = Vec::new();
            for node in &self.nodes {
                connected.push(metric(node, "anteroom_connected").await.unwrap_or_default());
            }
            if connected.iter().sum::<u64>() == all {
                return connected;
            }
            sleep(AGAIN).await;
        }
    }

    /// How often the model was asked.
    fn asked(&self) -> usize {
        self.model.record().requests.len()
    }
}

async fn metric(node: &Node, series: &str) -> Option<u64> {
    let text = reqwest::get(format!("http://{}/metrics", node.addr)).await.ok()?;
    let text = text.text().await.ok()?;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// A device without any cookie, which follows no redirect by itself.
fn device() -> Client {
    anteroom::tls::install();
    let device = Client::builder().no_proxy().redirect(redirect::Policy::none());
    device.build().expect("a client")
}

/// A browser that comes through whichever door the test says.
struct Person {
    http: Client,
    cookie: String,
}

impl Person {
    async fn come(node: &Node) -> Self {
        let http = device();
        let page = http
            .get(format!("http://{}/", node.addr))
            .header(header::ACCEPT, "text/html");
        let page = page.send().await.expect("a page");
        let cookie = page.headers()[header::SET_COOKIE].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { http, cookie }
    }

    async fn feed(&self, node: &Node) -> impl Sized + use<> {
        let mut request = format!("ws://{}/feed", node.addr)
            .into_client_request()
            .expect("an address");
        let origin = format!("http://{}", node.addr);
        for (name, value) in [("cookie", self.cookie.as_str()), ("origin", &*origin)] {
            let value = HeaderValue::from_str(value).expect("text");
            request.headers_mut().insert(name, value);
        }
        connect_async(request).await.expect("a feed").0
    }

    fn post(&self, node: &Node, path: &str) -> RequestBuilder {
        let post = self.http.post(format!("http://{}{path}", node.addr));
        post.header(header::COOKIE, &self.cookie).timeout(GIVE_UP)
    }

    /// What a server function answers; `None`: nobody can answer at the moment.
    async fn form(&self, node: &Node, function: &str, fields: String) -> Option<String> {
        let form = self.post(node, &format!("/api/{function}"));
        let reply = form.header(header::CONTENT_TYPE, FORM).body(fields).send().await.ok()?;
        let is_good = reply.status() == StatusCode::OK;
        let text = reply.text().await.ok()?;
        is_good.then_some(text)
    }

    async fn overview(&self, node: &Node) -> Option<Value> {
        let text = self.form(node, "overview", String::new()).await?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    async fn send(&self, node: &Node, text: &str) -> Sent {
        self.send_to(node, None, text).await
    }

    async fn send_to(&self, node: &Node, conversation: Option<ConversationId>, text: &str) -> Sent {
        let request = json!({
            "turn": TurnId::new(), "conversation": conversation, "instead_of": null, "text": text, "files": [], "choice": null,
        });
        let post = self
            .post(node, "/api/send")
            .header(header::CONTENT_TYPE, "application/json");
        let reply = post.body(json!({ "request": request }).to_string()).send().await;
        let reply = reply.expect("an answer");
        assert_eq!(reply.status(), StatusCode::OK);
        serde_json::from_str(&reply.text().await.expect("a body")).expect("accepted")
    }

    async fn turn(&self, node: &Node, id: ConversationId) -> Option<TurnView> {
        let text = self.form(node, "conversation", format!("id={id}")).await?;
        let view: Option<ConversationView> = serde_json::from_str(&text).expect("JSON");
        view?.turns.pop()
    }

    async fn until(&self, node: &Node, id: ConversationId, what: &str, is: impl Fn(&TurnView) -> bool) -> TurnView {
        soon(what, async {
            loop {
                if let Some(turn) = self.turn(node, id).await.filter(&is) {
                    return turn;
                }
                sleep(AGAIN).await;
            }
        })
        .await
    }

    /// Waits until the answer asks for leave, as this node's door shows it.
    async fn until_asked(&self, node: &Node, id: ConversationId) -> TurnView {
        let asks = |turn: &TurnView| turn.state == TurnState::Running && states(turn) == [StepState::Asks];
        self.until(node, id, "a question for leave", asks).await
    }

    async fn until_over(&self, node: &Node, id: ConversationId) -> TurnView {
        self.until(node, id, "the end of the answer", |turn| turn.state.is_over())
            .await
    }

    /// Says through this door whether the tool may be used.
    async fn says(&self, node: &Node, turn: TurnId, answer: &str) -> StatusCode {
        let said = self.post(node, &format!("/step/{turn}/0/{answer}"));
        let said = said.header("x-asked-by", "page").send().await;
        said.expect("an answer").status()
    }
}

fn states(turn: &TurnView) -> Vec<StepState> {
    turn.steps.iter().map(|step| step.state.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_that_is_asked_for_at_one_node_is_given_or_refused_at_another() {
    let Some(site) = Site::start().await else { return };
    let stranger = Person::come(&site.nodes[1]).await;
    for (answer, state, called) in [("no", StepState::Denied, 0), ("once", StepState::Done, 1)] {
        let person = site.at_home_on_the_first().await;
        let asked = site.asked();
        let sent = person.send(&site.nodes[2], QUESTION).await;
        for node in &site.nodes {
            person.until_asked(node, sent.conversation).await;
        }
        let not_theirs = stranger.says(&site.nodes[1], sent.turn, answer).await;
        assert!(not_theirs.is_client_error(), "{not_theirs}");
        assert_eq!(
            person.says(&site.nodes[1], sent.turn, answer).await,
            StatusCode::NO_CONTENT
        );
        let turn = person.until_over(&site.nodes[2], sent.conversation).await;
        assert_eq!(
            (&turn.state, states(&turn)),
            (&TurnState::Done, vec![state]),
            "{turn:?}"
        );
        assert_eq!((site.writer.calls(), site.asked() - asked), (called, 2));
        let again = person.says(&site.nodes[2], sent.turn, "once").await;
        assert!(again.is_client_error(), "it is over: {again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forbidden_at_one_node_is_forbidden_at_all_until_it_is_taken_back_at_another() {
    let Some(mut site) = Site::start().await else { return };
    let person = site.at_home_on_the_first().await;
    let sent = person.send(&site.nodes[0], QUESTION).await;
    person.until_asked(&site.nodes[0], sent.conversation).await;
    assert_eq!(
        person.says(&site.nodes[1], sent.turn, "never").await,
        StatusCode::NO_CONTENT
    );
    person.until_over(&site.nodes[0], sent.conversation).await;
    // Also once the node has gone where it was said.
    site.nodes[0].kill();
    let talk = Some(sent.conversation);
    let next = soon("another home", async {
        loop {
            if person.overview(&site.nodes[1]).await.is_some() {
                return person.send_to(&site.nodes[1], talk, QUESTION).await;
            }
            sleep(AGAIN).await;
        }
    })
    .await;
    let turn = person
        .until(
            &site.nodes[2],
            sent.conversation,
            "the end of the next answer",
            |turn| turn.id == next.turn && turn.state.is_over(),
        )
        .await;
    assert_eq!(states(&turn), [StepState::Denied], "{turn:?}");
    let overview = person.overview(&site.nodes[2]).await.expect("an overview");
    let confirmation = overview["confirmation"].as_str().expect("text");
    let fields = format!(
        "confirmation={}&conversation={}&tool=t%2Fwrite",
        utf8_percent_encode(confirmation, NON_ALPHANUMERIC),
        sent.conversation
    );
    let back = person
        .post(&site.nodes[2], "/api/form/leave-back")
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, format!("http://{}", site.nodes[2].addr))
        .header(header::CONTENT_TYPE, FORM);
    let back = back.body(fields).send().await.expect("an answer");
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    person.send_to(&site.nodes[1], talk, QUESTION).await;
    person.until_asked(&site.nodes[1], sent.conversation).await;
    assert_eq!(site.writer.calls(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_is_still_asked_for_when_the_node_that_asked_is_killed() {
    let Some(mut site) = Site::start().await else { return };
    let person = site.at_home_on_the_first().await;
    let sent = person.send(&site.nodes[0], QUESTION).await;
    person.until_asked(&site.nodes[0], sent.conversation).await;
    // Whichever of the two has it next is perhaps killed as well.
    site.nodes[0].kill();
    for node in &site.nodes[1..] {
        person.until_asked(node, sent.conversation).await;
    }
    site.nodes[1].kill();
    person.until_asked(&site.nodes[2], sent.conversation).await;
    // A new one is at the door, and the question where it was.
    site.nodes[0].start();
    person.until_asked(&site.nodes[0], sent.conversation).await;
    assert_eq!(
        (site.writer.calls(), site.asked()),
        (0, 1),
        "nothing was done meanwhile"
    );
    assert_eq!(
        person.says(&site.nodes[0], sent.turn, "once").await,
        StatusCode::NO_CONTENT
    );
    let turn = person.until_over(&site.nodes[0], sent.conversation).await;
    assert_eq!(
        (&turn.state, states(&turn)),
        (&TurnState::Done, vec![StepState::Done]),
        "{turn:?}"
    );
    assert!(turn.answer.contains("t__write returned: written"), "{}", turn.answer);
    assert_eq!((site.writer.calls(), site.asked()), (1, 2), "nothing is done twice");
    assert_eq!(person.turn(&site.nodes[2], sent.conversation).await, Some(turn));
}

/// The node that has the session next may not have taken its turn up by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_is_in_force_however_soon_after_the_end_of_a_node_it_is_given() {
    let Some(mut site) = Site::start().await else { return };
    let person = site.at_home_on_the_first().await;
    let sent = person.send(&site.nodes[0], QUESTION).await;
    person.until_asked(&site.nodes[0], sent.conversation).await;
    site.nodes[0].kill();
    let said = soon("somebody to answer for the session", async {
        loop {
            let said = person.says(&site.nodes[2], sent.turn, "once").await;
            if said != StatusCode::SERVICE_UNAVAILABLE {
                return said;
            }
        }
    });
    assert_eq!(said.await, StatusCode::NO_CONTENT);
    let turn = person.until_over(&site.nodes[1], sent.conversation).await;
    assert_eq!(
        (&turn.state, states(&turn)),
        (&TurnState::Done, vec![StepState::Done]),
        "{turn:?}"
    );
    assert_eq!((site.writer.calls(), site.asked()), (1, 2), "nothing is done twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_at_work_on_a_node_that_is_killed_is_not_used_again() {
    let Some(mut site) = Site::start().await else { return };
    let person = site.at_home_on_the_first().await;
    let sent = person.send(&site.nodes[1], QUESTION).await;
    person.until_asked(&site.nodes[1], sent.conversation).await;
    site.writer.holds.send_replace(true);
    assert_eq!(
        person.says(&site.nodes[2], sent.turn, "once").await,
        StatusCode::NO_CONTENT
    );
    soon("the tool to be at work", async {
        while site.writer.calls() == 0 {
            sleep(AGAIN).await;
        }
    })
    .await;
    site.nodes[0].kill();
    let turn = person.until_over(&site.nodes[1], sent.conversation).await;
    let unknown = StepState::Failed {
        fault: ToolFault::Unknown,
    };
    assert_eq!(
        (&turn.state, states(&turn)),
        (&TurnState::Done, vec![unknown]),
        "{turn:?}"
    );
    assert!(
        turn.answer.contains("it is not known whether it was done"),
        "{}",
        turn.answer
    );
    assert_eq!((site.writer.calls(), site.asked()), (1, 2));
    site.writer.holds.send_replace(false);
}

/// Somebody who watches a conversation by a pass.
struct Guest {
    http: Client,
    path: String,
    cookie: String,
}

impl Guest {
    /// Has the owner make a link at one node, and opens it at another.
    async fn invited(owner: &Person, made: &Node, opened: &Node, conversation: ConversationId) -> Self {
        let overview = owner.overview(made).await.expect("it is there");
        let confirmation = overview["confirmation"].as_str().expect("text");
        let confirmation = utf8_percent_encode(confirmation, NON_ALPHANUMERIC);
        let form = owner
            .post(made, "/api/form/along")
            .header(header::ORIGIN, format!("http://{}", made.addr))
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, FORM)
            .body(format!(
                "confirmation={confirmation}&conversation={conversation}&kind=watch"
            ));
        let page = form.send().await.expect("an answer").text().await.expect("a page");
        let (_, rest) = page.split_once("/t/").expect("a link");
        let secret = rest.split('"').next().expect("its end");
        let http = device();
        let pressed = http
            .post(format!("http://{}/t", opened.addr))
            .header(header::ORIGIN, format!("http://{}", opened.addr))
            .header(header::CONTENT_TYPE, FORM)
            .body(format!("secret={secret}"));
        let pressed = pressed.send().await.expect("an answer");
        assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
        let text = |name| pressed.headers()[name].to_str().expect("text").to_owned();
        let (path, cookie) = (text(header::LOCATION), text(header::SET_COOKIE));
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { http, path, cookie }
    }

    /// The page, as it follows; `None`: nobody can show it at the moment.
    async fn follow(&self, node: &Node) -> Option<impl Stream<Item = String> + Unpin + use<>> {
        let feed = self.http.get(format!("http://{}{}/feed", node.addr, self.path));
        let feed = feed.header(header::COOKIE, &self.cookie).send().await.ok()?;
        let is_there = feed.status() == StatusCode::OK;
        // One that breaks off ends.
        let parts = feed.bytes_stream().take_while(|part| ready(part.is_ok()));
        let parts = parts.filter_map(|part| ready(part.ok()));
        is_there.then(|| Box::pin(parts.map(|part| String::from_utf8_lossy(&part).into_owned())))
    }

    /// Follows, and asks again wherever it breaks off, until the page was told this.
    async fn until_told(&self, node: &Node, what: &str) {
        soon(what, async {
            loop {
                let mut told = String::new();
                if let Some(mut feed) = self.follow(node).await {
                    while let Some(part) = feed.next().await {
                        told.push_str(&part);
                        if told.contains(what) {
                            return;
                        }
                    }
                    assert!(!told.contains("event: end"), "the pass holds: {told}");
                }
                sleep(AGAIN).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_at_another_node_sees_that_leave_is_asked_for_and_what_becomes_of_it() {
    const ASKS: &str = "Waits for leave to use a tool";
    let Some(mut site) = Site::start().await else { return };
    let person = site.at_home_on_the_first().await;
    let sent = person.send(&site.nodes[0], QUESTION).await;
    person.until_asked(&site.nodes[0], sent.conversation).await;
    let guest = Guest::invited(&person, &site.nodes[2], &site.nodes[1], sent.conversation).await;
    let mut feed = guest.follow(&site.nodes[1]).await.expect("a feed");
    let mut told = String::new();
    soon("what the guest is told", async {
        while !told.contains(ASKS) {
            told += &feed.next().await.expect("it goes on");
        }
    })
    .await;
    // To see it is all that a guest may.
    let guessed = guest
        .http
        .post(format!("http://{}/step/{}/0/once", site.nodes[1].addr, sent.turn));
    let guessed = guessed
        .header(header::COOKIE, &guest.cookie)
        .header("x-asked-by", "page");
    let guessed = guessed.send().await.expect("an answer").status();
    assert!(guessed.is_client_error(), "{guessed}");
    site.nodes[0].kill();
    soon("the end of what came from there", async {
        while feed.next().await.is_some() {}
    })
    .await;
    guest.until_told(&site.nodes[1], ASKS).await;
    assert_eq!(site.writer.calls(), 0);
    person.until_asked(&site.nodes[2], sent.conversation).await;
    let (said, ()) = tokio::join!(
        person.says(&site.nodes[2], sent.turn, "once"),
        guest.until_told(&site.nodes[1], "t__write returned: written")
    );
    assert_eq!(said, StatusCode::NO_CONTENT);
    guest.until_told(&site.nodes[1], "The answer is there").await;
    assert_eq!((site.writer.calls(), site.asked()), (1, 2));
}

//! The link between nodes of a few routes, over real sockets, with homes that the test chooses. Where a clock is paused, it jumps whenever
//! everybody waits.

mod forwarding;
mod programs;
mod strangers;
mod uploads;
mod watching;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    Link, Linked,
    forward::{Asked, Outcome},
    listener::{Guard, guarded},
    secret::Token,
};
use crate::{
    http::serve::serve_with,
    nodes::{Home, Homes, Incarnation},
    queue::Owner,
    sessions::{CookieJar, CookieKey},
    settings::Secret,
};

/// Whose requests these are.
const OWNER: Owner = Owner(1);
/// The node through whose door they come.
const DOOR: Incarnation = Incarnation(0);

pub(super) fn token(key: &str) -> Token {
    let secret = Secret(key.repeat(32));
    let key = CookieKey::load(Some(&secret), std::path::Path::new("nowhere")).expect("a key");
    Token::of(&CookieJar::new(key, false))
}

/// Homes that the test moves.
struct Moving {
    home: Mutex<Home>,
    peers: Mutex<Vec<(Incarnation, String)>>,
    changed: watch::Sender<()>,
    gone: AtomicBool,
    left: AtomicBool,
    /// How often somebody has asked for a home.
    asked: AtomicUsize,
}

impl Moving {
    fn new(home: Home) -> Arc<Self> {
        Arc::new(Self {
            home: Mutex::new(home),
            peers: Mutex::default(),
            changed: watch::Sender::new(()),
            gone: AtomicBool::new(false),
            left: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }

    fn to(&self, home: Home) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = home;
        self.changed.send_replace(());
    }

    fn meet(&self, peers: Vec<(Incarnation, String)>) {
        *self.peers.lock().unwrap_or_else(PoisonError::into_inner) = peers;
        self.changed.send_replace(());
    }

    /// The door is declared gone.
    fn end(&self) {
        self.gone.store(true, Ordering::Relaxed);
        self.changed.send_replace(());
    }

    /// Waits until somebody has asked this often.
    async fn until_asked(&self, times: usize) {
        while self.asked.load(Ordering::Relaxed) < times {
            // Not only a turn for others: a clock that is paused goes on only while nobody has anything to do.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Homes for Moving {
    fn home(&self, owner: Owner) -> Home {
        assert_eq!(owner, OWNER);
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.home.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn peers(&self) -> Vec<(Incarnation, String)> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn unready(&self) -> Option<&'static str> {
        None
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    fn me(&self) -> Incarnation {
        DOOR
    }
}

/// A node that serves some routes on the link. It ends when this is dropped.
struct Node {
    name: Incarnation,
    address: SocketAddr,
    /// As it knows them itself.
    homes: Arc<Moving>,
    closing: CancellationToken,
    task: JoinHandle<()>,
}

impl Node {
    async fn start(name: u128, site: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::start_on(listener, name, site)
    }

    fn start_on(listener: TcpListener, name: u128, site: Router) -> Self {
        let address = listener.local_addr().expect("an address");
        let (name, closing) = (Incarnation(name), CancellationToken::new());
        let homes = Moving::new(Home::Here);
        let guard = Guard {
            token: token("1"),
            me: name,
            homes: Arc::clone(&homes) as _,
            closing: closing.clone(),
        };
        let stop = closing.clone().cancelled_owned();
        let task = tokio::spawn(serve_with(|| None, listener, guarded(guard, site), stop));
        Self {
            name,
            address,
            homes,
            closing,
            task,
        }
    }

    /// Ends it, and all of its connections.
    async fn end(mut self) {
        self.closing.cancel();
        (&mut self.task).await.expect("it ended well");
    }

    fn home(&self) -> Home {
        Home::There {
            node: self.name,
            address: self.address.to_string(),
        }
    }

    fn peer(&self) -> (Incarnation, String) {
        (self.name, self.address.to_string())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.closing.cancel();
        self.task.abort();
    }
}

/// A node in a process of its own, as far as its sockets know: all of them are gone at once when it is killed. Not for paused clocks.
struct Mortal {
    node: Option<Node>,
    runtime: Option<Runtime>,
}

impl Mortal {
    fn start(name: u128, site: Router) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (tell, told) = std::sync::mpsc::channel();
        runtime.spawn(async move { tell.send(Node::start(name, site).await).expect("it is waited for") });
        Self {
            node: Some(told.recv().expect("a node")),
            runtime: Some(runtime),
        }
    }

    fn node(&self) -> &Node {
        self.node.as_ref().expect("it lives")
    }

    fn kill(mut self) {
        // The runtime drops whatever it has, before the node hears that it is to end.
        self.runtime.take().expect("it lives").shutdown_background();
        drop(self.node.take());
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An address where nobody listens.
async fn deserted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

fn there(name: u128, address: &str) -> Home {
    Home::There {
        node: Incarnation(name),
        address: address.to_owned(),
    }
}

fn link(homes: &Arc<Moving>) -> Arc<Link> {
    Arc::new(Link::new(Arc::clone(homes) as _, token("1")))
}

fn asked(request: Request<&'static str>) -> Asked {
    let (parts, body) = request.into_parts();
    Asked::whole(parts, body.into())
}

fn get(path: &str) -> Asked {
    asked(
        Request::get(path)
            .header("host", "chat.example")
            .body("")
            .expect("a request"),
    )
}

/// The answer of a home.
async fn answered(outcome: Outcome) -> (StatusCode, String) {
    match outcome {
        Outcome::Answered(response) => read(response).await,
        Outcome::Here(_) => panic!("it is to be served here"),
        Outcome::Feed(..) => panic!("a feed"),
        Outcome::Failed(refusal, ..) => panic!("{refusal:?}"),
    }
}

async fn read(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.into()).expect("text"))
}

/// A route that says who answers, and whether it came over the link.
fn says(name: &'static str) -> Router {
    Router::new().fallback(move |request: Request| async move {
        let linked = request.extensions().get::<Linked>().is_some();
        let ours = request
            .headers()
            .keys()
            .filter(|name| name.as_str().starts_with("x-anteroom"));
        format!("{name} {linked} {} {}", ours.count(), request.uri())
    })
}

/// The body of an upload that the test writes part by part.
fn written() -> (tokio::sync::mpsc::UnboundedSender<std::io::Result<&'static str>>, Body) {
    let (write, parts) = tokio::sync::mpsc::unbounded_channel();
    let parts = futures_util::stream::unfold(parts, async |mut parts: tokio::sync::mpsc::UnboundedReceiver<_>| {
        let part = parts.recv().await?;
        Some((part, parts))
    });
    (write, Body::from_stream(parts))
}

//! Whether the processes of the other nodes are there: the end of one is known at once, before its lease is over.

use std::{collections::HashMap, future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, Uri},
};
use hyper::body::{Body as _, Incoming};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use tracing::{Instrument as _, debug, info, info_span};

use super::{
    peers::Connection,
    secret::{Token, read, written},
};
use crate::{
    engine::Engine,
    nodes::{Homes, Incarnation},
};

/// How long a node may take to say which it is.
const NAME: Duration = Duration::from_secs(5);
/// A connection that lasted for so long was worth something: the next is made at once.
const LASTED: Duration = Duration::from_secs(1);
/// Between two tries at first, and at most. It grows twofold.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Tells `dead` of each node whose process has ended for certain, once. Only what the machine that it ran on says counts: nobody listens at
/// its address any more, or another incarnation does. A time-out or a network that leads nowhere says nothing of it.
///
/// Runs for as long as it is polled; dropped, it watches nobody any more. Whom it watches follows [`Homes::peers`].
pub async fn watch(engine: Arc<Engine>, dead: impl Fn(Incarnation) + Send + Sync + 'static) {
    follow(Arc::clone(engine.homes()), Token::of(engine.jar()), Arc::new(dead)).await;
}

type Dead = Arc<dyn Fn(Incarnation) + Send + Sync>;

pub(super) async fn follow(homes: Arc<dyn Homes>, token: Token, dead: Dead) {
    let mut changes = homes.changes();
    let mut tasks = JoinSet::new();
    let mut watched: HashMap<(Incarnation, String), AbortHandle> = HashMap::new();
    loop {
        changes.mark_unchanged();
        let peers = homes.peers();
        watched.retain(|peer, task| {
            let stays = peers.contains(peer);
            if !stays {
                task.abort();
            }
            stays
        });
        for peer in peers.into_iter().filter(|(node, _)| *node != homes.me()) {
            // One that has been found dead stays here until it is no peer any more, so that it is told once.
            watched.entry(peer).or_insert_with_key(|(node, address)| {
                let span = info_span!("watching", ?node);
                tasks.spawn(one(*node, address.clone(), token.clone(), Arc::clone(&dead)).instrument(span))
            });
        }
        while tasks.try_join_next().is_some() {}
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Watches one node until it is dead.
async fn one(node: Incarnation, address: String, token: Token, dead: Dead) {
    let mut pause = Duration::ZERO;
    loop {
        sleep(pause).await;
        pause = (pause * 2).clamp(PAUSES.0, PAUSES.1);
        let begun = Instant::now();
        match look(node, &address, &token).await {
            Seen::Dead => {
                info!(address, "the process of another node has ended");
                return dead(node);
            }
            Seen::Ended if begun.elapsed() >= LASTED => pause = Duration::ZERO,
            Seen::Ended | Seen::Nothing => {}
        }
    }
}

/// What was seen of a node.
enum Seen {
    /// It has ended.
    Dead,
    /// It was there, and its connection has ended.
    Ended,
    /// Nothing that says anything of it.
    Nothing,
}

async fn look(node: Incarnation, address: &str, token: &Token) -> Seen {
    let mut connection = match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Seen::Dead,
        Err(error) => {
            debug!(%error, "another node cannot be reached");
            return Seen::Nothing;
        }
    };
    let mut body = match timeout(NAME, ask(&mut connection, token)).await {
        Ok(Some((named, body))) if named == node => body,
        Ok(Some((named, _))) => {
            debug!(?named, "another node listens at this address");
            return Seen::Dead;
        }
        Ok(None) | Err(_) => return Seen::Nothing,
    };
    // Nothing more is said: it ends with the node.
    while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
    Seen::Ended
}

/// Which node it is, and what ends with it.
async fn ask(connection: &mut Connection, token: &Token) -> Option<(Incarnation, Incoming)> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/node");
    token.sign(request.headers_mut(), None);
    let response = connection.ask(request).await.ok()?;
    if response.status() != StatusCode::OK {
        debug!(status = %response.status(), "another node does not say which it is");
        return None;
    }
    let mut body = response.into_body();
    let mut name = Vec::new();
    let most = written(Incarnation(0)).len() + 1;
    while name.len() < most {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await?.ok()?;
        name.extend(frame.into_data().ok()?);
    }
    let name = std::str::from_utf8(&name).ok()?;
    Some((read(name.strip_suffix('\n')?)?, body))
}

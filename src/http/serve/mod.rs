//! Serving connections: each bounded in time and memory, and in number where the operator wishes.
//!
//! A connection costs a descriptor and some kilobytes for as long as it is open, so none is kept for a client that says
//! nothing: half a request, a kept connection without a next request, or an answer that nobody reads.

mod addresses;
mod connection;
#[cfg(test)]
mod tests;

use std::{io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use crate::engine::Engine;
use addresses::Addresses;
pub(super) use addresses::network;
use connection::Connection;

/// How long a client may take for the head of a request, counted from when it connects or from the end of the answer
/// before: so also how long a connection is kept without a request. Browsers open another when they need one.
const HEAD: Duration = Duration::from_secs(15);
/// Most bytes that a connection buffers, so also of a request's head. Proxies and browsers stay far below.
const BUFFER: usize = 32 * 1024;
/// How long an answer may lie unread, or its client be unreachable, before the system closes the connection. Linux can be asked for
/// that; elsewhere the system's own patience counts.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(60);
/// Between two tries to take a connection when the process may not open any more.
const EXHAUSTED: Duration = Duration::from_millis(500);

/// From which address a request's connection comes: as it is sent, so a proxy's where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves `site` over HTTP/1.1 until `stop` is over; then takes no more connections and waits for the requests that are under
/// way. Connections that have become WebSockets end by themselves.
///
/// Dropped, it takes no more connections, and those that it has taken end with the request that is under way: the next one may be another
/// engine's to answer.
pub async fn serve(engine: &Arc<Engine>, listener: TcpListener, site: Router, stop: impl Future<Output = ()>) {
    serve_with(|| engine.settings().max_connections_per_address, listener, site, stop).await;
}

/// The same, with what says how many connections an address may have open.
pub(super) async fn serve_with(
    most: impl Fn() -> Option<usize>,
    listener: TcpListener,
    site: Router,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER);
    let (open, ending) = (TaskTracker::new(), CancellationToken::new());
    let _ended = ending.clone().drop_guard();
    let addresses = Addresses::default();
    let mut stop = pin!(stop);
    loop {
        let (stream, address) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    refused(&error).await;
                    continue;
                }
            },
        };
        let Some(place) = addresses.enter(address.ip(), most()) else {
            debug!(%address, "a connection too many from this address was closed");
            continue;
        };
        if let Err(error) = prepare(&stream) {
            debug!(%error, "a connection was gone at once");
            continue;
        }
        let connection = Connection::new(stream, place);
        let (site, peer) = (
            TowerToHyperService::new(site.clone()),
            Peer(address.ip().to_canonical()),
        );
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            site.call(request)
        });
        let served = http.serve_connection(TokioIo::new(connection), service).with_upgrades();
        let ending = ending.clone();
        // Ends with the connection, which has its bounds.
        open.spawn(async move {
            let mut served = pin!(served);
            let ended = tokio::select! {
                biased;
                ended = served.as_mut() => ended,
                () = ending.cancelled() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            if let Err(error) = ended {
                debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    ending.cancel();
    open.close();
    open.wait().await;
}

/// What the system is asked for each connection.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Small frames must not wait for one another.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD))?;
    Ok(())
}

/// A connection could not be taken.
async fn refused(error: &io::Error) {
    let gone = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
    ];
    if gone.contains(&error.kind()) {
        return;
    }
    // The waiting ones stay where they are. Trying again at once would only take a core.
    warn!(%error, "no connection can be taken at the moment; see the limit of open files (ulimit -n)");
    sleep(EXHAUSTED).await;
}

//! The port: open, closed as after a crash, or both in turns; and the connections that come over it.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{record::Recorder, shared::Shared, traits::Door};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port that nobody else gets as long as this is there, whether it listens or not.
#[derive(Debug)]
pub(crate) struct Port {
    addr: SocketAddr,
    /// Bound and never listening: the system hands out no port twice, and refuses connections to one that nobody listens at.
    _held: TcpSocket,
}

impl Port {
    /// This port of 127.0.0.1; 0 is any free one.
    pub(crate) fn hold(port: u16) -> io::Result<Self> {
        let held = bound((Ipv4Addr::LOCALHOST, port).into())?;
        Ok(Self {
            addr: held.local_addr()?,
            _held: held,
        })
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.addr)?.listen(BACKLOG)
    }
}

/// A socket that may share its port with one that does not listen.
fn bound(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

/// Serves while the door is open, until the server is stopped.
///
/// # Errors
/// The port cannot be listened at. The server is stopped then.
pub(crate) async fn keep(shared: Arc<Shared>, port: Port, first: TcpListener, router: Router) -> io::Result<()> {
    // However this ends, nobody is to wait for the door any more.
    let _ended = shared.stop.clone().drop_guard();
    let mut wanted = shared.door.subscribe();
    let mut listener = first;
    loop {
        serve(&shared, listener, router.clone(), &mut wanted).await?;
        if shared.stop.is_cancelled() {
            return Ok(());
        }
        shared.recorder.note("down");
        tokio::select! {
            () = turned(&mut wanted, false, &shared.obeyed) => {}
            () = shared.stop.cancelled() => return Ok(()),
        }
        listener = port.listen()?;
        shared.recorder.note("up");
    }
}

/// Serves until the door is turned, and then breaks off what is being answered; or until the server is stopped, which leaves
/// connections the time for what has been answered.
async fn serve(
    shared: &Arc<Shared>,
    listener: TcpListener,
    router: Router,
    wanted: &mut watch::Receiver<Wanted>,
) -> io::Result<()> {
    let life = shared.stop.child_token();
    let broken = CancellationToken::new();
    let entrance = Entrance {
        listener,
        life: life.clone(),
        broken: broken.clone(),
        recorder: Arc::clone(&shared.recorder),
    };
    let service = router.into_make_service_with_connect_info::<Connection>();
    let mut serving = axum::serve(entrance, service)
        .with_graceful_shutdown(life.clone().cancelled_owned())
        .into_future();
    tokio::select! {
        done = &mut serving => return done,
        () = turned(wanted, true, &shared.obeyed) => {}
    }
    // Life first: what is broken off has then been failed by the server, and not by its client.
    life.cancel();
    broken.cancel();
    serving.await
}

/// What the door is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) door: Door,
    /// Counts how often it was told.
    pub(crate) number: u64,
}

/// Returns once the door is no longer to be open, or closed, as it is. What is obeyed meanwhile is said by its number. Cancel-safe.
async fn turned(wanted: &mut watch::Receiver<Wanted>, is_open: bool, obeyed: &watch::Sender<u64>) {
    let since = Instant::now();
    loop {
        let Wanted { door, number } = *wanted.borrow_and_update();
        let until = match door {
            Door::Open if is_open => None,
            Door::Closed if !is_open => None,
            Door::Open | Door::Closed => return,
            Door::Flapping { open, closed } => Some(since + if is_open { open } else { closed }),
        };
        obeyed.send_replace(number);
        tokio::select! {
            Ok(()) = wanted.changed() => {}
            () = sleep_until(until.unwrap_or(since)), if until.is_some() => return,
            else => pending().await,
        }
    }
}

/// Where connections come in, as long as the door is open.
struct Entrance {
    listener: TcpListener,
    life: CancellationToken,
    broken: CancellationToken,
    recorder: Arc<Recorder>,
}

impl Listener for Entrance {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        self.recorder.connected();
        // Pieces are small and must not wait for each other.
        drop(stream.set_nodelay(true));
        let connection = Connection {
            life: self.life.clone(),
            broken: self.broken.child_token(),
            is_reset: Arc::default(),
        };
        (Socket::new(stream, connection), addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// What requests know of the connection that they came over.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Over once the server goes down or stops.
    life: CancellationToken,
    broken: CancellationToken,
    is_reset: Arc<AtomicBool>,
}

impl Connection {
    pub(crate) const fn life(&self) -> &CancellationToken {
        &self.life
    }

    /// Has the connection end with a reset in place of a goodbye. What was sent before may be lost.
    pub(crate) fn reset(&self) {
        self.is_reset.store(true, Ordering::Release);
        self.broken.cancel();
    }
}

impl Connected<IncomingStream<'_, Entrance>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> Self {
        stream.io().connection.clone()
    }
}

/// A connection that can be broken off, whatever is under way on it.
struct Socket {
    stream: TcpStream,
    connection: Connection,
    broken: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Socket {
    fn new(stream: TcpStream, connection: Connection) -> Self {
        let broken = Box::pin(connection.broken.clone().cancelled_owned());
        Self {
            stream,
            connection,
            broken,
        }
    }

    /// The stream, unless it is broken.
    fn whole(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if self.broken.as_mut().poll(cx).is_pending() {
            return Ok(Pin::new(&mut self.stream));
        }
        if self.connection.is_reset.load(Ordering::Acquire) {
            self.stream.set_zero_linger()?;
        }
        Err(io::Error::other("told to break the connection off"))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole(cx)?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().whole(cx)?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().whole(cx)?.poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().whole(cx)?.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flapping_door_is_open_and_closed_for_its_times() {
        let door = Door::Flapping {
            open: Duration::from_secs(2),
            closed: Duration::from_millis(500),
        };
        let mut wanted = watch::Sender::new(Wanted { door, number: 3 }).subscribe();
        let obeyed = watch::Sender::new(0);
        for (is_open, time) in [(true, 2_000), (false, 500), (true, 2_000)] {
            let began = Instant::now();
            // The sender has gone, which is no reason to turn.
            turned(&mut wanted, is_open, &obeyed).await;
            assert_eq!(began.elapsed().as_millis(), time);
            assert_eq!(*obeyed.borrow(), 3);
        }
    }
}

//! A way to a server on which things go wrong as they do on a network.
//!
//! Every way that a node has to the database and to the other nodes leads through one, so what happens to it concerns that node and that
//! way alone. Interfaces of their own, in namespaces of the network, would cut as well, but could neither answer half nor be slow; and they
//! leave routes and bridges behind on the machine. What a cut network does, this does too: whoever connects hears nothing, not even that
//! he is refused; what is open stays open; and what was sent meanwhile arrives once the way is mended, late.

use std::{collections::HashSet, io, net::SocketAddr, time::Duration};

use anteroom_pgtest::free_port;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections that wait to be taken. Once so many do, the system answers nobody who connects.
const BACKLOG: u32 = 32;
/// On this machine nobody waits longer for an answer that comes.
const UNANSWERED: Duration = Duration::from_millis(500);

/// How a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// What comes is passed on.
    Open,
    /// Each piece is passed on after so long, both ways.
    Slow(Duration),
    /// Half open: connections are taken, and what is asked gets through; what is answered does not.
    Unanswered,
    /// Nothing gets through, and nobody is told.
    Cut,
    /// It leads to a machine where nobody listens: whoever connects is refused, as he would be there.
    Refused,
}

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    Server,
    Client,
}

impl Passage {
    const fn lets(self, towards: Towards) -> bool {
        match self {
            // Whatever is open ends with the server.
            Self::Open | Self::Slow(_) | Self::Refused => true,
            Self::Unanswered => matches!(towards, Towards::Server),
            Self::Cut => false,
        }
    }
}

/// An address that leads to another one. Ends when it is dropped, with all connections.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    passage: watch::Sender<Passage>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// From `addr`, whose port may be 0 for a free one, to `server`. It may let go of its port for a while, so it takes none that the system
    /// would give to somebody's connection meanwhile.
    pub(crate) fn start(addr: SocketAddr, server: SocketAddr) -> Self {
        let port = if addr.port() == 0 { free_port() } else { addr.port() };
        let addr = SocketAddr::new(addr.ip(), port);
        let listener = listen(addr);
        let (passage, seen) = watch::channel(Passage::Open);
        let task = tokio::spawn(take(listener, addr, server, seen));
        Self { addr, passage, task }
    }

    /// How it is from now on.
    pub(crate) fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn listen(addr: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    // It comes back where it was.
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(addr).expect("a free port");
    socket.listen(BACKLOG).expect("it listens")
}

async fn take(mut listener: TcpListener, addr: SocketAddr, server: SocketAddr, mut passage: watch::Receiver<Passage>) {
    let mut open = JoinSet::new();
    let mut own = HashSet::new();
    loop {
        let now = *passage.borrow_and_update();
        if now == Passage::Cut {
            let crowd = crowd(addr).await;
            own.extend(crowd.iter().filter_map(|one| one.local_addr().ok()));
            if passage.wait_for(|now| *now != Passage::Cut).await.is_err() {
                return;
            }
            continue;
        }
        if now == Passage::Refused {
            drop(listener);
            if passage.wait_for(|now| *now != Passage::Refused).await.is_err() {
                return;
            }
            listener = listen(addr);
            continue;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = passage.changed() => continue,
        };
        while open.try_join_next().is_some() {}
        let (client, from) = accepted.expect("it listens");
        if !own.remove(&from) {
            open.spawn(pass(client, server, passage.clone()));
        }
    }
}

/// Connections that nobody takes, so many that there is no room for another one.
async fn crowd(addr: SocketAddr) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    while let Ok(Ok(one)) = timeout(UNANSWERED, TcpStream::connect(addr)).await {
        crowd.push(one);
    }
    crowd
}

async fn pass(client: TcpStream, server: SocketAddr, passage: watch::Receiver<Passage>) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (asked, answers) = client.into_split();
    let (answered, asks) = server.into_split();
    tokio::try_join!(
        pump(asked, asks, Towards::Server, passage.clone()),
        pump(answered, answers, Towards::Client, passage),
    )?;
    Ok(())
}

/// Passes on what comes, its end included, when and as the way lets it.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    towards: Towards,
    mut passage: watch::Receiver<Passage>,
) -> io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut piece).await;
        let now = passage.wait_for(|now| now.lets(towards)).await;
        let Ok(now) = now.map(|now| *now) else { return Ok(()) };
        if let Passage::Slow(by) = now {
            sleep(by).await;
        }
        match read? {
            0 => return to.shutdown().await,
            read => to.write_all(&piece[..read]).await?,
        }
    }
}

#[tokio::test]
async fn what_was_held_arrives_once_the_way_is_open_again() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let proxy = Proxy::start(([127, 0, 0, 1], 0).into(), server.local_addr().expect("it is bound"));
    let mut client = TcpStream::connect(proxy.addr).await.expect("it is taken");
    let (mut served, _) = server.accept().await.expect("it comes through");
    let mut byte = [0];

    proxy.set(Passage::Unanswered);
    client.write_all(b"a").await.expect("written");
    served.read_exact(&mut byte).await.expect("what is asked gets through");
    served.write_all(b"b").await.expect("written");
    // What is asked goes on to get through: the answer has had its time.
    client.write_all(b"c").await.expect("written");
    served.read_exact(&mut byte).await.expect("what is asked gets through");
    let early = client.try_read(&mut byte).map_err(|error| error.kind());
    assert_eq!(early, Err(io::ErrorKind::WouldBlock));
    proxy.set(Passage::Open);
    client.read_exact(&mut byte).await.expect("it arrives late");
    assert_eq!(&byte, b"b");

    drop(server);
    proxy.set(Passage::Refused);
    let refused = async { while TcpStream::connect(proxy.addr).await.is_ok() {} };
    timeout(Duration::from_secs(60), refused)
        .await
        .expect("whoever connects is refused");
}

//! Connections over real sockets, on a clock that jumps whenever everybody waits.

use std::future::pending;

use axum::routing::{get, post};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    task::JoinHandle,
    time::Instant,
};

use super::*;

/// A server of two pages, which ends when this is dropped.
struct Server {
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(most: Option<usize>, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let site = Router::new()
            .route("/", get(async || "whole"))
            .route("/later", post(async |body: String| body));
        let task = tokio::spawn(async move { serve_with(|| most, listener, site, stop).await });
        Self { address, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Everything that the server says until it closes the connection.
async fn said(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A connection that is reset has ended, too.
    let _ = stream.read_to_end(&mut said).await;
    String::from_utf8(said).expect("text")
}

/// One answer, of which the body is `whole`.
async fn answered(stream: &mut TcpStream) {
    let mut said = Vec::new();
    while !said.ends_with(b"whole") {
        assert_ne!(stream.read_buf(&mut said).await.expect("an answer"), 0, "closed");
    }
}

const WHOLE: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn dropped_it_keeps_no_connection_for_another_request() {
    let mut server = Server::start(None, pending()).await;
    let (mut idle, mut under_way) = (server.connect().await, server.connect().await);
    idle.write_all(WHOLE).await.expect("written");
    answered(&mut idle).await;
    let head = b"POST /later HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    under_way.write_all(head).await.expect("written");
    let mut asked_for = [0; 25];
    under_way
        .read_exact(&mut asked_for)
        .await
        .expect("its body is asked for");

    server.task.abort();
    assert!((&mut server.task).await.is_err_and(|end| end.is_cancelled()));
    let dropped = Instant::now();
    assert_eq!(said(&mut idle).await, "");
    assert!(dropped.elapsed() < HEAD / 2, "it was kept");
    under_way.write_all(b"whole").await.expect("written");
    let answer = said(&mut under_way).await;
    assert!(answer.ends_with("whole"), "{answer}");
    assert!(dropped.elapsed() < HEAD / 2, "it was kept");
}

#[tokio::test(start_paused = true)]
async fn half_a_request_is_not_waited_for() {
    let server = Server::start(None, pending()).await;
    for half in [
        &b""[..],
        b"G",
        b"GET / HTTP/1.1\r\nHost: he",
        b"PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        let begun = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(half).await.expect("written");
        said(&mut stream).await;
        assert!(begun.elapsed() <= HEAD * 2, "{half:?} was waited for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_not_waited_for_and_a_slow_one_is() {
    let server = Server::start(None, pending()).await;
    let (mut dripping, mut slow) = (server.connect().await, server.connect().await);
    let drip = async {
        let begun = Instant::now();
        dripping.write_all(b"GET / HTTP/1.1\r\nX: ").await.expect("written");
        while dripping.write_all(b"x").await.is_ok() {
            sleep(HEAD / 10).await;
            assert!(begun.elapsed() <= HEAD * 2, "it may drip for ever");
        }
    };
    let slowly = async {
        for part in WHOLE.chunks(WHOLE.len() / 3) {
            slow.write_all(part).await.expect("written");
            sleep(HEAD / 5).await;
        }
        answered(&mut slow).await;
    };
    tokio::join!(drip, slowly);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_next_request_is_closed_after_a_while_and_not_before() {
    let server = Server::start(None, pending()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(WHOLE).await.expect("written");
        answered(&mut stream).await;
        sleep(HEAD / 2).await;
    }
    let idle = Instant::now();
    assert_eq!(said(&mut stream).await, "");
    assert!(idle.elapsed() <= HEAD, "it was kept for long");
}

#[tokio::test(start_paused = true)]
async fn a_head_beyond_the_bound_is_refused() {
    let server = Server::start(None, pending()).await;
    let mut stream = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 * BUFFER));
    // It may be refused before all of it is written.
    let _ = stream.write_all(head.as_bytes()).await;
    let said = said(&mut stream).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    let mut other = server.connect().await;
    other.write_all(WHOLE).await.expect("written");
    answered(&mut other).await;
}

#[tokio::test(start_paused = true)]
async fn an_address_has_as_many_connections_as_it_may() {
    let server = Server::start(Some(2), pending()).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(WHOLE).await.expect("written");
        answered(&mut stream).await;
        open.push(stream);
    }
    assert_eq!(said(&mut server.connect().await).await, "", "a third one is closed");
    // The others are not disturbed by it.
    open[0].write_all(WHOLE).await.expect("written");
    answered(&mut open[0]).await;
    open.clear();
    // Seen by the server a moment after they are closed.
    loop {
        let mut stream = server.connect().await;
        if stream.write_all(WHOLE).await.is_ok() && stream.read_u8().await.is_ok() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_finished_at_the_end() {
    let (stopped, stop) = oneshot::channel();
    let stop = async { stop.await.expect("the sender lives") };
    let mut server = Server::start(None, stop).await;
    let (mut idle, mut asking) = (server.connect().await, server.connect().await);
    idle.write_all(WHOLE).await.expect("written");
    answered(&mut idle).await;
    let head = b"POST /later HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nwh";
    asking.write_all(head).await.expect("written");
    // Both have been taken once a later one is answered.
    let mut later = server.connect().await;
    later.write_all(WHOLE).await.expect("written");
    answered(&mut later).await;
    stopped.send(()).expect("it serves");
    assert_eq!(said(&mut idle).await, "", "a connection without a request is closed");
    asking.write_all(b"ole").await.expect("written");
    assert!(said(&mut asking).await.ends_with("whole"));
    (&mut server.task).await.expect("it ended well");
}

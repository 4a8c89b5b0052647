//! Uploads to another node, which are streamed and sent once.

use axum::{body::Bytes, routing::post};
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Notify, mpsc},
};

use super::*;
use crate::wire::Reason;

fn upload(body: Body) -> Asked {
    let (parts, body) = Request::post("/files?name=a.txt")
        .body(body)
        .expect("a request")
        .into_parts();
    Asked::upload(parts, body)
}

/// A node that takes uploads once it is let, and tells what has come.
fn taking(let_in: &Arc<Notify>) -> (Router, mpsc::UnboundedReceiver<Bytes>) {
    let (tell, told) = mpsc::unbounded_channel();
    let let_in = Arc::clone(let_in);
    let site = Router::new().route(
        "/files",
        post(move |body: Body| async move {
            let_in.notified().await;
            let mut body = body.into_data_stream();
            let mut size = 0;
            while let Some(part) = body.next().await {
                let Ok(part) = part else {
                    return StatusCode::BAD_REQUEST.to_string();
                };
                size += part.len();
                let _ = tell.send(part);
            }
            format!("{size} bytes")
        }),
    );
    (site, told)
}

#[tokio::test]
async fn it_arrives_part_by_part_once_the_home_reads_it() {
    let let_in = Arc::new(Notify::new());
    let (site, mut told) = taking(&let_in);
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    let (write, body) = written();
    write.send(Ok("one")).expect("open");
    let writing = async {
        let_in.notify_one();
        assert_eq!(told.recv().await.expect("a part"), "one");
        write.send(Ok("second")).expect("open");
        assert_eq!(told.recv().await.expect("a part"), "second");
        drop(write);
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, upload(body)), writing);
    assert_eq!(answered(outcome).await.1, "9 bytes");
    assert_eq!(
        link.peers.idle(&node.address.to_string()),
        0,
        "it has a connection of its own"
    );
}

#[tokio::test]
async fn one_that_waits_in_line_goes_elsewhere_when_its_home_dies() {
    let asked = Arc::new(Notify::new());
    let seen = Arc::clone(&asked);
    let site = Router::new().route(
        "/files",
        post(move |_: Body| async move {
            seen.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let dying_node = Mortal::start(1, site);
    let let_in = Arc::new(Notify::new());
    let_in.notify_one();
    let (second, mut told) = taking(&let_in);
    let other = Node::start(2, second).await;
    let homes = Moving::new(dying_node.node().home());
    let link = link(&homes);
    let (write, body) = written();
    write.send(Ok("whole")).expect("open");
    drop(write);
    let dying = async {
        asked.notified().await;
        let before = homes.asked.load(Ordering::Relaxed);
        dying_node.kill();
        // It is looked for in vain before anybody knows better.
        homes.until_asked(before + 2).await;
        homes.to(other.home());
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, upload(body)), dying);
    assert_eq!(answered(outcome).await.1, "5 bytes");
    assert_eq!(told.recv().await.expect("a part"), "whole");
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_in_line_may_wait_for_long() {
    let let_in = Arc::new(Notify::new());
    let (site, _told) = taking(&let_in);
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    let waiting = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let_in.notify_one();
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, upload(Body::from("late"))), waiting);
    assert_eq!(answered(outcome).await.1, "4 bytes");
}

#[tokio::test]
async fn one_that_has_begun_is_not_sent_again() {
    let let_in = Arc::new(Notify::new());
    let_in.notify_one();
    let (site, mut told) = taking(&let_in);
    let node = Mortal::start(1, site);
    let other = Node::start(2, says("two")).await;
    let homes = Moving::new(node.node().home());
    let link = link(&homes);
    let (write, body) = written();
    write.send(Ok("a part")).expect("open");
    let dying = async {
        told.recv().await.expect("a part");
        homes.to(other.home());
        node.kill();
    };
    let forwarding = async {
        let outcome = link.forward(OWNER, upload(body)).await;
        drop(write);
        outcome
    };
    let (outcome, ()) = tokio::join!(forwarding, dying);
    match outcome {
        Outcome::Failed(refusal, ..) => {
            assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(
                (refusal.reason, refusal.retry_after),
                (Reason::UploadBrokenOff, Some(2))
            );
        }
        _ => panic!("it cannot be sent again"),
    }
}

#[tokio::test]
async fn what_is_refused_before_it_is_read_is_never_sent() {
    let site = Router::new().route("/files", post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too large")));
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    let (write, body) = written();
    write.send(Ok("content")).expect("open");
    let (status, said) = answered(link.forward(OWNER, upload(body)).await).await;
    assert_eq!((status, &*said), (StatusCode::PAYLOAD_TOO_LARGE, "too large"));
}

/// It says that it goes on (`100 Continue`), reads a part, and hangs up.
#[tokio::test]
async fn a_home_that_hangs_up_on_an_upload_is_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
    let link = link(&homes);
    let hanging_up = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.expect("read"), 0);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.contains("expect: 100-continue"), "{head}");
        stream
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .expect("written");
        let mut part = [0; 64];
        assert_ne!(stream.read(&mut part).await.expect("read"), 0);
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, upload(Body::from("content"))), hanging_up);
    assert!(matches!(outcome, Outcome::Failed(refusal, ..) if refusal.reason == Reason::UploadBrokenOff));
}

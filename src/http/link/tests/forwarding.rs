//! Requests that are answered by another node.

use std::future::pending;

use axum::{
    http::{HeaderMap, header},
    routing::{any, get as on_get},
};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream, sync::Notify, time::Instant};

use super::*;
use crate::wire::Reason;

#[tokio::test]
async fn the_home_answers_and_its_connection_serves_the_next() {
    let node = Node::start(1, says("one")).await;
    let homes = Moving::new(node.home());
    let link = link(&homes);
    for number in 0..3 {
        let (status, said) = answered(link.forward(OWNER, get(&format!("/c/{number}?q=%2F"))).await).await;
        assert_eq!(
            (status, said),
            (StatusCode::OK, format!("one true 0 /c/{number}?q=%2F"))
        );
        assert_eq!(link.peers.idle(&node.address.to_string()), 1);
    }
    // What is dropped half read is not kept.
    let Outcome::Answered(response) = link.forward(OWNER, get("/half")).await else {
        panic!("no answer")
    };
    drop(response);
    assert_eq!(link.peers.idle(&node.address.to_string()), 0);
}

#[tokio::test]
async fn heads_bodies_and_statuses_go_through_unchanged() {
    let site = Router::new().route(
        "/echo",
        any(async |headers: HeaderMap, body: String| {
            let got = headers.get("x-own").and_then(|value| value.to_str().ok()).unwrap_or("");
            let mut answer = Response::new(Body::from(format!(
                "{got} {body} {}",
                headers["host"].to_str().expect("text")
            )));
            *answer.status_mut() = StatusCode::IM_A_TEAPOT;
            for cookie in ["a=1; Path=/", "b=2"] {
                answer
                    .headers_mut()
                    .append(header::SET_COOKIE, cookie.parse().expect("a header"));
            }
            answer
                .headers_mut()
                .insert(header::CONTENT_ENCODING, "br".parse().expect("a header"));
            answer
                .headers_mut()
                .insert("keep-alive", "timeout=1".parse().expect("a header"));
            answer
        }),
    );
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    let request = Request::post("/echo")
        .header("host", "chat.example")
        .header("x-own", "kept")
        .header("content-length", "4")
        .body("body");
    let Outcome::Answered(response) = link.forward(OWNER, asked(request.expect("a request"))).await else {
        panic!("no answer")
    };
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 2);
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "br");
    assert!(!response.headers().contains_key("keep-alive"));
    assert_eq!(read(response).await.1, "kept body chat.example");
}

#[tokio::test]
async fn a_session_that_has_come_home_meanwhile_is_served_here() {
    let homes = Moving::new(there(1, &deserted().await));
    let link = link(&homes);
    let moving = async {
        homes.until_asked(2).await;
        homes.to(Home::Here);
    };
    let request = Request::post("/api/send").body("whole").expect("a request");
    let (outcome, ()) = tokio::join!(link.forward(OWNER, asked(request)), moving);
    let Outcome::Here(request) = outcome else {
        panic!("it is at home here")
    };
    assert_eq!(to_bytes(request.into_body(), 100).await.expect("read"), "whole");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_reached_is_looked_for_and_found_where_the_session_is_next() {
    let (other, begun) = (Node::start(2, says("two")).await, Instant::now());
    for before in [Home::Nowhere, there(1, &deserted().await)] {
        let homes = Moving::new(before);
        let link = link(&homes);
        let moving = async {
            homes.until_asked(2).await;
            homes.to(other.home());
        };
        let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/x")), moving);
        assert_eq!(answered(outcome).await.1, "two true 0 /x");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "it went on at once");
}

/// A node that ends refuses what it is asked then, and nobody is to hear of that who has another one to go to.
#[tokio::test(start_paused = true)]
async fn what_a_node_refuses_that_has_left_is_asked_of_the_next() {
    for (before, meanwhile) in [(false, false), (true, false), (false, true)] {
        let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (was_asked, may_go) = (Arc::clone(&asked), Arc::clone(&go));
        let refuses = move || async move {
            was_asked.notify_one();
            may_go.notified().await;
            StatusCode::SERVICE_UNAVAILABLE
        };
        let site = Router::new().route("/x", on_get(refuses));
        let (leaving, next) = (Node::start(1, site).await, Node::start(2, says("two")).await);
        let homes = Moving::new(leaving.home());
        let link = link(&homes);
        leaving.homes.left.store(before, Ordering::Relaxed);
        let story = async {
            if !before {
                asked.notified().await;
                leaving.homes.left.store(meanwhile, Ordering::Relaxed);
                go.notify_one();
            }
            if before || meanwhile {
                homes.until_asked(2).await;
                homes.to(next.home());
            }
        };
        let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/x")), story);
        let told = answered(outcome).await;
        if before || meanwhile {
            assert_eq!(told.1, "two true 0 /x");
        } else {
            assert_eq!(told.0, StatusCode::SERVICE_UNAVAILABLE, "it has a reason of its own");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_found_nowhere_is_refused_after_a_while() {
    for home in [Home::Nowhere, there(1, &deserted().await)] {
        let homes = Moving::new(home);
        let begun = Instant::now();
        let Outcome::Failed(refusal, parts, body) = link(&homes)
            .forward(
                OWNER,
                asked(Request::post("/api/send").body("typed").expect("a request")),
            )
            .await
        else {
            panic!("nobody is there")
        };
        assert_eq!(begun.elapsed().as_secs(), 20);
        assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((refusal.reason, refusal.retry_after), (Reason::NodeAway, Some(2)));
        assert_eq!((parts.uri.path(), &*body), ("/api/send", &b"typed"[..]));
        let asked = homes.asked.load(Ordering::Relaxed);
        assert!((200..=1_000).contains(&asked), "ten times a second: {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_was_declared_gone_looks_for_nobody() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let frozen = there(1, &frozen.local_addr().expect("an address").to_string());
    for home in [Home::Nowhere, there(1, &deserted().await), frozen] {
        let homes = Moving::new(home);
        let link = link(&homes);
        let begun = Instant::now();
        let ending = async {
            homes.until_asked(1).await;
            homes.end();
        };
        let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/x")), ending);
        let Outcome::Failed(refusal, ..) = outcome else {
            panic!("nobody is there")
        };
        assert_eq!(refusal.reason, Reason::NodeAway);
        // Whoever has been asked has had a moment to answer.
        assert!(begun.elapsed() <= Duration::from_secs(3));
    }
}

/// A home that is told of again and again is not asked more often for it.
#[tokio::test(start_paused = true)]
async fn news_of_others_do_not_hurry_anybody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
    let link = link(&homes);
    let accepted = AtomicUsize::new(0);
    let hanging_up = async {
        loop {
            drop(listener.accept().await);
            accepted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let news = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            homes.changed.send_replace(());
        }
    };
    tokio::select! {
        outcome = link.forward(OWNER, get("/x")) => assert!(matches!(outcome, Outcome::Failed(..))),
        () = hanging_up => {}
        () = news => {}
    }
    assert!(accepted.load(Ordering::Relaxed) <= 201, "{accepted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_home_that_hangs_up_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
    let link = link(&homes);
    let hanging_up = async {
        // Before it has read anything, and in the middle of the head of its answer.
        drop(listener.accept().await.expect("a connection"));
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = vec![0; 4096];
        assert_ne!(stream.read(&mut head).await.expect("read"), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-").await.expect("written");
        drop(stream);
        Node::start_on(listener, 1, says("one"))
    };
    let (outcome, _node) = tokio::join!(link.forward(OWNER, get("/x")), hanging_up);
    assert_eq!(answered(outcome).await.1, "one true 0 /x");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_kept_and_has_been_closed_harms_nobody() {
    let node = Node::start(1, says("one")).await;
    let address = node.address;
    let homes = Moving::new(node.home());
    let link = link(&homes);
    answered(link.forward(OWNER, get("/x")).await).await;
    assert_eq!(link.peers.idle(&address.to_string()), 1);
    // The same node on a new listener: all connections of before are closed.
    node.end().await;
    let listener = TcpListener::bind(address).await.expect("it is free again");
    let _node = Node::start_on(listener, 1, says("again"));
    assert_eq!(
        answered(link.forward(OWNER, get("/x")).await).await.1,
        "again true 0 /x"
    );
    // And one that has been idle for long is not used at all.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(link.peers.kept(&address.to_string()).is_none());
}

#[tokio::test(start_paused = true)]
async fn another_node_at_the_address_is_not_taken_for_the_home() {
    let other = Node::start(2, says("two")).await;
    let homes = Moving::new(there(1, &other.address.to_string()));
    let link = link(&homes);
    let moving = async {
        homes.until_asked(4).await;
        homes.to(other.home());
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/x")), moving);
    assert_eq!(answered(outcome).await.1, "two true 0 /x");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_home_does_not_hang_a_page_for_ever() {
    // It accepts, as the system does for a process that is stopped, and never answers.
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &frozen.local_addr().expect("an address").to_string()));
    let begun = Instant::now();
    let Outcome::Failed(refusal, ..) = link(&homes).forward(OWNER, get("/x")).await else {
        panic!("it never answers")
    };
    assert_eq!(refusal.reason, Reason::NodeAway);
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_home_that_is_none_any_more_is_given_up_for_the_next() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let other = Node::start(2, says("two")).await;
    let homes = Moving::new(there(1, &frozen.local_addr().expect("an address").to_string()));
    let link = link(&homes);
    let begun = Instant::now();
    let moving = async {
        let _stream = frozen.accept().await.expect("a connection");
        homes.to(other.home());
        pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = link.forward(OWNER, get("/x")) => outcome,
        () = moving => unreachable!(),
    };
    assert_eq!(answered(outcome).await.1, "two true 0 /x");
    assert!(begun.elapsed() <= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_home_that_leaves_may_still_answer() {
    let release = Arc::new(tokio::sync::Notify::new());
    let asked = Arc::new(AtomicBool::new(false));
    let (open, seen) = (Arc::clone(&release), Arc::clone(&asked));
    let site = Router::new().route(
        "/slow",
        on_get(move || async move {
            seen.store(true, Ordering::Relaxed);
            open.notified().await;
            "one"
        }),
    );
    let (node, other) = (Node::start(1, site).await, Node::start(2, says("two")).await);
    let homes = Moving::new(node.home());
    let link = link(&homes);
    let moving = async {
        while !asked.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        homes.to(other.home());
        tokio::time::sleep(Duration::from_secs(1)).await;
        release.notify_one();
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/slow")), moving);
    assert_eq!(answered(outcome).await.1, "one");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_broken_for_its_reader_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
        let link = link(&homes);
        let breaking = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 4096];
            assert_ne!(stream.read(&mut request).await.expect("read"), 0);
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n5\r\nhello");
            stream.write_all(answer.as_bytes()).await.expect("written");
        };
        let (outcome, ()) = tokio::join!(link.forward(OWNER, get("/x")), breaking);
        let Outcome::Answered(response) = outcome else {
            panic!("it had begun")
        };
        assert!(to_bytes(response.into_body(), 100).await.is_err(), "{head}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_home_that_falls_silent_in_the_middle_is_not_waited_for_for_ever() {
    let silent = Router::new().route(
        "/x",
        on_get(async || {
            let parts = futures_util::stream::iter([Ok::<_, std::io::Error>("a part")]);
            Body::from_stream(futures_util::StreamExt::chain(parts, futures_util::stream::pending()))
        }),
    );
    let node = Node::start(1, silent).await;
    let Outcome::Answered(response) = link(&Moving::new(node.home())).forward(OWNER, get("/x")).await else {
        panic!("it has begun")
    };
    assert!(to_bytes(response.into_body(), 100).await.is_err());
}

#[tokio::test]
async fn no_more_than_so_many_connections_are_kept_or_made_at_once() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let site = Router::new().route(
        "/x",
        on_get(move || async move {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(running, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            "one"
        }),
    );
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let link = Arc::clone(&link);
        asking.spawn(async move { answered(link.forward(OWNER, get("/x")).await).await });
    }
    while let Some(answer) = asking.join_next().await {
        assert_eq!(answer.expect("asked").1, "one");
    }
    assert!(most.load(Ordering::SeqCst) <= 256, "{most:?}");
    let idle = link.peers.idle(&node.address.to_string());
    assert!((1..=16).contains(&idle), "{idle}");
}

#[tokio::test]
async fn a_browser_that_goes_takes_its_request_along() {
    let (begun, gone) = (
        Arc::new(tokio::sync::Notify::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    struct Tell(Arc<tokio::sync::Notify>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (seen, told) = (Arc::clone(&begun), Arc::clone(&gone));
    let site = Router::new().route(
        "/x",
        on_get(move || async move {
            let _told = Tell(told);
            seen.notify_one();
            pending::<()>().await;
        }),
    );
    let node = Node::start(1, site).await;
    let link = link(&Moving::new(node.home()));
    tokio::select! {
        _ = link.forward(OWNER, get("/x")) => panic!("it never answers"),
        () = begun.notified() => {}
    }
    gone.notified().await;
}

/// A socket of the test's own, for what no client would send.
pub(super) async fn raw(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut said = Vec::new();
    // One that is reset has ended, too.
    let _ = stream.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

//! Nodes that end, and others that see it.

use tokio::sync::mpsc;

use super::{super::watch::follow, *};

/// Watches the others; the task ends with the test.
fn watching(homes: &Arc<Moving>) -> (JoinHandle<()>, mpsc::UnboundedReceiver<Incarnation>) {
    let (tell, told) = mpsc::unbounded_channel();
    let dead = move |node| {
        let _ = tell.send(node);
    };
    let homes = Arc::clone(homes) as Arc<dyn Homes>;
    (tokio::spawn(follow(homes, token("1"), Arc::new(dead))), told)
}

/// Lets time pass, in which nothing is told.
async fn silence(told: &mut mpsc::UnboundedReceiver<Incarnation>, time: Duration) {
    assert!(tokio::time::timeout(time, told.recv()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_process_is_told_once_and_at_once() {
    let (one, two) = (Node::start(1, says("one")).await, Node::start(2, says("two")).await);
    let homes = Moving::new(Home::Here);
    let (task, mut told) = watching(&homes);
    let me = (DOOR, deserted().await);
    homes.meet(vec![one.peer(), me, two.peer()]);
    silence(&mut told, Duration::from_secs(60)).await;
    let ended = tokio::time::Instant::now();
    drop(one);
    assert_eq!(told.recv().await, Some(Incarnation(1)));
    assert!(ended.elapsed() < Duration::from_secs(1));
    // It is still named, and it is not told again; the other one is well.
    homes.meet(homes.peers());
    silence(&mut told, Duration::from_secs(60)).await;
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn another_incarnation_at_the_address_says_that_the_first_has_ended() {
    let new = Node::start(2, says("new")).await;
    let homes = Moving::new(Home::Here);
    let (task, mut told) = watching(&homes);
    homes.meet(vec![(Incarnation(1), new.address.to_string()), new.peer()]);
    assert_eq!(told.recv().await, Some(Incarnation(1)));
    silence(&mut told, Duration::from_secs(60)).await;
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_is_not_taken_for_a_death() {
    // One that is stopped, one with another key, one that is no node, and one whose name is not known.
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let frozen_address = frozen.local_addr().expect("an address").to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let foreign_address = listener.local_addr().expect("an address").to_string();
    let guard = Guard {
        token: token("2"),
        me: Incarnation(9),
        homes: Moving::new(Home::Here),
        closing: CancellationToken::new(),
    };
    let foreign = tokio::spawn(serve_with(
        || None,
        listener,
        guarded(guard, Router::new()),
        std::future::pending(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let other_address = listener.local_addr().expect("an address").to_string();
    let other = tokio::spawn(serve_with(|| None, listener, says("web"), std::future::pending()));
    let homes = Moving::new(Home::Here);
    let (task, mut told) = watching(&homes);
    homes.meet(vec![
        (Incarnation(1), frozen_address),
        (Incarnation(2), foreign_address),
        (Incarnation(3), other_address),
        (Incarnation(4), "nowhere.invalid:3001".to_owned()),
    ]);
    silence(&mut told, Duration::from_secs(120)).await;
    for task in [task, foreign, other] {
        task.abort();
    }
    drop(frozen);
}

/// Says once that it is this node, and ends after a while.
async fn say(listener: &TcpListener, name: &str, lasts: Duration) -> tokio::time::Instant {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let asked = tokio::time::Instant::now();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.expect("read"), 0);
    }
    let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n21\r\n{name}\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("written");
    tokio::time::sleep(lasts).await;
    asked
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_made_again_at_once_and_says_nothing_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let name = "00000000000000000000000000000001";
    let homes = Moving::new(Home::Here);
    let (task, mut told) = watching(&homes);
    homes.meet(vec![(
        Incarnation(1),
        listener.local_addr().expect("an address").to_string(),
    )]);
    for _ in 0..3 {
        let broken = tokio::time::Instant::now();
        let again = say(&listener, name, Duration::from_secs(30)).await;
        assert!(again - broken < Duration::from_millis(50));
    }
    // One that breaks each time is not asked again and again without a pause.
    let begun = tokio::time::Instant::now();
    for _ in 0..12 {
        say(&listener, name, Duration::ZERO).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(20));
    assert!(told.try_recv().is_err());
    drop(listener);
    assert_eq!(told.recv().await, Some(Incarnation(1)));
    task.abort();
}

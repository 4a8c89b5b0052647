//! Whoever comes to the link and is no node.

use axum::http::HeaderMap;
use tokio::io::AsyncWriteExt as _;

use super::{forwarding::raw, *};

#[tokio::test]
async fn a_stranger_is_refused_and_sees_nothing() {
    let node = Node::start(1, says("one")).await;
    let mut other = HeaderMap::new();
    token("2").sign(&mut other, None);
    let wrong = other["x-anteroom-link"].to_str().expect("text").to_owned();
    for head in [
        "GET / HTTP/1.1".to_owned(),
        "GET /node HTTP/1.1".to_owned(),
        "GET /health HTTP/1.1".to_owned(),
        "POST /files HTTP/1.1\r\nContent-Length: 5".to_owned(),
        format!("GET /node HTTP/1.1\r\nX-Anteroom-Link: {wrong}"),
        "GET /node HTTP/1.1\r\nX-Anteroom-Link:".to_owned(),
        "GET /feed HTTP/1.1\r\nUpgrade: websocket".to_owned(),
    ] {
        let said = raw(node.address, &format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 403 "), "{head}: {said}");
        let (head, body) = said.split_once("\r\n\r\n").expect("a body");
        assert!(body.starts_with("This address is for the other nodes"), "{said}");
        let head = head.to_ascii_lowercase();
        let names: Vec<_> = head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        for name in names {
            assert!(
                ["content-type", "content-length", "connection", "date"].contains(&name),
                "{name}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_or_never_ends_is_cut_off() {
    let node = Node::start(1, says("one")).await;
    // The head is not waited for, and a body is not read.
    assert_eq!(raw(node.address, "GET / HTT").await, "");
    let mut stream = tokio::net::TcpStream::connect(node.address)
        .await
        .expect("a connection");
    let head = "POST /files HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut written = 0_u64;
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        written += 0x1000;
        assert!(written < 1 << 30, "it reads for ever");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_node_says_which_it_is_for_as_long_as_it_is_there() {
    use futures_util::StreamExt as _;
    let node = Node::start(7, says("one")).await;
    let mut connection = super::super::peers::Connection::open(&node.address.to_string())
        .await
        .expect("a connection");
    let mut request = Request::get("/node").body(Body::empty()).expect("a request");
    token("1").sign(request.headers_mut(), None);
    let answer = connection.ask(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = Body::new(answer.into_body()).into_data_stream();
    let name = body.next().await.expect("a part").expect("read");
    assert_eq!(name, "00000000000000000000000000000007\n");
    node.closing.cancel();
    assert!(body.next().await.is_none(), "it ends with the node");
}

#[tokio::test]
async fn nothing_but_its_name_is_given_to_who_does_not_say_whom_it_asks() {
    let node = Node::start(7, says("one")).await;
    for (path, whom, status) in [
        ("/", None, StatusCode::NOT_FOUND),
        ("/node", Some(Incarnation(7)), StatusCode::OK),
        ("/node", Some(Incarnation(8)), StatusCode::MISDIRECTED_REQUEST),
    ] {
        let connection = super::super::peers::Connection::open(&node.address.to_string()).await;
        let mut request = Request::get(path).body(Body::empty()).expect("a request");
        token("1").sign(request.headers_mut(), whom);
        let answer = connection.expect("a connection").ask(request).await.expect("an answer");
        assert_eq!(answer.status(), status, "{path} {whom:?}");
        if status == StatusCode::OK {
            let (_, said) = read(answer.map(Body::new)).await;
            assert_eq!(said, "one true 0 /node", "a page of the site, not the node's name");
        }
    }
}

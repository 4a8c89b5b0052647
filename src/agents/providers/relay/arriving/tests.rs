use std::io;

use futures_util::{StreamExt as _, stream};
use reqwest::Body;
use tokio::time::sleep;

use super::*;

const STALL: Duration = Duration::from_secs(10);

/// A response whose pieces, each of one letter, come after so many milliseconds; `!` breaks it off.
fn response(pieces: &'static [(u64, &'static str)]) -> Response {
    let pieces = stream::iter(pieces).then(|(pause, piece)| async move {
        if *pause > 0 {
            sleep(Duration::from_millis(*pause)).await;
        }
        match *piece {
            "!" => Err(io::Error::other("broken off")),
            piece => Ok(Bytes::from_static(piece.as_bytes())),
        }
    });
    Response::from(axum::http::Response::new(Body::wrap_stream(pieces)))
}

/// What is passed on together, until the end (`.`), a fault (`!`) or silence (`…`).
async fn passed_on(pieces: &'static [(u64, &'static str)]) -> Vec<String> {
    let mut arriving = Arriving::new(response(pieces), STALL);
    let (mut passed_on, mut together) = (Vec::new(), String::new());
    loop {
        match arriving.next().await {
            Some(Ok(Some(piece))) => together.push_str(std::str::from_utf8(&piece).expect("text")),
            Some(Ok(None)) => together.push('.'),
            Some(Err(_)) => together.push('!'),
            None => together.push('…'),
        }
        let is_over = together.ends_with(['.', '!', '…']);
        if !is_over && arriving.more().await {
            continue;
        }
        arriving.passed_on();
        passed_on.push(std::mem::take(&mut together));
        if is_over {
            return passed_on;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_slowly_is_passed_on_piece_by_piece() {
    assert_eq!(passed_on(&[(10, "a"), (1, "b"), (25, "c")]).await, ["a", "b", "c", "."]);
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_meanwhile_is_passed_on_together() {
    // The first one does not wait for any.
    let burst = &[(0, "a"), (0, "b"), (0, "c"), (0, "d")];
    assert_eq!(passed_on(burst).await, ["a", "bcd."]);
    // Once there was a burst, the next one is expected; and no more once it has not come.
    let bursts = &[
        (5, "a"),
        (0, "b"),
        (0, "c"),
        (25, "d"),
        (0, "e"),
        (25, "f"),
        (25, "g"),
        (0, "h"),
    ];
    assert_eq!(passed_on(bursts).await, ["a", "bc", "de", "f", "g", "h."]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_behind_a_piece_is_found_and_so_is_silence() {
    assert_eq!(passed_on(&[(0, "a"), (0, "b"), (0, "!")]).await, ["a", "b!"]);
    assert_eq!(passed_on(&[(0, "a"), (0, "b"), (20_000, "c")]).await, ["a", "b", "…"]);
}

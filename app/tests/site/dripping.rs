//! Bodies that never end, at every door: nobody keeps a connection, or a place, by sending a byte every now and then.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, header};
use tokio::time::{pause, resume, sleep, timeout};

use crate::hostile::{PLAIN, World, with_bodies};

/// Often enough for whoever waits for the next byte.
const EVERY: Duration = Duration::from_secs(5);
/// As good as for ever.
const FOR_EVER: Duration = Duration::from_secs(100 * 3600);

/// A byte every so often.
fn dripping() -> Body {
    Body::wrap_stream(stream::unfold((), |()| async {
        sleep(EVERY).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    }))
}

#[tokio::test]
async fn no_door_waits_for_ever_for_a_body() {
    let world = World::of(PLAIN).await;
    for (door, request) in with_bodies(&world) {
        for kind in ["application/x-www-form-urlencoded", "application/json"] {
            let mut request = request.try_clone().expect("no body yet").build().expect("a request");
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, kind.parse().expect("a kind"));
            *request.body_mut() = Some(dripping());
            // From here on the clock jumps whenever everybody waits.
            pause();
            let ended = timeout(FOR_EVER, world.browser.http.execute(request)).await;
            resume();
            assert!(ended.is_ok(), "{door} waits for a body of {kind}");
        }
    }
    // Whoever sends a whole one is taken in as ever.
    assert_eq!(world.browser.upload("whole.txt", "content").await.status, 200);
    world.site.until_load(0, 0).await;
}

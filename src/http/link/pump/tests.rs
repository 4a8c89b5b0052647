//! Feeds between ends that the test holds.

use std::future::pending;

use tokio::{
    io::{DuplexStream, duplex},
    sync::oneshot,
    task::JoinHandle,
};

use super::*;

/// A page, a home, and a feed between them that ends when the sender says so.
struct Wired {
    page: DuplexStream,
    home: DuplexStream,
    over: Option<oneshot::Sender<&'static str>>,
    feed: JoinHandle<End>,
}

fn wired(room: usize) -> Wired {
    let (page, mut page_side) = duplex(room);
    let (home, mut home_side) = duplex(room);
    let (over, told) = oneshot::channel();
    let feed = tokio::spawn(async move {
        let over = async {
            match told.await {
                Ok(why) => why,
                Err(_) => pending().await,
            }
        };
        pump(&mut page_side, &mut home_side, over).await
    });
    Wired {
        page,
        home,
        over: Some(over),
        feed,
    }
}

/// A message as a server writes it.
fn message(length: u8) -> Vec<u8> {
    let mut frame = vec![0x81, length];
    frame.resize(2 + usize::from(length), b'x');
    frame
}

async fn heard(page: &mut DuplexStream) -> Vec<u8> {
    let mut heard = Vec::new();
    page.read_to_end(&mut heard).await.expect("read");
    heard
}

#[tokio::test]
async fn bytes_pass_both_ways_and_nothing_is_kept_of_them() {
    let mut feed = Feed::default();
    let (mut page, mut page_side) = duplex(1 << 16);
    let (mut home, mut home_side) = duplex(1 << 16);
    for round in 0..3_u8 {
        home.write_all(&message(100 + round)).await.expect("written");
        page.write_all(&[round; 10]).await.expect("written");
        let mut feed_once = poll_fn(|cx| Poll::Ready(feed.poll(cx, &mut page_side, &mut home_side, false)));
        assert!((&mut feed_once).await.is_pending());
        let mut down = vec![0; 102 + usize::from(round)];
        page.read_exact(&mut down).await.expect("it came");
        assert_eq!(down, message(100 + round));
        let mut up = [0; 10];
        home.read_exact(&mut up).await.expect("it came");
        assert_eq!(up, [round; 10]);
        assert_eq!((feed.down.kept.capacity(), feed.up.kept.capacity()), (0, 0));
        assert!(feed.unread.is_none());
    }
}

#[tokio::test]
async fn a_page_that_reads_slowly_holds_its_home_up_and_loses_nothing() {
    let mut wired = wired(16);
    let many: Vec<u8> = (0..=125).flat_map(message).collect();
    let sent = many.clone();
    let mut home = wired.home;
    let writing = tokio::spawn(async move {
        home.write_all(&sent).await.expect("taken at last");
        home.shutdown().await.expect("closed");
        home
    });
    let mut got: Vec<u8> = Vec::new();
    let mut byte = [0; 7];
    while got.len() < many.len() {
        let read = wired.page.read(&mut byte).await.expect("read");
        assert_ne!(read, 0, "closed early");
        got.extend(&byte[..read]);
        tokio::task::yield_now().await;
    }
    got.truncate(many.len());
    assert_eq!(got, many);
    writing.await.expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_page_whose_home_dies_is_told_to_come_back() {
    let mut wired = wired(1 << 10);
    wired.home.write_all(&message(5)).await.expect("written");
    drop(wired.home);
    let heard = heard(&mut wired.page).await;
    assert_eq!(heard[..7], message(5));
    assert_eq!(heard[7], 0x88);
    assert_eq!(heard[9..11], 1012_u16.to_be_bytes());
    assert_eq!(wired.feed.await.expect("ended"), End::Gone);
}

#[tokio::test(start_paused = true)]
async fn in_the_middle_of_a_message_nothing_more_is_said() {
    let mut wired = wired(1 << 10);
    wired.home.write_all(&message(50)[..20]).await.expect("written");
    drop(wired.home);
    assert_eq!(heard(&mut wired.page).await, message(50)[..20]);
    assert_eq!(wired.feed.await.expect("ended"), End::Broken);
}

#[tokio::test(start_paused = true)]
async fn what_the_home_says_last_is_not_said_twice() {
    let mut wired = wired(1 << 10);
    let last = goodbye("moved");
    wired.home.write_all(&last).await.expect("written");
    drop(wired.home);
    assert_eq!(heard(&mut wired.page).await, last);
    assert_eq!(wired.feed.await.expect("ended"), End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_to_end_ends_with_the_message_that_has_begun() {
    let mut wired = wired(1 << 10);
    let whole = message(50);
    wired.home.write_all(&whole[..20]).await.expect("written");
    let mut begun = [0; 20];
    wired.page.read_exact(&mut begun).await.expect("it came");
    wired.over.take().expect("once").send("moved").expect("it runs");
    let mut none = [0; 1];
    let early = timeout(Duration::from_secs(1), wired.page.read(&mut none)).await;
    assert!(early.is_err(), "the message is not whole");
    // The rest, and another one behind it that belongs to nobody any more.
    let rest = [&whole[20..], &message(5)].concat();
    wired.home.write_all(&rest).await.expect("written");
    let heard = heard(&mut wired.page).await;
    assert_eq!(heard[..32], whole[20..]);
    assert_eq!(heard[32..], goodbye("moved"));
    assert_eq!(wired.feed.await.expect("ended"), End::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_never_ends_keeps_no_feed_open() {
    let mut wired = wired(1 << 10);
    wired.home.write_all(&message(50)[..20]).await.expect("written");
    let mut begun = [0; 20];
    wired.page.read_exact(&mut begun).await.expect("it came");
    wired.over.take().expect("once").send("moved").expect("it runs");
    assert_eq!(heard(&mut wired.page).await, b"");
    assert_eq!(wired.feed.await.expect("ended"), End::Broken);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_goes_takes_the_homes_end_along() {
    let mut wired = wired(1 << 10);
    drop(wired.page);
    assert_eq!(heard(&mut wired.home).await, b"");
    assert_eq!(wired.feed.await.expect("ended"), End::Page);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_reads_nothing_is_given_up() {
    let mut wired = wired(16);
    let begun = tokio::time::Instant::now();
    // It is not taken until the feed is gone.
    wired.home.write_all(&message(100)).await.expect_err("nobody reads it");
    assert_eq!(wired.feed.await.expect("ended"), End::Page);
    assert_eq!(begun.elapsed(), PATIENCE);
}

#[tokio::test]
async fn ten_thousand_silent_feeds_keep_no_byte() {
    let mut feeds = Vec::new();
    for _ in 0..10_000 {
        feeds.push((Feed::default(), duplex(64), duplex(64)));
    }
    let mut kept = 0;
    for (feed, (page, page_side), (home, home_side)) in &mut feeds {
        home.write_all(&message(20)).await.expect("written");
        assert!(
            poll_fn(|cx| Poll::Ready(feed.poll(cx, page_side, home_side, false)))
                .await
                .is_pending()
        );
        let mut got = [0; 22];
        page.read_exact(&mut got).await.expect("it came");
        kept += feed.down.kept.capacity() + feed.up.kept.capacity() + usize::from(feed.unread.is_some());
    }
    assert_eq!(kept, 0);
    assert!(size_of::<Feed>() <= 128, "{}", size_of::<Feed>());
}

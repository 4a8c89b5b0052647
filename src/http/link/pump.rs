//! A feed between a page and the home of its session: bytes are passed on both ways, and nothing is kept but what the other end does not
//! take yet.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::{Sleep, sleep, timeout},
};

use super::frames::{Frames, goodbye};

/// Most bytes that are read at once. They lie on the stack meanwhile, so a feed that is silent costs no memory for them.
const CHUNK: usize = 4 * 1024;
/// How long a page may leave unread what is here for it, before it is given up.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long the last message may take to end, and a page to close its end once it has been told to.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a feed has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The page went away, or was given up.
    Page,
    /// The home closed it, in words that the page has got.
    Closed,
    /// The home is gone, or it is another one; the page has been told to come back.
    Gone,
    /// The home went away in the middle of a message, so that nothing more could be said.
    Broken,
}

/// Passes bytes on until one end closes, or until `over` says why the page is to come back. Dropped, it closes both ends.
pub(super) async fn pump<P, H>(page: &mut P, home: &mut H, over: impl Future<Output = &'static str>) -> End
where
    P: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    let mut over = pin!(over);
    let mut feed = Feed::default();
    let running = poll_fn(|cx| match over.as_mut().poll(cx) {
        Poll::Ready(reason) => Poll::Ready(Err(reason)),
        Poll::Pending => feed.poll(cx, page, home, false).map(Ok),
    });
    let (stopped, why) = match running.await {
        Ok(stopped) => (stopped, "the session has to be found again"),
        Err(reason) => {
            let rest = poll_fn(|cx| feed.poll(cx, page, home, true));
            (timeout(GOODBYE, rest).await.unwrap_or(Stop::Late), reason)
        }
    };
    let end = match stopped {
        Stop::Page => return End::Page,
        Stop::Home if feed.frames.is_closed() => End::Closed,
        Stop::Home if feed.frames.is_between() => End::Gone,
        Stop::Over => End::Gone,
        Stop::Home | Stop::Late => return End::Broken,
    };
    if end == End::Gone {
        let frame = goodbye(why);
        match timeout(PATIENCE, page.write_all(&frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::Page,
        }
    }
    // Closed with something of the page's unread, the connection would be reset, and what was said last be lost.
    let _ = timeout(GOODBYE, async {
        page.shutdown().await?;
        let mut rest = [0; 256];
        while page.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
    end
}

/// Which end has closed.
enum Stop {
    Page,
    Home,
    /// Neither, but it is to end, and a message has just ended.
    Over,
    /// It is to end, and a message that has begun does not.
    Late,
}

#[derive(Default)]
struct Feed {
    down: Way,
    up: Way,
    frames: Frames,
    /// Runs while the page does not take what is here for it.
    unread: Option<Pin<Box<Sleep>>>,
}

impl Feed {
    fn poll<P, H>(&mut self, cx: &mut Context<'_>, page: &mut P, home: &mut H, over: bool) -> Poll<Stop>
    where
        P: AsyncRead + AsyncWrite + Unpin,
        H: AsyncRead + AsyncWrite + Unpin,
    {
        match self.down(cx, page, home, over) {
            Poll::Ready(stop) => return Poll::Ready(stop),
            Poll::Pending if self.down.is_empty() => self.unread = None,
            Poll::Pending => {
                let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
                if unread.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Stop::Page);
                }
            }
        }
        loop {
            match ready!(self.up.step(cx, page, home, CHUNK, |_| {})) {
                Step::Passed => {}
                Step::End | Step::Unread => return Poll::Ready(Stop::Page),
                Step::Untaken => return Poll::Ready(Stop::Home),
            }
        }
    }

    fn down<P, H>(&mut self, cx: &mut Context<'_>, page: &mut P, home: &mut H, over: bool) -> Poll<Stop>
    where
        P: AsyncWrite + Unpin,
        H: AsyncRead + Unpin,
    {
        loop {
            if over && self.down.is_empty() && (self.frames.is_between() || self.frames.is_closed()) {
                return Poll::Ready(if self.frames.is_closed() {
                    Stop::Home
                } else {
                    Stop::Over
                });
            }
            // Once it is to end, no more is taken than what belongs to the message that has begun.
            let most = usize::try_from(self.frames.wanted()).map_or(CHUNK, |wanted| wanted.min(CHUNK));
            let most = if over { most } else { CHUNK };
            let frames = &mut self.frames;
            match ready!(self.down.step(cx, home, page, most, |bytes| frames.pass(bytes))) {
                Step::Passed => self.unread = None,
                Step::End | Step::Unread => return Poll::Ready(Stop::Home),
                Step::Untaken => return Poll::Ready(Stop::Page),
            }
        }
    }
}

/// What one step of a [`Way`] came to.
enum Step {
    /// Something was passed on, or is kept for later.
    Passed,
    /// Its beginning has closed.
    End,
    /// Its beginning cannot be read.
    Unread,
    /// Its end takes nothing any more.
    Untaken,
}

/// One of the two directions.
#[derive(Default)]
struct Way {
    /// What its end has not taken yet. It takes no memory otherwise.
    kept: Vec<u8>,
    taken: usize,
}

impl Way {
    const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn step<F, T>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut F,
        to: &mut T,
        most: usize,
        note: impl FnOnce(&[u8]),
    ) -> Poll<Step>
    where
        F: AsyncRead + Unpin,
        T: AsyncWrite + Unpin,
    {
        if !self.kept.is_empty() {
            return match ready!(Pin::new(&mut *to).poll_write(cx, &self.kept[self.taken..])) {
                Ok(0) | Err(_) => Poll::Ready(Step::Untaken),
                Ok(bytes) => {
                    self.taken += bytes;
                    if self.taken == self.kept.len() {
                        *self = Self::default();
                    }
                    Poll::Ready(Step::Passed)
                }
            };
        }
        let mut chunk = [MaybeUninit::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk[..most]);
        if ready!(Pin::new(from).poll_read(cx, &mut chunk)).is_err() {
            return Poll::Ready(Step::Unread);
        }
        let bytes = chunk.filled();
        if bytes.is_empty() {
            return Poll::Ready(Step::End);
        }
        note(bytes);
        let taken = match Pin::new(to).poll_write(cx, bytes) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Step::Untaken),
            Poll::Ready(Ok(taken)) => taken,
            Poll::Pending => 0,
        };
        self.kept = bytes[taken..].to_vec();
        Poll::Ready(Step::Passed)
    }
}

#[cfg(test)]
mod tests {
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
}

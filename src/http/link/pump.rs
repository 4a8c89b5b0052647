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
mod tests;

//! A timer for a moment that is put off again and again, as by each sign of life of a connection.
//!
//! To set a timer takes a lock that all tasks share, and may wake the thread that keeps them. This one is set once and looks, when it runs out,
//! whether it has been put off meanwhile.

use std::{future::pending, pin::Pin, time::Duration};

use tokio::time::{Instant, Sleep, sleep};

/// See the module.
#[derive(Debug)]
pub(crate) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// One that is first wanted in so long.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Box::pin(sleep(time)))
    }

    /// What comes of `work`, if that takes no longer. Cancel-safe if `work` is.
    pub(crate) async fn within<T>(&mut self, time: Duration, work: impl Future<Output = T>) -> Option<T> {
        let due = Instant::now().checked_add(time);
        let late = async {
            match due {
                Some(due) => self.until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = late => None,
        }
    }

    /// Waits until then. Cancel-safe.
    pub(crate) async fn until(&mut self, due: Instant) {
        if due < self.0.deadline() {
            self.0.as_mut().reset(due);
        }
        loop {
            self.0.as_mut().await;
            if due <= self.0.deadline() {
                return;
            }
            self.0.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_it_is_due_however_often_that_was_put_off_or_brought_forward() {
        let begun = Instant::now();
        let mut alarm = Alarm::after(10 * SECOND);
        for second in 0..25 {
            let due = Instant::now() + 10 * SECOND;
            assert!(alarm.until(due).now_or_never().is_none(), "not after {second} seconds");
            advance(SECOND).await;
        }
        let due = begun + 34 * SECOND;
        alarm.until(due).await;
        assert_eq!(Instant::now(), due);
        alarm.until(due).await;
        assert_eq!(Instant::now(), due, "what is past is not waited for");
        let due = begun + 90 * SECOND;
        assert!(
            timeout(SECOND, alarm.until(due)).await.is_err(),
            "who has waited for it may go"
        );
        let sooner = begun + 36 * SECOND;
        alarm.until(sooner).await;
        assert_eq!(Instant::now(), sooner);
    }

    #[tokio::test(start_paused = true)]
    async fn work_has_its_time_each_time() {
        let begun = Instant::now();
        let mut alarm = Alarm::after(2 * SECOND);
        for _ in 0..5 {
            assert_eq!(alarm.within(2 * SECOND, sleep(SECOND)).await, Some(()));
        }
        assert_eq!(begun.elapsed(), 5 * SECOND);
        assert_eq!(alarm.within(2 * SECOND, pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), 7 * SECOND);
        assert_eq!(alarm.within(Duration::MAX, sleep(100 * SECOND)).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_set_once_for_whatever_puts_it_off() {
        let begun = Instant::now();
        let mut alarm = Alarm::after(10 * SECOND);
        for _ in 0..9 {
            advance(SECOND).await;
            assert!(alarm.within(10 * SECOND, pending::<()>()).now_or_never().is_none());
            assert_eq!(alarm.0.deadline(), begun + 10 * SECOND);
        }
    }
}

//! What programs are still to be told, told by the node where its owner is at home.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::sleep};
use tracing::{Instrument as _, info_span, warn};

use super::{Message, send::Untaken};
use crate::{
    clock::now_ms,
    store::{Delivery, StoreError},
    tasks::{TaskFault, Tasks},
};

/// Most that are told at once.
const AT_ONCE: usize = 32;
/// Between two looks, where something is to be told later, or others may have stored it.
const LOOK: Duration = Duration::from_secs(5);
/// Where there is nothing to tell.
const LOOK_IDLE: Duration = Duration::from_secs(60);
/// What becomes due in one moment is looked for together.
const TOGETHER: Duration = Duration::from_millis(20);
/// The first pause before something is told again; each one is three times as long.
const FIRST: Duration = Duration::from_secs(5);
/// The longest.
const LONGEST: Duration = Duration::from_secs(3 * 3600);
/// For how long something is told again.
const GIVE_UP: Duration = Duration::from_secs(24 * 3600);

/// Those on their way.
type Under = Arc<Mutex<HashSet<i64>>>;

fn locked(under: &Under) -> MutexGuard<'_, HashSet<i64>> {
    under.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tasks {
    /// Tells programs what is over, until no more tasks start.
    pub(in crate::tasks) async fn tell_programs(self) {
        let under = Under::default();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let mut told = pin!(self.inner.outbox.notified());
            told.as_mut().enable();
            let mut pause = LOOK;
            match self.store().deliveries(now_ms(), AT_ONCE * 4).await {
                Ok(due) => {
                    // Others, where there are any, may store something at any time.
                    if self.outbox().await == Some(0) && self.deps().membership.is_none() {
                        pause = LOOK_IDLE;
                    }
                    for delivery in due {
                        let is_new = self.is_home(delivery.owner) && !locked(&under).contains(&delivery.key);
                        let Some(permit) = is_new.then(|| Arc::clone(&permits).try_acquire_owned().ok()).flatten()
                        else {
                            continue;
                        };
                        locked(&under).insert(delivery.key);
                        let (tasks, under) = (self.clone(), Arc::clone(&under));
                        let span = info_span!(parent: None, "webhook", batch = %delivery.batch);
                        let work = async move {
                            tokio::select! {
                                () = tasks.deliver(&delivery) => {}
                                () = tasks.inner.closing.cancelled() => {}
                            }
                            locked(&under).remove(&delivery.key);
                            drop(permit);
                            tasks.inner.outbox.notify_one();
                        };
                        self.inner.tasks.spawn(work.instrument(span));
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) => warn!(%error, "what programs are to be told cannot be read yet"),
            }
            tokio::select! {
                () = self.inner.closing.cancelled() => return,
                () = told => sleep(TOGETHER).await,
                () = sleep(pause) => {}
            }
        }
    }

    /// How much is to be told, now or later; `None`: that cannot be read yet.
    async fn outbox(&self) -> Option<u64> {
        let count = self.store().untold().await.ok()?;
        self.inner.counts.outbox(count);
        Some(count)
    }

    async fn deliver(&self, delivery: &Delivery) {
        let stored = match self.message(delivery).await {
            Ok(Some(body)) => {
                // The same each time, so that a program knows what it has been told already.
                let id = format!("msg_{:016x}_{}", delivery.key, delivery.batch.simple());
                let sent = &self.inner.guarded;
                let sent = sent.send(&delivery.webhook, &id, now_ms() / 1000, body).await;
                match sent {
                    Ok(()) => {
                        self.inner.counts.told();
                        self.store().delivered(delivery.key).await
                    }
                    Err(fault) => {
                        let due = again_at(delivery, &fault, now_ms(), rand::random());
                        let attempt = delivery.attempts + 1;
                        self.inner.counts.untaken(due.is_none());
                        if due.is_some() {
                            warn!(%fault, attempt, "a program was not told; it is tried again");
                        } else {
                            warn!(%fault, attempt, "a program is not told: given up");
                        }
                        self.store().put_off(delivery.key, due).await
                    }
                }
            }
            Ok(None) => self.store().delivered(delivery.key).await,
            Err(fault) => {
                warn!(%fault, "what a program is to be told cannot be read yet");
                sleep(FIRST).await;
                return;
            }
        };
        if let Err(error) = stored {
            warn!(%error, "what has become of a webhook could not be stored: its program may be told once more");
            sleep(FIRST).await;
        }
    }

    /// What there is to say; `None`: nothing any more.
    async fn message(&self, delivery: &Delivery) -> Result<Option<String>, StoreError> {
        let gone = |fault| match fault {
            TaskFault::Store(error) => Err(error),
            _ => Ok(None),
        };
        let message = match delivery.task {
            Some(task) => match self.task(delivery.owner, task).await {
                Ok(task) => Message::of_task(task, delivery.created_at),
                Err(fault) => return gone(fault),
            },
            None => match self.batch(delivery.owner, delivery.batch).await {
                Ok(batch) => Some(Message::of_batch(&batch, delivery.created_at)),
                Err(fault) => return gone(fault),
            },
        };
        // It has no maps with keys that are no text, the only thing that JSON cannot have.
        Ok(message.and_then(|message| serde_json::to_string(&message).ok()))
    }
}

/// When something is told again; `None`: never. `dice`: of many that fail at once, not all come back at once.
fn again_at(delivery: &Delivery, fault: &Untaken, now: u64, dice: u8) -> Option<u64> {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let pause = ms(FIRST)
        .saturating_mul(3_u64.saturating_pow(delivery.attempts))
        .min(ms(LONGEST));
    let due = now + pause + pause * u64::from(dice) / 2560;
    let given_up = matches!(fault, Untaken::Gone) || due > delivery.created_at + ms(GIVE_UP);
    (!given_up).then_some(due)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{queue::Owner, store::Webhook};

    #[test]
    fn something_is_told_again_for_a_day() {
        let mut delivery = Delivery {
            key: 1,
            owner: Owner(1),
            batch: Uuid::nil(),
            task: None,
            attempts: 0,
            created_at: 1_000,
            webhook: Webhook {
                url: String::new(),
                secret: String::new(),
            },
        };
        let fault = Untaken::Unreached(String::new());
        let (mut now, mut pauses) = (1_000, Vec::new());
        while let Some(due) = again_at(&delivery, &fault, now, 0) {
            pauses.push((due - now) / 1000);
            now = due;
            delivery.attempts += 1;
        }
        assert_eq!(pauses[..4], [5, 15, 45, 135]);
        assert!(pauses.iter().all(|pause| *pause <= 3 * 3600));
        assert!((21 * 3600..=24 * 3600).contains(&((now - 1_000) / 1000)), "{pauses:?}");
        assert_eq!(again_at(&delivery, &Untaken::Gone, 1_001, 0), None);
        let late = again_at(
            &Delivery {
                attempts: 0,
                ..delivery
            },
            &fault,
            1_000,
            255,
        );
        assert!(late.is_some_and(|late| late > 6_000 && late < 7_000));
    }
}

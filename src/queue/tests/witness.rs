//! Somebody who looks at the queue while it is being used, under its lock: what holds at each look holds at every instant,
//! because nothing changes but under that lock.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use crate::queue::Queue;

/// What was running at one look, and what may run.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    /// How many retunings there had been; none went on.
    retunings: u64,
    /// By line, then all together: running and limit.
    running: Vec<(usize, usize)>,
}

/// Looks, and remembers the last look to compare with.
#[derive(Default)]
pub(super) struct Witness {
    /// Odd while a retuning goes on.
    retunings: AtomicU64,
    last: Mutex<Option<Look>>,
    seen_waiting: AtomicBool,
}

impl Witness {
    /// Lets the witness know of a retuning. One at a time.
    pub(super) fn retuning(&self, retune: impl FnOnce()) {
        self.retunings.fetch_add(1, SeqCst);
        retune();
        self.retunings.fetch_add(1, SeqCst);
    }

    pub(super) fn has_seen_waiting(&self) -> bool {
        self.seen_waiting.load(SeqCst)
    }

    pub(super) fn look(&self, queue: &Queue) {
        let mut last = self.last.lock().unwrap();
        let before = self.retunings.load(SeqCst);
        let (running, waiting) = queue.look(|machine, now| {
            let cap = machine.policy().max_running.unwrap_or(usize::MAX);
            let room = machine.running() < cap;
            let mut running = Vec::new();
            for at in 0..machine.line_count() {
                let line = machine.line(at, now);
                let limit = line.limit.unwrap_or(usize::MAX);
                assert!(
                    line.waiting == 0 || !room || line.running >= limit,
                    "a slot idles: {line:?}"
                );
                running.push((line.running, limit));
            }
            assert_eq!(
                running.iter().map(|(running, _)| running).sum::<usize>(),
                machine.running()
            );
            running.push((machine.running(), cap));
            (running, machine.waiting() > 0)
        });
        self.seen_waiting.fetch_or(waiting, SeqCst);
        if before % 2 == 1 || self.retunings.load(SeqCst) != before {
            *last = None;
            return;
        }
        let look = Look {
            retunings: before,
            running,
        };
        match last.as_ref().filter(|last| last.retunings == look.retunings) {
            // A retuning may leave more running than the limit, but nobody starts before they are fewer.
            Some(last) => {
                for (now, then) in look.running.iter().zip(&last.running) {
                    assert!(
                        now.0 <= now.1.max(then.0),
                        "one too many has started: {then:?}, then {now:?}"
                    );
                }
            }
            // Before the first retuning there is no excuse.
            None if before == 0 => assert!(look.running.iter().all(|(running, limit)| running <= limit)),
            None => {}
        }
        *last = Some(look);
    }
}

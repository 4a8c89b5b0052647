//! 200 messages for a fast server and one that takes four times as long: how long until all are answered, against the best that
//! can be done when no slot is idle while a ticket waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::Pool;
use crate::{
    figures::{Measure, Unit},
    stage::Chats,
    system::{Places, System as _},
};

const MESSAGES: usize = 200;
/// Slots of each server.
const SLOTS: usize = 4;
/// How long an answer of the fast one takes: a first piece and four more.
const FAST: Duration = Duration::from_millis(300);
/// The same of the slow one.
const SLOW: Duration = Duration::from_millis(1_200);
const SERVERS: [&str; 2] = [
    "fast limit=4 tokens=5 first_token=100ms pace=50ms",
    "slow limit=4 tokens=5 first_token=400ms pace=200ms",
];
const MOST: f64 = 1.03;

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let pool = Pool::set(places, &SERVERS, |_| format!("limit = {SLOTS}"), &[]).await?;
    let pages: Vec<_> = pool.visit(MESSAGES).await?.into_iter().map(Arc::new).collect();
    pool.system.keep_connections(MESSAGES).await?;
    let began = Instant::now();
    let mut sent = Chats::default();
    for (number, page) in pages.iter().enumerate() {
        sent.send(page, format!("message {number} for two servers"));
    }
    sent.all().await?;
    let took = began.elapsed();

    let record = pool.fleet().record();
    let (requests, beyond) = (record.requests().len(), record.beyond_limits());
    ensure!(requests == MESSAGES, "{requests} requests for {MESSAGES} messages");
    ensure!(beyond == 0, "{beyond} requests beyond a server's limit");
    let best = best([[FAST; SLOTS], [SLOW; SLOTS]].as_flattened(), MESSAGES);
    let of_the_slow = record["slow"].requests.len() as f64 / MESSAGES as f64;
    Ok(vec![
        Measure::new(
            "a fast and a slow server (1 : 4), 200 messages: makespan ÷ the best with no idle slot",
            took.as_secs_f64() / best.as_secs_f64(),
            Unit::Times,
        )
        .at_most(MOST),
        Measure::new("of these, answered by the slow one", of_the_slow * 100.0, Unit::Percent),
    ])
}

/// When the last of so many equal jobs ends, if each slot takes its time for one and none is idle while a job waits.
///
/// That is list scheduling (Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17, 1969). Jobs that are
/// equal leave it one choice: which of the slots that are free at the same moment the last ones take. The fastest is best.
fn best(slots: &[Duration], jobs: usize) -> Duration {
    let mut free_at = vec![Duration::ZERO; slots.len()];
    let mut end = Duration::ZERO;
    for _ in 0..jobs {
        let next = (0..slots.len()).min_by_key(|&slot| (free_at[slot], slots[slot]));
        let Some(slot) = next else { break };
        free_at[slot] += slots[slot];
        end = end.max(free_at[slot]);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn equal_slots_take_rounds() {
        assert_eq!(best(&[seconds(2); 5], 25), seconds(10));
        assert_eq!(best(&[seconds(2); 5], 26), seconds(12));
        assert_eq!(best(&[seconds(2); 5], 0), Duration::ZERO);
    }

    #[test]
    fn no_slot_idles_even_where_that_would_end_sooner() {
        // 1, 2, 3 by the fast one; the slow one has to take the second job when it comes, and ends with 4.
        assert_eq!(best(&[seconds(1), seconds(4)], 4), seconds(4));
        // At 4 both are free, and one job is left: the fast one takes it.
        assert_eq!(best(&[seconds(1), seconds(4)], 6), seconds(5));
        // Two are left: the slow one may not idle.
        assert_eq!(best(&[seconds(1), seconds(4)], 7), seconds(8));
    }

    /// Whatever slots are free at once, each order of taking them is tried.
    fn by_trying(slots: &[Duration], free_at: &[Duration], jobs: usize) -> Duration {
        let Some(first) = free_at.iter().min().filter(|_| jobs > 0) else {
            return free_at.iter().copied().max().unwrap_or_default();
        };
        let free = (0..slots.len()).filter(|&slot| free_at[slot] == *first);
        let ends = free.map(|slot| {
            let mut then = free_at.to_vec();
            then[slot] += slots[slot];
            by_trying(slots, &then, jobs - 1)
        });
        ends.min().unwrap_or_default()
    }

    #[test]
    fn nothing_better_is_found_by_trying() {
        for slots in [&[1, 4][..], &[1, 2, 2], &[2, 3, 6], &[1, 1, 3]] {
            let slots: Vec<_> = slots.iter().map(|&time| seconds(time)).collect();
            for jobs in 1..9 {
                // A slot that has done nothing yet has ended nothing.
                let tried = by_trying(&slots, &vec![Duration::ZERO; slots.len()], jobs);
                assert_eq!(best(&slots, jobs), tried, "{slots:?}, {jobs} jobs");
            }
        }
    }

    #[test]
    fn in_this_bench_all_slots_end_together_and_a_little_delay_moves_no_job_to_the_other_server() {
        let slots = |delay: u64| {
            let delay = Duration::from_millis(delay);
            [[FAST + delay; SLOTS], [SLOW + delay; SLOTS]]
        };
        assert_eq!(best(slots(0).as_flattened(), MESSAGES), seconds(12));
        for delay in 1..=10 {
            let end = best(slots(delay).as_flattened(), MESSAGES);
            assert_eq!(end, 40 * (FAST + Duration::from_millis(delay)), "{delay} ms for each");
        }
    }
}

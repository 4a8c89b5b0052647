//! What queueing theory says of two equal servers that share themselves among all they are given: requests come at random (Poisson),
//! and how long each would take alone is exponential, 1 on average. Times are in units of that.
//!
//! - Round robin gives each server every second request: Erlang-2 arrivals at an exponential server, of which each departs at the
//!   same rate whatever runs, so that it is the queue E2/M/1 (Kleinrock, "Queueing Systems", volume 1, 1975, chapter 6).
//! - The least loaded server is the shorter queue: the chain of both queue lengths has no closed form, but can be solved to any
//!   precision, since long queues are rare (Gupta, Harchol-Balter, Sigman, Whitt, "Analysis of join-the-shortest-queue routing
//!   for web server farms", Performance Evaluation 64, 2007: also that it hardly matters how work is distributed).

/// Queues longer than this are not looked at. At half load one is that long once in a million million times.
const LONGEST: usize = 24;

/// How requests are given to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routing {
    RoundRobin,
    LeastLoaded,
}

impl Routing {
    /// Mean time in system, where each server is busy for this share of the time; below 1.
    pub(super) fn mean_time(self, load: f64) -> f64 {
        match self {
            Self::RoundRobin => round_robin(load),
            Self::LeastLoaded => shortest_queue(load),
        }
    }
}

/// E2/M/1: a request finds another before it with a probability that is the fixed point of the arrivals' transform.
fn round_robin(load: f64) -> f64 {
    // Both phases of the time between two requests for the same server pass at the rate of all requests.
    let rate = 2.0 * load;
    let mut found = 0.0;
    // It is a contraction: below full load each step brings it nearer.
    for _ in 0..10_000 {
        found = (rate / (rate + 1.0 - found)).powi(2);
    }
    1.0 / (1.0 - found)
}

/// The stationary chain of the shorter and the longer queue, by Little's law.
fn shortest_queue(load: f64) -> f64 {
    const SIZE: usize = LONGEST + 1;
    let rate = 2.0 * load;
    let steps = |shorter: usize, longer: usize| {
        let equal = shorter == longer;
        let arrival = if equal {
            (shorter, longer + 1)
        } else {
            (shorter + 1, longer)
        };
        // One of two equal queues becomes the shorter one.
        let of_longer = if equal {
            (shorter.wrapping_sub(1), longer)
        } else {
            (shorter, longer - 1)
        };
        [
            (rate, arrival, longer < LONGEST || !equal),
            (if equal { 2.0 } else { 1.0 }, of_longer, longer > 0),
            (1.0, (shorter.wrapping_sub(1), longer), shorter > 0 && !equal),
        ]
    };
    // Looked at as often as anything can happen, which makes a chain in steps of it.
    let most = rate + 2.0;
    let mut chance = vec![0.0; SIZE * SIZE];
    chance[0] = 1.0;
    for _ in 0..20_000 {
        let mut next = vec![0.0; SIZE * SIZE];
        for longer in 0..SIZE {
            for shorter in 0..=longer {
                let here = chance[shorter * SIZE + longer];
                let mut stays = 1.0;
                for (rate, (shorter, longer), happens) in steps(shorter, longer) {
                    if happens {
                        next[shorter * SIZE + longer] += here * rate / most;
                        stays -= rate / most;
                    }
                }
                next[shorter * SIZE + longer] += here * stays;
            }
        }
        let moved: f64 = next.iter().zip(&chance).map(|(new, old)| (new - old).abs()).sum();
        chance = next;
        if moved < 1e-13 {
            break;
        }
    }
    let all = (0..SIZE).flat_map(|longer| (0..=longer).map(move |shorter| (shorter, longer)));
    let there: f64 = all
        .map(|(shorter, longer)| (shorter + longer) as f64 * chance[shorter * SIZE + longer])
        .sum();
    there / rate
}

/// A request: when it comes, and how long it would take alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: f64,
    pub(super) work: f64,
}

/// The mean time in system of these very requests, with nothing else in the way.
pub(super) fn play(routing: Routing, arrivals: &[Arrival]) -> f64 {
    let mut servers: [Vec<Work>; 2] = Default::default();
    let (mut now, mut spent) = (0.0, 0.0);
    for (number, arrival) in arrivals.iter().enumerate() {
        spent += servers
            .iter_mut()
            .map(|server| share(server, now, arrival.at))
            .sum::<f64>();
        now = arrival.at;
        let chosen = match routing {
            Routing::RoundRobin => number % 2,
            Routing::LeastLoaded => usize::from(servers[1].len() < servers[0].len()),
        };
        servers[chosen].push(Work {
            came: now,
            left: arrival.work,
        });
    }
    spent += servers
        .iter_mut()
        .map(|server| share(server, now, f64::INFINITY))
        .sum::<f64>();
    spent / arrivals.len() as f64
}

struct Work {
    came: f64,
    left: f64,
}

/// A server shares itself among its requests from `now` until `until`. Returns the times in system of those that end.
fn share(server: &mut Vec<Work>, mut now: f64, until: f64) -> f64 {
    let mut spent = 0.0;
    while let Some(next) = (0..server.len()).min_by(|&one, &other| server[one].left.total_cmp(&server[other].left)) {
        let count = server.len() as f64;
        let least = server[next].left;
        if now + least * count > until {
            server.iter_mut().for_each(|work| work.left -= (until - now) / count);
            break;
        }
        now += least * count;
        server.iter_mut().for_each(|work| work.left -= least);
        spent += now - server.swap_remove(next).came;
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn arrivals(load: f64, count: usize, seed: u64) -> Vec<Arrival> {
        let mut dice = Dice(seed);
        let mut at = 0.0;
        let one = |_| {
            at -= dice.unit().ln() / (2.0 * load);
            Arrival {
                at,
                work: -dice.unit().ln(),
            }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn round_robin_at_half_load_is_the_golden_ratio() {
        // 1 = s (2 − s)² has the solution (3 − √5) / 2.
        assert!((Routing::RoundRobin.mean_time(0.5) - f64::midpoint(1.0, 5_f64.sqrt())).abs() < 1e-9);
    }

    #[test]
    fn the_shorter_queue_lies_between_one_line_for_both_and_turns() {
        for load in [0.05, 0.3, 0.5, 0.7] {
            // M/M/2, whose servers never idle while somebody waits.
            let one_line = 1.0 / (1.0 - load * load);
            let least = Routing::LeastLoaded.mean_time(load);
            assert!(
                one_line < least && least < Routing::RoundRobin.mean_time(load),
                "{load}: {least}"
            );
        }
    }

    #[test]
    fn theory_and_many_played_requests_agree() {
        for routing in [Routing::RoundRobin, Routing::LeastLoaded] {
            for load in [0.3, 0.5] {
                let played = play(routing, &arrivals(load, 200_000, 7));
                let told = routing.mean_time(load);
                assert!(
                    (played / told - 1.0).abs() < 0.02,
                    "{routing:?}, {load}: {played} and {told}"
                );
            }
        }
    }

    #[test]
    fn requests_share_their_server() {
        let work = |at, work| Arrival { at, work };
        let three = [work(0.0, 2.0), work(0.5, 2.0), work(1.0, 1.0)];
        // Both ways, the third finds one at each server and joins the first, which has 1 left: both end at 3. The second is alone.
        for routing in [Routing::RoundRobin, Routing::LeastLoaded] {
            assert!(
                (play(routing, &three) * 3.0 - (3.0 + 2.0 + 2.0)).abs() < 1e-12,
                "{routing:?}"
            );
        }
        // Once the second has gone, the least loaded server is its.
        let four = [work(0.0, 9.0), work(1.0, 1.0), work(3.0, 1.0), work(5.0, 1.0)];
        assert!((play(Routing::LeastLoaded, &four) * 4.0 - (9.0 + 1.0 + 1.0 + 1.0)).abs() < 1e-12);
        // In turns, the third shares with the first from 3 to 5.
        assert!((play(Routing::RoundRobin, &four) * 4.0 - (10.0 + 1.0 + 2.0 + 1.0)).abs() < 1e-12);
    }
}

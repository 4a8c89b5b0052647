//! What back ends may have for now, in the copy.

use super::{
    dice::Dice,
    replica::{A, B, C, Log, from_written, release},
};
use crate::{
    nodes::{Change, Incarnation, Job, Number, Said},
    queue::{
        BackendIndex, BackendPolicy, EventIndex, EventPolicy, Outage, Owner, Policy, PoolIndex, PoolPolicy, Teller,
        Throttle, TicketId, Work,
        machine::{Command, TicketState},
    },
};

const SERVER: BackendIndex = BackendIndex(0);
const AWAY: Throttle = Throttle::Out(Outage::Away);
const PROBE: Throttle = Throttle::Probe(1);

/// Back ends with four slots each, of one pool.
fn policy(backends: u32) -> Policy {
    let chat = EventPolicy {
        limit: None,
        pooled: true,
        ..EventPolicy::new("chat", 1)
    };
    let mut policy = Policy::new([chat]);
    for at in 0..backends {
        policy.backends.push(BackendPolicy {
            name: format!("server {at}"),
            limit: Some(4),
            weight: 1,
        });
    }
    policy.pools.push(PoolPolicy {
        name: "model".to_owned(),
        backends: (0..backends).map(BackendIndex).collect(),
    });
    policy
}

fn log(backends: u32) -> Log {
    let mut log = Log::under(policy(backends));
    for node in [A, B, C] {
        log.append(node, &[Change::Up { address: None }]);
    }
    log
}

fn join(job: u128) -> Change {
    Change::Join {
        job: Job(job),
        work: Work {
            event: EventIndex(0),
            pool: Some(PoolIndex(0)),
            prefers: None,
        },
        owner: Owner(job),
        joined: None,
    }
}

impl Log {
    fn say(&mut self, node: Incarnation, throttle: Throttle, known: u64) -> Said {
        let change = Change::Throttle {
            backend: SERVER,
            throttle,
            known,
        };
        self.append(node, &[change])[0]
    }

    fn in_force(&self, node: Incarnation) -> (Throttle, Teller) {
        let in_force = self.replica.throttles(node)[0];
        (in_force.throttle, in_force.by)
    }

    fn set(&self) -> u64 {
        self.replica.throttles(A)[0].set
    }

    fn limit(&self) -> Option<usize> {
        self.replica.machine().backends().next().and_then(|server| server.limit)
    }

    fn runs(&self, ticket: u64) -> bool {
        matches!(self.state(ticket), Some(TicketState::Running(_)))
    }
}

#[test]
fn of_two_that_say_something_at_once_the_first_is_heard() {
    let mut log = log(1);
    assert_eq!(log.in_force(A), (Throttle::Free, Teller::Nobody));
    assert_eq!(log.say(A, AWAY, 0), Said::Done);
    assert_eq!(log.say(B, Throttle::Found(2), 0), Said::Void);
    assert_eq!(log.in_force(A), (AWAY, Teller::This));
    assert_eq!(log.in_force(B), (AWAY, Teller::Other));
    // Whoever goes on has heard its own words.
    assert_eq!(log.say(A, PROBE, 0), Said::Done);
    assert_eq!(log.say(A, Throttle::Found(3), 0), Said::Done);
    assert_eq!(log.limit(), Some(3));
    let heard = log.set();
    assert_eq!(log.say(B, Throttle::Found(2), heard), Said::Done);
    assert_eq!(log.say(A, Throttle::Found(4), heard), Said::Void);
    assert_eq!(log.limit(), Some(2));
    let nowhere = Change::Throttle {
        backend: BackendIndex(7),
        throttle: AWAY,
        known: 0,
    };
    assert_eq!(log.append(A, &[nowhere]), [Said::Void]);
}

#[test]
fn one_ticket_tries_and_its_node_says_how_it_went() {
    let mut log = log(1);
    log.append(C, &[join(1)]);
    log.say(A, AWAY, 0);
    log.append(B, &[join(2), join(3)]);
    assert!(log.runs(1) && !log.runs(2), "what has started goes on");
    log.say(A, PROBE, log.set());
    assert!(log.runs(2) && !log.runs(3), "one beside those from before");
    assert_eq!(log.in_force(A), (Throttle::Probing, Teller::Other));
    assert_eq!(log.in_force(B), (Throttle::Probing, Teller::Line));
    log.append(C, &[release(1, 1)]);
    assert!(!log.runs(3), "however many there were");
    // A cannot know anything of it.
    assert_eq!(log.say(A, PROBE, log.set() - 1), Said::Void);
    assert_eq!(log.say(B, Throttle::Free, log.set()), Said::Done);
    assert!(log.runs(3));
    log.append(B, &[release(2, 2)]);
    assert_eq!(log.in_force(B), (Throttle::Free, Teller::This));
}

#[test]
fn a_ticket_that_shows_nothing_leaves_its_place_to_the_next() {
    let mut log = log(1);
    log.say(A, AWAY, 0);
    log.append(B, &[join(1), join(2)]);
    log.append(C, &[join(3)]);
    log.say(A, PROBE, log.set());
    assert_eq!(log.works(B), [1]);
    log.append(B, &[release(1, 1)]);
    assert_eq!(log.works(B), [2]);
    assert_eq!(log.in_force(B), (Throttle::Probing, Teller::Line));
    let heard = log.set();
    // It did not work: another one does not try before the node says so.
    let out = Change::Throttle {
        backend: SERVER,
        throttle: AWAY,
        known: heard,
    };
    let back = Change::Ticket(Job(2), Command::StartBack { ticket: TicketId(2) });
    assert_eq!(log.append(B, &[out, back]), [Said::Done, Said::Done]);
    assert_eq!(log.in_force(B), (AWAY, Teller::This));
    assert!(!log.runs(2) && !log.runs(3));
}

#[test]
fn only_one_tries_where_those_from_before_end_first() {
    let mut log = log(1);
    log.append(A, &[join(1), join(2), join(3)]);
    log.say(A, AWAY, 0);
    log.say(A, PROBE, 0);
    assert_eq!(log.limit(), Some(4));
    log.append(A, &[release(1, 1), release(2, 2)]);
    assert_eq!(log.limit(), Some(2));
    log.append(B, &[join(4), join(5)]);
    assert!(log.runs(4) && !log.runs(5));
}

#[test]
fn nothing_waits_for_the_word_of_a_node_that_is_gone() {
    // It was to end the pause.
    let mut gone = log(1);
    gone.say(A, AWAY, 0);
    gone.append(B, &[join(1), join(2)]);
    gone.append(C, &[Change::Gone(A)]);
    assert!(gone.runs(1) && !gone.runs(2));
    assert_eq!(gone.in_force(B), (Throttle::Probing, Teller::Line));
    // It had the ticket that was to try.
    gone.append(C, &[Change::Gone(B)]);
    assert!(gone.works(C).len() == 1, "its tickets are C's, and one of them tries");
    assert_eq!(gone.in_force(C), (Throttle::Probing, Teller::Line));
    gone.append(C, &[Change::Gone(C)]);
    assert_eq!(gone.replica.nodes().count(), 0);
    gone.append(A, &[Change::Up { address: None }]);
    assert_ne!(gone.in_force(A).1, Teller::Other);
    // What it has found holds.
    let mut gone = log(1);
    gone.say(A, Throttle::Found(3), 0);
    gone.append(C, &[Change::Gone(A)]);
    assert_eq!(gone.in_force(C), (Throttle::Found(3), Teller::Nobody));
    assert_eq!(gone.limit(), Some(3));
    assert_eq!(
        gone.say(B, Throttle::Found(5), 0),
        Said::Void,
        "it has yet to hear that"
    );
    assert_eq!(gone.say(B, Throttle::Found(5), gone.set()), Said::Done);
}

/// What must be so after each entry.
fn check(log: &Log) {
    let replica = &log.replica;
    let nodes: Vec<Incarnation> = replica.nodes().collect();
    let states: Vec<_> = replica.machine().backends().collect();
    let nobody = Incarnation(0);
    for (at, (in_force, state)) in replica.throttles(nobody).into_iter().zip(&states).enumerate() {
        let waited_for = matches!(in_force.throttle, Throttle::Out(_) | Throttle::Probing);
        let there = nodes.iter().any(|node| {
            let by = replica.throttles(*node)[at].by;
            matches!(by, Teller::This | Teller::Line)
        });
        assert!(!waited_for || there || nodes.is_empty(), "{in_force:?} for ever");
        let tried_by = nodes
            .iter()
            .find(|node| replica.throttles(**node)[at].by == Teller::Line);
        if let Some(node) = tried_by {
            let backend = Some(BackendIndex(at as u32));
            let mut works = replica.working(*node);
            assert!(works.any(|(_, working)| working.grant.backend == backend));
        }
        match in_force.throttle {
            Throttle::Free => assert_eq!(state.limit, Some(4)),
            Throttle::Found(most) => assert_eq!(state.limit, Some(most.min(4))),
            Throttle::Out(_) | Throttle::Probing => assert_eq!(state.limit, Some(0)),
            Throttle::Probe(_) => assert_eq!(state.limit, Some((state.running + 1).min(4))),
        }
    }
}

#[test]
fn whatever_is_said_and_whoever_goes_no_back_end_waits_for_nobody() {
    let (mut tried, mut void, mut gone) = (0, 0, 0);
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut log = log(2);
        let mut nodes = vec![A, B, C];
        for step in 0..80 {
            let node = nodes[dice.below(nodes.len() as u64) as usize];
            let change = match dice.below(12) {
                0..4 => join(step + 1),
                4..7 => {
                    let works: Vec<_> = log.replica.working(node).collect();
                    let Some((ticket, working)) = works.first().copied() else {
                        continue;
                    };
                    let command = if dice.once_in(2) {
                        Command::Release { ticket, worked: true }
                    } else {
                        Command::StartBack { ticket }
                    };
                    Change::Ticket(working.job, command)
                }
                7..11 => {
                    let backend = BackendIndex(dice.below(2) as u32);
                    let throttles = [Throttle::Free, Throttle::Found(2), AWAY, AWAY, PROBE, PROBE];
                    let heard = log.replica.throttles(node)[backend.0 as usize].set;
                    Change::Throttle {
                        backend,
                        throttle: throttles[dice.below(6) as usize],
                        known: heard.saturating_sub(u64::from(dice.once_in(4))),
                    }
                }
                _ => {
                    let other = nodes.remove(dice.below(nodes.len() as u64) as usize);
                    let next = Incarnation(step + 10);
                    nodes.push(next);
                    log.append(next, &[Change::Up { address: None }]);
                    gone += 1;
                    Change::Gone(other)
                }
            };
            let node = if nodes.contains(&node) { node } else { nodes[0] };
            let said = log.append(node, &[change]);
            void += usize::from(said == [Said::Void]);
            check(&log);
            let tries = |node: &Incarnation| log.replica.throttles(*node)[0].by == Teller::Line;
            tried += usize::from(nodes.iter().any(tries));
        }
        let written = serde_json::to_string(&log.replica.snapshot()).expect("it can be written");
        let mut copy = from_written(&written).expect("a machine has made it");
        let batch = log.next(nodes[0], &[Change::Gone(nodes[1])]);
        assert_eq!(copy.apply(&batch), log.replica.apply(&batch));
        assert_eq!(copy.snapshot(), log.replica.snapshot());
        assert!(log.replica.applied() > Number(60));
    }
    assert!(tried > 500 && void > 500 && gone > 500, "{tried}, {void}, {gone}");
}

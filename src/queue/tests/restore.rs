//! The line after a restart.

use proptest::prelude::*;
use tokio::time::{Duration, Instant};

use super::support::*;
use crate::queue::{JoinError, LeaveReason, Order, OrderKey, Owner, Permit, Policy, Queue, RestoredTicket, Ticket};

/// What a store would have kept of a ticket.
fn kept(queue: &Queue, owner: u128, ticket: &Ticket) -> RestoredTicket {
    RestoredTicket {
        work: A.into(),
        owner: Owner(owner),
        joined: Instant::now(),
        key: queue.order_key(ticket.id()),
        ran: false,
        parked: false,
    }
}

/// The same of one that runs.
fn kept_of(permit: &Permit, owner: u128) -> RestoredTicket {
    RestoredTicket {
        work: A.into(),
        owner: Owner(owner),
        joined: Instant::now(),
        key: Some(permit.order_key()),
        ran: true,
        parked: false,
    }
}

fn restored(policy: Policy, mut kept: Vec<RestoredTicket>) -> (Queue, Vec<Ticket>, Vec<u128>) {
    kept.sort_by_key(|ticket| ticket.key);
    let (queue, _) = queue(policy);
    let tickets = queue.restore(&kept);
    (queue, tickets, kept.iter().map(|ticket| ticket.owner.0).collect())
}

#[tokio::test]
async fn everybody_is_back_in_place_and_newcomers_pass_nobodys_first() {
    let (before, _) = queue(policy(&[1]));
    let running = start(&before, A, 9);
    let owners = [1, 1, 1, 2, 1, 3, 2];
    let tickets: Vec<_> = owners.iter().map(|owner| join(&before, A, *owner)).collect();
    let mut order: Vec<_> = tickets
        .iter()
        .zip(owners)
        .map(|(ticket, owner)| (before.standing(ticket.id()).unwrap().position, owner))
        .collect();
    order.sort_unstable();
    let mut all = vec![kept_of(&running, 9)];
    all.extend(
        owners
            .iter()
            .zip(&tickets)
            .map(|(owner, ticket)| kept(&before, *owner, ticket)),
    );

    let (after, mut back, who) = restored(policy(&[1]), all);
    let _again = take(&mut back[0]);
    assert_eq!(who[0], 9, "what ran has its slot again");
    assert_eq!(positions(&after, &back[1..]), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(who[1..], order.iter().map(|(_, owner)| *owner).collect::<Vec<_>>());
    let newcomer = join(&after, A, 4);
    assert_eq!(
        positions(&after, std::slice::from_ref(&newcomer)),
        [4],
        "behind the firsts of three owners"
    );
}

#[tokio::test]
async fn what_ran_is_first_even_where_the_limit_has_shrunk() {
    let (before, _) = queue(policy(&[2]));
    let running = [start(&before, A, 1), start(&before, A, 2)];
    let waiting = join(&before, A, 3);
    let all = vec![
        kept(&before, 3, &waiting),
        kept_of(&running[0], 1),
        kept_of(&running[1], 2),
    ];
    let (after, back, who) = restored(policy(&[1]), all);
    assert_eq!((who, after.running()), (vec![1, 2, 3], 1));
    assert_eq!(positions(&after, &back[1..]), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn deadlines_go_on_and_room_is_not_asked_for() {
    let mut tight = policy(&[1]);
    tight.max_size = Some(1);
    tight.max_waiting_per_owner = Some(1);
    tight.max_wait = Some(Duration::from_secs(60));
    let now = Instant::now();
    tokio::time::advance(Duration::from_secs(50)).await;
    let returning = |joined| RestoredTicket {
        work: A.into(),
        owner: Owner(1),
        joined,
        key: None,
        ran: false,
        parked: false,
    };
    let late = now.checked_sub(Duration::from_secs(10)).unwrap();
    let (queue, mut tickets, _) = restored(
        tight,
        vec![returning(now), returning(now), returning(late), returning(now)],
    );
    let _running = take(&mut tickets[0]);
    assert_eq!(queue.waiting(), 2);
    assert_eq!(
        tickets[2].admitted().await.err(),
        Some(LeaveReason::Expired),
        "its time was over already"
    );
    assert_eq!(
        queue.join(A, Owner(2), Instant::now()).err(),
        Some(JoinError::Full),
        "newcomers need room"
    );
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(
        tickets[1].admitted().await.err(),
        Some(LeaveReason::Expired),
        "60 s after it joined"
    );
}

#[tokio::test]
async fn a_line_that_was_plain_arrival_is_dealt_rounds() {
    let mut fifo = policy(&[1]);
    fifo.order = Order::Fifo;
    let (before, _) = queue(fifo);
    let _running = start(&before, A, 9);
    let tickets = [1, 1, 2].map(|owner| (owner, join(&before, A, owner)));
    let all = tickets
        .iter()
        .map(|(owner, ticket)| kept(&before, *owner, ticket))
        .collect();
    let (after, back, _) = restored(policy(&[1]), all);
    assert_eq!((after.running(), positions(&after, &back[1..])), (1, vec![1, 2]));
}

#[tokio::test]
async fn the_rounds_of_what_runs_are_over() {
    let (before, _) = queue(policy(&[3]));
    let filling = [start(&before, A, 8), start(&before, A, 8), start(&before, A, 8)];
    let mut mine: Vec<_> = (0..5).map(|_| join(&before, A, 1)).collect();
    drop(filling);
    let running: Vec<_> = mine.drain(..3).map(|mut ticket| take(&mut ticket)).collect();
    let mut all: Vec<_> = running.iter().map(|permit| kept_of(permit, 1)).collect();
    all.extend(mine.iter().map(|ticket| kept(&before, 1, ticket)));
    for limit in [3, 1] {
        let (after, back, _) = restored(policy(&[limit]), all.clone());
        let newcomer = join(&after, A, 2);
        let first_waiting = back[3].id();
        let position = |ticket| after.standing(ticket).unwrap().position;
        assert!(position(first_waiting) < position(newcomer.id()), "limit {limit}");
    }
}

#[tokio::test]
async fn places_outlast_any_number_of_restarts() {
    // What is kept of a ticket is its place, whether its start was kept as well or not: the later of two may be known to have
    // started, the earlier not.
    let (before, _) = queue(policy(&[1]));
    let first = start(&before, A, 9);
    let mut tickets: Vec<_> = [1, 1, 2, 3].iter().map(|owner| join(&before, A, *owner)).collect();
    let mut all: Vec<_> = [1, 1, 2, 3]
        .iter()
        .zip(&tickets)
        .map(|(owner, ticket)| kept(&before, *owner, ticket))
        .collect();
    all.push(kept_of(&first, 9));
    drop(first);
    drop(take(&mut tickets[0]));
    all[2] = kept_of(&take(&mut tickets[2]), 2);
    let mut who = Vec::new();
    for _ in 0..3 {
        let (after, back, order) = restored(policy(&[1]), all.clone());
        let keys: Vec<_> = back.iter().map(|ticket| ticket.order_key().unwrap()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        all.sort_by_key(|ticket| ticket.key);
        for (ticket, key) in all.iter_mut().zip(keys) {
            assert_eq!(ticket.key, Some(key), "it is the one that was kept");
        }
        assert_eq!(positions(&after, &back[1..]), [1, 2, 3, 4]);
        who.push(order);
    }
    assert_eq!(who, [[9, 1, 2, 3, 1]; 3]);
}

#[tokio::test]
async fn a_place_that_two_have_is_dealt_anew() {
    let (before, _) = queue(policy(&[1]));
    let _running = start(&before, A, 9);
    let ticket = join(&before, A, 1);
    let (after, back, _) = restored(
        policy(&[1]),
        [1, 2, 3].map(|owner| kept(&before, owner, &ticket)).to_vec(),
    );
    assert_eq!(positions(&after, &back[1..]), [1, 2]);
    let keys: std::collections::HashSet<OrderKey> = back.iter().map(|ticket| ticket.order_key().unwrap()).collect();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn what_starts_later_has_the_higher_place_through_every_retuning() {
    let fair = policy(&[1]);
    let mut fifo = policy(&[1]);
    fifo.order = Order::Fifo;
    let (queue, _) = queue(fair.clone());
    let mut running = start(&queue, A, 9);
    let mut started = vec![running.order_key()];
    let mut waiting: std::collections::VecDeque<_> = (0..8).map(|owner| join(&queue, A, owner % 3)).collect();
    for round in 0..12 {
        queue.retune(if round % 2 == 0 { fifo.clone() } else { fair.clone() });
        waiting.push_back(join(&queue, A, 5));
        drop(running);
        let next = waiting
            .iter()
            .position(|ticket| queue.standing(ticket.id()).is_none())
            .unwrap();
        running = take(&mut waiting.remove(next).unwrap());
        started.push(running.order_key());
        if round == 8 {
            // Nobody waits: the next starts at once.
            waiting.clear();
            drop(running);
            running = start(&queue, A, 6);
            started.push(running.order_key());
        }
    }
    assert!(started.is_sorted_by(|earlier, later| earlier < later), "{started:?}");
}

proptest! {
    /// Whatever happened before, the line after is the line before.
    #[test]
    fn the_order_is_the_same(steps in prop::collection::vec((0..4_u8, 0..5_u128), 1..60), fair: bool) {
        let mut policy = policy(&[1]);
        policy.order = if fair { Order::Fair } else { Order::Fifo };
        let (before, _) = queue(policy.clone());
        let mut running = Some(start(&before, A, 100));
        let mut waiting: Vec<(u128, Ticket)> = Vec::new();
        for (what, who) in steps {
            match what {
                0 if !waiting.is_empty() => drop(waiting.remove(who as usize % waiting.len())),
                1 => {
                    running = None;
                    if let Some(at) = waiting.iter().position(|(_, ticket)| before.standing(ticket.id()).is_none()) {
                        running = Some(take(&mut waiting.remove(at).1));
                    }
                }
                _ => waiting.push((who, join(&before, A, who))),
            }
            if running.is_none() {
                // The newest of an idle line starts at once.
                if let Some((_, mut ticket)) = waiting.pop() { running = Some(take(&mut ticket)) }
            }
        }
        prop_assume!(running.is_some());
        let mut order: Vec<_> = waiting.iter().map(|(who, ticket)| (before.standing(ticket.id()).unwrap().position, *who)).collect();
        order.sort_unstable();
        let mut all: Vec<_> = running.iter().map(|permit| kept_of(permit, 100)).collect();
        all.extend(waiting.iter().map(|(who, ticket)| kept(&before, *who, ticket)));
        let (after, back, who) = restored(policy, all);
        let places = positions(&after, &back[1..]);
        prop_assert_eq!(places, (1..=waiting.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(&who[1..], order.iter().map(|(_, who)| *who).collect::<Vec<_>>());
        // A newcomer is where it would have been.
        let (here, there) = (join(&before, A, 200), join(&after, A, 200));
        let (here, there) = (before.standing(here.id()).unwrap().position, after.standing(there.id()).unwrap().position);
        let firsts = who[1..].iter().collect::<std::collections::HashSet<_>>().len() as u64;
        prop_assert!(there > firsts && there <= here, "{there} is not between {firsts} and {here}");
    }
}

//! The line after a restart.

use proptest::prelude::*;
use tokio::time::{Duration, Instant};

use super::support::*;
use crate::queue::{Left, Order, Owner, Policy, Queue, Refused, Returning, Ticket};

/// What a store would have kept of a ticket.
fn kept(queue: &Queue, owner: u128, ticket: &Ticket) -> Returning {
    Returning {
        event: A,
        owner: Owner(owner),
        joined: Instant::now(),
        key: queue.order_key(ticket.id()),
    }
}

fn restored(policy: Policy, mut kept: Vec<Returning>) -> (Queue, Vec<Ticket>, Vec<u128>) {
    kept.sort_by_key(|ticket| ticket.key);
    let (queue, _) = queue(policy);
    let tickets = queue.restore(&kept);
    (queue, tickets, kept.iter().map(|ticket| ticket.owner.0).collect())
}

#[tokio::test]
async fn everybody_is_back_in_place_and_newcomers_pass_nobodys_first() {
    let (before, _) = queue(policy(&[1]));
    let _running = start(&before, A, 9);
    let owners = [1, 1, 1, 2, 1, 3, 2];
    let tickets: Vec<_> = owners.iter().map(|owner| join(&before, A, *owner)).collect();
    let mut order: Vec<_> = tickets
        .iter()
        .zip(owners)
        .map(|(ticket, owner)| (before.standing(ticket.id()).unwrap().position, owner))
        .collect();
    order.sort_unstable();
    let mut all = vec![Returning {
        event: A,
        owner: Owner(9),
        joined: Instant::now(),
        key: None,
    }];
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
    let _running = [start(&before, A, 1), start(&before, A, 2)];
    let waiting = join(&before, A, 3);
    let ran = |owner| Returning {
        event: A,
        owner: Owner(owner),
        joined: Instant::now(),
        key: None,
    };
    let (after, back, who) = restored(policy(&[1]), vec![kept(&before, 3, &waiting), ran(1), ran(2)]);
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
    let returning = |joined| Returning {
        event: A,
        owner: Owner(1),
        joined,
        key: None,
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
        Some(Left::Expired),
        "its time was over already"
    );
    assert_eq!(
        queue.join(A, Owner(2), Instant::now()).err(),
        Some(Refused::Full),
        "newcomers need room"
    );
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(
        tickets[1].admitted().await.err(),
        Some(Left::Expired),
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
        let mut all = vec![Returning { event: A, owner: Owner(100), joined: Instant::now(), key: None }];
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

//! What owners have waiting, against plain lists of tickets and places.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::queue::{
    OrderKey, Owner, TicketId,
    machine::{
        arena::Key,
        backlog::{Backlogs, GivenUp},
        waiter::Precedence,
    },
};

/// Of each owner: its key among the backlogs, its tickets and its places in order.
type Plain = BTreeMap<u128, (Key, Vec<Ticket>, Vec<OrderKey>)>;

type Ticket = (Precedence, Key);

/// A ticket's record has some key; here, one that follows from its id.
fn ticket(number: u64, resumed: bool) -> Ticket {
    (Precedence::new(TicketId(number), resumed), number as Key + 7)
}

fn agrees(backlogs: &Backlogs, plain: &Plain, owner: u128) {
    let Some((key, tickets, places)) = plain.get(&owner) else {
        assert!(backlogs.of(Owner(owner)).is_none());
        return;
    };
    let backlog = backlogs.of(Owner(owner)).unwrap();
    assert_eq!(backlogs.get(*key).owner, Owner(owner));
    assert_eq!((backlog.waiting(), backlog.first()), (tickets.len(), tickets[0].1));
    for (at, (ticket, place)) in tickets.iter().zip(places).enumerate() {
        assert_eq!(
            (backlog.ticket(at), backlog.place_of(ticket.0)),
            (Some(ticket.1), *place)
        );
    }
    assert_eq!(backlog.ticket(tickets.len()), None);
}

proptest! {
    #[test]
    fn agree_with_plain_lists(steps in prop::collection::vec((0..6_u8, 0..4_u128, 0..64_usize), 1..800)) {
        let (mut backlogs, mut plain) = (Backlogs::default(), Plain::new());
        for ((step, owner, which), number) in steps.into_iter().zip(1..) {
            if step < 4 {
                // Some come back with a place before the others', and some before the others with a place behind.
                let tag = if step == 2 { which as u64 } else { number / 8 };
                let (ticket, place) = (ticket(number, step == 3), OrderKey { tag, arrival: number });
                let last = plain.get(&owner).and_then(|(_, _, places)| places.last().copied());
                let (key, given) = backlogs.push(Owner(owner), ticket, |known| {
                    assert_eq!(known, last);
                    place
                });
                assert_eq!(given, place);
                let (known, tickets, places) = plain.entry(owner).or_insert((key, Vec::new(), Vec::new()));
                assert_eq!(*known, key);
                tickets.push(ticket);
                tickets.sort_unstable();
                places.push(place);
                places.sort_unstable();
            } else if let Some((key, tickets, places)) = plain.get_mut(&owner) {
                let at = which % tickets.len();
                let ticket = tickets.remove(at);
                let (given_up, expected) = if step == 4 {
                    (GivenUp::Own, places.remove(at))
                } else {
                    (GivenUp::Last, places.pop().unwrap())
                };
                assert_eq!(backlogs.remove(*key, ticket, given_up), expected);
                if tickets.is_empty() {
                    plain.remove(&owner);
                }
            }
            agrees(&backlogs, &plain, owner);
        }
    }
}

//! What owners have waiting, against plain lists of tickets and places.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::queue::{
    OrderKey, Owner, TicketId,
    arena::Key,
    turns::{GivenUp, Turns},
};

/// Of each owner: its key among the turns, its tickets as they came, its places in order.
type Plain = BTreeMap<u128, (Key, Vec<TicketId>, Vec<OrderKey>)>;

/// A ticket's record has some key; here, one that follows from its id.
fn key_of(ticket: TicketId) -> Key {
    ticket.0 as Key + 7
}

fn agrees(turns: &Turns, plain: &Plain, owner: u128) {
    let Some((key, tickets, places)) = plain.get(&owner) else {
        assert!(turns.of(Owner(owner)).is_none());
        return;
    };
    let turn = turns.of(Owner(owner)).unwrap();
    assert_eq!(turns.get(*key).owner, Owner(owner));
    assert_eq!((turn.waiting(), turn.first()), (tickets.len(), key_of(tickets[0])));
    for (at, (ticket, place)) in tickets.iter().zip(places).enumerate() {
        assert_eq!(
            (turn.ticket(at), turn.place_of(*ticket)),
            (Some(key_of(*ticket)), *place)
        );
    }
    assert_eq!(turn.ticket(tickets.len()), None);
}

proptest! {
    #[test]
    fn agree_with_plain_lists(steps in prop::collection::vec((0..5_u8, 0..4_u128, 0..64_usize), 1..800)) {
        let (mut turns, mut plain) = (Turns::default(), Plain::new());
        for ((step, owner, which), number) in steps.into_iter().zip(1..) {
            if step < 3 {
                let (ticket, place) = (TicketId(number), OrderKey { tag: number / 8, arrival: number });
                let last = plain.get(&owner).and_then(|(_, _, places)| places.last().copied());
                let (key, given) = turns.push(Owner(owner), (ticket, key_of(ticket)), |known| {
                    assert_eq!(known, last);
                    place
                });
                assert_eq!(given, place);
                let (known, tickets, places) = plain.entry(owner).or_insert((key, Vec::new(), Vec::new()));
                assert_eq!(*known, key);
                tickets.push(ticket);
                places.push(place);
            } else if let Some((key, tickets, places)) = plain.get_mut(&owner) {
                let at = which % tickets.len();
                let ticket = tickets.remove(at);
                let (given_up, expected) = if step == 3 {
                    (GivenUp::Own, places.remove(at))
                } else {
                    (GivenUp::Last, places.pop().unwrap())
                };
                assert_eq!(turns.remove(*key, (ticket, key_of(ticket)), given_up), expected);
                if tickets.is_empty() {
                    plain.remove(&owner);
                }
            }
            agrees(&turns, &plain, owner);
        }
    }
}

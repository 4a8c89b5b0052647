//! Whether both show the same.

use super::*;

/// What anybody can see, but for times.
#[derive(PartialEq)]
pub(super) struct Visible {
    orders: Vec<Vec<Number>>,
    running: usize,
    parked: usize,
    pub(super) limits: [Option<usize>; 3],
}

impl Visible {
    pub(super) fn of(model: &Model, orders: Vec<Vec<Number>>) -> Self {
        Self {
            orders,
            running: model.running.len(),
            parked: model.parked(),
            limits: [0, 1, 2].map(|event| model.limit(event)),
        }
    }
}

impl Pair {
    pub(super) fn agree(&mut self) {
        let (queue, model) = (&self.queue, &self.model);
        let orders = model.orders();
        let mut positions = vec![None; model.tickets.len()];
        for order in &orders {
            for (before, ticket) in order.iter().enumerate() {
                positions[*ticket] = Some((before + 1, order.len()));
            }
        }
        assert_eq!(
            (queue.running(), queue.waiting(), queue.parked()),
            (model.running.len(), model.waiting(), model.parked())
        );

        queue.look(|machine, now| {
            for Held { number, ticket, bell } in &self.tickets {
                let standing = machine.standing(ticket.id()).map(|(_, standing)| standing);
                let place = standing.map(|standing| (standing.position as usize, standing.waiting as usize));
                assert_eq!(
                    place, positions[*number],
                    "the position of ticket {number}, and how many wait"
                );
                let state = model.tickets[*number].state;
                let parked = machine.state_of(ticket.id()) == Some(TicketState::Parked);
                assert_eq!(parked, state == State::Parked);
                let stays = matches!(state, State::Waiting | State::Parked);
                let forgotten = |bell: &Arc<Bell>| !bell.0.load(SeqCst) && !stays;
                assert!(!bell.as_ref().is_some_and(forgotten), "ticket {number} was not woken");
            }
            let sharing = model.sharing();
            assert_eq!(machine.line_count(), sharing.len());
            for (at, ((events, pool), order)) in sharing.into_iter().zip(&orders).enumerate() {
                let line = machine.line(at, now);
                assert!(line.events.iter().map(|event| event.0).eq(events));
                assert_eq!(line.pool, pool.map(PoolIndex));
                assert_eq!(
                    ((line.running, line.limit), line.waiting, line.newcomer as usize),
                    (model.slots(at), order.len(), model.newcomer(at)),
                    "running, limit, waiting and the next position of line {at}"
                );
                let oldest = order.iter().map(|ticket| model.age(*ticket)).max();
                assert_eq!(line.longest_wait, oldest);
                for ticket in order {
                    let model::Ticket { event, pool, .. } = model.tickets[*ticket];
                    assert!(!model.has_slot(event, pool), "a slot idles");
                }
            }
            for (backend, state) in (0..).zip(machine.backends()) {
                let slots = model.backends.slots(&model.policy, backend);
                assert_eq!((state.running, state.limit), (model.running_on(backend), slots));
            }
        });

        self.no_first_has_moved_back(&orders);
        self.everything_was_told(orders);
    }

    pub(super) fn no_first_has_moved_back(&mut self, orders: &[Vec<Number>]) {
        let mut firsts = HashMap::new();
        for (line, order) in orders.iter().enumerate() {
            let slack = usize::from(self.slack == Some(line));
            let mut owners = Vec::new();
            for (before, ticket) in order.iter().enumerate() {
                let owner = self.model.tickets[*ticket].owner;
                if !owners.contains(&owner) {
                    owners.push(owner);
                    let position = self.firsts.get(ticket);
                    assert!(
                        position.is_none_or(|position| before < position + slack),
                        "a first ticket has moved back: {ticket} in line {line} from {position:?}, {order:?}, slack {slack}"
                    );
                    firsts.insert(*ticket, before + 1);
                }
            }
        }
        self.firsts = firsts;
        self.slack = None;
    }

    /// The observer has heard of everything, once; and the follower of changes has heard that there is one.
    pub(super) fn everything_was_told(&mut self, orders: Vec<Vec<Number>>) {
        let mut expected = self.told.clone();
        for ticket in &self.model.tickets {
            if let State::Left(how) = ticket.state {
                expected.left[ticket.event][how as usize] += 1;
            }
        }
        assert_eq!(*self.ledger.0.lock().unwrap(), expected);
        let visible = Visible::of(&self.model, orders);
        let told = self.changes.has_changed();
        assert!(told || visible == self.seen, "a change that nobody was told of");
        self.changes.mark_unchanged();
        self.seen = visible;
    }

    /// Everybody goes; the queue is as new. Returns what has happened.
    pub(in crate::queue::tests) fn end(mut self) -> Tally {
        for (kind, count) in self.ledger.0.lock().unwrap().count() {
            self.tally.add(kind, count);
        }
        self.tally.add(Kind::Admitted, self.model.admitted);
        self.permits.clear();
        self.tickets.clear();
        let queue = &self.queue;
        assert_eq!((queue.running(), queue.waiting(), queue.parked()), (0, 0, 0));
        if !self.model.is_closed() {
            self.queue.retune(policy(&[2, 1, 1]));
            let _running = [
                start(&self.queue, A, 1),
                start(&self.queue, A, 2),
                start(&self.queue, C, 3),
            ];
            assert!(waits(&mut join(&self.queue, A, 4)));
        }
        self.tally
    }
}

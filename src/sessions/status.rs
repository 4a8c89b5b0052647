//! Where a session stands, in the words of the wire.

use crate::{
    queue::{EventIndex, LineState, Queue, StartRange, TicketId},
    sessions::Session,
    wire::{Estimate, Event, LineView, Place, Status, TurnId},
};

/// An estimate, as browsers are told it.
#[must_use]
pub fn estimate(range: StartRange) -> Estimate {
    Estimate {
        low: range.low.as_secs_f64(),
        high: range.high.as_secs_f64(),
    }
}

/// A line, as browsers are told it: of no model, with nothing of their own.
#[must_use]
pub fn line(state: &LineState) -> LineView {
    LineView {
        name: state.name.clone(),
        events: state
            .events
            .iter()
            .filter_map(|event| Event::ALL.get(event.0).copied())
            .collect(),
        running: state.running as u64,
        mine: 0,
        limit: state.limit.map(|limit| limit as u64),
        waiting: state.waiting as u64,
        newcomer: state.newcomer,
        estimate: state.estimate.map(estimate),
        model: None,
        trouble: None,
    }
}

/// The place of one ticket; `None` once it does not wait. `model` is the one that the line of `chat` leads to.
#[must_use]
pub fn place(queue: &Queue, model: &str, ticket: TicketId, event: Event, turn: Option<TurnId>) -> Option<Place> {
    let standing = queue.standing(ticket)?;
    Some(Place {
        turn,
        event,
        model: (event == Event::Chat).then(|| model.to_owned()),
        position: standing.position,
        waiting: standing.waiting,
        estimate: standing.estimate.map(estimate),
        trouble: None,
    })
}

/// Where `session` stands, and the line of `chat`, which leads to this model; without a session, the line alone.
#[must_use]
pub fn of(queue: &Queue, model: &str, session: Option<&Session>) -> Status {
    let mut places: Vec<Place> = session
        .into_iter()
        .flat_map(Session::tickets)
        .filter_map(|(ticket, event, turn)| place(queue, model, ticket, event, turn))
        .collect();
    places.sort_by_key(|place| place.position);
    let waiting = places.iter().filter(|place| place.event == Event::Chat).count();
    let busy = session.map_or(0, Session::busy_conversations);
    let running = busy.saturating_sub(waiting) as u64;
    Status {
        lines: vec![LineView {
            model: Some(model.to_owned()),
            mine: running,
            ..line(&queue.line_of(EventIndex(Event::Chat.index())))
        }],
        places,
        running,
    }
}

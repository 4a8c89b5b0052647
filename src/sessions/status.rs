//! Where a session stands, in the words of the wire.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    agents::{self, Backends},
    queue::{EventIndex, LineState, PoolIndex, Queue, StartRange, TicketId, Work},
    sessions::Session,
    wire::{Age, Estimate, Event, Inside, LineView, Place, Reason, Status, Trouble, TurnId},
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
        inside: state
            .inside
            .iter()
            .map(|one| inside(one.ticket, one.age, None))
            .collect(),
        usual: state.usual.map(|usual| usual.as_secs_f64()),
    }
}

/// Most of a session's own slots that are told of beside the eldest of all.
const MOST_OWN: usize = 8;

fn inside(TicketId(ticket): TicketId, age: Duration, turn: Option<TurnId>) -> Inside {
    Inside {
        // Of those that run at one time, no two are so far apart.
        key: (ticket % (1 << 16)) as u16,
        age: Age(age.as_secs_f64()),
        turn,
    }
}

/// Says which slots of a line this session's turns are in.
fn mark_own(queue: &Queue, line: &mut LineView, own: &[(TicketId, PoolIndex, Option<TurnId>)], pool: PoolIndex) {
    for (ticket, _, turn) in own.iter().filter(|(_, at, _)| *at == pool).take(MOST_OWN) {
        let Some(age) = queue.age_of(*ticket) else { continue };
        let known = inside(*ticket, age, *turn);
        match line.inside.iter_mut().find(|one| one.key == known.key) {
            Some(one) => *one = known,
            None => line.inside.push(known),
        }
    }
}

/// Why nothing starts for now, as browsers are told it.
fn trouble(trouble: agents::Trouble) -> Trouble {
    let left = |until: Instant| until.saturating_duration_since(Instant::now()).as_secs_f64();
    // Said to somebody who waits, and whose message nothing has happened to.
    let reason = match trouble.reason {
        Reason::ModelUnreachable => Reason::WaitUnreachable,
        Reason::ModelRateLimited => Reason::WaitRateLimited,
        Reason::ModelOverloaded => Reason::WaitOverloaded,
        drained @ Reason::WaitDrained => drained,
        _ => Reason::WaitFailing,
    };
    Trouble {
        reason,
        seconds: trouble.until.map(left),
    }
}

/// The place of one ticket; `None` once it does not wait, and while it is parked.
#[must_use]
pub fn place(
    queue: &Queue,
    backends: &Backends,
    ticket: TicketId,
    event: Event,
    turn: Option<TurnId>,
) -> Option<Place> {
    let standing = queue.standing(ticket)?;
    let model = standing.pool.and_then(|pool| Some((pool, backends.model_of(pool)?)));
    let stuck = model.as_ref().and_then(|(pool, (name, offered))| {
        // One that is not offered, and yet is asked, is the fallback.
        let gone = || Trouble {
            reason: Reason::ModelGone {
                model: name.to_string(),
            },
            seconds: None,
        };
        let trouble = backends.trouble(*pool).map(trouble)?;
        Some(if *offered { trouble } else { gone() })
    });
    Some(Place {
        turn,
        event,
        model: model.map(|(_, (name, _))| name.to_string()),
        position: standing.position,
        waiting: standing.waiting,
        estimate: standing.estimate.map(estimate),
        trouble: stuck,
    })
}

/// Where `session` stands, and the line of each model that is offered; without a session, the lines alone.
#[must_use]
pub fn of(queue: &Queue, backends: &Backends, session: Option<&Session>) -> Status {
    let mut places = Vec::new();
    let mut own: Vec<(TicketId, PoolIndex, Option<TurnId>)> = Vec::new();
    let mut parked = 0;
    for (ticket, event, turn) in session.into_iter().flat_map(Session::tickets) {
        match place(queue, backends, ticket, event, turn) {
            Some(place) => places.push(place),
            // One that is parked is in no line and no slot, and its answer goes on.
            None if event == Event::Chat && queue.is_parked(ticket) => parked += 1,
            None if event == Event::Chat => {
                own.extend(queue.pool_of(ticket).map(|pool| (ticket, pool, turn)));
            }
            None => {}
        }
    }
    places.sort_by_key(|place| place.position);
    let lines = backends.models().into_iter().map(|model| {
        let chat = EventIndex(Event::Chat.index());
        let work = Work {
            pool: Some(model.pool),
            ..chat.into()
        };
        let mut line = LineView {
            model: Some(model.name.to_string()),
            mine: own.iter().filter(|(_, pool, _)| *pool == model.pool).count() as u64,
            trouble: backends.trouble(model.pool).map(trouble),
            ..line(&queue.line_of(work))
        };
        mark_own(queue, &mut line, &own, model.pool);
        line
    });
    Status {
        lines: lines.collect(),
        places,
        running: own.len() as u64 + parked,
    }
}

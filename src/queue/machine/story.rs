//! What the wait of a ticket was like: where it came in, and who has started before it since.
//!
//! Two numbers tell all of it, and cost O(log n) a start, however many wait: a line counts its starts, and keeps of the last ones who they
//! were. Ids grow with every join, so those of higher ids are those that came later.

use serde::{Deserialize, Serialize};

use super::{Machine, arena::Key, line::Line, rank::RankTree};
use crate::queue::{Owner, TicketId};

/// Starts that are kept in any case before those that are of no more use are looked for.
const KEPT: usize = 1024;

/// A wait, as its line has counted it. A ticket that changes to another line begins anew there; of one that has come back after a restart,
/// or whose line was put together anew, nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Its first position.
    pub position: u64,
    /// Tickets of other owners that waited there when it came.
    pub found: u64,
    /// How many owners those were of.
    pub owners: u64,
    /// Tickets of its own owner that waited there when it came.
    pub own: u64,
    /// Starts, while it waited, of tickets that had come before it.
    pub earlier: u64,
    /// Starts, while it waited, of tickets that had come after it.
    pub later: u64,
}

/// What is remembered of a ticket until it starts. Beside its record, which is looked at far more often.
#[derive(Clone, Copy)]
struct Story {
    wait: Wait,
    /// What its line had counted when it came: all starts, and those of tickets that came later than it.
    starts: u64,
    later: u64,
}

/// By the key of the waiting ticket.
#[derive(Default)]
pub(super) struct Stories(Vec<Option<Story>>);

impl Stories {
    fn put(&mut self, key: Key, story: Option<Story>) {
        let at = key as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        self.0[at] = story;
    }

    /// Nobody waits any more: the memory goes back after a rush.
    pub(super) fn clear(&mut self) {
        if self.0.len() > KEPT {
            self.0 = Vec::new();
        }
    }
}

/// The starts of one line.
pub(super) struct Starts {
    count: u64,
    /// Those that somebody who waits may have been passed by, each with its number, for a ticket may start twice.
    told: RankTree<(TicketId, u64)>,
    /// How many of them there may be before those that nobody needs are thrown away.
    most: usize,
}

impl Starts {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            told: RankTree::new(),
            most: KEPT,
        }
    }

    /// Of the starts that are kept, how many are of tickets that came later than this one.
    fn later_than(&self, ticket: TicketId) -> u64 {
        (self.told.len() - self.told.rank((ticket, u64::MAX))) as u64
    }

    fn begin(&self, ticket: TicketId, wait: Wait) -> Story {
        Story {
            starts: self.count.wrapping_sub(wait.earlier + wait.later),
            later: self.later_than(ticket).wrapping_sub(wait.later),
            wait,
        }
    }

    fn end(&self, ticket: TicketId, story: Story) -> Wait {
        let later = self.later_than(ticket).wrapping_sub(story.later);
        Wait {
            earlier: self.count.wrapping_sub(story.starts) - later,
            later,
            ..story.wait
        }
    }
}

impl Machine {
    /// A ticket has just got its place in a line. O(log n).
    pub(super) fn begin_story(&mut self, at: usize, key: Key, owner: Owner) {
        let line = &self.lines[at];
        let waiter = &self.waiters[key];
        let (all, own) = (line.waiting() as u64 - 1, line.waiting_of(owner) as u64 - 1);
        let wait = Wait {
            position: line.before(line.place_of(waiter)) as u64 + 1,
            found: all - own,
            owners: line.owners() as u64 - 1,
            own,
            ..Wait::default()
        };
        let story = line.starts.begin(waiter.id, wait);
        self.stories.put(key, Some(story));
    }

    /// It goes on where it was; `None`: what has become of it is not known.
    pub(super) fn go_on_with_story(&mut self, at: usize, key: Key, wait: Option<Wait>) {
        let ticket = self.waiters[key].id;
        let story = wait.map(|wait| self.lines[at].starts.begin(ticket, wait));
        self.stories.put(key, story);
    }

    /// What the wait of a ticket that waits has been like so far.
    pub(super) fn wait_of(&self, at: usize, key: Key, ticket: TicketId) -> Option<Wait> {
        let story = self.stories.0.get(key as usize).copied().flatten()?;
        Some(self.lines[at].starts.end(ticket, story))
    }

    /// Something starts from this line, or past it.
    pub(super) fn note_start(&mut self, at: usize, ticket: TicketId) {
        let waiters = &self.waiters;
        let line = &mut self.lines[at];
        line.starts.count += 1;
        if line.waiting() == 0 {
            if line.starts.told.len() > 0 {
                line.starts = Starts {
                    count: line.starts.count,
                    ..Starts::new()
                };
            }
            return;
        }
        let number = line.starts.count;
        line.starts.told.insert((ticket, number));
        if line.starts.told.len() >= line.starts.most {
            let first = line
                .next(line.waiting())
                .iter()
                .map(|placed| waiters[placed.key].id)
                .min();
            line.throw_away_before(first.unwrap_or(ticket));
        }
    }
}

impl Line {
    /// Nobody who waits came before this one, so nobody was passed by what came before it. Looking for it costs as much as so many wait: it is
    /// done once in as many starts.
    fn throw_away_before(&mut self, first: TicketId) {
        let waiting = self.waiting();
        let starts = &mut self.starts;
        while let Some(useless) = starts.told.first().filter(|(ticket, _)| *ticket < first) {
            starts.told.remove(useless);
        }
        starts.most = KEPT.max(waiting).max(2 * starts.told.len());
    }
}

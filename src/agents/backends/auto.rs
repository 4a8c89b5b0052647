//! How many requests a back end takes at once, found out while it runs (`limit = "auto"`). Time is handed in.
//!
//! One more where the limit was reached and answers went well; one fewer where the server refused, or where the first part
//! of an answer took far longer than it usually does for a question of that length, as it does where the server has a line of its own. Only
//! attempts that began under the limit of now say anything about it, so a burst of refusals counts once, and each step is tried
//! before the next.
//!
//! What can be known from outside of a server that has a line of its own:
//! - **That it has room**, for certain, where an answer begins and none of the others has ended since it was asked for: so all of them were answered at
//!   once, for nobody has made room. Then no more need be seen for a step up, and none has to be waited for.
//! - **That somebody waits there**, by how late a first part is. Those that were late before and still are wait, too; with them it is known how many it
//!   answers, so one late part may lower the limit by more than one. Otherwise it could fall no faster than answers end there.
//! - Where answers end so often that one which waits there is hardly late, nothing but luck tells the two apart. So each time that somebody was late, more
//!   have to go well before the next step that is not certain.

use std::{cmp::Ordering, collections::HashMap, time::Duration};

use tokio::time::Instant;

/// No limit of the settings is higher.
const MOST: usize = 1000;
/// After a drop the limit stays where it is for this long.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// The shortest time between two steps up: what runs at once must have had time to show itself.
const STEP: Duration = Duration::from_millis(500);
/// So many must have gone well for a step up that is not certain, where it was lateness that lowered the limit last: behind a line, some are lucky.
/// Twice as many each time, up to the second.
const SURE: u32 = 3;
const MOST_SURE: u32 = 24;
/// A first part is far later than usual when it takes so many times as long, and this much more: what is short varies more.
const FAR: f64 = 2.0;
const FAR_SECONDS: f64 = 0.2;
/// Most kinds of question that are told apart.
const MOST_KINDS: usize = 4096;

/// What a question has in common with others that usually take as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Which model is asked.
    pub(super) model: u32,
    /// How long the question is, in powers of two.
    pub(super) length: u32,
}

impl Kind {
    /// A question of so many bytes. Short ones take no time that could be told apart.
    pub(super) fn new(model: u32, bytes: u64) -> Self {
        Self {
            model,
            length: bytes.max(1024).ilog2(),
        }
    }
}

/// One attempt, as it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    kind: Kind,
    /// How often the limit had moved.
    moves: u64,
    /// How many ran, this one included.
    running: usize,
    /// Whether the limit was reached with it.
    reached: bool,
    /// How many had ended.
    ends: u64,
    /// Other nodes ask that server, too: what they do there is not known here.
    shared: bool,
    /// Its first part is far later than usual, and has not come.
    overdue: bool,
}

/// The limit of one back end.
#[derive(Clone, Debug)]
pub(super) struct Auto {
    limit: usize,
    moves: u64,
    /// The limit does not grow before.
    next: Option<Instant>,
    /// How many must still go well before it does, and must each time.
    missing: u32,
    wanted: u32,
    /// Not before that, however certain it is that there is room.
    cools: Option<Instant>,
    /// Attempts that have ended, and those whose first part is overdue.
    ends: u64,
    overdue: usize,
    /// How long the first part usually takes, in seconds.
    usual: HashMap<Kind, f64>,
}

impl Default for Auto {
    /// One at a time.
    fn default() -> Self {
        Self {
            limit: 1,
            moves: 0,
            next: None,
            missing: 1,
            wanted: 1,
            cools: None,
            ends: 0,
            overdue: 0,
            usual: HashMap::new(),
        }
    }
}

impl Auto {
    /// How many there may be now.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// An attempt begins, of `running` at once. `shared`: those of other nodes included, as far as that is known. It is to be told when it is
    /// [over](Self::over).
    pub(super) const fn start(&self, kind: Kind, running: usize, shared: bool) -> Started {
        Started {
            kind,
            moves: self.moves,
            running,
            reached: running >= self.limit,
            ends: self.ends,
            shared,
            overdue: false,
        }
    }

    /// From when on the first part is far later than usual; `None`: nothing is usual, or it waits for nobody.
    pub(super) fn late_after(&self, started: Started) -> Option<Duration> {
        let usual = self.usual.get(&started.kind).filter(|_| started.running > 1)?;
        Duration::try_from_secs_f64(FAR * usual + FAR_SECONDS).ok()
    }

    /// The first part is far later than usual, of `running` that run now. It need not have come: where the server's line is long, that would be too
    /// late to learn from it.
    pub(super) fn late(&mut self, started: &mut Started, running: usize, now: Instant) {
        if !std::mem::replace(&mut started.overdue, true) {
            self.overdue += 1;
        }
        if started.moves == self.moves {
            self.wanted = (2 * self.wanted).clamp(SURE, MOST_SURE);
            // The others that are overdue were so before the limit moved last: they wait there, and did not come with this one.
            let answered = if started.shared {
                self.limit
            } else {
                running.saturating_sub(self.overdue)
            };
            self.lower(answered.min(self.limit - 1), now);
        }
    }

    /// The first part of an answer has come, `took` after the attempt began.
    pub(super) fn shown(&mut self, started: &mut Started, took: Duration, running: usize, now: Instant) {
        let usual = self.usual.get(&started.kind).copied();
        let is_late = self.late_after(*started).is_some_and(|late| took > late);
        self.learn(*started, usual, took.as_secs_f64(), is_late);
        if is_late {
            self.late(started, running, now);
        }
        self.settle(started);
        if is_late || started.moves != self.moves || !started.reached || usual.is_none() || self.limit == MOST {
            return;
        }
        let alone = started.ends == self.ends && !started.shared;
        if alone && self.cools.is_none_or(|until| now >= until) {
            self.move_to(self.limit + 1, now + STEP);
        } else if self.next.is_none_or(|next| now >= next) {
            self.missing = self.missing.saturating_sub(1);
            if self.missing == 0 {
                self.move_to(self.limit + 1, now + STEP);
            }
        }
    }

    /// An attempt has ended, however.
    pub(super) fn over(&mut self, started: &mut Started) {
        self.ends += 1;
        self.settle(started);
    }

    /// It waits for its first part no more.
    fn settle(&mut self, started: &mut Started) {
        if std::mem::replace(&mut started.overdue, false) {
            self.overdue = self.overdue.saturating_sub(1);
        }
    }

    /// The server has refused an attempt because it has too much to do.
    pub(super) fn refused(&mut self, started: Started, now: Instant) {
        if started.moves == self.moves {
            self.wanted = 1;
            // Where fewer ran than might have, it takes fewer than ran.
            self.lower((self.limit - 1).min(started.running.saturating_sub(1)), now);
        }
    }

    /// Another node has found another limit: it is tried as if it had been found here.
    pub(super) fn hear(&mut self, limit: usize, now: Instant) {
        let limit = limit.clamp(1, MOST);
        match limit.cmp(&self.limit) {
            Ordering::Less => self.lower(limit, now),
            Ordering::Equal => {}
            Ordering::Greater => self.move_to(limit, now + STEP),
        }
    }

    fn lower(&mut self, limit: usize, now: Instant) {
        self.cools = Some(now + COOL_DOWN);
        self.move_to(limit.max(1), now + COOL_DOWN);
    }

    fn move_to(&mut self, limit: usize, next: Instant) {
        self.limit = limit;
        self.moves += 1;
        self.next = Some(next);
        self.missing = self.wanted;
    }

    /// What is usual follows quick answers at once and slow ones hardly, so that it stays what the server does without a line of its own; but
    /// one that has become slower for good is known in the end.
    fn learn(&mut self, started: Started, usual: Option<f64>, took: f64, is_late: bool) {
        let Some(usual) = usual else {
            if self.usual.len() < MOST_KINDS {
                self.usual.insert(started.kind, took);
            }
            return;
        };
        let weight = match (took < usual, started.running) {
            (true, _) => 0.5,
            // It waited for nobody.
            (false, 1) => 0.3,
            (false, _) if is_late => 0.01,
            (false, _) => 0.02,
        };
        self.usual.insert(started.kind, usual + weight * (took - usual));
    }
}

#[cfg(test)]
mod tests;

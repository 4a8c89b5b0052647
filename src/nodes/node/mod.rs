//! What one node does about what it hears.
//!
//! - `words`: what it hears, and what it wants done.
//! - `append`: what it appends to the log; `work`: what it works on; `seen`: whom it has heard of.

mod append;
mod seen;
mod words;
mod work;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{BEAT, Batch, Change, Digest, Footing, Incarnation, Lease, Number, Replica, Working};
use crate::queue::{TicketId, machine::Time};
use append::Flying;
use seen::{Heads, Heard};
use work::{Local, ends};

pub use seen::Progress;
pub use words::{Answer, Ask, Beaten, Input, Log, Output, Peer, Reply, Told, Unsaid};

/// Until what has failed is tried again.
const PAUSE: Duration = Duration::from_millis(250);
/// A node: what it knows, what it is waiting for, and what it works on. It looks at no clock and does nothing itself.
///
/// One batch is under way at a time, with all that has gathered since the last: while a commit takes its time, the next batch grows, so
/// throughput grows with the load.
pub struct Node {
    me: Incarnation,
    /// Where others reach it; `None`: it is alone.
    address: Option<String>,
    /// `None`: it is being loaded.
    replica: Option<Replica>,
    /// What was known before that.
    outdated: Option<Replica>,
    stage: Stage,
    leaving: Option<Leaving>,
    /// The log has been asked to say that it leaves, and that it has left.
    said: Option<Change>,
    lease: Lease,
    /// Asked for and not written yet.
    gathered: VecDeque<(Option<Ask>, Change, Option<Peer>)>,
    flying: Option<Flying>,
    sequence: u64,
    /// What is applied of a read that is under way starts here.
    reading: Option<(Number, Digest)>,
    /// The log may have grown since that read was begun.
    told: bool,
    /// The last number of the log that it has heard of.
    head: Number,
    loading: bool,
    /// When the beat under way was begun.
    beating: Option<Time>,
    next_beat: Time,
    /// Not before this is the database asked again.
    retry: Option<Time>,
    peers: BTreeMap<Incarnation, Heard>,
    heads: Heads,
    working: BTreeMap<TicketId, Local>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not in the log yet.
    Joining,
    /// Takes part.
    Member,
    /// Has been declared gone.
    Over,
}

/// How a node leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leaving {
    /// It is to be said that it will. It goes on with what it has.
    Announced,
    /// At once.
    Now,
}

impl Node {
    /// A node that takes part in nothing yet, and that others reach at `address`. What it has to do first is in `out`.
    pub fn new(me: Incarnation, address: Option<String>, now: Time, out: &mut Vec<Output>) -> Self {
        out.push(Output::Load);
        Self {
            me,
            address,
            replica: None,
            outdated: None,
            stage: Stage::Joining,
            leaving: None,
            said: None,
            lease: Lease::default(),
            gathered: VecDeque::new(),
            flying: None,
            sequence: 0,
            reading: None,
            told: false,
            head: Number::default(),
            loading: true,
            beating: None,
            next_beat: now,
            retry: None,
            peers: BTreeMap::new(),
            heads: Heads::default(),
            working: BTreeMap::new(),
        }
    }

    /// This incarnation.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        self.me
    }

    /// What it knows; `None`: it is being loaded.
    #[must_use]
    pub const fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref()
    }

    /// The same, or what it knew before that: for those who only look.
    #[must_use]
    pub fn known(&self) -> Option<&Replica> {
        self.replica.as_ref().or(self.outdated.as_ref())
    }

    /// How it stands.
    #[must_use]
    pub fn footing(&self, now: Time) -> Footing {
        let applied = self.known().map(Replica::applied).unwrap_or_default();
        Footing {
            takes_part: self.stage == Stage::Member,
            may_work: self.lease.holds(now),
            leaving: self.leaving.is_some(),
            over: self.stage == Stage::Over,
            applied,
            head: self.head.max(applied),
        }
    }

    fn applied(&self) -> Option<Number> {
        self.replica.as_ref().map(Replica::applied)
    }

    /// Until when it may work, unless it is heard.
    #[must_use]
    pub const fn lease(&self) -> Lease {
        self.lease
    }

    /// When it wants to be woken with [`Input::Woke`], whatever happens until then.
    #[must_use]
    pub fn wake_at(&self) -> Time {
        let beat = if self.beating.is_some() {
            None
        } else {
            Some(self.next_beat)
        };
        let works = self.working.values().any(|local| !local.over);
        let lease = self.lease.until().filter(|_| works);
        [beat, lease, self.silent_at(), self.retry]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Time(i64::MAX))
    }

    /// Takes something in. `now` is by this machine's own clock, one that goes on while it sleeps.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        if self.stage == Stage::Over {
            if let Input::Ask(ask, _) = input {
                out.push(Output::Answer(ask, Err(Unsaid::Unwritten)));
            }
            return;
        }
        match input {
            Input::Loaded(replica) => self.loaded(now, replica, out),
            Input::Ask(ask, change) => self.ask(ask, change),
            Input::Told(told) => self.hear(told, out),
            Input::Read(after, log) => self.read(now, after, log, out),
            Input::Appended(sequence, reply) => self.appended(now, sequence, reply, out),
            Input::Beaten(begun, beaten) => self.beaten(now, begun, beaten, out),
            Input::Dead(peer) => self.declare(peer, None),
            Input::Leave => self.leaving = self.leaving.max(Some(Leaving::Announced)),
            Input::LeaveNow => self.leaving = self.leaving.max(Some(Leaving::Now)),
            Input::Woke => {}
        }
        self.go_on(now, out);
    }

    fn hear(&mut self, told: Told, out: &mut Vec<Output>) {
        let number = match &told {
            Told::Batch(batch) => batch.number,
            Told::Number(number) => *number,
        };
        let Some(replica) = self.replica.as_ref().filter(|replica| number > replica.applied()) else {
            return;
        };
        match told {
            // One that does not go with the copy may be late: what is read next decides.
            Told::Batch(batch) if replica.is_next(&batch) => self.apply(&batch, out),
            _ => self.told = true,
        }
    }

    fn ask(&mut self, ask: Ask, change: Change) {
        // What is over here is not begun again before the log says so.
        if let Some(ticket) = ends(&change)
            && let Some(local) = self.working.get_mut(&ticket)
        {
            local.over = true;
        }
        self.gathered.push_back((Some(ask), change, None));
    }

    fn loaded(&mut self, now: Time, replica: Option<Box<Replica>>, out: &mut Vec<Output>) {
        self.loading = false;
        let Some(replica) = replica else {
            self.retry = Some(now.saturating_add(PAUSE));
            return;
        };
        // A batch under way may be in it, and what came of it is not known any more; or not, and then it is to be sent again.
        let appended = replica.appended(self.me).unwrap_or_default();
        if let Some(mut flying) = self.flying.take() {
            if appended >= flying.sequence {
                out.extend(flying.answers(Unsaid::Unknown));
            } else {
                flying.written = false;
                self.flying = Some(flying);
            }
        }
        self.replica = Some(*replica);
        self.outdated = None;
        self.forget_what_is_over();
        self.tell_news(out);
        self.check_membership(out);
    }

    /// What has happened that nobody has asked for.
    fn tell_news(&mut self, out: &mut Vec<Output>) {
        let Some(replica) = &mut self.replica else { return };
        let news = replica.take_news();
        let left = news.left.into_iter().filter(|(_, node, _)| *node == self.me);
        out.extend(left.map(|(ticket, _, reason)| Output::Left(ticket, reason)));
        if news.passed_on {
            out.push(Output::PassedOn);
        }
        if news.moved {
            out.push(Output::Moved);
        }
        if news.throttled {
            out.push(Output::Throttled);
        }
    }

    fn read(&mut self, now: Time, after: Number, log: Option<Log>, out: &mut Vec<Output>) {
        let Some((_, digest)) = self.reading.take_if(|(asked, _)| *asked == after) else {
            return;
        };
        let Some(log) = log else {
            self.told = true;
            self.retry = Some(now.saturating_add(PAUSE));
            return;
        };
        if log.digest != Some(digest) {
            self.throw_away();
            return;
        }
        let is_end = log.batches.is_empty();
        for batch in log.batches {
            if self.applied().is_some_and(|known| batch.number > known) {
                self.apply(&batch, out);
            }
        }
        // What is said to be written and is not there at the end: a standby has taken over that lacks it, and it is sent again.
        if let Some(flying) = self.flying.as_mut().filter(|flying| flying.written) {
            flying.written = !is_end;
            self.told |= !is_end;
        }
    }

    fn beaten(&mut self, now: Time, begun: Time, beaten: Beaten, out: &mut Vec<Output>) {
        self.beating = None;
        self.next_beat = begun.saturating_add(BEAT).max(now);
        match beaten {
            Beaten::Noted { peers, head } => {
                self.lease.renew(begun);
                self.head = head.0;
                let replica = self.replica.as_ref();
                self.told |= replica.is_some_and(|replica| (replica.applied(), replica.digest()) != head);
                self.watch(now, &peers, head.0);
                self.declare_rowless(&peers, head.0);
            }
            Beaten::Fenced => self.end(out),
            Beaten::Away => self.next_beat = now.saturating_add(PAUSE),
        }
    }

    /// Declares those gone that have no row any more: nobody but a start that takes their place has deleted it, and they can append nothing.
    /// Whoever takes part had its row before, so it counts where what was seen is not older than the copy.
    fn declare_rowless(&mut self, peers: &[Peer], head: Number) {
        let Some(replica) = self.replica.as_ref().filter(|replica| replica.applied() <= head) else {
            return;
        };
        let rowless = replica
            .nodes()
            .filter(|node| peers.iter().all(|peer| peer.node != *node));
        for node in rowless.collect::<Vec<_>>() {
            self.declare(node, None);
        }
    }

    /// Also one that the copy does not know: it may have a row, and have ended before it took part.
    fn declare(&mut self, node: Incarnation, unless_heard: Option<Peer>) {
        let gone = Change::Gone(node);
        let flying = self.flying.iter().flat_map(|flying| &flying.changes);
        let mut asked = flying.map(|(_, change)| change);
        let mut gathered = self.gathered.iter().map(|(_, change, _)| change);
        let asked = asked.any(|change| *change == gone) || gathered.any(|change| *change == gone);
        let member = self.replica.as_ref().and_then(|replica| replica.appended(node));
        let there = member.is_some() || self.peers.contains_key(&node);
        if there && !asked && node != self.me {
            self.gathered.push_back((None, gone, unless_heard));
        }
    }

    /// Applies a batch that follows, and takes note if it is the one under way.
    fn apply(&mut self, batch: &Batch, out: &mut Vec<Output>) {
        let Some(replica) = &mut self.replica else { return };
        let Ok(said) = replica.apply(batch) else {
            self.throw_away();
            return;
        };
        let sequence = (batch.entry.node == self.me).then_some(batch.entry.sequence);
        if let Some(flying) = self.flying.take_if(|flying| Some(flying.sequence) == sequence) {
            // What was left out of the batch is left out here.
            let mut said = batch.changes().unwrap_or_default().into_iter().zip(said).peekable();
            for (ask, change) in flying.changes {
                let answer = said.next_if(|(written, _)| *written == change);
                let answer = answer.map_or(Err(Unsaid::Unwritten), |(_, said)| Ok(said));
                out.extend(ask.map(|ask| Output::Answer(ask, answer)));
            }
            self.forget_what_is_over();
        }
        self.tell_news(out);
        self.check_membership(out);
    }

    /// Whether the log says what this node believes of itself.
    fn check_membership(&mut self, out: &mut Vec<Output>) {
        let Some(replica) = &self.replica else { return };
        match (self.stage, replica.appended(self.me).is_some()) {
            (Stage::Joining, true) => self.stage = Stage::Member,
            (Stage::Member, false) => self.end(out),
            _ => {}
        }
    }

    /// The copy does not go with the log. What is worked on stays until it is known what the log says.
    fn throw_away(&mut self) {
        self.outdated = self.replica.take();
        self.reading = None;
    }

    /// This incarnation is over.
    fn end(&mut self, out: &mut Vec<Output>) {
        if self.stage == Stage::Over {
            return;
        }
        self.stage = Stage::Over;
        let works = std::mem::take(&mut self.working).into_iter();
        let works = works.filter(|(_, local)| !local.over);
        out.extend(works.map(|(ticket, _)| Output::Halt(ticket)));
        let flying = self.flying.take().into_iter();
        out.extend(flying.flat_map(|flying| flying.answers(Unsaid::Unknown)));
        let gathered = self.gathered.drain(..).filter_map(|(ask, ..)| ask);
        out.extend(gathered.map(|ask| Output::Answer(ask, Err(Unsaid::Unwritten))));
        out.push(Output::Over);
    }

    /// Does what can be done now.
    fn go_on(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.stage == Stage::Over {
            return;
        }
        self.declare_silent(now);
        self.work(now, out);
        self.say_leave();
        if self.beating.is_none() && self.stage != Stage::Joining && now >= self.next_beat {
            self.beating = Some(now);
            out.push(Output::Beat(self.applied().unwrap_or_default()));
        }
        if self.retry.is_some_and(|retry| now < retry) {
            return;
        }
        self.retry = None;
        let Some(replica) = &self.replica else {
            if !self.loading {
                self.loading = true;
                out.push(Output::Load);
            }
            return;
        };
        if self.told && self.reading.is_none() {
            self.told = false;
            self.reading = Some((replica.applied(), replica.digest()));
            out.push(Output::Read(replica.applied()));
        }
        self.append(out);
    }
}

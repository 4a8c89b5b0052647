//! A node's copy of what the log says.

mod members;
mod snapshot;
mod throttles;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Batch, Change, Digest, Entry, Incarnation, Job, Number, Undecodable};
use crate::queue::{
    JoinError, LeaveReason, Owner, Policy, TicketId,
    machine::{Command, Effect, Grant, Machine, Restored, TicketState, Time},
};
pub use snapshot::ReplicaSnapshot;
use throttles::Throttles;

/// The line, the nodes, and which of them holds which ticket, as of one number of the log. The same log gives the same copy everywhere.
pub struct Replica {
    machine: Machine,
    /// Those that take part.
    nodes: BTreeMap<Incarnation, Part>,
    held: BTreeMap<TicketId, Held>,
    /// The same, by owner.
    of_owner: BTreeMap<Owner, BTreeSet<TicketId>>,
    /// What has started, by the node that works on it.
    working: BTreeMap<Incarnation, BTreeMap<TicketId, Working>>,
    throttles: Throttles,
    applied: Number,
    digest: Digest,
    at: Time,
    /// Who has appended the last entry.
    last: Option<Incarnation>,
    /// How many policies have been put in force.
    policies: u64,
    /// What nodes are to be told of what has been applied since they were last asked for.
    news: News,
}

/// What has happened that nobody has asked for.
#[derive(Debug, Default)]
pub struct News {
    /// Tickets that have left their line without starting, and the node that held each.
    pub left: Vec<(TicketId, Incarnation, LeaveReason)>,
    /// Some ticket may have got another node.
    pub passed_on: bool,
    /// Some owner may be at home elsewhere.
    pub moved: bool,
    /// Back ends may have something else for now, or are others.
    pub throttled: bool,
}

/// A node that takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    /// The sequence of what it has appended last.
    appended: u64,
    /// It takes in nothing any more.
    leaving: bool,
    /// Where others reach it.
    address: Option<String>,
}

/// A node that takes part, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Which.
    pub node: Incarnation,
    /// Where it is reached; `None`: it is alone.
    pub address: Option<&'a str>,
    /// It takes in nothing any more.
    pub leaving: bool,
    /// How many tickets it works on.
    pub working: usize,
}

/// Who holds a ticket, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    job: Job,
    owner: Owner,
    /// `None`: no node takes part; the next one that does gets it.
    node: Option<Incarnation>,
}

/// Something that a node has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Working {
    /// What.
    pub job: Job,
    /// For whom.
    pub owner: Owner,
    /// With which slot.
    pub grant: Grant,
    /// The start that it is: one that comes back and starts again has another.
    pub start: Number,
}

/// What a change has come to, for the node that appended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The ticket was let in.
    Joined(TicketId, TicketState),
    /// It was not.
    Refused(JoinError),
    /// It has been carried out.
    Done,
    /// The node does not hold such a ticket or has not heard what it would undo, the job has one already, the policy has no such work or back
    /// end, or it is not the one that was to be replaced: nothing has changed.
    Void,
}

/// The copy does not go with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Diverged {
    /// It follows something else than what has been applied.
    #[error("entry {} does not follow what has been applied up to {}", .found.0, .applied.0)]
    NotNext {
        /// Applied last.
        applied: Number,
        /// What was to be applied.
        found: Number,
    },
    /// Another version of the program has written it.
    #[error(transparent)]
    Unreadable(#[from] Undecodable),
}

impl Replica {
    /// An empty line under this policy, before the first entry of the log.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            machine: Machine::new(policy),
            nodes: BTreeMap::new(),
            held: BTreeMap::new(),
            of_owner: BTreeMap::new(),
            working: BTreeMap::new(),
            throttles: Throttles::default(),
            applied: Number::default(),
            digest: Digest::default(),
            at: Time::default(),
            last: None,
            policies: 0,
            news: News::default(),
        }
    }

    /// The number of the last entry that it knows.
    #[must_use]
    pub const fn applied(&self) -> Number {
        self.applied
    }

    /// Who has appended that one; `None`: it has not been applied here.
    #[must_use]
    pub const fn last(&self) -> Option<Incarnation> {
        self.last
    }

    /// The digest at that number.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// When the last entry was appended, by the log's time.
    #[must_use]
    pub const fn at(&self) -> Time {
        self.at
    }

    /// How many policies have been put in force: what [`Change::Retune`] has to name.
    #[must_use]
    pub const fn policies(&self) -> u64 {
        self.policies
    }

    /// What has happened since this was last asked for.
    pub fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// The line.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Those that take part.
    pub fn nodes(&self) -> impl Iterator<Item = Incarnation> + '_ {
        self.nodes.keys().copied()
    }

    /// The same, with what is known of each.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> + '_ {
        self.nodes.iter().map(|(node, part)| Member {
            node: *node,
            address: part.address.as_deref(),
            leaving: part.leaving,
            working: self.working.get(node).map_or(0, BTreeMap::len),
        })
    }

    /// Whether a ticket is for this job.
    #[must_use]
    pub fn has(&self, owner: Owner, job: Job) -> bool {
        let tickets = self.of_owner.get(&owner).into_iter().flatten();
        tickets
            .filter_map(|ticket| self.held.get(ticket))
            .any(|held| held.job == job)
    }

    /// What a node holds: each ticket, what it is for, and whose it is.
    pub fn held_by(&self, node: Incarnation) -> impl Iterator<Item = (TicketId, Job, Owner)> + '_ {
        let held = self.held.iter().filter(move |(_, held)| held.node == Some(node));
        held.map(|(ticket, held)| (*ticket, held.job, held.owner))
    }

    /// The sequence of what a node has appended last; `None`: it does not take part.
    #[must_use]
    pub fn appended(&self, node: Incarnation) -> Option<u64> {
        self.nodes.get(&node).map(|part| part.appended)
    }

    /// What a node has to do.
    pub fn working(&self, node: Incarnation) -> impl Iterator<Item = (TicketId, Working)> + '_ {
        let working = self.working.get(&node).into_iter().flatten();
        working.map(|(ticket, working)| (*ticket, *working))
    }

    /// What a ticket is for, and the node that holds it.
    #[must_use]
    pub fn holder(&self, ticket: TicketId) -> Option<(Job, Option<Incarnation>)> {
        self.held.get(&ticket).map(|held| (held.job, held.node))
    }

    /// Every ticket that waits, has started or is parked, and what it is for.
    pub fn tickets(&self) -> impl Iterator<Item = (TicketId, Job)> + '_ {
        self.held.iter().map(|(ticket, held)| (*ticket, held.job))
    }

    /// Every ticket that waits, has started or is parked, and whose it is.
    pub fn owners(&self) -> impl Iterator<Item = (TicketId, Owner)> + '_ {
        self.held.iter().map(|(ticket, held)| (*ticket, held.owner))
    }

    /// Whether a batch follows what has been applied, and nothing else.
    #[must_use]
    pub fn is_next(&self, batch: &Batch) -> bool {
        batch.number == self.applied.next() && batch.digest == self.digest.then(batch.number, batch.at, &batch.entry)
    }

    /// Applies the next batch. What each of its changes has come to, in their order.
    ///
    /// # Errors
    /// [`Diverged`], and then nothing has changed.
    pub fn apply(&mut self, batch: &Batch) -> Result<Vec<Said>, Diverged> {
        if !self.is_next(batch) {
            return Err(Diverged::NotNext {
                applied: self.applied,
                found: batch.number,
            });
        }
        let changes = batch.changes()?;
        self.applied = batch.number;
        self.digest = batch.digest;
        self.at = self.at.max(batch.at);
        let Entry { node, sequence, .. } = batch.entry;
        let said = changes.into_iter().map(|change| self.change(node, change)).collect();
        self.last = Some(node);
        if let Some(part) = self.nodes.get_mut(&node) {
            part.appended = sequence;
        }
        Ok(said)
    }

    fn change(&mut self, node: Incarnation, change: Change) -> Said {
        match change {
            Change::Up { address } => self.up(node, address),
            Change::Leaving => self.leaving(node),
            Change::Gone(gone) => self.gone(gone),
            Change::Join {
                job,
                work,
                owner,
                joined,
            } => {
                if self.has(owner, job) {
                    return Said::Void;
                }
                let leaves = self.nodes.get(&node).is_none_or(|part| part.leaving);
                // An owner moves as a whole.
                let leaves = leaves && !self.works_for(owner, node);
                let node = if leaves { self.heir(owner) } else { Some(node) };
                self.news.passed_on |= leaves;
                let held = Held { job, owner, node };
                let joined = joined.unwrap_or(self.at);
                return self.command(Command::Join { work, owner, joined }, Some(held));
            }
            Change::Restore(tickets) => return self.restore(tickets),
            Change::Retune { version, policy } => {
                if version != self.policies {
                    return Said::Void;
                }
                self.policies += 1;
                self.news.throttled = true;
                return self.command(Command::Retune(policy), None);
            }
            Change::Ticket(job, command) => {
                let named = match &command {
                    Command::Leave { ticket, .. }
                    | Command::Release { ticket, .. }
                    | Command::StartBack { ticket }
                    | Command::Park { ticket }
                    | Command::Pause { ticket }
                    | Command::Resume { ticket }
                    | Command::Recall { ticket, .. }
                    | Command::ChangePool { ticket, .. } => self.held.get(ticket),
                    _ => None,
                };
                let holds = named.is_some_and(|held| held.node == Some(node) && held.job == job);
                return if holds { self.command(command, None) } else { Said::Void };
            }
            Change::Throttle {
                backend,
                throttle,
                known,
            } => return self.throttle(node, backend, throttle, known),
            Change::Line(command) => {
                return match command {
                    Command::Expire => self.command(command, None),
                    _ => Said::Void,
                };
            }
        }
        Said::Done
    }

    /// Lets tickets in that were not known.
    fn restore(&mut self, tickets: Vec<(Job, Restored)>) -> Said {
        let known = |job: &Job, ticket: &Restored| self.has(ticket.owner, *job);
        let tickets: Vec<_> = tickets.into_iter().filter(|(job, one)| !known(job, one)).collect();
        let (jobs, restored): (Vec<Job>, Vec<Restored>) = tickets.into_iter().unzip();
        let held: Vec<Held> = jobs
            .into_iter()
            .zip(&restored)
            .map(|(job, one)| Held {
                job,
                owner: one.owner,
                node: self.home(one.owner),
            })
            .collect();
        self.news.passed_on = true;
        self.commands(Command::Restore(restored), held)
    }

    fn note_start(&mut self, ticket: TicketId, held: Held, grant: Grant) {
        let Some(node) = held.node else { return };
        let working = Working {
            job: held.job,
            owner: held.owner,
            grant,
            start: self.applied,
        };
        self.working.entry(node).or_default().insert(ticket, working);
    }

    /// Gives the machine a command, and keeps account of who holds what.
    fn command(&mut self, command: Command, joins: Option<Held>) -> Said {
        self.commands(command, joins.into_iter().collect())
    }

    /// The same for a command that lets several in.
    fn commands(&mut self, command: Command, joins: Vec<Held>) -> Said {
        let mut effects = Vec::new();
        if self.machine.apply(self.at, command, &mut effects).is_err() {
            return Said::Void;
        }
        let mut joins = joins.into_iter();
        let mut said = Said::Done;
        let (mut started, mut stopped) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Joined { ticket, state, .. } => {
                    said = Said::Joined(ticket, state);
                    let held = joins.next();
                    let Some(held) = held.filter(|_| !matches!(state, TicketState::Left(_))) else {
                        continue;
                    };
                    self.hold(ticket, held);
                    if let TicketState::Running(grant) = state {
                        self.note_start(ticket, held, grant);
                        started.extend(grant.backend.map(|backend| (backend, ticket)));
                    }
                }
                Effect::Refused { why, .. } => said = Said::Refused(why),
                Effect::Started { ticket, grant } => {
                    if let Some(held) = self.held.get(&ticket).copied() {
                        self.note_start(ticket, held, grant);
                    }
                    started.extend(grant.backend.map(|backend| (backend, ticket)));
                }
                Effect::Returned { ticket } | Effect::Parked { ticket } => {
                    self.note_end(ticket);
                    stopped.push(ticket);
                }
                Effect::Left { ticket, reason, .. } => {
                    if let Some(node) = self.held.get(&ticket).and_then(|held| held.node) {
                        self.news.left.push((ticket, node, reason));
                    }
                    self.let_go(ticket);
                }
                Effect::Released { ticket, .. } => {
                    self.let_go(ticket);
                    stopped.push(ticket);
                }
                Effect::Resumed { .. }
                | Effect::Moved { .. }
                | Effect::Retuned { .. }
                | Effect::Throttled
                | Effect::Closed => {}
            }
        }
        self.look_at_probes(started, &stopped);
        said
    }

    fn hold(&mut self, ticket: TicketId, held: Held) {
        self.of_owner.entry(held.owner).or_default().insert(ticket);
        self.held.insert(ticket, held);
    }

    /// A ticket is over. What its owner has left with a node that leaves may go now.
    fn let_go(&mut self, ticket: TicketId) {
        self.note_end(ticket);
        let Some(held) = self.held.remove(&ticket) else { return };
        if let Some(tickets) = self.of_owner.get_mut(&held.owner) {
            tickets.remove(&ticket);
            if tickets.is_empty() {
                self.of_owner.remove(&held.owner);
            }
            // It was at home where its tickets were.
            self.news.moved |= self.home(held.owner) != held.node;
        }
        let leaving = |node: &Incarnation| self.nodes.get(node).is_some_and(|part| part.leaving);
        if let Some(node) = held.node.filter(leaving) {
            self.pass_on_owner(node, held.owner);
        }
    }

    fn note_end(&mut self, ticket: TicketId) {
        let node = self.held.get(&ticket).and_then(|held| held.node);
        if let Some(working) = node.and_then(|node| self.working.get_mut(&node)) {
            working.remove(&ticket);
        }
    }
}

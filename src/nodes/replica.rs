//! A node's copy of what the log says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Batch, Change, Digest, Entry, Incarnation, Job, Number, Undecodable};
use crate::queue::{
    JoinError, LeaveReason, Owner, Policy, TicketId,
    machine::{Command, Effect, Grant, Machine, Restored, Snapshot, SnapshotError, TicketState, Time},
};

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
    /// The node does not hold such a ticket, the job has one already, the policy has no such work, or it is not the one that was to be replaced:
    /// nothing has changed.
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

/// A whole copy, to keep and to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaSnapshot {
    line: Snapshot,
    nodes: Vec<(Incarnation, Part)>,
    held: Vec<(TicketId, Held, Option<Number>)>,
    applied: Number,
    digest: Digest,
    at: Time,
    policies: u64,
}

impl ReplicaSnapshot {
    /// The number of the last entry that is in it.
    #[must_use]
    pub const fn applied(&self) -> Number {
        self.applied
    }
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

    /// Where an owner is at home: with the node that holds the oldest of its tickets, or else with the one that they would be passed on to.
    /// `None`: nobody is there that stays.
    #[must_use]
    pub fn home(&self, owner: Owner) -> Option<Incarnation> {
        let oldest = self.of_owner.get(&owner).and_then(BTreeSet::first);
        let holder = oldest.and_then(|ticket| self.held.get(ticket)?.node);
        holder.or_else(|| self.heir(owner))
    }

    /// The same for a node that is about to say that it leaves: an owner stays there only for as long as it works for that owner.
    #[must_use]
    pub fn home_without(&self, owner: Owner, leaving: Incarnation) -> Option<Incarnation> {
        let home = self.home(owner);
        if home != Some(leaving) || self.works_for(owner, leaving) {
            return home;
        }
        let staying = self
            .nodes
            .iter()
            .filter(|(node, part)| !part.leaving && **node != leaving);
        heir(owner, staying.map(|(node, _)| *node))
    }

    /// Whether a node works on something for an owner.
    fn works_for(&self, owner: Owner, node: Incarnation) -> bool {
        let tickets = self.of_owner.get(&owner).into_iter().flatten();
        let working = self.working.get(&node);
        tickets
            .into_iter()
            .any(|ticket| working.is_some_and(|working| working.contains_key(ticket)))
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

    /// Every ticket that waits or has started, and what it is for.
    pub fn tickets(&self) -> impl Iterator<Item = (TicketId, Job)> + '_ {
        self.held.iter().map(|(ticket, held)| (*ticket, held.job))
    }

    /// Every ticket that waits or has started, and whose it is.
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
                return self.command(Command::Retune(policy), None);
            }
            Change::Ticket(job, command) => {
                let named = match &command {
                    Command::Leave { ticket, .. }
                    | Command::Release { ticket, .. }
                    | Command::StartBack { ticket }
                    | Command::Recall { ticket, .. }
                    | Command::ChangePool { ticket, .. } => self.held.get(ticket),
                    _ => None,
                };
                let holds = named.is_some_and(|held| held.node == Some(node) && held.job == job);
                return if holds { self.command(command, None) } else { Said::Void };
            }
            Change::Line(command) => {
                return match command {
                    Command::Throttle { .. } | Command::Expire => self.command(command, None),
                    _ => Said::Void,
                };
            }
        }
        Said::Done
    }

    fn up(&mut self, node: Incarnation, address: Option<String>) {
        self.nodes.entry(node).or_default().address = address;
        self.news.moved = true;
        let orphans = self.held.iter().filter(|(_, held)| held.node.is_none());
        let orphans: Vec<TicketId> = orphans.map(|(ticket, _)| *ticket).collect();
        self.pass_on(&orphans);
    }

    fn leaving(&mut self, node: Incarnation) {
        let Some(part) = self.nodes.get_mut(&node) else { return };
        part.leaving = true;
        self.news.moved = true;
        let owners: BTreeSet<Owner> = self.held_by(node).map(|(_, _, owner)| owner).collect();
        for owner in owners {
            self.pass_on_owner(node, owner);
        }
    }

    /// Passes an owner's tickets on that a node which leaves holds, once it works on none of them: whoever follows them moves once.
    fn pass_on_owner(&mut self, node: Incarnation, owner: Owner) {
        let tickets = self.of_owner.get(&owner).into_iter().flatten().copied();
        let tickets: Vec<TicketId> = tickets
            .filter(|ticket| self.held.get(ticket).is_some_and(|held| held.node == Some(node)))
            .collect();
        if !self.works_for(owner, node) {
            self.pass_on(&tickets);
        }
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

    fn gone(&mut self, gone: Incarnation) {
        if self.nodes.remove(&gone).is_none() {
            return;
        }
        self.news.moved = true;
        let left = self.held.iter().filter(|(_, held)| held.node == Some(gone));
        let left: Vec<TicketId> = left.map(|(ticket, _)| *ticket).collect();
        let started = self.working.remove(&gone).unwrap_or_default();
        // First all of them, so that none starts for a node that is gone.
        self.pass_on(&left);
        for ticket in started.into_keys() {
            self.command(Command::StartBack { ticket }, None);
        }
    }

    /// Gives tickets to nodes that take part.
    fn pass_on(&mut self, tickets: &[TicketId]) {
        self.news.passed_on = true;
        for ticket in tickets {
            let Some(mut held) = self.held.get(ticket).copied() else {
                continue;
            };
            held.node = self.heir(held.owner);
            self.held.insert(*ticket, held);
            let state = self.machine.state_of(*ticket);
            if let Some(TicketState::Running(grant)) = state {
                self.note_start(*ticket, held, grant);
            }
        }
    }

    /// Who gets what a node has left; `None`: nobody is there that stays.
    fn heir(&self, owner: Owner) -> Option<Incarnation> {
        let staying = self.nodes.iter().filter(|(_, part)| !part.leaving);
        heir(owner, staying.map(|(node, _)| *node))
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
                    }
                }
                Effect::Refused { why, .. } => said = Said::Refused(why),
                Effect::Started { ticket, grant } => {
                    if let Some(held) = self.held.get(&ticket).copied() {
                        self.note_start(ticket, held, grant);
                    }
                }
                Effect::Returned { ticket } => self.note_end(ticket),
                Effect::Left { ticket, reason, .. } => {
                    if let Some(node) = self.held.get(&ticket).and_then(|held| held.node) {
                        self.news.left.push((ticket, node, reason));
                    }
                    self.let_go(ticket);
                }
                Effect::Released { ticket, .. } => self.let_go(ticket),
                Effect::Moved { .. } | Effect::Retuned { .. } | Effect::Throttled | Effect::Closed => {}
            }
        }
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

    /// The whole copy. Two that are equal answer every entry alike.
    #[must_use]
    pub fn snapshot(&self) -> ReplicaSnapshot {
        let start = |held: &Held, ticket| Some(self.working.get(&held.node?)?.get(ticket)?.start);
        let held = self.held.iter();
        ReplicaSnapshot {
            line: self.machine.snapshot(),
            nodes: self.nodes.iter().map(|(node, part)| (*node, part.clone())).collect(),
            held: held
                .map(|(ticket, held)| (*ticket, *held, start(held, ticket)))
                .collect(),
            applied: self.applied,
            digest: self.digest,
            at: self.at,
            policies: self.policies,
        }
    }

    /// A copy from a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`], if none can have been made so.
    pub fn from_snapshot(snapshot: ReplicaSnapshot) -> Result<Self, SnapshotError> {
        let mut replica = Self {
            machine: Machine::from_snapshot(snapshot.line)?,
            nodes: snapshot.nodes.into_iter().collect(),
            held: BTreeMap::new(),
            of_owner: BTreeMap::new(),
            working: BTreeMap::new(),
            applied: snapshot.applied,
            digest: snapshot.digest,
            at: snapshot.at,
            last: None,
            policies: snapshot.policies,
            // Whoever takes it over knows nothing of who holds what.
            news: News {
                left: Vec::new(),
                passed_on: true,
                moved: true,
            },
        };
        for (ticket, held, start) in snapshot.held {
            let state = replica.machine.state_of(ticket).ok_or(SnapshotError::Ticket(ticket))?;
            if let (Some(node), TicketState::Running(grant)) = (held.node, state) {
                let start = start.ok_or(SnapshotError::Ticket(ticket))?;
                let Held { job, owner, .. } = held;
                let working = Working {
                    job,
                    owner,
                    grant,
                    start,
                };
                replica.working.entry(node).or_default().insert(ticket, working);
            }
            replica.hold(ticket, held);
        }
        Ok(replica)
    }
}

/// One of these nodes: for each owner the same on all nodes, evenly over them, and the same again whoever else
/// comes or goes (the highest random weight; Thaler and Ravishankar 1998).
fn heir(owner: Owner, nodes: impl Iterator<Item = Incarnation>) -> Option<Incarnation> {
    let mixed = |node: &Incarnation| {
        // The finaliser of SplitMix64, on each half.
        let halves = owner.0 ^ node.0.rotate_left(64);
        let [high, low] = [(halves >> 64) as u64, halves as u64].map(|half| {
            let half = (half ^ (half >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let half = (half ^ (half >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            half ^ (half >> 31)
        });
        (
            high.wrapping_add(low.rotate_left(32))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15),
            *node,
        )
    };
    nodes.max_by_key(mixed)
}

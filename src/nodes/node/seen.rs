//! Who has been heard of, and how far in the log each is.

use std::time::Duration;

use super::{Node, Peer};
use crate::{
    nodes::{Incarnation, Number, TTL},
    queue::machine::Time,
};

/// What a node knows of another one that has a row in the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// As it was when it was last heard of.
    peer: Peer,
    at: Time,
    /// It is declared gone once it has been silent for so long from here on.
    silent_since: Time,
    /// See [`Progress::lag`].
    lag: u64,
}

/// The heads of the log that the last two beats have brought, the newer one first. What the older one says has been there for a beat and
/// more, so whoever has not applied it does not keep up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heads([Number; 2]);

impl Heads {
    fn push(&mut self, head: Number) {
        self.0 = [head, self.0[0]];
    }

    /// By how much somebody does not keep up that has applied so much. A log that has lost its end is not waited for.
    fn lag(&self, applied: Number, head: Number) -> u64 {
        let [newer, older] = self.0;
        older.min(newer).min(head).0.saturating_sub(applied.0)
    }
}

/// How far a node is in the log, as it said itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last entry that it has applied; `None`: nothing has been heard of it yet.
    pub applied: Option<Number>,
    /// How many entries it lacked of those that had been in the log for a beat and more when it said so. 0: it keeps up.
    pub lag: u64,
    /// How long ago that was.
    pub ago: Option<Duration>,
}

impl Node {
    /// How far a node is; `None`: there is none of that name, as far as is known here.
    #[must_use]
    pub fn progress(&self, node: Incarnation, now: Time) -> Option<Progress> {
        if node == self.me {
            let applied = self.applied().unwrap_or_default();
            return Some(Progress {
                applied: Some(applied),
                lag: self.heads.lag(applied, self.heads.0[0]),
                ago: Some(Duration::ZERO),
            });
        }
        let heard = self.peers.get(&node)?;
        let beats = heard.peer.beats > 0;
        Some(Progress {
            applied: beats.then_some(heard.peer.applied),
            lag: heard.lag,
            ago: beats.then(|| now.saturating_since(heard.at)),
        })
    }

    /// Takes note of who has been heard of, and of where the log ended then.
    pub(super) fn watch(&mut self, now: Time, peers: &[Peer], head: Number) {
        self.peers.retain(|node, _| peers.iter().any(|peer| peer.node == *node));
        for peer in peers {
            let news = Heard {
                peer: *peer,
                at: now,
                silent_since: now,
                // It has said this since the last beat here, and may have begun to somewhat before. Its first beat comes once it takes part.
                lag: if peer.beats > 0 {
                    self.heads.lag(peer.applied, head)
                } else {
                    0
                },
            };
            let known = self.peers.entry(peer.node).or_insert(news);
            if known.peer.beats != peer.beats {
                *known = news;
            }
        }
        self.heads.push(head);
    }

    /// When a node that is not heard of any more is to be declared gone.
    pub(super) fn silent_at(&self) -> Option<Time> {
        let silent = self.peers.values();
        silent.map(|heard| heard.silent_since.saturating_add(TTL)).min()
    }

    /// Declares those gone that have not been heard of for so long by this node's own clock, unless they are heard of meanwhile.
    /// What they have been promised began before this node saw it, so it is over.
    pub(super) fn declare_silent(&mut self, now: Time) {
        let mut silent = Vec::new();
        for heard in self.peers.values_mut() {
            if now >= heard.silent_since.saturating_add(TTL) {
                // Asked again if it comes to nothing.
                heard.silent_since = now;
                silent.push(heard.peer);
            }
        }
        for peer in silent {
            self.declare(peer.node, Some(peer));
        }
    }
}

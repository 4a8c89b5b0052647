//! What a node appends: one batch at a time, until it is known what has become of it.

use super::{Ask, Node, Output, PAUSE, Peer, Reply, Stage, Unsaid};
use crate::{
    nodes::{Change, Number},
    queue::machine::Time,
};

/// Most changes in one batch: a transaction that everybody waits for stays short.
const MOST: usize = 256;

/// A batch under way.
pub(super) struct Flying {
    pub(super) sequence: u64,
    pub(super) changes: Vec<(Option<Ask>, Change)>,
    pub(super) unless_heard: Option<Peer>,
    /// A reply is to come.
    pub(super) sent: bool,
    /// It is in the log, as far as is known, and has to be read there.
    pub(super) written: bool,
}

impl Flying {
    /// The same answer to all who have asked.
    pub(super) fn answers(self, unsaid: Unsaid) -> impl Iterator<Item = Output> {
        let asks = self.changes.into_iter().filter_map(|(ask, _)| ask);
        asks.map(move |ask| Output::Answer(ask, Err(unsaid)))
    }
}

impl Node {
    pub(super) fn append(&mut self, out: &mut Vec<Output>) {
        if self.flying.is_none() {
            self.gather();
        }
        if let Some(flying) = self.flying.as_mut().filter(|flying| !flying.sent && !flying.written) {
            flying.sent = true;
            out.push(Output::Append {
                sequence: flying.sequence,
                changes: flying.changes.clone(),
                unless_heard: flying.unless_heard,
            });
        }
    }

    /// Makes a batch of what has gathered. What hangs on a condition goes alone.
    pub(super) fn gather(&mut self) {
        let mut changes = Vec::new();
        let mut unless_heard = None;
        if self.stage == Stage::Joining {
            let address = self.address.clone();
            changes.push((None, Change::Up { address }));
        }
        while changes.len() < MOST
            && let Some((ask, change, condition)) = self
                .gathered
                .pop_front_if(|(_, _, condition)| condition.is_none() || changes.is_empty())
        {
            changes.push((ask, change));
            if condition.is_some() {
                unless_heard = condition;
                break;
            }
        }
        if changes.is_empty() {
            return;
        }
        self.sequence += 1;
        self.flying = Some(Flying {
            sequence: self.sequence,
            changes,
            unless_heard,
            sent: false,
            written: false,
        });
    }

    pub(super) fn appended(&mut self, now: Time, sequence: u64, reply: Reply, out: &mut Vec<Output>) {
        if reply == Reply::Fenced {
            self.end(out);
            return;
        }
        let next = self.applied().map(Number::next);
        // It may have been seen in the log before the reply.
        let Some(flying) = self.flying.as_mut().filter(|flying| flying.sequence == sequence) else {
            return;
        };
        flying.sent = false;
        match reply {
            Reply::Written(batch) => {
                flying.written = true;
                if next == Some(batch.number) {
                    self.apply(&batch, out);
                } else {
                    self.told = true;
                }
            }
            Reply::Already => {
                flying.written = true;
                self.told = true;
            }
            Reply::Nothing => {
                let answers = self.flying.take().into_iter();
                out.extend(answers.flat_map(|flying| flying.answers(Unsaid::Unwritten)));
                self.forget_what_is_over();
            }
            Reply::Away | Reply::Fenced => self.retry = Some(now.saturating_add(PAUSE)),
        }
    }
}

//! The nodes, in the words of the wire.

use std::{cmp::Reverse, time::Duration};

use crate::{
    accounts::Role,
    nodes::{BEAT, Incarnation, NodeView, OwnView, Progress},
    wire::{NodeRow, NodeState},
};

/// A node that has not been heard of for so long is said to be silent: at least one beat of its has not come.
const SILENT: Duration = BEAT.saturating_mul(3);

/// The nodes that keep a line together.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    /// Which this one is.
    pub me: Incarnation,
    /// How it stands.
    pub own: OwnView,
    /// Those that take part, as this one knows them.
    pub all: Vec<NodeView>,
    /// What this one's settings have otherwise than what is in force for all, by name.
    pub differences: Vec<String>,
}

/// How this node is.
pub(crate) const fn own_state(own: &OwnView) -> NodeState {
    if !own.footing.may_work {
        NodeState::CutOff
    } else if own.footing.leaving {
        NodeState::Leaving
    } else if own.lag > 0 {
        NodeState::Behind
    } else {
        NodeState::TakesPart
    }
}

/// How another one is, and for how long it has been silent.
fn state(node: &NodeView) -> (NodeState, Option<Duration>) {
    let silent = node.progress.and_then(|progress| progress.ago);
    let silent = silent.filter(|ago| *ago >= SILENT);
    let state = if silent.is_some() {
        NodeState::Silent
    } else if node.leaving {
        NodeState::Leaving
    } else if node.progress.is_some_and(|progress| progress.lag > 0) {
        NodeState::Behind
    } else {
        NodeState::TakesPart
    };
    (state, silent)
}

impl Nodes {
    /// A row a node, this one first; none where it keeps its database for itself. Where they are is the operator's to know.
    pub(super) fn rows(&self, role: Role) -> Vec<NodeRow> {
        let mut nodes: Vec<_> = self.all.iter().collect();
        if nodes.len() < 2 && nodes.iter().all(|node| node.address.is_none()) {
            return Vec::new();
        }
        // By address, so that one that has started again has its place of before.
        nodes.sort_by_key(|node| (Reverse(node.node == self.me), &node.address, node.node));
        nodes.into_iter().map(|node| self.row(node, role)).collect()
    }

    fn row(&self, node: &NodeView, role: Role) -> NodeRow {
        let this = node.node == self.me;
        let (state, silent) = if this {
            (own_state(&self.own), None)
        } else {
            state(node)
        };
        let Progress { applied, lag, .. } = node.progress.unwrap_or(Progress {
            applied: None,
            lag: 0,
            ago: None,
        });
        NodeRow {
            name: format!("{:?}", node.node),
            this,
            address: node.address.clone().filter(|_| role == Role::Operator),
            state,
            seconds: silent.map(|silent| silent.as_secs_f64().floor()),
            running: node.working as u64,
            applied: applied.map(|number| number.0),
            lag,
        }
    }

    /// What there is to bring in line, for whoever can do it.
    pub(super) fn differences(&self, role: Role) -> Vec<String> {
        match role {
            Role::Operator => self.differences.clone(),
            Role::Visitor => Vec::new(),
        }
    }
}

//! Inner nodes of the tree.

use super::{NodeId, WIDTH};

/// One more than a node may keep: it is split once it has grown that wide.
const ROOM: usize = WIDTH + 1;

/// A part of the tree, as its parent knows it.
#[derive(Clone, Copy)]
pub(super) struct Child<K> {
    /// No key below this child is smaller. (It may have been removed since.)
    pub(super) low: K,
    /// Keys below this child.
    pub(super) count: u32,
    pub(super) node: NodeId,
}

/// The children of a node, column by column: a search reads only lows, and a rank adds up neighbouring counts.
pub(super) struct Inner<K> {
    width: usize,
    lows: [K; ROOM],
    counts: [u32; ROOM],
    nodes: [NodeId; ROOM],
}

impl<K: Copy + Ord> Inner<K> {
    pub(super) fn new(children: &[Child<K>; 2]) -> Self {
        let [left, right] = *children;
        let mut inner = Self {
            width: 0,
            lows: [left.low; ROOM],
            counts: [0; ROOM],
            nodes: [0; ROOM],
        };
        inner.insert(0, left);
        inner.insert(1, right);
        inner
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn child(&self, at: usize) -> Child<K> {
        Child {
            low: self.lows[at],
            count: self.counts[at],
            node: self.nodes[at],
        }
    }

    pub(super) fn node(&self, at: usize) -> NodeId {
        self.nodes[at]
    }

    /// The child below which `key` is, if it is anywhere.
    pub(super) fn find(&self, key: K) -> usize {
        // A line grows at its end and is served at its front.
        let last = self.width - 1;
        if self.lows[last] <= key {
            return last;
        }
        if key < self.lows[1] {
            return 0;
        }
        self.lows[..last].partition_point(|low| *low <= key) - 1
    }

    /// Keys below the children before `at`.
    pub(super) fn before(&self, at: usize) -> usize {
        self.counts[..at].iter().sum::<u32>() as usize
    }

    /// Keys below all children.
    pub(super) fn total(&self) -> u32 {
        self.counts[..self.width].iter().sum()
    }

    /// A key comes in below the child at `at`.
    pub(super) fn grow(&mut self, at: usize, key: K) {
        self.counts[at] += 1;
        self.lows[at] = self.lows[at].min(key);
    }

    /// `fewer` keys are no longer below the child at `at`.
    pub(super) fn shrink(&mut self, at: usize, fewer: u32) {
        self.counts[at] -= fewer;
    }

    pub(super) fn insert(&mut self, at: usize, child: Child<K>) {
        self.lows.copy_within(at..self.width, at + 1);
        self.counts.copy_within(at..self.width, at + 1);
        self.nodes.copy_within(at..self.width, at + 1);
        self.lows[at] = child.low;
        self.counts[at] = child.count;
        self.nodes[at] = child.node;
        self.width += 1;
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.lows.copy_within(at + 1..self.width, at);
        self.counts.copy_within(at + 1..self.width, at);
        self.nodes.copy_within(at + 1..self.width, at);
        self.width -= 1;
    }

    /// Puts the neighbour on the right into the child at `at`, whose node now holds the keys of both.
    pub(super) fn unite(&mut self, at: usize) {
        self.counts[at] += self.counts[at + 1];
        self.remove(at + 1);
    }

    /// Takes the children of the neighbour on the right.
    pub(super) fn append(&mut self, right: &Self) {
        let both = self.width + right.width;
        self.lows[self.width..both].copy_from_slice(&right.lows[..right.width]);
        self.counts[self.width..both].copy_from_slice(&right.counts[..right.width]);
        self.nodes[self.width..both].copy_from_slice(&right.nodes[..right.width]);
        self.width = both;
    }

    /// Gives up the children from `cut` on.
    pub(super) fn split_off(&mut self, cut: usize) -> Self {
        let width = self.width - cut;
        let mut right = Self {
            width,
            lows: self.lows,
            counts: [0; ROOM],
            nodes: [0; ROOM],
        };
        right.lows[..width].copy_from_slice(&self.lows[cut..self.width]);
        right.counts[..width].copy_from_slice(&self.counts[cut..self.width]);
        right.nodes[..width].copy_from_slice(&self.nodes[cut..self.width]);
        self.width = cut;
        right
    }
}

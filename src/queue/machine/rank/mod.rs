//! A sorted set that knows how many of its keys are smaller than a given one.
//!
//! A counted B+ tree: keys live in leaves, and every inner node keeps the number of keys below each child
//! (Knuth, The Art of Computer Programming 3, §6.2.3 and §6.2.4, on linear lists in balanced trees). Wide nodes keep it
//! three or four levels deep at 100,000 keys, so insertion, removal and rank cost about the same at any size.
//! Nodes live in tables, so it needs no pointers and no `unsafe`.

mod inner;

use inner::{Child, Inner};

/// Most keys of a leaf and most children of an inner node.
const WIDTH: usize = 32;
/// A node narrower than this looks for a neighbour to merge with.
const NARROW: usize = WIDTH / 4;
/// Widest outcome of a merge: room is left, so that the next insertion does not split it again.
const MERGED: usize = WIDTH / 2;

type NodeId = u32;

/// The set. `K`'s order decides. It holds fewer than 2^32 keys.
pub(super) struct RankTree<K> {
    leaves: Vec<Vec<K>>,
    inners: Vec<Inner<K>>,
    free_leaves: Vec<NodeId>,
    free_inners: Vec<NodeId>,
    root: NodeId,
    /// Levels above the leaves.
    height: usize,
    len: usize,
}

impl<K: Copy + Ord> RankTree<K> {
    pub(super) fn new() -> Self {
        Self {
            leaves: vec![Vec::new()],
            inners: Vec::new(),
            free_leaves: Vec::new(),
            free_inners: Vec::new(),
            root: 0,
            height: 0,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a key that is not in the set.
    pub(super) fn insert(&mut self, key: K) {
        self.len += 1;
        if let Some(right) = self.insert_below(self.height, self.root, key) {
            let left = Child {
                low: self.low_of(self.height, self.root),
                count: self.len as u32 - right.count,
                node: self.root,
            };
            self.root = self.add_inner(Inner::new(&[left, right]));
            self.height += 1;
        }
    }

    /// Removes a key; `false` if it is not in the set.
    pub(super) fn remove(&mut self, key: K) -> bool {
        if !self.remove_below(self.height, self.root, key) {
            return false;
        }
        self.len -= 1;
        if self.len == 0 {
            if self.height > 0 {
                *self = Self::new();
            }
            return true;
        }
        while self.height > 0 && self.inners[self.root as usize].width() == 1 {
            let only = self.inners[self.root as usize].node(0);
            self.free(self.height, self.root);
            self.root = only;
            self.height -= 1;
        }
        true
    }

    /// How many keys are smaller than `key`, which need not be in the set.
    pub(super) fn rank(&self, key: K) -> usize {
        let (mut node, mut before) = (self.root, 0);
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            let at = inner.find(key);
            before += inner.before(at);
            node = inner.node(at);
        }
        before + self.leaves[node as usize].partition_point(|other| *other < key)
    }

    /// The key that so many others are smaller than.
    pub(super) fn nth(&self, mut before: usize) -> Option<K> {
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            let mut at = 0;
            while at + 1 < inner.width() && before >= inner.child(at).count as usize {
                before -= inner.child(at).count as usize;
                at += 1;
            }
            node = inner.node(at);
        }
        self.leaves[node as usize].get(before).copied()
    }

    /// The smallest key.
    pub(super) fn first(&self) -> Option<K> {
        let mut node = self.root;
        for _ in 0..self.height {
            node = self.inners[node as usize].node(0);
        }
        self.leaves[node as usize].first().copied()
    }

    /// The largest key.
    pub(super) fn last(&self) -> Option<K> {
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            node = inner.node(inner.width() - 1);
        }
        self.leaves[node as usize].last().copied()
    }

    /// The `most` smallest keys, in order.
    pub(super) fn smallest(&self, most: usize) -> Vec<K> {
        let mut found = Vec::with_capacity(most.min(self.len));
        self.collect(self.height, self.root, most, &mut found);
        found
    }

    fn collect(&self, level: usize, node: NodeId, most: usize, found: &mut Vec<K>) {
        if level == 0 {
            let room = most - found.len();
            found.extend(self.leaves[node as usize].iter().take(room));
            return;
        }
        let inner = &self.inners[node as usize];
        for at in 0..inner.width() {
            if found.len() == most {
                return;
            }
            self.collect(level - 1, inner.node(at), most, found);
        }
    }

    /// Inserts below `node`; the new right half, if the node had to be split.
    fn insert_below(&mut self, level: usize, node: NodeId, key: K) -> Option<Child<K>> {
        if level == 0 {
            let keys = &mut self.leaves[node as usize];
            let at = match keys.last() {
                Some(last) if key < *last => keys.partition_point(|other| *other < key),
                _ => keys.len(),
            };
            keys.insert(at, key);
            let cut = cut(keys.len(), at)?;
            let mut right = Vec::with_capacity(WIDTH + 1);
            right.extend(keys.drain(cut..));
            return Some(Child {
                low: right[0],
                count: right.len() as u32,
                node: self.add_leaf(right),
            });
        }
        let inner = &mut self.inners[node as usize];
        let at = inner.find(key);
        inner.grow(at, key);
        let below = inner.node(at);
        let new = self.insert_below(level - 1, below, key)?;
        let inner = &mut self.inners[node as usize];
        inner.shrink(at, new.count);
        inner.insert(at + 1, new);
        let right = inner.split_off(cut(inner.width(), at + 1)?);
        Some(Child {
            low: right.child(0).low,
            count: right.total(),
            node: self.add_inner(right),
        })
    }

    fn remove_below(&mut self, level: usize, node: NodeId, key: K) -> bool {
        if level == 0 {
            let keys = &mut self.leaves[node as usize];
            return keys.binary_search(&key).map(|at| keys.remove(at)).is_ok();
        }
        let at = self.inners[node as usize].find(key);
        let child = self.inners[node as usize].node(at);
        if !self.remove_below(level - 1, child, key) {
            return false;
        }
        self.inners[node as usize].shrink(at, 1);
        let width = self.width(level - 1, child);
        if width == 0 {
            // This may empty `node` too; then its own parent does the same, up to the root.
            self.inners[node as usize].remove(at);
            self.free(level - 1, child);
        } else if width < NARROW {
            self.merge(level, node, at);
        }
        true
    }

    /// Merges the child at `at` with a neighbour, if both fit into one node with room to spare.
    fn merge(&mut self, level: usize, node: NodeId, at: usize) {
        let inner = &self.inners[node as usize];
        let last = inner.width() - 1;
        let neighbours = [at.checked_sub(1), Some(at)].into_iter().flatten();
        for left in neighbours.filter(|left| *left < last) {
            let (into, from) = (inner.node(left), inner.node(left + 1));
            if self.width(level - 1, into) + self.width(level - 1, from) > MERGED {
                continue;
            }
            if level == 1 {
                let moved = std::mem::take(&mut self.leaves[from as usize]);
                self.leaves[into as usize].extend(moved);
            } else if let Ok([into, from]) = self.inners.get_disjoint_mut([into as usize, from as usize]) {
                into.append(from);
            }
            self.free(level - 1, from);
            self.inners[node as usize].unite(left);
            return;
        }
    }

    fn width(&self, level: usize, node: NodeId) -> usize {
        if level == 0 {
            self.leaves[node as usize].len()
        } else {
            self.inners[node as usize].width()
        }
    }

    fn low_of(&self, level: usize, node: NodeId) -> K {
        if level == 0 {
            self.leaves[node as usize][0]
        } else {
            self.inners[node as usize].child(0).low
        }
    }

    fn add_leaf(&mut self, keys: Vec<K>) -> NodeId {
        add(&mut self.leaves, &mut self.free_leaves, keys)
    }

    fn add_inner(&mut self, inner: Inner<K>) -> NodeId {
        add(&mut self.inners, &mut self.free_inners, inner)
    }

    fn free(&mut self, level: usize, node: NodeId) {
        if level == 0 {
            self.leaves[node as usize] = Vec::new();
            self.free_leaves.push(node);
        } else {
            self.free_inners.push(node);
        }
    }
}

/// Where a node that has so many entries after an insertion at `at` is to be split, if it is too wide now. Insertions at
/// the end leave a full node behind, because a line grows at its end.
fn cut(width: usize, at: usize) -> Option<usize> {
    if width <= WIDTH {
        return None;
    }
    Some(if at + 1 == width { at } else { width / 2 })
}

fn add<T>(nodes: &mut Vec<T>, free: &mut Vec<NodeId>, node: T) -> NodeId {
    if let Some(id) = free.pop() {
        nodes[id as usize] = node;
        return id;
    }
    nodes.push(node);
    NodeId::try_from(nodes.len() - 1).expect("fewer than 2^32 nodes fit into memory")
}

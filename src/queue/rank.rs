//! A sorted set that knows how many of its keys are smaller than a given one.
//!
//! A counted B+ tree: keys live in leaves, and every inner node keeps the number of keys below each child
//! (Knuth, The Art of Computer Programming 3, §6.2.3 and §6.2.4, on linear lists in balanced trees). Wide nodes keep it
//! three or four levels deep at 100,000 keys, so insertion, removal and rank cost about the same at any size.
//! Nodes live in tables, so it needs no pointers and no `unsafe`.

/// Most keys of a leaf and most children of an inner node.
const WIDTH: usize = 32;
/// A node narrower than this looks for a neighbour to merge with.
const NARROW: usize = WIDTH / 4;
/// Widest outcome of a merge: room is left, so that the next insertion does not split it again.
const MERGED: usize = WIDTH / 2;

type NodeId = u32;

#[derive(Clone, Copy)]
struct Child<K> {
    /// No key below this child is smaller. (It may have been removed since.)
    low: K,
    /// Keys below this child.
    count: usize,
    node: NodeId,
}

/// The set. `K`'s order decides.
pub(super) struct RankTree<K> {
    leaves: Vec<Vec<K>>,
    inners: Vec<Vec<Child<K>>>,
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
                count: self.len - right.count,
                node: self.root,
            };
            self.root = self.add_inner(vec![left, right]);
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
        while self.height > 0 && self.inners[self.root as usize].len() == 1 {
            let only = self.inners[self.root as usize][0].node;
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
            let children = &self.inners[node as usize];
            let at = child_of(children, key);
            before += children[..at].iter().map(|child| child.count).sum::<usize>();
            node = children[at].node;
        }
        before + self.leaves[node as usize].partition_point(|other| *other < key)
    }

    /// The smallest key.
    pub(super) fn first(&self) -> Option<K> {
        let mut node = self.root;
        for _ in 0..self.height {
            node = self.inners[node as usize][0].node;
        }
        self.leaves[node as usize].first().copied()
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
        for child in &self.inners[node as usize] {
            if found.len() == most {
                return;
            }
            self.collect(level - 1, child.node, most, found);
        }
    }

    /// Inserts below `node`; the new right half, if the node had to be split.
    fn insert_below(&mut self, level: usize, node: NodeId, key: K) -> Option<Child<K>> {
        if level == 0 {
            let keys = &mut self.leaves[node as usize];
            let at = keys.partition_point(|other| *other < key);
            keys.insert(at, key);
            let right = split(keys, at)?;
            return Some(Child {
                low: right[0],
                count: right.len(),
                node: self.add_leaf(right),
            });
        }
        let children = &mut self.inners[node as usize];
        let at = child_of(children, key);
        children[at].count += 1;
        children[at].low = children[at].low.min(key);
        let below = children[at].node;
        let new = self.insert_below(level - 1, below, key)?;
        let children = &mut self.inners[node as usize];
        children[at].count -= new.count;
        children.insert(at + 1, new);
        let right = split(children, at + 1)?;
        let count = right.iter().map(|child| child.count).sum();
        Some(Child {
            low: right[0].low,
            count,
            node: self.add_inner(right),
        })
    }

    fn remove_below(&mut self, level: usize, node: NodeId, key: K) -> bool {
        if level == 0 {
            let keys = &mut self.leaves[node as usize];
            return keys.binary_search(&key).map(|at| keys.remove(at)).is_ok();
        }
        let at = child_of(&self.inners[node as usize], key);
        let child = self.inners[node as usize][at].node;
        if !self.remove_below(level - 1, child, key) {
            return false;
        }
        self.inners[node as usize][at].count -= 1;
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
        let last = self.inners[node as usize].len() - 1;
        for left in [at.checked_sub(1), Some(at)]
            .into_iter()
            .flatten()
            .filter(|left| *left < last)
        {
            let (into, from) = (self.inners[node as usize][left], self.inners[node as usize][left + 1]);
            if self.width(level - 1, into.node) + self.width(level - 1, from.node) > MERGED {
                continue;
            }
            if level == 1 {
                let moved = std::mem::take(&mut self.leaves[from.node as usize]);
                self.leaves[into.node as usize].extend(moved);
            } else {
                let moved = std::mem::take(&mut self.inners[from.node as usize]);
                self.inners[into.node as usize].extend(moved);
            }
            self.free(level - 1, from.node);
            self.inners[node as usize][left].count += from.count;
            self.inners[node as usize].remove(left + 1);
            return;
        }
    }

    fn width(&self, level: usize, node: NodeId) -> usize {
        if level == 0 {
            self.leaves[node as usize].len()
        } else {
            self.inners[node as usize].len()
        }
    }

    fn low_of(&self, level: usize, node: NodeId) -> K {
        if level == 0 {
            self.leaves[node as usize][0]
        } else {
            self.inners[node as usize][0].low
        }
    }

    fn add_leaf(&mut self, keys: Vec<K>) -> NodeId {
        add(&mut self.leaves, &mut self.free_leaves, keys)
    }

    fn add_inner(&mut self, children: Vec<Child<K>>) -> NodeId {
        add(&mut self.inners, &mut self.free_inners, children)
    }

    fn free(&mut self, level: usize, node: NodeId) {
        if level == 0 {
            self.leaves[node as usize] = Vec::new();
            self.free_leaves.push(node);
        } else {
            self.inners[node as usize] = Vec::new();
            self.free_inners.push(node);
        }
    }
}

fn child_of<K: Copy + Ord>(children: &[Child<K>], key: K) -> usize {
    children.partition_point(|child| child.low <= key).saturating_sub(1)
}

/// Splits a node that has grown too wide by the insertion at `at`; the right part. Insertions at the end leave a full node
/// behind, because a line grows at its end.
fn split<T>(node: &mut Vec<T>, at: usize) -> Option<Vec<T>> {
    if node.len() <= WIDTH {
        return None;
    }
    let cut = if at + 1 == node.len() { at } else { node.len() / 2 };
    let mut right = Vec::with_capacity(WIDTH + 1);
    right.extend(node.drain(cut..));
    Some(right)
}

fn add<T>(nodes: &mut Vec<T>, free: &mut Vec<NodeId>, node: T) -> NodeId {
    if let Some(id) = free.pop() {
        nodes[id as usize] = node;
        return id;
    }
    nodes.push(node);
    NodeId::try_from(nodes.len() - 1).expect("fewer than 2^32 nodes fit into memory")
}

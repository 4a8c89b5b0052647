//! A text as the server has rendered it: a signal a block, so that one that streams touches the one node that grows.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::erase::Look as _;
use leptos::prelude::*;

/// One Markdown block.
#[derive(Clone)]
pub(crate) struct Block {
    /// Which it is. A block that takes the place of one that went is another: nothing that showed the old one may be
    /// taken for its own.
    pub(crate) key: usize,
    /// Clean HTML, as the server made it.
    pub(crate) html: ArcRwSignal<String>,
}

impl Block {
    fn new(html: String) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self {
            key: NEXT.fetch_add(1, Ordering::Relaxed),
            html: ArcRwSignal::new(html),
        }
    }
}

/// The blocks of one text. Copies share them.
#[derive(Clone)]
pub(crate) struct Blocks(pub(crate) ArcRwSignal<Vec<Block>>);

impl Blocks {
    pub(super) fn new(blocks: Vec<String>) -> Self {
        Self(ArcRwSignal::new(blocks.into_iter().map(Block::new).collect()))
    }

    /// Puts a block in its place; those after it go.
    pub(super) fn put(&self, index: usize, html: String) {
        let known = self.0.peek(|blocks| (blocks.len(), blocks.get(index).cloned()));
        match known {
            (count, Some(block)) => {
                if count > index + 1 {
                    self.0.update(|blocks| blocks.truncate(index + 1));
                }
                if block.html.peek(|known| *known != html) {
                    block.html.set(html);
                }
            }
            // A hole would mean a lost event; the end state, which carries every block, fills it.
            (count, None) => {
                self.0.update(|blocks| {
                    blocks.extend((count..index).map(|_| Block::new(String::new())));
                    blocks.push(Block::new(html));
                });
            }
        }
    }

    /// Puts these in place of all others, touching only what differs.
    pub(super) fn replace(&self, blocks: Vec<String>) {
        let mut known = self.0.get_untracked();
        let count = known.len();
        known.truncate(blocks.len());
        for (index, html) in blocks.into_iter().enumerate() {
            match known.get(index) {
                Some(block) if block.html.peek(|known| *known == html) => {}
                Some(block) => block.html.set(html),
                None => known.push(Block::new(html)),
            }
        }
        if known.len() != count {
            self.0.set(known);
        }
    }
}

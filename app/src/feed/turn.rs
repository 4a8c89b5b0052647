//! One turn as the screen holds it: a signal for what is said of it and a signal a block, so that a streaming answer
//! touches the one node that grows.

use std::sync::atomic::{AtomicUsize, Ordering};

use anteroom::wire::{Reason, TurnId, TurnView};
use leptos::prelude::*;

use crate::writing::outbox;

/// Whether the server has a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It is the server's.
    Accepted,
    /// On its way.
    Sending,
    /// It did not get through. It is sent again by itself once the server can be reached.
    Unsent,
    /// It was refused, and is sent again only on demand.
    Failed {
        /// Why.
        reason: Reason,
    },
}

impl Delivery {
    /// Of a message that did not get through: for this reason if it was refused.
    pub(crate) fn of(refused: Option<Reason>) -> Self {
        refused.map_or(Self::Unsent, |reason| Self::Failed { reason })
    }

    /// Of a message that was kept: with this sentence if it was refused.
    pub(crate) fn kept(refused: Option<String>) -> Self {
        Self::of(refused.map(|sentence| Reason::Told { sentence }))
    }

    /// Whether it stays here until something is done about it.
    pub(crate) const fn is_held(&self) -> bool {
        matches!(self, Self::Unsent | Self::Failed { .. })
    }
}

/// One Markdown block of an answer.
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

/// One turn on the screen.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) id: TurnId,
    /// All but the blocks, which are below.
    pub(crate) view: ArcRwSignal<TurnView>,
    pub(crate) blocks: ArcRwSignal<Vec<Block>>,
    pub(crate) delivery: ArcRwSignal<Delivery>,
}

impl Turn {
    pub(crate) fn new(mut view: TurnView, delivery: Delivery) -> Self {
        let blocks = std::mem::take(&mut view.blocks);
        let turn = Self {
            id: view.id,
            view: ArcRwSignal::new(view),
            blocks: ArcRwSignal::new(Vec::new()),
            delivery: ArcRwSignal::new(delivery),
        };
        turn.set_blocks(blocks);
        turn
    }

    /// Takes over what the server says of this turn, touching only what differs.
    pub(crate) fn update(&self, mut view: TurnView) {
        let blocks = std::mem::take(&mut view.blocks);
        self.set_blocks(blocks);
        if self.view.with_untracked(|known| *known != view) {
            self.view.set(view);
        }
        self.accept();
    }

    /// The server has it.
    pub(crate) fn accept(&self) {
        if !self.is_accepted() {
            outbox::remove(self.id);
            self.delivery.set(Delivery::Accepted);
        }
    }

    /// Whether the server has it.
    pub(crate) fn is_accepted(&self) -> bool {
        self.delivery.with_untracked(|delivery| *delivery == Delivery::Accepted)
    }

    /// Whether it was refused.
    pub(crate) fn is_failed(&self) -> bool {
        self.delivery
            .with_untracked(|delivery| matches!(delivery, Delivery::Failed { .. }))
    }

    /// Puts a block in its place; those after it go.
    pub(crate) fn set_block(&self, index: usize, html: String) {
        let known = self
            .blocks
            .with_untracked(|blocks| (blocks.len(), blocks.get(index).cloned()));
        match known {
            (count, Some(block)) => {
                if count > index + 1 {
                    self.blocks.update(|blocks| blocks.truncate(index + 1));
                }
                if block.html.with_untracked(|known| *known != html) {
                    block.html.set(html);
                }
            }
            // A hole would mean a lost event; the end state, which carries every block, fills it.
            (count, None) => {
                self.blocks.update(|blocks| {
                    blocks.extend((count..index).map(|_| Block::new(String::new())));
                    blocks.push(Block::new(html));
                });
            }
        }
    }

    /// Puts these blocks in place of all others, touching only what differs.
    pub(crate) fn set_blocks(&self, blocks: Vec<String>) {
        let mut known = self.blocks.get_untracked();
        let count = known.len();
        known.truncate(blocks.len());
        for (index, html) in blocks.into_iter().enumerate() {
            match known.get(index) {
                Some(block) if block.html.with_untracked(|known| *known == html) => {}
                Some(block) => block.html.set(html),
                None => known.push(Block::new(html)),
            }
        }
        if known.len() != count {
            self.blocks.set(known);
        }
    }
}

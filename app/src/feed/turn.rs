//! One turn as the screen holds it: a signal for what is said of it, and the blocks of its texts.

use anteroom::wire::{Reason, StepView, TurnId, TurnView};
use leptos::prelude::*;

use super::blocks::Blocks;
use crate::{erase::Look as _, writing::outbox};

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

/// One turn on the screen.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) id: TurnId,
    /// All but the blocks, which are below.
    pub(crate) view: ArcRwSignal<TurnView>,
    /// The answer.
    pub(crate) blocks: Blocks,
    /// What the model thought.
    pub(crate) thoughts: Blocks,
    pub(crate) delivery: ArcRwSignal<Delivery>,
}

impl Turn {
    pub(crate) fn new(mut view: TurnView, delivery: Delivery) -> Self {
        let (blocks, thoughts) = texts(&mut view);
        Self {
            id: view.id,
            view: ArcRwSignal::new(view),
            blocks: Blocks::new(blocks),
            thoughts: Blocks::new(thoughts),
            delivery: ArcRwSignal::new(delivery),
        }
    }

    /// Takes over what the server says of this turn, touching only what differs.
    pub(crate) fn update(&self, mut view: TurnView) {
        let (blocks, thoughts) = texts(&mut view);
        self.thoughts.replace(thoughts);
        self.blocks.replace(blocks);
        if self.view.peek(|known| *known != view) {
            self.view.set(view);
        }
        self.accept();
    }

    /// Puts a use of a tool in its place; `None`: there is none there any more, nor after it.
    pub(super) fn put_step(&self, index: usize, step: Option<StepView>) {
        self.view.update(|view| {
            let steps = &mut view.steps;
            match step {
                Some(step) if index < steps.len() => steps[index] = step,
                // A hole would mean a lost event; the end state, which has all of them, fills it.
                Some(step) => steps.push(step),
                None => steps.truncate(index),
            }
        });
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
        self.delivery.peek(|delivery| *delivery == Delivery::Accepted)
    }

    /// Whether it was refused.
    pub(crate) fn is_failed(&self) -> bool {
        self.delivery
            .peek(|delivery| matches!(delivery, Delivery::Failed { .. }))
    }

    /// The model has written it in vain.
    pub(super) fn clear(&self) {
        self.thoughts.replace(Vec::new());
        self.blocks.replace(Vec::new());
    }
}

/// Takes the texts out of a view that have signals of their own: the answer, and what the model thought.
fn texts(view: &mut TurnView) -> (Vec<String>, Vec<String>) {
    (std::mem::take(&mut view.blocks), std::mem::take(&mut view.thoughts))
}

//! What agents may ask of the house.

use std::sync::Arc;

use super::InForce;
use crate::{
    agents::House,
    queue::{EventIndex, Queue},
    sessions::status,
    wire::{Event, LineView, SettingRow},
};

/// The house of one engine.
pub(super) struct EngineHouse {
    pub(super) queue: Queue,
    pub(super) in_force: Arc<InForce>,
}

impl House for EngineHouse {
    fn chat_line(&self) -> LineView {
        status::line(&self.queue.line_of(EventIndex(Event::Chat.index())))
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.in_force.public_rows()
    }
}

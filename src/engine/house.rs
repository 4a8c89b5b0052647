//! What agents may ask of the house.

use std::sync::Arc;

use super::ActiveSettings;
use crate::{
    agents::AgentContext,
    queue::{EventIndex, Queue},
    sessions::status,
    wire::{Event, LineView, SettingRow},
};

/// The house of one engine.
pub(super) struct EngineHouse {
    pub(super) queue: Queue,
    pub(super) in_force: Arc<ActiveSettings>,
}

impl AgentContext for EngineHouse {
    fn chat_line(&self) -> LineView {
        status::line(&self.queue.line_of(EventIndex(Event::Chat.index())))
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.in_force.public_rows()
    }
}

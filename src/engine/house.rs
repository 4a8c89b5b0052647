//! What agents may ask of the house.

use std::sync::Arc;

use crate::{
    agents::House,
    queue::Queue,
    status,
    wire::{Event, LineView, SettingRow},
};

/// The house of one engine.
pub(super) struct EngineHouse {
    pub(super) queue: Queue,
    pub(super) rows: Arc<[SettingRow]>,
}

impl House for EngineHouse {
    fn chat_line(&self) -> LineView {
        status::line(&self.queue.line_of(status::index(Event::Chat)))
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.rows.to_vec()
    }
}

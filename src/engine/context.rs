//! What agents may ask of the engine that they answer for.

use std::sync::Arc;

use super::ActiveSettings;
use crate::{
    agents::{AgentContext, Backends},
    jobs,
    queue::Queue,
    sessions::status,
    settings::ModelName,
    wire::{LineView, SettingRow},
};

/// What one engine tells its agents.
pub(super) struct EngineContext {
    pub(super) queue: Queue,
    pub(super) active_settings: Arc<ActiveSettings>,
    pub(super) backends: Arc<Backends>,
}

impl AgentContext for EngineContext {
    fn chat_line(&self, model: &ModelName) -> LineView {
        let work = jobs::work(self.backends.place_of(model), None);
        status::line(&self.queue.line_of(work))
    }

    fn settings(&self) -> Vec<SettingRow> {
        self.active_settings.public_rows()
    }

    fn backends(&self) -> Arc<Backends> {
        Arc::clone(&self.backends)
    }
}

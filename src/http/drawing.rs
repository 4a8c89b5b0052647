//! Who draws what the stats and the logs tab show: the app, which hands this in, since the engine knows no screen.

use crate::{
    language::Language,
    sessions::View,
    wire::{LogsView, StatsView},
};

/// Draws tabs as clean HTML. It may take a while: it is called where that holds nobody up.
pub trait Draws: Send + Sync + 'static {
    /// The figures.
    fn stats(&self, view: &StatsView, language: Language) -> String;

    /// The records.
    fn logs(&self, view: &LogsView, language: Language) -> String;
}

pub(super) fn draw(draws: &dyn Draws, view: &View, language: Language) -> String {
    match view {
        View::Stats(view) => draws.stats(view, language),
        View::Logs(view) => draws.logs(view, language),
    }
}

//! Calls of tools.

use prometheus_client::{metrics::counter::ConstCounter, registry::Registry};

use super::{backends::Counted, ordered::Ordered, seconds};
use crate::tools::ToolFigures;

/// Adds what has become of calls. Nothing where there have been none, as where there are no servers of tools.
pub(super) fn register(registry: &mut Registry, figures: &ToolFigures) {
    if figures.calls.is_empty() {
        return;
    }
    let calls: Ordered<_> = figures
        .calls
        .iter()
        .map(|((server, outcome), count)| {
            let labels = vec![("server", server.clone()), ("outcome", (*outcome).to_owned())];
            (labels, ConstCounter::new(*count))
        })
        .collect();
    registry.register("tool_calls", "Calls of tools, by what came of them", calls);
    let took: Ordered<_> = figures
        .seconds
        .iter()
        .map(|(server, seconds)| (vec![("server", server.clone())], Counted(*seconds)))
        .collect();
    seconds(registry, "tool", "How long calls of tools took", took);
}

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

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode_registry;

    use super::*;
    use crate::agents::Durations;

    #[test]
    fn calls_are_counted_by_server_and_outcome() {
        let text = |figures: &ToolFigures| {
            let mut registry = Registry::with_prefix("anteroom");
            register(&mut registry, figures);
            let mut text = String::new();
            encode_registry(&mut text, &registry).expect("text");
            text
        };
        let mut figures = ToolFigures::default();
        assert_eq!(text(&figures), "");
        figures.calls.insert(("files".to_owned(), "done"), 2);
        figures.calls.insert(("files".to_owned(), "timed_out"), 1);
        let mut took = Durations::default();
        took.add(0.2);
        took.add(60.0);
        figures.seconds.insert("files".to_owned(), took);
        let text = text(&figures);
        for line in [
            "anteroom_tool_calls_total{server=\"files\",outcome=\"done\"} 2",
            "anteroom_tool_calls_total{server=\"files\",outcome=\"timed_out\"} 1",
            "anteroom_tool_seconds_count{server=\"files\"} 2",
            "anteroom_tool_seconds_sum{server=\"files\"} 60.2",
        ] {
            assert!(text.lines().any(|said| said == line), "{line}\nin\n{text}");
        }
    }
}

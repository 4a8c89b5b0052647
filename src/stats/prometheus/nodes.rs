//! This node as one of several. What it says is its own: the series of several nodes can be added up.

use prometheus_client::{metrics::gauge::ConstGauge, registry::Registry};

use super::{gauge, seconds};
use crate::stats::Nodes;

/// Adds what is known of this node, where it keeps its line with others.
pub(super) fn register(registry: &mut Registry, nodes: &Nodes) {
    let own = &nodes.own;
    let footing = own.footing;
    registry.register(
        "nodes",
        "Nodes that take part, as this one knows it",
        gauge(nodes.all.len() as u64),
    );
    let takes_part = footing.takes_part && footing.may_work && !footing.leaving && !footing.over;
    registry.register(
        "node_takes_part",
        "1 while this node takes part in the line, may work and is not about to end",
        gauge(u64::from(takes_part)),
    );
    registry.register(
        "node_working",
        "Tickets that this node works on",
        gauge(own.working as u64),
    );
    registry.register(
        "node_held",
        "Tickets that this node holds, those that wait included",
        gauge(own.held as u64),
    );
    registry.register(
        "node_log_applied",
        "The last entry of the log that this node has applied",
        gauge(footing.applied.0),
    );
    registry.register(
        "node_log_head",
        "The last entry of the log that this node has heard of",
        gauge(footing.head.0),
    );
    let lease = ConstGauge::new(own.lease.as_secs_f64());
    seconds(
        registry,
        "node_lease",
        "How much longer this node may work without being heard",
        lease,
    );
    registry.register(
        "node_settings_differ",
        "Settings of this node that are not what is in force for all",
        gauge(nodes.differences.len() as u64),
    );
}

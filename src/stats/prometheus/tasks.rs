//! Tasks, and what programs are told of them. What each node says is its own, but for the outbox, which all have in common.

use prometheus_client::{metrics::counter::ConstCounter, registry::Registry};

use super::{gauge, ordered::Ordered};
use crate::tasks::TaskFigures;

/// Adds where tasks are, and what has become of them.
pub(super) fn register(registry: &mut Registry, tasks: &TaskFigures) {
    let states = [
        ("blocked", tasks.blocked),
        ("held", tasks.held),
        ("waiting", tasks.waiting),
        ("running", tasks.running),
    ];
    let states: Ordered<_> = states
        .into_iter()
        .map(|(state, count)| (vec![("state", state.to_owned())], gauge(count)))
        .collect();
    registry.register(
        "tasks",
        "Tasks that are not over, of the owners who are at home here",
        states,
    );
    let ends = [
        ("done", tasks.done),
        ("failed", tasks.failed),
        ("cancelled", tasks.cancelled),
    ];
    registry.register(
        "task_ends",
        "Tasks that have ended, by how they ended",
        by_outcome(ends),
    );
    let webhooks = [
        ("taken", tasks.told),
        ("untaken", tasks.untaken),
        ("given_up", tasks.given_up),
    ];
    registry.register(
        "webhooks",
        "Messages to programs: taken; attempts at which one was not; those given up",
        by_outcome(webhooks),
    );
    registry.register(
        "webhook_outbox",
        "Messages that are still to be told, of all nodes",
        gauge(tasks.outbox),
    );
}

fn by_outcome(counts: [(&str, u64); 3]) -> Ordered<ConstCounter<u64>> {
    let counts = counts.into_iter();
    counts
        .map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], ConstCounter::new(count)))
        .collect()
}

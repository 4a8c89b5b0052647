//! What there is right now, for the figures.

use super::Engine;
use crate::{
    queue::LineState,
    settings::name_of,
    stats::{Gauges, Line, Nodes, resident_memory},
};

impl Engine {
    /// What there is right now. Each part is of a moment of its own.
    pub(super) fn gauges(&self) -> Gauges {
        let figures = self.backends.figures();
        let states = self.queue.backends();
        let backends = figures.backends.into_iter().filter_map(|of| {
            let state = *states.get(usize::try_from(of.index.0).ok()?)?;
            Some((of, state))
        });
        let lines = self.queue.lines().into_iter();
        Gauges {
            limits: self.queue.limits(),
            lines: lines.filter_map(|line| self.line(line)).collect(),
            backends: backends.collect(),
            models: figures.models,
            nodes: self.nodes(),
            sessions: self.sessions.len() as u64,
            connected: self.sessions.connected() as u64,
            memory: resident_memory(),
            answers: self.conversations.answer_figures(),
            ratings: self.conversations.ratings(),
            tasks: self.kept_tasks.figures(),
            tools: self.tools.view(),
            tool_calls: self.tools.figures(),
        }
    }

    fn nodes(&self) -> Option<Nodes> {
        let membership = self.membership.as_ref()?;
        Some(Nodes {
            me: membership.me(),
            own: membership.own(),
            all: membership.nodes(),
            differences: self.queue.differences().iter().map(name_of).collect(),
        })
    }

    /// A line with its model; `None`: nobody is in it, and nobody can join.
    fn line(&self, state: LineState) -> Option<Line> {
        let Some(pool) = state.pool else {
            return Some(Line { model: None, state });
        };
        let (model, _) = self.backends.model_of(pool)?;
        let in_use = state.waiting > 0 || self.backends.pool(&model).is_some();
        in_use.then(|| Line {
            model: Some(model.to_string()),
            state,
        })
    }
}

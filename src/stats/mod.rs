//! The figures of the stats tab and of `/metrics`.
//!
//! `Stats` hears of everything from the queue and counts it by event; what there is right now (limits, lines, back ends with what
//! they have counted themselves, sessions, memory) comes in as `Gauges` from the caller. It has no task of its own: the engine calls `Stats::sample`
//! every `SAMPLE_EVERY`.

mod backends;
mod figures;
mod history;
mod memory;
mod nodes;
mod points;
mod prometheus;
mod samples;
mod tasks;
mod tools;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

pub use self::points::{Curves, HourWait, LinePoint};
use self::{
    figures::Figures,
    history::{Counted, Going},
    samples::Samples,
};
pub(crate) use self::{
    memory::resident_memory,
    nodes::{Nodes, own_state},
    prometheus::CONTENT_TYPE,
    samples::SAMPLE_EVERY,
};
use crate::{
    accounts::Role,
    agents::{AnswerFigures, BackendFigures, ModelFigures},
    conversations::Ratings,
    queue::{BackendState, EventIndex, JoinError, LeaveReason, LimitState, LineState, Observer, Outcome},
    store::Minute,
    tasks::TaskFigures,
    tools::{ServerView, ToolFigures},
    wire::{BadEdit, Event, LimitCounts, LimitRow, SettingRow, Span, StatsView},
};

/// What there is right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    /// Every limit.
    pub limits: Vec<LimitState>,
    /// Every line. A limit may have several.
    pub lines: Vec<Line>,
    /// Every back end, with what it has to do.
    pub backends: Vec<(BackendFigures, BackendState)>,
    /// Every model that is offered or has answered.
    pub models: Vec<ModelFigures>,
    /// The nodes that keep the line; `None`: this process alone does.
    pub nodes: Option<Nodes>,
    /// Sessions in memory.
    pub sessions: u64,
    /// Browsers connected to a feed.
    pub connected: u64,
    /// Memory of this process, in bytes; see [`resident_memory`].
    pub memory: Option<u64>,
    /// The answers that are kept.
    pub answers: AnswerFigures,
    /// What readers think of answers.
    pub ratings: Ratings,
    /// Where tasks are, and what has become of them.
    pub tasks: TaskFigures,
    /// How the servers of tools are.
    pub tools: Vec<ServerView>,
    /// What has become of calls of tools.
    pub tool_calls: ToolFigures,
}

/// A line, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The id of the model that its tickets are for; `None`: they are for none, or for any.
    pub model: Option<String>,
    /// As it is.
    pub state: LineState,
}

impl Gauges {
    fn lines_of(&self, limit: &LimitState) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.state.name == limit.name)
    }

    /// Tickets that wait in all lines of a limit.
    fn waiting(&self, limit: &LimitState) -> u64 {
        self.lines_of(limit).map(|line| line.state.waiting as u64).sum()
    }

    /// How long the longest-waiting one of them has waited.
    fn longest_wait(&self, limit: &LimitState) -> Option<Duration> {
        self.lines_of(limit).filter_map(|line| line.state.longest_wait).max()
    }
}

/// The settings, as the stats tab shows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsView {
    /// Those in force.
    pub rows: Vec<SettingRow>,
    /// See [`StatsView::settings_changed_at`].
    pub changed_at: Option<u64>,
    /// See [`StatsView::bad_edit`].
    pub bad_edit: Option<BadEdit>,
}

/// What is counted from the start of the process. Shared behind an `Arc`, which is also the queue's observer.
#[derive(Debug)]
pub(crate) struct Stats {
    since: Instant,
    /// By event, in the order of [`Event::ALL`]; a lock each, held for a few additions.
    events: [Mutex<Figures>; Event::ALL.len()],
    samples: Mutex<Samples>,
    going: Mutex<Going>,
    /// How long those that started for an answer had waited, all together, in milliseconds.
    waited_ms: AtomicU64,
    /// How long tickets that started had waited, and how long slots were held, for `/metrics`.
    waits: prometheus::Durations,
    services: prometheus::Durations,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// Nothing counted yet; the uptime counts from here.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            events: std::array::from_fn(|_| Mutex::default()),
            samples: Mutex::default(),
            going: Mutex::default(),
            waited_ms: AtomicU64::new(0),
            waits: prometheus::Durations::default(),
            services: prometheus::Durations::default(),
        }
    }

    /// Keeps one piece of the charts. To be called every [`SAMPLE_EVERY`], with the time in milliseconds since the Unix epoch. A minute that
    /// is over is the caller's to keep.
    pub(crate) fn sample(&self, gauges: &Gauges, now: u64) -> Option<Minute> {
        let counted = self.counted();
        lock(&self.samples).push(gauges, counted);
        lock(&self.going).look(gauges, counted, now)
    }

    /// The part of a minute that there is, for a process that ends.
    pub(crate) fn last_part(&self) -> Option<Minute> {
        lock(&self.going).close(self.counted())
    }

    fn counted(&self) -> Counted {
        let (started, ended) = {
            let chat = lock(&self.events[Event::Chat.index()]);
            (chat.waits.count(), chat.ended())
        };
        Counted {
            started,
            waited_ms: self.waited_ms.load(Ordering::Relaxed),
            ended,
        }
    }

    /// The charts of a span, of the minutes that are kept. `alone`: no other node has part in the line, so that the latest pieces say more than
    /// its minutes. `offset`: minutes that the clock of whoever looks is ahead of UTC.
    pub(crate) fn curves(&self, minutes: &[Minute], span: Span, alone: bool, offset: i32, now: u64) -> Curves {
        let recent = match span {
            Span::Quarter if alone => lock(&self.samples).recent(now),
            _ => Vec::new(),
        };
        Curves {
            begin: span.begin(now),
            points: points::of(minutes, &recent, span, now),
            hours: points::by_hour(minutes, offset),
        }
    }

    /// The whole stats tab, as this role may see it, in the order of `gauges`.
    #[must_use]
    pub(crate) fn view(&self, gauges: &Gauges, role: Role, model: String, settings: SettingsView) -> StatsView {
        StatsView {
            limits: gauges
                .limits
                .iter()
                .flat_map(|limit| self.rows(gauges, limit))
                .collect(),
            backends: gauges
                .backends
                .iter()
                .map(|(of, state)| backends::row(of, *state, role))
                .collect(),
            models: gauges.models.iter().map(backends::model).collect(),
            nodes: gauges.nodes.as_ref().map_or_else(Vec::new, |nodes| nodes.rows(role)),
            tools: tools::rows(&gauges.tools, role),
            tasks: tasks::row(&gauges.tasks),
            keys: None,
            sessions: gauges.sessions,
            connected: gauges.connected,
            memory: gauges.memory,
            good: gauges.ratings.good,
            bad: gauges.ratings.bad,
            uptime: self.uptime().as_secs_f64(),
            model,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: settings.rows,
            settings_differ: gauges
                .nodes
                .as_ref()
                .map_or_else(Vec::new, |nodes| nodes.differences(role)),
            settings_changed_at: settings.changed_at,
            bad_edit: settings.bad_edit,
        }
    }

    /// The same figures as Prometheus reads them; to be sent as [`CONTENT_TYPE`].
    #[must_use]
    pub(crate) fn prometheus(&self, gauges: &Gauges) -> String {
        // Copied, so that no lock is held while text is made.
        let events = Event::ALL.map(|event| (event, lock(&self.events[event.index()]).outcomes()));
        prometheus::text(gauges, &events, &self.waits, &self.services, self.uptime())
    }

    fn uptime(&self) -> Duration {
        self.since.elapsed()
    }

    /// A limit, and its lines if there are several. What the queue tells of tickets, it tells by event: that is counted once, for the
    /// limit.
    fn rows(&self, gauges: &Gauges, limit: &LimitState) -> Vec<LimitRow> {
        let all = LimitRow {
            name: limit.name.clone(),
            model: None,
            events: limit
                .events
                .iter()
                .filter_map(|event| Event::ALL.get(event.0).copied())
                .collect(),
            running: limit.running as u64,
            limit: limit.limit.map(|limit| limit as u64),
            waiting: gauges.waiting(limit),
            parked: limit.parked as u64,
            longest_wait: gauges.longest_wait(limit).map(|wait| wait.as_secs_f64()),
            counts: Some(self.counts(&limit.events)),
        };
        let lines = gauges.lines_of(limit).filter(|line| line.model.is_some());
        let lines: Vec<_> = lines
            .map(|Line { model, state }| LimitRow {
                model: model.clone(),
                running: state.running as u64,
                limit: state.limit.map(|limit| limit as u64),
                waiting: state.waiting as u64,
                parked: 0,
                longest_wait: state.longest_wait.map(|wait| wait.as_secs_f64()),
                counts: None,
                ..all.clone()
            })
            .collect();
        let several = if lines.len() > 1 { lines } else { Vec::new() };
        [all].into_iter().chain(several).collect()
    }

    /// Events that share a limit are counted together.
    fn counts(&self, events: &[EventIndex]) -> LimitCounts {
        let mut all = Figures::default();
        for figures in events.iter().filter_map(|event| self.events.get(event.0)) {
            all.add(&lock(figures));
        }
        LimitCounts {
            wait: all.waits.percentiles(),
            service: all.services.percentiles(),
            done: all.done,
            failed: all.failed,
            refused: all.refused,
            cancelled: all.cancelled,
            expired: all.expired,
        }
    }

    fn count(&self, event: EventIndex, change: impl FnOnce(&mut Figures)) {
        if let Some(figures) = self.events.get(event.0) {
            change(&mut lock(figures));
        }
    }
}

impl Observer for Stats {
    fn refused(&self, event: EventIndex, _: JoinError) {
        self.count(event, |figures| figures.refused += 1);
    }

    fn started(&self, event: EventIndex, waited: Duration) {
        self.waits.record(event.0, waited);
        if event.0 == Event::Chat.index() {
            let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            self.waited_ms.fetch_add(waited, Ordering::Relaxed);
        }
        self.count(event, |figures| figures.waits.record(waited));
    }

    fn left(&self, event: EventIndex, how: LeaveReason) {
        self.count(event, |figures| match how {
            LeaveReason::Cancelled => figures.cancelled += 1,
            LeaveReason::Expired | LeaveReason::Abandoned => figures.expired += 1,
            // A server that stops keeps these for its next start; they have not ended.
            LeaveReason::Closed => {}
            // Its sender was told that it was not accepted.
            LeaveReason::Withdrawn => figures.refused += 1,
            LeaveReason::Done => figures.done += 1,
        });
    }

    fn ended(&self, event: EventIndex, outcome: Outcome, held: Duration) {
        self.services.record(event.0, held);
        self.count(event, |figures| {
            figures.services.record(held);
            match outcome {
                Outcome::Done => figures.done += 1,
                Outcome::Failed => figures.failed += 1,
                Outcome::Cancelled => figures.cancelled += 1,
                Outcome::Expired => figures.expired += 1,
            }
        });
    }
}

/// No lock here is held across anything that can panic or wait.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

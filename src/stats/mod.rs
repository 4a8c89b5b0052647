//! The figures of the stats tab and of `/metrics`.
//!
//! [`Stats`] hears of everything from the queue and counts it by event; what there is right now (lines, sessions,
//! memory) comes in as [`Gauges`] from the caller. It has no task of its own: the engine calls [`Stats::sample`]
//! every [`SAMPLE_EVERY`].

mod figures;
mod memory;
mod prometheus;
mod samples;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use self::{figures::Figures, samples::Samples};
pub(crate) use self::{memory::resident_memory, prometheus::CONTENT_TYPE, samples::SAMPLE_EVERY};
use crate::{
    agents::AnswerFigures,
    queue::{EventIndex, JoinError, LeaveReason, LineState, Observer, Outcome},
    sessions::status,
    wire::{BadEdit, Event, LimitRow, SettingRow, StatsView},
};

/// What there is right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    /// Every line.
    pub lines: Vec<LineState>,
    /// Sessions in memory.
    pub sessions: u64,
    /// Browsers connected to a feed.
    pub connected: u64,
    /// Memory of this process, in bytes; see [`resident_memory`].
    pub memory: Option<u64>,
    /// The answers that are kept.
    pub answers: AnswerFigures,
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
            waits: prometheus::Durations::default(),
            services: prometheus::Durations::default(),
        }
    }

    /// Keeps one point of the charts. To be called every [`SAMPLE_EVERY`].
    pub(crate) fn sample(&self, gauges: &Gauges) {
        let answered = lock(&self.events[Event::Chat.index()]).ended();
        lock(&self.samples).push(gauges, answered);
    }

    /// The whole stats tab, a row a line, in the order of `gauges`.
    #[must_use]
    pub(crate) fn view(&self, gauges: &Gauges, model: String, settings: SettingsView) -> StatsView {
        let names: Vec<&str> = gauges.lines.iter().map(|line| line.name.as_str()).collect();
        StatsView {
            limits: gauges.lines.iter().map(|line| self.row(line)).collect(),
            samples: lock(&self.samples).view(&names),
            sessions: gauges.sessions,
            connected: gauges.connected,
            memory: gauges.memory,
            uptime: self.uptime().as_secs_f64(),
            model,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: settings.rows,
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

    /// Events that share a limit are counted together.
    fn row(&self, line: &LineState) -> LimitRow {
        let mut all = Figures::default();
        for event in &line.events {
            if let Some(figures) = self.events.get(event.0) {
                all.add(&lock(figures));
            }
        }
        LimitRow {
            line: status::line(line),
            longest_wait: line.longest_wait.map(|wait| wait.as_secs_f64()),
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

//! The curves of the charts: the minutes that are kept, put together for a span of time.

use std::collections::BTreeMap;

use crate::{store::Minute, wire::Span};

/// Milliseconds of a minute.
pub(super) const MINUTE: u64 = 60_000;

impl Span {
    /// From one point of its curves to the next, in milliseconds.
    #[must_use]
    pub const fn step(self) -> u64 {
        match self {
            Self::Quarter => 15_000,
            Self::Day => 10 * 60_000,
            Self::Week => 3_600_000,
        }
    }

    /// How many points it has.
    #[must_use]
    pub const fn points(self) -> u64 {
        match self {
            Self::Quarter => 60,
            Self::Day => 144,
            Self::Week => 168,
        }
    }

    /// Where its first point begins.
    #[must_use]
    pub const fn begin(self, now: u64) -> u64 {
        (now - now % self.step()).saturating_sub(self.step() * (self.points() - 1))
    }
}

/// One point of the curves.
#[derive(Clone, Debug, PartialEq)]
pub struct LinePoint {
    /// Most slots in use at once.
    pub running: u64,
    /// Most tickets that waited at once.
    pub waiting: u64,
    /// Messages and requests that ended, a minute.
    pub rate: f64,
    /// How long those that started had waited on average, in seconds; `None`: none started.
    pub wait: Option<f64>,
    /// Sessions in memory.
    pub sessions: u64,
    /// Memory of the processes, in bytes.
    pub memory: Option<u64>,
}

/// How long those waited who started in one hour of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourWait {
    /// On average, in seconds; `None`: nobody started.
    pub wait: Option<f64>,
    /// How many there were.
    pub started: u64,
}

/// What the charts are drawn of.
#[derive(Clone, Debug)]
pub struct Curves {
    /// Where the first point begins, in milliseconds since the Unix epoch.
    pub begin: u64,
    /// The oldest first; `None`: nothing is known of that step, because nothing ran.
    pub points: Vec<Option<LinePoint>>,
    /// By hour of the day.
    pub hours: [HourWait; 24],
}

/// What is put together of one step.
#[derive(Default)]
struct Step {
    running: u64,
    waiting: u64,
    started: f64,
    waited_ms: f64,
    ended: f64,
    /// Of the last piece in it: all nodes together.
    at: u64,
    sessions: u64,
    memory: Option<u64>,
}

impl Step {
    /// Takes a part of a minute in.
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
    fn add(&mut self, minute: &Minute, share: f64) {
        self.running = self.running.max(minute.running);
        self.waiting = self.waiting.max(minute.waiting);
        self.started += minute.started as f64 * share;
        self.waited_ms += minute.waited_ms as f64 * share;
        self.ended += minute.ended as f64 * share;
        if minute.at > self.at {
            (self.at, self.sessions, self.memory) = (minute.at, 0, None);
        }
        self.sessions += minute.sessions;
        self.memory = match (self.memory, minute.memory) {
            (Some(known), Some(more)) => Some(known + more),
            (known, more) => known.or(more),
        };
    }
}

/// The points of a span up to `now`. The line is the same on all nodes; what each of them counts or has by itself is added up. `recent`:
/// shorter pieces in place of the last minutes, if there are any.
#[expect(clippy::cast_precision_loss, reason = "steps of a week")]
pub(super) fn of(minutes: &[Minute], recent: &[Minute], span: Span, now: u64) -> Vec<Option<LinePoint>> {
    let (step, begin) = (span.step(), span.begin(now));
    let mut steps: BTreeMap<u64, Step> = BTreeMap::new();
    let number = |at: u64| Some(at.checked_sub(begin)? / step);
    let first_recent = recent.iter().filter_map(|piece| number(piece.at)).min();
    for minute in minutes {
        // Of a minute that is several steps, each has a part.
        let parts = (MINUTE / step).max(1);
        for part in 0..parts {
            let at = minute.at + part * step;
            if let Some(into) = number(at).filter(|into| first_recent.is_none_or(|first| *into < first)) {
                steps.entry(into).or_default().add(minute, 1.0 / parts as f64);
            }
        }
    }
    for piece in recent {
        if let Some(into) = number(piece.at) {
            steps.entry(into).or_default().add(piece, 1.0);
        }
    }
    (0..span.points())
        .map(|number| {
            let of = steps.get(&number)?;
            Some(LinePoint {
                running: of.running,
                waiting: of.waiting,
                rate: of.ended * MINUTE as f64 / step as f64,
                wait: (of.started > 0.0).then(|| of.waited_ms / 1000.0 / of.started),
                sessions: of.sessions,
                memory: of.memory,
            })
        })
        .collect()
}

/// How long those waited who started in each hour of the day, all days of the week together. `offset`: minutes that the clock of whoever
/// looks is ahead of UTC.
pub(super) fn by_hour(minutes: &[Minute], offset: i32) -> [HourWait; 24] {
    let mut hours = [(0, 0); 24];
    for minute in minutes {
        let local = i64::try_from(minute.at / 60_000).unwrap_or(0) + i64::from(offset);
        let hour = usize::try_from(local.div_euclid(60).rem_euclid(24)).unwrap_or(0);
        hours[hour].0 += minute.waited_ms;
        hours[hour].1 += minute.started;
    }
    hours.map(|(waited, started)| HourWait {
        wait: mean(waited, started),
        started,
    })
}

/// In seconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a week")]
fn mean(milliseconds: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| milliseconds as f64 / 1000.0 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    /// Noon of some day.
    const NOON: u64 = 1_700_049_600_000;

    fn minute(node: &str, at: u64) -> Minute {
        Minute {
            node: node.to_owned(),
            at,
            running: 2,
            waiting: 5,
            started: 4,
            waited_ms: 8_000,
            ended: 3,
            sessions: 10,
            memory: Some(100),
        }
    }

    #[test]
    fn a_span_ends_now_and_has_a_gap_where_nothing_ran() {
        let minutes = [minute("", NOON - 14 * MINUTE), minute("", NOON - MINUTE)];
        let points = of(&minutes, &[], Span::Quarter, NOON + 30_000);
        let there: Vec<_> = (0..60).filter(|at| points[*at].is_some()).collect();
        assert_eq!((points.len(), there), (60, vec![1, 2, 3, 4, 53, 54, 55, 56]));
        assert_eq!(
            points[1].as_ref().map(|point| (point.rate, point.wait)),
            Some((3.0, Some(2.0)))
        );
        for (span, points) in [(Span::Day, 144), (Span::Week, 168)] {
            assert_eq!(of(&minutes, &[], span, NOON).len(), points);
            assert_eq!(span.begin(NOON) % span.step(), 0);
        }
    }

    #[test]
    fn what_was_seen_just_now_stands_in_place_of_its_minutes() {
        let seen = |at: u64, waiting| Minute {
            waiting,
            ended: 1,
            ..minute("", at)
        };
        let minutes = [minute("", NOON - 2 * MINUTE), minute("", NOON - MINUTE)];
        let recent = [seen(NOON - MINUTE, 1), seen(NOON - MINUTE + 5_000, 9)];
        let points = of(&minutes, &recent, Span::Quarter, NOON);
        let waiting: Vec<_> = points
            .iter()
            .flatten()
            .map(|point| (point.waiting, point.rate))
            .collect();
        assert_eq!(waiting, [(5, 3.0), (5, 3.0), (5, 3.0), (5, 3.0), (9, 8.0)]);
    }

    #[test]
    fn nodes_share_the_line_and_add_up_what_is_their_own() {
        let busier = Minute {
            waiting: 6,
            memory: None,
            ..minute("b", NOON)
        };
        let minutes = [minute("a", NOON - MINUTE), minute("a", NOON), busier];
        let points = of(&minutes, &[], Span::Week, NOON + 61_000);
        assert_eq!(
            points[167],
            Some(LinePoint {
                running: 2,
                waiting: 6,
                rate: 0.1,
                wait: Some(2.0),
                sessions: 20,
                memory: Some(100),
            })
        );
        assert_eq!(points[166].as_ref().map(|point| point.rate), Some(0.05));
    }

    #[test]
    fn hours_are_those_of_whoever_looks() {
        let minutes = [minute("", NOON), minute("", NOON - 24 * HOUR), minute("", NOON + HOUR)];
        let utc = by_hour(&minutes, 0);
        assert_eq!((utc[12].started, utc[12].wait), (8, Some(2.0)));
        assert_eq!((utc[13].started, utc[14].wait), (4, None));
        let kolkata = by_hour(&minutes, 330);
        assert_eq!((kolkata[17].started, kolkata[18].started), (8, 4));
        let honolulu = by_hour(&minutes, -600);
        assert_eq!((honolulu[2].started, honolulu[3].started), (8, 4));
    }
}

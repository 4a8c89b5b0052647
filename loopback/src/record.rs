//! What the server saw.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything the server saw since its start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Requests being answered.
    pub now: usize,
    /// The most that were answered at once. A request counts from when it was read until its last byte was made or
    /// its client was seen to have gone; a client may know that it has gone a moment earlier.
    pub max: usize,
    /// Connections that were made, since the start or the last reset.
    pub connections: usize,
    /// Every request, in the order of their beginning.
    pub requests: Vec<RequestRecord>,
    /// What became of the server itself, in order.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// A change of the server itself: a knob that was turned for all (`limit=3`), or the port (`up`, `down`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When, in milliseconds since the start.
    pub at: f64,
    /// What.
    pub what: String,
}

impl Record {
    /// The requests with this question.
    pub fn of<'a>(&'a self, question: &'a str) -> impl Iterator<Item = &'a RequestRecord> {
        self.requests.iter().filter(move |request| request.question == question)
    }

    /// How many came while as many were being answered as the server's limit said.
    #[must_use]
    pub fn beyond_limit(&self) -> usize {
        self.requests.iter().filter(|request| request.is_beyond_limit()).count()
    }

    /// The most that were at the server at once, of those that began at `from` or later, in milliseconds since the start. What
    /// ends as another begins was not there at once.
    #[must_use]
    pub fn most_at_once(&self, from: f64) -> usize {
        let requests = self.requests.iter().filter(|request| request.began >= from);
        let mut steps: Vec<(f64, i32)> = requests
            .flat_map(|request| [(request.began, 1), (request.ended.unwrap_or(f64::INFINITY), -1)])
            .collect();
        steps.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut now = 0;
        let all = steps.into_iter().map(|(_, step)| {
            now += step;
            now
        });
        usize::try_from(all.max().unwrap_or(0)).unwrap_or(0)
    }
}

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// 1 for the first since the start; never used twice.
    pub id: u64,
    /// The last user message, without its directive.
    pub question: String,
    /// The system message, if there was one.
    pub system: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Messages of the request, all roles.
    pub messages: usize,
    /// The tools that it offers.
    #[serde(default)]
    pub tools: Vec<String>,
    /// What tools have returned, of all messages.
    #[serde(default)]
    pub results: usize,
    /// `image_url` parts, in all messages.
    pub images: usize,
    /// Whether it brought a bearer token.
    pub key: bool,
    /// When it was read, in milliseconds since the start.
    pub began: f64,
    /// When its first piece was made, likewise.
    pub first_piece: Option<f64>,
    /// When it ended, likewise; `None` while it is being answered.
    pub ended: Option<f64>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Pieces made.
    pub pieces: usize,
    /// How many were being answered when it was read, itself among them.
    #[serde(default)]
    pub running: usize,
    /// The server's limit then.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl RequestRecord {
    /// Whether it came while as many were being answered as the server's limit said.
    #[must_use]
    pub fn is_beyond_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.running > limit)
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The whole answer was made.
    Complete,
    /// The client closed the connection.
    ClientGone,
    /// The server failed it, as it had been told to, or went down.
    Fault,
    /// The server did not take it: it had no room, has no such model, or the prompt was too long.
    Refused,
}

/// The record, shared by all requests.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inner {
    record: Record,
    last_id: u64,
    /// Requests that take up room.
    running: usize,
}

impl Recorder {
    /// Times count from `start`; whoever waits for `changed` hears of every change.
    pub(crate) fn new(start: Instant, changed: watch::Sender<()>) -> Arc<Self> {
        Arc::new(Self {
            start,
            inner: Mutex::default(),
            changed,
        })
    }

    pub(crate) fn record(&self) -> Record {
        self.lock().record.clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn check(&self, condition: &mut impl FnMut(&Record) -> bool) -> bool {
        condition(&self.lock().record)
    }

    /// Forgets what has ended. What is being answered stays, and is all that `max` counts.
    pub(crate) fn reset(&self) {
        let mut inner = self.lock();
        inner.record.requests.retain(|request| request.ending.is_none());
        inner.record.max = inner.record.now;
        inner.record.connections = 0;
        inner.record.changes.clear();
        drop(inner);
        self.changed.send_replace(());
    }

    pub(crate) fn connected(&self) {
        self.lock().record.connections += 1;
        self.changed.send_replace(());
    }

    /// Notes what has become of the server itself.
    pub(crate) fn note(&self, what: impl Into<String>) {
        let mut inner = self.lock();
        let change = Change {
            at: self.elapsed(),
            what: what.into(),
        };
        inner.record.changes.push(change);
        drop(inner);
        self.changed.send_replace(());
    }

    /// Requests that take up room.
    pub(crate) fn running(&self) -> usize {
        self.lock().running
    }

    /// Takes a request in; it ends when the visit does. One beyond its limit takes up room only if the server is `patient`.
    pub(crate) fn begin(self: &Arc<Self>, request: RequestRecord, patient: bool, life: CancellationToken) -> Visit {
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = inner.last_id;
        let request = RequestRecord {
            id,
            began: self.elapsed(),
            running: inner.running + 1,
            ..request
        };
        let is_beyond_limit = request.is_beyond_limit();
        let has_room = patient || !is_beyond_limit;
        inner.running += usize::from(has_room);
        inner.record.now += 1;
        inner.record.max = inner.record.max.max(inner.record.now);
        inner.record.requests.push(request);
        drop(inner);
        self.changed.send_replace(());
        Visit {
            recorder: Arc::clone(self),
            id,
            has_room,
            over: false,
            life,
        }
    }

    /// Milliseconds since the start, in whole microseconds: they read back from JSON as they were.
    fn elapsed(&self) -> f64 {
        (self.start.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request being answered. Dropped before it has ended, its client has gone, or the server.
#[derive(Debug)]
pub(crate) struct Visit {
    recorder: Arc<Recorder>,
    id: u64,
    has_room: bool,
    over: bool,
    /// The server's.
    life: CancellationToken,
}

impl Visit {
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Whether the server has room for it.
    pub(crate) const fn has_room(&self) -> bool {
        self.has_room
    }

    /// Counts pieces made.
    pub(crate) fn pieces(&self, count: usize) {
        let at = self.recorder.elapsed();
        self.change(|request| {
            request.pieces += count;
            request.first_piece.get_or_insert(at);
        });
    }

    /// Ends it; the first ending counts.
    pub(crate) fn end(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let at = self.recorder.elapsed();
        let mut inner = self.recorder.lock();
        inner.record.now -= 1;
        inner.running -= usize::from(self.has_room);
        drop(inner);
        self.change(|request| {
            request.ended = Some(at);
            request.ending = Some(ending);
        });
    }

    fn change(&self, change: impl FnOnce(&mut RequestRecord)) {
        let mut inner = self.recorder.lock();
        // Ids grow, so the record is sorted by them.
        if let Ok(index) = inner
            .record
            .requests
            .binary_search_by_key(&self.id, |request| request.id)
        {
            change(&mut inner.record.requests[index]);
        }
        drop(inner);
        self.recorder.changed.send_replace(());
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.end(if self.life.is_cancelled() {
            Ending::Fault
        } else {
            Ending::ClientGone
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(times: &[(f64, Option<f64>)]) -> Record {
        let requests = times.iter().map(|&(began, ended)| RequestRecord {
            began,
            ended,
            ..RequestRecord::default()
        });
        Record {
            requests: requests.collect(),
            ..Record::default()
        }
    }

    #[test]
    fn at_once_is_who_is_there_at_the_same_time() {
        let record = record(&[
            (0.0, Some(10.0)),
            (1.0, Some(10.0)),
            (2.0, Some(5.0)),
            (10.0, Some(12.0)),
            (12.0, None),
        ]);
        assert_eq!(record.most_at_once(0.0), 3);
        assert_eq!(record.most_at_once(2.0), 1, "of those that began before, none counts");
        assert_eq!(record.most_at_once(13.0), 0);
    }

    #[test]
    fn who_is_refused_takes_up_no_room() {
        let recorder = Recorder::new(Instant::now(), watch::Sender::new(()));
        let come = |patient| {
            let request = RequestRecord {
                limit: Some(1),
                ..RequestRecord::default()
            };
            recorder.begin(request, patient, CancellationToken::new())
        };
        let (first, second) = (come(false), come(false));
        assert!(first.has_room() && !second.has_room());
        assert_eq!(recorder.running(), 1);
        let third = come(true);
        assert!(third.has_room());
        drop((first, second));
        assert_eq!(recorder.running(), 1);
        drop(third);
        let running: Vec<_> = recorder
            .record()
            .requests
            .iter()
            .map(|request| request.running)
            .collect();
        assert_eq!((running, recorder.record().beyond_limit()), (vec![1, 2, 2], 2));
        assert_eq!((recorder.running(), recorder.record().now), (0, 0));
    }
}

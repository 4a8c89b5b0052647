//! What the server saw.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

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
}

impl Record {
    /// The requests with this question.
    pub fn of<'a>(&'a self, question: &'a str) -> impl Iterator<Item = &'a RequestRecord> {
        self.requests.iter().filter(move |request| request.question == question)
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The whole answer was made.
    Complete,
    /// The client closed the connection.
    ClientGone,
    /// The server failed it, as it had been told to.
    Fault,
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
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            inner: Mutex::default(),
            changed: watch::Sender::new(()),
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
        drop(inner);
        self.changed.send_replace(());
    }

    pub(crate) fn connected(&self) {
        self.lock().record.connections += 1;
        self.changed.send_replace(());
    }

    /// Takes a request in; it ends when the visit does.
    pub(crate) fn begin(self: &Arc<Self>, request: RequestRecord) -> Visit {
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = inner.last_id;
        inner.record.now += 1;
        inner.record.max = inner.record.max.max(inner.record.now);
        inner.record.requests.push(RequestRecord {
            id,
            began: self.elapsed(),
            ..request
        });
        drop(inner);
        self.changed.send_replace(());
        Visit {
            recorder: Arc::clone(self),
            id,
            over: false,
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

/// One request being answered. Dropped before it has ended, its client has gone.
#[derive(Debug)]
pub(crate) struct Visit {
    recorder: Arc<Recorder>,
    id: u64,
    over: bool,
}

impl Visit {
    pub(crate) const fn id(&self) -> u64 {
        self.id
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
        self.recorder.lock().record.now -= 1;
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
        self.end(Ending::ClientGone);
    }
}
